"""Figures with their 95 % intervals: means of few, shares, differences, correlations; resampled ones in `bootstrap`.

No interval here has width 0 because what was seen did not vary: five people without an error are no proof that nobody
errs. Where nothing can be said, both ends are NaN.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .quantiles import normal, student

LEVEL = 0.95
ROOM = 0.96  # level of Student's t in `mean_share`: evaluators are not normally distributed, and 95 % shall hold anyway


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval and the number of things it was computed from.

    Parameters
    ----------
    value : float
        The estimate; NaN where it cannot be computed.
    low, high : float
        Both ends of the interval; NaN where there is none.
    n : int
        Number of evaluators, pictures or votes.

    Examples
    --------
    >>> print(Estimate(0.2, 0.1, 0.35, 12))
    0.200 [0.100, 0.350]
    >>> print(Estimate(0.2, float("nan"), float("nan"), 1))
    0.200 (no interval)
    """

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return format(self, ".3f")

    def __format__(self, spec: str) -> str:
        """With so many digits, as in f"{estimate:.0f}"."""
        one, low, high = (format(number, spec or ".3f") for number in (self.value, self.low, self.high))
        if self.value != self.value:
            return "–"
        return f"{one} [{low}, {high}]" if self.low == self.low else f"{one} (no interval)"

    def plain(self) -> dict[str, float | int | None]:
        """The estimate as JSON can hold it: numbers rounded to 6 digits, None instead of NaN."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {k: None if v != v else round(v, 6) for k, v in numbers.items()} | {"n": self.n}


UNKNOWN = Estimate(float("nan"), float("nan"), float("nan"), 0)


def plain(value: Any) -> Any:
    """Tables of figures as JSON can hold them: estimates as value, low, high and n; NaN as None.

    Parameters
    ----------
    value : object
        An `Estimate`, a dataclass, a mapping, a sequence, an array or a plain value, nested as deep as needed.

    Returns
    -------
    object
        Dicts, lists, numbers, strings and None.

    Examples
    --------
    >>> plain({"error": Estimate(0.2, 0.1, 0.35, 12), "sd": float("nan")})
    {'error': {'value': 0.2, 'low': 0.1, 'high': 0.35, 'n': 12}, 'sd': None}
    """
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
    """The first estimate, with an interval that also holds that of the other.

    Parameters
    ----------
    found : Estimate
        Its value and n are kept.
    other : Estimate
        Only its ends count; NaN ends change nothing.

    Returns
    -------
    Estimate
        With the lower of both low ends and the higher of both high ends.

    Examples
    --------
    >>> print(hull(Estimate(0.5, 0.4, 0.6, 9), Estimate(0.5, 0.45, 0.7, 9)))
    0.500 [0.400, 0.700]
    """
    return dataclasses.replace(
        found, low=float(np.fmin(found.low, other.low)), high=float(np.fmax(found.high, other.high))
    )


def student_mean(
    values: np.ndarray, noise: float = 0.0, low: float = -math.inf, high: float = math.inf, level: float = LEVEL
) -> Estimate:
    """The mean of k independent values and mean -+ t sqrt(variance / k), Student's t with k - 1 degrees of freedom.

    Parameters
    ----------
    values : ndarray of shape (k,)
        Independent values, such as one for each evaluator; NaN are left out.
    noise : float, default 0
        Variance that each value would have if all were equal but for chance; the variance is never taken to be less.
    low, high : float, default -inf and inf
        Ends of the scale; the interval is cut off there.
    level : float, default 0.95
        Probability that the interval holds the mean.

    Returns
    -------
    Estimate
        Without interval for fewer than two values, and where they do not vary and `noise` is 0.

    References
    ----------
    Student, "The Probable Error of a Mean", 1908.

    Examples
    --------
    >>> print(student_mean(np.array([1.0, 2.0, 3.0])))
    2.000 [-0.484, 4.484]
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

    Parameters
    ----------
    shares : ndarray of shape (k,)
        The share of each evaluator, 0 to 1; NaN are left out.
    answers : ndarray of shape (k,)
        Number of answers that each share is computed from.

    Returns
    -------
    Estimate
        Without interval for fewer than two evaluators.

    Notes
    -----
    The interval is the hull of two with the same variance: that between evaluators, and never less than chance alone
    gives, p (1 - p) / answers, where p is the share of all answers with half an error and half a right answer added.

    - Student's: mean -+ t sqrt(variance / k).
    - Wilson's, with t for 1.96 and the variance for p (1 - p) / n, which is right near 0 and 1: all m with
      (mean - m)² <= t² D m (1 - m) / k, where D is the variance over p (1 - p).

    t is that of 96 %: evaluators are not normally distributed, and 95 % shall hold all the same.

    Examples
    --------
    >>> print(mean_share(np.array([0.2, 0.3, 0.4]), np.array([100.0, 100.0, 100.0])))
    0.300 [0.020, 0.599]
    >>> print(mean_share(np.zeros(5), np.full(5, 100.0)))  # nobody erred, which is no proof that nobody errs
    0.000 [0.000, 0.018]
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
    # the effective number of answers is that of the variance
    squared = student(k - 1, ROOM) ** 2 * max(float(shares.var(ddof=1)), noise) / (k * p * (1 - p))
    return hull(found, Estimate(mean, *_wilson_ends(mean, squared), k))


