"""The mixture of Gaussians itself: densities, shares, shrinkage. Plain functions on float64 arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .products import steady_product

LOG_2PI = float(np.log(2 * np.pi))


class Mixture(NamedTuple):
    """M Gaussians in q dimensions.

    Parameters
    ----------
    weights : ndarray of shape (M,)
        They sum to 1.
    means : ndarray of shape (M, q)
        A mean for each.
    factors : ndarray of shape (M, q, q)
        Lower triangles with inverse covariance = factor' factor, so that the squared Mahalanobis distance is
        |factor (x - mean)|².
    """

    weights: np.ndarray
    means: np.ndarray
    factors: np.ndarray


def component_log_densities(x: np.ndarray, mixture: Mixture) -> np.ndarray:
    """log(weight_m N(x; mean_m, covariance_m)) for each picture and component.

    Parameters
    ----------
    x : float64 ndarray of shape (n, q)
        Pictures.
    mixture : Mixture
        M components.

    Returns
    -------
    float64 ndarray of shape (n, M)
    """
    result = np.empty((len(x), len(mixture.weights)))
    for m, (height, mean, factor) in enumerate(zip(heights(mixture), *mixture[1:], strict=True)):
        white = steady_product(x - mean, factor)
        result[:, m] = height - 0.5 * np.einsum("ij,ij->i", white, white)
    return result


def heights(mixture: Mixture) -> list[float]:
    """log(weight_m N(mean_m; mean_m, covariance_m)), the log-density of each component at its own mean."""
    q = mixture.means.shape[1]  # the diagonal is of the inverse factor: half the log-determinant, negative
    return [
        np.log(w) + np.log(np.diagonal(f)).sum() - 0.5 * q * LOG_2PI
        for w, f in zip(mixture.weights, mixture.factors, strict=True)
    ]


def log_density(x: np.ndarray, mixture: Mixture) -> np.ndarray:
    """log p(x) = log sum_m weight_m N(x; mean_m, covariance_m)  (GIQA, eq. 5).

    Parameters
    ----------
    x : float64 ndarray of shape (n, q)
        Pictures.
    mixture : Mixture
        M components.

    Returns
    -------
    float64 ndarray of shape (n,)
        In nats.
    """
    return log_sum_exp(component_log_densities(x, mixture))


def log_density_at_modes(mixture: Mixture) -> float:
    """log sum_m weight_m N(mean_m; mean_m, covariance_m): an upper bound of the log-density anywhere."""
    return float(log_sum_exp(np.array([heights(mixture)]))[0])


def log_sum_exp(a: np.ndarray) -> np.ndarray:
    """log of the sum of exp over each row, without overflow, (n, M) -> (n,)."""
    top = a.max(axis=1)
    return top + np.log(np.exp(a - top[:, None]).sum(axis=1))


def oas_shrinkage(covariance: np.ndarray, n: float) -> float:
    """How far to shrink a covariance towards a multiple of the identity: OAS (Chen et al. 2010, eq. 23).

    Parameters
    ----------
    covariance : ndarray of shape (q, q)
        Sample covariance.
    n : float
        Number of pictures that it was computed from.

    Returns
    -------
    float
        0 to 1.
    """
    q = len(covariance)
    trace, squares = np.trace(covariance), float(np.sum(covariance**2))
    below = (n + 1 - 2 / q) * (squares - trace**2 / q)
    return 1.0 if below <= 0 else min(1.0, ((1 - 2 / q) * squares + trace**2) / below)


def shrunk_to_round(covariance: np.ndarray, n: float) -> np.ndarray:
    """The OAS estimate: (1 - a) S + a (tr S / q) I, a from `oas_shrinkage`.

    Parameters
    ----------
    covariance : ndarray of shape (q, q)
        S.
    n : float
        Number of pictures that it was computed from.
    """
    a = oas_shrinkage(covariance, n)
    q = len(covariance)
    return (1 - a) * covariance + a * np.trace(covariance) / q * np.eye(q)


def responsibilities(x: np.ndarray, mixture: Mixture) -> np.ndarray:
    """Share of each component in each picture; rows sum to 1.

    Parameters
    ----------
    x : float64 ndarray of shape (n, q)
        Pictures.
    mixture : Mixture
        M components.

    Returns
    -------
    float64 ndarray of shape (n, M)
    """
    logs = component_log_densities(x, mixture)
    return np.exp(logs - log_sum_exp(logs)[:, None])
