"""The table of snapshots, `image,kind,run,iteration`: what is learned from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadSource
from ..images import open_source
from ..images.iterations import iteration_column, number
from ..scorers.labels import pseudo_labels
from ..tables.table import Table
from ..types import Source, columns_of

KINDS = ("real", "generated", "fake")


@dataclass(frozen=True, eq=False)
class Manifest:
    """Pictures with their run, iteration and pseudo label.

    Parameters
    ----------
    source : Source
        The pictures.
    run : str array (n,)
        The training that each is of.
    iteration : float array (n,)
        NaN for real ones.
    label : float array (n,)
        Pseudo labels, eq. 1: 1 for reals.

    Examples
    --------
    >>> from giqa.images import open_source
    >>> source = open_source(np.zeros((3, 8, 8, 3), np.uint8))
    >>> manifest = Manifest(source, np.array(["a", "a", ""]), np.array([1.0, 2.0, np.nan]), np.array([0.5, 1.0, 1.0]))
    >>> manifest.real.tolist(), manifest.snapshots().tolist()
    ([False, False, True], [1, 2, -1])
    """

    source: Source
    run: np.ndarray
    iteration: np.ndarray
    label: np.ndarray

    @property
    def real(self) -> np.ndarray:
        """Which pictures are real, bool (n,)."""
        return np.isnan(self.iteration)

    def snapshots(self) -> np.ndarray:
        """A number for each (run, iteration), (n,); -1 for real pictures."""
        names = [f"{run}\n{iteration}" for run, iteration in zip(self.run, self.iteration, strict=True)]
        numbers = np.unique(names, return_inverse=True)[1]
        return np.where(self.real, -1, numbers)

    def aims(self) -> bytes:
        """What is learned of the pictures, for a digest."""
        return self.label.tobytes()

    def rows(self, keep: np.ndarray) -> Manifest:
        """Some of the pictures, with the labels they have."""
        part = Part(self.source, np.arange(len(self.label))[keep])
        return Manifest(part, self.run[keep], self.iteration[keep], self.label[keep])


class Part:
    """Some pictures of a source."""

    def __init__(self, source: Source, rows: np.ndarray):
        self.source, self.places, self.name = source, rows, source.name
        self.ids = tuple(source.ids[i] for i in rows)

    def __len__(self) -> int:
        return len(self.ids)

    def raw(self, index: int) -> bytes | np.ndarray:
        return self.source.raw(int(self.places[index]))

    def path(self, index: int) -> Path | None:
        return self.source.path(int(self.places[index]))


def read_manifest(where: Any) -> Manifest:
    """A table with the columns image, kind (`real` or `generated`), iteration, and run if there are several.

    Parameters
    ----------
    where : path
        `TABLE.csv` or `TABLE.csv[filter]`. The column of iterations may be another of `giqa.images.iterations.COLUMNS`,
        such as epoch.

    Returns
    -------
    Manifest
        Labels are eq. 1, with the last iteration of each run in this table.

    Raises
    ------
    BadSource
        It names the row that is wrong.

    Examples
    --------
    >>> import tempfile
    >>> from giqa.train import Snapshots
    >>> folder = tempfile.mkdtemp()
    >>> snapshots = Snapshots(folder, every=1)
    >>> snapshots.write_reals(np.zeros((1, 8, 8, 3), np.uint8))
    >>> for iteration in (1, 2):
    ...     snapshots(iteration, lambda: np.zeros((1, 8, 8, 3), np.uint8))
    >>> sorted(read_manifest(f"{folder}/snapshots.csv").label.tolist())[-1]
    1.0
    """
    source = open_source(where)
    columns = columns_of(source)
    table = Table(str(where), columns)
    kind_of, run_of, time = table.find("kind"), table.find("run"), iteration_column(columns)
    if kind_of is None or time is None:
        has = f"has the columns {', '.join(columns)}" if columns else "is no table"
        raise BadSource(
            f"{where} {has}; learning needs a table of snapshots with the columns image,kind,run,iteration "
            "(giqa.train.snapshots writes one)."
        )
    run = np.array([cell.strip() for cell in columns[run_of]] if run_of else [""] * len(source), str)
    iteration = np.full(len(source), np.nan)
    for row, (kind, text) in enumerate(zip(columns[kind_of], columns[time], strict=True)):
        if kind.strip().casefold() not in KINDS:
            raise BadSource(f"{where}: {source.ids[row]} is of the kind {kind!r}; it should be real or generated.")
        if kind.strip().casefold() != "real":
            value = number(text)
            if value is None:
                raise BadSource(f"{where}: {source.ids[row]} has the {time} {text!r}, which is no number.")
            iteration[row] = value
    real = np.isnan(iteration)
    if real.all() or not real.any():
        raise BadSource(f"{where} has only {'real' if real.all() else 'generated'} pictures; learning needs both.")
    latest = np.ones(len(source))
    for name in np.unique(run[~real]):
        latest[run == name] = iteration[(run == name) & ~real].max()
    return Manifest(source, run, iteration, pseudo_labels(iteration, latest))
