"""The student: a small residual network with three taps, and the heads that only training needs."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

SIDE = 192  # pixels; the input, resized to a square
WIDTHS = (24, 48, 96, 192, 384)  # channels at 1/2, 1/4, ... of the input
BLOCKS = (1, 2, 3, 2)  # residual blocks after each halving from the second on
TAPS = {"low": (1, 96), "mid": (2, 256), "high": (4, 512)}  # after which stage, and how many channels are pooled
CONTENT = {"MobileNetV2": 64, "Mixed_7a": 64}  # first directions that ship as the layer "content"
SEEN_BY_ARTEFACTS, ARTEFACTS, SMALL = ("low", "mid"), 24, 0.01  # numbers from which the damage can be told


def convolution(given: int, made: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(given, made, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(made), nn.ReLU(inplace=True)
    )


class Block(nn.Module):
    """x + 1x1, 3x3 at half the channels, 1x1."""

    def __init__(self, width: int):
        super().__init__()
        last = nn.BatchNorm2d(width)
        nn.init.zeros_(last.weight)  # begins as the identity
        self.inner = nn.Sequential(
            convolution(width, width // 2, 1),
            convolution(width // 2, width // 2, 3),
            nn.Conv2d(width // 2, width, 1, bias=False),
            last,
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.inner(x))


class Student(nn.Module):
    """RGB (n, 3, 192, 192) on the scale -1..1 to name -> (n, c): mean and deviation of each tap, and the artefacts."""

    def __init__(self) -> None:
        super().__init__()
        stages = [convolution(3, WIDTHS[0], 3, 2)]
        for given, made, depth in zip(WIDTHS, WIDTHS[1:], BLOCKS, strict=False):
            stages.append(nn.Sequential(convolution(given, made, 3, 2), *(Block(made) for _ in range(depth))))
        self.stages = nn.ModuleList(stages)
        self.taps = nn.ModuleDict({name: convolution(WIDTHS[stage], c, 1) for name, (stage, c) in TAPS.items()})
        given = 2 * sum(TAPS[tap][1] for tap in SEEN_BY_ARTEFACTS)
        self.artefacts = nn.Sequential(
            nn.BatchNorm1d(given), nn.Linear(given, 128), nn.ReLU(), nn.Linear(128, ARTEFACTS)
        )

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        found = {}
        for number, stage in enumerate(self.stages):
            x = stage(x)
            for name, (after, _) in TAPS.items():
                if after == number:
                    found |= pooled(name, self.taps[name](x))
        seen = [found[f"{tap}.{kind}"] for tap in SEEN_BY_ARTEFACTS for kind in ("mean", "std")]
        found["artefacts"] = self.artefacts(torch.log(torch.cat(seen, dim=1) + SMALL))
        return found


def pooled(name: str, maps: Tensor) -> dict[str, Tensor]:
    """Mean and population standard deviation over places, in float32."""
    maps = maps.float()
    mean = maps.mean((2, 3), keepdim=True)
    variance = (maps - mean).square().mean((2, 3))
    return {f"{name}.mean": mean.flatten(1), f"{name}.std": (variance + 1e-6).sqrt()}


class Heads(nn.Module):
    """From the student's outputs to what it is taught by: teachers' layers and damage. Only `CONTENT` of them ships.

    `wanted`: name -> (outputs of the student, how many of them, numbers to foretell).
    """

    def __init__(self, wanted: Mapping[str, tuple[tuple[str, ...], int, int]]):
        super().__init__()
        self.seen = {name: outputs for name, (outputs, _, _) in wanted.items()}
        self.heads = nn.ModuleDict(
            {name: nn.Sequential(nn.BatchNorm1d(n), nn.Linear(n, made)) for name, (_, n, made) in wanted.items()}
        )

    def forward(self, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: self.heads[name](torch.cat([found[o] for o in seen], dim=1)) for name, seen in self.seen.items()}
