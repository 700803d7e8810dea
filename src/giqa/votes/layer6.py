"""Folders of judgements, and the tables of Stein et al. (2023), "Layer 6", in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MissingSource
from ..files import as_path
from ..tables import cells
from ..tables.table import Table
from ..tables.write import WRITTEN
from .labels import Counts, Pairs, Ratings, Sittings, Votes
from .questions import by_question, read_filtered
from .votes import as_labels


def read_people(path: str | Path) -> dict[str, Counts | Sittings | Votes | Pairs | Ratings]:
    """Every table of judgements under a folder (or the one file), by its name without the ending.

    Parameters
    ----------
    path : path
        A folder, or a file. Besides giqa's own tables the two kinds of Stein et al. (2023) are known: `per-image`,
        counts of guesses, and `per-participant`, error rates of a person who judged 100 generated and 100 real pictures
        of one
        generator.

    Returns
    -------
    dict
        Name -> Votes, Counts, Sittings, Pairs or Ratings; "NAME: QUESTION" of a table that answers several.

    Raises
    ------
    MissingSource, BadTable
    """
    path = as_path(path)
    files = [path]
    if path.is_dir():  # hidden files are what spreadsheets and file servers leave behind
        files = sorted(p for p in path.rglob("*") if p.suffix.lower() in WRITTEN and not p.name.startswith((".", "~$")))
    if not files:
        raise MissingSource(f"There is no .csv, .tsv or .parquet file under {path}.")
    found = {}
    for file in files:
        name = (file.relative_to(path) if path.is_dir() else Path(file.name)).with_suffix("").as_posix()
        for question, table in by_question(read_filtered(file)).items():
            found[f"{name}: {question}" if question else name] = _known(table)
    return found


def _known(table: Table) -> Any:
    if {"num_correct", "f_err_rt", "r_err_rt", "id", "model"} <= set(table.columns):
        return _participants(table)
    if {"model", "generated", "image_path", "number_guesses", "number_guesses_generated"} <= set(table.columns):
        return _guesses(table)
    return as_labels(table)


def _participants(table: Table) -> Sittings:
    """100 generated and 100 real pictures a person; `resp_time` of each kind is the sum over them, in seconds."""
    n = np.full(len(table), 100.0)
    wrong = [np.round(100 * np.array(table.parsed(f"{kind}_err_rt", cells.count))) for kind in "fr"]
    seconds = [np.array(table.parsed(f"{kind}_resp_time", cells.measure)) / 100 for kind in "fr"]
    names = [np.array(table.parsed(name, cells.name), np.str_) for name in ("id", "model")]
    return Sittings(*names, n, wrong[0], n, wrong[1], *seconds)


def _guesses(table: Table) -> Counts:
    """Reals are judged anew with every generator, which is their context; fakes are named MODEL/PATH.

    Paths alone are not enough: of LSUN, seven generators share 2,000 of them.
    """
    image, model = (np.array(table.parsed(name, cells.name), np.str_) for name in ("image_path", "model"))
    generated = np.array(table.parsed("generated", cells.truth), bool)
    n, said_fake = (np.array(table.parsed(f"number_guesses{t}", cells.count)) for t in ("", "_generated"))
    generator = np.where(generated, model, "").astype(np.str_)
    image = np.where(generated, np.char.add(np.char.add(model, "/"), image), image)
    return Counts(image, n, n - said_fake, generator, np.where(generated, "generated", "real").astype(np.str_), model)
