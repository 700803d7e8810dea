"""How well probabilities agree with votes: balanced accuracy, calibration curve and its error; each row is a vote."""

from __future__ import annotations

import numpy as np


def balanced_accuracy(said: np.ndarray, said_real: np.ndarray) -> float:
    """(share of real votes that are predicted + share of fake votes that are predicted) / 2.

    Parameters
    ----------
    said : ndarray of shape (n,)
        The prediction: 1 for real, 0 for fake, 0.5 for undecided.
    said_real : ndarray of shape (n,)
        1 where the vote says real, else 0.

    Returns
    -------
    float
        0 to 1; 0.5 for always saying the same. NaN where all votes are of one kind.

    Examples
    --------
    >>> balanced_accuracy(np.array([1, 1, 0, 0, 0]), np.array([1, 1, 1, 1, 0]))  # (0.5 + 1) / 2
    0.75
    """
    said_real = np.asarray(said_real, bool)
    if said_real.all() or not said_real.any():
        return float("nan")
    return float((said[said_real].mean() + (1 - said[~said_real]).mean()) / 2)


def bins_of(p: np.ndarray, bins: int = 10) -> list[tuple[float, float]]:
    """Bins that hold about equally many probabilities each, and at least one.

    Parameters
    ----------
    p : ndarray of shape (n,)
        Probabilities.
    bins : int, default 10
        Number of bins; fewer come out where many probabilities are equal.

    Returns
    -------
    list of (float, float)
        (from, to) of each bin: from <= p < to; the last one reaches to infinity.

    Examples
    --------
    >>> bins_of(np.array([0.2, 0.2, 0.8, 0.8]), bins=2)
    [(0.2, 0.5), (0.5, inf)]
    """
    starts, which = _binned(p, bins)
    ends = [*starts[1:].tolist(), float("inf")]
    return [(float(starts[i]), ends[i]) for i in np.unique(which)]


def _binned(p: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each bin begins, and the bin of each probability."""
    edges = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)))
    starts = edges[:-1] if len(edges) > 1 else edges
    return starts, np.searchsorted(starts, p, side="right") - 1


def calibration(p: np.ndarray, said_real: np.ndarray, bins: int = 10) -> list[tuple[float, float, int]]:
    """The calibration curve: mean predicted probability and share of real votes, in bins of equally many votes.

    Parameters
    ----------
    p : ndarray of shape (n,)
        Predicted probability that each vote says real.
    said_real : ndarray of shape (n,)
        1 where the vote says real, else 0.
    bins : int, default 10
        Number of bins, see `bins_of`.

    Returns
    -------
    list of (float, float, int)
        Mean predicted probability, share of real votes, number of votes; a bin each.

    Examples
    --------
    >>> calibration(np.array([0.2, 0.2, 0.8, 0.8]), np.array([0, 1, 1, 1]), bins=2)
    [(0.2, 0.5, 2), (0.8, 1.0, 2)]
    """
    which = _binned(p, bins)[1]
    counts, said, real = (np.bincount(which, weights) for weights in (None, p, said_real))
    rows = np.flatnonzero(counts)
    return [(round(float(said[i] / counts[i]), 12), float(real[i] / counts[i]), int(counts[i])) for i in rows]


def calibration_error(p: np.ndarray, said_real: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error: mean over votes of |predicted probability - share of real votes| of their bin.

    Parameters
    ----------
    p : ndarray of shape (n,)
        Predicted probability that each vote says real.
    said_real : ndarray of shape (n,)
        1 where the vote says real, else 0.
    bins : int, default 10
        Number of bins, see `bins_of`.

    Returns
    -------
    float
        0 to 1; biased upwards, the more so with few votes in a bin. The interval that `giqa evaluate` gives begins at
        what is left beyond chance, at 0 where a calibrated probability would do as badly.

    Examples
    --------
    >>> round(calibration_error(np.array([0.2, 0.2, 0.8, 0.8]), np.array([0, 1, 1, 1]), bins=2), 2)  # (0.3 + 0.2) / 2
    0.25
    """
    curve = calibration(p, said_real, bins)
    return float(sum(n * abs(said - share) for said, share, n in curve) / sum(n for *_, n in curve))
