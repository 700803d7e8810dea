"""The HTML page of a comparison: verdicts, table, distributions, the plane of quality and diversity, galleries."""

from __future__ import annotations

import base64
import json
import math
import os
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from ..images.thumbnail import thumbnails_of
from ..pages import drawing
from ..pages.axes import number
from ..pages.page import write_html
from .answer import TOPICS, answer, headline, listed, standing_of
from .result import NUMBERS, Beside, Comparison, Generator, Verdict
from .ways import SAME, way_of

WIDE, NARROW = 1140, 340  # of a chart in pixels: one for the table, one for the telephone
SHOWN = 8  # best, middle and worst pictures of each generator
STYLES = ("pages/page.css", "pages/answer.css", "pages/figures.css")
ARROWS = {0: "", 1: "higher is better", -1: "lower is better"}  # by `way_of`


def write_page(
    path: str | os.PathLike[str],
    comparison: Comparison,
    *,
    sources: Mapping[str, Any] | None = None,
    real: Any = None,
    **options: Any,
) -> Path:
    """One HTML file of a comparison that opens offline, written atomically.

    Parameters
    ----------
    path : path
        Its folder is made where it is not there.
    comparison : Comparison
    sources : mapping of str to path, array or source, or None
        Where each generator's pictures are. None: no picture is shown.
    real : path, array, source or None
        Where the reals are; only targets of paired inputs are shown of them.
    **options
        `show_thumbnails=False` keeps every picture out of it, `show_paths=False` every id; `workers` as of
        `giqa.features.Reader`.

    Returns
    -------
    Path
    """
    galleries, worst_pairs = _shown(comparison, sources, real, **options)
    z = {g.name: g.scores.z for g in comparison.generators}
    return write_html(
        path,
        "compare/compare.html",
        STYLES,
        found=comparison,
        title=" · ".join(z),
        answer=answer(comparison),
        standing=standing_of(comparison),
        names=[(name, i % drawing.COLOURS) for i, name in enumerate(z)],
        sentences=sentences(comparison),
        rows=table_rows(comparison),
        starred=any(g.trouble for g in comparison.generators),
        charts=_twice(lambda width: drawing.distributions(z, comparison.held_out_z, width)),
        planes=_twice(lambda width: drawing.plane(_points(comparison), ("QS: quality", "DS: diversity"), width)),
        galleries=galleries,
        beside=[_beside(comparison, other) for other in comparison.beside],
        paired=paired_section(comparison),
        worst_pairs=worst_pairs,
        made_by=details(comparison.made_by),
    )


def _shown(
    comparison: Comparison,
    sources: Mapping[str, Any] | None,
    real: Any,
    show_thumbnails: bool = True,
    show_paths: bool = True,
    workers: int | None = None,
) -> tuple[list[Any], list[Any]]:
    """The galleries of all generators, and their worst pairs."""
    if not (show_thumbnails and sources):
        return [], []
    galleries = []
    for i, g in enumerate(comparison.generators):
        parts = shown_rows(g, comparison.beside)
        ids = dict.fromkeys(g.scores.id[row] for rows, _ in parts.values() for row in rows)
        pictures = thumbnails_of(sources[g.name], ids, 128, workers)
        if pictures:
            cells = [(title, _cells(g, *what, pictures, show_paths)) for title, what in parts.items()]
            galleries.append((g.name, i % drawing.COLOURS, cells))
    return galleries, _worst_pairs(comparison, sources, real, workers, show_paths)


