"""A model of where: what reals look like at each place, fitted once, kept in a file next to the `.giqa`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, registry
from ..errors import BadImage, BadModel, BadShape, BadSpec, GiqaError, MissingSource
from ..features.reader import Reader, make_extractor
from ..files import as_path, is_whole
from ..images import open_source
from ..images.decode import decode
from ..images.match import as_match
from ..images.subset import spread
from ..model.file import write_model
from ..types import has_maps
from .energy import COMBINED, SHARPNESS, Places, Windows, layer_places, window_energies
from .grain import grain, grain_sums

FORMAT = 2  # 1 had no checksum
KEY = "giqa.maps"  # in the head of the file
GRAIN = "grain"
PIXELS = (GRAIN, SHARPNESS)  # made from the pixels, for any extractor
TAPS = {"embedded": (*PIXELS, "mid"), "inception": (*PIXELS, "Mixed_6b")}
MOST = 1000  # reals; more would make the scale no better than a thousandth
CHUNK = 64


@dataclass(frozen=True, eq=False)
class Explanation:
    """Where one picture is unlike the reals.

    Parameters
    ----------
    z : mapping of str to float64 array (g, g)
        By layer, and last "combined": 0 = like a typical real at that place, -3 = three robust standard deviations
        worse.
    place : (int, int)
        The worst cell (row, column) of the combined map.
    layer : str
        The one that is to blame there.
    percentile : float
        Share of held-out reals whose worst place is no better, in (0, 1].
    beyond : float
        Share of the picture that is worse than 99 % of reals at that place.
    nearest : sequence of str
        Ids of the reals that are most alike there.
    rows : sequence of int
        Their rows among the fitted reals.

    Examples
    --------
    >>> Explanation({"combined": np.array([[0.0, -4.0]])}, (0, 1), "grain", 0.02, 0.5).place
    (0, 1)
    """

    z: Mapping[str, np.ndarray]
    place: tuple[int, int]
    layer: str
    percentile: float
    beyond: float
    nearest: Sequence[str] = ()
    rows: Sequence[int] = ()


@dataclass(frozen=True, eq=False)
class MapModel:
    """`Places` fitted on the maps of reals, and how the maps were made; `fit_maps` makes one.

    Parameters
    ----------
    places : Places
        Fitted.
    ids : sequence of str
        Of the reals.
    extractor : str
        Spec string of the extractor.
    taps : tuple of str
        Layers that have maps, in the order shown.
    match : str or None
        What is done to pixels before, as a spec string.
    made_by : mapping
        How it was made.

    Examples
    --------
    >>> reals = [np.random.default_rng(i).integers(0, 256, (32, 32, 3), np.uint8) for i in range(24)]
    >>> model = fit_maps(reals, taps=["grain"])
    >>> model.explain(np.zeros((32, 32, 3), np.uint8)).layer, model.maps(reals[0])["grain"].shape
    ('grain', (32, 32, 75))
    """

    places: Places
    ids: Sequence[str]
    extractor: str
    taps: tuple[str, ...]
    match: str | None = None
    made_by: Mapping[str, Any] = field(default_factory=dict)

    def maps(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """The maps of one picture as those of the reals were made: uint8 (h, w, 3) to tap -> float32 (h', w', c)."""
        return maps_of(make_extractor(self.extractor), self.taps, self._matched(pixels))

    def _matched(self, pixels: np.ndarray) -> np.ndarray:
        match = as_match(self.match)
        return match(pixels) if match else pixels

    def explain(self, pixels: np.ndarray, k: int = 5) -> Explanation:
        """Where a picture is unlike the reals.

        Parameters
        ----------
        pixels : uint8 array (h, w, 3)
        k : int
            How many of the nearest reals are named.

        Returns
        -------
        Explanation
        """
        windows = windows_of(self.places, make_extractor(self.extractor), self.taps, self._matched(pixels))
        z = self.places.z(windows)
        combined = z[COMBINED]
        place = tuple(int(i) for i in np.unravel_index(combined.argmin(), combined.shape))
        blame = min(self.taps, key=lambda tap: z[tap][place] / -min(self.places.limit(tap), -1e-6))
        rows = self.places.nearest(windows, place, k)[0]
        beyond = float(np.mean(combined < self.places.limit(COMBINED)))
        names = [self.ids[row] for row in rows]
        return Explanation(z, place, blame, self.places.peak_percentile(combined), beyond, names, rows.tolist())

    def anomaly_map(self, pixels: np.ndarray) -> np.ndarray:
        """The combined map as a positive one, larger = worse: log(1 + exp(-z)), float64 (g, g).

        0.69 = like a typical real at that place; about -z where it is worse; near 0 where it is better.
        """
        windows = windows_of(self.places, make_extractor(self.extractor), self.taps, self._matched(pixels))
        return np.logaddexp(0.0, -self.places.z(windows)[COMBINED])

    def save(self, path: str | Path) -> Path:
        """Write one file (safetensors with a JSON header) atomically."""
        places = self.places
        arrays = {name: np.asarray(v) for name, v in vars(places).items() if name.endswith("_") and name != "layers_"}
        for tap, layer in places.layers_.items():
            arrays |= {f"layers_.{tap}.{name}": np.asarray(value) for name, value in vars(layer).items()}
        header = {
            "format": FORMAT,
            "places": registry.parameters(places),
            "ids": list(self.ids),
            "extractor": self.extractor,
            "taps": list(self.taps),
            "match": self.match,
            "made_by": dict(self.made_by),
        }
        return write_model(path, header, arrays, KEY)


def fit_maps(
    real: Any,
    extractor: Any = None,
    taps: Sequence[str] | None = None,
    *,
    match: Any = None,
    seed: int = 0,
    **reading: Any,
) -> MapModel:
    """Learn what reals look like at each place.

    Parameters
    ----------
    real : path, array or source
        The reals. Of more than 1000 that many are taken, evenly spread.
    extractor : str, object or None
        One that has `maps`, for taps of its own; None: the default one.
    taps : list of str or None
        Layers of the extractor, "grain" and "sharpness" (of `giqa.explain.grain`: all of it, and its grey filters with
        only too little being bad), in the order shown; nearest reals are found by the last. None: `TAPS`.
    match : str, Match or None
        What is done to pixels before.
    seed : int
        Of the folds.
    **reading
        `workers` and `progress` of `giqa.features.Reader`.

    Returns
    -------
    MapModel

    Raises
    ------
    BadShape
        With fewer than 20 reals.
    BadSpec
        When the extractor has no maps.

    Examples
    --------
    >>> reals = [np.random.default_rng(i).integers(0, 256, (32, 32, 3), np.uint8) for i in range(24)]
    >>> fit_maps(reals, taps=["grain"]).explain(np.zeros((32, 32, 3), np.uint8)).beyond
    1.0
    """
    source, reader = open_source(real), Reader(extractor, match, **reading)
    extractor, match = reader.extractor, reader.match
    spec = registry.canonical("extractor", extractor)
    if taps is not None and not (isinstance(taps, (list, tuple)) and all(isinstance(tap, str) for tap in taps)):
        raise BadSpec(f"taps are a list of layers, or None, got {taps!r:.80}.")
    taps = tuple(taps or TAPS.get(spec.partition("(")[0], ()))
    if not taps or (not set(taps) <= set(PIXELS) and not has_maps(extractor)):
        raise BadSpec(f"{spec} has no maps; take embedded or inception, and for others name taps= of theirs.")
    rows, places = spread(source.ids, MOST), Places(seed=seed)
    ids: list[str] = []

    def windows_at(row: int) -> Windows | None:
        try:
            pixels = decode(source.raw(row)).pixels
        except BadImage:
            return None
        return windows_of(places, extractor, taps, match(pixels) if match else pixels)

    def every() -> Iterator[Windows]:
        with ThreadPoolExecutor(reader.workers) as pool:
            for start in range(0, len(rows), CHUNK):
                chunk = rows[start : start + CHUNK]
                for row, windows in zip(chunk, pool.map(windows_at, chunk), strict=True):
                    if windows is not None:
                        ids.append(source.ids[row])
                        yield windows
                if reader.progress:
                    reader.progress("maps of reals", start + len(chunk), len(rows))

    places.fit(every())
    made_by = {
        "giqa": __version__,
        "features": dict(extractor.identity()),
        "reals": len(ids),
        "reals_failed": len(rows) - len(ids),
    }
    return MapModel(places, ids, spec, taps, match.spec() if match else None, made_by)


def load_maps(path: str | Path) -> MapModel:
    """Read what `MapModel.save` wrote; every byte of it is checked.

    Parameters
    ----------
    path : path
        A file NAME.maps.

    Returns
    -------
    MapModel

    Raises
    ------
    MissingSource
        When there is no such file.
    BadModel
        When it is damaged or of another format, or when its network is not the one it was fitted with.

    Examples
    --------
    >>> import tempfile
    >>> reals = [np.random.default_rng(i).integers(0, 256, (32, 32, 3), np.uint8) for i in range(24)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load_maps(fit_maps(reals, taps=["grain"]).save(f"{folder}/reals.maps")).taps
    ('grain',)
    """
    from safetensors import safe_open

    path = as_path(path)
    if not path.is_file():
        raise MissingSource(f"There is no file of maps {path}; give the reals (--real) once, and it will be made.")
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {})[KEY])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no mapping
        if header["format"] not in (1, FORMAT):
            raise ValueError("another version")
        if (header["format"] > 1 or "sha256" in header) and not is_whole(header, arrays):
            raise ValueError("it does not have the checksum it was saved with")
        places = Places(**header["places"])
        places.layers_ = {tap: layer_places(tap) for tap in header["taps"]}
        for name, value in arrays.items():
            tap, _, inner = name.removeprefix("layers_.").rpartition(".")
            setattr(places.layers_[tap] if tap else places, inner, value if value.ndim else value.item())
        extractor = make_extractor(header["extractor"])
        if json.loads(json.dumps(dict(extractor.identity()))) != header["made_by"]["features"]:
            raise BadModel(f"{path} was made with another network than {header['extractor']} is now; make it again.")
        how = header["extractor"], tuple(header["taps"]), header["match"], header["made_by"]
        model = MapModel(places, header["ids"], *how)
        _try_out(model)
        return model
    except (MemoryError, ImportError):
        raise
    except Exception as error:  # a file that somebody made by hand may hold anything
        if isinstance(error, GiqaError) and not isinstance(error, BadShape | BadSpec):
            raise
        raise BadModel(
            f"{path} is not a file of maps, or is cut short ({type(error).__name__}); make it again."
        ) from None


def _try_out(model: MapModel) -> None:
    """Ask where a picture of nothing is unlike reals, so that parts that do not fit together show themselves now."""
    places, ids, side = model.places, model.ids, model.places.grid
    if not (isinstance(side, int) and isinstance(places.reach, int) and 2 <= side <= 256 and 0 <= places.reach <= 256):
        raise ValueError(f"grid is {side!r:.80}, reach {places.reach!r:.80}")
    if not isinstance(ids, list) or not all(isinstance(name, str) for name in ids):
        raise ValueError("ids are no list of texts")
    nothing = Windows({tap: np.zeros((side, side, layer.channels), "f4") for tap, layer in places.layers_.items()})
    with np.errstate(all="ignore"):
        z = places.z(nothing)
        places.nearest(nothing, (side - 1, side - 1))
        places.peak_percentile(z[COMBINED])
        limits = [places.limit(name) for name in z]
    kept = places.kept_rows_
    if len(limits) != len(model.taps) + 1 or any(found.shape != (side, side) for found in z.values()):
        raise ValueError("a map has another size than the grid")
    fits = kept.dtype.kind in "iu" and kept.shape == places.kept_.shape[:1]
    if not fits or not (kept.min() >= 0 and kept.max() < len(ids)):
        raise ValueError("the reals that are kept are others than those that have a name")


def maps_of(extractor: Any, taps: Sequence[str], pixels: np.ndarray) -> dict[str, np.ndarray]:
    """The maps of one picture, uint8 (h, w, 3): tap -> float32 (h', w', c)."""
    network = [tap for tap in taps if tap not in PIXELS]
    maps = dict(extractor.maps(pixels, network)) if network else {}
    if set(taps) & set(PIXELS):
        maps |= {GRAIN: (fine := grain(pixels)), SHARPNESS: fine[..., ::3]}
    return {tap: maps[tap] for tap in taps}


def windows_of(places: Places, extractor: Any, taps: Sequence[str], pixels: np.ndarray) -> Windows:
    """The energies that `places` sees in one picture, uint8 (h, w, 3): of `maps_of`, without making the grain whole."""
    if min(pixels.shape[:2]) < places.grid:
        return places.windows(maps_of(extractor, taps, pixels))
    network = [tap for tap in taps if tap not in PIXELS]
    windows = places.windows(dict(extractor.maps(pixels, network)) if network else {})
    if set(taps) & set(PIXELS):
        fine = window_energies(grain_sums(pixels, places.grid), pixels.shape[:2], places.reach)
        windows |= {GRAIN: fine, SHARPNESS: fine[..., ::3]}
    return Windows({tap: windows[tap] for tap in taps})
