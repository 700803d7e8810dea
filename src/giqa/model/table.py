"""The table of scores, one row a picture."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadShape, BadSpec, MissingExtra
from ..files import as_path, replace_file, replacing, write_blocks
from ..stats import mean_z, share_of_worst
from ..types import as_numbers
from .columns import DETAIL, NUMBERS, PEOPLE, PREFERRED, RATED, REASON, SAID, TEXT, TEXT_READ, TEXTS, WORDS
from .headline import Headline, headline, percents, z_in_words
from .made_by import MadeBy
from .order import own_width, rank_interval
from .table_files import (
    about_of,
    beside,
    check_ending,
    csv_lines,
    json_lines,
    parquet_bytes,
    read_columns,
    write_parquet,
)
from .trust import doubts, human_part

LONG = 10_000  # pictures from which a table is kept in shards while it grows, and a report shows its ends alone


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
    chosen : str
        "best by score" and the like where `best` or `worst` made the table, which then speaks of no whole set.

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
    chosen: str = ""  # what `best` and `worst` took, such as "worst by z"; "" of a whole table

    def __post_init__(self) -> None:
        for name in self.columns:
            column, n = vars(self)[name], len(self.id) if isinstance(self.id, (list, tuple)) else -1
            if name not in WORDS:
                column = as_numbers(column, f"Values of {name}")
                object.__setattr__(self, name, column)
            elif not isinstance(column, (list, tuple)) or not all(issubclass(t, str) for t in {*map(type, column)}):
                raise BadShape(f"The column {name} is a list of texts, got {column!r:.80}.")
            if len(column) != n:
                raise BadShape(f"A table of scores has one {name} for each of its {n} pictures, got {len(column)}.")

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
        try:
            rows = np.arange(len(self))[which]
        except (IndexError, TypeError, ValueError):
            if isinstance(which, (int, np.integer)):
                raise  # ends a loop over the rows
            raise BadShape(
                f"Rows are numbers, a slice or a mask of {len(self)} pictures, a column is a text, got {which!r:.80}."
            ) from None
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
        return replace(self, chosen="", **columns)

    def best(self, n: int = 20, by: str = "score") -> Scores:
        """The n best rows, the best first."""
        return replace(self._some(self.ranked(by)[: _count(n)]), chosen=f"best by {by}")

    def worst(self, n: int = 20, by: str = "score") -> Scores:
        """The n worst rows, the worst first."""
        return replace(self._some(self.ranked(by)[::-1][: _count(n)]), chosen=f"worst by {by}")

    def contact_sheet(self, path: str | Path, images: Any = None) -> Path:
        """Write the pictures side by side, each with z, reason and name: `scores.worst(20).contact_sheet("w.png")`.

        `images`: where they are; of a table that was read from a file.
        """
        from .strip import contact_sheet

        return contact_sheet(path, self, images)

    def _repr_html_(self) -> str:
        from .strip import as_html

        return as_html(self)

    def __repr__(self) -> str:
        if self.chosen:
            return f"<giqa.Scores of the {len(self)} {self.chosen}{self._names()}>"
        said = self.headline()
        if said.known and said.pictures == 1:
            return f"<giqa.Scores of {len(self)} picture{'s' if len(self) > 1 else ''}: {said.verdict}>"
        share = f", {percents(said.within)} within the range of reals" if said.known else ""
        return f"<giqa.Scores of {len(self)} pictures{share}>"

    def _names(self) -> str:
        """The first three pictures, with z."""
        first = [f"{name} (z {z_in_words(z)})" for name, z in zip(self.id[:3], self.z[:3], strict=True)]
        return "".join([": ", ", ".join(first), ", ..." if len(self) > 3 else ""] if first else [])

    def rows(self) -> list[dict[str, Any]]:
        """One dict a picture; numbers are floats, a missing one is None."""
        return list(self.each())

    def each(self) -> Iterator[dict[str, Any]]:
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
        values = self.comparable(by)
        scored = np.flatnonzero(~np.isnan(values))
        return scored[np.argsort(-values[scored], kind="stable")]

    def comparable(self, by: str = "score") -> np.ndarray:
        """A column that ranks all rows: `by`, but z for the scores of `giqa.score_by_class`, whose scales differ."""
        if not isinstance(by, str) or by not in self.columns or by in WORDS:
            numbers = ", ".join(name for name in self.columns if name not in WORDS)
            raise BadSpec(f"Rows are ranked by a column of numbers: {numbers}; got {by!r}.")
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
        if ending == ".parquet":
            about = about_of(self, parquet_bytes(self))
            with replacing(path) as partial:
                write_parquet(self, partial, about)
        elif ending == ".jsonl":
            about = about_of(self, json_lines(self))
            write_blocks(path, chain([json.dumps({"made_by": about}) + "\n"], json_lines(self)))
        else:
            about = about_of(self, csv_lines(self))
            write_blocks(path, csv_lines(self))
            replace_file(beside(path), json.dumps(about, indent=1).encode())
        return path

    def csv(self) -> str:
        """The table as CSV text; a missing number is empty."""
        return "".join(csv_lines(self))


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
    >>> scores = Scores(["a.png", "b.png"], z, z, np.array([0.7, 0.01]), z, z, blank, blank, blank, blank)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_scores(scores.write(f"{folder}/scores.csv"))
    <giqa.Scores of 2 pictures, 50 % within the range of reals>
    """
    columns, made_by = read_columns(as_path(path))
    return Scores(**columns, made_by=made_by)


def _count(n: Any) -> int:
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 0:
        raise BadSpec(f"How many rows? A whole number from 0, got {n!r}.")
    return int(n)


def _plain(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)


def _mean(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
