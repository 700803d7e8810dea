"""Axes of charts as SVG text: from numbers to pixels, round ticks, grids; and numbers as they are written.

Nothing but shapes, classes and text: colours are those of the style sheet, so light and dark are its affair.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

FAR = 25.0  # beyond so many spreads the axis is compressed


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


def svg(width: int, height: int, words: str, parts: Sequence[str]) -> Markup:
    head = f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(words)}">'
    return Markup(head + "".join(parts) + "</svg>")


def grid_y(y: Axis, at: Sequence[float], width: int, text: Callable[[float], str], left: int = 40) -> str:
    return "".join(
        f'<line class="axis" x1="{left}" x2="{width - 12}" y1="{y(t)}" y2="{y(t)}"/>'
        f'<text x="{left - 6}" y="{y(t) + 4}" text-anchor="end">{text(t)}</text>'
        for t in at
    )


def grid_x(x: Axis, at: Sequence[float], height: float) -> str:
    return "".join(f'<text x="{x(t)}" y="{height}" text-anchor="middle">{plain(t)}</text>' for t in at)


def plain(value: float) -> str:
    return (f"{value:.0f}" if value == round(value) else f"{value:g}").replace("-", "−")


def apart(x: Axis, wish: Sequence[float], least: float) -> list[float]:
    """Those of the ticks, the first ones first, that keep a distance."""
    kept: list[float] = []
    for t in wish:
        if x.low <= t <= x.high and all(abs(x(t) - x(k)) >= least for k in kept):
            kept.append(t)
    return kept


def axis_of(values: Sequence[float], start: float, end: float) -> Axis:
    """Compressed far from 0 where the values reach far."""
    low, high = room_for([*values, 0.0])
    return Axis(low, high, start, end, bent if max(-low, high) > FAR else float)


def marks_of(axis: Axis, least: float) -> list[float]:
    """Ticks that have room beside each other."""
    powers = [0.0, *(s * m * 10.0**k for k in range(9) for m in (1, 3) for s in (-1, 1))]
    wish = powers if axis.warp is bent else ticks(axis.low, axis.high, 8)
    return apart(axis, wish, least)


def bent(value: float) -> float:
    return math.asinh(value / 4)


def room_for(values: Sequence[float]) -> tuple[float, float]:
    """The finite ones, with some room."""
    finite = [v for v in values if math.isfinite(v)]
    low, high = min(finite), max(finite)
    room = 0.08 * (high - low) or 0.1 * (abs(low) or 1)
    return low - room, high + room
