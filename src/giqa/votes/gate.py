"""Quality control: whose answers count. The only place where that is decided."""

from __future__ import annotations

import numpy as np

from .labels import Votes


def passes(right: float, answered: float, gate: float) -> bool:
    """Whether a rater with so many of the answered quality-control questions right counts: right >= gate x answered.

    This is the only rule there is. Who has answered none has given no ground to be left out, and counts; whoever prints
    figures behind a gate says how many such raters there are. Questions not answered yet say nothing either way.

    >>> passes(13, 20, 0.65), passes(12, 20, 0.65), passes(0, 0, 0.65)
    (True, False, True)
    """
    return right >= gate * answered - 1e-9


def controls(votes: Votes) -> dict[str, tuple[int, int]]:
    """Of every rater, how many quality-control questions were answered right, and how many at all.

    Those on pictures of unknown kind have no right answer, and are no questions.
    """
    raters, place = np.unique(votes.rater, return_inverse=True)
    asked = votes.control & (votes.kind != "")
    right = asked & (votes.said_real == (votes.kind == "real"))
    counts = (np.bincount(place[rows], minlength=len(raters)).tolist() for rows in (right, asked))
    return dict(zip(raters.tolist(), zip(*counts, strict=True), strict=True))


def control_accuracy(votes: Votes) -> dict[str, float]:
    """The share of right answers of each rater who answered quality-control questions; others are not in it."""
    return {rater: right / answered for rater, (right, answered) in controls(votes).items() if answered}


def passed(votes: Votes, gate: float) -> np.ndarray:
    """Which rows are of raters who pass the gate, bool (n,)."""
    verdict = {rater: passes(*counts, gate) for rater, counts in controls(votes).items()}
    return np.array([verdict[rater] for rater in votes.rater.tolist()], bool)


def without_controls(votes: Votes) -> int:
    """How many raters answered no quality-control question, so that no gate says anything of them."""
    return sum(not answered for _, answered in controls(votes).values())
