"""The Inception-V3 that FID uses (TensorFlow, 2015-12-05), for inference: a table of blocks and a file of weights."""

from __future__ import annotations

import contextlib
import difflib
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadShape, BadSpec, BadWeights, MissingExtra
from . import weights as weights_home
from .resize import MODES, PREPROCESSING, resize

if TYPE_CHECKING:
    import torch

    Convolutions = dict[str, tuple[torch.Tensor, torch.Tensor]]
    Numbers = dict[str, np.ndarray]
    Read = Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]

SIDE = 299
CHUNK = {"cpu": 1, "cuda": 32, "mps": 8}  # pictures in one call of the network, always, padded with zeros
PRESETS = {
    "released": {"layers": ("pool",), "pooling": "mean", "resize": "released"},
    "paper": {"layers": ("pool",), "pooling": "mean", "resize": "released"},
    "recommended": {"layers": ("Mixed_5d",), "pooling": "mean+std", "resize": "antialias"},
}
POOLINGS = {"mean": ("mean",), "std": ("std",), "mean+std": ("mean", "std")}
PRECISIONS = ("float32", "bfloat16")


def _chain(stem: str, *ends: str) -> tuple[str, ...]:
    return tuple(f"{stem}_{end}" for end in ends)


# A block is branches side by side, their channels joined in this order; a branch is steps one after another; a step is
# a convolution, a pool, or two convolutions side by side. Channels and kernels come from the weights.
A = (("branch1x1",), _chain("branch5x5", *"12"), _chain("branch3x3dbl", *"123"), ("average", "branch_pool"))
B = (("branch3x3",), _chain("branch3x3dbl", *"123"), ("halve",))
C = (("branch1x1",), _chain("branch7x7", *"123"), _chain("branch7x7dbl", *"12345"), ("average", "branch_pool"))
D = (_chain("branch3x3", *"12"), _chain("branch7x7x3", *"1234"), ("halve",))
E = (
    ("branch1x1",),
    ("branch3x3_1", ("branch3x3_2a", "branch3x3_2b")),
    (*_chain("branch3x3dbl", *"12"), ("branch3x3dbl_3a", "branch3x3dbl_3b")),
    ("average", "branch_pool"),
)
BLOCKS: dict[str, tuple[tuple[str | tuple[str, str], ...], ...]] = {
    **dict.fromkeys(("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"), (("",),)),
    "MaxPool_1": (("halve",),),
    **dict.fromkeys(("Conv2d_3b_1x1", "Conv2d_4a_3x3"), (("",),)),
    "MaxPool_2": (("halve",),),
    **dict.fromkeys(_chain("Mixed", "5b", "5c", "5d"), A),
    "Mixed_6a": B,
    **dict.fromkeys(_chain("Mixed", "6b", "6c", "6d", "6e"), C),
    "Mixed_7a": D,
    "Mixed_7b": E,
    "Mixed_7c": (*E[:3], ("maximum", "branch_pool")),  # its twin averages
}
VECTORS = ("pool", "logits")  # the mean of the last block over places, and 1008 class scores from it
TAPS = (*BLOCKS, *VECTORS)
HALVING = {  # stride 2; these and UNPADDED see no border, every other convolution keeps height and width
    "Conv2d_1a_3x3",
    "Mixed_6a.branch3x3",
    "Mixed_6a.branch3x3dbl_3",
    "Mixed_7a.branch3x3_2",
    "Mixed_7a.branch7x7x3_4",
}
UNPADDED = {"Conv2d_2a_3x3", "Conv2d_4a_3x3"}
POOLS = ("average", "maximum", "halve")


