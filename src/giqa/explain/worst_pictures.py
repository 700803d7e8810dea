"""Maps of the worst and best pictures of a report: where each is unlike real ones."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadImage, BadSpec
from ..images import open_source
from ..images.decode import decode
from ..report.report import Explained, thumbnail
from ..types import Progress
from .energy import COMBINED
from .maps import Explanation, MapModel, fit_maps
from .picture import heat, heat_map, map_model, sentence

MOST, BEST = 24, 3  # pictures of a report that are explained: the worst and the best
SIDE = 256
EVERYWHERE = 0.5  # share of a picture worse than 99 % of reals from which it is measured by itself
OWN = (0.6, 0.3, 0.1, 0.02)  # shares of its own places where nothing, yellow, red and dark begin


def maps_for(
    model: str | Path | None,
    real: Any,
    match: str | None,
    wanted: bool | None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> MapModel | None:
    """The maps that a report shows: NAME.maps beside `model` if it is there, else learned from `real` when `wanted`.

    `wanted`: None takes maps that are there already, False none. Learned maps are kept beside `model` if there is one.
    """
    beside = None if model is None else Path(model).with_suffix(".maps")
    if wanted is False or (wanted is None and (beside is None or not beside.is_file())):
        return None
    if beside is not None:
        return map_model(model, real, workers=workers, progress=progress)
    if real is None:
        raise BadSpec("Maps are learned from real pictures; give them (--real).")
    return fit_maps(real, match=match, workers=workers, progress=progress)


def explain_pictures(
    maps: MapModel, fakes: Any, ids: Sequence[str], workers: int | None = None, progress: Progress | None = None
) -> dict[str, Explained]:
    """A heat map and a sentence for each of these pictures, by id; those that cannot be read are left out."""
    source = open_source(fakes)
    place = {name: row for row, name in enumerate(source.ids)}

    def one(name: str) -> Explained | None:
        try:
            pixels = decode(source.raw(place[name])).pixels
        except (BadImage, KeyError):
            return None
        found = maps.explain(pixels)
        return Explained(thumbnail(_drawn(maps, pixels, found), SIDE, quality=60), _said(found, len(maps.ids)))

    explained: dict[str, Explained] = {}
    with ThreadPoolExecutor(workers) as pool:
        for i, (name, found) in enumerate(zip(ids, pool.map(one, ids), strict=True), 1):
            if found is not None:
                explained[name] = found
            if progress:
                progress("maps", i, len(ids))
    return explained


def extreme_ids(ids: Sequence[str], values: np.ndarray) -> list[str]:
    """Names of the 24 pictures with the smallest values, the worst first, and of the 3 with the largest.

    >>> extreme_ids(["a", "b", "c"], np.array([2., np.nan, 1.]))
    ['c', 'a']
    """
    known = np.flatnonzero(~np.isnan(values))
    order = [ids[row] for row in known[np.argsort(values[known], kind="stable")]]
    return [*order[:MOST], *order[max(MOST, len(order) - BEST) :]]


def _drawn(maps: MapModel, pixels: np.ndarray, found: Explanation) -> np.ndarray:
    """On the scale of reals; where that would colour nearly all of it, on the picture's own."""
    if found.beyond < EVERYWHERE:
        return heat_map(maps, pixels, found)
    z = found.z[COMBINED]
    return heat(pixels, z, np.quantile(z, OWN))


def _said(found: Explanation, n_real: int) -> str:
    own = " The colours show its own worst places." if found.beyond >= EVERYWHERE else ""
    return sentence(found, n_real) + own
