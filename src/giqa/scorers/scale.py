"""One scale that means something: every score is read against the scores of reals that were held out.

The reals are cut into folds; each is scored by a model that has not seen its fold. A picture's `z` and `percentile`
are its place among those held-out scores, so they are the same for one picture or a million.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import BadShape
from ..stats import NORMAL, conformal_percentile, robust_sd, student

FOLDS = 5
FEWEST = 20  # reals; below this a held-out fold has fewer than four
RESAMPLES, AT_ONCE = 200, 20


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
        the scale, by resampling the held-out scores. All pictures share the second: `shared_deviation`.
        """
        z = self.z(scores)
        model = student(FOLDS - 1) * deviations / self.spread
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
