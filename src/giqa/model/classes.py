"""Scores of pictures each of which was compared with the reals of its own class."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadSpec
from .columns import WORDS
from .headline import Headline, percents, stratified
from .table import Scores

OF_ALL = ("reals", "reals_digest", "model_digest", "shared", "twins", "strays", "reals_look")  # differ by class


@dataclass(frozen=True, eq=False)
class ClassScores:
    """The scores of all pictures, and those of each class.

    Parameters
    ----------
    scores : Scores
        A row for each picture, in the order of the source; z and percentile are on the scale of its own class.
    classes : mapping of str to Scores
        The rows of each class, in the order of their names.
    left_out : mapping of str to str
        Why the pictures of some classes have no score.
    """

    scores: Scores
    classes: Mapping[str, Scores]
    left_out: Mapping[str, str]

    def headline(self) -> Headline:
        """What is said of all pictures first: the mean of the classes, by their number of pictures."""
        whole = stratified([part.headline() for part in self.classes.values()])
        return replace(whole, median_z=self.scores.summary()["median_z"])

    def sentences(self, most: int = 10) -> list[str]:
        """A sentence a class, the one with the smallest share within the range of its reals first."""
        known = [(name, part, part.headline()) for name, part in self.classes.items()]
        known = sorted((row for row in known if row[2].known), key=lambda row: row[2].within.value)
        said = [
            f"{name}: {percents(head.within)} of {head.pictures:,} are within the range of its {head.reals:,} reals."
            for name, _, head in known[:most]
        ]
        return said + ([f"... and {len(known) - most} more classes."] if len(known) > most else [])


def join_classes(
    parts: Mapping[str, Scores], left_out: Mapping[str, str], labels: Mapping[str, str], where: Any
) -> ClassScores:
    """All classes in one table, in the order of the source; pictures without a scored class have a row that says why.

    Parameters
    ----------
    parts : mapping of str to Scores
        By class.
    left_out : mapping of str to str
        By class, why it has no scores.
    labels : mapping of str to str
        The class of each id; an id may have none.
    where : Source
        All pictures.

    Returns
    -------
    ClassScores

    Raises
    ------
    BadSpec
        When no class has scores.
    """
    if not parts:
        raise BadSpec(f"No class could be scored; {next(iter(left_out.values()), 'no picture has one')}.")
    scored = {name for part in parts.values() for name in part.id}
    others = [name for name in where.ids if name not in scored]
    reasons = [
        f"class {labels[name]!r}: {left_out[labels[name]]}" if name in labels else "it has no class" for name in others
    ]
    first = next(iter(parts.values()))
    tables = [*parts.values(), *([_unscored(first, others, reasons)] if others else [])]
    whole = Scores.joined(tables, _made_by(parts))
    row_of = {name: row for row, name in enumerate(whole.id)}
    ordered = whole[np.array([row_of[name] for name in where.ids])]
    return ClassScores(replace(ordered, pictures=where), parts, left_out)


def class_files(path: str | Path, names: Sequence[str]) -> list[Path]:
    """A file for each class next to a path.

    >>> [file.name for file in class_files("r.html", ["cat", "a/b", "a b"])]
    ['r-cat.html', 'r-a_b.html', 'r-a_b-2.html']
    """
    path, found = Path(path), list[Path]()
    for name in names:
        stem = f"{path.stem}-" + re.sub(r"[^\w.-]+", "_", name)[:80]
        tries = (f"{stem}{'' if k == 1 else f'-{k}'}{path.suffix}" for k in count(1))
        found.append(next(file for file in map(path.with_name, tries) if file not in found))
    return found


def _unscored(like: Scores, ids: Sequence[str], reasons: Sequence[str]) -> Scores:
    """Rows without a score, with the columns of another table."""
    cells: dict[str, Any] = {
        name: [""] * len(ids) if name in WORDS else np.full(len(ids), np.nan) for name in like.columns
    }
    return Scores(**{**cells, "id": list(ids), "error": list(reasons)})


def _made_by(parts: Mapping[str, Scores]) -> dict[str, Any]:
    """What the tables of all classes have in common, and what they have not by class."""
    every = [part.made_by for part in parts.values()]
    shared = {
        key: value
        for key, value in every[0].items()
        if key not in OF_ALL and all(key in made and made[key] == value for made in every)
    }
    of_classes = {
        name: {"pictures": len(part), "reals": part.made_by["reals"], "model_digest": part.made_by["model_digest"]}
        for name, part in parts.items()
    }
    failed = sum(made["reals_failed"] for made in every)
    return {**shared, "reals_failed": failed, "classes": of_classes}
