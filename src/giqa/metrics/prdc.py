"""What nearest neighbours say of two sets: precision, recall, density, coverage, realism, authenticity, copies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..threads import in_order
from .blocks import as_pair, blocks, middle_of
from .metric import DIVERSITY, MEMORY, QUALITY, Metric
from .neighbours import Least, in_balls, nearest_of, nearest_others, reached_by
from .pairs import TIE, Points, Tile, with_tile
from .realism import usable_balls

COPY = 0.1  # of the typical distance between a real and its nearest other real
ENOUGH = 1000  # pictures of each set, below which neighbourhoods say little


@dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """What the nearest neighbours of each picture say; shares and counts over all are properties.

    A ball is around one picture of a set and reaches to its k-th nearest other one.

    Parameters
    ----------
    k : int
        Number of neighbours.
    inside : bool ndarray of shape (m,)
        The fake lies in the ball of a real.
    balls : int ndarray of shape (m,)
        Number of real balls that the fake lies in.
    recalled : bool ndarray of shape (n,)
        The real lies in the ball of a fake.
    covered : bool ndarray of shape (n,)
        The ball of the real holds a fake.
    realism : float64 ndarray of shape (m,)
        See `realism_score`.
    nearest : int ndarray of shape (m,)
        Row of the real nearest to the fake.
    distance : float64 ndarray of shape (m,)
        Distance to it.
    spacing : float64 ndarray of shape (n,)
        Distance of a real to its nearest other real.
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
        """Share of fakes farther from their nearest real than it is from its nearest other real (Alaa et al. 2022).

        About a half for fresh reals; near 0 for copies; also near 1 for whatever is far from all reals. Equally far is
        not farther.
        """
        return float((self.distance > self.spacing[self.nearest] * (1 + TIE)).mean())

    @property
    def copies(self) -> np.ndarray:
        """Fakes nearer to a real than a tenth of the typical distance between neighbouring reals, bool (m,)."""
        return self.distance <= COPY * np.median(self.spacing)


def neighbourhoods(real: Any, fake: Any, *, k: int = 5) -> Neighbourhoods:
    """Precision, recall, density, coverage, authenticity, realism and copies, from one pass over the pairs of two sets.

    Parameters
    ----------
    real : array-like of shape (n, d)
        Features of reals.
    fake : array-like of shape (m, d)
        Features of fakes.
    k : int, default 5
        Number of neighbours, from 1 and below both n and m.

    Returns
    -------
    Neighbourhoods
        What each picture says, and properties such as `precision`.

    Raises
    ------
    BadSpec
        If k is no whole number from 1.
    BadShape
        If the sets do not fit, or there are too few pictures for k.

    Notes
    -----
    Precision, recall and coverage count a border as inside, density does not (so that identical sets have 1
    everywhere); what is nearer to a border than the rounding of float64 is on it. A picture that k others repeat has a
    ball of radius 0, which holds its copies and nothing else. Every count is that of distances in float64, however
    tight a cluster: see `giqa.metrics.pairs`. Of reals equally near, the first is the nearest. Time n² + m² + 2 n m
    products of d, up to three times that in tight clusters; memory a few tiles of 2,048 x 2,048. All depend on n and m:
    compare sets of equal size.

    References
    ----------
    Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models", 2019. Naeem et al.,
    "Reliable Fidelity and Diversity Metrics for Generative Models", 2020.

    Examples
    --------
    >>> reals = np.random.default_rng(0).normal(size=(300, 3))
    >>> same = neighbourhoods(reals, reals)
    >>> same.precision, same.recall, same.density, same.coverage, int(same.copies.sum())
    (1.0, 1.0, 1.0, 1.0, 300)
    >>> collapsed = neighbourhoods(reals, reals[:1] + 1e-3 * reals)
    >>> collapsed.precision > 0.9, collapsed.recall < 0.1
    (True, True)
    """
    real, fake = as_pair(real, fake)
    return Balls(real, k).neighbourhoods(fake, nearest_others(fake, k))


