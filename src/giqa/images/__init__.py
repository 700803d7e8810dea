"""Where pictures come from: `open_source(where)` gives names and bytes, `decode` gives pixels."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadSource
from ..types import Source

__all__ = ["open_source"]


def open_source(where: Any) -> Source:
    """The pictures that a path, a pattern, a table or an array names, in a fixed order and with unique ids.

        where                                   pictures                              ids
        "folder"                                everything below it, sorted           path relative to the folder
        "archive.zip"                           its members, sorted                   name of the member
        "pictures.npz", "pictures.npy"          the array `images`, or the only one   `ids`, else position
        "list.txt", "list.lst"                  a path a line, in their order         path relative to the list
        "labels.csv", "labels.csv[kind=fake]"   a row each, in their order            path as the table has it
        "runs/**/*.png"                         what matches, sorted                  path relative to "runs"
        "face.jpg"                              that one                              name of the file
        array, list of arrays, list of paths    in their order                        position; path
        PyTorch tensor, list of them or of
        Pillow images                           in their order                        position
        a Source                                as it says                            as it says

    Parameters
    ----------
    where : str, path, array, tensor, list or Source
        Of the table. What exists under the given name wins over reading the name as a table with a filter or as a
        pattern.

    Returns
    -------
    Source
        Nothing is decoded yet.

    Raises
    ------
    MissingSource
        When there is no such path.
    BadSource
        When it is nothing that pictures come from, or holds none.

    Examples
    --------
    >>> source = open_source(np.zeros((3, 8, 8, 3), np.uint8))
    >>> len(source), list(source.ids)
    (3, ['0', '1', '2'])
    """
    if isinstance(where, Source):
        return where
    if isinstance(where, (str, Path)):
        return _open_path(Path(where), str(where))
    if isinstance(where, (list, tuple)) and where and all(isinstance(item, (str, Path)) for item in where):
        from .folder import ListSource

        return ListSource(where)
    from .arrays import ArraySource, as_array

    if isinstance(where, (list, tuple)):
        return ArraySource([as_array(item) for item in where], name="list")
    if isinstance(array := as_array(where), np.ndarray):
        return ArraySource(array, name="array")
    raise BadSource(f"Pictures come from a path, an array or a list of either, not from {type(where).__name__}.")


def _open_path(path: Path, text: str) -> Source:
    from .folder import FileSource, FolderSource, GlobSource, ListSource, has_magic, missing
    from .kinds import READ, REMEDIES
    from .listing import is_picture
    from .table import TABLE_ENDINGS, TableSource, split_spec

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
            return GlobSource(text)
        raise missing(path)
    if ending in TABLE_ENDINGS:
        return TableSource(text)
    if ending == ".zip":
        from .archive import ZipSource

        return ZipSource(path)
    if ending in (".npz", ".npy"):
        from .arrays import NpzSource

        return NpzSource(path)
    if ending in (".txt", ".lst"):
        return ListSource(path)
    kind = "" if is_picture(path.name) else _kind_of(path)
    if is_picture(path.name) or kind in READ:
        return FileSource(text, path.parent, [path.name])
    what = f"{text!r} is {kind}; {REMEDIES[kind]}" if kind in REMEDIES else f"Cannot tell what {text!r} is"
    raise BadSource(
        f"{what}; pictures come from a folder, a .zip, .npz, .npy, .csv, .tsv, .txt or .lst file, a pattern or a "
        "single picture."
    )


def _kind_of(path: Path) -> str:
    from .folder import head_of
    from .kinds import kind_of

    try:
        return kind_of(head_of(path))
    except OSError:  # what cannot be read is of no kind
        return ""
