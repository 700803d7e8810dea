"""Pictures that are Python objects: arrays, lists, data sets of PyTorch, tables of pandas, streams, functions."""

from __future__ import annotations

import inspect
import io
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ...errors import BadSource
from ...tables.read import IMAGE
from ...types import Source
from ..arrays import ArraySource, Tensor, as_array
from ..folder import ListSource, checked_ids
from ..kinds import READ, kind_of
from .columns import Columns, as_cell, as_columns
from .items import KEYS, File, as_label, as_raw, asked, each_of, is_picture_item, names_of, parts_of, positions
from .spool import Spool

FRAMES = ("pandas", "polars")


@runtime_checkable
class _ImageFolder(Protocol):
    """torchvision's ImageFolder, which knows the files."""

    root: Any
    samples: Sequence[tuple[str, int]]
    classes: Sequence[str]


@runtime_checkable
class _Subset(Protocol):
    """torch.utils.data.Subset."""

    dataset: Any
    indices: Sequence[int]


@runtime_checkable
class _ByPosition(Protocol):
    """A list, or a data set with a length."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Any: ...


def open_object(where: Any) -> Source | None:
    """An array, a list, a mapping of names to pictures, a data set, a table, a stream or a function that gives one."""
    if _is_column(where):  # a column keeps its labels when rows are drawn or sorted: by position, not by label
        items = where.tolist() if isinstance(where, np.ndarray) else list(where)
        return ListSource(items) if items and all(isinstance(item, (str, Path)) for item in items) else _list(items)
    if isinstance(where, (set, frozenset)):
        raise BadSource("A set has no order, so pictures would have other names in every run; give sorted(...).")
    array = as_array(where)
    if isinstance(array, np.ndarray):
        return ItemSource("picture", [array], ["0"]) if _is_one(where, array) else ArraySource(array, name="array")
    if isinstance(where, (bytes, bytearray)) and kind_of(bytes(where[:64])) in READ:
        return ItemSource("picture", [bytes(where)], ["0"])
    if where is None or isinstance(where, (str, bytes, bytearray, os.PathLike, type)):
        return None
    if isinstance(where, File):  # which could be gone through line by line
        return ItemSource("file", [where], ["0"])
    if type(where).__module__.partition(".")[0] in FRAMES and type(where).__name__ == "DataFrame":
        return _frame(where)
    if isinstance(where, Mapping):
        return ItemSource("mapping", list(where.values()), [str(name) for name in where])
    if isinstance(where, (list, tuple)):
        return _list(where)
    streamed = any(base.__name__ == "IterableDataset" for base in type(where).__mro__)
    if isinstance(where, _ByPosition) and not streamed:
        return DatasetSource(where)
    if isinstance(where, Iterable):
        return StreamSource(where)
    return _of_function(where) if isinstance(where, Callable) else None


def _is_column(where: Any) -> bool:
    """Whether it is a column of a table: a Series of pandas or polars, an Index, or a flat array of names."""
    if isinstance(where, np.ndarray):
        return where.ndim == 1 and where.dtype.kind in "OU"
    return type(where).__module__.partition(".")[0] in FRAMES and type(where).__name__ in ("Series", "Index")


def _is_one(where: Any, array: np.ndarray) -> bool:
    """Whether an array, a tensor or a Pillow image is one picture: grey, or with its channels last."""
    if array.ndim == 2:
        return where is not array or array.dtype.kind == "u"
    return array.ndim == 3 and (array.shape[-1] in (3, 4) or not (where is array or isinstance(where, Tensor)))


def _list(items: Sequence[Any]) -> Source:
    if all(isinstance(item, (np.ndarray, Tensor)) for item in items):
        return ArraySource([as_array(item) for item in items], name="list")
    if all(is_picture_item(item) for item in items):
        return ItemSource("list", items, positions(len(items)))
    for index, item in enumerate(items):
        if not isinstance(item, (tuple, list, Mapping)) and not is_picture_item(item):
            raise BadSource(
                f"list: item {index} is no picture but {type(item).__name__}; give paths, bytes, arrays, tensors or "
                "Pillow images."
            )
    return DatasetSource(items, "list")


def _of_function(make: Callable[..., Any]) -> Source:
    from .. import open_source

    try:
        needed = [p for p in inspect.signature(make).parameters.values() if p.default is p.empty and p.kind < 2]
    except (TypeError, ValueError):
        needed = []
    if needed:
        raise BadSource(
            f"The function needs {needed[0].name!r}; of one that makes a picture of a seed give "
            "giqa.images.from_seeds(function, 1000)."
        )
    return open_source(make())


class ItemSource:
    """Pictures in memory, as bytes, paths, open files, arrays or Pillow images.

    Parameters
    ----------
    name : str
        What the source is called.
    items : sequence
        The pictures.
    ids : sequence of str
        Their names.
    columns : mapping of str to sequence of str
        What is known of each.
    """

    def __init__(
        self, name: str, items: Sequence[Any], ids: Sequence[str], columns: Mapping[str, Sequence[str]] | None = None
    ):
        if not len(items):
            raise BadSource(f"The {name} holds no pictures.")
        self.name, self._items, self.ids = name, items, checked_ids(ids, f"the {name}")
        self.columns = columns or {}

    def __len__(self) -> int:
        return len(self.ids)

    def path(self, index: int) -> Path | None:
        item = self._items[index]
        return Path(item) if isinstance(item, (str, Path)) else None

    def raw(self, index: int) -> bytes | np.ndarray:
        return as_raw(self._items[index])


class DatasetSource:
    """A data set with a length, such as PyTorch's: items are pictures, (picture, label) or mappings.

    Items are made when they are asked for; every label is asked for once, when somebody wants them. Ids are positions,
    for torchvision's ImageFolder the paths below its root.
    """

    def __init__(self, dataset: Any, name: str = "data set"):
        try:
            len(dataset)
        except TypeError as error:  # a sparse matrix has one, and cannot say it
            raise BadSource(f"{type(dataset).__name__} is no data set of pictures: {error}") from None
        self.name, self._dataset = name, dataset
        self._known: dict[str, list[str]] | None = None
        base, rows = dataset, range(len(dataset))
        while isinstance(base, _Subset):
            base, rows = base.dataset, [base.indices[row] for row in rows]
        if not len(rows):
            raise BadSource(f"The {name} holds no pictures.")
        if isinstance(base, _ImageFolder):
            samples = [base.samples[row] for row in rows]
            ids = [PurePath(os.path.relpath(path, base.root)).as_posix() for path, _ in samples]
            self._known = {"label": [str(base.classes[label]) for _, label in samples]}
        elif base is dataset:
            ids = positions(len(rows))
        else:
            width = len(str(len(base) - 1))
            ids = [str(int(row)).zfill(width) for row in rows]
        self.ids = checked_ids(ids, f"the {name}")
        self.columns = Columns(self._read_columns)

    def __len__(self) -> int:
        return len(self.ids)

    def path(self, index: int) -> None:
        return None

    def raw(self, index: int) -> bytes | np.ndarray:
        return as_raw(parts_of(asked(self._dataset.__getitem__, index, "the data set"))[0])

    def _read_columns(self) -> dict[str, list[str]]:
        if self._known is not None:
            return self._known
        items = (parts_of(self._dataset[row])[1] for row in range(len(self)))
        return as_columns({name: as_label(value) for name, value in parts.items()} for parts in items)


class StreamSource:
    """Whatever can be gone through once: a generator, an IterableDataset, a DataLoader. Batches are taken apart.

    It is read to its end when it is opened, and kept in a temporary file: bytes as they are, pixels as arrays. Ids are
    `__key__`, `id` or `key` of the items if every one has its own, else positions.
    """

    def __init__(self, stream: Iterable[Any], name: str = "stream"):
        self.name, self._spool = name, Spool()
        self._arrays = bytearray()  # 1 where the picture is an array
        parts: list[dict[str, Any]] = []
        for item in stream:
            for picture, other in each_of(item):
                raw = as_raw(picture)
                self._arrays.append(isinstance(raw, np.ndarray))
                self._spool.append(_saved(raw) if isinstance(raw, np.ndarray) else raw)
                parts.append({name: as_label(value) for name, value in other.items()})
        self._spool.finish()
        if not parts:
            raise BadSource(f"The {name} holds no pictures; a generator that was gone through before is empty.")
        self.ids = checked_ids(names_of(parts), f"the {name}")
        self.columns = as_columns({k: v for k, v in each.items() if k not in KEYS} for each in parts)

    def __len__(self) -> int:
        return len(self.ids)

    def path(self, index: int) -> None:
        return None

    def raw(self, index: int) -> bytes | np.ndarray:
        content = self._spool.read(index)
        return np.load(io.BytesIO(content), allow_pickle=False) if self._arrays[index] else content


def _saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _frame(frame: Any) -> Source:
    """A table of pandas or polars: pictures in the column `image` or the like, else in the first that holds some."""
    pandas = type(frame).__module__.partition(".")[0] == "pandas"
    if pandas:
        columns = frame.astype(object).where(frame.notna(), None).to_dict("list")  # pandas has several kinds of nothing
    else:
        columns = frame.to_dict(as_series=False)
    cells = {str(name): column for name, column in columns.items()}
    holding = [name for name, column in cells.items() if column and is_picture_item(column[0])]
    image = next((name for name in IMAGE if name in holding), holding[0] if holding else None)
    if image is None:
        raise BadSource(f"No column of the table holds paths, bytes or pictures; it has {', '.join(cells) or 'none'}.")
    parts = [{name: cells[name][row] for name in KEYS if name in cells} for row in range(len(cells[image]))]
    paths = all(isinstance(cell, (str, Path)) for cell in cells[image])
    ids = [PurePath(cell).as_posix() for cell in cells[image]] if paths else names_of(parts)
    others = {name: [as_cell(as_label(cell)) for cell in column] for name, column in cells.items() if name != image}
    plain = {name: column for name, column in others.items() if name not in holding}
    return ItemSource("table", cells[image], ids, plain)
