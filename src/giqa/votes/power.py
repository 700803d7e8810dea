"""How many evaluators and votes it takes: before a study, or to see what one was able to show.

An evaluator's error rate varies because raters differ (standard deviation `between`) and because each answers only m
pictures; the mean over R evaluators has the variance (between^2 + rate (1 - rate) / m) / R. Intervals and verdicts are
those of `giqa.votes.hype`: with Student's t, which for few evaluators is far from 1.96.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from ..errors import BadShape, BadSpec
from ..stats import NORMAL, ROOM, student
from .labels import Sittings
from .sittings import error_rates


@dataclass(frozen=True)
class Spread:
    """What decides the width of an interval.

    Parameters
    ----------
    rate : float
        The error rate.
    between : float
        The standard deviation of error rates between raters.
    answers : float
        Of each evaluator.

    Examples
    --------
    >>> Spread(rate=0.4, between=0.05, answers=200).evaluators(0.03)
    20
    """

    rate: float
    between: float
    answers: float

    def half_width(self, evaluators: int, answers: float | None = None) -> float:
        """Half the width of the 95 % interval with so many evaluators (and answers each).

        >>> round(Spread(rate=0.4, between=0.05, answers=200).half_width(25), 4)
        0.0264
        """
        if evaluators < 2:
            raise BadSpec(f"An interval takes two evaluators or more, got {evaluators}.")
        return student(evaluators - 1, ROOM) * math.sqrt(self._variance(answers) / evaluators)

    def evaluators(self, half_width: float, answers: float | None = None) -> int:
        """How many evaluators give an interval of +- `half_width`.

        >>> Spread(rate=0.4, between=0.05, answers=200).evaluators(0.03)
        20
        """
        if not 0 < half_width < 1:
            raise BadSpec(f"A half-width is a share above 0, such as 0.03, got {half_width}.")
        return _fewest(lambda n: self.half_width(n, answers) <= half_width)

    def evaluators_to_tell(self, difference: float, power: float = 0.8) -> int:
        """How many evaluators **a generator** to find a difference of two error rates with this probability.

        >>> Spread(rate=0.4, between=0.05, answers=200).evaluators_to_tell(0.05)
        27
        """
        if not 0 < power < 1 or not 0 < difference < 1:
            raise BadSpec(f"difference and power are above 0 and below 1, got {difference} and {power}.")
        beyond = NormalDist().inv_cdf(power)
        spread = math.sqrt(2 * self._variance(None))
        return _fewest(lambda n: (student(n - 1, ROOM) + beyond) * spread / math.sqrt(n) <= difference)

    def _variance(self, answers: float | None) -> float:
        return self.between**2 + self.rate * (1 - self.rate) / (answers or self.answers)


def _fewest(enough: Callable[[int], bool]) -> int:
    """The smallest number of evaluators, 2 or more, that is enough; more are enough too."""
    high = 2
    while not enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def spread(sat: Sittings) -> Spread:
    """The spread of one study, its generators taken together: what is left between raters after chance is taken off.

    Within each generator, the variance of the evaluators' error rates less that of chance, rate (1 - rate) / answers.

    Parameters
    ----------
    sat : Sittings
        See `giqa.votes.hype.sittings`.

    Returns
    -------
    Spread

    Raises
    ------
    BadShape
        When no generator has two evaluators.

    Examples
    --------
    >>> names, n = np.array(["a", "b"]), np.array([50.0, 50.0])
    >>> sat = Sittings(names, np.array(["gan", "gan"]), n, np.array([10.0, 20.0]), n, np.array([5.0, 5.0]), n, n)
    >>> round(spread(sat).rate, 3)
    0.2
    """
    rate, answers, weights, left = error_rates(sat), sat.fakes + sat.reals, [], []
    for generator in np.unique(sat.generator):
        of = (sat.generator == generator) & ~np.isnan(rate)
        if of.sum() > 1:
            chance = np.mean(rate[of] * (1 - rate[of]) / np.maximum(answers[of] - 1, 1))
            left.append(np.var(rate[of], ddof=1) - chance)
            weights.append(of.sum() - 1)
    if not left:
        raise BadShape("The spread between raters needs two evaluators of one generator.")
    between = math.sqrt(max(float(np.average(left, weights=weights)), 0.0))
    wrong, asked = float((sat.wrong_fakes + sat.wrong_reals).sum()), float(answers.sum())
    least = 0.5 / (asked + 1)  # as with half an answer added to either side: no share is known to be 0 or 1
    found = float(np.nanmean(rate))
    return Spread(min(max(found, least), 1 - least) if wrong in (0, asked) else found, between, float(answers.mean()))


def votes_each(half_width: float, reliability_of_one: float | None = None, share: float = 0.5) -> int:
    """How many votes a picture needs for its share of real votes to be known to +- `half_width` (95 %).

    The share of a picture at `share` moves by chance alone: 1.96 sqrt(share (1 - share) / votes).

    Parameters
    ----------
    half_width : float
        Half the width of the interval, a share such as 0.1.
    reliability_of_one : float or None
        The correlation of two raters: shrinking towards the mean is counted on, and fewer votes do.
    share : float
        Of real votes.

    Returns
    -------
    int
        Votes.

    Raises
    ------
    BadSpec
        When the half-width is no share.

    Examples
    --------
    >>> votes_each(0.1), votes_each(0.2), votes_each(0.2, reliability_of_one=0.2)
    (97, 25, 21)
    """
    if not 0 < half_width < 1:
        raise BadSpec(f"A half-width is a share above 0, such as 0.1, got {half_width}.")
    alone = (NORMAL / half_width) ** 2 * share * (1 - share)
    prior = 0.0 if not reliability_of_one else (1 - reliability_of_one) / reliability_of_one
    return max(1, math.ceil(alone - prior))
