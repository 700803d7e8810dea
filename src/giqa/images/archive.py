"""Pictures in a zip file, by the rules of a folder."""

from __future__ import annotations

import os
import threading
import zipfile
from pathlib import Path, PurePosixPath

from ..errors import BadImage, BadSource
from ..files import lost_members
from .folder import MAX_BYTES, checked_ids, missing
from .kinds import HEAD
from .listing import is_litter, listed
from .sources.columns import Columns
from .sources.stylegan import LABELS, labels_of


class ZipSource:
    """The pictures in a zip file; ids are the names of its members, sorted. `raw` may be called from several threads.

    `columns` has the classes that StyleGAN's `dataset.json` gives, as `label`.

    Pickled as its path; a process that was forked opens the file anew, since a shared position would mix up the reads.
    """

    def __init__(self, path: str | Path):
        self.name = str(path)
        self._path = Path(path)
        self._lock = threading.Lock()
        self._open()
        found: dict[str, list[zipfile.ZipInfo]] = {}
        for member in self._zip.infolist():
            if not member.filename:
                raise BadSource(f"{self.name!r} has a member without a name; it is damaged. Make it again.")
            if not member.is_dir():
                # some Windows programs write "\\", against the standard
                name = PurePosixPath(member.filename.replace("\\", "/")).as_posix()
                found.setdefault(name, []).append(member)
        litter = [name for name in found if any(map(is_litter, name.split("/")))]
        names = [name for name in found if name not in set(litter)]
        ids = listed(names, litter, lambda name: self._read(found[name][0], HEAD), f"the archive {self.name!r}")
        self.ids = checked_ids((name for name in ids for _ in found[name]), self.name)
        self._members = [found[name][0] for name in ids]
        self._labels = found.get(LABELS, [None])[0]
        self.columns = Columns(self._read_columns)

    def __len__(self) -> int:
        return len(self.ids)

    def __reduce__(self):
        return ZipSource, (self._path,)

    def path(self, index: int) -> None:
        return None

    def raw(self, index: int) -> bytes:
        member = self._members[index]
        raw = self._read(member, member.file_size)  # never more than was declared, whatever is packed in it
        if len(raw) != member.file_size:
            raise BadImage(f"damaged in the archive: {len(raw)} bytes of {member.file_size}")
        return raw

    def _read_columns(self) -> dict[str, list[str]]:
        if self._labels is None:
            return {}
        return labels_of(self._read(self._labels, self._labels.file_size), self.ids, self.name)

    def _read(self, member: zipfile.ZipInfo, most: int) -> bytes:
        """The first bytes of a member."""
        if member.flag_bits & 1:
            raise BadImage("encrypted in the archive; unpack it with its password first")
        if member.file_size > MAX_BYTES:
            raise BadImage(f"too large: the archive says {member.file_size} bytes; the limit is {MAX_BYTES}")
        with self._lock:
            if self._process != os.getpid():
                self._open()
            try:
                with self._zip.open(member) as file:
                    return file.read(most)
            except MemoryError:
                raise
            except Exception as error:  # zlib, lzma, bz2 and zipfile each have their own
                raise BadImage(f"damaged in the archive: {error or type(error).__name__}") from None

    def _open(self) -> None:
        try:
            self._zip = zipfile.ZipFile(self._path)
            if lost_members(self._path, len(self._zip.infolist())):
                raise zipfile.BadZipFile("its list of members is damaged")
        except FileNotFoundError:
            raise missing(self._path) from None
        except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, EOFError) as error:
            raise BadSource(f"{self.name!r} cannot be read as a zip file: {error}.") from None
        self._process = os.getpid()
