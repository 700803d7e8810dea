"""Logistic regression by one Newton's method, its links, and ridge regression next to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import BadShape

STEPS, TOLERANCE = 100, 1e-10
LEAST = 1e-6  # of any penalty: separable data would send the weights to infinity
CLIP = 1e-12  # probabilities are kept this far from 0 and 1 before a logarithm is taken


def sigmoid(t: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-t)), without overflow; the only place for it.

    Parameters
    ----------
    t : ndarray of any shape
        Log odds.

    Returns
    -------
    ndarray of the same shape
        Probabilities, 0 to 1.

    Examples
    --------
    >>> sigmoid(np.array([0.0, -1000.0])).tolist()
    [0.5, 0.0]
    """
    e = np.exp(-np.abs(t))
    return np.where(t >= 0, 1 / (1 + e), e / (1 + e))


def logit(p: np.ndarray) -> np.ndarray:
    """log(p / (1 - p)), the inverse of `sigmoid`, with p clipped to 1e-12 from 0 and 1.

    Parameters
    ----------
    p : ndarray of any shape
        Probabilities.

    Returns
    -------
    ndarray of the same shape
        Log odds, -27.6 to 27.6.

    Examples
    --------
    >>> logit(np.array([0.5, 0.75, 1.0])).round(3).tolist()
    [0.0, 1.099, 27.631]
    """
    p = np.clip(p, CLIP, 1 - CLIP)
    return np.log(p) - np.log1p(-p)


def log_likelihood(p: np.ndarray, real: np.ndarray, votes: np.ndarray) -> float:
    """sum of real log p + (votes - real) log(1 - p): log probability of the votes, without binomial coefficients.

    Parameters
    ----------
    p : ndarray of shape (n,)
        Probability that a vote on this picture says real.
    real : ndarray of shape (n,)
        How many votes on it say real.
    votes : ndarray of shape (n,)
        How many votes it has.

    Returns
    -------
    float
        In nats, 0 or below.

    Examples
    --------
    >>> round(log_likelihood(np.array([0.5]), np.array([1.0]), np.array([3.0])), 4)
    -2.0794
    """
    p = np.clip(p, CLIP, 1 - CLIP)
    return float((real * np.log(p) + (votes - real) * np.log1p(-p)).sum())


def newton(at: Callable[[np.ndarray], tuple[float, Callable[[], tuple]]], w: np.ndarray) -> np.ndarray:
    """The w where a convex loss is least, by Newton's method with steps that are halved while they make it worse.

    This is the only Newton's method for regressions.

    Parameters
    ----------
    at : callable
        Takes w; returns the loss there, infinite where w has no meaning, and what gives its gradient (k,) and curvature
        (k, k) there when called.
    w : ndarray of shape (k,)
        Where to start; the loss is finite there.

    Returns
    -------
    ndarray of shape (k,)
        The minimum, to a relative 1e-10 of the loss.

    Examples
    --------
    >>> newton(lambda w: (float((w - 3) @ (w - 3)), lambda: (2 * (w - 3), 2 * np.eye(1))), np.zeros(1)).tolist()
    [3.0]
    """
    value, slopes = at(w)
    for _ in range(STEPS):
        step = np.linalg.solve(*reversed(slopes()))
        length = 1.0  # the loss is convex: a step that makes it worse was too long, so it is halved
        then, later = at(new := w - length * step)
        while then > value and length > 1e-6:
            length /= 2
            then, later = at(new := w - length * step)
        w, gain, value, slopes = new, value - then, then, later
        if gain < TOLERANCE * (1 + abs(value)):
            break
    return w


