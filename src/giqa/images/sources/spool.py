"""Pictures out of what can only be read from front to back, kept in a temporary file: any order, bounded memory."""

from __future__ import annotations

import os
import tempfile
import weakref
from array import array

from ...errors import BadImage


class Spool:
    """Bytes appended one after the other and read back by number, from several threads and processes."""

    def __init__(self):
        handle, self._path = tempfile.mkstemp(prefix="giqa-")
        self._file = os.fdopen(handle, "wb")
        self._ends = array("q", [0])
        weakref.finalize(self, _remove, self._path, os.getpid())

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, content: bytes) -> int:
        """Its number, from 0."""
        self._file.write(content)
        self._ends.append(self._ends[-1] + len(content))
        return len(self) - 1

    def finish(self) -> None:
        """To be called after the last `append` and before the first `read`."""
        self._file.close()

    def read(self, number: int) -> bytes:
        start, end = self._ends[number], self._ends[number + 1]
        return read_at(self._path, start, end - start)


def read_at(path: str | os.PathLike[str], start: int, size: int) -> bytes:
    """Bytes of a file; it is opened anew, so that threads and forked processes never share a position."""
    try:
        with open(path, "rb", buffering=0) as file:
            file.seek(start)
            content = file.read(size)
            while len(content) < size and (more := file.read(size - len(content))):
                content += more
    except OSError as error:
        raise BadImage(f"cannot be read: {error.strerror or error} ({path})") from None
    if len(content) != size:
        raise BadImage(f"cut short: {len(content)} bytes of {size} are in {str(path)!r}; get the file again")
    return content


def _remove(path: str, process: int) -> None:
    if os.getpid() == process:  # a forked process has the object too, and not the file
        os.unlink(path)
