"""Intervals of set metrics: the delete-a-group jackknife of both sets, for one generator and between two."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from ..errors import GiqaError
from ..registry import as_seed, as_whole, checked
from ..stats import Estimate, difference, hull, jackknife_variance, welch_interval, wilson
from ..types import as_numbers
from .blocks import as_pair
from .metric import Metric, one_by_one

GROUPS = 10  # or more, of fewer than 100 pictures: all groups are equally large
MOST = 4000  # pictures of each set that deviations are measured on; with more they are scaled by their number
FEWEST = 5  # fakes; of fewer no interval is given, and so no verdict: how much they vary is a guess
DRAWS = 5  # of as many pictures as the smaller set has, from the larger one


@dataclass(frozen=True, eq=False)
class Jackknife:
    """A value and how much it varies: its deviations when each group of reals, and of fakes, is left out in turn.

    Parameters
    ----------
    value : float
        The value of both whole sets.
    real, fake : ndarray of shape (G,), default empty
        Deviations without each group of reals, and of fakes, about their mean; empty where nothing varies.
    share_of : int, default 0
        Number of pictures that a value from 0 to 1 is a share of; 0 for anything else.
    n : int, default 0
        Number of fakes; 0: unknown.
    unit : ndarray of shape (G,) or None, default None
        Where reals also fix the unit of the value: deviations without each group of them in a unit that stays. A
        difference of two values is judged by these.
    least : float, default -inf
        The value is never below it, as a distance is not below 0: where the interval would, it begins here.

    Examples
    --------
    >>> one = Jackknife(1.0, np.zeros(10), np.tile([-0.1, 0.1], 5))
    >>> one, [round(x, 2) for x in one.interval()]
    (<Jackknife 1.000 [0.321, 1.679]>, [0.32, 1.68])
    """

    value: float
    real: np.ndarray = field(default_factory=lambda: np.empty(0))
    fake: np.ndarray = field(default_factory=lambda: np.empty(0))
    share_of: int = 0
    n: int = 0
    unit: np.ndarray | None = None
    least: float = -math.inf

    def __str__(self) -> str:
        return str(Estimate(self.value, *self.interval(), self.n))

    def __repr__(self) -> str:
        return f"<Jackknife {self}>"

    @classmethod
    def of_mean(cls, values: np.ndarray, real: Any = (), unit: np.ndarray | None = None) -> Jackknife:
        """A mean over fakes: the jackknife that leaves out one picture at a time, which is the textbook's.

        Parameters
        ----------
        values : ndarray of shape (n,)
            A value for each fake.
        real : array-like of shape (G,), default empty
            Deviations of the mean without each group of reals.
        unit : ndarray of shape (G,) or None, default None
            See `Jackknife`.

        Returns
        -------
        Jackknife
            Of the mean.

        Examples
        --------
        >>> [round(x, 2) for x in Jackknife.of_mean(np.array([1.0, 2.0, 3.0, 4.0, 5.0])).interval()]
        [1.04, 4.96]
        """
        values = as_numbers(values, "Values", kinds="fiub")
        mean, n = float(values.mean()) if len(values) else math.nan, len(values)
        return cls(mean, np.asarray(real, float), (mean - values) / (n - 1 or 1), n=n, unit=unit)

    @property
    def known(self) -> bool:
        """Whether there are enough fakes to say how much the value varies."""
        return len(self.fake) > 1 and not 0 < self.n < FEWEST

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The interval of the value for sets of this size: value -+ Student's t times the jackknife's deviation.

        Parameters
        ----------
        level : float, default 0.95
            Probability that it holds the value.

        Returns
        -------
        low, high : float
            NaN where nothing is known, and for fewer than 5 fakes. A share never gets less than Wilson's interval of
            that many pictures: 60 of 60 is not certainty.
        """
        if not self.known:
            return math.nan, math.nan
        low, high = welch_interval(self.value, _parts(self.real, self.fake), level)
        if not self.share_of:
            return (self.least if low < self.least else low), high  # NaN stays
        wide = hull(Estimate(self.value, low, high, self.n), self._wilson(level))
        return max(0.0, wide.low), min(1.0, wide.high)

    def minus(self, other: Jackknife, level: float = 0.95) -> tuple[float, float, float]:
        """The difference and its interval; groups of reals are the same for both, so what they share cancels.

        Parameters
        ----------
        other : Jackknife
            Of the same metric and the same reals.
        level : float, default 0.95
            Probability that the interval holds the difference.

        Returns
        -------
        gap, low, high : float
            NaN ends where either value is not `known`.

        Notes
        -----
        The smaller of two sets is never taken to vary less, for one picture, than the larger one: a few pictures may be
        equal by chance. A difference of two shares never gets less than Newcombe's interval.

        Examples
        --------
        >>> a, b = (Jackknife(v, np.tile([-0.1, 0.1], 5), np.zeros(10)) for v in (2.0, 1.0))
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
    most: int = MOST,
    seed: int = 0,
    share_of: Sequence[int] = (),
) -> list[Jackknife]:
    """A metric of two sets with what its interval needs: the delete-a-group jackknife of both sets.

    Parameters
    ----------
    metric : callable
        Takes (real, fake) and returns a number, or several.
    real : array-like of shape (n, d)
        Features of reals.
    fake : array-like of shape (m, d)
        Features of fakes.
    most : int, default 4000
        Pictures of each set that deviations are measured on; with more they are multiplied by sqrt(most / number).
    seed : int, default 0
        Decides on the groups.
    share_of : sequence of int, default ()
        For each number of the metric, see `Jackknife`.

    Returns
    -------
    list of Jackknife
        One for each number that `metric` returns.

    Notes
    -----
    The metric is computed 21 times: on all, and without each of 10 groups of reals, then of fakes (up to 19 of fewer
    than 100 pictures). All groups are equally large, as many metrics depend on the number; what is left over stays.
    Nothing is ever there twice, as in a bootstrap, which nearest neighbours could not bear. What a metric is biased by
    at this size is no part of its interval.

    References
    ----------
    Shao, Wu, "A general theory for jackknife variance estimation", 1989.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> (mean,) = jackknifed(lambda r, f: f.mean() - r.mean(), rng.normal(size=(90, 1)), rng.normal(size=(90, 1)) + 5)
    >>> low, high = mean.interval()
    >>> bool(low < 5 < high and 0.3 < high - low < 1)
    True
    """
    real, fake = as_pair(real, fake)
    most, seed = as_whole(most, "most", 2), as_seed(seed)
    whole = against(metric, real)
    value = np.atleast_1d(whole(fake)).astype(float)
    few, kept = [], []
    for side, x in enumerate((real, fake)):  # each by its own generator: reals are dealt alike whatever the fakes
        rng = np.random.default_rng([seed, side])
        few.append(x[rng.permutation(len(x))[:most]] if len(x) > most else x)
        kept.append(_kept(len(few[side]), rng))
    own = metric.left_out if isinstance(metric, Metric) else partial(one_by_one, partial(partial, metric))
    deviations = []
    for side, values in enumerate(own(*few, kept)):
        found, n = values.reshape(len(values), -1), len(few[side])
        each, groups = n - int(kept[side][0].sum()), len(found)
        # Shao and Wu's (n - each) / (each groups), over (groups - 1) / groups of `jackknife_variance`
        rest = (n - each) / (each * (groups - 1)) if groups > 1 else 1.0
        deviations.append((found - found.mean(axis=0)) * math.sqrt(rest * n / len((real, fake)[side])))
    shares = list(share_of) or [0] * len(value)
    return [
        Jackknife(float(v), deviations[0][:, i], deviations[1][:, i], shares[i], len(fake)) for i, v in enumerate(value)
    ]


def estimated(metric: Any, real: np.ndarray, fake: np.ndarray) -> Jackknife:
    """A metric with what its interval needs; without it where the metric cannot do with a group less.

    Parameters
    ----------
    metric : Metric
        What is computed.
    real : ndarray of shape (n, d)
        Features of reals.
    fake : ndarray of shape (m, d)
        Features of fakes.

    Returns
    -------
    Jackknife

    Raises
    ------
    BadShape
        If there are too few pictures for the metric itself.

    Examples
    --------
    >>> from giqa.metrics.frechet import Frechet
    >>> estimated(Frechet(), np.eye(3), np.eye(3)[:2]).known
    False
    """
    size = {"real": len(real), "fake": len(fake), None: 0}[metric.share_of]
    try:
        (found,) = jackknifed(metric, real, fake, share_of=[size])
    except GiqaError:
        found = Jackknife(float(metric(real, fake)), n=len(fake))
    return found


def _kept(n: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Which of n pictures are kept, (n,) each, when one of at least 10 equal groups is left out, or one picture."""
    each = max(1, n // GROUPS)
    group = rng.permutation(n) // each
    return [group != g for g in range(n // each)]


def against(metric: Callable[[np.ndarray, np.ndarray], Any], real: np.ndarray) -> Callable[[np.ndarray], Any]:
    """A metric of these reals alone, see `Metric.against`; any callable will do.

    Parameters
    ----------
    metric : callable
        Takes (real, fake).
    real : ndarray of shape (n, d)
        Features of reals.

    Returns
    -------
    callable
        Of fakes.
    """
    return metric.against(real) if isinstance(metric, Metric) else partial(checked("metric", metric), real)


def among(
    metric: Callable[[np.ndarray, np.ndarray], Any], real: np.ndarray, fake: np.ndarray
) -> Callable[[np.ndarray], Any]:
    """A metric of these reals and some of these fakes, see `Metric.among`; any callable will do.

    Parameters
    ----------
    metric : callable
        Takes (real, fake).
    real : ndarray of shape (n, d)
        Features of reals.
    fake : ndarray of shape (m, d)
        Features of fakes.

    Returns
    -------
    callable
        Of rows of the fakes.
    """
    return metric.among(real, fake) if isinstance(metric, Metric) else lambda rows: metric(real, fake[rows])


def at_number(
    metric: Callable[[np.ndarray, np.ndarray], Any],
    real: np.ndarray,
    fake: np.ndarray,
    n: int,
    *,
    seed: int = 0,
    share_of: Sequence[int] = (),
) -> list[Jackknife]:
    """`jackknifed` as a set of n fakes would have it, from more: the mean over 5 seeded draws of n.

    Parameters
    ----------
    metric : callable
        Takes (real, fake) and returns a number, or several.
    real : ndarray of shape (k, d)
        Features of reals; of more than 4000 a seeded 4000 are taken.
    fake : ndarray of shape (m, d)
        Features of fakes, at least n.
    n : int
        The number of fakes.
    seed : int, default 0
        Decides on draws and groups.
    share_of : sequence of int, default ()
        For each number of the metric, see `Jackknife`.

    Returns
    -------
    list of Jackknife
        One for each number that `metric` returns; their `n` counts pictures of all draws.

    Notes
    -----
    Draws overlap as little as they can: each begins where the one before ended. The deviations of one draw are divided
    by the root of the number of draws that have no picture in common.

    Examples
    --------
    >>> fake = np.random.default_rng(0).normal(size=(100, 1))
    >>> (largest,) = at_number(lambda r, f: f.max(), fake, fake, 20)
    >>> bool(largest.value < fake.max()), largest.n
    (True, 100)
    """
    if len(real) > MOST:
        real = real[np.random.default_rng([seed, 0]).permutation(len(real))[:MOST]]
    order = np.random.default_rng([seed, 2]).permutation(len(fake))
    draws = [fake[np.sort(np.roll(order, -i * n)[:n])] for i in range(DRAWS if n < len(fake) else 1)]
    first = jackknifed(metric, real, draws[0], seed=seed, share_of=share_of)
    known = against(metric, real)
    values = [[e.value for e in first], *(np.atleast_1d(known(draw)).tolist() for draw in draws[1:])]
    apart = min(len(draws), len(fake) / n)
    return [
        Jackknife(float(v), e.real, e.fake / math.sqrt(apart), e.share_of, round(n * apart))
        for v, e in zip(np.mean(values, axis=0), first, strict=True)
    ]


def _parts(*deviations: np.ndarray) -> list[tuple[float, int]]:
    """Jackknife variance and degrees of freedom of each source of variation that there is."""
    return [(float(jackknife_variance(d)), len(d) - 1) for d in deviations if len(d) > 1]
