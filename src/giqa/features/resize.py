"""The one resizer: resizing is part of the feature, so every extractor resizes here and records `PREPROCESSING`."""

from __future__ import annotations

import numpy as np

from ..errors import BadShape, BadSpec
from . import compiled

PREPROCESSING = "resize-1"  # changes whenever a pixel that comes out of here changes
MODES = ("antialias", "released")


def resize(pixels: np.ndarray, size: int | tuple[int, int], mode: str = "antialias") -> np.ndarray:
    """A picture at another size, in float32 and without rounding in between.

    | mode | arithmetic |
    |---|---|
    | `antialias` | Pillow's bicubic, whose kernel widens when shrinking, on float channels |
    | `released` | bilinear between the two nearest pixels, centres at (i + 1/2) in/out - 1/2, no antialiasing |

    Parameters
    ----------
    pixels : uint8 or float array (h, w, 3)
        On the scale 0..255.
    size : int, or (int, int)
        A side, or (height, width).
    mode : "antialias" or "released"
        Of the table.

    Returns
    -------
    float32 array (height, width, 3)
        On the same scale. Nothing is clipped: at a sharp edge bicubic leaves 0..255 by a few levels, and the published
        clean-fid features were computed with that overshoot in them. A picture that has the size already is unchanged.

    Raises
    ------
    BadShape, BadSpec

    Examples
    --------
    >>> resize(np.array([[[0, 0, 0], [4, 8, 12]]], np.uint8), (1, 4), "released")[0, :, 0].tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    pixels = np.asarray(pixels)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape or pixels.dtype.kind not in "uf":
        raise BadShape(f"A picture is uint8 or float (h, w, 3), got {pixels.dtype} {pixels.shape}.")
    if mode not in MODES:
        raise BadSpec(f"There is no resizer {mode!r}; there are {', '.join(MODES)}.")
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < 1:
        raise BadSpec(f"A size is one side or (height, width), each at least 1, got {size!r}.")
    if pixels.shape[:2] == (height, width):
        return pixels.astype(np.float32)
    if mode == "antialias" and compiled.resizes(pixels):
        return compiled.resize(pixels, height, width)
    return (_antialias if mode == "antialias" else _bilinear)(pixels.astype(np.float32), height, width)


def _antialias(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    from PIL import Image

    resized = np.empty((height, width, 3), np.float32)
    for channel in range(3):
        plane = Image.fromarray(np.ascontiguousarray(pixels[:, :, channel]))  # float32 makes it mode "F"
        resized[:, :, channel] = np.asarray(plane.resize((width, height), Image.Resampling.BICUBIC))
    return resized


def _bilinear(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    above, below, down = _neighbours(pixels.shape[0], height)
    left, right, along = _neighbours(pixels.shape[1], width)
    along, down = along[None, :, None], down[:, None, None]
    rows = pixels[:, left] * (1 - along) + pixels[:, right] * along  # (h, width, 3)
    return rows[above] * (1 - down) + rows[below] * down


def _neighbours(given: int, wanted: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each new position the two old ones it lies between, and how far along (0..1).

    Rounded where torch rounds (scale to float32, then once after multiply and subtract): worth up to .014 of 255.
    """
    scale, middles = np.float64(np.float32(given / wanted)), np.arange(wanted) + 0.5
    place = np.maximum((middles * scale - 0.5).astype(np.float32), 0)
    first = np.minimum(place.astype(np.int64), given - 1)
    return first, np.minimum(first + 1, given - 1), (place - first.astype(np.float32))
