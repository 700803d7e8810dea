"""Which generator is better, and in what: QS, DS and set metrics of several sets of pictures against the same reals."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, cast

import numpy as np

from .. import registry
from ..errors import BadSpec
from ..features.extracted import Extracted, as_features
from ..features.reader import Reader
from ..features.select import ChosenLayers
from ..images import open_source
from ..images.differences import advice, differences
from ..images.match import as_match, auto_match, spec_of
from ..images.pictures import as_pictures, plain_source
from ..images.profile import profile
from ..images.subset import Subset
from ..metrics.jackknife import DRAWS, FEWEST
from ..metrics.quality import Diversity
from ..model.fit import fit
from ..model.folds import content_order
from ..types import Features, Progress, as_progress
from .judge import Judge
from .other_scores import beside_of, named
from .paired import Pairing, PairVerdict, pair_contrasts
from .quality import Quality, quality_estimate
from .result import Comparison, Generator, contrasts_of, decided

REALS = None  # the reals among sets by name, whatever a generator is called
DEFAULT_METRICS = ("qs", "ds", "fd", "kd", "precision", "recall", "density", "coverage", "authenticity", "vendi")
LARGEST = 50_000  # pictures of a set whose features are in memory, about 8 KB each; of more, so many are compared

__all__ = ["DEFAULT_METRICS", "compare", "quality_estimate", "split_specs"]


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

    Parameters
    ----------
    real : path, array, source, Features or float array (n, d)
        The reals: pictures (see `giqa.images.open_source`), or features that were computed before.
    generators : mapping of str to the same
        The sets of fakes by name.
    metrics : str or list of str
        "all" (`DEFAULT_METRICS`, and inception_score where there are logits), or specs such as "fd,kd(subsets=100)".
        What a spec leaves out is filled in, for `qs` with the comparison's own `scorer` and `seed`: "qs" and
        "qs(seed=0)" are one.
    layers : str, list of str or None
        What all metrics but QS are computed on: names, or levels ("low,mid"). None: the deepest one that the extractor
        declares high (its mean over places), else all. One layer is taken as it is, so that on Inception's pooling
        layer fd is FID; several side by side are standardised on the reals, so that none counts by its scale alone.
    pictures : int or None
        Take that many of each set, reals too, for all but QS; seeded. None: all. Of a set of more than 50,000, or
        `pictures` if that is more, only so many are read, for QS too: random ones, by their names, so that the same
        names are taken from all sets.
    extractor, scorer : str, object or None
        As of `giqa.fit`. QS is the mean z of `giqa.score` with that scorer on all its layers.
    match : str, Match or None
        What is done to pixels before any feature; "auto": what all sets need to be alike.
    beside : str, list or mapping
        Other scores of the same pictures, see `giqa.compare.other_scores`: scorer specs ("brisque", on their own
        features), or "FILE.csv:COLUMN" ("FILE.csv:-C" where lower is better), each with a name of its own as
        "NAME=SPEC".
    paired : str or None
        For conditional generators, "name" (file names without ending) or a column of all tables, whose value names the
        real that each picture should have been, see `giqa.compare.paired`.
    seed : int
        Of folds, starts, draws and groups.
    store, workers, progress
        See `giqa.features.Reader`.

    Returns
    -------
    Comparison

    Raises
    ------
    BadSpec, BadShape, BadSource

    Notes
    -----
    Intervals: delete-a-group jackknife over reals and fakes, none for fewer than 5 fakes. A verdict compares the same
    groups of reals; where a metric depends on the number of pictures and sets differ in it, equally many of both, the
    mean over seeded draws. Equal generators are told apart, by any metric and pair at all, in 5 % of comparisons at
    most (Holm's procedure over all metrics and pairs).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> real, good = rng.normal(size=(300, 4)).astype("f4"), rng.normal(size=(200, 4)).astype("f4")
    >>> comparison = compare(real, {"good": good, "off": good + 3}, metrics="qs,precision", scorer="sgm")
    >>> comparison.verdict("qs", "good", "off").says, comparison.verdict("precision", "off", "good").says
    ('better', 'worse')
    """
    if not isinstance(generators, Mapping):
        turned = "; the reals come first, then the sets" if isinstance(real, Mapping) else ""
        raise BadSpec(f"Generators are sets by name, such as {{'A': fakes}}, got {type(generators).__name__}{turned}.")
    if not generators:
        raise BadSpec("Compare what? Give at least one set of generated pictures.")
    if paired is not None and not isinstance(paired, str):
        raise BadSpec(f"paired is 'name' or a column of all tables, got {paired!r:.80}.")
    seed, progress = registry.as_seed(seed), as_progress(progress)
    pictures = None if pictures is None else registry.as_whole(pictures, "pictures")
    if not all(isinstance(name, str) and name for name in generators):
        raise BadSpec(f"Each set of generated pictures has a text as its name, got {list(generators)!r:.80}.")
    asked = named(beside)
    sets: dict[Any, Any] = {REALS: real, **generators}
    notes: list[str] = []
    reader = None
    if _are_pictures(sets):
        sets, notes = _at_most(sets, max(LARGEST, pictures or 0))
        match, unlike = _matched(sets, match)
        notes += unlike
        reader = Reader(extractor, match, store=store, workers=workers, progress=progress)
    elif extractor is not None or match is not None:
        raise BadSpec("extractor and match are for pictures; they cannot be asked of features.")
    real, generators = sets.pop(REALS), sets
    reals, failures = _features("reals", real, reader)
    if failures:
        notes.append(f"{len(failures)} reals could not be read; the first: {next(iter(failures.values()))}")
    model = fit(reals, scorer=scorer, seed=seed)
    made = _made(metrics, reals, model.made_by["scorer"], seed)
    judge = Judge(made, ChosenLayers(reals.rows(content_order(reals)), layers, pictures, seed), reals, model, notes)
    pairing = Pairing(paired, real, reals, model, seed) if paired else None
    found, pairs = [], []
    for name, where in generators.items():
        fakes, failures = _features(f"pictures of {name}", where, reader)
        scores = model.score(fakes)
        pairs.extend([pairing.of(name, where, fakes)] if pairing else [])
        fakes = fakes.rows(content_order(fakes))  # no number depends on the order of the pictures
        found.append(judge.of(name, fakes, scores))
        if failures:
            first = next(iter(failures.values()))
            notes.append(f"{name}: {len(failures)} pictures could not be read; the first: {first}")
        if progress:
            progress("metrics", len(found), len(generators))
    found = judge.at_equal_numbers(found)
    others = beside_of(asked, real, generators, found, reader, seed)
    _note_sizes(found, made, len(reals), notes)
    z = model.scale.z(model.scale.held_out)
    contrasts = contrasts_of(found, made)
    all_ = decided([*contrasts, *pair_contrasts(pairs)])
    both = tuple(pairs), tuple(map(PairVerdict.of, all_[len(contrasts) :]))
    verdicts = tuple(all_[: len(contrasts)])
    return Comparison(
        tuple(found), made, verdicts, tuple(notes), z, judge.made_by(reader), tuple(others), *both, tuple(contrasts)
    )