def mean_gap(one: np.ndarray, other: np.ndarray, answers: np.ndarray, other_answers: np.ndarray) -> Estimate:
    """The mean over evaluators of the difference of two shares of the same evaluator, by Student's t.

    Parameters
    ----------
    one, other : ndarray of shape (k,)
        Both shares of each evaluator, 0 to 1.
    answers, other_answers : ndarray of shape (k,)
        Number of answers that each share is computed from.

    Returns
    -------
    Estimate
        Of `one` - `other`, -1 to 1.

    Notes
    -----
    As in `mean_share`, the variance is never taken to be less than chance alone gives both shares, so that the same
    difference in everyone is no certainty, and t is that of 96 %.

    Examples
    --------
    >>> print(mean_gap(np.array([0.4, 0.5]), np.array([0.3, 0.4]), *np.full((2, 2), 100.0)))
    0.100 [-0.675, 0.875]
    >>> print(mean_gap(np.linspace(0.3, 0.5, 20), np.linspace(0.1, 0.3, 20), *np.full((2, 20), 100.0)))
    0.200 [0.169, 0.231]
    """
    noise = _chance(one, answers)[1] + _chance(other, other_answers)[1]
    return student_mean(one - other, noise, -1.0, 1.0, ROOM)


def _chance(shares: np.ndarray, answers: np.ndarray) -> tuple[float, float]:
    """The share of all answers together, half an error and half a right answer added, and the variance of a share
    between evaluators who are all alike."""
    p = (float(answers @ shares) + 0.5) / (float(answers.sum()) + 1)
    return p, p * (1 - p) * float(np.mean(1 / answers))


def difference(one: Estimate, other: Estimate) -> Estimate:
    """one - other of two independent estimates, its interval computed from theirs.

    Parameters
    ----------
    one, other : Estimate
        Independent estimates.

    Returns
    -------
    Estimate
        n is the sum of both.

    Notes
    -----
    Low end: d - sqrt((one - its low)² + (other's high - other)²); high end the other way round.

    References
    ----------
    Newcombe, "Interval estimation for the difference between independent proportions", 1998. Zou, Donner, "Construction
    of confidence limits about effect measures", 2008.

    Examples
    --------
    >>> print(difference(Estimate(0.6, 0.5, 0.7, 10), Estimate(0.2, 0.1, 0.4, 10)))
    0.400 [0.176, 0.541]
    """
    gap = one.value - other.value
    down = math.hypot(one.value - one.low, other.high - other.value)
    up = math.hypot(one.high - one.value, other.value - other.low)
    return Estimate(gap, gap - down, gap + up, one.n + other.n)


def wilson(hits: float, n: float, level: float = LEVEL) -> Estimate:
    """A share with Wilson's interval: all p with |share - p| <= z sqrt(p (1 - p) / n).

    Parameters
    ----------
    hits : float
        Number of successes; half a hit for a tie.
    n : float
        Number of trials.
    level : float, default 0.95
        Probability that the interval holds the share.

    Returns
    -------
    Estimate
        `UNKNOWN` (NaN) for n = 0.

    References
    ----------
    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927.

    Examples
    --------
    >>> print(wilson(8, 10))
    0.800 [0.490, 0.943]
    """
    if n <= 0:
        return UNKNOWN
    return Estimate(float(hits / n), *_wilson_ends(hits / n, normal(level) ** 2 / n), int(n))


def _wilson_ends(p: float, squared: float) -> tuple[float, float]:
    """Both m with (p - m)^2 = squared m (1 - m); `squared` is z^2 / n of Wilson's equation."""
    centre = (p + squared / 2) / (1 + squared)
    half = math.sqrt(squared * max(0.0, p * (1 - p)) + squared**2 / 4) / (1 + squared)
    # rounding must not put a share of 0 or 1 outside
    return float(max(0.0, min(p, centre - half))), float(min(1.0, max(p, centre + half)))


def never(n: int, level: float = LEVEL) -> float:
    """How often something may happen that never did in n trials: 1 - ((1 - level) / 2)^(1 / n).

    Parameters
    ----------
    n : int
        Number of trials, from 1.
    level : float, default 0.95
        Two-sided level.

    Returns
    -------
    float
        Upper end of the interval of the share.

    References
    ----------
    Clopper, Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial", 1934.

    Examples
    --------
    >>> round(never(10), 3)
    0.308
    """
    return 1 - ((1 - level) / 2) ** (1 / n)


def fisher(rho: float, n: int, level: float = LEVEL) -> Estimate:
    """Spearman's correlation with its interval by Fisher's z, of variance 1.06 / (n - 3).

    Parameters
    ----------
    rho : float
        The correlation, -1 to 1.
    n : int
        Number of pairs.
    level : float, default 0.95
        Probability that the interval holds the correlation.

    Returns
    -------
    Estimate
        Without interval for fewer than 5 pairs. A correlation of 1 is taken as if two neighbours were
        swapped: ten in the same order are no proof of one order.

    References
    ----------
    Fieller, Hartley, Pearson, "Tests for rank correlation coefficients", 1957.

    Examples
    --------
    >>> print(fisher(0.5, 30))
    0.500 [0.160, 0.734]
    >>> print(fisher(1.0, 10))
    1.000 [0.945, 1.000]
    """
    if n < 5 or rho != rho:
        return Estimate(rho, float("nan"), float("nan"), n)
    most = 1 - 12 / (n**3 - n)  # of two orders that are not the same
    z = math.atanh(max(-most, min(most, rho)))
    half = normal(level) * math.sqrt(1.06 / (n - 3))
    return Estimate(rho, min(rho, math.tanh(z - half)), max(rho, math.tanh(z + half)), n)
