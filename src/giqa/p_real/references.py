"""References in their places: float16 vectors that are read block by block, from memory or from a mapped file."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadModel, BadShape, MissingSource
from ..files import replacing
from .float16 import LARGEST, halved, widened
from .nearest import Nearest

BLOCK = 64 * 2**20  # bytes of references in memory at a time
FORMAT = 1
UNKNOWN = "0" * 64  # in the place of a checksum, until all references are there
CAN_ADVISE = "MADV_WILLNEED" in dir(mmap)  # not on every system


@dataclass(frozen=True)
class Shape:
    """Of one layer: what is searched. `searches` sets of `kept` vectors: one for every place, or a single one for all.

    Parameters
    ----------
    full, places : tuple of int
        Places of the map, and places that count.
    channels : int
        Numbers of a vector.
    searches, kept : int
        How many sets of vectors there are, and vectors in each.
    """

    full: tuple[int, int]
    places: tuple[int, int]
    channels: int
    searches: int
    kept: int


@dataclass(frozen=True)
class Cost:
    """What a search takes, known before it begins.

    >>> cost = Cost(2000, {"mid": Shape((35, 35), (35, 35), 288, 1225, 2000)})
    >>> round(cost.reference_bytes / 1e9, 2), round(cost.flops / 1e9, 2)
    (1.42, 1.42)
    """

    references: int
    shapes: Mapping[str, Shape]

    @property
    def reference_bytes(self) -> int:
        """float16 vectors and a float32 square for each."""
        return sum(s.searches * s.kept * (2 * s.channels + 4) for s in self.shapes.values())

    @property
    def flops(self) -> int:
        """Of one picture: a product and a sum for each channel of each vector that a place is compared with."""
        return sum(2 * prod(s.places) * s.kept * (s.channels + 1) for s in self.shapes.values())

    @property
    def picture_bytes(self) -> int:
        """Of one picture's maps while it waits, float32."""
        return sum(4 * prod(s.full) * s.channels for s in self.shapes.values())

    def resident(self, pictures: int) -> int:
        """Bytes in memory at a time, for that many pictures in a call and references in a file."""
        largest = max((4 * prod(s.places) * s.channels for s in self.shapes.values()), default=0)
        found = sum(8 * prod(s.places) for s in self.shapes.values())
        threads = cores() * max((Nearest.bytes(s.channels) for s in self.shapes.values()), default=0)
        block = max((max(BLOCK, 2 * s.kept * s.channels) for s in self.shapes.values()), default=0)
        return pictures * (self.picture_bytes + largest + found) + threads + block

    def __str__(self) -> str:
        return (
            f"{self.references} references of {len(self.shapes)} layers: {self.reference_bytes / 1e9:.3g} GB kept, "
            f"{self.flops / 1e9:.3g} GFLOP a picture; {self.resident(64) / 1e9:.2g} GB in memory for 64 pictures at a "
            "time when the references are in a file."
        )


