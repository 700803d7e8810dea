"""Tables of labels in and out: CSV, TSV and Parquet, and what a cell may hold."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..errors import BadSpec, BadTable, MissingExtra, MissingSource
from ..files import parse_table, replace_file

ENDINGS = (".csv", ".tsv", ".parquet")
YES = ("1", "1.0", "true", "yes", "real", "r")
NO = ("0", "0.0", "false", "no", "fake", "generated", "f")
FORMULA = re.compile(r"'*[=+\-@\t\r]")  # how a cell begins that a spreadsheet would run, behind any number of quotes
T = TypeVar("T")


@dataclass(frozen=True)
class Table:
    """Columns by name, as they stand in a file; `lines`: the line of each row, or None where there are no lines."""

    name: str
    columns: Mapping[str, Sequence[Any]]
    lines: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def place(self, row: int, column: str = "") -> str:
        """Where a cell is, in words, for an error."""
        at = f"row {row + 1}" if self.lines is None else f"line {self.lines[row]}"
        return f"{self.name}, {at}" + (f", column {column!r}" if column else "")

    def parsed(self, column: str, parse: Callable[[Any], T]) -> list[T]:
        """Every cell of a column through `parse`, whose ValueError says what a cell should be."""
        values = []
        for row, cell in enumerate(self.columns[column]):
            try:
                values.append(parse(cell))
            except ValueError as error:
                raise BadTable(f"{self.place(row, column)}: {cell!r} is {error}.") from None
        return values


def read_table(path: str | Path) -> Table:
    """A CSV, TSV or Parquet file; `BadTable` names the line that is wrong."""
    path = Path(path)
    if not path.is_file():
        raise MissingSource(f"There is no file {path}.")
    if path.suffix.lower() not in ENDINGS:
        raise BadSpec(f"Labels are read from {', '.join(ENDINGS)}, got {path.name!r}.")
    return _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_text(path)


def _read_text(path: Path) -> Table:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    columns, lines = parse_table(path.read_bytes(), str(path), BadTable, delimiter)
    return Table(str(path), {name: [as_it_was(cell) for cell in column] for name, column in columns.items()}, lines)


def _read_parquet(path: Path) -> Table:
    try:
        columns = _parquet().read_table(path).to_pydict()
    except (ValueError, OSError) as error:  # pyarrow's own errors are both
        raise BadTable(f"{path} is not Parquet, or is damaged ({error}).") from None
    return Table(str(path), columns)


def write_table(path: str | Path, columns: Mapping[str, Sequence[Any]]) -> Path:
    """Write `.csv`, `.tsv` or `.parquet`, whole or not at all; None and NaN are empty cells."""
    path = Path(path)
    if path.suffix.lower() not in ENDINGS:
        raise BadSpec(f"Labels are written as {', '.join(ENDINGS)}, got {path.name!r}.")
    plain = {name: [_plain(value) for value in column] for name, column in columns.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() == ".parquet":
        parquet, sink = _parquet(), io.BytesIO()
        import pyarrow

        parquet.write_table(pyarrow.table(plain), sink)
        replace_file(path, sink.getvalue())
        return path
    replace_file(path, as_csv(plain, "\t" if path.suffix.lower() == ".tsv" else ",").encode())
    return path


def as_csv(columns: Mapping[str, Sequence[Any]], delimiter: str = ",") -> str:
    """Columns as CSV; None is an empty cell, and a text that a spreadsheet would run gets a quote before it.

    >>> as_csv({"image": ["=1+2.png", "a.png"], "z": [-1.5, None]})
    "image,z\\n'=1+2.png,-1.5\\na.png,\\n"
    """
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*([harmless(value) for value in column] for column in columns.values()), strict=True))
    return file.getvalue()


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: before a text that begins with = + - @, tab or return stands '.

    One more where there are quotes already, so that `as_it_was` gives back exactly what went in.
    """
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def as_it_was(cell: str) -> str:
    """The text that `harmless` was given.

    >>> [as_it_was(harmless(name)) for name in ("=a", "'=a", "'a", "a")]
    ['=a', "'=a", "'a", 'a']
    """
    return cell[1:] if cell[:1] == "'" and FORMULA.match(cell) else cell


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return int(value) if isinstance(value, bool) else None if value != value else value


def _parquet() -> Any:
    try:
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise MissingExtra("Parquet needs pyarrow: pip install 'giqa[parquet]'") from None
    return pyarrow.parquet


# --- what a cell may hold; the error continues "'maybe' is ..."


def name(cell: Any) -> str:
    """A name that is there."""
    if cell is None or not str(cell).strip():
        raise ValueError("empty, and must not be")
    return str(cell).strip()


def text(cell: Any) -> str:
    """Any text, also none."""
    return "" if cell is None else str(cell).strip()


def truth(cell: Any) -> bool:
    """1 or 0, true or false, yes or no, real or fake."""
    word = str(cell).strip().lower()
    if word not in YES + NO:
        raise ValueError("neither yes nor no; write 1 or 0, true or false, yes or no, real or fake")
    return word in YES


def perhaps(cell: Any) -> bool:
    """The same, and no when there is nothing."""
    return bool(text(cell)) and truth(cell)


def not_main(cell: Any) -> bool:
    """Of a column `part`: whether it is not the main part, so quality control or tutorial."""
    return text(cell).lower() not in ("main", "")


def count(cell: Any) -> float:
    """How many: a number that is 0 or more."""
    number = _float(cell, "no number")
    if not 0 <= number < float("inf"):
        raise ValueError("not a number of 0 or more")
    return number


def measure(cell: Any) -> float:
    """A number of 0 or more, or nothing."""
    return count(cell) if text(cell) not in ("", "nan") else float("nan")


def rating(cell: Any) -> float:
    """Any number."""
    number = _float(cell, "no number")
    if number - number != 0:
        raise ValueError("not a finite number")
    return number


def _float(cell: Any, otherwise: str) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError):
        raise ValueError(otherwise) from None


def kind(cell: Any) -> str:
    """`real` or `generated` (also `fake`), or nothing."""
    word = text(cell).lower()
    if word not in ("real", "generated", "fake", ""):
        raise ValueError("no kind; a picture is real or generated")
    return "generated" if word == "fake" else word
