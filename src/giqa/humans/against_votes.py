"""How well a score agrees with real/fake votes, beside what a constant answer and the best possible one get."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ..errors import BadShape
from . import agreement as a
from . import measures as m
from .intervals import TAILS, Estimate, plain
from .votes import Counts, Votes

FOLDS = 5
LEAST = 10  # pictures that an evaluation needs
LEAST_RELIABILITY = 0.05  # of labels whose noise is corrected for: by a factor of 4.5 then
MOST_ACROSS = 12  # generators up to which every one is trained on and tested on every other
NOTHING = float("nan")


@dataclass(frozen=True)
class Generator:
    """One generator by itself: pictures, votes, and what a score does there that was calibrated on all others."""

    name: str
    pictures: int
    votes: int
    share_real: float
    accuracy: float
    constant: float
    brier: float
    auroc: float
    spearman: float


@dataclass(frozen=True)
class Evaluation:
    """Figures by name, each with its 95 % interval; docs/people.md says what each means.

    `calibration`: (predicted, observed share, votes); `generators`: leave-one-generator-out; `across`: accuracy of a
    score calibrated on the votes of one generator and tested on another ("a -> b"; "a -> a" is cross-validated).
    """

    kind: str
    pictures: int
    judgements: int
    without_score: int
    figures: Mapping[str, Estimate]
    calibration: tuple[tuple[float, float, int], ...] = ()
    generators: tuple[Generator, ...] = ()
    across: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return plain(self)


@dataclass(frozen=True, eq=False)
class Rows:
    """One row a vote on a picture with a score; `image` and `rater` are numbers from 0, `p` is P(says real)."""

    score: np.ndarray
    said: np.ndarray
    image: np.ndarray
    rater: np.ndarray
    generator: np.ndarray
    p: np.ndarray

    def take(self, rows: np.ndarray) -> Self:
        """Some of the rows (mask or positions)."""
        return type(self)(*(getattr(self, f.name)[rows] for f in dataclasses.fields(self)))

    def drawn(self, rng: np.random.Generator) -> Self:
        """As many pictures with replacement, and raters where there are several; a picture drawn twice is two."""
        order = np.argsort(self.image, kind="stable")
        n = np.bincount(self.image)
        start = np.cumsum(n) - n
        picked = rng.integers(len(n), size=len(n))
        offset = np.arange(n[picked].sum()) - np.repeat(np.cumsum(n[picked]) - n[picked], n[picked])
        rows = order[np.repeat(start[picked], n[picked]) + offset]
        image = np.repeat(np.arange(len(picked)), n[picked])
        raters = int(self.rater.max()) + 1
        if raters > 1:
            times = np.bincount(rng.integers(raters, size=raters), minlength=raters)[self.rater[rows]]
            rows, image = np.repeat(rows, times), np.repeat(image, times)
        return dataclasses.replace(self.take(rows), image=image)

    def shares(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """For each picture: its score, share of real votes, votes, and generator."""
        pictures, first, place = np.unique(self.image, return_index=True, return_inverse=True)
        n = np.bincount(place, minlength=len(pictures))
        return self.score[first], np.bincount(place, self.said, len(pictures)) / n, n, self.generator[first]

    def right(self) -> np.ndarray:
        """Whether the likelier answer is the one given; half where both are equally likely."""
        return 1 - np.abs(_yes(self.p) - self.said)


def rows_of(by_name: Mapping[str, float], labels: Votes | Counts, generator: Mapping[str, str]) -> tuple[Rows, int]:
    """The votes on pictures that have a score, a row each, and how many labelled pictures have none."""
    known = np.array([name in by_name for name in labels.image.tolist()], bool)
    lost = len(np.unique(labels.image[~known]))
    labels = labels.rows(known)
    if isinstance(labels, Counts) and np.any(labels.n % 1 + labels.n_real % 1):
        raise BadShape("Counts of votes are whole numbers.")
    times = np.ones(len(labels), int) if isinstance(labels, Votes) else labels.n.astype(int)
    row = np.repeat(np.arange(len(labels)), times)
    if isinstance(labels, Votes):
        said, rater = labels.said_real, np.unique(labels.rater, return_inverse=True)[1]
    else:
        place = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
        said, rater = place < labels.n_real[row], np.zeros(len(row), int)
    names, image = np.unique(labels.image[row], return_inverse=True)
    if len(names) < LEAST or len(np.unique(said)) < 2:
        raise BadShape(
            f"{len(names)} labelled pictures have a score, {lost} have none: evaluating needs {LEAST}, with votes of "
            "both kinds. The ids of the scores and the names in the labels must be equal."
        )
    pairs = zip(labels.image.tolist(), labels.generator.tolist(), strict=True)
    by = np.array([generator.get(name, said_there) for name, said_there in pairs], np.str_)
    score = np.array([by_name[name] for name in labels.image.tolist()])[row]
    return Rows(score, said.astype(float), image, rater, by[row], np.full(len(row), NOTHING)), lost


def cross_validated(rows: Rows, seed: int) -> np.ndarray:
    """P(says real) of each row, by a logistic regression on the score of the pictures in the other folds."""
    names, image = np.unique(rows.image, return_inverse=True)
    fold = np.arange(len(names)) % FOLDS
    np.random.default_rng(seed).shuffle(fold)
    p = np.empty(len(image))
    for one in range(min(FOLDS, len(names))):
        test = fold[image] == one
        p[test] = calibrated(rows.take(~test), rows.score[test])
    return p


def calibrated(train: Rows, score: np.ndarray) -> np.ndarray:
    """P(says real) at these scores, by a logistic regression on the votes in `train`."""
    intercept, slope = m.logistic(train.score, train.said)
    return m.sigmoid(intercept + slope * score)


def against_votes(rows: Rows, lost: int, probability: bool, resamples: int, seed: int) -> Evaluation:
    """All figures; `probability`: the scores are P(says real) already."""
    rows = dataclasses.replace(rows, p=rows.score if probability else cross_validated(rows, seed))
    majority = float(rows.said.mean() > 0.5)
    measures: dict[str, Callable[[Rows], float]] = {
        "accuracy": lambda r: float(r.right().mean()),
        "constant answer": lambda r: float(np.mean(r.said == majority)),
        "balanced accuracy": lambda r: m.balanced_accuracy(_yes(r.p), r.said),
        "AUROC": lambda r: m.auroc(r.score, r.said),
        "Brier": lambda r: float(np.mean((r.p - r.said) ** 2)),
        "log loss": lambda r: float(-np.mean(np.log(np.clip(np.abs(1 - r.said - r.p), 1e-12, 1)))),
        "calibration error": lambda r: m.calibration_error(r.p, r.said),
        "Spearman": lambda r: m.spearman(*r.shares()[:2]),
    }
    score, share, n, generator = rows.shares()
    several = len(_each(generator)) > 1
    if several:
        measures["Spearman within generator"] = within_generators
        measures["Spearman, generator alone"] = lambda r: m.spearman(_generator_mean(r), r.shares()[1])
    rng = np.random.default_rng(seed)
    samples = [[of(drawn) for of in measures.values()] for drawn in (rows.drawn(rng) for _ in range(resamples))]
    figures = {}
    for (name, of), values in zip(measures.items(), np.array(samples).T, strict=True):
        low, high = np.nanpercentile(values, TAILS) if not np.all(np.isnan(values)) else (NOTHING, NOTHING)
        figures[name] = Estimate(of(rows), float(low), float(high), len(score))
    if n.max() > 1:
        figures |= _ceilings(figures, share * n, n, generator, min(resamples, 200))
    return Evaluation(
        "votes",
        len(score),
        len(rows.said),
        lost,
        figures,
        tuple(m.calibration(rows.p, rows.said)),
        tuple(_left_out(rows, probability)) if several else (),
        _across(rows, seed) if several and not probability else {},
    )


def _ceilings(
    figures: Mapping[str, Estimate], real: np.ndarray, n: np.ndarray, generator: np.ndarray, resamples: int
) -> dict[str, Estimate]:
    """What no score can exceed, and the correlations as they would be with perfect labels."""
    real = np.round(real)
    reliability = a.with_interval(share_reliability, n, real, resamples)
    found = {
        "best possible accuracy": a.with_interval(a.best_accuracy, n, real, resamples),
        "reliability of the labels": reliability,
        "Spearman, disattenuated": corrected(figures["Spearman"], reliability.value),
    }
    parts = [share_reliability(n[g], real[g]) for g in _each(generator) if n[g].max() > 1 and g.sum() > 2]
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

    Nothing where it is below `LEAST_RELIABILITY`: the labels are noise then, and so is what is left of them.
    """
    if reliability < LEAST_RELIABILITY:
        return Estimate(NOTHING, NOTHING, NOTHING, found.n)
    return Estimate(*(a.disattenuate(x, reliability) for x in (found.value, found.low, found.high)), found.n)


