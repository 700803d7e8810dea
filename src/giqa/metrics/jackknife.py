"""Intervals of set metrics: the delete-a-group jackknife of both sets, for one generator and between two."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..stats import Estimate, difference, hull, jackknife_variance, welch_interval, wilson
from .blocks import as_pair

GROUPS = 10
MOST = 4000  # pictures of each set that the spread is measured on; with more it is scaled by their number
FEWEST = 5  # fakes; of fewer no interval is given, and so no verdict: their spread is a guess
DRAWS = 5  # of as many pictures as the smaller set has, from the larger one


@dataclass(frozen=True, eq=False)
class Jackknife:
    """A value and how much it varies: its deviations when each group of reals, and of fakes, is left out in turn.

    `real` and `fake`: (G,) each, about their mean, G groups of both; empty where nothing varies. `share_of`: the number
    of pictures that a value between 0 and 1 is a share of, 0 for anything else. `n`: the number of fakes, 0
    where nobody knows. `unit`: where reals also fix the unit of the value, its deviations without each group of them in
    a unit that stays; a difference of two is judged by these.

    >>> one = Jackknife(1., np.zeros(10), np.tile([-.1, .1], 5))
    >>> [round(x, 2) for x in one.interval()]
    [0.32, 1.68]
    """

    value: float
    real: np.ndarray = field(default_factory=lambda: np.empty(0))
    fake: np.ndarray = field(default_factory=lambda: np.empty(0))
    share_of: int = 0
    n: int = 0
    unit: np.ndarray | None = None

    @classmethod
    def of_mean(cls, values: np.ndarray, real: Any = (), unit: np.ndarray | None = None) -> Jackknife:
        """A mean over fakes (n,): the jackknife that leaves out one picture at a time, which is the textbook's.

        >>> [round(x, 2) for x in Jackknife.of_mean(np.array([1., 2., 3., 4., 5.])).interval()]
        [1.04, 4.96]
        """
        mean, n = float(values.mean()), len(values)
        return cls(mean, np.asarray(real, float), (mean - values) / (n - 1 or 1), n=n, unit=unit)

    @property
    def known(self) -> bool:
        """Whether there are enough fakes to say how much the value varies."""
        return len(self.fake) > 1 and not 0 < self.n < FEWEST

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Where the value lies for sets of this size: value -+ Student's t times the jackknife's deviation.

        A share is never given less than Wilson's interval of that many pictures: 60 of 60 is not certainty. NaN where
        nothing is known, and of fewer than `FEWEST` fakes.
        """
        if not self.known:
            return math.nan, math.nan
        low, high = welch_interval(self.value, _parts(self.real, self.fake), level)
        if not self.share_of:
            return low, high
        wide = hull(Estimate(self.value, low, high, self.n), self._wilson(level))
        return max(0.0, wide.low), min(1.0, wide.high)

    def minus(self, other: Jackknife, level: float = 0.95) -> tuple[float, float, float]:
        """The difference and its interval; groups of reals are the same for both, so what they share cancels.

        The smaller of two sets is never taken to vary less, a picture, than the larger one: a few pictures may be equal
        by chance. NaN ends where either is not `known`.

        >>> a, b = (Jackknife(v, np.tile([-.1, .1], 5), np.zeros(10)) for v in (2., 1.))
        >>> a.minus(b)
        (1.0, 1.0, 1.0)
        """
        if not (self.known and other.known):
            return self.value - other.value, math.nan, math.nan
        mine, theirs = (e.real if e.unit is None else e.unit for e in (self, other))
        reals = mine - theirs if len(mine) == len(theirs) else np.r_[mine, theirs]
        fakes = [(self.fake, self.n), (other.fake, other.n)]
        if self.n and other.n and self.n != other.n:
            fakes.sort(key=lambda one: one[1])
            (few, n), (many, m) = fakes
            (small,), (large,) = _parts(few), _parts(many)
            parts = [*_parts(reals), (max(small[0], large[0] * m / n), small[1]), large]
        else:
            parts = _parts(reals, self.fake, other.fake)
        gap = self.value - other.value
        low, high = welch_interval(gap, parts, level)
        if self.share_of and other.share_of:  # the interval of two shares, where it is the wider one
            wide = hull(Estimate(gap, low, high, self.n), difference(self._wilson(level), other._wilson(level)))
            low, high = wide.low, wide.high
        return gap, low, high

    def _wilson(self, level: float) -> Estimate:
        return wilson(self.value * self.share_of, self.share_of, level)


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
        for g in range(min(groups, len(few[side]))):
            sets = [x if s != side else x[dealt[s] != g] for s, x in enumerate(few)]
            found.append(np.atleast_1d(metric(*sets)))
        found = np.array(found, float)
        scale = math.sqrt(len(few[side]) / len((real, fake)[side]))
        deviations.append((found - found.mean(axis=0)) * scale)
    shares = list(share_of) or [0] * len(value)
    return [
        Jackknife(float(v), deviations[0][:, i], deviations[1][:, i], shares[i], len(fake)) for i, v in enumerate(value)
    ]


def at_number(
    metric: Callable[[np.ndarray, np.ndarray], Any],
    real: np.ndarray,
    fake: np.ndarray,
    n: int,
    *,
    seed: int = 0,
    share_of: Sequence[int] = (),
) -> list[Jackknife]:
    """`jackknifed` as a set of n fakes would have it, from more: the mean over `DRAWS` seeded draws of n.

    >>> fake = np.random.default_rng(0).normal(size=(100, 1))
    >>> (largest,) = at_number(lambda r, f: f.max(), fake, fake, 20)
    >>> bool(largest.value < fake.max()), largest.n
    (True, 100)

    Draws overlap as little as they can: each begins where the one before ended. The deviations of one draw are divided
    by the root of the number of draws that have no picture in common; `Jackknife.n` counts their pictures. Of more than
    `MOST` reals a seeded `MOST` are taken.
    """
    if len(real) > MOST:
        real = real[np.random.default_rng([seed, 0]).permutation(len(real))[:MOST]]
    order = np.random.default_rng([seed, 2]).permutation(len(fake))
    draws = [fake[np.sort(np.roll(order, -i * n)[:n])] for i in range(DRAWS if n < len(fake) else 1)]
    first = jackknifed(metric, real, draws[0], seed=seed, share_of=share_of)
    values = [[e.value for e in first], *(np.atleast_1d(metric(real, draw)).tolist() for draw in draws[1:])]
    apart = min(len(draws), len(fake) / n)
    return [
        Jackknife(float(v), e.real, e.fake / math.sqrt(apart), e.share_of, round(n * apart))
        for v, e in zip(np.mean(values, axis=0), first, strict=True)
    ]


def _parts(*deviations: np.ndarray) -> list[tuple[float, int]]:
    """Jackknife variance and degrees of freedom of each source of variation that there is."""
    return [(float(jackknife_variance(d)), len(d) - 1) for d in deviations if len(d) > 1]
