"""Figures with their 95 % intervals: bootstrap over evaluators, pictures or both, and Wilson's for a share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from ..errors import BadShape

RESAMPLES = 10_000
NORMAL = NormalDist().inv_cdf(0.975)
TAILS = (2.5, 97.5)


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
        """With digits, as in f"{estimate:.0f}"."""
        one, low, high = (format(number, spec or ".3f") for number in (self.value, self.low, self.high))
        return f"{one} [{low}, {high}]" if self.value == self.value else "–"

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


def draws(n: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of n things is drawn in n draws with replacement, float32 (resamples, n)."""
    return rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float32)


def mean_over(values: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> Estimate:
    """The mean over evaluators (or any units), and the 95 % percentile bootstrap that resamples them.

    NaN are left out. With fewer than two units there is no interval, and it is said by NaN.

    >>> str(mean_over(np.array([0.2, 0.2, 0.2])))
    '0.200 [0.200, 0.200]'
    """
    values = np.asarray(values, float)
    values = values[~np.isnan(values)]
    if len(values) < 2:
        return Estimate(float(values[0]) if len(values) else float("nan"), float("nan"), float("nan"), len(values))
    low, high = np.percentile(resampled_means(values, resamples, seed), TAILS)
    return Estimate(float(values.mean()), float(low), float(high), len(values))


def resampled_means(values: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """The means of `resamples` samples with replacement, float64 (resamples,), all in one product."""
    rng, out = np.random.default_rng(seed), np.empty(resamples)
    block = max(1, 4_000_000 // len(values))  # 16 MB of draws at a time
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        out[start : start + size] = draws(len(values), size, rng).astype(float) @ values / len(values)
    return out


def bootstrap(
    statistic: Callable[[np.ndarray], float], *groups: np.ndarray, resamples: int = 1000, seed: int = 0
) -> Estimate:
    """`statistic` of row numbers, and its percentiles over resampled clusters of rows.

    `groups`: none, one (rows of one cluster are drawn together) or two (crossed: raters and pictures, say; a row is
    there as often as the product of both draws); each int (rows,), from 0. Samples where it is NaN are left out.
    """
    if not groups:
        raise BadShape("bootstrap needs to know what is resampled: give the number of each row's picture or rater.")
    rng, rows = np.random.default_rng(seed), np.arange(len(groups[0]))
    values = []
    for _ in range(resamples):
        times = np.ones(len(rows), int)
        for group in groups:
            units = int(group.max()) + 1
            times *= np.bincount(rng.integers(units, size=units), minlength=units)[group]
        values.append(statistic(np.repeat(rows, times)) if times.any() else float("nan"))
    kept = np.array(values)[~np.isnan(values)]
    low, high = np.percentile(kept, TAILS) if len(kept) else (float("nan"),) * 2
    return Estimate(float(statistic(rows)), float(low), float(high), len(rows))


def wilson(hits: float, n: float) -> Estimate:
    """A share with Wilson's 95 % interval; half a hit for a tie.

    >>> str(wilson(8, 10))
    '0.800 [0.490, 0.943]'
    """
    if n <= 0:
        return UNKNOWN
    p = hits / n
    centre = (p + NORMAL**2 / (2 * n)) / (1 + NORMAL**2 / n)
    half = NORMAL / (1 + NORMAL**2 / n) * np.sqrt(p * (1 - p) / n + NORMAL**2 / (4 * n * n))
    low, high = min(p, centre - half), max(p, centre + half)  # rounding must not put a share of 0 or 1 outside
    return Estimate(float(p), float(max(0.0, low)), float(min(1.0, high)), int(n))
