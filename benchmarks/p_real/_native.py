"""Plain numbers of a picture at its own size: columns for human models, and scalars to compare them with."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

PERCENTILES = (25, 50, 75, 90, 95, 99)
STRONGEST = PERCENTILES.index(95)  # column of the 95th percentile of the gradient's length
BANDS = np.geomspace(0.01, 0.5, 11)  # cycles a pixel
BLOCK = 16


def native(pixels: np.ndarray) -> np.ndarray:
    """Logarithms of 33 numbers, (33,).

    Percentiles of the gradient's length (6) and of the Laplacian (6), of its spread in blocks of 16 pixels (5), its
    variance (1), power of luma in ten bands (10), mean steps and spread of chroma (5).
    """
    luma = pixels.astype(float) @ [0.299, 0.587, 0.114]
    blue, red = (pixels[..., channel] - luma for channel in (2, 0))
    down, across = np.gradient(luma)
    laplacian = 4 * luma[1:-1, 1:-1] - luma[:-2, 1:-1] - luma[2:, 1:-1] - luma[1:-1, :-2] - luma[1:-1, 2:]
    h, w = (side // BLOCK for side in laplacian.shape)
    blocks = laplacian[: h * BLOCK, : w * BLOCK].reshape(h, BLOCK, w, BLOCK).std(axis=(1, 3))
    chroma = [np.abs(np.diff(c, axis=axis)).mean() for c in (blue, red) for axis in (0, 1)]
    parts = [
        np.percentile(np.hypot(down, across), PERCENTILES),
        np.percentile(np.abs(laplacian), PERCENTILES),
        np.percentile(blocks, (5, 25, 50, 75, 95)),
        [laplacian.var()],
        [*chroma, np.hypot(blue.std(), red.std())],
    ]
    return np.r_[np.log1p(np.concatenate(parts)), np.log(spectrum(luma) + 1e-3)]


def spectrum(luma: np.ndarray) -> np.ndarray:
    """Mean power of luma in `BANDS`, under a Hann window, (10,)."""
    window = np.outer(*(np.hanning(side) for side in luma.shape))
    power = np.abs(np.fft.rfft2((luma - luma.mean()) * window)) ** 2
    frequency = np.hypot(np.fft.fftfreq(luma.shape[0])[:, None], np.fft.rfftfreq(luma.shape[1]))
    edges = pairwise(BANDS)
    return np.array([power[(frequency >= low) & (frequency < high)].mean() for low, high in edges])
