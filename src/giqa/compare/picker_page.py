"""The page and the table of a picker's curve, and what it says first."""

from __future__ import annotations

import base64
import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ..errors import BadSpec
from ..files import replace_file
from ..pages import drawing
from ..pages.page import render
from ..tables.write import harmless
from .answer import TOPICS, joined
from .page import STYLES, details
from .picker_curve import QS, TRUNCATION, Point, change

WAYS = {"fd": "lower is better", QS: "higher is better", "ds": "higher is better"}
MEANING = {
    "FD": "FD: distance from the reals, quality and diversity in one.",
    "QS": "QS: quality.",
    "DS": "DS: diversity.",
}
OWN_QS = "no proof: the same score picks"
PAIRED = "95 %, paired"
WIDTH = 420  # of a chart


@dataclass(frozen=True)
class Strip:
    """Some pictures (PNG) in a row, under a name, and what is written below each."""

    name: str
    pictures: Sequence[bytes]
    words: Sequence[str] = ()

    def cells(self) -> list[tuple[str, str]]:
        """For each picture its base64 text, and the words."""
        return [(base64.b64encode(p).decode(), w) for p, w in zip_longest(self.pictures, self.words, fillvalue="")]


@dataclass(frozen=True)
class Extras:
    """What stands on the page of a curve with the charts.

    Parameters
    ----------
    title : str
    strips : mapping of str to sequence of Strip
        Pictures by heading.
    tables : sequence of (heading, columns, rows)
    links : sequence of (address, text)
    made_by : mapping
        How the curve was made.
    """

    title: str = "What keeping the best pictures changes"
    strips: Mapping[str, Sequence[Strip]] = field(default_factory=dict)
    tables: Sequence[tuple[str, Sequence[str], Sequence[Sequence[str]]]] = ()
    links: Sequence[tuple[str, str]] = ()
    made_by: Mapping[str, Any] = field(default_factory=dict)


