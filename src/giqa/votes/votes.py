"""Human judgements as tables: votes, counts of votes, sittings, pairs, ratings; read and written as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from ..errors import BadShape, BadTable
from ..tables import cells
from ..tables.names import join_names, match_names
from ..tables.read import IMAGE, read_table
from ..tables.table import Table
from ..tables.write import write_table
from .other_tools import hint_of
from .questions import read_judged_table


@dataclass(frozen=True, eq=False)
class Labels:
    """A table of judgements: columns of one length; each kind of table says what its columns are.

    Examples
    --------
    >>> table = Table("ratings", {"image": ["a", "b"], "rater": ["r", "r"], "rating": [4, 2]})
    >>> len(as_labels(table)), as_labels(table).rows(np.array([True, False])).pictures()
    (2, ['a'])
    """

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in vars(self).items()}
        if len(set(lengths.values())) > 1:
            raise BadShape(f"The columns of {type(self).__name__} differ in length: {lengths}.")

    def __len__(self) -> int:
        return len(next(iter(vars(self).values())))

    def columns(self) -> dict[str, np.ndarray]:
        """All columns by name."""
        return dict(vars(self))

    def rows(self, keep: np.ndarray) -> Self:
        """The same columns for some of the rows (mask or positions)."""
        return type(self)(**{name: column[keep] for name, column in self.columns().items()})

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


@dataclass(frozen=True, eq=False)
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


@dataclass(frozen=True, eq=False)
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
    >>> as_labels(Table("counts", {"image": ["a", "b"], "n": [5, 5], "n_real": [1, 4]})).n_real.tolist()
    [1.0, 4.0]
    """

    image: np.ndarray
    n: np.ndarray
    n_real: np.ndarray
    generator: np.ndarray
    kind: np.ndarray
    context: np.ndarray


@dataclass(frozen=True, eq=False)
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


