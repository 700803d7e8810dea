"""Pictures on other machines: whatever fsspec opens, such as s3://, gs://, hf:// and https://."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from ...errors import BadImage, BadSource, MissingSource
from ...types import Source
from ..folder import ListSource, checked_ids
from ..kinds import HEAD
from ..listing import is_litter, is_picture, listed
from ..table import TABLE_ENDINGS, TableSource
from .fetch import fetched, file_system, local_copy, nothing_at, patiently, reason
from .shards import SHARDS, Joined, braces, shard_names

ADDRESS = re.compile(r"[a-z][a-z0-9+.\-]+(://|::)", re.IGNORECASE)
NAMING = (".csv", ".tsv", ".jsonl", ".txt", ".lst")  # files that name pictures relative to themselves
WHOLE = (*SHARDS, ".zip", ".npz", ".npy", ".lmdb", ".mdb")  # files that are fetched as a whole
_FILTER = re.compile(r"(.+?(?:\.parquet|\.pq|\.arrow|\.feather|\.csv|\.tsv|\.jsonl))(\[[^\[\]]*=[^\[\]]*\])")


def open_address(where: Any) -> Source | None:
    """An address: a file, a folder, a pattern, braces or an archive; or a list of addresses of pictures."""
    if isinstance(where, (list, tuple)) and where and all(isinstance(i, str) and ADDRESS.match(i) for i in where):
        return _of_list(list(where), "list")
    if not isinstance(where, str) or not ADDRESS.match(where):
        return None
    if where.lower().startswith("file://"):
        from urllib.request import url2pathname  # which imports a client for HTTP

        from .. import open_source

        return open_source(url2pathname(urlsplit(where).path))
    if len(parts := braces(where)) > 1:
        return _of_list(parts, where)
    return _opened(where)


def _opened(address: str) -> Source:
    filtered = _FILTER.fullmatch(address)
    address, filters = filtered.groups() if filtered else (address, "")
    system, path = file_system(address)
    name = urlsplit(address).path if address.lower().startswith("http") else address.split("::")[0]
    if is_picture(name) and not _has_magic(address):
        return RemoteSource(address, address, path.rpartition("/")[0], [path.rpartition("/")[2]])
    if not _has_magic(address) and name.lower().endswith((*WHOLE, *NAMING, *TABLE_ENDINGS)):
        return _of_file(address, path, filters)
    try:
        if _has_magic(address):
            root = path[: re.search(r"[*?\[]", path).start()].rpartition("/")[0]
            names = patiently(lambda: system.glob(path))
        else:
            root = path.rstrip("/")
            names = patiently(lambda: system.find(path)) if patiently(lambda: system.isdir(path)) else []
        about = {} if names or _has_magic(address) else patiently(lambda: system.info(path))
    except FileNotFoundError as error:
        raise nothing_at(address, error) from None
    except Exception as error:  # clients of other protocols have errors of their own
        raise BadSource(f"{address!r} cannot be listed: {reason(error)}.") from None
    if about.get("type") == "file":
        raise BadSource(
            f"Cannot tell what {address!r} is; what is read from other machines are pictures, folders, patterns, .tar, "
            ".zip, .npz, .parquet, .arrow, .csv and .txt files."
        )
    if not names:
        raise MissingSource(f"There is nothing at {address!r}.")
    return _of_names(address, root, names)


def _of_names(address: str, root: str, names: Iterable[str]) -> Source:
    """Pictures below a root; or shards, where there are no pictures."""
    below = [name[len(root) :].lstrip("/") if name.startswith(root) else name for name in names]
    shards = sorted(name for name in below if name.lower().endswith(SHARDS) and not is_litter(name))
    if shards and not any(map(is_picture, below)):
        paths = [f"{root}/{name}".lstrip("/") if not root.startswith("/") else f"{root}/{name}" for name in shards]
        return Joined(address, [_of_file(address, path, "") for path in paths], shard_names(shards))
    litter = [name for name in below if any(map(is_litter, name.split("/")))]
    source = RemoteSource(address, address, root, ["-"])
    rest = [name for name in below if name and name not in set(litter)]
    ids = listed(rest, litter, source.head, f"{address!r}")
    return RemoteSource(address, address, root, ids)


def _of_list(addresses: Sequence[str], name: str) -> Source:
    if all(is_picture(urlsplit(address).path) for address in addresses):
        return AddressSource(name, addresses)
    names = [urlsplit(address).path.lstrip("/") or address for address in addresses]
    return Joined(name, [_opened(address) for address in addresses], shard_names(names))


def _of_file(address: str, path: str, filters: str) -> Source:
    """An archive or a table, of which a copy is made here."""
    from .. import open_source

    copy = local_copy(address, path)
    if copy.suffix.lower() in NAMING or (copy.suffix.lower() == ".parquet" and _names_files(copy)):
        named = ListSource(copy) if copy.suffix.lower() in (".txt", ".lst") else TableSource(f"{copy}{filters}")
        columns = named.columns if isinstance(named, TableSource) else {}
        return RemoteSource(address + filters, address, path.rpartition("/")[0], named.ids, columns)
    source = open_source(f"{copy}{filters}")
    source.name = address + filters
    return source


def _names_files(copy: Path) -> bool:
    from .arrow import picture_column
    from .parquet import ParquetBlocks

    return picture_column(ParquetBlocks(copy), str(copy)) is None


def _has_magic(address: str) -> bool:
    """Whether an address is a pattern; of HTTP ? begins a query and * stands for itself rarely enough."""
    return any(letter in address for letter in ("*[" if address.lower().startswith("http") else "*?["))


class RemoteSource:
    """Files below a root that fsspec reads; a copy of each is kept here by its content.

    Parameters
    ----------
    name : str
        What the source is called.
    address : str
        An address of the same file system.
    root : str
        The folder there.
    ids : sequence of str
        Paths below it.
    columns : mapping of str to sequence of str
        What a table says of each.
    """

    def __init__(
        self,
        name: str,
        address: str,
        root: str,
        ids: Sequence[str],
        columns: Mapping[str, Sequence[str]] | None = None,
    ):
        self.name, self._address, self._root = name, address, root
        self._paths = list(ids)
        self.ids = checked_ids((unquote(each) if address.lower().startswith("http") else each for each in ids), name)
        self.columns = columns or {}

    def __len__(self) -> int:
        return len(self.ids)

    def path(self, index: int) -> None:
        return None

    def raw(self, index: int) -> bytes:
        return fetched(self._address, self._at(self._paths[index]))

    def head(self, name: str) -> bytes:
        """The first bytes of a file."""
        try:
            system = file_system(self._address)[0]
            return patiently(lambda: system.cat_file(self._at(name), start=0, end=HEAD))[:HEAD]
        except Exception as error:  # clients of other protocols have errors of their own
            raise BadImage(f"cannot be fetched: {error}") from None

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}" if self._root else str(PurePosixPath(name))


class AddressSource:
    """Pictures by their addresses; ids are the paths, with the server or bucket in front where there are several."""

    def __init__(self, name: str, addresses: Sequence[str]):
        self.name, self._addresses = name, list(addresses)
        parts = [urlsplit(address) for address in addresses]
        several = len({each[:2] for each in parts}) > 1
        ids = [f"{each.netloc if several else ''}{unquote(each.path)}".lstrip("/") for each in parts]
        if len(set(ids)) < len(ids):  # the query says which picture
            ids = [f"{plain}?{each.query}" if each.query else plain for plain, each in zip(ids, parts, strict=True)]
        self.ids = checked_ids(ids, name)

    def __len__(self) -> int:
        return len(self.ids)

    def path(self, index: int) -> None:
        return None

    def raw(self, index: int) -> bytes:
        address = self._addresses[index]
        try:
            return fetched(address, file_system(address)[1])
        except (MissingSource, BadSource) as error:
            raise BadImage(str(error)) from None
