"""A model of where: what reals look like at each place, fitted once, kept in a file beside the `.giqa`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, registry
from ..errors import BadImage, BadModel, BadSpec, MissingSource
from ..features.extract import as_match, make_extractor
from ..files import replace_file
from ..images import open_source
from ..images.decode import decode
from ..images.subset import spread
from ..types import Progress
from .energy import COMBINED, SHARPNESS, Places, layer_places
from .grain import grain

FORMAT = 1
GRAIN = "grain"
PIXELS = (GRAIN, SHARPNESS)  # made from the pixels, for any extractor
TAPS = {"embedded": (*PIXELS, "mid"), "inception": (*PIXELS, "Mixed_6b")}
MOST = 1000  # reals; more would make the scale no better than a thousandth
CHUNK = 64


@dataclass(frozen=True, eq=False)
class Explanation:
    """Where one picture is unlike the reals.

    `z`: layer, and last "combined", -> float64 (g, g): 0 = like a typical real at that place, -3 = three spreads worse.
    `place`: the worst cell (row, column) of the combined map, and `layer` the one that is to blame there. `percentile`:
    share of held-out reals whose worst place is no better, in (0, 1]. `beyond`: share of the picture that is worse than
    99 % of reals at that place. `nearest`: ids of the reals most alike there, `rows` their places among the fitted.
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
    """`Places` fitted on the maps of reals, and how the maps were made."""

    places: Places
    ids: Sequence[str]
    extractor: str
    taps: tuple[str, ...]
    match: str | None = None
    made_by: Mapping[str, Any] = field(default_factory=dict)

    def maps(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """The maps of one picture as those of the reals were made: uint8 (h, w, 3) to tap -> float32 (h', w', c)."""
        match = as_match(self.match)
        return maps_of(make_extractor(self.extractor), self.taps, match(pixels) if match else pixels)

    def explain(self, pixels: np.ndarray, k: int = 5) -> Explanation:
        """Where a picture, uint8 (h, w, 3), is unlike the reals."""
        maps = self.maps(pixels)
        z = self.places.z(maps)
        combined = z[COMBINED]
        place = tuple(int(i) for i in np.unravel_index(combined.argmin(), combined.shape))
        blame = min(self.taps, key=lambda tap: z[tap][place] / -min(self.places.limit(tap), -1e-6))
        rows = self.places.nearest(maps, place, k)[0]
        beyond = float(np.mean(combined < self.places.limit(COMBINED)))
        names = [self.ids[row] for row in rows]
        return Explanation(z, place, blame, self.places.peak_percentile(combined), beyond, names, rows.tolist())

    def save(self, path: str | Path) -> Path:
        """Write one file (safetensors with a JSON header), whole or not at all."""
        from safetensors.numpy import save

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
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        replace_file(path, save(arrays, metadata={"giqa.explain.maps": json.dumps(header)}))
        return path


def fit_maps(
    real: Any,
    extractor: Any = None,
    taps: Sequence[str] | None = None,
    *,
    match: Any = None,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> MapModel:
    """Learn what reals look like at each place.

    >>> reals = [np.random.default_rng(i).integers(0, 256, (32, 32, 3), np.uint8) for i in range(24)]
    >>> fit_maps(reals, taps=["grain"]).explain(np.zeros((32, 32, 3), np.uint8)).beyond
    1.0

    `taps`: layers of the extractor that has `maps`, "grain" and "sharpness" (of `giqa.explain.grain`: all of it, and
    its grey filters with only too little being bad), in the order shown, nearest reals by the last; else `TAPS`. Of
    more than 1000 reals that many are taken, evenly spread. Errors: `BadShape` below 20 reals, `BadSpec`.
    """
    source, extractor = open_source(real), make_extractor(extractor)
    spec = registry.canonical("extractor", extractor)
    taps = tuple(taps or TAPS.get(spec.partition("(")[0], ()))
    if not taps or (not set(taps) <= set(PIXELS) and not hasattr(extractor, "maps")):
        raise BadSpec(f"{spec} has no maps; take embedded or inception, and for others name taps= of theirs.")
    match = as_match(match)
    rows = spread(source.ids, MOST)
    ids: list[str] = []

    def one(row: int) -> dict[str, np.ndarray] | None:
        try:
            pixels = decode(source.raw(row)).pixels
        except BadImage:
            return None
        return maps_of(extractor, taps, match(pixels) if match else pixels)

    def every() -> Iterator[dict[str, np.ndarray]]:
        with ThreadPoolExecutor(workers) as pool:
            for start in range(0, len(rows), CHUNK):
                chunk = rows[start : start + CHUNK]
                for row, maps in zip(chunk, pool.map(one, chunk), strict=True):
                    if maps is not None:
                        ids.append(source.ids[row])
                        yield maps
                if progress:
                    progress("maps of reals", start + len(chunk), len(rows))

    places = Places(seed=seed).fit(every())
    made_by = {
        "giqa": __version__,
        "features": dict(extractor.identity()),
        "reals": len(ids),
        "reals_failed": len(rows) - len(ids),
    }
    return MapModel(places, ids, spec, taps, match.spec() if match else None, made_by)


def load_maps(path: str | Path) -> MapModel:
    """Read what `MapModel.save` wrote; refuses a file whose network is not the one it was fitted with."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise MissingSource(f"There is no file of maps {path}; give the reals (--real) once, and it will be made.")
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {})["giqa.explain.maps"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no mapping
        if header["format"] != FORMAT:
            raise ValueError("another version")
        places = Places(**header["places"])
        places.layers_ = {tap: layer_places(tap) for tap in header["taps"]}
        for name, value in arrays.items():
            tap, _, inner = name.removeprefix("layers_.").rpartition(".")
            setattr(places.layers_[tap] if tap else places, inner, value if value.ndim else value.item())
        extractor = make_extractor(header["extractor"])
    except (SafetensorError, KeyError, ValueError, TypeError, OSError) as error:
        raise BadModel(
            f"{path} is not a file of maps, or is cut short ({type(error).__name__}); make it again."
        ) from None
    if json.loads(json.dumps(dict(extractor.identity()))) != header["made_by"]["features"]:
        raise BadModel(f"{path} was made with another network than {header['extractor']} is now; make it again.")
    how = header["extractor"], tuple(header["taps"]), header["match"], header["made_by"]
    return MapModel(places, header["ids"], *how)


def maps_of(extractor: Any, taps: Sequence[str], pixels: np.ndarray) -> dict[str, np.ndarray]:
    """The maps of one picture, uint8 (h, w, 3): tap -> float32 (h', w', c)."""
    network = [tap for tap in taps if tap not in PIXELS]
    found = dict(extractor.maps(pixels, network)) if network else {}
    if set(taps) & set(PIXELS):
        found |= {GRAIN: (fine := grain(pixels)), SHARPNESS: fine[..., ::3]}
    return {tap: found[tap] for tap in taps}
