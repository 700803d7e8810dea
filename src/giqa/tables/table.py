"""Tables in and out: CSV, TSV, Parquet and JSONL as people have them. The only reader of tables in giqa."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ..errors import BadSpec, BadTable, MissingExtra, MissingSource
from ..files import replace_file
from .names import looks_like_picture

WRITTEN = (".csv", ".tsv", ".parquet")
READ = (*WRITTEN, ".jsonl")
# names of the column that names the picture; Hugging Face's imagefolder has file_name
IMAGE = (
    *("image", "file_name", "filename", "image_path", "image_file", "image_name", "path", "file_path", "filepath"),
    *("file", "img", "img_path", "picture"),
)
NOTHING = ("", "nan", "na", "n/a", "#n/a", "none", "null")  # a missing number, as pandas, R, Excel and JSON write it
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
OTHERS = {
    b"PK\x03\x04": "an Excel workbook or another zip",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PAR1": "a Parquet file; call it .parquet",
    b"\x1f\x8b": "compressed; unpack it",
    b"%PDF": "a PDF",
    b"SQLite format 3": "a database",
}
DELIMITERS = (",", ";", "\t", "|")
INDEX = re.compile(r"(Unnamed: \d+(\.\d+)*|__index_level_\d+__)?")  # what pandas calls a column that has no name
FORMULA = re.compile(r"'*[=+\-@\t\r]")  # how a cell begins that a spreadsheet would run, behind any number of quotes
DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+([eE][+-]?\d+)?\s*")
T = TypeVar("T")


@dataclass(frozen=True)
class Table:
    """Columns by name, as they stand in a file.

    `lines`: the line on which each row begins, or None where there are no lines; `unit`: what they count. `about`: what
    the file says of itself, such as {"made_by": ...}. `decimal_comma`: whether 1,5 is a number, as in tables that
    semicolons or tabs separate.
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
        """Where a cell is, in words, for an error."""
        at = f"row {row + 1}" if self.lines is None else f"{self.unit} {self.lines[row]}"
        return f"{self.name}, {at}" + (f", column {column!r}" if column else "")

    def read(self, cell: Any, parse: Callable[[Any], T]) -> T:
        """A cell through `parse`, which raises ValueError; a decimal comma is read where this table has them."""
        try:
            return parse(cell)
        except ValueError:
            if not (self.decimal_comma and isinstance(cell, str) and DECIMAL_COMMA.fullmatch(cell)):
                raise
            return parse(cell.replace(",", "."))

    def parsed(self, column: str, parse: Callable[[Any], T]) -> list[T]:
        """Every cell of a column through `parse`, whose ValueError says what a cell should be."""
        values = []
        for row, cell in enumerate(self.columns[column]):
            try:
                values.append(self.read(cell, parse))
            except ValueError as error:
                raise BadTable(f"{self.place(row, column)}: {cell!r} is {error}.") from None
        return values

    def find(self, *names: str) -> str | None:
        """The first of these columns that the table has, by its own name; case, spaces and hyphens do not count.

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


# --- in


def read_table(path: str | Path, raw: bool = False) -> Table:
    """A `.csv`, `.tsv`, `.parquet` or `.jsonl` file; the only reader of tables in giqa.

    Text may be UTF-8 or UTF-16 (with its mark), separated by commas, semicolons or tabs, with a first line `sep=;`;
    blank rows, columns without a name and without content, and the index column of pandas are no part of the table.
    `raw`: cells as they stand, with the ' that `harmless` sets before what a spreadsheet would run. Raises `BadTable`
    with the line that is wrong, `BadSpec` for another ending, `MissingSource`.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingSource(f"There is no file {path}.")
    if path.suffix.lower() not in READ:
        raise BadSpec(f"Tables are read from {', '.join(READ)}, got {path.name!r}.")
    if path.suffix.lower() == ".parquet":
        return _read_parquet(path)
    if path.suffix.lower() == ".jsonl":
        return _read_jsonl(path)
    table = parse_table(path.read_bytes(), str(path), "\t" if path.suffix.lower() == ".tsv" else ",")
    if raw:
        return table
    return table.with_columns({name: [as_it_was(cell) for cell in column] for name, column in table.columns.items()})


def parse_table(content: bytes, name: str, delimiter: str = ",") -> Table:
    """The table in text; `delimiter` is the one to expect, and what the first line shows is taken.

    >>> parse_table("\\ufeffsep=;\\nimage;kind;\\na.png;real;\\n;;\\n".encode(), "labels.csv").columns
    {'image': ['a.png'], 'kind': ['real']}
    """
    text, skipped = _decoded(content, name), 0
    if said := re.match(r'"?sep=(.)"?[ ,;\t]*(\r\n|\r|\n|$)', text, re.IGNORECASE):
        text, skipped, delimiter = text[said.end() :], 1, said[1]
        rows = _records(text, name, delimiter, skipped)
    else:
        delimiter, rows = _separated(text, name, delimiter)
    if not rows:
        raise BadTable(f"{name} is empty; a table begins with a line of column names.")
    columns, lines = _columns(name, rows)
    return Table(name, columns, lines, decimal_comma=delimiter in ";\t")


