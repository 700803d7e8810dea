"""The pictures of a source as they are worked on: a sample looked at ahead, each read and decoded once."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from threading import Lock

import numpy as np

from ..types import Picture, Source, columns_of
from .decode import MAX_PIXELS, decode

KEPT = 2**28  # bytes of pictures that are kept between a look ahead and the pass over all


class Pictures:
    """A `Source` that remembers what was decoded ahead of the pass over it, up to 256 MB of pixels and files.

    `profile` and `look_at_sharpness` look at a sample before features are computed, since what they find decides how.
    What they decoded waits here until it is taken, so that a picture is read once and not once for each question. A
    picture of more than `max_pixels` is refused.
    """

    def __init__(self, source: Source, max_pixels: int = MAX_PIXELS):
        self.source, self.name, self.ids, self.max_pixels = source, source.name, source.ids, max_pixels
        self.columns: Mapping[str, Sequence[str]] = columns_of(source)
        self._ahead: dict[int, tuple[bytes | np.ndarray, Picture]] = {}
        self._sample: list[int] = []
        self._kept, self._lock = 0, Lock()

    def __len__(self) -> int:
        return len(self.source)

    def raw(self, index: int) -> bytes | np.ndarray:
        return self._ahead[index][0] if index in self._ahead else self.source.raw(index)

    def path(self, index: int) -> Path | None:
        return self.source.path(index)

    def sample(self, n: int) -> list[int]:
        """Rows of up to n pictures: those whose base names have the smallest hashes, in that order.

        Random, independent of the order of the source, the smaller sample a part of the larger one, and the same names
        in two folders that overlap, so that copies are found.
        """
        if len(self._sample) < min(n, len(self)):
            self._sample = heapq.nsmallest(n, range(len(self)), key=lambda row: (_hash(self.ids[row]), self.ids[row]))
        return self._sample[:n]

    def ahead(self, index: int) -> tuple[bytes | np.ndarray, Picture]:
        """A picture as it was saved and decoded, kept until it is taken where memory allows; `BadImage`."""
        if index in self._ahead:
            return self._ahead[index]
        raw = self.source.raw(index)
        found = raw, decode(raw, self.max_pixels)
        size = found[1].pixels.nbytes + (0 if isinstance(raw, np.ndarray) else len(raw))
        with self._lock:
            if self._kept + size <= KEPT:
                self._kept += size
                self._ahead[index] = found
        return found

    def take(self, index: int) -> tuple[bytes | np.ndarray, Callable[[], Picture]]:
        """A picture as it was saved, and what decodes it or has done so already; `BadImage`."""
        found = self._ahead.pop(index, None)
        if found is None:
            raw = self.source.raw(index)
            return raw, lambda: decode(raw, self.max_pixels)
        raw, picture = found
        with self._lock:
            self._kept -= picture.pixels.nbytes + (0 if isinstance(raw, np.ndarray) else len(raw))
        return raw, lambda: picture


def _hash(name: str) -> bytes:
    base = PurePosixPath(name).name
    return hashlib.blake2b(f"0/{base}".encode("utf-8", "surrogateescape")).digest()


def plain_source(source: Source) -> Source:
    """The same source without a memory: it can be sent to other processes."""
    return source.source if isinstance(source, Pictures) else source


def as_pictures(source: Source) -> Pictures:
    """The same source, with a memory."""
    return source if isinstance(source, Pictures) else Pictures(source)
