"""Where the stages meet: `fit` learns what real looks like, `score` gives every picture its place."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__, registry
from .errors import BadModel, BadShape, BadSource, BadSpec, MissingWeights
from .explain.worst_pictures import explain_pictures, extreme_ids, maps_for
from .features.extract import (
    CHUNK,
    Extracted,
    as_features,
    as_match,
    auto_match,
    describe_different,
    extract,
    extract_steps,
    make_extractor,
    still_different,
)
from .images import open_source
from .images.decode import note_names
from .images.match import Match
from .images.sharpness import driven, look_at_sharpness
from .model import reals as hygiene
from .model.folds import fit_in_order
from .model.model import Model, load
from .model.table import NUMBERS, PEOPLE, TEXTS, Scores
from .model.trust import doubts, human_part, unchecked
from .p_real.domain import Asked
from .p_real.model import Realism, is_realism, load_realism, with_people
from .report.gallery import Gallery
from .scorers.products import check_products
from .types import Extractor, Features, Progress, Step

DEFAULT_SCORER = "multilayer"
PAPERS_SCORER = "gmm"  # what `preset="paper"` and "released" mean where no scorer is named


def make_scorer(spec: Any = None, preset: str | None = None, seed: int | None = None) -> Any:
    """The scorer that a spec string names; objects pass through."""
    papers = preset not in (None, "recommended")
    return registry.make("scorer", spec or (PAPERS_SCORER if papers else DEFAULT_SCORER), preset=preset, seed=seed)


def fit(
    real: Any,
    extractor: Any = None,
    scorer: Any = None,
    *,
    preset: str | None = None,
    match: Any = None,
    flip: bool = False,
    seed: int = 0,
    leave_out: str | Collection[str] | None = None,
    group: str | None = None,
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

    The order of the reals does not matter: folds and sums follow what the pictures are, and the model is the same bits.

    Warnings name reals that are there more than once (`twins`: same pixels or nearly the same thumbnail) and `strays`:
    what they show is foreign to the other reals, 4 spreads below the median (`giqa.model.out_of_domain`), or, where no
    layer sees content, their held-out score is more than 8 spreads below it. `leave_out="twins,strays"` (either or
    both) keeps one of each group of twins, and fits once more without the strays. `group`, a column of a source that
    is a table, also warns of groups that score systematically lower though real, by `giqa.model.reals.subgroups`.
    `made_by` has all three.
    """
    seed, match, leave_out = int(seed), as_match(match), hygiene.parse_leave_out(leave_out)
    scorer = make_scorer(scorer, preset, seed)
    features, mirrored, failures, spec = as_features(real), None, {}, None
    if features is None:
        extractor = make_extractor(extractor or getattr(scorer, "default_extractor", None), preset)
        real = open_source(real)
        labels = _labels(real, group)
        options = {"match": match, "store": store, "workers": workers, "progress": progress}
        features, failures = _read_reals(real, extractor, options)
        mirrored = extract(real, extractor, flip=True, what="reals, mirrored", **options).features if flip else None
        identity, spec = dict(extractor.identity()), registry.canonical("extractor", extractor)
        looks = look_at_sharpness(real, match, workers=workers).record()
    elif extractor or match or flip or group:
        raise BadSpec("extractor, match, flip and group are for pictures; they cannot be asked of features.")
    else:
        identity, labels, looks = dict(features.made_by), {}, None
    if progress:
        progress("fit", 0, len(features))
    fitted, repeated, strays = fit_in_order(scorer, features, mirrored, seed, leave_out)
    if progress:
        progress("fit", len(features), len(features))
    _warn(hygiene.describe_twins(repeated))
    _warn(hygiene.describe_strays(strays, fitted.content is not None))
    features, reals = fitted.features, fitted.reals
    found = {"twins": repeated.record(), "strays": strays.record()}
    if labels:
        groups = hygiene.subgroups(fitted.scale.z(fitted.scale.held_out), [labels[i] for i in features.ids])
        found["groups"] = hygiene.record_groups(groups, group)
        _warn(hygiene.describe_groups(groups, group))
    made_by = {
        "giqa": __version__,
        "extractor": spec,
        "features": identity,
        "scorer": registry.canonical("scorer", scorer),
        "chosen": fitted.scorer.chosen() if hasattr(fitted.scorer, "chosen") else {},
        "match": match.spec() if match else None,
        "flip": flip,
        "seed": seed,
        "reals": len(features),
        "reals_failed": len(failures),
        "reals_digest": _digest(features),
        "products": check_products().record(),
        "reals_look": looks,
        **found,
    }
    if hasattr(fitted.scorer, "layer_names"):
        made_by["layers"] = fitted.scorer.layer_names(reals.layers)
    if not np.isfinite(fitted.scale.spread):
        _warn(
            "More than half of the held-out reals have one and the same score, so z cannot be told: the density "
            "underflows, or the reals are duplicates. percentile still can; or use preset='recommended'."
        )
    how = spec, identity, made_by["match"], made_by
    return Model(fitted.scorer, fitted.scale, reals, reals.matrix(), *how, content=fitted.content)