def rows_of(points: Sequence[Point]) -> list[dict[str, Any]]:
    """A row a point: how, share, pictures, and of each metric its value, low and high."""
    rows = []
    for point in points:
        row: dict[str, Any] = {"how": point.how, "share": point.share, "pictures": point.n}
        for name, estimate in point.values.items():
            low, high = estimate.interval()
            row |= {name: estimate.value, f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return rows


def write_curve(path: str | Path, points: Sequence[Point], notes: Sequence[str] = (), **more: Any) -> Path:
    """The curve as `.csv`, a row a point, or `.html`, a chart a metric in one file that opens offline; atomically.

    Parameters
    ----------
    path : path
        Its ending decides; its folder is made where it is not there.
    points : sequence of Point
    notes : sequence of str
        Sentences above the charts.
    **more
        Of the page: the fields of `Extras`.

    Returns
    -------
    Path

    Raises
    ------
    BadSpec
        For another ending.
    """
    path = Path(path)
    rows = rows_of(points)
    if path.suffix.lower() == ".csv":
        text = io.StringIO()
        table = csv.DictWriter(text, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(
            {k: f"{v:.6g}" if isinstance(v, float) else harmless(v) for k, v in row.items()} for row in rows
        )
        content = text.getvalue()
    elif path.suffix.lower() == ".html":
        content = page(points, notes, Extras(**more))
    else:
        raise BadSpec(f"A curve is written as .csv or .html, got {path.name!r}.")
    return replace_file(path, content)


def page(points: Sequence[Point], notes: Sequence[str], extras: Extras) -> str:
    """The page of a curve as HTML text."""
    hows = list(dict.fromkeys(point.how for point in points))
    charts, biased = charts_of(points), picked_by_qs(extras.made_by)
    if biased:
        charts = [(name, OWN_QS if name == QS.upper() else way, svg) for name, way, svg in charts]
    return render(
        "compare/picker_curve.html",
        STYLES,
        answer=answer(points, biased),
        about=" ".join(MEANING[name] for name, *_ in charts if name in MEANING),
        changes=changes(points),
        notes=notes,
        keys=[(how, i % drawing.COLOURS) for i, how in enumerate(hows)],
        charts=charts,
        points=[(p, [(e.value, *e.interval()) for e in p.values.values()]) for p in points],
        metrics=[name for name, _, _ in charts],
        **{**vars(extras), "made_by": details(extras.made_by)},
    )


def picked_by_qs(made_by: Mapping[str, Any]) -> bool:
    """Whether the scorer that picks also measures QS, which then rises whatever the pictures are."""
    return made_by.get("qs", "") == made_by.get("picked by")


def answer(points: Sequence[Point], without_qs: bool = False) -> str:
    """What picking gains and costs: the smallest share less the largest one, by each metric, in one sentence.

    Parameters
    ----------
    points : sequence of Point
        Of the first way only; truncated sets are other pictures.
    without_qs : bool, default False
        Say nothing of QS: it is measured by the scorer that picks.

    Returns
    -------
    str
        From the differences of `change`, which hold together at 95 %.
    """
    if not points:
        return "Nothing was measured."
    own = sorted((p for p in points if p.how == points[0].how), key=lambda p: p.share)
    few, whole = own[0], own[-1]
    if few.share == whole.share:
        return f"Only one share ({100 * whole.share:g} %) was measured: nothing to compare it with."
    of = "all" if whole.share == 1 else f"the best {100 * whole.share:g} %"
    keeping = f"Keeping the best {100 * few.share:g} % instead of {of}"
    gaps = {name: gap for name, gap in change(few, whole).items() if name in WAYS and not (without_qs and name == QS)}
    says = {name: _effect(name, gap) for name, gap in gaps.items()}
    found = {
        kind: [TOPICS.get(n, n.upper()) for n, said in says.items() if said == kind] for kind in set(says.values())
    }
    if "unknown" in found:
        return f"{keeping}: nothing can be said; {few.n} pictures are too few."
    parts = [f"{verb} {joined(found[verb])}" for verb in ("improves", "worsens") if verb in found]
    if not parts:
        shown = [
            f"{100 * p.share:g}" for p in own[1:-1] if any(_effect(n, change(p, whole)[n]) == "improves" for n in gaps)
        ]
        but = f"; keeping {joined(shown, 'or')} % does, looked at alone" if shown else ""  # not all shares together
        return f"{keeping} changes nothing that can be shown in {joined(found['same'], 'or')} ({PAIRED}){but}."
    rest = f"; no difference is shown in {joined(found['same'])}" if "same" in found else ""
    return f"{keeping} {joined(parts)}{rest} ({PAIRED})."


def changes(points: Sequence[Point]) -> list[tuple[Point, list[tuple[float, float, float]]]]:
    """Every point of a way that picks, but the largest share, with its `change` from that by each metric."""
    rows = []
    for point in points:
        whole = max((p for p in points if p.how == point.how), key=lambda p: p.share)
        if point is not whole and point.how != TRUNCATION:
            rows.append((point, list(change(point, whole).values())))
    return rows


def _effect(name: str, gap: tuple[float, float, float]) -> str:
    """What a difference is to a metric, in a word."""
    _, low, high = gap
    if not math.isfinite(low):
        return "unknown"
    up = WAYS[name].startswith("higher")
    return "same" if low <= 0 <= high else "improves" if (low > 0) == up else "worsens"


def charts_of(points: Sequence[Point]) -> list[tuple[str, str, str]]:
    """Of each metric its name, which way is better, and a chart of all lines as SVG.

    The band of a way that picks is that of the `change` from its largest share, so that it leaves out the dashed line
    where a difference is shown; truncated sets have the interval of their values.
    """
    charts = []
    for name in dict.fromkeys(name for point in points for name in point.values):
        lines, starts = {}, set()
        for how in dict.fromkeys(point.how for point in points):
            own = [p for p in points if p.how == how and name in p.values]
            whole = max(own, key=lambda p: p.share)
            if how != TRUNCATION:
                starts.add(whole.values[name].value)
            lines[how] = [(p.share, *(_own(p, name) if how == TRUNCATION else _around(p, whole, name))) for p in own]
        level = starts.pop() if len(starts) == 1 else None
        charts.append((name.upper(), WAYS.get(name, ""), drawing.lines(lines, WIDTH, level)))
    return charts


def _around(point: Point, whole: Point, name: str) -> tuple[float, float, float]:
    """The value, and the interval of its change, from the value of the whole."""
    start = whole.values[name].value
    _, low, high = change(point, whole)[name]
    return point.values[name].value, start + low, start + high


def _own(point: Point, name: str) -> tuple[float, float, float]:
    return (point.values[name].value, *point.values[name].interval())
