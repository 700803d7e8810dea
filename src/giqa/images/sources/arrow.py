"""Pictures in the cells of an Arrow table, wherever the table is: Parquet, Arrow files, Hugging Face `datasets`."""

from __future__ import annotations

import json
import os
import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Any, Protocol

from ...errors import BadImage, BadSource, MissingExtra
from ...tables.read import IMAGE
from ...tables.table import Table
from ..folder import MAX_BYTES, checked_ids
from ..kinds import HEAD, PICTURES, READ, kind_of
from ..table import rows_kept
from .columns import Columns, as_cell
from .spool import Spool

NAMES = ("id", "key", "__key__", "image_id", *IMAGE)  # columns that may hold ids
BIG = 1 << 25  # bytes of pictures in a block that are held in memory; more go to a temporary file
KEPT = 4  # blocks in memory


class Blocks(Protocol):
    """An Arrow table in blocks, such as the row groups of Parquet."""

    schema: Any
    sizes: Sequence[int]  # rows of each block
    mapped: bool  # whether its memory is that of a file, and costs nothing

    def read(self, block: int, columns: Sequence[str]) -> Any:
        """A pyarrow.Table with these columns of a block; "image.path" is a part of a struct."""

    def pieces(self, block: int, column: str) -> Iterator[Any]:
        """A column of a block as arrays, a few rows at a time."""


class RowSource:
    """A picture a row. Cells are bytes, or structs of `bytes` and `path` as Hugging Face writes them.

    Ids are the paths in the structs if every row has one of its own (absolute ones below the folder they share), else a
    column `id`, `key`, `file_name` or the like, else positions. Every other column without nested values is in
    `columns`, class labels by their names. Bytes are decoded by giqa. A row without bytes whose path is not on this
    machine fails alone.

    Parameters
    ----------
    name : str
        What the source is called.
    blocks : Blocks
        The table.
    folder : Path
        What relative paths are relative to.
    filters : str, default ""
        As in "TABLE[filters]".
    rows : sequence of int or None
        The rows that count, in their order; None: all.
    """

    def __init__(self, name: str, blocks: Blocks, folder: Path, filters: str = "", rows: Sequence[int] | None = None):
        self.name, self._blocks, self._folder = name, blocks, folder
        self._ends = list(accumulate(blocks.sizes))
        self._rows = range(self._ends[-1] if self._ends else 0) if rows is None else rows
        self._column = picture_column(blocks, name)
        if self._column is None:
            raise BadSource(f"{name!r} has no column of pictures; its columns are {', '.join(blocks.schema.names)}.")
        self._held: OrderedDict[int, _Held] = OrderedDict()
        self._lock = Lock()
        self.columns: Mapping[str, Sequence[str]] = Columns(self._read_columns)
        if not len(self._rows):
            raise BadSource(f"{name!r} has no rows.")
        ids = self._ids()
        if filters.strip():
            if not self.columns:
                raise BadSource(f"{name!r} has no column beside the pictures, so {filters!r} names none.")
            kept = rows_kept(name, Table(name, dict(self.columns)), filters)
            self._rows, ids = [self._rows[row] for row in kept], [ids[row] for row in kept]
            self.columns = Columns(self._read_columns)
        self.ids = checked_ids(ids, name)

    def __len__(self) -> int:
        return len(self.ids)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_held": OrderedDict(), "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state | {"_lock": Lock()})

    def path(self, index: int) -> None:
        return None

    def raw(self, index: int) -> bytes:
        row = self._rows[index]
        block = bisect_right(self._ends, row)
        content, path = self._block(block).cell(row - (self._ends[block - 1] if block else 0))
        if content is None and path:
            try:
                content = (self._folder / path).read_bytes()  # an absolute path stands for itself
            except (OSError, ValueError):
                raise BadImage(
                    f"row {row} holds no bytes, only the path {path!r}, which is not on this machine; write the table "
                    "with the pictures in it"
                ) from None
        if content is None:
            raise BadImage(f"row {row} holds no picture")
        if len(content) > MAX_BYTES:
            raise BadImage(f"too large: {len(content)} bytes; the limit is {MAX_BYTES}")
        return content

    def _block(self, number: int) -> _Held:
        with self._lock:
            if number not in self._held:
                self._held[number] = _Held(self._blocks, number, self._column)
                small = [other for other, held in self._held.items() if held.spool is None]
                if len(small) > KEPT:
                    del self._held[small[0]]
            self._held.move_to_end(number)
            return self._held[number]

    def _ids(self) -> list[str]:
        texts = self._texts([name for name in NAMES if name in plain_names(self._blocks)])
        if "path" in parts_of(self._blocks.schema.field(self._column).type):
            paths = [cell for block in range(len(self._ends)) for cell in self._paths(block)]
            texts = {"path": _below([paths[row] for row in self._rows]), **texts}
        for cells in texts.values():
            if all(cells) and len(set(cells)) == len(cells):
                return [str(cell).replace("\\", "/") for cell in cells]
        width = len(str(max(self._rows)))
        return [str(row).zfill(width) for row in self._rows]

    def _paths(self, block: int) -> list[str | None]:
        from pyarrow.compute import struct_field

        paths = struct_field(self._blocks.read(block, [f"{self._column}.path"]).column(0), "path").to_pylist()
        return [None if path is None else str(path) for path in paths]

    def _texts(self, names: Sequence[str]) -> dict[str, list[str]]:
        whole = texts_of(self._blocks, names)
        return {name: [cells[row] for row in self._rows] for name, cells in whole.items()}

    def _read_columns(self) -> dict[str, list[str]]:
        return self._texts(plain_names(self._blocks))


