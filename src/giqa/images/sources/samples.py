"""Folders of MosaicML's streaming (MDS) and of litdata: `index.json`, and files of samples with a table of offsets."""

from __future__ import annotations

import json
import os
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import BadImage, BadSource
from ...tables.read import IMAGE
from ...types import Source
from ..arrays import as_array
from ..folder import checked_ids
from ..kinds import HEAD, PICTURES, READ, kind_of
from .arrow import RowSource
from .columns import Columns, as_columns
from .items import positions
from .packed import Unpacked
from .parquet import LITDATA, ArrowBlocks
from .spool import read_at

ENCODED = ("jpeg", "png", "image", "file", "bytes")  # the bytes of a file
NUMBERS = {
    **{name: np.dtype(name) for name in ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")},
    **{name: np.dtype(name) for name in ("float16", "float32", "float64")},
}
TEXT = ("str", "text", "str_int", "str_float", "str_decimal")


@dataclass(frozen=True)
class Field:
    """A part of a sample: its name, how it is stored, and its bytes where they are always as many."""

    name: str
    kind: str
    size: int | None = None


def open_samples(where: Any) -> Source | None:
    """A folder with an `index.json` that lists shards of MDS or chunks of litdata."""
    if not isinstance(where, (str, Path)) or not os.path.isfile(os.path.join(where, "index.json")):
        return None
    folder = Path(where)
    try:
        index = json.loads((folder / "index.json").read_bytes())
        if isinstance(index, dict) and {"chunks", "config"} <= index.keys():
            return _litdata(folder, index)
        if isinstance(index, dict) and "shards" in index:
            return _mds(folder, index)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, BadSource):
            raise
        raise BadSource(f"{str(folder / 'index.json')!r} cannot be read: {error!r}.") from None
    return None


def _mds(folder: Path, index: dict[str, Any]) -> Source:
    shards = index["shards"]
    if not shards:
        raise BadSource(f"{str(folder)!r} has no shards.")
    first = shards[0]
    if first["format"] != "mds":
        raise BadSource(f"{str(folder)!r} has shards of {first['format']}, which are not read; write them as MDS.")
    fields = [
        Field(*of) for of in zip(first["column_names"], first["column_encodings"], first["column_sizes"], strict=True)
    ]
    files: list[Path] = []
    unpacked: list[Unpacked] = []
    for shard in shards:
        file = folder / shard["raw_data"]["basename"]
        if not file.is_file() and shard.get("zip_data"):
            kind = str(shard["compression"]).partition(":")[0]  # "zstd:7" has a level
            unpacked.append(Unpacked(folder / shard["zip_data"]["basename"], kind))
            file = unpacked[-1].path
        files.append(file)
    source = SampleSource(str(folder), files, [shard["samples"] for shard in shards], fields, interleaved=True)
    source.unpacked = unpacked
    return source


def _litdata(folder: Path, index: dict[str, Any]) -> Source:
    config, chunks = index["config"], index["chunks"]
    if config.get("compression") or config.get("encryption"):
        raise BadSource(f"{str(folder)!r} is compressed or encrypted; write it with neither.")
    if not chunks:
        raise BadSource(f"{str(folder)!r} has no chunks.")
    files = [folder / chunk["filename"] for chunk in chunks]
    if files[0].is_file() and _is_arrow(files[0]):
        return RowSource(str(folder), ArrowBlocks(files), folder)
    kinds = config["data_format"]
    names: Sequence[str] = [f"part_{number}" for number in range(len(kinds))]
    spec = json.loads(config["data_spec"])[1] if config.get("data_spec") else {}
    if str(spec.get("type")).endswith("dict") and len(spec["children_spec"]) == len(kinds):
        names = json.loads(spec["context"])
    fields = [Field(str(name), kind) for name, kind in zip(names, kinds, strict=True)]
    sizes = [chunk["chunk_size"] for chunk in chunks]
    return SampleSource(str(folder), files, sizes, fields, interleaved=False)


def _is_arrow(chunk: Path) -> bool:
    """Whether a chunk of litdata has samples without bytes, and all of them in an Arrow file behind that."""
    size = chunk.stat().st_size
    start, end = struct.unpack("<II", read_at(chunk, 4, 8)) if size > 12 else (0, 1)
    return start == end and read_at(chunk, size - len(LITDATA), len(LITDATA)) == LITDATA


