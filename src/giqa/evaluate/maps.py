"""Maps against what people marked: each measure's mean over pictures, next to chance, the middle and sharp detail."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadSource, BadSpec
from ..explain.energy import cell_sums, neighbourhood
from ..explain.map_files import MapFiles, as_map, read_map_folder
from ..explain.maps import MapModel, load_maps
from ..images import open_source
from ..images.decode import decode
from ..stats import UNKNOWN, Estimate, auroc, bootstrap, plain, student_mean
from ..tables.names import join_names, looks_like_picture
from ..types import Progress
from .human_maps import read_human_maps
from .map_measures import NAMES, RANGES, centre_prior, measure_map

GRID = 24
LAPLACIAN, CENTRE, CHANCE = "Laplacian", "centre", "chance"


@dataclass(frozen=True, eq=False)
class MapEvaluation:
    """How well maps agree with what people marked.

    Parameters
    ----------
    figures : mapping of str to mapping of str to Estimate
        Row ("maps", "Laplacian" where pictures were given, "centre", "chance") -> measure -> its mean over the pictures
        in which people marked something.
    marked, unmarked : int
        Pictures in which people marked something, and nothing.
    without_map : int
        Human maps whose picture has no map.
    peaks : Estimate
        Probability that the largest value of a marked picture's map is above that of an unmarked one's: whether maps
        are quiet where people marked nothing. NaN unless there are both.
    threshold : float
        Of mIoU.

    Examples
    --------
    >>> MapEvaluation({"chance": {"CC": Estimate(0.0, -0.1, 0.1, 40)}}, 40, 3, 0, UNKNOWN, 0.5).plain()["marked"]
    40
    """

    figures: Mapping[str, Mapping[str, Estimate]]
    marked: int
    unmarked: int
    without_map: int
    peaks: Estimate
    threshold: float

    def plain(self) -> dict[str, Any]:
        """Everything as JSON can hold it."""
        return plain(vars(self))


def evaluate_maps(
    maps: Any, human: Any, *, images: Any = None, threshold: float = 0.5, progress: Progress | None = None
) -> MapEvaluation:
    """Compare maps with what people marked in the same pictures.

    Parameters
    ----------
    maps : MapModel, path or mapping
        What makes maps, or its file NAME.maps: then `images` are needed. Or a folder of .npy arrays and grey pictures,
        or name -> array; larger = worse.
    human : path or mapping
        What `read_human_maps` reads, or name -> array (h, w), 0 = nobody marked this.
    images : path, array or source, default None
        The pictures, which the maps are made of; with maps as files the Laplacian alone.
    threshold : float, default 0.5
        Of mIoU: a map marks what reaches this share of its own maximum.
    progress : callable or None
        Called with ("maps", pictures done, pictures in all).

    Returns
    -------
    MapEvaluation

    Raises
    ------
    BadSpec
        When maps must be made and there are no images, and for a threshold that is no share.
    BadSource
        When no human map has a map, or none marks anything.

    Notes
    -----
    Names are joined as everywhere, endings aside. A map is brought to the size of the human one. Intervals are of
    Student's t over pictures. "chance" is noise on 24 x 24 cells, fixed by the name; "centre" a Gaussian in the middle;
    "Laplacian" the mean absolute Laplacian on 24 x 24 cells: what any map of detail finds.

    Examples
    --------
    >>> marks = {f"{i}.png": np.eye(8) * (i > 0) for i in range(4)}
    >>> found = evaluate_maps(marks, marks)
    >>> found.figures["maps"]["CC"].value, found.marked, found.unmarked
    (1.0, 3, 1)
    """
    if not 0 < threshold <= 1:
        raise BadSpec(f"The threshold is a share of a map's maximum, above 0 and at most 1, got {threshold:g}.")
    people = _named(human, read_human_maps)
    pixels = None if images is None else _pictures(images)
    if isinstance(maps, MapModel) or (isinstance(maps, (str, Path)) and Path(maps).suffix == ".maps"):
        computed = _made(load_maps(maps) if not isinstance(maps, MapModel) else maps, pixels)
    else:
        computed = _named(maps, read_map_folder)
    pairs = _joined(people, computed)
    shown = dict(_joined(people, pixels)) if pixels is not None else {}
    rows: dict[str, list[dict[str, float]]] = {}
    peaks: list[float] = []
    marked: list[bool] = []
    for done, (place, row) in enumerate(pairs, 1):
        wanted, given = people.read(place), computed.read(row)
        peaks.append(float(given.max()))
        marked.append(bool(wanted.any()))
        if marked[-1]:
            others = _baselines(people.names[place], pixels.read(shown[place]) if place in shown else None)
            for name, values in {"maps": given, **others}.items():
                rows.setdefault(name, []).append(measure_map(values, wanted, threshold))
        if progress:
            progress("maps", done, len(pairs))
    if not any(marked):
        raise BadSource(f"Nothing is marked in any of {len(pairs)} pictures of {people.where}; no measure is defined.")
    figures = {name: mean_measures(measured) for name, measured in rows.items()}
    without, unmarked = len(people.names) - len(pairs), len(marked) - sum(marked)
    return MapEvaluation(figures, sum(marked), unmarked, without, _quiet(peaks, marked), threshold)


def mean_measures(measured: Sequence[Mapping[str, float]]) -> dict[str, Estimate]:
    """Each measure's mean over pictures with its interval; pictures where it is not defined are left out."""
    return {
        name: student_mean(np.array([one[name] for one in measured]), 0.0, *RANGES.get(name, (-np.inf, np.inf)))
        for name in NAMES
    }


