"""Inception score: does a classifier recognise something in every picture, and many things in all of them?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import BadSpec
from ..registry import as_seed
from .blocks import as_set, blocks
from .metric import Metric


def inception_score(logits: Any, *, splits: int = 1, seed: int = 0) -> float:
    """IS = exp of the mean of KL(p(y | x) || p(y)) over pictures x.

    Parameters
    ----------
    logits : array-like of shape (m, classes)
        Class scores of the fakes, before softmax; reals have no part in it.
    splits : int, default 1
        The mean over so many parts of the seeded, shuffled pictures (published tables: 10), which lowers it, as fewer
        pictures do.
    seed : int, default 0
        Decides on the parts.

    Returns
    -------
    float
        1 to the number of classes, higher = better.

    Raises
    ------
    BadSpec
        If `splits` is not from 1 to the number of pictures.
    BadShape
        If the logits are no finite numbers (m, classes).

    Notes
    -----
    It says nothing of likeness to the reals, and little outside ImageNet.

    References
    ----------
    Salimans et al., "Improved Techniques for Training GANs", 2016.

    Examples
    --------
    >>> sure = 50 * np.eye(4)
    >>> round(inception_score(sure), 6), round(inception_score(np.zeros((4, 4))), 6)
    (4.0, 1.0)
    """
    logits = as_set(logits, "fake")
    n = len(logits)
    if not isinstance(splits, (int, np.integer)) or not 1 <= splits <= n:
        raise BadSpec(f"inception_score needs splits from 1 to the number of pictures ({n}), got {splits!r}.")
    order = np.random.default_rng(as_seed(seed)).permutation(n) if splits > 1 else np.arange(n)
    return float(np.mean([np.exp(_information(logits, rows)) for rows in np.array_split(order, splits)]))


def _information(logits: np.ndarray, chosen: np.ndarray) -> float:
    """Mean of KL(p(y | x) || p(y)): the mean of sum p log p of each, less sum p log p of the mean."""
    certain, mean = 0.0, np.zeros(logits.shape[1])
    for rows in blocks(len(chosen)):
        log_p = logits[chosen[rows]].astype(np.float64)
        log_p -= log_p.max(axis=1, keepdims=True)
        p = np.exp(log_p)
        total = p.sum(axis=1, keepdims=True)
        log_p -= np.log(total)
        p /= total
        certain += float(np.einsum("ij,ij->", p, log_p)) / len(chosen)
        mean += p.sum(axis=0) / len(chosen)
    return certain - float((mean * np.log(np.maximum(mean, 1e-300))).sum())


@dataclass(frozen=True)
class InceptionScore(Metric):
    """Inception score of the fakes' logits; reals have no part in it.

    See `inception_score`. Higher = better.

    Parameters
    ----------
    splits : int, default 1
        Number of parts that the mean is taken over.
    seed : int, default 0
        Decides on the parts.

    Examples
    --------
    >>> round(InceptionScore()(np.zeros((1, 4)), 50 * np.eye(4)), 6)
    4.0
    """

    splits: int = 1
    seed: int = 0
    least: ClassVar[float] = 1.0

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        return inception_score(fake, splits=self.splits, seed=self.seed)

    def trouble(self, n: int, m: int, d: int) -> str:
        return f"{m} pictures are too few for {d} classes" if m < 5 * d else ""
