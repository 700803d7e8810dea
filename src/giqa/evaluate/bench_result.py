"""What a benchmark found: each entry on each labelled set, the differences between entries, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from ..errors import BadShape, BadSpec
from ..stats import Estimate, plain
from ..votes.labels import Counts, Pairs, Votes
from . import differences as paired
from .bench_entries import Sweep

ALIKE = "cannot be told apart"
CHANCE = 0.5  # of pair accuracy, and of AUROC
WORSE = "worse than guessing"


@dataclass(frozen=True)
class Difference:
    """One entry less another in the figure of the table, and what follows.

    Parameters
    ----------
    left, right : str
        The entries.
    difference : Estimate
        `left` less `right`.
    says : str
        better, worse, or neither.
    """

    left: str
    right: str
    difference: Estimate
    says: str


@dataclass(frozen=True)
class SetFound:
    """One labelled set, on which every entry was judged.

    Parameters
    ----------
    name, kind : str
        Of the set, and "pairs" or "votes".
    figure : str
        The figure of the table.
    rows, pictures : int
        Pairs (or votes), and their pictures.
    figures : mapping
        Entry -> name -> value with interval.
    differences : tuple of Difference
        Of every two entries that are compared.
    breakdown : mapping
        Entry -> two generators -> pair accuracy.
    missing : mapping
        Pictures that labels name and that were not there or not readable -> why.
    without : mapping
        Entry -> pictures that it has no score for.
    skipped : int
        Pairs or labelled pictures that are lost by either.
    trouble : mapping
        Entry -> why it is not there.
    best : float
        The share of single votes that the best answer to each pair gets.
    """

    name: str
    kind: str
    figure: str
    rows: int
    pictures: int
    figures: Mapping[str, Mapping[str, Estimate]]
    differences: tuple[Difference, ...]
    breakdown: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    without: Mapping[str, int] = field(default_factory=dict)
    skipped: int = 0
    trouble: Mapping[str, str] = field(default_factory=dict)
    best: float = float("nan")

    def value(self, entry: str) -> Estimate | None:
        """The table's figure of an entry, or None where it is in `trouble`."""
        return self.figures[entry][self.figure] if entry in self.figures else None

    @property
    def guessing(self) -> dict[str, str]:
        """Entries that are no better than guessing: in words, worse where the whole interval is below chance."""
        values = {entry: figures[self.figure] for entry, figures in self.figures.items()}
        return {
            entry: WORSE if value.high < CHANCE else "no better than guessing"
            for entry, value in values.items()
            if value.value <= CHANCE
        }

    def mark(self, entry: str, among: Sequence[str]) -> str:
        """Of the entries `among` whose figure is above chance: "best" or "as good"; of others `guessing`, or "".

        "As good" cannot be told apart from the best. Nothing is best that is alone, or no better than guessing.
        """
        if entry in self.guessing:
            return self.guessing[entry]
        known = {name: self.value(name).value for name in among if self.value(name) is not None}
        if entry not in known or len(known) < 2:
            return ""
        best = max(known, key=known.get)
        return "best" if entry == best else "as good" if self.difference(best, entry).says == ALIKE else ""

    def difference(self, left: str, right: str) -> Difference:
        """The one of two entries, in the order asked for."""
        for found in self.differences:
            if (found.left, found.right) == (left, right):
                return found
            if (found.left, found.right) == (right, left):
                e = found.difference
                turned = Estimate(-e.value, -e.high, -e.low, e.n)
                return Difference(left, right, turned, {"better": "worse", "worse": "better"}.get(found.says, ALIKE))
        raise BadSpec(f"{left} and {right} were not compared on {self.name}.")


