"""Which pictures to label next: none that has labels, no near copies, as many of each generator."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadSpec, BadTable
from ..features.reader import Reader
from ..images import open_source
from ..images.copies import twins as twins_of
from ..tables.names import join_names
from ..tables.read import read_scored
from ..tables.write import write_table
from ..types import Source, columns_of
from ..votes.labels import Counts, Pairs, Ratings, Votes
from ..votes.votes import read_labels
from .acquisition import METHODS, NEAR, choose, directions, learned

UNSURE = ("both", "unsure")  # methods that need a model
FEWEST = 20  # pictures with votes that a model takes


@dataclass(frozen=True, eq=False)
class Suggestions:
    """Pictures to label next, in the order of choice.

    Parameters
    ----------
    source : Source
        Where they are.
    rows : int array (n,)
        Their rows in the source.
    ids : tuple of str
        Their names in the source.
    stratum : tuple of str
        Of each, where strata were asked for.
    p_real : float array (n,)
        What a model says of each, NaN without a model.
    method : str
        How they were chosen.
    labelled : int
        Pictures that had labels.
    votes : int
        Votes that the model learned from.
    strangers : int
        Labelled names that are not among the pictures.
    failures : dict
        Pictures that cannot be read -> why.

    Examples
    --------
    >>> pictures = np.random.default_rng(0).integers(0, 255, (3, 32, 32, 3), np.uint8)
    >>> suggest(pictures, 2, extractor="statistics", store=False).labelled
    0
    """

    source: Source
    rows: np.ndarray
    ids: tuple[str, ...]
    stratum: tuple[str, ...]
    p_real: np.ndarray
    method: str
    labelled: int
    votes: int
    strangers: int
    failures: dict[str, str]

    def paths(self, folder: Path) -> list[str]:
        """Where each one's file is, seen from a folder."""
        files = [self.source.path(int(row)) for row in self.rows]
        if not all(files):
            raise BadSpec(f"{self.source.name} holds no files; unpack it, so that a table can name its pictures.")
        return [_relative(file, folder) for file in files]

    def write(self, path: str | Path) -> Path:
        """Write a table (.csv, .tsv) that `giqa label serve` takes: `image` is the file's path from where it lies."""
        path = Path(path)
        columns: dict[str, Any] = {"image": self.paths(path.parent)}
        if columns["image"] != list(self.ids):
            columns["id"] = list(self.ids)
        if any(self.stratum):
            columns["generator"] = list(self.stratum)
        if np.isfinite(self.p_real).any():
            columns["p_real"] = self.p_real
        return write_table(path, columns)


def suggest(
    pictures: Any,
    n: int,
    *,
    labelled: Any = None,
    scores: str | Path | None = None,
    method: str = "random",
    **options: Any,
) -> Suggestions:
    """The `n` pictures that are worth labelling next; none that has labels, and no near copies.

    Parameters
    ----------
    pictures : path, array or source
        See `giqa.images.open_source`.
    n : int
        How many.
    labelled : Votes, Counts, Ratings, Pairs, path or None
        The labels there are. From 20 pictures with votes of both kinds a model is learned (logistic regression on
        principal directions of the features).
    scores : path or None
        A table with id and p_real, instead of that model.
    method : str
        See `giqa.study.acquisition.choose`. At random keeps the labelled a fair sample; what the others are good for is
        in docs/bench.md.
    **options
        `by`: a column of the source, or "folder": as many of each value. `seed` (0): the same seed, the same pictures.
        `extractor`, `store`, `workers` and `progress`: see `giqa.features.Reader`.

    Returns
    -------
    Suggestions

    Raises
    ------
    BadSpec
        For another method or column, without the model that a method needs, or when every picture has a label.
    BadShape, BadSource, BadTable

    Examples
    --------
    >>> pictures = np.random.default_rng(0).integers(0, 255, (6, 32, 32, 3), np.uint8)
    >>> found = suggest(pictures, 4, extractor="statistics", store=False)
    >>> len(set(found.ids)), found.method
    (4, 'random')
    """
    if method not in METHODS:
        raise BadSpec(f"Pictures are chosen by {', '.join(METHODS)}; got {method!r}.")
    source, seed = open_source(pictures), options.pop("seed", 0)
    strata = _strata(source, options.pop("by", None))
    names, votes = ([], {}) if labelled is None else _labels(labelled)
    done = Reader(**options).features(source, "pictures")
    done.needed(f"pictures of {source.name}")
    position = {name: row for row, name in enumerate(source.ids)}
    rows = np.array([position[name] for name in done.features.ids])
    row_of, missing = join_names(names, done.features.ids, "the labels", source.name, need=False)
    points = directions(done.features.matrix(), seed=seed)
    p = _from_scores(scores, done.features.ids) if scores else _from_votes(points, row_of, votes, seed)
    if method in UNSURE and not np.isfinite(p).any():
        raise BadSpec(
            f"{method!r} needs a model, which takes {FEWEST} labelled pictures with votes of both kinds; there are "
            f"{len(row_of)}. Choose at random first, or give scores with p_real."
        )
    doubt = np.where(np.isfinite(p), p * (1 - p), np.nanmax(p * (1 - p), initial=0.0))
    groups = None if strata is None else strata[rows]
    taken = sorted(set(row_of.values()))
    twins = twins_of(done.features.info)
    if len(np.unique(twins[taken])) == len(np.unique(twins)):
        raise BadSpec(f"Every picture of {source.name} has a label already, or is a copy of one that has.")
    chosen = choose(
        points[:, :NEAR], n, labelled=taken, method=method, doubt=doubt, twins=twins, strata=groups, seed=seed
    )
    return Suggestions(
        source,
        rows[chosen],
        tuple(done.features.ids[i] for i in chosen),
        tuple("" if groups is None else str(groups[i]) for i in chosen),
        p[chosen],
        method,
        len(taken),
        int(sum(v for v, _ in votes.values())),
        len(missing),
        dict(done.failures),
    )


