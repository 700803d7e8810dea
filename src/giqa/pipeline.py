"""Where the stages meet: `fit` learns what real looks like, `score` gives every picture its place."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__, registry
from .errors import BadModel, BadShape, BadSource, BadSpec, MissingWeights
from .extraction import (
    CHUNK,
    Extracted,
    as_features,
    as_match,
    auto_match,
    extract,
    extract_steps,
    joined,
    make_extractor,
)
from .gallery import Gallery
from .images import open_source
from .images.decode import note_names
from .model import Model, load
from .scorers.scale import Folded, Scale, assign_folds, twins
from .scores import NUMBERS, Scores
from .types import Extractor, Features, Progress, Step

DEFAULT_SCORER = "gmm"


def make_scorer(spec: Any = None, preset: str | None = None, seed: int | None = None) -> Any:
    """The scorer that a spec string names; objects pass through."""
    return registry.make("scorer", spec or DEFAULT_SCORER, preset=preset, seed=seed)


def fit(
    real: Any,
    extractor: Any = None,
    scorer: Any = None,
    *,
    preset: str | None = None,
    match: Any = None,
    flip: bool = False,
    seed: int = 0,
    store: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Model:
    """Learn what real looks like.

    >>> reals = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    >>> model = fit(reals, scorer="knn(k=1)")
    >>> len(model.reals), model.made_by["scorer"]
    (200, "knn(k=1, preset='recommended')")

    `real`: pictures (a path, an array; see `giqa.images.open_source`), `Features`, or a float array (n, d).
    `flip`: mirrored copies of the reals join the reference. Errors: `BadShape` below 20 different reals.
    """
    seed = int(seed)
    scorer = make_scorer(scorer, preset, seed)
    features, failures, identity, spec = as_features(real), {}, {}, None
    if features is None:
        extractor = make_extractor(extractor, preset)
        options = {"match": match, "store": store, "workers": workers, "progress": progress, "what": "reals"}
        result = extract(real, extractor, **options)
        features, failures = result.features, result.failures
        if not len(features):
            raise BadSource(
                f"None of the {len(failures)} real pictures could be read; the first: {next(iter(failures.values()))}."
            )
        _warn_of(failures)
        identity, spec = dict(extractor.identity()), registry.canonical("extractor", extractor)
    elif match or flip:
        raise BadSpec("match and flip change pictures; they cannot be asked of features.")
    groups = np.arange(len(features)) if features.info is None else twins(features.info)
    if flip:
        mirrored = extract(real, extractor, flip=True, **options).features
        features = joined(
            [features, Features(tuple(f"{i}#flip" for i in mirrored.ids), mirrored.layers, mirrored.info)]
        )
        groups = np.r_[groups, groups]
    folds = assign_folds(groups, seed)
    matrix = features.matrix()
    fitted = scorer if hasattr(scorer, "score_with_deviation") else Folded(scorer)
    fitted.fit(matrix, folds=folds)
    made_by = {
        "giqa": __version__,
        "extractor": spec,
        "features": identity,
        "scorer": registry.canonical("scorer", scorer),
        "match": as_match(match) and as_match(match).spec(),
        "flip": flip,
        "seed": seed,
        "reals": len(features),
        "reals_failed": len(failures),
        "reals_digest": _digest(features),
    }
    return Model(fitted, Scale(fitted.held_out_, seed), features, matrix, spec, identity, made_by["match"], made_by)


def _warn_of(failures: Mapping[str, str], most: int = 5) -> None:
    for name, reason in list(failures.items())[:most]:
        warnings.warn(f"real picture left out: {name}: {reason}", stacklevel=3)
    if len(failures) > most:
        warnings.warn(f"... and {len(failures) - most} more real pictures left out", stacklevel=3)


def _digest(features: Features) -> str:
    """SHA-256 over the reals: their pixels where known, else their features; in any order."""
    rows = features.matrix() if features.info is None else features.info["digest"]
    return hashlib.sha256(b"".join(sorted(np.ascontiguousarray(row).tobytes() for row in rows))).hexdigest()


def score(
    fakes: Any,
    real: Any = None,
    *,
    model: Model | str | Path | None = None,
    extractor: Any = None,
    scorer: Any = None,
    preset: str | None = None,
    match: Any = None,
    flip: bool = False,
    seed: int = 0,
    store: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
    report: str | Path | None = None,
    **switches: bool,
) -> Scores:
    """One score a picture, on the scale of held-out reals; pass `real`, or a fitted `model` (or its file).

    >>> rng = np.random.default_rng(0)
    >>> reals, fakes = rng.normal(size=(200, 4)).astype("f4"), rng.normal(size=(5, 4)).astype("f4") + 9
    >>> score(fakes, real=reals, scorer="knn").percentile.max() < .01
    np.True_

    A picture that cannot be read gets a row with `error` and no score. `match="auto"` first brings both sets to one
    size and coding, if they differ. Sources, presets and errors as in `fit`.
    `report`: also write this HTML file; with a `model`, `real` is then where pictures of its reals are found.
    `switches`: `show_reals`, `show_thumbnails`, `show_paths` of `giqa.report.write_report`.
    """
    if real is None and model is None:
        raise BadSpec("Score against what? Give real= (pictures of reals) or model= (a fitted .giqa file).")
    if model is None:
        match = auto_match(real, fakes) if match == "auto" else match
        model = fit(
            real,
            extractor,
            scorer,
            preset=preset,
            match=match,
            flip=flip,
            seed=seed,
            store=store,
            workers=workers,
            progress=progress,
        )
    elif extractor or scorer or preset or match or flip:
        raise BadSpec("A fitted model brings its own extractor, scorer, preset, match and flip; leave them out.")
    model = load(model) if isinstance(model, (str, Path)) else model
    fakes = fakes if as_features(fakes) is not None else open_source(fakes)
    steps = score_steps(fakes, model, store=store, workers=workers, progress=progress)
    if report is None:
        return collect(steps, model)
    gallery = Gallery(model, neighbours=switches.get("show_reals", True))
    scores = collect(steps, model, gallery.see)
    gallery.write(report, scores, fakes, real, workers=workers, progress=progress, **switches)
    return scores


def score_steps(
    fakes: Any,
    model: Model,
    *,
    store: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Iterator[Step]:
    """Score in steps of 64 pictures, so that memory does not grow with their number."""
    features = as_features(fakes)
    if features is not None:
        given = [Extracted(features.rows(slice(i, i + CHUNK)), {}) for i in range(0, len(features), CHUNK)]
        ids, total = list(features.ids), len(features)
    else:
        if model.extractor is None:
            raise BadShape("The model was fitted on feature arrays; give features (n, d), or fit it on pictures.")
        source, extractor = open_source(fakes), model_extractor(model)
        given = extract_steps(source, extractor, match=as_match(model.match), store=store, workers=workers)
        ids, total = list(source.ids), len(source)
    done = 0
    for step in given:
        here = ids[done : done + len(step.features) + len(step.failures)]
        done += len(here)
        columns = model.score(_named_as(step.features, model)) if len(step.features) else {}
        yield Step(here, step.features, columns, step.failures)
        if progress:
            progress("score", done, total)


def _named_as(features: Features, model: Model) -> Features:
    """A plain array is accepted wherever features are: one nameless layer takes the model's only name."""
    if list(features.layers) == ["features"] and len(model.reals.layers) == 1:
        return Features(
            features.ids, dict(zip(model.reals.layers, features.layers.values(), strict=True)), features.info
        )
    return features


