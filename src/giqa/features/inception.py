"""Features from the Inception-V3 that FID uses (TensorFlow, 2015-12-05): pixels to pooled channels."""

from __future__ import annotations

import contextlib
import difflib
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadShape, BadSpec
from . import inception_network
from . import weights as weights_home
from .devices import CHUNK, find_device, one_thread_each
from .inception_network import TAPS, VECTORS
from .resize import MODES, PREPROCESSING, resize

if TYPE_CHECKING:
    import torch

    from .inception_network import Convolutions

    Numbers = dict[str, np.ndarray]
    Read = Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]

SIDE = 299
PRESETS = {
    "released": {"layers": ("pool",), "pooling": "mean", "resize": "released"},
    "paper": {"layers": ("pool",), "pooling": "mean", "resize": "released"},
    "recommended": {
        "layers": ("Mixed_5b", "Mixed_5d", "Mixed_6b", "Mixed_7a"),
        "pooling": "mean+std",
        "resize": "antialias",
    },
}
POOLINGS = {"mean": ("mean",), "std": ("std",), "mean+std": ("mean", "std")}
PRECISIONS = ("float32", "bfloat16")

FIRST_MID, FIRST_HIGH = TAPS.index("Mixed_5b"), TAPS.index("Mixed_6c")

_loading = threading.Lock()  # two threads that want one network load it once


