"""What a value means among reference values: robust z and conformal percentile."""

from __future__ import annotations

from typing import Any

import numpy as np

MAD_TO_SIGMA = 1.4826  # a Gaussian's standard deviation over its median absolute deviation
WORST = 0.05  # of the reals: no better than these is what is counted next to a mean


def robust_sd(values: np.ndarray, axis: int | None = None) -> np.ndarray:
    """1.4826 median(|x - median(x)|): the standard deviation of a Gaussian, and hardly moved by outliers.

    Parameters
    ----------
    values : ndarray of any shape
        Values; infinite ones are allowed while they are fewer than half.
    axis : int or None, default None
        Axis along which it is taken; None: over all.

    Returns
    -------
    float or ndarray
        Robust standard deviation ("sd"), in the unit of the values; 0 where more than half of them are equal.

    Examples
    --------
    >>> float(robust_sd(np.array([1.0, 2.0, 3.0, 4.0, 500.0])))
    1.4826
    """
    with np.errstate(invalid="ignore"):
        return MAD_TO_SIGMA * np.median(np.abs(values - np.median(values, axis=axis, keepdims=True)), axis=axis)


def robust_z(values: Any, reference: np.ndarray) -> np.ndarray:
    """(value - median of the reference) / its robust standard deviation.

    Parameters
    ----------
    values : array-like of any shape
        Values, such as scores of generated pictures.
    reference : ndarray of shape (n,)
        Values that fix the scale, such as scores of held-out reals.

    Returns
    -------
    ndarray of the shape of `values`
        0: like a typical reference, -3: three robust standard deviations below it. NaN where more than half of the
        reference are equal.

    Examples
    --------
    >>> robust_z([3.0, 3.0 - 1.4826], np.array([1.0, 2.0, 3.0, 4.0, 5.0])).round(6).tolist()
    [0.0, -1.0]
    """
    sd = robust_sd(reference)
    return (np.asarray(values) - np.median(reference)) / (sd if sd > 0 else np.nan)


def conformal_percentile(values: Any, reference: np.ndarray) -> np.ndarray:
    """(1 + number of reference values at or below the value) / (n + 1).

    Parameters
    ----------
    values : array-like of any shape
        Values, such as scores of generated pictures.
    reference : ndarray of shape (n,)
        Values of the same kind that are known to be good, such as scores of held-out reals; in any order.

    Returns
    -------
    ndarray of the shape of `values`
        Above 0, at most 1. A fresh reference value comes out at or below p with probability at most p. NaN stays NaN.

    References
    ----------
    Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random World", 2005.

    Examples
    --------
    >>> conformal_percentile([0.0, 3.0, 9.0], np.array([1.0, 2.0, 3.0, 4.0, 5.0])).round(4).tolist()
    [0.1667, 0.6667, 1.0]
    """
    at_or_below = np.searchsorted(np.sort(reference), values, side="right")
    return np.where(np.isnan(values), np.nan, (1 + at_or_below) / (len(reference) + 1))


def mean_z(z: np.ndarray) -> float:
    """QS of pictures whose z is known, mean(z): the only place for it.

    Parameters
    ----------
    z : ndarray of shape (n,)
        Of `robust_z`.

    Returns
    -------
    float
        In robust standard deviations of held-out reals; NaN of no picture.

    References
    ----------
    Gu et al., "GIQA: Generated Image Quality Assessment", 2020, eq. 9; there of raw scores.

    Examples
    --------
    >>> mean_z(np.array([-1.0, 0.5])), mean_z(np.empty(0))
    (-0.25, nan)
    """
    return float(z.mean()) if len(z) else float("nan")


def share_of_worst(percentile: np.ndarray) -> float:
    """Share of pictures that are no better than the worst 5 % of the reals, mean(percentile <= 0.05).

    Parameters
    ----------
    percentile : ndarray of shape (n,)
        Of `conformal_percentile`.

    Returns
    -------
    float
        0 to 1; of good pictures 0.05 is expected. NaN of no picture.

    Examples
    --------
    >>> share_of_worst(np.array([0.01, 0.05, 0.5, 0.9]))
    0.5
    """
    return float(np.mean(percentile <= WORST)) if len(percentile) else float("nan")
