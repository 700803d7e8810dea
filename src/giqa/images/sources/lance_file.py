"""Pictures in a Lance data set: read a few rows at a time, as the version that it has when it is opened."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from ...errors import BadSource, MissingExtra
from ...types import Source
from .arrow import RowSource, pyarrow, whole_columns
from .parquet import ROWS

T = TypeVar("T")
_FILTERED = re.compile(r"(.+?\.lance)/?\[(.*)\]")


def open_lance(where: Any) -> Source | None:
    """A folder with `_versions`, as Lance writes it; `x.lance[kind=real]` for some of its rows."""
    if not isinstance(where, (str, Path)):
        return None
    path, filters = str(where), ""
    if not os.path.exists(path) and (filtered := _FILTERED.fullmatch(path)):
        path, filters = filtered.groups()
    if not os.path.isdir(os.path.join(path, "_versions")):
        return None
    return RowSource(str(where), LanceBlocks(Path(path)), Path(path).parent, filters)


class LanceBlocks:
    """The fragments of a Lance data set as blocks. Pickled as its path and version.

    Parameters
    ----------
    path : Path
        The folder.
    version : int or None
        None: the newest.
    """

    mapped = False

    def __init__(self, path: Path, version: int | None = None):
        self._path = path
        self._version = version
        self._version = self._data.version
        self.schema = _with_blobs_as_bytes(self._data.schema)
        self.sizes = [self._asked(fragment.count_rows) for fragment in self._fragments]

    def __reduce__(self):
        return LanceBlocks, (self._path, self._version)

    @cached_property
    def _data(self) -> Any:
        try:
            import lance
        except ModuleNotFoundError as error:
            if error.name != "lance":  # a broken pylance shows itself
                raise
            raise MissingExtra(
                f"{str(self._path)!r} is a Lance data set, which needs pylance: pip install 'giqa[lance]'"
            ) from None
        try:
            return lance.dataset(self._path, version=self._version)
        except (ValueError, OSError) as error:
            raise BadSource(f"{str(self._path)!r} is no Lance data set, or is damaged ({error}).") from None

    @cached_property
    def _fragments(self) -> list[Any]:
        return self._data.get_fragments()

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except (ValueError, OSError) as error:  # pylance's own errors are these
            raise BadSource(f"{str(self._path)!r} is damaged ({error}).") from None

    def read(self, block: int, columns: Sequence[str]) -> Any:
        names = sorted({name if name in self.schema.names else name.rpartition(".")[0] for name in columns})
        return whole_columns(self._asked(lambda: self._fragments[block].to_table(columns=names)), columns)

    def pieces(self, block: int, column: str) -> Iterator[Any]:
        few = {"batch_size": ROWS, "batch_readahead": 1, "blob_handling": "all_binary"}
        batches = iter(self._fragments[block].to_batches(columns=[column], **few))
        while (batch := self._asked(lambda: next(batches, None))) is not None:
            yield batch.column(0)


def _with_blobs_as_bytes(schema: Any) -> Any:
    """A scan gives the bytes of blobs when asked to, whatever type their column has."""
    for number, field in enumerate(schema):
        is_blob = (field.metadata or {}).get(b"lance-encoding:blob") == b"true"
        if is_blob or str(field.type).startswith("extension<lance.blob"):
            schema = schema.set(number, pyarrow().field(field.name, pyarrow().large_binary()))
    return schema
