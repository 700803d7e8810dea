"""Pictures that are files: a folder, a glob, a list."""

from __future__ import annotations

import difflib
import fnmatch
import os
import stat
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path, PurePath

from ..errors import BadImage, BadSource, MissingSource
from .kinds import HEAD
from .listing import is_litter, listed
from .sources.columns import Columns
from .sources.side_files import columns_beside

MAX_BYTES = 1 << 30  # no picture; an archive can promise more than any memory holds


def missing(path: Path) -> MissingSource:
    """The error for a path that is not there, with the nearest thing that is."""
    parent = path.parent
    if os.path.isdir(parent):  # False too where a name is too long for any file
        close = difflib.get_close_matches(path.name, sorted(os.listdir(parent)), n=1)
        here = parent == Path()  # of a name alone
        there = f" It was looked for in {os.getcwd()!r}." if here else f" There is a folder {str(parent)!r} without it."
        hint = f" Did you mean {str(parent / close[0])!r}?" if close else there
    else:
        nearest = next((str(p) for p in path.absolute().parents if os.path.isdir(p)), "/")
        hint = f" The nearest folder that exists is {nearest!r}."
    return MissingSource(f"There is no {str(path)!r}.{hint}")


def checked_ids(ids: Iterable[str], where: str) -> tuple[str, ...]:
    """The ids, which must be different from each other and text that can be written to a file."""
    try:
        ids = tuple(ids)
    except SystemError:  # NumPy, of an array of texts that hold numbers of no letter
        raise BadSource(f"{where} has a name that is no text; make it again.") from None
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise BadSource(f"{where} names {name!r} twice; every picture needs an id of its own.")
        seen.add(name)
        if not name.isascii() and any("\ud800" <= letter <= "\udfff" for letter in name):
            raise BadSource(f"{where} has a file whose name is not valid text, {name!r}; rename it.")
    return ids


class FileSource:
    """Files under a root: `ids` are their paths relative to it (an absolute id stands for itself)."""

    def __init__(self, name: str, root: Path, ids: Iterable[str]):
        self.name = name
        self.root = root
        self.ids = checked_ids(ids, name)

    def __len__(self) -> int:
        return len(self.ids)

    def path(self, index: int) -> Path:
        return self.root / self.ids[index]

    def raw(self, index: int) -> bytes:
        path = self.path(index)
        try:
            status = path.stat()
            if stat.S_ISREG(status.st_mode) and status.st_size <= MAX_BYTES:
                return path.read_bytes()
        except OSError as error:
            raise BadImage(f"cannot be read: {error.strerror or error} ({path})") from None
        except ValueError as error:  # a NUL in the name
            raise BadImage(f"cannot be read: {error} ({path})") from None
        if stat.S_ISREG(status.st_mode):
            raise BadImage(f"too large: {status.st_size} bytes; the limit is {MAX_BYTES} ({path})")
        raise BadImage(f"not a file ({path})")  # a folder; or a pipe, which would be read for ever


class FolderSource(FileSource):
    """Every picture below a folder, sorted by id.

    Links to files and folders are followed. A folder that can be reached by several ways is listed once: by its own
    path if that is below the root, else by the first link to it (nearest the root, then in order of name); so no loop,
    and no picture counted twice because of a linked folder. A linked file is listed under every name it has. What is a
    picture, and what is passed over, is the rule of `giqa.images.listing`. `columns` are what `columns_beside` finds.
    """

    def __init__(self, path: str | Path):
        root = Path(path)
        if not os.path.isdir(root):
            raise BadSource(f"{str(path)!r} is not a folder.") if os.path.exists(root) else missing(root)
        litter: list[str] = []
        names = list(walk(root, litter=litter))
        ids = listed(names, litter, lambda name: head_of(root / name), f"the folder {str(path)!r}")
        super().__init__(str(path), root, ids)
        self.columns = Columns(partial(columns_beside, root, self.ids))


class GlobSource(FileSource):
    """The pictures that a pattern picks, by the rules of `FolderSource`; ids are relative to its longest fixed folder.

    `*`, `?` and `[...]` stay within one name; `**` stands for any number of folders.
    """

    def __init__(self, pattern: str):
        parts = PurePath(pattern).parts
        fixed = next((i for i, part in enumerate(parts) if has_magic(part)), len(parts) - 1)
        root, wanted = Path(*parts[:fixed]), parts[fixed:]
        if not os.path.isdir(root):
            raise missing(root)
        depth = None if "**" in wanted else len(wanted)
        litter: list[str] = []
        names = [name for name in walk(root, depth, litter) if _matches(name.split("/"), wanted)]
        litter = [name for name in litter if _matches(name.split("/"), wanted)]
        ids = listed(names, litter, lambda name: head_of(root / name), f"what {pattern!r} matches")
        super().__init__(pattern, root, ids)


