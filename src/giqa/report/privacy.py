"""What may not leave this machine: a report without reals, pictures or names."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..explain.worst_pictures import Explained
from .result import WORDS, Report

A_REAL = "a real picture"
HIDDEN = "…"


def cleared(report: Report, show_reals: bool, show_thumbnails: bool, show_paths: bool) -> Report:
    """The report without what is hidden; everything after this sees only the result."""
    copies = report.flags.get("duplicate_of", ())
    names: dict[str, str] = {}  # what is said instead of a name
    if not show_reals:
        names |= dict.fromkeys({*report.real_ids, *copies} - {"", *report.ids}, A_REAL)
    elif not show_paths:
        names |= {name: f"real {row}" for row, name in enumerate(report.real_ids, 1)}
    if not (show_paths and show_reals):
        copy_names = {name: A_REAL if not show_reals else names.get(name, A_REAL) for name in set(copies)}
        if not show_paths:
            names |= {name: f"row {row}" for row, name in enumerate(report.ids, 1)}
        clean = _cleaner(names, hide_paths=not show_paths)
        spoken = [name for name in report.flags if name not in WORDS]  # "yes" is not the name of a picture there
        flags = {**report.flags, **{name: [clean(text) for text in report.flags[name]] for name in spoken}}
        if len(copies):
            flags["duplicate_of"] = [copy_names[text] if text else "" for text in copies]
        made_by = {key: _counts_alone(key, value) for key, value in report.made_by.items()}
        made_by = _each_text(made_by, lambda text: clean(_hidden_path(text) if not show_paths else text))
        report = dataclasses.replace(report, title=clean(report.title), flags=flags, made_by=made_by)
    if not show_paths:
        ids = [f"row {row}" for row in range(1, len(report.ids) + 1)]
        reals = [f"real {row}" for row in range(1, len(report.real_ids) + 1)]
        report = dataclasses.replace(report, ids=ids, real_ids=reals)
    if not show_thumbnails:
        words = {row: Explained(None, one.sentence) for row, one in report.explained.items()}
        report = dataclasses.replace(report, thumbnails=(), real_thumbnails={}, explained=words)
    if not show_reals:
        report = dataclasses.replace(report, neighbours=(), real_ids=(), real_thumbnails={})
    return report


def _counts_alone(key: str, value: Any) -> Any:
    """What `made_by` says of the reals themselves, without names of reals or of their groups."""
    if key not in ("twins", "strays", "groups") or not isinstance(value, Mapping):
        return value
    return {inner: item for inner, item in value.items() if inner not in ("ids", "of")}


_QUOTED_PATH = re.compile(r"""(['"])[^'"]*[/\\][^'"]*\1""")
_ENDS = "png|jpe?g|webp|bmp|gif|tiff?|np[yz]|zip|tar|csv|jsonl?|parquet|giqa|onnx|pth?|safetensors"
_FILE = rf"[^\s'\"(=,;/\\]+\.(?:{_ENDS})\b"
_PATH = re.compile(rf"""[^\s'"(=,;]*[/\\][^\s'"),;]*|{_FILE}""", re.IGNORECASE)


def _hidden_path(text: str) -> str:
    """A text that is nothing but a path, which may hold spaces, goes whole."""
    return HIDDEN if re.search(r"[/\\]", text) and not re.search(r"""['"(]""", text) else text


def _cleaner(names: Mapping[str, str], hide_paths: bool) -> Callable[[str], str]:
    """A function from a text to the same text without `names` and, if asked, without whatever looks like a path."""
    spoken = sorted((name for name in names if re.search(r"[^\W\d_]", name)), key=len, reverse=True)
    known: dict[str, str] = {"": ""}

    def clean(text: str) -> str:
        if text not in known:
            result = text
            for name in spoken:
                if name in result:
                    result = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", names[name], result)
            if hide_paths:
                result = _QUOTED_PATH.sub(HIDDEN, result)
                spots = [found.span() for found in _PATH.finditer(result)]
                result = result[: spots[0][0]] + HIDDEN + result[spots[-1][1] :] if spots else result
            known[text] = result
        return known[text]

    return clean


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return {change(str(key)): _each_text(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_each_text(item, change) for item in value]
    return change(str(value)) if isinstance(value, str | os.PathLike) else value
