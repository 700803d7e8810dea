"""Some of many pictures, where all of them would take too long."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


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
