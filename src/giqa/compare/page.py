"""The HTML page of a comparison: verdicts, table, distributions, the plane of quality and diversity, galleries."""

from __future__ import annotations

import base64
import json
import math
import os
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from ..files import replace_file
from ..pages import drawing
from ..pages.axes import number
from ..pages.page import render
from ..report.gallery import thumbnails_of
from .result import SAME, Beside, Comparison, Generator, Verdict

WIDE, NARROW = 1140, 340  # of a chart in pixels: one for the table, one for the telephone
SHOWN = 8  # best, middle and worst pictures of each generator
STYLES = ("pages/page.css", "pages/figures.css")
FILTERS = {
    "number": number,
    "ends": lambda ends: "no interval" if math.isnan(ends[0]) else f"{number(ends[0])} to {number(ends[1])}",
}
ARROWS = {None: "", False: "higher is better", True: "lower is better"}
TOPICS = {"qs": "quality", "ds": "diversity"}  # metrics of the headline, by their name in the registry


def write_page(
    path: str | os.PathLike[str],
    found: Comparison,
    *,
    sources: Mapping[str, Any] | None = None,
    real: Any = None,
    show_thumbnails: bool = True,
    show_paths: bool = True,
    workers: int | None = None,
) -> Path:
    """One HTML file that opens offline, whole or not at all; `sources`: where each generator's pictures are; `real`:
    and the real ones, of which only targets of paired inputs are shown.

    `show_thumbnails=False` keeps every picture out of it, `show_paths=False` every id.
    """
    shown = {g.name: shown_rows(g, found.beside) for g in found.generators}
    pictures = {}
    for g in found.generators if show_thumbnails and sources else ():
        ids = dict.fromkeys(g.scores.id[row] for rows, _ in shown[g.name].values() for row in rows)
        pictures[g.name] = thumbnails_of(sources[g.name], ids, workers, None, 0, len(ids), 128)
    galleries = [
        (
            g.name,
            i % drawing.COLOURS,
            [(title, _cells(g, *what, pictures[g.name], show_paths)) for title, what in shown[g.name].items()],
        )
        for i, g in enumerate(found.generators)
        if pictures.get(g.name)
    ]
    z = {g.name: g.scores.z for g in found.generators}
    page = render(
        "compare/compare.html",
        STYLES,
        filters=FILTERS,
        found=found,
        title=" · ".join(z),
        names=[(name, i % drawing.COLOURS) for i, name in enumerate(z)],
        sentences=sentences(found),
        rows=table_rows(found),
        charts=_twice(lambda width: drawing.distributions(z, found.held_out_z, width)),
        planes=_twice(lambda width: drawing.plane(_points(found), ("QS: quality", "DS: diversity"), width)),
        galleries=galleries,
        beside=[_beside(found, other) for other in found.beside],
        paired=paired_section(found),
        worst_pairs=_worst_pairs(found, sources, real, workers, show_paths) if show_thumbnails and sources else [],
        made_by=[(k, v if isinstance(v, str) else json.dumps(v)) for k, v in found.made_by.items()],
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, page.encode("utf-8", "replace"))
    return path


def sentences(found: Comparison) -> list[str]:
    """What a reader wants to know of each pair first: quality by QS, diversity by DS."""
    words = []
    topics = headline(found)
    for left, right in combinations((g.name for g in found.generators), 2):
        known = {v.metric for v in found.verdicts if {v.left, v.right} == {left, right}}
        parts = [_says(found.verdict(m, left, right), topic) for m, topic in topics.items() if m in known]
        if parts:
            words.append(f"{left} against {right}: {'; '.join(parts)}.")
    for v in found.pair_verdicts:
        range_ = f"z {_range(v)}"
        told = "they cannot be told apart" if v.says == SAME else f"{v.left} is {v.says}"
        said = f"nothing can be said: {v.why}" if v.why else f"{told} in quality ({range_})"
        words.append(f"{v.left} against {v.right}, input by input ({v.n} of both): {said}.")
    return words


def headline(found: Comparison) -> dict[str, str]:
    """Metrics that the sentences are about, each once however it is written, and what each says something of.

    Several of a kind, such as QS by two scorers, are called by their specs.
    """
    first: dict[str, str] = {}
    for label, spec in found.made_by["metrics"].items():
        first.setdefault(spec, label)
    return {label: TOPICS[name] for spec, label in first.items() if (name := spec.partition("(")[0]) in TOPICS}


