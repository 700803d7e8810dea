"""Plots of values with their intervals as SVG text, a row a name or along a scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

from .axes import Axis, apart, svg, ticks

WIDTH = 720
ROW = 24
NARROW = 340  # on a telephone


def both_widths(draw: Callable[[int], Markup]) -> Markup:
    """A chart twice: as wide as a page, and for a telephone; the style sheet shows one of them."""
    wide, narrow = draw(WIDTH), draw(NARROW)
    return Markup(f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>') if wide else Markup("")


def interval_plot(
    rows: Sequence[tuple[str, float, float, float]],
    *,
    unit: str = "",
    mark: float | None = None,
    mark_label: str = "",
    extra: Sequence[Sequence[tuple[float, str]]] = (),
    width: int = WIDTH,
) -> Markup:
    """One line for each row: a name, a dot, and its interval.

    Parameters
    ----------
    rows : sequence of (name, value, low, high)
        Rows whose value is NaN are left out.
    unit : str, default ""
        What the values are, for a screen reader.
    mark : float or None, default None
        A value that means something, drawn as a dashed line.
    mark_label : str, default ""
        Written below the dashed line.
    extra : sequence of sequence of (value, class), default ()
        For each row, further values and the class of the style sheet that they are drawn in.
    width : int, default 720
        Pixels.

    Returns
    -------
    Markup

    Examples
    --------
    >>> interval_plot([("gan", 0.4, 0.3, 0.5)], mark=0.5).count('class="whisker"')
    1
    """
    rows = [row for row in rows if row[1] == row[1]]
    numbers = [n for row in rows for n in row[1:] if n == n] + [value for dots in extra for value, _ in dots]
    low, high, at = _scale([*numbers, *([mark] if mark is not None else [])])
    left, height = min(0.36 * width, 20 + 7 * max((len(row[0]) for row in rows), default=0)), ROW * len(rows) + 46
    x, parts, letters = Axis(low, high, left, width - 30), [], int((left - 10) / 7)
    for tick in apart(x, at, 40):
        parts.append(f'<line class="axis" x1="{x(tick)}" x2="{x(tick)}" y1="4" y2="{height - 40}"/>')
        parts.append(f'<text x="{x(tick)}" y="{height - 24}" text-anchor="middle">{tick:g}</text>')
    if mark is not None:
        parts.append(f'<line class="cut" x1="{x(mark)}" x2="{x(mark)}" y1="4" y2="{height - 40}"/>')
        if mark_label:
            half = 3.7 * len(mark_label)  # about; the words stay within the chart
            middle = min(max(x(mark), half), width - half)
            parts.append(f'<text x="{middle:g}" y="{height - 5}" text-anchor="middle">{escape(mark_label)}</text>')
    for number, (name, value, lower, upper) in enumerate(rows):
        y, short = 4 + ROW * number + ROW / 2, name if len(name) <= letters else "…" + name[1 - letters :]
        parts.append(f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{escape(short)}</text>')
        for other, kind in extra[number] if number < len(extra) else ():
            parts.append(f'<circle class="{escape(kind)}" cx="{x(other)}" cy="{y}" r="3"/>')
        if lower == lower:
            parts.append(f'<line class="whisker" x1="{x(lower)}" x2="{x(upper)}" y1="{y}" y2="{y}"/>')
        words = f"{value:.3f}" + (f" [{lower:.3f}, {upper:.3f}]" if lower == lower else "")
        parts.append(f'<circle class="dot" cx="{x(value)}" cy="{y}" r="5"><title>{words}</title></circle>')
    return svg(width, height, _words(unit, [row[:2] for row in rows]), parts)


def curve_plot(
    points: Sequence[tuple[float, float, float, float]],
    *,
    x_label: str,
    y_label: str,
    mark: float | None = None,
    width: int = WIDTH,
) -> Markup:
    """A line through points with their intervals.

    Parameters
    ----------
    points : sequence of (x, value, low, high)
        Points whose value is NaN are left out.
    x_label, y_label : str
        What the axes are.
    mark : float or None, default None
        A height that means something, drawn as a dashed line.
    width : int, default 720
        Pixels.

    Returns
    -------
    Markup

    Examples
    --------
    >>> curve_plot([(1, 0.5, 0.4, 0.6), (2, 0.3, 0.2, 0.4)], x_label="trial", y_label="error").count("<circle")
    2
    """
    points = [point for point in points if point[1] == point[1]]
    heights = [n for point in points for n in point[1:] if n == n] + ([mark] if mark is not None else [])
    low, high, at = _scale(heights)
    start, end, steps = _scale([point[0] for point in points])
    height, parts = 280, []
    x, y = Axis(start, end, 60, width - 30), Axis(low, high, height - 50, 20)
    for tick in at:
        parts.append(f'<line class="axis" x1="60" x2="{width - 30}" y1="{y(tick)}" y2="{y(tick)}"/>')
        parts.append(f'<text x="52" y="{y(tick) + 4}" text-anchor="end">{tick:g}</text>')
    parts += [f'<text x="{x(t)}" y="{height - 32}" text-anchor="middle">{t:g}</text>' for t in apart(x, steps, 40)]
    parts.append(f'<text x="{width / 2}" y="{height - 10}" text-anchor="middle">{escape(x_label)}</text>')
    parts.append(f'<text x="60" y="12">{escape(y_label)}</text>')
    if mark is not None:
        parts.append(f'<line class="cut" x1="60" x2="{width - 30}" y1="{y(mark)}" y2="{y(mark)}"/>')
    path = " ".join(f"{'M' if k == 0 else 'L'}{x(p[0])},{y(p[1])}" for k, p in enumerate(points))
    parts.append(f'<path class="curve" d="{path}"/>')
    for px, value, lower, upper in points:
        if lower == lower:
            parts.append(f'<line class="whisker" x1="{x(px)}" x2="{x(px)}" y1="{y(lower)}" y2="{y(upper)}"/>')
        parts.append(
            f'<circle class="dot" cx="{x(px)}" cy="{y(value)}" r="5"><title>{px:g}: {value:.3f}</title></circle>'
        )
    values = [(f"{p[0]:g}:", p[1]) for p in points]
    return svg(width, height, _words(f"{y_label} by {x_label}", values), parts)


def _scale(values: Sequence[float]) -> tuple[float, float, list[float]]:
    """Both ends and round ticks in between: the ends are ticks too."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    marks = ticks(low, high, 6)
    step = round(marks[1] - marks[0], 12) if len(marks) > 1 else high - low
    low, high = (round(n * step, 12) for n in (math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)))
    return low, high, ticks(low, high, 8)


def _words(head: str, values: Sequence[tuple[str, float]]) -> str:
    return f"{head}: " + "; ".join(f"{name} {value:.3f}" for name, value in values)
