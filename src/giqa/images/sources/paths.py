"""Paths: folders, archives, arrays, tables, lists, patterns and single pictures."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from ...errors import BadSource
from ...types import Source
from ..folder import FileSource, FolderSource, GlobSource, ListSource, has_magic, head_of, missing
from ..kinds import READ, REMEDIES, kind_of
from ..listing import is_picture
from ..table import TABLE_ENDINGS, TableSource, split_spec

FILTERED = re.compile(r"(.+)\[[^\[\]=]+=[^\[\]]*\]")
LOST_SLASH = re.compile(r"[a-z][a-z0-9+.\-]+:/[^/]", re.IGNORECASE)  # what pathlib makes of an address


def open_path(where: Any) -> Source | None:
    """Any path, or a list of paths; what is there wins over reading the name as a table with a filter or a pattern."""
    if isinstance(where, (str, Path)):
        return _open_path(Path(where), str(where))
    if isinstance(where, (list, tuple)) and where and all(isinstance(item, (str, Path)) for item in where):
        return ListSource(where)
    return None


def _no_table(text: str) -> BadSource:
    """`fakes[label=1]` of a folder: what has a filter is a table."""
    tables = [name for name in ("metadata.csv", "metadata.jsonl", "metadata.parquet") if (Path(text) / name).is_file()]
    hint = f"'{text}/{tables[0]}[...]'" if tables else f"a table of its pictures, '{text}/labels.csv[...]'"
    return BadSource(f"{text!r} is a folder, and what has a filter [column=value] is a table; give {hint}.")


def _open_path(path: Path, text: str) -> Source:
    if not text:
        raise BadSource("Pictures come from a path, and this one is empty; write '.' for the current folder.")
    ending = path.suffix.lower()
    # os.path and not Path: a long filter is no valid file name, and Path.exists would raise
    if os.path.isdir(path):
        return FolderSource(path)
    if not os.path.exists(path):
        if split_spec(text):
            return TableSource(text)
        if has_magic(text):
            if (filtered := FILTERED.fullmatch(text)) and os.path.isdir(filtered[1]):
                raise _no_table(filtered[1])
            return GlobSource(text)
        if LOST_SLASH.match(text):
            raise BadSource(f"{text!r} was an address before pathlib took a slash away; give addresses as text.")
        raise missing(path)
    if ending in TABLE_ENDINGS:
        return TableSource(text)
    if ending == ".zip":
        from ..archive import ZipSource

        return ZipSource(path)
    if ending in (".npz", ".npy"):
        from ..arrays import NpzSource

        return NpzSource(path)
    if ending in (".txt", ".lst"):
        return ListSource(path)
    kind = "" if is_picture(path.name) else _kind_of(path)
    if is_picture(path.name) or kind in READ:
        return FileSource(text, path.parent, [path.name])
    what = f"{text!r} is {kind}; {REMEDIES[kind]}" if kind in REMEDIES else f"Cannot tell what {text!r} is"
    raise BadSource(
        f"{what}; pictures come from a folder, a .zip, .tar, .npz, .npy, .csv, .tsv, .txt or .lst file, a pattern or a "
        "single picture."
    )


def _kind_of(path: Path) -> str:
    try:
        return kind_of(head_of(path))
    except OSError:  # what cannot be read is of no kind
        return ""
