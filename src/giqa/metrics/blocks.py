"""Blocks of rows, so that all pairs of two sets can be looked at in bounded memory; and the check of two sets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import BadShape

ROWS = 2048  # of a block: a tile of all its pairs is 16 MB


def as_set(features: Any, name: str, least: int = 1) -> np.ndarray:
    """An array (n, d) of finite numbers with at least `least` rows; float32 stays float32."""
    matrix = np.asarray(features)
    if matrix.ndim != 2 or matrix.dtype.kind not in "fiu" or not matrix.shape[1]:
        raise BadShape(f"The {name} features are a numeric array (n, d), got shape {matrix.shape} of {matrix.dtype}.")
    if len(matrix) < least:
        raise BadShape(f"At least {least} {name} pictures are needed, got {len(matrix)}; add pictures.")
    matrix = matrix.astype(np.float32 if matrix.dtype == np.float32 else np.float64, copy=False)
    for rows in blocks(len(matrix)):
        if not np.isfinite(matrix[rows]).all():
            row = rows.start + int(np.flatnonzero(~np.isfinite(matrix[rows]).all(axis=1))[0])
            raise BadShape(f"Features must be finite; row {row} of the {name} ones is not. Leave that picture out.")
    return matrix


def as_pair(real: Any, fake: Any, least: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Both sets, checked, and of the same width."""
    real, fake = as_set(real, "real", least), as_set(fake, "fake", least)
    if real.shape[1] != fake.shape[1]:
        raise BadShape(
            f"Both sets need the same features; the reals have {real.shape[1]} columns, the fakes {fake.shape[1]}."
        )
    return real, fake


def blocks(n: int, size: int = ROWS) -> Iterator[slice]:
    """Slices that cover n rows.

    >>> list(blocks(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def centred(matrix: np.ndarray, rows: slice, middle: np.ndarray) -> np.ndarray:
    """Some rows without the middle, float32: what distances are computed from."""
    return (matrix[rows] - middle.astype(matrix.dtype)).astype(np.float32, copy=False)


def centred_blocks(matrix: np.ndarray, middle: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Every block without the middle, one at a time."""
    return ((rows, centred(matrix, rows, middle)) for rows in blocks(len(matrix)))


def squared_distances(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances of rows, (n, m): |a|^2 + |b|^2 - 2 ab, from 0.

    >>> squared_distances(np.array([[0., 0.]]), np.array([[3., 4.]])).tolist()
    [[25.0]]
    """
    tile = left @ right.T  # of a block with itself numpy computes one half
    tile *= -2
    tile += np.einsum("ij,ij->i", left, left)[:, None]
    tile += np.einsum("ij,ij->i", right, right)
    return np.maximum(tile, 0, out=tile)


def keys(matrix: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Seeded random numbers in 0..1 for each row and draw, (n, draws), that depend on the row alone.

    So a random split stays as it is when other pictures come or go, which the jackknife needs, and equal rows stay
    together. Up to 16 draws.

    >>> x = np.arange(6.).reshape(3, 2)
    >>> bool((keys(x, 2, 0)[1:] == keys(x[1:], 2, 0)).all())
    True
    """
    salt = int(seed).to_bytes(16, "little", signed=True)
    rows = (hashlib.blake2b(np.ascontiguousarray(row), digest_size=4 * draws, salt=salt).digest() for row in matrix)
    return np.frombuffer(b"".join(rows), "<u4").reshape(len(matrix), draws) / 2.0**32
