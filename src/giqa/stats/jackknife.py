"""The delete-a-group jackknife: how much a value varies, from what it is without each group of the data in turn."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .quantiles import check_level, student


def jackknife_variance(deviations: np.ndarray, axis: int = -1) -> np.ndarray:
    """(G - 1) / G times the sum of squares of deviations, each of a value without one of G groups.

    Parameters
    ----------
    deviations : ndarray of shape (..., G)
        Values without each group, about their mean.
    axis : int, default -1
        The axis of the groups.

    Returns
    -------
    ndarray of shape (...)
        Variance of the value itself.

    References
    ----------
    Tukey, "Bias and confidence in not-quite large samples", 1958.

    Examples
    --------
    >>> float(jackknife_variance(np.array([-2.0, -1, 0, 1, 2])))
    8.0
    """
    groups = deviations.shape[axis]
    return (groups - 1) / groups * (deviations**2).sum(axis=axis)


def jackknife(values: np.ndarray, axis: int = -1) -> np.ndarray:
    """sqrt((G - 1) / G sum of (value - mean)²): standard deviation of a value from those without each group in turn.

    Parameters
    ----------
    values : ndarray of shape (..., G)
        The value without each of G groups, such as the scores of a picture without each fold of the reals.
    axis : int, default -1
        The axis of the groups.

    Returns
    -------
    ndarray of shape (...)
        Standard deviations, in the unit of the values.

    Examples
    --------
    >>> jackknife(np.array([[1.0, 2.0, 3.0, 4.0, 5.0]])).round(4).tolist()
    [2.8284]
    """
    return np.sqrt(jackknife_variance(values - values.mean(axis=axis, keepdims=True), axis))


def welch_interval(value: float, parts: Sequence[tuple[float, int]], level: float = 0.95) -> tuple[float, float]:
    """value -+ t sqrt(sum of variances), t with the degrees of freedom of Welch and Satterthwaite.

    Parameters
    ----------
    value : float
        The estimate.
    parts : sequence of (float, int)
        Variance and degrees of freedom of each independent source of variation.
    level : float, default 0.95
        Probability that the interval holds the truth.

    Returns
    -------
    low, high : float
        Both ends; NaN where there is no source of variation or it is not finite, `value` itself where nothing varies.

    References
    ----------
    Welch, "The generalization of Student's problem when several different population variances are involved", 1947.

    Examples
    --------
    >>> [round(end, 2) for end in welch_interval(5.0, [(1.0, 4), (1.0, 4)])]  # 8 degrees of freedom
    [1.74, 8.26]
    """
    check_level(level)
    variance = sum(part for part, _ in parts)
    if not parts or not math.isfinite(variance):
        return math.nan, math.nan
    if variance == 0:
        return value, value
    freedom = variance**2 / sum(part * part / degrees for part, degrees in parts)
    half = student(freedom, level) * math.sqrt(variance)
    return value - half, value + half
