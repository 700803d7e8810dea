"""Features of the network that comes with giqa, and the texture statistics with them: no download, no PyTorch."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadSpec, BadWeights, MissingWeights
from .nss import NSS
from .onnx_session import open_session
from .resize import PREPROCESSING, resize
from .statistics import Statistics

VERSIONS = {1: "embedded_1.onnx", 2: "embedded_2.onnx"}  # next to this file; a version that was shipped never changes
SIDE = 192
TEXTURE, NATURAL = "texture", "nss"
TAPS = ("low", "mid", "high")
POOLED = tuple(f"{tap}.{kind}" for tap in TAPS for kind in ("mean", "std"))
ARTEFACTS, CONTENT = "artefacts", "content"

BY_HAND = {TEXTURE: Statistics(scales=2), NATURAL: NSS(scales=2)}
COMPUTED = (ARTEFACTS, *POOLED, CONTENT)  # by the network
LEVELS = {"low": (*BY_HAND, "low"), "mid": ("mid",), "high": ("high", CONTENT), "taught": (ARTEFACTS,)}
OUTPUTS = {x: (f"{x}.mean", f"{x}.std") if x in TAPS else (x,) for layers in LEVELS.values() for x in layers}
# to the scorers, what shares a name up to the first dot is one layer
OUTPUTS |= {name: (f"pixels.{name}",) for name in BY_HAND}
OUTPUTS |= {tap: (f"taps.{tap}.mean", f"taps.{tap}.std") for tap in ("low", "mid")}

DEEP = (*OUTPUTS["high"], CONTENT)  # always from the whole picture

_loading = threading.Lock()  # threads that want one network load it once


class Embedded:
    """Statistics of the picture as it is, and pooled taps of a small network of our own that sees it at 192 px.

    | layers | numbers | level | sees |
    |---|---|---|---|
    | `pixels.texture` | 36 | low | pixel differences at two scales, as in `statistics` |
    | `pixels.nss` | 36 | low | natural scene statistics at two scales, as in `nss` |
    | `taps.low.mean`, `taps.low.std` | 96 each | low | edges, grain, compression |
    | `taps.mid.mean`, `taps.mid.std` | 256 each | mid | parts and their texture |
    | `high.mean`, `high.std` | 512 each | high | what the picture shows |
    | `content` | 128 | high | the same, as the two teachers would say it: decides what is out of domain |
    | `artefacts` | 24 | taught | what damage was done, as far as the network was taught to recognise it |

    Parameters
    ----------
    version : int
        Names the network, so that scores stay traceable; features of two versions do not mix. 2 sees damage and
        upsampling better than 1, in grey and recoded pictures too, and has the same shape and speed.
    layers : list of str, str or None
        Of the table, or stems such as "mid"; None: all.
    crops : bool
        Take `artefacts`, `low` and `mid` from five crops at native resolution (the corners and the middle) instead of
        the whole picture at 192 px: for pictures well above 192 px it sees more and takes five times as long
        (`docs/combination.md`).
    weights : path or None
        Another ONNX file of the same inputs and outputs; None: the one that comes with giqa.
    device : "cpu" or "cuda"
        Where the network runs; the second needs a GPU and the package onnxruntime-gpu. Both round differently, so
        features of one are not mixed with those of the other.

    Raises
    ------
    BadSpec, MissingWeights, BadWeights, MissingExtra
        At the first use, since the constructor only stores.

    Notes
    -----
    The network was taught to predict pooled layers of FID's Inception and of MobileNetV2 on damaged and undamaged
    pictures; version 2 then on what differs within narrow domains. `embedded_1.md` and `embedded_2.md` next to this
    file are their cards, and `training/` made them. Input: uint8 RGB of any size. A
    picture's features are the same bits whatever the other pictures in the batch and at any number of threads.

    Examples
    --------
    >>> features = Embedded(layers=["texture", "mid"])([np.zeros((32, 48, 3), np.uint8)])
    >>> {name: layer.shape for name, layer in features.items()}
    {'pixels.texture': (1, 36), 'taps.mid.mean': (1, 256), 'taps.mid.std': (1, 256)}
    """

    def __init__(
        self,
        version: int = 2,
        layers: Sequence[str] | str | None = None,
        crops: bool = False,
        weights: str | Path | None = None,
        device: str = "cpu",
    ):
        self.version = version
        self.layers = layers
        self.crops = crops
        self.weights = weights
        self.device = device

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the arrays that `run` returns."""
        return tuple(name for layer in self._chosen() for name in OUTPUTS[layer])

    @property
    def levels(self) -> Mapping[str, tuple[str, ...]]:
        """Which outputs see artefacts, structure, content."""
        chosen = self._chosen()
        levels = {
            level: tuple(name for layer in layers if layer in chosen for name in OUTPUTS[layer])
            for level, layers in LEVELS.items()
        }
        return {level: names for level, names in levels.items() if names}

    def identity(self) -> Mapping[str, Any]:
        """What decides the features."""
        elsewhere = {} if self.device == "cpu" else {"device": self.device}
        return {
            "extractor": "embedded",
            "version": self.version,
            **elsewhere,
            "outputs": list(self.outputs),
            "preprocessing": PREPROCESSING,
            "side": SIDE,
            "crops": bool(self.crops),
            "by_hand": [dict(extractor.identity()) for extractor in BY_HAND.values()],
            "weights_sha256": hashlib.sha256(self._file().read_bytes()).hexdigest(),
        }

    def prepare(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """All the work, one picture in any thread: uint8 (h, w, 3) to its layers, each (c,)."""
        return self.prepare_with_maps(pixels, ())[0]

    def prepare_with_maps(
        self, pixels: np.ndarray, taps: Sequence[str]
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """What `prepare` and `maps` give, the whole picture run through the network once."""
        _check_taps(taps)
        wanted, maps = self.outputs, {}
        layers = {f"pixels.{name}": BY_HAND[name].prepare(pixels).ravel() for name in BY_HAND if name in self._chosen()}
        near = [name for name in wanted if name not in layers and self.crops and name not in DEEP]
        whole = [name for name in wanted if name not in layers and name not in near]
        for names, views, asked in ((near, _crops(pixels) if near else [], ()), (whole, [pixels], taps)):
            outputs = [name.removeprefix("taps.") for name in names] + [f"{tap}.map" for tap in asked]
            if outputs:
                rows = [self._network().run(outputs, {"pixels": _input(view)}) for view in views]
                by_name = dict(zip([*names, *asked], zip(*rows, strict=True), strict=True))
                layers |= _together({name: np.concatenate(by_name[name]) for name in names})
                maps |= {tap: by_name[tap][0][0] for tap in asked}
        return {name: layers[name] for name in wanted}, maps

    def run(self, prepared: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Prepared pictures to layer -> float32 (n, c)."""
        return {name: np.stack([layers[name] for layers in prepared]) for name in self.outputs}

    def __call__(self, pixels: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return self.run([self.prepare(p) for p in pixels])

    def maps(self, pixels: np.ndarray, taps: Sequence[str] = TAPS) -> dict[str, np.ndarray]:
        """The taps of one picture before pooling: float32 (48, 48, 96), (24, 24, 256), (6, 6, 512)."""
        _check_taps(taps)
        found = self._network().run([f"{tap}.map" for tap in taps], {"pixels": _input(pixels)})
        return {tap: maps[0] for tap, maps in zip(taps, found, strict=True)}

    def _chosen(self) -> tuple[str, ...]:
        """The layers asked for, in their own order."""
        asked = OUTPUTS if self.layers is None else (self.layers,) if isinstance(self.layers, str) else self.layers
        unknown = [layer for layer in asked if layer not in OUTPUTS]
        if unknown or not asked:
            got = f"got {unknown[0]!r}" if unknown else "none is asked for"
            raise BadSpec(f"embedded(layers=...) takes {', '.join(OUTPUTS)}; {got}.")
        return tuple(layer for layer in OUTPUTS if layer in asked)

    def _file(self) -> Path:
        if self.weights is None and self.version not in VERSIONS:
            raise BadSpec(f"embedded(version=...) is one of {', '.join(map(str, VERSIONS))}, got {self.version!r}.")
        file = Path(__file__).with_name(VERSIONS[self.version]) if self.weights is None else Path(self.weights)
        if not file.is_file():
            raise MissingWeights(f"embedded: there is no network {file}; give weights= an ONNX file, or none at all.")
        return file

    def _network(self) -> Any:
        file = self._file()
        with _loading:
            return _load(file, file.stat().st_mtime_ns, self.device)


def _check_taps(taps: Sequence[str]) -> None:
    for tap in taps:
        if tap not in TAPS:
            raise BadSpec(f"embedded has no map {tap!r}; it has {', '.join(TAPS)}.")


def _crops(pixels: np.ndarray) -> list[np.ndarray]:
    """The four corners and the middle, 192 px each or as much as there is."""
    h, w = pixels.shape[:2]
    high, wide = min(SIDE, h), min(SIDE, w)
    places = [(y, x) for y in (0, h - high) for x in (0, w - wide)] + [((h - high) // 2, (w - wide) // 2)]
    return [np.ascontiguousarray(pixels[y : y + high, x : x + wide]) for y, x in dict.fromkeys(places)]


def _together(rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Layers of several views, name -> (views, c), as one: means of means, and deviations over all their places."""
    pooled = {name: row.mean(axis=0) for name, row in rows.items()}
    for name, row in rows.items():
        tap, _, kind = name.rpartition(".")
        if kind == "std" and len(row) > 1:
            pooled[name] = np.sqrt((row**2).mean(axis=0) + rows[f"{tap}.mean"].var(axis=0))
    return pooled


def _input(pixels: np.ndarray) -> np.ndarray:
    return resize(pixels, SIDE)[None]


@lru_cache(maxsize=2)
def _load(file: Path, modified: int, device: str) -> Any:
    """An inference session on one thread: each picture runs alone, so that its bits depend on nothing else."""
    session = open_session(file, "embedded", device)
    if not {*COMPUTED} <= {output.name for output in session.get_outputs()}:
        raise BadWeights(f"{file} is another network: it should give {', '.join(COMPUTED)}.")
    return session
