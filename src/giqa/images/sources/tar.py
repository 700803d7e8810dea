"""Pictures in tar files, and samples as WebDataset writes them."""

from __future__ import annotations

import json
import os
import tarfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from ...errors import BadImage, BadSource
from ...types import Source
from ..folder import MAX_BYTES, checked_ids, head_of
from ..kinds import HEAD, kind_of
from ..listing import is_litter, listed
from .columns import Columns, as_columns
from .packed import open_zstd
from .spool import Spool, read_at

PLAIN = (".tar",)
PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst")
TAR = PLAIN + PACKED
TEXTS = ("txt", "text", "caption", "cls", "id", "index")  # members that are one column each
_BLOCK, _PADDING = 512, 10_240  # of tar; a file is padded with zeros to a multiple of the second


def open_tar(where: Any) -> Source | None:
    """A file that is called so, or is a tar file by its first bytes."""
    if not isinstance(where, (str, Path)) or not os.path.isfile(where):
        return None
    if str(where).lower().endswith(TAR):
        return TarSource(where)
    try:
        return TarSource(where) if kind_of(head_of(Path(where))) == "tar archive" else None
    except OSError:
        return None


class TarSource:
    """The pictures in a tar file; ids are the names of its members, sorted, without a leading "./".

    A plain tar file is read at recorded positions. A compressed one is unpacked once, to a temporary file. The members
    of a sample need not lie side by side. `columns` are the members beside a picture: those with its name but for the
    last ending, or named by its name up to the first dot, as WebDataset has it. The keys of JSON are columns, and text
    (`txt`, `cls`, ...) is one. A Parquet file next to the tar file adds its columns where it has a column `key`, as
    img2dataset writes it.
    """

    def __init__(self, path: str | Path):
        self.name = str(path)
        self._path = Path(path)
        self._spool: Spool | None = None
        # name -> position and size, or number in the spool and size; a text says why it cannot be read
        self._members: dict[str, tuple[int, int] | str] = {}
        litter: list[str] = []
        for name, place in self._index():
            if any(map(is_litter, name.split("/"))):
                litter.append(name)
            elif name in self._members:
                raise BadSource(
                    f"{self.name!r} holds {name!r} twice, and which one counts is not clear; write the archive anew "
                    "(tar -r adds to an archive, it does not replace)."
                )
            else:
                self._members[name] = place
        names = listed(self._members, litter, lambda name: self._read(name, HEAD), f"the archive {self.name!r}")
        self.ids = checked_ids(names, self.name)
        self.columns = Columns(self._read_columns)

    def __len__(self) -> int:
        return len(self.ids)

    def __reduce__(self):
        return TarSource, (self._path,)

    def path(self, index: int) -> None:
        return None

    def raw(self, index: int) -> bytes:
        return self._read(self.ids[index])

    def _read(self, name: str, most: int = MAX_BYTES) -> bytes:
        """The first bytes of a member."""
        place = self._members[name]
        if isinstance(place, str):
            raise BadImage(place)
        start, size = place
        if size > MAX_BYTES:
            raise BadImage(f"too large: the archive says {size} bytes; the limit is {MAX_BYTES}")
        if self._spool is not None:
            return self._spool.read(start)[:most]
        return read_at(self._path, start, min(size, most))

    def _index(self) -> Iterator[tuple[str, tuple[int, int] | str]]:
        """Name and place of every member that is a file or a link to one."""
        kind = kind_of(head_of(self._path))
        zstd = open_zstd(self._path) if kind == "zstd file" else None
        packed = zstd is not None or kind in ("gzip file", "bzip2 file", "xz file")
        links: list[tuple[str, str]] = []
        try:
            with tarfile.open(self._path, "r|" if zstd else "r|*" if packed else "r:", zstd) as archive:
                if packed:
                    self._spool = Spool()
                while (member := archive.next()) is not None:
                    archive.members.clear()  # which would be kept for every picture
                    name = _normal(member.name)
                    if member.issym() or member.islnk():
                        here = PurePosixPath(name).parent if member.issym() else PurePosixPath()
                        links.append((name, _normal(os.path.normpath(here / member.linkname))))
                    elif member.issparse():
                        yield name, "stored as a sparse file in the archive, which is not read; unpack it first"
                    elif member.isfile():
                        yield name, self._place(archive, member)
                if not packed:
                    self._check_end(archive.offset)
        except (BadSource, MemoryError):
            raise
        except Exception as error:  # tarfile, zlib and lzma each have their own; a number in a header may be any
            other = f", and it begins as a {kind} does" if kind and kind != "tar archive" and not packed else ""
            raise BadSource(f"{self.name!r} cannot be read as a tar file ({error}{other}); get it again.") from None
        if self._spool is not None:
            self._spool.finish()
        for name, target in links:
            yield name, self._members.get(target, f"a link to {target!r}, which is not a file in the archive")

    def _place(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[int, int]:
        if self._spool is None or member.size > MAX_BYTES:
            return member.offset_data, member.size
        content = archive.extractfile(member).read()
        return self._spool.append(content), len(content)

    def _check_end(self, end: int) -> None:
        """`tarfile` stops in silence at the first block that is no header: whether that is the end."""
        size = os.path.getsize(self._path)
        with self._path.open("rb") as file:
            file.seek(end)
            block = file.read(_BLOCK)
            if any(block):
                raise tarfile.ReadError(f"damaged at byte {end} of {size}")
            rest = any(file.read(size - end)) if size - end <= 100 * _PADDING else True
        if block and rest:
            raise BadSource(
                f"{self.name!r} goes on behind its end mark, as files do that `cat` has joined; give the parts, or "
                "write it anew."
            )
        if not block:  # also what a writer leaves that was stopped between two members
            warnings.warn(f"{self.name!r} has no end mark; it may be cut short", stacklevel=1)

    def _read_columns(self) -> dict[str, list[str]]:
        sides: dict[str, list[str]] = {}
        for name in self._members:
            stem, _, ending = name.rpartition(".")
            if ending.lower() in ("json", *TEXTS):
                sides.setdefault(stem, []).append(name)
        columns = as_columns(self._beside(name, sides) for name in self.ids)
        side = self._path.with_name(f"{self._path.name.partition('.')[0]}.parquet")
        return columns | self._of_parquet(side, columns) if side.is_file() else columns

    def _beside(self, name: str, sides: Mapping[str, list[str]]) -> dict[str, Any]:
        """What the members of a sample say about its picture."""
        row: dict[str, Any] = {}
        for stem in dict.fromkeys((name.rpartition(".")[0], key_of(name))):
            for side in sides.get(stem, ()):
                ending = side.rpartition(".")[2].lower()
                try:
                    text = self._read(side).decode("utf-8-sig")
                    said = json.loads(text) if ending == "json" else text.strip()
                except (ValueError, RecursionError) as error:  # BadImage is a ValueError, and so is bad UTF-8
                    raise BadSource(f"{side!r} in {self.name!r} cannot be read: {error}.") from None
                for key, value in said.items() if isinstance(said, dict) else ((ending, said),):
                    row.setdefault(key, value)
        return row

    def _of_parquet(self, path: Path, known: Mapping[str, Any]) -> dict[str, list[str]]:
        """The columns of img2dataset's table that are not known yet, by its column `key`; none of another table."""
        from .arrow import plain_columns
        from .parquet import ParquetBlocks

        columns = plain_columns(ParquetBlocks(path), without=known.keys() - {"key"}, only_with="key")
        row_of = {key: row for row, key in enumerate(columns.get("key", ()))}
        rows = [row_of.get(PurePosixPath(key_of(name)).name) for name in self.ids]
        new = {name: cells for name, cells in columns.items() if name not in known}
        return {name: ["" if row is None else cells[row] for row in rows] for name, cells in new.items()}


def key_of(name: str) -> str:
    """The key of a sample, as WebDataset has it: the name up to the first dot that is not in a folder's name.

    >>> key_of("v1.0/0001.left.PNG")
    'v1.0/0001'
    """
    folder, slash, base = name.rpartition("/")
    return f"{folder}{slash}{base.partition('.')[0]}"


def _normal(name: str) -> str:
    return PurePosixPath(name).as_posix().lstrip("/")