def _warn(text: str) -> None:
    """A warning that points to who called `fit`, if there is anything to say."""
    if text:
        warnings.warn(text, stacklevel=3)


def _labels(source: Any, group: str | None) -> dict[str, str]:
    """The value of the column `group` for each id; none without one."""
    if group is None:
        return {}
    columns = getattr(source, "columns", {})
    if group not in columns:
        has = f"has the columns {', '.join(columns)}" if columns else "is no table"
        raise BadSpec(f"group={group!r} names a column of the table of reals; {source.name!r} {has}.")
    return dict(zip(source.ids, columns[group], strict=True))


def _read_reals(real: Any, extractor: Extractor, options: Mapping[str, Any]) -> tuple[Features, Mapping[str, str]]:
    result = extract(real, extractor, what="reals", **options)
    if not len(result.features):
        reason = next(iter(result.failures.values()))
        raise BadSource(f"None of the {len(result.failures)} real pictures could be read; the first: {reason}.")
    _warn_of(result.failures)
    return result.features, result.failures


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
    model: Model | Realism | str | Path | None = None,
    human: Realism | str | Path | None = None,
    extractor: Any = None,
    scorer: Any = None,
    preset: str | None = None,
    match: Any = None,
    flip: bool = False,
    seed: int = 0,
    leave_out: str | Collection[str] | None = None,
    group: str | None = None,
    store: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
    report: str | Path | None = None,
    maps: bool | None = None,
    show_reals: bool = True,
    show_thumbnails: bool = True,
    show_paths: bool = True,
) -> Scores:
    """One score a picture, on the scale of held-out reals; pass `real`, or a fitted `model` (or its file).

    >>> rng = np.random.default_rng(0)
    >>> reals, fakes = rng.normal(size=(200, 4)).astype("f4"), rng.normal(size=(5, 4)).astype("f4") + 9
    >>> score(fakes, real=reals, scorer="knn").percentile.max() < .01
    np.True_

    A picture that cannot be read gets a row with `error` and no score. `match="auto"` first brings both sets to one
    size and coding, if they differ. Sources, presets, `leave_out`, `group` and errors as in `fit`.
    `human`: what `giqa train human` learned (or its file) adds `p_real` and its interval; as `model` it scores alone.
    `report`: also write this HTML file; with a `model`, `real` is then where pictures of its reals are found.
    `show_reals`, `show_thumbnails`, `show_paths`: what the report may show. `maps`: whether it shows where its 24 worst
    pictures are unlike real ones (None: if NAME.maps is there); by `p_real` where it is known.
    """
    file = model if isinstance(model, (str, Path)) else None
    if maps and report is None:
        raise BadSpec("Maps are shown in the report; give report= (--report FILE) too.")
    if real is None and model is None:
        raise BadSpec("Score against what? Give real= (pictures of reals) or model= (a fitted .giqa file).")
    if model is None:
        asked_for = match
        if match == "auto":
            match = auto_match(real, fakes)
        _warn_if_saved_differently(real, fakes, as_match(match), asked_for is not None)
        model = fit(
            real,
            extractor,
            scorer,
            preset=preset,
            match=match,
            flip=flip,
            seed=seed,
            leave_out=leave_out,
            group=group,
            store=store,
            workers=workers,
            progress=progress,
        )
    elif extractor or scorer or preset or match or flip or leave_out or group:
        raise BadSpec(
            "A fitted model brings its own extractor, scorer, preset, match and flip, and its reals are what they are; "
            "leave these, leave_out and group to giqa.fit."
        )
    model = _opened(model)
    human = load_realism(human) if isinstance(human, (str, Path)) else human
    fakes = fakes if as_features(fakes) is not None else open_source(fakes)
    options = {"store": store, "workers": workers, "progress": progress}
    judge = model if isinstance(model, Realism) else human
    asked = None if judge is None else Asked(judge.voted)
    if as_features(fakes) is None:
        looks = look_at_sharpness(fakes, as_match(model.match), workers=workers)
        _warn(driven(model.made_by.get("reals_look"), looks))
    steps = score_steps(fakes, model, **options, asked=None if human is not None else asked)
    steps = with_people(steps, fakes, human, **options, asked=asked) if human is not None else steps
    if report is None:
        return _warned(collect(steps, model, human=human, asked=asked))
    gallery = Gallery(model, neighbours=show_reals and isinstance(model, Model))
    scores = _warned(collect(steps, model, gallery.see, human, asked))
    switches = {"show_reals": show_reals, "show_thumbnails": show_thumbnails, "show_paths": show_paths}
    where = maps_for(None if file and is_realism(file) else file, real, model.match, maps, workers, progress)
    if where is not None:
        ends = extreme_ids(scores.id, scores.p_real if scores.believed else scores.score)
        switches["explained"] = explain_pictures(where, fakes, ends, workers, progress)
    gallery.write(report, scores, fakes, real, workers=workers, progress=progress, **switches)
    return scores


