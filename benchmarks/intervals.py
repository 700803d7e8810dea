"""Figures with their 95 % intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata, t

from giqa.stats import wilson

RESAMPLES = 1000


@dataclass(frozen=True)
class Figure:
    """A value, its 95 % interval, and how many pictures, pairs or splits it is of."""

    value: float
    low: float
    high: float
    n: int
    detail: bool = False  # belongs in a table of its own

    def __format__(self, form: str) -> str:
        form = form or ".3f"
        if np.isnan(self.value):
            return "–"
        ends = "" if np.isnan(self.low) else f" [{self.low:{form}}, {self.high:{form}}]"
        return f"{self.value:{form}}{ends}"

    def __str__(self) -> str:
        return format(self)


def around(values: Sequence[float], value: float, n: int) -> Figure:
    """A value and the 2.5 and 97.5 % percentiles of its resampled ones; those that are NaN do not count."""
    ends = np.nanpercentile(values, [2.5, 97.5]) if np.isfinite(values).any() else (np.nan, np.nan)
    return Figure(float(value), *map(float, ends), n)


def auc(reals: np.ndarray, fakes: np.ndarray) -> float:
    """Probability that a real scores above a fake, ties half."""
    ranks = rankdata(np.r_[reals, fakes])
    n = len(reals)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * len(fakes)))


def over_pictures(statistic: Callable[..., float], *columns: np.ndarray, paired: bool = True) -> Figure:
    """The statistic and its percentiles over resampled pictures; `paired` columns are of the same pictures."""
    rng = np.random.default_rng(0)
    values = []
    for _ in range(RESAMPLES):
        if paired:
            pick = rng.integers(len(columns[0]), size=len(columns[0]))
            values.append(statistic(*(c[pick] for c in columns)))
        else:
            values.append(statistic(*(c[rng.integers(len(c), size=len(c))] for c in columns)))
    n = len(columns[0]) if paired else sum(map(len, columns))
    return around(values, statistic(*columns), n)


def over_splits(values: Sequence[float]) -> Figure:
    """The mean over random splits, and their percentiles."""
    return around(values, np.mean(values), len(values))


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Rank correlation; NaN where either is the same for all, which orders nothing."""
    return float("nan") if min(np.ptp(a), np.ptp(b)) == 0 else float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def student(values: np.ndarray) -> Figure:
    """The mean of independent runs, and Student's interval; of one run, the value alone."""
    mean, n = float(np.mean(values)), len(values)
    half = t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n) if n > 1 else np.nan
    return Figure(mean, mean - half, mean + half, n)


def share(hits: np.ndarray, detail: bool = False) -> Figure:
    """Share of pictures, with Wilson's interval: a bootstrap of 60 hits in 60 would claim [1, 1]."""
    found = wilson(float(np.sum(hits)), len(hits))
    return Figure(found.value, found.low, found.high, len(hits), detail)
