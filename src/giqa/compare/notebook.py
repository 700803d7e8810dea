"""What a notebook shows of a comparison: the answer first, then the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from ..metrics.jackknife import Jackknife
from ..pages.axes import number
from .answer import answer, standing_of
from .ways import SAME


def of_comparison(comparison: Any) -> str:
    """The answer, how good the sets are, a verdict a pair, and the numbers."""
    verdicts = [v.turned() if v.says == "worse" else v for v in comparison.verdicts]
    pairs = (f"{v.metric}: {v.left} against {v.right}: {v.why or words_of(v.says)}" for v in verdicts)
    rows = [(metric, [g.values.get(metric) for g in comparison.generators]) for metric in comparison.metrics]
    names = [g.name for g in comparison.generators]
    return as_html([answer(comparison), standing_of(comparison), *pairs], ("", *names), rows)


def words_of(says: str) -> str:
    """
    >>> words_of("better"), words_of("cannot be told apart")
    ('better', 'cannot be distinguished')
    """
    return "cannot be distinguished" if says == SAME else says


def as_html(said: Iterable[str], columns: Sequence[str], rows: Iterable[tuple[str, Sequence[Jackknife | None]]]) -> str:
    """Sentences, the first one bold, and a table of values with their 95 % intervals.

    >>> as_html(["A is better."], ("", "A"), [("qs", [Jackknife(-1.5)])])[:58]
    "<div><p style='margin:2px 0'><b>A is better.</b></p><table"
    """
    first, *rest = [escape(text) for text in said if text]
    lines = "".join(f"<p style='margin:2px 0'>{text}</p>" for text in (f"<b>{first}</b>", *rest))
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr><th>{escape(name)}</th>{''.join(map(_cell, values))}</tr>" for name, values in rows)
    return f"<div>{lines}<table><tr>{head}</tr>{body}</table></div>"


def _cell(estimate: Jackknife | None) -> str:
    if estimate is None:
        return "<td></td>"
    low, high = estimate.interval()
    ends = f" [{number(low)}, {number(high)}]" if low == low else ""
    return f"<td>{number(estimate.value)}{ends}</td>"
