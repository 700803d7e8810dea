"""Who said real, and why: the picture, the evaluator and the context, each with shrinkage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from ..errors import BadShape, NotFitted
from ..stats import NORMAL, sigmoid
from .labels import Votes

NODES = 31  # of the integral over a picture's effect
START = 1.0  # first guess of each standard deviation, in logits


@dataclass(eq=False)
class PeopleModel:
    """logit P(evaluator r calls picture i real in context c) = mean + picture_i + evaluator_r + context_c.

    Each effect ~ Normal(0, its own standard deviation), which is learned too. So a picture with two votes is pulled to
    the mean more than one with twenty, and a lenient evaluator or a context of bad fakes does not make a picture look
    good.

    Parameters
    ----------
    sd : tuple of three float, or None
        Standard deviations of picture, evaluator and context, in logits, instead of learning them.
    most : int
        Steps at most.
    tolerance : float
        It ends when nothing moves by more than this.

    Attributes
    ----------
    images_, raters_, contexts_ : str array
        Names of the effects in `picture_`, `evaluator_` and `context_` (logits).
    picture_error_, level_error_ : float array
        Standard errors of `picture_`, and those of mean + picture.
    sd_ : dict
        The three standard deviations, in logits.
    mean_ : float
        In logits.

    Notes
    -----
    Penalised iteratively reweighted least squares; the standard deviation of the pictures by EM, integrating each
    picture out (with two votes a picture the usual rule finds half of it), the other two by Schall's rule. Memory: 16
    bytes x
    pictures x (evaluators + contexts).

    References
    ----------
    Breslow and Clayton 1993; Schall 1991.
    """

    sd: tuple[float, float, float] | None = None
    most: int = 200
    tolerance: float = 1e-4
    sd_: dict[str, float] = field(default_factory=dict, init=False)

    def fit(self, votes: Votes) -> Self:
        """Learn all effects from single votes, quality control left out."""
        votes = votes.rows(~votes.control)
        if len(votes) < 2 or votes.said_real.all() or not votes.said_real.any():
            raise BadShape("The model needs votes of both kinds, real and fake.")
        self.images_, item = np.unique(votes.image, return_inverse=True)
        self.raters_, rater = np.unique(votes.rater, return_inverse=True)
        self.contexts_, context = np.unique(votes.context, return_inverse=True)
        sizes = (len(self.images_), len(self.raters_), len(self.contexts_))
        y = votes.said_real.astype(float)
        columns = np.c_[rater, len(self.raters_) + context, np.full(len(y), sizes[1] + sizes[2])]
        u, v = np.zeros(sizes[0]), np.zeros(sizes[1] + sizes[2] + 1)
        v[-1] = np.log(y.mean() / (1 - y.mean()))
        variances = np.array(self.sd or (START, START, START if sizes[2] > 1 else 1e-4)) ** 2
        for _ in range(self.most):
            ridge = np.r_[1 / variances[0], np.repeat(1 / variances[1:], sizes[1:]), 0.0]
            before, before_variance = np.r_[u, v], variances[0]
            u, v, item_var, v_var, sure = _step(y, item, columns, u, v, ridge)
            parts = [(u, item_var), (v[: sizes[1]], v_var[: sizes[1]]), (v[sizes[1] : -1], v_var[sizes[1] : -1])]
            learned = 0 if self.sd else 2 if sizes[2] < 2 else 3
            for at, (effects, errors) in enumerate(parts[:learned]):
                # Schall: squares over the effective number of effects
                freedom = max(len(effects) - (errors / variances[at]).sum(), 1e-6)
                variances[at] = np.clip((effects**2).sum() / freedom, 1e-6, 25.0)
            if learned:
                variances[0] = _picture_variance(y, item, v[columns].sum(axis=1), before_variance)
            if max(np.abs(np.r_[u, v] - before).max(), abs(variances[0] - before_variance)) < self.tolerance:
                break
        self.picture_, self.picture_error_ = u, np.sqrt(item_var)
        self.level_error_ = np.sqrt(sure)
        self.evaluator_, self.context_, self.mean_ = v[: sizes[1]], v[sizes[1] : -1], float(v[-1])
        self.sd_ = dict(zip(("picture", "evaluator", "context"), np.sqrt(variances).tolist(), strict=True))
        return self

    def p_real(self, context: str | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For each of `images_`: the probability that an average evaluator calls it real, and its 95 % interval.

        Parameters
        ----------
        context : str or None
            Which context; None: an average one.

        Returns
        -------
        tuple of float array (n,)
            The probability and both ends. The interval knows that the mean is learned from few evaluators too.

        Raises
        ------
        NotFitted, BadShape
        """
        if not self.sd_:
            raise NotFitted("PeopleModel: call fit(votes) before p_real().")
        shift = 0.0
        if context is not None:
            if context not in self.contexts_:
                raise BadShape(f"There is no context {context!r}; there are {', '.join(self.contexts_)}.")
            shift = float(self.context_[self.contexts_ == context][0])
        centre, half = self.mean_ + shift + self.picture_, NORMAL * self.level_error_
        return sigmoid(centre), sigmoid(centre - half), sigmoid(centre + half)


