"""What a table of human judgements holds: votes, counts of votes, sittings, pairs or ratings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from ..errors import BadShape
from ..tables import cells
from ..tables.write import write_table


def _as_column(values: Any) -> np.ndarray:
    """Texts or numbers as an array, also those of pandas, which holds texts as objects."""
    try:
        found = np.asarray(values)
    except Exception:  # rows of several lengths, or a tensor that NumPy cannot take
        return np.empty((0, 0))
    texts = found.dtype.kind == "O" and found.ndim == 1 and all(isinstance(value, str) for value in found)
    return found.astype(np.str_) if texts else found


@dataclass(frozen=True, eq=False)
class Labels:
    """A table of judgements: columns of one length; each kind of table says what its columns are.

    Examples
    --------
    >>> from giqa.tables.table import Table
    >>> from giqa.votes import as_labels
    >>> table = Table("ratings", {"image": ["a", "b"], "rater": ["r", "r"], "rating": [4, 2]})
    >>> as_labels(table)
    <giqa.votes.Ratings of 2 rows, 2 pictures, 1 rater: columns image, rater, rating>
    >>> len(as_labels(table)), as_labels(table).rows(np.array([True, False])).pictures()
    (2, ['a'])
    """

    def __post_init__(self) -> None:
        for name, column in vars(self).items():
            found = _as_column(column)
            if found.ndim != 1 or found.dtype.kind not in "Ufiub":
                raise BadShape(f"The column {name} is a list of texts or of numbers, got {column!r:.80}.")
            object.__setattr__(self, name, found)
        lengths = {name: len(column) for name, column in vars(self).items()}
        if len(set(lengths.values())) > 1:
            raise BadShape(f"The columns of {type(self).__name__} differ in length: {lengths}.")

    def __len__(self) -> int:
        return len(next(iter(vars(self).values())))

    def __repr__(self) -> str:
        columns = self.columns()
        raters = len(set(columns["rater"].tolist()) - {""}) if "rater" in columns else 0
        of = [f"{len(self)} rows", *([f"{len(self.pictures())} pictures"] if self.pictures() else [])]
        of += [f"{raters} rater{'s' if raters > 1 else ''}"] if raters else []
        return f"<giqa.votes.{type(self).__name__} of {', '.join(of)}: columns {', '.join(columns)}>"

    def columns(self) -> dict[str, np.ndarray]:
        """All columns by name."""
        return dict(vars(self))

    def rows(self, keep: np.ndarray) -> Self:
        """The same columns for some of the rows (mask or positions)."""
        try:
            return type(self)(**{name: column[keep] for name, column in self.columns().items()})
        except (IndexError, TypeError, ValueError, OverflowError):
            raise BadShape(f"Rows are a mask or positions of {len(self)} judgements, got {keep!r:.80}.") from None

    def named(self, names: Mapping[str, str]) -> Self:
        """The same with pictures called as `names` says; those that it lacks keep their names."""
        columns = self.columns()
        for column in {"image", "left", "right"} & columns.keys():
            columns[column] = np.array([names.get(name, name) for name in columns[column].tolist()], np.str_)
        return type(self)(**columns)

    def pictures(self) -> list[str]:
        """The names of the pictures, each once, in their order."""
        columns = self.columns()
        return list(dict.fromkeys(n for c in ("image", "left", "right") if c in columns for n in columns[c].tolist()))

    def write(self, path: str | Path) -> Path:
        """Write `.csv`, `.tsv` or `.parquet`; optional columns that say nothing are left out."""
        optional = OPTIONAL[type(self)]
        kept = {n: c for n, c in self.columns().items() if n not in optional or _says_something(c)}
        return write_table(path, kept)


@dataclass(frozen=True, eq=False, repr=False)
class Votes(Labels):
    """One row a judgement of one picture: whether this rater said that it is real.

    Parameters
    ----------
    image, rater : str array (n,)
        Names.
    said_real : bool array (n,)
        The answer.
    context : str array (n,)
        What the picture was mixed with: the study, or the generator whose pictures the reals were among.
    kind : str array (n,)
        What it is: "real", "generated", or "" where that is unknown.
    generator : str array (n,)
        Which one made it; "" of a real picture.
    response_ms : float array (n,)
        How long the rater thought, in milliseconds; NaN where unknown.
    exposure_ms : float array (n,)
        How long the picture was shown, in milliseconds; NaN: without limit, or unknown.
    control : bool array (n,)
        Whether it is a quality-control picture, which counts for the gate and for nothing else.
    position : float array (n,)
        Which trial of the rater's session this was, from 1; NaN: the order of the rows.

    Raises
    ------
    BadShape
        When the columns differ in length.

    Examples
    --------
    >>> from giqa.tables.table import Table
    >>> from giqa.votes import as_labels
    >>> table = Table("votes", {"image": ["a", "a", "b"], "rater": ["r", "s", "r"], "said_real": [1, 0, 1]})
    >>> counts = as_labels(table).counts()
    >>> counts.image.tolist(), counts.n.tolist(), counts.n_real.tolist()
    (['a', 'b'], [2.0, 1.0], [1.0, 1.0])
    """

    image: np.ndarray
    rater: np.ndarray
    said_real: np.ndarray
    context: np.ndarray
    kind: np.ndarray
    generator: np.ndarray
    response_ms: np.ndarray
    exposure_ms: np.ndarray
    control: np.ndarray
    position: np.ndarray

    def counts(self) -> Counts:
        """Votes of each picture in each context, quality control left out."""
        votes = self.rows(~self.control)
        key = np.rec.fromarrays([votes.context, votes.generator, votes.image])
        _, first, place = np.unique(key, return_index=True, return_inverse=True)
        n = np.bincount(place, minlength=len(first)).astype(float)
        n_real = np.bincount(place, votes.said_real, minlength=len(first))
        of = votes.rows(first)
        return Counts(of.image, n, n_real, of.generator, of.kind, of.context)


@dataclass(frozen=True, eq=False, repr=False)
class Counts(Labels):
    """One row a picture (and context): of `n` judgements, `n_real` said real.

    Parameters
    ----------
    image : str array (n,)
        Names.
    n, n_real : float array (n,)
        Judgements, and how many of them said real.
    generator, kind, context : str array (n,)
        As in `Votes`.

    Raises
    ------
    BadShape
        When the columns differ in length.

    Examples
    --------
    >>> from giqa.tables.table import Table
    >>> from giqa.votes import as_labels
    >>> as_labels(Table("counts", {"image": ["a", "b"], "n": [5, 5], "n_real": [1, 4]})).n_real.tolist()
    [1.0, 4.0]
    """

    image: np.ndarray
    n: np.ndarray
    n_real: np.ndarray
    generator: np.ndarray
    kind: np.ndarray
    context: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Sittings(Labels):
    """One row an evaluator and generator: how many fakes and reals were judged, how many of each wrongly, how fast.

    Parameters
    ----------
    rater, generator : str array (n,)
        Names.
    fakes, wrong_fakes, reals, wrong_reals : float array (n,)
        Pictures that were judged, and how many of them wrongly.
    fake_seconds, real_seconds : float array (n,)
        Mean response time a picture, in seconds; NaN where unknown.

    Raises
    ------
    BadShape
        When the columns differ in length.

    Examples
    --------
    >>> from giqa.tables.table import Table
    >>> from giqa.votes import as_labels
    >>> columns = {"fakes": [50], "wrong_fakes": [10], "reals": [50], "wrong_reals": [5]}
    >>> as_labels(Table("sittings", {"rater": ["r"], "generator": ["gan"]} | columns)).wrong_fakes.tolist()
    [10.0]
    """

    rater: np.ndarray
    generator: np.ndarray
    fakes: np.ndarray
    wrong_fakes: np.ndarray
    reals: np.ndarray
    wrong_reals: np.ndarray
    fake_seconds: np.ndarray
    real_seconds: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Pairs(Labels):
    """Which of two pictures is better: votes for each; a row a pair, or a row a vote with its `rater`.

    Parameters
    ----------
    left, right : str array (n,)
        Names of the two pictures.
    votes_left, votes_right : float array (n,)
        Votes for each; a tie is half a vote to both.
    rater : str array (n,)
        Names; "" where votes were counted already.

    Raises
    ------
    BadShape
        When the columns differ in length.

    Examples
    --------
    >>> from giqa.tables.table import Table
    >>> from giqa.votes import as_labels
    >>> columns = {"left": [*"aa"], "right": [*"bc"], "rater": [*"rr"], "chosen": ["left", "tie"]}
    >>> as_labels(Table("pairs", columns)).votes_left.tolist()
    [1.0, 0.5]
    """

    left: np.ndarray
    right: np.ndarray
    votes_left: np.ndarray
    votes_right: np.ndarray
    rater: np.ndarray  # "" where votes were counted already


@dataclass(frozen=True, eq=False, repr=False)
class Ratings(Labels):
    """How good a picture is to a rater, on any numeric scale.

    Parameters
    ----------
    image, rater : str array (n,)
        Names.
    rating : float array (n,)
        The higher, the better.

    Raises
    ------
    BadShape
        When the columns differ in length.

    Examples
    --------
    >>> from giqa.tables.table import Table
    >>> from giqa.votes import as_labels
    >>> as_labels(Table("ratings", {"image": ["a", "b"], "rater": ["r", "r"], "rating": [4, 2]})).rating.tolist()
    [4.0, 2.0]
    """

    image: np.ndarray
    rater: np.ndarray
    rating: np.ndarray


# kind of table -> column -> how a cell is read; the first kind whose needed columns are all there is taken
Cells = Mapping[str, Callable[[Any], Any]]
OPTIONAL: dict[type, Cells] = {
    Votes: {
        "context": cells.label, "kind": cells.kind, "generator": cells.label, "response_ms": cells.measure,
        "exposure_ms": cells.measure, "control": cells.perhaps, "position": cells.measure,
    },
    Ratings: {},
    Counts: {"generator": cells.label, "kind": cells.kind, "context": cells.label},
    Sittings: {"fake_seconds": cells.measure, "real_seconds": cells.measure},
    Pairs: {"rater": cells.text},
}  # fmt: skip
NEEDED: dict[type, Cells] = {
    Votes: {"image": cells.name, "rater": cells.name, "said_real": cells.truth},
    Ratings: {"image": cells.name, "rater": cells.name, "rating": cells.rating},
    Counts: {"image": cells.name, "n": cells.whole_count, "n_real": cells.whole_count},
    Sittings: {
        "rater": cells.name, "generator": cells.text, "fakes": cells.count, "wrong_fakes": cells.count,
        "reals": cells.count, "wrong_reals": cells.count,
    },
    Pairs: {"left": cells.name, "right": cells.name, "votes_left": cells.count, "votes_right": cells.count},
}  # fmt: skip


def _says_something(column: np.ndarray) -> bool:
    if column.dtype.kind == "f":
        return not np.all(np.isnan(column))
    return bool(np.any(column)) if column.dtype == bool else bool(np.any(column != ""))
