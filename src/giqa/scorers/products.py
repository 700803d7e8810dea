"""Matrix products whose rows do not depend on their company, and the checks every scorer starts with."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import BadShape
from ..threads import one_blas_thread
from ..types import Features

# BLAS takes another path, with other rounding, for the ragged edges of a matrix, for another number of rows, and when
# its own threads share the work. So every product is cut into tiles of one size, zeros filled in where sides are
# ragged, and each tile is computed by one thread: a row has the same bits in any company, any order and with any number
# of threads (held by a property test).
ROWS, COLUMNS, INNER = 64, 256, 64  # sides of a tile are multiples of these
TILE = 2048  # columns of a tile at most
WORTH_THREADS = 2**26  # multiplications; below this one thread is faster than waking others
ROWS_AT_ONCE = 8192  # where many rows are worked on: bounds the float64 copies


def padded(matrix: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """`matrix` with zeros to the right and below, so that its sides are multiples of `rows` and `columns`."""
    below, right = -matrix.shape[0] % rows, -matrix.shape[1] % columns
    return np.pad(matrix, ((0, below), (0, right))) if below or right else matrix


def steady_product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left (n, d) times the transpose of right (m, d), row by row the same bits whatever the other rows are.

    >>> steady_product(np.array([[1., 2.]]), np.array([[3., 4.], [5., 6.], [7., 8.]]))
    array([[11., 17., 23.]])
    """
    n, m = len(left), len(right)
    left, right = padded(left, ROWS, INNER), padded(right, COLUMNS, INNER)
    result = np.empty((len(left), len(right)), left.dtype)

    def tile(corner: tuple[int, int]) -> None:
        rows, columns = slice(corner[0], corner[0] + ROWS), slice(corner[1], corner[1] + TILE)
        np.matmul(left[rows], right[columns].T, out=result[rows, columns])

    corners = [(row, column) for row in range(0, len(left), ROWS) for column in range(0, len(right), TILE)]
    in_threads(tile, corners, left.size * len(right))
    return result[:n, :m]


def in_threads(work: Callable[[Any], None], pieces: Sequence[Any], multiplications: int) -> None:
    """Every piece by one thread, BLAS's own threads at rest; in turn where there is too little to wake others for.

    The pieces may not wait for each other, nor call this again.
    """
    with one_blas_thread():
        if len(pieces) > 1 and multiplications >= WORTH_THREADS:
            list(_threads().map(work, pieces))
        else:
            for piece in pieces:
                work(piece)


@lru_cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1, "giqa-product")


if hasattr(os, "register_at_fork"):  # threads do not survive a fork
    os.register_at_fork(after_in_child=_threads.cache_clear)


def as_matrix(features: Any, width: int | None = None) -> np.ndarray:
    """`Features` or an array (n, d) as a finite float matrix; `width` is what the scorer was fitted on."""
    matrix = features.matrix() if isinstance(features, Features) else np.asarray(features)
    if matrix.ndim != 2 or matrix.dtype.kind not in "fiu":
        raise BadShape(f"Features are a numeric array (n, d), got shape {matrix.shape} of {matrix.dtype}.")
    if width is not None and matrix.shape[1] != width:
        raise BadShape(f"The scorer was fitted on {width} features a picture, got {matrix.shape[1]}.")
    matrix = matrix.astype(np.float32 if matrix.dtype == np.float32 else np.float64, copy=False)
    if not np.isfinite(matrix).all():
        row = int(np.flatnonzero(~np.isfinite(matrix).all(axis=1))[0])
        raise BadShape(f"Features must be finite; row {row} is not. Leave that picture out or look at how it was made.")
    return matrix


def standardiser(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of each column, float64 (d,); a column that never varies keeps spread 1."""
    mean = matrix.mean(axis=0, dtype=np.float64)
    squares = np.zeros(matrix.shape[1])
    for start in range(0, len(matrix), ROWS_AT_ONCE):
        squares += ((matrix[start : start + ROWS_AT_ONCE] - mean) ** 2).sum(axis=0)
    spread = np.sqrt(squares / len(matrix))
    spread[spread <= 1e-7 * np.maximum(np.abs(mean), 1e-30)] = 1.0
    return mean, spread
