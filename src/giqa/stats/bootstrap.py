"""Intervals by resampling: evaluators, pictures, or both at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import BadShape
from .intervals import LEVEL, UNKNOWN, Estimate, hull, wilson
from .quantiles import normal, student

RESAMPLES = 10_000
TAILS = (2.5, 97.5)


def draws(n: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of n things is drawn in n draws with replacement.

    Parameters
    ----------
    n : int
        Number of things.
    resamples : int
        Number of samples.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    float32 ndarray of shape (resamples, n)
        Counts; each row sums to n.

    Examples
    --------
    >>> counts = draws(5, 3, np.random.default_rng(0))
    >>> counts.shape, counts.sum(axis=1).tolist()
    ((3, 5), [5.0, 5.0, 5.0])
    """
    return rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float32)


def mean_over(values: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> Estimate:
    """The mean over evaluators and the 95 % percentile bootstrap that resamples them, as in the HYPE paper.

    Parameters
    ----------
    values : ndarray of shape (k,)
        A value for each evaluator; NaN are left out.
    resamples : int, default 10,000
        Number of samples.
    seed : int, default 0
        Seed of the draws.

    Returns
    -------
    Estimate
        Without interval for fewer than two values.

    Notes
    -----
    Too narrow for few evaluators: with 3, 5, 10 it holds the truth in about 0.74, 0.84, 0.90 of studies, and where all
    values are equal it has no width. `mean_share` and `student_mean` do not have these faults.

    References
    ----------
    Zhou et al., "HYPE: A Benchmark for Human eYe Perceptual Evaluation of Generative Models", 2019.

    Examples
    --------
    >>> print(mean_over(np.array([0.2, 0.2, 0.2])))
    0.200 [0.200, 0.200]
    """
    values = np.asarray(values, float)
    values = values[~np.isnan(values)]
    if len(values) < 2:
        return Estimate(float(values[0]), float("nan"), float("nan"), 1) if len(values) else UNKNOWN
    low, high = np.percentile(resampled_means(values, resamples, seed), TAILS)
    return Estimate(float(values.mean()), float(low), float(high), len(values))


def resampled_means(values: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Means of samples with replacement, computed as products of counts and values.

    Parameters
    ----------
    values : ndarray of shape (k,)
        Finite values.
    resamples : int
        Number of samples.
    seed : int
        Seed of the draws.

    Returns
    -------
    float64 ndarray of shape (resamples,)
        A mean for each sample.

    Examples
    --------
    >>> means = resampled_means(np.array([0.0, 1.0]), 1000, seed=0)
    >>> means.shape, sorted(set(means.tolist()))
    ((1000,), [0.0, 0.5, 1.0])
    """
    rng, out = np.random.default_rng(seed), np.empty(resamples)
    block = max(1, 4_000_000 // len(values))  # 16 MB of draws at a time
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        out[start : start + size] = draws(len(values), size, rng).astype(float) @ values / len(values)
    return out


@dataclass(frozen=True)
class Range:
    """Where a value can lie.

    Parameters
    ----------
    low, high : float, default -inf and inf
        Ends of the scale; an interval is cut off there.
    share_of : int, default 0
        Number of pictures that the value is a share of; 0: it is no share.

    Examples
    --------
    >>> from_draws(0.9, np.linspace(0.5, 1.5, 101), 1000, 1000, Range(high=1.0)).high
    1.0
    """

    low: float = -math.inf
    high: float = math.inf
    share_of: int = 0


ANYWHERE = Range()


def from_draws(
    value: float,
    drawn: np.ndarray,
    units: int,
    n: int,
    within: Range = ANYWHERE,
    level: float = LEVEL,
) -> Estimate:
    """A value with the interval that its resampled values give: percentiles, widened for few units.

    Parameters
    ----------
    value : float
        The value of all the data. The interval always holds it, also where all resamples of a
        biased value lie beyond it.
    drawn : ndarray of shape (resamples,)
        The value of each sample; NaN are left out.
    units : int
        Number of units that were resampled; of raters and pictures, the smaller number.
    n : int
        What `Estimate.n` shall say.
    within : Range, default without ends
        Where the value can lie. Where resamples do not vary, a share has Wilson's interval, anything else none.
    level : float, default 0.95
        Probability that the interval holds the value.

    Returns
    -------
    Estimate
        Without interval for fewer than two units.

    Notes
    -----
    Percentiles of few units are too near the value, by sqrt((units - 1) / units) and for want of Student's t: their
    distance to it is multiplied by `widening`, which is 1 for many units.

    Examples
    --------
    >>> drawn = np.random.default_rng(0).normal(size=100_000)
    >>> [f"{from_draws(0.0, drawn, units, units):.1f}" for units in (1000, 5)]
    ['0.0 [-2.0, 2.0]', '0.0 [-3.1, 3.1]']
    """
    kept = np.asarray(drawn, float)
    kept = kept[np.isfinite(kept)]
    nothing = Estimate(float(value), float("nan"), float("nan"), n)
    if value != value or units < 2 or not len(kept):
        return nothing
    ends = TAILS if level == LEVEL else (50 * (1 - level), 50 * (1 + level))
    below, above = np.percentile(kept, ends)
    if not above - below > 1e-12 * max(1.0, abs(value)):
        return hull(nothing, wilson(value * within.share_of, within.share_of, level)) if within.share_of else nothing
    wide = widening(units, level)
    below, above = value + wide * min(below - value, 0.0), value + wide * max(above - value, 0.0)
    return Estimate(float(value), float(max(within.low, below)), float(min(within.high, above)), n)


def widening(units: int, level: float = LEVEL) -> float:
    """t / z sqrt(units / (units - 1)): by how much percentiles of few resampled units are too near the value.

    Parameters
    ----------
    units : int
        Number of units that were resampled, from 2.
    level : float, default 0.95
        Level of the percentiles.

    Returns
    -------
    float
        Factor from 1.

    Examples
    --------
    >>> [round(widening(units), 2) for units in (3, 5, 10, 1000)]
    [2.69, 1.58, 1.22, 1.0]
    """
    return student(units - 1, level) / normal(level) * math.sqrt(units / (units - 1))


def bootstrap(
    statistic: Callable[[np.ndarray], float], *groups: np.ndarray, resamples: int = 1000, seed: int = 0
) -> Estimate:
    """A statistic of rows, and its interval over resampled clusters of rows.

    Parameters
    ----------
    statistic : callable
        Takes row numbers, int (k,), some of them repeated, and returns a float; samples where it is NaN are left out.
    *groups : int ndarray of shape (rows,)
        The cluster of each row, from 0. One: rows of one cluster are drawn together. Two: crossed, such as raters and
        pictures; a row is there as often as the product of both draws.
    resamples : int, default 1000
        Number of samples.
    seed : int, default 0
        Seed of the draws.

    Returns
    -------
    Estimate
        With the interval of `from_draws`; n is the number of rows.

    Raises
    ------
    BadShape
        If no group is given.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    >>> found = bootstrap(lambda rows: x[rows].mean(), np.array([0, 0, 1, 1, 2, 2]))
    >>> found.value, found.low < 3.5 < found.high
    (3.5, True)
    """
    if not groups:
        raise BadShape("bootstrap needs to know what is resampled: give the number of each row's picture or rater.")
    rng, rows = np.random.default_rng(seed), np.arange(len(groups[0]))
    sizes, values = [int(group.max()) + 1 for group in groups], []
    for _ in range(resamples):
        times = np.ones(len(rows), int)
        for group, units in zip(groups, sizes, strict=True):
            times *= np.bincount(rng.integers(units, size=units), minlength=units)[group]
        values.append(statistic(np.repeat(rows, times)) if times.any() else float("nan"))
    return from_draws(float(statistic(rows)), np.array(values), min(sizes), len(rows))
