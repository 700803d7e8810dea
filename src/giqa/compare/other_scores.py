"""Other scores of the same pictures next to z: a scorer of one's choice, or a column of a table."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import registry
from ..errors import BadSpec, BadTable
from ..features.extracted import as_features
from ..features.reader import Reader
from ..images.sets import exists, name_and_place
from ..model.fit import fit, make_scorer
from ..stats import fisher, spearman
from ..tables.names import join_names
from ..tables.read import read_scored
from ..types import Features, Source
from .paired import mean_of
from .result import Beside, Generator

TABLE = re.compile(r"(.+\.(?:csv|tsv)):(-?)([^:]+)", re.IGNORECASE)


def named(beside: Any) -> dict[str, Any]:
    """What is asked for by name: a mapping, or specs, each with its own name or NAME=SPEC.

    >>> named(["brisque", "nima=scores.csv:nima"])
    {'brisque': 'brisque', 'nima': 'scores.csv:nima'}
    """
    if isinstance(beside, Mapping):
        return dict(beside)
    if beside is not None and not isinstance(beside, Sequence):
        raise BadSpec(f"beside takes specs or FILE.csv:COLUMN, one, a list, or by name; got {beside!r:.80}.")
    scores: dict[str, Any] = {}
    for given in [beside] if isinstance(beside, str) else beside or ():
        own, spec = name_and_place(given, "(:/\\", _is_table) if isinstance(given, str) else ("", given)
        table = TABLE.fullmatch(spec) if isinstance(spec, str) else None
        plain = spec if isinstance(spec, str) else registry.canonical("scorer", make_scorer(spec))
        name = own or (table[3] if table else plain)
        if name in scores:
            raise BadSpec(f"Two other scores are called {name!r}; give one another name: NAME={plain}.")
        if not table:
            make_scorer(spec)  # a mistake shows before the long work
        scores[name] = spec
    return scores


def _is_table(text: str) -> bool:
    table = TABLE.fullmatch(text)
    return bool(table) and exists(table[1])


def beside_of(
    asked: Mapping[str, Any],
    real: Any,
    where: Mapping[str, Any],
    generators: Sequence[Generator],
    reader: Reader | None = None,
    seed: int = 0,
) -> list[Beside]:
    """Every score that is asked for, of the reals and of each generator's pictures.

    Parameters
    ----------
    asked : mapping of str to spec
        What `named` made.
    real : source, or features
    where : mapping of str to the same
        The pictures of each generator by name.
    generators : sequence of Generator
        What was scored already.
    reader : Reader or None
        How the pictures are read; None where `real` and `where` are features.
    seed : int

    Returns
    -------
    list of Beside
    """
    others = []
    for name, spec in asked.items():
        table = TABLE.fullmatch(spec) if isinstance(spec, str) else None
        if table:
            values, reals = _from_table(Path(table[1]), table[3], -1 if table[2] else 1, real, generators)
        else:
            values, reals = _by_scorer(spec, real, where, generators, reader, seed)
        means = {g.name: mean_of(values[g.name]) for g in generators if g.name in values}
        agreements = {g.name: agreement(g.scores.z, values[g.name]) for g in generators if g.name in values}
        others.append(Beside(name, values, reals, means, agreements))
    return others


def agreement(one: np.ndarray, other: np.ndarray) -> tuple[float, float, float]:
    """Spearman's correlation and its 95 % interval by Fisher's z with variance 1.06 / (n - 3) (Fieller et al. 1957)."""
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < 5:
        return math.nan, math.nan, math.nan
    correlation = fisher(spearman(one[both], other[both]), int(both.sum()))
    return correlation.value, correlation.low, correlation.high


def _by_scorer(
    spec: Any, real: Any, where: Mapping[str, Any], generators: Sequence[Generator], reader: Reader | None, seed: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Raw scores of a scorer on its own features, and those of held-out reals."""
    scorer = make_scorer(spec, seed=seed)
    own = scorer.default_extractor
    how = {"store": reader.store, "workers": reader.workers} if reader else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the same reals, which ours has warned of
        if reader:
            model = fit(real, own or reader.extractor, scorer, match=reader.match, seed=seed, **how)
        elif own:
            raise BadSpec(f"{spec} looks at pictures; give pictures, not features.")
        else:
            model = fit(real, scorer=scorer, seed=seed)
        values = {}
        for g in generators:
            scores = model.score(where[g.name], **how)
            known = dict(zip(scores.id, scores.score.tolist(), strict=True))
            values[g.name] = np.array([known.get(name, math.nan) for name in g.scores.id], float)
    return values, np.asarray(model.scale.held_out)


def _from_table(
    path: Path, column: str, sign: int, real: Any, generators: Sequence[Generator]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """A column joined on ids: NAME/ID where a set's name stands before it, else ID, if only one set has it."""
    names, numbers = read_scored(path, column)
    known = {name: sign * value for name, value in zip(names, numbers, strict=True)}
    given = as_features(real) or real
    ids: dict[str, list[str]] = {g.name: list(g.scores.id) for g in generators}
    reals_are = next(name for name in ("reals", "real", "the reals") if name not in ids)  # a generator may be called so
    ids[reals_are] = list(given.ids) if isinstance(given, (Features, Source)) else []
    values: dict[str, np.ndarray] = {}
    for name, mine in ids.items():
        others = {i: other for other, those in ids.items() if other != name for i in those}
        row = []
        for i in mine:
            if f"{name}/{i}" not in known and i in known and i in others:
                raise BadTable(f"{path} has {i!r}, which is in {name} and in {others[i]}; write {name}/{i} there.")
            row.append(known.get(f"{name}/{i}", known.get(i, math.nan)))
        values[name] = np.array(row, float)
    if not any(np.isfinite(row).any() for row in values.values()):
        values = _by_other_names(path, ids, known)
    reals = values.pop(reals_are)
    values = {name: row for name, row in values.items() if np.isfinite(row).any()}
    if not values:
        first = next((name for name in known), "none"), next((i for those in ids.values() for i in those), "none")
        raise BadTable(f"{path} names no picture of the sets; its first is {first[0]!r}, theirs {first[1]!r}.")
    return values, reals[np.isfinite(reals)]


def _by_other_names(path: Path, ids: Mapping[str, Sequence[str]], known: Mapping[str, float]) -> dict[str, np.ndarray]:
    """The same where the table writes names in another way, such as addresses or longer paths."""
    everything = [f"{name}/{i}" for name, those in ids.items() for i in those]
    rows, _ = join_names(known, everything, str(path), "the sets that are compared")
    by_place = {at: known[name] for name, at in rows.items()}
    row = iter(by_place.get(at, math.nan) for at in range(len(everything)))
    return {name: np.array([next(row) for _ in those], float) for name, those in ids.items()}
