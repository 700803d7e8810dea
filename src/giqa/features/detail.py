"""How much detail a picture has, read on its pixels as they are: one number, from the strongest of its edges.

The 95th percentile of the length of the gradient, inside the blocks of 8 pixels of a JPEG. It sides with people on
compressed photographs better than the variance of the Laplacian, the slope of the spectrum, other percentiles, and
linear rankers that were taught on damaged photographs (`benchmarks/results/accuracy/detail.md`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from . import compiled

VERSION = 1  # of the number: a model that was fitted with another has no scale for it
BLOCK = 8  # pixels; the edges that coarse coding makes between blocks are no detail
SMALLEST = 16  # pixels of the shorter side; of a smaller picture nothing is said
SHARE = 0.95  # of the pixels have a gradient that is no longer
FLOOR = 0.25  # grey levels a pixel, about what rounding makes: the logarithm of a flat picture stays finite
LUMA = (77, 150, 29)  # ITU-R BT.601, times 256


def detail_scalars(pixels: np.ndarray) -> np.ndarray:
    """ln(95th percentile of the gradient's length + 1/4), in grey levels a pixel, as float32 (1,).

    Parameters
    ----------
    pixels : uint8 ndarray of shape (h, w, 3)
        One picture, at its own size: it is never resized.

    Returns
    -------
    float32 ndarray of shape (1,)
        -1.39 for a flat picture, up to 5.2; NaN where the shorter side is below 16 pixels. A share of the pixels,
        whatever their number, so that size alone changes nothing; a picture that was enlarged is softer.

    Examples
    --------
    >>> ramp = np.repeat(np.arange(0, 96, 3, dtype=np.uint8)[None, :, None], 3, axis=2).repeat(32, axis=0)
    >>> float(np.exp(detail_scalars(ramp)[0]) - 0.25)
    3.0
    """
    if min(pixels.shape[:2]) < SMALLEST:
        return np.full(1, np.nan, np.float32)
    return np.log(np.array([gradient_percentile(pixels) + FLOOR], np.float32))


def gradient_percentile(pixels: np.ndarray) -> float:
    """The length below which 95 % of the gradients of luma lie, in grey levels a pixel.

    By central differences, where both neighbours are in the same block of 8 x 8, counted from the upper left corner.
    """
    h, w = (side // BLOCK for side in pixels.shape[:2])
    place = int(SHARE * (h * w * (BLOCK - 2) ** 2 - 1))
    if compiled.usable(pixels):
        return float(np.sqrt(compiled.gradient_square(pixels[: h * BLOCK, : w * BLOCK], place))) / 32
    blocks = luma(pixels[: h * BLOCK, : w * BLOCK]).reshape(h, BLOCK, w, BLOCK)
    across = (blocks[:, 1:-1, :, 2:] - blocks[:, 1:-1, :, :-2]).astype(np.int32)  # of two pixels
    across *= across
    down = (blocks[:, 2:, :, 1:-1] - blocks[:, :-2, :, 1:-1]).astype(np.int32)
    down *= down
    squares = np.add(across, down, out=across).ravel()
    return float(np.sqrt(np.partition(squares, place)[place])) / 32


def luma(pixels: np.ndarray) -> np.ndarray:
    """uint8 (h, w, 3) to luma in sixteenths of a grey level, int16 (h, w).

    >>> luma(np.array([[[255, 255, 255], [0, 0, 16]]], np.uint8)).tolist()
    [[4080, 29]]
    """
    y = np.multiply(pixels[..., 1], LUMA[1], dtype=np.int32)
    y += np.multiply(pixels[..., 0], LUMA[0], dtype=np.int32)
    y += np.multiply(pixels[..., 2], LUMA[2], dtype=np.int32)
    return (y >> 4).astype(np.int16)


class Detail:
    """How much detail a picture has at its own size: the logarithm of its 95th percentile of the gradient, one number.

    Examples
    --------
    >>> Detail()([np.zeros((32, 48, 3), np.uint8)])["detail"].round(2)
    array([[-1.39]], dtype=float32)
    """

    outputs = ("detail",)

    def identity(self) -> Mapping[str, Any]:
        return {"extractor": "detail", "version": VERSION, "resize": "none"}

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """All the work, one picture: uint8 (h, w, 3) to float32 (1,)."""
        return detail_scalars(pixels)

    def run(self, prepared: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return {"detail": np.stack(list(prepared))}

    def __call__(self, pixels: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return self.run([self.prepare(p) for p in pixels])
