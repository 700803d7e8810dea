"""The picker's curve: FD, QS and DS against the share that is kept, next to truncation (GIQA, Table 3)."""

from __future__ import annotations

import base64
import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadShape, BadSpec
from ..files import replace_file
from ..metrics.frechet import Frechet
from ..metrics.jackknife import Jackknife, among, jackknifed
from ..metrics.quality import Diversity
from ..pages import drawing
from ..pages.page import render
from ..stats import mean_z
from .answer import SURE, TOPICS, joined
from .page import STYLES, details
from .picker import pick

SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {"fd": Frechet(), "ds": Diversity()}
QS = "qs"
WAYS = {"fd": "lower is better", QS: "higher is better", "ds": "higher is better"}
WIDTH = 420  # of a chart


@dataclass(frozen=True, eq=False)
class Point:
    """Pictures that were kept in one way, and what the metrics say of them.

    Parameters
    ----------
    how : str
        The way.
    share : float
        Of all that was kept; of a truncated set, how far its latents were drawn to the middle.
    n : int
        How many were measured.
    values : mapping of str to Jackknife
        By metric.
    """

    how: str
    share: float
    n: int
    values: Mapping[str, Jackknife]


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

    title: str = "Picker curve"
    strips: Mapping[str, Sequence[Strip]] = field(default_factory=dict)
    tables: Sequence[tuple[str, Sequence[str], Sequence[Sequence[str]]]] = ()
    links: Sequence[tuple[str, str]] = ()
    made_by: Mapping[str, Any] = field(default_factory=dict)


def picker_curve(
    real: Any,
    fake: Any,
    scores: Any,
    z: Any,
    *,
    how: str = "picker",
    shares: Sequence[float] = SHARES,
    sample: int | None = None,
    metrics: Mapping[str, Callable[[np.ndarray, np.ndarray], float]] | None = None,
    seed: int = 0,
) -> list[Point]:
    """A `Point` for each share: the best by `scores` are kept, and some of those measured against the reals.

    Parameters
    ----------
    real : array (n, d)
        Features of the reals.
    fake : array (m, d)
        Features of the pictures that are picked from.
    scores : array (m,)
        What picks; higher = better, NaN is never picked.
    z : array (m,)
        Its mean is QS. Take another scorer's, since by that which picks QS must rise.
    how : str
        What the way of picking is called.
    shares : sequence of float
        In (0, 1].
    sample : int or None
        How many are measured at every share, equally many since FD is biased by their number. None: as many as the
        smallest share keeps. They are drawn at random, one order for all shares, so that the sets overlap as far as
        they can.
    metrics : mapping of str to callable, or None
        Functions of (real, fake); None: FD and DS.
    seed : int
        Of that order, and of the groups.

    Returns
    -------
    list of Point

    Raises
    ------
    BadShape
        When scores, z and pictures are not equally many.
    BadSpec
        When fewer are kept than are to be measured.

    Notes
    -----
    Intervals: delete-a-group jackknife over reals and over fakes, which are picked anew each time; what QS owes to the
    reals that its scale is from is no part of it.

    References
    ----------
    Gu et al., "GIQA: Generated Image Quality Assessment", 2020, Table 3.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> real, fake = rng.normal(size=(200, 2)), rng.normal(size=(200, 2))
    >>> near = -(fake**2).sum(axis=1)
    >>> whole, half = picker_curve(real, fake, near, near, shares=(1., .5))
    >>> half.values["qs"].value > whole.values["qs"].value, half.values["ds"].value < whole.values["ds"].value, half.n
    (True, True, 100)
    """
    real, fake = np.asarray(real), np.asarray(fake)
    scores, z = np.asarray(scores, float).ravel(), np.asarray(z, float).ravel()
    if not len(fake) == len(scores) == len(z):
        raise BadShape(f"Each picture needs a score and a z: {len(fake)} pictures, {len(scores)}, {len(z)}.")
    fewest = min(len(pick(scores, keep=share)) for share in shares) if len(shares) else 0
    sample = fewest if sample is None else sample
    if not 1 <= sample <= fewest:
        raise BadSpec(f"The smallest share keeps {fewest} pictures; {sample} of them cannot be measured.")
    metrics, order = METRICS if metrics is None else metrics, np.random.default_rng(seed).permutation(len(fake))
    known: dict[bytes, list[Callable[[np.ndarray], float]]] = {}  # the metrics of all reals, and without each group
    points = []
    for share in shares:

        def values(reals: np.ndarray, fakes: np.ndarray, share: float = share) -> list[float]:
            rows = fakes[:, 0].astype(int)
            rows = drawn(scores, rows, share, round(sample * len(rows) / len(fake)), order)
            if (key := reals.tobytes()) not in known:
                known[key] = [among(metric, real[reals[:, 0].astype(int)], fake) for metric in metrics.values()]
            return [mean_z(z[rows]), *(metric(rows) for metric in known[key])]

        numbers = (np.arange(len(x), dtype=np.float64)[:, None] for x in (real, fake))
        estimates = jackknifed(values, *numbers, most=max(len(real), len(fake)), seed=seed)
        by_name = dict(zip((QS, *metrics), estimates, strict=True))
        by_name = {name: by_name[name] for name in sorted(by_name, key=lambda n: (n != "fd", n != QS))}
        points.append(Point(how, float(share), sample, by_name))
    return points


