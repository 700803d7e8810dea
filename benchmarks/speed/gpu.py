"""Pictures a second of the networks on a GPU, and their share of what it multiplies in bfloat16, with random weights.

    python -m benchmarks.speed.gpu --device cuda
    python -m benchmarks.speed.gpu --device cpu --small --pictures 2 --rounds 1

Needs: giqa[torch,hub], and onnxruntime-gpu for `embedded` on a GPU (without it that row says why it is empty).
Takes: a few seconds with `--small` on a CPU; on a GPU not measured.

The embedded network with its own weights; Inception-V3, and a vision transformer of the size of DINOv2's ViT-L/14
through `hub`, with random ones: speed does not depend on what they are. Pictures are prepared before; what is timed is
`run`, copies to the device and back among it. Embedded prepares and computes in one step, one picture a thread, so its
row begins at decoded pixels. Ways take turns. The share is of the product of two square bfloat16 matrices, measured in
the same run, and of --peak, what the vendor says; networks compute in float32 but where the row says bfloat16.
`--small` takes a transformer and a product that any CPU can try.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from safetensors.numpy import save_file

from benchmarks.shared import command, head, interleaved, median_range, results, row, timed
from benchmarks.speed.inception import random_weights
from giqa.errors import GiqaError
from giqa.features.embedded import Embedded
from giqa.features.hub import Hub
from giqa.features.inception import Inception

LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "image_size": 224, "patch_size": 14}
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 28, "patch_size": 7}
EMBEDDED, INCEPTION = 0.54, 11.4  # GFLOP a picture of 192 and 299 px


def transformer_gflop(settings: dict[str, int]) -> float:
    """Of one picture: four products of d x d for attention and two of d x 4 d, and the attention itself.

    >>> round(transformer_gflop(LARGE))
    162
    """
    n, d = (settings["image_size"] // settings["patch_size"]) ** 2 + 1, settings["hidden_size"]
    return settings["num_hidden_layers"] * (24 * n * d**2 + 4 * n**2 * d) / 1e9


def write_transformer(folder: Path, settings: dict[str, int]) -> Path:
    """A folder that `hub` reads, with random weights."""
    torch.manual_seed(0)
    transformers.Dinov2Model(transformers.Dinov2Config(**settings)).save_pretrained(folder)
    side = {"height": settings["image_size"], "width": settings["image_size"]}
    about = {"size": side, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "do_center_crop": False}
    (folder / "preprocessor_config.json").write_text(json.dumps(about))
    return folder


def product_rate(device: str, side: int, rounds: int) -> float:
    """TFLOP/s of a product of two bfloat16 matrices, the best of some rounds of ten."""
    matrix = torch.randn(side, side, device=device, dtype=torch.bfloat16)

    def ten() -> None:
        for _ in range(10):
            last = matrix @ matrix
        last[0, 0].item()  # waits for the device

    ten()
    return 10 * 2 * side**3 / min(timed(ten) for _ in range(max(2, rounds))) / 1e12


def embedded_all(extract: Embedded, pixels: list[np.ndarray]) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(extract.prepare, pixels))


def ways(asked: argparse.Namespace, folder: Path) -> dict[str, tuple[float, Callable[[], Any]]]:
    """Name -> (GFLOP a picture, the work), of those that this machine can do; the others are said with their reason."""
    settings = SMALL if asked.small else LARGE
    save_file(random_weights(), path := folder / "random.safetensors")
    (folder / "vit").mkdir()
    rng = np.random.default_rng(0)
    pixels = list(rng.integers(0, 256, (asked.pictures, 256, 256, 3), np.uint8))
    embedded, hub = Embedded(device=asked.device), Hub(write_transformer(folder / "vit", settings), device=asked.device)
    found = {"embedded, pixels to features": (EMBEDDED, partial(embedded_all, embedded, pixels))}
    for precision in ("float32", "bfloat16"):
        extract = Inception(path, ["pool"], precision=precision, device=asked.device)
        prepared = [extract.prepare(picture) for picture in pixels]
        found[f"inception, pool, {precision}"] = INCEPTION, partial(extract.run, prepared)
    size = f"ViT of {settings['num_hidden_layers']} x {settings['hidden_size']}"
    prepared = [hub.prepare(picture) for picture in pixels]
    found[f"hub, {size}, float32"] = transformer_gflop(settings), partial(hub.run, prepared)
    able = {}
    for name, (gflop, work) in found.items():
        try:
            work()  # also loads it
            able[name] = gflop, work
        except GiqaError as error:
            row(name, str(error), "", "", "")
    return able


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--device", default="cuda", help="cuda, mps or cpu (%(default)s)")
    parser.add_argument("--pictures", type=int, default=256, help="(%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--peak", type=float, help="TFLOP/s in bfloat16 by the vendor")
    parser.add_argument("--small", action="store_true", help="a small transformer and product, to try it")
    asked = parser.parse_args()
    with results(asked), tempfile.TemporaryDirectory() as folder:
        rate = product_rate(asked.device, 512 if asked.small else 8192, asked.rounds)
        head("network", "pictures/s, median", "range", "TFLOP/s", "share of the product", "share of --peak")
        able = ways(asked, Path(folder))
        for name, seconds in interleaved(
            {k: partial(timed, work) for k, (_, work) in able.items()}, asked.rounds
        ).items():
            speeds = [asked.pictures / s for s in seconds]
            reached = able[name][0] * float(np.median(speeds)) / 1e3
            peak = f"{reached / asked.peak:.3f}" if asked.peak else ""
            row(name, *median_range(speeds), f"{reached:.3f}", f"{reached / rate:.3f}", peak)
        print(f"\nThe product: {rate:.3g} TFLOP/s in bfloat16 on {asked.device}.")


if __name__ == "__main__":
    main()
