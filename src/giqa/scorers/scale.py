"""One scale that means something: every score is read against the scores of reals that were held out.

The reals are cut into folds; each is scored by a model that has not seen its fold. A picture's `z` and `percentile`
are its place among those held-out scores, so they are the same for one picture or a million.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import BadShape
from ..registry import as_seed
from ..stats import NORMAL, conformal_percentile, robust_sd, student
from ..types import as_numbers

FOLDS = 5
FEWEST = 20  # reals; below this a held-out fold has fewer than four
RESAMPLES, AT_ONCE = 200, 20


def as_folds(folds: Any, n: int) -> np.ndarray:
    """Fold of each of n pictures as an int array (n,); None: all are of fold 0, so that none is held out.

    Raises
    ------
    BadShape
        If it is not a whole number from 0 below n for each picture, or one fold holds all of them.

    Examples
    --------
    >>> as_folds([0, 1, 0], 3).tolist(), as_folds(None, 2).tolist()
    ([0, 1, 0], [0, 0])
    """
    if folds is None:
        return np.zeros(n, int)
    found = as_numbers(folds, "Folds")
    if found.shape != (n,) or found.dtype.kind not in "iu" or (found >= n).any() or (found < 0).any():
        raise BadShape(f"Folds are a whole number from 0 for each of {n} pictures, got {folds!r:.80}.")
    found = found.astype(int)
    if n and found.min() == found.max() > 0:
        raise BadShape(f"All pictures are in fold {found[0]}, so without it there is none to learn from.")
    return found


def as_groups(groups: Any, n: int) -> np.ndarray:
    """Which of n pictures belong together, as numbers from 0, int (n,); None: each is a group of its own.

    Raises
    ------
    BadShape
        If it is not one name or number for each picture.

    Examples
    --------
    >>> as_groups(["b", "a", "b"], 3).tolist()
    [1, 0, 1]
    """
    if groups is None:
        return np.arange(n)
    try:
        found = np.unique(np.asarray(groups), return_inverse=True)[1]
    except Exception:  # of two types, or no array
        raise BadShape(f"Groups are a name or a number for each picture, got {groups!r:.80}.") from None
    if np.ndim(groups) != 1 or len(found) != n:
        raise BadShape(f"There are {n} pictures and groups of shape {np.shape(groups)}; give one for each picture.")
    return found


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
    order = np.random.default_rng(as_seed(seed)).permutation(len(names))
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

    def __post_init__(self) -> None:
        held_out = as_numbers(self.held_out, "Held-out scores")
        if not len(held_out):
            raise BadShape("A scale is made of the scores of held-out reals; there are none.")
        object.__setattr__(self, "held_out", held_out.astype(np.float64, copy=False))
        object.__setattr__(self, "seed", as_seed(self.seed))

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
        return (as_numbers(scores, "Scores", None) - self.median) / self.spread

    def percentile(self, scores: np.ndarray) -> np.ndarray:
        """(1 + held-out reals with a score <= this one) / (n + 1), in (0, 1]; conformal. NaN stays NaN."""
        return conformal_percentile(as_numbers(scores, "Scores", None), self._sorted)

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
        the scale, by resampling the held-out scores. All pictures share the second: `shared_deviation`.
        """
        z = self.z(scores)
        model = student(FOLDS - 1) * as_numbers(deviations, "Deviations", None) / self.spread
        half = np.hypot(model, NORMAL * shared_deviation(z, self.shared))
        return z - half, z + half

    @cached_property
    def shared(self) -> tuple[float, float, float]:
        """How much z of all pictures moves together with other held-out reals: the numbers of `shared_deviation`."""
        medians, sds = self._resampled
        # resample b has z_b = (z - shift_b) stretch_b
        stretch, shift = self.spread / sds, (medians - self.median) / sds
        together = np.mean((stretch - stretch.mean()) * (shift - shift.mean()))
        return float(stretch.var()), float(together), float(shift.var())

    @cached_property
    def _sorted(self) -> np.ndarray:
        return np.sort(self.held_out)

    @cached_property
    def _resampled(self) -> tuple[np.ndarray, np.ndarray]:
        rng, n = np.random.default_rng(self.seed), len(self.held_out)
        medians, sds = [], []
        for _ in range(0, RESAMPLES, AT_ONCE):
            draws = self.held_out[np.stack([rng.integers(n, size=n) for _ in range(AT_ONCE)])]
            medians.append(np.median(draws, axis=1))
            sds.append(robust_sd(draws, axis=1))
        medians, sds = np.concatenate(medians), np.concatenate(sds)
        good = np.isfinite(sds) & (sds > 0)
        return (medians[good], sds[good]) if good.any() else (np.full(1, np.nan), np.full(1, np.nan))


def shared_deviation(z: np.ndarray, shared: Sequence[float]) -> np.ndarray:
    """The part of the uncertainty of z that all pictures share: sqrt(a z² - 2 b z + c), of the shape of `z`.

    With other held-out reals, their median and spread differ, so that z becomes z · stretch - shift. It moves all
    pictures, and never changes their order. (a, b, c) are the variance of the stretch, its covariance with the shift,
    and the variance of the shift.

    >>> shared_deviation(np.array([0.0, -10.0]), (0.01, 0.0, 0.04)).round(3).tolist()
    [0.2, 1.02]
    """
    stretch, together, shift = shared
    return np.sqrt(np.maximum(0, z**2 * stretch - 2 * z * together + shift))


def _sd(values: np.ndarray) -> float:
    return float(robust_sd(values)) or float("nan")