def drawn(scores: np.ndarray, rows: np.ndarray, share: float, sample: int, order: np.ndarray) -> np.ndarray:
    """Of `rows` the best share, and of those the `sample` that come first in `order`, a rank (m,) of each picture.

    >>> drawn(np.array([3., 1., 2., 4.]), np.array([0, 1, 2, 3]), 0.75, 2, np.array([3, 0, 1, 2])).tolist()
    [2, 3]
    """
    kept = rows[pick(scores[rows], keep=share)]
    return kept[np.argsort(order[kept])][:sample]


def truncated_curve(
    real: Any, sets: Mapping[float, tuple[Any, Any]], sample: int | None = None, how: str = "truncation", **options: Any
) -> list[Point]:
    """A `Point` for each truncation; nothing is picked.

    Parameters
    ----------
    real : array (n, d)
        Features of the reals.
    sets : mapping of float to (array (m, d), array (m,))
        By truncation the pictures made with it, and their z.
    sample : int or None
        How many of every set are measured; None: as many as the smallest has.
    how : str
        What it is called.
    **options
        Of `picker_curve`.

    Returns
    -------
    list of Point
    """
    fewest = min((len(fake) for fake, _ in sets.values()), default=0)
    points = []
    for truncation, (fake, z) in sorted(sets.items(), reverse=True):
        every = np.zeros(len(fake))
        (point,) = picker_curve(real, fake, every, z, shares=(1.0,), sample=sample or fewest, **options)
        points.append(Point(how, float(truncation), point.n, point.values))
    return points


def latent_scores(latents: Any) -> np.ndarray:
    """How near each latent (m, d) is to the middle of them, (m,): minus its distance to the mean.

    >>> latent_scores(np.array([[0., 0.], [3., 4.], [-3., -4.]])).tolist()
    [-0.0, -5.0, -5.0]
    """
    latents = np.asarray(latents, float)
    if latents.ndim != 2 or not np.isfinite(latents).all():
        raise BadShape(f"Latents are finite numbers (n, d), a row a picture; got the shape {latents.shape}.")
    return -np.linalg.norm(latents - latents.mean(axis=0), axis=1)


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
        table.writerows({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)
        content = text.getvalue()
    elif path.suffix.lower() == ".html":
        content = page(points, notes, Extras(**more))
    else:
        raise BadSpec(f"A curve is written as .csv or .html, got {path.name!r}.")
    return replace_file(path, content)


def page(points: Sequence[Point], notes: Sequence[str], extras: Extras) -> str:
    """The page of a curve as HTML text."""
    hows = list(dict.fromkeys(point.how for point in points))
    charts = charts_of(points)
    return render(
        "compare/picker_curve.html",
        STYLES,
        answer=answer(points, picked_by_qs(extras.made_by)),
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

    Both are picked from the same pictures, so differences are those of the same groups; they hold together at 95 %
    (Bonferroni).

    Parameters
    ----------
    points : sequence of Point
        Of the first way only; truncated sets are other pictures.
    without_qs : bool, default False
        Say nothing of QS: it is measured by the scorer that picks.

    Returns
    -------
    str
    """
    if not points:
        return "Nothing was measured."
    own = sorted((p for p in points if p.how == points[0].how), key=lambda p: p.share)
    few, whole = own[0], own[-1]
    if few.share == whole.share:
        return f"Only one share ({100 * whole.share:g} %) was measured: nothing to compare it with."
    keeping = f"Keeping the best {100 * few.share:g} %"
    says = {name: _gain(name, few, whole) for name in few.values if name in WAYS and not (without_qs and name == "qs")}
    found = {
        kind: [TOPICS.get(n, n.upper()) for n, said in says.items() if said == kind] for kind in set(says.values())
    }
    if "unknown" in found:
        return f"{keeping}: nothing can be said; {few.n} pictures are too few."
    parts = [f"{verb} {joined(found[verb])}" for verb in ("improves", "worsens") if verb in found]
    if not parts:
        return f"{keeping} changes nothing that can be shown in {joined(found['same'], 'or')}."
    rest = f"; no difference is shown in {joined(found['same'])}" if "same" in found else ""
    return f"{keeping} {joined(parts)}{SURE}{rest}."


def _gain(name: str, few: Point, whole: Point) -> str:
    """What the smaller share does to a metric: the jackknife of the difference, the same groups left out of both."""
    a, b = few.values[name], whole.values[name]
    if len(a.real) != len(b.real) or len(a.fake) != len(b.fake):
        return "unknown"
    gap = Jackknife(a.value - b.value, a.real - b.real, a.fake - b.fake, n=few.n)
    low, high = gap.interval(1 - 0.05 / len(few.values))
    if not math.isfinite(low):
        return "unknown"
    up = WAYS[name].startswith("higher")
    return "same" if low <= 0 <= high else "improves" if (low > 0) == up else "worsens"


def charts_of(points: Sequence[Point]) -> list[tuple[str, str, str]]:
    """Of each metric its name, which way is better, and a chart of all lines as SVG."""
    charts = []
    for name in dict.fromkeys(name for point in points for name in point.values):
        lines = {}
        for how in dict.fromkeys(point.how for point in points):
            own = [p for p in points if p.how == how and name in p.values]
            lines[how] = [(p.share, p.values[name].value, *p.values[name].interval()) for p in own]
        charts.append((name.upper(), WAYS.get(name, ""), drawing.lines(lines, WIDTH)))
    return charts
