"""Vendi score: how many really different pictures there are in a set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..threads import in_order, one_blas_thread
from .blocks import as_set, blocks, directions
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
        x = directions(matrix, slice(None), np.float64)
        products = x @ x.T
    else:
        products = np.zeros((d, d))
        for x in in_order(lambda rows: directions(matrix, rows, np.float64), blocks(n)):
            products += x.T @ x
    with one_blas_thread():  # the same bits with any number of threads
        values = np.linalg.eigvalsh(products / n)
    zeros = int((~matrix.any(axis=1)).sum())  # rows without a direction are alike, and like no other
    values = np.append(values, zeros / n)
    values = values[values > 1e-12]  # they sum to 1
    return max(1.0, float(np.exp(-(values * np.log(values)).sum())))


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
    of_fakes: ClassVar[bool] = True
    least: ClassVar[float] = 1.0

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        return vendi_score(fake)
