"""From scores to the report: the pictures, and the reals nearest to each."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from .errors import BadImage
from .images import open_source
from .images.decode import decode
from .model import Model
from .pipeline import Progress, Step
from .report import COLUMNS, Neighbour, Report, thumbnail, write_report
from .scores import Scores

MOST = 10_000  # pictures in one report: the best and the worst half of it
NEAREST = 5


class Gallery:
    """Watches scoring (`see` is given every `Step`) and remembers the nearest reals of each picture."""

    def __init__(self, model: Model, neighbours: bool = True):
        self.model = model
        self.neighbours = neighbours
        self.near: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def see(self, step: Step) -> None:
        if self.neighbours and len(step.features):
            rows, distances = self.model.neighbours(step.features, NEAREST)
            self.near |= {i: (r, d) for i, r, d in zip(step.features.ids, rows, distances, strict=True)}

    def write(
        self,
        path: str | Path,
        scores: Scores,
        fakes: Any,
        real: Any = None,
        *,
        title: str | None = None,
        workers: int | None = None,
        progress: Progress | None = None,
        **switches: bool,
    ) -> Path:
        """One HTML file; `fakes` and `real` are where the pictures are, `switches` those of `write_report`."""
        pictures = switches.get("show_thumbnails", True)
        rows = chosen_rows(scores)
        near = [self.near.get(scores.id[row], ((), ())) for row in rows]
        wanted = sorted({int(real_row) for real_rows, _ in near for real_row in real_rows})
        place = {row: i for i, row in enumerate(wanted)}
        total = len(rows) + len(wanted)
        shown = _thumbnails(fakes, [scores.id[row] for row in rows], workers, progress, 0, total) if pictures else {}
        kept = self.model.thumbnails or {}
        if pictures and real is not None and not kept:
            real_ids = [self.model.reals.ids[row] for row in wanted]
            found = _thumbnails(real, real_ids, workers, progress, len(rows), total)
            kept = {row: found[i] for row, i in zip(wanted, real_ids, strict=True) if i in found}
        report = Report(
            title=title or f"{_name(fakes)}: {len(scores)} pictures",
            ids=[scores.id[row] for row in rows],
            columns={name: getattr(scores, name)[rows] for name in COLUMNS},
            flags={name: [getattr(scores, name)[row] for row in rows] for name in ("duplicate_of", "error", "notes")},
            held_out_z=self.model.scale.z(self.model.scale.held_out),
            n_real=len(self.model.reals),
            thumbnails=[shown.get(scores.id[row]) for row in rows],
            neighbours=[[Neighbour(place[int(r)], float(d)) for r, d in zip(*pair, strict=True)] for pair in near],
            real_ids=[self.model.reals.ids[row] for row in wanted],
            real_thumbnails={place[row]: kept[row] for row in wanted if row in kept},
            made_by=scores.made_by | ({"shown": f"{len(rows)} of {len(scores)}"} if len(rows) < len(scores) else {}),
        )
        return write_report(path, report, **switches)


def chosen_rows(scores: Scores) -> np.ndarray:
    """All rows in their order; of more than 10,000 the best 5,000, the worst 5,000 and the first 1,000 failures."""
    if len(scores) <= MOST:
        return np.arange(len(scores))
    ranked = scores.ranked()
    failed = np.flatnonzero(np.isnan(scores.score))[: MOST // 10]
    ends = ranked if len(ranked) <= MOST else np.r_[ranked[: MOST // 2], ranked[-MOST // 2 :]]
    return np.sort(np.r_[ends, failed])


def _thumbnails(where: Any, ids: Iterable[str], workers: int | None, progress: Progress | None, done: int, total: int) -> dict[str, bytes]:
    """WebP thumbnails by id, of those pictures that are there and can be read."""
    try:
        source = open_source(where)
    except ValueError:  # features, not pictures
        return {}
    index = {name: i for i, name in enumerate(source.ids)}

    def one(name: str) -> tuple[str, bytes | None]:
        mirrored = name not in index and name.endswith("#flip")
        try:
            pixels = decode(source.raw(index[name.removesuffix("#flip") if mirrored else name])).pixels
        except (BadImage, KeyError):
            return name, None
        return name, thumbnail(pixels[:, ::-1] if mirrored else pixels)

    found = {}
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        for name, picture in pool.map(one, ids):
            done += 1
            if picture is not None:
                found[name] = picture
            if progress:
                progress(done, total)
    return found


def keep_thumbnails(model: Model, real: Any, workers: int | None = None) -> dict[int, bytes]:
    """Thumbnails of the reals by row, to be kept in the model file on request."""
    found = _thumbnails(real, model.reals.ids, workers, None, 0, len(model.reals))
    return {row: found[i] for row, i in enumerate(model.reals.ids) if i in found}


def _name(where: Any) -> str:
    return Path(where).name or str(where) if isinstance(where, (str, Path)) else "pictures"
