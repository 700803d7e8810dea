"""What the student learns from: pooled layers of two published networks, computed once for every view and kept."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pictures
import torch
import torch.nn.functional as F
from network import SIDE
from safetensors.torch import load_file

from giqa.features.inception import Inception
from giqa.features.resize import resize

LAYERS = ("Conv2d_2b_3x3", "Conv2d_4a_3x3", "Mixed_5d", "Mixed_6b", "Mixed_6e", "Mixed_7a")
SHARD = 1000  # views a file: what a killed run loses
MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])  # ImageNet's, for MobileNetV2


class MobileNet:
    """MobileNetV2 with batch norm folded and plain ReLU: float32 (n, 224, 224, 3) to 1280 pooled channels."""

    # expansion, repeats, stride
    SETTINGS = ((1, 1, 1), (6, 2, 2), (6, 3, 2), (6, 4, 2), (6, 3, 1), (6, 3, 2), (6, 1, 1))

    def __init__(self, file: Path):
        self.weights = {
            name: w.to(torch.bfloat16).contiguous(memory_format=torch.channels_last) if w.ndim == 4 else w.bfloat16()
            for name, w in load_file(file).items()
        }

    def _convolve(self, x: torch.Tensor, name: str, stride: int = 1, relu: bool = True) -> torch.Tensor:
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        x = F.conv2d(x, weight, bias, stride, weight.shape[2] // 2, groups=x.shape[1] // weight.shape[1])
        return x.relu_() if relu else x

    @torch.inference_mode()
    def __call__(self, prepared: np.ndarray) -> np.ndarray:
        x = torch.from_numpy(prepared).permute(0, 3, 1, 2).bfloat16()
        x, block = self._convolve(x, "features.0.0", 2), 0
        for expansion, repeats, stride in self.SETTINGS:
            for repeat in range(repeats):
                block += 1
                y, step = x, 0
                if expansion > 1:
                    y, step = self._convolve(y, f"features.{block}.conv.0.0"), 1
                y = self._convolve(y, f"features.{block}.conv.{step}.0", 1 if repeat else stride)
                y = self._convolve(y, f"features.{block}.conv.{step + 1}", relu=False)
                x = x + y if repeat else y
        return self._convolve(x, "features.18.0").float().mean((2, 3)).numpy()


def cache(data: Path, weights: Path, wallpapers: Path, out: Path, views: int) -> None:
    """Write shards of views (the student's input, uint8) and of what the teachers say of them; resumes."""
    missing = [s for s in range(views // SHARD) if not (out / f"views-{s:03}.npz").exists()]
    if not missing:
        return
    out.mkdir(parents=True, exist_ok=True)
    sources = pictures.load_sources(data, wallpapers)
    print({kind: len(found) for kind, found in sources.items()}, file=sys.stderr)
    file = weights / "inception_v3_2015_12_05_to_mixed_7a.safetensors"
    inception = Inception(weights=file, layers=LAYERS, precision="bfloat16")
    mobilenet = MobileNet(weights / "mobilenet_v2.safetensors")

    def prepared(index: int) -> tuple[np.ndarray, ...]:
        view = pictures.view(index, sources)
        small = resize(view.pixels, SIDE).round().clip(0, 255).astype(np.uint8)
        normal = (resize(view.pixels, 224) / np.float32(255) - MEAN) / STD
        return small, view.damage, inception.prepare(view.pixels), normal

    for shard in missing:
        start = time.time()
        parts: dict[str, list[np.ndarray]] = {}
        for batch in _batches(range(shard * SHARD, (shard + 1) * SHARD), prepared):
            small, damage, for_inception, for_mobilenet = zip(*batch, strict=True)
            found = {"view": np.stack(small), "damage": np.stack(damage), **inception.run(for_inception)}
            found["MobileNetV2"] = mobilenet(np.stack(for_mobilenet))
            for name, rows in found.items():
                parts.setdefault(name, []).append(rows if rows.dtype == np.uint8 else rows.astype(np.float16))
        whole = {name: np.concatenate(rows) for name, rows in parts.items()}
        half = out / f"half-{shard:03}.npz"
        np.savez(half, **whole)
        half.rename(out / f"views-{shard:03}.npz")
        done = (shard + 1) * SHARD
        print(f"{done} of {views} views, {time.time() - start:.0f} s for these", file=sys.stderr, flush=True)


def _batches(indices: range, work, size: int = 16) -> Iterator[list]:
    """`work` of each index in threads, in batches, one batch ahead."""
    with ThreadPoolExecutor(2) as pool:
        steps = [indices[i : i + size] for i in range(0, len(indices), size)]
        ahead = [pool.submit(work, i) for i in steps[0]]
        for number in range(len(steps)):
            now = ahead
            ahead = [pool.submit(work, i) for i in steps[number + 1]] if number + 1 < len(steps) else []
            yield [future.result() for future in now]
