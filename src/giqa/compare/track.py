"""A training run: every metric over its iterations, and the best checkpoint by each."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadSource
from ..features.reader import take_reader
from ..images import open_source
from ..images.iterations import iterations_of
from ..images.match import auto_match
from ..images.pictures import as_pictures
from ..pages import drawing
from ..pages.page import write_html
from .answer import NAMED, SURE, aspects, listed, round_up, standing, together
from .compare import compare
from .notebook import as_html
from .page import ARROWS, STYLES, details, numbers_of
from .result import Comparison
from .ways import SAME, way_of

METRICS = "qs,ds,fd,kd,precision,recall,density,coverage"
WIDTH = 420  # of a chart
FAR = 2  # times as far as a checkpoint that is shown to be worse


@dataclass(frozen=True, eq=False)
class Track:
    """The checkpoints of a run as generators of a comparison; `track` makes one.

    Parameters
    ----------
    iterations : tuple of float
        In increasing order.
    comparison : Comparison
        Its generators are the checkpoints, in that order.
    """

    iterations: tuple[float, ...]
    comparison: Comparison

    def __repr__(self) -> str:
        return f"<giqa.compare.Track of {len(self.iterations)} checkpoints: {answer(self)}>"

    def _repr_html_(self) -> str:
        """The checkpoint to use, how good it is, and the numbers of every checkpoint."""
        metrics = list(self.comparison.metrics)
        sets = zip(self.iterations, self.comparison.generators, strict=True)
        rows = [(words(iteration), [g.values.get(metric) for metric in metrics]) for iteration, g in sets]
        return as_html([answer(self), standing_of_best(self)], ("iteration", *metrics), rows)

    def line(self, metric: str) -> np.ndarray:
        """Value, low and high at every iteration, (iterations, 3), NaN where unknown."""
        return np.array([numbers_of(g, metric) for g in self.comparison.generators])

    def best(self, metric: str) -> int | None:
        """Position of the best checkpoint; None where the metric ranks nothing or is unknown everywhere."""
        best = self.comparison.best(metric)
        return next((i for i, g in enumerate(self.comparison.generators) if g.name == best), None)

    def as_good(self, metric: str) -> list[int]:
        """Positions of checkpoints that cannot be told apart from the best one, with itself.

        By the verdicts, which hold at 95 % for all metrics and pairs of checkpoints together. One of too few pictures
        for a verdict is as good as none.
        """
        best = self.comparison.best(metric)
        if best is None:
            return []
        verdicts = [v for v in self.comparison.verdicts if v.metric == metric and v.says != SAME]
        apart = {v.right if v.left == best else v.left for v in verdicts if best in (v.left, v.right)}
        sets = enumerate(self.comparison.generators)
        found = [(i, g.values[metric].known) for i, g in sets if metric in g.values and g.name not in apart]
        return [i for i, known in found if known] or [i for i, _ in found]

    def too_wide(self, metric: str) -> dict[int, int]:
        """Positions of those `as_good` whose value is far worse, but whose interval is too wide to show it.

        Their value is at least twice as far from the best one as that of a checkpoint that is shown to be worse.

        Returns
        -------
        dict of int to int
            Position to about how many pictures of each checkpoint would show it, if its value stays: the interval
            narrows with the root of their number.
        """
        best = self.comparison.best(metric)
        mine = {g.name: i for i, g in enumerate(self.comparison.generators)}
        of_best = [v for v in self.comparison.verdicts if v.metric == metric and best in (v.left, v.right)]
        shown = [abs(v.difference) for v in of_best if v.says != SAME]
        found = {}
        for v in of_best:
            if v.says == SAME and not v.why and shown and abs(v.difference) >= FAR * min(shown):
                found[mine[v.right if v.left == best else v.left]] = round_up(v.would_tell)
        return found

    def to_json(self) -> dict[str, Any]:
        """The comparison's JSON, without the verdicts on pairs, and the best of each metric."""
        whole = self.comparison.to_json()
        del whole["verdicts"]
        best = {}
        for metric in self.comparison.metrics:
            if (row := self.best(metric)) is not None:
                alike = [self.iterations[i] for i in self.as_good(metric)]
                wide = [self.iterations[i] for i in sorted(self.too_wide(metric))]
                best[metric] = {"iteration": self.iterations[row], "cannot_be_told_apart": alike, "too_wide": wide}
        return {"iterations": list(self.iterations), "best": best, **whole}


