"""Scores in tables that others own: pandas, polars, Arrow, Hugging Face datasets, FiftyOne.

from giqa.integrations.tables import AddScores, to_arrow, to_fiftyone, to_polars
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadSpec, MissingExtra
from ..model.columns import WORDS
from ..model.load_model import load
from ..model.model import Model
from ..model.table import Scores
from ..tables.names import match_names

PREFIX = "giqa_"
COLUMNS = ("z", "percentile", "z_low", "z_high", "out_of_domain", "duplicate_of", "error")


def to_polars(scores: Scores) -> Any:
    """A polars DataFrame with the columns of the scores; what is missing is null.

    Parameters
    ----------
    scores : Scores

    Returns
    -------
    polars.DataFrame
    """
    try:
        import polars
    except ModuleNotFoundError:
        raise MissingExtra("to_polars() needs polars: pip install polars") from None
    frame = polars.DataFrame({name: list(column) for name, column in _columns(scores).items()}, strict=False)
    return frame.with_columns(polars.col(polars.Float64).fill_nan(None))


def to_arrow(scores: Scores) -> Any:
    """An Arrow table with the columns of the scores; `made_by` is in its metadata, as in a Parquet file of giqa.

    Parameters
    ----------
    scores : Scores

    Returns
    -------
    pyarrow.Table
    """
    try:
        import pyarrow
    except ModuleNotFoundError:
        raise MissingExtra("to_arrow() needs pyarrow: pip install 'giqa[parquet]'") from None
    columns = {
        name: pyarrow.array(column, from_pandas=True) if isinstance(column, np.ndarray) else pyarrow.array(list(column))
        for name, column in _columns(scores).items()
    }
    return pyarrow.table(columns, metadata={"giqa": json.dumps(dict(scores.made_by))})


class AddScores:
    """For `dataset.map(AddScores("reals.giqa"), batched=True)`: columns `giqa_z`, `giqa_percentile` and others.

    Parameters
    ----------
    model : Model or path
        What `giqa.fit` gives, or its file.
    image : str
        The column of pictures: decoded, bytes, or paths.
    columns : sequence of str
        Which columns of `Scores` are added.
    workers : int or None
        Threads that read and decode; with `num_proc=` of `map` one is enough.

    Notes
    -----
    A row's score does not depend on the batch, so `batch_size` and `num_proc` change nothing but the time. A picture
    that cannot be read has no score and a reason in `giqa_error`.
    """

    def __init__(
        self,
        model: Model | str | Path,
        image: str = "image",
        columns: Sequence[str] = COLUMNS,
        workers: int | None = None,
    ):
        self.model = model if isinstance(model, Model) else load(model)
        self.image, self.columns, self.workers = image, tuple(columns), workers

    def __call__(self, batch: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
        """Columns for these rows."""
        if self.image not in batch:
            raise BadSpec(f"There is no column {self.image!r} of pictures; there are {', '.join(batch)}.")
        if not isinstance(batch[self.image], Iterable) or isinstance(batch[self.image], (str, bytes, Mapping)):
            raise BadSpec("AddScores takes batches: dataset.map(AddScores(...), batched=True).")
        rows = {str(n): cell for n, cell in enumerate(batch[self.image])}
        scores = self.model.score(rows, store=False, workers=self.workers)
        return {PREFIX + name: _plain(scores[name]) for name in self.columns}


def to_fiftyone(scores: Scores, dataset: Any) -> list[str]:
    """Fields `giqa_z`, `giqa_percentile`, ... on the samples of a FiftyOne dataset.

    Parameters
    ----------
    scores : Scores
    dataset : fiftyone.Dataset
        Its samples are found by the end of their path, as everywhere in giqa; those without a score get none.

    Returns
    -------
    list of str
        Names of the fields.

    Notes
    -----
    Without this: FiftyOne's `CSVDataset` reads a scores.csv with `media_field="id"` and `fields=FIFTYONE_FIELDS`.
    """
    paths = [str(path) for path in dataset.values("filepath")]
    row_of, _ = match_names(paths, list(scores.id))
    names = [name for name in COLUMNS if name in scores.columns]
    for name in names:
        cells = _plain(scores[name])
        dataset.set_values(PREFIX + name, [cells[row_of[path]] if path in row_of else None for path in paths])
    return [PREFIX + name for name in names]


FIFTYONE_FIELDS: dict[str, Callable[[str], Any]] = {
    name: str if name in WORDS else float for name in ("score", *COLUMNS)
}


def _columns(scores: Scores) -> dict[str, Any]:
    return {name: scores[name] for name in scores.columns}


def _plain(column: Any) -> list[Any]:
    """Numbers with None for NaN, texts as they are."""
    if isinstance(column, np.ndarray):
        return [None if value != value else float(value) for value in column]
    return list(column)
