"""Intervals of single pictures and of a scored set: z, rank, percentile, headline, p_real."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

import giqa
from benchmarks.coverage._shared import MEDIAN, Seen
from giqa.compare.diff import diff
from giqa.model.headline import stratified
from giqa.scorers.human import HumanModel
from giqa.stats import WORST, sigmoid
from giqa.types import Features

REALS, FAKES, COLUMNS = 200, 100, 8
QUERIES = np.random.default_rng(0).normal(size=(30, COLUMNS)) + np.repeat([0.0, 1.5, 4.0], 10)[:, None]
SCORERS = ("sgm", "knn(k=1)", "knn(k=5)")  # of one Gaussian, gmm gives the numbers of sgm


def scored(scorer: str, seed: int) -> Iterator[tuple[str, Seen]]:
    """Reals anew each time; 30 pictures that stay, a perfect generator, and fresh reals."""
    rng = np.random.default_rng([21, seed])
    model = giqa.fit(rng.normal(size=(REALS, COLUMNS)).astype(np.float32), scorer=scorer, seed=seed)
    found = model.score(QUERIES.astype(np.float32))
    for i, where in enumerate(("near", "1.5 sd off", "4 sd off")):
        of = slice(10 * i, 10 * i + 10)
        yield f"z, {where}, {scorer}", Seen(found.z[of], found.z_low[of], found.z_high[of], MEDIAN)
    low, high = found.rank_interval()
    yield f"rank of 30, {scorer}", Seen(1.0 + np.argsort(np.argsort(-found.z)), low, high, MEDIAN)
    fresh = model.score(rng.normal(size=(FAKES, COLUMNS)).astype(np.float32))
    # the promise of a percentile: a fresh real is at most 0.05 with a probability of 0.05
    yield f"percentile of a fresh real above 0.05, {scorer}", Seen(fresh.percentile, 0.05 + 1e-9, 1.0, fresh.percentile)
    said = fresh.headline()
    yield f"within the range of reals, perfect generator, {scorer}", Seen.of(said.within, 1 - WORST)
    yield f"beats a random real, perfect generator, {scorer}", Seen.of(said.beats, 0.5)


def classes(seed: int) -> Iterator[tuple[str, Seen]]:
    """A headline over three classes, each with reals of its own."""
    rng = np.random.default_rng([22, seed])
    parts = []
    for _ in range(3):
        reals, fakes = (rng.normal(size=(n, 3)).astype(np.float32) for n in (60, 40))
        parts.append(giqa.fit(reals, scorer="sgm").score(fakes).headline())
    whole = stratified(parts)
    yield "within, over 3 classes", Seen.of(whole.within, 1 - WORST)
    yield "beats, over 3 classes", Seen.of(whole.beats, 0.5)


def change(seed: int) -> Iterator[tuple[str, Seen]]:
    """The same pictures scored twice: mean change of z by one model, fakes anew each time."""
    rng = np.random.default_rng([23, seed])
    model = giqa.fit(np.random.default_rng(1).normal(size=(100, 3)).astype(np.float32), scorer="sgm")
    fakes = rng.normal(size=(60, 3)).astype(np.float32)
    later = (fakes + 0.5 * rng.normal(size=fakes.shape)).astype(np.float32)
    found = diff(model.score(fakes), model.score(later))
    yield "mean change of z, 60 pictures", Seen(*found.mean_change())


def people(seed: int) -> Iterator[tuple[str, Seen]]:
    """`p_real` of votes: 100 pictures with 3 votes each, 50 others asked; a deviation of each picture's own."""
    rng = np.random.default_rng([24, seed])
    x = rng.normal(size=(150, 3))
    logits = x @ np.array([1.0, 0.5, 0.0]) - 0.3 + 0.5 * rng.normal(size=150)
    features = Features(tuple(map(str, range(150))), {"layer.z": x})
    real = rng.binomial(3, sigmoid(logits[:100]))
    model = HumanModel(seed=seed).fit(features.rows(slice(100)), np.c_[np.full(100, 3), real])
    yield "p_real of votes, 50 pictures", Seen(*model.p_real(features.rows(slice(100, None))), sigmoid(logits[100:]))


CASES = {f"score {scorer}": partial(scored, scorer) for scorer in SCORERS}
CASES |= {"score by class": classes, "diff": change, "score --human": people}