def track(
    run: Any,
    real: Any,
    *,
    metrics: str | Sequence[str] = METRICS,
    iteration: str | None = None,
    **options: Any,
) -> Track:
    """Compare the checkpoints of a run with the same reals.

    Parameters
    ----------
    run : path, array or source
        A folder (zip, pattern) whose pictures lie in folders with the iteration in their name, as in
        "samples/iter_002000/7.png", or a table with a column iteration, step or epoch; `giqa.images.iterations` decides
        how they are read. Rows without a number, such as reals, are left out.
    real : path, array or source
        The reals.
    metrics : str or list of str
        As of `giqa.compare.compare`.
    iteration : str or None
        Where the number stands, as "step_{}".
    **options
        `layers`, `scorer`, `pictures` and `seed` of `giqa.compare.compare`; `extractor`, `match` ("auto" too), `store`,
        `workers` and `progress` of `giqa.features.Reader`.

    Returns
    -------
    Track

    Raises
    ------
    BadSource
        Where it is not clear what the iterations are, or where there are fewer than two.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> rng = np.random.default_rng(0)
    >>> reals = rng.integers(0, 256, (24, 16, 16, 3), np.uint8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for step, low in (("iter_100", 200), ("iter_200", 0)):
    ...         Path(folder, step).mkdir()
    ...         for i in range(8):
    ...             picture = Image.fromarray(rng.integers(low, 256, (16, 16, 3), np.uint8))
    ...             picture.save(Path(folder, step, f"{i}.png"))
    ...     progress = track(folder, reals, metrics="qs", extractor="statistics", store=False)
    >>> progress.iterations, progress.best("qs")
    ((100.0, 200.0), 1)
    """
    source, real = as_pictures(open_source(run)), as_pictures(open_source(real))
    number = iterations_of(source, iteration)
    if options.get("match") == "auto":
        options["match"] = auto_match(real, source)
    reader = take_reader(options)
    reals = reader.features(real, "reals").needed("reals", warn=True)
    fakes = reader.features(source, "run").needed("pictures of the run", warn=True)
    of = np.array([number.get(name, np.nan) for name in fakes.ids])
    iterations = tuple(float(i) for i in np.unique(of[np.isfinite(of)]))
    if len(iterations) < 2:
        raise BadSource(f"{source.name} has pictures of {len(iterations)} iterations; at least two are needed.")
    sets = {words(i): fakes.rows(np.flatnonzero(of == i)) for i in iterations}
    return Track(iterations, compare(reals, sets, metrics=metrics, progress=reader.progress, **options))


def words(iteration: float) -> str:
    """
    >>> words(2000.0), words(0.5), words(123456.75)
    ('2000', '0.5', '123456.75')
    """
    return f"{iteration:.0f}" if iteration == round(iteration) else f"{iteration:.15g}"


def answer(track: Track) -> str:
    """Which checkpoint to use, in one sentence from the verdicts, which hold together at 95 %.

    The one that no other is better than, in quality or diversity (or by any metric that ranks, where neither is
    there); of several the best in the first of them, else the last. Others "cannot be distinguished" from it if no
    verdict does; where a value is far worse and only its interval is too wide, that is said.

    Parameters
    ----------
    track : Track

    Returns
    -------
    str
    """
    found, names = track.comparison, [words(i) for i in track.iterations]
    rows = {label: row for label in aspects(found) if (row := track.best(label)) is not None}
    known = {label: about for label, about in aspects(found).items() if label in rows}
    if not known:
        return "No metric of this run ranks checkpoints; see the charts."
    verdicts = [v for v in found.verdicts if v.metric in known]
    where = together(known.values(), "or")
    first = next(iter(known))
    best = f"{names[rows[first]]} has the best value {known[first]}"
    if all(v.why for v in verdicts):
        why = verdicts[0].why if verdicts else f"one checkpoint alone can be judged {where}"
        return f"Nothing can be decided: {why}. {best}."
    if all(v.says == SAME for v in verdicts):
        return f"No checkpoint is shown to be better than another {where}; {best}."
    if (use := _use(track, rows)) is None:
        each = "; ".join(f"{known[label]} {names[rows[label]]}" for label in known)
        return f"No checkpoint is best in all: {each}{SURE}."
    mine = found.generators[use].name
    of_mine = [v for v in verdicts if v.says != SAME and mine in (v.left, v.right)]
    worse = {label: {v.right if v.left == mine else v.left for v in of_mine if v.metric == label} for label in known}
    apart = set().union(*worse.values())
    wide = {names[i] for label in known for i in track.too_wide(label)}
    sets = list(zip(names, [g.name for g in found.generators], strict=True))
    judged = {name for v in verdicts if mine in (v.left, v.right) and not v.why for name in (v.left, v.right)}
    few = [name for name, own in sets if own not in judged]
    alike = [name for name, own in sets if own not in {mine, *apart} and own in judged]
    unclear, alike = [name for name in alike if name in wide], [name for name in alike if name not in wide]
    wide_ones = f"; the interval of {listed(unclear)} is too wide to tell" if unclear else ""
    wide_ones += f"; {listed(few)} cannot be judged" if few else ""
    mixed = _mixed(track, rows, known, worse)
    if alike:
        ties = f"{listed(alike)} cannot be distinguished from it {where}{SURE}{wide_ones}"
        return f"Use checkpoint {names[use]}; {ties}.{mixed}"
    over_all = [known[label] for label in known if worse[label] >= apart]
    but = f" but {listed(unclear)}" if unclear else ""
    in_what = together(over_all) if over_all else where
    rest = [about for about in known.values() if over_all and about not in over_all]
    not_shown = f", but not shown to be {together(rest, 'or')}" if rest else ""
    better = f"it is better than every other{but} {in_what}{SURE}{not_shown}{wide_ones}"
    return f"Use checkpoint {names[use]}; {better}.{mixed}"


