"""How well a model of votes does on pictures that it has not seen, compared with a constant answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..evaluate.evaluate import evaluate
from ..model.made_by import GAIN
from ..scorers.human import FEWEST
from ..stats import CLIP, Estimate, bootstrap, plain
from ..types import Features
from .votes import Judged

FOLDS = 5
RESAMPLES = 500


def held_out_figures(make: Callable[[], Any], x: Features, judged: Judged, seed: int = 0) -> dict[str, Any]:
    """Figures by name with their intervals, of p from models that had not seen a picture's group.

    Parameters
    ----------
    make : callable
        Gives a new model; the strength of its penalty is chosen anew in each fold.
    x : Features
        Of the pictures with votes.
    judged : Judged
        Their votes.
    seed : int
        Of folds and resamples.

    Returns
    -------
    dict
        `held_out`; also `calibration`, and `other_generators` where the votes name several, each judged by a model of
        the others alone. `held_out` is empty where there are too few pictures to hold some out.
    """
    folds = fold_of(judged.group, seed)
    if folds is None:
        return {"held_out": {}}
    figures, calibration = _figures(*held_out_p(make, x, judged, folds), judged, seed)
    record = {"held_out": figures, "calibration": calibration}
    names, which = np.unique(judged.generator, return_inverse=True)
    if len(names) > 1 and "" not in names and len(judged) - np.bincount(which).max() >= FEWEST:
        record["other_generators"] = _figures(*held_out_p(make, x, judged, which), judged, seed)[0]
    return record


def _figures(p: np.ndarray, constant: np.ndarray, judged: Judged, seed: int) -> tuple[dict[str, Any], list]:
    by_name = dict(zip(judged.ids.tolist(), p.tolist(), strict=True))
    found = evaluate(by_name, judged.labels, probability=True, kind=None, resamples=RESAMPLES, seed=seed)
    return plain(dict(found.figures) | nats(p, constant, judged)), plain(found.calibration)


def fold_of(groups: np.ndarray, seed: int = 0) -> np.ndarray | None:
    """Fold of each picture, groups whole: five, or as many as leave 20 pictures to learn from.

    Parameters
    ----------
    groups : array (n,)
        Pictures with one value stay together.
    seed : int
        Of the folds.

    Returns
    -------
    int array (n,) or None
        None: there are no such folds.

    Examples
    --------
    >>> np.bincount(fold_of(np.arange(100))).tolist(), len(np.unique(fold_of(np.arange(24))))
    ([20, 20, 20, 20, 20], 6)
    """
    names, which = np.unique(groups, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(names))
    for number in range(min(FOLDS, len(names)), len(names) + 1):
        folds = (order % number)[which]
        if number > 1 and len(groups) - np.bincount(folds).max() >= FEWEST:
            return folds
    return None


def held_out_p(
    make: Callable[[], Any], x: Features, judged: Judged, folds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """p of each picture from a model fitted without its fold, and the share of real votes there, both (n,)."""
    p, constant = np.empty(len(judged)), np.empty(len(judged))
    for fold in np.unique(folds):
        out = folds == fold
        p[out] = make().fit(x.rows(~out), judged.counts()[~out], groups=judged.group[~out]).p_real(x.rows(out))[0]
        constant[out] = judged.real[~out].sum() / judged.votes[~out].sum()
    return p, constant


def nats(p: np.ndarray, constant: np.ndarray, judged: Judged) -> dict[str, Estimate]:
    """Mean log-likelihood of a vote under p, under the constant answer of the other folds, and the gain.

    Intervals resample groups of pictures: those of one scene, or near copies, are no independent evidence.
    """

    def of(chance: np.ndarray) -> np.ndarray:
        chance = np.clip(chance, CLIP, 1 - CLIP)
        return judged.real * np.log(chance) + (judged.votes - judged.real) * np.log1p(-chance)

    groups = np.unique(judged.group, return_inverse=True)[1]
    columns = {"log-likelihood": of(p), "log-likelihood, constant answer": of(constant)}
    columns[GAIN] = columns["log-likelihood"] - columns["log-likelihood, constant answer"]
    return {
        name: bootstrap(lambda rows, v=values: float(v[rows].sum() / judged.votes[rows].sum()), groups)
        for name, values in columns.items()
    }
