"""Ranks of values, their correlation, and the sigmoid: one of each."""

from __future__ import annotations

from typing import Any

import numpy as np


def sigmoid(t: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-t)), without overflow; the only place for it.

    >>> sigmoid(np.array([0., -1000.])).tolist()
    [0.5, 0.0]
    """
    e = np.exp(-np.abs(t))
    return np.where(t >= 0, 1 / (1 + e), e / (1 + e))


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, those that tie share the mean of theirs.

    >>> ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[place]


def spearman(a: Any, b: Any) -> float:
    """Rank correlation of two columns (n,), ties at their mean rank; the only place for it.

    >>> spearman([1, 2, 3, 4], [1, 3, 2, 4])
    0.8

    NaN below three rows, and where one column says nothing: all in it is equal.
    """
    if len(a) < 3:
        return float("nan")
    x, y = ranks(np.asarray(a, float)), ranks(np.asarray(b, float))
    x, y = x - x.mean(), y - y.mean()
    norm = np.sqrt((x @ x) * (y @ y))
    return round(float(x @ y / norm), 12) if norm > 0 else float("nan")  # 1 for equal ranks, however they are summed
