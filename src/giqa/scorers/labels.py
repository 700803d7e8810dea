"""The labels that learned scorers learn from: pseudo labels of snapshots, thresholds, and folds (GIQA, eq. 1-4)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import BadShape, BadSpec
from ..registry import as_seed, as_whole
from ..types import as_numbers

PRESETS = ("paper", "released", "recommended")
S_G = 0.9  # the paper's: the best generated picture is nine tenths of a real one
RELEASED = (83 / 663, 623 / 663)  # cuts from 190k to 730k of counters from 107k to 770k
FOLDS = 5
MOST_HEADS = 10_000


def pseudo_labels(iteration: np.ndarray, latest: np.ndarray | float | None = None, s_g: float = S_G) -> np.ndarray:
    """S_p = s_g iteration / latest for generated pictures, 1 for real ones (eq. 1).

    Parameters
    ----------
    iteration : array-like of shape (n,)
        Iteration of the generator that made each picture; NaN for real ones.
    latest : float, array-like of shape (n,) or None, default None
        Last iteration of each picture's run; None: the largest there is.
    s_g : float, default 0.9
        Quality of the last snapshot.

    Returns
    -------
    float64 ndarray of shape (n,)
        0 to 1.

    Raises
    ------
    BadShape
        If no picture is generated, or an iteration is below 0.

    Examples
    --------
    >>> pseudo_labels(np.array([0, 12, 24, np.nan])).tolist()
    [0.0, 0.45, 0.9, 1.0]
    """
    iteration = np.asarray(iteration, np.float64)
    generated = ~np.isnan(iteration)
    if not generated.any() or (iteration[generated] < 0).any():
        raise BadShape("Pseudo labels need generated pictures with iterations from 0; got none, or one below 0.")
    latest = np.nanmax(iteration) if latest is None else np.asarray(latest, np.float64)
    if (np.asarray(latest) <= 0).any():
        raise BadShape("All pictures are from iteration 0, so that none is better than another; give later ones too.")
    return np.where(generated, s_g * np.where(generated, iteration, 0) / latest, 1.0)


def thresholds(labels: np.ndarray, n_heads: int = 8, preset: str = "recommended") -> np.ndarray:
    """0 < T_1 < ... < T_N = 1: head i separates labels >= T_i from the others (eq. 2).

    =========== ================================================================================================
    paper       i / N (it says no more than that they increase)
    released    even cuts between 0.125 and 0.94 of the iterations, and 1; a label must be above a cut
    recommended quantiles of the generated pictures' labels, so that each head sees other pictures, and 1
    =========== ================================================================================================

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Pseudo labels.
    n_heads : int, default 8
        N.
    preset : {"recommended", "released", "paper"}, default "recommended"
        See the table.

    Returns
    -------
    float64 ndarray of shape (N,)
        Thresholds.

    Raises
    ------
    BadSpec
        If there are more heads than iterations.
    BadShape
        If there are only real pictures.

    Examples
    --------
    >>> thresholds(np.array([0, 0.3, 0.6, 0.9, 1]), 4).round(2).tolist()
    [0.3, 0.6, 0.9, 1.0]
    """
    if str(preset) not in PRESETS:
        raise BadSpec(f"preset is one of {', '.join(PRESETS)}, got {preset!r}.")
    n_heads = as_whole(n_heads, "n_heads", 1, MOST_HEADS)
    if preset == "paper":
        return np.arange(1, n_heads + 1) / n_heads
    known = np.unique(labels[labels < 1])
    if not len(known):
        raise BadShape("There are only real pictures (labels of 1); learning needs generated ones too.")
    if preset == "released":
        span = np.linspace(*RELEASED, n_heads - 1) if n_heads != 2 else np.mean(RELEASED, keepdims=True)
        cuts = known[0] + (known[-1] - known[0]) * span
        return np.r_[np.nextafter(cuts, np.inf), 1.0]
    if len(known) < n_heads:
        raise BadSpec(f"{n_heads} heads need as many iterations, there are {len(known)}; give n_heads={len(known)}.")
    places = np.round(np.arange(1, n_heads) * len(known) / n_heads).astype(int)
    return np.r_[known[places], 1.0]


def targets(labels: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """c_i = [S_p >= T_i] (eq. 2).

    Parameters
    ----------
    labels : array-like of shape (n,)
        Pseudo labels, S_p.
    cuts : ndarray of shape (N,)
        Thresholds, T_i.

    Returns
    -------
    float64 ndarray of shape (n, N)
        0 or 1.
    """
    return (np.asarray(labels)[:, None] >= cuts).astype(np.float64)


def combined(probabilities: np.ndarray, preset: str = "recommended") -> np.ndarray:
    """The score of the heads' probabilities: their mean (eq. 4); `released`: their sum times 1e6, truncated.

    `recommended` first orders them: a picture cannot be above T_2 and not above T_1, so none is above the one before.

    Parameters
    ----------
    probabilities : ndarray of shape (n, N)
        What each head says, 0 to 1.
    preset : {"recommended", "released", "paper"}, default "recommended"
        Which of them.

    Returns
    -------
    float64 ndarray of shape (n,)
        Scores.

    Examples
    --------
    >>> p = np.array([[0.5, 0.75, 0.25]])
    >>> combined(p, "paper").tolist(), combined(p, "released").tolist(), combined(p).round(4).tolist()
    ([0.5], [1500000.0], [0.4167])
    """
    if preset == "released":
        return np.trunc(probabilities.sum(axis=1) * 1e6)
    if preset == "recommended":
        probabilities = np.minimum.accumulate(probabilities, axis=1)
    return probabilities.mean(axis=1)


def checked_labels(y: Any, n: int, name: str) -> np.ndarray:
    """Labels as float64 (n,): finite, and not all equal.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels.
    n : int
        Number of pictures.
    name : str
        Name of the scorer, for the error.

    Raises
    ------
    BadShape
        If there are no labels, or they do not fit.
    """
    if y is None:
        raise BadShape(
            f"{name} learns from labels: `giqa train {name.lower()}` makes them from a table of snapshots; in Python, "
            "fit(features, y) with one number a picture, 1 for real ones."
        )
    y = as_numbers(y, f"Labels of {name}", kinds="fiub").astype(np.float64)
    if y.shape != (n,) or not np.isfinite(y).all() or len(np.unique(y)) < 2:
        raise BadShape(f"{name} needs {n} finite labels that are not all alike, got the shape {y.shape}.")
    return y


def label_folds(y: np.ndarray, seed: int = 0) -> np.ndarray:
    """Fold 0..4 of each row: rows of one label below the largest go together, those of the largest (reals) one by one.

    Parameters
    ----------
    y : float64 ndarray of shape (n,)
        Labels.
    seed : int, default 0
        The same seed gives the same folds.

    Returns
    -------
    int ndarray of shape (n,)
    """
    rng = np.random.default_rng(as_seed(seed))
    folds = np.empty(len(y), int)
    top = y == y.max()
    folds[top] = rng.permutation(int(top.sum())) % FOLDS
    known, place = np.unique(y[~top], return_inverse=True)
    if len(known) >= FOLDS:
        folds[~top] = (rng.permutation(len(known)) % FOLDS)[place]
    else:
        folds[~top] = rng.permutation(int((~top).sum())) % FOLDS
    return folds
