"""Expectation-maximisation: a mixture of Gaussians learned from features. Plain functions on float64 arrays.

A step of EM costs 4 N q^2 M operations when every picture is compared with every component and every covariance is
made of all pictures. In hundreds of dimensions nearly all of that is for shares below e^-45, which a float64 sum cannot
see: here the squared distance of a picture to a component is added up over ever more dimensions, in float32, and left
as soon as its share cannot matter; what is left is computed in float64, over the lower triangle alone. The result is
that of the plain way (docs/speed.md).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import BadShape
from ..threads import one_blas_thread
from .mixture import Mixture, heights, log_sum_exp
from .products import ROWS_AT_ONCE, in_threads

STEPS = 100  # of EM, at most
CONVERGED = 1e-3  # nats by which the mean log-density changes in the last step, at most
NEGLIGIBLE = 45.0  # nats below the likeliest component so far
FIRST, BLOCK = 16, 128  # dimensions looked at first, then twice as many, up to a block at a time
SLACK = 1e-3, 1.0  # of float32: how far, by share and in absolute terms, a sum of squares may be too large
UNIT = 2.0**-23  # of float32, twice: of a picture and of a mean that are subtracted


def fit_mixture(
    x: np.ndarray,
    n_components: int,
    *,
    rng: np.random.Generator,
    shares: np.ndarray | None = None,
    n_init: int = 1,
    **options: Any,
) -> tuple[Mixture, bool]:
    """Expectation-maximisation: the best mixture by mean log-density, and whether it converged.

    It has where a step changes the mean log-density by less than 1e-3; it ends after 100 steps in any case.

    Parameters
    ----------
    x : float64 ndarray of shape (n, q)
        Reals.
    n_components : int
        M.
    rng : numpy.random.Generator
        Source of the starts.
    shares : ndarray of shape (n, M) or None, default None
        Responsibilities to start from; None: k-means.
    n_init : int, default 1
        Number of starts from k-means.
    **options
        For `estimate`.

    Returns
    -------
    mixture : Mixture
    converged : bool
    """
    best: tuple[float, Mixture, bool] | None = None
    rough = Rough(x)
    for _ in range(n_init if shares is None and n_components > 1 else 1):
        now_shares = np.eye(n_components)[kmeans(x, n_components, rng)] if shares is None else shares
        mixture = estimate(x, now_shares, **options)
        before, converged = -np.inf, n_components == 1
        for _ in range(STEPS if n_components > 1 else 0):
            total, now_shares = expectation(x, mixture, now_shares.argmax(axis=1), rough)
            mixture = estimate(x, now_shares, **options)
            now = float(total.mean())
            converged = abs(now - before) < CONVERGED
            before = now
            if converged:
                break
        final = float(expectation(x, mixture, now_shares.argmax(axis=1), rough)[0].mean())
        if best is None or final > best[0]:
            best = final, mixture, converged
    return best[1], best[2]


class Rough:
    """Pictures about their mean in float32, made once for all steps: enough to see which shares cannot matter.

    Parameters
    ----------
    x : float64 ndarray of shape (n, q)
        Pictures.
    """

    def __init__(self, x: np.ndarray):
        self.middle, self.x = x.mean(axis=0), np.empty(x.shape, np.float32)
        for start in range(0, len(x), ROWS_AT_ONCE):
            self.x[start : start + ROWS_AT_ONCE] = x[start : start + ROWS_AT_ONCE] - self.middle
        self.largest = np.abs(self.x).max(axis=0, initial=0)


def expectation(
    x: np.ndarray, mixture: Mixture, likely: np.ndarray, rough: Rough | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """E-step: log p(x), and the share of each component in each picture, 0 where it is below e^-45.

    Parameters
    ----------
    x : float64 ndarray of shape (n, q)
        Pictures.
    mixture : Mixture
        M components.
    likely : int ndarray of shape (n,)
        A component that is probably the picture's own. It decides on the work, not on the result.
    rough : Rough or None, default None
        Of the same pictures; None: made here.

    Returns
    -------
    log_p : float64 ndarray of shape (n,)
    shares : float64 ndarray of shape (n, M)
    """
    n, q = x.shape
    tops, rough = heights(mixture), Rough(x) if rough is None else rough
    logs = np.full((n, len(tops)), -np.inf)

    def own(m: int) -> None:
        for rows in _parts(np.flatnonzero(likely == m)):
            logs[rows, m] = tops[m] - 0.5 * _squares(x[rows], mixture.means[m], mixture.factors[m])

    def others(m: int) -> None:
        for rows in _parts(np.flatnonzero(likely != m)):
            near = _near(rough, rows, (mixture.means[m], mixture.factors[m]), 2 * (tops[m] - least[rows]))
            logs[near, m] = tops[m] - 0.5 * _squares(x[near], mixture.means[m], mixture.factors[m])

    in_threads(own, range(len(tops)), n * q * q)
    least = logs[np.arange(n), likely] - NEGLIGIBLE
    in_threads(others, range(len(tops)), n * q * q)
    total = log_sum_exp(logs)
    return total, np.exp(logs - total[:, None])


def estimate(
    x: np.ndarray,
    shares: np.ndarray,
    *,
    diagonal: bool = False,
    shrinkage: float = 0.0,
    target: np.ndarray | None = None,
    reg: float = 1e-6,
) -> Mixture:
    """M-step: responsibilities to a mixture.

    Parameters
    ----------
    x : float64 ndarray of shape (n, q)
        Reals.
    shares : ndarray of shape (n, M)
        Responsibilities.
    diagonal : bool, default False
        Keep the diagonal of each covariance alone.
    shrinkage : float, default 0
        How far each covariance is moved to `target`, 0 to 1.
    target : ndarray of shape (q, q) or None, default None
        Covariance that it is moved to.
    reg : float, default 1e-6
        Added to the diagonal.

    Returns
    -------
    Mixture
    """
    n, q = x.shape
    counts = shares.sum(axis=0) + 10 * np.finfo(float).eps
    with one_blas_thread():
        means = shares.T @ x / counts[:, None]
    factors = np.empty((len(counts), q, q))

    def one(m: int) -> None:
        covariance = np.zeros((q, q))
        for rows in _parts(np.flatnonzero(shares[:, m] > 1e-12)):
            weighted = x[rows]
            weighted -= means[m]
            weighted *= np.sqrt(shares[rows, m, None])
            covariance += weighted.T @ weighted  # of one array: BLAS computes half of it
        covariance /= counts[m]
        if diagonal:
            covariance = np.diag(np.diagonal(covariance))
        if target is not None:
            covariance = (1 - shrinkage) * covariance + shrinkage * target
        covariance.flat[:: q + 1] += reg
        factors[m] = factor_of(covariance)

    in_threads(one, range(len(counts)), n * q * q)
    return Mixture(counts / counts.sum(), means, factors)


def factor_of(covariance: np.ndarray) -> np.ndarray:
    """The inverse of the lower Cholesky factor: whitens."""
    try:
        return _inverse_of_lower(np.linalg.cholesky(covariance))
    except np.linalg.LinAlgError:
        raise BadShape(
            "A covariance is singular: too few pictures a component for this many features. "
            "Lower n_components, set pca=, raise reg, or add pictures."
        ) from None


def kmeans(x: np.ndarray, k: int, rng: np.random.Generator, max_iter: int = 50) -> np.ndarray:
    """Labels of k-means with k-means++ seeding; an emptied cluster takes the point farthest from its centre.

    Parameters
    ----------
    x : float64 ndarray of shape (n, q)
        Points.
    k : int
        Number of clusters.
    rng : numpy.random.Generator
        Source of the seeding.
    max_iter : int, default 50
        Most steps.
    """
    if k == 1:
        return np.zeros(len(x), int)
    centres = x[[rng.integers(len(x))]]
    distances = ((x - centres[0]) ** 2).sum(axis=1)
    while len(centres) < k:
        total = distances.sum()
        pick = rng.choice(len(x), p=distances / total) if total > 0 else rng.integers(len(x))
        centres = np.vstack([centres, x[pick]])
        distances = np.minimum(distances, ((x - x[pick]) ** 2).sum(axis=1))
    labels = np.full(len(x), -1)
    for _ in range(max_iter):
        squares = (centres**2).sum(axis=1) - 2 * x @ centres.T
        new = squares.argmin(axis=1)
        for empty in np.setdiff1d(np.arange(k), new):
            counts = np.bincount(new, minlength=k)
            movable = counts[new] > 1
            own = ((x - centres[new]) ** 2).sum(axis=1)
            new[np.argmax(np.where(movable, own, -1))] = empty
        if np.array_equal(new, labels):
            break
        labels = new
        centres = np.stack([x[labels == j].mean(axis=0) for j in range(k)])
    return labels


def _near(rough: Rough, rows: np.ndarray, component: tuple[np.ndarray, np.ndarray], room: np.ndarray) -> np.ndarray:
    """Those of the rows whose |factor (row - mean)|^2 may be within `room`, found in float32 over ever more dimensions.

    Only the dimensions that are looked at are taken from a picture: most are gone after the first few.
    """
    mean, factor = component[0] - rough.middle, component[1].astype(np.float32)
    blur = UNIT * float(np.linalg.norm(np.abs(component[1]) @ (rough.largest + np.abs(mean))))  # of the root of a sum
    mean, done, q = mean.astype(np.float32), 0, len(mean)
    squares, (share, margin) = np.zeros(len(rows), np.float32), SLACK
    while done < q and len(rows):
        upto = min(q, done + min(BLOCK, max(FIRST, done)))
        squares += _squares_between(rough.x[rows, :upto] - mean[:upto], factor, done, upto)
        surely = np.maximum(np.sqrt(squares) - np.float32(blur), 0) ** 2 * (1 - share)
        keep = ~(surely > room + margin)  # a NaN is kept, and looked at in float64
        if not keep.all():
            rows, squares, room = rows[keep], squares[keep], room[keep]
        done = upto
    return rows


def _squares(x: np.ndarray, mean: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """|factor (row - mean)|^2 of each row, by blocks of the lower triangle."""
    x -= mean
    edges = [*range(0, len(factor), BLOCK), len(factor)]
    parts = (_squares_between(x[:, :end], factor, start, end) for start, end in pairwise(edges))
    return sum(parts, np.zeros(len(x)))


def _squares_between(centred: np.ndarray, factor: np.ndarray, start: int, end: int) -> np.ndarray:
    white = centred @ factor[start:end, :end].T
    return np.einsum("ij,ij->i", white, white)


def _inverse_of_lower(lower: np.ndarray) -> np.ndarray:
    """[[A, 0], [B, C]] has the inverse [[A', 0], [-C' B A', C']], A' and C' being inverses."""
    if len(lower) <= BLOCK:
        return np.tril(np.linalg.inv(lower))
    half = len(lower) // 2
    result = np.zeros_like(lower)
    first, second = _inverse_of_lower(lower[:half, :half]), _inverse_of_lower(lower[half:, half:])
    result[:half, :half], result[half:, half:] = first, second
    result[half:, :half] = -second @ (lower[half:, :half] @ first)
    return result


def _parts(rows: np.ndarray) -> list[np.ndarray]:
    """No more rows at once than bounds the copies."""
    return [rows[start : start + ROWS_AT_ONCE] for start in range(0, len(rows), ROWS_AT_ONCE)]
