"""KNN-GIQA: a picture is good when real pictures are near (GIQA, eq. 7-8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from ..errors import BadShape, BadSpec
from ..registry import PRESETS, as_whole
from ..stats import jackknife
from .nearest import nearest
from .products import ROWS_AT_ONCE, as_matrix, standardiser
from .scale import as_folds
from .scorer import BaseScorer, check_fitted

BLOCK, QUERIES = 8192, 1024  # reference rows, and pictures, at a time
ROUNDING = 16 * 2.0**-24  # of the largest square: what a float32 product may be off by
FEW_DIGITS = 1000  # times that: a square of so much or less has three digits at most
DIRECT, DIRECT_BYTES = 32, 2**25  # nearest rows whose distance is computed again, and the memory for that
RELEASED_SHIFT = 1e-6  # added to each element's difference by the released scripts


class KNN(BaseScorer):
    """KNN-GIQA: how near the k nearest reals are, at distances d_1 <= ... <= d_k.

    ============= ============================= =========================================
    preset        score                         distance
    ============= ============================= =========================================
    paper         mean of 1 / d^2   (eq. 7)     Euclidean
    released      sum of 1 / d                  L1, 1e-6 added to each difference
    recommended   -log(mean of d)               Euclidean on standardised features
    ============= ============================= =========================================

    Parameters
    ----------
    k : int or None, default None
        Number of neighbours; None: 1, and from 100,000 reals `recommended` takes 2 %, at most 3500.
    preset : {"recommended", "released", "paper"}, default "recommended"
        See the table.

    Raises
    ------
    BadSpec
        If a parameter has no meaning.
    BadShape
        If there are fewer reals than k, or features do not fit.
    NotFitted
        If scores are asked for before `fit`.

    Notes
    -----
    Scores are any real number under `recommended`; positive under `paper` and `released`, infinite at an exact copy
    under `paper`. Under `recommended` a distance below a thousandth of the median distance between reals counts as that
    much: an exact copy is memorised, not infinitely good.

    With more reals the nearest one is nearer, so that a picture would score higher than a held-out real for being
    compared with all of them. `fit` measures by how much, from reals without one fold and without two, and raises
    scores without a fold by that (`shift_`): with n reals of d dimensions the score grows as log(n) / d.

    Memory: the reals in float32, and about 0.1 GiB to work in (for k in the thousands 1,000 x 5 x k x 32 bytes more).

    References
    ----------
    Gu et al., "GIQA: Generated Image Quality Assessment", 2020, eq. 7 and 8.

    Examples
    --------
    >>> reals = np.array([[0.0, 0.0], [0.0, 2.0], [4.0, 0.0]])
    >>> KNN(k=2, preset="paper").fit(reals).score_samples(np.array([[0.0, 1.0]])).round(6).tolist()
    [1.0]
    """

    shift_ = 0.0  # of models that an earlier giqa saved

    def __init__(self, k: int | None = None, preset: str = "recommended"):
        self.k = k
        self.preset = preset

    def fit(self, features: Any, y: Any = None, folds: np.ndarray | None = None) -> Self:
        """Keep the reals, a fold after the other.

        Parameters
        ----------
        features : ndarray of shape (n, d) or Features
            Features of reals.
        y : ignored
            For scikit-learn's convention.
        folds : int ndarray of shape (n,) or None, default None
            Fold of each real, from 0; makes `score_folds` and `held_out_` possible at no further memory.

        Returns
        -------
        KNN
            Itself.
        """
        matrix = as_matrix(features)
        n = len(matrix)
        self._check_parameters()
        k = self.k or (1 if n < 100_000 or self.preset != "recommended" else min(3500, n // 50))
        folds = as_folds(folds, n)
        smallest = n if folds.max(initial=0) == 0 else n - np.bincount(folds).max()
        if k > smallest:
            among = f"{n}" if smallest == n else f"{n} ({smallest} when a fifth is held out to fix the scale)"
            raise BadShape(f"knn(k={k}) needs at least {k} real pictures, got {among}; lower k or add pictures.")
        self.n_features_in_ = matrix.shape[1]
        self.k_ = k
        if self.preset == "recommended":
            self.mean_, self.spread_ = standardiser(matrix)
        else:  # distances do not change with the origin, and rounding is smaller around it
            self.mean_, self.spread_ = matrix.mean(axis=0, dtype=np.float64), np.ones(matrix.shape[1])
        self.order_ = np.argsort(folds, kind="stable")
        self.ends_ = np.cumsum(np.bincount(folds))
        self.reference_ = self._standardised(matrix, self.order_)
        self.squares_ = np.einsum("ij,ij->i", self.reference_, self.reference_)
        self.floor_ = self._typical_distance() / 1000 if n > 1 else 0.0
        self._learn_held_out()
        self.shift_ = self._gain_of_a_fold() if self.preset == "recommended" else 0.0
        self.held_out_ += self.shift_
        return self

    def score_samples(self, features: Any) -> np.ndarray:
        """One score a picture, float64 (n,)."""
        return np.concatenate([self._score(_flat(d)) for d, _ in self._nearest(features)])

    def score_folds(self, features: Any) -> np.ndarray:
        """The score under the reals without each fold in turn, raised by `shift_`, float64 (n, F)."""
        return np.concatenate([self._score_folds(d) for d, _ in self._nearest(features)]) + self.shift_

    def score_with_deviation(self, features: Any) -> tuple[np.ndarray, np.ndarray]:
        """Scores, and how much each would vary with other reals, both float64 (n,).

        The logarithm of the distance to the k-th of n points varies as much for a fifth of the points as for all, so
        its deviation is that between the five folds searched alone. (A jackknife sees a nearest neighbour change in one
        fold of five, and covers 80 % instead of 95.) With folds of fewer than k reals, the jackknife.

        Parameters
        ----------
        features : ndarray of shape (n, d) or Features
            Features of the pictures.

        Returns
        -------
        scores, deviations : float64 ndarray of shape (n,)
            Both in the unit of the score.
        """
        parts = [(self._score(_flat(d)), self._deviation(d)) for d, _ in self._nearest(features)]
        scores, deviations = (np.concatenate(column) for column in zip(*parts, strict=True))
        return scores, deviations

    def neighbours(self, features: Any, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest reals of each picture.

        Parameters
        ----------
        features : ndarray of shape (n, d) or Features
            Features of the pictures.
        k : int, default 5
            Number of neighbours.

        Returns
        -------
        rows : int ndarray of shape (n, k)
            Row numbers as given to `fit`, the nearest first.
        distances : float64 ndarray of shape (n, k)
            In the preset's distance.
        """
        check_fitted(self, "reference_")
        k, found = as_whole(k, "k"), []
        for by_fold, rows in self._nearest(features, k=min(k, len(self.reference_))):
            distances, rows = _flat(by_fold), _flat(rows)
            best = np.argsort(distances, axis=1, kind="stable")[:, :k]
            found.append((self.order_[np.take_along_axis(rows, best, 1)], np.take_along_axis(distances, best, 1)))
        rows, distances = (np.concatenate(column) for column in zip(*found, strict=True))
        return rows, distances

    def chosen(self) -> dict[str, Any]:
        """What `fit` decided."""
        return {"k": int(self.k_)}

    def _check_parameters(self) -> None:
        if str(self.preset) not in PRESETS:
            raise BadSpec(f"knn has the presets {', '.join(PRESETS)}, got {self.preset!r}.")
        if self.k is not None:
            as_whole(self.k, "knn(k=...)")

    def _standardised(self, matrix: np.ndarray, order: np.ndarray | None = None) -> np.ndarray:
        """float32 (n, d) in the given order of rows, a part at a time."""
        result = np.empty(matrix.shape, np.float32)
        for start in range(0, len(matrix), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            with np.errstate(over="ignore"):
                result[part] = (matrix[part if order is None else order[part]] - self.mean_) / self.spread_
        if not np.isfinite(result).all():
            row = int(np.flatnonzero(~np.isfinite(result).all(axis=1))[0])
            raise BadShape(f"Row {row} lies too far from the reals for float32; leave that picture out.")
        return result

    def _learn_held_out(self) -> None:
        """Scores of the reals under the other folds."""
        self.held_out_ = np.full(len(self.reference_), np.nan)
        if len(self.ends_) > 1:
            parts = [
                self._score(_flat(distances))
                for fold, (start, end) in enumerate(self._blocks())
                for distances, _ in self._parts(self.reference_[start:end], self.k_, skip=fold)
            ]
            self.held_out_[self.order_] = np.concatenate(parts)

    def _gain_of_a_fold(self) -> float:
        """How much higher reals score on average under all F folds than under F - 1: log(F / (F - 1)) / d.

        From F - 1 folds and F - 2, of up to 2,000 reals; 0 where there are fewer than three folds or too few reals.
        """
        sizes, n = np.diff(self.ends_, prepend=0), len(self.reference_)
        folds = len(sizes)
        if folds < 3 or n - np.sort(sizes)[-2:].sum() < self.k_:
            return 0.0
        some = np.arange(0, n, max(1, n // 1000))
        fold_of, gains = np.searchsorted(self.ends_, some, side="right"), []
        for fold in range(folds):
            for distances, _ in self._parts(self.reference_[some[fold_of == fold]], self.k_, skip=fold):
                fewer = [self._score(self._without(distances, other)) for other in range(folds) if other != fold]
                gains.append(self._score(_flat(distances)) - np.mean(fewer, axis=0))
        return float(np.concatenate(gains).mean() * np.log(folds / (folds - 1)) / np.log((folds - 1) / (folds - 2)))

    def _typical_distance(self) -> float:
        """Median distance of 200 reals, spread over all, to the nearest real of another fold, or the nearest other."""
        some = np.arange(0, len(self.reference_), max(1, len(self.reference_) // 200))
        fold_of = np.searchsorted(self.ends_, some, side="right")
        whole = len(self.ends_) == 1
        found = [
            np.sort(_flat(self._search(self.reference_[some[fold_of == f]], 1 + whole, skip=-1 if whole else f)[0]))
            for f in range(len(self.ends_))
        ]
        nearest = np.concatenate([distances[:, int(whole)] for distances in found])
        apart = nearest[np.isfinite(nearest) & (nearest > 0)]
        return float(np.median(apart)) if len(apart) else 1.0

    def _blocks(self) -> Iterator[tuple[int, int]]:
        """First and last row + 1 of each fold."""
        return zip(np.r_[0, self.ends_[:-1]].tolist(), self.ends_.tolist(), strict=True)

    def _nearest(self, features: Any, k: int | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        check_fitted(self, "reference_")
        k = k or self.k_
        if not 0 < k <= len(self.reference_):  # of a file that somebody made by hand
            raise BadShape(f"The scorer was fitted on {len(self.reference_)} pictures, and k is {k!r:.20}.")
        return self._parts(self._standardised(as_matrix(features, self.n_features_in_)), k)

    def _parts(self, queries: np.ndarray, k: int, skip: int = -1) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """`_search` for a bounded number of pictures at a time; one empty part for no pictures."""
        for start in range(0, max(len(queries), 1), QUERIES):
            yield self._search(queries[start : start + QUERIES], k, skip)

    def _search(self, queries: np.ndarray, k: int, skip: int = -1) -> tuple[np.ndarray, np.ndarray]:
        """Distances and rows of the k nearest in each fold but `skip`, (n, folds, k); inf if a fold is smaller."""
        distances = np.full((len(queries), len(self.ends_), k), np.inf)
        rows = np.zeros((len(queries), len(self.ends_), k), int)
        search = self._manhattan if self.preset == "released" else self._euclidean
        for fold, (start, end) in enumerate(self._blocks()):
            if fold != skip:
                found, where = search(queries, start, end, k)
                distances[:, fold, : found.shape[1]], rows[:, fold, : where.shape[1]] = found, where
        return distances, rows

    def _euclidean(self, queries: np.ndarray, start: int, end: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Candidates from one matrix product in float32, then the nearest again from the difference itself: the
        product loses near-duplicates to cancellation."""
        best, where = nearest(queries, self.reference_[start:end], self.squares_[start:end] / 2, k + 8)
        where += start
        own = np.einsum("ij,ij->i", queries, queries)[:, None]
        squares = 2.0 * best.astype(np.float64) + own
        distances = np.sqrt(np.maximum(squares, 0.0))
        step = max(1, DIRECT_BYTES // (8 * queries.shape[1] * max(1, min(DIRECT, where.shape[1]))))
        for a in range(0, len(queries), step):
            part = slice(a, a + step)
            difference = self.reference_[where[part, :DIRECT]].astype(np.float64) - queries[part, None]
            distances[part, :DIRECT] = np.sqrt(np.einsum("ijk,ijk->ij", difference, difference))
        error = ROUNDING * np.maximum(own[:, 0], self.squares_[start:end].max(initial=0))
        self._sharpen(distances, squares <= FEW_DIGITS * error[:, None], queries, where)
        for row in self._lost_in_rounding(squares, error, end - start, k):
            distances[row], where[row] = self._direct(queries[row], start, end, where.shape[1])
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(distances, order, 1), np.take_along_axis(where, order, 1)

    def _sharpen(self, distances: np.ndarray, blurred: np.ndarray, queries: np.ndarray, where: np.ndarray) -> None:
        """Compute again, of all beyond the nearest `DIRECT`, those that the product leaves few digits of."""
        row, column = np.nonzero(blurred[:, DIRECT:])
        column += DIRECT
        step = max(1, DIRECT_BYTES // (8 * queries.shape[1]))
        for a in range(0, len(row), step):
            at = row[a : a + step], column[a : a + step]
            difference = self.reference_[where[at]].astype(np.float64) - queries[at[0]]
            distances[at] = np.sqrt(np.einsum("ij,ij->i", difference, difference))

    def _lost_in_rounding(self, squares: np.ndarray, error: np.ndarray, n: int, k: int) -> np.ndarray:
        """Rows whose candidates float32 cannot tell apart: a cluster far tighter than its distance from the middle."""
        last = squares[:, min(k, squares.shape[1]) - 1]
        crowded = (squares[:, -1] - last <= 4 * error) & (squares.shape[1] < n)
        return np.flatnonzero((last <= FEW_DIGITS * error) & crowded)

    def _direct(self, query: np.ndarray, start: int, end: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k smallest distances from the differences themselves, in float64, and their rows."""
        distances = np.concatenate(
            [
                np.sqrt(((self.reference_[a : min(a + BLOCK, end)].astype(np.float64) - query) ** 2).sum(axis=1))
                for a in range(start, end, BLOCK)
            ]
        )
        order = np.argsort(distances, kind="stable")[:k]
        return distances[order], start + order

    def _manhattan(self, queries: np.ndarray, start: int, end: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        found = [
            np.abs(q - self.reference_[start:end] + np.float32(RELEASED_SHIFT)).sum(axis=1, dtype=np.float64)
            for q in queries
        ]
        distances = np.asarray(found).reshape(len(queries), end - start)
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(distances, order, 1), start + order

    def _score_folds(self, distances: np.ndarray) -> np.ndarray:
        return np.stack([self._score(self._without(distances, f)) for f in range(len(self.ends_))], axis=1)

    def _deviation(self, distances: np.ndarray) -> np.ndarray:
        if np.diff(self.ends_, prepend=0).min() < self.k_:
            return jackknife(self._score_folds(distances))
        alone = np.stack([self._score(distances[:, f]) for f in range(len(self.ends_))], axis=1)
        if self.preset == "recommended":
            return alone.std(axis=1, ddof=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._score(_flat(distances)) * np.log(alone).std(axis=1, ddof=1)

    def _without(self, distances: np.ndarray, fold: int) -> np.ndarray:
        return _flat(np.delete(distances, fold, axis=1))

    def _score(self, distances: np.ndarray) -> np.ndarray:
        """(n, >= k) distances in any order -> (n,) scores."""
        nearest = np.sort(distances, axis=1)[:, : self.k_]
        with np.errstate(divide="ignore"):
            if self.preset == "paper":
                return np.mean(1.0 / nearest**2, axis=1)  # eq. 7
            if self.preset == "released":
                return np.sum(1.0 / nearest, axis=1)
            return -np.log(np.mean(np.maximum(nearest, self.floor_), axis=1))


def _flat(by_fold: np.ndarray) -> np.ndarray:
    """(n, folds, k) -> (n, folds * k)."""
    return by_fold.reshape(len(by_fold), by_fold.shape[1] * by_fold.shape[2])
