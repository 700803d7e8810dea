"""Intervals of set metrics: the delete-a-group jackknife of both sets, for one generator and between two."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import stats
from ..stats import student
from .blocks import as_pair

GROUPS = 10
MOST = 4000  # pictures of each set that the spread is measured on; with more it is scaled by their number


@dataclass(frozen=True, eq=False)
class Jackknife:
    """A value and how much it varies: its deviations when each group of reals, and of fakes, is left out in turn.

    `real` and `fake`: (G,) each, about their mean, G groups of both; empty where nothing varies. `share_of`: the number
    of pictures that a value between 0 and 1 is a share of, 0 for anything else.

    >>> one = Jackknife(1., np.zeros(10), np.tile([-.1, .1], 5))
    >>> [round(x, 2) for x in one.interval()]
    [0.32, 1.68]
    """

    value: float
    real: np.ndarray = field(default_factory=lambda: np.empty(0))
    fake: np.ndarray = field(default_factory=lambda: np.empty(0))
    share_of: int = 0

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Where the value lies for sets of this size: value -+ Student's t times the jackknife's deviation.

        A share is never given less than Wilson's interval of that many pictures: 60 of 60 is not certainty. NaN where
        nothing is known.
        """
        low, high = _around(self.value, _parts(self.real, self.fake), level)
        if not self.share_of:
            return low, high
        least, most = wilson(self.value, self.share_of, level)
        return max(0.0, min(low, least)), min(1.0, max(high, most))

    def minus(self, other: Jackknife, level: float = 0.95) -> tuple[float, float, float]:
        """The difference and its interval; groups of reals are the same for both, so what they share cancels.

        >>> a, b = (Jackknife(v, np.tile([-.1, .1], 5), np.zeros(10)) for v in (2., 1.))
        >>> a.minus(b)
        (1.0, 1.0, 1.0)
        """
        reals = self.real - other.real if len(self.real) == len(other.real) else np.r_[self.real, other.real]
        low, high = _around(self.value - other.value, _parts(reals, self.fake, other.fake), level)
        if self.share_of and other.share_of:  # Newcombe's interval of two shares, where it is the wider one
            mine, theirs = wilson(self.value, self.share_of, level), wilson(other.value, other.share_of, level)
            gap = self.value - other.value
            down = math.hypot(self.value - mine[0], theirs[1] - other.value)
            up = math.hypot(mine[1] - self.value, other.value - theirs[0])
            low, high = min(low, gap - down), max(high, gap + up)
        return self.value - other.value, low, high


Estimate = Jackknife  # as it was called before `giqa.stats.Estimate` was the only one of that name


def jackknifed(
    metric: Callable[[np.ndarray, np.ndarray], Any],
    real: Any,
    fake: Any,
    *,
    groups: int = GROUPS,
    most: int = MOST,
    seed: int = 0,
    share_of: Sequence[int] = (),
) -> list[Jackknife]:
    """A metric of two sets with what its interval needs; one `Jackknife` for each number that `metric` returns.

    >>> rng = np.random.default_rng(0)
    >>> (mean,) = jackknifed(lambda r, f: f.mean() - r.mean(), rng.normal(size=(90, 1)), rng.normal(size=(90, 1)) + 5)
    >>> low, high = mean.interval()
    >>> bool(low < 5 < high and .3 < high - low < 1)
    True

    Pictures are dealt to seeded groups; the metric is computed without each group of reals, and without each group of
    fakes: 2 `groups` + 1 times. Nothing is ever there twice, as in a bootstrap, which nearest neighbours could not
    bear. With more than `most` pictures the deviations are those of `most`, times the root of `most` over the number.
    What a metric is biased by at this size is no part of its interval.
    """
    real, fake = as_pair(real, fake)
    value = np.atleast_1d(metric(real, fake)).astype(float)
    few, dealt = [], []
    for side, x in enumerate((real, fake)):  # each by its own generator: reals are dealt alike whatever the fakes
        rng = np.random.default_rng([seed, side])
        few.append(x[rng.permutation(len(x))[:most]] if len(x) > most else x)
        dealt.append(rng.permutation(len(few[side])) % groups)
    deviations = []
    for side in (0, 1):
        found = []
        for g in range(groups):
            sets = [x if s != side else x[dealt[s] != g] for s, x in enumerate(few)]
            found.append(np.atleast_1d(metric(*sets)))
        found = np.array(found, float)
        scale = math.sqrt(len(few[side]) / len((real, fake)[side]))
        deviations.append((found - found.mean(axis=0)) * scale)
    shares = list(share_of) or [0] * len(value)
    return [Jackknife(float(v), deviations[0][:, i], deviations[1][:, i], shares[i]) for i, v in enumerate(value)]


def wilson(share: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Both ends of `giqa.stats.wilson`, for a share of n instead of hits.

    >>> [round(x, 3) for x in wilson(1., 10)]
    [0.722, 1.0]
    """
    found = stats.wilson(share * n, n, level)
    return found.low, found.high


def _parts(*deviations: np.ndarray) -> list[tuple[float, int]]:
    """Jackknife variance and degrees of freedom of each source of variation that there is."""
    return [(float((len(d) - 1) / len(d) * (d**2).sum()), len(d) - 1) for d in deviations if len(d) > 1]


def _around(value: float, parts: list[tuple[float, int]], level: float) -> tuple[float, float]:
    """value -+ t times the deviation; degrees of freedom by Welch and Satterthwaite."""
    variance = sum(v for v, _ in parts)
    if not parts or not math.isfinite(variance):
        return math.nan, math.nan
    if variance == 0:
        return value, value
    freedom = variance**2 / sum(v * v / f for v, f in parts)
    half = student(freedom, level) * math.sqrt(variance)
    return value - half, value + half
