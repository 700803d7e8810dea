"""The feature store: what was computed once is never computed again.

One folder for each way of computing features (extractor, weights, preprocessing), in it pairs of files that only grow:
`*.rows` holds fixed-size records, read one by one, and `*.keys` holds for each record the content key of the picture
and a checksum. A record counts once its key is written, so a process can die at any moment and loses only the batch
it was writing. Every process writes a pair of its own, so two of them never touch the same file. The index of a store
takes 36 bytes of memory a picture; that of the last four is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import BadImage, BadShape
from ..files import is_whole, seal
from ..images.sources.spool import read_at

KEY = np.dtype([("key", "u1", (16,)), ("crc", "<u4")])
FORMAT = 1
NOTED = 3600.0  # seconds: so often the use of a store is noted, since pruning takes what was not used for longest


def content_key(raw: bytes | np.ndarray) -> bytes:
    """16 bytes that name a picture by its content: SHA-256 of the file, or of the array with its shape and dtype."""
    digest = hashlib.sha256()
    if isinstance(raw, np.ndarray):
        digest.update(f"array {raw.shape} {raw.dtype.str}".encode())
        raw = np.ascontiguousarray(raw)
    digest.update(raw)
    return digest.digest()[:16]


class Store:
    """Rows of one record type, found by content key.

    Parameters
    ----------
    folder : path
        Where all stores live; each has a folder of its own in it, named by a digest of its identity.
    identity : mapping
        Everything that decides the value of a row; anything that JSON can say.

    Examples
    --------
    >>> import tempfile
    >>> key, records = content_key(b"a file"), np.ones(1, [("layer:deep", "<f4", (2,))])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Store(folder, {"extractor": "mine"}) as store:
    ...         store.append([key], records)
    ...     [record["layer:deep"].tolist() for record in Store(folder, {"extractor": "mine"}).read([key])]
    [[1.0, 1.0]]
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]):
        self.identity = json.loads(json.dumps({"format": FORMAT, **identity}, sort_keys=True))
        self.folder = Path(folder) / _name_of(self.identity)
        self._writing: tuple[Any, Any] | None = None
        self.dtype: np.dtype | None = None
        self._index = self._open()

    def __contains__(self, key: bytes) -> bool:
        return len(self._places(key)) > 0

    def __len__(self) -> int:
        return len(np.unique(self._index.entries["key"].view("V16")))

    def _open(self) -> _Index:
        meta = _read_meta(self.folder)
        if meta is None:  # not there, or damaged: then it is written anew with the first record
            (self.folder / "meta.json").unlink(missing_ok=True)
            return _index(())
        self.dtype = _dtype_of(meta)
        pairs = []
        for path in sorted(self.folder.glob("*.keys")):
            rows = path.with_suffix(".rows")
            with suppress(OSError):  # pruned by another process between the listing and here
                if time.time() - path.stat().st_mtime > NOTED:
                    with suppress(OSError):  # a store that others own can still be read
                        os.utime(path)
                keys, size = path.stat(), rows.stat().st_size // self.dtype.itemsize
                pairs.append((rows, min(keys.st_size // KEY.itemsize, size), keys.st_mtime_ns))
        return _index(tuple(pairs))

    def read(self, keys: Sequence[bytes]) -> list[np.void | None]:
        """The record of each key.

        Parameters
        ----------
        keys : sequence of bytes
            Of `content_key`.

        Returns
        -------
        list of records
            None where there is none, or where its checksum no longer fits.
        """
        return [self._record(key) for key in keys]

    def _record(self, key: bytes) -> np.void | None:
        """The newest record whose checksum fits: a damaged one was computed again by a later run."""
        index, size = self._index, self.dtype.itemsize if self.dtype else 0
        for place in self._places(key)[::-1]:
            pair = int(np.searchsorted(index.starts, place, "right")) - 1
            try:
                # read and not mapped: pages of a mapped file would count as memory of this process
                raw = read_at(index.rows[pair], (place - int(index.starts[pair])) * size, size)
            except BadImage:  # pruned by another process
                continue
            if zlib.crc32(raw) == index.entries["crc"][place]:
                return np.frombuffer(raw, self.dtype)[0]
        return None

    def _places(self, key: bytes) -> list[int]:
        """The numbers of all records of a key."""
        index, head = self._index, _heads(np.frombuffer(key, "u1")[None])[0]
        first, end = np.searchsorted(index.heads, head), np.searchsorted(index.heads, head, "right")
        places = sorted(index.order[first:end].tolist())
        return [place for place in places if index.entries["key"][place].tobytes() == key]

    def append(self, keys: Sequence[bytes], records: np.ndarray) -> None:
        """Add records under their keys; once it returns they survive the death of this process.

        Parameters
        ----------
        keys : sequence of n bytes
            Of `content_key`.
        records : structured array (n,)
            All of one dtype for the whole store.

        Raises
        ------
        BadShape
            When the store holds records of another dtype.
        OSError
            When the disk is full; what is half written is never added to.
        """
        if self.dtype is not None and records.dtype != self.dtype:
            raise BadShape(f"The store in {self.folder} holds other records: {self.dtype}, got {records.dtype}.")
        if self._writing is None:
            self._start(records.dtype)
        rows_file, keys_file = self._writing
        entries = np.empty(len(keys), KEY)
        for i, key in enumerate(keys):
            entries[i] = np.frombuffer(key, "u1"), zlib.crc32(records[i].tobytes())
        try:
            rows_file.write(records.tobytes())
            rows_file.flush()
            keys_file.write(entries.tobytes())
            keys_file.flush()
        except OSError:  # a full disk: what is half written is never added to
            with suppress(OSError):
                self.close()
            self._writing = None
            raise

    def _start(self, dtype: np.dtype) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        meta = self.folder / "meta.json"
        if not meta.exists():  # or no longer: another process may have pruned it
            fields = [(name, dtype[name].base.str, dtype[name].shape) for name in dtype.names]
            partial = meta.with_suffix(f".{uuid.uuid4().hex}")
            partial.write_text(
                json.dumps(seal(json.loads(json.dumps({"identity": self.identity, "dtype": fields})), {}))
            )
            os.replace(partial, meta)
        self.dtype = dtype
        name = uuid.uuid4().hex
        self._writing = (self.folder / f"{name}.rows").open("wb"), (self.folder / f"{name}.keys").open("wb")

    def close(self) -> None:
        for file in self._writing or ():
            file.close()
        self._writing = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Index(NamedTuple):
    """The records of a store's pairs, numbered through."""

    rows: tuple[Path, ...]  # of each pair the file of records ...
    starts: np.ndarray  # ... the number of its first record, and in the end that of all
    entries: np.ndarray  # `KEY` of all records
    heads: np.ndarray  # of the keys, sorted ...
    order: np.ndarray  # ... and the number of the record of each


@lru_cache(maxsize=4)  # a run opens its store for every shard
def _index(pairs: tuple[tuple[Path, int, int], ...]) -> _Index:
    """The index of some pairs: the file of records, how many are whole, and when the keys were last written."""
    rows, found = [], []
    for path, whole, _ in pairs:
        with suppress(OSError):  # pruned by another process
            found.append(np.fromfile(path.with_suffix(".keys"), KEY, count=whole))
            rows.append(path)
    entries = np.concatenate([np.empty(0, KEY), *found])
    heads = _heads(entries["key"])
    order = np.argsort(heads).astype(np.int32 if len(heads) < 2**31 else np.int64)
    return _Index(tuple(rows), np.cumsum([0, *map(len, found)]), entries, heads[order], order)


def _heads(keys: np.ndarray) -> np.ndarray:
    """The first 8 bytes of keys (n, 16) as numbers, which are quick to sort and to search."""
    return np.ascontiguousarray(keys[:, :8]).view("<u8")[:, 0]


@dataclass(frozen=True)
class Stored:
    """One way of computing features, on disk: how, how many pictures, how many bytes, when last used."""

    folder: Path
    identity: Mapping[str, Any]
    pictures: int
    bytes: int
    used: float


def _read_meta(folder: Path) -> dict[str, Any] | None:
    """How the rows of a store were computed and what they hold; None where it is not there, or damaged.

    Written by an earlier giqa it has no checksum; the name of the folder covers the identity all the same.
    """
    try:
        meta = json.loads((folder / "meta.json").read_text())
        whole = meta.keys() == {"identity", "dtype"} or (
            meta.keys() == {"identity", "dtype", "sha256"} and is_whole(meta, {})
        )
        return meta if whole and _name_of(meta["identity"]) == folder.name and _dtype_of(meta).itemsize else None
    except (OSError, ValueError, AttributeError, TypeError, RecursionError, SyntaxError):  # the last of numpy
        return None


def _dtype_of(meta: Mapping[str, Any]) -> np.dtype:
    return np.dtype([(name, kind, tuple(shape)) for name, kind, shape in meta["dtype"]])


def _name_of(identity: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:24]


def stored(folder: Path) -> list[Stored]:
    """Every store below `folder`, most recently used first."""
    stores = []
    for store_folder in (p for p in Path(folder).glob("*") if p.is_dir()):
        keys = list(store_folder.glob("*.keys"))
        size = sum(f.stat().st_size for f in store_folder.iterdir())
        pictures = sum(f.stat().st_size // KEY.itemsize for f in keys)
        used = max((f.stat().st_mtime for f in keys), default=store_folder.stat().st_mtime)
        identity = (_read_meta(store_folder) or {"identity": {"extractor": "damaged"}})["identity"]
        stores.append(Stored(store_folder, identity, pictures, size, used))
    return sorted(stores, key=lambda s: -s.used)


def prune(folder: Path, limit: int) -> int:
    """Delete the stores not used for longest until at most `limit` bytes are left; the bytes freed."""
    total, freed = 0, 0
    for store in stored(folder):
        total += store.bytes
        if total > limit:
            shutil.rmtree(store.folder, ignore_errors=True)
            freed += store.bytes
    return freed
