"""The search for nearest neighbours behind precision, recall and realism: tiles of pairs, bounds, exact distances."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import BadShape
from ..registry import as_whole
from ..threads import in_order
from .blocks import as_set, blocks, middle_of
from .pairs import TIE, Points, Tile, where, with_tile

TINY = 1e-300  # a limit that only copies are within
HALF = 0.5 * (1 + 1e-6)  # of a squared distance; the rest is for the rounding of a weight
WEIGHT = 1e30  # at most, where float32 shall hold what is multiplied with it


def nearest_others(matrix: np.ndarray, k: int, middle: np.ndarray | None = None) -> np.ndarray:
    """Squared distances of each row to its k nearest other rows.

    Parameters
    ----------
    matrix : ndarray of shape (n, d)
        Finite features.
    k : int
        Number of neighbours, from 1 and below n.
    middle : ndarray of shape (d,) or None, default None
        A point amid the rows, by default their mean; it decides on the work, not on the result.

    Returns
    -------
    float64 ndarray of shape (n, k)
        Ascending, in the squared unit of the features.

    Raises
    ------
    BadSpec
        If k is no whole number from 1.
    BadShape
        If there are not more than k rows.

    Notes
    -----
    Two blocks of rows meet once. Distances are computed from differences in float64: see `giqa.metrics.pairs`.

    Examples
    --------
    >>> nearest_others(np.array([[0.0], [1.0], [3.0]]), 2).tolist()
    [[1.0, 9.0], [1.0, 4.0], [4.0, 9.0]]
    """
    matrix = as_set(matrix, "given")
    return nearest_of(Points(matrix, middle_of(matrix if middle is None else middle[None])), k)


def nearest_of(points: Points, k: int) -> np.ndarray:
    """`nearest_others` of points about a middle.

    Parameters
    ----------
    points : Points
        The set.
    k : int
        Number of neighbours, from 1 and below n.
    """
    n = len(points)
    if as_whole(k, "k") >= n:
        raise BadShape(
            f"k={k} neighbours need at least {k + 1} pictures in each set, got {n}; lower k or add pictures."
        )
    smallest = Smallest(n, k)

    def alone(tile: Tile) -> tuple[Any, ...]:
        np.fill_diagonal(tile.low, np.nan)  # nearer than nothing
        row, near = np.arange(len(tile.rows))[:, None], _lowest(tile.low, min(k, len(tile.rows) - 1))
        known = tile.squared(np.broadcast_to(row, near.shape), near, needed=True)
        tile.low[row, near] = np.nan
        other, column = tile.below(known.max(axis=1, initial=0)[:, None])
        return tile.rows, known, other, tile.squared(other, column)

    def meet(tile: Tile) -> tuple[Any, ...]:
        row, column = tile.below(smallest.bound[tile.rows, None])
        back, other = tile.below(smallest.bound[tile.columns])
        order = np.argsort(other, kind="stable")
        back, other = back[order], other[order]
        return tile.rows[row], tile.squared(row, column), tile.columns[other], tile.squared(back, other)

    within = lambda rows: with_tile(alone, points, rows, points, rows)  # noqa: E731 - one tile
    across = lambda task: with_tile(meet, points, task[0], points, task[1])  # noqa: E731 - one tile
    for rows, known, row, value in in_order(within, blocks(n)):  # bounds first: all else meets few below them
        smallest.start(rows, known)
        smallest.take(rows[row], value)
    pairs = ((rows, others) for rows in blocks(n) for others in blocks(n) if others.start >= rows.stop)
    for row, value, other, reverse in in_order(across, pairs):
        smallest.take(row, value)
        smallest.take(other, reverse)
    return np.sort(smallest.values, axis=1)


def _lowest(values: np.ndarray, k: int) -> np.ndarray:
    """Columns of the k lowest numbers of each row, the first ones of equals, (n, k) in their order; NaN is highest."""
    if not k:
        return np.empty((len(values), 0), int)
    row, column = where(values <= np.partition(values, k - 1, axis=1)[:, k - 1, None])
    place = np.arange(len(row)) - np.searchsorted(row, np.arange(len(values)))[row]
    return column[place < k].reshape(len(values), k)


def in_balls(tile: Tile, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row and column of the pairs whose right one lies in the ball of the left one, and whether inside its border.

    Parameters
    ----------
    tile : Tile
        Pairs of p rows and q columns.
    radius : ndarray of shape (p, 1)
        Squared radius of each ball.
    """
    row, column = tile.below(np.maximum(radius * (1 + TIE), TINY))
    radius = radius[row, 0]
    squared = tile.upper(row, column)
    open_ = np.flatnonzero(squared >= radius * (1 - TIE))
    squared[open_] = tile.squared(row[open_], column[open_])
    held = squared <= radius * (1 + TIE)
    return row[held], column[held], (squared < radius * (1 - TIE))[held]


