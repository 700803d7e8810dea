"""What nearest neighbours say of two sets: precision, recall, density, coverage, realism, authenticity, copies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadShape, BadSpec
from ..threads import in_order
from .blocks import as_pair, as_set, blocks, centred, centred_blocks, squared_distances

TIE = 1e-5  # of a squared distance: how near two count as equal, above the rounding of float32 products
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

        About a half for fresh reals; near 0 for copies; also near 1 for whatever is far from all reals.
        """
        return float((self.distance > self.spacing[self.nearest]).mean())

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

    real (n, d), fake (m, d); k >= 1 below both n and m. Precision and recall count a border as inside, density does
    not (so that identical sets have 1 everywhere); what is nearer to a border than rounding is on it. Time n^2 + m^2 +
    2 n m products of d, memory a few tiles of 2,048 x 2,048. All depend on n and m: compare sets of equal size.
    """
    real, fake = as_pair(real, fake)
    middle = real.mean(axis=0, dtype=np.float64)
    real_near, fake_near = (nearest_others(x, k, middle) for x in (real, fake))
    real_radius, fake_radius = real_near[:, -1], fake_near[:, -1]  # squared, as everything until the end
    n, m = len(real), len(fake)
    inside, balls, recalled, covered = np.zeros(m, bool), np.zeros(m, int), np.zeros(n, bool), np.zeros(n, bool)
    nearest, realest = _Least(m), _Least(m)
    usable = (real_radius > 0) & (real_radius <= np.median(real_radius))
    per_radius = np.where(usable, 1 / np.where(usable, real_radius, 1), np.inf).astype(np.float32)

    def look(task: tuple[slice, np.ndarray, slice]) -> tuple[Any, ...]:
        rows, x, columns = task
        tile = squared_distances(x, centred(fake, columns, middle))
        row, column, value = _below(tile, real_radius[rows, None] * (1 + TIE))  # few: about k of each fake
        within = np.bincount(column[value < real_radius[rows][row] * (1 - TIE)], minlength=tile.shape[1])
        reached = (tile <= fake_radius[columns].astype(np.float32) * (1 + TIE)).any(axis=1)
        near = nearest.lower(tile, rows, columns)
        np.maximum(tile, np.finfo(np.float32).tiny, out=tile)  # 0 times infinity is no number
        tile *= per_radius[rows, None]
        return rows, columns, row, column, within, reached, near, realest.lower(tile, rows, columns)

    blocked = ((rows, x, columns) for rows, x in centred_blocks(real, middle) for columns in blocks(m))
    for rows, columns, row, column, within, reached, near, real_like in in_order(look, blocked):
        inside[columns][column] = True
        covered[rows][row] = True
        balls[columns] += within
        recalled[rows] |= reached
        nearest.take(near, columns)
        realest.take(real_like, columns)
    distance = _exact(real, nearest.row, fake)
    realism = np.sqrt(real_radius[realest.row]) / np.maximum(_exact(real, realest.row, fake), 1e-30)
    realism[~np.isfinite(realest.value)] = 0.0  # no ball is left to lie in
    return Neighbourhoods(k, inside, balls, recalled, covered, realism, nearest.row, distance, np.sqrt(real_near[:, 0]))


def realism_score(real: Any, fake: Any, *, k: int = 3) -> np.ndarray:
    """The highest ratio of a real's radius to the distance from it, a picture each (Kynkäänniemi et al. 2019, eq. 5).

    >>> reals = np.random.default_rng(0).normal(size=(200, 2))
    >>> near, far = realism_score(reals, np.array([[.1, .1], [9., 9.]]), k=10)
    >>> bool(near > 1 > far)
    True

    real (n, d), fake (m, d) with any m from 1. Above 1: inside a ball. Only the half of the reals with the smaller
    balls counts, as published: where reals are sparse, balls are too large to say anything. A copy scores up to 1e30.
    """
    real, fake = as_set(real, "real", 2), as_set(fake, "fake")
    if real.shape[1] != fake.shape[1]:
        raise BadShape(f"The reals have {real.shape[1]} columns, the fakes {fake.shape[1]}; they need the same.")
    middle = real.mean(axis=0, dtype=np.float64)
    radius = nearest_others(real, k, middle)[:, -1]
    kept = np.flatnonzero((radius > 0) & (radius <= np.median(radius)))
    if not len(kept):
        raise BadShape("Every real has k others with the same features, so there are no balls; leave duplicates out.")
    best = _Least(len(fake))
    for rows in blocks(len(kept)):
        x = centred(real[kept[rows]], slice(None), middle)
        for columns in blocks(len(fake)):
            tile = squared_distances(x, centred(fake, columns, middle)) / radius[kept[rows], None]
            best.take(best.lower(tile, rows, columns), columns)
    row = kept[best.row]
    return np.sqrt(radius[row]) / np.maximum(_exact(real, row, fake), 1e-30)


def nearest_others(matrix: np.ndarray, k: int, middle: np.ndarray) -> np.ndarray:
    """Squared distances of each row to its k nearest other ones, float64 (n, k), ascending; two blocks meet once."""
    n = len(matrix)
    if not isinstance(k, (int, np.integer)) or k < 1:
        raise BadSpec(f"k is a whole number from 1, got {k!r}.")
    if k >= n:
        raise BadShape(
            f"k={k} neighbours need at least {k + 1} pictures in each set, got {n}; lower k or add pictures."
        )
    smallest = _Smallest(n, k)

    def alone(task: tuple[slice, np.ndarray]) -> tuple[slice, np.ndarray]:
        rows, x = task
        tile = squared_distances(x, x)
        np.fill_diagonal(tile, np.inf)
        return rows, np.partition(tile, min(k, len(tile)) - 1, axis=1)[:, :k]

    def meet(task: tuple[slice, np.ndarray, slice]) -> tuple[Any, ...]:
        rows, x, others = task
        tile = squared_distances(x, centred(matrix, others, middle))
        row, _, value = _below(tile, smallest.bound[rows, None])
        _, column, other = _below(tile, smallest.bound[others])
        order = np.argsort(column, kind="stable")
        return rows, row, value, others, column[order], other[order]

    for rows, values in in_order(alone, centred_blocks(matrix, middle)):  # bounds first: all else meets few below them
        smallest.start(rows, values)
    pairs = (
        (rows, x, others)
        for rows, x in centred_blocks(matrix, middle)
        for others in blocks(n)
        if others.start >= rows.stop
    )
    for rows, row, value, others, column, other in in_order(meet, pairs):
        smallest.take(rows, row, value)
        smallest.take(others, column, other)
    return np.sort(smallest.values, axis=1).astype(np.float64)


def _below(tile: np.ndarray, bound: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, column and value of everything in a tile that is not above a bound, row by row."""
    flat = np.flatnonzero(tile <= bound.astype(np.float32))
    return *np.divmod(flat, tile.shape[1]), tile.ravel()[flat]


