"""Intervals of `giqa evaluate` and `giqa bench`: how well scores agree with votes, pairs, ratings and masks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from benchmarks.coverage._shared import Seen
from giqa.evaluate.differences import judge_pairs, judge_votes, pair_difference, vote_difference
from giqa.evaluate.label_curve import label_curve
from giqa.evaluate.pairs import against_pairs, against_ratings
from giqa.evaluate.rows import Rows, calibrated
from giqa.evaluate.votes import against_votes
from giqa.stats import sigmoid, student_mean
from giqa.votes.labels import Counts, Pairs, Ratings

GENERATORS = ("a", "b")
RESAMPLES = 500  # as by default


def judged(rng: np.random.Generator, n: int, votes: int) -> Rows:
    """n pictures of two generators, their scores and single votes of nameless raters."""
    kind = rng.integers(2, size=n)
    score = rng.normal(size=n) + 0.5 * kind
    p = sigmoid(score - 0.3 + 0.7 * rng.normal(size=n))
    said = (rng.random((n, votes)) < p[:, None]).astype(float).ravel()
    image = np.arange(n).repeat(votes)
    x = score[image]
    generator = np.array(GENERATORS)[kind[image]]
    return Rows(x[:, None], x, said, image, np.zeros(len(x), int), generator, np.full(len(x), np.nan))


@cache
def known_of_votes() -> dict[str, float]:
    """The figures of 20,000 pictures: the truth."""
    found = against_votes(judged(np.random.default_rng(0), 20_000, 5), 0, resamples=2)
    values = {name: one.value for name, one in found.figures.items()}
    return values | {f"{one.name}, {name}": getattr(one, name).value for one in found.generators for name in OF_ONE}


OF_ONE = ("accuracy", "auroc", "spearman")


def votes(seed: int) -> Iterator[tuple[str, Seen]]:
    """100 pictures of two generators with 5 votes each."""
    found = against_votes(judged(np.random.default_rng([51, seed]), 100, 5), 0, resamples=RESAMPLES, seed=seed)
    known = known_of_votes()
    for name, one in found.figures.items():
        yield f"votes: {name}", Seen.of(one, known[name])
    for one in found.generators:
        for name in OF_ONE:
            yield (
                f"votes, generator {one.name} left out: {name}",
                Seen.of(getattr(one, name), known[f"{one.name}, {name}"]),
            )
    middle = found.calibration[len(found.calibration) // 2][1]
    yield "votes: a bin of the calibration curve", Seen.of(middle)


def labels(seed: int) -> Iterator[tuple[str, Seen]]:
    """Accuracy by the number of labels, of 40 pictures; learned from 20."""
    step = label_curve(judged(np.random.default_rng([52, seed]), 40, 3), calibrated, RESAMPLES, seed, (20,))[0]
    yield "accuracy by the number of labels, 20 of 40", Seen.of(step.accuracy)


def world(seed: int, n: int) -> tuple[np.random.Generator, np.ndarray, list[dict[str, float]]]:
    """What people feel of n pictures, and two scores that see it, one worse than the other."""
    rng = np.random.default_rng([53, n, seed])
    felt = rng.normal(size=n)
    scores = [felt + noise * rng.normal(size=n) for noise in (1.0, 1.5)]
    return rng, felt, [dict(zip(map(str, range(n)), one.tolist(), strict=True)) for one in scores]


def drawn_pairs(rng: np.random.Generator, felt: np.ndarray, number: int) -> Pairs:
    """Pairs at random, 5 votes each."""
    left = rng.integers(len(felt), size=number)
    right = (left + rng.integers(1, len(felt), size=number)) % len(felt)
    wins = rng.binomial(5, sigmoid(2 * (felt[left] - felt[right]))).astype(float)
    return Pairs(left.astype(str), right.astype(str), wins, 5 - wins, np.full(number, ""))


@cache
def known_of_pairs() -> dict[str, float]:
    """Of 40,000 pairs that share few pictures."""
    rng, felt, scores = world(0, 80_000)
    pairs = drawn_pairs(rng, felt, 40_000)
    found = against_pairs(scores[0], pairs, {})
    values = {name: one.value for name, one in found.figures.items()}
    return values | {"difference": pair_difference(pairs, *scores).value}


def pairs(seed: int) -> Iterator[tuple[str, Seen]]:
    """150 pairs of 60 pictures: evaluate, and two scores of bench."""
    rng, felt, scores = world(seed + 1, 60)
    made, known = drawn_pairs(rng, felt, 150), known_of_pairs()
    for name, one in against_pairs(scores[0], made, {}).figures.items():
        yield f"pairs: {name}", Seen.of(one, known[name])
    for name, one in judge_pairs(made, scores)[0].items():
        yield f"bench, pairs: {name}", Seen.of(one, known[name])
    yield "bench, pairs: difference of two scores", Seen.of(pair_difference(made, *scores), known["difference"])


def voted(rng: np.random.Generator, felt: np.ndarray) -> Counts:
    """5 votes a picture."""
    n = len(felt)
    real = rng.binomial(5, sigmoid(felt)).astype(float)
    empty = np.full(n, "")
    return Counts(np.arange(n).astype(str), np.full(n, 5.0), real, empty, empty, empty)


@cache
def known_of_bench() -> list[dict[str, float]]:
    """Of 20,000 pictures."""
    rng, felt, scores = world(0, 20_000)
    found, _ = judge_votes(voted(rng, felt), scores, {}, resamples=2)
    return [{name: one.value for name, one in each.items()} for each in found]


def bench(seed: int) -> Iterator[tuple[str, Seen]]:
    """60 pictures with 5 votes each: two scores."""
    rng, felt, scores = world(seed + 1, 60)
    found, draws = judge_votes(voted(rng, felt), scores, {}, resamples=RESAMPLES, seed=seed)
    known = known_of_bench()
    for name, one in found[0].items():
        yield f"bench, votes: {name}", Seen.of(one, known[0][name])
    gap = vote_difference(found[0]["AUROC"], found[1]["AUROC"], draws)
    yield "bench, votes: difference of two AUROCs", Seen.of(gap, known[0]["AUROC"] - known[1]["AUROC"])


def rated(rng: np.random.Generator, felt: np.ndarray, raters: int) -> Ratings:
    """Every rater rates every picture from 1 to 5, and is more or less severe."""
    heard = felt[:, None] + 0.4 * rng.normal(size=raters) + 0.8 * rng.normal(size=(len(felt), raters))
    names = np.repeat(np.arange(len(felt)).astype(str), raters), np.tile(np.arange(raters).astype(str), len(felt))
    return Ratings(*names, np.clip(np.round(3 + heard), 1, 5).ravel())


@cache
def known_of_ratings() -> dict[str, float]:
    """Of 20,000 pictures by 8 raters: the mean over 200 sets of 8."""
    rng, felt, scores = world(0, 2000)
    found = [against_ratings(scores[0], rated(rng, felt, 8), 5, 2, 0).figures for _ in range(50)]
    return {name: float(np.mean([one[name].value for one in found])) for name in found[0]}


def ratings(seed: int) -> Iterator[tuple[str, Seen]]:
    """60 pictures, 8 raters, who are all asked of each."""
    rng, felt, scores = world(seed + 1, 60)
    for name, one in against_ratings(scores[0], rated(rng, felt, 8), 5, RESAMPLES, seed).figures.items():
        if name.startswith("Spearman"):
            yield f"ratings: {name}", Seen.of(one, known_of_ratings()[name])


def masks(seed: int) -> Iterator[tuple[str, Seen]]:
    """A measure of maps: its mean over 30 pictures, skewed."""
    values = np.random.default_rng([54, seed]).beta(2, 5, size=30)
    yield "measure of maps, 30 pictures", Seen.of(student_mean(values, 0.0, 0.0, 1.0), 2 / 7)


CASES = {"evaluate votes": votes, "evaluate --learning-curve": labels, "evaluate pairs": pairs}
CASES |= {"bench votes": bench, "evaluate ratings": ratings, "evaluate maps": masks}