def reached_by(tile: Tile, radius: np.ndarray) -> np.ndarray:
    """Rows of the left ones that lie in the ball of a right one.

    Parameters
    ----------
    tile : Tile
        Pairs of p rows and q columns.
    radius : ndarray of shape (q,)
        Squared radius of each ball.
    """
    row, column = tile.below(np.maximum(radius * (1 + TIE), TINY))
    reached = np.zeros(len(tile.rows), bool)
    reached[row[tile.upper(row, column) <= radius[column]]] = True
    open_ = ~reached[row]
    row, column = row[open_], column[open_]
    reached[row[tile.squared(row, column) <= radius[column] * (1 + TIE)]] = True
    return np.flatnonzero(reached)


class Smallest:
    """The k smallest values of each row that came along, and `bound` (n,), the largest of them.

    `values` (n, k) has no order. Work that reads a bound while another result is taken may see it too high, which lets
    more through than needed and changes nothing.
    """

    def __init__(self, n: int, k: int):
        self.values, self.bound = np.full((n, k), np.inf), np.full(n, np.inf)

    def start(self, rows: np.ndarray, values: np.ndarray) -> None:
        """First values of rows that had none."""
        self.values[rows, : values.shape[1]] = values
        self.bound[rows] = self.values[rows].max(axis=1)

    def take(self, row: np.ndarray, value: np.ndarray) -> None:
        """Values for some of the rows, those of one row next to each other."""
        if not len(row):
            return
        found, first, count = np.unique(row, return_index=True, return_counts=True)
        new = np.full((len(found), count.max()), np.inf)
        which = np.repeat(np.arange(len(found)), count)
        new[which, np.arange(len(row)) - first[which]] = value
        k = self.values.shape[1]
        self.values[found] = np.partition(np.concatenate([self.values[found], new], axis=1), k - 1, axis=1)[:, :k]
        self.bound[found] = self.values[found].max(axis=1)


class Least:
    """For each right row, over tiles that come one after the other: the left row with the least squared distance.

    Or, with weights, with the least squared distance times the weight of the left row. `value` (m,) float64, `row`
    (m,): the first of equal ones.
    """

    def __init__(self, columns: int):
        self.value, self.row = np.full(columns, np.inf), np.zeros(columns, int)

    def lower(self, tile: Tile, among: Any = None, weight: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
        """Columns where a tile goes below what is known, how far, and in which row: soon only a few.

        Parameters
        ----------
        tile : Tile
            Pairs of left and right rows.
        among : int ndarray of shape (r,) or None, default None
            Rows of the tile that count; None: all.
        weight : ndarray of shape (r,) or None, default None
            Their weights.
        """
        known = self.value[tile.columns]
        if among is None:
            among, weight, low = np.arange(len(tile.rows)), np.ones(len(tile.rows)), tile.low
        else:
            low = tile.low[among] * np.minimum(weight[:, None], WEIGHT).astype(tile.low.dtype)
        if not len(among):
            return np.empty(0, int), np.empty(0), np.empty(0, int)
        least = low.min(axis=0)
        better = (least <= known * HALF) & (known > 0)
        row, column = where(low <= np.where(better, least, -np.inf).astype(low.dtype))
        limit = known.copy()
        np.minimum.at(limit, column, tile.upper(among[row], column) * weight[row])
        row, column = where(low <= np.where(better, limit * HALF, -np.inf).astype(low.dtype))
        value = tile.squared(among[row], column) * weight[row]
        order = np.lexsort((row, value, column))
        column, first = np.unique(column[order], return_index=True)
        chosen = order[first]
        return tile.columns[column], value[chosen], tile.rows[among[row[chosen]]]

    def take(self, lower: tuple[np.ndarray, ...]) -> None:
        """Keep what `lower` found where it is still below."""
        column, value, row = lower
        still = value < self.value[column]
        self.value[column[still]] = value[still]
        self.row[column[still]] = row[still]

    def realism(self) -> np.ndarray:
        """Radius over distance of the ball that holds a picture best, where weights are 1 / squared radius."""
        return 1 / np.sqrt(np.maximum(self.value, 1e-60))
