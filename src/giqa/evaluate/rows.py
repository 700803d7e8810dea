"""Votes as rows, one a vote, with what is known of its picture: how they are learned from, and resampled."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

import numpy as np

from ..errors import BadShape
from ..stats import LEVEL, Estimate, Range, fisher, from_draws, logit, platt_scaling, sigmoid
from ..votes.labels import Counts, Votes

FOLDS = 5
LEAST = 10  # pictures that an evaluation needs
LEAST_RATERS = 3  # that are resampled; fewer say nothing of other raters
NOTHING = float("nan")


@dataclass(frozen=True, eq=False)
class Rows:
    """One row a vote on a picture with a score.

    Parameters
    ----------
    x : float array (rows, columns)
        The numbers of its picture that P(says real) is learned from.
    score : float array (rows,)
        The score of its picture.
    said : float array (rows,)
        1 where the vote says real, 0 where it says fake.
    image, rater : int array (rows,)
        Numbers from 0.
    generator : str array (rows,)
        Which one made it; "" where unknown.
    p : float array (rows,)
        P(says real).
    """

    x: np.ndarray
    score: np.ndarray
    said: np.ndarray
    image: np.ndarray
    rater: np.ndarray
    generator: np.ndarray
    p: np.ndarray

    def take(self, rows: np.ndarray) -> Self:
        """Some of the rows (mask or positions)."""
        return type(self)(**{name: column[rows] for name, column in vars(self).items()})

    def numbered(self) -> Self:
        """Pictures and raters numbered from 0 without gaps, as `drawn` needs them."""
        image, rater = (np.unique(numbers, return_inverse=True)[1] for numbers in (self.image, self.rater))
        return dataclasses.replace(self, image=image, rater=rater)

    def drawn(self, rng: np.random.Generator) -> Self:
        """As many pictures with replacement, and raters where there are 3 or more; a picture drawn twice is two."""
        order = np.argsort(self.image, kind="stable")
        n = np.bincount(self.image)
        start = np.cumsum(n) - n
        picked = rng.integers(len(n), size=len(n))
        offset = np.arange(n[picked].sum()) - np.repeat(np.cumsum(n[picked]) - n[picked], n[picked])
        rows = order[np.repeat(start[picked], n[picked]) + offset]
        image = np.repeat(np.arange(len(picked)), n[picked])
        raters = int(self.rater.max()) + 1
        if raters >= LEAST_RATERS:
            times = np.bincount(rng.integers(raters, size=raters), minlength=raters)[self.rater[rows]]
            rows, image = np.repeat(rows, times), np.repeat(image, times)
        return dataclasses.replace(self.take(rows), image=image)

    def units(self) -> int:
        """How many are resampled by `drawn`: pictures, or raters where those are fewer."""
        pictures, raters = len(np.unique(self.image)), len(np.unique(self.rater))
        return min(pictures, raters) if raters >= LEAST_RATERS else pictures

    def shares(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """For each picture: its score, share of real votes, votes, and generator."""
        pictures, first, place = np.unique(self.image, return_index=True, return_inverse=True)
        n = np.bincount(place, minlength=len(pictures))
        return self.score[first], np.bincount(place, self.said, len(pictures)) / n, n, self.generator[first]

    def said_likelier(self) -> np.ndarray:
        """1 where real is the likelier answer, 0 where fake is, 0.5 between."""
        return (self.p > 0.5) + 0.5 * (self.p == 0.5)

    def right(self) -> np.ndarray:
        """Whether the likelier answer is the one given; half where both are equally likely."""
        return 1 - np.abs(self.said_likelier() - self.said)

    def nats(self) -> np.ndarray:
        """Minus the logarithm of the probability of the answer given."""
        return -np.log(np.clip(np.abs(1 - self.said - self.p), 1e-12, 1))

    def predicted(self, p: np.ndarray) -> Self:
        """With these probabilities; their log odds are the score where more than one number was learned from."""
        return dataclasses.replace(self, p=p, score=self.score if self.x.shape[1] == 1 else logit(p))


def that_count(labels: Votes | Counts, kind: str | None) -> Votes | Counts:
    """Judgements without quality control, of pictures of a kind or of unknown kind; None: of all kinds."""
    keep = ~labels.control if isinstance(labels, Votes) else np.ones(len(labels), bool)
    return labels.rows(keep if kind is None else keep & ((labels.kind == kind) | (labels.kind == "")))


def rows_of(
    by_name: Mapping[str, Sequence[float]], labels: Votes | Counts, generator: Mapping[str, str]
) -> tuple[Rows, int]:
    """The votes on pictures that have numbers, a row each, and how many labelled pictures have none."""
    known = np.array([name in by_name for name in labels.image.tolist()], bool)
    strange = np.unique(labels.image[~known]).tolist()
    lost = len(strange)
    labels = labels.rows(known)
    if isinstance(labels, Counts) and np.any(labels.n % 1 + labels.n_real % 1):
        raise BadShape("Counts of votes are whole numbers.")
    times = np.ones(len(labels), int) if isinstance(labels, Votes) else labels.n.astype(int)
    row = np.repeat(np.arange(len(labels)), times)
    if isinstance(labels, Votes):
        said, rater = labels.said_real, np.unique(labels.rater, return_inverse=True)[1]
    else:
        place = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
        said, rater = place < labels.n_real[row], np.zeros(len(row), int)
    names, image = np.unique(labels.image[row], return_inverse=True)
    if len(names) < LEAST or len(np.unique(said)) < 2:
        raise BadShape(
            f"{len(names)} labelled pictures have a score, {lost} have none: evaluating needs {LEAST}, with votes of "
            "both kinds."
            + (f" The labels have {strange[0]!r}, the scores {next(iter(by_name), 'nothing')!r}." if lost else "")
        )
    pairs = zip(labels.image.tolist(), labels.generator.tolist(), strict=True)
    by = np.array([generator.get(name, said_there) for name, said_there in pairs], np.str_)
    x = np.array([by_name[name] for name in labels.image.tolist()], float).reshape(len(labels), -1)[row]
    return Rows(x, x[:, 0], said.astype(float), image, rater, by[row], np.full(len(row), NOTHING)), lost


Learner = Callable[[Rows, np.ndarray], np.ndarray]  # votes to learn from, and x of others, to P(says real) of these


def calibrated(train: Rows, x: np.ndarray) -> np.ndarray:
    """P(says real) at these scores, by a logistic regression on the votes in `train`; x (rows, 1)."""
    if not len(train.said):
        return np.full(len(x), 0.5)
    intercept, slope = platt_scaling(train.x[:, 0], train.said)
    return sigmoid(intercept + slope * x[:, 0])


def folds_of(rows: Rows, rng: np.random.Generator) -> np.ndarray:
    """The fold of each row; a picture is whole in one."""
    names, image = np.unique(rows.image, return_inverse=True)
    return rng.permutation(np.arange(len(names)) % FOLDS)[image]


def cross_validated(rows: Rows, learn: Learner, seed: int) -> Rows:
    """The rows with P(says real) as learned from the pictures in the other folds."""
    fold, p = folds_of(rows, np.random.default_rng(seed)), np.empty(len(rows.said))
    for number in np.unique(fold):
        test = fold == number
        p[test] = learn(rows.take(~test), rows.x[test])
    return rows.predicted(p)


def resampled(
    rows: Rows,
    measures: Mapping[str, Callable[[Rows], float]],
    resamples: int,
    seed: int,
    parts: Mapping[str, int] = MappingProxyType({}),
) -> dict[str, Estimate]:
    """Each figure with its interval over resampled pictures, and raters; the probabilities stay as they are.

    Parameters
    ----------
    rows : Rows
        The votes.
    measures : mapping
        Name -> function of rows.
    resamples, seed : int
        Of the bootstrap.
    parts : mapping
        Name -> number of pictures, of a measure that looks at some of them.

    Returns
    -------
    dict
        Name -> Estimate, by `giqa.stats.from_draws`: few pictures or raters widen it. Where no resample differs, an
        interval of so many pictures: Wilson's of a share, Fisher's of a correlation (names that begin with "Spearman").
    """
    rows, rng = rows.numbered(), np.random.default_rng(seed)
    pictures, samples = len(np.unique(rows.image)), []
    for _ in range(resamples):
        drawn = rows.drawn(rng)
        samples.append([of(drawn) if len(drawn.said) else NOTHING for of in measures.values()])
    figures = {}
    for (name, of), values in zip(measures.items(), np.array(samples, float).T, strict=True):
        n = parts.get(name, pictures)
        figures[name] = _figure(name, of(rows), values, min(rows.units(), n), n)
    return figures


def _figure(name: str, value: float, values: np.ndarray, units: int, pictures: int) -> Estimate:
    if name.lower().startswith("spearman"):
        return rank_correlation(value, values, units, pictures)
    most = np.inf if name == "log loss" else 1.0
    return from_draws(value, values, units, pictures, Range(0.0, most, share_of=pictures if most == 1 else 0))


def rank_correlation(value: float, values: np.ndarray, units: int, pictures: int, level: float = LEVEL) -> Estimate:
    """Spearman's correlation over pictures, with the interval of its resampled values; Fisher's where none differs."""
    found = from_draws(value, values, units, pictures, Range(-1.0, 1.0), level)
    return found if found.low == found.low else fisher(value, pictures, level)


def accuracy(rows: Rows) -> float:
    """The share of votes that are the likelier answer."""
    return float(rows.right().mean())


def brier(rows: Rows) -> float:
    """The mean square of probability - answer."""
    return float(np.mean((rows.p - rows.said) ** 2))
