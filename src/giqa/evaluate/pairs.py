"""How well a score agrees with judged pairs, and with ratings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import BadShape
from ..stats import Estimate, spearman, wilson
from ..votes import agreement as a
from ..votes.aggregation import sum_pairs
from ..votes.labels import Pairs, Ratings
from .differences import by_generators, credits, mean_of_pairs
from .rows import LEAST, LEAST_RATERS, NOTHING, rank_correlation
from .votes import Evaluation, corrected


def against_pairs(by_name: Mapping[str, float], pairs: Pairs, generator: Mapping[str, str]) -> Evaluation:
    """Whether the picture that most raters prefer scores higher; a tie, of votes or of scores, is half a hit.

    Parameters
    ----------
    by_name : mapping
        Picture -> score.
    pairs : Pairs
        Names as in `by_name`.
    generator : mapping
        Picture -> who made it.

    Returns
    -------
    Evaluation
        "pair accuracy" has Wilson's interval, as if pairs were independent: 150 pairs of 60 pictures are not, and it
        held 0.89 of the time. "other pictures", and all others, know that pictures stand in several pairs
        (`giqa.evaluate.differences.mean_of_pairs`). "single votes" is the share of votes a score sides with, "best for
        votes" the most there is.

    Raises
    ------
    BadShape
        When no pair can be compared.
    """
    summed = sum_pairs(pairs)
    both = list(zip(summed.left.tolist(), summed.right.tolist(), strict=True))
    known = np.array([left in by_name and right in by_name for left, right in both], bool)
    of, votes = summed.rows(known), (summed.votes_left + summed.votes_right)[known]
    of, votes = of.rows(votes > 0), votes[votes > 0]
    if not len(of):
        few = "both pictures of a pair need votes and a score; score the reals too where pairs hold them"
        raise BadShape(f"None of {len(known)} pairs can be compared: {few}; ids and names must be equal.")
    margin, by_pair = of.votes_left - of.votes_right, credits(of, by_name)
    by_vote = 0.5 + (by_pair - 0.5) * np.abs(margin) / votes
    figures = {"pair accuracy": wilson(float(by_pair.sum()), len(by_pair))}
    agreed = np.abs(margin) == votes
    if 0 < agreed.sum() < len(of):
        figures["pair accuracy, unanimous"] = wilson(float(by_pair[agreed].sum()), int(agreed.sum()))
    pictures = len(np.unique(np.concatenate([of.left, of.right])))
    figures["pair accuracy, other pictures"] = mean_of_pairs(by_pair, of)
    figures["single votes"] = mean_of_pairs(by_vote, of, votes)
    figures["best for votes"] = mean_of_pairs(0.5 + 0.5 * np.abs(margin) / votes, of, votes)
    figures |= {f"pairs of {kind}": share for kind, share in by_generators(of, by_name, generator).items()}
    return Evaluation("pairs", pictures, int(votes.sum()), int((~known).sum()), figures)


def against_ratings(by_name: Mapping[str, float], ratings: Ratings, k: int, resamples: int, seed: int) -> Evaluation:
    """Rank correlation of a score with the mean rating, and as it would be with perfect ratings.

    Parameters
    ----------
    by_name : mapping
        Picture -> score.
    ratings : Ratings
        Names as in `by_name`.
    k : int
        Raters whose mean the reliability is of.
    resamples, seed : int
        Of the interval, which resamples pictures, and raters where there are 3 or more.

    Returns
    -------
    Evaluation

    Raises
    ------
    BadShape
        With fewer than 10 rated pictures that have a score.
    """
    known = np.array([name in by_name for name in ratings.image.tolist()], bool)
    lost, of = len(np.unique(ratings.image[~known])), ratings.rows(known)
    names, image = np.unique(of.image, return_inverse=True)
    if len(names) < LEAST:
        raise BadShape(f"{len(names)} rated pictures have a score, {lost} have none: evaluating needs {LEAST}.")
    score = np.array([by_name[name] for name in names.tolist()])
    rater = np.unique(of.rater, return_inverse=True)[1]
    raters = int(rater.max()) + 1
    rng, values, times = np.random.default_rng(seed), [], np.ones(len(rater))
    for _ in range(resamples):
        if raters >= LEAST_RATERS:
            times = np.bincount(rng.integers(raters, size=raters), minlength=raters)[rater]
        n = np.bincount(image, times, len(names))
        pictures = rng.integers(len(names), size=len(names))
        pictures = pictures[n[pictures] > 0]
        mean = np.bincount(image, times * of.rating, len(names))[pictures] / n[pictures]
        values.append(spearman(score[pictures], mean))
    mean = np.bincount(image, of.rating) / np.bincount(image)
    units = min(raters, len(names)) if raters >= LEAST_RATERS else len(names)
    figures = {"Spearman": rank_correlation(spearman(score, mean), np.array(values), units, len(names))}
    if np.bincount(image).max() > 1:
        one = a.rating_reliability(image, of.rating, 1)
        each = 1 / np.mean(1 / np.bincount(image))
        reliability = a.rating_reliability(image, of.rating, k)
        figures[f"reliability of {k}"] = Estimate(reliability, NOTHING, NOTHING, len(names))
        figures["Spearman, disattenuated"] = corrected(figures["Spearman"], each * one / (1 + (each - 1) * one))
    return Evaluation("ratings", len(names), len(of), lost, figures)
