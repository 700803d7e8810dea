"""Votes, pairs and ratings of one or several tables, joined to the pictures: what `JudgementModel` learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import BadSource, BadSpec, BadTable
from ..stats import PairLikelihood, RatingLikelihood, VoteLikelihood
from ..stats.likelihoods import FAINT, Likelihood
from ..tables import cells
from ..tables.read import IMAGE
from ..tables.table import Table
from ..types import Source, columns_of
from ..votes.labels import Counts, Labels, Pairs, Ratings, Sittings, Votes
from ..votes.questions import read_judged_table
from ..votes.votes import as_labels
from .votes import rows_by_name, that_count

MOST_LEVELS = 20  # of ratings; finer ones are put together
ANOTHER_SCALE = 4  # times as high
OF_PICTURES = (*IMAGE, "left", "right")  # columns that name pictures


@dataclass(frozen=True, eq=False)
class Answers:
    """The rows of all tables of one kind.

    Parameters
    ----------
    kind : "votes", "pairs" or "ratings"
        What they are.
    pictures : int array (m, 1) or (m, 2)
        Rows among the judged pictures: the picture, or left and right.
    value : float array (m,)
        How many said real; how many prefer the left picture; the level of the rating, from 0.
    votes : float array (m,)
        How many judgements the row stands for.
    rater : str array (m,)
        Who; "" where votes are counted already.
    """

    kind: str
    pictures: np.ndarray
    value: np.ndarray
    votes: np.ndarray
    rater: np.ndarray

    def __len__(self) -> int:
        return len(self.value)

    def rows(self, keep: np.ndarray) -> Answers:
        """Some of the rows."""
        some = {name: value[keep] for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        return replace(self, **some)

    def likelihood(self, levels: int = 0) -> Likelihood:
        """As `fit_judgements` takes them, a row a picture or pair; `levels` is how many ratings know."""
        pictures, row = np.unique(self.pictures, axis=0, return_inverse=True)
        row = row.reshape(-1)
        if self.kind == "ratings":
            given = np.zeros((len(pictures), levels))
            np.add.at(given, (row, self.value.astype(int)), self.votes)
            return RatingLikelihood(pictures[:, 0], given + FAINT / len(pictures))
        value, votes = np.bincount(row, self.value), np.bincount(row, self.votes)
        if self.kind == "pairs":
            return PairLikelihood(pictures[:, 0], pictures[:, 1], value, votes)
        return VoteLikelihood(pictures[:, 0], value, votes)


@dataclass(frozen=True, eq=False)
class Judgements:
    """Judged pictures, and all that was said of them.

    Parameters
    ----------
    names : tuple of str
        Of the tables.
    ids : str array (n,)
        Names of the pictures.
    rows : int array (n,)
        Rows in the source.
    group : int array (n,) or None
        Pictures with one number belong together; None: no groups are given.
    answers : tuple of Answers
        One of each kind.
    steps : float array (K,)
        What each level of the ratings stands for; empty without ratings.
    """

    names: tuple[str, ...]
    ids: np.ndarray
    rows: np.ndarray
    group: np.ndarray | None
    answers: tuple[Answers, ...]
    steps: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def likelihoods(self) -> dict[str, Likelihood]:
        """By kind."""
        return {answers.kind: answers.likelihood(len(self.steps)) for answers in self.answers}

    def take(self, keep: np.ndarray) -> Judgements:
        """Some of the pictures, a mask; judgements that touch others are left out."""
        place = np.cumsum(keep) - 1
        answers = []
        for of in self.answers:
            of = of.rows(keep[of.pictures].all(axis=1))
            answers.append(replace(of, pictures=place[of.pictures]))
        group = None if self.group is None else np.unique(self.group[keep], return_inverse=True)[1]
        return replace(self, ids=self.ids[keep], rows=self.rows[keep], group=group, answers=tuple(answers))

    def summary(self) -> str:
        """What there is, in words."""
        words = {"pairs": "votes on pairs"}
        several = ", ".join(f"{n} {words.get(kind, kind)}" for kind, n in self.counts().items())
        return f"{len(self)} pictures with {several}"

    def raters(self) -> int | None:
        """How many people judged; None where a table does not name them."""
        names = set().union(*(of.rater.tolist() for of in self.answers))
        return None if "" in names else len(names)

    def counts(self) -> dict[str, int]:
        """Judgements by kind."""
        return {of.kind: round(float(of.votes.sum())) for of in self.answers}


def read_judgements(
    tables: Sequence[str | Path], source: Source, group: str | None = None, reals_too: bool = False
) -> Judgements:
    """The judgements of some tables on pictures of a source; the columns of each table say of what kind it is.

    Parameters
    ----------
    tables : sequence of path
        CSV, TSV or Parquet.
    source : Source
        The pictures.
    group : str or None
        A column of the source or of the tables, the same in all rows of a picture (of both pictures of a pair).
    reals_too : bool
        Votes on pictures of the kind real count as well.

    Returns
    -------
    Judgements

    Raises
    ------
    BadSpec
        For a table of another kind.
    BadSource
        When no name is known.
    BadTable
    """
    read = [(str(path), read_judged_table(path)) for path in tables]
    labels = [_labels(name, table, reals_too) for name, table in read]
    names = list(dict.fromkeys(picture for some in labels for picture in some.pictures()))
    row_of = rows_by_name(names, source, read[0][0], "judged pictures")
    known = sorted(set(row_of.values()))
    place = {name: known.index(row) for name, row in row_of.items()}
    _one_scale({name: some.rating for (name, _), some in zip(read, labels, strict=True) if isinstance(some, Ratings)})
    values = np.unique(np.concatenate([some.rating for some in labels if isinstance(some, Ratings)] or [[]]))
    if len(values) == 1:
        raise BadTable(f"All ratings are {values[0]:g}, which tells no picture from another; give others too.")
    steps = values if len(values) <= MOST_LEVELS else np.linspace(values[0], values[-1], MOST_LEVELS)
    by_kind: dict[str, list[Answers]] = {}
    for some in labels:
        answers = _answers(some, place, steps)
        by_kind.setdefault(answers.kind, []).append(answers)
    column = None if group is None else columns_of(source).get(group)
    groups = None if group is None else _groups(read, group, place) if column is None else [column[i] for i in known]
    groups = None if groups is None else np.unique(groups, return_inverse=True)[1]
    found = tuple(answers for of in by_kind.values() if len(answers := _together(of)))
    if not found:
        raise BadSource(f"{read[0][0]}: no judgement has all of its pictures in {source.name}; give it (--images).")
    ids = np.array([source.ids[row] for row in known], np.str_)
    judged = Judgements(tuple(Path(name).name for name, _ in read), ids, np.array(known), groups, found, steps)
    return judged.take(np.isin(np.arange(len(known)), np.concatenate([of.pictures.ravel() for of in found])))


def _labels(name: str, table: Table, reals_too: bool) -> Labels:
    """The judgements of one table, without those that do not count."""
    labels = as_labels(table)
    if isinstance(labels, Sittings):
        raise BadSpec(
            f"{name}: sittings say how often a rater was wrong, not on which picture; give votes, pairs or ratings."
        )
    return that_count(labels, name, reals_too) if isinstance(labels, (Votes, Counts)) else labels


def _one_scale(ratings: dict[str, np.ndarray]) -> None:
    """Ratings of several tables are on one scale: 5 of 5 is not 5 of 100."""
    tops = {name: float(values.max()) for name, values in ratings.items()}
    low, high = min(tops, key=tops.get, default=""), max(tops, key=tops.get, default="")
    if tops and 0 < ANOTHER_SCALE * tops[low] <= tops[high]:
        raise BadTable(
            f"{low} has ratings up to {tops[low]:g}, and {high} up to {tops[high]:g}: bring them to one scale, or give "
            "one of them."
        )


def _answers(labels: Labels, place: dict[str, int], steps: np.ndarray) -> Answers:
    columns = labels.columns()
    if isinstance(labels, Pairs):
        kind, names, value = "pairs", (labels.left, labels.right), labels.votes_left
        votes, rater = labels.votes_left + labels.votes_right, labels.rater
    elif isinstance(labels, Ratings):
        kind, names = "ratings", (labels.image,)
        value = np.abs(labels.rating[:, None] - steps).argmin(axis=1).astype(float)
        votes, rater = np.ones(len(labels)), labels.rater
    elif isinstance(labels, Votes):
        kind, names, value = "votes", (labels.image,), labels.said_real.astype(float)
        votes, rater = np.ones(len(labels)), labels.rater
    else:
        kind, names, value, votes = "votes", (columns["image"],), columns["n_real"], columns["n"]
        rater = np.zeros(len(labels), np.str_)
    rows = np.stack([[place.get(name, -1) for name in some.tolist()] for some in names], axis=1)
    return Answers(kind, rows, value, votes, rater).rows((rows >= 0).all(axis=1) & (votes > 0))


def _together(parts: Sequence[Answers]) -> Answers:
    """The rows of several tables of one kind; a pair has its earlier picture at the left."""
    columns = {name: np.concatenate([vars(of)[name] for of in parts]) for name in vars(parts[0]) if name != "kind"}
    answers = Answers(parts[0].kind, **columns)
    if answers.kind != "pairs":
        return answers
    turned = answers.pictures[:, 0] > answers.pictures[:, 1]
    value = np.where(turned, answers.votes - answers.value, answers.value)
    pictures = np.sort(answers.pictures, axis=1)
    same = pictures[:, 0] == pictures[:, 1]
    return replace(answers, pictures=pictures, value=value).rows(~same)


def _groups(read: Sequence[tuple[str, Table]], group: str, place: dict[str, int]) -> list[str]:
    """The group of each picture, by the tables that have the column; a picture without one stands for itself."""
    found: dict[int, str] = {}
    for name, table in read:
        values = table.find(group)
        for side in OF_PICTURES if values is not None else ():
            if (names := table.find(side)) is None:
                continue
            for picture, value in zip(table.parsed(names, cells.name), table.parsed(values, cells.text), strict=True):
                if picture in place and found.setdefault(place[picture], value) != value:
                    raise BadTable(
                        f"{name}: {picture!r} is in two groups, {found[place[picture]]!r} and {value!r}. For pairs "
                        f"across groups give a table of pictures with the column {group!r} as --images."
                    )
    if not found:
        known = ", ".join(dict.fromkeys(column for _, table in read for column in table.columns))
        raise BadSpec(f"{read[0][0]} has no column {group!r} to group by; there are {known}.")
    return [found.get(i, f"picture {i}") for i in sorted(set(place.values()))]
