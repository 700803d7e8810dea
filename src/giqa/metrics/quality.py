"""QS and DS: how good a generator's pictures are, and how much of the reals it reaches, by a scorer of reals."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import BadShape, BadSpec
from ..registry import as_seed, as_whole, checked, make
from ..scorers.density import principal_directions
from ..scorers.products import standardiser
from ..stats import conformal_percentile, mean_z, robust_sd, robust_z, share_of_worst
from ..types import as_numbers
from .blocks import as_pair, keys
from .metric import DIVERSITY, Metric

DIRECTIONS = 64  # principal ones of the reals, at most
FEWEST = 10  # pictures that a density is fitted on
SPLITS = 5
LOG_DENSITY = "sgm(preset='released', pca=None, shrinkage=1.0)"  # one Gaussian, its covariance shrunk by OAS


@dataclass(frozen=True)
class Quality:
    """QS and what must stand next to it: a mean alone hides whether all pictures are middling or half are absurd.

    Parameters
    ----------
    mean_z, median_z : float
        In robust standard deviations of held-out reals; 0: like a typical real.
    mean_score : float
        In the unit of the scorer.
    median_percentile : float
        Above 0, at most 1.
    share_below_worst_5_percent : float
        Share of pictures with a percentile up to 0.05; 0.05 for reals.
    n : int
        Number of pictures.
    """

    mean_z: float
    mean_score: float
    median_z: float
    median_percentile: float
    share_below_worst_5_percent: float
    n: int


def quality(scores: Any, held_out: Any) -> Quality:
    """QS (GIQA, eq. 9) as the mean z of the pictures, with its companions.

    Parameters
    ----------
    scores : array-like of shape (m,)
        Scores of generated pictures.
    held_out : array-like of shape (n,)
        Scores of reals by the same scorer, which had not seen them.

    Returns
    -------
    Quality
        z by `giqa.stats.robust_z`, percentile by `giqa.stats.conformal_percentile`; z is NaN where more than half of
        the held-out scores are equal.

    Raises
    ------
    BadShape
        If there is no score of pictures or of reals.

    Examples
    --------
    >>> found = quality([-1.0, 1.0], held_out=[-1.0, 0.0, 1.0, 2.0, -2.0])
    >>> round(found.mean_z, 6), round(found.median_percentile, 6), found.n
    (0.0, 0.666667, 2)
    """
    scores, held_out = as_numbers(scores, "Scores"), as_numbers(held_out, "Held-out scores")
    if not len(scores) or not len(held_out):
        raise BadShape(f"QS needs scores of pictures and of reals, got {len(scores)} and {len(held_out)}.")
    z, percentile = robust_z(scores, held_out), conformal_percentile(scores, held_out)
    medians = float(np.median(z)), float(np.median(percentile))
    return Quality(mean_z(z), float(scores.mean()), *medians, share_of_worst(percentile), len(scores))


def quality_score(scores: Any, held_out: Any) -> float:
    """QS(G): the mean z of the pictures alone, see `quality`.

    Parameters
    ----------
    scores : array-like of shape (m,)
        Scores of generated pictures.
    held_out : array-like of shape (n,)
        Scores of reals by the same scorer, which had not seen them.

    Returns
    -------
    float
        In robust standard deviations of held-out reals; 0: like typical reals.

    Raises
    ------
    BadShape
        If there is no score of pictures or of reals.

    References
    ----------
    Gu et al., "GIQA: Generated Image Quality Assessment", 2020.

    Examples
    --------
    >>> quality_score([3.0, 3.0], held_out=[1.0, 2.0, 3.0, 4.0, 5.0])
    0.0
    """
    return quality(scores, held_out).mean_z


def diversity_score(
    real: Any, fake: Any, make: Callable[[], Any], *, splits: int = SPLITS, directions: int = DIRECTIONS, seed: int = 0
) -> float:
    """DS(G) (GIQA, eq. 10, sets exchanged): how well reals score under a model of the generated pictures.

    Mean over `splits` of: mean of (score under the fakes' model - score under the reals' model) / robust standard
    deviation of the latter, over the reals that neither model has seen.

    Parameters
    ----------
    real : array-like of shape (n, d)
        Features of reals, at least 20.
    fake : array-like of shape (m, d)
        Features of fakes, at least 10.
    make : callable
        Takes nothing and returns a scorer with `fit` and `score_samples`.
    splits : int, default 5
        Number of random halves of the reals, 1 to 16.
    directions : int, default 64
        Principal directions of the reals that are judged; at most one for every two pictures fitted.
    seed : int, default 0
        Decides on the splits.

    Returns
    -------
    float
        0: as a fresh set of reals would score; negative: part of the reals is missed.

    Raises
    ------
    BadSpec
        If `splits` is not from 1 to 16.
    BadShape
        If there are too few pictures to fit on or to judge.

    Notes
    -----
    Both models are fitted on equally many pictures, half of the reals at most. Reals are split by seeded keys of their
    own; standardisation and principal directions are those of the reals judged, which favours neither side. A
    log-density is the score to take: its mean over reals is highest for the model that is right. A distance is not: a
    model that is too wide brings every real near. `docs/generators.md` has both.

    References
    ----------
    Gu et al., "GIQA: Generated Image Quality Assessment", 2020.

    Examples
    --------
    >>> class Gauss:
    ...     def fit(self, x):
    ...         self.middle, self.variance = x.mean(axis=0), x.var(axis=0)
    ...     def score_samples(self, x):
    ...         return -((x - self.middle) ** 2 / self.variance + np.log(self.variance)).sum(axis=1)
    >>> rng = np.random.default_rng(0)
    >>> reals, fresh = rng.normal(size=(400, 3)), rng.normal(size=(200, 3))
    >>> abs(diversity_score(reals, fresh, Gauss)) < 0.2 and diversity_score(reals, fresh * 0.3, Gauss) < -1
    True
    """
    return _Halves(real, make, splits, directions, seed)(fake)


class _Halves:
    """DS of these reals, called with the fakes: what depends on the reals and the number of fakes is computed once."""

    def __init__(self, real: Any, make: Callable[[], Any], splits: int, directions: int, seed: int):
        if not callable(make):
            raise BadSpec(f"diversity_score calls make() for a new scorer, such as giqa.scorers.SGM, got {make!r:.80}.")
        self.real, self.make, self.seed = real, make, as_seed(seed)
        self.splits = as_whole(splits, "splits", 1, 16)
        self.directions = as_whole(directions, "directions")
        self.halves: dict[tuple[int, int], _Half] = {}
        self.real_keys: np.ndarray | None = None  # of the reals, for every split

    def __call__(self, fake: Any) -> float:
        real, fake = as_pair(self.real, fake)
        project = lambda split, half, rows: half.prepare(fake[rows])  # noqa: E731 - rows that are fitted
        return self._mean(real, np.arange(len(fake)), keys(fake, self.splits, self.seed), project)

    def among(self, fake: Any) -> Callable[[np.ndarray], float]:
        """DS of some of these fakes, called with their rows; all are projected once for each split and number."""
        real, fake = as_pair(self.real, fake)
        fake_keys, projected = keys(fake, self.splits, self.seed), {}

        def project(split: int, half: _Half, rows: np.ndarray) -> np.ndarray:
            if (split, half.directions) not in projected:
                projected[split, half.directions] = half.prepare(fake)
            return projected[split, half.directions][rows]

        return lambda rows: self._mean(real, rows, fake_keys, project)

    def _mean(self, real: np.ndarray, rows: np.ndarray, fake_keys: np.ndarray, project: Callable[..., Any]) -> float:
        """Over the splits; `project` takes a split, its half, and rows of the fakes."""
        found = []
        for split in range(self.splits):
            half = self._half(real, split, len(rows))
            fitted = rows[np.argsort(fake_keys[rows, split], kind="stable")[: half.n]]
            scores = _scores(self.make, project(split, half, fitted), half.judged)
            found.append(float((scores - half.scores).mean() / (robust_sd(half.scores) or np.nan)))
        return float(np.mean(found))

    def _half(self, real: np.ndarray, split: int, fakes: int) -> _Half:
        """What a split of the reals says to so many fakes."""
        if (split, fakes) not in self.halves:
            if self.real_keys is None:
                self.real_keys = keys(real, self.splits, self.seed)
            real_keys = self.real_keys[:, split]
            order = np.argsort(real_keys, kind="stable")
            half = int((real_keys < 0.5).sum())
            n = min(half, fakes)
            if n < FEWEST or len(real) - half < FEWEST:
                raise BadShape(
                    f"DS needs {FEWEST} pictures to fit on and {FEWEST} other reals to judge, got {n} of {fakes} fakes "
                    f"and {len(real) - half} of {len(real)} reals; add pictures."
                )
            directions = min(self.directions, min(len(real) // 2, fakes) // 2)  # however large a random half is
            prepare = _projection(real[order[half:]], directions)
            judged, fitted = prepare(real[order[half:]]), prepare(real[order[:n]])
            self.halves[split, fakes] = _Half(n, directions, prepare, judged, _scores(self.make, fitted, judged))
        return self.halves[split, fakes]


@dataclass(frozen=True, eq=False)
class _Half:
    """One split of the reals: `n` are fitted on, the others `judged` (k, q) and scored under a model of those."""

    n: int
    directions: int
    prepare: Callable[[np.ndarray], np.ndarray]
    judged: np.ndarray
    scores: np.ndarray


def _scores(new: Callable[[], Any], fitted: np.ndarray, judged: np.ndarray) -> np.ndarray:
    scorer = checked("scorer", new())
    scorer.fit(fitted)
    return np.asarray(scorer.score_samples(judged), float)


def _projection(matrix: np.ndarray, directions: int) -> Callable[[np.ndarray], np.ndarray]:
    """Standardise and project as these rows say, float64 (n, q)."""
    mean, sd = standardiser(matrix)
    rows = principal_directions((matrix - mean) / sd, directions)
    return lambda features: ((features - mean) / sd) @ rows.T


@dataclass(frozen=True)
class Diversity(Metric):
    """DS: how well reals score under a density of the fakes, against one of other reals (GIQA, eq. 10).

    See `diversity_score`. 0: as fresh reals would score; below 0: part of the reals is missed.

    Its interval is wide: with 64 fakes 1.3 times what it need be for fakes that miss much, 1.7 times near 0, where DS
    is as good as it can be, so that leaving pictures out changes it by its curvature alone. A bootstrap is 2.7 and 10
    times too wide, as it has pictures twice.

    Parameters
    ----------
    scorer : str, default one Gaussian, its covariance shrunk by OAS
        Spec of the scorer that is fitted on fakes and on reals.
    splits : int, default 5
        Number of random halves of the reals, 1 to 16.
    seed : int, default 0
        Decides on the splits and seeds the scorer.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> reals, fresh = rng.normal(size=(400, 3)), rng.normal(size=(200, 3))
    >>> Diversity()(reals, fresh * 0.3) < -1 < Diversity()(reals, fresh)
    True
    """

    scorer: str = LOG_DENSITY
    splits: int = 5
    seed: int = 0
    about: ClassVar[str] = DIVERSITY

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        return self.against(real)(fake)

    def against(self, real: np.ndarray) -> _Halves:
        scorer = make("scorer", self.scorer, seed=self.seed)
        return _Halves(real, lambda: deepcopy(scorer), self.splits, DIRECTIONS, self.seed)

    def among(self, real: np.ndarray, fake: np.ndarray) -> Callable[[np.ndarray], float]:
        return self.against(real).among(fake)

    def trouble(self, n: int, m: int, d: int) -> str:
        fitted = min(n // 2, m)
        return f"the densities are fitted on {fitted} pictures each" if fitted < 100 else ""
