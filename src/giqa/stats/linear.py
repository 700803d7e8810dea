"""Linear models with an L2 penalty, solved exactly: least squares and logistic regression."""

from __future__ import annotations

import numpy as np

from . import sigmoid

STEPS = 50
DONE = 1e-9


def squares(x: np.ndarray, y: np.ndarray, strength: float) -> np.ndarray:
    """Weights (k, N) of least squares with strength / 2 |w|^2 beside half the mean square; the last column of `x` is
    free of it.

    >>> squares(np.array([[-1., 1], [1, 1]]), np.array([[0.], [4]]), 1.0).round(6).tolist()
    [[1.0], [2.0]]
    """
    penalty = strength * np.eye(x.shape[1])
    penalty[-1, -1] = 0
    return np.linalg.solve(x.T @ x / len(x) + penalty, x.T @ y / len(x))


def logistic(x: np.ndarray, c: np.ndarray, strength: float, free_last: bool = True) -> np.ndarray:
    """Weights (k,) that minimise mean(log(1 + exp(xw)) - c xw) + strength / 2 |w|^2, by Newton's method.

    `x` (n, k), `c` (n,) in 0..1; the last column of `x` is free of the penalty unless `free_last` is False. A step
    that makes it worse is halved. At the solution, x' (sigmoid(xw) - c) / n = -strength w.
    """
    penalty = np.full(x.shape[1], strength)
    if free_last:
        penalty[-1] = 1e-6  # all alike: the constant must not run away
    w = np.zeros(x.shape[1])

    def value(w: np.ndarray) -> float:
        outputs = x @ w
        return float(np.mean(np.logaddexp(0, outputs) - c * outputs) + 0.5 * penalty @ w**2)

    now = value(w)
    for _ in range(STEPS):
        p = sigmoid(x @ w)
        slope = x.T @ (p - c) / len(x) + penalty * w
        curve = (x * (p * (1 - p))[:, None]).T @ x / len(x) + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        if slope @ step < DONE:
            break
        size = 1.0
        while size > 1e-8 and value(w - size * step) > now:
            size /= 2
        w = w - size * step
        now = value(w)
    return w
