"""Scorers against labelled pairs or votes: any number of both, every picture looked at once by each extractor."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .. import __version__, registry
from ..errors import BadSource, BadSpec, BadTable, GiqaError
from ..features.reader import Reader, make_extractor
from ..images import open_source
from ..images.match import as_match, auto_match, spec_of
from ..model.file import open_model
from ..model.fit import fit
from ..model.trust import LEARNED_FROM, asked_about
from ..tables.names import match_names
from ..tables.read import read_scored
from ..train.heads import train_heads
from ..train.manifest import Part
from ..types import Features, Progress
from ..votes.labels import Counts, Pairs, Votes
from ..votes.votes import generator_of, read_labels
from .bench_entries import Entry, parse_entries, parse_sweep
from .bench_result import Bench, Judging, SetFound, judge
from .differences import judged_pairs
from .rows import that_count
from .training_overlap import UNKNOWN, marks_of, refusal, seen_in_training

SCORE_COLUMNS = ("score", "z")


@dataclass(frozen=True)
class LabelledSet:
    """What entries are judged on.

    Parameters
    ----------
    name : str
        Of the set.
    labels : Pairs, Votes, Counts or path
        The judgements.
    pictures : path, source or None
        What was judged.
    real : path, source or None
        The reals that scorers are fitted on.
    snapshots : path or None
        The table that learned scorers learn from.
    generator : mapping
        Picture -> who made it, where the labels do not say.

    Examples
    --------
    >>> LabelledSet("faces", "pairs.csv", "pictures/", "reals/").name
    'faces'
    """

    name: str
    labels: Any
    pictures: Any = None
    real: Any = None
    snapshots: Any = None
    generator: Mapping[str, str] = field(default_factory=dict)


def bench(
    sets: Sequence[LabelledSet],
    scorers: str | Sequence[str] = (),
    *,
    sweeps: Sequence[str] = (),
    extractor: Any = None,
    match: Any = None,
    unanimous: bool = False,
    kind: str | None = "generated",
    include_training: bool = False,
    resamples: int = 500,
    seed: int = 0,
    store: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Bench:
    """Judge every entry on every set: the share of pairs that it puts right, or the AUROC of single votes.

    Parameters
    ----------
    sets : sequence of LabelledSet
        What entries are judged on.
    scorers : str or sequence of str
        Entries: scorers, fitted models, tables of scores; see `giqa.evaluate.bench_entries.parse_entry`.
    sweeps : sequence of str
        One parameter at several values; see `giqa.evaluate.bench_entries.parse_sweep`.
    extractor, match
        See `giqa.features.Reader`; `match="auto"` brings pictures and reals to one size and coding.
    unanimous : bool
        Only pairs on which all raters agree.
    kind : str or None
        Votes on pictures of this kind count; None: on all.
    include_training : bool
        A human model is judged on pictures that it learned from, too; else it is left out.
    resamples, seed : int
        Of the intervals of votes; the seed also of what is fitted.
    store, workers, progress
        See `giqa.features.Reader`.

    Returns
    -------
    Bench
        A tie, of votes or of scores, is half a hit. Accuracies have Wilson's interval. Differences are of the same
        pairs, and their intervals know which pairs share a picture; those of votes resample pictures, and raters where
        they
        are named. An entry that cannot be fitted is left out with the reason.

    Raises
    ------
    BadSpec, BadSource, BadShape, BadTable

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> file = Path(tempfile.mkdtemp()) / "scores.csv"
    >>> _ = file.write_text("id,score\\na,0.9\\nb,0.5\\nc,0.1\\n")
    >>> labels = Pairs(*map(np.array, ([*"aa"], [*"bc"], [3.0, 3.0], [1.0, 0.0], ["", ""])))
    >>> result = bench([LabelledSet("faces", labels)], str(file))
    >>> result.sets[0].value("scores").value
    1.0
    """
    entries = parse_entries([scorers] if isinstance(scorers, str) else scorers)
    swept = [parse_sweep(text) for text in sweeps]
    everything = _checked(sets, [*entries, *(entry for sweep in swept for entry in sweep.entries)])
    groups = [[entry.label for entry in entries], *([entry.label for entry in sweep.entries] for sweep in swept)]
    reader = Reader(extractor, store=store, workers=workers, progress=progress)
    results, notes, used = [], [], {}
    for labelled in sets:
        labels = _labels(labelled, unanimous, kind)
        asked = labelled if any(entry.kind != "table" for entry in everything) else replace(labelled, pictures=None)
        work = _Work(asked, labels, reader, match, seed, include_training)
        scores, trouble = work.scores(everything)
        if not scores:
            raise BadSpec(f"{labelled.name}: no entry could be judged; {next(iter(trouble.items()))[1]}")
        generator = generator_of(labelled.generator, labels.pictures()) or _by_folder(labels)
        how = Judging(groups, generator, resamples, seed)
        results.append(judge(labelled.name, labels, scores, how, missing=work.missing, trouble=trouble))
        notes += _notes(results[-1])
        given = {key: vars(labelled)[key] for key in ("labels", "pictures", "real", "snapshots")}
        used[labelled.name] = {key: _where(value) for key, value in given.items()} | {"match": spec_of(work.match)}
    made_by = {"giqa": __version__, "seed": seed, "unanimous": unanimous, "kind": kind}
    made_by["extractor"] = registry.canonical("extractor", reader.extractor)
    made_by |= {"entries": {entry.label: entry.what + _column(entry) for entry in everything}, "sets": used}
    return Bench(tuple(entry.label for entry in entries), tuple(swept), tuple(results), tuple(notes), made_by)


def _checked(sets: Sequence[LabelledSet], entries: list[Entry]) -> list[Entry]:
    """All entries, each once, when every set has what they need."""
    if not entries:
        raise BadSpec("Judge what? Give scorers, fitted models or tables of scores, or a sweep.")
    names = [one.name for one in sets]
    if not sets or len(set(names)) < len(names):
        raise BadSpec(f"Every labelled set needs a name of its own; got {', '.join(names) or 'none'}.")
    kinds = {entry.kind: entry.label for entry in reversed(entries)}
    for one in sets:
        if one.pictures is None and set(kinds) - {"table"}:
            label = next(entry.label for entry in entries if entry.kind != "table")
            raise BadSpec(f"{one.name}: where are the pictures? {label} needs them (--images).")
        if one.real is None and "scorer" in kinds:
            raise BadSpec(f"{one.name}: {kinds['scorer']} is fitted on reals; give some (--real).")
        if one.snapshots is None and "learned" in kinds:
            raise BadSpec(f"{one.name}: {kinds['learned']} learns from a table of snapshots; give one (--snapshots).")
    once = {entry.label: entry for entry in entries}
    for entry in entries:
        if entry != once[entry.label]:
            raise BadSpec(f"Two different entries are called {entry.label!r}; name one of them otherwise.")
    return list(once.values())


def _labels(one: LabelledSet, unanimous: bool, kind: str | None) -> Pairs | Votes | Counts:
    labels = read_labels(one.labels) if isinstance(one.labels, str | Path) else one.labels
    if isinstance(labels, Pairs):
        kept = judged_pairs(labels, unanimous)
        if not len(kept):
            raise BadTable(f"{one.name}: none of {len(labels)} rows is a pair {'all agree on' if unanimous else ''}.")
        return kept
    if not isinstance(labels, Votes | Counts):
        raise BadSpec(f"{one.name}: scorers are judged on pairs or votes, not on {type(labels).__name__.lower()}.")
    if unanimous:
        raise BadSpec(f"{one.name}: unanimous is for pairs; these are votes on single pictures.")
    return that_count(labels, kind)


class _Work:
    """One set: its pictures, their features by extractor, and what is fitted on its reals."""

    def __init__(self, one: LabelledSet, labels: Any, reader: Reader, match: Any, seed: int, training: bool):
        self.one, self.reader, self.seed, self.progress = one, reader, seed, reader.progress
        self.training = training  # whether a human model is judged on pictures that it learned from
        self.names = labels.pictures()
        self.missing: dict[str, str] = {}
        self.made: dict[Any, Features] = {}
        self.match = None
        if one.pictures is None:
            return
        source = open_source(one.pictures)
        row_of, self.missing = match_names(self.names, source.ids)
        if not row_of:
            first = next(iter(self.missing))
            raise BadSource(
                f"{one.name}: none of the {len(self.names)} pictures that the labels name, such as {first!r}, is among "
                f"the {len(source)} of {source.name}, such as {source.ids[0]!r}."
            )
        self.pictures = Part(source, sorted(row_of.values()))
        self.name_of = {source.ids[row]: name for name, row in row_of.items()}
        if match == "auto":
            self.match = None if one.real is None else auto_match(one.real, self.pictures)
        else:
            self.match = as_match(match)

    def scores(self, entries: list[Entry]) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
        """Entry -> picture, as the labels call it -> score; and entry -> why there are none."""
        scores, trouble = {}, {}
        for done, entry in enumerate(entries, 1):
            try:
                by = self._table(entry) if entry.kind == "table" else self._scored(entry, self._model(entry))
                scores[entry.label] = {name: value for name, value in by.items() if not math.isnan(value)}
            except GiqaError as error:
                trouble[entry.label] = str(error)
            if self.progress:
                self.progress(f"{self.one.name}: entries", done, len(entries))
        return scores, trouble

    def _model(self, entry: Entry) -> Any:
        if entry.kind == "model":
            return open_model(entry.what)
        if entry.kind == "learned":
            name, given = registry.parse(entry.what)
            given = {"seed": self.seed} | given
            how = {"store": self.reader.store, "workers": self.reader.workers}
            return train_heads(name, self.one.snapshots, self.reader.extractor, **given, **how)
        scorer = registry.make("scorer", entry.what, seed=self.seed)
        extractor = make_extractor(scorer.default_extractor or self.reader.extractor)
        reals = self._features("reals", self.one.real, extractor, self.match)
        fitted = fit(reals, scorer=scorer, seed=self.seed)
        spec = registry.canonical("extractor", extractor)
        return replace(fitted, extractor=spec, identity=dict(extractor.identity()), match=spec_of(self.match))

    def _scored(self, entry: Entry, model: Any) -> dict[str, float]:
        judge = model.judge()
        reader = judge.reader()
        features = self._features("pictures", self.pictures, reader.extractor, reader.match)
        said = judge.columns(features)
        if "notes" in said and not self.training:
            self._check_unseen(entry, dict(zip(features.ids, said["notes"], strict=True)), judge.made_by())
        score = said["score"].tolist()
        return {self.name_of[name]: value for name, value in zip(features.ids, score, strict=True)}

    def _check_unseen(self, entry: Entry, notes: Mapping[str, str], made_by: Mapping[str, Any]) -> None:
        """`BadSpec` where a human model learned from these pictures; a warning where its file does not say."""
        if asked_about(made_by).learned_from is None:
            warnings.warn(f"{self.one.name}: {UNKNOWN.format(entry.label)}", stacklevel=2)
        if seen := [name for name, note in notes.items() if LEARNED_FROM in note]:
            raise BadSpec(refusal(seen, len(notes), entry.label))

    def _features(self, what: str, where: Any, extractor: Any, match: Any) -> Features:
        key = what, json.dumps(extractor.identity(), sort_keys=True), spec_of(match)
        if key not in self.made:
            done = replace(self.reader, extractor=extractor, match=match).features(where, f"{self.one.name}: {what}")
            if what == "pictures":
                self.missing |= {self.name_of[name]: f"cannot be read: {why}" for name, why in done.failures.items()}
            self.made[key] = done.needed(f"{what} of {self.one.name}", warn=what == "reals")
        return self.made[key]

    def _table(self, entry: Entry) -> dict[str, float]:
        ids, values = read_scored(entry.what, entry.column or SCORE_COLUMNS)
        row_of, _ = match_names(self.names, ids)
        if not self.training:
            column = entry.column or SCORE_COLUMNS[0]
            refused, unknown = seen_in_training(self.names, [column], *marks_of(entry.what))
            if refused:
                raise BadSpec(refused)
            if unknown:
                warnings.warn(f"{self.one.name}: {entry.label}: {unknown}", stacklevel=2)
        return {name: entry.sign * values[row] for name, row in row_of.items()}


def _by_folder(labels: Any) -> dict[str, str]:
    """Who made a picture, by the folder it lies in, where every picture of the pairs lies in one."""
    if not isinstance(labels, Pairs):
        return {}
    names = labels.pictures()
    return {name: name.rpartition("/")[0] for name in names} if all("/" in name for name in names) else {}


def _notes(found: SetFound) -> list[str]:
    """What was left out of one set, in words."""
    notes = []
    if found.missing:
        shown = "; ".join(f"{name}: {why}" for name, why in list(found.missing.items())[:3])
        notes.append(f"{found.name}: {len(found.missing)} pictures that the labels name are missing ({shown})")
    notes += [
        f"{found.name}: {entry} is {words}: {found.figure} {found.value(entry)}, chance is 0.5"
        for entry, words in found.guessing.items()
    ]
    notes += [f"{found.name}: {entry} has no score for {n} pictures" for entry, n in found.without.items()]
    if found.skipped:
        what = "pairs" if found.kind == "pairs" else "labelled pictures"
        notes.append(f"{found.name}: {found.skipped} {what} are left out for all entries, {found.rows} judged")
    return notes + [f"{found.name}: {entry} is left out: {why}" for entry, why in found.trouble.items()]


def _where(given: Any) -> str | None:
    """A path as it was given; of what is no path, its kind."""
    return given if given is None else str(given) if isinstance(given, str | Path) else type(given).__name__


def _column(entry: Entry) -> str:
    return f"[{'-' if entry.sign < 0 else ''}{entry.column}]" if entry.column else ""