class SampleSource:
    """A picture a sample; ids are positions, and `columns` the numbers and texts of the samples.

    Parameters
    ----------
    name : str
        What the source is called.
    files : sequence of Path
        Each begins with a count and as many offsets and one more, all uint32.
    counts : sequence of int
        Samples of each file.
    fields : sequence of Field
        The parts of a sample.
    interleaved : bool
        Sizes stand at the beginning of a sample, of the parts without a size of their own (MDS), or of all (litdata).
        Both lie before the parts themselves.
    """

    def __init__(
        self, name: str, files: Sequence[Path], counts: Sequence[int], fields: Sequence[Field], interleaved: bool
    ):
        self.name, self._files, self._fields, self._fixed = name, list(files), list(fields), interleaved
        self._ends = list(accumulate(counts))
        self.unpacked: Sequence[Unpacked] = ()  # temporary files, which are kept as long as this
        if not self._ends[-1]:
            raise BadSource(f"{name!r} holds no samples.")
        for file in self._files:
            if not file.is_file():
                raise BadSource(f"{name!r} lists {file.name!r}, which is missing; fetch the whole folder.")
        self._picture = self._picture_field()
        self.ids = checked_ids(positions(self._ends[-1]), name)
        self.columns = Columns(self._read_columns)

    def __len__(self) -> int:
        return len(self.ids)

    def __reduce__(self):
        return open_samples, (self.name,)

    def path(self, index: int) -> None:
        return None

    def raw(self, index: int) -> bytes | np.ndarray:
        content = self._parts(index)[self._picture]
        return _pil(content) if self._fields[self._picture].kind == "pil" else content

    def _parts(self, index: int) -> list[bytes]:
        number = bisect_right(self._ends, index)
        row = index - (self._ends[number - 1] if number else 0)
        start, end = struct.unpack("<II", read_at(self._files[number], 4 * (1 + row), 8))
        if end < start:
            raise BadImage(f"the table of {self._files[number].name!r} is damaged")
        sample = read_at(self._files[number], start, end - start)
        sizes = [field.size if self._fixed else None for field in self._fields]
        unknown = sum(size is None for size in sizes)
        if len(sample) < 4 * unknown:
            raise BadImage(f"sample {row} of {self._files[number].name!r} is damaged")
        given = iter(struct.unpack_from(f"<{unknown}I", sample))
        ends = list(accumulate((next(given) if size is None else size for size in sizes), initial=4 * unknown))
        if ends[-1] > len(sample):
            raise BadImage(f"sample {row} of {self._files[number].name!r} is damaged")
        return [sample[low:high] for low, high in pairwise(ends)]

    def _picture_field(self) -> int:
        first = self._parts(0)
        fitting = [
            number
            for number, (field, content) in enumerate(zip(self._fields, first, strict=True))
            if field.kind == "pil"
            or (field.kind.partition(":")[0] in ENCODED and kind_of(content[:HEAD]) in (*READ, *PICTURES))
        ]
        if len(fitting) > 1:
            fitting = [number for number in fitting if self._fields[number].name in IMAGE][:1] or fitting
        if len(fitting) == 1:
            return fitting[0]
        held = ", ".join(f"{field.name} ({field.kind})" for field in self._fields)
        what = "several pictures a sample" if fitting else "no column of encoded pictures"
        raise BadSource(f"{self.name!r} has {what}: {held}; write one as jpeg or png, called 'image'.")

    def _read_columns(self) -> dict[str, list[str]]:
        reading = [(number, field.name, _reader(field.kind)) for number, field in enumerate(self._fields)]
        known = [(number, name, read) for number, name, read in reading if read]
        if not known:
            return {}
        samples: Iterable[list[bytes]] = (self._parts(index) for index in range(len(self)))
        return as_columns({name: read(parts[number]) for number, name, read in known} for parts in samples)


def _reader(kind: str) -> Callable[[bytes], Any] | None:
    """What makes a value of the bytes of a number or text; None for anything else."""
    if kind in TEXT:
        return lambda content: content.decode("utf-8", "replace")
    if kind == "bool":
        return lambda content: content == b"\x01"
    dtype = NUMBERS.get({"int": "int64", "float": "float64"}.get(kind, kind))
    return None if dtype is None else lambda content: np.frombuffer(content, dtype)[0].item()


def _pil(content: bytes) -> np.ndarray:
    """A Pillow image as MDS and litdata store it: width, height, length of the mode, mode, pixels."""
    from PIL import Image

    try:
        width, height, length = struct.unpack_from("<III", content)
        mode = content[12 : 12 + length].decode()
        if mode in ("P", "PA"):
            raise BadImage("a palette picture, stored without its palette; write it as png")
        return as_array(Image.frombytes(mode, (width, height), content[12 + length :]))
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        raise error if isinstance(error, BadImage) else BadImage(f"damaged: {error}") from None
