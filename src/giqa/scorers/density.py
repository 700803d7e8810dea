"""The density that GMM-GIQA fits: standardise, project, mixture of Gaussians, and what lies outside the projection."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from .em import estimate, fit_mixture
from .mixture import Mixture, log_density, log_density_at_modes, shrunk_to_round
from .products import standardiser, steady_product


class Settings(NamedTuple):
    """What a preset decides, and what `recommended` chooses by the likelihood of held-out reals."""

    n_components: int
    covariance: str  # "full" or "diag"
    pca: float | int | None  # share of variance, number of directions, or None for no projection
    shrinkage: float | None  # 0 to 1, towards the covariance of all reals, itself shrunk by OAS; None for none
    reg: float
    n_init: int
    standardise: bool


class Density(NamedTuple):
    """log p(x): standardise, project, mixture; what is left outside the projection is an isotropic Gaussian."""

    mean: np.ndarray  # (d,)
    spread: np.ndarray  # (d,)
    directions: np.ndarray  # (q, d), orthonormal rows; (0, d) stands for no projection
    weights: np.ndarray
    means: np.ndarray
    factors: np.ndarray

    @property
    def mixture(self) -> Mixture:
        """The mixture in the projected space."""
        return Mixture(self.weights, self.means, self.factors)


def fit_density(
    matrix: np.ndarray, settings: Settings, rng: np.random.Generator | None, shares: np.ndarray | None = None
) -> Density:
    """Learn a density from reals.

    Parameters
    ----------
    matrix : ndarray of shape (n, d)
        Features of reals.
    settings : Settings
        Kind of density.
    rng : numpy.random.Generator or None
        Source of the k-means that EM starts from.
    shares : ndarray of shape (n, M) or None, default None
        Responsibilities that EM starts from instead.
    """
    if settings.standardise:
        mean, spread = standardiser(matrix)
    else:
        mean, spread = matrix.mean(axis=0, dtype=np.float64), np.ones(matrix.shape[1])
    x = (matrix - mean) / spread
    directions = np.empty((0, x.shape[1]))
    if settings.pca is not None:
        directions = principal_directions(x, settings.pca)
        x = x @ directions.T
    options = {"diagonal": settings.covariance == "diag", "reg": settings.reg}
    if settings.shrinkage is not None:
        target = shrunk_to_round(x.T @ x / len(x), len(x))
        options["target"] = np.diag(np.diagonal(target)) if options["diagonal"] else target
        options["shrinkage"] = settings.shrinkage
    if settings.n_components == 1:
        mixture = estimate(x, np.ones((len(x), 1)), **options)
    else:
        start = {"rng": rng, "shares": shares, "n_init": settings.n_init}
        mixture, converged = fit_mixture(x, settings.n_components, **start, **options)
        if not converged:
            warnings.warn(
                "GMM: EM did not converge in 100 steps; more pictures or fewer components would help.", stacklevel=4
            )
    return Density(mean, spread, directions, *mixture)


def principal_directions(x: np.ndarray, wanted: float | int) -> np.ndarray:
    """Principal directions of centred rows, as orthonormal rows (q, d).

    Parameters
    ----------
    x : float64 ndarray of shape (n, d)
        Centred rows.
    wanted : float or int
        Share of the variance (0 < wanted < 1), or number of directions.
    """
    n, d = x.shape
    if n > d:
        variances, vectors = np.linalg.eigh(x.T @ x)
        variances, rows = variances[::-1], vectors.T[::-1]
    else:
        variances, vectors = np.linalg.eigh(x @ x.T)
        variances, vectors = variances[::-1], vectors[:, ::-1]
    usable = max(1, int(np.sum(variances > 1e-10 * variances[0])))
    if isinstance(wanted, float):
        q = int(np.searchsorted(np.cumsum(variances) / variances.sum(), wanted) + 1)
    else:
        q = wanted
    q = max(1, min(q, usable))
    rows = rows[:q] if n > d else vectors[:, :q].T @ x / np.sqrt(variances[:q, None])
    signs = np.sign(
        rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)]
    )  # the same everywhere: largest entry positive
    return np.ascontiguousarray(rows * signs[:, None])


def log_density_of(matrix: np.ndarray, density: Density, outside: float | None) -> np.ndarray:
    """log p(x) of pictures, with or without what lies outside the directions.

    Parameters
    ----------
    matrix : ndarray of shape (n, d)
        Features.
    density : Density
        From `fit_density`.
    outside : float or None
        Variance of the isotropic Gaussian outside the directions; None: that part does not count.

    Returns
    -------
    float64 ndarray of shape (n,)
        In nats.
    """
    q, d = density.directions.shape
    inside = inside_of(matrix, density)
    log_p = log_density(inside, density.mixture)
    if outside is None or not 0 < q < d:
        return log_p
    x = (matrix - density.mean) / density.spread
    rest = np.maximum(np.einsum("ij,ij->i", x, x) - np.einsum("ij,ij->i", inside, inside), 0.0)
    return log_p - 0.5 * (rest / outside + (d - q) * np.log(2 * np.pi * outside))


def ceiling(density: Density, outside: float | None) -> float:
    """An upper bound of log p(x) of any picture: every component at its own mean, added up.

    Parameters
    ----------
    density : Density
        From `fit_density`.
    outside : float or None
        As in `log_density_of`.
    """
    q, d = density.directions.shape
    modes = log_density_at_modes(density.mixture)
    return modes if outside is None or not 0 < q < d else modes - 0.5 * (d - q) * float(np.log(2 * np.pi * outside))


def inside_of(matrix: np.ndarray, density: Density) -> np.ndarray:
    """Standardised and projected features, float64 (n, q).

    Parameters
    ----------
    matrix : ndarray of shape (n, d)
        Features.
    density : Density
        From `fit_density`.
    """
    x = (matrix - density.mean) / density.spread
    return steady_product(x, density.directions) if len(density.directions) else x
