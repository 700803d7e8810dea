"""The likelihood of each kind of judgement, given how good every picture is.

| kind | judgement | probability |
|---|---|---|
| votes | "real" of picture i | sigmoid(b + t_i) |
| pairs | i preferred to j (Bradley and Terry 1952) | sigmoid(t_i - t_j) |
| ratings | at most level k of picture i (cumulative logit, McCullagh 1980) | sigmoid(c_k - t_i), c_1 < ... < c_{K-1} |

b and c are a kind's own parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol, Self

import numpy as np

from .logistic import LEAST, sigmoid

FAINT = 1e-3  # ratings added to each level, so that the thresholds of a level that nobody gave stay finite
CLOSEST = 1e-9  # of two thresholds


class Likelihood(Protocol):
    """The judgements of one kind. A row is a picture, or a pair of them; `own` are the parameters b or c."""

    size: int  # of own

    def rows(self, x: np.ndarray) -> np.ndarray:
        """Columns of pictures (n, d) to columns of rows (m, d): those of the picture, or the difference of two."""
        ...

    def touched(self) -> tuple[np.ndarray, ...]:
        """The pictures of each row, (m,) each: one array, or left and right."""
        ...

    def start(self) -> np.ndarray:
        """Own parameters to begin with, (size,): those of a constant answer."""
        ...

    def values(self, t: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Log-likelihood of each row, for t (m,) or (m, q), in the same shape."""
        ...

    def slopes(self, t: np.ndarray, own: np.ndarray) -> Slopes:
        """Derivatives of -log-likelihood."""
        ...

    def own_scores(self, t: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Derivatives of each row's -log-likelihood by own, (m, size); their sum is `slopes(t, own).own`."""
        ...

    def counts(self) -> np.ndarray:
        """Judgements of each row, (m,)."""
        ...

    def mean_answer(self) -> np.ndarray:
        """Of each row, (m,): share of votes, or the mean level of ratings, from 0."""
        ...

    def take(self, keep: np.ndarray) -> Self:
        """Some of the rows (mask or positions)."""
        ...


@dataclass(frozen=True, eq=False)
class Slopes:
    """Derivatives of -log-likelihood by t (m,), own (k,), t twice (m,), t and own (m, k), own twice (k, k)."""

    t: np.ndarray
    own: np.ndarray
    t_t: np.ndarray
    t_own: np.ndarray
    own_own: np.ndarray


@dataclass(frozen=True, eq=False)
class VoteLikelihood:
    """Votes: `real` of `votes` on picture `image` say real, each (m,).

    Parameters
    ----------
    image : int ndarray of shape (m,)
        Row of the picture.
    real, votes : float ndarray of shape (m,)
        Votes that say real, and all votes.

    Examples
    --------
    >>> likelihood = VoteLikelihood(np.array([0, 1]), np.array([1.0, 3.0]), np.array([4.0, 4.0]))
    >>> from giqa.stats import fit_judgements
    >>> fit = fit_judgements(np.array([[0.0], [1.0]]), [likelihood], np.zeros(1))
    >>> fit.own[0].round(2).tolist(), fit.w.round(2).tolist()  # log odds -log 3 and log 3
    ([-1.1], [2.2])
    """

    image: np.ndarray
    real: np.ndarray
    votes: np.ndarray
    size = 1

    def rows(self, x: np.ndarray) -> np.ndarray:
        return x[self.image]

    def touched(self) -> tuple[np.ndarray, ...]:
        return (self.image,)

    def start(self) -> np.ndarray:
        share = (self.real.sum() + 0.5) / (self.votes.sum() + 1)
        return np.array([np.log(share / (1 - share))])

    def values(self, t: np.ndarray, own: np.ndarray) -> np.ndarray:
        return _binomial(t + own[0], self.real, self.votes)

    def slopes(self, t: np.ndarray, own: np.ndarray) -> Slopes:
        p = sigmoid(t + own[0])
        first, second = self.votes * p - self.real, self.votes * p * (1 - p)
        return Slopes(first, first.sum(keepdims=True), second, second[:, None], second.sum().reshape(1, 1))

    def own_scores(self, t: np.ndarray, own: np.ndarray) -> np.ndarray:
        return (self.votes * sigmoid(t + own[0]) - self.real)[:, None]

    def counts(self) -> np.ndarray:
        return self.votes

    def mean_answer(self) -> np.ndarray:
        return self.real / self.votes

    def take(self, keep: np.ndarray) -> Self:
        return replace(self, image=self.image[keep], real=self.real[keep], votes=self.votes[keep])


@dataclass(frozen=True, eq=False)
class PairLikelihood:
    """Pairs: `wins` of `votes` prefer picture `left` to picture `right`, each (m,).

    Parameters
    ----------
    left, right : int ndarray of shape (m,)
        Rows of the pictures.
    wins, votes : float ndarray of shape (m,)
        Votes for the left picture, and all votes.

    Examples
    --------
    >>> likelihood = PairLikelihood(np.array([1]), np.array([0]), np.array([3.0]), np.array([4.0]))
    >>> from giqa.stats import fit_judgements
    >>> fit_judgements(np.array([[0.0], [1.0]]), [likelihood], np.zeros(1)).w.round(3).tolist()  # log 3
    [1.099]
    """

    left: np.ndarray
    right: np.ndarray
    wins: np.ndarray
    votes: np.ndarray
    size = 0

    def rows(self, x: np.ndarray) -> np.ndarray:
        return x[self.left] - x[self.right]

    def touched(self) -> tuple[np.ndarray, ...]:
        return self.left, self.right

    def start(self) -> np.ndarray:
        return np.empty(0)

    def values(self, t: np.ndarray, own: np.ndarray) -> np.ndarray:
        return _binomial(t, self.wins, self.votes)

    def slopes(self, t: np.ndarray, own: np.ndarray) -> Slopes:
        p = sigmoid(t)
        nothing = np.empty((len(t), 0))
        second = self.votes * p * (1 - p)
        return Slopes(self.votes * p - self.wins, np.empty(0), second, nothing, np.empty((0, 0)))

    def own_scores(self, t: np.ndarray, own: np.ndarray) -> np.ndarray:
        return np.empty((len(t), 0))

    def counts(self) -> np.ndarray:
        return self.votes

    def mean_answer(self) -> np.ndarray:
        return self.wins / self.votes

    def take(self, keep: np.ndarray) -> Self:
        return replace(self, left=self.left[keep], right=self.right[keep], wins=self.wins[keep], votes=self.votes[keep])


@dataclass(frozen=True, eq=False)
class RatingLikelihood:
    """Ratings: `given` ratings of picture `image` at each of K levels, from worst to best.

    Parameters
    ----------
    image : int ndarray of shape (m,)
        Row of the picture.
    given : float ndarray of shape (m, K)
        How many ratings it has at each level.

    Examples
    --------
    Two levels are votes: log odds -log 3 of the better level for the first picture, log 3 for the second.

    >>> likelihood = RatingLikelihood(np.array([0, 1]), np.array([[3.0, 1.0], [1.0, 3.0]]))
    >>> from giqa.stats import fit_judgements
    >>> fit = fit_judgements(np.array([[0.0], [1.0]]), [likelihood], np.zeros(1))
    >>> fit.own[0].round(2).tolist(), fit.w.round(2).tolist()
    ([1.1], [2.2])
    """

    image: np.ndarray
    given: np.ndarray

    @property
    def size(self) -> int:
        """Thresholds: one less than there are levels."""
        return self.given.shape[1] - 1

    def rows(self, x: np.ndarray) -> np.ndarray:
        return x[self.image]

    def touched(self) -> tuple[np.ndarray, ...]:
        return (self.image,)

    def start(self) -> np.ndarray:
        share = np.cumsum(self.given.sum(axis=0) + FAINT)
        share = share[:-1] / share[-1]
        return np.log(share / (1 - share))

    def values(self, t: np.ndarray, own: np.ndarray) -> np.ndarray:
        if len(own) > 1 and np.diff(own).min() < CLOSEST:
            return np.full(np.shape(t), -np.inf)
        logs = log_levels(t, own)
        return sum(self.given[:, k].reshape(-1, *[1] * (np.ndim(t) - 1)) * logs[k] for k in range(len(logs)))

    def slopes(self, t: np.ndarray, own: np.ndarray) -> Slopes:
        size, n = len(own), self.given
        above, below, f, g, f_p, g_p = self._parts(t, own)
        first, last = slice(0, size), slice(1, size + 1)
        diagonal = n[:, first] * (f_p**2 - f_p * (1 - 2 * above[:, first]))
        diagonal = diagonal + n[:, last] * (g_p**2 + g_p * (1 - 2 * below[:, last]))
        both = np.diag(diagonal.sum(axis=0))
        off = -(n[:, 1:size] * f_p[:, 1:] * g_p[:, :-1]).sum(axis=0)  # levels with a threshold at either end
        both += np.diag(off, 1) + np.diag(off, -1)
        mixed = -(n * f)[:, first] - (n * g)[:, last]
        gradient = self._own_scores(f_p, g_p).sum(axis=0)
        return Slopes((n * (1 - above - below)).sum(axis=1), gradient, (n * (f + g)).sum(axis=1), mixed, both)

    def own_scores(self, t: np.ndarray, own: np.ndarray) -> np.ndarray:
        return self._own_scores(*self._parts(t, own)[-2:])

    def _own_scores(self, f_p: np.ndarray, g_p: np.ndarray) -> np.ndarray:
        return self.given[:, 1:] * g_p - self.given[:, :-1] * f_p

    def _parts(self, t: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, ...]:
        """F at the threshold above and below each level, f = F (1 - F) there, both (m, K); f / P above all levels but
        the last and below all but the first, both (m, K - 1)."""
        above, below = (sigmoid(c - t[:, None]) for c in (np.r_[own, np.inf], np.r_[-np.inf, own]))
        f, g = above * (1 - above), below * (1 - below)
        p = np.maximum(np.exp(np.stack(log_levels(t, own), axis=1)), LEAST**2)
        return above, below, f, g, (f / p)[:, :-1], (g / p)[:, 1:]

    def counts(self) -> np.ndarray:
        return self.given.sum(axis=1)

    def mean_answer(self) -> np.ndarray:
        return self.given @ np.arange(self.given.shape[1]) / self.counts()

    def take(self, keep: np.ndarray) -> Self:
        return replace(self, image=self.image[keep], given=self.given[keep])


def _binomial(t: np.ndarray, wins: np.ndarray, votes: np.ndarray) -> np.ndarray:
    """wins log sigmoid(t) + (votes - wins) log sigmoid(-t), for t (m,) or (m, q)."""
    wins, losses = (n.reshape(-1, *[1] * (np.ndim(t) - 1)) for n in (wins, votes - wins))
    return -wins * np.logaddexp(0, -t) - losses * np.logaddexp(0, t)


def log_levels(t: np.ndarray, thresholds: np.ndarray) -> list[np.ndarray]:
    """log P(level k) of the cumulative logit for each of K levels, each in the shape of t.

    sigmoid(b) - sigmoid(a) = sigmoid(b) sigmoid(-a) (1 - exp(a - b)) keeps it exact far out.

    Parameters
    ----------
    t : ndarray of any shape
        How good pictures are.
    thresholds : ndarray of shape (K - 1,)
        In rising order.

    Returns
    -------
    list of ndarray
        K of them.

    Examples
    --------
    >>> [round(float(np.exp(level)), 3) for level in log_levels(np.array(0.0), np.array([0.0, np.log(3)]))]
    [0.5, 0.25, 0.25]
    """
    logs = [-np.logaddexp(0, t - thresholds[0])]
    for low, high in pairwise(thresholds):
        logs.append(-np.logaddexp(0, t - high) - np.logaddexp(0, low - t) + np.log(-np.expm1(low - high)))
    return [*logs, -np.logaddexp(0, thresholds[-1] - t)]