@dataclass(frozen=True, eq=False)
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
    >>> columns = {"left": [*"aa"], "right": [*"bc"], "rater": [*"rr"], "chosen": ["left", "tie"]}
    >>> as_labels(Table("pairs", columns)).votes_left.tolist()
    [1.0, 0.5]
    """

    left: np.ndarray
    right: np.ndarray
    votes_left: np.ndarray
    votes_right: np.ndarray
    rater: np.ndarray  # "" where votes were counted already


@dataclass(frozen=True, eq=False)
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
ALSO = {"control": ("part", cells.not_main), "position": ("order", cells.measure)}  # as `giqa label export` has them
CHOSEN = ("left", "right", "rater", "chosen")  # of a table with a row a vote
PREFERRED = ("left", "right", "preferred")  # the same, by others; a rater may stand there
SIDES = {"left": 1.0, "l": 1.0, "right": 0.0, "r": 0.0, "tie": 0.5, "draw": 0.5, "equal": 0.5, "same": 0.5}
KNOWN = dict.fromkeys(  # every column that means something, and is not asked for by another name
    [
        *CHOSEN,
        *PREFERRED,
        "part",
        "passed",
        "order",
        *(name for kind in NEEDED for name in NEEDED[kind] | OPTIONAL[kind]),
    ]
)


def read_labels(path: str | Path) -> Votes | Counts | Sittings | Pairs | Ratings:
    """The table of judgements in a CSV, TSV or Parquet file; its columns say which kind it is.

    ======== ===========================================================================================
    votes    image,rater,said_real[,context,kind,generator,response_ms,exposure_ms,control,position]
    counts   image,n,n_real[,generator,kind,context]
    sittings rater,generator,fakes,wrong_fakes,reals,wrong_reals[,fake_seconds,real_seconds]
    pairs    left,right,votes_left,votes_right   or, a row a vote, left,right,rater,chosen or left,right,preferred
    ratings  image,rater,rating
    ======== ===========================================================================================

    Parameters
    ----------
    path : path
        The file; `votes.csv[question=clarity]` where it answers several questions. Other columns are ignored.

    Returns
    -------
    Votes, Counts, Sittings, Pairs or Ratings

    Raises
    ------
    BadTable
        With the file, the line and the column that is wrong.
    MissingSource

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "votes.csv"
    >>> _ = file.write_text("image,rater,said_real\\na.png,r1,real\\na.png,r2,fake\\n")
    >>> read_labels(file).said_real.tolist()
    [True, False]
    """
    return as_labels(read_judged_table(path))


def as_labels(table: Table) -> Votes | Counts | Sittings | Pairs | Ratings:
    """The judgements in a table that is read already.

    Parameters
    ----------
    table : Table
        Columns are known by their names in any case; `file_name` and the like are read as `image`.

    Returns
    -------
    Votes, Counts, Sittings, Pairs or Ratings
        As `read_labels` has it.

    Raises
    ------
    BadTable
        With the file, the line and the column that is wrong.

    Examples
    --------
    >>> as_labels(Table("votes", {"File_Name": ["a.png"], "rater": ["r1"], "said_real": ["fake"]})).image.tolist()
    ['a.png']
    """
    given, table = table, table.called(**{name: table.find(name) for name in KNOWN})
    if "image" not in table.columns:
        table = table.called(image=table.find(*IMAGE))
    if all(column in table.columns for column in CHOSEN):
        return _chosen(_counted(table))
    if all(column in table.columns for column in PREFERRED):
        return _chosen(_counted(table), "preferred")
    for kind, needed in NEEDED.items():
        if all(column in table.columns for column in needed):
            table = table if kind is Votes else _counted(table)
            made = _columns(table, kind)
            _check(table, made)
            return made
    raise BadTable(
        f"{given.name} has the columns {', '.join(map(repr, given.columns))}; a table of judgements has image,rater,"
        "said_real or image,n,n_real or left,right,votes_left,votes_right or left,right,rater,chosen or "
        f"left,right,preferred or image,rater,rating.{hint_of(given)}"
    )


def _counted(table: Table) -> Table:
    """Without quality control and who failed it, where columns say so: only votes have a use for them, the gate."""
    left_out = {"control": cells.perhaps, "part": cells.not_main, "passed": lambda cell: not cells.truth(cell)}
    parsed = [table.parsed(name, parse) for name, parse in left_out.items() if name in table.columns]
    keep = [row for row in range(len(table)) if not any(column[row] for column in parsed)]
    return table.rows(keep)


def _columns(table: Table, kind: type) -> Any:
    columns = {}
    for name, parse in (NEEDED[kind] | OPTIONAL[kind]).items():
        column, read = (name, parse) if name in table.columns else ALSO.get(name, (name, parse))
        values = table.parsed(column, read) if column in table.columns else [parse(None)] * len(table)
        columns[name] = _array(values, parse)
    if kind in (Votes, Counts) and "kind" not in table.columns and "generator" in table.columns:
        columns["kind"] = np.array([cells.kind_of_generator(name) for name in columns["generator"].tolist()], np.str_)
    return kind(**columns)


def _array(values: list[Any], parse: Callable[[Any], Any]) -> np.ndarray:
    if parse in (cells.truth, cells.perhaps):
        return np.array(values, bool)
    return np.array(values, np.str_ if parse in (cells.name, cells.text, cells.label, cells.kind) else np.float64)


def _check(table: Table, made: Labels) -> None:
    """What no single cell can show: nothing is there twice, and no part is more than its whole."""
    if not len(made):
        raise BadTable(f"{table.name} has a header but no rows.")
    if isinstance(made, Votes):
        _one_kind(table, made)
        part = np.where(made.control, "control", "")  # a picture may also be there as quality control
        _once(table, made.rater, made.image, made.context, part, what="rater {0!r} judges {1!r}")
    elif isinstance(made, Ratings):
        _once(table, made.rater, made.image, what="rater {0!r} rates {1!r}")
    elif isinstance(made, Counts):
        _once(table, made.image, made.generator, made.context, what="{0!r} stands there")
        _at_most(table, "n_real", made.n_real, "n", made.n)
    elif isinstance(made, Pairs):
        _two(table, made)
    elif isinstance(made, Sittings):
        _once(table, made.rater, made.generator, what="rater {0!r} sits for {1!r}")
        _at_most(table, "wrong_fakes", made.wrong_fakes, "fakes", made.fakes)
        _at_most(table, "wrong_reals", made.wrong_reals, "reals", made.reals)


def _once(table: Table, *columns: np.ndarray, what: str) -> None:
    first: dict[tuple[str, ...], int] = {}
    for row, key in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        if key in first:
            before = table.place(first[key]).removeprefix(f"{table.name}, ")
            raise BadTable(f"{table.place(row)}: {what.format(*key)} again (first in {before}); remove one.")
        first[key] = row


def _one_kind(table: Table, made: Votes) -> None:
    first: dict[tuple[str, str], int] = {}
    for row, key in enumerate(zip(made.image.tolist(), made.generator.tolist(), strict=True)):
        before = first.setdefault(key, row)
        kinds = made.kind[row], made.kind[before]
        if kinds[0] != kinds[1] and all(kinds):
            where = table.place(before).removeprefix(f"{table.name}, ")
            raise BadTable(f"{table.place(row)}: {key[0]!r} is {kinds[0]} here and {kinds[1]} in {where}.")


def _two(table: Table, made: Pairs) -> None:
    for row in np.flatnonzero(made.left == made.right)[:1]:
        raise BadTable(f"{table.place(row)}: {str(made.left[row])!r} is paired with itself; remove that row.")


def _at_most(table: Table, name: str, part: np.ndarray, whole_name: str, whole: np.ndarray) -> None:
    for row in np.flatnonzero(part > whole)[:1]:
        raise BadTable(f"{table.place(row, name)}: {part[row]:g} is more than {whole_name}, {whole[row]:g}.")


def _chosen(table: Table, answer: str = "chosen") -> Pairs:
    left, right = (np.array(table.parsed(name, cells.name), np.str_) for name in CHOSEN[:2])
    raters = cells.name if answer == "chosen" else cells.text
    rater = np.array(table.parsed("rater", raters) if "rater" in table.columns else [""] * len(table), np.str_)
    votes = np.zeros(len(table))
    for row, word in enumerate(table.parsed(answer, cells.name)):
        share = side_of(word, str(left[row]), str(right[row]))
        if share is None:
            raise BadTable(f"{table.place(row, answer)}: {word!r} is neither left, right nor tie, nor one of the two.")
        votes[row] = share
    if not len(table):
        raise BadTable(f"{table.name} has a header but no rows.")
    if answer == "chosen":
        _once(table, rater, left, right, what="rater {0!r} judges {1!r} and {2!r}")
    made = Pairs(left, right, votes, 1 - votes, rater)
    _two(table, made)
    return made


def side_of(word: str, left: str, right: str) -> float | None:
    """What a word gives to the left: 1, 0 or, a tie, a half; None where it is neither a side nor one of the two names.

    >>> side_of("Left", "a.png", "b.png"), side_of("TIE", "a.png", "b.png"), side_of("b.png", "a.png", "b.png")
    (1.0, 0.5, 0.0)
    """
    if word in (left, right):
        return float(word == left)
    if word.casefold() in SIDES:
        return SIDES[word.casefold()]
    place = match_names([word], [left, right])[0].get(word)
    return None if place is None else 1.0 - place


def joined(labels: Labels, ids: Sequence[str], here: str, there: str) -> tuple[Any, list[str]]:
    """Labels with their pictures called as the ids call them, and the names that no id answers to."""
    place, lost = join_names(labels.pictures(), ids, here, there)
    return labels.named({name: ids[at] for name, at in place.items()}), lost


def read_generators(path: str | Path) -> dict[str, str]:
    """Picture -> generator, of a table with the columns image and generator."""
    table = read_table(path)
    image, generator = table.find(*IMAGE), table.find("generator")
    if image is None or generator is None:
        raise BadTable(f"{path} should have the columns image and generator; it has {', '.join(table.columns)}.")
    return table.by_name(image, generator, cells.label)


def generator_of(generator: Mapping[str, str], pictures: Sequence[str]) -> dict[str, str]:
    """Who made each of the pictures, for those that a table with other names for them knows."""
    names = list(generator)
    place, _ = join_names(pictures, names, "the pictures", "the table of generators", need=bool(generator))
    return {picture: generator[names[at]] for picture, at in place.items()}


def _says_something(column: np.ndarray) -> bool:
    if column.dtype.kind == "f":
        return not np.all(np.isnan(column))
    return bool(np.any(column)) if column.dtype == bool else bool(np.any(column != ""))
