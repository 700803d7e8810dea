"""Pictures in arrays on disk: HDF5 files and zarr folders."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from ...errors import BadImage, BadSource, MissingExtra
from ...types import Source
from ..arrays import check_pixels
from ..folder import checked_ids, head_of
from ..kinds import kind_of
from .columns import as_cell
from .items import positions

HDF5 = (".h5", ".hdf5", ".hdf", ".he5")
KEPT = 4  # chunks in memory


def open_hdf5(where: Any) -> Source | None:
    """An HDF5 file, by its first bytes."""
    if not isinstance(where, (str, Path)) or not os.path.isfile(where):
        return None
    return ChunkedSource(where, "hdf5") if kind_of(head_of(Path(where))) == "HDF5 file" else None


def open_zarr(where: Any) -> Source | None:
    """A folder of zarr, version 2 or 3."""
    if not isinstance(where, (str, Path)) or not os.path.isdir(where):
        return None
    known = any(os.path.isfile(os.path.join(where, name)) for name in (".zarray", ".zgroup", "zarr.json"))
    return ChunkedSource(where, "zarr") if known else None


class ChunkedSource:
    """The array `images` of an HDF5 file or zarr folder, else its only one with 3 or 4 dimensions; a picture a row.

    One chunk is read at a time. `columns` are the arrays with one value a picture; ids are `ids` or positions. Rows
    of HDF5 may also be the bytes of files. A row of zeros only was never written, or is black: the formats do not say
    which, so it fails alone. Pickled as its path; a forked process opens it anew.
    """

    def __init__(self, path: str | Path, kind: str):
        self.name, self._path, self._kind, self._lock = str(path), Path(path), kind, Lock()
        self._open()
        arrays = self._arrays
        fitting = [name for name, each in arrays.items() if each.ndim in (3, 4) or _is_encoded(each)]
        named = [name for name in fitting if name.rpartition("/")[2] == "images"]
        if len(named or fitting) != 1:
            held = ", ".join(f"{name} {each.shape}" for name, each in arrays.items()) or "nothing"
            raise BadSource(f"{self.name!r} should hold an array called images; it holds {held}.")
        self._images = (named or fitting)[0]
        images = arrays[self._images]
        if not images.shape[0]:
            raise BadSource(f"{self.name!r} holds no pictures.")
        if not _is_encoded(images):
            check_pixels(images, images.shape[1:], self.name)
        flat = {n: each for n, each in arrays.items() if each.shape == (images.shape[0],) and n != self._images}
        short = [name.rpartition("/")[2] for name in flat]
        cells = {
            name if short.count(last) > 1 else last: [_cell(value) for value in each[:]]
            for (name, each), last in zip(flat.items(), short, strict=True)
        }
        self.ids = checked_ids(cells.pop("ids", None) or positions(images.shape[0]), self.name)
        self.columns: Mapping[str, list[str]] = cells

    def __len__(self) -> int:
        return len(self.ids)

    def __reduce__(self):
        return ChunkedSource, (self._path, self._kind)

    def path(self, index: int) -> None:
        return None

    def raw(self, index: int) -> bytes | np.ndarray:
        with self._lock:
            if self._process != os.getpid():
                self._open()
            try:
                pixels = self._row(index)
            except (OSError, ValueError, RuntimeError) as error:
                raise BadImage(f"row {index} cannot be read: {error}") from None
        if not pixels.any():
            raise BadImage(f"row {index} holds zeros only: it was never written, or it is black")
        return pixels.tobytes() if pixels.ndim == 1 else pixels

    def _row(self, index: int) -> np.ndarray:
        """A row out of its chunk, which is read as a whole anyway; the last few are kept."""
        images = self._arrays[self._images]
        rows = images.chunks[0] if images.chunks else 1  # HDF5 need not have chunks
        start = index // rows * rows
        if start not in self._chunks:
            self._chunks[start] = images[start : start + rows]
            if len(self._chunks) > KEPT:
                del self._chunks[next(iter(self._chunks))]
        return np.asarray(self._chunks[start][index - start])

    def _open(self) -> None:
        self._process = os.getpid()
        self._chunks: dict[int, Any] = {}
        self._arrays = _of_hdf5(self._path) if self._kind == "hdf5" else _of_zarr(self._path)


def _of_hdf5(path: Path) -> dict[str, Any]:
    try:
        import h5py
    except ModuleNotFoundError:
        raise MissingExtra("HDF5 needs the package h5py: pip install 'giqa[arrays]'") from None
    arrays: dict[str, Any] = {}
    try:
        file = h5py.File(path, "r")
        file.visititems(lambda name, each: arrays.update({name: each}) if isinstance(each, h5py.Dataset) else None)
    except OSError as error:
        raise BadSource(f"{str(path)!r} cannot be read as HDF5: {error}.") from None
    return arrays


def _of_zarr(path: Path) -> dict[str, Any]:
    try:
        import zarr
    except ModuleNotFoundError:
        raise MissingExtra("zarr folders need the package zarr: pip install 'giqa[arrays]'") from None
    try:
        opened = zarr.open(str(path), mode="r")
        return dict(opened.arrays()) if isinstance(opened, zarr.Group) else {"images": opened}
    except (OSError, ValueError, KeyError) as error:
        raise BadSource(f"{str(path)!r} cannot be read as zarr: {error}.") from None


def _is_encoded(each: Any) -> bool:
    """Whether rows are the bytes of files: HDF5's rows of any length."""
    if each.ndim != 1 or each.dtype.kind != "O" or not each.dtype.metadata:
        return False
    return each.dtype.metadata.get("vlen") == np.dtype("uint8")


def _cell(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else as_cell(np.asarray(value).tolist())
