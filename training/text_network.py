"""A small network that says how far a line's drawing is from real type: its layers, its training.

`python training/text_network.py --data DIR --out text.pt` trains on the shards that `text_series.py` wrote, those
written meanwhile too. With `torchrun` several processes share the work. `text_head.py` makes the file that is shipped.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from export import Graph
from text_series import MEMBERS, as_floats
from torch import nn
from torch.nn import functional

from giqa.text.crops import HEIGHT
from giqa.text.damage import LEVELS

SEED = 20261129
LOOKED_AT = 200  # series
CLEAN = 3.0  # weight of a clean crop: as much as the damaged ones of its series twice over, so that doubt is no damage
ORDER = 0.5  # weight of the loss of order
CHANNELS = (20, 32, 64)


class Block(nn.Module):
    """Convolution and batch norm; added to what came in where the shape stays."""

    def __init__(self, before: int, after: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(after)
        self.added = before == after and stride == 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made = functional.relu(self.norm(self.convolution(x)))
        return made + x if self.added else made


class TextNetwork(nn.Module):
    """(n, 1, 48, w) to logits (n, len(LEVELS)): is the damage above each level?"""

    def __init__(self) -> None:
        super().__init__()
        low, mid, high = CHANNELS
        self.blocks = nn.ModuleList(
            [Block(1, low, 5, 2), Block(low, mid, 3, 2), Block(mid, mid), Block(mid, high, 3, 2), Block(high, high)]
        )
        self.blocks.append(Block(high, high))
        self.hidden = nn.Linear(2 * high, high)
        self.last = nn.Linear(high, len(LEVELS))

    def forward(self, x: torch.Tensor, widths: torch.Tensor | None = None) -> torch.Tensor:
        """`widths`: of each crop, where shorter ones are filled up with zeros on their right."""
        for block in self.blocks:
            x = block(x)
            if widths is not None:
                widths = (widths + block.convolution.stride[0] - 1) // block.convolution.stride[0]
                x = x * (torch.arange(x.shape[-1]) < widths[:, None])[:, None, None]
        count = x.shape[2] * (x.shape[3] if widths is None else widths[:, None])
        pooled = torch.cat([x.sum((2, 3)) / count, x.amax((2, 3))], dim=1)
        return self.last(functional.relu(self.hidden(pooled)))


class Crops:
    """Crops of all shards in memory, as bytes."""

    def __init__(self, folder: Path) -> None:
        shards = [dict(np.load(file)) for file in sorted(folder.glob("series-??????.npz"))]
        self.ink = np.concatenate([shard["ink"] for shard in shards])
        self.widths = np.concatenate([shard["widths"] for shard in shards])
        self.strengths = np.concatenate([shard["strengths"] for shard in shards])
        self.kinds = np.concatenate([shard["kinds"] for shard in shards])
        ends = np.cumsum(self.widths.ravel())
        self.starts = (ends - self.widths.ravel()).reshape(self.widths.shape)

    def __len__(self) -> int:
        return len(self.widths)

    def batch(self, rows: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Inputs (n * MEMBERS, 1, 48, w), widths, strengths (n, MEMBERS)."""
        widths = self.widths[rows].ravel()
        x = np.zeros((len(widths), 1, HEIGHT, widths.max()), np.float32)
        for i, (start, width) in enumerate(zip(self.starts[rows].ravel(), widths, strict=True)):
            x[i, 0, :, :width] = as_floats(self.ink[start : start + width].T)
        return torch.from_numpy(x), torch.from_numpy(widths), torch.from_numpy(self.strengths[rows])


