"""What a set of pictures looks like as files: formats, coding, sizes, grey, upscaling; and where two sets differ."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from ..errors import BadImage
from ..types import Source
from . import traces
from .colour import colour_space
from .decode import MAX_PIXELS, decode, picture_info
from .formats import opened
from .kinds import kind_of
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


def profile(
    source: Source, n: int = 200, seed: int = 0, match: Callable[[np.ndarray], np.ndarray] | None = None
) -> Profile:
    """Look at up to `n` pictures of a source, as they are after `match`.

    The sample are the pictures whose base names have the smallest seeded hashes: random, independent of order, and the
    same names in two folders that overlap, so that copies are found.
    """

    def key(index: int) -> tuple[bytes, str]:
        name = PurePosixPath(source.ids[index]).name
        return hashlib.blake2b(f"{seed}/{name}".encode("utf-8", "surrogateescape")).digest(), source.ids[index]

    looks, unreadable = [], []
    for index in sorted(heapq.nsmallest(n, range(len(source)), key=key)):
        try:
            raw = source.raw(index)
            looks.append(look_at(source.ids[index], match(decode(raw).pixels) if match else raw))
        except BadImage as error:
            unreadable.append((source.ids[index], str(error)))
    return Profile(source.name, len(source), tuple(looks), tuple(unreadable))


def look_at(name: str, raw: bytes | np.ndarray) -> Look:
    """Everything that is measured of one picture; `BadImage` when it cannot be decoded."""
    picture = decode(raw)
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
        tables = getattr(file, "quantization", None)
        if kind != "JPEG" or not tables:
            return kind.upper(), None, False, None, colour
        quality, standard = traces.jpeg_quality(tables[min(tables)])
        return kind, quality, standard, SAMPLINGS.get(JpegImagePlugin.get_sampling(file)), colour


def _exif(file: Any) -> dict[str, Any]:
    """What EXIF says of the colour space; nothing where it cannot be read."""
    try:
        exif = file.getexif()
        return {"space": exif.get_ifd(0x8769).get(0xA001), "index": exif.get_ifd(0xA005).get(1)}
    except Exception:  # the parser raises anything on damage
        return {}


def moved(a: np.ndarray, b: np.ndarray, at_least: float) -> bool:
    """Whether two sorted samples have medians `at_least` apart, and not by chance (Kolmogorov-Smirnov, p < .001)."""
    if not len(a) or not len(b) or abs(np.median(a) - np.median(b)) <= at_least:
        return False
    both = np.union1d(a, b)
    distance = np.abs(np.searchsorted(a, both, "right") / len(a) - np.searchsorted(b, both, "right") / len(b)).max()
    return bool(distance == 1 or distance > 1.95 * np.sqrt(1 / len(a) + 1 / len(b)))


def differences(a: Profile, b: Profile) -> tuple[str, ...]:
    """What tells the files of two sets apart: of coding, quality, sampling, size, aspect, grey, alpha, detail, profile.

    Medians must differ by 5 (quality), 2 % (size), 5 % (aspect) or a factor of 3 (detail), shares by 10 points, and
    each by more than samples of this size differ by chance.
    """

    def uneven(of: Callable[[Look], bool]) -> bool:
        if not a.looks or not b.looks:
            return False
        p, q, n, m = a.share(of), b.share(of), len(a.looks), len(b.looks)
        pooled = (p * n + q * m) / (n + m)
        return abs(p - q) > max(0.1, 2 * np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m)))

    def apart(of: Callable[[Look], float | None], at_least: float) -> bool:
        return moved(a.values(of), b.values(of), at_least)

    short = min(side.median(lambda look: look.shorter) or 0 for side in (a, b))
    subsampled = [[look.sampling != "4:4:4" for look in side.looks if look.sampling] for side in (a, b)]
    spaces = {look.wide for side in (a, b) for look in side.looks} - {None}
    found = {
        "coding": uneven(lambda look: look.coded) or uneven(lambda look: look.coding_quality is not None),
        "quality": apart(lambda look: look.coding_quality, 5),
        "sampling": all(subsampled) and abs(np.mean(subsampled[0]) - np.mean(subsampled[1])) > 0.5,
        "size": apart(lambda look: look.shorter, 0.02 * short),
        "aspect": apart(lambda look: np.log(look.width / look.height), 0.05),
        "grey": uneven(lambda look: look.grey),
        "alpha": uneven(lambda look: ALPHA in look.notes),
        "detail": apart(lambda look: np.log(max(look.detail, 1e-9)), np.log(3)),
        PROFILE: any(uneven(lambda look, name=name: look.wide == name) for name in spaces),
    }
    return tuple(topic for topic, differs in found.items() if differs)


def advice(topics: Collection[str]) -> str:
    """What to do about `differences`: a match evens out all but colour profiles.

    >>> advice(["size"])
    "match='auto' (--match) evens it out"
    """
    others = [topic for topic in topics if topic != PROFILE]
    return "; ".join(
        ["match='auto' (--match) evens it out"] * bool(others)
        + ["colour profiles are not applied, so convert both sets to sRGB first"] * (PROFILE in topics)
    )