# --- what is compared


def _are_pictures(sets: Mapping[str | None, Any]) -> bool:
    """Whether these are sets of pictures, or all of them features."""
    ready = [as_features(where) is not None for where in sets.values()]
    if any(ready) and not all(ready):
        raise BadSpec("Give either pictures or features for the reals and for every generator, not both kinds.")
    return not any(ready)


def _at_most(sets: Mapping[str | None, Any], most: int) -> tuple[dict[str | None, Any], list[str]]:
    """Sets of pictures opened, of each at most so many, and a note of what was left out."""
    found: dict[str | None, Any] = {}
    notes: list[str] = []
    for name, where in sets.items():
        opened = as_pictures(open_source(where))
        if len(opened) > most:
            notes.append(
                f"{name or 'reals'}: {most:,} of {len(opened):,} pictures are compared, chosen at random by their "
                "names, since memory grows with the number; pictures (--pictures N) raises that"
            )
            opened = as_pictures(Subset(plain_source(opened), sorted(opened.sample(most))))
        found[name] = opened
    return found, notes


def _matched(sets: Mapping[str | None, Any], match: Any) -> tuple[Any, list[str]]:
    """How to bring pictures to one size and coding, and warnings where they differ and nothing is done."""
    generators = [name for name in sets if name is not REALS]
    if isinstance(match, str) and match == "auto":
        chosen = {name: auto_match(sets[REALS], sets[name]) for name in generators}
        if len({spec_of(c) for c in chosen.values()}) > 1:
            each = "; ".join(f"{name}: {spec_of(c) or 'none'}" for name, c in chosen.items())
            raise BadSpec(f"One matching must do for all sets, and these need different ones ({each}); give one spec.")
        return next(iter(chosen.values())), []
    if match is not None:
        return as_match(match), []
    looks = {name: profile(where, n=40) for name, where in sets.items()}
    notes = []
    for name in generators:
        if apart := differences(looks[REALS], looks[name]):
            notes.append(
                f"{name} and the reals are saved differently ({', '.join(apart)}), which features see before they see "
                f"what is shown; {advice(apart)}"
            )
    for one, other in combinations(generators, 2):
        if found := [what for what in differences(looks[one], looks[other]) if what != "detail"]:
            notes.append(f"{one} and {other} are saved differently ({', '.join(found)}); {advice(found)}")
    return None, notes


