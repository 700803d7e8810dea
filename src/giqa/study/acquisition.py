"""Which points to label next: a fair sample, or spread over what there is, or where the answer is unsure."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import BadShape, BadSpec
from ..stats import fit_logistic, log_likelihood, sigmoid

METHODS = ("random", "coverage", "both", "unsure")
DIRECTIONS = 64  # principal directions of standardised features that a model of the votes sees
NEAR = 8  # the first of them, in which pictures are near or far: in many, what is odd lies far from everything
SAMPLE = 5000  # pictures that the directions are learned from, at most
STRENGTHS = tuple(10.0**e for e in range(-4, 3))  # of its penalty's inverse, tried in cross-validation
FOLDS = 5


def choose(
    points: np.ndarray,
    n: int,
    *,
    labelled: Any = (),
    method: str = "random",
    doubt: np.ndarray | None = None,
    twins: np.ndarray | None = None,
    strata: np.ndarray | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Rows of the `n` pictures to label next, in the order of choice, int (n,) or fewer where there are no more.

    ============ =======================================================================================
    random       at random
    coverage     each next one at random, with probability in proportion to its squared distance from the
                 nearest that is labelled or chosen already (k-means++)
    both         in proportion to squared distance times `doubt`
    unsure       the largest `doubt` first
    ============ =======================================================================================

    `points`: (N, d), near where pictures look alike; `labelled`: rows that have labels and are never chosen; `doubt`
    (N,): how unsure a model is, 0 or more; `twins` (N,): pictures with one number are copies of each other, of which
    at most one is labelled; `strata` (N,): each next one is of the stratum that has fewest so far.

    >>> corners = np.array([[0., 0], [0, .1], [9, 9], [9, 9.1]])
    >>> choose(corners, 1, labelled=[0], method="coverage").tolist()[0] in (2, 3)
    True
    """
    points, labelled = np.asarray(points, np.float64), np.asarray(labelled, int)
    if method not in METHODS:
        raise BadSpec(f"Pictures are chosen by {', '.join(METHODS)}; got {method!r}.")
    if method in ("both", "unsure") and doubt is None:
        raise BadSpec(f"{method!r} needs to know how unsure a model is: give votes first, or choose by coverage.")
    if points.ndim != 2 or n < 1:
        raise BadShape(f"choose takes points (N, d) and n from 1, got {points.shape} and {n}.")
    rng, size = np.random.default_rng(seed), len(points)
    strata = np.zeros(size, int) if strata is None else np.unique(strata, return_inverse=True)[1]
    twins = np.arange(size) if twins is None else np.asarray(twins)
    free = ~np.isin(twins, twins[labelled])
    far = np.full(size, np.inf)
    for one in labelled:
        far = np.minimum(far, ((points - points[one]) ** 2).sum(axis=1))
    counts, chosen = np.bincount(strata[labelled], minlength=strata.max(initial=0) + 1), []
    while len(chosen) < n and free.any():
        fewest = counts[np.unique(strata[free])].min()
        among = np.flatnonzero(free & (counts[strata] == fewest))
        one = among[_next(method, far[among], None if doubt is None else doubt[among], rng)]
        chosen.append(int(one))
        counts[strata[one]] += 1
        free &= twins != twins[one]
        far = np.minimum(far, ((points - points[one]) ** 2).sum(axis=1))
    return np.array(chosen, int)


def _next(method: str, far: np.ndarray, doubt: np.ndarray | None, rng: np.random.Generator) -> int:
    """Position of the next one."""
    if method == "unsure":
        best = np.flatnonzero(doubt == doubt.max())
        return int(rng.choice(best))
    weight = np.ones(len(far)) if method == "random" else np.where(np.isinf(far), 1.0, far)
    if method == "both":
        weight = weight * doubt
    total = weight.sum()
    return int(rng.choice(len(far), p=weight / total if total > 0 else None))


def directions(matrix: np.ndarray, most: int = DIRECTIONS, seed: int = 0) -> np.ndarray:
    """Features (N, d) standardised and in their principal directions, each with its own variance, float64 (N, k)."""
    rows = np.sort(np.random.default_rng(seed).permutation(len(matrix))[:SAMPLE])
    some = matrix[rows].astype(np.float64)
    mean, spread = some.mean(axis=0), some.std(axis=0)
    keep = spread > 1e-6 * np.maximum(1, np.abs(mean))
    if not keep.any():
        return np.zeros((len(matrix), 1))
    some = (some[:, keep] - mean[keep]) / spread[keep]
    _, _, axes = np.linalg.svd(some, full_matrices=False)
    turn = axes[: min(most, len(axes))].T / spread[keep][:, None]
    blocks = (matrix[start : start + SAMPLE, keep] - mean[keep] for start in range(0, len(matrix), SAMPLE))
    return np.concatenate([block @ turn for block in blocks])


def learned(points: np.ndarray, rows: np.ndarray, y: np.ndarray, seed: int = 0) -> np.ndarray:
    """p(a vote says real) of all points, from `y` (n, 2), votes and how many of them said real, on some of them.

    Logistic regression on the points, all of one scale, so that directions in which pictures vary little weigh little;
    its penalty is chosen by cross-validated likelihood.
    """
    x = points / (np.sqrt((points**2).sum(axis=1).mean()) or 1.0)
    votes, real = y[:, 0].astype(float), y[:, 1].astype(float)
    fold, known = np.arange(len(rows)) % FOLDS, x[rows]
    np.random.default_rng(seed).shuffle(fold)
    gains = []
    for strength in STRENGTHS:
        gain = 0.0
        for f in range(FOLDS):
            out = fold == f
            w = fit_logistic(known[~out], real[~out], votes[~out], strength * len(rows))
            gain += log_likelihood(sigmoid(known[out] @ w[1:] + w[0]), real[out], votes[out])
        gains.append(gain)
    w = fit_logistic(known, real, votes, STRENGTHS[int(np.argmax(gains))] * len(rows))
    return sigmoid(x @ w[1:] + w[0])
