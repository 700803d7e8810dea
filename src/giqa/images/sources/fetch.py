"""Bytes from other machines: tried again when a connection breaks, and kept by their content."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from ...errors import BadImage, BadSource, GiqaError, MissingExtra, MissingSource
from ...files import home, replace_file
from ..folder import MAX_BYTES

TRIES, WAIT = 6, 0.5  # times that one thing is asked for; seconds before the second time, twice as many before the next
BLOCK = 1 << 24  # bytes of a large file that are asked for at a time, so that a broken connection costs little
# what file systems call that which changes with the content
MARKS = frozenset(
    {"ETag", "etag", "Content-MD5", "md5Hash", "crc32c", "generation", "version_id", "blob_id", "lfs", "oid", "sha256"}
    | {"Last-Modified", "LastModified", "last_modified", "updated", "mtime", "modified", "created"}
)
PACKAGES = {
    **dict.fromkeys(("http", "https"), "aiohttp"),
    **dict.fromkeys(("s3", "s3a"), "s3fs"),
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("az", "abfs", "abfss", "adl"), "adlfs"),
    **dict.fromkeys(("sftp", "ssh"), "paramiko"),
    "hf": "huggingface_hub",
}
_FINAL = (
    FileNotFoundError,
    PermissionError,
    IsADirectoryError,
    NotImplementedError,
    ImportError,
    MemoryError,
    BadImage,
)
T = TypeVar("T")


@runtime_checkable
class _HasStatus(Protocol):
    """The error of an HTTP client."""

    status: int


def file_system(address: str) -> tuple[Any, str]:
    """The fsspec file system of an address, and its path there; fsspec keeps one a process."""
    try:
        import fsspec
    except ModuleNotFoundError:
        raise MissingExtra(f"Addresses such as {address!r} need fsspec: pip install 'giqa[remote]'") from None
    try:
        return fsspec.core.url_to_fs(address)
    except FileNotFoundError:
        raise MissingSource(f"There is no {address!r}.") from None
    except (ImportError, ValueError) as error:
        for protocol in (part.partition("://")[0] for part in address.split("::")):
            if protocol in PACKAGES and isinstance(error, ImportError):
                package = PACKAGES[protocol]
                raise MissingExtra(f"{address!r} needs the package {package}: pip install {package}") from None
        raise BadSource(f"{address!r} cannot be opened: {error}.") from None


def patiently(ask: Callable[[], T]) -> T:
    """What `ask` gives; it is asked again, later and later, when the connection or the server fails."""
    for attempt in range(TRIES):
        try:
            return ask()
        except Exception as error:  # clients of other protocols have errors of their own
            if attempt == TRIES - 1 or _is_final(error):
                raise
        time.sleep(WAIT * 2**attempt)
    raise AssertionError


def _is_final(error: BaseException) -> bool:
    """Whether asking again is useless: what is not there, not allowed or not possible."""
    cause = error.__cause__
    if isinstance(error, FileNotFoundError) and cause is not None:
        # fsspec's HTTP says so of every failure, other file systems only of what is not there
        broken = isinstance(cause, (ConnectionError, TimeoutError)) or type(cause).__module__.startswith("aiohttp")
        return not broken or _is_final(cause)
    status = error.status if isinstance(error, _HasStatus) else 0
    return isinstance(error, _FINAL) or (400 <= status < 500 and status not in (408, 425, 429))


def reason(error: BaseException) -> str:
    """What went wrong, in words; the cause where there is one."""
    error = error.__cause__ or error
    return str(error) or type(error).__name__


def fetched(address: str, path: str) -> bytes:
    """The content of a file, of this machine where it has not changed since; `BadImage`."""

    def ask() -> tuple[Mapping[str, Any], bytes, bool]:
        """What is said about the file, its content, and whether that was kept here; sizes said may be wrong once."""
        about = system.info(path)
        if (about.get("size") or 0) > MAX_BYTES:
            raise BadImage(f"too large: {about['size']} bytes; the limit is {MAX_BYTES} ({path})")
        if (kept := _kept(path, about)) is not None:
            content = kept.read_bytes()
            if hashlib.sha256(content).hexdigest() == kept.parent.name:
                return about, content, True
        return about, _part(system, path, 0, about.get("size")), False

    try:
        system = file_system(address)[0]
        about, content, here = patiently(ask)
    except (BadImage, MemoryError):
        raise
    except Exception as error:  # see `patiently`
        raise BadImage(f"cannot be fetched: {reason(error)} ({path})") from None
    if not here:
        digest = hashlib.sha256(content).hexdigest()
        replace_file(_place(digest, path), content)
        _remember(path, about, digest)
    return content


def local_copy(address: str, path: str) -> Path:
    """A file of another machine on this one, under its own name; fetched if it is new or has changed."""
    try:
        system = file_system(address)[0]
        about = patiently(lambda: system.info(path))
        if (kept := _kept(path, about)) is not None:
            return kept
        digest = hashlib.sha256()
        folder().mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder(), delete=False) as file:
            partial = Path(file.name)
            try:
                for block in _blocks(system, path, about):
                    digest.update(block)
                    file.write(block)
                file.close()
                place = _place(digest.hexdigest(), path)
                place.parent.mkdir(parents=True, exist_ok=True)
                os.replace(partial, place)
            finally:
                partial.unlink(missing_ok=True)
    except FileNotFoundError as error:
        raise nothing_at(path, error) from None
    except (BadSource, GiqaError, MissingExtra, MemoryError):
        raise
    except Exception as error:  # see `patiently`
        raise BadSource(f"{path!r} cannot be fetched: {reason(error)}.") from None
    _remember(path, about, digest.hexdigest())
    return place


def nothing_at(address: str, error: BaseException) -> GiqaError:
    """The error for an address at which nothing is, or whose server does not answer."""
    if _is_final(error):
        return MissingSource(f"There is no {address!r}.")
    return BadSource(f"{address!r} cannot be fetched: {reason(error)}.")


def folder() -> Path:
    """Where fetched files are kept; it may be deleted at any time."""
    return home() / "downloads"


def _blocks(system: Any, path: str, about: Mapping[str, Any]) -> Iterator[bytes]:
    """A file piece by piece; in one piece where the server does not give parts or does not say the size."""
    size = about.get("size")
    if not size or size <= BLOCK or about.get("partial") is False:
        yield patiently(lambda: _part(system, path, 0, size))
        return
    for start in range(0, size, BLOCK):
        end = min(start + BLOCK, size)
        yield (block := patiently(lambda start=start, end=end: _part(system, path, start, end, size)))
        if len(block) == size:
            return


def _part(system: Any, path: str, start: int, end: int | None, whole: int | None = None) -> bytes:
    """Bytes of a file; all where the server ignores that a part was asked for; `OSError` when some are missing."""
    content = system.cat_file(path) if whole is None else system.cat_file(path, start=start, end=end)
    if end is not None and len(content) not in (end - start, whole if start == 0 else None):
        raise OSError(f"{len(content)} bytes came for {end - start}")
    return content


def _place(digest: str, path: str) -> Path:
    return folder() / digest[:2] / digest / Path(path.partition("?")[0]).name


def _note(path: str) -> Path:
    name = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()
    return folder() / "known" / name[:2] / f"{name}.json"


def _mark(about: Mapping[str, Any]) -> str:
    """What changes when the file does, "" where the file system says nothing of that kind."""
    marks = {key: str(about[key]) for key in MARKS if about.get(key)}
    return json.dumps({"size": about.get("size"), **marks}, sort_keys=True) if marks else ""


def _kept(path: str, about: Mapping[str, Any]) -> Path | None:
    """The copy of a file that has not changed since it was fetched."""
    try:
        note = json.loads(_note(path).read_bytes())
        place = _place(note["sha256"], path)
        good = note["path"] == path and note["mark"] == _mark(about) != "" and place.stat().st_size == note["size"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return place if good else None


def _remember(path: str, about: Mapping[str, Any], digest: str) -> None:
    if _mark(about):
        size = _place(digest, path).stat().st_size
        replace_file(_note(path), json.dumps({"path": path, "mark": _mark(about), "sha256": digest, "size": size}))
