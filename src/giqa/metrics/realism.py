"""Realism of each picture: how deep it lies in the ball of a real."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import BadShape
from .blocks import as_set, blocks, middle_of
from .neighbours import Least, nearest_of
from .pairs import Points, Tile, with_tile


def realism_score(real: Any, fake: Any, *, k: int = 3) -> np.ndarray:
    """The highest ratio of a real's radius to the distance from it, for each picture (Kynkäänniemi et al. 2019, eq. 5).

    Parameters
    ----------
    real : array-like of shape (n, d)
        Features of reals.
    fake : array-like of shape (m, d)
        Features of fakes, m from 1.
    k : int, default 3
        A ball reaches to the k-th nearest other real.

    Returns
    -------
    float64 ndarray of shape (m,)
        Above 1: inside a ball. A copy of a real scores 1e30.

    Raises
    ------
    BadShape
        If the sets do not fit, or every real has k others with the same features.

    Notes
    -----
    Only the half of the reals with the smaller balls counts, as published: where reals are sparse, balls are too large
    to say anything.

    References
    ----------
    Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models", 2019.

    Examples
    --------
    >>> reals = np.random.default_rng(0).normal(size=(200, 2))
    >>> near, far = realism_score(reals, np.array([[0.1, 0.1], [9.0, 9.0]]), k=10)
    >>> bool(near > 1 > far)
    True
    """
    real, fake = as_set(real, "real", 2), as_set(fake, "fake")
    if real.shape[1] != fake.shape[1]:
        raise BadShape(f"The reals have {real.shape[1]} columns, the fakes {fake.shape[1]}; they need the same.")
    reals = Points(real, middle_of(real))
    fakes = Points(fake, reals.middle)
    usable, per_radius = usable_balls(nearest_of(reals, k)[:, -1])
    kept = np.flatnonzero(usable)
    if not len(kept):
        raise BadShape("Every real has k others with the same features, so there are no balls; leave duplicates out.")
    best = Least(len(fake))

    def look(tile: Tile) -> tuple[np.ndarray, ...]:
        return best.lower(tile, np.arange(len(tile.rows)), per_radius[tile.rows])

    for rows in blocks(len(kept)):
        for columns in blocks(len(fake)):
            best.take(with_tile(look, reals, kept[rows], fakes, columns))
    return best.realism()


def usable_balls(radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which balls count for realism, bool (n,), and 1 / squared radius, (n,); 0 for those that do not."""
    usable = (radius > 0) & (radius <= np.median(radius))
    return usable, np.where(usable, 1 / np.where(usable, radius, 1), 0)
