"""Grain: how a picture's neighbouring pixels vary, filter by filter, at full resolution."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np

from ..threads import one_blas_thread

SIDE = 5  # pixels of a filter: two cells of a checkerboard of two pixels, and half of one
UNIT = 25.0  # grey levels that count as 1, so that values are of the size of a network's
ROWS = 128  # of a picture at a time: fewer hold up other threads, more leave the cache
ACROSS, DOWN = 16, 12  # places that one product filters at a time: more would multiply more zeros
COLOURS = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])  # orthonormal: grey, red-blue, green


def cosines(side: int = SIDE) -> np.ndarray:
    """The orthonormal cosine transform (DCT-II), rows by frequency, (side, side).

    >>> bool(np.allclose(cosines() @ cosines().T, np.eye(SIDE)))
    True
    """
    middle, frequency = np.arange(side) + 0.5, np.arange(side)[:, None]
    return np.cos(np.pi * frequency * middle / side) * np.sqrt(np.where(frequency == 0, 1, 2) / side)


def grain(pixels: np.ndarray) -> np.ndarray:
    """Each 5x5 neighbourhood under 75 orthonormal filters: uint8 (h, w, 3) -> float32 (h, w, 75).

    25 cosines (frequency down, then across) of three colours (grey, red minus blue, green minus the two), in units of
    25 grey levels; the border is mirrored. What a camera, a resizer and a coder leave in these is what generators miss.

    >>> response = grain(np.full((4, 5, 3), 25, np.uint8))
    >>> response.shape, round(float(response[0, 0, 0]), 3), bool(abs(response[..., 1:]).max() < 1e-6)
    ((4, 5, 75), 8.66, True)
    """
    basis = cosines().astype(np.float32)
    planes = _planes(pixels)
    h, w = pixels.shape[:2]
    out = np.empty((h, w, SIDE**2, 3), np.float32)
    for top in range(0, h, ROWS):
        n = min(ROWS, h - top)
        for f in range(SIDE):
            down = _filtered(basis[f], [planes[top + i : top + i + n] for i in range(SIDE)])
            for g in range(SIDE):
                out[top : top + n, :, SIDE * f + g] = _filtered(basis[g], [down[:, j : j + w] for j in range(SIDE)])
    return out.reshape(h, w, 3 * SIDE**2)


def _filtered(weights: np.ndarray, shifted: list[np.ndarray]) -> np.ndarray:
    total = weights[0] * shifted[0]
    for weight, plane in zip(weights[1:], shifted[1:], strict=True):
        total += weight * plane
    return total


def grain_sums(pixels: np.ndarray, grid: int) -> np.ndarray:
    """Sums of the squares of `grain` over the cells of a grid, without making it: float32 (g, g, 75); both sides >= g.

    Rows, then columns, are filtered by products with a matrix that holds the filters at each place: about a
    fifth of the time.

    >>> pixels = np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)
    >>> bool(np.allclose(grain_sums(pixels, 1)[0, 0], (grain(pixels) ** 2).sum(axis=(0, 1)), rtol=1e-5))
    True
    """
    h, w = pixels.shape[:2]
    blocks, rows = -(-w // ACROSS), np.arange(grid + 1) * h // grid
    sums = []
    with one_blas_thread():  # always one picture of one shape: the same bits whatever the batch
        planes = np.pad(_planes(pixels), ((0, 0), (0, blocks * ACROSS - w), (0, 0)))
        strips = np.lib.stride_tricks.sliding_window_view(planes, ACROSS + SIDE - 1, axis=1)[:, ::ACROSS]
        across = strips.reshape(-1, ACROSS + SIDE - 1) @ _at_each_place(ACROSS)  # rows: down, block, colour
        across = across.reshape(len(planes), -1)
        for top, bottom in pairwise(rows):
            total = np.zeros((SIDE, across.shape[1]), np.float32)
            for y in range(top, bottom, DOWN):
                n = min(DOWN, bottom - y)
                response = (_at_each_place(n).T @ across[y : y + n + SIDE - 1]).reshape(SIDE, n, -1)
                total += np.einsum("fnx,fnx->fx", response, response)
            sums.append(total)
    places = np.stack(sums).reshape(grid, SIDE, blocks, 3, SIDE, ACROSS).transpose(0, 2, 5, 1, 4, 3)
    places = places.reshape(grid, blocks * ACROSS, 3 * SIDE**2)[:, :w]
    return np.add.reduceat(places, np.arange(grid) * w // grid, axis=1)


def _planes(pixels: np.ndarray) -> np.ndarray:
    """The three colours in units, with a mirrored border: float32 (h + 4, w + 4, 3)."""
    reach = SIDE // 2
    colours = pixels.astype(np.float32) @ (COLOURS.T / UNIT).astype(np.float32)
    return np.pad(colours, ((reach, reach), (reach, reach), (0, 0)), "symmetric")


@lru_cache(maxsize=DOWN + 2)
def _at_each_place(n: int) -> np.ndarray:
    """Column f n + x is filter f moved to x: (n + 4, 5 n)."""
    basis = cosines().astype(np.float32)
    out = np.zeros((n + SIDE - 1, SIDE, n), np.float32)
    for x in range(n):
        out[x : x + SIDE, :, x] = basis.T
    return out.reshape(n + SIDE - 1, SIDE * n)
