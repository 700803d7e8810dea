"""The nearest of many vectors, exactly, by one product and one look at the winner."""

from __future__ import annotations

import numpy as np

from .products import one_blas_thread

ROWS = 64  # queries in one product, always, zeros filled in: a query has the same winner in any company
COLUMNS = 2048  # references in one product; a tile of 64 x 2048 distances stays in the cache


def nearest(queries: np.ndarray, references: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Euclidean distance of each query (n, c) to the nearest reference (m, c), float32 (n,); `squares`: |b|², (m,).

    >>> references = np.array([[0., 0.], [3., 4.]], np.float16)
    >>> nearest(np.array([[3., 3.]]), references, np.array([0., 25.])).tolist()
    [1.0]

    |a - b|² = |a|² + (|b|² - 2ab), of which only the bracket tells references apart: it is the product of [-2a, 1] and
    [b, |b|²]. The winner's distance is computed anew from the differences.
    """
    n, c = queries.shape
    left = np.zeros((-(-n // ROWS) * ROWS, c + 1), np.float32)
    np.multiply(queries, -2, out=left[:n, :c])
    left[:n, c] = 1
    best, winners = np.full(len(left), np.inf, np.float32), np.zeros(len(left), np.intp)
    tile = np.empty((ROWS, COLUMNS), np.float32)
    with one_blas_thread():
        for start in range(0, len(references), COLUMNS):
            block = references[start : start + COLUMNS]
            right = np.empty((len(block), c + 1), np.float32)
            right[:, :c] = block
            right[:, c] = squares[start : start + COLUMNS]
            for top in range(0, len(left), ROWS):
                rows = slice(top, top + ROWS)
                bracket = np.matmul(left[rows], right.T, out=tile[:, : len(block)])
                found = bracket.argmin(axis=1)
                values = bracket[np.arange(ROWS), found]
                better = values < best[rows]
                best[rows][better], winners[rows][better] = values[better], found[better] + start
    differences = queries.astype(np.float32) - references[winners[:n]].astype(np.float32)
    return np.sqrt((differences * differences).sum(axis=1))
