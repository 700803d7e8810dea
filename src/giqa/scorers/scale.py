"""One scale that means something: every score is read against the scores of reals that were held out.

The reals are cut into folds; each is scored by a model that has not seen its fold. A picture's `z` and `percentile`
are its place among those held-out scores, so they are the same for one picture or a million.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import BadShape
from ..stats import NORMAL, conformal_percentile, robust_sd, student

FOLDS = 5
FEWEST = 20  # reals; below this a held-out fold has fewer than four
NEAR, NEAR_SHARE = 2.0, 0.1  # grey levels, and share of a thumbnail's own contrast: the same picture coded again
QUARTER_SHARE = 192**0.5 / 16**0.5  # a quarter and colour has 16 of a thumbnail's 192 numbers
RESAMPLES = 200


def nearness(thumbnails: np.ndarray) -> np.ndarray:
    """How far apart a thumbnail may be from that of the same picture: root mean square of grey levels, (n,).

    2 levels, and a tenth of the thumbnail's own contrast: textures have flat thumbnails that all look alike.

    Parameters
    ----------
    thumbnails : ndarray of shape (n, 192)
        8 x 8 pixels of 3 colours, 0 to 255.
    """
    cells = thumbnails.reshape(len(thumbnails), -1, 3)
    contrast = np.sqrt(((cells - cells.mean(axis=1, keepdims=True)) ** 2).mean(axis=(1, 2)))
    return np.minimum(NEAR, NEAR_SHARE * contrast)


class Thumbnails:
    """Thumbnails, sorted by brightness, in which those near a given one are found without looking at all.

    Neither the difference of the means nor that of the means of the four quarters is ever above the root mean square
    difference of the whole (the latter scaled): what they rule out is not looked at.

    Parameters
    ----------
    thumbnails : ndarray of shape (n, 192)
        8 x 8 pixels of 3 colours, 0 to 255.
    """

    def __init__(self, thumbnails: np.ndarray):
        brightness = thumbnails.mean(axis=1)
        self.order = np.argsort(brightness, kind="stable")
        self.brightness, self.thumbnails = brightness[self.order], thumbnails[self.order]
        self.quarters = _quarters(self.thumbnails)

    def near(self, own: np.ndarray, within: float, start: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Rows nearer to a thumbnail than a distance, and how far they are.

        Parameters
        ----------
        own : ndarray of shape (192,)
            The thumbnail.
        within : float
            Root mean square of grey levels.
        start : int, default 0
            Only places from here on in the order of brightness.

        Returns
        -------
        rows : int ndarray of shape (k,)
        distances : float ndarray of shape (k,)
        """
        low, high = np.searchsorted(self.brightness, [own.mean() - within, own.mean() + within])
        low = max(low, start)
        rough = np.abs(self.quarters[low:high] - _quarters(own[None])).max(axis=1, initial=0)
        places = low + np.flatnonzero(rough <= within * QUARTER_SHARE)
        distance = np.sqrt(((self.thumbnails[places] - own) ** 2).mean(axis=1))
        return self.order[places[distance < within]], distance[distance < within]


def _quarters(thumbnails: np.ndarray) -> np.ndarray:
    """Mean of each quarter and colour of 8x8 thumbnails, (n, 12)."""
    return thumbnails.reshape(-1, 2, 4, 2, 4, 3).mean(axis=(2, 4)).reshape(len(thumbnails), 12)


def twins(info: np.ndarray) -> np.ndarray:
    """Group number of each picture; pictures with the same pixels, or nearly the same thumbnail, share one.

    Parameters
    ----------
    info : ndarray of shape (n,) of dtype `giqa.types.INFO`
        What is remembered of each picture; near is what `nearness` says.

    Returns
    -------
    int ndarray of shape (n,)
        Group numbers.
    """
    n = len(info)
    thumbnails = info["thumbnail"].reshape(n, -1).astype(np.float32)
    within = nearness(thumbnails)
    group = np.arange(n)

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    first: dict[bytes, int] = {}
    for i in range(n):
        group[root(i)] = root(first.setdefault(info["digest"][i].tobytes(), i))
    search = Thumbnails(thumbnails)
    for place, i in enumerate(search.order):
        for j in search.near(thumbnails[i], within[i], start=place + 1)[0]:
            group[root(j)] = root(i)
    return np.array([root(i) for i in range(n)])


def assign_folds(groups: np.ndarray, seed: int = 0) -> np.ndarray:
    """Fold 0..4 of each picture, equal in size, a whole group in one fold.

    Parameters
    ----------
    groups : int ndarray of shape (n,)
        Group number of each picture; `twins` gives them.
    seed : int, default 0
        The same seed gives the same folds.

    Returns
    -------
    int ndarray of shape (n,)
        Folds.

    Raises
    ------
    BadShape
        If there are fewer than 20 groups.
    """
    names, sizes = np.unique(groups, return_counts=True)
    if len(names) < FEWEST:
        twin = f" ({len(groups)} with their twins)" if len(groups) > len(names) else ""
        raise BadShape(
            f"At least {FEWEST} different real pictures are needed to fix the scale, got {len(names)}{twin}; "
            "add pictures."
        )
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]
    fold_of_group, load = np.empty(len(names), int), np.zeros(FOLDS, int)
    for i in order:
        fold = int(load.argmin())
        fold_of_group[i], load[fold] = fold, load[fold] + sizes[i]
    if load.max() > 0.3 * len(groups):
        warnings.warn(
            f"{sizes.max()} of {len(groups)} reals are near duplicates of each other and stay in one fold of five: the "
            "scale is less certain than its intervals say. Leave duplicates out.",
            stacklevel=3,
        )
    return fold_of_group[np.searchsorted(names, groups)]


