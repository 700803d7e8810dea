"""The chunks of a PNG: those that Pillow is shown, and those that are read here."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

LIMIT = 1 << 19  # bytes of text that Pillow is shown; its own limit is twice this
_MOST = 1 << 26  # bytes that are unpacked in search of an orientation
# of the chunks that a decoder may do without: transparency, animation, orientation
_KEPT = {b"tRNS", b"acTL", b"fcTL", b"fdAT", b"eXIf"}
_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
_XMP = b"XML:com.adobe.xmp"
_EXIF = {b"exif", b"Raw profile type exif"}
_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)[0-9]')


def chunks(raw: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end (with length and checksum) of every whole chunk, up to the last or to what is no chunk."""
    at = 8
    while at + 12 <= len(raw):
        length, name = struct.unpack_from(">I4s", raw, at)
        end = at + 12 + length
        if end > len(raw) or not name.isalpha():
            return
        yield name, at, end
        at = end


def before_pixels(raw: bytes) -> dict[bytes, bytes]:
    """What is in the chunks before the pixels, in the first of each name."""
    found: dict[bytes, bytes] = {}
    for name, start, end in chunks(raw):
        if name == b"IDAT":
            break
        found.setdefault(name, raw[start + 8 : end - 4])
    return found


def without_extras(raw: bytes) -> bytes:
    """The same pixels, transparency, frames and orientation in a PNG without text, profiles and all else.

    Pillow refuses a picture for a megabyte of text in it, a damaged checksum of a comment, or a text called "bbox".
    What is kept of text is an orientation. From the first chunk that is cut or no chunk on, all stays as it is.
    """
    parts, kept_from, end, left = [raw[:8]], 8, 8, LIMIT
    for name, start, end in chunks(raw):
        new = None
        if name in _TEXTS:
            new = _orientation_of(name, raw[start + 8 : end - 4], left)
            left -= len(new)
        elif name == b"eXIf":
            damaged = zlib.crc32(raw[start + 4 : end - 4]) != struct.unpack_from(">I", raw, end - 4)[0]
            new = b"" if damaged else None
        elif name[0] & 0x20 and name not in _KEPT:  # the letter's case says that it may be ignored
            new = b""
        if new is not None:
            parts += [raw[kept_from:start], new]
            kept_from = end
    return b"".join([*parts, raw[kept_from:]]) if kept_from > 8 else raw


def _orientation_of(name: bytes, data: bytes, most: int) -> bytes:
    """A text chunk with nothing but what it says of the orientation; empty where it says nothing."""
    keyword, _, rest = data.partition(b"\0")
    if keyword != _XMP and keyword not in _EXIF:
        return b""
    packed = name == b"zTXt" or (name == b"iTXt" and rest[:1] == b"\1")
    # method; for iTXt: whether packed, method, language, translated keyword
    text = {b"tEXt": rest, b"zTXt": rest[1:], b"iTXt": rest[2:].split(b"\0", 2)[-1]}[name]
    text = _unpacked(text, _MOST if keyword == _XMP else most) if packed else text
    if keyword == _XMP:
        found = _ORIENTATION.search(text)
        return chunk(b"iTXt", _XMP + bytes(5) + found[0]) if found else b""
    return chunk(b"tEXt", keyword + b"\0" + text) if len(text) < most else b""


def _unpacked(data: bytes, most: int) -> bytes:
    """What zlib packed, up to so many bytes; nothing of what it cannot unpack."""
    try:
        return zlib.decompressobj().decompress(data, most)
    except zlib.error:
        return b""


def chunk(name: bytes, data: bytes) -> bytes:
    """One chunk, with its length and checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
