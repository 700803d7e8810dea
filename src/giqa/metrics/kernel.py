"""Distances between two sets by kernels: KID, unbiased and seeded, and CMMD."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from ..errors import BadSpec
from ..registry import as_seed
from ..threads import in_order
from .blocks import as_factors, as_pair, as_whole, blocks, centred, directions, equal_sets, middle_of, squares
from .metric import Metric

SIGMA, TIMES = 10.0, 1000.0  # of CMMD, as its authors have them
WIDEST = 1e60  # sigma^4 stays a number
MANY = 4  # pictures for each column, from which on CMMD is summed by its series
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
    subsets, rng = as_whole(subsets, "subsets"), np.random.default_rng(as_seed(seed))
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
    if not isinstance(sigma, (int, float, np.number)) or not 0 < sigma <= WIDEST:
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
    """With x = c + a and y = c + b, xy = (cc / 2 + ca) + (cc / 2 + cb) + ab; the last alone is float32.

    `known` holds the mean over pairs of these reals once it is computed.
    """
    d, middle = real.shape[1], middle_of(real)
    rest = {id(x): _rest(x, middle) for x in (real, fake)}

    def sum_of(left: np.ndarray, rows: slice, right: np.ndarray, columns: slice, within: bool) -> float:
        alike = within and rows == columns
        x = centred(left, rows, middle)
        tile = x @ (x if alike else centred(right, columns, middle)).T  # of itself numpy computes one half
        own, other = rest[id(left)][rows], rest[id(right)][columns]
        total = 0.0
        for part in blocks(len(x), ROWS):
            inner = (tile[part] + own[part, None] + other) / d
            power = inner.copy()
            for _ in range(degree - 1):  # (1 + t)^j - 1: the 1 cancels, and small t keep their digits
                power += inner * power + inner
            total += float(power.sum()) - (float(np.trace(power[:, part])) if alike else 0.0)
        return total

    def mean(left: np.ndarray, right: np.ndarray, within: bool = False) -> float:
        pairs = ((r, c) for r in blocks(len(left)) for c in blocks(len(right)) if not within or c.start >= r.start)
        sums = in_order(lambda at: (1 + (within and at[0] != at[1])) * sum_of(left, at[0], right, at[1], within), pairs)
        return sum(sums) / (len(left) * (len(right) - within))

    known = [] if known is None else known
    if not known:
        known.append(mean(real, real, within=True))
    return known[0] + mean(fake, fake, within=True) - 2 * mean(real, fake)


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
