"""What a set of pictures looks like as files: formats, coding, sizes, grey, upscaling; and where two sets differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadImage
from ..types import Picture, Source
from . import traces
from .colour import colour_space
from .decode import MAX_PIXELS, decode, picture_info
from .formats import opened
from .kinds import kind_of
from .pictures import as_pictures
from .sharpness import sharpness

LOSSY = ("JPEG", "WEBP", "AVIF")
PROFILE = "colour profile"
ALPHA = "alpha composited on white"  # the note of `decode`
SAMPLINGS = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}


@dataclass(frozen=True)
class Look:
    """One picture: how it was saved (`format`, `quality`, `sampling`) and what its pixels show (`past` and after)."""

    id: str
    format: str  # Pillow's name, "array" for pixels that were never a file, "WEBP lossless"
    quality: int | None  # of a JPEG file, from its tables
    standard: bool  # whether these are the tables every libjpeg writes
    sampling: str | None
    colour: str | None  # the space that the file names, `colour_space`
    width: int
    height: int
    notes: tuple[str, ...]
    past: int | None  # `traces.jpeg_past`
    detail: float  # `traces.detail`
    grey: bool
    digest: bytes
    sharpness: float = float("nan")  # `sharpness.sharpness`

    @property
    def coded(self) -> bool:
        """Whether lossy coding has touched it, in this file or in an earlier one."""
        return self.format in LOSSY or self.past is not None

    @property
    def coding_quality(self) -> int | None:
        """The lower of the file's quality and the one its pixels show."""
        return min((q for q in (self.quality, self.past) if q is not None), default=None)

    @property
    def wide(self) -> str | None:
        """The colour space where it is another than sRGB, which is what a file without a profile is taken for."""
        return None if self.colour == "sRGB" else self.colour

    @property
    def shorter(self) -> int:
        return min(self.width, self.height)


@dataclass(frozen=True)
class Profile:
    """The looks of a sample of a source: `n` pictures in all, `unreadable` as (id, reason)."""

    name: str
    n: int
    looks: tuple[Look, ...]
    unreadable: tuple[tuple[str, str], ...] = ()

    def values(self, of: Callable[[Look], float | None]) -> np.ndarray:
        """One number a picture, without those that have none, sorted."""
        found = np.array([v for look in self.looks if (v := of(look)) is not None], np.float64)
        return np.sort(found[np.isfinite(found)])

    def median(self, of: Callable[[Look], float | None]) -> float | None:
        values = self.values(of)
        return float(np.median(values)) if len(values) else None

    def share(self, of: Callable[[Look], bool]) -> float:
        return sum(map(of, self.looks)) / len(self.looks) if self.looks else 0.0

    def counts(self, of: Callable[[Look], Hashable]) -> dict[Hashable, int]:
        """How many of each, the most frequent first; None is left out."""
        return dict(Counter(v for look in self.looks if (v := of(look)) is not None).most_common())

    def saved(self) -> str:
        """Formats by share, and what most files have in common: "100% JPEG, quality 75, 4:2:0"."""
        parts = [f"{n / len(self.looks):.0%} {name}" for name, n in self.counts(lambda look: look.format).items()][:3]
        if quality := self.median(lambda look: look.quality):
            parts.append(f"quality {quality:.0f}")
        if sampling := self.counts(lambda look: look.sampling):
            parts.append(str(next(iter(sampling))))
        past = [look.past for look in self.looks if look.past and not look.quality]
        if len(past) > 0.1 * len(self.looks):
            parts.append(f"once JPEG of quality {np.median(past):.0f}")
        parts += [f"{n / len(self.looks):.0%} in {name}" for name, n in self.counts(lambda look: look.wide).items()][:2]
        return ", ".join(parts)

    def size(self) -> str:
        """The one size, or the median and the range."""
        sizes = self.counts(lambda look: (look.width, look.height))
        if len(sizes) < 2:
            return "".join(f"{width}×{height}" for width, height in sizes)
        width, height = self.median(lambda look: look.width), self.median(lambda look: look.height)
        shorter = self.values(lambda look: look.shorter)
        return f"median {width:.0f}×{height:.0f}, shorter side {shorter[0]:.0f} to {shorter[-1]:.0f}"


def profile(source: Source, n: int = 200, match: Callable[[np.ndarray], np.ndarray] | None = None) -> Profile:
    """Look at up to `n` pictures of a source, as they are after `match`; which ones, `Pictures.sample` says."""
    pictures, looks, unreadable = as_pictures(source), [], []
    for index in sorted(pictures.sample(n)):
        try:
            raw, picture = pictures.ahead(index)
            if match:
                raw = match(picture.pixels)
                picture = decode(raw)
            looks.append(look_at(source.ids[index], raw, picture))
        except BadImage as error:
            unreadable.append((source.ids[index], str(error)))
    return Profile(source.name, len(source), tuple(looks), tuple(unreadable))


def look_at(name: str, raw: bytes | np.ndarray, picture: Picture | None = None) -> Look:
    """Everything that is measured of one picture; `BadImage` when it cannot be decoded."""
    picture = decode(raw) if picture is None else picture
    info = picture_info(picture)
    return Look(
        name,
        *_file(raw),
        width=int(info["width"]),
        height=int(info["height"]),
        notes=picture.notes,
        past=traces.jpeg_past(picture.pixels),
        detail=traces.detail(picture.pixels),
        grey=traces.is_grey(picture.pixels),
        digest=info["digest"].tobytes(),
        sharpness=sharpness(picture.pixels),
    )


def _file(raw: bytes | np.ndarray) -> tuple[str, int | None, bool, str | None, str | None]:
    """Format, JPEG quality, whether its tables are the standard ones, chroma subsampling, and colour space."""
    from PIL import JpegImagePlugin

    if isinstance(raw, np.ndarray):
        return "array", None, False, None, None
    kind = kind_of(raw)
    with opened(kind, raw, MAX_PIXELS) as file:
        colour = colour_space(kind, raw, file.info, _exif(file) if kind == "JPEG" else {})
        if kind == "WebP" and b"VP8L" in raw[:4096]:
            return "WEBP lossless", None, False, None, colour
        if kind != "JPEG" or not file.quantization:
            return kind.upper(), None, False, None, colour
        quality, standard = traces.jpeg_quality(file.quantization[min(file.quantization)])
        return kind, quality, standard, SAMPLINGS.get(JpegImagePlugin.get_sampling(file)), colour


def _exif(file: Any) -> dict[str, Any]:
    """What EXIF says of the colour space; nothing where it cannot be read."""
    try:
        exif = file.getexif()
        return {"space": exif.get_ifd(0x8769).get(0xA001), "index": exif.get_ifd(0xA005).get(1)}
    except Exception:  # the parser raises anything on damage
        return {}
