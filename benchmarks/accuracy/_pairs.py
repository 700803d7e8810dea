"""Whether the pictures that people choose score higher: gan-compression-2afc, 402 pairs judged by 31 people each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from benchmarks.accuracy._scalars import SCALARS
from benchmarks.data import RECODED, Sets, View, pixels, rows_of
from benchmarks.intervals import RESAMPLES, Figure, around

FOLDER = "gan-compression-2afc"
PUBLISHED = {"BRISQUE": ("brisque", -1), "NIQE": ("niqe", -1), "hyperIQA": ("hyperiqa", 1), "UNIQUE": ("unique", 1)}


def people(view: View) -> dict[str, Figure]:
    """Agreement of scores fitted on the photographs of imagenet-sample, which are no originals of these pictures."""
    model = view.fit(view.take("imagenet-sample/labels.csv"))
    pictures = view.take(f"{FOLDER}/labels.csv", whole=True)
    return agreement(view.sets, dict(zip(pictures.ids, model.score(pictures)["z"], strict=True)))


def published(sets: Sets) -> dict[str, dict[str, Figure]]:
    """Agreement of the metrics that came with the votes, of the same pictures, and the best there can be."""
    rows = rows_of(sets.path(f"{FOLDER}/objective_metrics.csv"))
    found = {
        name: agreement(sets, {row["image"]: sign * float(row[column]) for row in rows})
        for name, (column, sign) in PUBLISHED.items()
    }
    return found | {"best possible": agreement(sets, None)}


def plain(sets: Sets) -> dict[str, dict[str, Figure]]:
    """Agreement of plain numbers of the pixels at their own size, and of `detail`, which is one of them."""
    return {name: agreement(sets, scores) for name, scores in scalars(sets).items()}


def scalars(sets: Sets) -> dict[str, dict[str, float]]:
    """name -> picture -> number."""
    source = sets.source(f"{FOLDER}/labels.csv", whole=True)
    decoded = dict(zip(source.ids, pixels(source), strict=True))
    decoded = {i: RECODED(p) for i, p in decoded.items()} if sets.recoded else decoded
    return {name: {i: number(p) for i, p in decoded.items()} for name, number in SCALARS.items()}


def agreement(sets: Sets, scores: Mapping[str, float] | None) -> dict[str, Figure]:
    """How often scores side with people, by pairs and by votes, over all pairs and those of one scene.

    pairs: share of pairs whose choice by most people scores higher (31 votes: no pair is a draw; equal scores: half).
    votes: share of the single votes that went to the picture that scores higher; people disagree, so the best is < 1.
    Interval: scenes are resampled; a pair of two scenes counts as often as both together were drawn. `scores` None:
    the best possible, which is to side with most people in each pair by itself.
    """
    return _figures(sets, lambda pairs, votes: _credit(pairs, votes, scores))


def gain(sets: Sets, scores: Mapping[str, float], others: Mapping[str, float]) -> dict[str, Figure]:
    """How much more often `scores` side with people than `others`, of the same pairs and resampled scenes."""

    def credit(pairs: Sequence[Mapping], votes: np.ndarray) -> list[np.ndarray]:
        both = (_credit(pairs, votes, one) for one in (scores, others))
        return [mine - theirs for mine, theirs in zip(*both, strict=True)]

    return _figures(sets, credit)


def _figures(sets: Sets, credit_of: Callable[..., Sequence[np.ndarray]]) -> dict[str, Figure]:
    """By pairs and by votes, over all and within a scene."""
    pairs = rows_of(sets.path(f"{FOLDER}/pairs.csv"))
    left, right = (np.array([p[side].partition("_")[0] for p in pairs]) for side in ("left", "right"))
    votes = np.array([[int(p["votes_left"]), int(p["votes_right"])] for p in pairs], float)
    figures = {}
    for name, credit in zip(("pairs", "votes"), credit_of(pairs, votes), strict=True):
        for among, kept in (("all", np.ones(len(pairs), bool)), ("within scene", left == right)):
            figures[f"people: {name}, {among}"] = _over_scenes(credit[kept], left[kept], right[kept])
    return figures


def _credit(pairs: Sequence[Mapping], votes: np.ndarray, scores: Mapping[str, float] | None) -> list[np.ndarray]:
    """What each pair counts: 1, 0 or half; and the share of its votes."""
    more = votes[:, 0] - votes[:, 1]
    sign = np.sign(more if scores is None else [scores[p["left"]] - scores[p["right"]] for p in pairs])
    return [0.5 + 0.5 * sign * np.sign(more), 0.5 + 0.5 * sign * more / votes.sum(axis=1)]


def _over_scenes(credit: np.ndarray, left: np.ndarray, right: np.ndarray) -> Figure:
    rng, scenes = np.random.default_rng(0), np.unique(np.r_[left, right])
    a, b = np.searchsorted(scenes, left), np.searchsorted(scenes, right)
    values = []
    for _ in range(RESAMPLES):
        drawn = np.bincount(rng.integers(len(scenes), size=len(scenes)), minlength=len(scenes))
        weight = np.where(a == b, drawn[a], drawn[a] * drawn[b])
        values.append(np.average(credit, weights=weight))
    return around(values, credit.mean(), len(credit))
