"""Features from vision transformers of the transformers library: DINOv2, DINOv3, CLIP, SigLIP and ViT."""

from __future__ import annotations

import contextlib
import difflib
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadShape, BadSpec
from ..types import LEVELS
from . import hub_models, hub_network
from .devices import CHUNK, find_device, one_thread_each
from .hub_models import VECTORS
from .inception import POOLINGS
from .resize import MODES, PREPROCESSING, resize

if TYPE_CHECKING:
    import torch

    from .hub_models import Found
    from .hub_network import Network

_loading = threading.RLock()  # two threads that want one model find, download and load it once


class Hub:
    """Tokens of a vision transformer after chosen blocks, pooled over the picture, and its final vector.

    | layer | what | outputs |
    |---|---|---|
    | `block_1` ... | patch tokens after that block, without class token, registers | `.mean`, `.std` over places |
    | `cls` | the class token after the last norm (DINOv2 and 3, CLIP before its projection, ViT) | itself |
    | `pooled` | the last tokens pooled by SigLIP's attention head | itself |

    Parameters
    ----------
    model : str or path
        OWNER/NAME of the hub, taken from its cache and downloaded when it is not there (safetensors only;
        OWNER/NAME@REVISION pins a commit), or a folder with config.json, preprocessor_config.json and
        model.safetensors.
    layers : list of str, str or None
        Of the table; None: the blocks at a quarter, at half and at the end, and the final vector.
    pooling : "mean" or "mean+std"
        What is taken of each channel of a block.
    resize : "antialias" or "released"
        How the whole picture is brought to the model's square (`giqa.features.resize`). Nothing is cropped, so that no
        place goes unseen.
    device : str
        "cpu", or "cuda" or "mps" where there is one.

    Raises
    ------
    MissingExtra
        Without transformers or torch.
    BadSpec, BadShape, MissingWeights, BadWeights
        All at the first use, since the constructor only stores.

    Notes
    -----
    A picture's features are the same bits alone, in any batch and order, and at any number of threads.

    Examples
    --------
    >>> default_layers(12, "cls")
    ('block_3', 'block_6', 'block_12', 'cls')
    >>> Hub("facebook/dinov2-base", layers=["block_4", "cls"]).layers
    ['block_4', 'cls']
    """

    def __init__(
        self,
        model: str | Path = "facebook/dinov2-small",
        layers: Sequence[str] | str | None = None,
        pooling: str = "mean+std",
        resize: str = "antialias",
        device: str = "cpu",
    ):
        self.model = model
        self.layers = layers
        self.pooling = pooling
        self.resize = resize
        self.device = device

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the arrays that `run` returns; the model must be on this machine, or be downloaded."""
        kinds = _one_of("pooling", self.pooling, POOLINGS)
        return tuple(
            name for x in self._chosen() for name in ([x] if x in VECTORS else [f"{x}.{k}" for k in POOLINGS[kinds]])
        )

    @property
    def levels(self) -> Mapping[str, tuple[str, ...]]:
        """Outputs of the first third of the blocks are low, of the second mid, of the last high; shallow to deep."""
        taps = self.taps()
        ordered = sorted(self.outputs, key=lambda name: taps.index(name.partition(".")[0]))  # stable: mean before std
        blocks = sum(tap not in VECTORS for tap in taps)
        level_of = {name: level(name.partition(".")[0], blocks) for name in ordered}
        found = {which: tuple(name for name in ordered if level_of[name] == which) for which in LEVELS}
        return {which: names for which, names in found.items() if names}

    def identity(self) -> dict[str, Any]:
        """What decides the feature's value; needs the model and transformers, but not torch."""
        preparation = self._found.preparation
        return {
            "extractor": "hub",
            "version": 1,
            "model": self._found.name,
            "revision": self._found.revision,
            "files_sha256": self._found.files(),
            "layers": list(self._chosen()),
            "pooling": _one_of("pooling", self.pooling, POOLINGS),
            "resize": _one_of("resize", self.resize, MODES),
            "preprocessing": PREPROCESSING,
            "size": list(preparation.size),
            "scale": preparation.scale,
            "mean": list(preparation.mean),
            "std": list(preparation.std),
            "dtype": "float32",
        }

    def taps(self) -> tuple[str, ...]:
        """The layers that the model has, first to last."""
        vector = self._found.family.vector
        has_vector = vector == "cls" or getattr(self._settings, "vision_use_head", True)
        blocks = tuple(f"block_{i + 1}" for i in range(self._settings.num_hidden_layers))
        return (*blocks, vector) if has_vector else blocks

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """One picture for the network, without torch and in any thread: uint8 (h, w, 3) to float32 (height, width, 3)
        of the model's size, normalised by its mean and deviation."""
        wanted = self._found.preparation
        prepared = resize(pixels, wanted.size, _one_of("resize", self.resize, MODES))
        prepared *= np.float32(wanted.scale)
        prepared -= np.array(wanted.mean, np.float32)
        prepared /= np.array(wanted.std, np.float32)
        return prepared

    def run(self, prepared: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Prepared pictures to output name -> float32 (n, c)."""
        shape = (*self._found.preparation.size, 3)
        for picture in prepared:
            if picture.shape != shape or picture.dtype != np.float32:
                got = f"{picture.dtype} {picture.shape}"
                raise BadShape(f"run() takes what prepare() gives, float32 {shape}, got {got}.")
        layers, names = self._chosen(), self.outputs
        device = find_device(self.device, "hub", "hub")
        hub_models.check_size(self._found, self._settings)
        with _loading:
            network = hub_network.load(self._found, tuple(self._found.files().items()), device)
        size, kinds = CHUNK[device.type], POOLINGS[self.pooling]

        def one(start: int) -> dict[str, np.ndarray]:
            part = prepared[start : start + size]
            chunk = np.zeros((size, *shape), np.float32)
            chunk[: len(part)] = part if len(part) else 0
            rows = _compute(network, device, chunk, layers, kinds)
            return {name: values[: len(part)] for name, values in zip(names, rows, strict=True)}

        starts = range(0, len(prepared), size) or [0]  # nothing in: a chunk of nothing tells the widths
        parts = one_thread_each(one, starts) if device.type == "cpu" else [one(start) for start in starts]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def __call__(self, pixels: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return self.run([self.prepare(picture) for picture in pixels])

    @cached_property
    def _found(self) -> Found:
        with _loading:
            return hub_models.find(self.model)

    @cached_property
    def _settings(self) -> Any:
        with _loading:
            return hub_models.config(self._found)

    def _chosen(self) -> tuple[str, ...]:
        """The layers asked for, or the default ones; each once."""
        taps = self.taps()
        vector = taps[-1] if taps[-1] in VECTORS else None
        blocks = len(taps) - bool(vector)
        asked = default_layers(blocks, vector) if self.layers is None else self.layers
        chosen = tuple(dict.fromkeys([asked] if isinstance(asked, str) else asked))
        there = f"block_1 to block_{blocks}" + (f", {vector}" if vector else "")
        for layer in chosen:
            if layer not in taps:
                close = difflib.get_close_matches(str(layer), taps, n=1)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                raise BadSpec(f"{self._found.name} has no layer {layer!r}; it has {there}.{hint}")
        if not chosen:
            raise BadSpec(f"hub(layers=[]) asks for nothing; {self._found.name} has {there}.")
        return chosen


def default_layers(blocks: int, vector: str | None) -> tuple[str, ...]:
    """The blocks at a quarter, at half and at the end, and the final vector if there is one.

    >>> default_layers(24, "pooled")
    ('block_6', 'block_12', 'block_24', 'pooled')
    """
    depths = dict.fromkeys((max(1, round(blocks / 4)), max(1, round(blocks / 2)), blocks))
    return (*(f"block_{depth}" for depth in depths), *([vector] if vector else []))


def level(layer: str, blocks: int) -> str:
    """What a layer sees, by its depth among so many blocks.

    >>> [level(layer, 12) for layer in ("block_4", "block_8", "block_9", "cls")]
    ['low', 'mid', 'high', 'high']
    """
    depth = blocks if layer in VECTORS else int(layer.removeprefix("block_"))
    return LEVELS[0] if 3 * depth <= blocks else LEVELS[1] if 3 * depth <= 2 * blocks else LEVELS[2]


def _one_of(parameter: str, value: Any, allowed: Sequence[str] | Mapping[str, Any]) -> Any:
    if value not in tuple(allowed):
        raise BadSpec(f"hub({parameter}=...) is one of {', '.join(allowed)}, got {value!r}.")
    return value


def _pool(tokens: torch.Tensor, kinds: Sequence[str]) -> list[torch.Tensor]:
    """Mean and population deviation over places, the squares taken after the mean is, so that nothing cancels."""
    mean = tokens.mean(1)
    pooled = {"mean": mean}
    if "std" in kinds:
        pooled["std"] = (tokens - mean[:, None]).square_().mean(1).sqrt_()
    return [pooled[kind] for kind in kinds]


def _compute(
    network: Network, device: torch.device, chunk: np.ndarray, layers: Sequence[str], kinds: Sequence[str]
) -> list[np.ndarray]:
    """An array (n, c) for each output, in the order of the layers."""
    import torch

    with torch.inference_mode(), contextlib.ExitStack() as stack:
        if device.type == "cuda":
            fixed = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
            stack.enter_context(fixed)
        found = hub_network.forward(
            network, torch.from_numpy(chunk).permute(0, 3, 1, 2).contiguous().to(device), layers
        )
        rows = [row for x in layers for row in ([found[x]] if x in VECTORS else _pool(found[x], kinds))]
        return [row.cpu().numpy() for row in rows]
