"""Which points to label next: a fair sample, or spread over what there is, or where the answer is unsure."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of the points to choose from; see `choose`."""

    labelled: Any = ()
    doubt: np.ndarray | None = None
    twins: np.ndarray | None = None
    strata: np.ndarray | None = None


def choose(points: np.ndarray, n: int, *, method: str = "random", seed: int = 0, **known: Any) -> np.ndarray:
    """Rows of the `n` pictures to label next.

    ============ =======================================================================================
    random       at random
    coverage     each next one at random, with probability in proportion to its squared distance from the
                 nearest that is labelled or chosen already (k-means++)
    both         in proportion to squared distance times `doubt`
    unsure       the largest `doubt` first
    ============ =======================================================================================

    Parameters
    ----------
    points : float array (N, d)
        Near where pictures look alike.
    n : int
        How many.
    method : str
        A row of the table.
    seed : int
        Of all that is random.
    **known
        `labelled`: rows that have labels and are never chosen. `doubt` (N,): how unsure a model is, 0 or more. `twins`
        (N,): pictures with one number are copies of each other, and at most one of them is labelled. `strata` (N,):
        each next picture is of the stratum that has fewest so far.

    Returns
    -------
    int array (n,)
        In the order of choice; fewer where there are no more.

    Raises
    ------
    BadSpec
        For another method, or without the `doubt` that it needs.
    BadShape

    Examples
    --------
    >>> corners = np.array([[0., 0], [0, .1], [9, 9], [9, 9.1]])
    >>> choose(corners, 1, labelled=[0], method="coverage").tolist()[0] in (2, 3)
    True
    """
    known = Known(**known)
    points, labelled, doubt = np.asarray(points, np.float64), np.asarray(known.labelled, int), known.doubt
    if method not in METHODS:
        raise BadSpec(f"Pictures are chosen by {', '.join(METHODS)}; got {method!r}.")
    if method in ("both", "unsure") and doubt is None:
        raise BadSpec(f"{method!r} needs to know how unsure a model is: give votes first, or choose by coverage.")
    if points.ndim != 2 or n < 1:
        raise BadShape(f"choose takes points (N, d) and n from 1, got {points.shape} and {n}.")
    rng, size = np.random.default_rng(seed), len(points)
    strata = np.zeros(size, int) if known.strata is None else np.unique(known.strata, return_inverse=True)[1]
    twins = np.arange(size) if known.twins is None else np.asarray(known.twins)
    free = ~np.isin(twins, twins[labelled])
    far = np.full(size, np.inf)
    for row in labelled:
        far = np.minimum(far, ((points - points[row]) ** 2).sum(axis=1))
    counts, chosen = np.bincount(strata[labelled], minlength=strata.max(initial=0) + 1), []
    while len(chosen) < n and free.any():
        fewest = counts[np.unique(strata[free])].min()
        among = np.flatnonzero(free & (counts[strata] == fewest))
        row = among[_next(method, far[among], None if doubt is None else doubt[among], rng)]
        chosen.append(int(row))
        counts[strata[row]] += 1
        free &= twins != twins[row]
        far = np.minimum(far, ((points - points[row]) ** 2).sum(axis=1))
    return np.array(chosen, int)


def _next(method: str, far: np.ndarray, doubt: np.ndarray | None, rng: np.random.Generator) -> int:
    """Position of the next one."""
    if method == "unsure":
        return int(rng.choice(np.flatnonzero(doubt == doubt.max())))
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
    """p(a vote says real) of all points, learned from the votes on some of them.

    Logistic regression on the points, all of one scale, so that directions in which pictures vary little weigh little;
    its penalty is chosen by cross-validated likelihood.

    Parameters
    ----------
    points : float array (N, d)
        All pictures.
    rows : int array (n,)
        Which have votes.
    y : array (n, 2)
        Votes, and how many of them said real.
    seed : int
        Of the folds.

    Returns
    -------
    float array (N,)
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