def _each(generator: np.ndarray) -> list[np.ndarray]:
    return [generator == one for one in np.unique(generator[generator != ""])]


def _yes(p: np.ndarray) -> np.ndarray:
    return (p > 0.5) + 0.5 * (p == 0.5)


def within_generators(rows: Rows) -> float:
    """The mean over generators, by their pictures, of the rank correlation among one generator's pictures."""
    score, share, _, generator = rows.shares()
    found = [(m.spearman(score[g], share[g]), int(g.sum())) for g in _each(generator)]
    sizes = sum(size for value, size in found if value == value)
    return sum(value * size for value, size in found if value == value) / sizes if sizes else NOTHING


def _generator_mean(rows: Rows) -> np.ndarray:
    """For each picture, the mean share of its generator: knowing who made it and no more.

    Its own votes are in it: without them the best picture of a generator would get the lowest mean.
    """
    _, share, _, generator = rows.shares()
    _, place = np.unique(generator, return_inverse=True)
    return (np.bincount(place, share) / np.bincount(place))[place]


def _left_out(rows: Rows, probability: bool) -> list[Generator]:
    """Each generator, judged by a score that was calibrated on the others."""
    found = []
    for test in _each(rows.generator):
        of, others = rows.take(test), rows.take(~test & (rows.generator != ""))
        of = dataclasses.replace(of, p=of.score if probability else calibrated(others, of.score))
        score, share, *_ = of.shares()
        constant = float(np.mean(of.said == (others.said.mean() > 0.5)))
        figures = float(of.right().mean()), constant, float(np.mean((of.p - of.said) ** 2)), m.auroc(of.score, of.said)
        sizes = len(score), len(of.said), float(of.said.mean())
        found.append(Generator(str(of.generator[0]), *sizes, *figures, m.spearman(score, share)))
    return found


def _across(rows: Rows, seed: int) -> dict[str, float]:
    """Accuracy in and across generators, the 2 x 2 of Kolchinski et al., Table 2, for any number of them."""
    groups = [rows.take(one) for one in _each(rows.generator)]
    if len(groups) > MOST_ACROSS:
        return {}
    found = {}
    for train in groups:
        for test in groups:
            p = cross_validated(test, seed) if train is test else calibrated(train, test.score)
            accuracy = float(dataclasses.replace(test, p=p).right().mean())
            found[f"{train.generator[0]} -> {test.generator[0]}"] = accuracy
    return found
