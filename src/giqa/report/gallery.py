"""From scores to the report: the pictures, and the reals nearest to each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..explain.worst_pictures import Explained
from ..features.extracted import as_features
from ..images.sets import plain_name
from ..images.subset import Subset
from ..images.thumbnail import thumbnail, thumbnails_of
from ..model.columns import PEOPLE
from ..model.made_by import MadeBy
from ..model.model import Model
from ..model.reason import FOREIGN, UNCLEAR, content_words
from ..model.table import LONG, Scores
from ..model.trust import doubts, human_part
from ..types import Picture, Step
from .report import write_report
from .result import COLUMNS, DETAIL, FLAGS, TEXT, Neighbour, Report, Unshown

NEAREST = 5
FEW = 300  # up to so many pictures the thumbnails are twice as wide: 4 KB instead of 1.3, and sharp in the details


class Gallery:
    """Watches a scoring and remembers what the report shows: small pictures, and the nearest reals of each.

    `watch` is called with every picture as it is decoded, and `see` with every `Step`, so that nothing is read again
    for the report. Of more than 10,000 pictures only the best and the worst are shown, and which these are is known at
    the end: they are read once more.

    Parameters
    ----------
    model : Model or Realism
        What scores.
    fakes : path, array, source or features
        What is scored.
    neighbours, thumbnails : bool
        Whether the report will show them.

    Examples
    --------
    >>> import tempfile
    >>> from giqa.model.fit import fit
    >>> from giqa.model.score import score_by
    >>> rng = np.random.default_rng(0)
    >>> model, fakes = fit(rng.normal(size=(40, 3)).astype("f4"), scorer="knn"), rng.normal(size=(5, 3)).astype("f4")
    >>> gallery = Gallery(model, fakes)
    >>> scores = score_by([model.judge()], fakes, watch=gallery.watch, each=gallery.see)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     gallery.write(f"{folder}/report.html", scores).name
    'report.html'
    """

    def __init__(self, model: Any, fakes: Any, neighbours: bool = True, thumbnails: bool = True):
        self.model, self.fakes = model, fakes
        self.k = min(NEAREST, len(model.reals)) if neighbours and isinstance(model, Model) else 0
        self.size = 0 if not thumbnails or len(fakes) > LONG else 192 if len(fakes) <= FEW else 96
        self.thumbnails: dict[str, bytes] = {}
        self.rows: list[np.ndarray] = []  # (pictures, k) a step: rows of the nearest reals, -1 without a score
        self.distances: list[np.ndarray] = []

    def watch(self, name: str, picture: Picture) -> None:
        """Keep a small copy."""
        if self.size:
            self.thumbnails[name] = thumbnail(picture.pixels, self.size)

    def see(self, step: Step) -> None:
        """Remember the nearest reals of each picture."""
        if len(self.fakes) > LONG:  # `write` asks for those of the pictures that are shown
            return
        rows, distances = np.full((len(step.ids), self.k), -1, np.int32), np.zeros((len(step.ids), self.k), np.float32)
        if self.k and len(step.features):
            scored = np.array([i not in step.failures for i in step.ids])
            rows[scored], distances[scored] = self.model.neighbours(step.features, self.k)
        self.rows.append(rows)
        self.distances.append(distances)

    def write(
        self,
        path: str | Path,
        scores: Scores,
        real: Any = None,
        *,
        explained: Mapping[str, Explained] | None = None,
        **options: Any,
    ) -> Path:
        """One HTML file of the pictures that were watched.

        Parameters
        ----------
        path : path
        scores : Scores
            Of that scoring.
        real : path, array, source or None
            Where pictures of the reals are.
        explained : mapping of str to Explained, or None
            Maps of some fakes, by id.
        **options
            `store`, `workers` and `progress` of `giqa.features.Reader`; `show_reals`, `show_thumbnails` and
            `show_paths` of `write_report`.

        Returns
        -------
        Path
        """
        names = [name for name in (*COLUMNS, DETAIL, *PEOPLE, *TEXT) if name in scores.columns]
        how = {name: options.pop(name, None) for name in ("workers", "progress")}
        self.store = options.pop("store", True)
        pictures = options.get("show_thumbnails", True)
        rows = chosen_rows(scores)
        ids = [scores.id[row] for row in rows]
        near, distances = self._nearest(scores, rows, how["workers"])
        wanted = np.unique(near[near >= 0]).tolist()
        position = {row: i for i, row in enumerate(wanted)}
        shown = self.thumbnails
        if pictures and not (self.size and self.rows):
            shown = thumbnails_of(self.fakes, ids, 192 if len(ids) <= FEW else 96, **how)
        kept = (isinstance(self.model, Model) and self.model.thumbnails) or {}
        held_out = np.empty(0) if self.model.scale is None else self.model.scale.held_out
        if pictures and real is not None and not kept:
            real_ids = [self.model.reals.ids[row] for row in wanted]
            small = thumbnails_of(real, real_ids, **how)
            kept = {row: small[i] for row, i in zip(wanted, real_ids, strict=True) if i in small}
        report = Report(
            title=plain_name(self.fakes),
            ids=ids,
            columns={name: scores[name][rows] for name in names},
            flags={name: [scores[name][row] for row in rows] for name in FLAGS if name in scores.columns},
            held_out_z=self.model.scale.z(held_out) if len(held_out) else held_out,
            n_real=len(held_out),
            thumbnails=[shown.get(name) for name in ids],
            neighbours=[
                [Neighbour(position[int(r)], float(d)) for r, d in zip(*pair, strict=True) if r >= 0]
                for pair in zip(near, distances, strict=True)
            ],
            real_ids=[self.model.reals.ids[row] for row in wanted],
            real_thumbnails={position[row]: kept[row] for row in wanted if row in kept},
            made_by=scores.made_by,
            headline=scores.headline(),
            **_order(scores, rows),
            mean_p_real=scores.summary().get("mean_p_real"),
            explained={row: explained[name] for row, name in enumerate(ids) if name in explained} if explained else {},
            unshown=_unshown(scores, rows) if len(rows) < len(scores) else None,
            cautions=doubts(human_part(scores.made_by)),
        )
        return write_report(path, report, **options)

    def _nearest(self, scores: Scores, rows: np.ndarray, workers: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the nearest reals of these pictures, -1 without a score, and their distances, both (pictures, k)."""
        if self.rows:
            return np.concatenate(self.rows)[rows], np.concatenate(self.distances)[rows]
        near, distances = np.full((len(rows), self.k), -1), np.zeros((len(rows), self.k))
        scored = rows[~np.isnan(scores.score[rows])]
        if not self.k or not len(scored):
            return near, distances
        given, place = as_features(self.fakes), {scores.id[row]: i for i, row in enumerate(rows)}
        if given is not None:
            parts = [given.rows(scored)]
        else:
            reader = replace(self.model.judge().reader(), store=self.store, workers=workers)
            parts = (step.features for step in reader.steps(Subset(self.fakes, scored.tolist())))
        for part in parts:
            if len(part):
                at = [place[name] for name in part.ids]
                near[at], distances[at] = self.model.neighbours(part, self.k)
        return near, distances


