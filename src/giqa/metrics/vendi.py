"""Vendi score: how many really different pictures there are in a set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..threads import in_order, one_blas_thread
from .blocks import as_set, blocks
from .metric import DIVERSITY, Metric


def vendi_score(features: Any) -> float:
    """exp of the entropy of the eigenvalues of K / n, K the cosine similarities of n pictures.

    Parameters
    ----------
    features : array-like of shape (n, d)
        Features of one set; reals have no part in it.

    Returns
    -------
    float
        1 (all alike) to the smaller of n and d: the effective number of different pictures.

    Raises
    ------
    BadShape
        If the features are no finite numbers (n, d).

    Notes
    -----
    It grows with n, so compare sets of equal size. From the d x d products when n > d, which have the same eigenvalues;
    in float64, since rounding of float32 would pass for different pictures.

    References
    ----------
    Friedman, Dieng, "The Vendi Score: A Diversity Evaluation Metric for Machine Learning", 2023.

    Examples
    --------
    >>> round(vendi_score(np.eye(5)), 6), round(vendi_score(np.ones((5, 3))), 6)
    (5.0, 1.0)
    """
    matrix = as_set(features, "given")
    n, d = matrix.shape
    if n <= d:
        x = _directions(matrix)
        products = x @ x.T
    else:
        products = np.zeros((d, d))
        for product in in_order(lambda rows: _product(matrix[rows]), blocks(n)):
            products += product
    with one_blas_thread():  # the same bits with any number of threads
        values = np.linalg.eigvalsh(products / n)
    values = values[values > 1e-12]  # they sum to 1
    return float(np.exp(-(values * np.log(values)).sum()))


def _product(rows: np.ndarray) -> np.ndarray:
    """Of a block's directions, (d, d)."""
    x = _directions(rows)
    return x.T @ x


def _directions(matrix: np.ndarray) -> np.ndarray:
    """Rows of length 1, float64."""
    x = matrix.astype(np.float64)
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-30)


@dataclass(frozen=True)
class Vendi(Metric):
    """Effective number of different pictures among the fakes; reals have no part in it.

    See `vendi_score`. Higher = more diverse.

    Examples
    --------
    >>> round(Vendi()(np.eye(5), np.eye(5)), 6)
    5.0
    """

    about: ClassVar[str] = DIVERSITY

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        return vendi_score(fake)
