"""Hugging Face `datasets`: objects and saved folders; the package itself is not needed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ...errors import BadSource
from ...types import Source
from .arrow import RowSource, TableBlocks
from .objects import DatasetSource, StreamSource
from .parquet import ArrowBlocks


@runtime_checkable
class _Dataset(Protocol):
    """A `datasets.Dataset`: an Arrow table, and the rows of it that were selected."""

    data: Any
    _indices: Any
    features: Any
    column_names: Any
    format: Any


@runtime_checkable
class _Streamed(Protocol):
    """A `datasets.IterableDataset`."""

    def with_format(self, type: str | None) -> Any: ...


def open_dataset(where: Any) -> Source | None:
    """A `datasets.Dataset`, the folder that its `save_to_disk` wrote, or an `IterableDataset`.

    Formats ("torch", "numpy") are left out: they give the indices of a palette, and four channels of CMYK. What
    `with_transform` was given makes the pictures.
    """
    if isinstance(where, (str, Path)):
        return _open_saved(Path(where))
    if isinstance(where, Mapping) and type(where).__module__.startswith("datasets."):
        first = next(iter(where))
        raise BadSource(f"The dataset has the splits {', '.join(where)}; give one, such as dataset[{first!r}].")
    if not type(where).__module__.startswith("datasets."):
        return None
    if type(where).__name__ == "IterableDataset" and isinstance(where, _Streamed):
        return StreamSource(where.with_format(None))
    if not isinstance(where, _Dataset):
        return None
    if where.format["type"] == "custom":
        return DatasetSource(where)
    indices = where._indices
    rows = None if indices is None else indices.column(0).to_pylist()
    said = {"info": {"features": {name: _said(feature) for name, feature in dict(where.features).items()}}}
    table = where.data.table.replace_schema_metadata({"huggingface": json.dumps(said)})
    return RowSource("dataset", TableBlocks([table]), Path(), rows=rows)


def _said(feature: Any) -> dict[str, Any]:
    """A feature as the metadata of a file has it."""
    kind = type(feature).__name__
    return {"_type": kind, "names": list(feature.names)} if kind == "ClassLabel" else {"_type": kind}


def _open_saved(folder: Path) -> Source | None:
    if os.path.isfile(folder / "dataset_dict.json"):
        splits = _json(folder / "dataset_dict.json").get("splits", [])
        if len(splits) == 1:
            return _open_saved(folder / splits[0])
        raise BadSource(f"{str(folder)!r} has the splits {', '.join(splits)}; give one, such as {folder / splits[0]}.")
    if not os.path.isfile(folder / "state.json") or not os.path.isfile(folder / "dataset_info.json"):
        return None
    files = [folder / each["filename"] for each in _json(folder / "state.json").get("_data_files", [])]
    if not files:
        raise BadSource(f"{str(folder)!r} is a saved dataset without rows.")
    return RowSource(str(folder), ArrowBlocks(files), folder)


def _json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, OSError) as error:
        raise BadSource(f"{str(path)!r} cannot be read: {error}.") from None
