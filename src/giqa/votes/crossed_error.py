"""The error rate of a generator with an interval over evaluators and pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import BadSpec
from ..stats import RESAMPLES, UNKNOWN, Estimate, Range, draws, from_draws, hull, mean_share
from .labels import Votes


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