class Copies:
    """Finds the reference picture that a picture repeats: the same pixels, or a thumbnail as near as `nearness` says.

    Parameters
    ----------
    reference : ndarray of shape (n,) of dtype `giqa.types.INFO`
        What is remembered of the reference pictures.
    """

    def __init__(self, reference: np.ndarray):
        self.known = {digest.tobytes(): row for row, digest in reversed(list(enumerate(reference["digest"])))}
        self.search = Thumbnails(reference["thumbnail"].reshape(len(reference), -1).astype(np.float32))

    def rows(self, info: np.ndarray) -> np.ndarray:
        """Row of the repeated reference picture for each picture, -1 for none, int (n,).

        Parameters
        ----------
        info : ndarray of shape (n,) of dtype `giqa.types.INFO`
            What is remembered of the pictures.
        """
        return np.array([self._row(one) for one in info], int)

    def _row(self, one: np.void) -> int:
        exact = self.known.get(one["digest"].tobytes())
        if exact is not None:
            return exact
        own = one["thumbnail"].reshape(-1).astype(np.float32)
        rows, distances = self.search.near(own, nearness(own[None])[0])
        return int(rows[distances.argmin()]) if len(rows) else -1


@dataclass(frozen=True, eq=False)
class Scale:
    """Raw scores to `z`, `percentile` and an interval, by the scores of held-out reals.

    Parameters
    ----------
    held_out : float64 ndarray of shape (n,)
        Scores of reals, each by the model without its fold.
    seed : int, default 0
        Seed of the resamples behind the interval.

    Examples
    --------
    >>> scale = Scale(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    >>> scale.z(np.array([3.0, 3.0 - 1.4826])).round(6).tolist()
    [0.0, -1.0]
    >>> scale.percentile(np.array([0.0, 3.0, 9.0])).round(4).tolist()
    [0.1667, 0.6667, 1.0]
    """

    held_out: np.ndarray
    seed: int = 0

    @cached_property
    def median(self) -> float:
        """Median of the held-out scores."""
        return float(np.median(self.held_out))

    @cached_property
    def spread(self) -> float:
        """Robust standard deviation of the held-out scores; NaN when more than half of them are equal."""
        return _sd(self.held_out)

    def z(self, scores: np.ndarray) -> np.ndarray:
        """(score - median of the held-out reals) / their robust standard deviation, of the shape of `scores`.

        0 = like a typical real, -3 = three robust standard deviations worse. The same as `giqa.stats.robust_z`, with
        median and deviation computed once.
        """
        return (scores - self.median) / self.spread

    def percentile(self, scores: np.ndarray) -> np.ndarray:
        """(1 + held-out reals with a score <= this one) / (n + 1), in (0, 1]; conformal. NaN stays NaN."""
        return conformal_percentile(scores, self._sorted)

    def interval(self, scores: np.ndarray, deviations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """95 % interval of z: it holds the z that sets of reals of this size typically give.

        Parameters
        ----------
        scores : ndarray of shape (n,)
            Scores of pictures.
        deviations : ndarray of shape (n,)
            How much each would vary with other reals, from five folds.

        Returns
        -------
        low, high : ndarray of shape (n,)
            Both ends, in robust standard deviations.

        Notes
        -----
        Two parts: the model, by Student's t with 4 degrees of freedom since its deviations come from five folds, and
        the scale, by resampling the held-out scores.
        """
        model = deviations / self.spread
        medians, sds = self._resampled
        # variance over resamples b of (s - m_b) / spread_b, with s and m_b counted from the median: quadratic in s
        s, a, b = scores - self.median, 1 / sds, (medians - self.median) / sds
        scale = np.sqrt(np.maximum(0, s**2 * a.var() - 2 * s * np.mean((a - a.mean()) * (b - b.mean())) + b.var()))
        half = np.hypot(student(FOLDS - 1) * model, NORMAL * scale)
        z = self.z(scores)
        return z - half, z + half

    @cached_property
    def _sorted(self) -> np.ndarray:
        return np.sort(self.held_out)

    @cached_property
    def _resampled(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(self.seed)
        draws = [self.held_out[rng.integers(len(self.held_out), size=len(self.held_out))] for _ in range(RESAMPLES)]
        sds = np.array([_sd(draw) for draw in draws])
        good = np.isfinite(sds)
        if not good.any():
            return np.full(1, np.nan), np.full(1, np.nan)
        return np.array([np.median(draw) for draw in draws])[good], sds[good]


def _sd(values: np.ndarray) -> float:
    return float(robust_sd(values)) or float("nan")
