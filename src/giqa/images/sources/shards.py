"""Sets that lie in several files: `r-{000..009}.tar`, `shards/*.tar`, a folder of shards."""

from __future__ import annotations

import glob
import os
import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from ...errors import BadSource
from ...types import Source, columns_of
from ..folder import ListSource, checked_ids, has_magic, missing
from ..listing import is_litter, is_picture
from .chunked import HDF5
from .columns import Columns
from .parquet import ARROW, PARQUET
from .tar import TAR
from .tfrecord import LEVEL, TFRECORD

KINDS = (TAR, PARQUET, ARROW, TFRECORD, HDF5, (".zip",), (".npz",))
SHARDS = tuple(ending for kind in KINDS for ending in kind)
MOST = 1_000_000  # files that braces may name
_RANGE = re.compile(r"(\d+)\.\.(\d+)")
_BRACES = re.compile(r"\{([^{}]*(?:\.\.|,)[^{}]*)\}")


def open_shards(where: Any) -> Source | None:
    """Braces, a pattern that ends like a shard, or a folder that holds shards and neither pictures nor folders."""
    if not isinstance(where, (str, Path)) or not str(where):
        return None
    text = str(where)
    if os.path.isdir(text):
        files = _shards_in(text)
    elif os.path.exists(text):
        return None
    elif len(parts := braces(text)) > 1:
        if all(is_picture(part) and not has_magic(part) for part in parts):
            return ListSource(parts)
        files = [file for part in parts for file in (sorted(glob.glob(part)) if has_magic(part) else [part])]
    elif has_magic(text) and text.lower().endswith(SHARDS):
        files = sorted(glob.glob(text, recursive=True))
        if not files:
            raise BadSource(f"No file matches {text!r}.")
    else:
        return None
    if not files:
        return None
    _check_levels(text, files)
    from .. import open_source

    if absent := [file for file in files if not os.path.exists(file)]:
        if len(absent) == len(files):
            raise missing(Path(absent[0]))
        raise BadSource(
            f"{text!r} names {absent[0]!r}, which is not there ({len(absent)} of {len(files)} are missing)."
        )
    return Joined(text, [open_source(file) for file in files], shard_names(files))


def _check_levels(text: str, files: Sequence[str]) -> None:
    """StyleGAN's TFRecords hold the same pictures in every size."""
    levels = [level for level in (LEVEL.fullmatch(os.path.basename(file)) for file in files) if level]
    if len({level[1] for level in levels}) < len(levels):
        names = ", ".join(sorted(level[0] for level in levels))
        raise BadSource(f"{text!r} holds the same pictures in several sizes; give one of {names}.")


def braces(text: str) -> list[str]:
    """What a shell makes of braces: ranges keep their zeros, several are combined.

    >>> braces("r-{08..10}.tar"), braces("{a,b}/c"), braces("r.tar")
    (['r-08.tar', 'r-09.tar', 'r-10.tar'], ['a/c', 'b/c'], ['r.tar'])
    """
    found = _BRACES.search(text)
    if not found:
        return [text]
    if numbers := _RANGE.fullmatch(found[1]):
        first, last = int(numbers[1]), int(numbers[2])
        if abs(last - first) >= MOST:
            raise BadSource(f"{text!r} names {abs(last - first) + 1} files; {MOST} is the limit.")
        step = 1 if last >= first else -1
        width = len(numbers[1]) if len(numbers[1]) == len(numbers[2]) or numbers[1].startswith("0") else 0
        choices = [str(number).zfill(width) for number in range(first, last + step, step)]
    else:
        choices = found[1].split(",")
    rests = braces(text[found.end() :])
    if len(choices) * len(rests) > MOST:
        raise BadSource(f"{text!r:.200} names {len(choices) * len(rests)} files; {MOST} is the limit.")
    return [f"{text[: found.start()]}{choice}{rest}" for choice in choices for rest in rests]


def shard_names(files: Sequence[str]) -> list[str]:
    """What each file is called in ids: its path below the folder that all share, without its ending where unique.

    >>> shard_names(["/r/a/x-0.tar", "/r/b/x-1.tar.gz"])
    ['a/x-0', 'b/x-1']
    """
    folder = os.path.commonpath([os.path.dirname(os.path.abspath(file)) for file in files])
    full = [PurePath(os.path.relpath(os.path.abspath(file), folder)).as_posix() for file in files]
    bare = [_without_ending(name) for name in full]
    return bare if len(set(bare)) == len(bare) else full


def _without_ending(name: str) -> str:
    ending = max((ending for ending in SHARDS if name.lower().endswith(ending)), key=len, default="")
    return name[: len(name) - len(ending)] if ending else str(PurePath(name).with_suffix(""))


def _shards_in(folder: str) -> list[str]:
    """The shards of a folder that holds no picture and no other folder at its top.

    Those of one kind: img2dataset lays a table next to each tar file.
    """
    shards = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_litter(entry.name):
                continue
            if is_picture(entry.name) or entry.is_dir():
                return []
            shards.append(entry.path)
    kinds = ([path for path in shards if path.lower().endswith(kind)] for kind in KINDS)
    return sorted(next(filter(None, kinds), []))


class Joined:
    """Several sources as one, in their order; ids are those of the parts behind the name of the part and a "/".

    Parameters
    ----------
    name : str
        What the whole is called.
    parts : sequence of Source
        The parts.
    names : sequence of str
        What each part is called in ids.
    """

    def __init__(self, name: str, parts: Sequence[Source], names: Sequence[str]):
        self.name = name
        self.parts, self._names = list(parts), list(names)
        ids = (f"{prefix}/{here}" for prefix, part in zip(names, parts, strict=True) for here in part.ids)
        self.ids = checked_ids(ids, name)
        self._ends = list(accumulate(map(len, self.parts)))
        self.columns = Columns(self._read_columns)

    def __len__(self) -> int:
        return len(self.ids)

    def path(self, index: int) -> Path | None:
        part, row = self._place(index)
        return part.path(row)

    def raw(self, index: int) -> bytes | np.ndarray:
        part, row = self._place(index)
        return part.raw(row)

    def _place(self, index: int) -> tuple[Source, int]:
        number = bisect_right(self._ends, index)
        return self.parts[number], index - (self._ends[number - 1] if number else 0)

    def _read_columns(self) -> dict[str, list[str]]:
        """Those of all parts; a part that lacks one has empty cells."""
        tables = [columns_of(part) for part in self.parts]
        names = dict.fromkeys(name for table in tables for name in table)
        pairs = list(zip(tables, self.parts, strict=True))
        return {name: [cell for table, part in pairs for cell in table.get(name, [""] * len(part))] for name in names}
