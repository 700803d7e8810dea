"""One row a picture: what judges say of every picture of a source, in one pass over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from sys import intern
from typing import Any, Protocol

import numpy as np

from ..errors import BadImage, BadSpec
from ..features.extracted import Extracted, as_features
from ..features.reader import CHUNK, Reader, Watch, together
from ..images import open_source
from ..images.decode import note_names
from ..images.formats import OUT_OF_RANGE
from ..types import Features, Progress, Step
from .columns import DETAIL, NUMBERS, REASON, SAID, TEXT, TEXT_READ, TEXT_WORDS, TEXTS
from .reason import with_detail
from .table import Scores

SOMETIMES = (*DETAIL, *SAID, *REASON, *TEXT, *TEXT_READ)  # columns of tables whose judges add them
COLUMNS = (*NUMBERS, *(name for name in SOMETIMES if name not in (*REASON, *TEXT_WORDS)))
WORDS = ("duplicate_of", "out_of_domain", *REASON, *TEXT_WORDS)  # that judges say


class Judge(Protocol):
    """What is asked about pictures during one scoring: a fitted model, or a human model with what it remembers."""

    @property
    def takes_features(self) -> bool:
        """Whether it can be asked about features instead of pictures."""
        ...

    @property
    def adds(self) -> tuple[str, ...]:
        """Columns that not every table has, which it fills."""
        ...

    def reader(self) -> Reader:
        """How its features are made."""
        ...

    def columns(self, features: Features) -> Mapping[str, Any]:
        """Columns of `Scores` for these pictures, each (n,); `notes`, if there are any, join those of decoding."""
        ...

    def made_by(self) -> Mapping[str, Any]:
        """What the table says of it, asked for when all pictures have been seen; names of others are not used again."""
        ...

    def anew(self) -> Judge:
        """The same judge, which has seen no picture yet."""
        ...

    def seen(self) -> Mapping[str, Any]:
        """What it remembers of the pictures that it has seen, as JSON can say it."""
        ...

    def recall(self, seen: Mapping[str, Any]) -> None:
        """Remember also what another one has `seen`."""
        ...


class Forgetful:
    """A judge that remembers nothing of the pictures that it has seen."""

    def anew(self) -> Judge:
        return self

    def seen(self) -> Mapping[str, Any]:
        return {}

    def recall(self, seen: Mapping[str, Any]) -> None:
        pass


def score_by(
    judges: Sequence[Judge],
    fakes: Any,
    *,
    progress: Progress | None = None,
    watch: Watch | None = None,
    each: Callable[[Step], None] | None = None,
    **reading: Any,
) -> Scores:
    """A table of scores by the first judge, and the columns that the others add to it.

    Each picture is read and decoded once for all judges, 64 at a time, so that memory grows by the table alone.

    Parameters
    ----------
    judges : sequence of Judge
        The first gives score, z and the rest, the others what they add (`detail`, `p_real`, `rating`).
    fakes : path, array, source, or features where all judges take them
        What is scored.
    progress : callable or None
        Called with ("score", pictures done, pictures in all).
    watch : callable or None
        Called with (id, `Picture`) of every picture that could be decoded, in the threads that read.
    each : callable or None
        Called with every `Step` as it passes.
    **reading
        `store` and `workers` of `giqa.features.Reader`.

    Returns
    -------
    Scores
        A row for each picture, in the order of the source.

    Raises
    ------
    BadSpec
        When features are given and a judge looks at pictures.
    """
    columns = _empty(judges)
    given = as_features(fakes)
    if given is None:
        pictures = open_source(fakes)
        ids, steps = pictures.ids, _of_pictures(pictures, judges, watch, **reading)
    else:
        if not all(judge.takes_features for judge in judges):
            raise BadSpec("p_real is computed from pictures; it cannot be computed from features.")
        pictures, ids, steps = None, given.ids, _of_features(given, judges)
    done = 0
    for step in steps:
        _append(columns, step)
        done += len(step.ids)
        if each:
            each(step)
        if progress:
            progress("score", done, len(ids))
    _refuse_range(columns["error"])
    return replace(_table(columns), made_by=said_by(judges), pictures=pictures)


def said_by(judges: Sequence[Judge]) -> dict[str, Any]:
    """`made_by` of a table, once the judges have seen all pictures."""
    return {name: value for judge in judges for name, value in judge.made_by().items()}


def failed_table(judges: Sequence[Judge], ids: Sequence[str], reason: str) -> Scores:
    """The rows of pictures that could not be scored, all for one reason."""
    columns = _empty(judges)
    _append(columns, Step(list(ids), Features((), {}), {}, dict.fromkeys(ids, reason)))
    return _table(columns)


def _empty(judges: Sequence[Judge]) -> dict[str, list]:
    added = {name for judge in judges for name in judge.adds}
    return {
        name: [] for name in ("id", *COLUMNS, *TEXTS, *REASON, *TEXT_WORDS) if name in added or name not in SOMETIMES
    }


def _table(columns: dict[str, list]) -> Scores:
    numbers = {name: np.concatenate([np.empty(0), *columns.pop(name)]) for name in COLUMNS if name in columns}
    return Scores(**columns, **numbers)


def _refuse_range(errors: Sequence[str]) -> None:
    """Raise where no picture could be scored because all are floats of another range: a table would help nobody."""
    if errors and all(error.startswith(OUT_OF_RANGE) for error in errors):
        raise BadImage(f"None of the {len(errors)} pictures could be scored: {errors[0]}.")


def _of_pictures(source: Any, judges: Sequence[Judge], watch: Watch | None, **reading: Any) -> Iterator[Step]:
    ids, done = list(source.ids), 0
    readers = [replace(judge.reader(), **reading) for judge in judges]
    for extracted in together(source, readers, watch):
        here = ids[done : done + len(extracted[0].features) + len(extracted[0].failures)]
        done += len(here)
        yield _step(here, extracted, judges)


def _of_features(features: Features, judges: Sequence[Judge]) -> Iterator[Step]:
    for start in range(0, len(features), CHUNK):
        some = features.rows(slice(start, start + CHUNK))
        yield _step(list(some.ids), [_finite(some)] * len(judges), judges)


def _step(ids: list[str], found: Sequence[Extracted], judges: Sequence[Judge]) -> Step:
    """What all judges say of a few pictures: rows are those of the first."""
    main = found[0].features
    columns: dict[str, Any] = {}
    for judge, extracted in zip(judges, found, strict=True):
        said = judge.columns(extracted.features) if len(extracted.features) else {}
        if extracted is not found[0]:  # a picture may have features for one judge and none for another
            row_of = {name: row for row, name in enumerate(extracted.features.ids)}
            rows = [row_of.get(name, -1) for name in main.ids]
            said = {name: _at(values, rows) for name, values in said.items()}
        columns |= said
    if columns.keys() >= {*REASON, *DETAIL}:
        columns["reason"] = with_detail(columns["reason"], columns["detail"])
    return Step(ids, main, columns if len(main) else {}, found[0].failures)


def _at(values: Any, rows: Sequence[int]) -> Any:
    """Values at these rows; -1 is none: NaN of numbers, "" of texts."""
    if isinstance(values, np.ndarray):
        return np.r_[values, np.nan][rows]
    return [values[row] if row >= 0 else "" for row in rows]


def _append(columns: dict[str, list], step: Step) -> None:
    """Numbers as an array a step, and equal texts once, so that a table of a million rows takes little memory."""
    row_of, known = {name: row for row, name in enumerate(step.features.ids)}, step.features.info
    rows = [row_of.get(name, -1) for name in step.ids]
    columns["id"] += step.ids
    columns["error"] += [step.failures.get(name, "") for name in step.ids]
    for text in filter(columns.__contains__, WORDS):
        columns[text] += (intern(str(cell)) for cell in _at(step.columns.get(text, ()), rows))
    for row in rows:
        notes = [*note_names(int(known["notes"][row]))] if row >= 0 and known is not None else []
        notes += [step.columns["notes"][row]] if row >= 0 and "notes" in step.columns else []
        columns["notes"].append(intern("; ".join(filter(None, notes))))
    for number in filter(columns.__contains__, COLUMNS):
        column = step.columns.get(number)
        columns[number].append(np.full(len(rows), np.nan) if column is None else _at(np.asarray(column, float), rows))


def _finite(features: Features) -> Extracted:
    """Rows that can be scored, and for the others the reason."""
    good = np.isfinite(features.matrix()).all(axis=1)
    failures = {name: "its features are not finite" for name, fine in zip(features.ids, good, strict=True) if not fine}
    return Extracted(features if good.all() else features.rows(good), failures)
