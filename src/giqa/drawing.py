"""Charts as inline SVG text: distributions over each other, points with intervals in a plane, lines over iterations.

Nothing but shapes, classes and text: colours are those of the style sheet, so light and dark are its affair.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

COLOURS = 8  # classes s0..s7 of the style sheet; the ninth series is drawn like the first
FAR = 25.0  # beyond so many spreads the axis is compressed


@dataclass(frozen=True)
class Point:
    """A mark with its intervals; an unknown end is NaN."""

    name: str
    x: tuple[float, float, float]  # value, low, high
    y: tuple[float, float, float]
    colour: int = 0


@dataclass(frozen=True)
class Axis:
    """From numbers to pixels: `low`..`high` onto `start`..`end`, through `warp`."""

    low: float
    high: float
    start: float
    end: float
    warp: Callable[[float], float] = float

    def __call__(self, value: float) -> float:
        low, high = self.warp(self.low), self.warp(self.high)
        share = (self.warp(min(max(value, self.low), self.high)) - low) / ((high - low) or 1)
        return round(self.start + share * (self.end - self.start), 1)


def number(value: float) -> str:
    """Three digits or so, with a true minus.

    >>> number(-0.1234), number(1234.5), number(float("nan")), number(0.00012)
    ('−0.123', '1234', '–', '0.00012')
    """
    if not math.isfinite(value):
        return "–" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    size = abs(value)
    text = f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 1 else ""
    text = text or (f"{value:.3f}" if size >= 0.01 or not size else f"{value:.2g}")
    return text.replace("-", "−")


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from low to high, `most` or fewer.

    >>> ticks(-0.3, 1.1, 4)
    [0.0, 0.5, 1.0]
    """
    if not high > low:
        return [low]
    rough = (high - low) / most
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(m * unit for m in (1, 2, 5, 10) if m * unit >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def distributions(
    sets: Mapping[str, np.ndarray],
    reals: np.ndarray,
    width: int,
    height: int = 240,
    label: str = "",
    colours: Sequence[int] | None = None,
) -> Markup:
    """Outlines of the histograms of several sets over the filled one of reals: of z, or of what `label` says."""
    clean = {name: z[np.isfinite(z)] for name, z in sets.items()}
    reals = reals[np.isfinite(reals)]
    low, high = _whole([*clean.values(), reals]) if label else _bulk([*clean.values(), reals])
    far = not label and max(-low, high) > FAR
    x = Axis(low, high, 40, width - 12, _bent if far else float)
    bins = 40 if width > 600 else 28
    edges = np.array([low + (high - low) * i / bins for i in range(bins + 1)])
    if far:
        bent = np.linspace(_bent(low), _bent(high), bins + 1)
        edges = np.sign(bent) * 4 * np.sinh(np.abs(bent))
        edges[0], edges[-1] = low, high
    shares = {name: _shares(z, edges) for name, z in clean.items()}
    real_shares = _shares(reals, edges)
    most = max([float(s.max()) for s in [*shares.values(), real_shares] if len(s)] or [1.0]) or 1.0
    y = Axis(0, most, height - 40, 12)
    parts = [_grid_y(y, ticks(0, most, 4), width, lambda t: f"{100 * t:.0f} %")]
    parts.append(_grid_x(x, _marks(x, 46), height - 22))
    foot = escape(label) or "z: 0 = like a typical real"
    parts.append(f'<text x="{width / 2}" y="{height - 4}" text-anchor="middle">{foot}</text>')
    if len(reals):
        parts.append(f'<path class="real" d="{_steps(real_shares, edges, x, y)}Z"/>')
    for i, share in zip(colours or range(len(shares)), shares.values(), strict=True):
        parts.append(f'<path class="line s{i % COLOURS}" d="{_steps(share, edges, x, y)}"/>')
    words = f"Distributions of {label or 'z'}. " + " ".join(
        f"{n}: median {number(_median(z))}." for n, z in clean.items()
    )
    return _svg(width, height, words, parts)


def plane(points: Sequence[Point], labels: tuple[str, str], width: int, height: int = 320) -> Markup:
    """Points with the intervals of both coordinates; labels: what x and y are."""
    finite = [p for p in points if math.isfinite(p.x[0]) and math.isfinite(p.y[0])]
    if not finite:
        return Markup("")
    x = _axis([v for p in finite for v in p.x], 56, width - 16)
    y = _axis([v for p in finite for v in p.y], height - 44, 14)
    parts = [_grid_y(y, _marks(y, 26), width, _plain, left=56)]
    parts.append(_grid_x(x, _marks(x, 44), height - 26))
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
    return _svg(width, height, words, parts)


def line(
    places: Sequence[float], values: np.ndarray, lows: np.ndarray, highs: np.ndarray, best: int | None, width: int
) -> Markup:
    """One metric over iterations: a line, its interval as a band, and a ring around the best place."""
    height = 180
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return Markup("")
    x = Axis(min(places), max(places) if max(places) > min(places) else min(places) + 1, 56, width - 14)
    y = Axis(*_range(list(values[known])), height - 26, 12)  # wide intervals of bad beginnings must not flatten it
    parts = [_grid_y(y, ticks(y.low, y.high, 4), width, _plain, left=56)]
    parts.append(_grid_x(x, _apart(x, ticks(x.low, x.high, 5), 44), height - 8))
    band = [k for k in known if math.isfinite(lows[k]) and math.isfinite(highs[k])]
    if len(band) > 1:
        there = "L".join(f"{x(places[k])},{y(highs[k])}" for k in band)
        back = "L".join(f"{x(places[k])},{y(lows[k])}" for k in reversed(band))
        parts.append(f'<path class="band s0" d="M{there}L{back}Z"/>')
    parts.append(f'<path class="line s0" d="M{"L".join(f"{x(places[k])},{y(values[k])}" for k in known)}"/>')
    if best is not None:
        parts.append(f'<circle class="best" cx="{x(places[best])}" cy="{y(values[best])}" r="6"/>')
    words = f"from {number(values[known[0]])} to {number(values[known[-1]])}"
    return _svg(width, height, words, parts)


def lines(series: Mapping[str, Sequence[tuple[float, float, float, float]]], width: int) -> Markup:
    """Several lines over the same places with their intervals as bands; points are (place, value, low, high).

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
    y = Axis(*_range([v for p in every for v in p[1:]]), height - 26, 12)
    parts = [_grid_y(y, ticks(y.low, y.high, 4), width, _plain, left=56), _grid_x(x, _apart(x, places, 30), height - 8)]
    for i, points in enumerate(known.values()):
        colour = f"s{i % COLOURS}"
        band = sorted(p for p in points if math.isfinite(p[2]) and math.isfinite(p[3]))
        if len(band) > 1:
            there = "L".join(f"{x(p[0])},{y(p[3])}" for p in band)
            back = "L".join(f"{x(p[0])},{y(p[2])}" for p in reversed(band))
            parts.append(f'<path class="band {colour}" d="M{there}L{back}Z"/>')
        parts.append(f'<path class="line {colour}" d="M{"L".join(f"{x(p[0])},{y(p[1])}" for p in sorted(points))}"/>')
        parts += [f'<circle class="{colour}" cx="{x(p[0])}" cy="{y(p[1])}" r="4"/>' for p in points]
    told = (f"{name}: {', '.join(f'{number(p[1])} at {p[0]:g}' for p in points)}" for name, points in known.items())
    return _svg(width, height, "; ".join(told), parts)


def dots(rows: Sequence[tuple[str, Sequence[tuple[float, float, float, int]]]], label: str, width: int) -> Markup:
    """A row a name: a mark with its interval (value, low, high, colour) for each generator, above each other."""
    values = [mark[0] for _, marks in rows for mark in marks if math.isfinite(mark[0])]
    if not values:
        return Markup("")
    left = round(min(0.34 * width, 14 + 7.2 * max(len(name) for name, _ in rows)))
    letters = int((left - 14) / 7.2)
    step = 10 * max(len(marks) for _, marks in rows) + 10
    height = len(rows) * step + 44
    x = _axis(values, left, width - 16)
    parts = [f'<line class="axis" x1="{x(t)}" x2="{x(t)}" y1="4" y2="{height - 40}"/>' for t in _marks(x, 46)]
    parts.append(_grid_x(x, _marks(x, 46), height - 24))
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
    return _svg(width, height, f"{label} of {len(rows)} classes", parts)


def steps(
    names: Sequence[str], series: Mapping[str, Sequence[tuple[float, float, float]]], label: str, width: int
) -> Markup:
    """Values with intervals at named steps, evenly spaced, one line a series; an unknown value is NaN.

    >>> steps(["1", "5"], {"a": [(0.6, 0.5, 0.7), (0.7, 0.6, 0.8)]}, "K", 340).count("<circle")
    2
    """
    height = 260
    numbers = [v for points in series.values() for point in points for v in point if math.isfinite(v)]
    if not numbers:
        return Markup("")
    x = Axis(-0.5, len(names) - 0.5, 56, width - 14)
    y = Axis(*_range(numbers), height - 44, 12)
    parts = [_grid_y(y, ticks(y.low, y.high, 5), width, _plain, left=56)]
    every = max(1, math.ceil(44 * len(names) / (width - 70)))
    for at in range(0, len(names), every):
        parts.append(f'<text x="{x(at)}" y="{height - 26}" text-anchor="middle">{escape(names[at])}</text>')
    parts.append(f'<text x="{width / 2}" y="{height - 6}" text-anchor="middle">{escape(label)}</text>')
    for i, points in enumerate(series.values()):
        aside = (i - (len(series) - 1) / 2) * 0.08  # intervals beside each other and not over each other
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
    return _svg(width, height, f"By {label}. {words}", parts)


# --- parts


def _svg(width: int, height: int, words: str, parts: Sequence[str]) -> Markup:
    head = f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(words)}">'
    return Markup(head + "".join(parts) + "</svg>")


def _grid_y(y: Axis, at: Sequence[float], width: int, text: Callable[[float], str], left: int = 40) -> str:
    return "".join(
        f'<line class="axis" x1="{left}" x2="{width - 12}" y1="{y(t)}" y2="{y(t)}"/>'
        f'<text x="{left - 6}" y="{y(t) + 4}" text-anchor="end">{text(t)}</text>'
        for t in at
    )


def _grid_x(x: Axis, at: Sequence[float], height: float) -> str:
    return "".join(f'<text x="{x(t)}" y="{height}" text-anchor="middle">{_plain(t)}</text>' for t in at)


def _plain(value: float) -> str:
    return (f"{value:.0f}" if value == round(value) else f"{value:g}").replace("-", "−")


def _apart(x: Axis, wish: Sequence[float], least: float) -> list[float]:
    """Those of the ticks, the first ones first, that keep a distance."""
    kept: list[float] = []
    for t in wish:
        if x.low <= t <= x.high and all(abs(x(t) - x(k)) >= least for k in kept):
            kept.append(t)
    return kept


def _axis(values: Sequence[float], start: float, end: float) -> Axis:
    """Compressed far from 0 where the values reach far."""
    low, high = _range([*values, 0.0])
    return Axis(low, high, start, end, _bent if max(-low, high) > FAR else float)


def _marks(axis: Axis, least: float) -> list[float]:
    """Ticks that have room beside each other."""
    bent = [0.0, *(s * m * 10.0**k for k in range(9) for m in (1, 3) for s in (-1, 1))]
    wish = bent if axis.warp is _bent else ticks(axis.low, axis.high, 8)
    return _apart(axis, wish, least)


def _free(taken: Sequence[tuple[float, float]], at: float, foot: float) -> bool:
    """Whether a name fits there beside those that are placed."""
    return all(abs(at - x) > 90 or abs(foot - y) > 14 for x, y in taken)


def _bent(value: float) -> float:
    return math.asinh(value / 4)


def _bulk(sets: Sequence[np.ndarray]) -> tuple[float, float]:
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


def _range(values: Sequence[float]) -> tuple[float, float]:
    """The finite ones, with some room."""
    finite = [v for v in values if math.isfinite(v)]
    low, high = min(finite), max(finite)
    room = 0.08 * (high - low) or 0.1 * (abs(low) or 1)
    return low - room, high + room


def _median(z: np.ndarray) -> float:
    return float(np.median(z)) if len(z) else math.nan
