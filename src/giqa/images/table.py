"""Tables (CSV, TSV), and the pictures that the rows of one name."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import BadSource, BadTable
from ..tables.cells import number_or_nothing
from ..tables.names import ADDRESS, looks_like_picture
from ..tables.read import IMAGE, READ, picture_column, read_table
from ..tables.table import Table
from ..tables.text import parse_table
from ..tables.write import as_it_was
from .folder import FileSource, missing

TABLE_ENDINGS = READ


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
    all filters must hold. Pictures are in the column `image`, or `file_name` and the like, else in the only one that
    holds pictures' names, else in the first; ids are the paths as the table has them, with "/"; relative ones are
    relative to the table's folder. `columns` keeps every column for these rows, as text.
    """

    def __init__(self, spec: str | Path):
        spec = str(spec)
        path, filters = split_spec(spec) or (Path(spec), "")
        table = _read(path)
        if not len(table):
            raise BadSource(f"{str(path)!r} has a header but no rows.")
        table = table.rows(rows_kept(spec, table, filters))
        image = _image_column(spec, table, path.parent)
        ids = [_id_of(cell, path.parent) for cell in table.columns[image]]
        _check_rows(spec, image, ids, table)
        super().__init__(spec, path.parent, ids)
        self.columns = dict(table.columns)


def rows_kept(spec: str, table: Table, filters: str) -> list[int]:
    """The rows that all of `column=value,column=value` leave, at least one; all where there is no filter."""
    rows = list(range(len(table)))
    for part in filters.split(",") if filters.strip() else []:
        rows = _kept(spec, table, part, rows)
    return rows


def _image_column(spec: str, table: Table, folder: Path) -> str:
    """The column that names the pictures; a refusal that says which there are where it is not clear."""
    named = picture_column(table, *IMAGE)
    if named is None:
        holding = [name for name, cells in table.columns.items() if all(looks_like_picture(cell) for cell in cells)]
        first = next(iter(table.columns))
        named = first if first in holding or len(holding) != 1 else holding[0]
        cell = table.columns[named][0]
        if not (looks_like_picture(cell) or os.path.exists(folder / _id_of(cell, folder))):
            raise BadSource(
                f"Which column of {spec!r} names the pictures? There are {', '.join(map(repr, table.columns))}; call "
                f"it 'image' or 'file_name'. The first, {first!r}, has {cell[:80]!r}, and there is no such file."
            )
    addresses = [cell for cell in table.columns[named] if ADDRESS.fullmatch(cell.strip())]
    if addresses:
        raise BadSource(
            f"{spec!r} names addresses in the column {named!r}, such as {addresses[0][:80]!r}; what is read are files: "
            "fetch them, or give the addresses themselves as a list in Python."
        )
    return named


def _id_of(cell: str, folder: Path) -> str:
    """A path with "/"; without blanks around it, and the ' that giqa sets before =, unless a file is called so."""
    name = cell.replace("\\", "/")
    bare = as_it_was(name.strip())
    return name if name == bare or os.path.exists(folder / name) else bare


def _kept(spec: str, table: Table, part: str, rows: list[int]) -> list[int]:
    """The rows that `column=value` leaves, at least one."""
    name, equals, value = (text.strip() for text in part.partition("="))
    if not equals or not value:
        raise BadSource(f"Cannot read {part!r} in {spec!r}; write column=value, column=a|b or column=5..24.")
    column = table.find(name)
    if column is None:
        close = difflib.get_close_matches(name, table.columns, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise BadSource(f"There is no column {name!r} in {spec!r}; there are {', '.join(table.columns)}.{hint}")
    tests = [_test(choice.strip(), table) for choice in value.split("|")]
    cells = table.columns[column]
    kept = [row for row in rows if any(test(cells[row].strip()) for test in tests)]
    if not kept:
        values = list(dict.fromkeys(cells[row] for row in rows))
        more = f" and {len(values) - 10} others" if len(values) > 10 else ""
        raise BadSource(f"{part.strip()!r} leaves nothing of {spec!r}; {name} is {', '.join(values[:10])}{more}.")
    return kept


def _test(choice: str, table: Table) -> Callable[[str], bool]:
    """Whether a cell is this text in any case (5.0 is 5), or lies in this range."""

    def number(text: str, empty: float | None = None) -> float | None:
        try:
            return table.read(text, number_or_nothing) if text.strip() else empty
        except ValueError:
            return None

    low, dots, high = choice.partition("..")
    ends = [number(low, float("-inf")), number(high, float("inf"))]
    if not dots or None in ends or not (low or high):
        return lambda cell: _plain(cell) == _plain(choice)
    return lambda cell: (value := number(cell)) is not None and ends[0] <= value <= ends[1]


def _plain(text: str) -> str:
    whole = re.fullmatch(r"([+-]?\d+)[.,]0+", text)
    return whole[1] if whole else text.casefold()


def _check_rows(spec: str, image: str, ids: Sequence[str], table: Table) -> None:
    first: dict[str, str] = {}
    for row, name in enumerate(ids):
        line = table.place(row).removeprefix(f"{table.name}, ")
        if not name.strip():
            raise BadSource(f"{spec!r}, {line}: the column {image!r} is empty.")
        if name in first:
            raise BadSource(
                f"{spec!r} names {name!r} in {first[name]} and again in {line}; every picture once, please: "
                "filter the rows with [column=value] or remove one."
            )
        first[name] = line


def _read(path: Path) -> Table:
    """The table, every cell as text; a file of another ending is read as text with commas."""
    if path.suffix.lower() in (".tar", ".tgz", ".zip", ".npz", ".npy") and path.is_file():
        raise BadSource(f"{str(path)!r} is no table, and only a table has a filter [column=value]; give it without.")
    try:
        known = path.suffix.lower() in READ
        table = read_table(path, raw=True) if known else parse_table(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise missing(path) from None
    except BadTable as error:
        raise BadSource(str(error)) from None
    except OSError as error:
        raise BadSource(f"{str(path)!r} cannot be read: {error.strerror or error}.") from None
    image = table.find(*IMAGE)
    if image and any(isinstance(cell, (dict, list, bytes)) for cell in table.columns[image][:1]):
        raise BadSource(
            f"{str(path)!r} holds the pictures themselves in the column {image!r}; what is read are tables that name "
            "files: write the pictures out."
        )
    return table.with_columns({name: [_text(cell) for cell in cells] for name, cells in table.columns.items()})


def _text(cell: object) -> str:
    return "" if cell is None or cell != cell else str(cell)
