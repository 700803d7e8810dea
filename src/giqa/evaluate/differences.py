"""Several scores against the same judgements: how well each agrees, and whether one agrees better than another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..errors import BadShape
from ..stats import LEVEL, NORMAL, Estimate, Range, auroc, from_draws, hull, never, spearman, student, widening, wilson
from ..votes.aggregation import sum_pairs
from ..votes.labels import Counts, Pairs, Votes
from .rows import Rows, rank_correlation, rows_of
from .votes import within_generators

ScoresByName = Mapping[str, float]


def credits(pairs: Pairs, scores: ScoresByName) -> np.ndarray:
    """1 where the picture with more votes scores higher, 0 where it scores lower, half for a tie of either, (n,).

    >>> pairs = Pairs(*(np.array(c) for c in (["a", "a"], ["b", "c"], [3.0, 1.0], [0.0, 1.0], ["", ""])))
    >>> credits(pairs, {"a": 1.0, "b": 2.0, "c": 0.0}).tolist()
    [0.0, 0.5]
    """
    left, right = (np.array([scores[name] for name in side.tolist()]) for side in (pairs.left, pairs.right))
    order = (left > right).astype(float) - (left < right)  # and not a difference: two infinite scores are a tie
    return 0.5 + 0.5 * order * np.sign(pairs.votes_left - pairs.votes_right)


def deviation(values: np.ndarray, pairs: Pairs) -> float:
    """The standard error of the mean of a value a pair, where pairs that share a picture are not independent.

    The sandwich for dyads, sum over pairs d and e that share a picture of r_d r_e / n^2 with r the residuals, times
    N / (N - 1) for N pictures; never below that of independent pairs.

    Parameters
    ----------
    values : float array (n,)
        One a pair.
    pairs : Pairs
        Which pictures they are of.

    Returns
    -------
    float

    References
    ----------
    Aronow, Samii, Assenova 2015.
    """
    names, place = np.unique(np.concatenate([pairs.left, pairs.right]), return_inverse=True)
    rest, n = values - values.mean(), len(values)
    of_picture = np.bincount(place, np.r_[rest, rest])
    own = float(rest @ rest)  # each pair shares both of its pictures with itself, and counts once
    shared = (float(of_picture @ of_picture) - own) * len(names) / (len(names) - 1)
    return float(np.sqrt(max(shared, own * n / max(n - 1, 1)))) / n


def judge_pairs(pairs: Pairs, scores: Sequence[ScoresByName]) -> list[dict[str, Estimate]]:
    """For each score "pair accuracy" with Wilson's interval, as if pairs were independent, and "other pictures".

    The second is never the narrower one: where no pair disagrees, pairs that share pictures are no surer than others.
    """
    found = []
    for one in scores:
        credit = credits(pairs, one)
        tops = wilson(float(credit.sum()), len(credit))
        found.append({"pair accuracy": tops, "pair accuracy, other pictures": mean_of_pairs(credit, pairs)})
    return found


def mean_of_pairs(credit: np.ndarray, pairs: Pairs, size: np.ndarray | None = None) -> Estimate:
    """A mean of shares over pairs, with an interval that knows which pairs have a picture in common.

    Parameters
    ----------
    credit : float array (n,)
        A share of each pair.
    pairs : Pairs
        Which pictures they are of.
    size : float array (n,) or None
        Weights, such as votes; None: all alike.

    Returns
    -------
    Estimate
        Wilson's, of as many independent pairs as would vary by `deviation`, with Student's t for 1.96. Without weights
        never narrower than that of all pairs, and that where nothing varies.
    """
    weight = np.ones(len(credit)) if size is None else np.asarray(size, float)
    mean = float(np.average(credit, weights=weight))
    half = student(_freedom(pairs)) * deviation(weight / weight.mean() * (credit - mean), pairs)
    tops = wilson(mean * len(credit), len(credit))
    if not half > 0:
        return tops
    as_many = mean * (1 - mean) * (NORMAL / half) ** 2
    other = replace(wilson(mean * as_many, as_many), n=len(credit))
    return hull(other, tops) if size is None else other


def _freedom(pairs: Pairs) -> int:
    """Of Student's t: one less than the pairs, or the pictures where those are fewer."""
    return max(1, min(len(pairs), len(np.unique(np.concatenate([pairs.left, pairs.right])))) - 1)


def best_for_votes(pairs: Pairs) -> float:
    """The share of single votes that siding with most raters in each pair would get: raters disagree."""
    return float(np.maximum(pairs.votes_left, pairs.votes_right).sum() / (pairs.votes_left + pairs.votes_right).sum())


