"""One self-contained HTML file of what the raters said: error rates, curves, agreement, best and worst pictures."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadImage, BadSource, BadSpec
from ..images import open_source
from ..images.decode import decode
from ..images.thumbnail import thumbnail
from ..pages.intervals import both_widths, curve_plot, interval_plot
from ..pages.page import write_html
from ..tables.names import join_names
from .answer import answer
from .findings import Findings, K

SHOWN = 12  # pictures at each end
MOST = 3  # tables whose sentence stands at the top; each has its own below
ROWS = 60  # of a table of pictures' strengths


def write_people_report(
    path: str | Path,
    found: Sequence[Findings],
    *,
    title: str = "Human judgements",
    pictures: Any = None,
    show_paths: bool = True,
) -> Path:
    """Write the report as one HTML file that opens offline; the file is written atomically.

    Parameters
    ----------
    path : path
        The file to write.
    found : sequence of Findings
        Of each table; see `giqa.votes.judge`.
    title : str
        Its heading.
    pictures : path, source or None
        Where the judged pictures are (anything `giqa.images.open_source` takes), by the names in the table; None: names
        are shown alone.
    show_paths : bool
        Whether pictures are named. Raters never are.

    Returns
    -------
    Path

    Raises
    ------
    BadSpec
        When there is nothing to report.
    BadSource
        When no picture has a name of the table.
    """
    if not found:
        raise BadSpec("There is nothing to report: no table of judgements was read.")
    names = [name for table in found if table.pictures is not None for name in table.pictures.image.tolist()]
    draw = _thumbnails(pictures, names)
    answers = [(table, answer(table)) for table in found]
    return write_html(
        path,
        "votes/findings.html",
        ["pages/page.css", "pages/answer.css", "pages/figures.css", "votes/findings.css"],
        title=title,
        answer=[said if len(found) == 1 else f"{table.name}: {said}" for table, said in answers[:MOST]],
        studies=[_study(table, draw, show_paths) for table in found],
        k=K,
        most=MOST,
    )


def _study(found: Findings, draw: Callable[[str], str], show_paths: bool) -> dict[str, Any]:
    rates = [(h.generator, h.error.value, h.error.low, h.error.high) for h in found.hype]
    extra = [[(h.fake_error.value, "fake"), (h.real_error.value, "real")] for h in found.hype]
    extra = [[dot for dot in dots if dot[0] == dot[0]] for dots in extra]
    columns = [] if found.strengths is None else list(vars(found.strengths).values())[:4]  # the fifth is of votes
    scale = list(zip(*(column.tolist() for column in columns), strict=True))
    if not show_paths:
        scale = [(f"picture {n}", *row[1:]) for n, row in enumerate(scale, 1)]
    guess = {"unit": "Error rate", "mark": 0.5, "mark_label": "guessing", "extra": extra}
    ranked = {"unit": "Strength", "mark": 0.0}
    plots = {
        "rates": both_widths(lambda width: interval_plot(rates, width=width, **guess)) if rates else "",
        "strengths": both_widths(lambda w: interval_plot(_ends(scale), **ranked, width=w)) if scale else "",
        "learning": _curve(found.learning, "trial of the session", "error rate"),
        "psychometric": _curve(found.psychometric, "exposure (ms)", "share of right answers", mark=0.5),
    }
    return {
        "found": found,
        "answer": answer(found),
        "plots": plots,
        "ends": _pictures(found, draw, show_paths),
        "cut": len(scale) > ROWS,
    }


def _curve(points: Sequence[Any], x_label: str, y_label: str, mark: float | None = None) -> str:
    if len(points) < 2:
        return ""
    rows = [(point.x, point.y.value, point.y.low, point.y.high) for point in points]
    return both_widths(lambda width: curve_plot(rows, x_label=x_label, y_label=y_label, mark=mark, width=width))


def _ends(rows: list[Any]) -> list[Any]:
    return rows if len(rows) <= ROWS else rows[: ROWS // 2] + rows[-ROWS // 2 :]


def _pictures(found: Findings, draw: Callable[[str], str], show_paths: bool) -> list[tuple[str, list[dict[str, str]]]]:
    """Three rows of pictures: the most and the least convincing fakes, and the reals that were doubted most."""
    table = found.pictures
    if table is None:
        return []
    rows = []
    for kind, words in (("generated", "fakes"), ("", "pictures"), ("real", "reals")):
        of = np.flatnonzero((table.kind == kind) & ~np.isnan(table.p_real))
        order = of[np.lexsort([-table.n[of], -table.p_real[of]])]
        if not len(order):
            continue
        most = SHOWN if kind == "real" else min(SHOWN, -(-len(order) // 2))  # no picture at both ends
        best, worst = order[:most], order[::-1][:most]
        if kind != "real":
            rows.append((f"Most convincing {words}", best))
        rows.append((f"{'Most doubted' if kind == 'real' else 'Least convincing'} {words}", worst))
    return [(words, [_tile(table, row, draw, show_paths) for row in shown]) for words, shown in rows]


def _tile(table: Any, row: int, draw: Callable[[str], str], show_paths: bool) -> dict[str, str]:
    """A picture with its numbers; `code`: its thumbnail as base64 WebP, or "" where it cannot be found."""
    name = str(table.image[row])
    return {
        "name": name if show_paths else "",
        "generator": str(table.generator[row]),
        "p_real": f"{100 * table.p_real[row]:.0f} %",
        "votes": f"{table.n_real[row]:g} of {table.n[row]:g}",
        "code": draw(name),
    }


def _thumbnails(pictures: Any, names: Sequence[str]) -> Callable[[str], str]:
    """A function from one of the names to its thumbnail, "" where the picture is not there or is broken."""
    if pictures is None:
        return lambda name: ""
    where = open_source(pictures)
    rows, _ = join_names(names, where.ids, "the judgements", where.name, error=BadSource)

    def draw(name: str) -> str:
        try:
            return base64.b64encode(thumbnail(decode(where.raw(rows[name])).pixels)).decode() if name in rows else ""
        except BadImage:
            return ""

    return draw
