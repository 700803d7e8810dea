"""Which generator is better, and in what: QS, DS and set metrics of several sets of pictures against the same reals."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from . import __version__, pipeline, registry
from .beside import beside_of, named
from .chosen_layers import ChosenLayers
from .comparison import LEVEL, Comparison, Generator, verdicts_of
from .errors import BadSource, BadSpec, GiqaError
from .extraction import as_features, as_match, auto_match, extract, make_extractor
from .fitting import content_order
from .images import open_source
from .images.profile import advice, differences, profile
from .metrics.intervals import GROUPS, MOST, Estimate, jackknifed
from .metrics.named import evaluate
from .metrics.quality import quality
from .model import Model
from .paired import Pairing, pair_verdicts
from .scores import Scores
from .types import Features, Progress

DEFAULT_METRICS = ("qs", "ds", "fd", "kd", "precision", "recall", "density", "coverage", "authenticity", "vendi")
CLOSE = 200  # pictures; below that it is tried first whether a metric can do with a group less
QS = "qs"
LOGITS_ONLY = "inception_score"  # computed on the layer logits, where there is one


def compare(
    real: Any,
    generators: Mapping[str, Any],
    *,
    metrics: str | Sequence[str] = "all",
    layers: str | Sequence[str] | None = None,
    pictures: int | None = None,
    extractor: Any = None,
    scorer: Any = None,
    match: Any = None,
    beside: Any = (),
    paired: str | None = None,
    seed: int = 0,
    store: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Compare generators with each other against the same reals; every picture is looked at once.

    >>> rng = np.random.default_rng(0)
    >>> real, good = rng.normal(size=(300, 4)).astype("f4"), rng.normal(size=(200, 4)).astype("f4")
    >>> found = compare(real, {"good": good, "off": good + 3}, metrics="qs,precision", scorer="sgm")
    >>> found.verdict("qs", "good", "off").says, found.verdict("precision", "off", "good").says
    ('better', 'worse')

    real, and each of `generators` by name: pictures (see `giqa.images.open_source`), `Features` or a float array
    (n, d). `metrics`: "all" (`DEFAULT_METRICS`, and inception_score where there are logits), or specs such as
    "fd,kd(subsets=100)". QS is the mean z of `giqa.score` with its scorer on all its layers. The others are computed
    on `layers`: names, or levels ("low,mid"); by default the deepest one that the extractor declares high (its mean
    over places), else all. One layer is taken as it is, so that on Inception's pooling layer fd is FID; several side by
    side are standardised on the reals, so that none counts by its scale alone.
    `pictures`: take so many of each set, reals too, for all but QS; seeded. `beside`: other scores of the same
    pictures, see `giqa.beside`: scorer specs ("brisque", on their own features), or "FILE.csv:COLUMN" ("FILE.csv:-C"
    where lower is better), each with a name of its own as "NAME=SPEC", or a mapping.
    `paired`: for conditional generators, "name" (file names without ending) or a column of all tables that says which
    real each picture should have been, see `giqa.paired`.

    Intervals: delete-a-group jackknife over reals and fakes. A verdict compares the same groups of reals, at a level
    of 95 % for all pairs together (Bonferroni), a metric at a time. Errors: `BadSpec`, `BadShape`, `BadSource`.
    """
    if not generators:
        raise BadSpec("Compare what? Give at least one set of generated pictures.")
    given = {**{f"generator {name}": w for name, w in generators.items()}, "reals": real}
    ready = [as_features(where) is not None for where in given.values()]
    if any(ready) and not all(ready):
        raise BadSpec("Give either pictures or features for the reals and for every generator, not both kinds.")
    notes, asked = [], named(beside)
    if not any(ready):
        real, generators = open_source(real), {name: open_source(where) for name, where in generators.items()}
        match, notes = _matched(real, generators, match)
        extractor = make_extractor(extractor)
    elif extractor or match:
        raise BadSpec("extractor and match are for pictures; they cannot be asked of features.")
    reading = {"extractor": extractor, "match": match, "store": store, "workers": workers, "progress": progress}
    reals = _features("reals", real, notes, reading)
    model = pipeline.fit(reals, scorer=scorer, seed=seed)
    made = _made(metrics, reals)
    chosen = ChosenLayers(reals.rows(content_order(reals)), layers, pictures, seed)
    pairing = Pairing(paired, real, reals, model, seed) if paired else None
    found, pairs = [], []
    for name, where in generators.items():
        fakes, failures = _features(name, where, notes, reading, strict=False)
        scores = pipeline.collect(pipeline.score_steps(fakes, model), model)
        pairs.extend([pairing.of(name, where, fakes)] if pairing else [])
        fakes = fakes.rows(content_order(fakes))  # no number depends on the order of the pictures
        found.append(_judged(name, fakes, scores, model, made, chosen, notes))
        if failures:
            notes.append(
                f"{name}: {len(failures)} pictures could not be read; the first: {next(iter(failures.values()))}"
            )
        if progress:
            progress("metrics", len(found), len(generators))
    others = beside_of(asked, real, generators, found, seed=seed, **reading)
    _note_sizes(found, made, len(reals), notes)
    spec = registry.canonical("extractor", extractor) if extractor else None
    how = {"giqa": __version__, "extractor": spec, "scorer": model.made_by["scorer"], "match": _spec(match)}
    how |= {"metrics": {name: registry.canonical("metric", m) for name, m in made.items()}, "seed": seed}
    how |= {"layers": list(chosen.names), "standardised": len(chosen.names) > 1, "pictures": pictures}
    how |= {"reals": len(reals), "features": dict(reals.made_by), "level": LEVEL}
    z = model.scale.z(model.scale.held_out)
    verdicts = tuple(verdicts_of(found, made))
    both = tuple(pairs), tuple(pair_verdicts(pairs, LEVEL))
    return Comparison(tuple(found), made, verdicts, tuple(notes), z, how, tuple(others), *both)