def plain_names(blocks: Blocks) -> list[str]:
    """The columns of a table without nested values and without bytes."""
    return [field.name for field in blocks.schema if _is_plain(field.type)]


def texts_of(blocks: Blocks, names: Sequence[str]) -> dict[str, list[str]]:
    """Columns as text, class labels by their names."""
    classes = class_names(blocks.schema)
    whole: dict[str, list[str]] = {name: [] for name in names}
    for block in range(len(blocks.sizes)) if names else ():
        table = blocks.read(block, names)
        for name in names:
            known = classes.get(name, ())
            cells = table.column(name).to_pylist()
            whole[name] += [known[c] if isinstance(c, int) and 0 <= c < len(known) else as_cell(c) for c in cells]
    return whole


def plain_columns(blocks: Blocks, without: Collection[str], only_with: str) -> dict[str, list[str]]:
    """The plain columns as text but for some; none of a table that has no column `only_with`."""
    names = plain_names(blocks)
    return texts_of(blocks, [name for name in names if name not in without]) if only_with in names else {}


def _below(paths: Sequence[str | None]) -> Sequence[str | None]:
    """Absolute paths relative to the folder that all share, as in a list of paths; any others as they are."""
    plain = [PurePosixPath(re.sub("^//+", "/", path.replace("\\", "/"))) for path in paths if path]
    if len(plain) < len(paths) or not all(path.is_absolute() for path in plain):
        return paths
    folder = os.path.commonpath([path.parent for path in plain])
    return [path.relative_to(folder).as_posix() for path in plain]


class _Held:
    """The pictures of one block: in memory, or in a temporary file where they are many bytes."""

    def __init__(self, blocks: Blocks, number: int, column: str):
        self.spool: Spool | None = None
        self._arrays: list[Any] = []
        self._places: list[tuple[int | None, str | None]] = []  # number in the spool, path
        size = 0
        for piece in blocks.pieces(number, column):
            size += piece.nbytes
            if self.spool is None:
                self._arrays.append(piece)
                if size > BIG and not blocks.mapped:
                    self.spool = Spool()
                    for array in self._arrays:
                        self._store(array)
                    self._arrays = []
            else:
                self._store(piece)
        if self.spool is not None:
            self.spool.finish()
        self._ends = list(accumulate(map(len, self._arrays)))

    def cell(self, row: int) -> tuple[bytes | None, str | None]:
        if self.spool is not None:
            place, path = self._places[row]
            return None if place is None else self.spool.read(place), path
        number = bisect_right(self._ends, row)
        return _bytes_and_path(self._arrays[number][row - (self._ends[number - 1] if number else 0)].as_py())

    def _store(self, array: Any) -> None:
        for cell in array:
            content, path = _bytes_and_path(cell.as_py())
            self._places.append((None if content is None else self.spool.append(content), path))