class Balls:
    """Reals and the squared distances to their k nearest others (n, k): what does not depend on the fakes.

    Parameters
    ----------
    real : ndarray of shape (n, d)
        Features of reals, checked.
    k : int
        Number of neighbours.
    """

    def __init__(self, real: np.ndarray, k: int):
        self.k, self.points = k, Points(real, middle_of(real))
        self.near = nearest_of(self.points, k)

    def neighbourhoods(self, fake: np.ndarray, fake_near: np.ndarray) -> Neighbourhoods:
        """What the fakes are to these reals.

        Parameters
        ----------
        fake : ndarray of shape (m, d)
            Features of fakes, checked.
        fake_near : ndarray of shape (m, k)
            Their `nearest_others`.
        """
        reals, fakes = self.points, Points(fake, self.points.middle)
        real_radius, fake_radius = self.near[:, -1], fake_near[:, -1]  # squared, as everything until the end
        n, m = len(reals), len(fakes)
        inside, balls, recalled, covered = np.zeros(m, bool), np.zeros(m, int), np.zeros(n, bool), np.zeros(n, bool)
        nearest, realest = Least(m), Least(m)
        usable, per_radius = usable_balls(real_radius)

        def look(tile: Tile) -> tuple[Any, ...]:
            rows, columns = tile.rows, tile.columns
            row, column, within = in_balls(tile, real_radius[rows, None])
            few = np.bincount(column[within], minlength=len(columns))
            reached = reached_by(tile, fake_radius[columns])
            near = nearest.lower(tile)
            like = np.flatnonzero(usable[rows])
            return rows, columns, row, column, few, reached, near, realest.lower(tile, like, per_radius[rows[like]])

        blocked = ((rows, columns) for rows in blocks(n) for columns in blocks(m))
        work = lambda task: with_tile(look, reals, task[0], fakes, task[1])  # noqa: E731 - one tile
        for rows, columns, row, column, few, reached, near, real_like in in_order(work, blocked):
            inside[columns[column]] = True
            covered[rows[row]] = True
            balls[columns] += few
            recalled[rows[reached]] = True
            nearest.take(near)
            realest.take(real_like)
        distance, spacing = np.sqrt(nearest.value), np.sqrt(self.near[:, 0])
        shares = inside, balls, recalled, covered
        return Neighbourhoods(self.k, *shares, realest.realism(), nearest.row, distance, spacing)


class OfNeighbours(Metric):
    """A metric that is a property of `Neighbourhoods`; `evaluate` computes those once for all that share k."""

    k: int
    field: ClassVar[str]
    any_k: ClassVar[bool] = False  # its number is the same for every k

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
    """Share of fakes among the reals, by k nearest neighbours.

    `Neighbourhoods.precision`: quality, 0 to 1.

    Parameters
    ----------
    k : int, default 5
        Number of neighbours.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(60, 2))
    >>> Precision()(x[:30], x[:30]), Precision()(x[:30], x[30:] + 99)
    (1.0, 0.0)
    """

    k: int = 5
    field: ClassVar[str] = "precision"
    by_size: ClassVar[bool] = False  # each fake is looked at alone
    about: ClassVar[str] = QUALITY
    share_of: ClassVar[str | None] = "fake"


@dataclass(frozen=True)
class Recall(OfNeighbours):
    """Share of reals among the fakes, by k nearest neighbours.

    `Neighbourhoods.recall`: diversity, 0 to 1.

    Parameters
    ----------
    k : int, default 5
        Number of neighbours.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(60, 2))
    >>> Recall()(x[:30], x[:30]), Recall()(x[:30], x[30:] + 99)
    (1.0, 0.0)
    """

    k: int = 5
    field: ClassVar[str] = "recall"
    about: ClassVar[str] = DIVERSITY
    share_of: ClassVar[str | None] = "real"


@dataclass(frozen=True)
class Density(OfNeighbours):
    """How densely fakes lie among the reals; 1 for reals.

    `Neighbourhoods.density`: quality, from 0, may exceed 1.

    Parameters
    ----------
    k : int, default 5
        Number of neighbours.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(60, 2))
    >>> Density()(x[:30], x[:30]), Density()(x[:30], x[30:] + 99)
    (1.0, 0.0)
    """

    k: int = 5
    field: ClassVar[str] = "density"
    least: ClassVar[float] = 0.0
    by_size: ClassVar[bool] = False  # each fake is looked at alone
    about: ClassVar[str] = QUALITY


@dataclass(frozen=True)
class Coverage(OfNeighbours):
    """Share of reals with a fake in their neighbourhood.

    `Neighbourhoods.coverage`: diversity, 0 to 1.

    Parameters
    ----------
    k : int, default 5
        Number of neighbours.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(60, 2))
    >>> Coverage()(x[:30], x[:30]), Coverage()(x[:30], x[30:] + 99)
    (1.0, 0.0)
    """

    k: int = 5
    field: ClassVar[str] = "coverage"
    about: ClassVar[str] = DIVERSITY
    share_of: ClassVar[str | None] = "real"


@dataclass(frozen=True)
class Authenticity(OfNeighbours):
    """Share of fakes that are farther from their nearest real than reals are from each other; near 0 for copies.

    `Neighbourhoods.authenticity`: memory, 0 to 1; about a half for fresh reals.

    Parameters
    ----------
    k : int, default 1
        Number of neighbours; it decides on nothing here, since the nearest alone counts.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(60, 2))
    >>> Authenticity()(x[:30], x[:30]), Authenticity()(x[:30], x[30:] + 99)
    (0.0, 1.0)
    """

    k: int = 1
    field: ClassVar[str] = "authenticity"
    by_size: ClassVar[bool] = False  # each fake is looked at alone
    about: ClassVar[str] = MEMORY
    ranks: ClassVar[bool] = False
    any_k: ClassVar[bool] = True
    share_of: ClassVar[str | None] = "fake"
