"""Pictures in a zip file, by the rules of a folder."""

from __future__ import annotations

import os
import threading
import zipfile
from pathlib import Path, PurePosixPath

from ..errors import BadImage, BadSource
from .folder import MAX_BYTES, checked_ids, is_hidden, is_picture, missing, no_pictures


class ZipSource:
    """The pictures in a zip file; ids are the names of its members, sorted. `raw` may be called from several threads.

    Pickled as its path; a process that was forked opens the file anew, since a shared position would mix up the reads.
    """

    def __init__(self, path: str | Path):
        self.name = str(path)
        self._path = Path(path)
        self._lock = threading.Lock()
        self._open()
        members = [member for member in self._zip.infolist() if not member.is_dir()]
        # some Windows programs write "\", against the standard
        found = {member: PurePosixPath(member.filename.replace("\\", "/")).as_posix() for member in members}
        found = {member: name for member, name in found.items() if not any(map(is_hidden, name.split("/")))}
        self._members = sorted((m for m, name in found.items() if is_picture(name)), key=found.__getitem__)
        if not self._members:
            raise no_pictures(f"the archive {self.name!r}", len(found))
        self.ids = checked_ids((found[member] for member in self._members), self.name)

    def __len__(self) -> int:
        return len(self.ids)

    def __reduce__(self):
        return ZipSource, (self._path,)

    def path(self, index: int) -> None:
        return None

    def raw(self, index: int) -> bytes:
        member = self._members[index]
        if member.flag_bits & 1:
            raise BadImage("encrypted in the archive; unpack it with its password first")
        if member.file_size > MAX_BYTES:
            raise BadImage(f"too large: the archive says {member.file_size} bytes; the limit is {MAX_BYTES}")
        with self._lock:
            if self._process != os.getpid():
                self._open()
            try:
                with self._zip.open(member) as file:
                    raw = file.read(member.file_size)  # never more than was declared, whatever is packed in it
            except MemoryError:
                raise
            except Exception as error:  # zlib, lzma, bz2 and zipfile each have their own
                raise BadImage(f"damaged in the archive: {error or type(error).__name__}") from None
        if len(raw) != member.file_size:
            raise BadImage(f"damaged in the archive: {len(raw)} bytes of {member.file_size}")
        return raw

    def _open(self) -> None:
        try:
            self._zip = zipfile.ZipFile(self._path)
        except FileNotFoundError:
            raise missing(self._path) from None
        except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, EOFError) as error:
            raise BadSource(f"{self.name!r} cannot be read as a zip file: {error}.") from None
        self._process = os.getpid()
