"""Pictures a second through Inception-V3, giqa against a plain unfolded NCHW network in eager PyTorch.

    python -m benchmarks.speed.inception --threads 2 --pictures 2 --repeats 2

Needs: giqa[torch]; the weights are random.
Takes: about a minute.

Prepared inputs (no decoding or resizing), up to the 2048 pooled features or to Mixed_5d, the default. Ways take turns;
each line is the median of the repeats and their range, then the median of the ratios to the plain network in the same
round. Every picture of giqa's is a chunk of one on a thread of its own; the plain network takes all pictures in one
batch and shares each operation among the threads. Shared machines drift: believe the ratios.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

from benchmarks.shared import command, head, interleaved, median_range, results, row, timed
from giqa.features import inception, inception_network
from giqa.features.inception import Inception

IDENTITY = {"eps": 0.001, "training": False}


def random_weights() -> dict[str, np.ndarray]:
    """The full network, folded: (outputs, inputs, height, width) of every convolution."""
    draw, shapes = np.random.default_rng(0), {}

    def block(name: str, ins: int, **convolutions: tuple) -> int:
        for branch, (outs, *rest) in convolutions.items():
            given, *kernel = rest if len(rest) in (1, 3) else (ins, *rest)
            shapes[f"{name}.{branch}".removesuffix(".own")] = (outs, given, *(kernel or (1, 1)))
        return ins

    stem = (
        ("1a_3x3", 32, 3, 3),
        ("2a_3x3", 32, 32, 3),
        ("2b_3x3", 64, 32, 3),
        ("3b_1x1", 80, 64, 1),
        ("4a_3x3", 192, 80, 3),
    )
    for name, outs, given, side in stem:
        shapes[f"Conv2d_{name}"] = (outs, given, side, side)
    for name, ins, pooled in (("5b", 192, 32), ("5c", 256, 64), ("5d", 288, 64)):
        block(f"Mixed_{name}", ins, branch1x1=(64,), branch5x5_1=(48,), branch5x5_2=(64, 48, 5, 5))
        block(f"Mixed_{name}", ins, branch3x3dbl_1=(64,), branch3x3dbl_2=(96, 64, 3, 3), branch3x3dbl_3=(96, 96, 3, 3))
        block(f"Mixed_{name}", ins, branch_pool=(pooled,))
    block("Mixed_6a", 288, branch3x3=(384, 288, 3, 3), branch3x3dbl_1=(64,), branch3x3dbl_2=(96, 64, 3, 3))
    block("Mixed_6a", 288, branch3x3dbl_3=(96, 96, 3, 3))
    for name, c in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        block(f"Mixed_{name}", 768, branch1x1=(192,), branch_pool=(192,), branch7x7_1=(c,), branch7x7dbl_1=(c,))
        block(f"Mixed_{name}", 768, branch7x7_2=(c, c, 1, 7), branch7x7_3=(192, c, 7, 1), branch7x7dbl_2=(c, c, 7, 1))
        block(f"Mixed_{name}", 768, branch7x7dbl_3=(c, c, 1, 7), branch7x7dbl_4=(c, c, 7, 1))
        block(f"Mixed_{name}", 768, branch7x7dbl_5=(192, c, 1, 7))
    block("Mixed_7a", 768, branch3x3_1=(192,), branch3x3_2=(320, 192, 3, 3), branch7x7x3_1=(192,))
    block("Mixed_7a", 768, branch7x7x3_2=(192, 192, 1, 7), branch7x7x3_3=(192, 192, 7, 1))
    block("Mixed_7a", 768, branch7x7x3_4=(192, 192, 3, 3))
    for name, ins in (("7b", 1280), ("7c", 2048)):
        block(f"Mixed_{name}", ins, branch1x1=(320,), branch_pool=(192,), branch3x3_1=(384,), branch3x3dbl_1=(448,))
        block(f"Mixed_{name}", ins, branch3x3dbl_2=(384, 448, 3, 3))
        for end in ("3x3_2", "3x3dbl_3"):
            wide, tall = {f"branch{end}a": (384, 384, 1, 3)}, {f"branch{end}b": (384, 384, 3, 1)}
            block(f"Mixed_{name}", ins, **wide, **tall)
    tensors = {}
    for name, shape in shapes.items():
        spread = np.float32((2 / np.prod(shape[1:])) ** 0.5)
        tensors[f"{name}.conv.weight"] = draw.standard_normal(shape, np.float32) * spread
        tensors[f"{name}.conv.bias"] = draw.standard_normal(shape[0], np.float32) / 10
    return tensors


def plain(tensors: dict[str, np.ndarray], x: torch.Tensor) -> torch.Tensor:
    """The same table of blocks, each convolution followed by a batch norm and a ReLU of its own, channels first."""

    def step(network, block, name, x):
        if not isinstance(name, str) or name in inception_network.POOLS:
            return table_step(network, block, name, x)
        name = f"{block}.{name}".rstrip(".")
        weight, bias, zero, one = network[name]
        bare = name in inception_network.HALVING | inception_network.UNPADDED
        padding = (0, 0) if bare else (weight.shape[2] // 2, weight.shape[3] // 2)
        x = F.conv2d(x, weight, None, 2 if name in inception_network.HALVING else 1, padding)
        return F.relu(F.batch_norm(x, zero, one, one, bias, **IDENTITY), inplace=True)

    table_step, inception_network._step = inception_network._step, step
    try:
        with torch.inference_mode():
            return inception_network.forward(tensors, x, ["pool"])["pool"]
    finally:
        inception_network._step = table_step


def measure(asked: argparse.Namespace, folder: Path) -> None:
    tensors = random_weights()
    network = {}
    for name in (name.removesuffix(".conv.weight") for name in tensors if name.endswith(".conv.weight")):
        weight, bias = (torch.from_numpy(tensors[f"{name}.conv.{kind}"]) for kind in ("weight", "bias"))
        network[name] = (weight, bias, torch.zeros_like(bias), torch.ones_like(bias))
    pictures = list(np.random.default_rng(1).uniform(-1, 1, (asked.pictures, 299, 299, 3)).astype(np.float32))
    batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
    save_file(tensors, path := folder / "random.safetensors")
    ways = {"plain, NCHW, unfolded": partial(plain, network, batch)}
    for precision in inception.PRECISIONS:
        for layer in ("pool", "Mixed_5d"):
            extract = Inception(path, [layer], precision=precision)
            ways[f"giqa, {precision}, {layer}"] = partial(extract.run, pictures)
    ways["giqa, float32, pool, one alone"] = partial(Inception(path, ["pool"]).run, pictures[:1])
    for threads in asked.threads:
        torch.set_num_threads(threads)
        seconds = interleaved({name: partial(timed, way) for name, way in ways.items()}, asked.repeats)
        head(f"{threads} thread{'s' * (threads > 1)}", "pictures/s, median", "range", "x plain")
        rates = {k: [(1 if "alone" in k else asked.pictures) / s for s in v] for k, v in seconds.items()}
        base = next(iter(rates.values()))
        for name, values in rates.items():
            ratio, _ = median_range([mine / plain for mine, plain in zip(values, base, strict=True)])
            row(name, *median_range(values), ratio)


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--pictures", type=int, default=8, help="(%(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="(%(default)s)")
    asked = parser.parse_args()
    with results(asked), tempfile.TemporaryDirectory() as folder:
        measure(asked, Path(folder))


if __name__ == "__main__":
    main()
