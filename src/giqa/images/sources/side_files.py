"""Labels that lie next to pictures: `metadata.csv` of Hugging Face's imagefolder, a JSON or a text a picture."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ...errors import BadSource, BadTable
from ...tables.names import match_names
from ...tables.read import IMAGE, picture_column, read_table
from .columns import as_cell, as_columns
from .stylegan import LABELS, labels_of

TABLES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
TEXTS = ("json", "txt", "text", "caption", "cls")  # endings, of what is a column each; the keys of JSON are one each


def columns_beside(root: Path, ids: Sequence[str]) -> dict[str, list[str]]:
    """The columns that files next to the pictures give, as text; empty cells for pictures they do not name.

    `metadata.csv`, `.jsonl` or `.parquet` in any folder names its pictures in the column `file_name`, relative to that
    folder, as every table does (`giqa.tables.names.match_names`); a picture that it names twice is refused where the
    rows differ. `dataset.json` is StyleGAN's. Files called as the picture, with another ending, are looked for if the
    first picture has one.
    """
    rows: list[dict[str, Any]] = [{} for _ in ids]
    row_of = {name: row for row, name in enumerate(ids)}
    for folder in sorted({parent.as_posix() for name in ids for parent in PurePosixPath(name).parents}):
        for table in TABLES:
            if (root / folder / table).is_file():
                _add_table(root / folder / table, folder, row_of, rows)
    if (root / LABELS).is_file():
        for name, cells in labels_of((root / LABELS).read_bytes(), ids, str(root)).items():
            for cell, row in zip(cells, rows, strict=True):
                row.setdefault(name, cell)
    for ending in TEXTS:
        if (root / ids[0]).with_suffix(f".{ending}").is_file():
            for name, row in zip(ids, rows, strict=True):
                _add_file((root / name).with_suffix(f".{ending}"), row)
    return as_columns(rows)


def _add_table(path: Path, folder: str, row_of: dict[str, int], rows: list[dict[str, Any]]) -> None:
    try:
        table = read_table(path)
    except BadTable as error:
        raise BadSource(str(error)) from None
    image = picture_column(table, *IMAGE)
    if image is None:  # a table of something else that is called so
        return
    ids = [name for name in row_of if folder == "." or name.startswith(f"{folder}/")]
    within = [name if folder == "." else name.removeprefix(f"{folder}/") for name in ids]
    names = [str(cell) for cell in table.columns[image]]
    place, _ = match_names(names, within)
    first: dict[int, int] = {}
    for number, name in enumerate(names):
        if name not in place:
            continue
        said = {column: as_cell(cells[number]) for column, cells in table.columns.items() if column != image}
        before = first.setdefault(place[name], number)
        if before != number and any(as_cell(table.columns[column][before]) != cell for column, cell in said.items()):
            raise BadSource(f"{table.place(number)}: {name!r} again, and otherwise than in {table.place(before)}.")
        rows[row_of[ids[place[name]]]] |= said
    if not place and names:
        warnings.warn(f"{path} names no picture of {folder if folder != '.' else path.parent}", stacklevel=1)


def _add_file(path: Path, row: dict[str, Any]) -> None:
    try:
        text = path.read_text(encoding="utf-8-sig")
        said = json.loads(text) if path.suffix == ".json" else text.strip()
    except FileNotFoundError:
        return
    except (ValueError, OSError, RecursionError) as error:
        raise BadSource(f"{str(path)!r} cannot be read: {error}.") from None
    for name, value in said.items() if isinstance(said, dict) else ((path.suffix[1:], said),):
        row.setdefault(name, value)
