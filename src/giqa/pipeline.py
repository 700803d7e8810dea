"""The only place where the stages meet: `extract`, `fit`, `score`."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__, registry
from .errors import BadImage, BadModel, BadShape, BadSource, BadSpec, MissingWeights
from .features.store import Store, content_key
from .features.weights import home
from .images import open_source
from .images.decode import POLICY, decode, note_names, picture_info
from .images.match import Match, choose_match, parse_match
from .images.profile import profile
from .model import Model, load
from .scorers.scale import Folded, Scale, assign_folds, twins
from .scores import NUMBERS, Scores
from .types import INFO, Extractor, Features, Source

DEFAULT_EXTRACTOR = "statistics"
DEFAULT_SCORER = "gmm"
CHUNK = 64  # pictures a step: bounds memory, and what a killed process loses
Progress = Callable[[int, int], None]  # (pictures done, pictures in all)


@dataclass(frozen=True)
class Extracted:
    """Features of the pictures that could be read, and for the others the reason, by id."""

    features: Features
    failures: Mapping[str, str]


def make_extractor(spec: Any = None, preset: str | None = None) -> Extractor:
    """The extractor that a spec string names; objects pass through."""
    return registry.make("extractor", spec or DEFAULT_EXTRACTOR, preset=preset)


def make_scorer(spec: Any = None, preset: str | None = None, seed: int | None = None) -> Any:
    """The scorer that a spec string names; objects pass through."""
    return registry.make("scorer", spec or DEFAULT_SCORER, preset=preset, seed=seed)


def extract_steps(
    source: Source,
    extractor: Extractor,
    *,
    match: Match | None = None,
    flip: bool = False,
    store: bool = True,
    workers: int | None = None,
) -> Iterator[Extracted]:
    """Features in steps of 64 pictures, in the order of the source; what the store holds is not computed again."""
    transform = {"match": match.spec() if match else None, "flip": flip}
    shelf = Store(home() / "features", {"decode": POLICY, **transform, **extractor.identity()}) if store else None

    def read(index: int) -> tuple[str, bytes, Any]:
        """One picture in a thread: ("stored" | "new" | "bad", key, record | (info, prepared) | reason)."""
        key = b""
        try:
            raw = source.raw(index)
            if shelf is not None:
                key = content_key(raw)
                (record,) = shelf.read([key])
                if record is not None:
                    return "stored", key, record
            picture = decode(raw)
            info = picture_info(picture)
            pixels = match(picture.pixels) if match else picture.pixels
            pixels = np.ascontiguousarray(pixels[:, ::-1]) if flip else pixels
            return "new", key, (info, extractor.prepare(pixels))
        except BadImage as error:
            return "bad", key, str(error)
        except MemoryError:
            return "bad", key, "not enough memory to decode it"

    steps = [range(i, min(i + CHUNK, len(source))) for i in range(0, len(source), CHUNK)]
    try:
        with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
            waiting = deque()
            for step in steps[:2]:  # one step is read while the one before is computed
                waiting.append([pool.submit(read, i) for i in step])
            try:
                for number, step in enumerate(steps):
                    results = [future.result() for future in waiting.popleft()]
                    if number + 2 < len(steps):
                        waiting.append([pool.submit(read, i) for i in steps[number + 2]])
                    yield _finish(source, step, results, extractor, shelf)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
    finally:
        if shelf is not None:
            shelf.close()


def _finish(source: Source, step: range, results: list, extractor: Extractor, shelf: Store | None) -> Extracted:
    """Run the network on what is new, put it in the store, and put the step together again."""
    failures = {source.ids[i]: value for i, (kind, _, value) in zip(step, results, strict=True) if kind == "bad"}
    fresh = [(key, value) for kind, key, value in results if kind == "new"]
    records: Iterator[np.void] = iter(())
    dtype = None
    if fresh:
        layers = extractor.run([prepared for _, (_, prepared) in fresh])
        dtype = np.dtype(
            [
                *((n, INFO[n].base, INFO[n].shape) for n in INFO.names),
                *((f"layer:{n}", "<f4", a.shape[1:]) for n, a in layers.items()),
            ]
        )
        made = np.empty(len(fresh), dtype)
        for row, (_, (info, _)) in enumerate(fresh):
            for name in INFO.names:
                made[name][row] = info[name]
        for name, layer in layers.items():
            made[f"layer:{name}"] = layer
        if shelf is not None:
            shelf.append([key for key, _ in fresh], made)
        records = iter(made)
    good = [
        (i, next(records) if kind == "new" else value)
        for i, (kind, _, value) in zip(step, results, strict=True)
        if kind != "bad"
    ]
    if dtype is None and good:
        dtype = good[0][1].dtype
    return Extracted(_as_features([source.ids[i] for i, _ in good], [record for _, record in good], dtype), failures)


def _as_features(ids: list[str], records: list[np.void], dtype: np.dtype | None) -> Features:
    if not records:
        return Features((), {}, np.empty(0, INFO))
    table = np.array(records, dtype)
    info = np.empty(len(table), INFO)
    for name in INFO.names:
        info[name] = table[name]
    layers = {
        name.removeprefix("layer:"): np.ascontiguousarray(table[name])
        for name in dtype.names
        if name.startswith("layer:")
    }
    return Features(tuple(ids), layers, info)


def extract(
    where: Any,
    extractor: Any = None,
    *,
    match: Any = None,
    flip: bool = False,
    store: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Extracted:
    """Features of every picture of a source.

    >>> pictures = np.zeros((3, 16, 16, 3), np.uint8)
    >>> extract(pictures, "statistics", store=False).features.layers["scale_1"].shape
    (3, 18)

    `where`: whatever `giqa.images.open_source` takes; `match`: a `match(...)` spec; `store=False` keeps nothing.
    """
    source, extractor = open_source(where), make_extractor(extractor)
    steps, failures, done = [], {}, 0
    for step in extract_steps(source, extractor, match=_as_match(match), flip=flip, store=store, workers=workers):
        steps.append(step.features)
        failures |= step.failures
        done += len(step.features) + len(step.failures)
        if progress:
            progress(done, len(source))
    made_by = {**extractor.identity(), "match": _as_match(match) and _as_match(match).spec(), "flip": flip}
    return Extracted(joined(steps, made_by), failures)


def joined(parts: list[Features], made_by: Mapping[str, Any] | None = None) -> Features:
    """Several features of the same layers, one after the other."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return Features((), {}, np.empty(0, INFO), made_by or {})
    infos = [part.info for part in parts]
    return Features(
        tuple(i for part in parts for i in part.ids),
        {name: np.concatenate([part.layers[name] for part in parts]) for name in parts[0].layers},
        None if any(info is None for info in infos) else np.concatenate(infos),
        made_by if made_by is not None else parts[0].made_by,
    )


