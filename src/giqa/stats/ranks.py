"""Ranks of values and what is read off them: Spearman's correlation, AUROC, the Mann-Whitney test."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import BadShape
from ..types import as_numbers


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1; equal values share the mean of their ranks.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Any values that can be ordered.

    Returns
    -------
    ndarray of shape (n,)
        1 for the lowest.

    Examples
    --------
    >>> ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[place]


def spearman(a: Any, b: Any) -> float:
    """Spearman's rank correlation of two columns, ties at their mean rank; the only place for it.

    Parameters
    ----------
    a, b : array-like of shape (n,)
        Both columns, row by row.

    Returns
    -------
    float
        -1 to 1; NaN below three rows, where all values of one column are equal, and where one is NaN.

    Examples
    --------
    >>> spearman([1, 2, 3, 4], [1, 3, 2, 4])
    0.8
    """
    a, b = as_numbers(a, "Values", kinds="fiub").astype(float), as_numbers(b, "Values", kinds="fiub").astype(float)
    _check_equally_many(a, b)
    if len(a) < 3 or np.isnan(a).any() or np.isnan(b).any():
        return float("nan")
    x, y = ranks(a), ranks(b)
    x, y = x - x.mean(), y - y.mean()
    norm = np.sqrt((x @ x) * (y @ y))
    return round(float(x @ y / norm), 12) if norm > 0 else float("nan")  # 1 for equal ranks, however they are summed


def auroc(score: Any, positive: Any) -> float:
    """The probability that a positive row has a higher score than a negative one; ties count half.

    Parameters
    ----------
    score : array-like of shape (n,)
        Scores.
    positive : array-like of shape (n,)
        True (or 1) for the positive rows, such as votes that say real.

    Returns
    -------
    float
        0 to 1, 0.5 for a score that says nothing; NaN where all rows are of one kind, or a score is NaN.

    Examples
    --------
    >>> auroc([1, 2, 3, 3], [0, 1, 0, 1])  # 2.5 of 4 pairs are in order
    0.625
    """
    score = as_numbers(score, "Scores", kinds="fiub").astype(float)
    positive = as_numbers(positive, "Positives", kinds="fiub").astype(bool)
    _check_equally_many(score, positive)
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m or np.isnan(score).any():
        return float("nan")
    return float((ranks(score)[positive].sum() - n * (n + 1) / 2) / (n * m))


def _check_equally_many(one: np.ndarray, other: np.ndarray) -> None:
    if one.ndim != 1 or one.shape != other.shape:
        raise BadShape(f"Two columns of one length are compared, got {one.shape} and {other.shape}.")


def mann_whitney(group: np.ndarray, others: np.ndarray) -> tuple[float, float]:
    """Chance that one of `others` is higher than one of `group`, ties half, and its one-sided p (Mann-Whitney).

    Parameters
    ----------
    group : ndarray of shape (n,)
        Values of the group that may be lower.
    others : ndarray of shape (m,)
        Values that it is compared with.

    Returns
    -------
    chance : float
        0 to 1; 0.5 where one of them is empty.
    p : float
        Probability of a chance as high as this if both had one distribution; normal approximation with correction
        for ties and for continuity. 1 where one of them is empty.

    References
    ----------
    Mann, Whitney, "On a Test of Whether one of Two Random Variables is Stochastically Larger than the Other", 1947.

    Examples
    --------
    >>> chance, p = mann_whitney(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    >>> chance, round(p, 3)
    (0.875, 0.207)
    """
    n, m = len(group), len(others)
    if not n or not m:
        return 0.5, 1.0
    values = np.r_[group, others]
    counts = np.unique(values, return_counts=True)[1]
    better = 1 - auroc(values, np.arange(n + m) < n)
    ties = ((counts**3 - counts) / ((n + m) * (n + m - 1))).sum()
    deviation = math.sqrt(((n + m + 1) - ties) / (12 * n * m)) if len(counts) > 1 else math.inf
    above = better - 0.5 - 0.5 / (n * m)  # chances move in steps: continuity correction
    return float(better), 0.5 * math.erfc(above / deviation / math.sqrt(2))
