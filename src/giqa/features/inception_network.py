"""The Inception-V3 of TensorFlow, 2015-12-05, for inference: a table of blocks, and what runs it.

`load` puts the convolutions of a weights file on a device, `taps` says which layers they make, `forward` computes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from ..errors import BadWeights
from . import tensors
from .weights import Resolved

if TYPE_CHECKING:
    import torch

    Convolutions = dict[str, tuple[torch.Tensor, torch.Tensor]]


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


@lru_cache(maxsize=2)
def load(found: Resolved, device: torch.device, precision: str) -> Convolutions:
    """Layer name -> weight and bias, in `precision`; raises `BadWeights` when the file is another network's."""
    import torch

    arrays = tensors.load(found)
    network = {}
    for name, array in arrays.items():
        layer, _, kind = name.rpartition(".")
        if kind == "weight" and f"{layer}.bias" in arrays:
            dtype = torch.bfloat16 if precision == "bfloat16" and layer != "fc" else torch.float32
            weight, bias = (torch.from_numpy(a).to(device, dtype) for a in (array, arrays[f"{layer}.bias"]))
            layout = torch.channels_last if weight.ndim == 4 else torch.contiguous_format
            network[layer.removesuffix(".conv")] = (weight.contiguous(memory_format=layout), bias)
    if not taps(network):
        raise BadWeights(f"{found.path} holds no Inception-V3: there is no Conv2d_1a_3x3.conv.weight and .bias in it.")
    return network


def _convolutions(block: str) -> list[str]:
    steps = [step for branch in BLOCKS[block] for step in branch if step not in POOLS]
    names = [name for step in steps for name in (step if isinstance(step, tuple) else (step,))]
    return [f"{block}.{name}".rstrip(".") for name in names]


def taps(network: Convolutions) -> tuple[str, ...]:
    """The layers that these convolutions can make, first to last."""
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


def forward(network: Convolutions, x: torch.Tensor, layers: Sequence[str]) -> dict[str, torch.Tensor]:
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
