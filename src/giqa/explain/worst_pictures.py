"""Maps of the worst and best pictures of a report: where each is unlike real ones."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadImage, BadSpec
from ..images import open_source
from ..images.decode import decode
from ..images.thumbnail import thumbnail
from ..types import Progress
from .heat import EVERYWHERE, heat_map
from .maps import Explanation, MapModel, fit_maps
from .picture import map_model, sentence

MOST, BEST = 24, 3  # pictures of a report that are explained: the worst and the best
SIDE = 256


@dataclass(frozen=True)
class Explained:
    """Where a picture is unlike real ones: a heat map (what `thumbnail` makes) and a sentence."""

    heat: bytes | None
    sentence: str


def maps_for(
    model: str | Path | None,
    real: Any,
    match: str | None,
    wanted: bool | None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> MapModel | None:
    """The maps that a report shows, or None.

    Parameters
    ----------
    model : path or None
        A `.giqa` file; NAME.maps next to it is read, and learned maps are kept there.
    real : path, array, source or None
        The reals to learn from, where there is no such file.
    match : str or None
        What is done to pixels before.
    wanted : bool or None
        None: maps that are there already; False: none.
    workers, progress
        See `giqa.features.Reader`.

    Returns
    -------
    MapModel or None

    Raises
    ------
    BadSpec
        When they are wanted and there is nothing to learn from.
    """
    kept = None if model is None else Path(model).with_suffix(".maps")
    if wanted is False or (wanted is None and (kept is None or not kept.is_file())):
        return None
    if kept is not None:
        return map_model(model, real, workers=workers, progress=progress)
    if real is None:
        raise BadSpec("Maps are learned from real pictures; give them (--real).")
    return fit_maps(real, match=match, workers=workers, progress=progress)


def explain_pictures(
    maps: MapModel, fakes: Any, ids: Sequence[str], workers: int | None = None, progress: Progress | None = None
) -> dict[str, Explained]:
    """A heat map and a sentence for some pictures; those that cannot be read are left out.

    Parameters
    ----------
    maps : MapModel
    fakes : path, array or source
        Where the pictures are.
    ids : sequence of str
        Which ones.
    workers : int or None
        Threads; None: as many as Python chooses.
    progress : callable or None
        Called with ("maps", pictures done, pictures in all).

    Returns
    -------
    dict of str to Explained
        By id.

    Examples
    --------
    >>> reals = [np.random.default_rng(i).integers(0, 256, (32, 32, 3), np.uint8) for i in range(24)]
    >>> maps = fit_maps(reals, taps=["grain"])
    >>> explain_pictures(maps, np.zeros((2, 32, 32, 3), np.uint8), ["1"])["1"].sentence[-38:]
    'The colours show its own worst places.'
    """
    source = open_source(fakes)
    rows = {name: row for row, name in enumerate(source.ids)}

    def explain(name: str) -> Explained | None:
        try:
            pixels = decode(source.raw(rows[name])).pixels
        except (BadImage, KeyError):
            return None
        explanation = maps.explain(pixels)
        return Explained(
            thumbnail(heat_map(maps, pixels, explanation), SIDE, quality=60), _said(explanation, len(maps.ids))
        )

    explained: dict[str, Explained] = {}
    with ThreadPoolExecutor(workers) as pool:
        for i, (name, explanation) in enumerate(zip(ids, pool.map(explain, ids), strict=True), 1):
            if explanation is not None:
                explained[name] = explanation
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


def _said(explanation: Explanation, n_real: int) -> str:
    own = " The colours show its own worst places." if explanation.beyond >= EVERYWHERE else ""
    return sentence(explanation, n_real) + own
