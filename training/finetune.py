"""Version 2: version 1, taught on what differs within narrow domains.

A teacher's layer counts in units of each domain's own spread (a root mean square over its undamaged views), so that
channels that hardly move within a domain still count, and the mean of each group of views is taken away. With it the
student learns how much of each damage was done, which of two views of a crop is damaged more, and to keep what version
1 said of content.
"""

from __future__ import annotations

import math
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import domains
import numpy as np
import onnx
import pictures
import torch
import torch.nn.functional as F
from network import ARTEFACTS, CONTENT, SIDE, TAPS, Block, Heads, Student
from onnx import numpy_helper
from torch import Tensor, nn

from giqa.features.embedded import Embedded
from giqa.features.inception import Inception
from giqa.features.resize import resize

SEED = 20261129
SHARD = 8  # domains a file
# teacher's layer -> tap that foretells it, principal directions kept, weight in the loss
LAYERS = {
    "Conv2d_2b_3x3": ("low", 48, 0.6),
    "Conv2d_4a_3x3": ("low", 128, 0.8),
    "Mixed_5b": ("mid", 128, 0.8),
    "Mixed_5d": ("mid", 256, 1.6),
    "Mixed_6b": ("mid", 192, 0.8),
}
KEPT = ("high.mean", "high.std", "content")  # of version 1
DAMAGE, SEVERITY, KEEP = 5.0, 0.3, 0.5  # weights in the loss
WITHIN = 0.85  # the rest of the weight is on the views as they are, their group's mean included
GROUP, DOMAINS = 16, 4  # views of a domain, and domains, in a batch
CHECKED = 8  # last domains that are only looked at
RATE, HEAD_RATE, DECAY = 1e-3, 3e-3, 0.02
PRIOR = 4  # views of unit spread that a domain's own spread is shrunk by; below `LEAST` it counts as that
LEAST, FEWEST = 0.25, 4