def chosen_rows(scores: Scores) -> np.ndarray:
    """All rows in their order; of more than 10,000 the best 5,000, the worst 5,000 and the first 1,000 failures."""
    if len(scores) <= LONG:
        return np.arange(len(scores))
    ranked = scores.ranked()
    failed = np.flatnonzero(np.isnan(scores.score))[: LONG // 10]
    ends = ranked if len(ranked) <= LONG else np.r_[ranked[: LONG // 2], ranked[-LONG // 2 :]]
    return np.sort(np.r_[ends, failed])


def _order(scores: Scores, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The interval of each rank among all pictures, where the table says what their intervals of z share."""
    if MadeBy.from_dict(scores.made_by).shared is None:
        return {}
    return {name: ends[rows] for name, ends in zip(("rank_low", "rank_high"), scores.rank_interval(), strict=True)}


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
    columns = {name: scores[name][others] for name in COLUMNS[:3]}
    copies = sum(bool(scores.duplicate_of[row]) for row in others)
    reasons = scores.reason or [""] * len(scores)
    said = [content_words(scores.out_of_domain[row], reasons[row]) for row in others]
    foreign, unclear = said.count(FOREIGN), said.count(UNCLEAR)
    return Unshown(**columns, copies=copies, foreign=foreign, unclear=unclear, shown_are=words)


def keep_thumbnails(model: Model, real: Any, workers: int | None = None) -> dict[int, bytes]:
    """Thumbnails of the reals by row, to be kept in the model file on request."""
    kept = thumbnails_of(real, model.reals.ids, workers=workers)
    return {row: kept[i] for row, i in enumerate(model.reals.ids) if i in kept}