class Inception:
    """Pooled channels of FID's Inception-V3: for each layer and channel the mean over places, and the deviation.

    | preset | layers | pooling | resize |
    |---|---|---|---|
    | `recommended` | `Mixed_5d` | `mean+std` | `antialias` |
    | `released`, `paper` | `pool` | `mean` | `released` |

    >>> extract = Inception(layers=["Mixed_5d", "pool"])
    >>> extract.outputs
    ('Mixed_5d.mean', 'Mixed_5d.std', 'pool')

    `weights`: a name of `giqa weights list`, a file, or `sha256:HEX`; a file that ends early gives the layers it can
    compute (`taps`). `precision="bfloat16"` is for processors and GPUs that have it. A picture's features are the same
    bits alone, in any batch and order, and at any number of threads. On the CPU `torch.get_num_threads()` pictures are
    in the network at a time, one thread each.
    Raises `BadSpec`, `BadShape`, `MissingExtra` (no torch), `MissingWeights`, `BadWeights`; at the first use, since
    the constructor only stores. Source: Szegedy et al., "Rethinking the Inception Architecture", 2016.
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
        kinds = POOLINGS[self._chosen("pooling", POOLINGS)]
        layers = self._chosen("layers")
        return tuple(n for x in layers for n in ([x] if x in VECTORS else [f"{x}.{kind}" for kind in kinds]))

    def identity(self) -> dict[str, Any]:
        """What decides the feature's value; needs the weights on this machine, but not torch."""
        return {
            "extractor": "inception",
            "version": 1,
            "layers": list(self._chosen("layers")),
            "pooling": self._chosen("pooling", POOLINGS),
            "resize": self._chosen("resize", MODES),
            "preprocessing": PREPROCESSING,
            "precision": _one_of("precision", self.precision, PRECISIONS),
            "weights_sha256": weights_home.resolve(self.weights).sha256,
        }

    def taps(self) -> tuple[str, ...]:
        """The layers that the weights file can compute, first to last."""
        return _taps(self._network()[0])

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """One picture for the network, without torch and in any thread: uint8 (h, w, 3) to float32 (299, 299, 3)."""
        prepared = resize(pixels, SIDE, self._chosen("resize", MODES))
        prepared /= np.float32(127.5)
        prepared -= np.float32(1)
        return prepared

    def run(self, prepared: Sequence[np.ndarray]) -> Numbers:
        """Prepared pictures to output name -> float32 (n, c)."""
        kinds, names = POOLINGS[self._chosen("pooling", POOLINGS)], self.outputs

        def pooled(found: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            rows = [
                row for values in found.values() for row in ([values] if values.ndim == 2 else _pool(values, kinds))
            ]
            return dict(zip(names, rows, strict=True))

        return self._apply(prepared, self._chosen("layers"), pooled)

    def maps(self, prepared: Sequence[np.ndarray], layers: Sequence[str] | str | None = None) -> Numbers:
        """Prepared pictures to layer -> float32 (n, h, w, c), unpooled: 1.4 MB a picture for Mixed_5d."""
        layers = self._chosen("layers") if layers is None else _checked_layers(layers)
        for layer in layers:
            if layer in VECTORS:
                raise BadSpec(f"{layer!r} has no places to map; take a layer such as Mixed_7c.")
        return self._apply(prepared, layers, lambda found: {n: m.float().permute(0, 2, 3, 1) for n, m in found.items()})

    def __call__(self, pixels: Sequence[np.ndarray]) -> Numbers:
        return self.run([self.prepare(picture) for picture in pixels])

    def _chosen(self, parameter: str, allowed: Sequence[str] | Mapping[str, Any] = ()) -> Any:
        """A parameter, or what the preset says where it is None."""
        preset = PRESETS[_one_of("preset", self.preset, PRESETS)]
        value = getattr(self, parameter)
        value = preset[parameter] if value is None else value
        return _checked_layers(value) if parameter == "layers" else _one_of(parameter, value, allowed)

    def _network(self) -> tuple[Convolutions, torch.device]:
        device, found = _device(self.device), weights_home.resolve(self.weights)
        with _loading:
            return _load(found, device, _one_of("precision", self.precision, PRECISIONS)), device

    def _apply(self, prepared: Sequence[np.ndarray], layers: tuple[str, ...], read: Read) -> Numbers:
        """Run the network over chunks of one size, and `read` numbers from the layers found in each."""
        for picture in prepared:
            if picture.shape != (SIDE, SIDE, 3) or picture.dtype != np.float32:
                got = f"{picture.dtype} {picture.shape}"
                raise BadShape(f"run() takes what prepare() gives, float32 (299, 299, 3), got {got}.")
        network, device = self._network()
        taps = _taps(network)
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
        parts = _one_thread_each(one, starts) if device.type == "cpu" else [one(start) for start in starts]
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


def _device(name: str) -> torch.device:
    try:
        import torch
    except ModuleNotFoundError as error:
        if error.name != "torch":  # a broken torch shows itself
            raise
        raise MissingExtra("The extractor inception needs PyTorch: pip install 'giqa[torch]'.") from None
    try:
        device = torch.device(name)
        CHUNK[device.type]
        torch.zeros(1, device=device)
    except (RuntimeError, KeyError, AssertionError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise BadSpec(
            f"inception(device=...) is cpu, or cuda or mps if there is one; got {name!r} ({reason})."
        ) from None
    return device


_loading = threading.Lock()


@lru_cache(maxsize=2)
def _load(found: weights_home.Resolved, device: torch.device, precision: str) -> Convolutions:
    import torch

    arrays = weights_home.load(found)
    network = {}
    for name, array in arrays.items():
        layer, _, kind = name.rpartition(".")
        if kind == "weight" and f"{layer}.bias" in arrays:
            dtype = torch.float32 if layer == "fc" else getattr(torch, precision)
            weight, bias = (torch.from_numpy(a).to(device, dtype) for a in (array, arrays[f"{layer}.bias"]))
            layout = torch.channels_last if weight.ndim == 4 else torch.contiguous_format
            network[layer.removesuffix(".conv")] = (weight.contiguous(memory_format=layout), bias)
    if not _taps(network):
        raise BadWeights(f"{found.path} holds no Inception-V3: there is no Conv2d_1a_3x3.conv.weight and .bias in it.")
    return network


def _convolutions(block: str) -> list[str]:
    steps = [step for branch in BLOCKS[block] for step in branch if step not in POOLS]
    names = [name for step in steps for name in (step if isinstance(step, tuple) else (step,))]
    return [f"{block}.{name}".rstrip(".") for name in names]


def _taps(network: Convolutions) -> tuple[str, ...]:
    found: list[str] = []
    for block in BLOCKS:
        if not all(name in network for name in _convolutions(block)):
            return tuple(found)
        found.append(block)
    return (*found, *(VECTORS if "fc" in network else VECTORS[:1]))


def _step(network: Convolutions, block: str, step: str | tuple[str, str], x: torch.Tensor) -> torch.Tensor:
    import torch
    import torch.nn.functional as F

    if step == "average":  # over the places that exist: the border counts less
        return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
    if step == "maximum":
        return F.max_pool2d(x, 3, stride=1, padding=1)
    if step == "halve":
        return F.max_pool2d(x, 3, stride=2)
    if isinstance(step, tuple):
        return torch.cat([_step(network, block, one, x) for one in step], dim=1)
    name = f"{block}.{step}".rstrip(".")
    weight, bias = network[name]
    padding = (0, 0) if name in HALVING | UNPADDED else (weight.shape[2] // 2, weight.shape[3] // 2)
    return F.conv2d(x, weight, bias, stride=2 if name in HALVING else 1, padding=padding).relu_()


def _forward(network: Convolutions, x: torch.Tensor, layers: Sequence[str]) -> dict[str, torch.Tensor]:
    """The layers asked for, each (n, c, h, w) or (n, c), and nothing beyond the deepest of them."""
    import torch
    import torch.nn.functional as F

    found = {}
    for block in BLOCKS:
        branches = []
        for branch in BLOCKS[block]:
            y = x
            for step in branch:
                y = _step(network, block, step, y)
            branches.append(y)
        x = torch.cat(branches, dim=1) if len(branches) > 1 else branches[0]
        found |= {block: x} if block in layers else {}
        if len(found) == len(layers):
            return found
    found["pool"] = x.float().mean((2, 3))
    if "logits" in layers:
        found["logits"] = F.linear(found["pool"], *network["fc"])
    return {layer: found[layer] for layer in layers}


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
        return {name: values.cpu().numpy() for name, values in read(_forward(network, x, layers)).items()}


def _one_thread_each(work: Callable, items: Sequence[int]) -> list[Any]:
    """`map` with every item on one thread of its own: an operation that is shared among threads sums in another order
    for another number of them (seen with oneDNN), and stalls when a core is busy with something else."""
    import torch

    threads = torch.get_num_threads()

    def alone() -> None:
        torch.get_num_threads()  # torch sets a thread up at its first question, and would undo the next line
        torch.set_num_threads(1)

    try:
        with ThreadPoolExecutor(min(threads, len(items)), initializer=alone) as pool:
            return list(pool.map(work, items))
    finally:
        torch.set_num_threads(threads)  # what a worker sets for itself is also what later threads begin with
