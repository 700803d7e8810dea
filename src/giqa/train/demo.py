"""`giqa demo gan`: from snapshots to a learned score, to its use in the loss and as a picker, on toy pictures."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import pipeline
from ..chosen_layers import ChosenLayers
from ..curve import Point, charts_of, picker_curve, write_curve
from ..extraction import extract
from ..files import replace_file
from ..gan.picker import pick
from ..images.toy import landscape
from ..metrics.named import Diversity, Frechet
from ..types import Progress
from .demo_page import SHOWN, Strip, as_png, page
from .gan import sample_pictures, train_gan
from .network import train_network

SIZE, REALS, SNAPSHOTS, EACH = 32, 300, 6, 32
SETTINGS = {"size": SIZE, "batch": 32, "each": EACH, "gamma": 1.0, "ema": 0.99, "rate": 2e-3}
METRICS = {"fd": Frechet(), "ds": Diversity(splits=2)}  # fewer splits: seconds instead of a quarter of a minute


def demo_gan(
    out: str | Path, steps: int = 600, pictures: int = 200, seed: int = 0, progress: Progress | None = None
) -> Path:
    """Train a GAN on toy landscapes, learn MBC from its snapshots, go on with and without OHEM, pick; a report.

    `out` gets plain/ and ohem/ (the trainings), mbc.safetensors, curve.csv, curve.html (FD, QS and DS against the share
    kept, the best and worst pictures of both arms, the snapshots) and report.html (the pictures of the OHEM arm,
    ranked). Both arms take half as many steps again from the same checkpoint. z is that of `giqa.score` with its
    default extractor and scorer against the reals, not of the score that weighted the loss. So few steps prove nothing
    about OHEM; the demo shows how the parts fit together.
    """
    out = Path(out)
    reals = np.stack([landscape(np.random.default_rng((seed, i)), SIZE) for i in range(REALS)])
    options: dict[str, Any] = SETTINGS | {"seed": seed, "progress": progress}
    every = max(1, steps // SNAPSHOTS)
    train_gan(reals, out / "start", steps=steps, every=every, **options)
    mbc = out / "mbc.safetensors"
    if not mbc.exists() or mbc.with_suffix(".checkpoint").exists():  # the checkpoint goes last
        small = {"load": SIZE, "crop": SIZE - 4, "epochs": 6, "n_heads": SNAPSHOTS, "seed": seed, "progress": progress}
        train_network("mbc", out / "start" / "snapshots" / "snapshots.csv", mbc, **small)
    arms = {"plain": {}, "ohem": {"quality": mbc}}
    model = pipeline.fit(reals, seed=seed, progress=progress)
    extractor = pipeline.model_extractor(model)
    chosen = ChosenLayers(extract(reals, extractor).features, None, None, seed)
    points: list[Point] = []
    ranked = {}
    for name, more in arms.items():
        where = {"steps": steps + steps // 2, "every": every, "start": out / "start"}
        train_gan(reals, out / name, **where, **options, **more)
        made = sample_pictures(out / name, pictures, seed=seed + 1)
        report = {"report": out / "report.html", "real": reals} if name == "ohem" else {}
        scores = pipeline.score(made, model=model, progress=progress, **report)
        np.savez_compressed(out / name / "pictures.npz", images=made)
        ranked[name] = made[pick(scores.score, keep=1.0)], scores.z[pick(scores.score, keep=1.0)]
        fakes = chosen.fake(extract(made, extractor).features)
        points += picker_curve(chosen.real, fakes, scores.score, scores.z, how=name, metrics=METRICS, seed=seed)
    write_curve(out / "curve.csv", points)
    curve = [(p.how, p.share, p.values["qs"].value, *p.values["qs"].interval()) for p in points]
    others = [chart for chart in charts_of(points) if chart[0] != "QS"]
    text = page(curve, _weighted(out / "ohem", steps), _strips(out, ranked), others)
    replace_file(out / "curve.html", text.encode())
    return out


def _weighted(folder: Path, after: int) -> list[tuple[int, float]]:
    """Step and weighted share, from the log of the OHEM arm since its begin."""
    with (folder / "log.csv").open(newline="", encoding="utf-8") as file:
        rows = [(int(row["step"]), float(row["weighted_share"])) for row in csv.DictReader(file)]
    return [row for row in rows if row[0] > after]


def _strips(out: Path, ranked: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, list[Strip]]:
    """What the page shows: some reals and the same latents at each snapshot; the best and worst of both arms."""
    folder = out / "start" / "snapshots" / "start"
    stems = dict.fromkeys(path.name.rpartition("_")[0] for path in sorted(folder.glob("*.png")))
    shown = []
    for stem in ("real", *(stem for stem in stems if stem != "real")):
        files = sorted(folder.glob(f"{stem}_*.png"))[:SHOWN]
        shown.append(Strip("real" if stem == "real" else f"step {int(stem)}", [file.read_bytes() for file in files]))
    strips = {"snapshots": shown}
    for arm, (pixels, z) in ranked.items():
        strips[arm] = [
            Strip(name, list(map(as_png, pixels[rows])), [f"{value:+.1f}" for value in z[rows]])
            for name, rows in (("best", slice(SHOWN)), ("worst", slice(-SHOWN, None)))
        ]
    return strips
