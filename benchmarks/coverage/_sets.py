"""Intervals of sets: every metric of compare and the differences of two, track, the curve of pick, pairs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial

import numpy as np

from benchmarks.coverage._shared import Seen
from giqa.compare.compare import compare
from giqa.compare.other_scores import agreement
from giqa.compare.paired import Paired
from giqa.compare.picker_curve import picker_curve
from giqa.metrics.inception import InceptionScore
from giqa.metrics.jackknife import Jackknife, jackknifed
from giqa.metrics.quality import Diversity
from giqa.model.fit import fit
from giqa.stats import robust_sd

METRICS = "qs,ds(splits=1),fd,kd,cmmd,precision,recall,density,coverage,authenticity,vendi"


def metrics(seed: int, names: str = METRICS, n: int = 60, d: int = 4) -> Iterator[tuple[str, Seen]]:
    """100 reals and two generators of 60: one moved, one too narrow. Differences of QS in the unit of the reals."""
    rng = np.random.default_rng([31, seed])
    reals, moved, narrow = (rng.normal(size=(k, d)).astype(np.float32) for k in (100, n, n))
    sets = {"moved": moved + np.float32(0.3), "narrow": narrow * np.float32(0.7)}
    found = compare(reals, sets, metrics=names, scorer="sgm", seed=seed)
    one, other = found.generators
    for name, value in one.values.items():
        yield f"{name}, {n} fakes", Seen(value.value, *value.interval())
        unit = robust_sd(fit(reals, scorer="sgm", seed=seed).scale.held_out) if name == "qs" else 1.0
        yield f"{name}, difference of two sets of {n}", Seen(*(unit * x for x in value.minus(other.values[name])))


def logits(seed: int) -> Iterator[tuple[str, Seen]]:
    """Inception score of 100 rows of 5 logits."""
    fakes = np.random.default_rng([32, seed]).normal(size=(100, 5)) * 2
    (found,) = jackknifed(InceptionScore(), np.zeros((100, 5)), fakes, seed=seed)
    yield "inception_score, 100 fakes", Seen(found.value, *found.interval())


def run(seed: int) -> Iterator[tuple[str, Seen]]:
    """DS of two checkpoints of a run as in docs/metrics.md: 64 fakes each, 400 reals, 32 columns."""
    rng = np.random.default_rng([33, seed])
    scale = np.linspace(2, 0.3, 32)
    reals, early, late = (rng.normal(size=(n, 32)) * scale for n in (400, 64, 64))
    early, late = early * 0.5 + 1.0, late * 0.9
    metric = Diversity()
    (one,), (other,) = (jackknifed(metric, reals, x.astype(np.float32), seed=seed) for x in (early, late))
    yield "ds of an early checkpoint, 64 fakes", Seen(one.value, *one.interval())
    yield "ds of a late checkpoint, 64 fakes", Seen(other.value, *other.interval())
    yield "ds, late less early", Seen(*other.minus(one))


def curve(seed: int) -> Iterator[tuple[str, Seen]]:
    """The best half of 100 fakes against all of them: bands, and the paired difference of the sentence."""
    rng = np.random.default_rng([34, seed])
    reals, fakes = rng.normal(size=(100, 3)), rng.normal(size=(100, 3)) * 1.3
    score, z = -(fakes**2).sum(axis=1), -np.abs(fakes).sum(axis=1)
    whole, half = picker_curve(reals, fakes, score, z, shares=(1.0, 0.5), seed=seed)
    for name, value in half.values.items():
        full = whole.values[name]
        yield f"{name} of the best half", Seen(value.value, *value.interval())
        gap = Jackknife(value.value - full.value, value.real - full.real, value.fake - full.fake, n=half.n)
        yield f"{name}, best half less all", Seen(gap.value, *gap.interval())


def other_scores(seed: int) -> Iterator[tuple[str, Seen]]:
    """Another score of 60 pictures: Spearman's correlation with z, and pairs of outputs and targets."""
    rng = np.random.default_rng([35, seed])
    one = rng.normal(size=60)
    other = one + rng.normal(size=60)
    value, low, high = agreement(one, other)
    yield "Spearman of two scores, 60 pictures", Seen(value, low, high, known_correlation())
    names = tuple(map(str, range(40)))
    target, gap = rng.normal(size=40), rng.normal(-0.4, 1, size=40)
    found = Paired("A", names, names, target + gap, target, {"low": rng.gamma(4, size=40)}).numbers()
    for (name, numbers), truth in zip(found.items(), (-0.4, 0.34458, 4.0), strict=True):
        yield f"40 pairs: {name}", Seen(*numbers, truth)


@cache
def known_correlation() -> float:
    """Spearman's of x and x + y, both standard normal: 6 / pi asin(r / 2) with r = 1 / sqrt(2)."""
    return float(6 / np.pi * np.arcsin(0.5 / np.sqrt(2)))


CASES = {
    "compare": metrics,
    "compare 30 and 30": partial(metrics, names="fd,kd,vendi,recall", n=30),
    "compare logits": logits,
    "compare fd_infinity": partial(metrics, names="fd_infinity(points=5)"),
    "track": run,
    "pick --curve": curve,
    "compare --other-scores and --paired": other_scores,
}
