"""What no feature says of a picture: how far its own probability is from that of pictures that a model finds alike.

    logit p_i = m_i + u_i,   u_i ~ Normal(0, spread²)

m_i is the model's logit, moved away from 0 so that the mean of p_i over u_i is the model's probability:
m = logit(p) sqrt(1 + (16 sqrt(3) / (15 pi))² spread²) (Zeger, Liang and Albert 1988). `spread` is
the standard deviation of u. Pictures with two votes or more show it: their votes agree with each other more than with
the model. A picture with one vote says nothing of it; where all are such, it is what is usual elsewhere (`USUAL`).
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import numpy as np

from ..stats import TAILS, sigmoid

# Prior: spread exp(-spread² / (2 USUAL²)), which is 0 at 0, as no features say all of a picture (Chung et al. 2013 on
# variances estimated from little). Its mean is 0.88. Among pictures of one generator of which nothing is known, the
# spread is 0.5 to 1.5 in each of the 40 generators of Stein et al. 2023 (`benchmarks/people_standins.py`).
USUAL = 0.7
SPREADS = np.linspace(0.05, 4, 80)
NODES = np.linspace(-4.5, 4.5, 101)  # of the integral over u, in standard deviations
ATTENUATION = (16 * np.sqrt(3) / (15 * np.pi)) ** 2
POINTS = 2000  # of a predictive distribution
AT_ONCE = 1000  # pictures


def spread_posterior(logits: np.ndarray, variance: np.ndarray, real: np.ndarray, votes: np.ndarray) -> np.ndarray:
    """The probability of each of `SPREADS`, (80,), given votes on pictures that the model had not seen.

    Parameters
    ----------
    logits : ndarray of shape (n,)
        Predicted for them.
    variance : ndarray of shape (n,)
        Of the fit there, in logits²: what that explains is not attributed to the pictures.
    real, votes : ndarray of shape (n,)
        How many of the votes say real, and how many there are.

    Returns
    -------
    float64 ndarray of shape (80,)
        They sum to 1.

    Examples
    --------
    >>> votes = np.full(400, 10.0)
    >>> same, apart = np.full(400, 5.0), np.tile([2.0, 8.0], 200)  # more alike than by chance; far apart
    >>> found = [spread_posterior(np.zeros(400), np.zeros(400), real, votes) @ SPREADS for real in (same, apart)]
    >>> bool(found[0] < 0.2), bool(1.1 < found[1] < 1.5)
    (True, True)
    """
    voted = votes > 0
    logits, variance, real, votes = logits[voted], variance[voted], real[voted, None], votes[voted, None]

    def likelihood(theta: np.ndarray, times: float) -> np.ndarray:
        return -real * np.logaddexp(0, -theta) - (votes - real) * np.logaddexp(0, theta)

    return posterior(spread_likelihood(logits, variance, likelihood))


def spread_likelihood(
    logits: np.ndarray,
    variance: np.ndarray,
    likelihood: Callable[[np.ndarray, float], np.ndarray],
    spreads: np.ndarray = SPREADS,
) -> np.ndarray:
    """The log-likelihood of each standard deviation of u, given judgements of any kind.

    Parameters
    ----------
    logits : ndarray of shape (n,)
        Predicted for rows of judgements that the model had not seen.
    variance : ndarray of shape (n,)
        Of the fit there.
    likelihood : callable
        Takes logits (n, q) and the factor by which `centred` moved them away from 0, and which other parameters in
        logits need too; gives the log-likelihood of each, (n, q).
    spreads : ndarray of shape (80,), default SPREADS
        Standard deviations of u on the scale of these logits.

    Returns
    -------
    float64 ndarray of shape (80,)
    """
    weights = np.exp(-(NODES**2) / 2)
    weights /= weights.sum()
    log = np.zeros(len(spreads))
    for at, spread in enumerate(spreads):
        effect = np.sqrt(spread**2 + variance)[:, None] * NODES
        each = likelihood(centred(logits, spread)[:, None] + effect, float(centred(np.ones(1), spread)[0]))
        most = each.max(axis=1, keepdims=True)
        log[at] = (most[:, 0] + np.log(np.exp(each - most) @ weights)).sum()
    return log


def posterior(log: np.ndarray) -> np.ndarray:
    """The probability of each of `SPREADS`, (80,), by their log-likelihood and the prior.

    Parameters
    ----------
    log : ndarray of shape (80,)
        From `spread_likelihood`, summed over kinds of judgements.

    Returns
    -------
    float64 ndarray of shape (80,)
        They sum to 1.
    """
    log = np.log(SPREADS) - 0.5 * (SPREADS / USUAL) ** 2 + log
    found = np.exp(log - log.max())
    return found / found.sum()


def centred(logits: np.ndarray, spread: np.ndarray | float) -> np.ndarray:
    """m, such that the mean of 1 / (1 + exp(-m - u)) over u is the probability whose log odds are `logits`.

    Parameters
    ----------
    logits : ndarray
        Log odds of the model's probability.
    spread : ndarray or float
        Standard deviation of u.
    """
    return logits * np.sqrt(1 + ATTENUATION * spread**2)


def drawn_spreads(posterior: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Standard deviations at even steps of the posterior, in random order.

    Parameters
    ----------
    posterior : ndarray of shape (80,)
        From `spread_posterior`.
    n : int
        Number of steps.
    rng : numpy.random.Generator
        Source of the order.

    Returns
    -------
    float64 ndarray of shape (n,)
    """
    above = np.r_[0.0, np.cumsum(posterior)]
    edges = np.r_[SPREADS[0], (SPREADS[1:] + SPREADS[:-1]) / 2, SPREADS[-1]]
    return rng.permutation(np.interp((np.arange(n) + 0.5) / n, above, edges))


def own_interval(draws: np.ndarray, spreads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of each picture's own probability.

    Parameters
    ----------
    draws : ndarray of shape (n, B)
        Logits of n pictures by B fits.
    spreads : ndarray of shape (B,)
        Standard deviation of u for each fit.

    Returns
    -------
    low, high : float64 ndarray of shape (n,)
        0 to 1.
    """
    normal = effects(spreads)
    found = np.empty((2, len(draws)))
    for start in range(0, len(draws), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        points = centred(draws[rows], spreads)[:, None] + normal
        found[:, rows] = np.percentile(points.reshape(len(points), -1), TAILS, axis=1)
    return sigmoid(found[0]), sigmoid(found[1])


def effects(spreads: np.ndarray) -> np.ndarray:
    """Values of u at even steps of its distribution, some 2,000 in all: those of each spread are a column.

    Parameters
    ----------
    spreads : ndarray of shape (B,)
        Standard deviation of u for each fit.

    Returns
    -------
    float64 ndarray of shape (ceil(2000 / B), B)
    """
    count = len(spreads)
    times = -(-POINTS // count)
    steps = (np.random.default_rng(0).permutation(times * count) + 0.5) / (times * count)
    return np.array([NormalDist().inv_cdf(step) for step in steps]).reshape(times, count) * spreads