def model_extractor(model: Model) -> Extractor:
    """The extractor a model was fitted with; refuses one that would compute other features.

    Weights that are no longer where they were are looked for by their digest among the imported ones.
    """
    extractor = registry.make("extractor", model.extractor)
    try:
        now = dict(extractor.identity())
    except MissingWeights:
        extractor.weights = f"sha256:{model.identity['weights_sha256']}"
        now = dict(extractor.identity())
    if now != dict(model.identity):
        key = sorted(k for k in now.keys() | model.identity.keys() if now.get(k) != model.identity.get(k))[0]
        raise BadModel(
            f"The extractor computes other features than when the model was fitted: {key} was "
            f"{model.identity.get(key)!r}, is {now.get(key)!r}. Bring back that file, or fit again."
        )
    return extractor


def collect(steps: Iterator[Step], model: Model, each: Callable[[Step], None] | None = None) -> Scores:
    """All steps as one table; `each` sees every step as it passes."""
    columns: dict[str, list] = {name: [] for name in ("id", *NUMBERS, "duplicate_of", "error", "notes")}
    for step in steps:
        place = {i: row for row, i in enumerate(step.features.ids)}
        for i in step.ids:
            row = place.get(i)
            columns["id"].append(i)
            columns["error"].append(step.failures.get(i, ""))
            columns["duplicate_of"].append("" if row is None else step.columns["duplicate_of"][row])
            noted = row is not None and step.features.info is not None
            columns["notes"].append("; ".join(note_names(int(step.features.info["notes"][row]))) if noted else "")
            for name in NUMBERS:
                columns[name].append(np.nan if row is None else step.columns[name][row])
        if each:
            each(step)
    numbers = {name: np.array(columns[name], float) for name in NUMBERS}
    return Scores(**(columns | numbers), made_by={**model.made_by, "model_digest": model.digest})
