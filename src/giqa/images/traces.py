"""What a picture's file and pixels tell about how it was saved: JPEG quality, a JPEG past, upscaling, grey.

Measured on 40 photographs shrunk to 40 % and coded: `jpeg_past` names the quality exactly at 10, 20, ..., 90 and 92,
down to 32 px, and finds none in untreated, upscaled, drawn or DCGAN pictures. The usual test, the ratio of differences
across and inside blocks, overlaps with untreated pictures above quality 80 and takes pixel doubling and transposed
convolutions for JPEG; so it is not used.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# ITU T.81 Annex K, table K.1: the luminance steps that libjpeg (and so Pillow and most tools) scales by quality.
LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
SOFT = 0.125  # detail of bicubic or bilinear 2x: .05 to .09, of 1.5x: .06 to .16; untreated photographs: above .17
_GREY = np.array([0.299, 0.587, 0.114])
_K = np.arange(8)
_DCT = np.cos(np.pi * (2 * _K[None] + 1) * _K[:, None] / 16) * np.where(_K[:, None] == 0, np.sqrt(1 / 8), 0.5)
_LOW = np.add.outer(_K, _K).ravel()
_LOW = np.flatnonzero((_LOW > 0) & (_LOW <= 5))  # without the mean; higher frequencies are mostly zero anyway
_SEEN = np.arange(95, 9, -1)  # steps of 1 and 2 drown in the rounding of pixels


def steps(quality: int) -> np.ndarray:
    """The luminance steps (8, 8) that libjpeg uses at a quality of 1..100.

    >>> steps(50)[0, :3].tolist(), steps(100).max().item()
    ([16, 11, 10], 1)
    """
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((LUMINANCE * scale + 50) // 100, 1, 255)


_TABLES = np.array([steps(q).ravel()[_LOW] for q in _SEEN], np.float64)  # (q, frequencies)
_STEPS = [steps(q) for q in range(1, 101)]  # of qualities 1 to 100


def jpeg_quality(table: Sequence[int]) -> tuple[int, bool]:
    """The quality whose steps come nearest to a file's luminance table (64, natural order), and whether they are equal.

    >>> jpeg_quality(steps(75).ravel())
    (75, True)
    """
    given = np.clip(np.asarray(table, np.int64).reshape(8, 8), 1, 255)
    distance, quality = min((float(np.abs(np.log(given / table)).sum()), -q) for q, table in enumerate(_STEPS, 1))
    return -quality, distance == 0


def jpeg_past(pixels: np.ndarray, blocks: int = 400) -> int | None:
    """The JPEG quality in which these pixels were once coded, or None when nothing shows it.

    A JPEG's DCT coefficients are multiples of its steps, up to the rounding of pixels. For each quality q with steps T
    the log-likelihood of that comb against a smooth density is summed over the coefficients c that it does not call 0:
    sum log((1-e) T N(c - T round(c/T); 0, s) + e), s = .4, e = .05.

    Parameters
    ----------
    pixels : uint8 array (h, w, 3)
    blocks : int
        How many blocks of 8 pixels are looked at.

    Returns
    -------
    int or None

    Notes
    -----
    Needs the grid to start at the upper left corner, pixels that were not resized since, blocks without black or white,
    standard tables, and a quality of 92 or less.
    """
    height, width = (side // 8 for side in pixels.shape[:2])
    tiles = pixels[: height * 8, : width * 8].reshape(height, 8, width, 8, 3).swapaxes(1, 2).reshape(-1, 8, 8, 3)
    tiles = tiles[(tiles.min(axis=(1, 2, 3)) > 0) & (tiles.max(axis=(1, 2, 3)) < 255)]  # clipping breaks the comb
    if not len(tiles):
        return None
    tiles = tiles[np.linspace(0, len(tiles) - 1, min(blocks, len(tiles))).astype(int)] @ _GREY
    found = np.abs(_DCT @ tiles @ _DCT.T).reshape(len(tiles), 64)[:, _LOW].T  # (k, tiles)
    # Each value counts once a frequency: drawn graphics repeat a few values that would seem to prove a comb.
    rows = [row[np.unique(np.rint(row), return_index=True)[1]] for row in found]
    tables = np.repeat(_TABLES, [len(row) for row in rows], axis=1)  # (q, values)
    values = np.concatenate(rows)
    nearest = np.rint(values / tables)
    tooth = np.exp(-0.5 * ((values - nearest * tables) / 0.4) ** 2) / (0.4 * np.sqrt(2 * np.pi))
    evidence = (np.log(0.95 * tables * tooth + 0.05) * (nearest != 0)).sum(axis=1)
    best = int(np.argmax(evidence))
    return int(_SEEN[best]) if evidence[best] > 30 else None  # untreated: below -60; drawn: below 16


def detail(pixels: np.ndarray, size: int = 256) -> float:
    """Energy of the finest octave over that of the octave below it, near 1 in a sharp photograph; nan when unknown.

    An upscaled picture has next to nothing in its finest octave (`SOFT`); so has a very blurred one.
    """
    height, width = pixels.shape[:2]
    side = min(size, height, width)
    if side < 16:
        return float("nan")
    top, left = (height - side) // 2, (width - side) // 2
    luma = pixels[top : top + side, left : left + side].astype(np.float64) @ _GREY
    window = np.hanning(side)
    power = np.abs(np.fft.fft2((luma - luma.mean()) * window * window[:, None])) ** 2
    frequency = np.abs(np.fft.fftfreq(side))
    frequency = np.maximum(frequency, frequency[:, None])
    below = power[(frequency > 0.125) & (frequency <= 0.25)].sum()
    # under a grey level of noise in all, the rounding of pixels is what is left to measure
    return float(power[frequency > 0.25].sum() / below) if below > power.size * 0.05 else float("nan")


def is_grey(pixels: np.ndarray) -> bool:
    """Whether the channels agree to one grey level on average, so that coded grey pictures count too."""
    channels = pixels[::2, ::2].astype(np.int16)
    return bool((channels.max(axis=2) - channels.min(axis=2)).mean() < 1)
