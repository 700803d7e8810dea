"""The contracts as functions that anyone can run on their own scorer, extractor or source.

from giqa.testing import check_reference_scorer
check_reference_scorer(lambda: MyScorer(k=3))
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .errors import BadSpec, GiqaError, NotFitted
from .registry import complete, parameters
from .types import LEVELS, ReferenceScorer, Source, levels_of


class BrokenPromise(AssertionError):
    """A contract does not hold; the message says which promise was broken."""


def promise(kept: bool, what: str) -> None:
    if not kept:
        raise BrokenPromise(what)


def _raises(wanted: type[Exception], call: Callable[[], Any]) -> bool:
    try:
        call()
    except Exception as error:
        return isinstance(error, wanted)
    return False


def _is_json(value: Any) -> bool:
    """Whether JSON gives the same back."""
    try:
        return bool(json.loads(json.dumps(value)) == value)
    except (TypeError, ValueError):
        return False


def reals_and_fakes(n: int = 240, d: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features that a reference scorer must tell apart: reals (n, d) around 0, fakes (n // 4, d) ever farther off."""
    rng = np.random.default_rng(seed)
    reals = rng.normal(size=(n, d))
    away = np.linspace(0.5, 12, n // 4)[:, None] / np.sqrt(d)
    return reals.astype(np.float32), (rng.normal(size=(n // 4, d)) * 0.3 + away).astype(np.float32)


def check_scorer(make: Callable[[], Any], features: np.ndarray | None = None, y: np.ndarray | None = None) -> None:
    """What every scorer promises: raises before fit, fit returns self, input and parameters untouched, one finite
    score a picture, one by one equals batched bit for bit, order does not matter, same seed same scores.

    >>> from giqa.scorers.knn import KNN
    >>> check_scorer(KNN)
    """
    reals, queries = reals_and_fakes()
    features = reals if features is None else features
    if features.shape[1] != queries.shape[1]:
        queries = (features[:-1:4] + features[1::4]) / 2  # between two rows: a copy of one may be infinitely good
    scorer = make()
    promise(_raises(NotFitted, lambda: scorer.score_samples(queries)), "score_samples before fit raises NotFitted")
    promise(not _raises(BadSpec, lambda: parameters(scorer)), "parameters are stored under their own names")
    before, given, asked = features.copy(), repr(parameters(scorer)), queries.copy()
    promise(scorer.fit(features, y) is scorer, "fit returns self")
    promise(np.array_equal(before, features), "fit leaves its input as it was")
    promise(repr(parameters(scorer)) == given, "fit changes no parameter")
    scores = scorer.score_samples(queries)
    promise(np.array_equal(asked, queries), "score_samples leaves its input as it was")
    promise(isinstance(scores, np.ndarray) and scores.shape == (len(queries),), "one score a picture, an array (n,)")
    promise(scores.dtype == np.float64, "scores are float64")
    promise(bool(np.isfinite(scores).all()), "scores are finite")
    alone = np.array([scorer.score_samples(queries[i : i + 1])[0] for i in range(len(queries))])
    promise(np.array_equal(alone, scores), "a picture scored alone gets the same bits as in a batch")
    order = np.random.default_rng(1).permutation(len(queries))
    promise(np.array_equal(scorer.score_samples(queries[order]), scores[order]), "the order does not matter")
    promise(
        np.array_equal(make().fit(features, y).score_samples(queries), scores), "the same seed gives the same scores"
    )
    none = queries[:0]
    kept = not _raises(Exception, lambda: scorer.score_samples(none)) and len(scorer.score_samples(none)) == 0
    promise(kept, "no pictures, no scores")
    for wrong in (queries[:, :-1], queries[0], np.full_like(queries, np.nan)):
        refused = _raises(GiqaError, partial(scorer.score_samples, wrong))
        promise(refused, "features of another width, shape or that are not finite raise a GiqaError")


def check_reference_scorer(make: Callable[[], Any], monotone: bool = True, own_scale: bool = False) -> None:
    """What a scorer that is fitted on reals promises on top of `check_scorer`: nearer to the reals scores higher, folds
    can be held out, and what it learned survives a file.

    `monotone=False` leaves out the first, for paper presets whose density underflows.

    >>> from giqa.scorers.gmm import SGM
    >>> check_reference_scorer(SGM)
    """
    check_scorer(make)
    reals, fakes = reals_and_fakes()
    scorer = make().fit(reals)
    if monotone:
        scores = scorer.score_samples(fakes)
        third = len(scores) // 3
        promise(np.median(scores[:third]) > np.median(scores[-third:]), "nearer to the reals scores higher")
        far = scorer.score_samples(np.stack([reals.mean(axis=0), reals.mean(axis=0) + 50]))
        promise(far[0] > far[1], "the middle of the reals scores higher than a point far off")
    folds = np.arange(len(reals)) % 5
    scorer = complete("scorer", make().fit(reals, folds=folds))
    held_out = isinstance(scorer, ReferenceScorer) and np.shape(scorer.held_out_) == (len(reals),)
    promise(held_out, "held_out_ has one score for each real")
    by_fold = scorer.score_folds(reals)
    promise(by_fold.shape == (len(reals), 5), "score_folds gives one score for each picture and fold")
    promise(
        np.allclose(by_fold[np.arange(len(reals)), folds], scorer.held_out_, rtol=1e-6, equal_nan=True),
        "held_out_ is the score under the model that has not seen the fold",
    )
    scores, deviations = scorer.score_with_deviation(fakes)
    promise(
        np.array_equal(scores, scorer.score_samples(fakes)), "score_with_deviation gives the scores of score_samples"
    )
    promise(
        np.shape(deviations) == (len(fakes),) and bool((deviations >= 0).all()), "a deviation for each score, from 0"
    )
    promise(isinstance(scorer.default_extractor, str | None), "default_extractor is a spec string")
    promise(_is_json(scorer.chosen()), "chosen gives what JSON can say")
    same = np.array_equal(scores, make().fit(reals).score_samples(fakes))
    promise(same or own_scale, "holding out folds does not change the scores")
    _check_file(scorer, reals, fakes)


def check_supervised_scorer(make: Callable[[], Any]) -> None:
    """What a scorer that learns from labels promises on top of `check_scorer`: it refuses to learn without them, better
    labels score higher on pictures that it has not seen, folds can be held out, and it survives a file.

    >>> from giqa.scorers.learned import MBC
    >>> check_supervised_scorer(MBC)
    """
    rng = np.random.default_rng(0)
    y = np.repeat(np.r_[np.linspace(0, 0.9, 10), 1.0], 24)  # ten snapshots and reals
    pictures = (y[:, None] + rng.normal(0, 0.25, (len(y), 6))).astype(np.float32)
    queries = (y[::4, None] + rng.normal(0, 0.25, (len(y[::4]), 6))).astype(np.float32)
    promise(_raises(GiqaError, lambda: make().fit(pictures)), "fit without labels raises a GiqaError")
    short = _raises(GiqaError, lambda: make().fit(pictures, y[1:]))
    promise(short, "fit with another number of labels raises a GiqaError")
    check_scorer(make, pictures, y)
    folds = np.arange(len(y)) // 24 % 5
    scorer = make().fit(pictures, y, folds=folds)
    scores = scorer.score_samples(queries)
    promise(bool(np.corrcoef(scores, y[::4])[0, 1] > 0.7), "better labels score higher")
    by_fold = scorer.score_folds(pictures)
    promise(by_fold.shape == (len(y), 5), "score_folds gives one score for each picture and fold")
    promise(
        np.allclose(by_fold[np.arange(len(y)), folds], scorer.held_out_, rtol=1e-6),
        "held_out_ is the score under the model that has not seen the fold",
    )
    same, deviations = scorer.score_with_deviation(queries)
    promise(np.array_equal(same, scores), "score_with_deviation gives the scores of score_samples")
    promise(bool((deviations >= 0).all()), "a deviation for each score, from 0")
    _check_file(scorer, pictures, queries)


def _check_file(scorer: Any, reals: np.ndarray, fakes: np.ndarray) -> None:
    import tempfile
    from pathlib import Path

    from .model.load_model import load
    from .model.model import Model
    from .scorers.scale import Scale
    from .types import Features

    names = tuple(str(i) for i in range(len(reals)))
    model = Model(scorer, Scale(scorer.held_out_), Features(names, {"features": reals}), reals)
    with tempfile.TemporaryDirectory() as folder:
        try:
            loaded = load(model.save(Path(folder) / "model.giqa"))
        except GiqaError as error:
            raise BrokenPromise(f"scores survive save and load; {error}") from error
    promise(
        np.array_equal(loaded.scorer.score_samples(fakes), scorer.score_samples(fakes)), "scores survive save and load"
    )
    promise(loaded.digest == model.digest, "the digest survives save and load")


def check_metric(make: Callable[[], Any], order: bool = True) -> None:
    """What every metric of two sets promises: one float for (real, fake), input and parameters untouched, the same
    number again, whatever the order of the pictures, and nothing finite for features that are not.

    `order=False` leaves out the order, for metrics that draw by position.

    >>> from giqa.metrics.frechet import Frechet
    >>> check_metric(Frechet)
    """
    real, fake = reals_and_fakes(n=200, d=4)
    metric = make()
    promise(not _raises(BadSpec, lambda: parameters(metric)), "parameters are stored under their own names")
    given, before = repr(parameters(metric)), (real.copy(), fake.copy())
    value = metric(real, fake)
    promise(isinstance(value, float) and bool(np.isfinite(value)), "one finite float for two sets")
    promise(np.array_equal(before[0], real) and np.array_equal(before[1], fake), "both sets are left as they were")
    promise(repr(parameters(metric)) == given, "no parameter changes")
    promise(metric(real, fake) == value == make()(real, fake), "the same sets give the same number again")
    of_fakes = complete("metric", make()).against(real)
    again = of_fakes(fake[:150]), of_fakes(fake), of_fakes(fake[:150])
    promise(again[1] == value and again[0] == again[2], "`against` the reals it says the same of any fakes")
    if order:
        rng = np.random.default_rng(1)
        shuffled = metric(rng.permutation(real), rng.permutation(fake))
        promise(bool(np.isclose(shuffled, value, rtol=1e-4, atol=1e-6)), "the order of the pictures does not matter")
    bad = fake.copy()
    bad[0, 0] = np.nan
    refused = _raises(GiqaError, lambda: metric(real, bad)) or not np.isfinite(metric(real, bad))
    promise(refused, "features that are not finite raise a GiqaError or give nothing finite")


def check_extractor(
    make: Callable[[], Any], sizes: tuple[tuple[int, int], ...] = ((40, 40), (33, 57), (64, 48))
) -> None:
    """What every extractor promises: named float32 layers (n, c), pictures of any size together, the same bits alone,
    in any batch and order, input untouched, and an identity that JSON can say.

    >>> from giqa.features.statistics import Statistics
    >>> check_extractor(Statistics)
    """
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes * 2]
    before = [picture.copy() for picture in pictures]
    extractor = make()
    layers = extractor(pictures)
    promise(tuple(layers) == tuple(extractor.outputs), "the layers are those that `outputs` names, in that order")
    declared = [name for names in levels_of(extractor).values() for name in names]
    promise(set(declared) <= set(layers) and len(set(declared)) == len(declared), "levels name outputs, each once")
    promise(set(levels_of(extractor)) <= set(LEVELS), f"levels are among {', '.join(LEVELS)}")
    for name, layer in layers.items():
        promise(
            layer.dtype == np.float32 and layer.ndim == 2 and len(layer) == len(pictures), f"{name} is float32 (n, c)"
        )
        promise(bool(np.isfinite(layer).all()), f"{name} is finite")
    promise(all(np.array_equal(a, b) for a, b in zip(before, pictures, strict=True)), "pictures are left as they were")
    order = rng.permutation(len(pictures))
    shuffled = extractor([pictures[i] for i in order])
    for name, layer in layers.items():
        promise(np.array_equal(shuffled[name], layer[order]), f"{name}: the order does not matter")
    for i, picture in enumerate(pictures):
        alone = extractor([picture])
        promise(
            all(np.array_equal(alone[name][0], layer[i]) for name, layer in layers.items()),
            "alone as in a batch, bit for bit",
        )
    identity = dict(extractor.identity())
    promise(_is_json(identity) and identity == dict(make().identity()), "identity is JSON, and stable")


def check_source(source: Source) -> None:
    """What every source promises: unique ids, as many as its length, and the same picture each time it is asked.

    >>> from giqa.images import open_source
    >>> check_source(open_source(np.zeros((3, 8, 8, 3), np.uint8)))
    """
    ids = list(source.ids)
    promise(len(ids) == len(source) > 0, "as many ids as pictures, at least one")
    promise(len(set(ids)) == len(ids), "ids are unique")
    promise(all(isinstance(i, str) and "\\" not in i for i in ids), "ids are strings with / as separator")
    for index in (0, len(ids) - 1):
        first, second = source.raw(index), source.raw(index)
        same = np.array_equal(first, second) if isinstance(first, np.ndarray) else first == second
        promise(bool(same), "the same picture each time")
