"""HYPE: how often people take generated pictures for real ones and real ones for generated, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from ..errors import BadShape, BadSpec
from .intervals import RESAMPLES, TAILS, Estimate, draws, mean_over, resampled_means
from .study import passes
from .votes import Sittings, Votes

GATES = (0.0, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9)
QUANTILE = np.vectorize(NormalDist().inv_cdf, otypes=[float])


def sittings(votes: Votes) -> Sittings:
    """Votes summed by evaluator and generator; quality control and pictures of unknown kind are left out.

    The reals that an evaluator judged in a context stand beside every generator that he or she judged in that context.
    """
    votes = votes.rows(~votes.control & (votes.kind != ""))
    wrong = votes.said_real != (votes.kind == "real")
    rows: dict[tuple[str, str], np.ndarray] = {}
    sitting = np.unique(np.rec.fromarrays([votes.rater, votes.context]), return_inverse=True)[1]
    order = np.argsort(sitting, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(sitting[order])) + 1) if len(order) else []:
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
    """Error rate of each evaluator, float64 (n,): the mean of the rates on fakes and on reals, so that .5 is chance.

    Half fakes and half reals make that the share of all answers that are wrong. NaN for who saw only one kind.
    """
    return (_rate(sat.wrong_fakes, sat.fakes) + _rate(sat.wrong_reals, sat.reals)) / 2


def detection(sat: Sittings) -> tuple[np.ndarray, np.ndarray]:
    """d' and criterion of each evaluator: z(H) - z(F) and -(z(H) + z(F)) / 2, where H is the share of reals called
    real and F that of fakes called real, each with half an answer added to either side (Hautus 1995).

    d' 0: cannot tell them apart. Criterion above 0: inclined to say fake, below 0: to say real.
    """
    hit = np.where(sat.reals > 0, (sat.reals - sat.wrong_reals + 0.5) / (sat.reals + 1), np.nan)
    alarm = np.where(sat.fakes > 0, (sat.wrong_fakes + 0.5) / (sat.fakes + 1), np.nan)
    known = ~np.isnan(hit + alarm)
    z_hit, z_alarm = np.full(len(hit), np.nan), np.full(len(hit), np.nan)
    if known.any():
        z_hit[known], z_alarm[known] = QUANTILE(hit[known]), QUANTILE(alarm[known])
    return z_hit - z_alarm, -(z_hit + z_alarm) / 2


@dataclass(frozen=True)
class Hype:
    """One generator as people saw it: each figure is per evaluator first, then the mean over evaluators.

    `error`: .5 is chance, above it hyper-realism; `fake_error`: generated pictures taken for real; `real_error`: reals
    taken for generated; `seconds`: mean response time a picture. Intervals: 95 %, bootstrap over evaluators.
    """

    generator: str
    answers: int
    error: Estimate
    fake_error: Estimate
    real_error: Estimate
    d_prime: Estimate
    criterion: Estimate
    seconds: Estimate


def hype(sat: Sittings, resamples: int = RESAMPLES, seed: int = 0) -> list[Hype]:
    """HYPE-infinity of every generator, the one that fools people most first.

    >>> names, n = np.array(["a", "b"]), np.array([50.0, 50.0])
    >>> sat = Sittings(names, np.array(["gan", "gan"]), n, np.array([10.0, 20.0]), n, np.array([5.0, 5.0]), n, n)
    >>> round(hype(sat)[0].error.value, 3)  # (.2 + .1) / 2 and (.4 + .1) / 2
    0.2
    """
    found = []
    for generator in np.unique(sat.generator):
        of = sat.rows(sat.generator == generator)
        d_prime, criterion = detection(of)
        per_evaluator = (
            error_rates(of),
            _rate(of.wrong_fakes, of.fakes),
            _rate(of.wrong_reals, of.reals),
            d_prime,
            criterion,
            (of.fake_seconds + of.real_seconds) / 2,
        )
        estimates = (mean_over(values, resamples, seed) for values in per_evaluator)
        found.append(Hype(str(generator), int(of.fakes.sum() + of.reals.sum()), *estimates))
    return sorted(found, key=lambda one: -one.error.value if one.error.n else np.inf)


@dataclass(frozen=True)
class Comparison:
    """Whether one generator fools people more often than another: the difference of error rates, and in words."""

    first: str
    second: str
    difference: Estimate
    paired: bool
    verdict: str


def compare(sat: Sittings, first: str, second: str, resamples: int = RESAMPLES, seed: int = 0) -> Comparison:
    """Difference of two generators' error rates with a 95 % interval over evaluators, and a verdict.

    Where the same evaluators judged both, their own differences are averaged (`paired`); else the two groups are
    resampled each by itself. One comparison at a time: of the 45 pairs of ten equal generators, two or three would look
    different by luck alone.
    """
    groups = []
    for generator in (first, second):
        if generator not in sat.generator:
            raise BadSpec(f"There is no generator {generator!r}; there are {', '.join(np.unique(sat.generator))}.")
        of = sat.rows(sat.generator == generator)
        groups.append({r: e for r, e in zip(of.rater.tolist(), error_rates(of).tolist(), strict=True) if e == e})
    shared = sorted(groups[0].keys() & groups[1].keys())
    paired = len(shared) >= 2 and len(shared) >= 0.5 * max(map(len, groups))
    if paired:
        difference = mean_over(np.array([groups[0][r] - groups[1][r] for r in shared]), resamples, seed)
    else:
        a, b = (np.array(list(group.values())) for group in groups)
        if min(len(a), len(b)) < 2:
            raise BadShape(f"Comparing needs two evaluators a generator, got {len(a)} and {len(b)}.")
        spread = resampled_means(a, resamples, seed) - resampled_means(b, resamples, seed + 1)
        low, high = np.percentile(spread, TAILS)
        difference = Estimate(float(a.mean() - b.mean()), float(low), float(high), len(a) + len(b))
    return Comparison(first, second, difference, paired, _verdict(first, second, difference))


def _verdict(first: str, second: str, difference: Estimate) -> str:
    if difference.low <= 0 <= difference.high:
        return f"not distinguishable: the interval holds 0, and the difference may be up to {_most(difference):.3f}"
    more, less = (first, second) if difference.value > 0 else (second, first)
    return f"{more} fools people more often than {less}"


def _most(difference: Estimate) -> float:
    return max(abs(difference.low), abs(difference.high))


def crossed_error(votes: Votes, generator: str, resamples: int = RESAMPLES, seed: int = 0) -> Estimate:
    """The error rate of one generator with an interval that resamples evaluators **and** pictures.

    That over evaluators alone says how other people would answer to these pictures; this one, how other people would
    answer to other pictures of the generator. Needs single votes. Fakes and reals are drawn each by themselves.
    """
    votes = votes.rows(~votes.control & (votes.kind != ""))
    seen = np.unique(np.rec.fromarrays([votes.rater, votes.context]), return_inverse=True)[1]
    fake = (votes.kind == "generated") & (votes.generator == generator)
    if not fake.any():
        raise BadSpec(f"There are no votes on generated pictures of {generator!r}.")
    parts = [votes.rows(fake), votes.rows((votes.kind == "real") & np.isin(seen, seen[fake]))]
    people = np.unique(np.concatenate([part.rater for part in parts]))
    rng = np.random.default_rng(seed)
    matrices = [_answers(part, people) for part in parts]
    point = _crossed(matrices, [np.ones((1, m[0].shape[1]), np.float32) for m in matrices])
    values, block = [], max(1, 2_000_000 // max(len(people), *(m[0].shape[1] for m in matrices)))
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        errors = _crossed(matrices, [draws(shown.shape[1], size, rng) for shown, _ in matrices])
        weight = np.where(np.isnan(errors), 0, draws(len(people), size, rng))
        with np.errstate(invalid="ignore"):
            values.append((weight * np.nan_to_num(errors)).sum(axis=1) / weight.sum(axis=1))
    low, high = np.nanpercentile(np.concatenate(values), TAILS)
    return Estimate(float(np.nanmean(point)), float(low), float(high), int(np.sum(~np.isnan(point))))


def _answers(votes: Votes, people: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Who was shown what and who was wrong, float32 (people, pictures)."""
    pictures, column = np.unique(votes.image, return_inverse=True)
    row = np.searchsorted(people, votes.rater)
    shown = np.zeros((len(people), len(pictures)), np.float32)
    wrong = np.zeros_like(shown)
    np.add.at(shown, (row, column), 1)
    np.add.at(wrong, (row, column), votes.said_real != (votes.kind == "real"))
    return shown, wrong


