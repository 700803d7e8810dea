"""Are the reals themselves in order? Twins, strays, and subgroups that score low because they are rare."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadSpec
from ..stats import mann_whitney

CHOICES = ("twins", "strays")
NAMED = 50  # ids kept on record
ABSURD = 8.0  # robust standard deviations: of 1,850 photographs scored by three scorers, 0 to 3 in a thousand lie lower
SMALLEST_GROUP = 10  # reals, and as many others
EFFECT = 0.65  # chance that one of the others scores higher; .5 = no difference
LEVEL = 0.01  # of the rank tests, divided by the number of groups


@dataclass(frozen=True)
class Found:
    """Reals that are not in order: how many, the first of their ids, and whether they were left out of the fit."""

    count: int
    ids: tuple[str, ...]
    left_out: bool

    def record(self) -> dict[str, Any]:
        """For `made_by`."""
        return {"count": self.count, "ids": list(self.ids), "left_out": self.left_out}


def found(ids: Sequence[str], rows: np.ndarray, left_out: bool) -> Found:
    """The reals at these rows, by name."""
    return Found(len(rows), tuple(sorted(ids[row] for row in rows)[:NAMED]), left_out)


def parse_leave_out(leave_out: str | Collection[str] | None) -> frozenset[str]:
    """What a fit is to leave out: names, or one text with commas.

    >>> sorted(parse_leave_out("twins,strays"))
    ['strays', 'twins']
    """
    names = leave_out.split(",") if isinstance(leave_out, str) else () if leave_out is None else leave_out
    if not isinstance(names, (list, tuple, set, frozenset)) or not all(isinstance(name, str) for name in names):
        raise BadSpec(f"leave_out takes {' and '.join(CHOICES)}, or both with a comma, got {leave_out!r}.")
    chosen = frozenset(name.strip() for name in names)
    if unknown := sorted(chosen - set(CHOICES)):
        raise BadSpec(f"leave_out takes {' and '.join(CHOICES)}, or both with a comma, got {unknown[0]!r}.")
    return chosen


def spare_twins(groups: np.ndarray) -> np.ndarray:
    """Rows of every real but the first of its group, (k,); in a fit, rows go by what the pictures are.

    >>> spare_twins(np.array([4, 7, 4, 4, 7])).tolist()
    [2, 3, 4]
    """
    return np.setdiff1d(np.arange(len(groups)), np.unique(groups, return_index=True)[1])


def absurd(z: np.ndarray) -> np.ndarray:
    """Which held-out reals score absurdly low, more than 8 robust standard deviations below their median, bool (n,)."""
    with np.errstate(invalid="ignore"):
        return z < -ABSURD


def describe_twins(twins: Found) -> str:
    """A sentence, or nothing."""
    if not twins.count or twins.left_out:
        return ""
    are, repeat = ("real is", "repeats") if twins.count == 1 else ("reals are", "repeat")
    return (
        f"{twins.count} {are} there more than once, exactly or nearly ({repeat} another one: {_some(twins.ids)}); they "
        "are held out together. With giqa fit and giqa score, leave_out='twins' (--leave-out twins) keeps one of each"
    )


def describe_strays(strays: Found, content: bool) -> str:
    """A sentence, or nothing; `content`: they are strays by what they show, else by their score."""
    if not strays.count or strays.left_out:
        return ""
    few = strays.count == 1
    why = f"{'shows' if few else 'show'} something that the others do not"
    if not content:
        why = f"{'scores' if few else 'score'} absurdly low when held out, more than {ABSURD:g} sd below the median"
    return (
        f"{strays.count} {'real' if few else 'reals'} {why}: {_some(strays.ids)}. Look at them; if they do not belong, "
        "giqa fit and giqa score leave them out with leave_out='strays' (--leave-out strays)"
    )


def _some(ids: Sequence[str], most: int = 3) -> str:
    return ", ".join(ids[:most]) + (", ..." if len(ids) > most else "")


@dataclass(frozen=True)
class Subgroup:
    """How the held-out reals of one group score.

    Parameters
    ----------
    name : str
    n : int
        How many there are.
    median_z : float
    others_better : float
        The chance that a real of another group scores higher, ties half.
    low : bool
        Whether the group scores systematically lower than the others, by the rule of `subgroups`.
    """

    name: str
    n: int
    median_z: float
    others_better: float
    low: bool


def subgroups(z: np.ndarray, labels: Sequence[str]) -> list[Subgroup]:
    """Each group of held-out reals against all others, in the order of their names.

    A group is low when all three hold:

    1. it has at least 10 reals, and there are at least 10 others;
    2. one of the others scores higher than one of the group with a probability of at least .65 (a tie counts half);
    3. a one-sided rank test (Mann-Whitney, normal approximation with ties and continuity correction) has
       p <= .01 / the number of groups tested.

    Rare is not fake: such pictures score low for being few, not for being bad.

    Parameters
    ----------
    z : float array (n,)
        Of held-out reals.
    labels : sequence of n str
        The group of each; an empty label is no group, but among the others.

    Returns
    -------
    list of Subgroup

    Examples
    --------
    >>> groups = subgroups(np.r_[np.zeros(12) - 3, np.arange(40.0)], ["cats"] * 12 + ["dogs"] * 40)
    >>> [(group.name, group.n, group.low) for group in groups]
    [('cats', 12, True), ('dogs', 40, False)]
    """
    known = np.isfinite(z)
    z, labels = z[known], np.asarray(labels, dtype=object)[known]
    names = sorted(set(labels) - {""})
    members = {name: labels == name for name in names}
    tested = sum(min(rows.sum(), len(z) - rows.sum()) >= SMALLEST_GROUP for rows in members.values())
    result = []
    for name, rows in members.items():
        better, p = mann_whitney(z[rows], z[~rows])
        enough = min(rows.sum(), len(z) - rows.sum()) >= SMALLEST_GROUP
        low = bool(enough and better >= EFFECT and p <= LEVEL / tested)
        result.append(Subgroup(name, int(rows.sum()), float(np.median(z[rows])), better, low))
    return result


def describe_groups(groups: Sequence[Subgroup], column: str) -> str:
    """A sentence that names the low ones, or nothing."""
    low = [f"{group.name} ({group.n}, median z {group.median_z:+.1f})" for group in groups if group.low]
    if not low:
        return ""
    return (
        f"reals of some groups score lower than the others though they are real: {column} = {', '.join(low)}. Rare is "
        "not fake: pictures like them will score low too; add reals of these groups, or judge each group by itself"
    )


def record_groups(groups: Sequence[Subgroup], column: str) -> dict[str, Any]:
    """For `made_by`: the column, and for each group how many, their median z, and whether it is low."""
    rows: Mapping[str, Any] = {
        group.name: {"reals": group.n, "median_z": round(group.median_z, 3), "low": group.low} for group in groups
    }
    return {"column": column, "of": dict(rows)}
