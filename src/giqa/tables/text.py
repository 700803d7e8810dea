"""The table in text: encoding, separator, header and rows, as spreadsheets and people write them."""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
from collections.abc import Sequence

from ..errors import BadTable
from .names import looks_like_picture
from .table import Table

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


def parse_table(content: bytes, name: str, delimiter: str = ",") -> Table:
    """The table in text.

    Parameters
    ----------
    content : bytes
        A whole file.
    name : str
        What errors call it.
    delimiter : str, default ","
        The separator to expect; what the first line shows is taken.

    Returns
    -------
    Table
        Cells are text.

    Raises
    ------
    BadTable
        With the line that is wrong.

    Examples
    --------
    >>> parse_table("\\ufeffsep=;\\nimage;kind;\\na.png;real;\\n;;\\n".encode(), "labels.csv").columns
    {'image': ['a.png'], 'kind': ['real']}
    """
    text, skipped = decoded(content, name), 0
    if said := re.match(r'"?sep=([^"\s]|\t)"?[ ,;\t]*(\r\n|\r|\n|$)', text, re.IGNORECASE):
        text, skipped, delimiter = text[said.end() :], 1, said[1]
        rows = _records(text, name, delimiter, skipped)
    else:
        delimiter, rows = _separated(text, name, delimiter)
    if not rows:
        raise BadTable(f"{name} is empty; a table begins with a line of column names.")
    columns, lines = _columns(name, rows)
    return Table(name, columns, lines, decimal_comma=delimiter in ";\t")


def decoded(content: bytes, name: str, other: bool = True) -> str:
    """Text in UTF-8, or UTF-16 or 32 with its mark.

    Parameters
    ----------
    content : bytes
        A whole file.
    name : str
        What errors call it.
    other : bool, default True
        Read what is not UTF-8 as Windows-1252, with a warning.

    Raises
    ------
    BadTable
        If it is no text.
    """
    if not isinstance(content, (bytes, bytearray)):
        raise BadTable(f"A table is read from the bytes of a file, got {content!r:.80}.")
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
