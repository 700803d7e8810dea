"""Columns of a source that are read when somebody asks for them: labels may cost more to read than names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any


class Columns(Mapping[str, Sequence[str]]):
    """A mapping whose content is read when it is first looked at.

    >>> columns = Columns(lambda: {"kind": ["real"]})
    >>> list(columns), columns["kind"]
    (['kind'], ['real'])
    """

    def __init__(self, read: Callable[[], Mapping[str, Sequence[str]]]):
        self._read = read

    @cached_property
    def _content(self) -> Mapping[str, Sequence[str]]:
        return self._read()

    def __getitem__(self, name: str) -> Sequence[str]:
        if not isinstance(name, str):  # so that `in` says no
            raise KeyError(name)
        return self._content[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._content))

    def __len__(self) -> int:
        return len(self._content)


def as_cell(value: Any) -> str:
    """A value of a table or of JSON as text: nothing is "", a whole number has no point, what is nested is JSON.

    >>> [as_cell(value) for value in (None, True, 3.0, "a", [1, 2])]
    ['', 'true', '3', 'a', '[1, 2]']
    """
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, default=str)
    return str(value)


def as_columns(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Rows as columns of text; what a row lacks is "".

    >>> as_columns([{"a": 1}, {"b": 2}])
    {'a': ['1', ''], 'b': ['', '2']}
    """
    columns: dict[str, list[str]] = {}
    count = 0
    for count, row in enumerate(rows, 1):
        for name, value in row.items():
            column = columns.setdefault(str(name), [])
            column += [""] * (count - 1 - len(column))
            column.append(as_cell(value))
    for column in columns.values():
        column += [""] * (count - len(column))
    return columns
