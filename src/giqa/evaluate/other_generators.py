"""Each generator judged by what was learned from the votes on others: leave one out, and every one on every other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..stats import Estimate, auroc, spearman
from .rows import Learner, Rows, accuracy, brier, cross_validated, resampled

MOST_ACROSS = 12  # generators up to which every one is trained on and tested on every other
RESAMPLES = 200  # of a figure of one generator; there are many


@dataclass(frozen=True)
class Generator:
    """One generator by itself: pictures, votes, and what a score does there that was learned from all others."""

    name: str
    pictures: int
    votes: int
    share_real: float
    accuracy: Estimate
    constant: Estimate
    brier: Estimate
    auroc: Estimate
    spearman: Estimate


def each(generator: np.ndarray) -> list[np.ndarray]:
    """Which rows are of a generator, for every one that has a name."""
    return [generator == one for one in np.unique(generator[generator != ""])]


def left_out(rows: Rows, learn: Learner | None, resamples: int, seed: int) -> list[Generator]:
    """Each generator, judged by what was learned from the others; `learn` None: the probabilities are given."""
    found = []
    for test in each(rows.generator):
        of, others = rows.take(test), rows.take(~test & (rows.generator != ""))
        of = of.predicted(learn(others, of.x)) if learn else of
        usual = others.said.mean() > 0.5
        measures = {
            "accuracy": accuracy,
            "constant": lambda r, usual=usual: float(np.mean(r.said == usual)),
            "brier": brier,
            "auroc": lambda r: auroc(r.score, r.said),
            "spearman": lambda r: spearman(*r.shares()[:2]),
        }
        figures = resampled(of, measures, min(resamples, RESAMPLES), seed)
        sizes = len(np.unique(of.image)), len(of.said), float(of.said.mean())
        found.append(Generator(str(of.generator[0]), *sizes, **figures))
    return found


def across(rows: Rows, learn: Learner, resamples: int, seed: int) -> tuple[dict[str, Estimate], dict[str, float]]:
    """Accuracy in and across generators, the 2 x 2 of Kolchinski et al., Table 2, for any number of them.

    Next to it, that of the answer which most votes on the first generator gave.
    """
    groups = [rows.take(one) for one in each(rows.generator)]
    found, constant = {}, {}
    for train in groups if len(groups) <= MOST_ACROSS else []:
        for test in groups:
            name = f"{train.generator[0]} -> {test.generator[0]}"
            judged = cross_validated(test, learn, seed) if train is test else test.predicted(learn(train, test.x))
            found[name] = resampled(judged, {"": accuracy}, min(resamples, RESAMPLES), seed)[""]
            constant[name] = float(np.mean(test.said == (train.said.mean() > 0.5)))
    return found, constant
