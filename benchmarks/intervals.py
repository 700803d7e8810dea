"""Figures with their 95 % intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

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

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


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
    return Figure(float(statistic(*columns)), *map(float, np.percentile(values, [2.5, 97.5])), n)


def over_splits(values: Sequence[float]) -> Figure:
    """The mean over random splits, and their percentiles."""
    return Figure(float(np.mean(values)), *map(float, np.percentile(values, [2.5, 97.5])), len(values))


def share(hits: np.ndarray, detail: bool = False) -> Figure:
    """Share of pictures, with Wilson's interval: a bootstrap of 60 hits in 60 would claim [1, 1]."""
    found = wilson(float(np.sum(hits)), len(hits))
    return Figure(found.value, found.low, found.high, len(hits), detail)
