"""A training run: every metric over its iterations, and the best checkpoint by each."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadSource
from ..features.extract import as_match, auto_match, extract, make_extractor
from ..files import replace_file
from ..images import open_source
from ..images.iterations import iterations_of
from ..pages import drawing
from ..pages.page import render
from ..types import Progress
from .compare import compare
from .page import ARROWS, FILTERS, STYLES
from .result import SAME, Comparison, Verdict

METRICS = "qs,ds,fd,kd,precision,recall,density,coverage"
WIDTH = 420  # of a chart


@dataclass(frozen=True, eq=False)
class Track:
    """The checkpoints of a run as generators of a `Comparison`, in the order of `iterations`."""

    iterations: tuple[float, ...]
    comparison: Comparison

    def line(self, metric: str) -> np.ndarray:
        """Value, low and high at every iteration, (iterations, 3), NaN where unknown."""
        rows = []
        for g in self.comparison.generators:
            estimate = g.values.get(metric)
            rows.append((estimate.value, *estimate.interval()) if estimate else (np.nan,) * 3)
        return np.array(rows)

    def best(self, metric: str) -> int | None:
        """Position of the best checkpoint; None where the metric ranks nothing or is unknown everywhere."""
        best = self.comparison.best(metric)
        return next((i for i, g in enumerate(self.comparison.generators) if g.name == best), None)

    def as_good(self, metric: str) -> list[int]:
        """Positions of checkpoints that cannot be told apart from the best one, with itself.

        By the verdicts, which hold at 95 % for all metrics and pairs of checkpoints together.
        """
        best = self.comparison.best(metric)
        if best is None:
            return []
        apart = {v.right if v.left == best else v.left for v in self._against(best, metric) if v.says != SAME}
        return [i for i, g in enumerate(self.comparison.generators) if metric in g.values and g.name not in apart]

    def _against(self, best: str, metric: str) -> list[Verdict]:
        return [v for v in self.comparison.verdicts if v.metric == metric and best in (v.left, v.right)]

    def to_json(self) -> dict[str, Any]:
        """The comparison's JSON, without the verdicts on pairs, and the best of each metric."""
        whole = self.comparison.to_json()
        del whole["verdicts"]
        best = {}
        for metric in self.comparison.metrics:
            place = self.best(metric)
            if place is not None:
                alike = [self.iterations[i] for i in self.as_good(metric)]
                best[metric] = {"iteration": self.iterations[place], "cannot_be_told_apart": alike}
        return {"iterations": list(self.iterations), "best": best, **whole}


def track(
    run: Any,
    real: Any,
    *,
    metrics: str | Sequence[str] = METRICS,
    iteration: str | None = None,
    extractor: Any = None,
    match: Any = None,
    store: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Track:
    """Compare the checkpoints of a run with the same reals.

    `run`: a folder (zip, pattern) whose pictures lie in folders with the iteration in their name, as in
    "samples/iter_002000/7.png", or a table with a column iteration, step or epoch; how they are read is told by
    `giqa.images.iterations.iterations_of`. Rows without a number, such as reals, are left out. `iteration`: where the
    number stands, as "step_{}". `options`: `layers`, `scorer`, `pictures`, `seed` of `giqa.compare.compare`. Errors:
    `BadSource` where it is not clear what the iterations are, or where there are fewer than two.
    """
    source, extractor = open_source(run), make_extractor(extractor)
    number = iterations_of(source, iteration)
    match = auto_match(real, source) if match == "auto" else as_match(match)
    reading = {"match": match, "store": store, "workers": workers, "progress": progress}
    reals = extract(real, extractor, what="reals", **reading)
    fakes = extract(source, extractor, what="run", **reading)
    if not len(reals.features) or not len(fakes.features):
        raise BadSource("None of the pictures of the reals or of the run could be read; try giqa doctor REALS RUN.")
    for what, failures in (("reals", reals.failures), ("run", fakes.failures)):
        if failures:
            name, reason = next(iter(failures.items()))
            text = f"left out of the {what}, since they could not be read: {len(failures)} (such as {name}: {reason})"
            warnings.warn(text, stacklevel=2)
    of = np.array([number.get(name, np.nan) for name in fakes.features.ids])
    iterations = tuple(float(i) for i in np.unique(of[np.isfinite(of)]))
    if len(iterations) < 2:
        raise BadSource(f"{source.name} has pictures of {len(iterations)} iterations; at least two are needed.")
    sets = {words(i): fakes.features.rows(np.flatnonzero(of == i)) for i in iterations}
    return Track(iterations, compare(reals.features, sets, metrics=metrics, progress=progress, **options))


def words(iteration: float) -> str:
    """
    >>> words(2000.0), words(0.5)
    ('2000', '0.5')
    """
    return f"{iteration:.0f}" if iteration == round(iteration) else f"{iteration:g}"


def write_track(path: str | os.PathLike[str], found: Track, title: str) -> Path:
    """One HTML file: a chart a metric with the best checkpoint marked, and the table."""
    charts, best = [], []
    names = [words(i) for i in found.iterations]
    for metric, made in found.comparison.metrics.items():
        values, low, high = found.line(metric).T
        place = found.best(metric)
        way = ARROWS[getattr(made, "is_distance", False) if getattr(made, "ranks", True) else None]
        charts.append(
            {"name": metric, "way": way, "svg": drawing.line(found.iterations, values, low, high, place, WIDTH)}
        )
        if place is not None:
            alike = [names[i] for i in found.as_good(metric) if i != place]
            best.append((metric, names[place], ", ".join(alike) or "none"))
    rows = [
        (name, len(g.scores), [g.values[m].value if m in g.values else float("nan") for m in found.comparison.metrics])
        for name, g in zip(names, found.comparison.generators, strict=True)
    ]
    page = render(
        "compare/track.html",
        STYLES,
        filters=FILTERS,
        found=found,
        title=title,
        charts=charts,
        best=best,
        rows=rows,
        metrics=list(found.comparison.metrics),
        made_by=[(k, v if isinstance(v, str) else json.dumps(v)) for k, v in found.comparison.made_by.items()],
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, page.encode("utf-8", "replace"))
    return path


def summary_rows(found: Track) -> list[list[str]]:
    """A row an iteration, a column a metric; the best one has a star."""
    best: Mapping[str, int | None] = {metric: found.best(metric) for metric in found.comparison.metrics}
    rows = []
    for place, (iteration, g) in enumerate(zip(found.iterations, found.comparison.generators, strict=True)):
        cells = [
            (f"{g.values[m].value:.4g}" if m in g.values else "") + ("*" if best[m] == place else "") for m in best
        ]
        rows.append([words(iteration), str(len(g.scores)), *cells])
    return rows