@dataclass(frozen=True)
class Bench:
    """Entries by sets, in the form of the GIQA paper's Table 1, and sweeps in that of its Tables 5 to 7."""

    entries: tuple[str, ...]
    sweeps: tuple[Sweep, ...]
    sets: tuple[SetFound, ...]
    warnings: tuple[str, ...]
    made_by: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON can say it."""
        record = plain(self)
        for result, written in zip(self.sets, record["sets"], strict=True):
            written["guessing"] = result.guessing
        return record


@dataclass(frozen=True)
class Judging:
    """How entries are judged.

    Parameters
    ----------
    groups : sequence of sequence of str
        Entries that are compared with each other; the level of their intervals is 95 % for a whole group.
    generator : mapping
        Picture -> the generator that made it.
    resamples, seed : int
        Of the intervals of votes.
    """

    groups: Sequence[Sequence[str]]
    generator: Mapping[str, str]
    resamples: int
    seed: int


def judge(
    name: str, labels: Pairs | Votes | Counts, scores: Mapping[str, Mapping[str, float]], how: Judging, **about: Any
) -> SetFound:
    """All entries on the pictures that every one of them has a score for; `about`: `missing` and `trouble`."""
    named = set(labels.pictures())
    common = named.intersection(*scores.values()) if scores else set()
    without = {entry: len(named - by.keys() - about["missing"].keys()) for entry, by in scores.items()}
    about |= {"without": {entry: lost for entry, lost in without.items() if lost > 0}}
    if isinstance(labels, Pairs):
        sides = zip(labels.left.tolist(), labels.right.tolist(), strict=True)
        keep = [left in common and right in common for left, right in sides]
        found = labels.rows(keep)
        if len(found) < 2:
            raise BadShape(f"{name}: {len(found)} of {len(labels)} pairs can be judged; {_why(about)}")
        return _pairs(name, found, scores, how, about | {"skipped": len(labels) - len(found)})
    keep = [image in common for image in labels.image.tolist()]
    return _votes(name, labels.rows(keep), scores, how, about | {"skipped": len(named - common)})


def _why(about: Mapping[str, Any]) -> str:
    if about["missing"]:
        first, why = next(iter(about["missing"].items()))
        return f"{len(about['missing'])} pictures are missing: {first!r} {why}. Are these the pictures of these labels?"
    lost = ", ".join(f"{entry}: {n}" for entry, n in about["without"].items())
    return f"pictures without a score: {lost}." if lost else "give more pairs."


def _pairs(name: str, pairs: Pairs, scores: Any, how: Judging, about: dict) -> SetFound:
    figures = dict(zip(scores, paired.judge_pairs(pairs, list(scores.values())), strict=True))
    breakdown = {entry: paired.by_generators(pairs, by, how.generator) for entry, by in scores.items()}
    differences = []
    for left, right, level in _compared(how.groups, scores):
        gap = paired.pair_difference(pairs, scores[left], scores[right], level)
        differences.append(Difference(left, right, gap, _says(gap)))
    about |= {"breakdown": breakdown if how.generator else {}, "best": paired.best_for_votes(pairs)}
    sizes = len(pairs), len(pairs.pictures())
    return SetFound(name, "pairs", "pair accuracy", *sizes, figures, tuple(differences), **about)


def _votes(name: str, labels: Any, scores: Any, how: Judging, about: dict) -> SetFound:
    each, draws = paired.judge_votes(labels, list(scores.values()), how.generator, how.resamples, how.seed)
    figures, column = dict(zip(scores, each, strict=True)), {entry: at for at, entry in enumerate(scores)}
    differences = []
    for left, right, level in _compared(how.groups, scores):
        both = draws[:, [column[left], column[right]]]
        gap = paired.vote_difference(figures[left]["AUROC"], figures[right]["AUROC"], both, level)
        differences.append(Difference(left, right, gap, _says(gap)))
    sizes = int(labels.n.sum()) if isinstance(labels, Counts) else len(labels), len(labels.pictures())
    return SetFound(name, "votes", "AUROC", *sizes, figures, tuple(differences), **about)


def _compared(groups: Sequence[Sequence[str]], scores: Mapping[str, Any]) -> list[tuple[str, str, float]]:
    """Every two of a group, and the level that makes 95 % for all of them together (Bonferroni)."""
    found = []
    for group in groups:
        couples = list(combinations([entry for entry in group if entry in scores], 2))
        found += [(left, right, 1 - (1 - paired.LEVEL) / len(couples)) for left, right in couples]
    return found


def _says(gap: Estimate) -> str:
    return "better" if gap.low > 0 else "worse" if gap.high < 0 else ALIKE