def _says(v: Verdict, topic: str) -> str:
    name = v.metric.upper() if v.metric in TOPICS else v.metric
    if v.why:
        return f"in {topic} nothing can be said: {v.why}"
    if v.says == SAME:
        return f"in {topic} they cannot be told apart with this many pictures ({name} {_range(v)})"
    at = f", compared at {v.pictures[0]} pictures of each" if v.unequal else ""
    return f"{v.left} is {v.says} in {topic} ({name} {_range(v)}{at})"


def _range(v: Any) -> str:
    return f"{number(v.difference)}, {number(v.low)} to {number(v.high)}"


def table_rows(found: Comparison) -> list[dict[str, Any]]:
    """A row a metric: what it is about, which way is better, and value, interval and standing of each generator.

    "Best" is only what a verdict calls better than another one; what cannot be told apart from it is as good.
    """
    rows = []
    for label, metric in found.metrics.items():
        best = found.best(label)
        others = [g.name for g in found.generators if label in g.values and g.name != best]
        against = {name: found.verdict(label, best, name) for name in others} if best is not None else {}
        best = best if any(v.says == "better" for v in against.values()) else None
        cells = []
        for g in found.generators:
            estimate = g.values.get(label)
            low, high = estimate.interval() if estimate else (math.nan,) * 2
            verdict = against.get(g.name) if best is not None else None
            cells.append(
                {
                    "value": estimate.value if estimate else math.nan,
                    "low": low,
                    "high": high,
                    "best": g.name == best,
                    "alike": verdict is not None and verdict.says == SAME and not verdict.why,
                    "trouble": g.trouble.get(label, ""),
                }
            )
        about = getattr(metric, "about", "")
        words = ARROWS[getattr(metric, "is_distance", False) if getattr(metric, "ranks", True) else None]
        rows.append({"name": label, "about": about, "way": words, "cells": cells})
    return rows


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


def _beside(found: Comparison, other: Beside) -> dict[str, Any]:
    """A row a generator: mean and agreement with z, each with its interval; and the charts."""
    names = [g.name for g in found.generators if g.name in other.values]
    colours = [i for i, g in enumerate(found.generators) if g.name in other.values]
    sets = {name: other.values[name] for name in names}
    return {
        "name": other.name,
        "rows": [
            (name, i % drawing.COLOURS, other.means[name], other.agreements[name])
            for name, i in zip(names, colours, strict=True)
        ],
        "real": float(other.reals.mean()) if len(other.reals) else None,
        "charts": _twice(
            lambda width: drawing.distributions(sets, other.reals, width, label=other.name, colours=colours)
        ),
    }


def paired_section(found: Comparison) -> dict[str, Any] | None:
    """Pairs of each generator, a row a number, and the distributions of what z loses against the target's."""
    if not found.paired:
        return None
    numbers = [pairs.numbers() for pairs in found.paired]
    gaps = {pairs.name: pairs.gap for pairs in found.paired}
    return {
        "counts": [(len(p.z), len(p.unmatched), len(p.missing)) for p in found.paired],
        "rows": [(name, [mine[name] for mine in numbers]) for name in numbers[0]],
        "charts": _twice(lambda w: drawing.distributions(gaps, np.empty(0), w, label="z less the z of the target")),
    }


def _worst_pairs(
    found: Comparison, sources: Mapping[str, Any], real: Any, workers: int | None, show_paths: bool
) -> list[tuple[str, int, list[tuple[str, str, str, str]]]]:
    """Of each generator the pairs that lose most: the loss, the name, and target and output (base64)."""
    parts = []
    for i, pairs in enumerate(found.paired):
        rows = [int(row) for row in np.argsort(pairs.gap, kind="stable")[:SHOWN]]
        sides = []
        for where, ids in ((real, pairs.targets), (sources[pairs.name], pairs.outputs)):
            wanted = [ids[row] for row in rows]
            codes = thumbnails_of(where, wanted, workers, None, 0, len(wanted), 128) if where is not None else {}
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
    found = []
    for row in rows:
        name = g.scores.id[row]
        if name in pictures:
            code = base64.b64encode(pictures[name]).decode()
            found.append((number(float(values[row])), name if show_paths else f"row {row + 1}", code))
    return found


def _points(found: Comparison) -> list[drawing.Point]:
    """Each generator by the first metric of either topic."""
    first = {topic: label for label, topic in reversed(list(headline(found).items()))}
    axes = [first.get(topic, "") for topic in TOPICS.values()]
    points = []
    for i, g in enumerate(found.generators):
        if all(label in g.values for label in axes):
            both = [(e.value, *e.interval()) for e in (g.values[label] for label in axes)]
            points.append(drawing.Point(g.name, *both, colour=i))
    return points


def _twice(draw: Any) -> tuple[Any, Any]:
    return draw(WIDE), draw(NARROW)
