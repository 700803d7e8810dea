"""HYPE: how often raters take generated pictures for real ones and reals for generated, and how sure that is."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from ..errors import BadShape, BadSpec
from ..stats import (
    RESAMPLES,
    ROOM,
    TAILS,
    UNKNOWN,
    Estimate,
    Range,
    difference,
    draws,
    from_draws,
    hull,
    mean_gap,
    mean_over,
    mean_share,
    resampled_means,
    student_mean,
)
from .gate import control_accuracy, controls, passed
from .votes import Sittings, Votes

INTERVALS = {
    "student": "by Student's t and Wilson, with what chance alone gives: holds for few evaluators too",
    "paper": "percentile bootstrap over evaluators, as HYPE has it: too narrow for fewer than about 20",
}
GATES = (0.0, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9)


def sittings(votes: Votes) -> Sittings:
    """Votes summed by evaluator and generator.

    Parameters
    ----------
    votes : Votes
        Single votes; quality control and pictures of unknown kind are left out.

    Returns
    -------
    Sittings
        The reals that an evaluator judged in a context count with every generator that he or she judged in that
        context.

    Raises
    ------
    BadShape
        When no generated picture was judged.

    Examples
    --------
    >>> from giqa.tables.table import Table
    >>> from giqa.votes import as_labels
    >>> columns = {"image": [*"abc"], "rater": [*"rrr"], "said_real": [1, 0, 0], "generator": ["gan", "gan", ""]}
    >>> sat = sittings(as_labels(Table("votes", columns)))
    >>> sat.fakes.tolist(), sat.wrong_fakes.tolist(), sat.wrong_reals.tolist()
    ([2.0], [1.0], [1.0])
    """
    votes = votes.rows(~votes.control & (votes.kind != ""))
    wrong = votes.said_real != (votes.kind == "real")
    rows: dict[tuple[str, str], np.ndarray] = {}
    session = np.unique(np.rec.fromarrays([votes.rater, votes.context]), return_inverse=True)[1]
    order = np.argsort(session, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(session[order])) + 1) if len(order) else []:
        real = part[votes.kind[part] == "real"]
        for generator in np.unique(votes.generator[part][votes.kind[part] != "real"]) if len(real) < len(part) else []:
            fake = part[(votes.kind[part] != "real") & (votes.generator[part] == generator)]
            sums = [len(fake), wrong[fake].sum(), len(real), wrong[real].sum()]
            times = [np.nansum(votes.response_ms[of]) / 1000 for of in (fake, real)]
            timed = [np.sum(~np.isnan(votes.response_ms[of])) for of in (fake, real)]
            key = (str(votes.rater[part[0]]), str(generator))
            rows[key] = rows.get(key, np.zeros(8)) + np.array([*sums, *times, *timed], float)
    if not rows:
        raise BadShape("No error rate: no evaluator judged generated pictures that are known as such (column 'kind').")
    sums = np.array(list(rows.values()))
    with np.errstate(invalid="ignore", divide="ignore"):
        seconds = np.where(sums[:, 6:8] > 0, sums[:, 4:6] / sums[:, 6:8], np.nan)
    names = np.array(list(rows), np.str_)
    return Sittings(names[:, 0], names[:, 1], *sums[:, :4].T, *seconds.T)


def error_rates(sat: Sittings) -> np.ndarray:
    """Error rate of each evaluator, float64 (n,): the mean of the rates on fakes and on reals, so that 0.5 is chance.

    Half fakes and half reals make that the share of all answers that are wrong. NaN for who saw only one kind.
    """
    return (_rate(sat.wrong_fakes, sat.fakes) + _rate(sat.wrong_reals, sat.reals)) / 2


def detection(sat: Sittings) -> tuple[np.ndarray, np.ndarray]:
    """d' and criterion of each evaluator: z(H) - z(F) and -(z(H) + z(F)) / 2, H and F real and fake called real.

    Parameters
    ----------
    sat : Sittings
        H is the share of reals called real and F that of fakes called real, each with half an answer added to either
        side.

    Returns
    -------
    tuple of float array (n,)
        d' is 0 where the two cannot be distinguished. The criterion is above 0 with an inclination to say fake, below 0
        to say real. NaN for who saw only one kind.

    References
    ----------
    Hautus 1995.
    """
    hit = np.where(sat.reals > 0, (sat.reals - sat.wrong_reals + 0.5) / (sat.reals + 1), np.nan)
    alarm = np.where(sat.fakes > 0, (sat.wrong_fakes + 0.5) / (sat.fakes + 1), np.nan)
    z_hit, z_alarm = ([NormalDist().inv_cdf(p) if p == p else p for p in share.tolist()] for share in (hit, alarm))
    z_hit, z_alarm = np.array(z_hit, float), np.array(z_alarm, float)
    return z_hit - z_alarm, -(z_hit + z_alarm) / 2


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
        See `detection`.
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
        See `sittings`.
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
    _check(interval)
    found = []
    for generator in np.unique(sat.generator):
        of = sat.rows(sat.generator == generator)
        d_prime, criterion = detection(of)
        rates = (error_rates(of), _rate(of.wrong_fakes, of.fakes), _rate(of.wrong_reals, of.reals))
        rest = (d_prime, criterion, (of.fake_seconds + of.real_seconds) / 2)
        if interval == "paper":
            estimates = [mean_over(values, resamples, seed) for values in (*rates, *rest)]
        else:
            noise = _detection_noise(of)
            shares = zip(rates, (answers_behind(of), of.fakes, of.reals), strict=True)
            estimates = [mean_share(values, answers) for values, answers in shares]
            estimates += [student_mean(d_prime, noise), student_mean(criterion, noise / 4)]
            estimates += [student_mean(rest[2], low=0.0, level=ROOM)]
        found.append(Hype(str(generator), int(of.fakes.sum() + of.reals.sum()), *estimates))
    return sorted(found, key=lambda one: -one.error.value if one.error.n else np.inf)


def answers_behind(sat: Sittings) -> np.ndarray:
    """How many answers the error rate of each evaluator is as sure as a share of, (n,): 4 / (1 / fakes + 1 / reals).

    It is the mean of two shares; with as many fakes as reals it is a share of all answers.
    """
    with np.errstate(divide="ignore"):
        return 4 / (1 / sat.fakes + 1 / sat.reals)


def _detection_noise(sat: Sittings) -> float:
    """The variance of d' between evaluators who are all alike, by the delta method, of the answers of all together.

    var z(H) = H (1 - H) / (n density(z(H))^2); d' has the sum of that of H and F, and the criterion a quarter of it.
    """
    known = (sat.fakes > 0) & (sat.reals > 0)
    if not known.any():
        return 0.0
    total = 0.0
    for said, n in ((sat.wrong_fakes, sat.fakes), (sat.wrong_reals, sat.reals)):
        share = (said[known].sum() + 0.5) / (n[known].sum() + 1)
        density = NormalDist().pdf(NormalDist().inv_cdf(share))
        total += share * (1 - share) / density**2 * float(np.mean(1 / n[known]))
    return total


def _check(interval: str) -> None:
    if interval not in INTERVALS:
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
        See `sittings`.
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
    _check(interval)
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
    return [_rate(one.wrong_fakes, one.fakes), _rate(other.wrong_fakes, other.fakes), one.fakes, other.fakes]


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


def crossed_error(votes: Votes, generator: str, resamples: int = RESAMPLES, seed: int = 0) -> Estimate:
    """The error rate of one generator with an interval that resamples evaluators **and** pictures.

    The interval over evaluators alone says how other raters would answer to these pictures; this one, how other raters
    would answer to other pictures of the generator.

    Parameters
    ----------
    votes : Votes
        Single votes. Fakes and reals are drawn each by themselves.
    generator : str
        Its name.
    resamples, seed : int
        Of the bootstrap.

    Returns
    -------
    Estimate
        Few evaluators or pictures widen it (`giqa.stats.from_draws`). It is never narrower than that over evaluators
        alone.

    Raises
    ------
    BadSpec
        When no generated picture of this generator was judged.

    Examples
    --------
    >>> from giqa.tables.table import Table
    >>> from giqa.votes import as_labels
    >>> columns = {"image": [*"abab"], "rater": [*"rrss"], "said_real": [1, 1, 0, 1], "generator": ["gan", ""] * 2}
    >>> crossed_error(as_labels(Table("votes", columns)), "gan", resamples=50).value
    0.25
    """
    votes = votes.rows(~votes.control & (votes.kind != ""))
    seen = np.unique(np.rec.fromarrays([votes.rater, votes.context]), return_inverse=True)[1]
    fake = (votes.kind == "generated") & (votes.generator == generator)
    if not fake.any():
        raise BadSpec(f"There are no votes on generated pictures of {generator!r}.")
    parts = [votes.rows(fake), votes.rows((votes.kind == "real") & np.isin(seen, seen[fake]))]
    raters = np.unique(np.concatenate([part.rater for part in parts]))
    rng = np.random.default_rng(seed)
    matrices = [_answers(part, raters) for part in parts]
    point = _crossed(matrices, [np.ones((1, m[0].shape[1]), np.float32) for m in matrices])
    values, block = [], max(1, 2_000_000 // max(len(raters), *(m[0].shape[1] for m in matrices)))
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        errors = _crossed(matrices, [draws(shown.shape[1], size, rng) for shown, _ in matrices])
        weight = np.where(np.isnan(errors), 0, draws(len(raters), size, rng))
        with np.errstate(invalid="ignore"):
            values.append((weight * np.nan_to_num(errors)).sum(axis=1) / weight.sum(axis=1))
    error, kinds = point[0].astype(float), [shown.sum(axis=1) for shown, _ in matrices]
    judged = ~np.isnan(error)
    if not judged.any():
        return UNKNOWN
    units, n = min(int(judged.sum()), *(m[0].shape[1] for m in matrices)), int(judged.sum())
    found = from_draws(float(error[judged].mean()), np.concatenate(values), units, n, Range(0.0, 1.0))
    if n < 2:
        return Estimate(found.value, float("nan"), float("nan"), n)
    answers = 4 / (1 / kinds[0][judged] + 1 / kinds[1][judged])
    return hull(found, mean_share(error[judged], answers))  # other pictures cannot make it surer


def _answers(votes: Votes, raters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What each rater was shown and judged wrongly, float32 (raters, pictures)."""
    pictures, column = np.unique(votes.image, return_inverse=True)
    row = np.searchsorted(raters, votes.rater)
    shown = np.zeros((len(raters), len(pictures)), np.float32)
    wrong = np.zeros_like(shown)
    np.add.at(shown, (row, column), 1)
    np.add.at(wrong, (row, column), votes.said_real != (votes.kind == "real"))
    return shown, wrong


