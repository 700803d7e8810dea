"""Charts as inline SVG text: distributions over each other, points with intervals in a plane, lines over iterations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from .axes import (
    FAR,
    Axis,
    apart,
    axis_of,
    bent,
    grid_x,
    grid_y,
    marks_of,
    number,
    plain,
    room_for,
    roomy_axis,
    roomy_marks,
    svg,
    ticks,
)

COLOURS = 8  # classes s0..s7 of the style sheet; the ninth series is drawn like the first


@dataclass(frozen=True)
class Point:
    """A mark with its intervals.

    Parameters
    ----------
    name : str
        Written next to it.
    x, y : (float, float, float)
        Value, low and high end; an unknown end is NaN.
    colour : int, default 0
        Class s0..s7 of the style sheet.
    """

    name: str
    x: tuple[float, float, float]  # value, low, high
    y: tuple[float, float, float]
    colour: int = 0


def distributions(
    sets: Mapping[str, np.ndarray],
    reals: np.ndarray,
    width: int,
    height: int = 240,
    label: str = "",
    colours: Sequence[int] | None = None,
) -> Markup:
    """Outlines of the histograms of several sets over the filled one of reals.

    Parameters
    ----------
    sets : mapping of str to ndarray
        Values of each set; what is not finite is left out.
    reals : ndarray
        Values of the reals.
    width, height : int
        Pixels; height 240 by default.
    label : str, default ""
        What the values are; "": z, whose axis is compressed far from 0.
    colours : sequence of int or None, default None
        Class of each set; None: in their order.

    Returns
    -------
    Markup
    """
    clean = {name: z[np.isfinite(z)] for name, z in sets.items()}
    reals = reals[np.isfinite(reals)]
    low, high = _whole([*clean.values(), reals]) if label else bulk([*clean.values(), reals])
    far = not label and max(-low, high) > FAR
    x = Axis(low, high, 40, width - 12, bent if far else float)
    bins = 40 if width > 600 else 28
    edges = np.array([low + (high - low) * i / bins for i in range(bins + 1)])
    if far:
        places = np.linspace(bent(low), bent(high), bins + 1)
        edges = np.sign(places) * 4 * np.sinh(np.abs(places))
        edges[0], edges[-1] = low, high
    shares = {name: _shares(z, edges) for name, z in clean.items()}
    real_shares = _shares(reals, edges)
    most = max([float(s.max()) for s in [*shares.values(), real_shares] if len(s)] or [1.0]) or 1.0
    y = Axis(0, most, height - 40, 12)
    parts = [grid_y(y, ticks(0, most, 4), width, lambda t: f"{100 * t:.0f} %")]
    parts.append(grid_x(x, marks_of(x, 46), height - 22))
    foot = escape(label) or "z: 0 = like a typical real"
    parts.append(f'<text x="{width / 2}" y="{height - 4}" text-anchor="middle">{foot}</text>')
    if len(reals):
        parts.append(f'<path class="real" d="{_steps(real_shares, edges, x, y)}Z"/>')
    for i, share in zip(colours or range(len(shares)), shares.values(), strict=True):
        parts.append(f'<path class="line s{i % COLOURS}" d="{_steps(share, edges, x, y)}"/>')
    words = f"Distributions of {label or 'z'}. " + " ".join(
        f"{n}: median {number(float(np.median(z)) if len(z) else math.nan)}." for n, z in clean.items()
    )
    return svg(width, height, words, parts)


def plane(points: Sequence[Point], labels: tuple[str, str], width: int, height: int = 320) -> Markup:
    """Points with the intervals of both coordinates.

    Parameters
    ----------
    points : sequence of Point
        Those that are not finite are left out.
    labels : (str, str)
        What x and y are.
    width, height : int
        Pixels; height 320 by default.

    Returns
    -------
    Markup
        Empty without a finite point.
    """
    finite = [p for p in points if math.isfinite(p.x[0]) and math.isfinite(p.y[0])]
    if not finite:
        return Markup("")
    x = axis_of([v for p in finite for v in p.x if math.isfinite(v)], 56, width - 16)
    y = axis_of([v for p in finite for v in p.y if math.isfinite(v)], height - 44, 14)
    parts = [grid_y(y, marks_of(y, 26), width, plain, left=56)]
    parts.append(grid_x(x, marks_of(x, 44), height - 26))
    parts.append(f'<text x="{width / 2}" y="{height - 6}" text-anchor="middle">{escape(labels[0])} →</text>')
    parts.append(f'<text class="up" x="14" y="{height / 2}" text-anchor="middle">{escape(labels[1])} →</text>')
    taken: list[tuple[float, float]] = []
    for p in finite:
        at, up = x(p.x[0]), y(p.y[0])
        colour = f"s{p.colour % COLOURS}"
        if math.isfinite(p.x[1]):
            parts.append(f'<line class="cross {colour}" x1="{x(p.x[1])}" x2="{x(p.x[2])}" y1="{up}" y2="{up}"/>')
        if math.isfinite(p.y[1]):
            parts.append(f'<line class="cross {colour}" x1="{at}" x2="{at}" y1="{y(p.y[1])}" y2="{y(p.y[2])}"/>')
        foot = next(
            f for f in (up - 8, up + 20, up - 24, up + 36, up + 52) if (f > 10 and _free(taken, at, f)) or f > up + 50
        )
        taken.append((at, foot))
        end = at > width * 0.6
        place = f'x="{at + (-10 if end else 10)}" y="{round(foot, 1)}" text-anchor="{"end" if end else "start"}"'
        parts.append(f'<circle class="{colour}" cx="{at}" cy="{up}" r="5"/><text class="name" {place}>')
        parts.append(f"{escape(p.name)}</text>")
    words = "; ".join(f"{p.name}: {labels[0]} {number(p.x[0])}, {labels[1]} {number(p.y[0])}" for p in finite)
    return svg(width, height, words, parts)


def line(
    places: Sequence[float], values: np.ndarray, lows: np.ndarray, highs: np.ndarray, best: int | None, width: int
) -> Markup:
    """One metric over iterations: a line, its interval as a band, and a ring around the best place.

    Parameters
    ----------
    places : sequence of float
        Iterations.
    values, lows, highs : ndarray of shape (n,)
        The metric and both ends of its interval; NaN where unknown.
    best : int or None
        Position of the best place.
    width : int
        Pixels.

    Returns
    -------
    Markup
    """
    height = 180
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return Markup("")
    label = 7 * max(len(plain(place)) for place in places)  # pixels
    last = max(places) if max(places) > min(places) else min(places) + 1
    x = Axis(min(places), last, 56, width - max(14, (label + 1) // 2))
    y = roomy_axis(list(values[known]), height - 26, 12)  # wide intervals of bad beginnings must not flatten it
    parts = [grid_y(y, roomy_marks(y, 4, 20), width, plain, left=56)]
    parts.append(grid_x(x, apart(x, [*reversed(places)], max(44, label + 4)), height - 8))  # the last checkpoint first
    band = [k for k in known if math.isfinite(lows[k]) and math.isfinite(highs[k])]
    if len(band) > 1:
        there = "L".join(f"{x(places[k])},{y(highs[k])}" for k in band)
        back = "L".join(f"{x(places[k])},{y(lows[k])}" for k in reversed(band))
        parts.append(f'<path class="band s0" d="M{there}L{back}Z"/>')
    parts.append(f'<path class="line s0" d="M{"L".join(f"{x(places[k])},{y(values[k])}" for k in known)}"/>')
    parts += [f'<circle class="s0" cx="{x(places[k])}" cy="{y(values[k])}" r="3"/>' for k in known]
    if best is not None:
        parts.append(f'<circle class="best" cx="{x(places[best])}" cy="{y(values[best])}" r="6"/>')
    words = f"from {number(values[known[0]])} to {number(values[known[-1]])}"
    return svg(width, height, words, parts)


def lines(
    series: Mapping[str, Sequence[tuple[float, float, float, float]]], width: int, mark: float | None = None
) -> Markup:
    """Several lines over the same places, with their intervals as bands.

    Parameters
    ----------
    series : mapping of str to sequence of (place, value, low, high)
        A line for each name.
    width : int
        Pixels.
    mark : float or None, default None
        A height that means something, drawn as a dashed line.

    Returns
    -------
    Markup

    Examples
    --------
    >>> lines({"picker": [(0.5, 1.0, 0.9, 1.1), (1.0, 2.0, 1.8, 2.2)]}, 400).count("<circle")
    2
    """
    height = 220
    known = {name: [p for p in points if math.isfinite(p[1])] for name, points in series.items()}
    every = [p for points in known.values() for p in points]
    if not every:
        return Markup("")
    places = sorted({p[0] for p in every})
    x = Axis(places[0], places[-1] if places[-1] > places[0] else places[0] + 1, 56, width - 20)
    y = roomy_axis([v for p in every for v in p[1:]], height - 26, 12)
    parts = [grid_y(y, roomy_marks(y, 4, 20), width, plain, left=56), grid_x(x, apart(x, places, 30), height - 8)]
    if mark is not None:
        parts.append(f'<line class="cut" x1="56" x2="{width - 20}" y1="{y(mark)}" y2="{y(mark)}"/>')
    for i, points in enumerate(known.values()):
        colour = f"s{i % COLOURS}"
        band = sorted(p for p in points if math.isfinite(p[2]) and math.isfinite(p[3]))
        if len(band) > 1:
            there = "L".join(f"{x(p[0])},{y(p[3])}" for p in band)
            back = "L".join(f"{x(p[0])},{y(p[2])}" for p in reversed(band))
            parts.append(f'<path class="band {colour}" d="M{there}L{back}Z"/>')
        parts.append(f'<path class="line {colour}" d="M{"L".join(f"{x(p[0])},{y(p[1])}" for p in sorted(points))}"/>')
        parts += [f'<circle class="{colour}" cx="{x(p[0])}" cy="{y(p[1])}" r="4"/>' for p in points]
    words = (f"{name}: {', '.join(f'{number(p[1])} at {p[0]:g}' for p in points)}" for name, points in known.items())
    return svg(width, height, "; ".join(words), parts)


def dots(rows: Sequence[tuple[str, Sequence[tuple[float, float, float, int]]]], label: str, width: int) -> Markup:
    """A row for each name: a mark with its interval for each generator, one below the other.

    Parameters
    ----------
    rows : sequence of (name, marks)
        Each mark is (value, low, high, colour).
    label : str
        What the values are.
    width : int
        Pixels.

    Returns
    -------
    Markup
        Empty without a finite value.
    """
    values = [v for _, marks in rows for mark in marks if math.isfinite(mark[0]) for v in mark[:3] if math.isfinite(v)]
    if not values:
        return Markup("")
    left = math.ceil(min(0.34 * width, 14 + 7.2 * max(len(name) for name, _ in rows)))
    letters = int((left - 14) / 7.2)
    step = 10 * max(len(marks) for _, marks in rows) + 10
    height = len(rows) * step + 44
    x = roomy_axis([*values, 0.0], left, width - 16)
    marks = roomy_marks(x, 8, 46)
    parts = [f'<line class="axis" x1="{x(t)}" x2="{x(t)}" y1="4" y2="{height - 40}"/>' for t in marks]
    parts.append(grid_x(x, marks, height - 24))
    parts.append(f'<text x="{(left + width) / 2}" y="{height - 6}" text-anchor="middle">{escape(label)} →</text>')
    for i, (name, marks) in enumerate(rows):
        middle = i * step + step / 2
        short = name if len(name) <= letters else name[: letters - 1] + "…"
        parts.append(f'<text x="{left - 10}" y="{middle + 4}" text-anchor="end">{escape(short)}</text>')
        for k, (value, low, high, colour) in enumerate(marks):
            if not math.isfinite(value):
                continue
            y, kind = round(middle + 10 * (k - (len(marks) - 1) / 2), 1), f"s{colour % COLOURS}"
            if math.isfinite(low):
                parts.append(f'<line class="cross {kind}" x1="{x(low)}" x2="{x(high)}" y1="{y}" y2="{y}"/>')
            parts.append(f'<circle class="{kind}" cx="{x(value)}" cy="{y}" r="4"/>')
    return svg(width, height, f"{label} of {len(rows)} classes", parts)


def steps(
    names: Sequence[str],
    series: Mapping[str, Sequence[tuple[float, float, float]]],
    label: str,
    width: int,
    mark: float | None = None,
) -> Markup:
    """Values with intervals at named steps, evenly spaced, a line for each series.

    Parameters
    ----------
    names : sequence of str
        The steps.
    series : mapping of str to sequence of (value, low, high)
        A value for each step; an unknown value is NaN.
    label : str
        What the steps are.
    width : int
        Pixels.
    mark : float or None, default None
        A height that means something, drawn as a dashed line.

    Returns
    -------
    Markup

    Examples
    --------
    >>> steps(["1", "5"], {"a": [(0.6, 0.5, 0.7), (0.7, 0.6, 0.8)]}, "K", 340).count("<circle")
    2
    """
    height = 260
    numbers = [v for points in series.values() for point in points for v in point if math.isfinite(v)]
    if not numbers:
        return Markup("")
    numbers += [] if mark is None else [mark]
    x = Axis(-0.5, len(names) - 0.5, 56, width - 14)
    y = Axis(*room_for(numbers), height - 44, 12)
    parts = [grid_y(y, ticks(y.low, y.high, 5), width, plain, left=56)]
    if mark is not None:
        parts.append(f'<line class="cut" x1="56" x2="{width - 14}" y1="{y(mark)}" y2="{y(mark)}"/>')
    every = max(1, math.ceil(44 * len(names) / (width - 70)))
    for at in range(0, len(names), every):
        parts.append(f'<text x="{x(at)}" y="{height - 26}" text-anchor="middle">{escape(names[at])}</text>')
    parts.append(f'<text x="{width / 2}" y="{height - 6}" text-anchor="middle">{escape(label)}</text>')
    for i, points in enumerate(series.values()):
        aside = (i - (len(series) - 1) / 2) * 0.08  # intervals next to each other and not over each other
        known = [(x(at + aside), point) for at, point in enumerate(points) if math.isfinite(point[0])]
        if known:
            path = "L".join(f"{px},{y(v)}" for px, (v, _, _) in known)
            parts.append(f'<path class="line s{i % COLOURS}" d="M{path}"/>')
        for px, (v, low, high) in known:
            if math.isfinite(low):
                parts.append(f'<line class="cross s{i % COLOURS}" x1="{px}" x2="{px}" y1="{y(low)}" y2="{y(high)}"/>')
            parts.append(f'<circle class="s{i % COLOURS}" cx="{px}" cy="{y(v)}" r="4"/>')
    words = "; ".join(
        f"{name}: " + ", ".join(f"{step} {number(v[0])}" for step, v in zip(names, points, strict=True))
        for name, points in series.items()
    )
    return svg(width, height, f"By {label}. {words}", parts)


def _free(taken: Sequence[tuple[float, float]], at: float, foot: float) -> bool:
    """Whether a name fits there next to those that are placed."""
    return all(abs(at - x) > 90 or abs(foot - y) > 14 for x, y in taken)


def bulk(sets: Sequence[np.ndarray]) -> tuple[float, float]:
    """Where the bulk of all lies; what is farther out counts in the end bins."""
    low, high = -4.0, 4.0
    for z in sets:
        if len(z):
            quarter, upper = np.quantile(z, (0.25, 0.75))
            far = 4 * (upper - quarter)
            low, high = min(low, max(z.min(), quarter - far)), max(high, min(z.max(), upper + far))
    return float(np.floor(low)), float(np.ceil(high))


def _whole(sets: Sequence[np.ndarray]) -> tuple[float, float]:
    """The same for numbers of any size; a little room where all are equal."""
    known = np.concatenate([z for z in sets if len(z)] or [np.zeros(1)])
    low, quarter, upper, high = np.quantile(known, (0, 0.25, 0.75, 1))
    far = 4 * (upper - quarter) or 0.5 * (abs(float(upper)) or 1)
    return max(float(low), float(quarter) - far), min(float(high), float(upper) + far)


def _shares(z: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.histogram(np.clip(z, edges[0], edges[-1]), edges)[0] / max(1, len(z))


def _steps(shares: np.ndarray, edges: np.ndarray, x: Axis, y: Axis) -> str:
    bars = "".join(f"L{x(a)},{y(s)}L{x(b)},{y(s)}" for s, a, b in zip(shares, edges[:-1], edges[1:], strict=True))
    return f"M{x(edges[0])},{y(0)}{bars}L{x(edges[-1])},{y(0)}"