def _crossed(matrices: Sequence[tuple[np.ndarray, np.ndarray]], weights: Sequence[np.ndarray]) -> np.ndarray:
    """Error rate of each evaluator under weights of the pictures (samples, people): the mean of both kinds."""
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = [(w @ wrong.T) / (w @ shown.T) for (shown, wrong), w in zip(matrices, weights, strict=True)]
    return (rates[0] + rates[1]) / 2


@dataclass(frozen=True)
class Gate:
    """What the error rate would be, had only evaluators above `gate` on the quality-control pictures counted."""

    gate: float
    evaluators: int
    error: Estimate


def gate_table(votes: Votes, gates: Sequence[float] = GATES, resamples: int = RESAMPLES, seed: int = 0) -> list[Gate]:
    """How the error rate over all generators moves with the gate; empty where there are no quality-control votes.

    An evaluator passes with at least that share of right answers on quality-control pictures of known kind.
    """
    share = control_accuracy(votes)
    if not share:
        return []
    table = []
    for gate in gates:
        passed = np.array([passes(share.get(r, -1.0), 1, gate) for r in votes.rater.tolist()])
        if passed.any() and (passed & ~votes.control & (votes.kind == "generated")).any():
            sat = sittings(votes.rows(passed))
            error = mean_over(error_rates(sat), resamples, seed)
            table.append(Gate(gate, len(np.unique(sat.rater)), error))
        else:
            table.append(Gate(gate, 0, mean_over(np.empty(0))))
    return table


def control_accuracy(votes: Votes) -> dict[str, float]:
    """The share of right answers of each evaluator on quality-control pictures of known kind."""
    asked = votes.rows(votes.control & (votes.kind != ""))
    people, place = np.unique(asked.rater, return_inverse=True)
    right = asked.said_real == (asked.kind == "real")
    share = np.bincount(place, right, len(people)) / np.maximum(np.bincount(place, minlength=len(people)), 1)
    return dict(zip(people.tolist(), share.tolist(), strict=True))


def _rate(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
