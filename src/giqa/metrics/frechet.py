"""Fréchet distance between two sets of features: moments in one pass, no square root of a product of matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import BadShape, BadSpec
from ..registry import as_seed
from ..threads import in_order, one_blas_thread
from .blocks import as_factors, as_set, equal_sets, keys
from .metric import Metric
from .moments import Moments

POINTS = 15  # sample sizes of the extrapolation, as Chong and Forsyth have them
SMALLEST_SHARE = 0.1  # of the fakes, at the first of them
TOO_LARGE = "These statistics hold numbers whose products exceed float64; divide the features by a constant."
NEAR = 1e-3  # of both traces: below it a distance is what is left of two nearly equal numbers, and computed otherwise


def frechet_distance(real: Any, fake: Any) -> float:
    """FD = |m - m'|² + tr(C + C' - 2 (C C')^1/2) of the Gaussians with the means and covariances of both sets.

    Parameters
    ----------
    real : array-like of shape (n, d), or Moments
        Features of reals.
    fake : array-like of shape (m, d), or Moments
        Features of fakes.

    Returns
    -------
    float
        A squared distance, never below 0, in the squared unit of the features; exactly 0 for equal moments, and for the
        same rows in whatever order. FID on Inception's pooling layer.

    Raises
    ------
    BadShape
        If the sets have different columns, fewer than 2 rows, or numbers that are not finite.

    Notes
    -----
    The trace of the root is the sum of the roots of the eigenvalues of the symmetric L' C' L, C = L L', which are real:
    nothing imaginary arises. For fewer pictures than columns the same number is the nuclear norm of
    X X'^T / sqrt((n - 1)(m - 1)), X and X' centred rows. For nearly equal sets that difference of traces would be
    rounding; there it is the smallest |L - L' U|² over rotations U, a sum of squares, from float64 products.

    Biased upwards by about 1 / m and 1 / n, so only sets of equal size compare; `frechet_infinity` extrapolates.

    References
    ----------
    Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium", 2017. Bhatia,
    Jain, Lim, "On the Bures-Wasserstein distance between positive definite matrices", 2019.

    Examples
    --------
    >>> reals = np.array([[0.0, 0.0], [2.0, 2.0], [0.0, 2.0], [2.0, 0.0]])
    >>> frechet_distance(reals, reals + [3, 4]), frechet_distance(reals, reals[::-1])
    (25.0, 0.0)
    """
    return _Reals(real)(fake)


def frechet_infinity(real: Any, fake: Any, *, points: int = POINTS, seed: int = 0) -> float:
    """FD without the bias of a finite number of fakes: the intercept of FD over 1 / m.

    Parameters
    ----------
    real : array-like of shape (n, d)
        Features of reals, at least 20.
    fake : array-like of shape (m, d)
        Features of fakes, at least 20.
    points : int, default 15
        Number of sizes, from a tenth of m to m, 2 to 16.
    seed : int, default 0
        Decides which fakes are drawn, without replacement.

    Returns
    -------
    float
        In the squared unit of the features; may come out below 0 where the distance is next to nothing.

    Raises
    ------
    BadSpec
        If `points` is not from 2 to 16.
    BadShape
        If the sets do not fit or are too small.

    Notes
    -----
    All reals are used every time, so the bias of their number stays. Below 2 d fakes at the smallest size FD is no line
    in 1 / m: see `FrechetInfinity.trouble`.

    References
    ----------
    Chong, Forsyth, "Effectively Unbiased FID and Inception Score and where to find them", 2020.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> reals, fakes = rng.normal(size=(2, 600, 8))
    >>> frechet_infinity(reals, fakes) < frechet_distance(reals, fakes)
    True
    """
    real, fake = as_factors(real, fake, least=20)
    if not isinstance(points, (int, np.integer)) or not 2 <= points <= 16:
        raise BadSpec(f"frechet_infinity needs points from 2 to 16, got {points!r}.")
    sizes = np.linspace(max(2, SMALLEST_SHARE * len(fake)), len(fake), points).astype(int)
    reals = Moments.of(real)
    with one_blas_thread():
        factor = _factor(reals.covariance)
    found = in_order(lambda fakes: _distance(reals, factor, fakes), _growing(fake, sizes, as_seed(seed)))
    return float(np.polyfit(1 / sizes, list(found), 1)[1])


def _growing(fake: np.ndarray, sizes: np.ndarray, seed: int) -> Iterator[Moments]:
    """Moments of the first so many fakes in seeded order, each from the last one's and those of the new rows."""
    order = np.argsort(keys(fake, 1, seed)[:, 0], kind="stable")
    known = Moments(0, np.zeros(fake.shape[1]), np.zeros((fake.shape[1],) * 2))
    for new in np.split(order, sizes[:-1]):
        known = known + Moments.of(fake[new])
        yield known


class _Reals:
    """FD from these reals, called with the fakes: what depends on the reals alone is computed once."""

    def __init__(self, real: Any):
        self.rows = None if isinstance(real, Moments) else real
        self.moments = real if isinstance(real, Moments) else None
        self.factor: np.ndarray | None = None

    def __call__(self, fake: Any) -> float:
        if self.rows is not None and not isinstance(fake, Moments):
            real, fake = as_factors(self.rows, fake)
            n, m, d = len(real), len(fake), real.shape[1]
            if equal_sets(real, fake):
                return 0.0
            if _are_few(n, m, d):  # the shorter way
                return _of_few(real, fake)
            return self._distance(fake, np.float32 in (real.dtype, fake.dtype))
        return self._distance(fake if isinstance(fake, Moments) else as_set(fake, "given"), False)

    def known(self) -> tuple[Moments, np.ndarray]:
        """Their moments, and the factor of their covariance."""
        real = self.moments = Moments.of(self.rows) if self.moments is None else self.moments
        with one_blas_thread():  # the same bits with any number of threads
            self.factor = _factor(real.covariance) if self.factor is None else self.factor
        return real, self.factor

    def _distance(self, fake: Any, rounded: bool) -> float:
        real, factor = self.known()
        columns = len(fake.mean) if isinstance(fake, Moments) else np.shape(fake)[-1]
        if len(real.mean) != columns:
            raise BadShape(
                f"Both sets need the same features; the reals have {len(real.mean)} columns, the fakes {columns}."
            )
        with one_blas_thread():
            if not isinstance(fake, Moments) and len(fake) < columns:
                return _from_few(real, factor, fake)
            known = fake if isinstance(fake, Moments) else Moments.of(fake)
            found = _distance(real, factor, known)
            if rounded and found < NEAR * _traces(real, known):
                real, known = (Moments.of(x, exact=True) for x in (self.rows, fake))
                found = _distance(real, _factor(real.covariance), known)
            return found


class _Among:
    """FD of these reals and some of these fakes, called with their rows: one product of all fakes does for all choices.

    With L L' the covariance of the reals and X the fakes about their mean, the roots are those of X L L' X', rows and
    columns of the choice, centred: of as many rows as are chosen.
    """

    def __init__(self, real: np.ndarray, fake: np.ndarray):
        self.reals, self.fake = _Reals(real), fake
        self.products: np.ndarray | None = None

    def __call__(self, rows: np.ndarray) -> float:
        n, m, d = len(self.reals.rows), len(rows), self.fake.shape[1]
        if m >= d or _are_few(n, m, d) or equal_sets(self.reals.rows, self.fake[rows]):
            return self.reals(self.fake[rows])
        real, factor = self.reals.known()
        with one_blas_thread():
            if self.products is None:
                self.middle = self.fake.mean(axis=0, dtype=np.float64)
                self.centred = as_factors(self.reals.rows, self.fake)[1] - self.middle
                turned = self.centred @ factor
                self.products = turned @ turned.T
            some = self.centred[rows]
            mean = some.mean(axis=0)
            some = (some - mean) / np.sqrt(m - 1)
            products = self.products[np.ix_(rows, rows)] / (m - 1)
            means = products.mean(axis=0)
            values = np.linalg.eigvalsh(products - means - means[:, None] + means.mean())
            return _of_roots(real, factor, self.middle + mean, some, values)


def _are_few(n: int, m: int, d: int) -> bool:
    """Whether n reals and m fakes are so few that their (n, m) products are the shorter way."""
    return n + m < d or 4 * min(n, m) < d


def _factor(covariance: np.ndarray) -> np.ndarray:
    """L with L L^T the covariance, (d, d): Cholesky's, or of a singular one its symmetric root."""
    if not np.isfinite(covariance).all():
        raise BadShape(TOO_LARGE)
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(covariance)
        return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def _distance(real: Moments, factor: np.ndarray, fake: Moments) -> float:
    """`factor`: of the covariance of the reals."""
    gap, covariance = float(((real.mean - fake.mean) ** 2).sum()), fake.covariance
    traces, middle = _traces(real, fake), factor.T @ covariance @ factor
    if not np.isfinite([gap, traces, middle.sum()]).all():
        raise BadShape(TOO_LARGE)
    if np.array_equal(real.covariance, covariance):
        return gap
    values = np.linalg.eigvalsh((middle + middle.T) / 2)
    apart = traces - 2 * float(np.sqrt(np.maximum(values, 0)).sum())
    if apart < NEAR * traces:
        apart = _least_apart(factor.T, _factor(covariance).T)
    return gap + apart


def _from_few(real: Moments, factor: np.ndarray, fake: np.ndarray) -> float:
    """The same distance for fewer fakes than columns: the roots are of an (m, m) matrix."""
    mean = fake.mean(axis=0, dtype=np.float64)
    rows = (fake - mean) / np.sqrt(len(fake) - 1)
    turned = rows @ factor
    return _of_roots(real, factor, mean, rows, np.linalg.eigvalsh(turned @ turned.T))


def _of_roots(real: Moments, factor: np.ndarray, mean: np.ndarray, rows: np.ndarray, values: np.ndarray) -> float:
    """The distance from the squares of the roots; `rows` are the fakes about their `mean`, over sqrt(m - 1)."""
    traces = float(np.trace(real.covariance) + (rows**2).sum())
    apart = traces - 2 * float(np.sqrt(np.maximum(values, 0)).sum())
    if apart < NEAR * traces:
        apart = _least_apart(factor.T, rows)
    return float(((real.mean - mean) ** 2).sum()) + apart


def _traces(real: Moments, fake: Moments) -> float:
    return float(np.trace(real.covariance) + np.trace(fake.covariance))


def _of_few(real: np.ndarray, fake: np.ndarray) -> float:
    """The same distance from the (n, m) products of centred rows, when these are fewer than columns."""
    means = [x.mean(axis=0, dtype=np.float64) for x in (real, fake)]
    x, y = ((rows - mean) / np.sqrt(len(rows) - 1) for rows, mean in zip((real, fake), means, strict=True))
    traces = float((x**2).sum() + (y**2).sum())
    with one_blas_thread():
        apart = traces - 2 * float(np.linalg.svd(x @ y.T, compute_uv=False).sum())
        if apart < NEAR * traces:
            apart = _least_apart(x, y)
    return float(((means[0] - means[1]) ** 2).sum()) + apart


def _least_apart(x: np.ndarray, y: np.ndarray) -> float:
    """The smallest |x - U y|^2 over all U with orthonormal columns, x (p, d), y (q, d) with q <= p, else exchanged.

    It is tr(C + C' - 2 (C C')^1/2), C = x^T x and C' = y^T y, without the difference of nearly equal numbers.
    """
    if len(x) < len(y):
        x, y = y, x
    left, _, right = np.linalg.svd(x @ y.T, full_matrices=False)
    return float(((x - (left @ right) @ y) ** 2).sum())


@dataclass(frozen=True)
class Frechet(Metric):
    """Fréchet distance of the Gaussians of both sets; FID on Inception's pooling layer.

    See `frechet_distance`. Lower = better.

    Examples
    --------
    >>> reals = np.array([[0.0, 0.0], [2.0, 2.0], [0.0, 2.0], [2.0, 0.0]])
    >>> Frechet()(reals, reals + [3, 4])
    25.0
    """

    is_distance: ClassVar[bool] = True
    least: ClassVar[float] = 0.0

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        return frechet_distance(real, fake)

    def against(self, real: np.ndarray) -> Callable[[np.ndarray], float]:
        return _Reals(real)

    def among(self, real: np.ndarray, fake: np.ndarray) -> Callable[[np.ndarray], float]:
        return _Among(real, fake)

    def trouble(self, n: int, m: int, d: int) -> str:
        if min(n, m) <= d:
            return f"{min(n, m)} pictures cannot say what {d} columns have to do with each other: it is mostly bias"
        return f"biased upwards: {min(n, m)} pictures for {d} columns" if min(n, m) < 10 * d else ""


@dataclass(frozen=True)
class FrechetInfinity(Metric):
    """Fréchet distance, extrapolated to infinitely many fakes.

    See `frechet_infinity`. Lower = better.

    Parameters
    ----------
    points : int, default 15
        Number of sizes, 2 to 16.
    seed : int, default 0
        Decides which fakes are drawn.

    Examples
    --------
    >>> FrechetInfinity().trouble(1000, 1000, 512)
    '1000 fakes and 1000 reals are too few for 512 columns: bias is no line in 1 / m there'
    """

    points: int = 15
    seed: int = 0
    is_distance: ClassVar[bool] = True
    by_size: ClassVar[bool] = False

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        return frechet_infinity(real, fake, points=self.points, seed=self.seed)

    def trouble(self, n: int, m: int, d: int) -> str:
        few = SMALLEST_SHARE * m < 2 * d or n <= d
        return f"{m} fakes and {n} reals are too few for {d} columns: bias is no line in 1 / m there" if few else ""
