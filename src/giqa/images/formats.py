"""One encoded file to pixels as they are in it: the half of `decode` that knows Pillow and the seven formats."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from typing import Any

import numpy as np

from ..errors import BadImage
from .kinds import PICTURES, READ, REMEDIES, VIDEOS, kind_of
from .png import before_pixels, without_extras

OUT_OF_RANGE = "float pixels must lie in [0, 1]"
_TRANSPOSED = {
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
    8: lambda p: np.rot90(p),
}
_ORIENTATION, _BITS, _PHOTOMETRIC, _TILE_WIDTH, _TILE_HEIGHT = 274, 258, 262, 322, 323  # TIFF and EXIF tags


def scaled_floats(values: np.ndarray, notes: set[str]) -> np.ndarray:
    """Rounded v * 255, for v in [0, 1]."""
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= 1):  # written so that NaN is refused too
        remedy = "give (x + 1) / 2" if -1 <= low < 0 and high <= 1 else "rescale them"
        if low >= 0 and high > 1:
            remedy = "give x.clip(0, 1)" if high < 1.01 else "give x / 255"
        raise BadImage(f"{OUT_OF_RANGE}, these lie in [{low:.4g}, {high:.9g}]; {remedy}")
    notes.add("float scaled to 8 bit")
    return np.rint(values.astype(np.float32) * 255).astype(np.uint8)


def scaled_integers(values: np.ndarray, bits: int, notes: set[str]) -> np.ndarray:
    """Rounded v * 255 / (2^bits - 1); for 16 bits that is v / 257."""
    notes.add("16-bit reduced to 8")
    top = (1 << bits) - 1
    return ((values.astype(np.uint32) * 255 + top // 2) // top).astype(np.uint8)


def read_file(raw: bytes, max_pixels: int, notes: set[str]) -> np.ndarray:
    """The first frame, upright, as uint8 (h, w), (h, w, 2), (h, w, 3) or (h, w, 4); adds to `notes`."""
    if not raw:
        raise BadImage("empty file")
    kind = kind_of(raw)
    if kind not in READ:
        raise BadImage(_no_image(kind))
    try:
        image = opened(kind, raw, max_pixels)
        tags = dict(image.tag_v2) if kind == "TIFF" else {}
        image.load()
        pixels = _pixels(image, kind, raw, tags, notes)
        pixels, turned = upright(pixels, image)
        if turned or tags.get(_ORIENTATION) in _TRANSPOSED:  # Pillow itself turns a TIFF while loading it
            notes.add("EXIF orientation applied")
        if getattr(image, "is_animated", False) or "mp" in image.info:  # a telephone's JPEG with more behind it (MPO)
            notes.add("first frame of several")
        if kind == "AVIF" and is_deep_avif(raw):
            notes.add("10 or 12 bits reduced to 8")
        return pixels
    except (BadImage, MemoryError):
        raise
    except Exception as error:  # a parser fed damaged bytes raises whatever its next line happens to raise
        if type(error).__name__ == "DecompressionBombError":  # Pillow's own limit for a WebP, or a frame of a GIF
            raise BadImage(f"too large: {error}") from None
        early = isinstance(error, (struct.error, IndexError, EOFError)) or "requires a buffer" in str(error)
        reason = "the file ends too early" if early else str(error).strip() or type(error).__name__
        what = "unsupported" if "unknown pixel mode" in reason or "not available" in reason else "truncated or damaged"
        raise BadImage(f"{what} {kind} ({reason})") from None


def _no_image(kind: str) -> str:
    read = f"{', '.join(READ[:-1])} and {READ[-1]} are read"
    if not kind:
        return f"not an image (unknown format; {read})"
    if kind in (*PICTURES, *VIDEOS):
        return f"{kind} is not read ({read}); {REMEDIES[kind]}"
    article = "" if kind.endswith("text") else "an " if kind[0] in "AH" else "a "  # AppleDouble, HTML, HDF5
    return f"not an image but {article}{kind}" + (f"; {REMEDIES[kind]}" if kind in REMEDIES else "")


def opened(kind: str, raw: bytes, max_pixels: int) -> Any:
    """The Pillow image, its header read and its size checked, nothing decoded yet.

    The format's own class instead of `Image.open`: that one warns about large pictures through global settings, and
    would go on to try every other parser.
    """
    from PIL import BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

    if kind == "GIF":
        _check_size(*_gif_size(raw), max_pixels)
    if kind == "PNG" and len(raw) >= 24:
        _check_size(*struct.unpack(">II", raw[16:24]), max_pixels)
    readers = {
        "PNG": PngImagePlugin.PngImageFile,
        "JPEG": JpegImagePlugin.JpegImageFile,
        "GIF": GifImagePlugin.GifImageFile,
        "BMP": BmpImagePlugin.BmpImageFile,
        "TIFF": TiffImagePlugin.TiffImageFile,
        "WebP": WebPImagePlugin.WebPImageFile,
    }
    if kind == "AVIF":
        readers[kind] = _avif()
    image = readers[kind](io.BytesIO(without_extras(raw) if kind == "PNG" else raw))
    _check_size(*image.size, max_pixels)
    if kind == "TIFF" and _TILE_WIDTH in image.tag_v2:
        _check_size(image.tag_v2[_TILE_WIDTH], image.tag_v2[_TILE_HEIGHT], max_pixels)
    return image


def _avif() -> Any:
    with suppress(ImportError):  # Pillow before 11.3
        from PIL import AvifImagePlugin

        if AvifImagePlugin.SUPPORTED:
            return AvifImagePlugin.AvifImageFile
    raise BadImage("AVIF is read with Pillow 11.3 or later: pip install --upgrade Pillow, or convert it to PNG")


def is_deep_avif(raw: bytes) -> bool:
    """Whether the pixels have 10 or 12 bits, by the flags of AV1: high_bitdepth in the third byte of the box av1C."""
    at = raw.find(b"av1C")
    return at >= 0 and bool(raw[at + 6 : at + 7] > b"" and raw[at + 6] & 0x40)


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width <= 0 or height <= 0:
        raise BadImage(f"no pixels: {width} x {height}")
    if width * height > max_pixels:
        million = width * height / 1e6
        limit = max_pixels / 1e6
        raise BadImage(f"too large: {width} x {height} = {million:.0f} megapixels; the limit is {limit:.3g}")


def _gif_size(raw: bytes) -> tuple[int, int]:
    """Of the screen or of the first frame, whichever is larger; Pillow takes that, and warns while it does."""
    width, height, flags = struct.unpack_from("<HHB", raw, 6)
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while raw[at] != 0x2C:  # the first frame
        if raw[at] == 0x3B:  # the end of the file
            return width, height
        at += 1
        if raw[at - 1] == 0x21:  # an extension: label, then blocks of at most 255 bytes up to an empty one
            at += 1
            while raw[at]:
                at += 1 + raw[at]
            at += 1
    x, y, frame_width, frame_height = struct.unpack_from("<HHHH", raw, at + 1)
    return max(width, x + frame_width), max(height, y + frame_height)


def _pixels(image: Any, kind: str, raw: bytes, tags: dict[int, Any], notes: set[str]) -> np.ndarray:
    """A loaded image as uint8 (h, w), (h, w, 2), (h, w, 3) or (h, w, 4)."""
    mode = image.mode
    bits = raw[24] if kind == "PNG" else max(tags.get(_BITS, (8,)))
    if mode == "P" or mode == "PA":
        notes.add("palette")
        return np.array(image.convert("RGBA"))
    if mode == "F":
        return scaled_floats(np.array(image), notes)
    if mode.startswith("I;16") or (mode == "I" and kind == "PNG"):  # older Pillow reads a 16-bit PNG as I
        if tags.get(_PHOTOMETRIC) == 0:
            raise BadImage("16-bit TIFF with white as zero is not supported; save it with black as zero")
        values = np.array(image)
        return _with_colour_key(scaled_integers(values, bits, notes), values, kind, raw)
    if mode not in ("1", "L", "LA", "La", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV"):
        raise BadImage(f"pixels of mode {mode} ({kind}) are not supported; save the picture as 8-bit RGB")
    if bits == 16:
        notes.add("16-bit reduced to 8")
    if mode in ("CMYK", "YCbCr", "HSV", "RGBa", "La"):
        notes.add("CMYK converted" if mode == "CMYK" else "other mode converted")
    if mode in ("LA", "La"):
        return np.array(image.convert("LA"))
    if mode in ("RGBA", "RGBa") or (kind != "PNG" and "transparency" in image.info):
        notes.update({"grey"} if mode in ("1", "L") else ())
        return np.array(image.convert("RGBA"))
    wanted = "L" if mode in ("1", "L") else "RGB"
    values = np.array(image if mode == wanted else image.convert(wanted))
    return _with_colour_key(values, values, kind, raw)


def _with_colour_key(pixels: np.ndarray, values: np.ndarray, kind: str, raw: bytes) -> np.ndarray:
    """Grey or RGB with the alpha that a PNG's tRNS chunk means; read here, for Pillow forgets the sample's depth."""
    key = before_pixels(raw).get(b"tRNS") if kind == "PNG" else None
    if key is None:
        return pixels
    depth = raw[24]
    channels = 1 if pixels.ndim == 2 else 3
    wanted = np.array(struct.unpack_from(f">{channels}H", key))
    if depth < 8:
        wanted = wanted * 255 // ((1 << depth) - 1)
    if depth == 16 and channels == 3:
        wanted = wanted >> 8  # only the high bytes are left to compare with
    pixels, values = (p.reshape(*p.shape[:2], channels) for p in (pixels, values))
    alpha = np.where((values == wanted).all(axis=2, keepdims=True), 0, 255).astype(np.uint8)
    return np.concatenate([pixels, alpha], axis=2)


def upright(pixels: np.ndarray, image: Any) -> tuple[np.ndarray, bool]:
    """Turned as the EXIF orientation says, and whether it was; EXIF that cannot be read counts as none."""
    try:
        orientation = image.getexif().get(_ORIENTATION)
        turn = _TRANSPOSED.get(orientation)
    except Exception:  # the pixels are whole, and the EXIF parser raises anything on damage
        turn = None
    return (pixels, False) if turn is None else (turn(pixels), True)