def by_generators(pairs: Pairs, scores: ScoresByName, generator: Mapping[str, str]) -> dict[str, Estimate]:
    """Pair accuracy among the pairs of each two generators, "a / b"; empty where no generators are known."""
    if not generator:
        return {}
    sides = zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)
    made_by = np.array([" / ".join(sorted(generator.get(name, "?") for name in pair)) for pair in sides])
    credit = credits(pairs, scores)
    return {
        str(kind): wilson(float(credit[made_by == kind].sum()), int((made_by == kind).sum()))
        for kind in np.unique(made_by)
    }


def pair_difference(pairs: Pairs, one: ScoresByName, other: ScoresByName, level: float = LEVEL) -> Estimate:
    """How much more accurate one score is than another on the same pairs; pairs that share a picture count as such.

    Parameters
    ----------
    pairs : Pairs
        Judged pairs.
    one, other : mapping
        Picture -> score.
    level : float
        Of the interval.

    Returns
    -------
    Estimate
        Where the difference is the same in all n pairs, the interval is that of something that never happened in n
        (`giqa.stats.never`): up to 5 pairs say nothing, whichever score won them all.
    """
    gap = credits(pairs, one) - credits(pairs, other)
    mean, half = float(gap.mean()), student(_freedom(pairs), level) * deviation(gap, pairs)
    if not half > 0:
        half = never(len(gap), level) * (2 if mean else 1)
    return Estimate(mean, max(-1.0, mean - half), min(1.0, mean + half), len(gap))


def judged_pairs(pairs: Pairs, unanimous: bool = False) -> Pairs:
    """A row a pair, those without a vote left out; `unanimous`: only those on which all raters agree."""
    summed = sum_pairs(pairs)
    votes = summed.votes_left + summed.votes_right
    keep = votes > 0
    if unanimous:
        keep &= np.maximum(summed.votes_left, summed.votes_right) == votes
    return summed.rows(keep)


def judge_votes(
    labels: Votes | Counts,
    scores: Sequence[ScoresByName],
    generator: Mapping[str, str],
    resamples: int = 500,
    seed: int = 0,
) -> tuple[list[dict[str, Estimate]], np.ndarray]:
    """For each score AUROC of single votes and rank correlations; and AUROC in each resample.

    Parameters
    ----------
    labels : Votes or Counts
        The judgements.
    scores : sequence of mapping
        Picture -> score, of each.
    generator : mapping
        Picture -> who made it.
    resamples, seed : int
        All scores are judged on the same resamples: of pictures, and of raters where votes name 3 or more.

    Returns
    -------
    tuple
        Name -> Estimate for each score, and the AUROCs (resamples, scores), which are widened already for few of either
        as `giqa.stats.from_draws` does.

    Raises
    ------
    BadShape
        Without a score.
    """
    if not scores:
        raise BadShape("There is no score to judge.")
    whole, _ = rows_of({name: [one[name] for one in scores] for name in scores[0]}, labels, generator)
    measures = {"AUROC": lambda r: auroc(r.score, r.said), "Spearman": lambda r: spearman(*r.shares()[:2])}
    if len(np.unique(whole.generator[whole.generator != ""])) > 1:
        measures["Spearman within generator"] = within_generators

    def judged(rows: Rows) -> list[list[float]]:
        each = [replace(rows, score=column) for column in rows.x.T]
        return [[of(one) for of in measures.values()] for one in each]

    rng, n, units = np.random.default_rng(seed), int(whole.image.max()) + 1, whole.units()
    values, point = np.array([judged(whole.drawn(rng)) for _ in range(resamples)]), judged(whole)
    found = []
    for row, drawn in zip(point, values.transpose(1, 2, 0), strict=True):
        named = dict(zip(measures, zip(row, drawn, strict=True), strict=True))
        first = from_draws(*named.pop("AUROC"), units, n, Range(0.0, 1.0, share_of=n))
        found.append({"AUROC": first} | {name: rank_correlation(*both, units, n) for name, both in named.items()})
    auc = np.array([row[0] for row in point])
    return found, auc + widening(units) * (values[:, :, 0] - auc)


def vote_difference(one: Estimate, other: Estimate, draws: np.ndarray, level: float = LEVEL) -> Estimate:
    """How much higher one AUROC is than another; `draws` (resamples, 2): both as `judge_votes` hands them back."""
    gaps = draws[:, 0] - draws[:, 1]
    low, high = np.nanpercentile(gaps, (50 * (1 - level), 50 * (1 + level)))
    return Estimate(one.value - other.value, float(low), float(high), one.n)
