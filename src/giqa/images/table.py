"""Tables (CSV, TSV), and the pictures that the rows of one name."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path

from ..errors import BadSource
from ..files import parse_table
from .folder import FileSource, missing

TABLE_ENDINGS = (".csv", ".tsv")


def read_table(path: str | Path) -> dict[str, list[str]]:
    """The columns of a CSV or TSV file by name, as text; `BadSource` names the line that is wrong."""
    columns, _ = _read(Path(path))
    return columns


def split_spec(spec: str) -> tuple[Path, str] | None:
    """`TABLE.csv[filter]` as path and filter; None when no part before a `[` is a file, or should be a table.

    A name may itself hold brackets, so the longest part that is a file counts, and a spec that is a file is all path.
    """
    if os.path.isfile(spec):
        return Path(spec), ""
    parts = [(spec[:at], spec[at + 1 : -1]) for at, letter in enumerate(spec) if letter == "[" and spec.endswith("]")]
    existing = [part for part in parts if os.path.isfile(part[0])]
    tables = [part for part in parts if part[0].lower().endswith(TABLE_ENDINGS)]
    found = existing[-1:] or tables[:1]
    return (Path(found[0][0]), found[0][1]) if found else None


class TableSource(FileSource):
    """The pictures named by the rows of a table: `TABLE.csv` or `TABLE.csv[column=value,column=value]`.

    A value is a text, a list `a|b`, or a range of numbers `5..24` with both ends in it (`5..` and `..24` are open);
    all filters must hold. Pictures are in the column `image`, else in the first; ids are the paths as the table has
    them, with "/"; relative ones are relative to the table's folder. `columns` keeps every column for these rows.
    """

    def __init__(self, spec: str | Path):
        spec = str(spec)
        path, filters = split_spec(spec) or (Path(spec), "")
        columns, lines = _read(path)
        rows = list(range(len(lines)))
        if not rows:
            raise BadSource(f"{str(path)!r} has a header but no rows.")
        for part in filters.split(",") if filters.strip() else []:
            rows = _kept(spec, columns, part, rows)
        image = "image" if "image" in columns else next(iter(columns))
        ids = [columns[image][row].replace("\\", "/") for row in rows]
        _check_rows(spec, image, ids, [lines[row] for row in rows])
        super().__init__(spec, path.parent, ids)
        self.columns = {name: [column[row] for row in rows] for name, column in columns.items()}


def _kept(spec: str, columns: dict[str, list[str]], part: str, rows: list[int]) -> list[int]:
    """The rows that `column=value` leaves, at least one."""
    name, equals, value = (text.strip() for text in part.partition("="))
    if not equals or not value:
        raise BadSource(f"Cannot read {part!r} in {spec!r}; write column=value, column=a|b or column=5..24.")
    if name not in columns:
        close = difflib.get_close_matches(name, columns, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise BadSource(f"There is no column {name!r} in {spec!r}; there are {', '.join(columns)}.{hint}")
    tests = [_test(choice.strip()) for choice in value.split("|")]
    column = columns[name]
    kept = [row for row in rows if any(test(column[row].strip()) for test in tests)]
    if not kept:
        values = list(dict.fromkeys(column[row] for row in rows))
        more = f" and {len(values) - 10} others" if len(values) > 10 else ""
        raise BadSource(f"{part.strip()!r} leaves nothing of {spec!r}; {name} is {', '.join(values[:10])}{more}.")
    return kept


def _test(choice: str) -> Callable[[str], bool]:
    low, dots, high = choice.partition("..")
    ends = [_number(low, float("-inf")), _number(high, float("inf"))]
    if not dots or None in ends or not (low or high):
        return lambda cell: cell == choice
    return lambda cell: (number := _number(cell)) is not None and ends[0] <= number <= ends[1]


def _number(text: str, empty: float | None = None) -> float | None:
    try:
        return float(text) if text.strip() else empty
    except ValueError:
        return None


def _check_rows(spec: str, image: str, ids: list[str], lines: list[int]) -> None:
    first: dict[str, int] = {}
    for name, line in zip(ids, lines, strict=True):
        if not name.strip():
            raise BadSource(f"{spec!r}, line {line}: the column {image!r} is empty.")
        if name in first:
            raise BadSource(
                f"{spec!r} names {name!r} in line {first[name]} and again in line {line}; every picture once, please: "
                "filter the rows with [column=value] or remove one."
            )
        first[name] = line


def _read(path: Path) -> tuple[dict[str, list[str]], list[int]]:
    """The columns, and the line that each row ends on."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise missing(path) from None
    except OSError as error:
        raise BadSource(f"{str(path)!r} cannot be read: {error.strerror or error}.") from None
    return parse_table(content, repr(str(path)), BadSource, "\t" if path.suffix.lower() == ".tsv" else ",")
