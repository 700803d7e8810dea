"""The page of a report: its figures in words, and what its script draws."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..model.headline import LOWEST_SHOWN, Headline, headline, percents
from ..model.reason import FOREIGN, UNCLEAR, content_words
from ..pages.axes import FAR
from ..pages.drawing import bulk
from ..pages.page import render
from .result import COLUMNS, DETAIL, FLAGS, PEOPLE, TEXT, Report

REASONS_SHOWN = 100  # rows of the table of failures; the gallery shows all of them
SKETCH = 2000  # numbers that stand for the z of pictures not shown: a count from them is within 1/2000 of their number
GRADES = {"like the reals": "good", "far from the reals": "poor"}  # a colour for the first figures; else "fair"


def html_of(report: Report) -> str:
    """One self-contained page."""
    from markupsafe import Markup

    failed = np.flatnonzero(np.isnan(report.columns["score"]))
    errors = list(report.flags.get("error", ())) or [""] * len(report.ids)
    return render(
        "report/report.html",
        ["pages/page.css"],
        "report/report.js",
        title=report.title,
        data=Markup(_json(_payload(report))),
        figures=_figures(report),
        shown=len(report.ids),
        cautions=list(report.cautions),
        shown_are=report.unshown.shown_are if report.unshown else "",
        failed_shown=failed.size,
        reasons=[(report.ids[row], errors[row] or "the score is not a number") for row in failed[:REASONS_SHOWN]],
        made_by=list(_key_values(report.made_by)),
    )


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _payload(report: Report) -> dict[str, Any]:
    def text(picture: bytes | None) -> str | None:
        return base64.b64encode(picture).decode() if picture else None

    shown = {near.real for nearest in report.neighbours for near in nearest}
    z, held_out = _whole(report, "z"), np.asarray(report.held_out_z, float)
    held_out = held_out[~np.isnan(held_out)]
    rank = _ranks(_column(report, "score"), _whole(report, "score"))
    return {
        "ids": list(report.ids),
        **{name: _numbers(_column(report, name)) for name in COLUMNS},
        "detail": _numbers(_column(report, DETAIL)) if DETAIL in report.columns else None,
        "people": {name: _numbers(_column(report, name)) for name in PEOPLE} if "p_real" in report.columns else None,
        "text": {name: _numbers(_column(report, name)) for name in TEXT} if "n_text" in report.columns else None,
        "believed": not report.cautions,
        "explained": {row: [text(one.heat), one.sentence] for row, one in sorted(report.explained.items())},
        "rank": rank.tolist(),
        "order": [np.asarray(ends).tolist() for ends in (report.rank_low, report.rank_high)],
        "unshown": _sketch(report.unshown.z) if report.unshown else None,
        "flags": {
            name: {row: words for row, words in enumerate(report.flags.get(name, ())) if words and words != silent}
            for name, silent in {**dict.fromkeys(FLAGS, ""), "out_of_domain": "no"}.items()
        },
        "thumbnails": [text(picture) for picture in report.thumbnails],
        "neighbours": [
            [[near.real, _numbers([near.distance])[0]] for near in nearest] for nearest in report.neighbours
        ],
        "reals": {row: [report.real_ids[row], text(report.real_thumbnails.get(row))] for row in sorted(shown)},
        "histogram": _histogram(z[~np.isnan(z)], held_out),
        "held_out": held_out.size,
    }


def _column(report: Report, name: str) -> np.ndarray:
    return np.asarray(report.columns.get(name, np.full(len(report.ids), np.nan)), float)


def _whole(report: Report, name: str) -> np.ndarray:
    """The column of the shown pictures, then of those that are not shown."""
    return np.r_[_column(report, name), report.unshown.columns[name]] if report.unshown else _column(report, name)


def _ranks(shown: np.ndarray, every: np.ndarray) -> np.ndarray:
    """1 + how many are better, so that ties share a rank; 0 without a score."""
    ordered = np.sort(every[~np.isnan(every)])
    return np.where(np.isnan(shown), 0, 1 + ordered.size - np.searchsorted(ordered, shown, side="right"))


def _sketch(z: np.ndarray) -> dict[str, Any]:
    """How many there are, and their z in order: all of them, or evenly spaced ones with both ends."""
    ordered = np.sort(z[~np.isnan(z)])
    places = np.linspace(0, ordered.size - 1, min(ordered.size, SKETCH)).round().astype(int)
    return {"n": ordered.size, "z": _numbers(ordered[places])}


def _numbers(values: Sequence[float] | np.ndarray) -> list[float | str | None]:
    """Six significant digits; NaN is null and the infinities, which JSON lacks, are words."""
    infinite = {"inf": "inf", "-inf": "-inf", "nan": None}
    return [infinite[short] if short in infinite else float(short) for short in (f"{value:.6g}" for value in values)]


def _histogram(fakes: np.ndarray, reals: np.ndarray) -> dict[str, Any] | None:
    """Counts a bin over the range where the bulk of both lies; the rest is clipped into the end bins and counted."""
    if not fakes.size and not reals.size:
        return None
    low, high = bulk([values[np.isfinite(values)] for values in (fakes, reals)])
    bins = 32 if max(fakes.size, reals.size) < 500 else 64
    compressed = max(-low, high) > FAR  # a weak generator would squeeze the reals into one bin
    if compressed:
        edges = 4 * np.sinh(np.linspace(np.arcsinh(low / 4), np.arcsinh(high / 4), bins + 1))
    else:
        edges = np.linspace(low, high, bins + 1)
    edges[0], edges[-1] = low, high
    counts = [np.histogram(np.clip(values, low, high), edges)[0].tolist() for values in (fakes, reals)]
    outside = [int(np.sum(fakes < low)), int(np.sum(fakes > high)), int(np.sum(reals < low)), int(np.sum(reals > high))]
    return {
        "edges": _numbers(edges), "fakes": counts[0], "reals": counts[1], "outside": outside, "compressed": compressed
    }  # fmt: skip


def _figures(report: Report) -> dict[str, Any]:
    """The key figures in words, as the header and the tiles print them."""
    score, z = (_whole(report, name) for name in COLUMNS[:2])
    people, p_real = "p_real" in report.columns, _column(report, "p_real")
    copies = sum(map(bool, report.flags.get("duplicate_of", ())))
    domain = report.flags.get("out_of_domain", ())
    reasons = report.flags.get("reason") or [""] * len(domain)
    said = Counter(map(content_words, domain, reasons))
    return {
        "n": score.size,
        "scored": int(np.sum(~np.isnan(score))),
        "failed": int(np.sum(np.isnan(score))),
        "n_real": report.n_real,
        "explained": len(report.explained),
        "p_real": _mean(p_real, report.mean_p_real, _percent) if people and not report.cautions else None,
        "people": people,
        "text": "n_text" in report.columns,
        **_first(report),
        "infinite": int(np.isinf(z).sum()),
        "reasons": Counter(filter(None, report.flags.get("reason", ()))).most_common(),
        "copies": copies + (report.unshown.copies if report.unshown else 0),
        "foreign": said[FOREIGN] + (report.unshown.foreign if report.unshown else 0) if any(domain) else None,
        "unclear": said[UNCLEAR] + (report.unshown.unclear if report.unshown else 0),
    }


def _first(report: Report) -> dict[str, Any]:
    """What is said first: both shares, the verdict and why, and the median z, in words."""
    said = report.headline or _headline(report)
    z = said.median_z
    return {
        "known": said.known,
        **{name: _share(getattr(said, name)) for name in ("within", "beats")},
        "verdict": said.verdict,
        "why": said.why,
        "unsure": said.unsure,
        "grade": GRADES.get(said.standing, "fair") if said.known else "",
        "median_z": "\u2013" if z is None else f"below {_signed(LOWEST_SHOWN, 0)}" if z < LOWEST_SHOWN else _signed(z),
    }


def _headline(report: Report) -> Headline:
    copies = list(report.flags.get("duplicate_of", ())) or [""] * len(report.ids)
    rows = np.flatnonzero([not real for real in copies])
    words = list(report.flags.get("reason", ()))
    own = [words[row] for row in rows] if words else ()
    return headline(_column(report, "percentile")[rows], _column(report, "z")[rows], report.n_real, 0, own)


def _share(share: Any) -> tuple[str, str]:
    """A share in percent, and its interval."""
    number, _, interval = percents(share).partition(" [")
    return number if share.value == share.value else "\u2013", interval.rstrip("]").replace(", ", " to ")


def _mean(values: np.ndarray, said: float | None, written: Callable[[float], str]) -> str:
    """The mean that is said, else that of the known values, as it is written; a dash where there is none."""
    known = values[~np.isnan(values)]
    mean = said if said is not None else float(known.mean()) if known.size else None
    return "\u2013" if mean is None else written(mean)


def _signed(z: float, digits: int = 2) -> str:
    return f"{z:.{digits}f}".replace("-", "\u2212")


def _percent(share: float) -> str:
    near = round(100 * share, 1)  # 0.997 is 1, not 1.0 next to the 1 of 1.33
    return f"{100 * share:.1f} %" if 0 < near < 1 or 99 < near < 100 else f"{100 * share:.0f} %"


def _key_values(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _key_values(item, f"{name} \u203a {key}" if name else str(key))
    elif isinstance(value, list | tuple | set | frozenset):
        yield name, ", ".join(map(str, value))
    else:
        yield name, f"{value:.6g}" if isinstance(value, float) else str(value)
