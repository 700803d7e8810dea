"""Quantiles that intervals are made of: the normal, Student's t, and the beta distribution."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

NORMAL = NormalDist().inv_cdf(0.975)  # 1.96
SERIES = 200.0  # degrees of freedom from which the series for Student's quantile is right to 1e-9


@lru_cache(maxsize=4096)
def student(freedom: float, level: float = 0.95) -> float:
    """The t that a two-sided interval of Student's distribution reaches to: P(|T| <= t) = level.

    >>> [round(student(v), 3) for v in (1, 2, 9, 1e9)]
    [12.706, 4.303, 2.262, 1.96]

    `freedom`: degrees of freedom above 0, whole or not. P(|T| > t) = I_x(v / 2, 1 / 2) with x = v / (v + t^2) is solved
    by Newton's method from the expansion of Cornish and Fisher, which is good enough from `SERIES` on.
    """
    z, v = NormalDist().inv_cdf((1 + level) / 2), float(freedom)
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
    """Both ends of the interval that cuts off as much of Beta(a, b) below as above.

    >>> [round(x, 3) for x in beta_interval(1, 1)]
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
    """The regularised incomplete beta function I_x(a, b), by its continued fraction (modified Lentz).

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
