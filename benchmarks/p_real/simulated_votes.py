"""The human model on made-up votes, whose truth is known; `real_votes.py` has those of people.

    python -m benchmarks.p_real.simulated_votes --data ../shared/data [--simulations 200] [--only faces,CIFAR]

Distances: variant A on the embedded network's `mid` and `high`, variant C (17 x 17 places) on `low`. References: 400
real LFW faces of `lfw-dcgan` for faces, the 128 real tiles for CIFAR.

- faces, CIFAR: 400 pictures of the DCGAN's epochs 0 to 24 on faces, 400 of the two CIFAR runs. Raters are made up: on
  the logit scale, 3 (epoch/24)^(1/2) - 2, and a deviation of .5 a picture (`by epoch`). What the distances can tell of
  that, a logistic function fitted to it once, is another truth (`by distance`), which the model could have exactly.
  For each of the simulations 200 pictures get 3 votes each (or 1); fitted with `recommended` and 100 resamples, on the
  three distances, or with the z of seven layers beside them (`MultiLayer(levels=None).layer_z`, fitted on the same
  references). Reported of the other 200 pictures: how many of the 95 % intervals of p_real hold the picture's own
  probability, and their mean width; the same of the intervals of pictures like it (`own=False`); how many epochs' mean
  probabilities lie between the means of the intervals' ends; and the rank correlation of p with the truth. `other run`:
  the pictures of one CIFAR run have votes, and those of the other run are foretold.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from benchmarks.intervals import over_splits
from giqa import __version__
from giqa.features.embedded import Embedded
from giqa.images import open_source
from giqa.images.decode import decode
from giqa.scorers.distances import LayerDistances
from giqa.scorers.human import HumanModel
from giqa.scorers.logistic import fit_logistic
from giqa.scorers.multilayer import MultiLayer
from giqa.stats import sigmoid
from giqa.types import Extractor, Features

TAPS = ("low", "mid", "high")
SETS = {"faces": ("lfw-dcgan", "lfw-dcgan-progress"), "CIFAR": ("cifar10-dcgan-progress", "cifar10-dcgan-progress")}


def pictures(where: str, most: int | None = None) -> tuple[list[np.ndarray], dict[str, list]]:
    """Pixels, and the columns of the table, of evenly spread rows."""
    source = open_source(where)
    rows = np.linspace(0, len(source) - 1, min(most or len(source), len(source))).round().astype(int)
    columns = {name: [values[i] for i in rows] for name, values in getattr(source, "columns", {}).items()}
    return [decode(source.raw(i)).pixels for i in rows], {**columns, "id": [source.ids[i] for i in rows]}


class Measure:
    """What pictures look like beside some references: distances of layers, z of layers, and pooled features.

    `taps`: the layers of the distances, those in `gridded` on 17 x 17 places.
    """

    def __init__(
        self,
        references: list[np.ndarray],
        extractor: Extractor | None = None,
        taps: Sequence[str] = TAPS,
        gridded: Sequence[str] = TAPS[:1],
    ):
        self.extractor, self.taps, n = extractor or Embedded(), taps, len(references)
        self.parts = {"C": list(gridded), "A": [tap for tap in taps if tap not in gridded]}
        self.parts = {variant: layers for variant, layers in self.parts.items() if layers}
        self.distances = {
            variant: LayerDistances(variant).fit((self.extractor.maps(p, layers) for p in references), n)
            for variant, layers in self.parts.items()
        }
        self.reals = self.pooled(references)
        self.layers = MultiLayer(levels=None).fit(self.reals)
        self.names = self.layers.layer_names(self.reals.layers)

    def __call__(self, wanted: list[np.ndarray]) -> Features:
        """Layers `tap.distance` and `layer.z`, (n, 1) each, and the pooled ones, each called `name pooled`."""
        found: dict[str, list[np.ndarray]] = {tap: [] for tap in self.taps}
        for start in range(0, len(wanted), 32):
            maps = [self.extractor.maps(p, self.taps) for p in wanted[start : start + 32]]
            for distances in self.distances.values():
                for tap, column in zip(distances.layers, distances.sums(maps).T, strict=True):
                    found[tap].append(column)
        pooled = self.pooled(wanted)
        columns = {f"{tap}.distance": np.concatenate(parts) for tap, parts in found.items()}
        columns |= dict(zip([f"{name}.z" for name in self.names], self.layers.layer_z(pooled).T, strict=True))
        layers = {name: column[:, None] for name, column in columns.items()}
        return Features(pooled.ids, layers | {f"{name} pooled": layer for name, layer in pooled.layers.items()})

    def pooled(self, wanted: list[np.ndarray]) -> Features:
        parts = [self.extractor(wanted[start : start + 16]) for start in range(0, len(wanted), 16)]
        layers = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        made_by = {"levels": dict(self.extractor.levels)}
        return Features(tuple(f"{i:04d}" for i in range(len(wanted))), layers, made_by=made_by)


def only(features: Features, *endings: str) -> Features:
    """Layers whose names end so."""
    return Features(features.ids, {name: x for name, x in features.layers.items() if name.endswith(endings)})


def simulated(name: str, features: Features, table: dict[str, list], simulations: int) -> None:
    epochs = np.array(table["epoch"], float)
    runs = np.unique(table["run"], return_inverse=True)[1]
    logits = 3 * np.sqrt(epochs / 24) - 2
    kinds = {"distances": only(features, ".distance"), "distances and z": only(features, ".distance", ".z")}
    x = np.log1p(kinds["distances"].matrix().astype(float))
    x = (x - x.mean(0)) / x.std(0)
    w = fit_logistic(x, sigmoid(logits), np.ones(len(x)))
    by_distance = np.tile(sigmoid(x @ w[1:] + w[0]), (simulations, 1))
    by_epoch = np.stack(
        [sigmoid(logits + 0.5 * np.random.default_rng(s).normal(size=len(x))) for s in range(simulations)]
    )
    cases = [("by distance", by_distance, 3, False), ("by epoch", by_epoch, 3, False), ("by epoch", by_epoch, 1, False)]
    cases += [("by epoch, other run", by_epoch, 3, True)] if len(np.unique(runs)) == 2 else []
    for truth_name, truths, voters, other_run in cases:
        for kind, of in kinds.items():
            rows = []
            for seed, truth in enumerate(truths):
                rng = np.random.default_rng(100_000 + seed)
                order = rng.permutation(len(x))
                order = np.r_[order[runs[order] == seed % 2], order[runs[order] != seed % 2]] if other_run else order
                fitted, rest = order[:200], order[200:]
                votes = np.c_[np.full(200, voters), rng.binomial(voters, truth[fitted])]
                model = HumanModel(resamples=100, seed=seed).fit(of.rows(fitted), votes)
                rows.append(recovered(model, of.rows(rest), truth[rest], epochs[rest]))
            own, width, like, narrow, means, rho = np.array(rows).T
            cells = [f"{name}, {truth_name}", voters, kind, over_splits(own), f"{width.mean():.3f}"]
            cells += [f"{like.mean():.3f}", f"{narrow.mean():.3f}", f"{means.mean():.3f}", over_splits(rho)]
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def recovered(model: HumanModel, features: Features, truth: np.ndarray, epochs: np.ndarray) -> tuple[float, ...]:
    """Share of intervals that hold the truth, and their width, of own p and of pictures like it; epochs; Spearman."""
    p, low, high = model.p_real(features)
    _, low_like, high_like = model.p_real(features, own=False)
    held = [low[e].mean() <= truth[e].mean() <= high[e].mean() for e in (epochs == one for one in np.unique(epochs))]
    return (
        np.mean((low <= truth) & (truth <= high)),
        np.mean(high - low),
        np.mean((low_like <= truth) & (truth <= high_like)),
        np.mean(high_like - low_like),
        np.mean(held),
        spearmanr(p, truth).statistic,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(SETS))
    asked, start = parser.parse_args(), time.time()
    columns = ("truth", "votes a picture", "features", "own p held", "width", "held by those of pictures like it")
    columns += ("width", "mean of an epoch held", "Spearman, unlabelled")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for name, (reals, fakes) in SETS.items():
        if name in asked.only:
            measure = Measure(pictures(f"{asked.data}/{reals}/labels.csv[kind=real]", 400)[0])
            pixels, table = pictures(f"{asked.data}/{fakes}/labels.csv[kind=generated]", 400)
            simulated(name, measure(pixels), table, asked.simulations)
    cores = f"{os.cpu_count()} cores {platform.machine()}"
    print(f"\ngiqa {__version__}, {date.today()}, {cores}, {time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
