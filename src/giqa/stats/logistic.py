"""Logistic regression of counts of votes, by Newton's method."""

from __future__ import annotations

import numpy as np

from . import sigmoid

STEPS, TOLERANCE = 100, 1e-10
LEAST = 1e-6  # of the penalty: separable data would send the coefficients to infinity
CLIP = 1e-12


def log_likelihood(p: np.ndarray, real: np.ndarray, votes: np.ndarray) -> float:
    """log probability of the votes: real of them say so with probability p; without the binomial coefficient, in nats.

    >>> round(log_likelihood(np.array([.5]), np.array([1.]), np.array([3.])), 4)
    -2.0794
    """
    p = np.clip(p, CLIP, 1 - CLIP)
    return float((real * np.log(p) + (votes - real) * np.log1p(-p)).sum())


def fit_logistic(x: np.ndarray, real: np.ndarray, votes: np.ndarray, C: float = np.inf) -> np.ndarray:
    """Intercept and weights (1 + d,) that minimise -log-likelihood + |w|²/(2C); the intercept is free.

    >>> x, real, votes = np.array([[0.], [1.]]), np.array([1., 3.]), np.array([4., 4.])
    >>> fit_logistic(x, real, votes).round(3).tolist()  # log odds -log 3 and log 3
    [-1.099, 2.197]
    """
    design = np.c_[np.ones(len(x)), x]
    penalty = np.full(design.shape[1], max(1 / C, LEAST))
    penalty[0] = LEAST
    w = np.zeros(design.shape[1])
    value = _objective(w, design, real, votes, penalty)
    for _ in range(STEPS):
        p = sigmoid(design @ w)
        gradient = design.T @ (votes * p - real) + penalty * w
        curvature = (design * (votes * p * (1 - p))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        length = 1.0
        while (then := _objective(w - length * step, design, real, votes, penalty)) > value and length > 1e-6:
            length /= 2
        w, gain, value = w - length * step, value - then, then
        if gain < TOLERANCE * (1 + abs(value)):
            break
    return w


def _objective(w: np.ndarray, design: np.ndarray, real: np.ndarray, votes: np.ndarray, penalty: np.ndarray) -> float:
    return 0.5 * float((penalty * w * w).sum()) - log_likelihood(sigmoid(design @ w), real, votes)
