"""The files that a table of scores is kept in, with checksums of the table and of how it was made."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadSpec, BadTable, MissingExtra
from ..tables.cells import number_or_nothing
from ..tables.read import read_table
from ..tables.table import Table
from ..tables.write import CALL, as_it_was, harmless
from .columns import (
    COLUMNS,
    DETAIL,
    NUMBERS,
    PEOPLE,
    PREFERRED,
    RATED,
    REASON,
    SAID,
    TEXT,
    TEXT_READ,
    TEXT_WORDS,
    TEXTS,
    WORDS,
)
from .made_by import MadeBy

FORMAT = 2  # 1 had no checksums
SEAL = "table"  # of made_by in a file: checksums, taken out when it is read
HEADLINE = "headline"  # likewise
WITNESSES = 16  # scores kept with the checksums
BLOCK = 10_000  # rows written at a time, and in a row group of Parquet
LATER = ("out_of_domain",)  # tables written before there was such a column are read as if it were empty


def check_ending(path: Path) -> None:
    """Refuse a file name that no writer knows, before any work is done."""
    if path.suffix.lower() not in (".csv", ".jsonl", ".parquet"):
        raise BadSpec(f"Scores are written as .csv, .jsonl or .parquet, got {path.name!r}.")
    if path.suffix.lower() == ".parquet":
        _pyarrow()


def about_of(scores: Any, lines: Iterable[str | bytes]) -> dict[str, Any]:
    """`made_by` as it is kept in a file: with the headline, and checksums of itself and of the lines of the table."""
    said = scores.headline().to_json()
    return {HEADLINE: said, **scores.made_by, "format": FORMAT, SEAL: _seal(scores, lines, said)}


def _seal(scores: Any, lines: Iterable[str | bytes], said: Mapping[str, Any]) -> dict[str, Any]:
    """Checksums of a table and of its `made_by`, and a few of its scores, by which it is known when edited."""
    known = np.flatnonzero(np.isfinite(scores.score))
    rows = known[np.linspace(0, len(known) - 1, min(len(known), WITNESSES)).astype(int)] if len(known) else []
    seal = {"sha256": _digest(lines), "scores": {str(scores.id[row]): float(scores.score[row]) for row in rows}}
    return seal | {"made_by": _sha256_of_json([dict(scores.made_by), seal, said])}


def csv_lines(scores: Any) -> Iterator[str]:
    """The lines of the CSV, made as they are needed: a table may be larger as text than memory."""
    text = io.StringIO()
    words = [scores[name] for name in WORDS if name in scores.columns]
    returns = any("\r" in cell for cells in words for cell in cells)  # else left without quotes
    writer = csv.DictWriter(
        text, scores.columns, lineterminator="\n", quoting=csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL
    )
    writer.writeheader()
    for row in scores.each():
        writer.writerow({name: harmless(value, CALL) for name, value in row.items()})
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def json_lines(scores: Any) -> Iterator[str]:
    return (json.dumps(json_safe(row), ensure_ascii=False) + "\n" for row in scores.each())


def column_bytes(columns: Mapping[str, Sequence[Any]]) -> Iterator[bytes]:
    """What the checksum of a table in Parquet covers: names, order, texts, and every bit of the numbers."""
    for name, cells in columns.items():
        if name in WORDS:
            yield _encoded("\0".join((name, *("" if cell is None else str(cell) for cell in cells))))
        else:
            numbers = np.array(cells, np.float64)  # of None NaN
            numbers[np.isnan(numbers)] = math.nan  # one of the many
            yield f"\0{name}\0".encode()
            yield numbers.tobytes()


def parquet_bytes(scores: Any) -> Iterator[bytes]:
    return column_bytes({name: scores[name] for name in scores.columns})


def write_parquet(scores: Any, path: Path, made_by: Mapping[str, Any]) -> None:
    """In row groups, so that no more than one is in memory twice."""
    pyarrow, parquet = _pyarrow()
    columns = {name: scores[name] for name in scores.columns}
    types = ((name, pyarrow.string() if name in WORDS else pyarrow.float64()) for name in columns)
    schema = pyarrow.schema(types, {"giqa": json.dumps(made_by)})
    with parquet.ParquetWriter(path, schema, write_page_checksum=True) as writer:
        for start in range(0, max(1, len(scores)), BLOCK):
            rows = slice(start, start + BLOCK)
            part = {n: list(c[rows]) if n in WORDS else np.asarray(c[rows]) for n, c in columns.items()}
            writer.write_table(pyarrow.table(part, schema))


def read_columns(path: Path) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """The columns of a table that `write_scores` wrote, and its `made_by`; see `read_scores`."""
    if path.suffix.lower() != ".tsv":
        check_ending(path)
    table = read_table(path, raw=True)
    if path.suffix.lower() in (".csv", ".tsv"):  # as `Scores.write` writes them
        typed = {name: [as_it_was(cell, CALL) for cell in cells] for name, cells in table.columns.items()}
        table = table.with_columns(typed)
    header = {name: table.find(name) for name in (*COLUMNS, *DETAIL, *SAID, *REASON, *TEXT, *TEXT_READ)}
    lacks = [name for name in COLUMNS if header[name] is None and name not in LATER]
    if not table.columns:  # JSONL of no pictures
        lacks, header = [], header | dict.fromkeys((*COLUMNS, *PEOPLE, *DETAIL, *REASON), "")
        table = table.with_columns({"": []})
    if lacks:
        raise BadTable(
            f"{path} is not a table of scores: there is no column {lacks[0]!r}. Its columns should be "
            f"{', '.join(COLUMNS)}."
        )
    families = (PEOPLE, PREFERRED, RATED, DETAIL, TEXT, TEXT_READ)
    whole = [name for names in families if all(header[name] is not None for name in names) for name in names]
    asked = (*NUMBERS, *(name for name in whole if name not in WORDS))
    columns: dict[str, Any] = {name: table.parsed(header[name] or "", number_or_nothing) for name in asked}
    columns = {name: np.array(values, float) for name, values in columns.items()}
    added = [name for name in (*REASON, *TEXT_WORDS) if name in whole or (name in REASON and header[name] is not None)]
    for name in ("id", *TEXTS, *added):
        column = header[name]
        cells = [""] * len(table) if column is None else table.columns[column]
        columns[name] = ["" if cell is None else str(cell) for cell in cells]
    if header["id"] and None in table.columns[header["id"]]:
        raise BadTable(
            f"{path}: row {table.columns[header['id']].index(None) + 1} has no id, so it is no row of scores."
        )
    return columns, _made_by(path, table)


def how_made(path: str | Path, table: Table) -> Mapping[str, Any]:
    """`made_by` of a table of scores, whatever else is in it; nothing where it is not known."""
    try:
        return _made_by(Path(path), table)
    except BadTable:
        return {}


def _made_by(path: Path, table: Table) -> Mapping[str, Any]:
    """How the scores came about, in the file or of text next to it, checked against the table."""
    text, made_by = path.suffix.lower() in (".csv", ".tsv"), table.about.get("made_by", {})
    if text and beside(path).is_file():
        try:
            made_by = json.loads(beside(path).read_text(encoding="utf-8"))
        except (ValueError, RecursionError):
            raise BadTable(
                f"{beside(path)} is not JSON, or is cut short; without it {path.name} can be read."
            ) from None
    if not isinstance(made_by, dict):
        raise BadTable(f"{path}: made_by is no JSON object, so that this is not how giqa writes scores.")
    made_by = dict(made_by)
    seal, version = made_by.pop(SEAL, None), made_by.pop("format", None)
    said = made_by.pop(HEADLINE, None)  # for people and other programs: it is computed anew from the table
    if (table.about and "made_by" not in table.about) or (seal is None) != (version is None):
        raise BadTable(f"{path}: how the scores were made is damaged; score again.")
    if version not in (None, FORMAT):
        raise BadTable(f"{path} has file format {version}; this giqa reads formats 1 and {FORMAT}. Score again.")
    if name := MadeBy.misfit(made_by):
        raise BadTable(
            f"{path}: {name!r} in made_by is {made_by[name]!r:.80}, which is nothing that giqa writes there."
        )
    if seal is not None:  # tables of format 1 have none
        _check(path, table, [made_by] if said is None else [made_by, said], seal)
    return made_by


def _check(path: Path, table: Table, said: Sequence[Mapping[str, Any]], seal: Any) -> None:
    """Whether table and `made_by` are those that were written together; a table that was edited is read with a warning.

    `said`: `made_by`, and the headline where the file has one (files of before have none).

    Raises `BadTable` where `made_by` is damaged, or where scores of the table are others than those that it goes with.
    """
    where = beside(path).name if path.suffix.lower() in (".csv", ".tsv") else "its made_by"
    try:
        own = {key: value for key, value in seal.items() if key != "made_by"}
        if seal["made_by"] != _sha256_of_json([said[0], own, *said[1:]]):
            raise BadTable(f"{path}: {where} is damaged; it does not have the checksum that it was written with.")
        if seal["sha256"] in _digests(path, table):
            return
        ids, scores = table.find("id") or "id", table.find("score") or "score"
        rows = zip(table.columns[ids], table.parsed(scores, number_or_nothing), strict=True)
        here = {str(name): score for name, score in rows if str(name) in seal["scores"] and score is not None}
        for name, score in here.items():
            if not math.isclose(score, seal["scores"][name], rel_tol=1e-5, abs_tol=1e-9):
                raise BadTable(
                    f"{path} and {where} do not belong together, or one is damaged: {name} scores {score:g} in the "
                    f"table and {seal['scores'][name]:g} there. Score again; or delete {where} to read the table alone."
                )
    except (KeyError, TypeError, AttributeError, OverflowError):
        raise BadTable(f"{path}: {where} is damaged; its checksum cannot be read.") from None
    warnings.warn(f"{path} was changed since giqa wrote it; it is read as it is now", stacklevel=5)


def _digests(path: Path, table: Table) -> tuple[str, ...]:
    """The checksums that a table may have been written with."""
    if path.suffix.lower() == ".parquet":
        try:
            return _digest(column_bytes(table.columns)), _digest(())  # an earlier giqa covered nothing of it
        except (TypeError, ValueError):  # texts where numbers were
            return (_digest(()),)
    content = path.read_bytes()
    content = content.partition(b"\n")[2] if path.suffix.lower() == ".jsonl" else content
    return (hashlib.sha256(content).hexdigest(),)


def _digest(parts: Iterable[str | bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(_encoded(part) if isinstance(part, str) else part)
    return digest.hexdigest()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def beside(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _sha256_of_json(value: Any) -> str:
    plain = json.loads(json.dumps(value))  # as a file gives it back: tuples as lists, keys as text
    return _digest([json.dumps(plain, sort_keys=True)])


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise MissingExtra("Parquet needs pyarrow: pip install 'giqa[parquet]'") from None
    return pyarrow, pyarrow.parquet


def json_safe(row: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity; the paper presets do."""
    return {k: str(v) if isinstance(v, float) and not np.isfinite(v) else v for k, v in row.items()}