def _crossed(matrices: Sequence[tuple[np.ndarray, np.ndarray]], weights: Sequence[np.ndarray]) -> np.ndarray:
    """Error rate of each evaluator under weights of the pictures (samples, raters): the mean of both kinds."""
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = [(w @ wrong.T) / (w @ shown.T) for (shown, wrong), w in zip(matrices, weights, strict=True)]
    return (rates[0] + rates[1]) / 2


@dataclass(frozen=True)
class Gate:
    """What the error rate would be if only evaluators who pass `gate` on the quality-control pictures counted.

    Parameters
    ----------
    gate : float
        The share of right answers that is needed.
    evaluators : int
        How many pass.
    error : Estimate
        Their error rate.
    without_controls : int
        How many of `evaluators` were asked no quality control, and so pass every gate.

    Examples
    --------
    >>> Gate(0.65, 0, UNKNOWN).without_controls
    0
    """

    gate: float
    evaluators: int
    error: Estimate
    without_controls: int = 0


def gate_table(
    votes: Votes, gates: Sequence[float] = GATES, resamples: int = RESAMPLES, seed: int = 0, interval: str = "student"
) -> list[Gate]:
    """How the error rate over all generators moves with the gate.

    Parameters
    ----------
    votes : Votes
        Single votes.
    gates : sequence of float
        Shares of right answers. Who passes is decided by `giqa.votes.gate.passes`.
    resamples, seed : int
        Of the bootstrap of "paper".
    interval : "student" or "paper"
        See `hype`.

    Returns
    -------
    list of Gate
        Of each evaluator the mean over generators, then the mean over evaluators; empty where there are no
        quality-control votes.

    Raises
    ------
    BadSpec
        For another interval.

    Examples
    --------
    >>> from giqa.tables.table import Table
    >>> from giqa.votes import as_labels
    >>> columns = {"image": [*"abc"], "rater": [*"rrr"], "said_real": [1, 1, 1], "generator": ["gan", "", ""]}
    >>> table = Table("votes", columns | {"control": [0, 0, 1]})
    >>> [(gate.gate, gate.evaluators) for gate in gate_table(as_labels(table), gates=(0.0, 0.9))]
    [(0.0, 1), (0.9, 1)]
    """
    _check(interval)
    if not control_accuracy(votes):
        return []
    table = []
    for gate in gates:
        of = votes.rows(passed(votes, gate))
        if np.any(~of.control & (of.kind == "generated")):
            raters, rates, answers = _by_evaluator(sittings(of))
            error = mean_over(rates, resamples, seed) if interval == "paper" else mean_share(rates, answers)
            asked = controls(of)
            table.append(Gate(gate, len(raters), error, sum(not asked[one][1] for one in raters)))
        else:
            table.append(Gate(gate, 0, UNKNOWN))
    return table


def _by_evaluator(sat: Sittings) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Evaluators, the mean of each one's error rates over generators, and the answers that is as sure as a share of.

    One who judged three generators is one evaluator and not three.
    """
    raters, place = np.unique(sat.rater, return_inverse=True)
    rates, answers = error_rates(sat), answers_behind(sat)
    known = ~np.isnan(rates)
    place, n = place[known], np.bincount(place[known], minlength=len(raters)).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(place, rates[known], len(raters)) / n
        behind = n**2 / np.bincount(place, 1 / answers[known], len(raters))
    return raters.tolist(), mean, behind


def _rate(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