class ListSource(FileSource):
    """The pictures named by a text file (one path a line; # begins a comment) or by a Python list, in their order.

    Relative paths are relative to the folder of the text file, or for a list to the current one, and are the ids. If
    any path is absolute, ids are relative to the folder that all have in common.
    """

    def __init__(self, where: str | Path | Sequence[str | Path]):
        if isinstance(where, (str, Path)):
            name, root = str(where), Path(where).parent
            given = [PurePath(line.replace("\\", "/")) for line in _lines(Path(where))]
        else:
            name, root = "list", Path.cwd()
            given = [PurePath(path) for path in where]
        if not given:
            raise BadSource(f"{name} names no pictures; it should hold one path a line.")
        if any(path.is_absolute() for path in given):
            root = root.absolute()
            given = [root / path for path in given]
            if os.name == "posix":  # where //a is the file /a, but not the same path
                given = [PurePath(f"/{path.as_posix().lstrip('/')}") for path in given]
            try:
                root = Path(os.path.commonpath([path.parent for path in given]))
            except ValueError:
                raise BadSource(f"{name} names files on several drives, which have no folder in common.") from None
            given = [path.relative_to(root) for path in given]
        if odd := [path.as_posix() for path in given if any(map(is_litter, path.parts)) and ".." not in path.parts]:
            text = f"{name} names {len(odd)} that a folder would pass over as leavings of a system (such as {odd[0]!r})"
            warnings.warn(f"{text}; they are kept, since the list names them", stacklevel=1)
        super().__init__(name, root, [path.as_posix() for path in given])


def has_magic(text: str) -> bool:
    """Whether a glob would read it as a pattern."""
    return any(letter in text for letter in "*?[")


def head_of(path: Path) -> bytes:
    """The first bytes of a file, none of what is no file: a pipe would be waited for."""
    if not stat.S_ISREG(path.stat().st_mode):
        return b""
    with path.open("rb") as file:
        return file.read(HEAD)


def walk(root: Path, depth: int | None = None, litter: list[str] | None = None) -> Iterator[str]:
    """Paths of all files below, relative and with "/"; folders seen before are not entered again.

    `litter` is given the paths of what `is_litter`, instead.
    """
    seen: set[tuple[int, int]] = set()
    folders, links = [("", 1)], []
    while folders or links:
        # real folders first: what a link leads to may turn up under its own name
        prefix, level = folders.pop() if folders else links.pop(0)
        place = root / prefix
        try:
            status = os.stat(place)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(place) as listing:
                entries = sorted(listing, key=lambda e: e.name)
        except OSError as error:
            raise BadSource(f"Cannot list the folder {str(place)!r}: {error.strerror or error}.") from None
        for entry in entries:
            if is_litter(entry.name):
                if litter is not None:
                    litter += _in_litter(root, prefix + entry.name)
            elif not _is_folder(entry):
                yield prefix + entry.name
            elif depth is None or level < depth:
                (links if entry.is_symlink() else folders).append((f"{prefix}{entry.name}/", level + 1))
        links.sort(key=lambda link: (link[1], link[0]))


def _in_litter(root: Path, name: str) -> list[str]:
    """A hidden file, or the first 10,000 files in a folder of litter; what may not be listed is nobody's loss here."""
    below = (Path(folder, file) for folder, _, files in os.walk(root / name) for file in files)
    return [path.relative_to(root).as_posix() for path in islice(below, 10_000)] or [name]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself; reading it will say so
        return False


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return _matches(parts, pattern[1:] or ("*",)) or (len(parts) > 1 and _matches(parts[1:], pattern))
    return bool(parts) and fnmatch.fnmatch(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _lines(path: Path) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise missing(path) from None
    except UnicodeDecodeError:
        raise BadSource(f"{str(path)!r} is not a list of paths: it is not UTF-8 text.") from None
    except OSError as error:
        raise BadSource(f"{str(path)!r} cannot be read: {error.strerror or error}.") from None
    if "\0" in text:
        raise BadSource(f"{str(path)!r} is not a list of paths: it holds NUL bytes.")
    for line in text.split("\n"):
        line = line.strip()
        if line and not line.startswith("#"):
            yield line
