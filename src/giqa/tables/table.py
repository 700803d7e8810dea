"""Columns by name, as they stand in a file, with the line of each row for errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..errors import BadTable
from . import cells

DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+([eE][+-]?\d+)?\s*")
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}([.,]\d{3})+")
WHOLE = re.compile(r"[+-]?\d+")
T = TypeVar("T")


@dataclass(frozen=True)
class Table:
    """Columns by name, as they stand in a file.

    Parameters
    ----------
    name : str
        The file, for errors.
    columns : mapping of str to sequence
        Cells of each column.
    lines : sequence of int or None, default None
        Line on which each row begins; None: there are no lines.
    about : mapping, default empty
        What the file says of itself, such as {"made_by": ...}.
    decimal_comma : bool, default False
        1,5 is a number, as in tables that semicolons or tabs separate.
    unit : str, default "line"
        What `lines` count.

    Examples
    --------
    >>> table = Table("t.csv", {"image": ["a.png", "b.png"], "z": ["1,5", "2"]}, lines=[2, 3], decimal_comma=True)
    >>> table.parsed("z", float), table.place(1, "z")
    ([1.5, 2.0], "t.csv, line 3, column 'z'")
    """

    name: str
    columns: Mapping[str, Sequence[Any]]
    lines: Sequence[int] | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    decimal_comma: bool = False
    unit: str = "line"

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def place(self, row: int, column: str = "") -> str:
        """Where a cell is, in words, for an error.

        Parameters
        ----------
        row : int
            From 0.
        column : str, default ""
            Name of the column; "": the whole row.
        """
        at = f"row {row + 1}" if self.lines is None else f"{self.unit} {self.lines[row]}"
        return f"{self.name}, {at}" + (f", column {column!r}" if column else "")

    def read(self, cell: Any, parse: Callable[[Any], T]) -> T:
        """A cell through `parse`; a decimal comma is read where this table has them.

        Parameters
        ----------
        cell : object
            The cell.
        parse : callable
            Takes a cell; raises ValueError that says what a cell should be.
        """
        try:
            return parse(cell)
        except ValueError:
            if not (self.decimal_comma and isinstance(cell, str) and DECIMAL_COMMA.fullmatch(cell)):
                raise
            return parse(cell.replace(",", "."))

    def parsed(self, column: str, parse: Callable[[Any], T]) -> list[T]:
        """Every cell of a column through `parse`.

        Parameters
        ----------
        column : str
            Name of the column.
        parse : callable
            Takes a cell; raises ValueError that says what a cell should be.

        Returns
        -------
        list
            What `parse` returned.

        Raises
        ------
        BadTable
            With the line of the cell.
        """
        values = []
        for row, cell in enumerate(self.columns[column]):
            try:
                values.append(self.read(cell, parse))
            except ValueError as error:
                raise BadTable(f"{self.place(row, column)}: {cell!r} is {error}.") from None
        if self.decimal_comma and values and isinstance(values[0], float):
            self._refuse_thousands(column)
        return values

    def _refuse_thousands(self, column: str) -> None:
        """A comma, or a point next to decimal commas, that may stand for thousands: 1,250 among 900 and 12,000."""
        given = [str(cell).strip() for cell in self.columns[column]]
        commas = [cell for cell in given if DECIMAL_COMMA.fullmatch(cell)]
        english = bool(commas) and all(map(THOUSANDS.fullmatch, commas)) and any(map(WHOLE.fullmatch, given))
        german = bool(commas) and not english
        for row, cell in enumerate(given):
            if THOUSANDS.fullmatch(cell) and ("," in cell if english else german and "." in cell):
                raise BadTable(
                    f"{self.place(row, column)}: {cell!r} may be thousands or a decimal, going by the other cells; "
                    "write numbers without separators of thousands."
                )

    def by_name(self, names: str, column: str, parse: Callable[[Any], T]) -> dict[str, T]:
        """What a column says of each name; two rows of one name that say otherwise are refused.

        Parameters
        ----------
        names, column : str
            Names of the columns.
        parse : callable
            Of `parsed`.

        Raises
        ------
        BadTable
            With both lines.

        Examples
        --------
        >>> Table("t", {"image": ["a", "a"], "generator": ["g", "g"]}).by_name("image", "generator", str)
        {'a': 'g'}
        """
        found: dict[str, T] = {}
        first: dict[str, int] = {}
        cells_of = zip(self.parsed(names, cells.name), self.parsed(column, parse), strict=True)
        for row, (name, value) in enumerate(cells_of):
            if found.setdefault(name.strip(), value) != value:
                before = self.place(first[name.strip()]).removeprefix(f"{self.name}, ")
                raise BadTable(
                    f"{self.place(row)}: {name!r} is {value!r} here and {found[name.strip()]!r} in {before}."
                )
            first.setdefault(name.strip(), row)
        return found

    def find(self, *names: str) -> str | None:
        """The first of these columns that the table has, by its own name; case, spaces and hyphens do not count.

        Parameters
        ----------
        *names : str
            Names, the best first.

        Returns
        -------
        str or None
            Name of the column in the table.

        Examples
        --------
        >>> Table("t.csv", {"Said Real": [], "image": []}).find("said_real")
        'Said Real'
        """
        plain = {_plain_name(column): column for column in reversed(self.columns)}
        exact = (name for name in names if name in self.columns)
        alike = (plain[_plain_name(name)] for name in names if _plain_name(name) in plain)
        return next(exact, None) or next(alike, None)

    def called(self, **names: str | None) -> Table:
        """The same table with columns under other names, `new=old`; an old name of None changes nothing."""
        new = {old: name for name, old in names.items() if old is not None}
        kept = {c: cells for c, cells in self.columns.items() if c in new or c not in new.values()}
        return self.with_columns({new.get(column, column): cells for column, cells in kept.items()})

    def with_columns(self, columns: Mapping[str, Sequence[Any]]) -> Table:
        """Other columns for the same rows."""
        return Table(self.name, columns, self.lines, self.about, self.decimal_comma, self.unit)

    def rows(self, keep: Sequence[int]) -> Table:
        """Some of the rows; each still knows its line."""
        columns = {name: [cells[row] for row in keep] for name, cells in self.columns.items()}
        lines = None if self.lines is None else [self.lines[row] for row in keep]
        return Table(self.name, columns, lines, self.about, self.decimal_comma, self.unit)


def _plain_name(column: str) -> str:
    return re.sub(r"[\s\-_]+", "_", column.strip().casefold())
