"""Votes joined to the pictures that were judged: what the human model learns from."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import BadSource, BadSpec, BadTable
from ..tables import cells
from ..tables.names import join_names
from ..tables.read import IMAGE
from ..tables.table import Table
from ..types import Source
from ..votes.labels import Counts, Pairs, Ratings, Sittings, Votes
from ..votes.questions import read_judged_table
from ..votes.votes import as_labels

REFUSED = {
    Ratings: "ratings say how good a picture is, not whether a rater took it for real",
    Pairs: "pairs say which of two is better, not whether either was taken for real",
    Sittings: "sittings say how often a rater was wrong, not on which picture",
}


@dataclass(frozen=True, eq=False)
class Judged:
    """Pictures with votes, one row each.

    Parameters
    ----------
    name : str
        Of the table.
    ids : str array (n,)
        Names.
    rows : int array (n,)
        Rows in the source.
    votes, real : float array (n,)
        How many voted, and how many said real.
    group : int array (n,)
        Pictures with one number belong together.
    generator : str array (n,)
        Which one made it.
    contexts : tuple of str
        All contexts.
    labels : Votes or Counts
        The table they come from, without votes that do not count.
    """

    name: str
    ids: np.ndarray
    rows: np.ndarray
    votes: np.ndarray
    real: np.ndarray
    group: np.ndarray
    generator: np.ndarray
    contexts: tuple[str, ...]
    labels: Votes | Counts

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, keep: np.ndarray) -> Judged:
        """Some of the pictures."""
        columns = {name: column[keep] for name, column in vars(self).items() if isinstance(column, np.ndarray)}
        return replace(self, labels=self.labels.rows(np.isin(self.labels.image, self.ids[keep])), **columns)

    def counts(self) -> np.ndarray:
        """(n, 2): voters, and how many of them said real."""
        return np.c_[self.votes, self.real]

    def summary(self) -> str:
        """What there is, in words."""
        return f"{len(self)} pictures with {self.votes.sum():.0f} votes, {100 * self.share():.1f} % of them real"

    def raters(self) -> int | None:
        """How many people voted; None where the table does not name them."""
        return len(np.unique(self.labels.rater)) if isinstance(self.labels, Votes) else None

    def share(self) -> float:
        """The share of all votes that say real."""
        return float(self.real.sum() / self.votes.sum())


def read_judged(votes: str | Path, source: Source, group: str | None = None, reals_too: bool = False) -> Judged:
    """The votes of a table on pictures of a source, counted a picture.

    Parameters
    ----------
    votes : path
        The table.
    source : Source
        The pictures.
    group : str or None
        A column of the table, the same in all rows of a picture.
    reals_too : bool
        Votes on pictures of the kind real count as well.

    Returns
    -------
    Judged

    Raises
    ------
    BadSpec
        For a table of another kind.
    BadSource
        When no name is known.
    BadTable
    """
    table = read_judged_table(votes)
    labels = as_labels(table)
    if type(labels) in REFUSED:
        raise BadSpec(
            f"{votes}: {REFUSED[type(labels)]}. Votes are image,rater,said_real or image,n,n_real; `giqa train human` "
            "without --end-to-end also learns from pairs and ratings."
        )
    groups = {} if group is None else _groups(table, str(votes), group)
    labels = that_count(labels, str(votes), reals_too)
    names = labels.image.tolist()
    row_of = rows_by_name(names, source, str(votes), "pictures with votes")
    labels = labels.rows(np.array([name in row_of for name in names], bool))
    return _counted(str(votes), labels, row_of, groups)


def that_count(labels: Votes | Counts, table: str, reals_too: bool) -> Votes | Counts:
    """The votes of a table without controls and, unless `reals_too`, without those on real pictures; `BadSpec`."""
    if isinstance(labels, Votes):
        labels = labels.rows(~labels.control)
    if not reals_too:
        labels = labels.rows(labels.kind != "real")
        if not len(labels):
            raise BadSpec(f"{table} has votes on real pictures only; let them count with reals_too (--reals-too).")
    return labels


def rows_by_name(names: list[str], source: Source, table: str, what: str) -> dict[str, int]:
    """The row in a source of each picture that a table names; a warning where some are not there.

    Parameters
    ----------
    names : list of str
        As the table has them.
    source : Source
        The pictures.
    table, what : str
        Where the names are, and what pictures they name, for errors.

    Returns
    -------
    dict of str to int

    Raises
    ------
    BadSource
        When no name is known.
    """
    row_of, lost = join_names(names, source.ids, table, source.name, error=BadSource, need=False)
    if not row_of:
        raise BadSource(
            f"No picture of {table} is in {source.name}: the table has {names[0]!r}, the source {source.ids[0]!r}. "
            "Names are ids, or one is the end of the other; give the right source (--images)."
        )
    if lost:
        warnings.warn(
            f"{len(lost)} {what}, such as {lost[0]!r}, are not in {source.name} and are left out", stacklevel=4
        )
    return row_of


def _groups(table: Table, name: str, group: str) -> dict[str, str]:
    """The value of a column for each picture."""
    column, image = table.find(group), table.find(*IMAGE)
    if column is None:
        raise BadSpec(f"{name} has no column {group!r} to group by; it has {', '.join(table.columns)}.")
    return table.by_name(image or "image", column, cells.text)


def _counted(name: str, labels: Votes | Counts, row_of: dict[str, int], groups: dict[str, str]) -> Judged:
    counts = labels.counts() if isinstance(labels, Votes) else labels
    if np.any(counts.n % 1) or np.any(counts.n_real % 1):
        raise BadTable(f"{name}: counts of votes are whole numbers.")
    ids, first, which = np.unique(counts.image, return_index=True, return_inverse=True)
    named = np.array([groups.get(i, i) for i in ids.tolist()])
    return Judged(
        Path(name).name,
        ids,
        np.array([row_of[i] for i in ids.tolist()], int),
        np.bincount(which, counts.n, len(ids)),
        np.bincount(which, counts.n_real, len(ids)),
        np.unique(named, return_inverse=True)[1],
        counts.generator[first],
        tuple(sorted({c for c in counts.context.tolist() if c})),
        labels,
    )
