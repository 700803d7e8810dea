"""Inception score: does a classifier recognise something in every picture, and many things in all of them?"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import BadSpec
from .blocks import as_set


def inception_score(logits: Any, *, splits: int = 1, seed: int = 0) -> float:
    """IS = exp of the mean of KL(p(y | x) || p(y)) over pictures x (Salimans et al. 2016).

    >>> sure = 50 * np.eye(4)
    >>> round(inception_score(sure), 6), round(inception_score(np.zeros((4, 4))), 6)
    (4.0, 1.0)

    logits (m, classes) of the fakes, before softmax; reals have no part in it. 1 to the number of classes, higher =
    better. `splits`: the mean over that many parts of the seeded, shuffled pictures (published tables: 10), which
    lowers it, as the number of pictures does. It says nothing of likeness to the reals, and little outside ImageNet.
    """
    logits = as_set(logits, "fake").astype(np.float64)
    if not isinstance(splits, (int, np.integer)) or not 1 <= splits <= len(logits):
        raise BadSpec(f"inception_score needs splits from 1 to the number of pictures ({len(logits)}), got {splits!r}.")
    log_p = logits - logits.max(axis=1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    if splits > 1:
        log_p = log_p[np.random.default_rng(seed).permutation(len(log_p))]
    found = []
    for part in np.array_split(log_p, splits):
        p = np.exp(part)
        log_mean = np.log(np.maximum(p.mean(axis=0), 1e-300))
        found.append(np.exp((p * (part - log_mean)).sum(axis=1).mean()))
    return float(np.mean(found))
