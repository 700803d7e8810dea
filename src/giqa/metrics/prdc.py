"""What nearest neighbours say of two sets: precision, recall, density, coverage, realism, authenticity, copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import BadShape
from ..threads import in_order
from .blocks import as_pair, as_set, blocks, middle_of
from .metric import DIVERSITY, MEMORY, QUALITY, Metric
from .neighbours import Least, in_balls, nearest_of, nearest_others, reached_by
from .pairs import TIE, Points, Tile, with_tile

COPY = 0.1  # of the typical distance between a real and its nearest other real
ENOUGH = 1000  # pictures of each set, below which neighbourhoods say little


@dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """What each picture says. A set's ball is around one of its pictures and reaches to its k-th nearest other one.

    n reals and m fakes: `inside` (m,) bool, the fake lies in the ball of a real; `balls` (m,) in how many of them;
    `recalled` (n,) bool, the real lies in the ball of a fake; `covered` (n,) bool, its own ball holds a fake;
    `realism` (m,), see `realism_score`; `nearest` (m,) row of the nearest real, `distance` (m,) to it; `spacing` (n,)
    distance of a real to its nearest other real.
    """

    k: int
    inside: np.ndarray
    balls: np.ndarray
    recalled: np.ndarray
    covered: np.ndarray
    realism: np.ndarray
    nearest: np.ndarray
    distance: np.ndarray
    spacing: np.ndarray

    @property
    def precision(self) -> float:
        """Share of fakes in the ball of a real (Kynkäänniemi et al. 2019): quality; 0 to 1."""
        return float(self.inside.mean())

    @property
    def recall(self) -> float:
        """Share of reals in the ball of a fake (Kynkäänniemi et al. 2019): diversity; 0 to 1."""
        return float(self.recalled.mean())

    @property
    def density(self) -> float:
        """Mean number of real balls that a fake lies in, over k (Naeem et al. 2020): quality; from 0, may exceed 1."""
        return float(self.balls.mean() / self.k)

    @property
    def coverage(self) -> float:
        """Share of reals whose ball holds a fake (Naeem et al. 2020): diversity; 0 to 1."""
        return float(self.covered.mean())

    @property
    def authenticity(self) -> float:
        """Share of fakes farther from their nearest real than it is from its nearest other one (Alaa et al. 2022).

        About a half for fresh reals; near 0 for copies; also near 1 for whatever is far from all reals. Equally far is
        not farther.
        """
        return float((self.distance > self.spacing[self.nearest] * (1 + TIE)).mean())

    @property
    def copies(self) -> np.ndarray:
        """Fakes nearer to a real than a tenth of the typical distance between neighbouring reals, bool (m,)."""
        return self.distance <= COPY * np.median(self.spacing)


def neighbourhoods(real: Any, fake: Any, *, k: int = 5) -> Neighbourhoods:
    """All of it from one pass over the pairs within each set and one over the pairs across them.

    >>> reals = np.random.default_rng(0).normal(size=(300, 3))
    >>> same = neighbourhoods(reals, reals)
    >>> same.precision, same.recall, same.density, same.coverage, int(same.copies.sum())
    (1.0, 1.0, 1.0, 1.0, 300)
    >>> collapsed = neighbourhoods(reals, reals[:1] + 1e-3 * reals)
    >>> collapsed.precision > .9, collapsed.recall < .1
    (True, True)

    real (n, d), fake (m, d); k >= 1 below both n and m. Precision, recall and coverage count a border as inside,
    density does not (so that identical sets have 1 everywhere); what is nearer to a border than the rounding of float64
    is on it. A picture that k others repeat has a ball of radius 0, which holds its copies and nothing else. Every
    count is that of distances in float64, however tight a cluster: see `giqa.metrics.pairs`. Of reals equally near,
    the first is the nearest. Time n^2 + m^2 + 2 n m products of d, up to three times that in tight clusters; memory a
    few tiles of 2,048 x 2,048. All depend on n and m: compare sets of equal size.
    """
    real, fake = as_pair(real, fake)
    reals = Points(real, middle_of(real))
    real_near, fake_near = nearest_of(reals, k), nearest_others(fake, k)
    real_radius, fake_radius = real_near[:, -1], fake_near[:, -1]  # squared, as everything until the end
    n, m = len(real), len(fake)
    inside, balls, recalled, covered = np.zeros(m, bool), np.zeros(m, int), np.zeros(n, bool), np.zeros(n, bool)
    nearest, realest = Least(m), Least(m)
    usable, per_radius = _usable(real_radius)

    def look(tile: Tile) -> tuple[Any, ...]:
        rows, columns = tile.rows, tile.columns
        row, column, within = in_balls(tile, real_radius[rows, None])
        few = np.bincount(column[within], minlength=len(columns))
        reached = reached_by(tile, fake_radius[columns])
        near = nearest.lower(tile)
        like = np.flatnonzero(usable[rows])
        return rows, columns, row, column, few, reached, near, realest.lower(tile, like, per_radius[rows[like]])

    fakes = Points(fake, reals.middle)
    blocked = ((rows, columns) for rows in blocks(n) for columns in blocks(m))
    work = lambda task: with_tile(look, reals, task[0], fakes, task[1])  # noqa: E731 - one tile
    for rows, columns, row, column, few, reached, near, real_like in in_order(work, blocked):
        inside[columns[column]] = True
        covered[rows[row]] = True
        balls[columns] += few
        recalled[rows[reached]] = True
        nearest.take(near)
        realest.take(real_like)
    return Neighbourhoods(
        k,
        inside,
        balls,
        recalled,
        covered,
        realest.realism(),
        nearest.row,
        np.sqrt(nearest.value),
        np.sqrt(real_near[:, 0]),
    )


def realism_score(real: Any, fake: Any, *, k: int = 3) -> np.ndarray:
    """The highest ratio of a real's radius to the distance from it, a picture each (Kynkäänniemi et al. 2019, eq. 5).

    >>> reals = np.random.default_rng(0).normal(size=(200, 2))
    >>> near, far = realism_score(reals, np.array([[.1, .1], [9., 9.]]), k=10)
    >>> bool(near > 1 > far)
    True

    real (n, d), fake (m, d) with any m from 1. Above 1: inside a ball. Only the half of the reals with the smaller
    balls counts, as published: where reals are sparse, balls are too large to say anything. A copy scores 1e30.
    """
    real, fake = as_set(real, "real", 2), as_set(fake, "fake")
    if real.shape[1] != fake.shape[1]:
        raise BadShape(f"The reals have {real.shape[1]} columns, the fakes {fake.shape[1]}; they need the same.")
    reals = Points(real, middle_of(real))
    fakes = Points(fake, reals.middle)
    usable, per_radius = _usable(nearest_of(reals, k)[:, -1])
    kept = np.flatnonzero(usable)
    if not len(kept):
        raise BadShape("Every real has k others with the same features, so there are no balls; leave duplicates out.")
    best = Least(len(fake))

    def look(tile: Tile) -> tuple[np.ndarray, ...]:
        return best.lower(tile, np.arange(len(tile.rows)), per_radius[tile.rows])

    for rows in blocks(len(kept)):
        for columns in blocks(len(fake)):
            best.take(with_tile(look, reals, kept[rows], fakes, columns))
    return best.realism()


def _usable(radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which balls count for realism, bool (n,), and 1 / squared radius, (n,); 0 for those that do not."""
    usable = (radius > 0) & (radius <= np.median(radius))
    return usable, np.where(usable, 1 / np.where(usable, radius, 1), 0)


class OfNeighbours(Metric):
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