def _opened(model: Model | Realism | str | Path) -> Model | Realism:
    """A fitted model, or that of its file, which may be one of people's votes."""
    if not isinstance(model, (str, Path)):
        return model
    return load_realism(model) if is_realism(model) else load(model)


def _warn_if_saved_differently(real: Any, fakes: Any, match: Match | None, asked_for: bool) -> None:
    if as_features(real) is not None or as_features(fakes) is not None:
        return
    _warn(describe_different(still_different(real, fakes, match), asked_for))


def _warned(scores: Scores) -> Scores:
    if len(scores) and all(scores.error):
        warnings.warn(f"none of the {len(scores)} pictures could be scored; the first: {scores.error[0]}", stacklevel=3)
    part = human_part(scores.made_by)
    for text in filter(None, [*doubts(part), unchecked(part)]):
        warnings.warn(text, stacklevel=3)
    return scores


def score_steps(
    fakes: Any,
    model: Model | Realism,
    *,
    store: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
    asked: Asked | None = None,
) -> Iterator[Step]:
    """Score in steps of 64 pictures, so that memory does not grow with their number."""
    features, people = as_features(fakes), isinstance(model, Realism)
    if features is not None and people:
        raise BadSpec("What people would say is told from pictures; it cannot be asked of features.")
    if features is not None:
        given = (_finite(features.rows(slice(i, i + CHUNK))) for i in range(0, len(features), CHUNK))
        ids, total = list(features.ids), len(features)
    else:
        if model.extractor is None:
            raise BadShape("The model was fitted on feature arrays; give features (n, d), or fit it on pictures.")
        source, extractor = open_source(fakes), model.sums if people else model_extractor(model)
        given = extract_steps(source, extractor, match=as_match(model.match), store=store, workers=workers)
        ids, total = list(source.ids), len(source)
    done = 0
    for step in given:
        here = ids[done : done + len(step.features) + len(step.failures)]
        done += len(here)
        named = step.features if people else _named_as(step.features, model)
        columns = model.score(named) if len(named) else {}
        if people and asked is not None:
            columns["human_notes"] = asked.see(named)
        yield Step(here, step.features, columns, step.failures)
        if progress:
            progress("score", done, total)


def _finite(features: Features) -> Extracted:
    """Rows that can be scored, and for the others the reason."""
    good = np.isfinite(features.matrix()).all(axis=1)
    failures = {name: "its features are not finite" for name, fine in zip(features.ids, good, strict=True) if not fine}
    return Extracted(features if good.all() else features.rows(good), failures)


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
    except MissingWeights as missing:
        if "weights_sha256" not in model.identity:
            raise
        extractor.weights = f"sha256:{model.identity['weights_sha256']}"
        try:
            now = dict(extractor.identity())
        except MissingWeights:
            raise missing from None
    if now != dict(model.identity):
        key = sorted(k for k in now.keys() | model.identity.keys() if now.get(k) != model.identity.get(k))[0]
        raise BadModel(
            f"The extractor computes other features than when the model was fitted: {key} was "
            f"{model.identity.get(key)!r}, is {now.get(key)!r}. Bring back that file, or fit again."
        )
    return extractor


def collect(
    steps: Iterator[Step],
    model: Model | Realism,
    each: Callable[[Step], None] | None = None,
    human: Realism | None = None,
    asked: Asked | None = None,
) -> Scores:
    """All steps as one table; `each` sees every step as it passes, `asked` what a human model was asked about."""
    people = PEOPLE if human is not None or isinstance(model, Realism) else ()
    columns: dict[str, list] = {name: [] for name in ("id", *NUMBERS, *people, *TEXTS)}
    for step in steps:
        place = {i: row for row, i in enumerate(step.features.ids)}
        for i in step.ids:
            row = place.get(i)
            columns["id"].append(i)
            columns["error"].append(step.failures.get(i, ""))
            for name in ("duplicate_of", "out_of_domain"):
                columns[name].append("" if row is None else step.columns[name][row])
            noted = row is not None and step.features.info is not None
            notes = [*note_names(int(step.features.info["notes"][row]))] if noted else []
            notes += [step.columns["human_notes"][row]] if row is not None and "human_notes" in step.columns else []
            columns["notes"].append("; ".join(filter(None, notes)))
            for name in (*NUMBERS, *people):
                columns[name].append(np.nan if row is None else step.columns[name][row])
        if each:
            each(step)
    numbers = {name: np.array(columns[name], float) for name in (*NUMBERS, *people)}
    made_by = {**model.made_by, "model_digest": model.digest}
    if human is not None:
        made_by["human"] = {**human.made_by, "digest": human.digest}
    if asked is not None:
        (made_by if human is None else made_by["human"])["asked"] = asked.record()
    return Scores(**(columns | numbers), made_by=made_by)