def _step(
    y: np.ndarray, item: np.ndarray, columns: np.ndarray, u: np.ndarray, v: np.ndarray, ridge: np.ndarray
) -> Sequence[np.ndarray]:
    """One Newton step of the penalised likelihood; pictures, whose block is diagonal, are eliminated first.

    `ridge`: the inverse variance of the pictures, then of each of v. Returns the new effects of pictures (u) and of all
    else (v), the variances of both, and those of u + the mean.
    """
    q, ridge, penalty = len(v), ridge[0], ridge[1:]
    p = sigmoid(u[item] + v[columns].sum(axis=1))
    w = np.maximum(p * (1 - p), 1e-9)
    gradient_u = np.bincount(item, y - p, len(u)) - ridge * u
    gradient_v = np.bincount(columns.ravel(), np.repeat(y - p, 3), q) - penalty * v
    diagonal = np.bincount(item, w, len(u)) + ridge
    inner = np.diag(penalty)
    for one in range(3):
        for other in range(3):
            inner += np.bincount(columns[:, one] * q + columns[:, other], w, q * q).reshape(q, q)
    cross = np.zeros((len(u), q))  # pictures x (evaluators + contexts + 1)
    for one in range(3):
        np.add.at(cross, (item, columns[:, one]), w)
    inverse = np.linalg.inv(inner - cross.T @ (cross / diagonal[:, None]))
    dv = inverse @ (gradient_v - cross.T @ (gradient_u / diagonal))
    du = (gradient_u - cross @ dv) / diagonal
    variance = 1 / diagonal + ((cross @ inverse) * cross).sum(axis=1) / diagonal**2
    with_mean = variance + inverse[-1, -1] - 2 * (cross @ inverse[:, -1]) / diagonal
    length = min(1.0, 3.0 / max(np.abs(du).max(), np.abs(dv).max(), 1e-12))  # no leap in the first steps
    return u + length * du, v + length * dv, variance, np.diag(inverse), np.maximum(with_mean, 0)


def _picture_variance(y: np.ndarray, item: np.ndarray, offset: np.ndarray, variance: float) -> float:
    """The mean of each picture's E(u^2 | its votes), everything else given: one step of EM, by Gauss-Hermite."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    effect = np.sqrt(variance) * nodes
    likelihood = np.empty((item.max() + 1, NODES))
    for at, one in enumerate(effect):
        logit = (offset + one) * np.where(y > 0, 1, -1)
        likelihood[:, at] = np.bincount(item, -np.logaddexp(0, -logit), len(likelihood))
    posterior = np.exp(likelihood - likelihood.max(axis=1, keepdims=True)) * weights
    posterior /= posterior.sum(axis=1, keepdims=True)
    return float(np.clip((posterior @ effect**2).mean(), 1e-6, 25.0))
