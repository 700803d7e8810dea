"""The HTML page of a benchmark: Table 1, who is better, sweeps as table and plot, generators, what was left out."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from ..compare.page import NARROW, STYLES, WIDE, details
from ..pages import drawing
from ..pages.page import write_html
from .bench_entries import Sweep
from .bench_result import Bench, SetFound

MOST = 20  # missing pictures that are named


def write_page(path: str | os.PathLike[str], found: Bench, title: str = "Scorers against human judgements") -> Path:
    """One HTML file that opens offline, written atomically; it holds no picture."""
    return write_html(
        path,
        "evaluate/bench.html",
        (*STYLES, "evaluate/bench.css"),
        title=title,
        found=found,
        rows=[(entry, [_cell(one, entry, found.entries) for one in found.sets]) for entry in found.entries],
        differences=[(one, _differences(one, found.entries)) for one in found.sets],
        sweeps=[_sweep(found, sweep) for sweep in found.sweeps],
        breakdowns=[_breakdown(one, found.entries) for one in found.sets if one.breakdown and found.entries],
        most=MOST,
        made_by=details(found.made_by),
    )


def _cell(one: SetFound, entry: str, among: tuple[str, ...]) -> dict[str, Any]:
    """Value and interval, and whether it is the best of its column, as good, or no better than guessing."""
    value = one.value(entry)
    if value is None:
        return {"value": "–", "range": one.trouble.get(entry, ""), "mark": ""}
    mark = one.mark(entry, among)
    return {"value": f"{value.value:.3f}", "range": f"{value.low:.3f} to {value.high:.3f}", "mark": mark}


def _differences(one: SetFound, entries: tuple[str, ...]) -> list[tuple[str, list[dict[str, str]]]]:
    """Every entry less every other: rows and columns are those that could be judged."""
    known = [entry for entry in entries if entry in one.figures]
    rows = []
    for left in known if len(known) > 1 else ():
        cells = []
        for right in known:
            d = one.difference(left, right) if left != right else None
            gap = d.difference if d else None
            words = {"value": _signed(gap.value), "range": f"{_signed(gap.low)} to {_signed(gap.high)}"} if gap else {}
            cells.append(words | {"says": d.says if d else ""})
        rows.append((left, cells))
    return rows


def _sweep(found: Bench, sweep: Sweep) -> dict[str, Any]:
    labels = tuple(entry.label for entry in sweep.entries)
    rows = [
        (value, [_cell(one, label, labels) for one in found.sets])
        for value, label in zip(sweep.values, labels, strict=True)
    ]
    panels, wide = [], max(NARROW, WIDE // min(len(found.sets), 3) - 20)
    for one in found.sets:
        values = [one.value(label) for label in labels]
        points = {one.name: [(v.value, v.low, v.high) if v else (math.nan,) * 3 for v in values]}
        panels.append((one.name, [drawing.steps(sweep.values, points, sweep.parameter, w) for w in (wide, NARROW)]))
    return {"sweep": sweep, "rows": rows, "panels": panels}


def _breakdown(one: SetFound, entries: tuple[str, ...]) -> dict[str, Any]:
    kinds = list(next(iter(one.breakdown.values())))
    rows = [(entry, [one.breakdown[entry][kind] for kind in kinds]) for entry in entries if entry in one.breakdown]
    return {"name": one.name, "kinds": kinds, "rows": rows}


def _signed(value: float) -> str:
    """
    >>> _signed(-0.0001), _signed(0.25)
    ('+0.000', '+0.250')
    """
    return f"{round(value, 3) + 0.0:+.3f}"