class _Smallest:
    """The k smallest values of each row that came along, (n, k) without order, and `bound` (n,), the largest of them.

    Work that reads a bound while another result is taken may see it too high, which lets more through than needed and
    changes nothing.
    """

    def __init__(self, n: int, k: int):
        self.values, self.bound = np.full((n, k), np.inf, np.float32), np.full(n, np.inf, np.float32)

    def start(self, rows: slice, values: np.ndarray) -> None:
        self.values[rows, : values.shape[1]] = values
        self.bound[rows] = self.values[rows].max(axis=1)

    def take(self, rows: slice, row: np.ndarray, value: np.ndarray) -> None:
        """Values for some of the rows, those of one row beside each other."""
        if not len(row):
            return
        found, first, count = np.unique(row, return_index=True, return_counts=True)
        new = np.full((len(found), count.max()), np.inf, np.float32)
        which = np.repeat(np.arange(len(found)), count)
        new[which, np.arange(len(row)) - first[which]] = value
        found += rows.start
        k = self.values.shape[1]
        self.values[found] = np.partition(np.concatenate([self.values[found], new], axis=1), k - 1, axis=1)[:, :k]
        self.bound[found] = self.values[found].max(axis=1)


class _Least:
    """The smallest value of each column of tiles that come one after the other, and its row."""

    def __init__(self, columns: int):
        self.value, self.row = np.full(columns, np.inf, np.float32), np.zeros(columns, int)

    def lower(self, tile: np.ndarray, rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Columns of a tile where it goes below what is known, how far, and in which row: soon only a few."""
        value = tile.min(axis=0)
        better = np.flatnonzero(value < self.value[columns])
        return better, value[better], rows.start + tile[:, better].argmin(axis=0)

    def take(self, lower: tuple[np.ndarray, np.ndarray, np.ndarray], columns: slice) -> None:
        column, value, row = lower
        still = value < self.value[columns][column]
        self.value[columns][column[still]] = value[still]
        self.row[columns][column[still]] = row[still]


def _exact(real: np.ndarray, row: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """Distance of each fake to one real, float64 (m,): products of float32 are too coarse for near duplicates."""
    distance = np.empty(len(fake))
    for rows in blocks(len(fake)):
        distance[rows] = np.linalg.norm(real[row[rows]].astype(np.float64) - fake[rows], axis=1)
    return distance
