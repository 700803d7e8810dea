"""One ridge regression for judgements of all kinds: t = x w of pictures' columns x, on the likelihoods of each kind.

A kind's own parameters are free, w is penalised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .likelihoods import Likelihood
from .logistic import LEAST, newton


@dataclass(frozen=True, eq=False)
class JudgementFit:
    """What `fit_judgements` found.

    Parameters
    ----------
    own : list of ndarray
        Own parameters of each kind.
    w : ndarray of shape (d,)
        Weights of the columns.
    units : ndarray of shape (kinds,)
        What t is multiplied by for each kind: raters of one kind may tell pictures apart better than those of another;
        1 of the first.

    Examples
    --------
    >>> JudgementFit([np.zeros(1)], np.array([2.0]), np.ones(1)).w.tolist()
    [2.0]
    """

    own: list[np.ndarray]
    w: np.ndarray
    units: np.ndarray


def fit_judgements(
    x: np.ndarray,
    kinds: Sequence[Likelihood],
    penalty: np.ndarray,
    units: np.ndarray | None = None,
    start: JudgementFit | None = None,
) -> JudgementFit:
    """The own parameters and w that minimise -log-likelihood of all judgements + sum of penalty w² / 2.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        Columns of the pictures, without a column of ones.
    kinds : sequence of Likelihood
        Judgements, one object a kind.
    penalty : ndarray of shape (d,)
        Strength of the penalty on each weight, at least 1e-6.
    units : ndarray of shape (kinds,) or None, default None
        What t is multiplied by for each kind; None: 1.
    start : JudgementFit or None, default None
        Where to begin, such as the fit with a neighbouring penalty; None: a constant answer.

    Returns
    -------
    JudgementFit

    Examples
    --------
    Pairs and votes of the same two pictures, both with log odds log 3:

    >>> from giqa.stats import PairLikelihood, VoteLikelihood
    >>> pairs = PairLikelihood(np.array([1]), np.array([0]), np.array([30.0]), np.array([40.0]))
    >>> votes = VoteLikelihood(np.array([0, 1]), np.array([20.0, 30.0]), np.array([40.0, 40.0]))
    >>> fit_judgements(np.array([[0.0], [1.0]]), [pairs, votes], np.zeros(1)).w.round(2).tolist()
    [1.1]
    """
    penalty = np.maximum(penalty, LEAST)
    units = np.ones(len(kinds)) if units is None else units
    own, w = ([kind.start() for kind in kinds], np.zeros(x.shape[1])) if start is None else (start.own, start.w)
    rows, sizes = [unit * kind.rows(x) for unit, kind in zip(units, kinds, strict=True)], [k.size for k in kinds]
    *own, w = np.split(newton(_problem(rows, kinds, sizes, penalty), np.concatenate([*own, w])), np.cumsum(sizes))
    return JudgementFit(own, w, units)


def _problem(rows: Sequence[np.ndarray], kinds: Sequence[Likelihood], sizes: Sequence[int], penalty: np.ndarray):
    """Loss and slopes of all parameters, for `newton`: own ones first, w last."""
    ends, d = np.cumsum(sizes), len(penalty)
    shared = slice(int(ends[-1]), int(ends[-1]) + d)
    ridge = np.diag(penalty)

    def at(theta: np.ndarray) -> tuple[float, Callable[[], tuple[np.ndarray, np.ndarray]]]:
        w, own = theta[shared], np.split(theta[: ends[-1]], ends[:-1])
        t = [r @ w for r in rows]

        def slopes() -> tuple[np.ndarray, np.ndarray]:
            gradient, curvature = np.zeros(len(theta)), np.zeros((len(theta), len(theta)))
            gradient[shared] = penalty * w
            curvature[shared, shared] = ridge
            for i, (kind, r) in enumerate(zip(kinds, rows, strict=True)):
                mine, found = slice(int(ends[i] - sizes[i]), int(ends[i])), kind.slopes(t[i], own[i])
                mixed = r.T @ found.t_own
                gradient[mine] += found.own
                gradient[shared] += r.T @ found.t
                curvature[mine, mine] += found.own_own
                curvature[shared, shared] += (r * found.t_t[:, None]).T @ r
                curvature[shared, mine] += mixed
                curvature[mine, shared] += mixed.T
            return gradient, curvature

        values = (kind.values(*both).sum() for kind, *both in zip(kinds, t, own, strict=True))
        return float(0.5 * (penalty * w * w).sum() - sum(values)), slopes

    return at


def covariance(x: np.ndarray, kinds: Sequence[Likelihood], penalty: np.ndarray, fit: JudgementFit) -> np.ndarray:
    """Covariance of all parameters, own ones of each kind first and w last: a sandwich that is robust to alike judges.

    H⁻¹ (M + P) H⁻¹: H the curvature, P the penalty (what shrinkage may hide, as a prior), M the sum of products of
    scores of judgements that share a picture. Where judgements are independent it is H⁻¹. Units count as known.

    Parameters
    ----------
    x, kinds, penalty
        As `fit_judgements` was given them.
    fit : JudgementFit
        What it found.

    Returns
    -------
    ndarray of shape (k, k)

    Examples
    --------
    40 pictures with a vote each, 30 of them real: the variance of its log odds is 1 / (40 * 0.75 * 0.25):

    >>> from giqa.stats import VoteLikelihood
    >>> likelihood = VoteLikelihood(np.arange(40), np.repeat([1.0, 0.0], [30, 10]), np.ones(40))
    >>> x, penalty = np.zeros((40, 1)), np.ones(1)
    >>> round(1 / float(covariance(x, [likelihood], penalty, fit_judgements(x, [likelihood], penalty))[0, 0]), 3)
    7.5
    """
    penalty = np.maximum(penalty, LEAST)
    sizes = [kind.size for kind in kinds]
    rows = [unit * kind.rows(x) for unit, kind in zip(fit.units, kinds, strict=True)]
    _, curvature = _problem(rows, kinds, sizes, penalty)(np.concatenate([*fit.own, fit.w]))[1]()
    start, scores = 0, np.zeros((len(x), len(curvature)))
    shared = np.zeros_like(curvature)
    for kind, r, own in zip(kinds, rows, fit.own, strict=True):
        each = np.zeros((len(r), len(curvature)))
        t = r @ fit.w
        each[:, sum(sizes) :] = r * kind.slopes(t, own).t[:, None]
        each[:, start : start + kind.size] = kind.own_scores(t, own)
        for pictures in kind.touched():
            np.add.at(scores, pictures, each)
        shared += (len(kind.touched()) - 1) * each.T @ each  # a pair has been counted at both of its pictures
        start += kind.size
    middle = scores.T @ scores - shared + np.diag(np.r_[np.zeros(sum(sizes)), penalty])
    values, vectors = np.linalg.eigh((middle + middle.T) / 2)
    root = np.linalg.solve(curvature, vectors * np.sqrt(np.maximum(values, 0)))
    return root @ root.T
