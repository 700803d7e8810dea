"""Pictures in an LMDB database, as StyleGAN2-pytorch and LSUN write it."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from ...errors import BadImage, BadSource, MissingExtra
from ...types import Source
from ..folder import checked_ids
from ..kinds import HEAD, PICTURES, READ, kind_of

_open: WeakValueDictionary[str, Any] = WeakValueDictionary()  # a process may open a database only once
_SIZED = re.compile(r"(.+)\[size=(\d+)\]")


def open_lmdb(where: Any) -> Source | None:
    """A folder with `data.mdb`, or a file called .lmdb or .mdb; `lmdb/[size=256]` where it holds several sizes."""
    if not isinstance(where, (str, Path)):
        return None
    path, size = str(where), None
    if not os.path.exists(path) and (sized := _SIZED.fullmatch(path)):
        path, size = sized[1], int(sized[2])
    folder = os.path.isfile(os.path.join(path, "data.mdb"))
    if folder or (os.path.isfile(path) and path.lower().endswith((".lmdb", ".mdb"))):
        return LMDBSource(path, size)
    return None


class LMDBSource:
    """The pictures in an LMDB database; ids are the keys.

    With a key `length`, as StyleGAN2-pytorch writes it, the pictures are asked for by number, `256-00000` and on, of
    one size. Without one every value that begins as a picture does is one, in the order of the keys. Pickled as its
    path. Nothing is locked, so that a forked process may read too.
    """

    def __init__(self, path: str | Path, size: int | None = None):
        self.name, self._path, self._size = str(path), Path(path), size
        self._env = _environment(self._path)
        length = self._get(b"length")
        if length is None:
            self._keys = self._pictures()
        else:
            try:
                count = int(length)
            except ValueError:
                raise BadSource(f"{self.name!r}: `length` is {length[:20]!r}, which is no number.") from None
            self._size = self._chosen_size(size)
            self._keys = [f"{self._size}-{number:05d}".encode() for number in range(count)]
        if not self._keys:
            raise BadSource(f"{self.name!r} holds no pictures.")
        self.ids = checked_ids(
            (key.decode("utf-8", "backslashreplace").replace("\\", "/") for key in self._keys), self.name
        )

    def __len__(self) -> int:
        return len(self.ids)

    def __reduce__(self):
        return LMDBSource, (self._path, self._size)

    def path(self, index: int) -> None:
        return None

    def raw(self, index: int) -> bytes:
        content = self._get(self._keys[index])
        if content is None:
            raise BadImage(f"the database has no key {self.ids[index]!r}")
        return content

    def _get(self, key: bytes) -> bytes | None:
        with self._env.begin() as transaction:
            return transaction.get(key)

    def _chosen_size(self, size: int | None) -> int:
        """The size asked for, or the only one; keys are ordered as text, so one looks behind each prefix."""
        sizes = []
        with self._env.begin() as transaction, transaction.cursor() as cursor:
            there = cursor.first()
            while there:
                text = bytes(cursor.key()).decode("utf-8", "replace").partition("-")
                if text[0].isdecimal() and text[1]:
                    sizes.append(int(text[0]))
                there = cursor.set_range(f"{text[0]}.".encode()) if text[0].isdecimal() and text[1] else cursor.next()
        sizes = sorted(set(sizes))
        if size is None and len(sizes) > 1:
            known = ", ".join(map(str, sizes))
            raise BadSource(f"{self.name!r} holds the sizes {known}; choose one: '{self.name}[size={sizes[-1]}]'.")
        if not sizes or (size is not None and size not in sizes):
            raise BadSource(f"{self.name!r} holds no pictures of size {size}; it holds {sizes or 'none'}.")
        return sizes[0] if size is None else size

    def _pictures(self) -> list[bytes]:
        keys, others = [], 0
        with self._env.begin(buffers=True) as transaction, transaction.cursor() as cursor:
            for key, value in cursor:
                if kind_of(bytes(value[:HEAD])) in (*READ, *PICTURES):
                    keys.append(bytes(key))
                else:
                    others += 1
        if keys and others:
            warnings.warn(f"{self.name!r}: passed over {others} values that are no pictures", stacklevel=1)
        return keys


def _environment(path: Path) -> Any:
    """The open database, shared by all sources of this process that read it."""
    try:
        import lmdb
    except ModuleNotFoundError:
        raise MissingExtra("LMDB needs the package lmdb: pip install 'giqa[lmdb]'") from None
    real = os.path.realpath(path)
    env = _open.get(real)
    if env is None:
        options = {"readonly": True, "lock": False, "readahead": False, "meminit": False}
        try:
            env = _open[real] = lmdb.open(real, subdir=os.path.isdir(real), **options)
        except lmdb.Error as error:
            raise BadSource(f"{str(path)!r} cannot be read as LMDB: {error}.") from None
    return env