def _bytes_and_path(cell: Any) -> tuple[bytes | None, str | None]:
    """Of one picture; a path that is no text, such as a list, is none."""
    if not isinstance(cell, dict):
        return cell, None
    path = cell.get("path")
    return cell.get("bytes"), path if isinstance(path, str) else None


def picture_column(blocks: Blocks, name: str) -> str | None:
    """The column that holds the pictures, None where none does; refused where it is not clear which.

    What Hugging Face's metadata calls an image, else structs with `bytes`, else binary cells that begin as pictures do.
    """
    schema = blocks.schema
    features = _features(schema)
    structs = [field.name for field in schema if _has_bytes(field.type)]
    binary = [field.name for field in schema if _is_binary(field.type)]
    found = [name for name in (*structs, *binary) if features.get(name, {}).get("_type") == "Image"]
    found = found or structs or [name for name in binary if _holds_pictures(blocks, name)]
    if len(found) < 2:
        return found[0] if found else None
    if clear := next((column for column in IMAGE if column in found), None):
        return clear
    raise BadSource(f"{name!r} holds pictures in the columns {', '.join(found)}; call the one to read 'image'.")


def _features(schema: Any) -> Mapping[str, Any]:
    """What Hugging Face says of each column."""
    try:
        said = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        return {name: kind for name, kind in said.items() if isinstance(kind, dict)}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def class_names(schema: Any) -> dict[str, Sequence[str]]:
    """Of each column of class labels the names of the classes, by number."""
    return {name: kind["names"] for name, kind in _features(schema).items() if kind.get("_type") == "ClassLabel"}


def _holds_pictures(blocks: Blocks, column: str) -> bool:
    for block in range(len(blocks.sizes)):
        for piece in blocks.pieces(block, column):
            for cell in piece:
                if content := cell.as_py():
                    return kind_of(content[:HEAD]) in (*READ, *PICTURES)
    return False


def parts_of(kind: Any) -> list[str]:
    """Names of the parts of an Arrow type that is a struct; none of any other."""
    return [part.name for part in kind] if pyarrow().types.is_struct(kind) else []


def _has_bytes(kind: Any) -> bool:
    """Whether an Arrow type is a struct whose part `bytes` holds such; of nulls alone where all rows have paths."""
    of = kind.field("bytes").type if "bytes" in parts_of(kind) else None
    return of is not None and (_is_binary(of) or pyarrow().types.is_null(of))


def _is_binary(kind: Any) -> bool:
    types = pyarrow().types
    return types.is_binary(kind) or types.is_large_binary(kind)


def _is_plain(kind: Any) -> bool:
    return not (pyarrow().types.is_nested(kind) or _is_binary(kind) or pyarrow().types.is_fixed_size_binary(kind))


def pyarrow() -> Any:
    """The module `pyarrow`; `MissingExtra` where it is not installed."""
    try:
        import pyarrow
        import pyarrow.types
    except ModuleNotFoundError:
        raise MissingExtra("Parquet and Arrow files need pyarrow: pip install 'giqa[parquet]'") from None
    return pyarrow


class TableBlocks:
    """Tables in memory as blocks."""

    mapped = True

    def __init__(self, tables: Iterable[Any]):
        self._tables = list(tables)
        self.schema = self._tables[0].schema
        self.sizes = [table.num_rows for table in self._tables]

    def read(self, block: int, columns: Sequence[str]) -> Any:
        return whole_columns(self._tables[block], columns)

    def pieces(self, block: int, column: str) -> Iterator[Any]:
        yield from self._tables[block].column(column).chunks


def open_table(where: Any) -> RowSource | None:
    """A pyarrow.Table in memory."""
    if type(where).__module__.partition(".")[0] != "pyarrow" or type(where).__name__ != "Table":
        return None
    return RowSource("table", TableBlocks([where]), Path())


def whole_columns(table: Any, columns: Sequence[str]) -> Any:
    """Columns of a table; for a part of a struct, the struct."""
    return table.select([name if name in table.schema.names else name.rpartition(".")[0] for name in columns])
