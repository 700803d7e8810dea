"""KNN-GIQA: a picture is good when real pictures are near (GIQA, eq. 7-8)."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from ..errors import BadShape, BadSpec, NotFitted
from ..registry import PRESETS
from .products import as_matrix, standardiser, steady_product
from .scale import jackknife

BLOCK = 8192  # reference rows a product: 64 x 8192 float32 distances are 2 MiB
DIRECT = 128  # nearest rows whose distance is computed again from the difference itself
RELEASED_SHIFT = 1e-6  # added to each element's difference by the released scripts


class KNN:
    """KNN-GIQA: how near the k nearest reals are, at distances d_1 <= ... <= d_k.

    ============= ============================= =========================================
    preset        score                         distance
    ============= ============================= =========================================
    paper         mean of 1 / d^2   (eq. 7)     Euclidean
    released      sum of 1 / d                  L1, 1e-6 added to each difference
    recommended   -log(mean of d)               Euclidean on standardised features
    ============= ============================= =========================================

    >>> reals = np.array([[0., 0.], [0., 2.], [4., 0.]])
    >>> KNN(k=2, preset="paper").fit(reals).score_samples(np.array([[0., 1.]])).round(6)
    array([1.])

    `features`: (n, d) array or `Features`. `k` of None: 1 below 100,000 reals, else 2 % of them, at most 3500.
    Range: `recommended` any real number; `paper` and `released` positive, infinite at an exact copy under `paper`.
    Under `recommended` a distance below a thousandth of the median distance between reals counts as that much:
    an exact copy is memorised, not infinitely good.
    Errors: `BadShape` when there are fewer reals than k, or features do not fit; `NotFitted`.
    Memory: the reals in float32, and 2 MiB of distances.
    """

    def __init__(self, k: int | None = None, preset: str = "recommended"):
        self.k = k
        self.preset = preset

    def fit(self, features: Any, y: Any = None, folds: np.ndarray | None = None) -> Self:
        """Keep the reals; `folds` (n,) of 0..F-1 makes `score_folds` and `held_out_` possible at no further memory."""
        matrix = as_matrix(features)
        n = len(matrix)
        self._check_parameters()
        k = self.k or (1 if n < 100_000 else min(3500, n // 50))
        folds = np.zeros(n, int) if folds is None else np.asarray(folds)
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
        self.reference_ = self._standardised(matrix)[self.order_]
        self.floor_ = 0.0
        self._learn_held_out()
        return self

    def score_samples(self, features: Any) -> np.ndarray:
        """One score a picture, float64 (n,)."""
        return self._score(_flat(self._nearest(features)[0]))

    def score_folds(self, features: Any) -> np.ndarray:
        """The score under the reals without each fold in turn, float64 (n, F)."""
        return self._score_folds(self._nearest(features)[0])

    def score_with_deviation(self, features: Any) -> tuple[np.ndarray, np.ndarray]:
        """Scores, and how much each would vary with other reals, both float64 (n,).

        The logarithm of the distance to the k-th of n points varies as much for a fifth of the points as for all, so
        its deviation is that between the five folds searched alone. (A jackknife sees a nearest neighbour change in one
        fold of five, and covers 80 % instead of 95.) With folds of fewer than k reals, the jackknife.
        """
        distances, _ = self._nearest(features)
        scores = self._score(_flat(distances))
        if not np.isfinite(distances).all():
            return scores, jackknife(self._score_folds(distances))
        alone = np.stack([self._score(distances[:, f]) for f in range(len(self.ends_))], axis=1)
        if self.preset == "recommended":
            return scores, alone.std(axis=1, ddof=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return scores, scores * np.log(alone).std(axis=1, ddof=1)

    def neighbours(self, features: Any, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest reals of each picture: row numbers as given to `fit`, and distances, both (n, k)."""
        distances, rows = self._nearest(features, k=min(k, len(getattr(self, "reference_", ()))))
        flat, rows = _flat(distances), _flat(rows)
        best = np.argsort(flat, axis=1, kind="stable")[:, :k]
        return self.order_[np.take_along_axis(rows, best, 1)], np.take_along_axis(flat, best, 1)

    def _check_parameters(self) -> None:
        if self.preset not in PRESETS:
            raise BadSpec(f"knn has the presets {', '.join(PRESETS)}, got {self.preset!r}.")
        if self.k is not None and (not isinstance(self.k, (int, np.integer)) or self.k < 1):
            raise BadSpec(f"knn(k=...) takes a whole number from 1, got {self.k!r}.")

    def _standardised(self, matrix: np.ndarray) -> np.ndarray:
        return ((matrix - self.mean_) / self.spread_).astype(np.float32)

    def _learn_held_out(self) -> None:
        """Scores of the reals under the other folds; they also say how near is nearer than reals ever are."""
        starts = np.r_[0, self.ends_[:-1]]
        self.held_out_ = np.full(len(self.reference_), np.nan)
        if len(self.ends_) == 1:
            self.floor_ = 1e-3 * self._typical_distance()
            return
        parts = enumerate(zip(starts, self.ends_, strict=True))
        distances = _flat(
            np.concatenate([self._search(self.reference_[a:b], self.k_, skip=f)[0] for f, (a, b) in parts])
        )
        self.floor_ = 1e-3 * float(np.median(distances.min(axis=1)))
        self.held_out_[self.order_] = self._score(distances)

    def _typical_distance(self) -> float:
        """Median distance of 200 reals, spread over all, to the nearest other one."""
        some = self.reference_[:: max(1, len(self.reference_) // 200)]
        distances = _flat(self._search(some, min(2, len(self.reference_)))[0])
        return float(np.median(np.sort(distances, axis=1)[:, -1])) or 1.0

    def _nearest(self, features: Any, k: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        if not hasattr(self, "reference_"):
            raise NotFitted("Call fit(reals) before asking for scores.")
        return self._search(self._standardised(as_matrix(features, self.n_features_in_)), k or self.k_)

    def _search(self, queries: np.ndarray, k: int, skip: int = -1) -> tuple[np.ndarray, np.ndarray]:
        """Distances and rows of the k nearest in each fold but `skip`, (n, folds, k); inf if a fold is smaller."""
        distances = np.full((len(queries), len(self.ends_), k), np.inf)
        rows = np.zeros((len(queries), len(self.ends_), k), int)
        search = self._manhattan if self.preset == "released" else self._euclidean
        for fold, (start, end) in enumerate(zip(np.r_[0, self.ends_[:-1]], self.ends_, strict=True)):
            if fold != skip:
                found, where = search(queries, start, end, k)
                distances[:, fold, : found.shape[1]], rows[:, fold, : where.shape[1]] = found, where
        return distances, rows

    def _euclidean(self, queries: np.ndarray, start: int, end: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Candidates from one matrix product in float32, then the nearest again from the difference itself: the
        product loses near-duplicates to cancellation."""
        keep = min(k + 8, end - start)
        best = np.empty((len(queries), 0), np.float32)
        where = np.empty((len(queries), 0), int)
        for a in range(start, end, BLOCK):
            block = self.reference_[a : min(a + BLOCK, end)]
            squares = np.einsum("ij,ij->i", block, block)
            half = squares / 2 - steady_product(queries, block)  # d^2/2 less the query's own
            top = _smallest(half, min(keep, len(block)))
            best = np.concatenate([best, np.take_along_axis(half, top, 1)], axis=1)
            where = np.concatenate([where, a + top], axis=1)
            top = _smallest(best, min(keep, best.shape[1]))
            best, where = np.take_along_axis(best, top, 1), np.take_along_axis(where, top, 1)
        order = np.lexsort((where, best), axis=1)
        best, where = np.take_along_axis(best, order, 1), np.take_along_axis(where, order, 1)
        own = np.einsum("ij,ij->i", queries, queries)[:, None]
        distances = np.sqrt(np.maximum(2.0 * best + own, 0.0), dtype=np.float64)
        for row, near in enumerate(where[:, :DIRECT]):
            difference = self.reference_[near].astype(np.float64) - queries[row]
            distances[row, :DIRECT] = np.sqrt(np.einsum("ij,ij->i", difference, difference))
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(distances, order, 1), np.take_along_axis(where, order, 1)

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


def _smallest(values: np.ndarray, k: int) -> np.ndarray:
    """Columns of the k smallest values of each row, in no order."""
    if k >= values.shape[1]:
        return np.broadcast_to(np.arange(values.shape[1]), values.shape)
    return np.argpartition(values, k - 1, axis=1)[:, :k]
