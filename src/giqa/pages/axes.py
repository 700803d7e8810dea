"""Axes of charts as SVG text: from numbers to pixels, round ticks, grids; and numbers as they are written.

Nothing but shapes, classes and text: colours are those of the style sheet, so light and dark are its affair.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

FAR = 25.0  # in z: beyond it the axis is compressed
FAR_OUT = 5.0  # in distances of the quartiles: beyond it the axis is compressed


@dataclass(frozen=True)
class Axis:
    """From numbers to pixels: `low`..`high` onto `start`..`end`, through `warp`.

    Parameters
    ----------
    low, high : float
        Ends in the unit of the numbers; what lies beyond is drawn at the end.
    start, end : float
        Ends in pixels.
    warp : callable, default float
        Monotonic, applied to numbers first; `bent` compresses what is far from 0.

    Examples
    --------
    >>> Axis(0, 10, 100, 200)(2.5)
    125.0
    """

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

    Parameters
    ----------
    value : float
        Any number, also NaN or infinite.

    Returns
    -------
    str
        Text for a reader.

    Examples
    --------
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
    """Round numbers from low to high.

    Parameters
    ----------
    low, high : float
        Ends of the axis.
    most : int
        So many, or fewer.

    Returns
    -------
    list of float
        Steps of 1, 2 or 5 times a power of 10.

    Examples
    --------
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
    """A chart as one `svg` element.

    Parameters
    ----------
    width, height : int
        Pixels.
    words : str
        What a screen reader says.
    parts : sequence of str
        Shapes and texts, already escaped.

    Returns
    -------
    Markup
    """
    head = f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(words)}">'
    return Markup(head + "".join(parts) + "</svg>")


def grid_y(y: Axis, at: Sequence[float], width: int, text: Callable[[float], str], left: int = 40) -> str:
    """Horizontal lines with their numbers.

    Parameters
    ----------
    y : Axis
        The axis.
    at : sequence of float
        Where.
    width : int
        Of the chart, in pixels.
    text : callable
        Number to text.
    left : int, default 40
        Where lines begin, in pixels.
    """
    return "".join(
        f'<line class="axis" x1="{left}" x2="{width - 12}" y1="{y(t)}" y2="{y(t)}"/>'
        f'<text x="{left - 6}" y="{y(t) + 4}" text-anchor="end">{text(t)}</text>'
        for t in at
    )


def grid_x(x: Axis, at: Sequence[float], height: float) -> str:
    """Numbers below a chart.

    Parameters
    ----------
    x : Axis
        The axis.
    at : sequence of float
        Where.
    height : float
        Where the numbers stand, in pixels from the top.
    """
    return "".join(f'<text x="{x(t)}" y="{height}" text-anchor="middle">{plain(t)}</text>' for t in at)


def plain(value: float) -> str:
    """A number as short as it can be, with a true minus."""
    return (f"{value:.0f}" if value == round(value) else f"{value:g}").replace("-", "−")


def apart(x: Axis, wish: Sequence[float], least: float) -> list[float]:
    """Those of the wished ticks, the first ones first, that keep a distance.

    Parameters
    ----------
    x : Axis
        The axis.
    wish : sequence of float
        Ticks, the most wanted first.
    least : float
        Distance in pixels.
    """
    kept: list[float] = []
    for t in wish:
        if x.low <= t <= x.high and all(abs(x(t) - x(k)) >= least for k in kept):
            kept.append(t)
    return kept


def axis_of(values: Sequence[float], start: float, end: float) -> Axis:
    """An axis for all values, compressed far from 0 where they reach beyond 25.

    Parameters
    ----------
    values : sequence of float
        What it must hold; 0 is added.
    start, end : float
        Ends in pixels.
    """
    low, high = room_for([*values, 0.0])
    return Axis(low, high, start, end, bent if max(-low, high) > FAR else float)


def roomy_axis(values: Sequence[float], start: float, end: float) -> Axis:
    """An axis for all finite values with room at both ends, compressed where a few far ones would squash the rest.

    Parameters
    ----------
    values : sequence of float
        What it must hold.
    start, end : float
        Ends in pixels.

    Returns
    -------
    Axis
        Linear, unless a value lies farther than 5 times the distance of the quartiles beyond them; then it is
        asinh((value - median) / half of that distance).

    Examples
    --------
    >>> roomy_axis([1, 2, 3, 4], 0, 100).warp is float, roomy_axis([1, 2, 3, 4, 400], 0, 100).warp is float
    (True, False)
    """
    low, high = room_for(values)
    finite = sorted(v for v in values if math.isfinite(v))
    first, middle, third = (finite[round(share * (len(finite) - 1))] for share in (0.25, 0.5, 0.75))
    spread = third - first
    if not spread or max(finite[-1] - third, first - finite[0]) <= FAR_OUT * spread:
        return Axis(low, high, start, end)
    ends = [v + 0.2 * (v - middle) for v in (finite[0], finite[-1])]
    return Axis(*ends, start, end, Pressed(middle, spread / 2))


@dataclass(frozen=True)
class Pressed:
    """asinh((value - middle) / spread): as it is within the spread, as its logarithm far from it."""

    middle: float
    spread: float

    def __call__(self, value: float) -> float:
        return math.asinh((value - self.middle) / self.spread)


def roomy_marks(axis: Axis, most: int, least: float) -> list[float]:
    """Round ticks of a `roomy_axis`: `most` or fewer; of a compressed one some near the middle and some far out.

    Parameters
    ----------
    axis : Axis
        From `roomy_axis`.
    most : int
        So many on a linear axis, or fewer.
    least : float
        Distance in pixels.
    """
    if not isinstance(axis.warp, Pressed):
        return apart(axis, ticks(axis.low, axis.high, most), least)
    wish: list[float] = []
    reach = axis.warp.spread
    while axis.warp.middle - reach > axis.low or axis.warp.middle + reach < axis.high:
        wish += ticks(max(axis.low, axis.warp.middle - reach), min(axis.high, axis.warp.middle + reach), 4)
        reach *= 3
    return apart(axis, [*ticks(axis.low, axis.high, 3)[-1:], *ticks(axis.low, axis.high, 3)[:1], *wish], least)


def marks_of(axis: Axis, least: float) -> list[float]:
    """Ticks that have room next to each other.

    Parameters
    ----------
    axis : Axis
        From `axis_of`.
    least : float
        Distance in pixels.
    """
    powers = [0.0, *(s * m * 10.0**k for k in range(9) for m in (1, 3) for s in (-1, 1))]
    wish = powers if axis.warp is bent else ticks(axis.low, axis.high, 8)
    return apart(axis, wish, least)


def bent(value: float) -> float:
    """asinh(value / 4): as it is near 0, as its logarithm far from it."""
    return math.asinh(value / 4)


def room_for(values: Sequence[float]) -> tuple[float, float]:
    """Ends that hold the finite values, with 8 % of room on both sides."""
    finite = [v for v in values if math.isfinite(v)]
    low, high = min(finite), max(finite)
    room = 0.08 * (high - low) or 0.1 * (abs(low) or 1)
    return low - room, high + room
