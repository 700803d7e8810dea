"""Human judgements read from tables: checked, and joined to pictures by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadTable
from ..tables import cells
from ..tables.names import join_names, match_names
from ..tables.read import IMAGE, read_table
from ..tables.table import Table
from .labels import NEEDED, OPTIONAL, Counts, Labels, Pairs, Ratings, Sittings, Votes
from .other_tools import hint_of
from .questions import read_judged_table

ALSO = {"control": ("part", cells.not_main), "position": ("order", cells.measure)}  # as `giqa label export` has them
CHOSEN = ("left", "right", "rater", "chosen")  # of a table with a row a vote
PREFERRED = ("left", "right", "preferred")  # the same, by others; a rater may stand there
TOTALS = (
    "total",
    "totals",
    "grand total",
    "sum",
    "all",
    "gesamt",
    "gesamtergebnis",
    "summe",
    "total général",
    "totale",
)
TIED = ("ties", "tie", "votes_tie", "votes_ties", "tied", "votes_tied", "draws", "votes_draw", "votes_equal")
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
    if not isinstance(table, Table):
        raise BadTable(f"Judgements are read from a Table, see giqa.tables.read_table; got {table!r:.80}.")
    given, table = table, table.called(**{name: table.find(name) for name in KNOWN})
    if "image" not in table.columns:
        table = table.called(image=table.find(*IMAGE))
    if all(column in table.columns for column in CHOSEN):
        return _chosen(counting(table))
    if all(column in table.columns for column in PREFERRED):
        return _chosen(counting(table), "preferred")
    for kind, needed in NEEDED.items():
        if all(column in table.columns for column in needed):
            table = table if kind is Votes else counting(table)
            made = _columns(table, kind)
            _check(table, made)
            return made
    raise BadTable(
        f"{given.name} has the columns {', '.join(map(repr, given.columns))}; a table of judgements has image,rater,"
        "said_real or image,n,n_real or left,right,votes_left,votes_right or left,right,rater,chosen or "
        f"left,right,preferred or image,rater,rating.{hint_of(given)}"
    )


def counting(table: Table) -> Table:
    """A table without quality control and who failed it, where columns say so; only votes need them, for the gate."""
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
    if kind is Pairs and (tied := table.find(*TIED)):
        half = np.array(table.parsed(tied, lambda cell: 0.0 if cells.nothing(cell) else cells.count(cell))) / 2
        columns |= {side: columns[side] + half for side in ("votes_left", "votes_right")}
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
    if isinstance(made, Counts):
        _no_total(table, made.image, {"n": made.n, "n_real": made.n_real})
    elif isinstance(made, Sittings):
        _no_total(table, made.rater, {"fakes": made.fakes, "wrong_fakes": made.wrong_fakes, "reals": made.reals})
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


def _no_total(table: Table, names: np.ndarray, counts: Mapping[str, np.ndarray]) -> None:
    """The sum that a spreadsheet lays under its columns is no picture and no rater."""
    for row in range(len(names)):
        word = str(names[row]).casefold().strip(" :")
        if word in TOTALS and len(names) > 2 and all(n[row] == n.sum() - n[row] for n in counts.values()):
            raise BadTable(f"{table.place(row)}: {str(names[row])!r} is the sum of the other rows; remove that row.")


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