def details(made_by: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How something was made, as rows of names and texts."""
    return [(key, value if isinstance(value, str) else json.dumps(value)) for key, value in made_by.items()]


def sentences(comparison: Comparison) -> list[str]:
    """What a reader wants to know of each pair first: quality by QS, diversity by DS."""
    words = []
    topics = headline(comparison)
    for left, right in combinations((g.name for g in comparison.generators), 2):
        known = {v.metric for v in comparison.verdicts if {v.left, v.right} == {left, right}}
        verdicts = {topic: comparison.verdict(m, left, right) for m, topic in topics.items() if m in known}
        standings = {v.says for v in verdicts.values()}
        turned = "worse" in standings and "better" not in standings  # all differences of a sentence are of one sign
        parts = [_says(v.turned() if turned else _winner_first(v), topic) for topic, v in verdicts.items()]
        if parts:
            others = _by_other_metrics(comparison, left, right, known - set(topics))
            words.append(f"{left} against {right}: {'; '.join([*parts, *others])}.")
    for v in comparison.pair_verdicts:
        range_ = f"z {_range(v)}"
        standing = "they cannot be distinguished" if v.says == SAME else f"{v.left} is {v.says}"
        said = f"nothing can be said: {v.why}" if v.why else f"{standing} in quality ({range_})"
        words.append(f"{v.left} against {v.right}, input by input ({v.n} of both): {said}.")
    return words


def _by_other_metrics(comparison: Comparison, left: str, right: str, metrics: Collection[str]) -> list[str]:
    """Who is better by which of the metrics that the answer does not speak of."""
    found = {m: _winner_first(comparison.verdict(m, left, right)) for m in comparison.metrics if m in metrics}
    ahead = {name: [m for m, v in found.items() if v.says == "better" and v.left == name] for name in (left, right)}
    return [f"{name} is better by {listed(by)}" for name, by in ahead.items() if by]


def _says(v: Verdict, topic: str) -> str:
    name = v.metric.upper() if v.metric in TOPICS else v.metric
    if v.why:
        return f"in {topic} nothing can be said: {v.why}"
    if v.says == SAME:
        return f"in {topic} they cannot be distinguished with this many pictures ({name} {_range(v)})"
    at = f", compared at {v.pictures[0]} pictures of each" if v.unequal else ""
    return f"{v.left} is {v.says} in {topic} ({name} {_range(v)}{at})"


def _winner_first(v: Verdict) -> Verdict:
    return v.turned() if v.says == "worse" else v


def _range(v: Any) -> str:
    return f"{number(v.difference)}, {number(v.low)} to {number(v.high)}"


def table_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """A row a metric: what it is about, which way is better, and value, interval and standing of each generator.

    "Best" is only what a verdict calls better than another one; what cannot be told apart from it is as good.
    """
    rows = []
    for label, metric in comparison.metrics.items():
        best = comparison.best(label)
        others = [g.name for g in comparison.generators if label in g.values and g.name != best]
        against = {name: comparison.verdict(label, best, name) for name in others} if best is not None else {}
        best = best if any(v.says == "better" for v in against.values()) else None
        alike = {name for name, v in against.items() if best is not None and v.says == SAME and not v.why}
        cells = []
        for g in comparison.generators:
            about = {"best": g.name == best, "alike": g.name in alike, "trouble": g.trouble.get(label, "")}
            cells.append(dict(zip(NUMBERS, numbers_of(g, label), strict=True)) | about)
        rows.append({"name": label, "about": metric.about, "way": ARROWS[way_of(metric)], "cells": cells})
    return rows


def numbers_of(generator: Generator, metric: str) -> tuple[float, float, float]:
    """Value, low and high by a metric, NaN where it is unknown."""
    estimate = generator.values.get(metric)
    return (estimate.value, *estimate.interval()) if estimate else (math.nan,) * 3


def ranked_rows(generator: Generator) -> dict[str, list[int]]:
    """Rows of the best, the middle and the worst pictures; all of them under one name where they are few."""
    ranked = generator.scores.ranked().tolist()
    if len(ranked) <= 3 * SHOWN:
        return {"best to worst": ranked}
    middle = len(ranked) // 2 - SHOWN // 2
    return {"best": ranked[:SHOWN], "middle": ranked[middle : middle + SHOWN], "worst": ranked[-SHOWN:]}


def shown_rows(generator: Generator, others: Sequence[Beside]) -> dict[str, tuple[list[int], np.ndarray]]:
    """Rows of `ranked_rows` by z, and of the best and worst by each other score, with the values under the pictures."""
    z = generator.scores.z
    parts = {f"by z: {title}" if others else title: (rows, z) for title, rows in ranked_rows(generator).items()}
    for other in others:
        values = other.values.get(generator.name, np.empty(0))
        order = np.argsort(-values, kind="stable")[: int(np.isfinite(values).sum())].tolist()
        few = len(order) <= 2 * SHOWN
        ends = {"best to worst": order} if few else {"best": order[:SHOWN], "worst": order[-SHOWN:]}
        parts |= {f"by {other.name}: {title}": (rows, values) for title, rows in ends.items() if rows}
    return parts


def _beside(comparison: Comparison, other: Beside) -> dict[str, Any]:
    """A row a generator: mean and agreement with z, each with its interval; and the charts."""
    colours = {g.name: i for i, g in enumerate(comparison.generators) if g.name in other.values}
    sets = {name: other.values[name] for name in colours}
    return {
        "name": other.name,
        "rows": [(n, i % drawing.COLOURS, other.means[n], other.agreements[n]) for n, i in colours.items()],
        "real": float(other.reals.mean()) if len(other.reals) else None,
        "charts": _twice(
            lambda width: drawing.distributions(sets, other.reals, width, label=other.name, colours=[*colours.values()])
        ),
    }


def paired_section(comparison: Comparison) -> dict[str, Any] | None:
    """Pairs of each generator, a row a number, and the distributions of what z loses against the target's."""
    if not comparison.paired:
        return None
    numbers = [pairs.numbers() for pairs in comparison.paired]
    gaps = {pairs.name: pairs.gap for pairs in comparison.paired}
    return {
        "counts": [(len(p.z), len(p.unmatched), len(p.missing)) for p in comparison.paired],
        "rows": [(name, [mine[name] for mine in numbers]) for name in numbers[0]],
        "charts": _twice(lambda w: drawing.distributions(gaps, np.empty(0), w, label="z less the z of the target")),
    }


def _worst_pairs(
    comparison: Comparison, sources: Mapping[str, Any], real: Any, workers: int | None, show_paths: bool
) -> list[tuple[str, int, list[tuple[str, str, str, str]]]]:
    """Of each generator the pairs that lose most: the loss, the name, and target and output (base64)."""
    parts = []
    for i, pairs in enumerate(comparison.paired):
        rows = [int(row) for row in np.argsort(pairs.gap, kind="stable")[:SHOWN]]
        sides = []
        for where, ids in ((real, pairs.targets), (sources[pairs.name], pairs.outputs)):
            wanted = [ids[row] for row in rows]
            codes = thumbnails_of(where, wanted, 128, workers) if where is not None else {}
            sides.append({name: base64.b64encode(code).decode() for name, code in codes.items()})
        cells = [
            (
                number(float(pairs.gap[row])),
                pairs.outputs[row] if show_paths else f"pair {row + 1}",
                sides[0][pairs.targets[row]],
                sides[1][pairs.outputs[row]],
            )
            for row in rows
            if pairs.targets[row] in sides[0] and pairs.outputs[row] in sides[1]
        ]
        parts.extend([(pairs.name, i % drawing.COLOURS, cells)] if cells else [])
    return parts


def _cells(
    g: Generator, rows: list[int], values: np.ndarray, pictures: Mapping[str, bytes], show_paths: bool
) -> list[tuple[str, str, str]]:
    """Value, name and picture (base64) of each."""
    cells = []
    for row in rows:
        name = g.scores.id[row]
        if name in pictures:
            code = base64.b64encode(pictures[name]).decode()
            cells.append((number(float(values[row])), name if show_paths else f"row {row + 1}", code))
    return cells


def _points(comparison: Comparison) -> list[drawing.Point]:
    """Each generator by the first metric of either topic."""
    first = {topic: label for label, topic in reversed(list(headline(comparison).items()))}
    axes = [first.get(topic, "") for topic in TOPICS.values()]
    points = []
    for i, g in enumerate(comparison.generators):
        if all(label in g.values for label in axes):
            points.append(drawing.Point(g.name, *(numbers_of(g, label) for label in axes), colour=i))
    return points


def _twice(draw: Any) -> tuple[Any, Any]:
    return draw(WIDE), draw(NARROW)
