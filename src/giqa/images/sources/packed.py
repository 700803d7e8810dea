"""Files that are packed as a whole: gzip, bzip2, xz, and zstd where pyarrow is installed."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import IO, Any

from ...errors import BadSource, MissingExtra

OPENERS = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}


def open_zstd(path: str | os.PathLike[str]) -> Any:
    """A file packed with zstd as a stream, read from front to back."""
    try:
        import pyarrow
    except ModuleNotFoundError:
        raise MissingExtra(
            f"{str(path)!r} is packed with zstd, which needs pyarrow: pip install 'giqa[parquet]'; or unpack it "
            "(zstd -d)."
        ) from None
    return pyarrow.CompressedInputStream(pyarrow.OSFile(str(path)), "zstd")


class Unpacked:
    """A packed file, unpacked to a temporary file that goes with this object.

    Parameters
    ----------
    packed : Path
        The file.
    kind : str
        "zstd", "gz", "bz2" or "xz".
    """

    def __init__(self, packed: Path, kind: str):
        if kind != "zstd" and kind not in OPENERS:
            known = ", ".join(("zstd", *OPENERS))
            raise BadSource(
                f"{packed.name!r} is packed with {kind}; what is read is {known}. Unpack it next to itself, or write "
                "it anew."
            )
        handle, path = tempfile.mkstemp(prefix="giqa-")
        self.path = Path(path)
        weakref.finalize(self, _remove, path, os.getpid())
        try:
            with os.fdopen(handle, "wb") as file, _stream(packed, kind) as stream:
                shutil.copyfileobj(stream, file, 1 << 20)
        except (OSError, EOFError, lzma.LZMAError) as error:
            raise BadSource(f"{str(packed)!r} cannot be unpacked ({error}); get it again.") from None


def _stream(packed: Path, kind: str) -> IO[bytes]:
    return open_zstd(packed) if kind == "zstd" else OPENERS[kind](packed, "rb")


def _remove(path: str, process: int) -> None:
    if os.getpid() == process:  # a forked process has the object too, and not the file
        os.unlink(path)
