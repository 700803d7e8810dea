"""The nearest of many vectors, exactly, by one product and one look at the winner."""

from __future__ import annotations

import numpy as np

from ..scorers.products import steady_product
from ..threads import one_blas_thread
from .float16 import widened

ROWS = 256  # queries in one product at most
COLUMNS = 2048  # references in one product; 256 x 2048 brackets stay near the processor
TIES = 16  # queries in a product that decides near ties, at most
ROUNDING = 2.0**-24  # of a float32, relative


class Nearest:
    """Euclidean distance of queries (n, c) to the nearest of references (m, c) float16 with squares |b|² (m,).

    |a - b|² = |a|² + 2(|b|²/2 - ab), where only the bracket differs between references: it is the product of [-a, 1]
    and [b, |b|²/2]. The winner's distance is computed anew from the differences, float32 (n,).

    Parameters
    ----------
    channels : int
        c.

    Notes
    -----
    How a float32 product is rounded depends on how many queries are in it. So where the second best is so near that
    rounding could decide, float64 does: a query has the same winner, and the same bits, whatever the other queries are.
    Holds its buffers, so one object serves one thread.

    Examples
    --------
    >>> references = np.array([[0., 0.], [3., 4.]], np.float16)
    >>> Nearest(2)(np.array([[3., 3.]], np.float32), references, np.array([0., 25.])).tolist()
    [1.0]
    """

    def __init__(self, channels: int):
        self.channels = channels
        self.right = np.empty((COLUMNS, channels + 1), np.float32)
        self.whole = np.empty((COLUMNS, channels), np.int32)
        self.tile = np.empty((ROWS, COLUMNS), np.float32)
        self.left = np.empty((ROWS, channels + 1), np.float32)

    @staticmethod
    def bytes(channels: int) -> int:
        """In its buffers, and in what it makes on the way."""
        buffers = COLUMNS * (2 * channels + 1) + ROWS * (COLUMNS + 3 * (channels + 1))
        return 4 * buffers + 8 * (COLUMNS * (2 * channels + 1) + 2 * TIES * (COLUMNS + channels + 64))

    def __call__(self, queries: np.ndarray, references: np.ndarray, squares: np.ndarray) -> np.ndarray:
        found = np.full(len(queries), np.inf, np.float32)
        with one_blas_thread():
            for start in range(0, len(references), COLUMNS):
                right = self._widened(references[start : start + COLUMNS], squares[start : start + COLUMNS])
                longest = np.sqrt(squares[start : start + COLUMNS].max())
                for top in range(0, len(queries), ROWS):
                    some = queries[top : top + ROWS]
                    left = self.left[: len(some)]
                    np.negative(some, out=left[:, :-1])
                    left[:, -1] = 1
                    to_winner = self._distances(left, right, longest)
                    np.minimum(found[top : top + ROWS], to_winner, out=found[top : top + ROWS])
        return found

    def _distances(self, left: np.ndarray, right: np.ndarray, longest: float) -> np.ndarray:
        """From [-a, 1] and [b, |b|²/2] to the distance of each a to the nearest b, float32 (n,)."""
        every, tile = np.arange(len(left)), self.tile[: len(left), : len(right)]
        np.matmul(left, right.T, out=tile)
        winners = tile.argmin(axis=1)
        best = tile[every, winners]
        tile[every, winners] = np.inf
        within = best + self._doubt(left, longest)
        close = np.flatnonzero(tile.min(axis=1) <= within)
        if len(close):
            tile[close, winners[close]] = best[close]
            pairs = np.nonzero(tile[close] <= within[close, None])
            few = len(pairs[0]) <= len(right)
            winners[close] = self._compared(left[close], right, *pairs) if few else self._decided(left[close], right)
        difference = right[winners]
        difference += left
        difference = difference[:, :-1]
        return np.sqrt(np.einsum("nc,nc->n", difference, difference))

    def _compared(self, left: np.ndarray, right: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Winners among pairs, sorted by row, by their differences in float64, (n,)."""
        difference = right[columns, :-1].astype(np.float64)
        difference += left[rows, :-1]
        squares = np.einsum("nc,nc->n", difference, difference)
        order = np.lexsort((squares, rows))
        return columns[order[np.searchsorted(rows, np.arange(len(left)))]]

    def _decided(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Winners among all, by steady products in float64, (n,): for many ties, such as of white borders."""
        winners, right = np.empty(len(left), np.intp), right.astype(np.float64)
        right[:, -1] = np.einsum("nc,nc->n", right[:, :-1], right[:, :-1]) / 2
        for start in range(0, len(left), TIES):
            some = left[start : start + TIES].astype(np.float64)
            winners[start : start + TIES] = steady_product(some, right).argmin(axis=1)
        return winners

    def _doubt(self, left: np.ndarray, longest: float) -> np.ndarray:
        """How near the second best bracket must be for rounding to decide, (n,).

        In any order of summation a product of k = c + 1 terms is off by at most e = k u / (1 - k u) times the sum of
        their sizes, here at most |a| |b| + |b|²/2, and |b|² itself by e |b|². Two references: 4 e (|a| |b| + |b|²/2).
        """
        k = left.shape[1] * ROUNDING
        lengths = np.sqrt(np.einsum("nc,nc->n", left, left))  # of [-a, 1]: a little more than |a|
        return (4.04 * k / (1 - k) * longest) * (lengths + longest / 2)  # 0.04 for the rounding of lengths

    def _widened(self, references: np.ndarray, squares: np.ndarray) -> np.ndarray:
        """[b, |b|²/2] in float32."""
        right = self.right[: len(references)]
        widened(references, right[:, :-1], self.whole[: len(references)])
        np.multiply(squares, np.float32(0.5), out=right[:, -1])
        return right
