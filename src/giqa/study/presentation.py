"""Pictures in the one form in which raters see them: one size, one coding, one length, no trace of their source."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

from ..errors import BadSpec

LARGEST = 512  # pixels of a side, unless asked otherwise
STEP = 1024  # lengths are rounded up to a multiple of this
END = 12  # bytes of the last chunk of a PNG, and of a chunk without content


def common_size(shapes: Sequence[tuple[int, int]], size: int | None = None) -> tuple[int, int]:
    """(height, width) of all pictures of a study: that of the smallest, so that none is enlarged more than others.

    Where all have one shape it is kept; where they differ, each is cut to its central square, since a shape of its own
    would show where a picture came from.

    Parameters
    ----------
    shapes : sequence of tuple
        (height, width) of each.
    size : int or None
        Pixels of the longer side, at most; None: 512.

    Returns
    -------
    tuple of int

    Raises
    ------
    BadSpec
        Without pictures, or for a size out of its range.

    Examples
    --------
    >>> common_size([(64, 64), (64, 64)]), common_size([(256, 300), (128, 200)]), common_size([(2000, 1000)] * 2)
    ((64, 64), (128, 128), (512, 256))
    """
    if not shapes:
        raise BadSpec("A study needs pictures, and there are none.")
    if size is not None and not 16 <= size <= 4096:
        raise BadSpec(f"size={size}: pictures are shown with 16 to 4096 pixels on the longer side.")
    most = size or LARGEST
    height, width = shapes[0]
    if len(set(shapes)) > 1:
        height = width = min(min(shape) for shape in shapes)
    scale = min(1.0, most / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def in_form(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """uint8 (h, w, 3) at (height, width): cut in the middle to that aspect, resized with antialiasing."""
    height, width = pixels.shape[:2]
    if (height, width) == size:
        return pixels
    scale = min(height / size[0], width / size[1])
    tall, wide = min(height, size[0] * scale), min(width, size[1] * scale)  # a rounding may reach beyond the picture
    top, left = (height - tall) / 2, (width - wide) / 2
    box = (left, top, left + wide, top + tall)
    return np.asarray(Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BICUBIC, box=box))


def shuffled(pixels: np.ndarray, rng: np.random.Generator, tiles: int = 4) -> np.ndarray:
    """A picture that no rater takes for real: cut into `tiles` x `tiles` pieces, in another order.

    >>> shuffled(np.zeros((16, 20, 3), np.uint8), np.random.default_rng(0)).shape
    (16, 20, 3)
    """
    high, wide = pixels.shape[0] // tiles, pixels.shape[1] // tiles
    if not high or not wide:
        raise BadSpec(
            f"A picture of {pixels.shape[1]} x {pixels.shape[0]} pixels is too small to judge; give larger ones."
        )
    made = pixels.copy()
    order = rng.permutation(tiles * tiles)
    if (order == np.arange(tiles * tiles)).all():
        order = order[::-1]
    for to, come in enumerate(order):
        (y, x), (v, u) = divmod(to, tiles), divmod(int(come), tiles)
        made[y * high : (y + 1) * high, x * wide : (x + 1) * wide] = pixels[
            v * high : (v + 1) * high, u * wide : (u + 1) * wide
        ]
    return made


def padded_length(lengths: Sequence[int]) -> int:
    """The one length at which all files of these lengths are served.

    >>> padded_length([100, 1500])
    2048
    """
    return -(-(max(lengths) + END) // STEP) * STEP


def padded(png: bytes, length: int) -> bytes:
    """The same PNG with exactly `length` bytes: a private chunk of noise before its end, which decoders skip.

    A file's length says how detailed a picture is, and that differs between reals and fakes.
    """
    noise = os.urandom(length - len(png) - END)
    body = b"paDd" + noise
    chunk = struct.pack(">I", len(noise)) + body + struct.pack(">I", zlib.crc32(body))
    return png[:-END] + chunk + png[-END:]
