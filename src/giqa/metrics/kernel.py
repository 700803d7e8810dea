"""Distances between two sets by kernels: KID, unbiased and seeded, and CMMD."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, cast

import numpy as np

from ..errors import BadSpec
from ..registry import as_seed, as_whole
from ..threads import in_order
from .blocks import as_factors, as_pair, blocks, centred, directions, equal_sets, middle_of, squares
from .metric import Metric

SIGMA, TIMES = 10.0, 1000.0  # of CMMD, as its authors have them
WIDEST = 1e60  # sigma^4 stays a number
HIGHEST = 1000  # degree: coefficients of larger ones are no float64
MANY = 4  # pictures for each column, from which on CMMD is summed by its series
MOST_SUBSETS = 100_000
ROWS = 64  # of a tile, worked on at a time in float64: they stay near the processor


def kernel_distance(
    real: Any, fake: Any, *, subsets: int | None = None, size: int = 1000, degree: int = 3, seed: int = 0
) -> float:
    """KID: the squared maximum mean discrepancy under the kernel (xy / d + 1)³, unbiased.

    mean k(x, x') over different reals + mean k(y, y') over different fakes - 2 mean k(x, y).

    Parameters
    ----------
    real : array-like of shape (n, d)
        Features of reals, at least 2.
    fake : array-like of shape (m, d)
        Features of fakes, at least 2.
    subsets : int or None, default None
        None: over all pairs, nothing is random. A number: the mean over so many seeded draws of `size` pictures of each
        set, as published tables have it (100 of 1,000).
    size : int, default 1000
        Pictures in a draw; at most all of the smaller set.
    degree : int, default 3
        Degree of the kernel.
    seed : int, default 0
        Decides on the draws.

    Returns
    -------
    float
        Unbiased in n and m: for sets of one distribution it comes out below 0 about as often as above, and for equal
        sets always; sets of different size compare.

    Raises
    ------
    BadSpec
        If `degree` or `subsets` is below 1, or `size` below 2.
    BadShape
        If the sets do not fit.

    Notes
    -----
    The products are float32 and about the mean of the reals, all else is float64: digits are kept however small or far
    from 0 the features are.

    References
    ----------
    Binkowski, Sutherland, Arbel, Gretton, "Demystifying MMD GANs", 2018.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b, far = rng.normal(size=(200, 4)), rng.normal(size=(200, 4)), rng.normal(size=(200, 4)) + 1
    >>> abs(kernel_distance(a, b)) < 0.1 < kernel_distance(a, far)
    True
    """
    real, fake, degree = *as_factors(real, fake), as_whole(degree, "degree")
    if subsets is None:
        return _polynomial(real, fake, degree)
    subsets, rng = as_whole(subsets, "subsets", 1, MOST_SUBSETS), np.random.default_rng(as_seed(seed))
    size = min(as_whole(size, "size", 2), len(real), len(fake))
    draws = ([x[rng.choice(len(x), size, replace=False)] for x in (real, fake)] for _ in range(subsets))
    return float(np.mean(list(in_order(lambda pair: _polynomial(*pair, degree), draws))))


def cmmd(real: Any, fake: Any, *, sigma: float = SIGMA) -> float:
    """CMMD: 1000 times the squared maximum mean discrepancy under exp(-|x - y|² / 2 sigma²).

    Parameters
    ----------
    real : array-like of shape (n, d)
        Features of reals, at least 2; rows are brought to length 1 first, as the published code does.
    fake : array-like of shape (m, d)
        Features of fakes, at least 2.
    sigma : float, default 10
        Width of the kernel, in lengths of a row.

    Returns
    -------
    float
        Never below 0; 0 for the same rows in whatever order. Biased upwards by about 1 / n + 1 / m, since all pairs
        count, also of a picture with itself, as published.

    Raises
    ------
    BadSpec
        If `sigma` is not above 0.
    BadShape
        If the sets do not fit.

    Notes
    -----
    The metric is defined on CLIP embeddings. Of many pictures, with t = xy of directions, exp(t / sigma²) is summed as
    its series: the first two powers come from means and (d, d) products, n d² instead of n² d; from sigma = 10 all
    further ones add less than 0.0007.

    References
    ----------
    Jayasumana et al., "Rethinking FID: Towards a Better Evaluation Metric for Image Generation", 2024.

    Examples
    --------
    >>> a = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> round(cmmd(a, a), 9), cmmd(a, -a) > 1
    (0.0, True)
    """
    real, fake = as_pair(real, fake)
    if np.ndim(sigma) or not isinstance(sigma, (int, float, np.number, np.ndarray)) or not 0 < sigma <= WIDEST:
        raise BadSpec(f"cmmd needs sigma above 0 and at most {WIDEST:g}, got {sigma!r}.")
    if equal_sets(real, fake):
        return 0.0
    if (
        sigma >= SIGMA
        and len(real) + len(fake) > MANY * real.shape[1]
        and real.any(axis=1).all()
        and fake.any(axis=1).all()
    ):
        return _cmmd_of_many(real, fake, sigma)

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        tile = x @ y.T
        tile -= squares(x)[:, None] / 2
        tile -= squares(y) / 2
        np.minimum(tile, 0, out=tile)  # minus half the squared distance
        tile /= sigma**2
        return float(np.expm1(tile, out=tile).sum())  # less 1, which cancels: the rest keeps its digits

    within = [_sum(x, x, kernel) / len(x) ** 2 for x in (real, fake)]
    across = _sum(real, fake, kernel) / (len(real) * len(fake))
    return float(max(0.0, TIMES * (within[0] + within[1] - 2 * across)))


def _cmmd_of_many(real: np.ndarray, fake: np.ndarray, sigma: float) -> float:
    """e^(-1 / sigma^2) (|m - m'|^2 / sigma^2 + |S - S'|^2 / 2 sigma^4), m means of directions, S of their products."""
    gap, gaps = np.zeros(real.shape[1]), np.zeros((real.shape[1],) * 2)

    def products(task: tuple[np.ndarray, float, slice]) -> tuple[float, np.ndarray, np.ndarray]:
        matrix, share, rows = task
        x = directions(matrix, rows)
        return share, x.sum(axis=0, dtype=np.float64), x.T @ x

    tasks = ((m, sign / len(m), rows) for m, sign in ((real, 1.0), (fake, -1.0)) for rows in blocks(len(m)))
    for share, total, product in in_order(products, tasks):
        gap += share * total
        product *= np.float32(share)
        gaps += product
    first, second = float(gap @ gap) / sigma**2, float((gaps**2).sum()) / (2 * sigma**4)
    return TIMES * float(np.exp(-1 / sigma**2)) * (first + second)


def _polynomial(real: np.ndarray, fake: np.ndarray, degree: int, known: list[float] | None = None) -> float:
    """`kernel_distance` over all pairs; `known` holds the sum over pairs of these reals once it is computed."""
    pairs, known = _Pairs(real, fake, degree), [] if known is None else known
    n, m = len(real), len(fake)
    one, other = np.ones((n, 1)), np.ones((m, 1))
    if not known:
        known.append(pairs.within(real, one).item())
    within = pairs.within(fake, other).item() / (m * (m - 1))
    return known[0] / (n * (n - 1)) + within - 2 * pairs.across(one, other).item() / (n * m)


class _Pairs:
    """Sums of (1 + xy / d)^degree - 1 over the pairs of groups of rows: the 1 cancels in a distance.

    With x = c + a and y = c + b, c amid the reals, xy = (cc / 2 + ca) + (cc / 2 + cb) + ab; the last alone is float32.
    Groups are given as (rows, groups), 1 where a row belongs to a group, else 0.
    """

    def __init__(self, real: np.ndarray, fake: np.ndarray, degree: int):
        if degree > HIGHEST:
            raise BadSpec(f"A kernel distance takes a degree up to {HIGHEST}, got {degree}.")
        self.real, self.fake, self.middle = real, fake, middle_of(real)
        self.rest = {id(x): _rest(x, self.middle) for x in (real, fake)}
        self.factors = [float(math.comb(degree, power)) for power in range(degree - 1, 0, -1)]  # of (1 + t)^degree - 1

    def within(self, rows: np.ndarray, group: np.ndarray) -> np.ndarray:
        """Over ordered pairs of different rows of one set, (groups, groups)."""
        pairs = ((r, c) for r in blocks(len(rows)) for c in blocks(len(rows)) if c.start >= r.start)
        sums = in_order(lambda at: (at, self._tile(rows, rows, at, (group, group))), pairs)
        return cast(np.ndarray, sum(found if r == c else found + found.T for (r, c), found in sums))

    def across(self, real_group: np.ndarray, fake_group: np.ndarray) -> np.ndarray:
        """Over pairs of a real and a fake, (groups of reals, groups of fakes)."""
        pairs = ((r, c) for r in blocks(len(self.real)) for c in blocks(len(self.fake)))
        groups = real_group, fake_group
        return cast(np.ndarray, sum(in_order(lambda at: self._tile(self.real, self.fake, at, groups), pairs)))

    def _tile(self, left: np.ndarray, right: np.ndarray, at: Any, groups: Any) -> np.ndarray:
        (rows, columns), (of_left, of_right) = at, (groups[0][at[0]], groups[1][at[1]])
        alike = left is right and groups[0] is groups[1] and rows == columns  # no pair of a row with itself
        x = centred(left, rows, self.middle)
        tile = x @ (x if alike else centred(right, columns, self.middle)).T  # of itself numpy computes one half
        own, other = self.rest[id(left)][rows], self.rest[id(right)][columns]
        total = np.zeros((of_left.shape[1], of_right.shape[1]))
        for part in blocks(len(x), ROWS):
            t = tile[part] + own[part, None]
            t += other
            t /= left.shape[1]
            power = t.copy()
            for factor in self.factors:  # small t keep their digits
                power += factor
                power *= t
            if alike:
                np.fill_diagonal(power[:, part], 0)
            total += of_left[part].T @ (power @ of_right)
        return total


def _rest(matrix: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """cc / 2 + ca of each row, float64."""
    parts = [centred(matrix, rows, middle, np.float64) @ middle for rows in blocks(len(matrix))]
    return np.concatenate(parts) + middle @ middle / 2


def _sum(left: np.ndarray, right: np.ndarray, kernel: Callable[[np.ndarray, np.ndarray], float]) -> float:
    """Of the kernel over all pairs of directions."""
    pairs = ((rows, columns) for rows in blocks(len(left)) for columns in blocks(len(right)))
    take = lambda at: kernel(directions(left, at[0], np.float64), directions(right, at[1], np.float64))  # noqa: E731
    return sum(in_order(take, pairs))


@dataclass(frozen=True)
class Kernel(Metric):
    """Kernel distance, unbiased; KID on Inception's pooling layer.

    See `kernel_distance`. Lower = better.

    Parameters
    ----------
    subsets : int or None, default None
        Number of seeded draws; None: all pairs.
    size : int, default 1000
        Pictures in a draw.
    degree : int, default 3
        Degree of the kernel.
    seed : int, default 0
        Decides on the draws.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(100, 4))
    >>> abs(Kernel()(x[:50], x[50:])) < 0.2 < Kernel()(x[:50], x[50:] + 1)
    True
    """

    subsets: int | None = None
    size: int = 1000
    degree: int = 3
    seed: int = 0
    is_distance: ClassVar[bool] = True
    by_size: ClassVar[bool] = False

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        return kernel_distance(real, fake, subsets=self.subsets, size=self.size, degree=self.degree, seed=self.seed)

    def against(self, real: np.ndarray) -> Callable[[np.ndarray], float]:
        if self.subsets is not None:
            return partial(self, real)
        known: list[float] = []
        degree = as_whole(self.degree, "degree")
        return lambda fake: _polynomial(*as_factors(real, fake), degree, known)

    def left_out(self, real: np.ndarray, fake: np.ndarray, kept: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
        left = [np.array([rows.sum() for rows in some], float) for some in kept]
        if self.subsets is not None or min(np.min(k, initial=2) for k in left) < 2:
            return super().left_out(real, fake, kept)
        real, fake = as_factors(real, fake)
        pairs, sizes = _Pairs(real, fake, as_whole(self.degree, "degree")), (len(real), len(fake))
        gone = [np.stack([np.ones(n), *(~rows for rows in some)], axis=1) for n, some in zip(sizes, kept, strict=True)]
        within = [pairs.within(x, some) for x, some in zip((real, fake), gone, strict=True)]
        across = pairs.across(*gone)  # column 0 of `gone` is all rows, the others what is left out
        found = []
        for side, (k, m) in enumerate(zip(left, sizes[::-1], strict=True)):
            own, between = within[side], across[:, 0] if side == 0 else across[0]
            alone = (own[0, 0] - 2 * own[0, 1:] + np.diagonal(own)[1:]) / (k * (k - 1))
            other = within[1 - side][0, 0] / (m * (m - 1))
            found.append(alone + other - 2 * (between[0] - between[1:]) / (k * m))
        return found


@dataclass(frozen=True)
class CMMD(Metric):
    """Distance of CLIP embeddings under a Gaussian kernel, times 1000.

    See `cmmd`. Lower = better.

    Parameters
    ----------
    sigma : float, default 10
        Width of the kernel.

    Examples
    --------
    >>> a = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> CMMD()(a, a)
    0.0
    """

    sigma: float = 10.0
    is_distance: ClassVar[bool] = True

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        return cmmd(real, fake, sigma=self.sigma)
