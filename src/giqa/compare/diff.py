"""What moved between two scorings of the same pictures, by how much, and whether they rank alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadSpec, BadTable
from ..model.table import Scores
from ..stats import spearman, student_mean
from ..tables.names import join_names


@dataclass(frozen=True, eq=False)
class Difference:
    """Two scorings, joined on their ids; `diff` makes one.

    Parameters
    ----------
    ids : tuple of n str
        Pictures that have a z in both.
    before, after : float array (n,)
        Their z.
    only_before, only_after : tuple of str
        Ids that the other lacks or could not score.
    changed : tuple of str
        What the two `made_by` say otherwise.
    """

    ids: tuple[str, ...]
    before: np.ndarray
    after: np.ndarray
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    changed: tuple[str, ...]

    @property
    def change(self) -> np.ndarray:
        """after - before, in robust standard deviations of held-out reals, (n,)."""
        return self.after - self.before

    @property
    def rank_agreement(self) -> float:
        """Spearman's correlation of both; NaN where one of them gives everything the same, or of two."""
        return spearman(self.before, self.after)

    def mean_change(self) -> tuple[float, float, float]:
        """Mean change of z and its 95 % interval, by Student's t, from the spread of the changes of single pictures."""
        if len(self.ids) > 1 and not np.ptp(self.change):  # all moved alike: there is nothing to be unsure of
            return (float(self.change[0]),) * 3
        mean = student_mean(self.change)
        return mean.value, mean.low, mean.high

    def moved(self, most: int = 10) -> list[int]:
        """Rows of the pictures that moved farthest, the farthest first; those that stayed are not among them."""
        order = np.argsort(-np.abs(self.change), kind="stable")[:most]
        return [int(row) for row in order if self.change[row]]


def diff(before: Scores, after: Scores) -> Difference:
    """Join two scorings on their ids.

    Parameters
    ----------
    before, after : Scores
        Of the same pictures. Ids are paths relative to the folder that was scored; one may be the end of the other.

    Returns
    -------
    Difference

    Raises
    ------
    BadTable
        When no picture has a z in both.

    Examples
    --------
    >>> def scores(z):
    ...     blank = [""] * len(z)
    ...     z = np.array(z)
    ...     return Scores(["a", "b", "c"][: len(z)], z, z, z, z, z, blank, blank, blank, blank)
    >>> change = diff(scores([0., 1., 2.]), scores([0., 2., 1.]))
    >>> change.rank_agreement, change.mean_change()[0], [change.ids[row] for row in change.moved()]
    (0.5, 0.0, ['b', 'c'])
    """
    sides = []
    for scores in (before, after):
        if not isinstance(scores, Scores):
            raise BadSpec(f"Two tables of scores are compared, see giqa.read_scores; got {scores!r:.80}.")
        sides.append({name: float(z) for name, z in zip(scores.id, scores.z, strict=True) if math.isfinite(z)})
    own = list(sides[0])
    if sides[0].keys() != sides[1].keys():
        rows, _ = join_names(sides[1], own, "the second table", "the first", need=False)
        sides[1] = {own[rows[name]] if name in rows else name: z for name, z in sides[1].items()}
    both = [name for name in sides[0] if name in sides[1]]
    if not both:
        names = [next(iter(side), "none") for side in sides]
        raise BadTable(
            f"No picture has a z in both tables; the first ids are {names[0]!r} and {names[1]!r}. Tables are joined on "
            "ids, which are paths relative to the folder that was scored; one may be the end of the other."
        )
    lost = (tuple(name for name in one if name not in other) for one, other in (sides, sides[::-1]))
    values = (np.array([side[name] for name in both]) for side in sides)
    return Difference(tuple(both), *values, *lost, _changed(before.made_by, after.made_by))


def _changed(before: Any, after: Any) -> tuple[str, ...]:
    """Keys that decide scores and differ, as words."""
    keys = ("giqa", "extractor", "scorer", "match", "seed", "reals", "reals_digest")
    known = [key for key in keys if before and after and before.get(key) != after.get(key)]
    return tuple(
        f"{key}: {before.get(key)} -> {after.get(key)}" if key != "reals_digest" else "other reals" for key in known
    )