@dataclass(eq=False)
class Reference:
    """Vectors (searches, kept, channels) float16 of each layer and their squares (searches, kept) float32."""

    shapes: Mapping[str, Shape]
    vectors: Mapping[str, np.ndarray]
    squares: Mapping[str, np.ndarray]

    def put(self, name: str, at: slice, vectors: np.ndarray) -> None:
        """Vectors (searches, some, channels) as those of the references `at`."""
        if vectors.size and max(vectors.max(), -vectors.min()) > LARGEST:
            raise BadShape(f"A value of {name} is beyond ±{LARGEST:.0f}, which float16 ends at; scale the layer.")
        half = halved(vectors)
        self.vectors[name][:, at] = half
        wide = widened(half, np.empty(half.shape, np.float32))
        self.squares[name][:, at] = np.einsum("pnc,pnc->pn", wide, wide)
        let_go(self.vectors[name])
        let_go(self.squares[name])

    def tensors(self) -> dict[str, np.ndarray]:
        """All of it by the names and in the order of a file of references, which may go on with other tensors."""
        owners = {"squares": self.squares, "vectors": self.vectors}
        return {key: owners[key.partition(".")[0]][key.partition(".")[2]] for key in _layout(self.shapes)[0]}

    def blocks(self, name: str) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """The first search of each block, its vectors and squares; a block is let go before the next one is read."""
        shape, vectors, squares = self.shapes[name], self.vectors[name], self.squares[name]
        size = max(1, BLOCK // max(1, 2 * shape.kept * shape.channels))
        for start in range(0, shape.searches, size):
            read_ahead(vectors, start + size, start + 2 * size)
            yield start, vectors[start : start + size], squares[start : start + size]
            let_go(vectors)
            let_go(squares)


def read_ahead(array: np.ndarray, start: int, end: int) -> None:
    """Rows of a mapped file that are wanted soon: the system reads them while others are searched (where it can)."""
    if isinstance(array, np.memmap) and CAN_ADVISE and start < len(array):
        page, row = mmap.ALLOCATIONGRANULARITY, array[0].nbytes
        begin = array.offset % page + start * row  # the mapping begins at a whole page
        begin, end = begin - begin % page, min(array.offset % page + end * row, len(array._mmap))
        array._mmap.madvise(mmap.MADV_WILLNEED, begin, end - begin)


def let_go(array: np.ndarray) -> None:
    """Pages of a mapped file that were read or written do not stay resident (where the system takes such advice)."""
    if isinstance(array, np.memmap) and CAN_ADVISE:
        array._mmap.madvise(mmap.MADV_DONTNEED)  # what was written is in the file's cache


def cores() -> int:
    """Those that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


@contextmanager
def open_reference(file: str | Path | None, shapes: Mapping[str, Shape], how: Mapping[str, Any]) -> Iterator[Reference]:
    """A reference to be filled: in memory, or in a safetensors file that exists once all is in it."""
    if file is None:
        vectors = {name: np.zeros((s.searches, s.kept, s.channels), np.float16) for name, s in shapes.items()}
        squares = {name: np.zeros(array.shape[:2], np.float32) for name, array in vectors.items()}
        yield Reference(shapes, vectors, squares)
        return
    file = Path(file)
    with replacing(file) as partial:
        reference = _mapped(partial, shapes, _write_header(partial, shapes, how), "r+")
        yield reference
        for array in reference.tensors().values():
            array.flush()
        del array
        _write_checksum(partial, reference, how)
        reference.vectors = reference.squares = {}  # a file that is mapped cannot be renamed everywhere
    mapped, _ = read_reference(file)
    reference.vectors, reference.squares = mapped.vectors, mapped.squares


def read_reference(file: str | Path) -> tuple[Reference, dict[str, Any]]:
    """A reference that was kept in a file, mapped, and how it was made; a file of references alone is checked."""
    file = Path(file)
    if not file.is_file():
        raise MissingSource(f"There is no file of references {file}; make one with LayerDistances().fit(..., file=).")
    try:
        with file.open("rb") as opened:
            size = int.from_bytes(opened.read(8), "little")
            header = json.loads(opened.read(size)) if size < 2**24 else {}
        said = json.loads(header["__metadata__"]["giqa.distances"])
        known = {name: Shape(tuple(s[0]), tuple(s[1]), *s[2:]) for name, s in said["shapes"].items()}
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        whole = file.stat().st_size == 8 + size + max(ends) and max(ends) >= _layout(known)[1]
        version, how = said["format"], dict(said["how"])
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise BadModel(f"{file} is no file of references ({type(error).__name__}); make it again.") from None
    if version != FORMAT or not whole:
        raise BadModel(f"{file} is cut short, or of another version of giqa; make it again.")
    reference = _mapped(file, known, 8 + size, "r")
    if "sha256" in said and said["sha256"] != _checksum(reference, how):
        raise BadModel(f"{file} is damaged: it does not have the checksum it was made with; make it again.")
    return reference, how


def _checksum(reference: Reference, how: Mapping[str, Any]) -> str:
    """SHA-256 over all that a file of references says."""
    digest = hashlib.sha256(metadata(reference.shapes, how)["giqa.distances"].encode())
    for name in reference.shapes:
        for _, vectors, squares in reference.blocks(name):
            digest.update(np.ascontiguousarray(vectors))
            digest.update(np.ascontiguousarray(squares))
    return digest.hexdigest()


def _write_checksum(file: Path, reference: Reference, how: Mapping[str, Any]) -> None:
    """Put it in its place in the head."""
    with file.open("r+b") as opened:
        head = opened.read(int.from_bytes(opened.read(8), "little"))
        opened.seek(8 + head.index(UNKNOWN.encode()))
        opened.write(_checksum(reference, how).encode())


def _layout(shapes: Mapping[str, Shape]) -> tuple[dict[str, tuple[str, tuple[int, ...], int, int]], int]:
    """Tensor -> (type, shape, begin, end), and the bytes of all, in the order they stand in the file."""
    tensors, end = {}, 0
    for name, s in shapes.items():
        for key, kind, dimensions, width in (
            (f"squares.{name}", "F32", (s.searches, s.kept), 4),
            (f"vectors.{name}", "F16", (s.searches, s.kept, s.channels), 2),
        ):
            begin, end = end, end + width * prod(dimensions)
            tensors[key] = (kind, dimensions, begin, end)
    return tensors, end


def metadata(shapes: Mapping[str, Shape], how: Mapping[str, Any], **more: str) -> dict[str, str]:
    """What a file of references says of itself."""
    kept = {name: [s.full, s.places, s.channels, s.searches, s.kept] for name, s in shapes.items()}
    return {"giqa.distances": json.dumps({"format": FORMAT, "how": dict(how), "shapes": kept, **more})}


def _write_header(file: Path, shapes: Mapping[str, Shape], how: Mapping[str, Any]) -> int:
    """Write the head of a safetensors file and make room for its tensors; where they begin."""
    tensors, size = _layout(shapes)
    entries = {
        name: {"dtype": kind, "shape": dimensions, "data_offsets": [begin, end]}
        for name, (kind, dimensions, begin, end) in tensors.items()
    }
    head = json.dumps({"__metadata__": metadata(shapes, how, sha256=UNKNOWN), **entries}).encode()
    head += b" " * (-len(head) % 8)
    with file.open("wb") as opened:
        opened.write(len(head).to_bytes(8, "little") + head)
        opened.truncate(8 + len(head) + size)
    return 8 + len(head)


def _mapped(file: Path, shapes: Mapping[str, Shape], begin: int, mode: str) -> Reference:
    arrays: dict[str, dict[str, np.ndarray]] = {"vectors": {}, "squares": {}}
    for key, (kind, dimensions, start, _) in _layout(shapes)[0].items():
        owner, _, name = key.partition(".")
        arrays[owner][name] = np.memmap(file, {"F16": "f2", "F32": "f4"}[kind], mode, begin + start, dimensions)
    return Reference(shapes, **arrays)
