"""Some of many pictures, where all of them would take too long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import BadSpec
from ..types import Source, columns_of


class Subset:
    """Some pictures of a source, in the order given; a `Source` itself.

    Parameters
    ----------
    source : Source
        All pictures.
    rows : sequence of int
        Positions in it.
    """

    def __init__(self, source: Source, rows: Sequence[int]):
        self.source, self.rows, self.name = source, rows, source.name
        self.ids = tuple(source.ids[row] for row in rows)

    def __len__(self) -> int:
        return len(self.rows)

    def raw(self, index: int) -> bytes | np.ndarray:
        return self.source.raw(self.rows[index])

    def path(self, index: int) -> Path | None:
        return self.source.path(self.rows[index])

    @property
    def columns(self) -> Mapping[str, Sequence[str]]:
        return {name: [cells[row] for row in self.rows] for name, cells in columns_of(self.source).items()}


def some(source: Source, limit: int | None = None, shuffle: int | None = None) -> Source:
    """The first pictures of a source, or of its pictures in a random order.

    Parameters
    ----------
    source : Source
        From `giqa.images.open_source`.
    limit : int or None
        How many at most; None: all.
    shuffle : int or None
        Seed of the order; None: the order of the source. A smaller limit gives the first part of a larger one.

    Returns
    -------
    Source

    Raises
    ------
    BadSpec
        When limit is below 1, or shuffle below 0.

    Examples
    --------
    >>> from giqa.images import open_source
    >>> source = open_source(np.zeros((100, 8, 8, 3), np.uint8))
    >>> some(source, 3).ids, some(source, 3, shuffle=0).ids == some(source, 50, shuffle=0).ids[:3]
    (('00', '01', '02'), True)
    """
    if limit is not None and limit < 1:
        raise BadSpec(f"limit is the number of pictures to take, at least 1; got {limit}.")
    if shuffle is not None and shuffle < 0:
        raise BadSpec(f"shuffle is the seed of a random order, 0 or more; got {shuffle}.")
    if shuffle is None and (limit is None or limit >= len(source)):
        return source
    rows = range(len(source)) if shuffle is None else np.random.default_rng(shuffle).permutation(len(source)).tolist()
    return Subset(source, rows[:limit])


def spread(ids: Sequence[str], most: int) -> list[int]:
    """Rows of some pictures, evenly spread over all in the order of their names, and in that order.

    By name and not by position, so that a list of files in another order gives the same pictures in the same order.

    Parameters
    ----------
    ids : sequence of str
    most : int
        How many at most.

    Returns
    -------
    list of int

    Examples
    --------
    >>> spread(["c", "a", "d", "b"], 2), spread(["b", "a"], 5)
    ([1, 2], [1, 0])
    """
    by_name = sorted(range(len(ids)), key=lambda row: ids[row])
    places = np.linspace(0, len(ids) - 1, min(len(ids), most)).round().astype(int)
    return [by_name[place] for place in np.unique(places)]
