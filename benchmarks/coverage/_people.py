"""Intervals of `giqa label stats`: error rates, agreement, single pictures, strengths, exposures."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.coverage._shared import Seen
from giqa.stats import ROOM, beta_interval, mean_share, sigmoid, student_mean
from giqa.votes import agreement
from giqa.votes.aggregation import bradley_terry
from giqa.votes.crossed_error import crossed_error
from giqa.votes.hype import compare, hype
from giqa.votes.labels import Pairs, Sittings, Votes
from giqa.votes.mixed_model import PeopleModel
from giqa.votes.staircase import Staircase, fitted_threshold, late_exposure, modal_exposure, simulate


def sitting(k: int, seed: int, study: int = 0) -> Sittings:
    """k raters judge 50 fakes of each of two generators and 50 reals; beta error rates, seconds log-normal."""
    rng = np.random.default_rng([41, k, seed, study])
    own = rng.beta(6, 14, size=k)  # mean 0.3, sd 0.1
    a, b = rng.binomial(50, own), rng.binomial(50, own)
    reals, n = rng.binomial(50, rng.beta(2, 8, size=k)), np.full(2 * k, 50.0)  # mean 0.2
    seconds = rng.lognormal(1.0, 0.4, size=2 * k)
    raters, generators = np.tile(np.arange(k), 2).astype(str), np.repeat(["a", "b"], k)
    return Sittings(raters, generators, n, np.r_[a, b], n, np.r_[reals, reals], seconds, seconds)


def error_rates(k: int, seed: int) -> Iterator[tuple[str, Seen]]:
    """The table HYPE, and the difference of two equal generators."""
    both = sitting(k, seed)
    one = both.rows(both.generator == "a")
    (found,) = hype(one)
    (paper,) = hype(one, interval="paper", resamples=1000)
    yield f"HYPE error rate, {k} raters", Seen.of(found.error, 0.25)
    yield f"the same, --interval paper, {k} raters", Seen.of(paper.error, 0.25)
    yield f"fakes for real, {k} raters", Seen.of(found.fake_error, 0.3)
    yield f"reals for fake, {k} raters", Seen.of(found.real_error, 0.2)
    yield f"d', {k} raters", Seen.of(found.d_prime)
    yield f"criterion, {k} raters", Seen.of(found.criterion)
    yield f"seconds, {k} raters", Seen.of(found.seconds, np.exp(1.08))
    yield f"difference of two generators, the same {k} raters", Seen.of(compare(both, "a", "b").difference, 0.0)
    other = sitting(k, seed, study=1).rows(both.generator == "b")
    other = Sittings(np.char.add("z", other.rater), *(getattr(other, name) for name in FIELDS))
    apart = Sittings(*(np.r_[getattr(one, name), getattr(other, name)] for name in ("rater", *FIELDS)))
    yield f"difference of two generators, other {k} raters", Seen.of(compare(apart, "a", "b").difference, 0.0)


FIELDS = ("generator", "fakes", "wrong_fakes", "reals", "wrong_reals", "fake_seconds", "real_seconds")


def votes(seed: int, raters: int = 12, pictures: int = 60) -> tuple[Votes, np.ndarray]:
    """Every rater judges every picture, half fakes; logit = picture (sd 1) + rater (sd 0.5); and P(says real)."""
    rng = np.random.default_rng([42, seed])
    effect, own = rng.normal(size=pictures), 0.5 * rng.normal(size=raters)
    said = rng.random((pictures, raters)) < sigmoid(effect[:, None] + own)
    image = np.repeat([f"{i:03}" for i in range(pictures)], raters)
    kind = np.where(np.arange(pictures) % 2, "real", "generated").repeat(raters)
    n = len(image)
    nothing, empty = np.full(n, np.nan), np.full(n, "")
    rater = np.tile([f"r{i:02}" for i in range(raters)], pictures)
    generator = np.where(kind == "real", "", "gan")
    columns = (image, rater, said.ravel(), empty, kind, generator, nothing, nothing, np.zeros(n, bool), nothing)
    return Votes(*columns), sigmoid(effect)


def crossed(seed: int) -> Iterator[tuple[str, Seen]]:
    """The error rate that other raters would have on other pictures; single pictures by the mixed model."""
    made, p = votes(seed)
    yield "error rate, other pictures too, 12 raters", Seen.of(crossed_error(made, "gan", 1000), 0.5)
    found = PeopleModel().fit(made).p_real()
    yield "picture by the mixed model, 12 raters", Seen(*found, p)


def shares(seed: int) -> Iterator[tuple[str, Seen]]:
    """60 pictures with 6 votes each, p ~ Beta(3, 2): agreement, and each picture's share."""
    rng = np.random.default_rng([43, seed])
    p = rng.beta(3, 2, size=60)
    n, real = np.full(60, 6.0), rng.binomial(6, p).astype(float)
    a, b, resamples = 3.0, 2.0, 100
    two = 1 - 2 * a * b / ((a + b) * (a + b + 1))
    best = agreement.beta_best_accuracy(a, b)
    yield "two raters agree, 60 pictures", Seen.of(agreement.with_interval(agreement.pairwise_agreement, n, real), two)
    yield "best possible accuracy", Seen.of(agreement.with_interval(agreement.best_accuracy, n, real, resamples), best)
    of = agreement.with_interval(agreement.reliability, n, real, resamples)
    yield "reliability of the mean of 5", Seen.of(of, 5 / (5 + a + b))
    alpha, beta = agreement.fit_beta(n, real)
    ends = np.array([beta_interval(alpha + r, beta + 6 - r) for r in real]).T
    yield "picture by its generator's beta, 6 votes", Seen((alpha + real) / (alpha + beta + 6), *ends, p)


