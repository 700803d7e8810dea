"""The mixture of Gaussians itself: densities, EM, shrinkage. Plain functions on float64 arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..errors import BadShape
from .products import steady_product

LOG_2PI = float(np.log(2 * np.pi))


class Mixture(NamedTuple):
    """M Gaussians in q dimensions: `weights` (M,), `means` (M, q), `factors` (M, q, q), lower, with inverse
    covariance = factor' factor, so that the squared Mahalanobis distance is |factor (x - mean)|^2."""

    weights: np.ndarray
    means: np.ndarray
    factors: np.ndarray


def factor_of(covariance: np.ndarray) -> np.ndarray:
    """The inverse of the lower Cholesky factor: whitens."""
    try:
        return np.linalg.inv(np.linalg.cholesky(covariance))
    except np.linalg.LinAlgError:
        raise BadShape(
            "A covariance is singular: too few pictures a component for this many features. "
            "Lower n_components, set pca=, raise reg, or add pictures."
        ) from None


def component_log_densities(x: np.ndarray, mixture: Mixture, product: Callable = steady_product) -> np.ndarray:
    """log(weight_m N(x; mean_m, covariance_m)) for each picture and component, (n, M).

    `product(a, b)` is a times the transpose of b: steady for scores, the fast one inside EM.
    """
    q = x.shape[1]
    result = np.empty((len(x), len(mixture.weights)))
    for m, (weight, mean, factor) in enumerate(zip(*mixture, strict=True)):
        white = product(x - mean, factor)
        log_determinant = np.log(np.diagonal(factor)).sum()  # of the inverse factor: half the log-determinant, negative
        result[:, m] = np.log(weight) + log_determinant - 0.5 * (q * LOG_2PI + np.einsum("ij,ij->i", white, white))
    return result


def log_density(x: np.ndarray, mixture: Mixture) -> np.ndarray:
    """log p(x) = log sum_m weight_m N(x; mean_m, covariance_m)  (GIQA, eq. 5), (n,)."""
    return _log_sum_exp(component_log_densities(x, mixture))


def log_density_at_modes(mixture: Mixture) -> float:
    """log sum_m weight_m N(mean_m; mean_m, covariance_m): an upper bound of the log-density anywhere."""
    q = mixture.means.shape[1]
    heights = [np.log(w) + np.log(np.diagonal(f)).sum() - 0.5 * q * LOG_2PI for w, _, f in zip(*mixture, strict=True)]
    return float(_log_sum_exp(np.array([heights]))[0])


def _log_sum_exp(a: np.ndarray) -> np.ndarray:
    top = a.max(axis=1)
    return top + np.log(np.exp(a - top[:, None]).sum(axis=1))


def oas_shrinkage(covariance: np.ndarray, n: float) -> float:
    """How far to shrink towards a multiple of the identity: OAS (Chen et al. 2010, eq. 23), in [0, 1]."""
    q = len(covariance)
    trace, squares = np.trace(covariance), float(np.sum(covariance**2))
    below = (n + 1 - 2 / q) * (squares - trace**2 / q)
    return 1.0 if below <= 0 else min(1.0, ((1 - 2 / q) * squares + trace**2) / below)


def shrunk_to_round(covariance: np.ndarray, n: float) -> np.ndarray:
    """OAS estimate: (1 - a) S + a (tr S / q) I."""
    a = oas_shrinkage(covariance, n)
    q = len(covariance)
    return (1 - a) * covariance + a * np.trace(covariance) / q * np.eye(q)


def estimate(
    x: np.ndarray,
    shares: np.ndarray,
    *,
    diagonal: bool = False,
    shrinkage: float = 0.0,
    target: np.ndarray | None = None,
    reg: float = 1e-6,
) -> Mixture:
    """M-step: responsibilities `shares` (n, M) to a mixture; each covariance is moved by `shrinkage` to `target`."""
    counts = shares.sum(axis=0) + 10 * np.finfo(float).eps
    means = shares.T @ x / counts[:, None]
    factors = np.empty((len(counts), x.shape[1], x.shape[1]))
    for m in range(len(counts)):
        use = shares[:, m] > 1e-12
        centred = x[use] - means[m]
        covariance = (centred * shares[use, m, None]).T @ centred / counts[m]
        if diagonal:
            covariance = np.diag(np.diagonal(covariance))
        if target is not None:
            covariance = (1 - shrinkage) * covariance + shrinkage * target
        covariance.flat[:: len(covariance) + 1] += reg
        factors[m] = factor_of(covariance)
    return Mixture(counts / counts.sum(), means, factors)


def fit_mixture(
    x: np.ndarray,
    n_components: int,
    *,
    rng: np.random.Generator,
    shares: np.ndarray | None = None,
    n_init: int = 1,
    max_iter: int = 100,
    tol: float = 1e-3,
    **options: Any,
) -> tuple[Mixture, bool]:
    """Expectation-maximisation; the best mixture by mean log-density, and whether it settled.

    Starts from the responsibilities `shares` (n, M) if given, else `n_init` times from k-means; `options` go to
    `estimate`.
    """
    best: tuple[float, Mixture, bool] | None = None
    for _ in range(n_init if shares is None and n_components > 1 else 1):
        start = np.eye(n_components)[kmeans(x, n_components, rng)] if shares is None else shares
        mixture = estimate(x, start, **options)
        before, settled = -np.inf, n_components == 1
        for _ in range(max_iter if n_components > 1 else 0):
            logs = component_log_densities(x, mixture, plain_product)
            total = _log_sum_exp(logs)
            mixture = estimate(x, np.exp(logs - total[:, None]), **options)
            now = float(total.mean())
            settled = abs(now - before) < tol
            before = now
            if settled:
                break
        final = float(_log_sum_exp(component_log_densities(x, mixture, plain_product)).mean())
        if best is None or final > best[0]:
            best = final, mixture, settled
    return best[1], best[2]


def plain_product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a @ b.T


def responsibilities(x: np.ndarray, mixture: Mixture) -> np.ndarray:
    """Share of each component in each picture, rows sum to 1, (n, M)."""
    logs = component_log_densities(x, mixture)
    return np.exp(logs - _log_sum_exp(logs)[:, None])


def kmeans(x: np.ndarray, k: int, rng: np.random.Generator, max_iter: int = 50) -> np.ndarray:
    """Labels of k-means with k-means++ seeding; an emptied cluster takes the point farthest from its centre."""
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
