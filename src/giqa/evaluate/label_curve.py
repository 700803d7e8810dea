"""How many labels are needed: what is learned from few pictures and from many, judged on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import BadShape
from ..stats import Estimate, Range, from_draws
from .rows import FOLDS, LEAST, Learner, Rows, accuracy, folds_of

SIZES = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
REPEATS = 5  # draws of the pictures to learn from


@dataclass(frozen=True)
class LabelStep:
    """What is learned from so many pictures, and on average so many votes on them; log loss in nats a vote."""

    pictures: int
    votes: int
    accuracy: Estimate
    log_loss: Estimate


def label_curve(
    rows: Rows, learn: Learner, resamples: int = 500, seed: int = 0, sizes: Sequence[int] | None = None
) -> list[LabelStep]:
    """Accuracy and log loss on held-out pictures, by the number of labelled pictures that were learned from.

    Five times, pictures are put into 5 folds; each is predicted from `sizes` pictures of the other folds, drawn at
    random with all their votes, the smaller sets within the larger ones.

    Parameters
    ----------
    rows : Rows
        The votes.
    learn : callable
        See `giqa.evaluate.rows.Learner`.
    resamples, seed : int
        Of the intervals: one of the five draws, and resampled pictures (and raters), as everywhere wider where these
        are few.
    sizes : sequence of int or None
        Pictures to learn from; None: 20, 50, 100, 200, ... and all.

    Returns
    -------
    list of LabelStep

    Raises
    ------
    BadShape
        When the sizes do not fit the number of pictures.
    """
    n = len(np.unique(rows.image))
    most = n - -(-n // FOLDS)  # what is left without the largest fold
    sizes = sorted({*(size for size in sizes or SIZES if size < most), *(() if sizes else (most,))})
    if not sizes or sizes[0] < LEAST:
        raise BadShape(f"A learning curve of {n} labelled pictures learns from {LEAST} to {most - 1}, got {sizes}.")
    predicted = np.empty((len(sizes), REPEATS, len(rows.said)))
    votes = np.zeros(len(sizes))
    for repeat in range(REPEATS):
        rng = np.random.default_rng((seed, repeat))
        fold = folds_of(rows, rng)
        for one in np.unique(fold):
            test, rest = fold == one, rows.take(fold != one)
            names, image = np.unique(rest.image, return_inverse=True)
            turn = rng.permutation(len(names))[image]
            for at, size in enumerate(sizes):
                predicted[at, repeat, test] = learn(rest.take(turn < size), rows.x[test])
                votes[at] += (turn < size).sum() / REPEATS / FOLDS
    return [
        LabelStep(size, round(float(count)), *_figures(rows, p, resamples, seed))
        for size, count, p in zip(sizes, votes, predicted, strict=True)
    ]


def _figures(rows: Rows, predicted: np.ndarray, resamples: int, seed: int) -> tuple[Estimate, Estimate]:
    """Accuracy and log loss of probabilities (draws, rows)."""
    judged = [rows.numbered().predicted(p) for p in predicted]
    rng, pictures = np.random.default_rng(seed), len(np.unique(rows.image))

    def both(of: Rows) -> tuple[float, float]:
        return accuracy(of), float(of.nats().mean())

    samples = [both(judged[rng.integers(len(judged))].drawn(rng)) for _ in range(resamples)]
    values, drawn, units = np.mean([both(of) for of in judged], axis=0), np.array(samples).T, judged[0].units()
    accurate = from_draws(values[0], drawn[0], units, pictures, Range(0.0, 1.0, share_of=pictures))
    return accurate, from_draws(values[1], drawn[1], units, pictures, Range(low=0.0))
