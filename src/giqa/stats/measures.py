"""How well numbers agree with judgements: pure functions of two columns, each row a vote or a picture."""

from __future__ import annotations

import numpy as np

from ..errors import BadShape
from . import ranks, sigmoid

NOTHING = float("nan")


def auroc(score: np.ndarray, said_real: np.ndarray) -> float:
    """The probability that a real vote has a higher score than a fake vote; ties are half."""
    said_real = np.asarray(said_real, bool)
    n, m = int(said_real.sum()), int((~said_real).sum())
    return float((ranks(score)[said_real].sum() - n * (n + 1) / 2) / (n * m)) if n and m else NOTHING


def balanced_accuracy(said: np.ndarray, said_real: np.ndarray) -> float:
    """The mean of the shares of real and of fake votes that are predicted; always saying the same gets .5."""
    said_real = np.asarray(said_real, bool)
    if said_real.all() or not said_real.any():
        return NOTHING
    return float((said[said_real].mean() + (1 - said[~said_real]).mean()) / 2)


def logistic(score: np.ndarray, said_real: np.ndarray, ridge: float = 1e-3) -> tuple[float, float]:
    """(intercept, slope) of P(says real) = sigmoid(intercept + slope score), by Newton's method.

    A faint `ridge` on the slope of the standardised score keeps it finite where a score parts the votes wholly.
    """
    score, y = np.asarray(score, float), np.asarray(said_real, float)
    if not np.all(np.isfinite(score)):
        raise BadShape("Scores that are calibrated must be finite.")
    centre, scale = score.mean(), score.std() or 1.0
    x = np.c_[np.ones(len(score)), (score - centre) / scale]
    share = np.clip(y.mean(), 1e-4, 1 - 1e-4)
    w = np.array([np.log(share / (1 - share)), 0.0])
    penalty = ridge * np.array([1e-3, 1.0])  # one answer alone would send the intercept to infinity
    for _ in range(50):
        p = sigmoid(x @ w)
        hessian = (x * (p * (1 - p))[:, None]).T @ x + np.diag(penalty)
        step = np.linalg.solve(hessian, x.T @ (y - p) - penalty * (w - [w[0], 0.0]))
        step /= max(1.0, np.abs(step).max() / 4)
        w = w + step
        if np.abs(step).max() < 1e-9:
            break
    return float(w[0] - w[1] * centre / scale), float(w[1] / scale)


def bins_of(p: np.ndarray, bins: int = 10) -> list[tuple[float, float]]:
    """Bins, from .. up to but without .., that hold about equally many probabilities each, and none is empty.

    >>> bins_of(np.array([0.2, 0.2, 0.8, 0.8]), bins=2)
    [(0.2, 0.5), (0.5, inf)]
    """
    edges = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1))).tolist()
    starts = edges[:-1] or edges
    found = zip(starts, [*starts[1:], float("inf")], strict=True)
    return [(low, high) for low, high in found if np.any((p >= low) & (p < high))]


def calibration(p: np.ndarray, said_real: np.ndarray, bins: int = 10) -> list[tuple[float, float, int]]:
    """Calibration curve: (mean predicted probability, share of real votes, votes) in bins of equally many votes.

    >>> calibration(np.array([0.2, 0.2, 0.8, 0.8]), np.array([0, 1, 1, 1]), bins=2)
    [(0.2, 0.5, 2), (0.8, 1.0, 2)]
    """
    groups = ((p >= low) & (p < high) for low, high in bins_of(p, bins))
    return [(round(float(p[g].mean()), 12), float(np.mean(said_real[g])), int(g.sum())) for g in groups]


def calibration_error(p: np.ndarray, said_real: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error: the mean distance of the curve from the diagonal, by votes; biased upwards."""
    curve = calibration(p, said_real, bins)
    return float(sum(n * abs(said - share) for said, share, n in curve) / sum(n for *_, n in curve))