def cache(data: Path, weights: Path, wallpapers: Path, out: Path, n: int) -> None:
    """Write shards of views, and of what Inception and version 1 say of them; resumes."""
    missing = [s for s in range(n // SHARD) if not (out / f"domains-{s:03}.npz").exists()]
    if not missing:
        return
    out.mkdir(parents=True, exist_ok=True)
    sources = pictures.load_sources(data, wallpapers)
    file = weights / "inception_v3_2015_12_05_to_mixed_7a.safetensors"
    teachers = Inception(weights=file, layers=tuple(LAYERS)), Embedded(version=1, layers=["high", "content"])
    for shard in missing:
        start, parts = time.time(), []
        for index in range(shard * SHARD, (shard + 1) * SHARD):
            pixels, strengths = domains.views(index, sources)
            with ThreadPoolExecutor(2) as pool:
                small = list(pool.map(lambda p: resize(p, SIDE).round().clip(0, 255).astype(np.uint8), pixels))
                found = {"view": np.stack(small), "damage": strengths}
                for teacher, name in zip(teachers, ("", "own."), strict=True):
                    layers = teacher.run(list(pool.map(teacher.prepare, pixels)))
                    found |= {name + layer: rows.astype(np.float16) for layer, rows in layers.items()}
            parts.append(found)
        half = out / f"half-{shard:03}.npz"
        np.savez(half, **{name: np.stack([part[name] for part in parts]) for name in parts[0]})
        half.rename(out / f"domains-{shard:03}.npz")
        print(f"{shard + 1} of {n // SHARD} shards, {time.time() - start:.0f} s for this", file=sys.stderr, flush=True)


def read_network(path: Path) -> tuple[Student, Content]:
    """Student and content of a file that `export` wrote; its batch norms are what is left of them, a bias each."""
    arrays = [numpy_helper.to_array(a) for a in onnx.load(str(path)).graph.initializer]
    half = iter([a.astype(np.float32) for a in arrays if a.dtype == np.float16])
    scales = [a[0] for a in arrays if a.dtype == np.float32 and a.ndim == 2]
    student = Student()

    @torch.no_grad()
    def fill(layer: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
        layer.weight.copy_(torch.from_numpy(next(half).copy()))
        _as_shift(norm, np.ones(len(norm.weight), np.float32), next(half))

    def walk(module: nn.Module) -> None:
        if isinstance(module, Block):
            *inside, last, norm = module.inner
            for one in inside:
                walk(one)
            fill(last, norm)
        elif isinstance(module[0], nn.Conv2d):
            fill(module[0], module[1])
        else:
            for one in module:
                walk(one)

    for number, stage in enumerate(student.stages):
        walk(stage)
        for name in (name for name, (after, _) in TAPS.items() if after == number):
            walk(student.taps[name])
    norm, first, _, second = student.artefacts
    _as_shift(norm, *scales[:2])
    with torch.no_grad():
        for linear in (first, second):
            linear.weight.copy_(torch.from_numpy(next(half).T.copy()))
            linear.bias.copy_(torch.from_numpy(next(half).copy()))
    content = Content()
    with torch.no_grad():
        for i, (norm, linear) in enumerate(content.heads.values()):
            _as_shift(norm, *scales[2 + 2 * i : 4 + 2 * i])
            linear.weight.copy_(torch.from_numpy(next(half).T.copy()))
            linear.bias.copy_(torch.from_numpy(next(half).copy()))
    return student.eval(), content.eval()


def _as_shift(norm: nn.Module, scale: np.ndarray, shift: np.ndarray) -> None:
    with torch.no_grad():
        norm.weight.copy_(torch.from_numpy(scale.copy()))
        norm.bias.copy_(torch.from_numpy(shift.copy()))
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)


class Content(nn.Module):
    """The layer `content`: for each of two teachers a batch norm and a linear layer on the high tap."""

    def __init__(self) -> None:
        super().__init__()
        n = 2 * TAPS["high"][1]
        self.heads = nn.ModuleDict(
            {name: nn.Sequential(nn.BatchNorm1d(n), nn.Linear(n, made)) for name, made in CONTENT.items()}
        )

    def forward(self, found: dict[str, Tensor]) -> Tensor:
        seen = torch.cat([found["high.mean"], found["high.std"]], dim=1)
        return torch.cat([head(seen) for head in self.heads.values()], dim=1)


@dataclass
class Lessons:
    """What was kept of all domains, each (domains, views, ...)."""

    view: np.ndarray
    damage: np.ndarray
    targets: dict[str, np.ndarray]  # by layer, (domains, views, directions)
    spreads: dict[str, np.ndarray]  # by layer, (domains, directions)
    weights: dict[str, np.ndarray]  # by layer, (directions,)
    kept: dict[str, np.ndarray]

    @classmethod
    def load(cls, folder: Path) -> Lessons:
        """All shards of a folder."""
        files = [np.load(file) for file in sorted(folder.glob("domains-*.npz"))]

        def whole(name: str) -> np.ndarray:
            return np.concatenate([file[name] for file in files])

        damage = whole("damage")
        clean = damage.sum(axis=-1) == 0
        clean[clean.sum(axis=1) <= FEWEST] = True
        found = {layer: np.concatenate([whole(f"{layer}.mean"), whole(f"{layer}.std")], -1) for layer in LAYERS}
        parts = {layer: _directions(rows.astype(np.float32), clean, LAYERS[layer][1]) for layer, rows in found.items()}
        targets, spreads, weights = ({layer: part[i] for layer, part in parts.items()} for i in range(3))
        return cls(whole("view"), damage, targets, spreads, weights, {n: whole(f"own.{n}") for n in KEPT})

    def rows(self, arrays: dict[str, np.ndarray], some: list[tuple[int, np.ndarray]]) -> dict[str, Tensor]:
        """The views of some groups, of each array."""
        return {n: torch.from_numpy(np.concatenate([a[d][r] for d, r in some])).float() for n, a in arrays.items()}


def _directions(x: np.ndarray, clean: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A layer (domains, views, channels) in its principal directions within domains: targets, spreads, weights."""
    fitted = slice(0, len(x) - CHECKED)
    middles = np.stack([rows[ok].mean(0) for rows, ok in zip(x, clean, strict=True)])
    apart = np.stack([rows[ok].std(0) for rows, ok in zip(x, clean, strict=True)])
    unit = np.exp(np.log(apart[fitted] + 1e-3).mean(0))  # the typical domain's, which no wide domain decides
    within = ((x - middles[:, None]) / unit)[fitted] * clean[fitted][..., None]
    size = np.sqrt((within**2).sum((1, 2)) / np.maximum(clean[fitted].sum(1), 1) / x.shape[-1])
    rows = (within / np.maximum(size, 0.3)[:, None, None]).reshape(-1, x.shape[-1])
    values, vectors = np.linalg.eigh((rows.T @ rows).astype(np.float64) / clean[fitted].sum())
    values, vectors = values[::-1][:k], vectors[:, ::-1][:, :k].astype(np.float32)
    targets = ((x - x[fitted].mean((0, 1))) / unit) @ vectors / np.sqrt(values).astype(np.float32)
    spreads = [
        np.sqrt((ok.sum() * rows[ok].var(0) + PRIOR) / (ok.sum() + PRIOR))
        for rows, ok in zip(targets, clean, strict=True)
    ]
    weights = (values / values[0]) ** 0.15
    return targets.astype(np.float32), np.stack(spreads), (weights / weights.mean()).astype(np.float32)


class Teaching(nn.Module):
    """The student with all that training needs, and its loss."""

    def __init__(self, start: Path, lessons: Lessons):
        super().__init__()
        self.student, self.content = read_network(start)
        wanted = {layer: ((f"{tap}.mean", f"{tap}.std"), 2 * TAPS[tap][1], k) for layer, (tap, k, _) in LAYERS.items()}
        self.heads = Heads(wanted)
        self.damage, self.severity = nn.Linear(ARTEFACTS, lessons.damage.shape[2]), nn.Linear(ARTEFACTS, 1)
        spreads = {n: a.reshape(-1, a.shape[-1]).astype(np.float32).std(0) + 1e-3 for n, a in lessons.kept.items()}
        self.spreads = {n: torch.from_numpy(a) for n, a in spreads.items()}
        self.student.to(memory_format=torch.channels_last)

    def loss(self, lessons: Lessons, some: list[tuple[int, np.ndarray]]) -> Tensor:
        """Of groups of views: (domain, rows) each, pairs of less and more damage next to each other."""
        found = self.student(as_input(np.concatenate([lessons.view[d][rows] for d, rows in some])))
        found["content"] = self.content(found)
        wanted, made, total = lessons.rows(lessons.targets, some), self.heads(found), torch.zeros(())
        for layer, (_, k, weight) in LAYERS.items():
            spread = [np.repeat(np.maximum(lessons.spreads[layer][d], LEAST)[None], len(r), 0) for d, r in some]
            off = (made[layer] - wanted[layer]) / torch.from_numpy(np.concatenate(spread)).float()
            groups = off.view(len(some), -1, k)
            share = torch.from_numpy(lessons.weights[layer])
            for part, rest in ((WITHIN, groups - groups.mean(1, keepdim=True)), (1 - WITHIN, groups)):
                lost = F.huber_loss(rest, torch.zeros_like(rest), reduction="none", delta=2.0)
                total = total + weight * part * (lost * share).mean()
        strengths = lessons.rows({"damage": lessons.damage}, some)["damage"]
        total = total + DAMAGE * F.mse_loss(self.damage(found["artefacts"]), strengths)
        severity = self.severity(found["artefacts"])[:, 0]
        total = total + SEVERITY * F.softplus(severity[0::2] - severity[1::2]).mean()
        kept = lessons.rows(lessons.kept, some)
        return total + KEEP * sum(F.mse_loss(found[n] / s, kept[n] / s) for n, s in self.spreads.items())


def as_input(views: np.ndarray) -> Tensor:
    """uint8 (n, 192, 192, 3) as the student takes it."""
    x = torch.from_numpy(views).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
    return x.contiguous(memory_format=torch.channels_last)


def finetune(folder: Path, start: Path, kept: Path, epochs: int) -> Teaching:
    """Student, content and heads after all epochs; resumes from the last epoch that was kept."""
    torch.manual_seed(SEED)
    lessons = Lessons.load(folder)
    n, views = len(lessons.view) - CHECKED, lessons.view.shape[1]
    teaching = Teaching(start, lessons)
    head = [*teaching.heads.parameters(), *teaching.damage.parameters(), *teaching.severity.parameters()]
    body = [*teaching.student.parameters(), *teaching.content.parameters()]
    optimizer = torch.optim.AdamW([{"params": body, "lr": RATE}, {"params": head, "lr": HEAD_RATE}], weight_decay=DECAY)
    steps = epochs * (n // DOMAINS) * (views // GROUP)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / 100, 0.5 + 0.5 * math.cos(math.pi * min(1, s / steps)) + 1e-3)
    )
    parts, first = {"teaching": teaching, "optimizer": optimizer, "schedule": schedule}, 0
    if kept.exists():
        state = torch.load(kept, weights_only=True)
        first = state.pop("epoch") + 1
        for name, part in parts.items():
            part.load_state_dict(state[name])
    for epoch in range(first, epochs):
        began, rng = time.time(), np.random.default_rng((SEED, epoch))
        teaching.eval()  # its batch norms are shifts, and stay so
        teaching.heads.train()
        groups = [
            (d, np.sort(np.r_[2 * pairs, 2 * pairs + 1]))
            for d in range(n)
            for pairs in np.array_split(rng.permutation(views // 2), views // GROUP)
        ]
        order, lost = rng.permutation(len(groups)).tolist(), []
        for i in range(0, len(order) - DOMAINS + 1, DOMAINS):
            loss = teaching.loss(lessons, [groups[j] for j in order[i : i + DOMAINS]])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(teaching.parameters(), 2.0)
            optimizer.step()
            schedule.step()
            lost.append(loss.item())
        torch.save({name: part.state_dict() for name, part in parts.items()} | {"epoch": epoch}, kept)
        shares = ", ".join(f"{name} {share:.2f}" for name, share in foretold(teaching, lessons).items())
        print(f"epoch {epoch}: loss {np.mean(lost):.3f}, {shares}, {time.time() - began:.0f} s", file=sys.stderr)
    return teaching.eval()


@torch.inference_mode()
def foretold(teaching: Teaching, lessons: Lessons) -> dict[str, float]:
    """On the domains that are only looked at: of each layer the share of the variance within a domain that is foretold
    (median over directions), and the share of pairs whose damage is put in order."""
    teaching.eval()
    shares: dict[str, list[float]] = {}
    for d in range(len(lessons.view) - CHECKED, len(lessons.view)):
        found = teaching.student(as_input(lessons.view[d]))
        made = teaching.heads(found)
        for layer in LAYERS:
            target = lessons.targets[layer][d]
            left, all_of_it = (made[layer].numpy() - target).var(0), target.var(0) + 1e-9
            shares.setdefault(layer, []).append(float(np.median(1 - left / all_of_it)))
        severity = teaching.severity(found["artefacts"])[:, 0].numpy()
        shares.setdefault("severity", []).append(float((severity[1::2] > severity[0::2]).mean()))
    return {name: float(np.mean(values)) for name, values in shares.items()}
