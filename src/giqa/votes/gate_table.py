"""How the error rate moves with the gate of quality control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..stats import RESAMPLES, UNKNOWN, Estimate, mean_over, mean_share
from .gate import control_accuracy, controls, passed
from .hype import check_interval
from .labels import Votes
from .sittings import by_evaluator, sittings

GATES = (0.0, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9)


@dataclass(frozen=True)
class Gate:
    """What the error rate would be if only evaluators who pass `gate` on the quality-control pictures counted.

    Parameters
    ----------
    gate : float
        The share of right answers that is needed.
    evaluators : int
        How many pass.
    error : Estimate
        Their error rate.
    without_controls : int
        How many of `evaluators` were asked no quality control, and so pass every gate.

    Examples
    --------
    >>> Gate(0.65, 0, UNKNOWN).without_controls
    0
    """

    gate: float
    evaluators: int
    error: Estimate
    without_controls: int = 0


def gate_table(
    votes: Votes, gates: Sequence[float] = GATES, resamples: int = RESAMPLES, seed: int = 0, interval: str = "student"
) -> list[Gate]:
    """How the error rate over all generators moves with the gate.

    Parameters
    ----------
    votes : Votes
        Single votes.
    gates : sequence of float
        Shares of right answers. Who passes is decided by `giqa.votes.gate.passes`.
    resamples, seed : int
        Of the bootstrap of "paper".
    interval : "student" or "paper"
        See `hype`.

    Returns
    -------
    list of Gate
        Of each evaluator the mean over generators, then the mean over evaluators; empty where there are no
        quality-control votes.

    Raises
    ------
    BadSpec
        For another interval.

    Examples
    --------
    >>> from giqa.tables.table import Table
    >>> from giqa.votes import as_labels
    >>> columns = {"image": [*"abc"], "rater": [*"rrr"], "said_real": [1, 1, 1], "generator": ["gan", "", ""]}
    >>> table = Table("votes", columns | {"control": [0, 0, 1]})
    >>> [(gate.gate, gate.evaluators) for gate in gate_table(as_labels(table), gates=(0.0, 0.9))]
    [(0.0, 1), (0.9, 1)]
    """
    check_interval(interval)
    if not control_accuracy(votes):
        return []
    table = []
    for gate in gates:
        of = votes.rows(passed(votes, gate))
        if np.any(~of.control & (of.kind == "generated")):
            raters, rates, answers = by_evaluator(sittings(of))
            error = mean_over(rates, resamples, seed) if interval == "paper" else mean_share(rates, answers)
            asked = controls(of)
            table.append(Gate(gate, len(raters), error, sum(not asked[one][1] for one in raters)))
        else:
            table.append(Gate(gate, 0, UNKNOWN))
    return table
