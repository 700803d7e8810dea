"""Where a picture is unlike real ones: statistics of every window of a map, against those of reals at that place."""

from __future__ import annotations

import numpy as np

FLOOR = 0.02  # added to deviations before the logarithm: below it nothing is told apart
BLOCK = 64  # pictures worked on at once
LEARN_FROM = 64  # pictures from whose windows the directions are learned


def cell_sums(values: np.ndarray, grid: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places, sum and sum of squares of each cell: (h, w, c) -> (g, g, 1), (g, g, c), (g, g, c), float64.

    >>> count, total, _ = cell_sums(np.arange(8.).reshape(2, 4, 1), 2)
    >>> count[..., 0].tolist(), total[..., 0].tolist()
    ([[2.0, 2.0], [2.0, 2.0]], [[1.0, 5.0], [9.0, 13.0]])
    """
    edges = [np.arange(grid) * side // grid for side in values.shape[:2]]
    sides = [np.diff(np.r_[edge, side]) for edge, side in zip(edges, values.shape[:2], strict=True)]

    def summed(x: np.ndarray) -> np.ndarray:
        return np.add.reduceat(np.add.reduceat(x, edges[0], axis=0), edges[1], axis=1).astype(np.float64)

    return np.multiply.outer(*sides)[..., None].astype(np.float64), summed(values), summed(values * values)


def neighbourhood(values: np.ndarray, reach: int) -> np.ndarray:
    """Sum over the cells at most `reach` away, down and across, as far as there are any: (g, g, c) -> the same."""
    for axis in (0, 1):
        total = np.cumsum(values, axis=axis)
        total = np.concatenate([np.zeros_like(np.take(total, [0], axis=axis)), total], axis=axis)
        n = values.shape[axis]
        above, below = np.minimum(np.arange(n) + reach + 1, n), np.maximum(np.arange(n) - reach, 0)
        values = np.take(total, above, axis=axis) - np.take(total, below, axis=axis)
    return values


def window_statistics(values: np.ndarray, grid: int, reach: int = 1) -> np.ndarray:
    """Mean and log(deviation + .02) of each channel in the window around each cell: (h, w, c) -> float32 (g, g, 2c)."""
    count, total, squares = (neighbourhood(part, reach) for part in cell_sums(values, grid))
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
    return np.concatenate([mean, np.log(deviation + FLOOR)], axis=2).astype(np.float32)
