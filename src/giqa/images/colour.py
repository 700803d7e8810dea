"""Which colour space a file says its numbers are in: by its ICC profile, or what else its format has to say it.

giqa reads the numbers and converts none of them, so the same colours in another space are other pixels.
"""

from __future__ import annotations

import math
import struct
import zlib

import numpy as np

from .png import before_pixels

UNREADABLE = "a profile that cannot be read"
_MOST = 1 << 24  # bytes of a profile that are unpacked
# chromaticities x, y of red, green, blue with the white D65
_PRIMARIES = {
    "sRGB": (0.640, 0.330, 0.300, 0.600, 0.150, 0.060),
    "Display P3": (0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    "Adobe RGB": (0.640, 0.330, 0.210, 0.710, 0.150, 0.060),
    "Rec. 2020": (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    "ProPhoto RGB": (0.7347, 0.2653, 0.1596, 0.8404, 0.0366, 0.0001),  # with D50
}
_TO_D65 = np.array(  # Bradford; the colours of a profile are adapted to D50
    [[0.9555766, -0.0230393, 0.0631636], [-0.0282895, 1.0099416, 0.0210077], [0.0122982, -0.0204830, 1.3299098]]
)
# light at the number 1/2: of sRGB .214; of a gamma of 2.2, .218
_HALF = {"ProPhoto RGB": 0.5**1.8}
_SRGB_HALF = 0.2140
# ITU-T H.273, as in cICP of PNG and nclx of AVIF: primaries, and transfers that do not look like sRGB's
_H273 = {1: "sRGB", 5: "sRGB", 6: "sRGB", 7: "sRGB", 9: "Rec. 2020", 11: "DCI-P3", 12: "Display P3"}
_TRANSFERS = {8: "linear", 16: "PQ", 18: "HLG"}


def colour_space(kind: str, raw: bytes, info: dict, exif: dict) -> str | None:
    """ "sRGB", "Display P3", ...; None where the file does not say. Damage is harmless, and named.

    `kind`: of `kind_of`; `info`, `exif`: what Pillow found in the file (of a PNG, the chunks are read here).
    """
    try:
        if kind == "PNG":
            return _of_png(raw)
        if kind == "AVIF" and (at := raw.find(b"colrnclx")) >= 0 and not info.get("icc_profile"):
            return h273(*struct.unpack_from(">HH", raw, at + 8))
        if icc := info.get("icc_profile"):
            return of_icc(icc)
        if kind == "JPEG" and exif.get("index") == "R03":  # as cameras mark Adobe RGB
            return "Adobe RGB"
        return "sRGB" if exif.get("space") == 1 else None
    except (struct.error, zlib.error, IndexError, ValueError, ArithmeticError, TypeError):
        return UNREADABLE


def _of_png(raw: bytes) -> str | None:
    """By the order of the standard: cICP, iCCP, sRGB, gAMA with cHRM; the first of each before the pixels."""
    found = before_pixels(raw)
    if b"cICP" in found:
        return h273(*found[b"cICP"][:2])
    if b"iCCP" in found:
        packed = found[b"iCCP"].split(b"\0", 1)[1][1:]
        return of_icc(zlib.decompressobj().decompress(packed, _MOST))
    if b"sRGB" in found:
        return "sRGB"
    if b"gAMA" not in found and b"cHRM" not in found:
        return None
    (gamma,) = struct.unpack(">I", found.get(b"gAMA", struct.pack(">I", 45455)))
    name = "sRGB"
    if b"cHRM" in found:
        name = _primaries_name(np.array(struct.unpack(">8I", found[b"cHRM"])[2:]) / 1e5) or "primaries of its own"
    return _with_tone(name, 0.5 ** (1e5 / gamma))


def h273(primaries: int, transfer: int) -> str | None:
    """
    >>> h273(12, 13), h273(9, 16), h273(2, 2)
    ('Display P3', 'Rec. 2020 PQ', None)
    """
    if primaries == 2 and transfer not in _TRANSFERS:  # "unspecified"
        return None
    name = _H273.get(primaries, "sRGB" if primaries == 2 else f"primaries {primaries}")
    return f"{name} {_TRANSFERS[transfer]}" if transfer in _TRANSFERS else name


def of_icc(icc: bytes) -> str:
    """The colour space that a profile describes: by its primaries and tone curve where it has them, else by its name.

    Errors: those of parsing damaged bytes.
    """
    if icc[36:40] != b"acsp":
        return UNREADABLE
    (count,) = struct.unpack_from(">I", icc, 128)
    tags = {}
    for i in range(min(count, 1000)):
        name, start, size = struct.unpack_from(">4sII", icc, 132 + 12 * i)
        tags[name] = icc[start : start + size]
    called = _description(tags.get(b"desc", b""))
    if b"cicp" in tags and (found := h273(*tags[b"cicp"][8:10])):
        return found
    space = icc[16:20].decode("ascii", "replace").strip()
    if space == "GRAY" and b"kTRC" in tags:
        half = _half(tags[b"kTRC"])
        return "sRGB" if abs(half - _SRGB_HALF) < 0.02 else f"grey of gamma {_gamma(half)} ({called!r})"
    if space != "RGB":
        return f"{space} ({called!r})"
    if {b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC"} <= tags.keys():
        colours = np.array([struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]) / 65536
        name = _primaries_name(_xy(colours @ _TO_D65.T)) or _primaries_name(_xy(colours)) or f"profile {called!r}"
        return _with_tone(name, _half(tags[b"rTRC"]))
    return "sRGB" if "srgb" in called.lower() else f"profile {called!r}"


def _xy(colours: np.ndarray) -> np.ndarray:
    if not colours.sum(axis=1).all():
        raise ValueError("a primary without light")
    return (colours[:, :2] / colours.sum(axis=1, keepdims=True)).ravel()


def _primaries_name(xy: np.ndarray) -> str | None:
    return next((name for name, known in _PRIMARIES.items() if np.abs(xy - known).max() < 0.01), None)


def _with_tone(name: str, half: float) -> str:
    """The name, with the gamma where that is not the usual one."""
    usual = abs(half - _HALF.get(name, _SRGB_HALF)) < 0.02 or name == "Rec. 2020" or name.startswith("profile")
    return name if usual else f"{name} of gamma {_gamma(half)}"


def _gamma(half: float) -> str:
    return f"{math.log(half) / math.log(0.5):.2g}"


def _half(curve: bytes) -> float:
    """The light at the number 1/2 of a tone curve (ICC.1, curveType and parametricCurveType)."""
    if curve[:4] == b"curv":
        (count,) = struct.unpack_from(">I", curve, 8)
        if count == 0:
            return 0.5
        if count == 1:
            return 0.5 ** (struct.unpack_from(">H", curve, 12)[0] / 256)
        middle = struct.unpack_from(">2H", curve, 12 + (count - 1) // 2 * 2) if count % 2 == 0 else None
        return (sum(middle) / 2 if middle else struct.unpack_from(">H", curve, 12 + count // 2 * 2)[0]) / 65535
    (kind,) = struct.unpack_from(">H", curve, 8)
    given = [value / 65536 for value in struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", curve, 12)]
    g, a, b, c, d, e, f = [*given, *(1, 1, 0, 0, 0, 0, 0)[len(given) :]]
    if kind == 2:
        return float((a * 0.5 + b) ** g + c)
    if kind > 2 and d > 0.5:
        return float(c * 0.5 + f)
    return float((a * 0.5 + b) ** g + e)


def _description(tag: bytes) -> str:
    """The name in a `desc` or `mluc` tag, at most 60 letters that can be printed."""
    text = ""
    if tag[:4] == b"desc" and len(tag) >= 12:
        text = tag[12 : 12 + struct.unpack_from(">I", tag, 8)[0]].decode("latin-1")
    elif tag[:4] == b"mluc" and len(tag) >= 28:
        size, start = struct.unpack_from(">II", tag, 20)
        text = tag[start : start + size].decode("utf-16-be", "replace")
    return "".join(letter for letter in text.split("\0")[0] if letter.isprintable())[:60].strip()
