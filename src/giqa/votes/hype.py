"""HYPE: how often raters take generated pictures for real ones and reals for generated, and how sure that is."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import BadShape, BadSpec
from ..stats import (
    RESAMPLES,
    ROOM,
    TAILS,
    Estimate,
    difference,
    mean_gap,
    mean_over,
    mean_share,
    resampled_means,
    student_mean,
)
from .labels import Sittings
from .sittings import answers_behind, detection, detection_noise, error_rates, rate

INTERVALS = {
    "student": "by Student's t and Wilson, with what chance alone gives: holds for few evaluators too",
    "paper": "percentile bootstrap over evaluators, as HYPE has it: too narrow for fewer than about 20",
}


@dataclass(frozen=True)
class Hype:
    """The error rates of one generator: each figure is per evaluator first, then the mean over evaluators.

    Parameters
    ----------
    generator : str
        Its name.
    answers : int
        On fakes and reals together.
    error : Estimate
        The mean of the two below: 0.5 is chance, above it hyper-realism.
    fake_error, real_error : Estimate
        Generated pictures taken for real, and reals taken for generated.
    d_prime, criterion : Estimate
        See `giqa.votes.sittings.detection`.
    seconds : Estimate
        Mean response time a picture. All intervals: 95 %, over evaluators; see `hype`.

    Examples
    --------
    >>> rate = Estimate(0.5, 0.4, 0.6, 5)
    >>> str(Hype("gan", 500, *[rate] * 6).error)
    '0.500 [0.400, 0.600]'
    """

    generator: str
    answers: int
    error: Estimate
    fake_error: Estimate
    real_error: Estimate
    d_prime: Estimate
    criterion: Estimate
    seconds: Estimate


def hype(sat: Sittings, resamples: int = RESAMPLES, seed: int = 0, interval: str = "student") -> list[Hype]:
    """HYPE-infinity of every generator, the one with the highest error rate first.

    Parameters
    ----------
    sat : Sittings
        See `giqa.votes.sittings.sittings`.
    resamples, seed : int
        Of the bootstrap of "paper".
    interval : "student" or "paper"
        "student" holds for few evaluators: rates by `giqa.stats.mean_share`; d', criterion and seconds by
        `student_mean` (seconds, which are skewed, at 96 %), where d' and criterion never vary less than the answers by
        chance. "paper" is the percentile
        bootstrap of the
        HYPE paper, too narrow below about 20: with 3, 5, 10 evaluators it holds the truth in about 0.74, 0.84, 0.90 of
        studies.

    Returns
    -------
    list of Hype
        One evaluator gives no interval.

    Raises
    ------
    BadSpec
        For another interval.

    Examples
    --------
    >>> names, n = np.array(["a", "b"]), np.array([50.0, 50.0])
    >>> sat = Sittings(names, np.array(["gan", "gan"]), n, np.array([10.0, 20.0]), n, np.array([5.0, 5.0]), n, n)
    >>> round(hype(sat)[0].error.value, 3)  # (.2 + .1) / 2 and (.4 + .1) / 2
    0.2
    """
    check_interval(interval)
    found = []
    for generator in np.unique(sat.generator):
        of = sat.rows(sat.generator == generator)
        d_prime, criterion = detection(of)
        rates = (error_rates(of), rate(of.wrong_fakes, of.fakes), rate(of.wrong_reals, of.reals))
        rest = (d_prime, criterion, (of.fake_seconds + of.real_seconds) / 2)
        if interval == "paper":
            estimates = [mean_over(values, resamples, seed) for values in (*rates, *rest)]
        else:
            noise = detection_noise(of)
            shares = zip(rates, (answers_behind(of), of.fakes, of.reals), strict=True)
            estimates = [mean_share(values, answers) for values, answers in shares]
            estimates += [student_mean(d_prime, noise), student_mean(criterion, noise / 4)]
            estimates += [student_mean(rest[2], low=0.0, level=ROOM)]
        found.append(Hype(str(generator), int(of.fakes.sum() + of.reals.sum()), *estimates))
    return sorted(found, key=lambda one: -one.error.value if one.error.n else np.inf)


def check_interval(interval: str) -> None:
    """Raise where there is no such way to an interval."""
    if str(interval) not in INTERVALS:
        raise BadSpec(f"There is no interval {interval!r}; there are {', '.join(INTERVALS)}.")


@dataclass(frozen=True)
class Comparison:
    """Whether one generator passes for real more often than another: the difference of error rates, and in words.

    Parameters
    ----------
    first, second : str
        The generators.
    difference : Estimate
        The error rate of the first less that of the second.
    paired : bool
        Whether the same evaluators judged both.
    verdict : str
        In words.

    Examples
    --------
    >>> gap = Estimate(0.1, 0.05, 0.15, 8)
    >>> Comparison("gan", "vae", gap, True, _verdict("gan", "vae", gap)).verdict
    'gan fools people more often than vae'
    """

    first: str
    second: str
    difference: Estimate
    paired: bool
    verdict: str


def compare(
    sat: Sittings, first: str, second: str, resamples: int = RESAMPLES, seed: int = 0, interval: str = "student"
) -> Comparison:
    """Difference of two generators' error rates with a 95 % interval over evaluators, and a verdict.

    Parameters
    ----------
    sat : Sittings
        See `giqa.votes.sittings.sittings`.
    first, second : str
        The generators.
    resamples, seed : int
        Of the bootstrap of "paper".
    interval : "student" or "paper"
        "paper" resamples: of two equal generators it calls 0.19, 0.14, 0.08 different with 3, 5, 10 evaluators.

    Returns
    -------
    Comparison
        Where the same evaluators judged both, their own differences are averaged (`paired`), and who judged one alone
        is left out, with a warning; reals that they judged once for both are no part of the difference. Else the two
        groups are taken as independent, and the interval is made of the two of `hype` (`giqa.stats.difference`).

    Raises
    ------
    BadSpec
        For an unknown generator or interval.
    BadShape
        For one evaluator.

    Notes
    -----
    One comparison at a time: of the 45 pairs of ten equal generators, two or three would look different by luck alone.

    Examples
    --------
    >>> names, n, zero = np.array([*"abab"]), np.full(4, 50.0), np.zeros(4)
    >>> wrong = np.array([20.0, 22.0, 5.0, 4.0])
    >>> sat = Sittings(names, np.array(["gan", "gan", "vae", "vae"]), n, wrong, n, zero, n, n)
    >>> round(compare(sat, "gan", "vae").difference.value, 3)  # half of (15 + 18) / 100
    0.165
    """
    check_interval(interval)
    groups = []
    for generator in (first, second):
        if generator not in sat.generator:
            raise BadSpec(f"There is no generator {generator!r}; there are {', '.join(np.unique(sat.generator))}.")
        of = sat.rows(sat.generator == generator)
        rows = zip(of.rater.tolist(), error_rates(of).tolist(), answers_behind(of).tolist(), strict=True)
        groups.append({rater: (error, answers) for rater, error, answers in rows if error == error})
    shared = sorted(groups[0].keys() & groups[1].keys())
    paired = len(shared) >= 2 and len(shared) >= 0.5 * max(map(len, groups))
    alone = len(groups[0].keys() ^ groups[1].keys())
    if paired and alone:
        warnings.warn(
            f"{first} and {second} are compared by the {len(shared)} evaluators who judged both; {alone} who judged "
            "one of them alone are left out.",
            stacklevel=2,
        )
    sides = [[group[rater] for rater in shared] for group in groups] if paired else [[*g.values()] for g in groups]
    a, b = (np.array(side, float).reshape(-1, 2).T for side in sides)  # rates and answers
    if min(len(a[0]), len(b[0])) < 2:
        raise BadShape(f"Comparing needs two evaluators a generator, got {len(a[0])} and {len(b[0])}.")
    if interval == "paper":
        found = _resampled_difference(a[0], b[0], paired, resamples, seed)
    elif paired:
        fakes = _fakes_alone(sat, first, second, shared)
        found = mean_gap(a[0], b[0], a[1], b[1]) if fakes is None else _half(mean_gap(*fakes))
    else:
        found = difference(mean_share(*a), mean_share(*b))
    return Comparison(first, second, found, paired, _verdict(first, second, found))


def _fakes_alone(sat: Sittings, first: str, second: str, raters: Sequence[str]) -> list[np.ndarray] | None:
    """Rates on fakes, and numbers of fakes, of both; None where the answers to reals are not the same.

    A session of several generators has its reals once: what is wrong there is wrong for all, and no difference.
    """
    sides = []
    for generator in (first, second):
        of = sat.rows(sat.generator == generator)
        sides.append(of.rows(np.array([of.rater.tolist().index(rater) for rater in raters])))
    one, other = sides
    if not (np.array_equal(one.reals, other.reals) and np.array_equal(one.wrong_reals, other.wrong_reals)):
        return None
    return [rate(one.wrong_fakes, one.fakes), rate(other.wrong_fakes, other.fakes), one.fakes, other.fakes]


def _half(found: Estimate) -> Estimate:
    """Of the error rate, which is the mean of those on fakes and on reals."""
    return Estimate(found.value / 2, found.low / 2, found.high / 2, found.n)


def _resampled_difference(a: np.ndarray, b: np.ndarray, paired: bool, resamples: int, seed: int) -> Estimate:
    if paired:
        return mean_over(a - b, resamples, seed)
    spread = resampled_means(a, resamples, seed) - resampled_means(b, resamples, seed + 1)
    low, high = np.percentile(spread, TAILS)
    return Estimate(float(a.mean() - b.mean()), float(low), float(high), len(a) + len(b))


def _verdict(first: str, second: str, difference: Estimate) -> str:
    if difference.low <= 0 <= difference.high:
        most = max(abs(difference.low), abs(difference.high))
        return f"not distinguishable: the interval holds 0, and the difference may be up to {most:.3f}"
    more, less = (first, second) if difference.value > 0 else (second, first)
    return f"{more} fools people more often than {less}"
