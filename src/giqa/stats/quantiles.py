"""Quantiles that intervals are made of: the normal, Student's t, and the beta distribution."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

from ..errors import BadSpec
from ..registry import is_number

SERIES = 200.0  # degrees of freedom from which the series for Student's quantile is right to 1e-9


def check_level(level: float) -> None:
    """Raise `BadSpec` where a level of confidence is no share above 0 and below 1."""
    if not is_number(level) or not 0 < level < 1:
        raise BadSpec(f"A level is a share above 0 and below 1, such as 0.95; got {level!r:.80}.")


def normal(level: float = 0.95) -> float:
    """The z with P(|Z| <= z) = level for a standard normal Z.

    Parameters
    ----------
    level : float, default 0.95
        Probability, 0 to 1.

    Returns
    -------
    float
        1.96 for 0.95.

    Examples
    --------
    >>> round(normal(), 3), round(normal(0.99), 3)
    (1.96, 2.576)
    """
    check_level(level)
    return NormalDist().inv_cdf((1 + level) / 2)


NORMAL = normal()  # 1.96


@lru_cache(maxsize=4096)
def student(freedom: float, level: float = 0.95) -> float:
    """The t with P(|T| <= t) = level for Student's T.

    Parameters
    ----------
    freedom : float
        Degrees of freedom, above 0; need not be whole.
    level : float, default 0.95
        Probability, 0 to 1.

    Returns
    -------
    float
        Half the width of a two-sided interval, in standard errors.

    Notes
    -----
    P(|T| > t) = I_x(v / 2, 1 / 2) with x = v / (v + t²) is solved by Newton's method. It starts from the expansion of
    Cornish and Fisher, which from 200 degrees of freedom on is right to 1e-9 and is taken as it is.

    References
    ----------
    Cornish, Fisher, "Moments and Cumulants in the Specification of Distributions", 1938.

    Examples
    --------
    >>> [round(student(v), 3) for v in (1, 2, 9, 1e9)]
    [12.706, 4.303, 2.262, 1.96]
    """
    z, v = normal(level), float(freedom)
    t = (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    )
    if v >= SERIES:
        return t
    front = math.lgamma((v + 1) / 2) - math.lgamma(v / 2) - math.log(v * math.pi) / 2
    for _ in range(200):  # the tail is convex: from below the steps are too short, and never go past it
        density = math.exp(front - (v + 1) / 2 * math.log1p(t * t / v))
        step = (incomplete_beta(v / 2, 0.5, v / (v + t * t)) - (1 - level)) / (2 * density)
        t = max(t + step, t / 2)
        if abs(step) < 1e-12 * t:
            break
    return t


def beta_interval(a: float, b: float, level: float = 0.95) -> tuple[float, float]:
    """The interval of Beta(a, b) with equal tails.

    Parameters
    ----------
    a, b : float
        Parameters of the distribution, above 0; for a share, successes + prior and failures + prior.
    level : float, default 0.95
        Probability inside.

    Returns
    -------
    low, high : float
        Both ends, 0 to 1.

    Examples
    --------
    >>> [round(end, 3) for end in beta_interval(1, 1)]
    [0.025, 0.975]
    """
    tail = (1 - level) / 2
    return _inverse_beta(tail, a, b), 1 - _inverse_beta(tail, b, a)


@lru_cache(maxsize=65536)
def _inverse_beta(share: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = share, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if incomplete_beta(a, b, middle) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def incomplete_beta(a: float, b: float, x: float = 0.5) -> float:
    """The regularised incomplete beta function I_x(a, b).

    Parameters
    ----------
    a, b : float
        Parameters, above 0.
    x : float, default 0.5
        Where it is taken; 0 below 0, 1 above 1.

    Returns
    -------
    float
        P(X <= x) for X of Beta(a, b).

    Notes
    -----
    By its continued fraction, evaluated as Lentz does it, with the modification for numbers near 0.

    Examples
    --------
    >>> round(incomplete_beta(2, 3), 6)  # 11 / 16
    0.6875
    """
    if not 0 < x < 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )  # fmt: skip
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    result = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        before = result
        for step in (even, odd):
            d, c = 1 / (1 + step * d), 1 + step / c
            result *= c * d
        if abs(result - before) < 1e-14 * abs(result):
            break
    return front * result / a
