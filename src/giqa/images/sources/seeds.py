"""Pictures that a function makes, one for each seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...errors import BadSource
from ...registry import as_whole
from ...types import Source

if TYPE_CHECKING:
    import numpy as np


MOST = 100_000_000  # pictures, each of which has a name in memory


def from_seeds(make: Callable[[int], Any], n: int, first: int = 0) -> Source:
    """The pictures that a function makes of the seeds `first`, `first + 1` and so on, each when it is asked for.

    Parameters
    ----------
    make : callable
        Takes a seed, and gives bytes, an array, a tensor or a Pillow image; the same whenever it is asked.
    n : int
        How many pictures.
    first : int, default 0
        The first seed.

    Returns
    -------
    Source
        Ids are the seeds.

    Raises
    ------
    BadSource, BadSpec
        If there is no function, or no number of pictures to make.

    Examples
    --------
    >>> import numpy as np
    >>> source = from_seeds(lambda seed: np.full((8, 8, 3), seed, np.uint8), 100)
    >>> source.ids[7], int(source.raw(7).max())
    ('07', 7)
    """
    return SeedSource(make, n, first)


class SeedSource:
    """A picture a seed; see `from_seeds`."""

    name = "seeds"

    def __init__(self, make: Callable[[int], Any], n: int, first: int = 0):
        if not callable(make):
            raise BadSource(f"Pictures of seeds are made by a function of a seed, got {make!r:.80}.")
        n, first = as_whole(n, "n", 1, MOST), as_whole(first, "first", 0)
        self._make, self._first = make, first
        width = len(str(first + n - 1))
        self.ids = tuple(str(seed).zfill(width) for seed in range(first, first + n))

    def __len__(self) -> int:
        return len(self.ids)

    def path(self, index: int) -> None:
        return None

    def raw(self, index: int) -> bytes | np.ndarray:
        from .items import as_raw, asked

        return as_raw(asked(self._make, self._first + index, "the function"))
