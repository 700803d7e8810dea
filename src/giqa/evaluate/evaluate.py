"""How well scores agree with raters: one function for votes, counts, ratings and pairs, with honest intervals."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadSpec
from ..model.table import Scores
from ..registry import as_flag
from ..scorers.human import DISTANCE, FEWEST, HumanModel, Z
from ..tables.read import read_scored
from ..types import Features, as_numbers
from ..votes.labels import Counts, Labels, Pairs, Ratings, Votes
from ..votes.votes import generator_of, joined, read_labels
from .pairs import against_pairs, against_ratings
from .rows import LEAST_RATERS, Learner, Rows, calibrated, rows_of, that_count
from .training_overlap import marks_of, seen_in_training
from .votes import Evaluation, against_votes


def evaluate(
    scores: Mapping[str, float] | Scores | Features | str | Path,
    labels: Votes | Counts | Ratings | Pairs | str | Path,
    *,
    column: str | Sequence[str] = "z",
    probability: bool = False,
    learning_curve: bool = False,
    generator: Mapping[str, str] | None = None,
    kind: str | None = "generated",
    k: int = 5,
    include_training: bool = False,
    resamples: int = 500,
    seed: int = 0,
) -> Evaluation:
    """Compare a score a picture (higher = better) with human judgements of the pictures.

    Parameters
    ----------
    scores : mapping, Scores, Features or path
        Picture -> number, or a table of scores, or its file. Names are joined as everywhere
        (`giqa.tables.names.match_names`).
    labels : Votes, Counts, Ratings, Pairs or path
        The judgements.
    column : str or sequence of str
        Of the table of scores. From several columns, or `Features`, P(a rater says real) is learned by `HumanModel`, as
        `giqa train human` would, and everything is judged on held-out pictures.
    probability : bool
        The numbers are P(a rater says real) already; else they become it by logistic regression on the votes of other
        pictures.
    learning_curve : bool
        Also learn from fewer pictures.
    generator : mapping or None
        Picture -> who made it, where the labels do not say.
    kind : str or None
        Votes on pictures of this kind count; None: on all.
    k : int
        Raters whose mean the reliability of ratings is of.
    include_training : bool
        Judge a human model's p_real also on pictures that it learned from; else that is refused, as far as the table of
        scores says which these are.
    resamples, seed : int
        Of the intervals. They resample pictures, and raters where votes name 3 or more; of fewer a warning says that
        the intervals are about these raters alone.

    Returns
    -------
    Evaluation

    Raises
    ------
    BadTable
        When no picture has both a score and a label.
    BadShape
        When fewer than 10 have.
    BadSpec
        When options contradict each other or the labels, and where a human model learned from these pictures.

    Examples
    --------
    >>> scores = {f"{i}.png": i / 20 for i in range(20)}
    >>> labels = Counts(*(np.array(c) for c in zip(*[(f"{i}.png", 20, i, "gan", "generated", "") for i in range(20)])))
    >>> evaluate(scores, labels, resamples=50).figures["Spearman"].value
    1.0
    """
    if not isinstance(scores, (Mapping, Scores, Features, str, Path)):
        raise BadSpec(f"Scores are a mapping picture -> number, Scores, Features or a file, got {scores!r:.80}.")
    columns = [column] if isinstance(column, str) else column
    probability = as_flag(probability, "probability")
    if generator is not None and not isinstance(generator, Mapping):
        raise BadSpec(f"generator is a mapping picture -> generator, got {generator!r:.80}.")
    if kind is not None and not isinstance(kind, str):
        raise BadSpec(f"kind is the kind of picture whose votes count, such as generated, or None, got {kind!r:.80}.")
    if not isinstance(columns, Sequence) or not columns or not all(isinstance(name, str) for name in columns):
        raise BadSpec(f"column names one or several columns of the scores, got {column!r:.80}.")
    names, numbers = _numbers(scores, list(columns))
    where = str(labels) if isinstance(labels, str | Path) else "the labels"
    judged: Labels = read_labels(labels) if isinstance(labels, str | Path) else labels
    several = len(names) > 1 or isinstance(scores, Features)
    if probability and not all(0 <= value <= 1 for row in numbers.values() for value in row):
        raise BadSpec(f"Probabilities lie between 0 and 1, and {names[0]!r} goes beyond: it is no probability.")
    if probability and (several or learning_curve):
        raise BadSpec("One column that is a probability already is judged as it is: nothing is learned from labels.")
    if not include_training:
        _refuse_training(scores, names, judged, kind)
    if isinstance(judged, Pairs | Ratings | Votes | Counts) and len(judged):
        named = str(scores) if isinstance(scores, str | Path) else "the scores"
        judged, _ = joined(judged, list(numbers), where, named)
        generator = generator_of(generator or {}, judged.pictures())
    if isinstance(judged, Pairs | Ratings):
        if several or learning_curve:
            raise BadSpec("Learning from labels needs votes or counts of votes, not pairs or ratings; give one column.")
        by_name = {name: row[0] for name, row in numbers.items()}
        if isinstance(judged, Pairs):
            return against_pairs(by_name, judged, generator or {})
        _warn_of_few(len(np.unique(judged.rater)))
        return against_ratings(by_name, judged, k, resamples, seed)
    if not isinstance(judged, Votes | Counts):
        raise BadSpec(f"Scores are compared with votes, counts, ratings or pairs, not with {type(judged).__name__}.")
    judged = that_count(judged, kind)
    rows, lost = rows_of(numbers, judged, generator or {})
    if isinstance(judged, Votes):
        _warn_of_few(len(np.unique(rows.rater)))
    learn = None if probability else _human_model(names) if several else calibrated
    return against_votes(rows, lost, learn, resamples, seed, learning_curve)


def _warn_of_few(raters: int) -> None:
    if raters < LEAST_RATERS:
        who = "1 rater" if raters == 1 else f"{raters} raters"
        warnings.warn(
            f"The labels are of {who}: intervals resample pictures alone, and say nothing of what other raters would "
            f"answer. That takes {LEAST_RATERS} raters or more.",
            stacklevel=3,
        )


def _refuse_training(scores: Any, columns: Sequence[str], labels: Any, kind: str | None) -> None:
    """`BadSpec` where a human model would be judged by votes that it learned from; a warning where that is unknown."""
    ids, notes, made_by = marks_of(scores)
    judged = that_count(labels, kind) if isinstance(labels, Votes | Counts) else labels
    judged = judged.pictures() if isinstance(judged, Labels) else []
    refused, unknown = seen_in_training(judged, columns, ids, notes, made_by)
    if refused:
        raise BadSpec(refused)
    if unknown and isinstance(scores, Scores | str | Path):
        warnings.warn(unknown, stacklevel=3)


def _human_model(names: Sequence[str]) -> Learner:
    """P(says real) by a `HumanModel` of these columns; of too few votes to fit one, the share of them."""

    def learn(train: Rows, x: np.ndarray) -> np.ndarray:
        images, first, place = np.unique(train.image, return_index=True, return_inverse=True)
        said = np.bincount(place, train.said, len(images))
        if len(images) < FEWEST or not 0 < said.sum() < len(place):
            return np.full(len(x), (said.sum() + 1) / (len(place) + 2))
        votes = np.c_[np.bincount(place, minlength=len(images)), said]
        model = HumanModel(resamples=0).fit(_features(names, train.x[first]), votes)
        return model.p_real(_features(names, x))[0]

    return learn


def _features(names: Sequence[str], x: np.ndarray) -> Features:
    ids = tuple(map(str, range(len(x))))
    return Features(ids, {name: x[:, [i]] for i, name in enumerate(names)})


def _numbers(scores: Any, columns: list[str]) -> tuple[list[str], dict[str, list[float]]]:
    """The names of the columns, and the numbers of the pictures that have them all."""
    if isinstance(scores, Features):
        columns = [
            name if layer.shape[1] == 1 else f"{name.removesuffix(end)}.{i}{end}"
            for name, layer in scores.layers.items()
            for end in [next((end for end in (DISTANCE, Z) if name.endswith(end)), "")]
            for i in range(layer.shape[1])
        ]
        table = dict(zip(scores.ids, scores.matrix().tolist(), strict=True))
    elif isinstance(scores, Mapping):
        known = [np.nan if value is None else value for value in scores.values()]  # as Scores.rows() says it
        values = as_numbers(known, "Scores of a mapping").astype(float).tolist()
        columns, table = columns[:1], {name: [value] for name, value in zip(scores, values, strict=True)}
    else:
        each = [_by_name(scores, column) for column in columns]
        table = {name: [one.get(name, float("nan")) for one in each] for name in each[0]}
    return columns, {str(name): row for name, row in table.items() if np.isfinite(row).all()}


def _by_name(scores: Any, column: str) -> dict[str, float]:
    """A column's numbers, by picture."""
    if isinstance(scores, str | Path):
        return dict(zip(*read_scored(scores, column), strict=True))
    if isinstance(scores, Scores):
        numbers = scores[column] if column in scores.columns else None
        if not isinstance(numbers, np.ndarray):
            raise BadSpec(f"Scores have no column of numbers {column!r}; take z or score.")
        scores = dict(zip(scores.id, numbers.tolist(), strict=True))
    return {name: float(value) for name, value in scores.items()}
