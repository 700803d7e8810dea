"""What `recommended` decides by the likelihood of reals that were set aside: components, covariance, shrinkage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .density import Settings, fit_density, inside_of, log_density_of

COMPONENTS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100)  # tried while two reals are left for each direction
SHRINKAGES = (0.1, 0.3, 0.6)  # tried with more than one component
ALONE = (1.0, 0.3, 0.1, 0.03, 0.01)  # with one: the OAS estimate itself, and ever less of its rounding
RESERVED = 0.25  # of the reals, set aside
PATIENCE = 2  # numbers of components without a gain before the search ends


def choose(
    matrix: np.ndarray, settings: Settings, given: Mapping[str, Any], rng: np.random.Generator
) -> tuple[Settings, float]:
    """The settings under which reals that were set aside are likeliest, and the variance outside the directions.

    The simpler setting stays unless the gain is above its own standard error; what is `given` is not tried otherwise.

    Parameters
    ----------
    matrix : ndarray of shape (n, d)
        Features of reals.
    settings : Settings
        Where the search begins.
    given : mapping of str to object
        Parameters that the user has set.
    rng : numpy.random.Generator
        Decides which quarter of the reals is set aside.

    Returns
    -------
    settings : Settings
    variance : float
        Of each dimension outside the directions.
    """
    order = rng.permutation(len(matrix))
    aside, rest = np.split(matrix[order], [max(1, int(RESERVED * len(matrix)))])
    if isinstance(settings.pca, (int, np.integer)):
        settings = settings._replace(pca=int(min(settings.pca, matrix.shape[1], max(1, len(rest) // 2))))
    outside, q = _variance_outside(rest, aside, settings, rng)

    def logs(tried: Settings) -> np.ndarray:
        return log_density_of(aside, fit_density(rest, tried._replace(n_init=1), rng), outside)

    most = max(1, len(rest) // (2 * q))
    best, best_logs, failures = None, None, 0
    for m in [given["n_components"]] if "n_components" in given else [m for m in COMPONENTS if m <= most]:
        before = best
        for tried in _settings_of(m, settings, given):
            now = logs(tried)
            if best is None or (gain := now - best_logs).mean() > gain.std() / np.sqrt(len(gain)):
                best, best_logs = tried, now
        failures = failures + 1 if best is before else 0
        if failures == PATIENCE:
            break
    return best, outside


def _settings_of(m: int, settings: Settings, given: Mapping[str, Any]) -> Iterator[Settings]:
    shrinkages = [given["shrinkage"]] if "shrinkage" in given else ALONE if m == 1 else SHRINKAGES
    for covariance in [given["covariance"]] if "covariance" in given else ["full", "diag"]:
        for shrinkage in shrinkages:
            yield settings._replace(n_components=m, covariance=covariance, shrinkage=shrinkage)


def _variance_outside(
    rest: np.ndarray, aside: np.ndarray, settings: Settings, rng: np.random.Generator
) -> tuple[float, int]:
    """Mean square of a set-aside real in each dimension outside the directions, and the number of directions."""
    density = fit_density(rest, settings._replace(n_components=1, shrinkage=1.0), rng)
    q, d = density.directions.shape
    if not 0 < q < d:
        return 1.0, q or d
    x, inside = (aside - density.mean) / density.spread, inside_of(aside, density)
    variance = float(np.mean((x**2).sum(axis=1) - (inside**2).sum(axis=1)) / (d - q))
    return (variance if variance > 1e-12 else 1.0), q  # nothing at all outside: no scale to measure it by
