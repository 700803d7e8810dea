"""The nearest of many vectors, exactly, by one product and one look at the winner."""

from __future__ import annotations

import numpy as np

from ..threads import one_blas_thread

ROWS = 128  # queries in one product, always, zeros filled in: a query has the same winner in any company
COLUMNS = 2048  # references in one product; 128 x 2048 brackets stay in the cache
SIGN_AND_VALUE, MOVED = np.int32(-0x70000001), np.float32(2.0**112)


class Nearest:
    """Euclidean distance of queries (n, c) to the nearest of references (m, c) float16 with squares |b|² (m,).

    >>> references = np.array([[0., 0.], [3., 4.]], np.float16)
    >>> Nearest(2)(np.array([[3., 3.]], np.float32), references, np.array([0., 25.])).tolist()
    [1.0]

    |a - b|² = |a|² + (|b|² - 2ab), of which only the bracket tells references apart: it is the product of [-2a, 1] and
    [b, |b|²]. The winner's distance is computed anew from the differences. Holds its buffers, so one object serves one
    thread. Returns float32 (n,).
    """

    def __init__(self, channels: int):
        self.channels = channels
        self.right = np.empty((COLUMNS, channels + 1), np.float32)
        self.whole = np.empty((COLUMNS, channels), np.int32)
        self.tile = np.empty((ROWS, COLUMNS), np.float32)

    def __call__(self, queries: np.ndarray, references: np.ndarray, squares: np.ndarray) -> np.ndarray:
        n, c = queries.shape
        left = np.zeros((-(-n // ROWS) * ROWS, c + 1), np.float32)
        np.multiply(queries, np.float32(-2), out=left[:n, :c])
        left[:n, c] = 1
        best, winners = np.full(len(left), np.inf, np.float32), np.zeros(len(left), np.intp)
        every = np.arange(ROWS)
        with one_blas_thread():
            for start in range(0, len(references), COLUMNS):
                right = self._widened(references[start : start + COLUMNS], squares[start : start + COLUMNS])
                for top in range(0, len(left), ROWS):
                    bracket = np.matmul(left[top : top + ROWS], right.T, out=self.tile[:, : len(right)])
                    found = bracket.argmin(axis=1)
                    values = bracket[every, found]
                    better = values < best[top : top + ROWS]
                    best[top : top + ROWS][better] = values[better]
                    winners[top : top + ROWS][better] = found[better] + start
        differences = queries - references[winners[:n]]
        return np.sqrt(np.multiply(differences, differences, out=differences).sum(axis=1))

    def _widened(self, references: np.ndarray, squares: np.ndarray) -> np.ndarray:
        """[b, |b|²] in float32. float16 is moved bit by bit, five times as fast as numpy converts it."""
        n = len(references)
        right, whole = self.right[:n], self.whole[:n]
        whole[...] = references.view(np.int16)  # the sign fills the upper half
        np.left_shift(whole, 13, out=whole)
        np.bitwise_and(whole, SIGN_AND_VALUE, out=whole)
        np.multiply(whole.view(np.float32), MOVED, out=right[:, :-1])  # exponents of float16 begin at -15, not -127
        right[:, -1] = squares
        return right