def _decoded(content: bytes, name: str, other: bool = True) -> str:
    """Text in UTF-8, or UTF-16 or 32 with its mark; `other`: else in Windows-1252, with a warning."""
    if kind := next((what for mark, what in OTHERS.items() if content.startswith(mark)), None):
        raise BadTable(f"{name} is {kind}; what is read here is text: save it as CSV UTF-8.")
    encoding = next((coding for mark, coding in MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as wrong:
        text = _western(content, name, wrong.start) if other and encoding == "utf-8" else None
        if text is None:
            coding = encoding.removesuffix("-sig").upper()
            raise BadTable(f"{name} is not {coding} text (byte {wrong.start}); save it as CSV UTF-8.") from None
    if "\0" in text:
        raise BadTable(f"{name}, line {text[: text.index(chr(0))].count(chr(10)) + 1}: a NUL byte; not a table? If it "
                       "is UTF-16 without its mark, save it as CSV UTF-8.")  # fmt: skip
    return text.lstrip("\ufeff")


def _western(content: bytes, name: str, at: int) -> str | None:
    """Text of Windows-1252, which Excel writes in western Europe, with a warning; None where it cannot be that."""
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        return None
    if re.search(r"[\x00-\x08\x0e-\x1f]", text):
        return None
    warnings.warn(
        f"{name} is not UTF-8 text (byte {at}) and is read as Windows-1252; if names look wrong, save it as CSV UTF-8",
        stacklevel=6,
    )
    return text


def _separated(text: str, name: str, expected: str) -> tuple[str, list[tuple[int, list[str]]]]:
    """The separator, and the rows: of those that part the first line the widest that fits all rows."""
    widths = {one: _width(text, name, one) for one in dict.fromkeys((expected, *DELIMITERS))}
    parting = sorted((one for one in widths if widths[one] > 1), key=lambda one: -widths[one])
    for one in parting if len(parting) > 1 else ():
        try:
            rows = _records(text, name, one)
            _columns(name, rows)
        except BadTable:
            continue
        return one, rows
    best = expected if widths[expected] > 1 or not parting else parting[0]
    return best, _records(text, name, best)


def _width(text: str, name: str, delimiter: str) -> int:
    try:
        return len(_records(text, name, delimiter, most=1)[0][1])
    except (BadTable, IndexError):
        return 0


def _records(
    text: str, name: str, delimiter: str, skipped: int = 0, most: int | None = None
) -> list[tuple[int, list[str]]]:
    """Rows that are not blank, each with the line it begins on: a cell in quotes may hold several lines."""
    head = re.match(r"[^\r\n]*", text.lstrip("\r\n"))[0]
    spaced = f"{delimiter} " in head  # a blank after every comma, which would hide quotes
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=spaced)
    rows: list[tuple[int, list[str]]] = []
    line = skipped + 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((line, row))
            line = skipped + reader.line_num + 1
            if len(rows) == most:
                break
    except csv.Error as wrong:
        raise BadTable(f"{name}, line {line}: {wrong}.") from None
    return rows


def _columns(name: str, rows: list[tuple[int, list[str]]]) -> tuple[dict[str, list[str]], list[int]]:
    """Columns by name, and lines; without columns that have neither name nor content, and without a bare index."""
    header, body = [cell.strip() for cell in rows[0][1]], rows[1:]
    _check_header(name, header)
    if len(body) > 1 and all(len(row) == len(header) + 1 and row[0] == str(n) for n, (_, row) in enumerate(body, 1)):
        header = ["", *header]  # as R writes row names
    width = len(header)
    cut = []
    for line, row in body:
        short = row + [""] * (width - len(row)) if not any(header[len(row) :]) else row
        if len(short) < width or any(cell.strip() for cell in short[width:]):
            raise BadTable(f"{name}, line {line}: {len(row)} values for {width} columns.")
        cut.append(short[:width])
    columns: dict[str, list[str]] = {}
    for at, column in enumerate(header):
        cells = [row[at] for row in cut]
        if INDEX.fullmatch(column) and all(re.fullmatch(r"\s*\d*\s*", cell) for cell in cells):
            continue  # nothing, or the number of the row
        column = column or f"Unnamed: {at}"
        if column in columns:
            raise BadTable(f"{name} has two columns called {column!r}; a name is there once.")
        columns[column] = cells
    return columns, [line for line, _ in body]


def _check_header(name: str, header: Sequence[str]) -> None:
    pictures = [cell for cell in header if looks_like_picture(cell)]
    said = [cell for cell in header if cell]
    if pictures or (said and all(re.fullmatch(r"[+-]?\d*[.,]?\d+", cell) for cell in said)):
        raise BadTable(
            f"{name} has no line of column names: it begins with {', '.join(map(repr, said[:4]))}. Write one over it, "
            "such as image,kind."
        )


def _read_parquet(path: Path) -> Table:
    try:
        table = _parquet().read_table(path)
        columns, about = table.to_pydict(), json.loads((table.schema.metadata or {}).get(b"giqa", b"{}"))
    except (ValueError, OSError, RecursionError) as error:  # pyarrow's own errors are the first two
        raise BadTable(f"{path} is not Parquet, or is damaged ({error}).") from None
    kept = {name.strip(): cells for name, cells in columns.items() if not (INDEX.fullmatch(name) and _whole(cells))}
    return Table(str(path), kept, about={"made_by": about})


def _whole(cells: Iterable[Any]) -> bool:
    return all(cell is None or isinstance(cell, int) for cell in cells)


def _read_jsonl(path: Path) -> Table:
    """An object a line; the columns are all keys, and what an object lacks is None."""
    rows, lines, about = [], [], {}
    for number, line in enumerate(_decoded(path.read_bytes(), str(path), other=False).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise BadTable(f"{path}, line {number} is not JSON, or is cut short.") from None
        if not isinstance(row, dict):
            raise BadTable(f"{path}, line {number} is no JSON object; a table in JSONL has an object a line.")
        if not rows and not about and set(row) == {"made_by"}:
            about = row
            continue
        rows.append(row)
        lines.append(number)
    if not rows and not about:
        raise BadTable(f"{path} is empty; a table in JSONL has an object a line.")
    names = dict.fromkeys(name for row in rows for name in row)
    return Table(str(path), {name.strip(): [row.get(name) for row in rows] for name in names}, lines, about)


# --- which column is which


def picture_column(table: Table, *names: str) -> str | None:
    """The column that names the pictures: the first of `names` that holds pictures' names, else the first there is."""
    there = [column for column in (table.find(name) for name in names) if column]
    return next((column for column in there if _of_pictures(table.columns[column])), there[0] if there else None)


def _of_pictures(cells: Sequence[Any]) -> bool:
    return any(looks_like_picture(cell) for cell in cells[:100] if isinstance(cell, str))


def read_scored(path: str | Path, column: str | Sequence[str]) -> tuple[list[str], list[float]]:
    """Names and numbers of a table of scores, ours or anybody's; NaN where a picture has none.

    The names are in the column `id` or one of `IMAGE`; `column`: that of the numbers, or several, of which the first
    that is there is taken. Raises `BadTable` where one is missing, or a picture has two numbers.
    """
    table, wanted = read_table(path), [column] if isinstance(column, str) else list(column)
    names, numbers = picture_column(table, "id", *IMAGE), table.find(*wanted)
    if names is None or numbers is None:
        raise BadTable(
            f"{path} has no column {('id' if names is None else wanted[0])!r}; it has {', '.join(table.columns)}. It "
            f"should have id and {wanted[0]}; instead of id it may have image."
        )
    ids, values = [str(cell) for cell in table.columns[names]], table.parsed(numbers, number_or_nothing)
    first: dict[str, int] = {}
    for row, name in enumerate(ids):
        before = first.setdefault(name, row)
        if not (values[row] == values[before] or (values[row] != values[row] and values[before] != values[before])):
            raise BadTable(f"{table.place(row)}: {name!r} again, with another {numbers} than in {table.place(before)}.")
    return list(first), [values[row] for row in first.values()]


# --- out


def check_written(path: Path, what: str = "Labels") -> None:
    """Refuse a file name that `write_table` does not know, before any work is done."""
    if path.suffix.lower() not in WRITTEN:
        raise BadSpec(f"{what} are written as {', '.join(WRITTEN)}, got {path.name!r}.")


def write_table(path: str | Path, columns: Mapping[str, Sequence[Any]]) -> Path:
    """Write `.csv`, `.tsv` or `.parquet`, whole or not at all; None and NaN are empty cells."""
    path = Path(path)
    check_written(path)
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


# --- numbers in cells; the error continues "'high' is ..."


def number(cell: Any) -> float:
    """A number, also infinite; ValueError for any other text, and for what only Python takes for one (1_0)."""
    try:
        if isinstance(cell, str) and "_" in cell:
            raise ValueError
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("no number") from None


def number_or_nothing(cell: Any) -> float:
    """A number; NaN where there is none."""
    nothing = cell is None or (isinstance(cell, str) and cell.strip().casefold() in NOTHING)
    return float("nan") if nothing else number(cell)