def _features(what: str, where: Any, reader: Reader | None) -> tuple[Features, Mapping[str, str]]:
    """Features of a set, and what could not be read."""
    done = Extracted(cast(Features, as_features(where)), {}) if reader is None else reader.features(where, what)
    return done.needed(what), done.failures


def _made(metrics: str | Sequence[str], reals: Features, scorer: str, seed: int) -> dict[str, Any]:
    """Metrics by the name they have in the table, with all that decides their number filled in."""
    if isinstance(metrics, str) and metrics == "all":
        metrics = [*DEFAULT_METRICS, *(["inception_score"] if "logits" in reals.layers else [])]
    specs: list[Any]
    if isinstance(metrics, str):
        specs = [*split_specs(metrics)]
    else:
        specs = list(metrics) if isinstance(metrics, Iterable) and not isinstance(metrics, np.ndarray) else [metrics]
    if not specs:
        raise BadSpec(f"Which metrics? Give 'all' or some of {', '.join(registry.names('metric'))}.")
    made = {}
    for spec in specs:
        named = registry.parse(spec)[0] if isinstance(spec, str) else ""
        metric = registry.make("metric", spec, seed=seed, **({"scorer": scorer} if named == "qs" else {}))
        if isinstance(metric, (Quality, Diversity)) and metric.scorer != scorer:
            judge = registry.make("scorer", metric.scorer, seed=metric.seed)
            metric = replace(metric, scorer=registry.canonical("scorer", judge))
        made[spec if isinstance(spec, str) else registry.canonical("metric", spec)] = metric
    return made


def split_specs(text: str) -> list[str]:
    """Spec strings apart, at commas that no bracket and no quotes hold.

    >>> split_specs("fd, kd(subsets=100, size=50),recall")
    ['fd', 'kd(subsets=100, size=50)', 'recall']
    """
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        else:
            depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


# --- what is found


def _note_sizes(found: Sequence[Generator], made: Mapping[str, Any], n: int, notes: list[str]) -> None:
    """Unequal sets, copies, and metrics that should not be trusted at this size."""
    sizes = {g.name: g.n for g in found}
    dependent = [label for label, metric in made.items() if metric.by_size]
    if len(set(sizes.values())) > 1 and dependent:
        each = ", ".join(f"{name} {m}" for name, m in sizes.items())
        notes.append(
            f"the sets are not equally large ({each}), and {', '.join(dependent)} depend on that: each value is that "
            f"of its whole set, verdicts compare equally many (the mean of {DRAWS} seeded draws from the larger set); "
            f"pictures (--pictures {min(sizes.values())}) takes as many of each"
        )
    for g in found:
        if g.n < FEWEST:
            notes.append(f"{g.name}: {g.n} pictures are too few for an interval or a verdict; it takes {FEWEST}")
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