def laplacian_map(pixels: np.ndarray, grid: int = GRID) -> np.ndarray:
    """The mean absolute Laplacian of the grey picture around each cell: uint8 (h, w, 3) -> (grid, grid)."""
    grey = np.pad(pixels.mean(axis=2), 1, mode="symmetric")
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    cells = [neighbourhood(cell_sums(v[..., None], grid), 1)[..., 0] for v in (np.abs(around), np.ones(around.shape))]
    return cells[0] / cells[1]


def _baselines(name: str, pixels: np.ndarray | None) -> dict[str, np.ndarray]:
    noise = np.random.default_rng(zlib.crc32(name.encode())).random((GRID, GRID))
    own = {} if pixels is None else {LAPLACIAN: laplacian_map(pixels)}
    return {**own, CENTRE: centre_prior((GRID, GRID)), CHANCE: noise}


def _quiet(peaks: Sequence[float], marked: Sequence[bool]) -> Estimate:
    if len(set(marked)) < 2:
        return UNKNOWN
    peak, mark = np.array(peaks), np.array(marked)
    return bootstrap(lambda rows: auroc(peak[rows], mark[rows]), np.arange(len(peak)), resamples=500)


def _named(maps: Any, read: Callable[[Any], MapFiles]) -> MapFiles:
    if not isinstance(maps, Mapping):
        if read is read_map_folder and not Path(maps).is_dir():
            raise BadSpec(
                f"Maps are a file NAME.maps, or a folder of .npy and grey pictures; {str(maps)!r} is neither."
            )
        return read(maps)
    values = list(maps.values())
    return MapFiles("the mapping", list(maps), lambda row: as_map(values[row], f"map {row}"))


def _pictures(images: Any) -> MapFiles:
    """Pictures in the place of maps: uint8 (h, w, 3)."""
    source = open_source(images)
    return MapFiles(str(source.name), list(source.ids), lambda row: decode(source.raw(row)).pixels)


def _made(model: MapModel, pixels: MapFiles | None) -> MapFiles:
    if pixels is None:
        raise BadSpec("Maps are made of pictures: give them (--images), or a folder of maps instead of a model's.")
    return MapFiles(pixels.where, pixels.names, lambda row: model.anomaly_map(pixels.read(row)))


def _joined(people: MapFiles, others: MapFiles) -> list[tuple[int, int]]:
    """Positions of the human maps that have one of the others, and of that."""
    names, ids = ([_bare(name) for name in files.names] for files in (people, others))
    found, _ = join_names(names, ids, people.where, others.where, error=BadSource)
    return [(place, found[name]) for place, name in enumerate(names) if name in found]


def _bare(name: str) -> str:
    """Without a picture's ending: the mask of a.jpg is called a.png."""
    return name.rpartition(".")[0] if looks_like_picture(name) else name
