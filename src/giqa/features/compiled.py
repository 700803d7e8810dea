"""The compiled library next to this file, where the machine that built this giqa had a C compiler.

It computes the same bits as NumPy and Pillow do, several times faster and without holding the interpreter's lock; a
test compares both. Without it everything works, and takes longer.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

VERSION = 1  # what the library must say; an older one may be left over in a checkout
# made from pixels.c by hatch_build.py; by another ending, since Python takes .so for a module
FILE = Path(__file__).with_name("pixels.lib")
HIGHEST = 8192  # rows; NumPy adds the sums of more rows in another order
TOTALS, COUNTS = 14, 8  # of a scale of nss


@lru_cache
def library() -> Any:
    """The library, or None where there is none that can be used here."""
    try:
        found = ctypes.CDLL(str(FILE))
        return found if found.giqa_pixels() == VERSION else None
    except (OSError, AttributeError):
        return None


def usable(pixels: np.ndarray) -> bool:
    """Whether the library is there and takes this picture."""
    return pixels.dtype == np.uint8 and pixels.shape[2:] == (3,) and len(pixels) <= HIGHEST and library() is not None


def resizes(pixels: np.ndarray) -> bool:
    """Whether the library resizes this picture to the bits of the Pillow that is installed."""
    return usable(pixels) and _order() is not None


def resize(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Pillow's bicubic resize of float channels: uint8 (h, w, 3) to float32 (height, width, 3)."""
    return _resize(pixels, height, width, _order()(*pixels.shape[:2], height, width))


def _resize(pixels: np.ndarray, height: int, width: int, down_first: bool) -> np.ndarray:
    pixels, (h, w) = np.ascontiguousarray(pixels), pixels.shape[:2]
    made = np.empty((height, width, 3), np.float32)
    sides = (*map(ctypes.c_long, (h, w, height, width)),)
    order = ctypes.c_int(down_first and w != width and h != height)
    _call("giqa_resize", pixels, *sides, order, *_arguments(w, width), *_arguments(h, height), made)
    return made


def _across_first(h: int, w: int, height: int, width: int) -> bool:
    return False


def _cheaper_first(h: int, w: int, height: int, width: int) -> bool:
    """Whether Pillow 13 goes down first: where that takes away more than twice as many rows as columns go."""
    return height < h and h - height > 2 * (w - width)


@lru_cache
def _order() -> Callable[[int, int, int, int], bool] | None:
    """When the installed Pillow goes down before it goes across, found out on small pictures; None: neither is right.

    The sums of either order round otherwise, and so do those of a processor that fuses multiplication and addition.
    """
    from PIL import Image

    rng = np.random.default_rng(0)
    sizes = [(40, 20, 17, 13), (40, 20, 17, 30), (20, 40, 13, 17), (20, 40, 30, 17), (15, 16, 31, 29), (30, 30, 20, 20)]
    pictures = [rng.integers(0, 256, (h, w, 3), np.uint8) for h, w, _, _ in sizes]
    wanted = []
    for pixels, (_, _, height, width) in zip(pictures, sizes, strict=True):
        planes = (Image.fromarray(pixels[..., channel].astype(np.float32)) for channel in range(3))
        wanted.append([np.asarray(plane.resize((width, height), Image.Resampling.BICUBIC)) for plane in planes])
    for order in (_across_first, _cheaper_first):
        made = (_resize(p, *size[2:], order(*size)) for p, size in zip(pictures, sizes, strict=True))
        if all(np.array_equal(a.transpose(2, 0, 1), b) for a, b in zip(made, wanted, strict=True)):
            return order
    return None


def texture_totals(pixels: np.ndarray, scales: int) -> np.ndarray:
    """Sums of absolute differences, six for each of three planes, at successive halves: float64 (scales, 18)."""
    pixels, totals = np.ascontiguousarray(pixels), np.empty((scales, 18))
    _call("giqa_texture", pixels, *map(ctypes.c_long, pixels.shape[:2]), ctypes.c_int(scales), totals)
    return totals


def nss_totals(pixels: np.ndarray, scales: int, weights: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Sums and counts that natural scene statistics are made of.

    Parameters
    ----------
    pixels : uint8 ndarray of shape (h, w, 3)
        The picture.
    scales : int
        As it is, its half, and so on.
    weights : tuple of 12 floats
        Three of the luminance, four of the window, four of the halving, and the least deviation that counts.

    Returns
    -------
    totals : float64 ndarray of shape (scales, 14)
        Of the coefficients |c| and c^2, then for each of four neighbours |p|, p^2, and p^2 of negative products p.
    counts : int64 ndarray of shape (scales, 8)
        For each neighbour, how many products are negative and how many are positive.
    """
    pixels, given = np.ascontiguousarray(pixels), np.array(weights, np.float32)
    totals, counts = np.empty((scales, TOTALS)), np.empty((scales, COUNTS), np.int64)
    _call("giqa_nss", pixels, *map(ctypes.c_long, pixels.shape[:2]), ctypes.c_int(scales), given, totals, counts)
    return totals, counts


def gradient_square(pixels: np.ndarray, place: int) -> int:
    """The `place`-th smallest square of gradients inside blocks of 8 pixels, of uint8 (8 a, 8 b, 3)."""
    pixels, found = pixels if pixels.strides[1:] == (3, 1) else np.ascontiguousarray(pixels), np.empty(1, np.int64)
    sides = (*map(ctypes.c_long, (*pixels.shape[:2], pixels.strides[0], place)),)
    _call("giqa_gradient", pixels, *sides, found)
    return int(found[0])


def _call(name: str, *arguments: Any) -> None:
    pointers = [x.ctypes.data_as(ctypes.c_void_p) if isinstance(x, np.ndarray) else x for x in arguments]
    if library()[name](*pointers):
        raise MemoryError


def _arguments(given: int, wanted: int) -> tuple[Any, ...]:
    taps = _taps(given, wanted)
    return *taps, ctypes.c_long(taps[2].shape[1])


@lru_cache(maxsize=64)
def _taps(given: int, wanted: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each new place the first old one, how many, and their weights, as Pillow computes them (bicubic, a = -1/2)."""
    scale = given / wanted
    stretch = max(scale, 1.0)
    support = 2.0 * stretch
    most = ceil(support) * 2 + 1
    first, count, weights = np.zeros(wanted, np.int32), np.zeros(wanted, np.int32), np.zeros((wanted, most))
    for place in range(wanted):
        centre = (place + 0.5) * scale
        low, high = max(0, int(centre - support + 0.5)), min(given, int(centre + support + 0.5))
        found = [_bicubic((i + low - centre + 0.5) * (1.0 / stretch)) for i in range(high - low)]
        whole = 0.0
        for weight in found:
            whole += weight
        first[place], count[place] = low, high - low
        weights[place, : high - low] = [weight / whole for weight in found]
    return first, count, weights


def _bicubic(x: float) -> float:
    x = abs(x)
    if x < 1:
        return ((-0.5 + 2.0) * x - (-0.5 + 3.0)) * x * x + 1
    return (((x - 5) * x + 8) * x - 4) * -0.5 if x < 2 else 0.0
