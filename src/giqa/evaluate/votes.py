"""How well a score agrees with real/fake votes, compared with a constant answer and the best possible one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..stats import Estimate, auroc, balanced_accuracy, bins_of, calibration_error, plain, spearman
from ..votes import agreement as a
from .label_curve import LabelStep, label_curve
from .other_generators import Generator, across, each, left_out
from .rows import NOTHING, Learner, Rows, accuracy, brier, calibrated, cross_validated, resampled

LEAST_RELIABILITY = 0.05  # of labels whose noise is corrected for: by a factor of 4.5 then


@dataclass(frozen=True)
class Evaluation:
    """Figures by name, each with its 95 % interval; docs/people.md says what each means.

    Parameters
    ----------
    kind : str
        "votes", "pairs" or "ratings".
    pictures, judgements, without_score : int
        How many were compared, and labelled pictures (or pairs) that have no score.
    figures : mapping
        Name -> Estimate.
    calibration : tuple
        (predicted, observed share, votes) of each bin.
    generators : tuple of Generator
        Each generator, judged by what was learned from the others.
    across : mapping
        Accuracy of what was learned from the votes on one generator and tested on another ("a -> b"; "a -> a" is
        cross-validated).
    constant_across : mapping
        That of the first one's more frequent answer.
    learning : tuple of LabelStep
        What is learned from how many labels, where it was asked for.
    """

    kind: str
    pictures: int
    judgements: int
    without_score: int
    figures: Mapping[str, Estimate]
    calibration: tuple[tuple[float, Estimate, int], ...] = ()
    generators: tuple[Generator, ...] = ()
    across: Mapping[str, Estimate] = dataclasses.field(default_factory=dict)
    constant_across: Mapping[str, float] = dataclasses.field(default_factory=dict)
    learning: tuple[LabelStep, ...] = ()

    def __repr__(self) -> str:
        """The figures, one a line."""
        what = f"<giqa.evaluate.Evaluation by {self.judgements} {self.kind}, {self.pictures} pictures>"
        return "\n".join([what, *(f"{name:24} {figure}" for name, figure in self.figures.items())])

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return plain(self)


def against_votes(
    rows: Rows, lost: int, learn: Learner | None = calibrated, resamples: int = 500, seed: int = 0, curve: bool = False
) -> Evaluation:
    """All figures of scores against real/fake votes.

    Parameters
    ----------
    rows : Rows
        The votes, with the numbers of their pictures.
    lost : int
        Labelled pictures without a score.
    learn : callable or None
        None: the one number of each picture is P(says real) already.
    resamples, seed : int
        Of the intervals.
    curve : bool
        Also by the number of labels.

    Returns
    -------
    Evaluation
    """
    rows = cross_validated(rows, learn, seed) if learn else rows.predicted(rows.x[:, 0])
    majority = float(rows.said.mean() > 0.5)
    measures: dict[str, Callable[[Rows], float]] = {
        "accuracy": accuracy,
        "constant answer": lambda r: float(np.mean(r.said == majority)),
        "balanced accuracy": lambda r: balanced_accuracy(r.said_likelier(), r.said),
        "AUROC": lambda r: auroc(r.score, r.said),
        "Brier": brier,
        "log loss": lambda r: float(r.nats().mean()),
        "calibration error": lambda r: calibration_error(r.p, r.said),
        "Spearman": lambda r: spearman(*r.shares()[:2]),
    }
    score, share, n, generator = rows.shares()
    several = len(each(generator)) > 1
    if several:
        measures["Spearman within generator"] = within_generators
        measures["Spearman, generator alone"] = lambda r: spearman(_generator_mean(r), r.shares()[1])
    points, shares = _calibration(rows)
    parts = {name: pictures for name, *_, pictures in points} | {"chance": max(2, len(score) // len(points))}
    figures = resampled(rows, measures | shares | {"chance": _by_chance(rows)}, resamples, seed, parts)
    figures["calibration error"] = _beyond_chance(figures["calibration error"], figures.pop("chance"))
    curve_points = tuple((x, figures.pop(name), votes) for name, x, votes, _ in points)
    if n.max() > 1:
        figures |= _ceilings(figures, share * n, n, generator, min(resamples, 200))
    return Evaluation(
        "votes",
        len(score),
        len(rows.said),
        lost,
        figures,
        curve_points,
        tuple(left_out(rows, learn, resamples, seed)) if several else (),
        *(across(rows, learn, resamples, seed) if several and learn else ({}, {})),
        tuple(label_curve(rows, learn, resamples, seed)) if curve and learn else (),
    )


def _calibration(rows: Rows) -> tuple[list[tuple[str, float, int, int]], dict[str, Callable[[Rows], float]]]:
    """The bins of the curve (name, mean prediction, votes, pictures), and what finds the real share of each."""
    places = bins_of(rows.p)
    shares: dict[str, Callable[[Rows], float]] = {}
    points = []
    for low, high in places:
        inside = (rows.p >= low) & (rows.p < high)
        name = f"bin {low}"
        points.append((name, float(rows.p[inside].mean()), int(inside.sum()), len(np.unique(rows.image[inside]))))
        shares[name] = lambda r, low=low, high=high: _mean(r.said[(r.p >= low) & (r.p < high)])
    return points, shares


def _by_chance(rows: Rows) -> Callable[[Rows], float]:
    """What resampled rows add to the calibration error: the mean over votes of how far the gap of their bin moved."""
    starts = np.array([low for low, _ in bins_of(rows.p)])

    def gaps(r: Rows) -> tuple[np.ndarray, np.ndarray]:
        which = np.searchsorted(starts, r.p, side="right") - 1
        return np.bincount(which, r.p - r.said, len(starts)), np.bincount(which, minlength=len(starts))

    total, n = gaps(rows)

    def moved(r: Rows) -> float:
        sums, votes = gaps(r)
        return float(np.abs(sums - votes * total / n).sum() / votes.sum())

    return moved


def _beyond_chance(error: Estimate, chance: Estimate) -> Estimate:
    """A calibration error, whose lower end is what it is beyond chance: 0 where chance alone gives as much.

    Of any gaps the error is at most that much above the true one, by the triangle inequality; percentiles of the error
    itself lie above it. (What chance can do is widened as of the few pictures of one bin.)
    """
    if chance.high != chance.high:
        return error
    return dataclasses.replace(error, low=max(0.0, min(error.value - chance.high, error.low)))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else NOTHING


def _ceilings(
    figures: Mapping[str, Estimate], real: np.ndarray, n: np.ndarray, generator: np.ndarray, resamples: int
) -> dict[str, Estimate]:
    """What no score can exceed, and the correlations as they would be with perfect labels."""
    real = np.round(real)
    reliability = a.with_interval(share_reliability, n, real, resamples)
    found = {
        "best possible accuracy": a.with_interval(a.best_accuracy, n, real, resamples),
        "two people agree": a.with_interval(a.pairwise_agreement, n, real, resamples),
        "reliability of the labels": reliability,
        "Spearman, disattenuated": corrected(figures["Spearman"], reliability.value),
    }
    parts = [share_reliability(n[g], real[g]) for g in each(generator) if n[g].max() > 1 and g.sum() > 2]
    if "Spearman within generator" in figures and parts:
        within = corrected(figures["Spearman within generator"], float(np.mean(parts)))
        found["Spearman within generator, disattenuated"] = within
    return found


def share_reliability(n: np.ndarray, real: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Of shares of unequally many votes: 1 / (1 + (a + b) mean(1 / n)), the part of their variance that is true."""
    alpha, beta = a.fit_beta(n, real, weight)
    return float(1 / (1 + (alpha + beta) * np.average(1 / np.asarray(n, float), weights=weight)))


