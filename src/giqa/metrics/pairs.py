"""Squared distances of pairs: products say which pairs matter, differences in float64 say how far apart those are.

|a|^2 + |b|^2 - 2 ab is fast, and wrong where two pictures are much nearer to each other than to the middle: frames of
one film, copies. So a tile of products is used for nothing but lower bounds, which hold however it was rounded; what
they leave open is computed from the differences. Where float32 leaves too much open, the tile is computed in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ..errors import BadShape
from .blocks import blocks, centred, squares

TIE = 1e-12  # of a squared distance, both ways: what rounding of float64 may do to 10,000 summands
OPEN = 32  # one pair in so many may be left open by float32
AT_ONCE = 2**17  # numbers of float64 differences, 1 MB
HUGE = 1e36  # of a squared length: no float32 product of two such rows overflows
LARGEST = 1e300  # of a squared length: no distance in float64 overflows

Result = TypeVar("Result")


class Points:
    """Rows about a middle that all sets compared share; `squares` (n,) are their squared lengths.

    Parameters
    ----------
    matrix : ndarray of shape (n, d)
        Features.
    middle : float64 ndarray of shape (d,)
        From `middle_of`.

    Raises
    ------
    BadShape
        Where a squared length is beyond 1e300.
    """

    def __init__(self, matrix: np.ndarray, middle: np.ndarray):
        self.matrix, self.middle, self.squares = matrix, middle, np.empty(len(matrix))
        for rows in blocks(len(matrix)):
            with np.errstate(over="ignore"):
                self.squares[rows] = squares(self.block(rows, np.float64))
        if self.squares.max(initial=0) > LARGEST:
            raise BadShape(
                f"Row {int(self.squares.argmax())} of the features is so far from the others that distances are no "
                "longer numbers. Leave that picture out, or look at how its features were made."
            )

    def __len__(self) -> int:
        return len(self.matrix)

    def block(self, rows: Any, dtype: type) -> np.ndarray:
        """Some rows without the middle.

        Parameters
        ----------
        rows : slice or int ndarray
            Which rows.
        dtype : type
            float32 or float64.
        """
        return centred(self.matrix, rows, self.middle, dtype)


class Tile:
    """All pairs of some rows of two sets: `low` (p, q) is never above half their squared distances.

    For left rows a and right rows b, |a|² / 2 - ab + |b|² / 2, computed in `dtype` of d columns, is off by less than (d
    + 16) u (|a|² + |b|²) / 2, u the unit of rounding: by (d u) |a||b| at most for the product in whatever order (Higham
    2002, section 3.1), and 9 u for centring, casting and adding.

    Parameters
    ----------
    left, right : Points
        Both sets.
    rows, columns : slice or int ndarray
        Which rows of the left and of the right one.
    dtype : type
        float32 or float64.
    """

    def __init__(self, left: Points, rows: Any, right: Points, columns: Any, dtype: type):
        self.left, self.rows, self.right, self.columns = left, _numbers(rows, left), right, _numbers(columns, right)
        self.answer_open = dtype == np.float64
        squares = left.squares[self.rows], right.squares[self.columns]
        if dtype == np.float32 and max(squares[0].max(), squares[1].max()) > HUGE:
            raise LeftOpen
        d = left.matrix.shape[1]
        unit = np.finfo(dtype).eps / 2
        share, least = (d + 16) * unit / (1 - (d + 16) * unit), 8 * d * float(np.finfo(dtype).tiny)
        self.slack = tuple(share * s + least for s in squares)  # both together: from the lower to the upper bound
        low = [((s - slack) / 2).astype(dtype) for s, slack in zip(squares, self.slack, strict=True)]
        x = left.block(rows, dtype)
        y = x if left is right and rows is columns else right.block(columns, dtype)
        self.low = x @ y.T  # of a block with itself numpy computes one half
        np.subtract(low[0][:, None], self.low, out=self.low)
        self.low += low[1]

    def below(self, limit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of all pairs that may be as near as a squared distance, row by row.

        Parameters
        ----------
        limit : ndarray of shape (p, 1) or (q,)
            Squared distances; none is returned for a limit of 0 or less: nothing is nearer.
        """
        half = np.where(limit > 0, limit / 2, -np.inf)
        return where(self.low <= half.astype(self.low.dtype))

    def upper(self, row: np.ndarray, column: np.ndarray) -> np.ndarray:
        """Upper bounds of squared distances.

        Parameters
        ----------
        row, column : int ndarray of any shape
            Which pairs of the tile.
        """
        return 2 * self.low[row, column].astype(np.float64) + 2 * (self.slack[0][row] + self.slack[1][column])

    def squared(self, row: np.ndarray, column: np.ndarray, needed: bool = False) -> np.ndarray:
        """Squared distances from the differences, float64.

        Parameters
        ----------
        row, column : int ndarray of any shape
            Which pairs of the tile.
        needed : bool, default False
            Compute them also where float32 leaves too many open; else `LeftOpen` is raised there.
        """
        if not (self.answer_open or needed) and row.size > max(1024, self.low.size // OPEN):
            raise LeftOpen
        return squared_distances_of(self.left.matrix, self.rows[row], self.right.matrix, self.columns[column])


def where(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of what is true, row by row."""
    return np.divmod(np.flatnonzero(mask), mask.shape[1])


class LeftOpen(Exception):
    """A tile of float32 does not say enough."""


def with_tile(work: Callable[[Tile], Result], left: Points, rows: Any, right: Points, columns: Any) -> Result:
    """The result of `work` on a tile of float32, or where that leaves too much open, of float64.

    Parameters
    ----------
    work : callable
        Takes a `Tile`; raises `LeftOpen` where it does not say enough.
    left : Points
        One set.
    rows : slice or int ndarray
        Which of its rows.
    right : Points
        The other set.
    columns : slice or int ndarray
        Which of its rows.
    """
    try:
        return work(Tile(left, rows, right, columns, np.float32))
    except LeftOpen:
        return work(Tile(left, rows, right, columns, np.float64))


def squared_distances_of(left: np.ndarray, row: np.ndarray, right: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances of pairs, from their differences.

    Parameters
    ----------
    left : ndarray of shape (n, d)
        One set.
    row : int ndarray of any shape
        A row of it for each pair.
    right : ndarray of shape (m, d)
        The other set.
    column : int ndarray of the same shape
        A row of it for each pair.

    Returns
    -------
    float64 ndarray of the shape of `row`
        In the squared unit of the features.

    Examples
    --------
    >>> squared_distances_of(np.array([[3.0, 4.0]]), np.array([0]), np.zeros((2, 2)), np.array([1])).tolist()
    [25.0]
    """
    found = np.empty(row.size)
    i, j = row.ravel(), column.ravel()
    for part in blocks(len(i), max(1, AT_ONCE // left.shape[1])):
        difference = left[i[part]].astype(np.float64, copy=False)
        difference -= right[j[part]]
        found[part] = squares(difference)
    return found.reshape(row.shape)


def _numbers(rows: Any, points: Points) -> np.ndarray:
    return np.arange(len(points))[rows]
