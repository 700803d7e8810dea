"""Figures with their 95 % intervals: means of few, shares, differences, correlations; resampled ones in `bootstrap`.

No interval here has width 0 because what was seen did not vary: five people without an error are no proof that nobody
errs. Where nothing can be said, both ends are NaN.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from .quantiles import student

LEVEL = 0.95
ROOM = 0.96  # level of Student's quantile in `mean_share`: people are not spread normally, and 95 % shall hold anyway


@dataclass(frozen=True)
class Estimate:
    """A value, its 95 % interval, and how many evaluators, pictures or votes it is of; NaN where it cannot be said."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return format(self, ".3f")

    def __format__(self, spec: str) -> str:
        """With digits, as in f"{estimate:.0f}".

        >>> print(Estimate(0.2, float("nan"), float("nan"), 1))
        0.200 (no interval)
        """
        one, low, high = (format(number, spec or ".3f") for number in (self.value, self.low, self.high))
        if self.value != self.value:
            return "–"
        return f"{one} [{low}, {high}]" if self.low == self.low else f"{one} (no interval)"

    def plain(self) -> dict[str, float | int | None]:
        """For JSON, which has no NaN."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {k: None if v != v else round(v, 6) for k, v in numbers.items()} | {"n": self.n}


UNKNOWN = Estimate(float("nan"), float("nan"), float("nan"), 0)


def plain(value: Any) -> Any:
    """What JSON can say of tables of figures: estimates as value, low, high, n; NaN as null."""
    if isinstance(value, Estimate):
        return value.plain()
    if dataclasses.is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(item) for item in (value.tolist() if isinstance(value, np.ndarray) else value)]
    return None if isinstance(value, float) and value != value else value


def hull(found: Estimate, other: Estimate) -> Estimate:
    """`found` with an interval that holds that of `other` too.

    >>> print(hull(Estimate(.5, .4, .6, 9), Estimate(.5, .45, .7, 9)))
    0.500 [0.400, 0.700]
    """
    return dataclasses.replace(
        found, low=float(np.fmin(found.low, other.low)), high=float(np.fmax(found.high, other.high))
    )


def student_mean(
    values: np.ndarray, noise: float = 0.0, low: float = -math.inf, high: float = math.inf, level: float = LEVEL
) -> Estimate:
    """The mean of independent values and mean -+ t sqrt(variance / k), by Student's t with k - 1 degrees of freedom.

    >>> print(student_mean(np.array([1.0, 2.0, 3.0])))
    2.000 [-0.484, 4.484]

    values (k,), NaN left out. `noise`: the variance that each would have if all were alike but for chance; the variance
    is never taken to be less. `low`, `high`: ends of the scale. No interval (NaN) of fewer than two values, nor where
    they do not vary and `noise` is 0.
    """
    values = np.asarray(values, float)
    values = values[~np.isnan(values)]
    k, nothing = len(values), float("nan")
    if not k:
        return UNKNOWN
    mean = float(values.mean())
    variance = max(float(values.var(ddof=1)), noise) if k > 1 else 0.0
    if not variance > (1e-12 * max(1.0, abs(mean))) ** 2:
        return Estimate(mean, nothing, nothing, k)
    half = student(k - 1, level) * math.sqrt(variance / k)
    return Estimate(mean, max(low, mean - half), min(high, mean + half), k)


def mean_share(shares: np.ndarray, answers: np.ndarray) -> Estimate:
    """The mean over evaluators of a share of their answers, with an interval that holds for few evaluators.

    >>> print(mean_share(np.array([0.2, 0.3, 0.4]), np.array([100.0, 100.0, 100.0])))
    0.300 [0.020, 0.599]
    >>> print(mean_share(np.zeros(5), np.full(5, 100.0)))  # nobody erred, which is no proof that nobody errs
    0.000 [0.000, 0.018]

    shares (k,) between 0 and 1, NaN left out; answers (k,), how many each is a share of. The hull of two intervals with
    the same variance, that between evaluators and never less than chance alone gives, p (1 - p) / answers, where p has
    half an error and half a right answer added to all. One is Student's, mean -+ t sqrt(variance / k). The other is
    Wilson's with t for 1.96 and the variance for p (1 - p) / n, which is right near 0 and 1: all m with
    (mean - m)^2 <= t^2 D m (1 - m) / k, where D is the variance over p (1 - p). t is that of 96 %: evaluators are not
    spread normally, and 95 % shall hold all the same. No interval of fewer than two evaluators.
    """
    shares, answers = np.asarray(shares, float), np.asarray(answers, float)
    known = ~np.isnan(shares)
    shares, answers = shares[known], answers[known]
    k = len(shares)
    if k < 2:
        return student_mean(shares)
    p, noise = _chance(shares, answers)
    found = student_mean(shares, noise, 0.0, 1.0, ROOM)
    mean = found.value
    # Wilson's equation; the effective number of answers is that of the variance
    spread = student(k - 1, ROOM) ** 2 * max(float(shares.var(ddof=1)), noise) / (k * p * (1 - p))
    centre = (mean + spread / 2) / (1 + spread)
    half = math.sqrt(spread * mean * (1 - mean) + spread**2 / 4) / (1 + spread)
    # rounding must not put a share of 0 or 1 outside
    score = Estimate(mean, max(0.0, min(mean, centre - half)), min(1.0, max(mean, centre + half)), k)
    return hull(found, score)


def mean_gap(one: np.ndarray, other: np.ndarray, answers: np.ndarray, other_answers: np.ndarray) -> Estimate:
    """The mean over evaluators of the difference of two shares of the same evaluator, by Student's t.

    >>> print(mean_gap(np.array([0.4, 0.5]), np.array([0.3, 0.4]), *np.full((2, 2), 100.0)))
    0.100 [-0.675, 0.875]
    >>> print(mean_gap(np.linspace(0.3, 0.5, 20), np.linspace(0.1, 0.3, 20), *np.full((2, 20), 100.0)))
    0.200 [0.169, 0.231]

    All (k,). As in `mean_share` the variance is never taken to be less than chance alone gives both, so that the same
    difference in everyone is no certainty, and t is that of 96 %.
    """
    noise = _chance(one, answers)[1] + _chance(other, other_answers)[1]
    return student_mean(one - other, noise, -1.0, 1.0, ROOM)


def _chance(shares: np.ndarray, answers: np.ndarray) -> tuple[float, float]:
    """The share of all answers together, half an error and half a right answer added, and the variance of a share
    between evaluators who are all alike."""
    p = (float(answers @ shares) + 0.5) / (float(answers.sum()) + 1)
    return p, p * (1 - p) * float(np.mean(1 / answers))


def difference(one: Estimate, other: Estimate) -> Estimate:
    """one - other of two independent figures, from their own intervals (Newcombe 1998, Zou and Donner 2008).

    Low end: d - sqrt((one - its low)^2 + (other's high - other)^2); high end the other way round.

    >>> print(difference(Estimate(.6, .5, .7, 10), Estimate(.2, .1, .4, 10)))
    0.400 [0.176, 0.541]
    """
    gap = one.value - other.value
    down = math.hypot(one.value - one.low, other.high - other.value)
    up = math.hypot(one.high - one.value, other.value - other.low)
    return Estimate(gap, gap - down, gap + up, one.n + other.n)


def wilson(hits: float, n: float, level: float = LEVEL) -> Estimate:
    """A share with Wilson's interval (1927): all p with |share - p| <= z sqrt(p (1 - p) / n); half a hit for a tie.

    >>> str(wilson(8, 10))
    '0.800 [0.490, 0.943]'
    """
    if n <= 0:
        return UNKNOWN
    z = NormalDist().inv_cdf((1 + level) / 2)
    p = hits / n
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(max(0.0, p * (1 - p)) / n + z**2 / (4 * n * n))
    low, high = min(p, centre - half), max(p, centre + half)  # rounding must not put a share of 0 or 1 outside
    return Estimate(float(p), float(max(0.0, low)), float(min(1.0, high)), int(n))


def never(n: int, level: float = LEVEL) -> float:
    """How often something may happen that never did in n trials, 1 - ((1 - level) / 2)^(1 / n) (Clopper, Pearson 1934).

    >>> round(never(10), 3)
    0.308
    """
    return 1 - ((1 - level) / 2) ** (1 / n)


def fisher(rho: float, n: int, level: float = LEVEL) -> Estimate:
    """Spearman's correlation of n pairs with its interval by Fisher's z, variance 1.06 / (n - 3) (Fieller et al. 1957).

    >>> print(fisher(0.5, 30))
    0.500 [0.160, 0.734]
    >>> print(fisher(1.0, 10))  # as if two neighbours were swapped: ten in the same order are no proof of one order
    1.000 [0.945, 1.000]

    No interval of fewer than 5 pairs.
    """
    if n < 5 or rho != rho:
        return Estimate(rho, float("nan"), float("nan"), n)
    most = 1 - 12 / (n**3 - n)  # of two orders that are not the same
    z = math.atanh(max(-most, min(most, rho)))
    half = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(1.06 / (n - 3))
    return Estimate(rho, min(rho, math.tanh(z - half)), max(rho, math.tanh(z + half)), n)
