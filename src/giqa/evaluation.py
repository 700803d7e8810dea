"""How well scores agree with people: one function for votes, counts, ratings and pairs, with honest intervals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .errors import BadSpec, BadTable
from .humans.against_pairs import against_pairs, against_ratings
from .humans.against_votes import Evaluation, against_votes, rows_of
from .humans.cells import read_table
from .humans.votes import Counts, Pairs, Ratings, Votes, read_labels
from .scores import Scores, read_scores


def evaluate(
    scores: Mapping[str, float] | Scores | str | Path,
    labels: Votes | Counts | Ratings | Pairs | str | Path,
    *,
    column: str = "z",
    probability: bool = False,
    generator: Mapping[str, str] | None = None,
    kind: str | None = "generated",
    k: int = 5,
    resamples: int = 500,
    seed: int = 0,
) -> Evaluation:
    """Compare a score a picture (higher = better) with what people said of the pictures.

    `scores`: picture -> number, a table of scores, or its file, of which `column` is taken; `probability`: the numbers
    are P(a person says real) already, else they become it by logistic regression on the votes of other pictures;
    `generator`: picture -> who made it, where the labels do not say; `kind`: votes on generated pictures alone count
    (None: on all); `k`: raters whose mean the reliability of ratings is of. Intervals resample pictures, and raters
    where votes name several. Raises `BadShape` when fewer than 10 names agree.

    >>> scores = {f"{i}.png": i / 20 for i in range(20)}
    >>> labels = Counts(*(np.array(c) for c in zip(*[(f"{i}.png", 20, i, "gan", "generated", "") for i in range(20)])))
    >>> evaluate(scores, labels, resamples=50).figures["Spearman"].value
    1.0
    """
    by_name = _by_name(scores, column)
    labels = read_labels(labels) if isinstance(labels, str | Path) else labels
    if probability and not all(0 <= value <= 1 for value in by_name.values()):
        raise BadSpec(f"Probabilities lie between 0 and 1, and {column!r} goes beyond: it is no probability.")
    if isinstance(labels, Pairs):
        return against_pairs(by_name, labels, generator or {}, resamples, seed)
    if isinstance(labels, Ratings):
        return against_ratings(by_name, labels, k, resamples, seed)
    if not isinstance(labels, Votes | Counts):
        raise BadSpec(f"Scores are compared with votes, counts, ratings or pairs, not with {type(labels).__name__}.")
    if isinstance(labels, Votes):
        labels = labels.rows(~labels.control)
    if kind is not None:
        labels = labels.rows((labels.kind == kind) | (labels.kind == ""))
    rows, lost = rows_of(by_name, labels, generator or {})
    return against_votes(rows, lost, probability, resamples, seed)


def _by_name(scores: Any, column: str) -> dict[str, float]:
    """Pictures that have a finite number, by name."""
    if isinstance(scores, str | Path):
        scores = read_scores(scores) if Path(scores).suffix.lower() == ".jsonl" else _read(Path(scores), column)
    if isinstance(scores, Scores):
        numbers = getattr(scores, column, None)
        if not isinstance(numbers, np.ndarray):
            raise BadSpec(f"Scores have no column of numbers {column!r}; take z or score.")
        scores = dict(zip(scores.id, numbers.tolist(), strict=True))
    return {name: float(value) for name, value in scores.items() if np.isfinite(value)}


def _read(path: Path, column: str) -> dict[str, float]:
    table = read_table(path)
    name = next((n for n in ("id", "image") if n in table.columns), None)
    if name is None or column not in table.columns:
        raise BadTable(f"{path} should have the columns id and {column}; it has {', '.join(table.columns)}.")
    numbers = table.parsed(column, _number)
    return dict(zip(map(str, table.columns[name]), numbers, strict=True))


def _number(cell: Any) -> float:
    """A number; nothing where a picture has no score."""
    try:
        return float("nan") if cell in (None, "") else float(cell)
    except (TypeError, ValueError):
        raise ValueError("no number") from None
