"""`giqa demo gan`: from snapshots to a learned score, to its use in the loss and as a picker, on toy pictures."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from .. import api
from ..compare.picker import pick
from ..compare.picker_curve import Point, picker_curve
from ..compare.picker_page import Strip, write_curve
from ..features.reader import extract
from ..features.select import ChosenLayers
from ..files import as_png
from ..images.toy import landscape
from ..metrics.frechet import Frechet
from ..metrics.quality import Diversity
from ..model.fit import fit
from ..model.model import model_extractor
from ..model.table import Scores
from ..train.gan import sample_pictures, train_gan
from ..train.network import train_network
from ..types import Progress

SIZE, REALS, SNAPSHOTS, EACH, SHOWN = 32, 300, 6, 32, 8
SETTINGS = {"size": SIZE, "batch": 32, "each": EACH, "gamma": 1.0, "ema": 0.99, "rate": 2e-3}
METRICS = {"fd": Frechet(), "ds": Diversity(splits=2)}  # fewer splits: seconds instead of a quarter of a minute
NOTES = (
    "A demo of how the parts fit together: one seed and a few hundred steps say nothing about whether OHEM helps.",
    "QS is the mean z (0 is like a typical real) of the scorer that picks, so it rises whatever the pictures are.",
)


def demo_gan(
    out: str | Path, steps: int = 600, pictures: int = 200, seed: int = 0, progress: Progress | None = None
) -> Path:
    """Train a GAN on toy landscapes, learn MBC from its snapshots, go on with and without OHEM, pick; a report.

    `out` gets plain/ and ohem/ (the trainings), mbc.safetensors, curve.csv, curve.html (FD, QS and DS against the share
    kept, the snapshots, the best and worst pictures of both arms) and report.html (the OHEM arm, ranked).
    Both arms take half as many steps again from the same checkpoint. z is that of `giqa.score` with its default
    extractor and scorer against the reals, not of the score that weighted the loss. So few steps prove nothing about
    OHEM; the demo shows how the parts fit together.
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
    model = fit(reals, seed=seed, progress=progress)
    extractor = model_extractor(model)
    chosen = ChosenLayers(extract(reals, extractor).features, None, None, seed)
    points: list[Point] = []
    strips = {"The snapshots that MBC learned from": _snapshots(out / "start" / "snapshots" / "start")}
    for name, more in arms.items():
        where = {"steps": steps + steps // 2, "every": every, "start": out / "start"}
        train_gan(reals, out / name, **where, **options, **more)
        made = sample_pictures(out / name, pictures, seed=seed + 1)
        report = {"report": out / "report.html", "real": reals} if name == "ohem" else {}
        scores = api.score(made, model=model, progress=progress, **report)
        np.savez_compressed(out / name / "pictures.npz", images=made)
        fakes = chosen.fake(extract(made, extractor).features)
        points += picker_curve(chosen.real, fakes, scores.score, scores.z, how=name, metrics=METRICS, seed=seed)
        strips[f"{name}: its best and worst pictures, with their z"] = _extremes(made, scores)
    write_curve(out / "curve.csv", points)
    weighted = [(str(step), f"{share:.1%}") for step, share in _weighted(out / "ohem", steps)]
    write_curve(
        out / "curve.html",
        points,
        NOTES,
        title="What the picker gains and costs",
        strips=strips,
        tables=[("Share of pictures that OHEM weighted", ("step", "share"), weighted)],
        links=[("report.html", "The pictures of the OHEM arm, ranked")],
        made_by={"extractor": model.extractor, "picked by and qs": model.made_by["scorer"], "seed": seed},
    )
    return out


def _weighted(folder: Path, after: int) -> list[tuple[int, float]]:
    """Step and weighted share, from the log of the OHEM arm since its begin."""
    with (folder / "log.csv").open(newline="", encoding="utf-8") as file:
        rows = [(int(row["step"]), float(row["weighted_share"])) for row in csv.DictReader(file)]
    return [row for row in rows if row[0] > after]


def _snapshots(folder: Path) -> list[Strip]:
    """Some reals, and the same latents at each snapshot."""
    stems = dict.fromkeys(path.name.rpartition("_")[0] for path in sorted(folder.glob("*.png")))
    found = []
    for stem in ("real", *(stem for stem in stems if stem != "real")):
        files = sorted(folder.glob(f"{stem}_*.png"))[:SHOWN]
        found.append(Strip("real" if stem == "real" else f"step {int(stem)}", [file.read_bytes() for file in files]))
    return found


def _extremes(pixels: np.ndarray, scores: Scores) -> list[Strip]:
    """The best and the worst pictures and their z."""
    ranked = pick(scores.score, keep=1.0)
    return [
        Strip(name, [as_png(pixels[row]) for row in rows], [f"{scores.z[row]:+.1f}" for row in rows])
        for name, rows in (("best", ranked[:SHOWN]), ("worst", ranked[-SHOWN:]))
    ]
