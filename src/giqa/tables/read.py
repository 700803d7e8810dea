"""Tables in: CSV, TSV, Parquet and JSONL as people have them. The only reader of tables in giqa."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..errors import BadSpec, BadTable, GiqaError, MissingSource
from ..files import as_path
from .cells import number_or_nothing
from .names import looks_like_picture
from .table import Table
from .text import INDEX, decoded, parse_table
from .write import WRITTEN, as_it_was, pyarrow_parquet

READ = (*WRITTEN, ".jsonl")
# names of the column that names the picture; Hugging Face's imagefolder has file_name
IMAGE = (
    *("image", "file_name", "filename", "image_path", "image_file", "image_name", "path", "file_path", "filepath"),
    *("file", "img", "img_path", "picture"),
)


def read_table(path: str | Path, raw: bool = False) -> Table:
    """A `.csv`, `.tsv`, `.parquet` or `.jsonl` file; the only reader of tables in giqa.

    Parameters
    ----------
    path : str or Path
        The file.
    raw : bool, default False
        Cells as they stand, with the ' that `as_csv` sets before what a spreadsheet would run.

    Returns
    -------
    Table
        Cells are text, or of any type from Parquet and JSONL.

    Raises
    ------
    BadTable
        With the line that is wrong.
    BadSpec
        If the name has another ending.
    MissingSource
        If there is no such file.

    Notes
    -----
    Text may be UTF-8 or UTF-16 (with its mark), separated by commas, semicolons or tabs, with a first line `sep=;`;
    blank rows, columns without a name and without content, and the index column of pandas are no part of the table.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "labels.csv"
    >>> _ = path.write_text("image,kind\\na.png,real\\n")
    >>> read_table(path).columns
    {'image': ['a.png'], 'kind': ['real']}
    """
    path = as_path(path)
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


def _read_parquet(path: Path) -> Table:
    try:
        table = pyarrow_parquet().read_table(path, page_checksum_verification=True)
        _check_once(path, table.column_names)
        said = table.schema.metadata or {}
        if b"giqa" not in said and b'"giqa": ' in _footer(path):
            raise BadTable(f"{path} is damaged: what giqa wrote in it stands under another name.")
        columns, about = table.to_pydict(), json.loads(said.get(b"giqa", b"{}"))
    except (GiqaError, MemoryError):
        raise
    except Exception as error:  # those of pyarrow are of many kinds, such as NotImplementedError
        raise BadTable(f"{path} is not Parquet, or is damaged ({error}).") from None
    kept = {name.strip(): cells for name, cells in columns.items() if not (INDEX.fullmatch(name) and _whole(cells))}
    return Table(str(path), kept, about={"made_by": about})


def _footer(path: Path) -> bytes:
    """The end of a Parquet file, which says what is in it; its length stands before the last mark of 4 bytes."""
    with path.open("rb") as file:
        file.seek(-8, os.SEEK_END)
        length = int.from_bytes(file.read(4), "little")
        file.seek(-8 - length, os.SEEK_END)
        return file.read(length)


def _whole(cells: Iterable[Any]) -> bool:
    return all(cell is None or isinstance(cell, int) for cell in cells)


def _read_jsonl(path: Path) -> Table:
    """An object a line; the columns are all keys, and what an object lacks is None."""
    rows, lines, about = [], [], {}
    for number, line in enumerate(decoded(path.read_bytes(), str(path), other=False).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=lambda pairs, at=number: _object(path, at, pairs))
        except BadTable:
            raise
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
    _check_once(path, names)
    return Table(str(path), {name.strip(): [row.get(name) for row in rows] for name in names}, lines, about)


def _object(path: Path, number: int, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadTable(f"{path}, line {number} has a name twice in one object; a name is there once.")
    return found


def _check_once(path: Path, names: Iterable[str]) -> None:
    """A name is there once, blanks around it left away."""
    seen: set[str] = set()
    for name in (name.strip() for name in names):
        if name in seen:
            raise BadTable(f"{path} has two columns called {name!r}; a name is there once.")
        seen.add(name)


def picture_column(table: Table, *names: str) -> str | None:
    """The column that names the pictures: the first of `names` that holds pictures' names, else the first there is.

    Parameters
    ----------
    table : Table
        The table.
    *names : str
        Names that such a column may have.

    Returns
    -------
    str or None
        Name of the column in the table.
    """
    there = [column for column in (table.find(name) for name in names) if column]
    return next((column for column in there if _of_pictures(table.columns[column])), there[0] if there else None)


def _of_pictures(cells: Sequence[Any]) -> bool:
    return any(looks_like_picture(cell) for cell in cells[:100] if isinstance(cell, str))


def read_scored(path: str | Path, column: str | Sequence[str]) -> tuple[list[str], list[float]]:
    """Names and numbers of a table of scores, ours or anybody's.

    Parameters
    ----------
    path : str or Path
        The table. Names are in the column `id` or one of `IMAGE`.
    column : str or sequence of str
        The column of the numbers; of several, the first that is there.

    Returns
    -------
    names : list of str
        Each once.
    numbers : list of float
        NaN where a picture has none.

    Raises
    ------
    BadTable
        If a column is missing, or a picture has two different numbers.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "scores.csv"
    >>> _ = path.write_text("id,z\\na.png,-1.5\\nb.png,\\n")
    >>> read_scored(path, "z")
    (['a.png', 'b.png'], [-1.5, nan])
    """
    wanted = [column] if isinstance(column, str) else list(column) if isinstance(column, (list, tuple)) else []
    if not wanted or not all(isinstance(name, str) for name in wanted):
        raise BadSpec(f"A column is named by a text, or by a list of texts, got {column!r:.80}.")
    table = read_table(path)
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