# --- what is compared


def _matched(real: Any, generators: Mapping[str, Any], match: Any) -> tuple[Any, list[str]]:
    """How to bring pictures to one size and coding, and warnings where they differ and nothing is done."""
    if match == "auto":
        chosen = {name: auto_match(real, where) for name, where in generators.items()}
        if len({_spec(c) for c in chosen.values()}) > 1:
            each = "; ".join(f"{name}: {_spec(c) or 'none'}" for name, c in chosen.items())
            raise BadSpec(f"One matching must do for all sets, and these need different ones ({each}); give one spec.")
        return next(iter(chosen.values())), []
    if match is not None:
        return as_match(match), []
    looks = {name: profile(where, n=40) for name, where in {"the reals": real, **generators}.items()}
    notes = []
    for name in generators:
        if found := differences(looks["the reals"], looks[name]):
            notes.append(
                f"{name} and the reals are saved differently ({', '.join(found)}), which features see before they see "
                f"what is shown; {advice(found)}"
            )
    for one, other in combinations(generators, 2):
        if found := [what for what in differences(looks[one], looks[other]) if what != "detail"]:
            notes.append(f"{one} and {other} are saved differently ({', '.join(found)}); {advice(found)}")
    return None, notes


def _spec(match: Any) -> str | None:
    return match.spec() if match else None


def _features(name: str, where: Any, notes: list[str], reading: Mapping[str, Any], strict: bool = True) -> Any:
    """Features of a set; of generators also what could not be read."""
    features, failures = as_features(where), {}
    if features is None:
        done = extract(where, reading["extractor"], what=name, **{k: v for k, v in reading.items() if k != "extractor"})
        features, failures = done.features, done.failures
    if not len(features):
        reason = next(iter(failures.values()), "there are none")
        raise BadSource(f"Not one picture of {name} could be read; the first: {reason}.")
    if not strict:
        return features, failures
    if failures:
        notes.append(f"{len(failures)} reals could not be read; the first: {next(iter(failures.values()))}")
    return features


def _made(metrics: str | Sequence[str], reals: Features) -> dict[str, Any]:
    """Metrics by the name they have in the table."""
    if metrics == "all":
        metrics = [*DEFAULT_METRICS, *(["inception_score"] if "logits" in reals.layers else [])]
    specs = split_specs(metrics) if isinstance(metrics, str) else list(metrics)
    if not specs:
        raise BadSpec(f"Which metrics? Give 'all' or some of {', '.join(registry.names('metric'))}.")
    made = {}
    for spec in specs:
        metric = registry.make("metric", spec)
        made[spec if isinstance(spec, str) else registry.canonical("metric", spec)] = metric
    return made


def split_specs(text: str) -> list[str]:
    """Spec strings apart, at commas that no bracket holds.

    >>> split_specs("fd, kd(subsets=100, size=50),recall")
    ['fd', 'kd(subsets=100, size=50)', 'recall']
    """
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


# --- what is found