def auto_match(real: Any, fakes: Any) -> Match | None:
    """What brings two sets to one size and coding; None when they are saved alike already."""
    chosen = choose_match(profile(open_source(real)), profile(open_source(fakes)))
    return None if chosen == Match() else chosen


def _as_match(match: Any) -> Match | None:
    return parse_match(match) if isinstance(match, str) else match


def as_features(where: Any) -> Features | None:
    """Features that are given as such: `Features`, or a float array (n, d); None when `where` is pictures."""
    if isinstance(where, Features):
        return where
    if isinstance(where, np.ndarray) and where.ndim == 2 and where.dtype.kind == "f":
        width = max(1, len(str(len(where) - 1)))
        return Features(tuple(f"{i:0{width}d}" for i in range(len(where))), {"features": np.asarray(where, np.float32)})
    return None


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
        options = {"match": match, "store": store, "workers": workers, "progress": progress}
        result = extract(real, extractor, **options)
        features, failures = result.features, result.failures
        if not len(features):
            raise BadSource(
                f"None of the {len(failures)} real pictures could be read; the first: {next(iter(failures.values()))}."
            )
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
        "match": _as_match(match) and _as_match(match).spec(),
        "flip": flip,
        "seed": seed,
        "reals": len(features),
        "reals_failed": len(failures),
        "reals_digest": _digest(features),
    }
    return Model(fitted, Scale(fitted.held_out_, seed), features, matrix, spec, identity, made_by["match"], made_by)


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
) -> Scores:
    """One score a picture, on the scale of held-out reals; pass `real`, or a fitted `model` (or its file).

    >>> rng = np.random.default_rng(0)
    >>> reals, fakes = rng.normal(size=(200, 4)).astype("f4"), rng.normal(size=(5, 4)).astype("f4") + 9
    >>> score(fakes, real=reals, scorer="knn").percentile.max() < .01
    np.True_

    A picture that cannot be read gets a row with `error` and no score. `match="auto"` first brings both sets to one
    size and coding, if they differ. Sources, presets and errors as in `fit`.
    `report`: also write this HTML file; with a `model`, `real` is then where pictures of its reals are found.
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
    steps = score_steps(fakes, model, store=store, workers=workers, progress=progress)
    if report is None:
        return collect(steps, model)
    from .gallery import Gallery

    gallery = Gallery(model)
    scores = collect(steps, model, gallery.see)
    gallery.write(report, scores, fakes, real, workers=workers, progress=progress)
    return scores


@dataclass(frozen=True)
class Step:
    """A few scored pictures, in the order of the source."""

    ids: list[str]
    features: Features
    columns: Mapping[str, Any]
    failures: Mapping[str, str]


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
        given = extract_steps(source, extractor, match=_as_match(model.match), store=store, workers=workers)
        ids, total = list(source.ids), len(source)
    done = 0
    for step in given:
        here = ids[done : done + len(step.features) + len(step.failures)]
        done += len(here)
        columns = model.score(_named_as(step.features, model)) if len(step.features) else {}
        yield Step(here, step.features, columns, step.failures)
        if progress:
            progress(done, total)


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