def batches(crops: Crops, rows: np.ndarray, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Series of about the same width together, in random order."""
    rows = rng.permutation(rows)
    for part in np.array_split(rows, max(1, len(rows) // (size * 32))):
        part = part[np.argsort(crops.widths[part].max(1), kind="stable")]
        some = [part[i : i + size] for i in range(0, len(part) - size + 1, size)]
        yield from (some[i] for i in rng.permutation(len(some)))


def loss(logits: torch.Tensor, strengths: torch.Tensor) -> torch.Tensor:
    """Above each level or not; and in a series more damage means more."""
    above = (strengths[..., None] > torch.tensor(LEVELS)).float()
    logits = logits.view(*strengths.shape, -1)
    weight = torch.where(strengths > 0, 1.0, CLEAN)[..., None]
    levels = (functional.binary_cross_entropy_with_logits(logits, above, reduction="none") * weight).mean()
    mean = logits.mean(-1)
    more = strengths[:, :, None] > strengths[:, None, :]
    return levels + ORDER * functional.softplus(mean[:, None, :] - mean[:, :, None])[more].mean()


def train(folder: Path, size: int, file: Path, minutes: float, rate: float = 3e-3) -> TextNetwork:
    """AdamW until the time is over, its rate going down by the clock; the first LOOKED_AT series are only looked at."""
    torch.manual_seed(SEED)
    network = TextNetwork()
    if file.exists():
        network.load_state_dict(torch.load(file, weights_only=True))
    workers, worker = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    if workers > 1:
        torch.distributed.init_process_group("gloo")
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
    start, steps, said, crops = time.time(), 0, [], Crops(folder)
    rng = np.random.default_rng((SEED, worker))
    while True:
        mine = np.arange(LOOKED_AT + worker, len(crops), workers)
        for some in batches(crops, mine, size, rng):
            done = torch.tensor((time.time() - start) / (60 * minutes))
            if workers > 1:
                torch.distributed.broadcast(done, 0)  # all of them stop at the same step
            if done >= 1:
                return network
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1.0, (steps + 1) / 100) * float(0.5 + 0.5 * torch.cos(torch.pi * done)) + 1e-5
            network.train()
            optimizer.zero_grad()
            x, widths, strengths = crops.batch(some)
            value = loss(network(x, widths), strengths)
            value.backward()
            if workers > 1:
                together = torch.cat([parameter.grad.ravel() for parameter in network.parameters()])
                torch.distributed.all_reduce(together)  # in one message: each waits for all processes
                parts = together.div(workers).split([parameter.numel() for parameter in network.parameters()])
                for parameter, part in zip(network.parameters(), parts, strict=True):
                    parameter.grad = part.view_as(parameter)
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            steps, said = steps + 1, [*said[-49:], value.item()]
            if steps % 50 == 0 and worker == 0:
                torch.save(network.state_dict(), file)
                found = look(network, crops) if steps % 200 == 0 else ""
                passed = time.time() - start
                print(
                    f"{passed:.0f} s, step {steps}, {len(crops)} series, loss {np.mean(said):.4f} {found}", flush=True
                )
        crops = Crops(folder)


@torch.inference_mode()
def look(network: TextNetwork, crops: Crops) -> str:
    """AUC of clean against lightly damaged, and order within series, on the series that are only looked at."""
    network.eval()
    rows = np.arange(LOOKED_AT)
    said = []
    for some in np.array_split(rows, 20):
        x, widths, _ = crops.batch(some)
        said.append(network(x, widths).sigmoid().mean(1).view(len(some), MEMBERS).numpy())
    found = np.concatenate(said)
    plain, nuisance, light, more, most = found.T
    auc = [(one[:, None] < other[None]).mean() for one, other in ((plain, light), (nuisance, light), (plain, more))]
    order = ((plain < light).mean() + (light < more).mean() + (more < most).mean()) / 3
    return f"AUC light {auc[0]:.3f}, from nuisance {auc[1]:.3f}, more {auc[2]:.3f}; in order {order:.3f}"


def logits(graph: Graph, x: str, network: TextNetwork) -> str:
    """The network as nodes of a graph."""
    for block in network.blocks:
        made = graph.add("Relu", graph.convolution(x, block.convolution, block.norm))
        x = graph.add("Add", made, x) if block.added else made
    pooled = [graph.add(f"Reduce{how}", x, axes=[2, 3], keepdims=0) for how in ("Mean", "Max")]
    hidden = graph.add("Relu", graph.linear(graph.add("Concat", *pooled, axis=1), network.hidden))
    return graph.linear(hidden, network.last)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("text.pt"))
    parser.add_argument("--series-a-batch", type=int, default=12)
    parser.add_argument("--minutes", type=float, default=60)
    options = parser.parse_args()
    network = train(options.data, options.series_a_batch, options.out, options.minutes)
    if os.environ.get("RANK", "0") == "0":
        torch.save(network.state_dict(), options.out)


if __name__ == "__main__":
    main()
