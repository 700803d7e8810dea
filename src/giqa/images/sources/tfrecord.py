"""Pictures in TFRecords: ProGAN's and StyleGAN's `shape` and `data`, and encoded files as in `image/encoded`."""

from __future__ import annotations

import os
import re
import struct
from array import array
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import BadImage, BadSource
from ...types import Source
from ..folder import MAX_BYTES, checked_ids
from ..kinds import HEAD, PICTURES, READ, kind_of
from .columns import Columns, as_columns
from .items import positions
from .spool import read_at

TFRECORD = (".tfrecord", ".tfrecords")
LEVEL = re.compile(r"(.*)-r(\d\d)\.tfrecords")  # StyleGAN writes the same pictures in every size


def open_tfrecord(where: Any) -> Source | None:
    """A file called .tfrecord or .tfrecords, or one whose first record has the checksum of one."""
    if not isinstance(where, (str, Path)) or not os.path.isfile(where):
        return None
    if str(where).lower().endswith(TFRECORD):
        return TFRecordSource(where)
    return TFRecordSource(where) if re.search(r"\.tfrecord|-\d+-of-\d+$", Path(where).name) else None


class TFRecordSource:
    """A picture a record; ids are positions. Both checksums of a record are checked, as TensorFlow does.

    `columns` are the parts of the records with one number or one text each, and the one-hot rows of StyleGAN's
    `.labels` file next to the records as `label`.
    """

    def __init__(self, path: str | Path):
        self.name, self._path = str(path), Path(path)
        self._starts, self._sizes = array("q"), array("q")
        self._index()
        if not len(self._starts):
            raise BadSource(f"{self.name!r} holds no records.")
        self.ids = checked_ids(positions(len(self._starts)), self.name)
        self.columns = Columns(self._read_columns)

    def __len__(self) -> int:
        return len(self.ids)

    def __reduce__(self):
        return TFRecordSource, (self._path,)

    def path(self, index: int) -> None:
        return None

    def raw(self, index: int) -> bytes | np.ndarray:
        parts = self.record(index)
        if "data" in parts and "shape" in parts:
            return _pixels(parts["data"], parts["shape"])
        encoded = [value[0] for value in parts.values() if len(value) == 1 and isinstance(value[0], bytes)]
        pictures = [value for value in encoded if kind_of(value[:HEAD]) in (*READ, *PICTURES)]
        if len(pictures) != 1:
            held = ", ".join(parts) or "nothing"
            raise BadImage(f"record {index} holds {len(pictures)} encoded pictures; its parts are {held}")
        return pictures[0]

    def _index(self) -> None:
        """Place and size of every record; the checksum of a size says whether it is one."""
        size, at = os.path.getsize(self._path), 0
        with self._path.open("rb") as file:
            while at < size:
                file.seek(at)
                head = file.read(12)
                if len(head) < 12:
                    raise BadSource(f"{self.name!r} is cut short in record {len(self._starts)}; get it again.")
                length, said = struct.unpack("<QI", head)
                if said != masked(crc32c(head[:8])):
                    raise BadSource(
                        f"{self.name!r} is damaged, or no TFRecord: record {len(self._starts)} at byte {at} has a "
                        "wrong checksum of its length."
                    )
                if at + 16 + length > size:
                    raise BadSource(f"{self.name!r} is cut short in record {len(self._starts)}; get it again.")
                self._starts.append(at + 12)
                self._sizes.append(length)
                at += 16 + length

    def record(self, index: int) -> dict[str, Sequence[Any]]:
        """All parts of a record by name, each a list of bytes or numbers."""
        size = self._sizes[index]
        if size > MAX_BYTES:
            raise BadImage(f"too large: {size} bytes; the limit is {MAX_BYTES}")
        content = read_at(self._path, self._starts[index], size + 4)
        if struct.unpack("<I", content[-4:])[0] != masked(crc32c(content[:-4])):
            raise BadImage(f"record {index} is damaged: the checksum of its data is wrong")
        try:
            return dict(_example(content[:-4]))
        except (IndexError, ValueError, struct.error):
            raise BadImage(f"record {index} is no tf.train.Example") from None

    def _read_columns(self) -> dict[str, list[str]]:
        columns = as_columns(map(self._values, range(len(self))))
        level = LEVEL.fullmatch(self._path.name)
        labels = next(iter(sorted(self._path.parent.glob(f"{level[1]}-*.labels"))), None) if level else None
        if labels is None:
            return columns
        try:
            rows = np.load(labels, allow_pickle=False)
        except (ValueError, OverflowError, MemoryError, OSError) as error:
            raise BadSource(f"{str(labels)!r} cannot be read: {error}.") from None
        if rows.ndim == 2 and len(rows) == len(self):
            columns["label"] = [str(int(row.argmax())) if row.any() else "" for row in rows]
        return columns

    def _values(self, index: int) -> dict[str, Any]:
        values = {}
        for name, value in self.record(index).items():
            if len(value) == 1 and name not in ("data", "shape"):
                text = value[0]
                if not isinstance(text, bytes):
                    values[name] = text
                elif kind_of(text[:HEAD]) == "text" and len(text) < 10_000:
                    values[name] = text.decode("utf-8", "replace")
        return values


