"""What moves with time: right answers by exposure, errors by trial, response times, and HYPE-time's score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..stats import ROOM, Estimate, mean_share, student_mean
from .labels import Votes
from .staircase import fitted_threshold, late_exposure, modal_exposure

BINS = 8


@dataclass(frozen=True)
class Point:
    """A bin of a curve: where it lies, and the mean over evaluators of what they did there."""

    x: float
    y: Estimate


def known(votes: Votes) -> Votes:
    """The votes that can be right or wrong: quality control left out, and pictures of unknown kind."""
    return votes.rows(~votes.control & (votes.kind != ""))


def psychometric_curve(votes: Votes, bins: int = BINS) -> list[Point]:
    """The share of right answers by exposure in ms; empty where nothing was timed.

    Parameters
    ----------
    votes : Votes
        Single votes.
    bins : int
        They hold equally many votes.

    Returns
    -------
    list of Point
        In each bin per evaluator first, then the mean and interval over evaluators.
    """
    votes = known(votes)
    timed = votes.rows(~np.isnan(votes.exposure_ms))
    return _binned(timed, timed.exposure_ms, timed.said_real == (timed.kind == "real"), bins)


def learning_curve(votes: Votes, bins: int = BINS) -> list[Point]:
    """The error rate by trial of the session: falling, raters learn the generator's tells; rising, they tire.

    Parameters
    ----------
    votes : Votes
        Single votes.
    bins : int
        They hold equally many votes.

    Returns
    -------
    list of Point
        In each bin per evaluator first, then the mean and interval over evaluators.
    """
    votes = known(votes)
    trial = trials(votes)
    return _binned(votes, trial, votes.said_real != (votes.kind == "real"), bins)


def trials(votes: Votes) -> np.ndarray:
    """Which answer of its evaluator each vote is, from 1: by `position` where known, else by the order of the rows."""
    place = np.where(np.isnan(votes.position), np.arange(len(votes)), votes.position)
    _, rater = np.unique(votes.rater, return_inverse=True)
    order = np.lexsort([place, rater])
    first = np.r_[0, np.flatnonzero(np.diff(rater[order])) + 1] if len(order) else np.empty(0, int)
    number = np.empty(len(votes))
    number[order] = np.arange(len(votes)) - np.repeat(first, np.diff(np.r_[first, len(votes)])) + 1
    return number


def _binned(votes: Votes, x: np.ndarray, hit: np.ndarray, bins: int) -> list[Point]:
    if not len(votes):
        return []
    edges = np.unique(np.quantile(x, np.linspace(0, 1, bins + 1)))
    place = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, max(len(edges) - 2, 0))
    points = []
    for one in np.unique(place):
        of = place == one
        points.append(Point(float(x[of].mean()), mean_share(*_per_rater(votes.rater[of], hit[of]))))
    return points


def _per_rater(rater: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of each rater's values, and how many there are."""
    _, place = np.unique(rater, return_inverse=True)
    n = np.bincount(place)
    return np.bincount(place, values) / n, n


@dataclass(frozen=True)
class Exposures:
    """HYPE-time of one generator in ms, each per evaluator first, then the mean over evaluators.

    A higher one: longer looks are needed to distinguish fakes from reals. Intervals: Student's t over evaluators; none
    where all have the same, as at the floor of the staircase.

    Parameters
    ----------
    generator : str
        Its name.
    modal : Estimate
        The published score.
    late : Estimate
        The mean of the second half of the trials.
    threshold : Estimate
        Fitted to all trials, of those evaluators from whose exposures it can be computed.
    at_floor : float
        The share of evaluators whose modal exposure is the shortest that anyone saw: a score cannot fall lower.
    """

    generator: str
    modal: Estimate
    late: Estimate
    threshold: Estimate
    at_floor: float


def hype_time(votes: Votes) -> list[Exposures]:
    """HYPE-time of every generator; empty where nothing was timed. Reals count with the generator of their context."""
    votes = known(votes)
    votes = votes.rows(~np.isnan(votes.exposure_ms))
    votes, found = votes.rows(np.argsort(trials(votes), kind="stable")), []
    for generator in np.unique(votes.generator[votes.kind == "generated"]):
        fake = (votes.kind == "generated") & (votes.generator == generator)
        scores = []
        for rater in np.unique(votes.rater[fake]):
            own = votes.rater == rater
            context = np.unique(votes.context[own & fake])
            of = votes.rows(own & (fake | ((votes.kind == "real") & np.isin(votes.context, context))))
            fit = fitted_threshold(of.exposure_ms, of.said_real == (of.kind == "real"))
            known_threshold = fit[0] if fit[1] > 50 and fit[2] < 2000 else np.nan
            scores.append((modal_exposure(of.exposure_ms), late_exposure(of.exposure_ms), known_threshold))
        columns = np.array(scores).T
        at_floor = float(np.mean(columns[0] <= votes.exposure_ms.min()))
        found.append(Exposures(str(generator), *(student_mean(c, low=0.0) for c in columns), at_floor))
    return found


@dataclass(frozen=True)
class Times:
    """Response times in seconds, the median of each evaluator, then the mean over evaluators, by Student's t.

    The quantile is that of 96 %, as times are skewed and 95 % shall hold all the same.
    """

    what: str
    seconds: Estimate


def response_times(votes: Votes) -> list[Times]:
    """How long raters took over fakes and reals, answered right and wrong; empty where no times were kept."""
    votes = known(votes)
    votes = votes.rows(~np.isnan(votes.response_ms))
    right, found = votes.said_real == (votes.kind == "real"), []
    for kind, words in (("generated", "fakes"), ("real", "reals")):
        for answer, way in ((True, "right"), (False, "wrong")):
            of = votes.rows((votes.kind == kind) & (right == answer))
            raters = np.unique(of.rater)
            medians = np.array([np.median(of.response_ms[of.rater == one]) for one in raters]) / 1000
            if len(raters):
                found.append(Times(f"{words}, answered {way}", student_mean(medians, low=0.0, level=ROOM)))
    return found
