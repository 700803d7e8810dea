"""Encoded bytes or an array to uint8 RGB, by one stated policy.

    formats      PNG, JPEG, WebP, BMP, TIFF, GIF, AVIF, known by their first bytes, whatever the file is called
    frames       the first
    orientation  EXIF orientation applied
    alpha        composited on white (RGBA, LA, PA, a palette or colour key with transparency)
    grey         repeated to three channels; 16-bit grey scaled by the file's own depth, never by its contents
    16-bit RGB   the high byte, as Pillow reads it; AVIF of 10 or 12 bits as 8
    float        grey TIFF or array, must lie in [0, 1]
    colour       CMYK, YCbCr and HSV converted by Pillow; colour profiles ignored (`giqa doctor` compares them)
    extras       text, profiles and other extras of a PNG never looked at, so that their size and state do not matter
    refused      32-bit and signed integers, LAB, damaged or truncated files, more than `MAX_PIXELS`

A change to any of these lines raises `POLICY`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from ..errors import BadImage
from ..types import INFO, Picture
from .formats import read_file, scaled_floats, scaled_integers

POLICY = "decode-1"  # part of every cache key

# In bit order; append only, since the bits are stored. A note is left when something was really done: an alpha
# channel that is opaque everywhere leaves none.
NOTES: tuple[str, ...] = (
    "grey",
    "palette",
    "alpha composited on white",
    "16-bit reduced to 8",
    "CMYK converted",
    "EXIF orientation applied",
    "first frame of several",
    "other mode converted",
    "float scaled to 8 bit",
    "10 or 12 bits reduced to 8",
)

# 89 megapixels, 268 MB as RGB: where Pillow begins to warn of a decompression bomb. A larger limit can be given, but
# Pillow itself refuses some WebP, GIF and tiled TIFF files above twice this.
MAX_PIXELS = 178_956_970 // 2


def note_bits(notes: Iterable[str]) -> int:
    """Notes as the bits stored in `INFO`.

    >>> note_bits(["grey", "alpha composited on white"])
    5
    """
    return sum(1 << NOTES.index(note) for note in set(notes))


def note_names(bits: int) -> tuple[str, ...]:
    """The stored bits as notes, in bit order.

    >>> note_names(5)
    ('grey', 'alpha composited on white')
    """
    return tuple(note for position, note in enumerate(NOTES) if int(bits) >> position & 1)


def decode(raw: bytes | np.ndarray, max_pixels: int = MAX_PIXELS) -> Picture:
    """One picture as uint8 RGB (h, w, 3), contiguous, with what was done to it; the policy is the table of this module.

    Parameters
    ----------
    raw : bytes or array
        An encoded file, or an array (h, w), (h, w, 1), (h, w, 3) or (h, w, 4) of uint8, uint16, or floats in [0, 1].
    max_pixels : int
        A larger picture is refused; by default 89 million.

    Returns
    -------
    Picture
        `pixels` and `notes`, of `NOTES`.

    Raises
    ------
    BadImage
        Says why it cannot be decoded.

    Notes
    -----
    Safe to call from several threads; no setting of Pillow is read or changed.

    Examples
    --------
    >>> decode(np.array([[0, 65535]], np.uint16)).pixels.tolist()
    [[[0, 0, 0], [255, 255, 255]]]
    """
    notes: set[str] = set()
    if isinstance(raw, np.ndarray):
        pixels = _from_array(raw, notes)
    elif isinstance(raw, (bytes, bytearray, memoryview)):
        pixels = read_file(bytes(raw), max_pixels, notes)
    else:
        raise BadImage(f"a picture is the bytes of a file or a numpy array, got {type(raw).__name__}")
    return Picture(np.ascontiguousarray(_three(pixels, notes)), tuple(note for note in NOTES if note in notes))


def picture_info(picture: Picture) -> np.void:
    """What is remembered of a picture: one record of dtype `INFO`; equal digests are equal pixels."""
    from PIL import Image

    pixels = np.ascontiguousarray(picture.pixels)
    height, width = pixels.shape[:2]
    info = np.zeros((), INFO)
    digest = hashlib.sha256(f"{height}x{width}:".encode())
    digest.update(pixels.data)
    info["digest"] = np.frombuffer(digest.digest()[:16], np.uint8)
    info["thumbnail"] = np.asarray(Image.fromarray(pixels).resize((8, 8), Image.Resampling.BOX))
    info["width"], info["height"], info["notes"] = width, height, note_bits(picture.notes)
    return info[()]


def _from_array(array: np.ndarray, notes: set[str]) -> np.ndarray:
    given = f"an array of shape {array.shape} and type {array.dtype}"
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise BadImage(f"{given} is not a picture; give (h, w), (h, w, 1), (h, w, 3) or (h, w, 4)")
    if 0 in array.shape:
        raise BadImage(f"{given} has no pixels")
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.uint16:
        return scaled_integers(array, 16, notes)
    if np.issubdtype(array.dtype, np.floating):
        return scaled_floats(array, notes)
    raise BadImage(f"{given} is not a picture; give uint8, uint16, or floats in [0, 1]")


def _three(pixels: np.ndarray, notes: set[str]) -> np.ndarray:
    """uint8 (h, w[, 1, 2, 3 or 4]) to (h, w, 3): grey repeated, alpha composited on white."""
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    alpha = pixels[:, :, -1:] if pixels.shape[2] in (2, 4) else None
    colour = pixels[:, :, :-1] if alpha is not None else pixels
    if alpha is not None and alpha.min() < 255:
        notes.add("alpha composited on white")
        cover = alpha.astype(np.uint16)
        colour = ((colour * cover + 255 * (255 - cover) + 127) // 255).astype(np.uint8)  # at most 65152: fits
    if colour.shape[2] == 1:
        notes.add("grey")
        colour = np.repeat(colour, 3, axis=2)
    return colour
