"""Mean and covariance of features in one pass, in blocks, and of several sets together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadShape
from ..registry import as_whole
from ..threads import in_order
from ..types import as_numbers
from .blocks import as_set, blocks


@dataclass(frozen=True, eq=False)
class Moments:
    """Number, mean and scatter of rows seen so far; sums of two are the moments of both sets together.

    Parameters
    ----------
    n : int
        Number of rows; 0: unknown, as in files of other tools.
    mean : float64 ndarray of shape (d,)
        Their mean.
    scatter : float64 ndarray of shape (d, d)
        Sum of squares and products about the mean: (n - 1) times the covariance.

    Notes
    -----
    Products are float32 where the features are and rows are at least twice as many as columns (with fewer, rounding
    would pass for directions that no row has), a block at a time, after a shift to the mean; their sums are float64.
    Sums of moments are those of Chan et al. 1979.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> halves = Moments.of(x[:20]) + Moments.of(x[20:])
    >>> bool(np.allclose(halves.covariance, np.cov(x.T))), halves.n
    (True, 50)
    """

    n: int
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def of(cls, features: Any, *, exact: bool = False) -> Moments:
        """The moments of features.

        Parameters
        ----------
        features : array-like of shape (n, d)
            Finite numbers.
        exact : bool, default False
            Every product in float64, also of float32 features.

        Returns
        -------
        Moments
            Of these rows.
        """
        matrix = as_set(features, "given")
        n, d = matrix.shape
        kind = np.float64 if exact or n < 2 * d else matrix.dtype
        shift = sum((matrix[rows].sum(axis=0, dtype=np.float64) for rows in blocks(n)), np.zeros(d)) / n
        shift = shift.astype(matrix.dtype)

        def products(rows: slice) -> tuple[np.ndarray, np.ndarray]:
            x = matrix[rows].astype(kind, copy=False) - shift
            return x.sum(axis=0, dtype=np.float64), x.T @ x  # of one array with itself: numpy computes one half

        rest, scatter = np.zeros(d), np.zeros((d, d))
        for total, product in in_order(products, blocks(n)):
            rest += total
            scatter += product
        rest /= n  # what the shift left of the mean
        return cls(n, shift + rest, scatter - n * np.outer(rest, rest))

    @classmethod
    def from_statistics(cls, mean: Any, covariance: Any, n: int = 0) -> Moments:
        """Moments from a mean and a covariance, as files of FID tools have them.

        Parameters
        ----------
        mean : array-like of shape (d,)
            The mean.
        covariance : array-like of shape (d, d)
            The unbiased covariance.
        n : int, default 0
            Number of rows; 0: unknown.

        Returns
        -------
        Moments
            With this mean and covariance.

        Raises
        ------
        BadShape
            If shapes do not fit, a number is not finite, or the covariance is none.
        """
        n = as_whole(n, "n", 0)
        mean = as_numbers(mean, "Means").astype(np.float64)
        covariance = as_numbers(covariance, "Covariances", 2).astype(np.float64)
        if covariance.shape != (len(mean), len(mean)) or not len(mean):
            raise BadShape(f"Statistics are a mean (d,) and a covariance (d, d), got {mean.shape}, {covariance.shape}.")
        if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
            raise BadShape("Statistics must be finite; make them again.")
        if not np.allclose(covariance, covariance.T, rtol=1e-4, atol=1e-6 * max(np.abs(covariance).max(), 1e-30)):
            raise BadShape("A covariance is symmetric; this one is not. Make the statistics again.")
        variance = np.diagonal(covariance)
        if variance.min(initial=0) < -1e-6 * variance.max(initial=0):
            raise BadShape(f"A variance is not below 0; this covariance has {variance.min():.3g}. Make it again.")
        return cls(n, mean, (covariance / 2 + covariance.T / 2) * max(n - 1, 1))

    def __add__(self, other: Moments) -> Moments:
        """The moments of both sets of rows together (Chan et al. 1979)."""
        if not self.n or not other.n:
            return other if not self.n else self
        n, step = self.n + other.n, other.mean - self.mean
        scatter = self.scatter + other.scatter
        scatter += np.outer(step, step) * (self.n * other.n / n)
        return Moments(n, self.mean + step * (other.n / n), scatter)

    @property
    def covariance(self) -> np.ndarray:
        """Unbiased, (d, d)."""
        return self.scatter / max(self.n - 1, 1)