def _mixed(track: Track, rows: Mapping[str, int], known: Mapping[str, str], worse: Mapping[str, set[str]]) -> str:
    """A sentence on each checkpoint that is best by one metric and shown to be worse than the one to use by another."""
    said = []
    for label, row in rows.items():
        lost = [known[other] for other in known if track.comparison.generators[row].name in worse[other]]
        if lost:
            said.append(
                f" {words(track.iterations[row])} has the best value {known[label]}, but is worse {together(lost)}."
            )
    return "".join(said)


def _use(track: Track, rows: Mapping[str, int]) -> int | None:
    """Of `rows`, the best by metric, the first one that is as good as any by all of them; else the last such one."""
    good = set.intersection(*(set(track.as_good(label)) for label in rows))
    return next((row for row in rows.values() if row in good), max(good)) if good else None


def standing_of_best(track: Track) -> str:
    """How good the checkpoint to use is in itself, or each best one where none is best in all."""
    rows = {label: row for label in aspects(track.comparison) if (row := track.best(label)) is not None}
    use = _use(track, rows) if rows else None
    chosen = dict.fromkeys(rows.values() if use is None else [use])
    sets = track.comparison.generators
    said = standing({f"checkpoint {words(track.iterations[row])}": sets[row].scores.headline() for row in chosen})
    return said[:1].upper() + said[1:]


def write_track(path: str | os.PathLike[str], track: Track, title: str) -> Path:
    """One HTML file: a chart a metric with the best checkpoint marked, and the table."""
    charts, best = [], []
    names = [words(i) for i in track.iterations]
    for metric, definition in track.comparison.metrics.items():
        best_row = track.best(metric)
        values, lows, highs = track.line(metric).T
        chart = drawing.line(track.iterations, values, lows, highs, best_row, WIDTH)
        charts.append({"name": metric, "way": ARROWS[way_of(definition)], "svg": chart})
        if best_row is not None:
            wide = track.too_wide(metric)
            alike = [names[i] for i in track.as_good(metric) if i != best_row and i not in wide]
            every = len(alike) == len(names) - 1 and len(alike) > NAMED
            unclear = [(names[i], n) for i, n in sorted(wide.items())]
            best.append((metric, names[best_row], "all others" if every else ", ".join(alike) or "none", unclear))
    rows = [
        (name, len(g.scores), [numbers_of(g, m)[0] for m in track.comparison.metrics])
        for name, g in zip(names, track.comparison.generators, strict=True)
    ]
    return write_html(
        path,
        "compare/track.html",
        STYLES,
        found=track,
        title=title,
        answer=answer(track),
        standing=standing_of_best(track),
        charts=charts,
        best=best,
        rows=rows,
        metrics=list(track.comparison.metrics),
        made_by=details(track.comparison.made_by),
    )


def summary_rows(track: Track) -> list[list[str]]:
    """A row an iteration, a column a metric; the best one has a star."""
    best = {metric: track.best(metric) for metric in track.comparison.metrics}
    rows = []
    for row, (iteration, g) in enumerate(zip(track.iterations, track.comparison.generators, strict=True)):
        cells = [(f"{g.values[m].value:.4g}" if m in g.values else "") + ("*" if best[m] == row else "") for m in best]
        rows.append([words(iteration), str(len(g.scores)), *cells])
    return rows