def logistic_regression(x: np.ndarray, real: np.ndarray, votes: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """The w that minimises sum of votes log(1 + exp(xw)) - real xw, plus penalty w² / 2; by Newton's method.

    This is the only place for it; `fit_logistic` and `platt_scaling` prepare its columns.

    Parameters
    ----------
    x : ndarray of shape (n, k)
        Columns; a column of ones is an intercept.
    real : ndarray of shape (n,)
        How many of the votes say real, or the label 0 to 1 of a single vote.
    votes : ndarray of shape (n,)
        How many votes a row has; ones for plain labels. Fractions are allowed, as in a weighted fit.
    penalty : ndarray of shape (k,)
        Strength of the penalty on each weight; below 1e-6 it is taken as 1e-6, so that weights stay finite
        where the data are separable.

    Returns
    -------
    ndarray of shape (k,)
        Weights. At the solution x' (votes sigmoid(xw) - real) = -penalty w.

    Examples
    --------
    >>> x, real, votes = np.array([[1.0, 0], [1, 1]]), np.array([1.0, 3]), np.array([4.0, 4])
    >>> logistic_regression(x, real, votes, np.zeros(2)).round(3).tolist()
    [-1.099, 2.197]
    """
    penalty = np.maximum(penalty, LEAST)
    ridge = np.diag(penalty)

    def at(w: np.ndarray) -> tuple[float, Callable[[], tuple[np.ndarray, np.ndarray]]]:
        t = x @ w

        def slopes() -> tuple[np.ndarray, np.ndarray]:
            p = sigmoid(t)
            gradient = x.T @ (votes * p - real) + penalty * w
            return gradient, (x * (votes * p * (1 - p))[:, None]).T @ x + ridge

        return float((votes * np.logaddexp(0, t) - real * t).sum() + 0.5 * (penalty * w * w).sum()), slopes

    return newton(at, np.zeros(x.shape[1]))


def fit_logistic(x: np.ndarray, real: np.ndarray, votes: np.ndarray, C: float = np.inf) -> np.ndarray:
    """Intercept b and weights w that minimise -log-likelihood + |w|² / (2C); the intercept is free.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        Features, without a column of ones.
    real : ndarray of shape (n,)
        How many of the votes on a picture say real.
    votes : ndarray of shape (n,)
        How many votes it has.
    C : float, default inf
        Inverse strength of the penalty, as in scikit-learn; inf is (nearly) none.

    Returns
    -------
    ndarray of shape (1 + d,)
        b, then w: P(a vote says real) = sigmoid(b + w x).

    Examples
    --------
    >>> x, real, votes = np.array([[0.0], [1.0]]), np.array([1.0, 3.0]), np.array([4.0, 4.0])
    >>> fit_logistic(x, real, votes).round(3).tolist()  # log odds -log 3 and log 3
    [-1.099, 2.197]
    """
    design = np.c_[np.ones(len(x)), x]
    return logistic_regression(design, real, votes, np.r_[0.0, np.full(x.shape[1], 1 / C)])


def platt_scaling(score: Any, said_real: Any, ridge: float = 1e-3) -> tuple[float, float]:
    """Intercept a and slope b of P(says real) = sigmoid(a + b score): a score calibrated on votes.

    Parameters
    ----------
    score : array-like of shape (n,)
        Finite scores, one for each vote.
    said_real : array-like of shape (n,)
        1 where the vote says real, else 0.
    ridge : float, default 1e-3
        Faint penalty on the slope of the standardised score; it keeps the slope finite where the score
        separates the votes completely.

    Returns
    -------
    intercept : float
        a, in log odds.
    slope : float
        b, in log odds for one unit of the score.

    Raises
    ------
    BadShape
        If a score is not finite.

    References
    ----------
    Platt, "Probabilistic Outputs for Support Vector Machines", 1999.

    Examples
    --------
    >>> a, b = platt_scaling([0.0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 0, 1, 1, 1], ridge=0)
    >>> round(a, 3), round(b, 3)  # log odds -log 3 at 0 and log 3 at 1
    (-1.099, 2.197)
    """
    score, said_real = np.asarray(score, float), np.asarray(said_real, float)
    if not np.all(np.isfinite(score)):
        raise BadShape("Scores that are calibrated must be finite; leave out the others.")
    centre, scale = score.mean(), score.std() or 1.0
    x, ones = ((score - centre) / scale)[:, None], np.ones(len(score))
    intercept, slope = fit_logistic(x, said_real, ones, 1 / max(ridge, LEAST))
    return float(intercept - slope * centre / scale), float(slope / scale)


def ridge(x: np.ndarray, y: np.ndarray, strength: float) -> np.ndarray:
    """The w that minimises half the mean of |xw - y|² plus strength / 2 |w|²: ridge regression, in closed form.

    Parameters
    ----------
    x : ndarray of shape (n, k)
        Columns; the last one is the intercept and is free of the penalty.
    y : ndarray of shape (n, N)
        N targets.
    strength : float
        Strength of the penalty, against a mean over rows.

    Returns
    -------
    ndarray of shape (k, N)
        Weights of each target.

    Examples
    --------
    >>> ridge(np.array([[-1.0, 1], [1, 1]]), np.array([[0.0], [4]]), 1.0).round(6).tolist()
    [[1.0], [2.0]]
    """
    penalty = strength * np.eye(x.shape[1])
    penalty[-1, -1] = 0
    return np.linalg.solve(x.T @ x / len(x) + penalty, x.T @ y / len(x))
