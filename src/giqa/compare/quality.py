"""QS of a set of pictures, the only definition: the mean z of `giqa.score`, and the interval of that mean."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ..features.extracted import as_features
from ..metrics.jackknife import Jackknife
from ..metrics.metric import QUALITY, Metric
from ..metrics.quality import quality
from ..model.fit import DEFAULT_SCORER, fit
from ..model.model import Model
from ..model.table import Scores
from ..scorers.products import as_matrix
from ..stats import WORST, robust_z
from ..types import Features


@dataclass(frozen=True)
class Quality(Metric):
    """QS: mean z of the fakes under a scorer fitted on the reals, on the scale of held-out reals (GIQA, eq. 9)."""

    scorer: Any = DEFAULT_SCORER
    seed: int = 0
    about: ClassVar[str] = QUALITY
    by_size: ClassVar[bool] = False

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        fakes = as_features(as_matrix(fake))  # raises where a row is not finite: `score` would leave it out
        return self.estimate(fit(real, scorer=self.scorer, seed=self.seed), fakes).value

    def estimate(self, model: Model, fakes: Features) -> Jackknife:
        """QS and how it varies, by a model that was fitted with this scorer and seed."""
        return quality_estimate(model, fakes, model.score(fakes), self.seed)


def quality_estimate(model: Model, fakes: Features, scores: Scores, seed: int = 0) -> Jackknife:
    """QS and how it varies: without each fold of the reals, in model and scale, and from picture to picture.

    The scale is a unit, and positive: it moves QS, and the difference of two, but never its sign. So a difference is in
    the unit of these reals, and only what the model owes to them counts against it.

    Parameters
    ----------
    model : Model
    fakes : Features
        Of the pictures, in any order.
    scores : Scores
        Of the same pictures. Copies of reals are left out, as in `Scores.summary`, and so is a z that is not finite.
    seed : int
        Of the groups.

    Returns
    -------
    Jackknife
    """
    row_of = {name: row for row, name in enumerate(scores.id)}
    rows = np.array([row_of[name] for name in fakes.ids])
    copied = np.array([bool(scores.duplicate_of[row]) for row in rows])
    kept = np.flatnonzero(np.isfinite(scores.z[rows]) & ~copied)
    if not len(kept):
        return Jackknife(math.nan)
    by_fold = model.scorer.score_folds(model._matrix(fakes.rows(kept)))
    return quality_of_columns(scores.score[rows][kept], by_fold, model.scale.held_out, seed)


def quality_of_columns(score: np.ndarray, by_fold: np.ndarray, held_out: np.ndarray, seed: int = 0) -> Jackknife:
    """QS of pictures whose scores are known, under the model and without each of its folds.

    Parameters
    ----------
    score : float array (n,)
        Of pictures that count: finite, and no copies.
    by_fold : float array (n, F)
        The same without each fold of the reals; F may be 0.
    held_out : float array (reals,)
        Scores of the held-out reals.
    seed : int
        Of the groups.

    Returns
    -------
    Jackknife
    """
    if not len(score):
        return Jackknife(math.nan)
    z, folds = robust_z(score, held_out), by_fold.shape[1]
    if not folds:
        return Jackknife.of_mean(z)
    dealt = np.random.default_rng([seed, 0]).permutation(len(held_out)) % folds
    real = np.array([quality(by_fold[:, f], held_out[dealt != f]).mean_z for f in range(folds)])
    model_alone = robust_z(by_fold, held_out).mean(axis=0)
    return Jackknife.of_mean(z, real - real.mean(), model_alone - model_alone.mean())


def share_estimate(percentile: np.ndarray, reals: int) -> Jackknife:
    """Share of pictures within the range of reals, as `Scores.headline` has it, and how it varies with pictures.

    Parameters
    ----------
    percentile : float array (n,)
        Of `giqa.stats.conformal_percentile`, of pictures that copy no real; no NaN.
    reals : int
        Number of held-out reals. Of fresh reals the share is 0.95, however many these are.

    Returns
    -------
    Jackknife
        That other reals would draw another line is no part of it.
    """
    within = np.clip(np.rint(percentile * (reals + 1)) - WORST * (reals + 1), 0, 1)
    return replace(Jackknife.of_mean(within), share_of=len(within)) if len(within) else Jackknife(math.nan)
