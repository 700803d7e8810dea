"""What two statistics have to do with each other: equal, as two samples of one kind, or different."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .frechet import frechet_distance
from .moments import Moments
from .reference_statistics import DECIDES, Statistics

EQUAL, ALIKE, DIFFERENT, UNKNOWN = "equal", "alike", "different", "unknown"
ROUNDING = 1e-3  # standard deviations between means, and share of the covariance, that another program's rounding makes
FAR = 4.0  # standard errors, beyond which two samples are not of one kind
NAMED = 5  # columns


@dataclass(frozen=True)
class Difference:
    """How two statistics differ.

    Parameters
    ----------
    verdict : str
        "equal": the same pictures and features, but for rounding. "alike": as far apart as two random samples of one
        kind are. "different": farther. "unknown": not equal, and a file does not say its number of pictures.
    distance : float
        Fréchet distance.
    of_means : float
        The part of it that is the squared distance of the means.
    shift : float
        Distance of the means, as a share of the standard deviation (root of the total variance).
    z : float
        How far the squared distance of the means is from what sampling makes, in standard errors; NaN if a number of
        pictures is not known.
    covariance : float
        |C - C'| / |C| (Frobenius).
    variances : float
        Total variance of the second, divided by that of the first.
    columns : mapping of int to float
        The columns whose means moved most, in standard deviations of the first.
    made : mapping of str to tuple
        What differs in how the features were made; only where both say.
    """

    verdict: str
    distance: float
    of_means: float
    shift: float
    z: float
    covariance: float
    variances: float
    columns: Mapping[int, float]
    made: Mapping[str, tuple[Any, Any]]


def difference(one: Statistics, other: Statistics) -> Difference:
    """How two statistics differ, and whether two random samples of one kind would differ as much.

    Parameters
    ----------
    one, other : Statistics
        Of n and m pictures, in the same columns.

    Returns
    -------
    Difference

    Raises
    ------
    BadShape
        When they have different columns.

    Notes
    -----
    z = (|m - m'|² - t (1 / n + 1 / m)) / ((1 / n + 1 / m) sqrt(2 s)) with t the trace of the covariance C of both and s
    that of C², from which its bias t² / (n + m - 2) is taken. For samples of one kind it is about a standard normal
    number when many columns count, and has a longer right tail when few do. Only means are tested.

    References
    ----------
    Bai, Saranadasa, "Effect of high dimension: by an example of a two sample problem", Statistica Sinica 6, 1996.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(400, 8))
    >>> halves = [Statistics(Moments.of(part)) for part in (x[:200], x[200:])]
    >>> difference(*halves).verdict, difference(halves[0], Statistics(Moments.of(x[:200] + 0.5))).verdict
    ('alike', 'different')
    """
    a, b = one.moments, other.moments
    distance = frechet_distance(a, b)
    step, first, second = b.mean - a.mean, a.covariance, b.covariance
    squared, total = float(step @ step), max(float(first.trace()), np.finfo(float).tiny)
    shift = math.sqrt(squared / total)
    covariance = float(np.linalg.norm(first - second) / max(np.linalg.norm(first), np.finfo(float).tiny))
    z = _standard_errors(a, b, squared)
    columns = np.abs(step) / np.sqrt(np.maximum(first.diagonal(), total / len(step) * 1e-6))
    most = np.argsort(-columns, kind="stable")[:NAMED]
    if shift <= ROUNDING and covariance <= ROUNDING:
        verdict = EQUAL
    elif math.isnan(z):
        verdict = UNKNOWN
    else:
        verdict = DIFFERENT if z > FAR else ALIKE
    keys = DECIDES if one.made_by and other.made_by else ()
    pairs = {key: (one.made_by.get(key), other.made_by.get(key)) for key in keys}
    return Difference(
        verdict,
        distance,
        squared,
        shift,
        z,
        covariance,
        float(second.trace()) / total,
        {int(column): float(columns[column]) for column in most},
        {key: pair for key, pair in pairs.items() if pair[0] != pair[1]},
    )


def _standard_errors(a: Moments, b: Moments, squared: float) -> float:
    """z of `difference`."""
    if a.n < 2 or b.n < 2:
        return math.nan
    freedom, share = a.n + b.n - 2, 1 / a.n + 1 / b.n
    both = (a.scatter + b.scatter) / freedom
    trace, squares = float(both.trace()), float((both**2).sum())
    if freedom > 1:
        squares = freedom**2 / ((freedom + 2) * (freedom - 1)) * (squares - trace**2 / freedom)
    error = share * math.sqrt(2 * max(squares, np.finfo(float).tiny))
    return (squared - trace * share) / error