def _pixels(data: Sequence[Any], shape: Sequence[int]) -> np.ndarray:
    """Raw bytes in the order channel, row, column; a shape of one number is that of a square."""
    if len(data) != 1 or not isinstance(data[0], bytes):
        raise BadImage("the part 'data' of the record is not one text of bytes")
    raw = np.frombuffer(data[0], np.uint8)
    if len(shape) == 1:
        side = int(shape[0])
        shape = (raw.size // (side * side) if side else 0, side, side)
    if len(shape) != 3 or int(np.prod(shape)) != raw.size or shape[0] not in (1, 3, 4):
        raise BadImage(f"{raw.size} bytes do not fit the shape {tuple(shape)} (channels, height, width)")
    return np.ascontiguousarray(raw.reshape(tuple(shape)).transpose(1, 2, 0))


def _example(content: bytes) -> Iterator[tuple[str, Sequence[Any]]]:
    """Name and values of each feature of a tf.train.Example, a protocol buffer."""
    for _, features in _fields(content):
        for _, entry in _fields(features):
            pair = dict(_fields(entry))
            yield (
                pair[1].decode(),
                [value for kind, made in _fields(pair.get(2, b"")) for value in _values_of(kind, made)],
            )


def _values_of(kind: int, content: bytes) -> Iterator[Any]:
    """Bytes, floats or integers of a list, packed or one by one."""
    for _, value in _fields(content):
        if kind == 1:
            yield value
        elif kind == 2:
            yield from struct.unpack(f"<{len(value) // 4}f", value)
        elif isinstance(value, int):
            yield _signed(value)
        else:
            at = 0
            while at < len(value):
                number, at = _varint(value, at)
                yield _signed(number)


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def _fields(content: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each field of a message; the wire types that Example has."""
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        if tag & 7 == 0:
            value, at = _varint(content, at)
        elif tag & 7 == 2:
            length, at = _varint(content, at)
            value, at = content[at : at + length], at + length
            if len(value) != length:
                raise ValueError("cut short")
        elif tag & 7 == 5:
            value, at = content[at : at + 4], at + 4
        else:
            raise ValueError(f"wire type {tag & 7}")
        yield tag >> 3, value


def _varint(content: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = content[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at


def masked(checksum: int) -> int:
    """A checksum as TFRecord stores it: turned by 15 bits, plus a constant."""
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF


def crc32c(content: bytes) -> int:
    """CRC-32C (Castagnoli, reflected 0x82F63B78).

    Long content is cut into rows of 256 bytes that are worked on at once, and their checksums are joined: moving a
    checksum over 256 bytes of zeros is linear, so a table for each of its four bytes is enough.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    table, over = _tables()
    checksum = 0xFFFFFFFF
    whole = len(content) // _ROW * _ROW
    if whole:
        rows = np.frombuffer(content, np.uint8, whole).reshape(-1, _ROW)
        sums = np.zeros(len(rows), np.uint32)
        for column in rows.T:
            sums = table[(sums ^ column) & 255] ^ (sums >> 8)
        a, b, c, d = (part.tolist() for part in over)
        for each in sums.tolist():
            moved = a[checksum & 255] ^ b[checksum >> 8 & 255] ^ c[checksum >> 16 & 255] ^ d[checksum >> 24]
            checksum = moved ^ each
    small = _small()
    for byte in content[whole:]:
        checksum = small[(checksum ^ byte) & 255] ^ checksum >> 8
    return checksum ^ 0xFFFFFFFF


_ROW = 256


@cache
def _tables() -> tuple[np.ndarray, list[np.ndarray]]:
    """The table of one byte; for each byte of a checksum what it becomes behind `_ROW` zeros."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(0x82F63B78), table >> 1).astype(np.uint32)
    over = []
    for place in range(4):
        moved = np.arange(256, dtype=np.uint32) << np.uint32(8 * place)
        for _ in range(_ROW):
            moved = table[moved & 255] ^ (moved >> 8)
        over.append(moved)
    return table, over


@cache
def _small() -> list[int]:
    return _tables()[0].tolist()