def _judged(
    name: str,
    fakes: Features,
    scores: Scores,
    model: Model,
    made: Mapping[str, Any],
    chosen: ChosenLayers,
    notes: list[str],
) -> Generator:
    """Every metric of one generator; what cannot be computed is left out, and noted."""
    fake, seed = chosen.fake(fakes), chosen.seed
    values: dict[str, Estimate] = {}
    trouble: dict[str, str] = {}
    able = {}
    for label, metric in made.items():
        if label == QS:
            values[label] = quality_estimate(model, fakes, scores, seed)
        elif label.startswith(LOGITS_ONLY) and chosen.logits is None:
            notes.append(f"{name}: {label} left out: it needs an extractor with the layer logits")
        else:
            sets = (chosen.logits, chosen.fake_logits(fakes)) if label.startswith(LOGITS_ONLY) else (chosen.real, fake)
            try:
                _try_smaller(metric, *sets)
            except GiqaError as error:
                notes.append(f"{name}: {label} left out: {error}")
                continue
            words = metric.trouble(*map(len, sets), sets[0].shape[1]) if hasattr(metric, "trouble") else ""
            trouble |= {label: words} if words else {}
            if label.startswith(LOGITS_ONLY):
                values[label] = jackknifed(metric, *sets, seed=seed)[0]
            else:
                able[label] = metric
    values |= _together(able, chosen.real, fake, seed)
    return Generator(name, scores, {label: values[label] for label in made if label in values}, len(fake), trouble)


def _together(metrics: Mapping[str, Any], real: np.ndarray, fake: np.ndarray, seed: int) -> dict[str, Estimate]:
    """Metrics of the same two sets, in one go."""
    if not metrics:
        return {}
    size = {"real": len(real), "fake": len(fake), None: 0}
    shares = [size[getattr(metric, "share_of", None)] for metric in metrics.values()]
    found = jackknifed(lambda r, f: evaluate(list(metrics.values()), r, f), real, fake, seed=seed, share_of=shares)
    return dict(zip(metrics, found, strict=True))


def _try_smaller(metric: Any, real: np.ndarray, fake: np.ndarray) -> None:
    """Raise what the metric raises when a group is left out; only asked where pictures are few."""
    if min(len(real), len(fake)) < CLOSE:
        less = [x[: len(x) - math.ceil(len(x) / GROUPS)][:MOST] for x in (real, fake)]
        metric(*less)


def quality_estimate(model: Model, fakes: Features, scores: Scores, seed: int = 0) -> Estimate:
    """QS and how it varies: without each fold of the reals, in model and scale, and without each group of pictures.

    Copies of reals are left out, as in `Scores.summary`, and so is a z that is not finite.
    """
    place = {name: row for row, name in enumerate(scores.id)}
    rows = np.array([place[name] for name in fakes.ids])
    copied = np.array([bool(scores.duplicate_of[row]) for row in rows])
    kept = np.flatnonzero(np.isfinite(scores.z[rows]) & ~copied)
    if not len(kept):
        return Estimate(math.nan)
    held_out = model.scale.held_out
    raw = scores.score[rows][kept]
    value = quality(raw, held_out).mean_z
    by_fold = model.scorer.score_folds(model._matrix(fakes.rows(kept))) if hasattr(model.scorer, "score_folds") else []
    real = np.empty(0)
    if len(by_fold):
        folds = by_fold.shape[1]
        dealt = np.random.default_rng([seed, 0]).permutation(len(held_out)) % folds
        real = np.array([quality(by_fold[:, f], held_out[dealt != f]).mean_z for f in range(folds)])
    groups = min(GROUPS, len(kept))
    dealt = np.random.default_rng([seed, 1]).permutation(len(kept)) % groups
    fake = np.array([quality(raw[dealt != g], held_out).mean_z for g in range(groups) if groups > 1])
    return Estimate(value, *(x - x.mean() if len(x) else x for x in (real, fake)))


def _note_sizes(found: Sequence[Generator], made: Mapping[str, Any], n: int, notes: list[str]) -> None:
    """Unequal sets, copies, and metrics that should not be trusted at this size."""
    sizes = {g.name: g.n for g in found}
    by_size = [label for label, metric in made.items() if getattr(metric, "by_size", True)]
    if len(set(sizes.values())) > 1 and by_size:
        each = ", ".join(f"{name} {m}" for name, m in sizes.items())
        notes.append(
            f"the sets are not equally large ({each}), and {', '.join(by_size)} depend on that; pictures "
            f"(--pictures {min(sizes.values())}) takes as many of each"
        )
    for g in found:
        copies = g.scores.summary()["duplicates"]
        if copies:
            notes.append(f"{g.name}: {copies} of {len(g.scores)} pictures repeat a real one; QS leaves them out")
    about: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for label in made:
        for g in found:
            if label in g.trouble:
                labels, names = about.setdefault(g.trouble[label], ({}, {}))
                labels[label] = names[g.name] = None
    for text, (labels, names) in about.items():
        whose = f" of {', '.join(names)}" if len(names) < len(found) else ""
        notes.append(f"{', '.join(labels)}{whose}: {text}")
    for text in notes:
        warnings.warn(text, stacklevel=3)