def corrected(found: Estimate, reliability: float) -> Estimate:
    """Disattenuated; the reliability is taken as known, so its own uncertainty is not in the interval.

    NaN where it is below `LEAST_RELIABILITY`, or unknown: the labels are noise then, and so is what is left of them.
    """
    if not reliability >= LEAST_RELIABILITY:
        return Estimate(NOTHING, NOTHING, NOTHING, found.n)
    return Estimate(*(a.disattenuate(x, reliability) for x in (found.value, found.low, found.high)), found.n)


def within_generators(rows: Rows) -> float:
    """The mean over generators, by their pictures, of the rank correlation among one generator's pictures."""
    score, share, _, generator = rows.shares()
    found = [(spearman(score[g], share[g]), int(g.sum())) for g in each(generator)]
    sizes = sum(size for value, size in found if value == value)
    return sum(value * size for value, size in found if value == value) / sizes if sizes else NOTHING


def _generator_mean(rows: Rows) -> np.ndarray:
    """For each picture, the mean share of its generator: which one made it, and no more.

    Its own votes are in it: without them the best picture of a generator would get the lowest mean.
    """
    _, share, _, generator = rows.shares()
    _, place = np.unique(generator, return_inverse=True)
    return (np.bincount(place, share) / np.bincount(place))[place]
