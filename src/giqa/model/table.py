"""The table of scores, one row a picture, and the files it is kept in."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadSpec, BadTable, MissingExtra
from ..files import as_path, replace_file, replacing, write_blocks
from ..stats import mean_z, share_of_worst
from ..tables.cells import number_or_nothing
from ..tables.read import read_table
from ..tables.table import Table
from ..tables.write import CALL, as_it_was, harmless
from .headline import Headline, headline, percents
from .made_by import MadeBy
from .order import own_width, rank_interval
from .trust import doubts, human_part

NUMBERS = ("score", "z", "percentile", "z_low", "z_high")
PEOPLE = ("p_real", "p_real_low", "p_real_high")  # only where a human model was asked too
DETAIL = ("detail",)  # only where the model keeps the detail of its reals, and pictures were scored
PREFERRED = ("p_preferred", "p_preferred_low", "p_preferred_high")  # of one that learned from pairs
RATED = ("rating", "rating_low", "rating_high")  # of one that learned from ratings
SAID = (*PEOPLE, *PREFERRED, *RATED)
TEXT_NUMBERS = ("text_quality", "text_quality_low", "text_quality_high", "n_text")  # only where text was looked for
TEXT = (*TEXT_NUMBERS, "text_box")
TEXT_READ = ("text_error", "text_read")  # only where it was compared with the text that was asked for
TEXTS = ("duplicate_of", "out_of_domain", "error", "notes")
REASON = ("reason",)  # not in tables that an earlier giqa wrote
TEXT_WORDS = ("text_box", "text_read")
WORDS = ("id", *REASON, *TEXTS, *TEXT_WORDS)  # all columns that are no numbers
COLUMNS = ("id", *NUMBERS, *TEXTS)
FORMAT = 2  # 1 had no checksums
SEAL = "table"  # of made_by in a file: checksums, taken out when it is read
HEADLINE = "headline"  # likewise
WITNESSES = 16  # scores kept with the checksums
LONG = 10_000  # pictures from which a table is kept in shards while it grows, and a report shows its ends alone
BLOCK = 10_000  # rows written at a time, and in a row group of Parquet
LATER = ("out_of_domain",)  # tables written before there was such a column are read as if it were empty


@dataclass(frozen=True, eq=False)
class Scores:
    """One row a picture, in the order of the source; numbers are float64 (n,), NaN in a row with an error.

    Parameters
    ----------
    id : sequence of str
        The picture's name.
    score : float array (n,)
        Raw, higher = better; its unit depends on the scorer.
    z : float array (n,)
        Robust z: 0 = like a typical held-out real, -3 = three robust standard deviations (1.4826 MAD) worse.
    percentile : float array (n,)
        Share of held-out reals that are no better, in (0, 1]; conformal.
    z_low, z_high : float array (n,)
        95 % interval of z: where it lies for typical sets of so many reals.
    duplicate_of : sequence of str
        The real picture that this one repeats, or empty.
    out_of_domain : sequence of str
        "yes": it shows something that the reals do not; "no"; empty where no layer sees content.
    error : sequence of str
        Why there is no score, or empty.
    notes : sequence of str
        What decoding had to do: "alpha composited on white", ...
    made_by : mapping
        How the table was made.
    p_real : float array (n,) or None
        Probability that a person calls it real; None where no human model was asked.
    p_real_low, p_real_high : float array (n,) or None
        Its 95 % interval.
    detail : float array (n,) or None
        Below 0: softer than a typical real; above: noisier, or over-sharpened; in robust standard deviations. None
        where the model does not know, or features were scored.
    reason : sequence of str or None
        What costs most: "grain", "softness", "structure", ...; empty where nothing is unusual, see
        `giqa.model.reason`. None in tables of an earlier giqa.
    p_preferred : float array (n,) or None
        Probability that a person prefers it to the typical picture of those that the human model learned from.
    p_preferred_low, p_preferred_high : float array (n,) or None
        Its 95 % interval.
    rating : float array (n,) or None
        The rating that is expected of a person, on the scale of the ratings that the human model learned from.
    rating_low, rating_high : float array (n,) or None
        Its 95 % interval.
    text_quality : float array (n,) or None
        1: the text in the picture is drawn like real type; 0: nothing like it; NaN: there is none. No rating by people.
    text_quality_low, text_quality_high : float array (n,) or None
        Its 95 % interval.
    n_text : float array (n,) or None
        How many lines of text were found.
    text_box : sequence of str or None
        x and y of the corners of the line that is drawn worst, as shares of the picture's sides; empty without text.
    text_error : float array (n,) or None
        Character error rate of what was read against the text that was asked for; NaN where none was.
    text_read : sequence of str or None
        What was read.
    pictures : Source or None
        What was scored, for a strip in a notebook and a contact sheet; not in files.

    Examples
    --------
    >>> z, blank = np.array([0.5, -3.0]), ["", ""]
    >>> scores = Scores(["a.png", "b.png"], z, z, z, z, z, blank, blank, blank, blank)
    >>> scores["z"].tolist(), scores.ranked().tolist(), scores.summary()["mean_z"]
    ([0.5, -3.0], [0, 1], -1.25)
    """

    id: Sequence[str]
    score: np.ndarray
    z: np.ndarray
    percentile: np.ndarray
    z_low: np.ndarray
    z_high: np.ndarray
    duplicate_of: Sequence[str]
    out_of_domain: Sequence[str]
    error: Sequence[str]
    notes: Sequence[str]
    made_by: Mapping[str, Any] = field(default_factory=dict)
    p_real: np.ndarray | None = None
    p_real_low: np.ndarray | None = None
    p_real_high: np.ndarray | None = None
    detail: np.ndarray | None = None
    reason: Sequence[str] | None = None
    p_preferred: np.ndarray | None = None
    p_preferred_low: np.ndarray | None = None
    p_preferred_high: np.ndarray | None = None
    rating: np.ndarray | None = None
    rating_low: np.ndarray | None = None
    rating_high: np.ndarray | None = None
    text_quality: np.ndarray | None = None
    text_quality_low: np.ndarray | None = None
    text_quality_high: np.ndarray | None = None
    n_text: np.ndarray | None = None
    text_box: Sequence[str] | None = None
    text_error: np.ndarray | None = None
    text_read: Sequence[str] | None = None
    pictures: Any = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that this table has, in their order."""
        people = (name for name in SAID if vars(self)[name] is not None)
        added = [name for name in (*DETAIL, *REASON, *TEXT, *TEXT_READ) if vars(self)[name] is not None]
        return ("id", *NUMBERS, *people, *TEXTS, *added)  # at the end, so that the others stay where they were

    @property
    def believed(self) -> bool:
        """Whether there is a p_real that nothing speaks against, by `giqa.model.trust.doubts`."""
        return self.p_real is not None and not doubts(human_part(self.made_by))

    def __len__(self) -> int:
        return len(self.id)

    def __getitem__(self, which: Any) -> Any:
        """A column by its name, a row by its number as a dict, or rows (a slice, numbers, a mask) as `Scores`."""
        if isinstance(which, str):
            if which not in self.columns:
                raise KeyError(f"There is no column {which!r}; there are {', '.join(self.columns)}.")
            return getattr(self, which)
        rows = np.arange(len(self))[which]
        return self._row(int(rows)) if rows.ndim == 0 else self._some(rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Row by row, each a dict."""
        return (self._row(row) for row in range(len(self)))

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "pictures": None}  # an open source has no place in a pickle

    def _row(self, row: int) -> dict[str, Any]:
        return {name: self[name][row] if name in WORDS else _plain(self[name][row]) for name in self.columns}

    def _some(self, rows: np.ndarray) -> Scores:
        some = {name: [self[name][row] for row in rows] if name in WORDS else self[name][rows] for name in self.columns}
        columns: dict[str, Any] = some
        return replace(self, **columns)

    def best(self, n: int = 20, by: str = "score") -> Scores:
        """The n best rows, the best first."""
        return self._some(self.ranked(by)[: _count(n)])

    def worst(self, n: int = 20, by: str = "score") -> Scores:
        """The n worst rows, the worst first."""
        return self._some(self.ranked(by)[::-1][: _count(n)])

    def contact_sheet(self, path: str | Path) -> Path:
        """Write the pictures side by side, each with z, reason and name: `scores.worst(20).contact_sheet("w.png")`."""
        from .strip import contact_sheet

        return contact_sheet(path, self)

    def _repr_html_(self) -> str:
        from .strip import as_html

        return as_html(self)

    def __repr__(self) -> str:
        said = self.headline()
        share = f", {percents(said.within)} within the range of reals" if said.known else ""
        return f"<giqa.Scores of {len(self)} pictures{share}>"

    def rows(self) -> list[dict[str, Any]]:
        """One dict a picture; numbers are floats, a missing one is None."""
        return list(self._rows())

    def _rows(self) -> Iterator[dict[str, Any]]:
        columns = {name: self[name] for name in self.columns}
        for i in range(len(self)):
            yield {name: column[i] if name in WORDS else _plain(column[i]) for name, column in columns.items()}

    @classmethod
    def joined(cls, parts: Sequence[Scores], made_by: Mapping[str, Any]) -> Scores:
        """Tables of the same columns, one after the other."""
        columns: dict[str, Any] = {name: [] for name in parts[0].columns}
        for name in columns:
            cells = (part[name] for part in parts)
            columns[name] = list(chain.from_iterable(cells)) if name in WORDS else np.concatenate(list(cells))
        return cls(**columns, made_by=made_by)

    def ranked(self, by: str = "score") -> np.ndarray:
        """Row numbers from best to worst by a column.

        Parameters
        ----------
        by : str
            A column of numbers.

        Returns
        -------
        int array (k,)
            Rows without a value are left out; ties keep their order. Where each class was compared with reals of its
            own, scores are on different scales, and z is taken instead.
        """
        if by not in self.columns or by in WORDS:
            numbers = ", ".join(name for name in self.columns if name not in WORDS)
            raise BadSpec(f"Rows are ranked by a column of numbers: {numbers}; got {by!r}.")
        values = self.comparable(by)
        scored = np.flatnonzero(~np.isnan(values))
        return scored[np.argsort(-values[scored], kind="stable")]

    def comparable(self, by: str = "score") -> np.ndarray:
        """A column that ranks all rows: `by`, but z for the scores of `giqa.score_by_class`, whose scales differ."""
        values: np.ndarray = self["z" if by == "score" and "classes" in self.made_by else by]
        return values

    def headline(self) -> Headline:
        """What is said first: the share within the range of reals, the chance to beat a real, and a verdict.

        Copies of reals are left out. The intervals need `made_by`, which says how many reals there are.

        Returns
        -------
        Headline
            `within` and `beats`, each with its 95 % interval, `median_z`, `verdict`, `lines()`, `to_json()`.
        """
        made, own = MadeBy.from_dict(self.made_by), np.array([not real for real in self.duplicate_of], bool)
        twins = made.twins or {}
        repeated = 0 if twins.get("left_out") else twins.get("count", 0)
        words = [self.reason[row] for row in np.flatnonzero(own).tolist()] if self.reason else ()
        return headline(self.percentile[own], self.z[own], made.reals, repeated, words)

    def rank_interval(self) -> tuple[np.ndarray, np.ndarray]:
        """95 % interval of the rank of each picture in this set, the best being 1; 0 without a score.

        It is narrower than the interval of z suggests, as other reals move all pictures together. It belongs to the
        set, so that it is never a column.

        Returns
        -------
        low, high : int array (n,)

        Raises
        ------
        BadSpec
            When the table does not say what its pictures share: one of an earlier giqa.
        """
        shared = MadeBy.from_dict(self.made_by).shared
        if shared is None:
            raise BadSpec(
                "This table does not say what the intervals of its z have in common (an earlier giqa made it, or its "
                "made_by is gone), so that ranks have no interval; score again."
            )
        return rank_interval(self.z, own_width(self.z, self.z_low, self.z_high, shared))

    def summary(self) -> dict[str, Any]:
        """What the set looks like as a whole: QS (mean z), and what must be reported with it.

        Copies of reals are left out of the mean: a memorised picture is no achievement, and under the paper's formulas
        its score is infinite. Pictures out of domain stay in it.

        Returns
        -------
        dict
            `pictures`, `scored`, `failed`, `duplicates`, `out_of_domain` (a number, or None where no layer sees
            content), `mean_z`, `median_z`, `mean_score`, `median_percentile`, `share_below_worst_5_percent`, and
            `mean_p_real`, `mean_p_preferred`, `mean_rating`, `mean_text_quality` where there are these columns. What
            cannot be computed is None.
        """
        scored = ~np.isnan(self.score)
        finite = self.z[np.isfinite(self.z) & np.array([not real for real in self.duplicate_of], bool)]
        percentile = self.percentile[scored]
        return {
            "pictures": len(self),
            "scored": int(scored.sum()),
            "failed": int((~scored).sum()),
            "duplicates": sum(map(bool, self.duplicate_of)),
            "out_of_domain": sum(value == "yes" for value in self.out_of_domain) if any(self.out_of_domain) else None,
            "mean_z": _plain(mean_z(finite)),
            "median_z": float(np.median(finite)) if len(finite) else None,
            "mean_score": _plain(self.score[scored].mean()) if scored.any() else None,
            "median_percentile": float(np.median(percentile)) if len(percentile) else None,
            "share_below_worst_5_percent": _plain(share_of_worst(percentile)),
            **{
                f"mean_{name}": _mean(self[name])
                for name in self.columns
                if name in (PEOPLE[0], PREFERRED[0], RATED[0], TEXT[0])
            },
        }

    def to_pandas(self) -> Any:
        """A pandas DataFrame with the same columns."""
        try:
            import pandas
        except ModuleNotFoundError:
            raise MissingExtra("Scores.to_pandas() needs pandas: pip install pandas") from None
        return pandas.DataFrame({name: self[name] for name in self.columns})

    def write(self, path: str | Path) -> Path:
        """Write `.csv` (with `made_by` in `NAME.csv.json` next to it), `.jsonl` or `.parquet`, each file atomically.

        `made_by` is kept with checksums of itself and of the table, so that damage is found when they are read, and so
        is a table next to the `made_by` of another run.

        Parameters
        ----------
        path : path
            Its ending decides the format; its folder is made where it is not there.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        BadSpec
            For another ending.
        MissingExtra
            For `.parquet` without pyarrow.
        """
        path = as_path(path)
        check_ending(path)
        ending = path.suffix.lower()
        lines = self._csv_lines if ending == ".csv" else self._lines
        said = self.headline().to_json()
        seal = self._seal(() if ending == ".parquet" else lines(), said)
        kept = {HEADLINE: said, **self.made_by, "format": FORMAT, SEAL: seal}
        if ending == ".parquet":
            with replacing(path) as partial:
                self._write_parquet(partial, kept)
        elif ending == ".jsonl":
            write_blocks(path, chain([json.dumps({"made_by": kept}) + "\n"], lines()))
        else:
            write_blocks(path, lines())
            replace_file(_beside(path), json.dumps(kept, indent=1).encode())
        return path

    def _seal(self, lines: Iterable[str], said: Mapping[str, Any]) -> dict[str, Any]:
        """Checksums of a table and of its `made_by`, and a few of its scores, by which it is known when edited."""
        known, digest = np.flatnonzero(np.isfinite(self.score)), hashlib.sha256()
        for line in lines:
            digest.update(line.encode("utf-8", "surrogatepass"))
        rows = known[np.linspace(0, len(known) - 1, min(len(known), WITNESSES)).astype(int)] if len(known) else []
        seal = {"sha256": digest.hexdigest(), "scores": {str(self.id[row]): float(self.score[row]) for row in rows}}
        return seal | {"made_by": _sha256_of_json([dict(self.made_by), seal, said])}

    def csv(self) -> str:
        """The table as CSV text; a missing number is empty."""
        return "".join(self._csv_lines())

    def _csv_lines(self) -> Iterator[str]:
        """The lines of the CSV, made as they are needed: a table may be larger as text than memory."""
        text = io.StringIO()
        words = [self[name] for name in WORDS if name in self.columns]
        returns = any("\r" in cell for cells in words for cell in cells)  # else left without quotes
        writer = csv.DictWriter(
            text, self.columns, lineterminator="\n", quoting=csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL
        )
        writer.writeheader()
        for row in self._rows():
            writer.writerow({name: harmless(value, CALL) for name, value in row.items()})
            yield text.getvalue()
            text.seek(0)
            text.truncate()
        yield text.getvalue()

    def _lines(self) -> Iterator[str]:
        return (json.dumps(json_safe(row), ensure_ascii=False) + "\n" for row in self._rows())

    def _write_parquet(self, path: Path, made_by: Mapping[str, Any]) -> None:
        """In row groups, so that no more than one is in memory twice."""
        pyarrow, parquet = _pyarrow()
        columns = {name: self[name] for name in self.columns}
        types = ((name, pyarrow.string() if name in WORDS else pyarrow.float64()) for name in columns)
        schema = pyarrow.schema(types, {"giqa": json.dumps(made_by)})
        with parquet.ParquetWriter(path, schema, write_page_checksum=True) as writer:
            for start in range(0, max(1, len(self)), BLOCK):
                rows = slice(start, start + BLOCK)
                part = {n: list(c[rows]) if n in WORDS else np.asarray(c[rows]) for n, c in columns.items()}
                writer.write_table(pyarrow.table(part, schema))


def check_ending(path: Path) -> None:
    """Refuse a file name that no writer knows, before any work is done."""
    if path.suffix.lower() not in (".csv", ".jsonl", ".parquet"):
        raise BadSpec(f"Scores are written as .csv, .jsonl or .parquet, got {path.name!r}.")
    if path.suffix.lower() == ".parquet":
        _pyarrow()


def read_scores(path: str | Path) -> Scores:
    """The table that `Scores.write` wrote, also after a spreadsheet saved it again.

    Parameters
    ----------
    path : path
        A .csv, .tsv, .jsonl or .parquet file.

    Returns
    -------
    Scores

    Raises
    ------
    BadTable
        When a column is missing or a number cannot be read, when `made_by` is damaged, or when table and `made_by` are
        of two runs. A table that was edited is read, with a warning.
    BadSpec, MissingSource, MissingExtra

    Examples
    --------
    >>> import tempfile
    >>> z, blank = np.array([0.5, -3.0]), ["", ""]
    >>> scores = Scores(["a.png", "b.png"], z, z, z, z, z, blank, blank, blank, blank)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_scores(scores.write(f"{folder}/scores.csv"))
    <giqa.Scores of 2 pictures, 50 % within the range of reals>
    """
    path = as_path(path)
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
    return Scores(**columns, made_by=_made_by(path, table))


def how_made(path: str | Path, table: Table) -> Mapping[str, Any]:
    """`made_by` of a table of scores, whatever else is in it; nothing where it is not known."""
    try:
        return _made_by(Path(path), table)
    except BadTable:
        return {}


def _made_by(path: Path, table: Table) -> Mapping[str, Any]:
    """How the scores came about, in the file or of text next to it, checked against the table."""
    text, made_by = path.suffix.lower() in (".csv", ".tsv"), table.about.get("made_by", {})
    if text and _beside(path).is_file():
        try:
            made_by = json.loads(_beside(path).read_text(encoding="utf-8"))
        except (ValueError, RecursionError):
            raise BadTable(
                f"{_beside(path)} is not JSON, or is cut short; without it {path.name} can be read."
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
    if seal is not None:  # tables of format 1 have none
        _check(path, table, [made_by] if said is None else [made_by, said], seal)
    return made_by


def _check(path: Path, table: Table, said: Sequence[Mapping[str, Any]], seal: Any) -> None:
    """Whether table and `made_by` are those that were written together; a table that was edited is read with a warning.

    `said`: `made_by`, and the headline where the file has one (files of before have none).

    Raises `BadTable` where `made_by` is damaged, or where scores of the table are others than those that it goes with.
    """
    where = _beside(path).name if path.suffix.lower() in (".csv", ".tsv") else "its made_by"
    try:
        own = {key: value for key, value in seal.items() if key != "made_by"}
        if seal["made_by"] != _sha256_of_json([said[0], own, *said[1:]]):
            raise BadTable(f"{path}: {where} is damaged; it does not have the checksum that it was written with.")
        content = path.read_bytes()
        content = content.partition(b"\n")[2] if path.suffix.lower() == ".jsonl" else content
        if path.suffix.lower() == ".parquet" or hashlib.sha256(content).hexdigest() == seal["sha256"]:
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
    except (KeyError, TypeError, AttributeError):
        raise BadTable(f"{path}: {where} is damaged; its checksum cannot be read.") from None
    warnings.warn(f"{path} was changed since giqa wrote it; it is read as it is now", stacklevel=4)


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _sha256_of_json(value: Any) -> str:
    plain = json.loads(json.dumps(value))  # as a file gives it back: tuples as lists, keys as text
    return _sha256(json.dumps(plain, sort_keys=True))


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise MissingExtra("Parquet needs pyarrow: pip install 'giqa[parquet]'") from None
    return pyarrow, pyarrow.parquet


def _count(n: Any) -> int:
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 0:
        raise BadSpec(f"How many rows? A whole number from 0, got {n!r}.")
    return int(n)


def _plain(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)


def _mean(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def json_safe(row: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity; the paper presets do."""
    return {k: str(v) if isinstance(v, float) and not np.isfinite(v) else v for k, v in row.items()}
