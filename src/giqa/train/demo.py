"""`giqa demo gan`: from snapshots to a learned score, to its use in the loss and as a picker, on toy pictures."""

from __future__ import annotations

import csv
import html
import io
from pathlib import Path
from typing import Any

import numpy as np

from .. import pipeline
from ..files import replace_file
from ..gan.picker import pick
from ..images.toy import landscape
from ..types import Progress
from .gan import sample_pictures, train_gan
from .network import train_network

SIZE, REALS, SNAPSHOTS, EACH = 32, 300, 6, 32
SETTINGS = {"size": SIZE, "batch": 32, "each": EACH, "gamma": 1.0, "ema": 0.99, "rate": 2e-3}
SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
RESAMPLES = 1000


def demo_gan(
    out: str | Path, steps: int = 600, pictures: int = 200, seed: int = 0, progress: Progress | None = None
) -> Path:
    """Train a GAN on toy landscapes, learn MBC from its snapshots, go on with and without OHEM, pick; a report.

    `out` gets plain/ and ohem/ (the trainings), mbc.safetensors, curve.csv, curve.html (mean z against the share kept)
    and report.html (the pictures of the OHEM arm, ranked). Both arms take half as many steps again from the same
    checkpoint. z is that of `giqa.score` with its default extractor and scorer against the reals, not of the score
    that weighted the loss. So few steps prove nothing about OHEM; the demo shows how the parts fit together.
    """
    out = Path(out)
    reals = np.stack([landscape(np.random.default_rng((seed, i)), SIZE) for i in range(REALS)])
    options: dict[str, Any] = SETTINGS | {"seed": seed, "progress": progress}
    every = max(1, steps // SNAPSHOTS)
    train_gan(reals, out / "start", steps=steps, every=every, **options)
    mbc = out / "mbc.safetensors"
    if not mbc.exists():
        small = {"load": SIZE, "crop": SIZE - 4, "epochs": 6, "n_heads": SNAPSHOTS, "seed": seed, "progress": progress}
        train_network("mbc", out / "start" / "snapshots" / "snapshots.csv", mbc, **small)
    arms = {"plain": {}, "ohem": {"quality": mbc}}
    model = pipeline.fit(reals, seed=seed, progress=progress)
    curve = []
    for name, more in arms.items():
        where = {"steps": steps + steps // 2, "every": every, "start": out / "start"}
        train_gan(reals, out / name, **where, **options, **more)
        made = sample_pictures(out / name, pictures, seed=seed + 1)
        report = {"report": out / "report.html", "real": reals} if name == "ohem" else {}
        scores = pipeline.score(made, model=model, progress=progress, **report)
        np.savez_compressed(out / name / "pictures.npz", images=made)
        curve += [(name, share, *mean_z(scores.z, scores.score, share)) for share in SHARES]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("arm", "share_kept", "mean_z", "low", "high"), *curve])
    replace_file(out / "curve.csv", text.getvalue().encode())
    replace_file(out / "curve.html", page(curve, _weighted(out / "ohem")).encode())
    return out


def mean_z(z: np.ndarray, scores: np.ndarray, share: float) -> tuple[float, float, float]:
    """Mean z of the best share of the pictures, and its 95 % interval by bootstrap over all of them, picked anew."""
    rng = np.random.default_rng(0)
    means = []
    for _ in range(RESAMPLES):
        rows = rng.integers(len(z), size=len(z))
        means.append(z[rows][pick(scores[rows], keep=share)].mean())
    low, high = np.percentile(means, [2.5, 97.5])
    return round(float(z[pick(scores, keep=share)].mean()), 4), round(float(low), 4), round(float(high), 4)


def page(curve: list[tuple], weighted: list[tuple[int, float]]) -> str:
    """One HTML page that loads nothing: the picker curve of both arms, and the share that OHEM weighted over time."""
    arms = list(dict.fromkeys(row[0] for row in curve))
    low, high = min(row[3] for row in curve), max(row[4] for row in curve)
    span = max(high - low, 1e-9)
    colours = dict(zip(arms, ("#4a5568", "#c05621"), strict=False))

    def place(share: float, z: float) -> str:
        return f"{60 + 900 * (share - 0.5):.1f},{20 + 240 * (high - z) / span:.1f}"

    drawn = []
    for arm in arms:
        rows = [row for row in curve if row[0] == arm]
        around = [place(r[1], r[3]) for r in rows] + [place(r[1], r[4]) for r in reversed(rows)]
        drawn.append(f'<polygon points="{" ".join(around)}" fill="{colours[arm]}" opacity=".15"/>')
        line = " ".join(place(r[1], r[2]) for r in rows)
        drawn.append(f'<polyline points="{line}" fill="none" stroke="{colours[arm]}" stroke-width="2"/>')
    marks = [f'<text x="{60 + 900 * (s - 0.5):.0f}" y="285" text-anchor="middle">{s:.0%}</text>' for s in SHARES]
    marks += [
        f'<text x="52" y="{20 + 240 * (high - z) / span + 4:.0f}" text-anchor="end">{z:.2f}</text>' for z in (low, high)
    ]
    table = "".join(
        f"<tr><td>{html.escape(arm)}</td><td>{share:.0%}</td><td>{z:+.2f}</td><td>{a:+.2f} .. {b:+.2f}</td></tr>"
        for arm, share, z, a, b in curve
    )
    steps = "".join(f"<tr><td>{step}</td><td>{share:.1%}</td></tr>" for step, share in weighted)
    key = ", ".join(f'<b style="color:{colours[arm]}">{arm}</b>' for arm in arms)
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>giqa demo gan</title>
<style>body{{font:15px/1.5 system-ui;max-width:44rem;margin:2rem auto;padding:0 1rem}}text{{font-size:12px}}
td,th{{padding:0 .8rem 0 0;text-align:right}}</style>
<h1>Mean z against the share kept</h1>
<p>{key}; shaded: 95 % interval over pictures. z = 0 is like a typical real. A demo of how the parts fit together: one
seed and a few hundred steps say nothing about whether OHEM helps.</p>
<svg viewBox="0 0 560 300" role="img" aria-label="mean z against the share kept">{"".join(drawn + marks)}</svg>
<table><tr><th>arm</th><th>kept</th><th>mean z</th><th>interval</th></tr>{table}</table>
<h2>Share of pictures that OHEM weighted</h2><table><tr><th>step</th><th>share</th></tr>{steps}</table>
<p><a href="report.html">The pictures of the OHEM arm, ranked</a></p></html>
"""


def _weighted(folder: Path) -> list[tuple[int, float]]:
    """Step and weighted share, from the log."""
    with (folder / "log.csv").open(newline="", encoding="utf-8") as file:
        return [(int(row["step"]), float(row["weighted_share"])) for row in csv.DictReader(file)]
