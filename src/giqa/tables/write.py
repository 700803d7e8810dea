"""Tables out: CSV and TSV that no spreadsheet runs, and Parquet; atomic."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import BadSpec, MissingExtra
from ..files import as_path, replace_file

MISSING = ("<NA>", "NaT")  # of pandas, which are neither None nor numbers
WRITTEN = (".csv", ".tsv", ".parquet")
FORMULA = re.compile(r"'*[=+\-@\t\r]")  # how a cell begins that a spreadsheet would run, behind any number of quotes
CALL = re.compile(FORMULA.pattern + "[^(|!]*[(|!]")  # of these, one that may call a function or another program


def write_table(path: str | Path, columns: Mapping[str, Sequence[Any]]) -> Path:
    """Write `.csv`, `.tsv` or `.parquet`; atomic.

    Parameters
    ----------
    path : str or Path
        The file; its folder is made.
    columns : mapping of str to sequence
        Cells of each column, all of one length; None and NaN are empty cells.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    BadSpec
        If the name has another ending.
    MissingExtra
        If Parquet is asked for and pyarrow is not installed.

    Examples
    --------
    >>> import tempfile
    >>> write_table(f"{tempfile.mkdtemp()}/z.csv", {"image": ["a.png"], "z": [-1.5]}).read_text()
    'image,z\\na.png,-1.5\\n'
    """
    path = as_path(path)
    if path.suffix.lower() not in WRITTEN:
        raise BadSpec(f"Labels are written as {', '.join(WRITTEN)}, got {path.name!r}.")
    plain = _checked(columns)
    if path.suffix.lower() == ".parquet":
        parquet, sink = pyarrow_parquet(), io.BytesIO()
        import pyarrow

        try:
            parquet.write_table(pyarrow.table(plain), sink)
        except (pyarrow.ArrowException, ValueError, OverflowError, TypeError) as error:
            raise BadSpec(f"Not every cell can be written to {path.name}: {error}") from None
        return replace_file(path, sink.getvalue())
    return replace_file(path, as_csv(plain, "\t" if path.suffix.lower() == ".tsv" else ","))


def as_csv(columns: Mapping[str, Sequence[Any]], delimiter: str = ",") -> str:
    """Columns as CSV; a text that a spreadsheet would run gets a quote before it.

    Parameters
    ----------
    columns : mapping of str to sequence
        Cells of each column, all of one length; None is an empty cell.
    delimiter : str, default ","
        The separator.

    Returns
    -------
    str
        Lines that end in a line feed.

    Examples
    --------
    >>> as_csv({"image": ["=1+2.png", "a.png"], "z": [-1.5, None]})
    "image,z\\n'=1+2.png,-1.5\\na.png,\\n"
    """
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    _check_lengths(columns)
    writer.writerow([harmless(name, CALL) for name in columns])
    writer.writerows(zip(*([harmless(value) for value in column] for column in columns.values()), strict=True))
    return file.getvalue()


def harmless(value: Any, rule: re.Pattern[str] = FORMULA) -> Any:
    """A cell that no spreadsheet takes for a formula: text that begins with = + - @, tab or return gets a quote first.

    One more where there are quotes already, so that `as_it_was` gives back exactly what went in. With `rule=CALL` only
    a formula that may call something gets one, so that the names of pictures (`-1girl.png`) stay what they are.
    """
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and rule.match(value) else value


def as_it_was(cell: str, rule: re.Pattern[str] = FORMULA) -> str:
    """The text that `harmless` was given.

    Parameters
    ----------
    cell : str
        As it stands in a file.
    rule : pattern
        The one that `harmless` went by.

    Returns
    -------
    str

    Examples
    --------
    >>> [as_it_was(harmless(name)) for name in ("=a", "'=a", "'a", "a")]
    ['=a', "'=a", "'a", 'a']
    """
    return cell[1:] if cell[:1] == "'" and rule.match(cell) else cell


def _checked(columns: Any) -> dict[str, list[Any]]:
    """Columns of cells as Python has them; a table of pandas is read as its columns."""
    if not isinstance(columns, Mapping) and hasattr(columns, "to_dict") and hasattr(columns, "items"):
        columns = dict(columns.items())
    if not isinstance(columns, Mapping) or not all(isinstance(name, str) for name in columns):
        raise BadSpec(f"A table is written of columns by name, got {columns!r:.80}.")
    found = {}
    for name, column in columns.items():
        if isinstance(column, (str, bytes)) or not isinstance(column, Iterable):
            raise BadSpec(f"The column {name} is a list of cells, got {column!r:.80}.")
        found[name] = [_plain(value) for value in column]
    _check_lengths(found)
    return found


def _check_lengths(columns: Mapping[str, Sequence[Any]]) -> None:
    lengths = {name: len(column) for name, column in columns.items()}
    if len({*lengths.values()}) > 1:
        raise BadSpec(f"All columns of a table are equally long, got {lengths!r:.200}.")


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") and math.prod(getattr(value, "shape", ())) == 1 else value
    if not isinstance(value, (str, int, float, type(None))):
        value = None if str(value) in MISSING else str(value)
    return int(value) if isinstance(value, bool) else None if value != value else value


def pyarrow_parquet() -> Any:
    """The module `pyarrow.parquet`; `MissingExtra` where it is not installed."""
    try:
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise MissingExtra("Parquet needs pyarrow: pip install 'giqa[parquet]'") from None
    return pyarrow.parquet
