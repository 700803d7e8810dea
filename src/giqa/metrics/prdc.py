"""What nearest neighbours say of two sets: precision, recall, density, coverage, realism, authenticity, copies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadShape, BadSpec
from ..threads import in_order
from .blocks import as_pair, as_set, blocks, middle_of
from .pairs import TIE, Points, Tile, where, with_tile

TINY = 1e-300  # a limit that only copies are within
HALF = 0.5 * (1 + 1e-6)  # of a squared distance; the rest is for the rounding of a weight
WEIGHT = 1e30  # at most, where float32 shall hold what is multiplied with it
COPY = 0.1  # of the typical distance between a real and its nearest other real


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
    real_near, fake_near = _nearest_others(reals, k), nearest_others(fake, k)
    real_radius, fake_radius = real_near[:, -1], fake_near[:, -1]  # squared, as everything until the end
    n, m = len(real), len(fake)
    inside, balls, recalled, covered = np.zeros(m, bool), np.zeros(m, int), np.zeros(n, bool), np.zeros(n, bool)
    nearest, realest = _Least(m), _Least(m)
    usable, per_radius = _usable(real_radius)

    def look(tile: Tile) -> tuple[Any, ...]:
        rows, columns = tile.rows, tile.columns
        row, column, within = _in_balls(tile, real_radius[rows, None])
        few = np.bincount(column[within], minlength=len(columns))
        reached = _reached(tile, fake_radius[columns])
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
    usable, per_radius = _usable(_nearest_others(reals, k)[:, -1])
    kept = np.flatnonzero(usable)
    if not len(kept):
        raise BadShape("Every real has k others with the same features, so there are no balls; leave duplicates out.")
    best = _Least(len(fake))

    def look(tile: Tile) -> tuple[np.ndarray, ...]:
        return best.lower(tile, np.arange(len(tile.rows)), per_radius[tile.rows])

    for rows in blocks(len(kept)):
        for columns in blocks(len(fake)):
            best.take(with_tile(look, reals, kept[rows], fakes, columns))
    return best.realism()


def nearest_others(matrix: np.ndarray, k: int, middle: np.ndarray | None = None) -> np.ndarray:
    """Squared distances of each row to its k nearest other ones, float64 (n, k), ascending; two blocks meet once.

    `middle` (d,): any place amid the rows, by default their mean; it decides on the work, not on the result.
    """
    return _nearest_others(Points(matrix, middle_of(matrix if middle is None else middle[None])), k)


def _nearest_others(points: Points, k: int) -> np.ndarray:
    n = len(points)
    if not isinstance(k, (int, np.integer)) or k < 1:
        raise BadSpec(f"k is a whole number from 1, got {k!r}.")
    if k >= n:
        raise BadShape(
            f"k={k} neighbours need at least {k + 1} pictures in each set, got {n}; lower k or add pictures."
        )
    smallest = _Smallest(n, k)

    def alone(tile: Tile) -> tuple[Any, ...]:
        np.fill_diagonal(tile.low, np.nan)  # nearer than nothing
        row, near = np.arange(len(tile.rows))[:, None], _lowest(tile.low, min(k, len(tile.rows) - 1))
        known = tile.squared(np.broadcast_to(row, near.shape), near, needed=True)
        tile.low[row, near] = np.nan
        other, column = tile.below(known.max(axis=1, initial=0)[:, None])
        return tile.rows, known, other, tile.squared(other, column)

    def meet(tile: Tile) -> tuple[Any, ...]:
        row, column = tile.below(smallest.bound[tile.rows, None])
        back, other = tile.below(smallest.bound[tile.columns])
        order = np.argsort(other, kind="stable")
        back, other = back[order], other[order]
        return tile.rows[row], tile.squared(row, column), tile.columns[other], tile.squared(back, other)

    within = lambda rows: with_tile(alone, points, rows, points, rows)  # noqa: E731 - one tile
    across = lambda task: with_tile(meet, points, task[0], points, task[1])  # noqa: E731 - one tile
    for rows, known, row, value in in_order(within, blocks(n)):  # bounds first: all else meets few below them
        smallest.start(rows, known)
        smallest.take(rows[row], value)
    pairs = ((rows, others) for rows in blocks(n) for others in blocks(n) if others.start >= rows.stop)
    for row, value, other, reverse in in_order(across, pairs):
        smallest.take(row, value)
        smallest.take(other, reverse)
    return np.sort(smallest.values, axis=1)


def _lowest(values: np.ndarray, k: int) -> np.ndarray:
    """Columns of the k lowest numbers of each row, the first ones of equals, (n, k) in their order; NaN is highest."""
    if not k:
        return np.empty((len(values), 0), int)
    row, column = where(values <= np.partition(values, k - 1, axis=1)[:, k - 1, None])
    place = np.arange(len(row)) - np.searchsorted(row, np.arange(len(values)))[row]
    return column[place < k].reshape(len(values), k)


def _in_balls(tile: Tile, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row and column of the pairs of which the right one lies in the ball of the left one, and whether off its border.

    `radius` (p, 1): squared.
    """
    row, column = tile.below(np.maximum(radius * (1 + TIE), TINY))
    radius = radius[row, 0]
    squared = tile.upper(row, column)
    open_ = np.flatnonzero(squared >= radius * (1 - TIE))
    squared[open_] = tile.squared(row[open_], column[open_])
    held = squared <= radius * (1 + TIE)
    return row[held], column[held], (squared < radius * (1 - TIE))[held]


