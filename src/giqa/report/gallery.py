"""From scores to the report: the pictures, and the reals nearest to each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadImage
from ..images import open_source
from ..images.decode import decode
from ..images.folder import has_magic
from ..images.table import split_spec
from ..model.model import Model
from ..model.table import PEOPLE, Scores
from ..model.trust import doubts, human_part
from ..types import Progress, Step
from .report import COLUMNS, FLAGS, Explained, Neighbour, Report, Unshown, thumbnail, write_report

MOST = 10_000  # pictures in one report: the best and the worst half of it
NEAREST = 5
FEW = 300  # up to so many pictures the thumbnails are twice as wide: 4 KB instead of 1.3, and sharp in the details


class Gallery:
    """Watches scoring (`see` is given every `Step`) and remembers the nearest reals of each picture."""

    def __init__(self, model: Model, neighbours: bool = True):
        self.model = model
        self.neighbours = neighbours
        self.rows: list[np.ndarray] = []  # (pictures, k) a step: rows of the nearest reals, -1 without a score
        self.distances: list[np.ndarray] = []

    def see(self, step: Step) -> None:
        k = min(NEAREST, len(self.model.reals)) if self.neighbours else 0
        rows, distances = np.full((len(step.ids), k), -1, np.int32), np.zeros((len(step.ids), k), np.float32)
        if k and len(step.features):
            scored = np.array([i not in step.failures for i in step.ids])
            rows[scored], distances[scored] = self.model.neighbours(step.features, k)
        self.rows.append(rows)
        self.distances.append(distances)

    def write(
        self,
        path: str | Path,
        scores: Scores,
        fakes: Any,
        real: Any = None,
        *,
        title: str | None = None,
        explained: Mapping[str, Explained] | None = None,
        workers: int | None = None,
        progress: Progress | None = None,
        **switches: bool,
    ) -> Path:
        """One HTML file; `fakes` and `real` are where the pictures are, `switches` those of `write_report`.

        `title`: else the name of `fakes`, without the folders it lies in; `explained`: maps of some pictures, by id.
        """
        names = COLUMNS if scores.p_real is None else (*COLUMNS, *PEOPLE)
        pictures = switches.get("show_thumbnails", True)
        rows = chosen_rows(scores)
        ids = [scores.id[row] for row in rows]
        nobody = [np.empty((len(scores), 0), int)]  # a gallery that saw no scoring
        near, distances = (np.concatenate(parts or nobody)[rows] for parts in (self.rows, self.distances))
        wanted = np.unique(near[near >= 0]).tolist()
        place = {row: i for i, row in enumerate(wanted)}
        total = len(rows) + len(wanted)
        size = 192 if len(rows) <= FEW else 96
        shown = thumbnails_of(fakes, ids, workers, progress, 0, total, size) if pictures else {}
        kept = getattr(self.model, "thumbnails", None) or {}
        held_out = np.empty(0) if self.model.scale is None else self.model.scale.held_out
        if pictures and real is not None and not kept:
            real_ids = [self.model.reals.ids[row] for row in wanted]
            found = thumbnails_of(real, real_ids, workers, progress, len(rows), total)
            kept = {row: found[i] for row, i in zip(wanted, real_ids, strict=True) if i in found}
        report = Report(
            title=title or plain_name(fakes),
            ids=ids,
            columns={name: getattr(scores, name)[rows] for name in names},
            flags={name: [getattr(scores, name)[row] for row in rows] for name in FLAGS},
            held_out_z=self.model.scale.z(held_out) if len(held_out) else held_out,
            n_real=len(held_out),
            thumbnails=[shown.get(name) for name in ids],
            neighbours=[
                [Neighbour(place[int(r)], float(d)) for r, d in zip(*pair, strict=True) if r >= 0]
                for pair in zip(near, distances, strict=True)
            ],
            real_ids=[self.model.reals.ids[row] for row in wanted],
            real_thumbnails={place[row]: kept[row] for row in wanted if row in kept},
            made_by=scores.made_by,
            mean_z=scores.summary()["mean_z"],
            mean_p_real=scores.summary().get("mean_p_real"),
            explained={row: explained[name] for row, name in enumerate(ids) if name in explained} if explained else {},
            unshown=_unshown(scores, rows) if len(rows) < len(scores) else None,
            cautions=doubts(human_part(scores.made_by)),
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


def _unshown(scores: Scores, rows: np.ndarray) -> Unshown:
    """The numbers of all other rows, and words for the rows that `chosen_rows` chose."""
    others = np.setdiff1d(np.arange(len(scores)), rows)
    failed = np.isnan(scores.score)
    (scored_shown, failed_shown), (n_scored, n_failed) = (((~x).sum(), x.sum()) for x in (failed[rows], failed))
    half = scored_shown // 2
    words = "all" if scored_shown == n_scored else f"the best {half:,} and the worst {half:,} of"
    words += f" {n_scored:,}"
    if n_failed:
        first = "all" if failed_shown == n_failed else f"the first {failed_shown:,} of"
        words += f" with a score, and {first} {n_failed:,} without"
    columns = {name: getattr(scores, name)[others] for name in COLUMNS[:3]}
    copies = sum(bool(scores.duplicate_of[row]) for row in others)
    foreign = sum(scores.out_of_domain[row] == "yes" for row in others)
    return Unshown(**columns, copies=copies, foreign=foreign, shown_are=words)


def thumbnails_of(
    where: Any,
    ids: Iterable[str],
    workers: int | None,
    progress: Progress | None,
    done: int,
    total: int,
    size: int = 96,
) -> dict[str, bytes]:
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
        return name, thumbnail(pixels[:, ::-1] if mirrored else pixels, size)

    found = {}
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        for name, picture in pool.map(one, ids):
            done += 1
            if picture is not None:
                found[name] = picture
            if progress:
                progress("report", done, total)
    return found


def keep_thumbnails(model: Model, real: Any, workers: int | None = None) -> dict[int, bytes]:
    """Thumbnails of the reals by row, to be kept in the model file on request."""
    found = thumbnails_of(real, model.reals.ids, workers, None, 0, len(model.reals))
    return {row: found[i] for row, i in enumerate(model.reals.ids) if i in found}


def plain_name(where: Any) -> str:
    """What a person calls the pictures: the last part of a path with its filter, or a pattern without its folders.

    >>> [plain_name(where) for where in ("runs/7/fakes/", "set/labels.csv[kind=a/b]", "/data/runs/**/*.png")]
    ['fakes', 'labels.csv[kind=a/b]', 'runs/**/*.png']
    """
    text = str(where) if isinstance(where, (str, Path)) else getattr(where, "name", None)
    if not isinstance(text, str) or not text:
        return "pictures"
    if os.path.exists(text):
        return Path(os.path.abspath(text)).name or text
    if found := split_spec(text):
        return f"{found[0].name}[{found[1]}]"
    parts = Path(text).parts
    pattern = [i for i, part in enumerate(parts) if has_magic(part)]
    return "/".join(parts[max(0, pattern[0] - 1) if pattern else -1 :]).lstrip("/")