def strengths(seed: int) -> Iterator[tuple[str, Seen]]:
    """Bradley-Terry: 8 generators, 20 votes on each pair, strengths from -1 to 1."""
    rng, true = np.random.default_rng([44, seed]), np.linspace(-1, 1, 8)
    left, right = np.triu_indices(8, 1)
    wins = rng.binomial(20, sigmoid(true[left] - true[right])).astype(float)
    found = bradley_terry(Pairs(left.astype(str), right.astype(str), wins, 20 - wins, np.full(len(left), "")))
    at = np.argsort(found.name.astype(int))
    yield "strength (Bradley-Terry), 8 generators", Seen(found.strength[at], found.low[at], found.high[at], true)


def exposures(seed: int) -> Iterator[tuple[str, Seen]]:
    """10 raters with thresholds about 300 ms on the balanced staircase, 100 trials each."""
    rng, columns, single = np.random.default_rng([45, seed]), [], []
    for rater, threshold in enumerate(300 * np.exp(0.2 * rng.normal(size=10))):
        seen = simulate(threshold, staircase=Staircase.balanced(), observers=1, trials=100, seed=1000 * seed + rater)
        shown, right = seen.exposures[0], seen.right[0]
        fit = fitted_threshold(shown, right)
        single.append((*fit, threshold))
        columns.append((modal_exposure(shown), late_exposure(shown), fit[0]))
    for name, values in zip(
        ("modal exposure", "late exposure", "fitted threshold"), np.transpose(columns), strict=True
    ):
        yield f"{name}, 10 raters", Seen.of(student_mean(values, low=0.0))
    yield "fitted threshold of one rater, 100 trials", Seen(*np.transpose(single))


def curves(seed: int) -> Iterator[tuple[str, Seen]]:
    """A point of the curves by exposure and by trial, a gate: 10 raters with 12 answers each; response times."""
    rng = np.random.default_rng([46, seed])
    n, p = np.full(10, 12.0), rng.beta(6, 14, size=10)
    yield "point of a curve, 10 raters of 12 answers", Seen.of(mean_share(rng.binomial(12, p) / 12, n), 0.3)
    medians = np.median(rng.lognormal(rng.normal(0.5, 0.3, size=(10, 1)), 0.5, size=(10, 30)), axis=1)
    yield "response time, 10 raters", Seen.of(student_mean(medians, low=0.0, level=ROOM))


CASES = {f"label stats {k} raters": partial(error_rates, k) for k in (3, 10, 30)}
CASES |= {"label stats crossed": crossed, "label stats agreement": shares, "label stats strengths": strengths}
CASES |= {"label stats exposures": exposures, "label stats curves": curves}
