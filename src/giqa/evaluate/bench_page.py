"""The HTML page of a benchmark: Table 1, who is better, sweeps as table and plot, generators, what was left out."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from ..compare.answer import listed
from ..compare.page import NARROW, STYLES, WIDE, details
from ..pages import drawing
from ..pages.intervals import both_widths, interval_plot
from ..pages.page import write_html
from .bench_entries import Sweep
from .bench_result import ALIKE, CHANCE, WORSE, Bench, SetFound

MOST = 20  # missing pictures that are named


def write_page(path: str | os.PathLike[str], found: Bench, title: str = "Scorers against human judgements") -> Path:
    """One HTML file that opens offline, written atomically; it holds no picture.

    The best scorer on the first set comes first.
    """
    first = {entry: found.sets[0].value(entry) for entry in found.entries}
    entries = tuple(sorted(found.entries, key=lambda entry: -first[entry].value if first[entry] else math.inf))
    return write_html(
        path,
        "evaluate/bench.html",
        (*STYLES, "evaluate/bench.css"),
        title=title,
        answer=answer(found),
        found=found,
        charts=[(one, _chart(one, entries)) for one in found.sets],
        rows=[(entry, [_cell(one, entry, entries) for one in found.sets]) for entry in entries],
        differences=[(one, _differences(one, found.entries)) for one in found.sets],
        sweeps=[_sweep(found, sweep) for sweep in found.sweeps],
        breakdowns=[_breakdown(one, found.entries) for one in found.sets if one.breakdown and found.entries],
        most=MOST,
        made_by=details(found.made_by),
    )


def answer(found: Bench) -> str:
    """Which scorer agrees best with people, and which are worse than guessing: a sentence a set of labels.

    Parameters
    ----------
    found : Bench

    Returns
    -------
    str
    """
    labels = tuple(entry.label for sweep in found.sweeps for entry in sweep.entries)
    said = [(one.name, _said(one, found.entries or labels)) for one in found.sets]
    return " ".join(f"{name}: {text}" if len(said) > 1 else text for name, text in said)


def _said(one: SetFound, entries: tuple[str, ...]) -> str:
    known = {entry: value for entry in entries if (value := one.value(entry)) is not None}
    if not known:
        return "No scorer could be judged."
    above = {entry: value.value for entry, value in known.items() if value.low > CHANCE}
    worse = [entry for entry in known if one.guessing.get(entry) == WORSE]
    last = f"; {listed(worse)} {'is' if len(worse) == 1 else 'are'} worse than guessing" if worse else ""
    if not above:
        chance = "50 %" if one.kind == "pairs" else CHANCE
        if len(worse) == len(known):
            each = "Every scorer is" if len(known) > 1 else f"{listed(worse)} is"
            return (
                f"{each} worse than guessing ({chance}): the labels may be the other way round, or people judge such "
                "pictures by something else."
            )
        return f"No scorer is shown to be better than guessing ({chance}){last}."
    best = max(above, key=above.get)
    value = known[best]
    pairs = one.kind == "pairs"
    figures = (
        f"{100 * value.value:.0f} % of pairs; guessing: 50 %" if pairs else f"AUROC {value.value:.2f}; guessing: 0.5"
    )
    others = [e for e in known if e != best and e not in worse and _alike(one, best, e)]
    rest = f"; {listed(others)} cannot be distinguished from it" if others else ""
    return f"{best} agrees {'best ' if len(known) > 1 else ''}with people ({figures}){rest}{last}."


def _alike(one: SetFound, best: str, entry: str) -> bool:
    """Whether two cannot be distinguished; entries of different sweeps are not compared."""
    pairs = {frozenset((d.left, d.right)): d.says for d in one.differences}
    return pairs.get(frozenset((best, entry))) == ALIKE


def _chart(one: SetFound, entries: tuple[str, ...]) -> Any:
    """Every entry with its interval and a line at guessing; empty for none."""
    values = {entry: one.value(entry) for entry in entries}
    rows = [(entry, v.value, v.low, v.high) for entry, v in values.items() if v is not None]
    marked = {"mark": CHANCE, "mark_label": f"guessing: {CHANCE:g}", "unit": one.figure}
    return both_widths(lambda width: interval_plot(rows, width=width, **marked)) if rows else ""


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
        panels.append(
            (one.name, [drawing.steps(sweep.values, points, sweep.parameter, w, CHANCE) for w in (wide, NARROW)])
        )
    return {"sweep": sweep, "rows": rows, "panels": panels}


def _breakdown(one: SetFound, entries: tuple[str, ...]) -> dict[str, Any]:
    kinds = list(next(iter(one.breakdown.values())))
    rows = [(entry, [one.breakdown[entry][kind] for kind in kinds]) for entry in entries if entry in one.breakdown]
    return {"name": one.name, "kinds": kinds, "rows": rows}


def _signed(value: float) -> str:
    """
    >>> _signed(-0.0001), _signed(0.25)
    ('+0.000', '+0.250')
    >>> _signed(-0.25)
    '−0.250'
    """
    return f"{round(value, 3) + 0.0:+.3f}".replace("-", "−")
