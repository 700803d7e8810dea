"""GIQA's Table 4 and Table 3 at a size that a CPU can train: does OHEM help, and does the picker?

    python -m benchmarks.train.ohem_and_picker train WORK
    python -m benchmarks.train.ohem_and_picker measure WORK
    python -m benchmarks.train.ohem_and_picker report WORK

Needs: giqa[torch]; lfw-dcgan and lfw-faces-250 of --data.
Takes: train about an hour of one core, measure a quarter of an hour, report seconds; each goes on when stopped.

Data: the 1,794 LFW faces of lfw-dcgan (real ones) and lfw-faces-250, the middle 60 % of each at 32 px. 600 drawn at
random are held out of everything that learns and are what FD, QS and DS are measured against; 1,194 train.

Design, for each of three seeds:
- start: `giqa train gan` with width 16, batch 32, rate 0.002 and R1 of 0.2 for 10,000 steps, a snapshot of 100 pictures
  every 500. Has it settled? FD to the held-out reals (800 pictures a snapshot) must change by less than 2 % along the
  line through its last quarter; that is printed whether it holds or not.
- MBC (8 heads, from the pixels, 32 px) learns from the snapshots of `start`.
- plain, ohem: 4,000 further steps from the same checkpoint, with the same batches and latents; ohem gives weight 2 to
  the fakes whose MBC score is below the running fifth of recent ones.
- random: weight 2 to a fifth that has nothing to do with quality, which says what a larger loss on fakes does alone.
  percentile: weight 2 below the fifth of held-out reals' scores (those that MBC did not learn from).
- +picker: the best 90 % of 3,000 pictures by GMM, fitted on the training faces; 1,500 of those.

FD is on the layer `content` of the default extractor, QS is the mean z of its default scorer, DS by the log-density of
one Gaussian: all against the 600 faces that neither GAN, MBC nor GMM has seen, and none is what OHEM was trained with.
Of every arm 1,500 pictures are judged, from latents of the same seed for all arms. Rate and R1 were chosen on 1,500
steps of `plain` alone, by KD to the held-out reals (of 0.001 with 2, 0.002 with 1, 0.2, 0.05).
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image

from benchmarks.data import rows_of
from benchmarks.shared import command, results, say
from giqa.files import replace_file

SEEDS = (0, 1, 2)
STEPS, MORE, EVERY, EACH = 10_000, 4_000, 500, 100
HELD_OUT, SIDE, MARGIN = 600, 32, 0.2  # of each side, cut off: what is left is the face
GAN: dict[str, Any] = {"size": SIDE, "batch": 32, "width": 16, "rate": 2e-3, "gamma": 0.2, "ema": 0.998}
MBC: dict[str, Any] = {"load": SIDE, "crop": 28}


def faces(data: Path) -> np.ndarray:
    """All LFW faces at hand, the middle of each, uint8 (1794, 32, 32, 3)."""
    folder = data / "lfw-dcgan"
    files = [folder / row["image"] for row in rows_of(folder / "labels.csv") if row["kind"] == "real"]
    found = []
    for path in [*files, *sorted((data / "lfw-faces-250").glob("*.jpg"))]:
        picture = Image.open(path).convert("RGB")
        edge = round(picture.width * MARGIN)
        middle = picture.crop((edge, edge, picture.width - edge, picture.height - edge))
        found.append(np.asarray(middle.resize((SIDE, SIDE), Image.Resampling.BICUBIC)))
    return np.stack(found)


def prepare(work: Path, data: Path) -> None:
    """WORK/faces.npz: `learned` (1194, 32, 32, 3) and `held_out` (600, 32, 32, 3), drawn at random."""
    if not (work / "faces.npz").exists():
        found = faces(data)
        order = np.random.default_rng(0).permutation(len(found))
        work.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(work / "half.npz", learned=found[order[HELD_OUT:]], held_out=found[order[:HELD_OUT]])
        (work / "half.npz").rename(work / "faces.npz")


def learn(reals: np.ndarray, folder: Path, first: int, last: int, **options: Any) -> None:
    """Train to each snapshot in turn, and keep the generator of each: FOLDER/at-STEP/generator.safetensors."""
    from giqa.train.gan import train_gan

    for step in range(first + EVERY, last + 1, EVERY):
        kept = folder / f"at-{step:06d}" / "generator.safetensors"
        if not kept.exists():
            begun = time.process_time()
            train_gan(reals, folder, steps=step, every=EVERY, each=EACH, **GAN, **options)
            kept.parent.mkdir(exist_ok=True)
            replace_file(kept, (folder / "generator.safetensors").read_bytes())
            log = (folder / "log.csv").read_text().splitlines()[-1]
            say(f"{folder}: {log}, {time.process_time() - begun:.0f} s of processor time")


def train(work: Path, seeds: list[int], controls: bool) -> None:
    """All trainings, a seed after the other; the arms that only explain last."""
    from giqa.model.load_model import load
    from giqa.train.network import train_network

    reals = np.load(work / "faces.npz")["learned"]
    for seed in seeds:
        folder = work / f"seed-{seed}"
        mbc = folder / "mbc.safetensors"
        learn(reals, folder / "start", 0, STEPS, seed=seed)
        if not mbc.with_suffix(".giqa").exists():
            train_network("mbc", folder / "start" / "snapshots" / "snapshots.csv", mbc, seed=seed, **MBC)
            say(f"{mbc} learned")
        after: dict[str, Any] = {"first": STEPS, "last": STEPS + MORE, "start": folder / "start", "seed": seed}
        learn(reals, folder / "plain", **after)
        learn(reals, folder / "ohem", **after, quality=mbc)
    for seed in seeds if controls else ():
        folder = work / f"seed-{seed}"
        after = {"first": STEPS, "last": STEPS + MORE, "start": folder / "start", "seed": seed}
        after["quality"] = folder / "mbc.safetensors"
        with patch("giqa.train.gan.frozen_scorer", lambda *_: by_chance):
            learn(reals, folder / "random", **after)
        fifth = float(np.quantile(load(folder / "mbc.giqa").scale.held_out, 0.2))
        learn(reals, folder / "percentile", **after, threshold=fifth)


def by_chance(pictures: Any) -> Any:
    """A score that every picture has, always the same, and that says nothing of it: digits far behind the point."""
    return pictures.double().sum((1, 2, 3)) * 1e5 % 1


def main() -> None:
    parser = command(__file__, __doc__, "data")
    parser.add_argument("what", choices=("train", "measure", "report"), help="in this order; each goes on when stopped")
    parser.add_argument("work", type=Path, help="a folder")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--no-controls", action="store_true", help="without the arms random and percentile")
    given = parser.parse_args()
    import torch

    from benchmarks.train import _tables

    torch.set_num_threads(1)
    prepare(given.work, given.data)
    if given.what == "train":
        train(given.work, list(given.seeds), not given.no_controls)
    elif given.what == "measure":
        _tables.measure(given.work, list(given.seeds))
    else:
        with results(given):
            _tables.report(given.work, list(given.seeds))


if __name__ == "__main__":
    main()
