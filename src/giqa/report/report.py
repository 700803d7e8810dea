"""One self-contained HTML file: how the pictures compare with real ones, best to worst, and how that was measured."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadShape, BadSpec
from ..explain.worst_pictures import Explained
from ..files import replace_file
from ..model.headline import LOWEST_SHOWN, Headline, headline, percents
from ..model.reason import FOREIGN, UNCLEAR, content_words
from ..pages.axes import FAR
from ..pages.drawing import bulk
from ..pages.page import render

COLUMNS = ("score", "z", "percentile", "z_low", "z_high")
PEOPLE = ("p_real", "p_real_low", "p_real_high")  # where a human model was asked
DETAIL = "detail"  # where the model knows it of its reals
TEXT = ("text_quality", "text_quality_low", "text_quality_high", "n_text", "text_error")  # where text was looked for
FLAGS = ("duplicate_of", "out_of_domain", "error", "notes", "reason", "text_box", "text_read")
WORDS = ("out_of_domain", "reason", "text_box")  # of FLAGS: a few fixed words, or numbers
REASONS_SHOWN = 100  # rows of the table of failures; the gallery shows all of them
SKETCH = 2000  # numbers that stand for the z of pictures not shown: a count from them is within 1/2000 of their number
GRADES = {"like the reals": "good", "far from the reals": "poor"}  # a colour for the first figures; else "fair"
A_REAL = "a real picture"
HIDDEN = "…"


@dataclass(frozen=True)
class Neighbour:
    """A real picture near a scored one: its row in `Report.real_ids`, and how far away it is."""

    real: int
    distance: float


@dataclass(frozen=True)
class Unshown:
    """The pictures of the set that are not in the gallery, but count in the figures, the chart and the ranks.

    Parameters
    ----------
    score, z, percentile : float64 array (m,)
        NaN where failed.
    copies : int
        How many of them copy a real.
    foreign, unclear : int
        How many are out of domain, and of how many that cannot be said since they look damaged.
    shown_are : str
        Which are shown, in words.
    """

    score: np.ndarray
    z: np.ndarray
    percentile: np.ndarray
    copies: int = 0
    foreign: int = 0
    unclear: int = 0
    shown_are: str = ""

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """The numbers by name, as in `Report`."""
        return {"score": self.score, "z": self.z, "percentile": self.percentile}


@dataclass(frozen=True)
class Report:
    """What the report shows of n scored pictures; a sequence has an item a picture, or is empty.

    Parameters
    ----------
    title : str
        Of the page.
    ids : sequence of n str
        The pictures' names.
    columns : mapping of str to float64 array (n,)
        `score`, and of `COLUMNS`, `PEOPLE`, `DETAIL` and `TEXT` what is known; NaN where failed.
    n_real : int
        How many reals they are compared with.
    flags : mapping of str to sequence of str
        Of `FLAGS`: a text a picture, "" = none (`out_of_domain` is "yes" or "no", and says nothing where all are
        empty).
    held_out_z : float array (m,)
        z of the held-out reals.
    thumbnails : sequence of bytes or None
        What `giqa.images.thumbnail.thumbnail` makes.
    neighbours : sequence of sequences of Neighbour
        The nearest reals of each.
    real_ids : sequence of str
        Names of the reals that neighbours point to.
    real_thumbnails : mapping of int to bytes
        By their rows.
    made_by : mapping
        How the scores were made: anything that JSON can say.
    headline : Headline or None
        Of the whole set; None: that of the columns.
    mean_p_real : float or None
        Of the whole set; None: the mean of the column.
    rank_low, rank_high : int array (n,)
        Interval of the rank of each in the whole set, or empty.
    explained : mapping of int to Explained
        Maps by row.
    unshown : Unshown or None
        The pictures that count and are not shown.
    cautions : sequence of str
        Why p_real should not be believed; it is then next to each picture, and no headline.

    Examples
    --------
    >>> report = Report("fakes", ["a.png", "b.png"], {name: np.array([0.5, -3.0]) for name in COLUMNS}, n_real=100)
    >>> len(report.ids), report.flags
    (2, {})
    """

    title: str
    ids: Sequence[str]
    columns: Mapping[str, np.ndarray]
    n_real: int
    flags: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    held_out_z: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0))
    thumbnails: Sequence[bytes | None] = ()
    neighbours: Sequence[Sequence[Neighbour]] = ()
    real_ids: Sequence[str] = ()
    real_thumbnails: Mapping[int, bytes] = dataclasses.field(default_factory=dict)
    made_by: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    headline: Headline | None = None
    mean_p_real: float | None = None  # of the whole set, if more than the mean of the column is to be said
    rank_low: Sequence[int] | np.ndarray = ()
    rank_high: Sequence[int] | np.ndarray = ()
    explained: Mapping[int, Explained] = dataclasses.field(default_factory=dict)  # by row
    unshown: Unshown | None = None
    cautions: Sequence[str] = ()  # why p_real should not be believed; it is then next to each picture, and no headline


def write_report(
    path: str | os.PathLike[str],
    report: Report,
    *,
    show_reals: bool = True,
    show_thumbnails: bool = True,
    show_paths: bool = True,
) -> Path:
    """Write a report as one HTML file that opens offline, atomically.

    Parameters
    ----------
    path : path
        Its folder is made where it is not there.
    report : Report
    show_reals : bool
        False keeps every id, picture and distance of a real out of the file.
    show_thumbnails : bool
        False keeps every picture out of it.
    show_paths : bool
        False keeps every id (its row number stands instead) and every path out of it.

    Returns
    -------
    Path

    Raises
    ------
    BadShape
        When columns, flags or neighbours do not fit the ids.

    Examples
    --------
    >>> import tempfile
    >>> report = Report("fakes", ["a.png", "b.png"], {name: np.array([0.5, -3.0]) for name in COLUMNS}, n_real=100)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     "a.png" in write_report(f"{folder}/report.html", report, show_paths=False).read_text()
    False
    """
    _check(report)
    report = _cleared(report, show_reals, show_thumbnails, show_paths)
    return replace_file(path, _html(report))


def _check(report: Report) -> None:
    if not isinstance(report, Report):
        raise BadSpec(f"A giqa.report.Report is written, got {report!r:.80}.")
    n = len(report.ids)
    ranks = {"rank_low": report.rank_low, "rank_high": report.rank_high}
    pictures = {"thumbnails": report.thumbnails, "neighbours": report.neighbours}
    parts = {**report.columns, **report.flags, **ranks, **pictures}
    for name, values in parts.items():
        if len(values) != n and (len(values) or name in COLUMNS):
            raise BadShape(f"the report has {n} ids but {len(values)} {name}; give one for each picture")
    if "score" not in report.columns:
        raise BadShape(f"the report needs a column 'score', got {sorted(report.columns)}")
    if report.unshown and len(set(map(len, report.unshown.columns.values()))) > 1:
        raise BadShape("the columns of the pictures that are not shown differ in length")
    rows = {near.real for nearest in report.neighbours for near in nearest}
    if rows and not 0 <= min(rows) <= max(rows) < len(report.real_ids):
        raise BadShape(f"neighbours name real rows {min(rows)} to {max(rows)}, but there are {len(report.real_ids)}")


# --- what may not leave this machine


def _cleared(report: Report, show_reals: bool, show_thumbnails: bool, show_paths: bool) -> Report:
    """The report without what is hidden; everything after this sees only the result."""
    copies = report.flags.get("duplicate_of", ())
    names: dict[str, str] = {}  # what is said instead of a name
    if not show_reals:
        names |= dict.fromkeys({*report.real_ids, *copies} - {"", *report.ids}, A_REAL)
    elif not show_paths:
        names |= {name: f"real {row}" for row, name in enumerate(report.real_ids, 1)}
    if not (show_paths and show_reals):
        copy_names = {name: A_REAL if not show_reals else names.get(name, A_REAL) for name in set(copies)}
        if not show_paths:
            names |= {name: f"row {row}" for row, name in enumerate(report.ids, 1)}
        clean = _cleaner(names, hide_paths=not show_paths)
        spoken = [name for name in report.flags if name not in WORDS]  # "yes" is not the name of a picture there
        flags = {**report.flags, **{name: [clean(text) for text in report.flags[name]] for name in spoken}}
        if len(copies):
            flags["duplicate_of"] = [copy_names[text] if text else "" for text in copies]
        made_by = {key: _counts_alone(key, value) for key, value in report.made_by.items()}
        made_by = _each_text(made_by, lambda text: clean(_hidden_path(text) if not show_paths else text))
        report = dataclasses.replace(report, title=clean(report.title), flags=flags, made_by=made_by)
    if not show_paths:
        ids = [f"row {row}" for row in range(1, len(report.ids) + 1)]
        reals = [f"real {row}" for row in range(1, len(report.real_ids) + 1)]
        report = dataclasses.replace(report, ids=ids, real_ids=reals)
    if not show_thumbnails:
        words = {row: Explained(None, one.sentence) for row, one in report.explained.items()}
        report = dataclasses.replace(report, thumbnails=(), real_thumbnails={}, explained=words)
    if not show_reals:
        report = dataclasses.replace(report, neighbours=(), real_ids=(), real_thumbnails={})
    return report


def _counts_alone(key: str, value: Any) -> Any:
    """What `made_by` says of the reals themselves, without names of reals or of their groups."""
    if key not in ("twins", "strays", "groups") or not isinstance(value, Mapping):
        return value
    return {inner: item for inner, item in value.items() if inner not in ("ids", "of")}


_QUOTED_PATH = re.compile(r"""(['"])[^'"]*[/\\][^'"]*\1""")
_ENDS = "png|jpe?g|webp|bmp|gif|tiff?|np[yz]|zip|tar|csv|jsonl?|parquet|giqa|onnx|pth?|safetensors"
_FILE = rf"[^\s'\"(=,;/\\]+\.(?:{_ENDS})\b"
_PATH = re.compile(rf"""[^\s'"(=,;]*[/\\][^\s'"),;]*|{_FILE}""", re.IGNORECASE)


def _hidden_path(text: str) -> str:
    """A text that is nothing but a path, which may hold spaces, goes whole."""
    return HIDDEN if re.search(r"[/\\]", text) and not re.search(r"""['"(]""", text) else text


def _cleaner(names: Mapping[str, str], hide_paths: bool) -> Callable[[str], str]:
    """A function from a text to the same text without `names` and, if asked, without whatever looks like a path."""
    spoken = sorted((name for name in names if re.search(r"[^\W\d_]", name)), key=len, reverse=True)
    known: dict[str, str] = {"": ""}

    def clean(text: str) -> str:
        if text not in known:
            result = text
            for name in spoken:
                if name in result:
                    result = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", names[name], result)
            if hide_paths:
                result = _QUOTED_PATH.sub(HIDDEN, result)
                spots = [found.span() for found in _PATH.finditer(result)]
                result = result[: spots[0][0]] + HIDDEN + result[spots[-1][1] :] if spots else result
            known[text] = result
        return known[text]

    return clean


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return {change(str(key)): _each_text(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_each_text(item, change) for item in value]
    return change(str(value)) if isinstance(value, str | os.PathLike) else value


# --- what the page shows


def _html(report: Report) -> str:
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
    exact = 100 * share
    return f"{exact:.1f} %" if 0 < exact < 1 or 99 < exact < 100 else f"{exact:.0f} %"


def _key_values(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _key_values(item, f"{name} \u203a {key}" if name else str(key))
    elif isinstance(value, list | tuple | set | frozenset):
        yield name, ", ".join(map(str, value))
    else:
        yield name, f"{value:.6g}" if isinstance(value, float) else str(value)
