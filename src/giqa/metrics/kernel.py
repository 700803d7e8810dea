"""Distances between two sets by kernels: KID, unbiased and seeded, and CMMD."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ..errors import BadSpec
from ..threads import in_order
from .blocks import as_pair, blocks, squared_distances

SIGMA, TIMES = 10.0, 1000.0  # of CMMD, as its authors have them
MANY = 4  # pictures for each column, from which on CMMD is summed by its series


def kernel_distance(
    real: Any, fake: Any, *, subsets: int | None = None, size: int = 1000, degree: int = 3, seed: int = 0
) -> float:
    """KID: the squared maximum mean discrepancy under the kernel (xy / d + 1)^3, unbiased (Binkowski et al. 2018).

    >>> rng = np.random.default_rng(0)
    >>> a, b, far = rng.normal(size=(200, 4)), rng.normal(size=(200, 4)), rng.normal(size=(200, 4)) + 1
    >>> abs(kernel_distance(a, b)) < .1 < kernel_distance(a, far)
    True

    real (n, d), fake (m, d). mean k(x, x') over different reals + mean k(y, y') over different fakes - 2 mean k(x, y):
    without bias in n and m, so it may come out below 0, and sets of different size compare. `subsets=None`: over all
    pairs, nothing is random; a number: the mean over that many seeded draws of `size` of each (at most all of the
    smaller set), as published tables have it (100 of 1,000).
    """
    real, fake = as_pair(real, fake)
    if subsets is None:
        return _polynomial(real, fake, degree)
    if subsets < 1 or size < 2:
        raise BadSpec(f"kernel_distance needs subsets from 1 and size from 2, got {subsets} and {size}.")
    rng = np.random.default_rng(seed)
    size = min(size, len(real), len(fake))
    draws = ([x[rng.choice(len(x), size, replace=False)] for x in (real, fake)] for _ in range(subsets))
    return float(np.mean(list(in_order(lambda pair: _polynomial(*pair, degree), draws))))


def cmmd(real: Any, fake: Any, *, sigma: float = SIGMA) -> float:
    """CMMD: 1000 times the squared maximum mean discrepancy under exp(-|x - y|^2 / 2 sigma^2) (Jayasumana et al. 2024).

    >>> a = np.array([[1., 0.], [0., 1.]])
    >>> round(cmmd(a, a), 9), cmmd(a, -a) > 1
    (0.0, True)

    real (n, d), fake (m, d): rows are brought to length 1 first, as the published code does with the CLIP embeddings
    that the metric is defined on. All pairs count, also of a picture with itself, as published: never below 0, and
    biased upwards by about 1 / n + 1 / m.

    Of many pictures, with t = xy of directions, exp(t / sigma^2) is summed as its series: the first two powers come
    from means and (d, d) products, n d^2 instead of n^2 d; from sigma = 10 all further ones add less than .0007.
    """
    real, fake = as_pair(real, fake)
    if not sigma > 0:
        raise BadSpec(f"cmmd needs sigma above 0, got {sigma!r}.")
    if (
        sigma >= SIGMA
        and len(real) + len(fake) > MANY * real.shape[1]
        and real.any(axis=1).all()
        and fake.any(axis=1).all()
    ):
        return _cmmd_of_many(real, fake, sigma)

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        tile = squared_distances(x, y)
        tile *= -0.5 / sigma**2
        return np.expm1(tile, out=tile)  # less 1, which cancels: the rest keeps its digits

    within = [_sum_of_all(x, kernel, _directions) / len(x) ** 2 for x in (real, fake)]
    across = _sum(real, fake, kernel, _directions) / (len(real) * len(fake))
    return float(max(0.0, TIMES * (within[0] + within[1] - 2 * across)))


def _cmmd_of_many(real: np.ndarray, fake: np.ndarray, sigma: float) -> float:
    """e^(-1 / sigma^2) (|m - m'|^2 / sigma^2 + |S - S'|^2 / 2 sigma^4), m means of directions, S of their products."""
    gap, gaps = np.zeros(real.shape[1]), np.zeros((real.shape[1],) * 2)

    def products(task: tuple[np.ndarray, float, slice]) -> tuple[float, np.ndarray, np.ndarray]:
        matrix, share, rows = task
        x = _directions(matrix, rows)
        return share, x.sum(axis=0, dtype=np.float64), x.T @ x

    tasks = ((m, sign / len(m), rows) for m, sign in ((real, 1.0), (fake, -1.0)) for rows in blocks(len(m)))
    for share, total, product in in_order(products, tasks):
        gap += share * total
        product *= np.float32(share)
        gaps += product
    first, second = float(gap @ gap) / sigma**2, float((gaps**2).sum()) / (2 * sigma**4)
    return TIMES * float(np.exp(-1 / sigma**2)) * (first + second)


def _polynomial(real: np.ndarray, fake: np.ndarray, degree: int) -> float:
    d = real.shape[1]

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        tile = x @ y.T
        tile /= d
        tile += 1
        power = tile.copy()
        for _ in range(degree - 1):
            power *= tile
        return power

    within = []
    for x in (real, fake):
        alone = sum(float(((_squares(x[rows]) / d + 1) ** degree).sum()) for rows in blocks(len(x)))
        within.append((_sum_of_all(x, kernel, _single) - alone) / (len(x) * (len(x) - 1)))
    return float(within[0] + within[1] - 2 * _sum(real, fake, kernel, _single) / (len(real) * len(fake)))


Kernel = Callable[[np.ndarray, np.ndarray], np.ndarray]
Taken = Callable[[np.ndarray, slice], np.ndarray]


def _squares(rows: np.ndarray) -> np.ndarray:
    """A row times itself, float64: what a picture has with itself and an unbiased mean leaves out."""
    return np.einsum("ij,ij->i", rows, rows, dtype=np.float64)


def _single(matrix: np.ndarray, rows: slice) -> np.ndarray:
    return matrix[rows].astype(np.float32, copy=False)


def _directions(matrix: np.ndarray, rows: slice) -> np.ndarray:
    """Rows of length 1, float32; a row of zeros stays."""
    length = np.maximum(np.sqrt(_squares(matrix[rows])), 1e-30)
    return (matrix[rows] / length[:, None].astype(matrix.dtype)).astype(np.float32, copy=False)


def _sum(left: np.ndarray, right: np.ndarray, kernel: Kernel, take: Taken) -> float:
    """Of the kernel over all pairs; float32 products, float64 sums."""
    return _total(kernel, ((x, right, other, 1) for x, _ in _taken(left, take) for other in blocks(len(right))), take)


def _sum_of_all(matrix: np.ndarray, kernel: Kernel, take: Taken) -> float:
    """The same within one set: every two blocks meet once."""
    pairs = (
        (x, rows, other)
        for x, rows in _taken(matrix, take)
        for other in blocks(len(matrix))
        if other.start >= rows.start
    )
    return _total(kernel, ((x, None if o == rows else matrix, o, 1 + (o != rows)) for x, rows, o in pairs), take)


def _taken(matrix: np.ndarray, take: Taken) -> Iterator[tuple[np.ndarray, slice]]:
    return ((take(matrix, rows), rows) for rows in blocks(len(matrix)))


def _total(kernel: Kernel, tasks: Iterable[tuple[np.ndarray, np.ndarray | None, slice, int]], take: Taken) -> float:
    """Sum of a kernel's tiles, each so many times; None: of a block with itself, of which numpy computes one half."""

    def tile(task: tuple[np.ndarray, np.ndarray | None, slice, int]) -> float:
        x, right, other, times = task
        return times * float(kernel(x, x if right is None else take(right, other)).sum(dtype=np.float64))

    return sum(in_order(tile, tasks))