def _labels(labelled: Any) -> tuple[list[str], dict[str, tuple[float, float]]]:
    """Names that have labels, and of those that were voted on (votes, real votes)."""
    labels = read_labels(labelled) if isinstance(labelled, str | Path) else labelled
    if isinstance(labels, Pairs):
        return list(dict.fromkeys([*labels.left.tolist(), *labels.right.tolist()])), {}
    if not isinstance(labels, Votes | Counts | Ratings):
        raise BadTable("Which pictures have labels is said by votes, counts, ratings or pairs.")
    names = list(dict.fromkeys(labels.image.tolist()))
    counts = labels.counts() if isinstance(labels, Votes) else labels if isinstance(labels, Counts) else None
    votes: dict[str, tuple[float, float]] = {}
    for name, n, real in zip(counts.image, counts.n, counts.n_real, strict=True) if counts else ():
        before = votes.get(str(name), (0.0, 0.0))
        votes[str(name)] = before[0] + float(n), before[1] + float(real)
    return names, votes


def _from_votes(
    points: np.ndarray, row_of: dict[str, int], votes: dict[str, tuple[float, float]], seed: int
) -> np.ndarray:
    """p of every picture, from the votes there are; NaN where they are too few."""
    known = [(row, *votes[name]) for name, row in row_of.items() if votes.get(name, (0, 0))[0] > 0]
    y = np.array([(n, real) for _, n, real in known]).reshape(-1, 2)
    if len(known) < FEWEST or not 0 < y[:, 1].sum() < y[:, 0].sum():
        return np.full(len(points), np.nan)
    return learned(points, np.array([row for row, *_ in known]), y, seed)


def _from_scores(path: str | Path, ids: tuple[str, ...]) -> np.ndarray:
    """p of every picture from a table of scores; NaN where it says nothing."""
    names, values = read_scored(path, "p_real")
    for name, value in zip(names, values, strict=True):
        if not (np.isnan(value) or 0 <= value <= 1):
            raise BadTable(f"{path}: {name!r} has p_real {value:g}, which is no probability.")
    row_of, _ = join_names(ids, names, "the pictures", str(path), need=False)
    return np.array([values[row_of[i]] if i in row_of else np.nan for i in ids])


def _strata(source: Source, by: str | None) -> np.ndarray | None:
    """The value of a column, or the first folder, of each picture of the source."""
    if by is None:
        return None
    columns = columns_of(source)
    if by not in columns and by != "folder":
        has = f"has the columns {', '.join(columns)}" if columns else "is no table"
        raise BadSpec(f"by={by!r} names a column, or is 'folder'; {source.name!r} {has}.")
    return np.array(columns[by] if by in columns else [name.rpartition("/")[0] for name in source.ids], np.str_)


def _relative(file: Path, folder: Path) -> str:
    """A path from a folder to a file, with "/"; the whole path where there is none."""
    try:
        return Path(os.path.relpath(file.absolute(), folder.absolute())).as_posix()
    except ValueError:  # on another drive of Windows
        return file.absolute().as_posix()
