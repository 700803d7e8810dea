"""`NAME=WHERE` on the command line, where a path may hold a = of its own: the only place of this rule."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..types import Source
from .folder import has_magic
from .table import split_spec


def name_and_place(text: str, barred: str = "[]/\\", there: Callable[[str], bool] | None = None) -> tuple[str, str]:
    """`NAME=WHERE` as name and path; without a name where the text has none, or is itself something that exists.

    What exists wins: a folder cfg=7.5,steps=50 is no set called cfg. Of several = the first counts after which
    something exists, else the first.

    Parameters
    ----------
    text : str
        As given on the command line; ~ is the home folder.
    barred : str
        Letters that no name has.
    there : callable or None
        Whether a path exists; None: `exists`.

    Returns
    -------
    tuple of two str
        The name, or "", and the path.

    Examples
    --------
    >>> name_and_place("A=fakes/"), name_and_place("runs/cfg=7.5/")
    (('A', 'fakes/'), ('', 'runs/cfg=7.5/'))
    """
    there = there or exists
    if there(text):
        return "", at_home(text)
    cuts = [at for at, letter in enumerate(text) if letter == "="]
    parts = [(text[:at], text[at + 1 :]) for at in cuts if at and not set(text[:at]) & set(barred) and text[at + 1 :]]
    if not parts:
        return "", at_home(text)
    name, where = next((part for part in parts if there(part[1])), parts[0])
    return name, at_home(where)


def exists(text: str) -> bool:
    """Whether a path, the table before a filter, or anything that a pattern matches is there."""
    text = at_home(text)
    if os.path.exists(text):
        return True
    table = split_spec(text)
    if table and os.path.isfile(table[0]):
        return True
    return has_magic(text) and next(glob.iglob(text, recursive=True), None) is not None


def at_home(text: str) -> str:
    """~/path as a shell would have it, which does not look behind NAME=; unless something is really called ~."""
    return os.path.expanduser(text) if text.startswith("~") and not os.path.exists(text) else text


def plain_name(where: Any) -> str:
    """What a person calls the pictures: the last part of a path with its filter, or a pattern without its folders.

    >>> [plain_name(where) for where in ("runs/7/fakes/", "set/labels.csv[kind=a/b]", "/data/runs/**/*.png")]
    ['fakes', 'labels.csv[kind=a/b]', 'runs/**/*.png']
    """
    text = str(where) if isinstance(where, (str, Path)) else where.name if isinstance(where, Source) else ""
    if not text:
        return "pictures"
    if os.path.exists(text):
        return Path(os.path.abspath(text)).name or text
    if found := split_spec(text):
        return f"{found[0].name}[{found[1]}]"
    parts = Path(text).parts
    pattern = [i for i, part in enumerate(parts) if has_magic(part)]
    return "/".join(parts[max(0, pattern[0] - 1) if pattern else -1 :]).lstrip("/")
