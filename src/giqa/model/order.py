"""Which of two pictures is better, and how sure that is: the part of the interval of z that decides order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..scorers.scale import shared_deviation
from ..stats import NORMAL


def own_width(z: np.ndarray, z_low: np.ndarray, z_high: np.ndarray, shared: Sequence[float]) -> np.ndarray:
    """Half the 95 % interval of each z without what all pictures share: sqrt(half² - (1.96 shared)²).

    Parameters
    ----------
    z, z_low, z_high : float64 array (n,)
        As in a table of scores.
    shared : three floats
        `Scale.shared`.

    Returns
    -------
    float64 array (n,)

    Examples
    --------
    >>> z = np.array([0.0, -10.0])
    >>> own_width(z, z - 2.1, z - -2.1, (0.0, 0.0, 0.1)).round(3).tolist()
    [2.006, 2.006]
    """
    return np.sqrt(np.maximum(0, (z_high - z) ** 2 - (NORMAL * shared_deviation(z, shared)) ** 2))


def rank_interval(z: np.ndarray, width: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of the rank of each picture: its rank at either end of its own interval, the others where they are.

    Parameters
    ----------
    z, width : float64 array (n,)
        Of `own_width`; NaN has no rank.

    Returns
    -------
    low, high : int array (n,)
        From 1, the best; 0 without a z.

    Examples
    --------
    >>> low, high = rank_interval(np.array([2.0, 1.5, -9.0]), np.array([1.0, 1.0, 1.0]))
    >>> low.tolist(), high.tolist()
    ([1, 1, 3], [2, 2, 3])
    """
    known = ~np.isnan(z)
    ordered = np.sort(z[known])
    low, high = np.zeros((2, len(z)), int)
    low[known] = 1 + len(ordered) - np.searchsorted(ordered, (z + width)[known], side="right")
    high[known] = len(ordered) - np.searchsorted(ordered, (z - width)[known], side="left")
    return np.minimum(low, high), high  # the best picture's own place is below its upper end