def _reached(tile: Tile, radius: np.ndarray) -> np.ndarray:
    """Rows of the left ones that lie in the ball of a right one; `radius` (q,): squared."""
    row, column = tile.below(np.maximum(radius * (1 + TIE), TINY))
    reached = np.zeros(len(tile.rows), bool)
    reached[row[tile.upper(row, column) <= radius[column]]] = True
    open_ = ~reached[row]
    row, column = row[open_], column[open_]
    reached[row[tile.squared(row, column) <= radius[column] * (1 + TIE)]] = True
    return np.flatnonzero(reached)


def _usable(radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which balls count for realism, bool (n,), and 1 / squared radius, (n,); 0 for those that do not."""
    usable = (radius > 0) & (radius <= np.median(radius))
    return usable, np.where(usable, 1 / np.where(usable, radius, 1), 0)


class _Smallest:
    """The k smallest values of each row that came along, (n, k) without order, and `bound` (n,), the largest of them.

    Work that reads a bound while another result is taken may see it too high, which lets more through than needed and
    changes nothing.
    """

    def __init__(self, n: int, k: int):
        self.values, self.bound = np.full((n, k), np.inf), np.full(n, np.inf)

    def start(self, rows: np.ndarray, values: np.ndarray) -> None:
        self.values[rows, : values.shape[1]] = values
        self.bound[rows] = self.values[rows].max(axis=1)

    def take(self, row: np.ndarray, value: np.ndarray) -> None:
        """Values for some of the rows, those of one row beside each other."""
        if not len(row):
            return
        found, first, count = np.unique(row, return_index=True, return_counts=True)
        new = np.full((len(found), count.max()), np.inf)
        which = np.repeat(np.arange(len(found)), count)
        new[which, np.arange(len(row)) - first[which]] = value
        k = self.values.shape[1]
        self.values[found] = np.partition(np.concatenate([self.values[found], new], axis=1), k - 1, axis=1)[:, :k]
        self.bound[found] = self.values[found].max(axis=1)


class _Least:
    """For each right row, over tiles that come one after the other: the left one with the least squared distance.

    Or, with weights, with the least squared distance times the weight of the left one. `value` (m,) float64, `row`
    (m,), the first of those that are equal.
    """

    def __init__(self, columns: int):
        self.value, self.row = np.full(columns, np.inf), np.zeros(columns, int)

    def lower(self, tile: Tile, among: Any = None, weight: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
        """Columns where a tile goes below what is known, how far, and in which row: soon only a few.

        `among` (r,): the rows of the tile that count, with their `weight` (r,).
        """
        known = self.value[tile.columns]
        if among is None:
            among, weight, low = np.arange(len(tile.rows)), np.ones(len(tile.rows)), tile.low
        else:
            low = tile.low[among] * np.minimum(weight[:, None], WEIGHT).astype(tile.low.dtype)
        if not len(among):
            return np.empty(0, int), np.empty(0), np.empty(0, int)
        least = low.min(axis=0)
        better = (least <= known * HALF) & (known > 0)
        row, column = where(low <= np.where(better, least, -np.inf).astype(low.dtype))
        limit = known.copy()
        np.minimum.at(limit, column, tile.upper(among[row], column) * weight[row])
        row, column = where(low <= np.where(better, limit * HALF, -np.inf).astype(low.dtype))
        value = tile.squared(among[row], column) * weight[row]
        order = np.lexsort((row, value, column))
        column, first = np.unique(column[order], return_index=True)
        chosen = order[first]
        return tile.columns[column], value[chosen], tile.rows[among[row[chosen]]]

    def take(self, lower: tuple[np.ndarray, ...]) -> None:
        column, value, row = lower
        still = value < self.value[column]
        self.value[column[still]] = value[still]
        self.row[column[still]] = row[still]

    def realism(self) -> np.ndarray:
        """Radius over distance of the ball that holds a picture best, where weights are 1 / squared radius."""
        return 1 / np.sqrt(np.maximum(self.value, 1e-60))
