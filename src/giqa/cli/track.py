"""`giqa track`: every metric over the iterations of a training run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from . import console
from .options import options, working, write_json


@click.command()
@click.argument("run")
@options("real")
@click.option("--metrics", help="Some of `giqa list`; default: qs, ds, fd, kd, precision, recall, density, coverage.")
@click.option(
    "--iteration",
    metavar="PATTERN",
    help="Where the iteration stands in a path, as {}: 'step_{}', '{}/samples'; * is any text within a name.",
)
@options("layers", "pictures", "json", "report", "extractor", "scorer", "match", "seed", "workers", "no_store", "quiet")
def track(run: str, out: Path | None, report: Path | None, quiet: bool, **asked: Any) -> None:
    """Follow a training run: every metric at each iteration of RUN, and the best checkpoint by each.

    RUN is a folder of folders with the iteration in their name (samples/iter_002000/, checkpoint-500/, step_1e3/), or a
    table with a column iteration, step or epoch. Where it is not clear what the iterations are, nothing is guessed:
    exit status 2, and the numbers that could be meant. On stdout a row an iteration; a star marks the best one of a
    column. Checkpoints that cannot be distinguished from it are counted, at 95 % for all metrics and checkpoints
    together; the last line says which one to use.
    """
    from ..compare.track import METRICS, answer, standing_of_best, summary_rows, write_track
    from ..compare.track import track as run_track
    from ..images.sets import plain_name

    asked["metrics"] = asked["metrics"] or METRICS
    with working(quiet, out, report) as progress:
        found = run_track(run, progress=progress, **asked)
    if report:
        write_track(report, found, plain_name(run))
    write_json(out, found.to_json())
    console.table("", ("iteration", "pictures", *found.comparison.metrics), summary_rows(found))
    texts = [*best_checkpoints(found.to_json()["best"]), standing_of_best(found), answer(found)]
    console.finish(quiet, out, report, texts=texts, then=console.see(report, "track.html"))


def best_checkpoints(best: dict[str, dict[str, Any]]) -> Iterator[str]:
    """A sentence a metric."""
    from ..compare.answer import listed
    from ..compare.track import words

    for metric, checkpoint in best.items():
        wide = checkpoint["too_wide"]
        alike = len(checkpoint["cannot_be_told_apart"]) - 1 - len(wide)
        others = f"{alike} other{'' if alike == 1 else 's'} cannot be distinguished from it" if alike else ""
        others = others or ("it is better than every other" if not wide else "it is better than the rest")
        unclear = f"; the interval of {listed([words(i) for i in wide])} is too wide to tell" if wide else ""
        yield f"{metric}: best at {words(checkpoint['iteration'])}; {others}{unclear}"
