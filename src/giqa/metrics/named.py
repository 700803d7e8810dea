"""Metrics by name, for the registry: parameters, what they are about, and when they should not be trusted.

Each is called as (real (n, d), fake (m, d)) and gives one number.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..registry import make
from .frechet import SMALLEST_SHARE, frechet_distance, frechet_infinity
from .inception import inception_score
from .kernel import cmmd, kernel_distance
from .prdc import Neighbourhoods, neighbourhoods
from .quality import diversity_score
from .vendi import vendi_score

QUALITY, DIVERSITY, BOTH, MEMORY = "quality", "diversity", "both", "memory"
ENOUGH = 1000  # pictures of each, below which neighbourhoods say little
LOG_DENSITY = "sgm(preset='released', pca=None, shrinkage=1.0)"  # one Gaussian, its covariance shrunk by OAS


class Named:
    """What every metric says of itself."""

    about: ClassVar[str] = BOTH
    is_distance: ClassVar[bool] = False  # else higher = better
    ranks: ClassVar[bool] = True  # whether more of it is better, or less of a distance
    share_of: ClassVar[str | None] = None  # "real" or "fake": it is a share of these
    by_size: ClassVar[bool] = True  # it depends on the number of fakes, so that only equally many can be compared

    def trouble(self, n: int, m: int, d: int) -> str:
        """Why not to trust it with n reals, m fakes and d columns; empty when nothing is wrong."""
        return ""


@dataclass(frozen=True)
class Diversity(Named):
    """DS: how well reals score under a density of the fakes, against one of other reals (GIQA, eq. 10)."""

    scorer: str = LOG_DENSITY
    splits: int = 5
    seed: int = 0
    about: ClassVar[str] = DIVERSITY

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        scorer = make("scorer", self.scorer, seed=self.seed)
        return diversity_score(real, fake, lambda: deepcopy(scorer), splits=self.splits, seed=self.seed)

    def trouble(self, n: int, m: int, d: int) -> str:
        fitted = min(n // 2, m)
        return f"the densities are fitted on {fitted} pictures each" if fitted < 100 else ""


@dataclass(frozen=True)
class Frechet(Named):
    """Fréchet distance of the Gaussians of both sets; FID on Inception's pooling layer."""

    is_distance: ClassVar[bool] = True

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        return frechet_distance(real, fake)

    def trouble(self, n: int, m: int, d: int) -> str:
        if min(n, m) <= d:
            return f"{min(n, m)} pictures cannot say what {d} columns have to do with each other: it is mostly bias"
        return f"biased upwards: {min(n, m)} pictures for {d} columns" if min(n, m) < 10 * d else ""


@dataclass(frozen=True)
class FrechetInfinity(Named):
    """Fréchet distance, extrapolated to infinitely many fakes."""

    points: int = 15
    seed: int = 0
    is_distance: ClassVar[bool] = True
    by_size: ClassVar[bool] = False

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        return frechet_infinity(real, fake, points=self.points, seed=self.seed)

    def trouble(self, n: int, m: int, d: int) -> str:
        few = SMALLEST_SHARE * m < 2 * d or n <= d
        return f"{m} fakes and {n} reals are too few for {d} columns: bias is no line in 1 / m there" if few else ""


@dataclass(frozen=True)
class Kernel(Named):
    """Kernel distance, unbiased; KID on Inception's pooling layer."""

    subsets: int | None = None
    size: int = 1000
    degree: int = 3
    seed: int = 0
    is_distance: ClassVar[bool] = True
    by_size: ClassVar[bool] = False

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        return kernel_distance(real, fake, subsets=self.subsets, size=self.size, degree=self.degree, seed=self.seed)


@dataclass(frozen=True)
class CMMD(Named):
    """Distance of CLIP embeddings under a Gaussian kernel, times 1000."""

    sigma: float = 10.0
    is_distance: ClassVar[bool] = True

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        return cmmd(real, fake, sigma=self.sigma)


class OfNeighbours(Named):
    """A metric read off `neighbourhoods`; `evaluate` computes those once for all that share k."""

    k: int
    field: ClassVar[str]

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        return self.read(neighbourhoods(real, fake, k=self.k))

    def read(self, found: Neighbourhoods) -> float:
        """The number itself."""
        return float(getattr(found, self.field))

    def trouble(self, n: int, m: int, d: int) -> str:
        if n != m:
            return f"{n} reals and {m} fakes are not equally many, and it depends on both"
        return f"coarse with {min(n, m)} pictures" if min(n, m) < ENOUGH else ""


@dataclass(frozen=True)
class Precision(OfNeighbours):
    """Share of fakes among the reals, by k nearest neighbours."""

    k: int = 5
    field: ClassVar[str] = "precision"
    by_size: ClassVar[bool] = False  # each fake is looked at alone
    about: ClassVar[str] = QUALITY
    share_of: ClassVar[str | None] = "fake"


@dataclass(frozen=True)
class Recall(OfNeighbours):
    """Share of reals among the fakes, by k nearest neighbours."""

    k: int = 5
    field: ClassVar[str] = "recall"
    about: ClassVar[str] = DIVERSITY
    share_of: ClassVar[str | None] = "real"


@dataclass(frozen=True)
class Density(OfNeighbours):
    """How densely fakes lie among the reals; 1 for reals."""

    k: int = 5
    field: ClassVar[str] = "density"
    by_size: ClassVar[bool] = False  # each fake is looked at alone
    about: ClassVar[str] = QUALITY


@dataclass(frozen=True)
class Coverage(OfNeighbours):
    """Share of reals with a fake in their neighbourhood."""

    k: int = 5
    field: ClassVar[str] = "coverage"
    about: ClassVar[str] = DIVERSITY
    share_of: ClassVar[str | None] = "real"


@dataclass(frozen=True)
class Authenticity(OfNeighbours):
    """Share of fakes that are farther from their nearest real than reals are from each other; near 0 for copies."""

    k: int = 1
    field: ClassVar[str] = "authenticity"
    by_size: ClassVar[bool] = False  # each fake is looked at alone
    about: ClassVar[str] = MEMORY
    ranks: ClassVar[bool] = False
    share_of: ClassVar[str | None] = "fake"


@dataclass(frozen=True)
class Vendi(Named):
    """Effective number of different pictures among the fakes; reals have no part in it."""

    about: ClassVar[str] = DIVERSITY

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        return vendi_score(fake)


@dataclass(frozen=True)
class InceptionScore(Named):
    """Inception score of the fakes' logits; reals have no part in it."""

    splits: int = 1
    seed: int = 0

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        return inception_score(fake, splits=self.splits, seed=self.seed)

    def trouble(self, n: int, m: int, d: int) -> str:
        return f"{m} pictures are too few for {d} classes" if m < 5 * d else ""


def evaluate(metrics: Sequence[Any], real: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """The number of each metric, (p,); neighbourhoods are computed once for all metrics that share k.

    >>> x = np.random.default_rng(0).normal(size=(50, 2))
    >>> evaluate([Precision(k=3), Recall(k=3)], x, x).tolist()
    [1.0, 1.0]
    """
    known: dict[int, Neighbourhoods] = {}
    found = []
    for metric in metrics:
        if isinstance(metric, OfNeighbours):
            if metric.k not in known:
                known[metric.k] = neighbourhoods(real, fake, k=metric.k)
            found.append(metric.read(known[metric.k]))
        else:
            found.append(float(metric(real, fake)))
    return np.array(found)
