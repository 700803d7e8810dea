"""Atomic writing of files, and pixels as PNG."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import BadSpec

if TYPE_CHECKING:
    import numpy as np

TENSORS = {"f2": "F16", "f4": "F32", "f8": "F64", "u1": "U8", "i4": "I32", "i8": "I64", "b1": "BOOL"}  # of safetensors
LONGEST = 255  # bytes of a name, on every common file system


def as_path(path: Any) -> Path:
    """A file's path as given by a person: a text or a Path that ends in a name.

    Raises
    ------
    BadSpec
        For anything else.

    Examples
    --------
    >>> as_path("reals.giqa").name
    'reals.giqa'
    """
    if not isinstance(path, (str, os.PathLike)) or "\0" in str(path) or not Path(path).name:
        raise BadSpec(f"A file is named by a text or a Path that ends in its name, got {path!r:.80}.")
    if any(len(part.encode("utf-8", "surrogatepass")) > LONGEST for part in Path(path).parts):
        raise BadSpec(f"No file has a name of more than {LONGEST} bytes, got {str(path)[:80]!r} and more.")
    return Path(path)


def replace_file(path: str | os.PathLike[str], content: bytes | str) -> Path:
    """Write a file atomically: under a temporary name in the same folder, which is made, then renamed.

    Parameters
    ----------
    path : path
        The file.
    content : bytes or str
        All of it. Text is UTF-8, with "?" for what is no text, such as bytes of a file name.

    Returns
    -------
    Path
        The file.

    Examples
    --------
    >>> import tempfile
    >>> replace_file(Path(tempfile.mkdtemp()) / "new" / "a.txt", b"whole").read_bytes()
    b'whole'
    """
    path = Path(path)
    with replacing(path) as partial:
        partial.write_bytes(content.encode("utf-8", "replace") if isinstance(content, str) else content)
    return path


def write_blocks(path: Path, texts: Iterable[str]) -> None:
    """`replace_file` for a text that comes in parts and is never in memory as a whole."""
    with replacing(path) as partial, partial.open("wb") as file:
        for text in texts:
            file.write(text.encode("utf-8"))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name in the same folder, which is made: renamed to `path` at the end, or removed after an error."""
    if path.is_dir():
        raise BadSpec(f"{path} is a folder; name a file in it, such as {path / 'NAME'}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        named = error.filename is not None and Path(str(error.filename)) != partial
        if error.errno is not None and not named:  # a full disk names no file
            error.filename = str(path)
        raise
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def home() -> Path:
    """Where features and weights are kept: GIQA_HOME, else `giqa` in the platform's cache folder."""
    if chosen := os.environ.get("GIQA_HOME"):
        return as_home(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or as_home("~") / "AppData" / "Local") / "giqa"
    if sys.platform == "darwin":
        return as_home("~") / "Library" / "Caches" / "giqa"
    return Path(os.environ.get("XDG_CACHE_HOME") or as_home("~") / ".cache") / "giqa"


def as_home(path: str | Path) -> Path:
    """A path in which `~` is a person's folder.

    Raises
    ------
    BadSpec
        When the system knows no such folder: another person's, or that of a number without a name, as in containers.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise BadSpec(
            f"The system knows no home folder for {str(path)!r:.80}; give a whole path. Features and weights are kept "
            "in the folder that GIQA_HOME names."
        ) from None


def write_tensors(path: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file atomically, one array after the other: a mapped array is never in memory as a whole.

    Parameters
    ----------
    path : Path
        The file; its folder is made.
    arrays : mapping of str to ndarray
        In C order, of a type that safetensors knows.
    metadata : mapping of str to str
        What the header holds.
    """
    with replacing(path) as partial, partial.open("wb") as file:
        file.write(_head(arrays, metadata))
        for array in arrays.values():
            array.tofile(file)  # in C order


def _head(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> bytes:
    """Of a safetensors file, whose own library puts metadata in another order each time."""
    entries, end = {}, 0
    for name, array in arrays.items():
        place, end = [end, end + array.nbytes], end + array.nbytes
        entries[name] = {"dtype": TENSORS[array.dtype.str[1:]], "shape": list(array.shape), "data_offsets": place}
    head = json.dumps({"__metadata__": dict(metadata), **entries}).encode()
    head += b" " * (-len(head) % 8)
    return len(head).to_bytes(8, "little") + head


def seal(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """A header with `sha256` over all of itself and all arrays, names, types and shapes included: a checksum of a file.

    The only place that says what a checksum of a giqa file covers. Not the layout of the file: copied by another
    program, array after array, the content is the same.
    """
    digest = hashlib.sha256()
    plain = {key: value for key, value in header.items() if key != "sha256"}
    digest.update(json.dumps(plain, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"\0{name} {array.dtype.str} {array.shape}\0".encode())
        digest.update(array.tobytes() if not array.flags.c_contiguous or not array.ndim else array.data)
    return plain | {"sha256": digest.hexdigest()}


def is_whole(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether a header that was read has the checksum that `seal` gave it."""
    return seal(header, arrays)["sha256"] == header.get("sha256")


def sealed(said: Mapping[str, Any], arrays: Mapping[str, np.ndarray], key: str) -> bytes:
    """A safetensors file with JSON under `key` of its head, and beside it a checksum of that text and of all arrays."""
    text = json.dumps(said)
    arrays = dict(sorted(arrays.items(), key=lambda item: (-item[1].itemsize, item[0])))  # the same bytes in any order
    head = _head(arrays, {key: text, "sha256": seal({key: text}, arrays)["sha256"]})
    return head + b"".join(array.tobytes() for array in arrays.values())


def read_sealed(path: Path, key: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What `sealed` wrote; of files of an earlier giqa, which have no checksum, too.

    Raises
    ------
    ValueError, KeyError, TypeError, OSError, SafetensorError
        When it is another kind of file, or damaged.
    """
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        head = file.metadata() or {}
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no mapping
    said = dict(json.loads(head[key]))
    if set(head) != {key} and not is_whole({key: head[key], "sha256": head.get("sha256")}, arrays):
        raise ValueError("it does not have the checksum it was saved with")
    return said, arrays


def write_sha256(path: Path) -> Path:
    """`NAME.sha256` beside a file that has no place for a checksum of its own, as `sha256sum -c` reads it."""
    beside = path.with_name(path.name + ".sha256")
    replace_file(beside, f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n".encode())
    return beside


def differs_from_sha256(path: Path) -> bool:
    """Whether the file is another than the one that `write_sha256` was called for; False where it was not called."""
    beside = path.with_name(path.name + ".sha256")
    if not beside.is_file():
        return False
    return beside.read_text(errors="replace").partition(" ")[0] != hashlib.sha256(path.read_bytes()).hexdigest()


def lost_members(path: Path, found: int) -> bool:
    """Whether the end of a zip file counts other members than were found: `zipfile` does not look at the count."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 22))
        end = file.read(22)
    counted = int.from_bytes(end[10:12], "little")  # 65,535 says that there may be more
    return end[:4] == b"PK\x05\x06" and counted not in (found, 0xFFFF)


def as_png(pixels: np.ndarray) -> bytes:
    """Pixels as a PNG that holds nothing else.

    Parameters
    ----------
    pixels : uint8 ndarray of shape (h, w, 3)
        RGB.

    Returns
    -------
    bytes
        The file.
    """
    import numpy as np
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG")
    return file.getvalue()
