"""A table of scores in shards: by any runner, kept while it grows, and continued where it was interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ..features.reader import cut
from ..images.pictures import plain_source
from ..model.score import Judge, failed_table, said_by, score_by
from ..model.table import Scores
from ..types import Progress, Runner, Source
from .shards import Scored, Shards, job_of


@dataclass(frozen=True)
class Scoring:
    """Scores by some judges, as work for a runner; `store` and `workers` as in `giqa.features.Reader`."""

    judges: Sequence[Judge]
    store: bool = True
    workers: int | None = None

    def __call__(self, source: Source) -> Scored:
        judges = [judge.anew() for judge in self.judges]
        scores = score_by(judges, source, store=self.store, workers=self.workers)
        return Scored(scores, [judge.seen() for judge in judges])

    def failed(self, source: Source, reason: str) -> Scored:
        judges = [judge.anew() for judge in self.judges]
        return Scored(failed_table(judges, source.ids, reason), [judge.seen() for judge in judges])


def score_in_shards(
    work: Scoring,
    source: Source,
    runner: Runner | None = None,
    keep: Path | None = None,
    progress: Progress | None = None,
) -> Scores:
    """The table that `giqa.model.score.score_by` makes, bit for bit, by shards that may be done anywhere.

    Parameters
    ----------
    work : Scoring
        Judges that have seen nothing yet.
    source : Source
        The pictures.
    runner : Runner or None
        Where the shards are done; None: here, one after the other.
    keep : path or None
        The table that is to be written in the end: shards wait in a folder `NAME.parts` next to it, and those of an
        interrupted run are taken from there. Remove the folder with `remove_kept`.
    progress : callable or None
        Called with ("score", pictures done, pictures in all) after each shard.

    Returns
    -------
    Scores
        In the order of the source.

    Examples
    --------
    >>> import numpy as np
    >>> from giqa.images import open_source
    >>> from giqa.model.fit import fit
    >>> pictures = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)
    >>> model = fit(pictures, "statistics", "knn", store=False)
    >>> source = open_source(pictures[:3])
    >>> score_in_shards(Scoring(model.judges(source), store=False), source).id
    ['0', '1', '2']
    """
    from .local import Here  # here: one picture is scored without modules for other processes

    shards = Shards(parts_of(keep), keep.suffix.lower(), job_of(source, work.judges)) if keep else None
    done = dict(shards.read()) if shards else {}
    scored = sum(map(len, done))
    if progress:
        progress("score", scored, len(source))
    left = missing(len(source), sorted(done, key=lambda rows: rows.start))
    for rows, part in (runner or Here()).run(work, plain_source(source), left) if left else ():
        if shards:
            shards.write(rows, part)
        done[rows] = part
        scored += len(rows)
        if progress:
            progress("score", scored, len(source))
    parts = [done[rows] for rows in sorted(done, key=lambda rows: rows.start)]
    judges = [judge.anew() for judge in work.judges]
    for part in parts:
        for judge, seen in zip(judges, part.seen, strict=True):
            judge.recall(seen)
    return Scores.joined([part.scores for part in parts], said_by(judges))


def missing(n: int, done: Sequence[range]) -> list[range]:
    """The rows that no shard has, in shards.

    >>> missing(10, [range(0, 4), range(5, 9)])
    [range(4, 5), range(9, 10)]
    """
    ends = [(0, 0), *((rows.start, rows.stop) for rows in done), (n, n)]
    gaps = [range(before, after) for (_, before), (after, _) in pairwise(ends)]
    return [gap[rows.start : rows.stop] for gap in gaps for rows in cut(len(gap))]


def parts_of(table: Path) -> Path:
    """The folder of the shards of a table that is not whole yet."""
    return table.with_name(f"{table.name}.parts")


def remove_kept(table: Path) -> None:
    """Once the table is written."""
    Shards(parts_of(table), table.suffix, "").remove()
