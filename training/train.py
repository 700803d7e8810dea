"""Distil: the student's pooled taps have to foretell the teachers' layers, and what damage was done."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from network import ARTEFACTS, SIDE, TAPS, Heads, Student
from pictures import DAMAGES, dead_leaves
from teachers import SHARD

SEED = 20261121
BATCH, RATE, DECAY = 64, 2e-3, 0.05
CHECK = 1  # shards at the end that are only looked at
# what is foretold -> the outputs that foretell it, numbers kept of it, weight in the loss
LOW, MID, HIGH = (("low.mean", "low.std"), ("mid.mean", "mid.std"), ("high.mean", "high.std"))
WANTED = {
    "Conv2d_2b_3x3": (LOW, 96, 0.7),
    "Conv2d_4a_3x3": (LOW, 160, 0.7),
    "Mixed_5d": (MID, 256, 1.0),
    "Mixed_6b": (MID, 256, 1.0),
    "Mixed_6e": (HIGH, 256, 1.0),
    "Mixed_7a": (HIGH, 256, 1.0),
    "MobileNetV2": (HIGH, 256, 1.0),
    "damage": (("artefacts",), len(DAMAGES) + 1, 1.5),
}


@dataclass
class Target:
    """A layer of a teacher in its principal directions, each weighted by the root of its deviation: what is strong
    counts more, yet what is fine is not drowned."""

    mean: np.ndarray
    scale: np.ndarray
    directions: np.ndarray  # (channels, k)

    @classmethod
    def of(cls, rows: np.ndarray, k: int) -> Target:
        rows = rows.astype(np.float32)
        mean, scale = rows.mean(0), rows.std(0) + 1e-3
        values, vectors = np.linalg.eigh(np.cov(((rows - mean) / scale).T.astype(np.float64)))
        values, vectors = values[::-1][:k], vectors[:, ::-1][:, :k]
        vectors = vectors / np.maximum(values, 1e-6) ** 0.25  # the variance becomes its root
        vectors /= np.sqrt(np.maximum(values, 0)).mean() ** 0.5  # and 1 in the mean
        return cls(mean, scale, vectors.astype(np.float32))

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        return ((rows.astype(np.float32) - self.mean) / self.scale) @ self.directions


def train(work: Path, views: int, epochs: int, device: str) -> tuple[Student, Heads]:
    """The student and its heads after all epochs; resumes from the last epoch that was kept in `work`."""
    torch.manual_seed(SEED)
    pixels, targets = load(work, views)
    n = len(pixels) - CHECK * SHARD
    student = Student().to(device, memory_format=torch.channels_last)
    heads = heads_for({name: target.shape[1] for name, target in targets.items()}).to(device)
    both = torch.nn.ModuleList([student, heads])
    optimiser = torch.optim.AdamW(both.parameters(), RATE, weight_decay=DECAY)
    steps = epochs * (n // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda s: min((s + 1) / 500, 0.5 + 0.5 * math.cos(math.pi * min(1, s / steps)) + 1e-3)
    )
    kept = work / "student.pt"
    first = 0
    if kept.exists():
        state = torch.load(kept, weights_only=True)
        for part, name in ((both, "both"), (optimiser, "optimiser"), (schedule, "schedule")):
            part.load_state_dict(state[name])
        first = state["epoch"] + 1
    for epoch in range(first, epochs):
        order, start, lost = np.random.default_rng((SEED, epoch)).permutation(n), time.time(), []
        both.train()
        for i in range(0, n - BATCH + 1, BATCH):
            rows = np.sort(order[i : i + BATCH])
            with torch.autocast(device, torch.bfloat16):
                found = student(as_input(pixels[rows], device))
            loss = distance(heads({name: values.float() for name, values in found.items()}), targets, rows, device)
            total = sum(WANTED[name][2] * value for name, value in loss.items())
            optimiser.zero_grad(set_to_none=True)
            total.backward()
            torch.nn.utils.clip_grad_norm_(both.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            lost.append(float(total.detach()))
        states = {"both": both, "optimiser": optimiser, "schedule": schedule}
        torch.save({"epoch": epoch, **{name: part.state_dict() for name, part in states.items()}}, kept)
        known = explained(both, pixels[n:], {k: t[n:] for k, t in targets.items()}, device)
        shown = " ".join(f"{name} {value:.3f}" for name, value in known.items())
        seconds = f"{time.time() - start:.0f} s"
        print(f"epoch {epoch}: loss {np.mean(lost):.3f}, {seconds}, explained: {shown}", file=sys.stderr, flush=True)
    return student.eval(), heads.eval()


def heads_for(made: Mapping[str, int]) -> Heads:
    """Heads that foretell so many numbers of each target."""
    wide = {**{f"{tap}.{kind}": c for tap, (_, c) in TAPS.items() for kind in ("mean", "std")}, "artefacts": ARTEFACTS}
    return Heads({n: (seen, sum(wide[o] for o in seen), made[n]) for n, (seen, _, _) in WANTED.items()})


def untaught() -> tuple[Student, Heads]:
    """Random weights, with batch norm set on procedural pictures: what the architecture alone is worth."""
    torch.manual_seed(SEED)
    student, rng = Student().train(), np.random.default_rng(SEED)
    for block in student.modules():
        if isinstance(block, torch.nn.BatchNorm2d):
            torch.nn.init.ones_(block.weight)
    with torch.no_grad():
        for _ in range(20):
            student(as_input(np.stack([dead_leaves(rng, SIDE) for _ in range(16)]), "cpu"))
    return student.eval(), heads_for({name: kept for name, (_, kept, _) in WANTED.items()}).eval()


def load(work: Path, views: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """All views (n, 192, 192, 3) and targets, name -> (n, k) float32."""
    files = [np.load(work / f"views-{shard:03}.npz") for shard in range(views // SHARD)]
    pixels = np.concatenate([file["view"] for file in files])
    targets = {}
    for name, (_, k, _) in WANTED.items():
        parts = [f"{name}.mean", f"{name}.std"] if f"{name}.mean" in files[0] else [name]
        rows = np.concatenate([np.concatenate([file[part] for part in parts], axis=1) for file in files])
        if name == "damage":
            rows = rows.astype(np.float32)
            targets[name] = (rows - rows.mean(0)) / rows.std(0)
        else:
            targets[name] = Target.of(rows[: len(rows) - CHECK * SHARD], k)(rows)
    return pixels, targets


def as_input(pixels: np.ndarray, device: str) -> torch.Tensor:
    """uint8 (n, h, w, 3) to -1..1, (n, 3, h, w) channels last."""
    return torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def distance(
    guesses: dict[str, torch.Tensor], targets: dict[str, np.ndarray], rows: np.ndarray, device: str
) -> dict[str, torch.Tensor]:
    """Mean squared error of each target; 1 is what guessing the mean would cost."""
    return {
        name: F.mse_loss(guess.float(), torch.from_numpy(targets[name][rows]).to(device))
        for name, guess in guesses.items()
    }


@torch.inference_mode()
def explained(
    both: torch.nn.ModuleList, pixels: np.ndarray, targets: dict[str, np.ndarray], device: str
) -> dict[str, float]:
    """Share of the variance of each target that is foretold, on views never trained on."""
    both.eval()
    errors = []
    for i in range(0, len(pixels), BATCH):
        rows = np.arange(i, min(i + BATCH, len(pixels)))
        guesses = both[1](both[0](as_input(pixels[rows], device)))
        lost = distance(guesses, targets, rows, device)
        errors.append({name: float(value) * len(rows) for name, value in lost.items()})
    mean = {name: sum(error[name] for error in errors) / len(pixels) for name in targets}
    return {name: 1 - mean[name] / float((target - target.mean(0)).var()) for name, target in targets.items()}
