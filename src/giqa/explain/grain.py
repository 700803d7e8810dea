"""Grain: how a picture's neighbouring pixels vary, filter by filter, at full resolution."""

from __future__ import annotations

import numpy as np

SIDE = 5  # pixels of a filter: two cells of a checkerboard of two pixels, and half of one
UNIT = 25.0  # grey levels that count as 1, so that values are of the size of a network's
ROWS = 128  # of a picture at a time: fewer hold up other threads, more leave the cache
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
    colours = pixels.astype(np.float32) @ (COLOURS.T / UNIT).astype(np.float32)
    reach = SIDE // 2
    planes = np.pad(colours, ((reach, reach), (reach, reach), (0, 0)), "symmetric")
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