class Inception:
    """Pooled channels of FID's Inception-V3: for each layer and channel the mean over places, and the deviation.

    | preset | layers | pooling | resize |
    |---|---|---|---|
    | `recommended` | `Mixed_5b`, `Mixed_5d`, `Mixed_6b`, `Mixed_7a` | `mean+std` | `antialias` |
    | `released`, `paper` | `pool` | `mean` | `released` |

    Parameters
    ----------
    weights : str or path
        A name of `giqa weights list`, a file, or `sha256:HEX`; a file that ends early gives the layers it can compute
        (`taps`).
    layers : list of str, str or None
        Which layers; None: those of the preset.
    pooling : "mean", "mean+std" or None
        What is taken of each channel; None: that of the preset.
    resize : "antialias", "released" or None
        How pictures become 299 px wide (`giqa.features.resize`); None: that of the preset.
    device : str
        "cpu", or "cuda" or "mps" where there is one.
    precision : "float32" or "bfloat16"
        The second is for processors and GPUs that have it.
    preset : "recommended", "released" or "paper"
        What fills in `layers`, `pooling` and `resize`.

    Raises
    ------
    MissingExtra
        Without torch.
    BadSpec, BadShape, MissingWeights, BadWeights
        All at the first use, since the constructor only stores.

    Notes
    -----
    A picture's features are the same bits alone, in any batch and order, and at any number of threads. On the CPU
    `torch.get_num_threads()` pictures are in the network at a time, one thread each.

    References
    ----------
    Szegedy et al., "Rethinking the Inception Architecture", 2016.

    Examples
    --------
    >>> extract = Inception(layers=["Mixed_5d", "pool"])
    >>> extract.outputs
    ('Mixed_5d.mean', 'Mixed_5d.std', 'pool')
    """

    def __init__(
        self,
        weights: str | Path = "inception-fid",
        layers: Sequence[str] | str | None = None,
        pooling: str | None = None,
        resize: str | None = None,
        device: str = "cpu",
        precision: str = "float32",
        preset: str = "recommended",
    ):
        self.weights = weights
        self.layers = layers
        self.pooling = pooling
        self.resize = resize
        self.device = device
        self.precision = precision
        self.preset = preset

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the arrays that `run` returns."""
        kinds = POOLINGS[self._chosen("pooling", self.pooling, POOLINGS)]
        layers = self._layers()
        return tuple(n for x in layers for n in ([x] if x in VECTORS else [f"{x}.{kind}" for kind in kinds]))

    @property
    def levels(self) -> Mapping[str, tuple[str, ...]]:
        """Outputs up to MaxPool_2 are low, from Mixed_5b mid, from Mixed_6c high; shallow to deep."""
        ordered = sorted(self.outputs, key=lambda name: TAPS.index(name.partition(".")[0]))  # stable: mean before std
        found: dict[str, tuple[str, ...]] = {}
        for name in ordered:
            place = TAPS.index(name.partition(".")[0])
            level = "low" if place < FIRST_MID else "mid" if place < FIRST_HIGH else "high"
            found[level] = (*found.get(level, ()), name)
        return found

    def identity(self) -> dict[str, Any]:
        """What decides the feature's value; needs the weights on this machine, but not torch."""
        return {
            "extractor": "inception",
            "version": 1,
            "layers": list(self._layers()),
            "pooling": self._chosen("pooling", self.pooling, POOLINGS),
            "resize": self._chosen("resize", self.resize, MODES),
            "preprocessing": PREPROCESSING,
            "precision": _one_of("precision", self.precision, PRECISIONS),
            "weights_sha256": weights_home.resolve(self.weights).sha256,
        }

    def taps(self) -> tuple[str, ...]:
        """The layers that the weights file can compute, first to last."""
        return inception_network.taps(self._network()[0])

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """One picture for the network, without torch and in any thread: uint8 (h, w, 3) to float32 (299, 299, 3)."""
        prepared = resize(pixels, SIDE, self._chosen("resize", self.resize, MODES))
        prepared /= np.float32(127.5)
        prepared -= np.float32(1)
        return prepared

    def run(self, prepared: Sequence[np.ndarray]) -> Numbers:
        """Prepared pictures to output name -> float32 (n, c)."""
        kinds, names = POOLINGS[self._chosen("pooling", self.pooling, POOLINGS)], self.outputs

        def pooled(found: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            rows = [
                row for values in found.values() for row in ([values] if values.ndim == 2 else _pool(values, kinds))
            ]
            return dict(zip(names, rows, strict=True))

        return self._apply(prepared, self._layers(), pooled)

    def maps(self, pixels: np.ndarray, taps: Sequence[str] | str | None = None) -> Numbers:
        """One picture, uint8 (h, w, 3), to tap -> float32 (h', w', c) before pooling; `pool` and `logits` are (c,).

        `taps=None` is `layers`. 1.4 MB a picture for Mixed_5d, 5.7 MB for Conv2d_1a_3x3.
        """
        found = self.unpooled([self.prepare(pixels)], taps)
        return {name: values[0] for name, values in found.items()}

    def unpooled(self, prepared: Sequence[np.ndarray], layers: Sequence[str] | str | None = None) -> Numbers:
        """Prepared pictures to layer -> float32 (n, h, w, c), or (n, c) for `pool` and `logits`."""

        def placed(found: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            return {n: m.float().permute(0, 2, 3, 1) if m.ndim == 4 else m for n, m in found.items()}

        return self._apply(prepared, self._layers() if layers is None else _checked_layers(layers), placed)

    def __call__(self, pixels: Sequence[np.ndarray]) -> Numbers:
        return self.run([self.prepare(picture) for picture in pixels])

    def _chosen(self, parameter: str, value: str | None, allowed: Sequence[str] | Mapping[str, Any]) -> str:
        """A parameter, or what the preset says where it is None."""
        return _one_of(parameter, self._preset()[parameter] if value is None else value, allowed)

    def _layers(self) -> tuple[str, ...]:
        return _checked_layers(self._preset()["layers"] if self.layers is None else self.layers)

    def _preset(self) -> Mapping[str, Any]:
        return PRESETS[_one_of("preset", self.preset, PRESETS)]

    def _network(self) -> tuple[Convolutions, torch.device]:
        device, found = find_device(self.device, "inception"), weights_home.resolve(self.weights)
        with _loading:
            return inception_network.load(found, device, _one_of("precision", self.precision, PRECISIONS)), device

    def _apply(self, prepared: Sequence[np.ndarray], layers: tuple[str, ...], read: Read) -> Numbers:
        """Run the network over chunks of one size, and `read` numbers from the layers found in each."""
        for picture in prepared:
            if picture.shape != (SIDE, SIDE, 3) or picture.dtype != np.float32:
                got = f"{picture.dtype} {picture.shape}"
                raise BadShape(f"run() takes what prepare() gives, float32 (299, 299, 3), got {got}.")
        network, device = self._network()
        taps = inception_network.taps(network)
        if missing := [layer for layer in layers if layer not in taps]:
            raise BadSpec(f"The weights {str(self.weights)!r} end before {missing[0]}; they have {', '.join(taps)}.")
        size = CHUNK[device.type]

        def one(start: int) -> Numbers:
            part = prepared[start : start + size]
            chunk = np.zeros((size, SIDE, SIDE, 3), np.float32)
            chunk[: len(part)] = part if len(part) else 0
            numbers = _compute(network, device, chunk, layers, read)
            return {name: values[: len(part)] for name, values in numbers.items()}

        starts = range(0, len(prepared), size) or [0]  # nothing in: a chunk of nothing tells the widths
        parts = one_thread_each(one, starts) if device.type == "cpu" else [one(start) for start in starts]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _one_of(parameter: str, value: Any, allowed: Sequence[str] | Mapping[str, Any]) -> Any:
    if value not in tuple(allowed):
        raise BadSpec(f"inception({parameter}=...) is one of {', '.join(allowed)}, got {value!r}.")
    return value


def _checked_layers(layers: Sequence[str] | str) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys([layers] if isinstance(layers, str) else layers))
    for layer in chosen:
        if layer not in TAPS:
            close = difflib.get_close_matches(str(layer), TAPS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise BadSpec(f"Inception has no layer {layer!r}; it has {', '.join(TAPS)}.{hint}")
    if not chosen:
        raise BadSpec(f"inception(layers=[]) asks for nothing; there are {', '.join(TAPS)}.")
    return chosen


def _pool(values: torch.Tensor, kinds: Sequence[str]) -> list[torch.Tensor]:
    """Mean and population deviation over places, the squares taken after the mean is, so that nothing cancels."""
    values = values.float()
    mean = values.mean((2, 3))
    pooled = {"mean": mean}
    if "std" in kinds:
        pooled["std"] = (values - mean[:, :, None, None]).square_().mean((2, 3)).sqrt_()
    return [pooled[kind] for kind in kinds]


def _compute(
    network: Convolutions, device: torch.device, chunk: np.ndarray, layers: Sequence[str], read: Read
) -> Numbers:
    import torch

    with torch.inference_mode(), contextlib.ExitStack() as stack:
        if device.type == "cuda":
            fixed = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
            stack.enter_context(fixed)
        x = torch.from_numpy(chunk).permute(0, 3, 1, 2)  # a view: pixels side by side are channels_last already
        x = x.to(device, next(iter(network.values()))[0].dtype)
        found = inception_network.forward(network, x, layers)
        return {name: values.cpu().numpy() for name, values in read(found).items()}
