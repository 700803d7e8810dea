"""Pictures in Parquet, Arrow and Feather files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ...errors import BadSource
from ...types import Source
from ..kinds import kind_of
from ..table import split_spec
from .arrow import RowSource, TableBlocks, picture_column, pyarrow, whole_columns

PARQUET = (".parquet", ".pq")
ARROW = (".arrow", ".feather", ".ipc")
LITDATA = b"LDARW01\0"  # the last bytes of a chunk of litdata that ends with an Arrow file
ROWS = 16  # read at a time, since one row may be megabytes


def open_parquet(where: Any) -> Source | None:
    """A Parquet file whose cells are pictures, with a filter or without; one that names files is a table."""
    if not isinstance(where, (str, Path)) or not (spec := split_spec(str(where))):
        return None
    path, filters = spec
    if not path.name.lower().endswith(PARQUET) or not path.is_file():
        return None
    blocks = ParquetBlocks(path)
    if picture_column(blocks, str(path)) is None and path.name.lower().endswith(".parquet"):
        return None
    return RowSource(str(where), blocks, path.parent, filters)


def open_arrow(where: Any) -> Source | None:
    """An Arrow file (also a stream), a Feather file, or a `pyarrow.Table`."""
    if type(where).__module__.startswith("pyarrow") and isinstance(where, pyarrow().Table):
        return RowSource("table", TableBlocks([where]), Path())
    if not isinstance(where, (str, Path)) or not (spec := split_spec(str(where))):
        return None
    path, filters = spec
    if not path.name.lower().endswith(ARROW) or not os.path.isfile(path):
        return None
    return RowSource(str(where), ArrowBlocks([path]), path.parent, filters)


class ParquetBlocks:
    """The row groups of a Parquet file, which is opened for each, so that threads and processes share nothing.

    Reading ahead is switched off: with it a row group of 600 MB takes 1,780 MiB of memory.
    """

    mapped = False

    def __init__(self, path: Path):
        self._path = path
        file = self._open()
        self._metadata = file.metadata
        self.schema = file.schema_arrow
        self.sizes = [self._metadata.row_group(n).num_rows for n in range(self._metadata.num_row_groups)]

    def __reduce__(self):
        return ParquetBlocks, (self._path,)

    def _open(self, **known: Any) -> Any:
        pyarrow()
        from pyarrow.parquet import ParquetFile

        try:
            return ParquetFile(
                self._path, pre_buffer=False, buffer_size=1 << 20, page_checksum_verification=True, **known
            )
        except MemoryError:
            raise
        except Exception as error:  # those of pyarrow are of many kinds, such as NotImplementedError
            raise BadSource(f"{str(self._path)!r} is not Parquet, or is damaged ({error}).") from None

    def read(self, block: int, columns: Sequence[str]) -> Any:
        try:
            return self._open(metadata=self._metadata).read_row_group(block, columns=list(columns), use_threads=False)
        except MemoryError:
            raise
        except Exception as error:
            raise BadSource(f"{str(self._path)!r} is damaged ({error}).") from None

    def pieces(self, block: int, column: str) -> Iterator[Any]:
        file = self._open(metadata=self._metadata)
        try:
            for batch in file.iter_batches(ROWS, row_groups=[block], columns=[column], use_threads=False):
                yield batch.column(0)
        except MemoryError:
            raise
        except Exception as error:
            raise BadSource(f"{str(self._path)!r} is damaged ({error}).") from None


class ArrowBlocks:
    """The record batches of Arrow files, mapped into memory: only what is looked at is read."""

    def __init__(self, paths: Sequence[Path]):
        self._paths = list(paths)
        self._batches: list[Callable[[], Any]] = []
        for path in paths:
            self._batches += _batches(path)
        if not self._batches:
            raise BadSource(f"{str(paths[0])!r} has no rows.")
        before = pyarrow().total_allocated_bytes()
        first = self._batches[0]()
        self.schema = first.schema
        self.mapped = pyarrow().total_allocated_bytes() - before < first.nbytes / 2  # a packed one is unpacked
        self.sizes = [batch().num_rows for batch in self._batches]

    def __reduce__(self):
        return ArrowBlocks, (self._paths,)

    def read(self, block: int, columns: Sequence[str]) -> Any:
        return whole_columns(pyarrow().Table.from_batches([self._batches[block]()]), columns)

    def pieces(self, block: int, column: str) -> Iterator[Any]:
        yield self._batches[block]().column(column)


def _batches(path: Path) -> list[Callable[[], Any]]:
    import pyarrow.ipc as ipc

    arrow = pyarrow()
    try:
        with path.open("rb") as file:
            head = file.read(16)
        mapped = arrow.memory_map(str(path)).read_buffer()
        if mapped[-len(LITDATA) :].to_pybytes() == LITDATA:  # the file is in the end, and its length behind it
            end = len(mapped) - len(LITDATA) - 4
            length = int.from_bytes(mapped[end : end + 4], "little")
            mapped = mapped[end - length : end]
            head = mapped[:16].to_pybytes()
        if head.startswith(b"ARROW1"):
            reader = ipc.open_file(mapped)
            return [partial(reader.get_batch, number) for number in range(reader.num_record_batches)]
        return [partial(_itself, batch) for batch in ipc.open_stream(mapped)]
    except MemoryError:
        raise
    except Exception as error:
        what = kind_of(head) or "no Arrow file"
        raise BadSource(f"{str(path)!r} is {what}, or is damaged ({error}).") from None


def _itself(batch: Any) -> Any:
    return batch
