"""The human model on votes: a truth that is known, and people's votes on pictures that are here.

    python benchmarks/human_model.py --data ../shared/data [--simulations 200] [--only faces,CIFAR,game,compression]

Distances: variant A on the embedded network's `mid` and `high`, variant C (17 x 17 places) on `low`. References: 400
real LFW faces of `lfw-dcgan` for faces, the 128 real tiles for CIFAR, 300 photographs of `imagenet-sample` else.

- faces, CIFAR: 400 pictures of the DCGAN's epochs 0 to 24 on faces, 400 of the two CIFAR runs. Raters are made up: on
  the logit scale, 3 (epoch/24)^(1/2) - 2, and a deviation of .5 a picture (`by epoch`). What the distances can tell of
  that, a logistic function fitted to it once, is another truth (`by distance`), which the model could have exactly.
  For each of the simulations 200 pictures get 3 votes each (or 1); fitted with `recommended` and 100 resamples, on the
  three distances, or with the z of seven layers beside them (`MultiLayer(levels=None).layer_z`, fitted on the same
  references). Reported of the other 200 pictures: how many of the 95 % intervals of p_real hold the picture's own
  probability, and their mean width; the same of the intervals of pictures like it (`own=False`); how many epochs' mean
  probabilities lie between the means of the intervals' ends; and the rank correlation of p with the truth. `other run`:
  the pictures of one CIFAR run have votes, and those of the other run are foretold.
- game: `detection-game`, 540 votes on pictures of six generators and on real ones. Each generator is left out in turn,
  with a sixth of the reals; mean log-likelihood of a vote, in nats, beside the constant answer and knowing the truth
  (the share of votes for reals and for generated in the rest). Interval: bootstrap over pictures.
- compression: `gan-compression-2afc`, wins in comparisons; each of 8 scenes left out in turn: Spearman within the
  scene, mean over scenes, and its bootstrap interval over scenes; accuracy of the 402 pairs. Each codec left out in
  turn: accuracy of the pairs in which it is, both pictures scored by the model that has not seen it.

Ablation: every layer alone, and all.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import time
from datetime import date
from pathlib import Path

import numpy as np
from intervals import over_pictures, over_splits
from scipy.stats import spearmanr

from giqa import __version__
from giqa.features.embedded import Embedded
from giqa.images import open_source
from giqa.images.decode import decode
from giqa.scorers.distances import LayerDistances
from giqa.scorers.human import HumanModel
from giqa.scorers.logistic import fit_logistic, log_likelihood, sigmoid
from giqa.scorers.multilayer import MultiLayer
from giqa.types import Features

TAPS = ("low", "mid", "high")


def pictures(where: str, most: int | None = None) -> tuple[list[np.ndarray], dict[str, list]]:
    """Pixels, and the columns of the table, of evenly spread rows."""
    source = open_source(where)
    rows = np.linspace(0, len(source) - 1, min(most or len(source), len(source))).round().astype(int)
    columns = {name: [values[i] for i in rows] for name, values in getattr(source, "columns", {}).items()}
    return [decode(source.raw(i)).pixels for i in rows], {**columns, "id": [source.ids[i] for i in rows]}


class Measure:
    """What pictures look like beside some references: distances of low, mid, high, and z of each layer."""

    def __init__(self, references: list[np.ndarray]):
        self.extractor, n = Embedded(), len(references)
        self.low = LayerDistances("C").fit((self.extractor.maps(p, ["low"]) for p in references), n)
        self.rest = LayerDistances().fit((self.extractor.maps(p, ["mid", "high"]) for p in references), n)
        pooled = self.pooled(references)
        self.layers = MultiLayer(levels=None).fit(pooled)
        self.names = self.layers.layer_names(pooled.layers)

    def __call__(self, wanted: list[np.ndarray]) -> Features:
        parts = []
        for start in range(0, len(wanted), 128):
            maps = [self.extractor.maps(p, TAPS) for p in wanted[start : start + 128]]
            parts.append(np.c_[self.low.sums(maps), self.rest.sums(maps)])
        pooled = self.pooled(wanted)
        columns = dict(zip([f"{tap}.distance" for tap in TAPS], np.concatenate(parts).T, strict=True))
        columns |= dict(zip([f"{name}.z" for name in self.names], self.layers.layer_z(pooled).T, strict=True))
        layers = {name: column[:, None] for name, column in columns.items()}
        return Features(pooled.ids, layers | {f"{name} pooled": layer for name, layer in pooled.layers.items()})

    def pooled(self, wanted: list[np.ndarray]) -> Features:
        rows = [self.extractor.prepare(p) for p in wanted]
        layers = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
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


def game(data: Path, measure: Measure) -> None:
    pixels, table = pictures(f"{data}/detection-game/labels.csv")
    votes, real = (np.array(table[name], float) for name in ("n", "n_real"))
    kind, generator = np.array(table["kind"]), np.array(table["generator"])
    made = [g for g in dict.fromkeys(generator[kind == "generated"])]
    distances, rng = measure(pixels), np.random.default_rng(0)
    fold = np.array([made.index(g) if k == "generated" else -1 for k, g in zip(kind, generator, strict=True)])
    fold[fold < 0] = rng.permutation(int((fold < 0).sum())) % len(made)
    results: dict[str, np.ndarray] = {}
    for name, columns in {**{tap: [i] for i, tap in enumerate(TAPS)}, "all layers": [0, 1, 2]}.items():
        results[f"human model, {name}"] = held_out(distances[:, columns], votes, real, fold)
    truth, constant = np.empty(len(votes)), np.empty(len(votes))
    for f in np.unique(fold):
        rest, out = fold != f, fold == f
        constant[out] = real[rest].sum() / votes[rest].sum()
        for which in ("real", "generated"):
            truth[out & (kind == which)] = real[rest & (kind == which)].sum() / votes[rest & (kind == which)].sum()
    results |= {"constant answer": constant, "knowing the truth": truth}
    for name, p in results.items():
        nats = np.array([log_likelihood(*map(np.atleast_1d, one)) for one in zip(p, real, votes, strict=True)])
        print(f"| {name} | {over_pictures(lambda a, n: -a.sum() / n.sum(), nats, votes)} |", flush=True)
    print(f"\n{len(votes)} pictures, {int(votes.sum())} votes, generators: {', '.join(made)}\n")


def held_out(distances: np.ndarray, votes: np.ndarray, real: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """p of each picture from a model that has not seen its fold; C is chosen with whole folds held out."""
    p = np.empty(len(votes))
    for f in np.unique(fold):
        out = fold == f
        model = HumanModel(resamples=1).fit(distances[~out], np.c_[votes, real][~out], groups=fold[~out])
        p[out] = model.p_real(distances[out])[0]
    return p


def compression(data: Path, measure: Measure) -> None:
    pixels, table = pictures(f"{data}/gan-compression-2afc/labels.csv")
    wins, met = (np.array(table[name], float) for name in ("wins", "appearances"))
    names = np.array(table["id"])
    scenes = np.array([name.partition("_")[0] for name in names])
    codecs = np.array([name.partition("_")[2].rpartition(".")[0] for name in names])
    distances, place = measure(pixels), {name: i for i, name in enumerate(names)}
    with (data / "gan-compression-2afc/pairs.csv").open() as file:
        pairs = [
            (place[r["left"]], place[r["right"]], int(r["votes_left"]), int(r["votes_right"]))
            for r in csv.DictReader(file)
        ]
    for name, columns in {**{tap: [i] for i, tap in enumerate(TAPS)}, "all layers": [0, 1, 2]}.items():
        scene_of, codec_of = (np.unique(g, return_inverse=True)[1] for g in (scenes, codecs))
        p = held_out(distances[:, columns], met, wins, scene_of)
        rho = np.array([spearmanr(p[scenes == s], (wins / met)[scenes == s]).statistic for s in np.unique(scenes)])
        unseen = []
        for codec in np.unique(codec_of):
            rest = codec_of != codec
            y = np.c_[met, wins][rest]
            model = HumanModel(resamples=1).fit(distances[rest][:, columns], y, groups=codec_of[rest])
            score = model.score_samples(distances[:, columns])
            unseen += [agreement(score, pair) for pair in pairs if codec in codec_of[list(pair[:2])]]
        cells = [over_pictures(np.mean, np.array(v)) for v in (rho, [agreement(p, pair) for pair in pairs], unseen)]
        print(f"| {name} | " + " | ".join(map(str, cells)) + " |", flush=True)
    print(f"\n{len(names)} pictures, {len(set(scenes))} scenes, {len(set(codecs))} codecs, {len(pairs)} pairs\n")


def agreement(score: np.ndarray, pair: tuple[int, int, int, int]) -> float:
    """Share of the votes on a pair that chose the picture with the higher score."""
    i, j, left, right = pair
    return (left if score[i] > score[j] else right) / (left + right)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--only", type=lambda text: text.split(","), default=["faces", "CIFAR", "game", "compression"])
    asked, start = parser.parse_args(), time.time()
    if {"faces", "CIFAR"} & set(asked.only):
        columns = ("truth", "votes a picture", "features", "own p held", "width", "held by those of pictures like it")
        columns += ("width", "mean of an epoch held", "Spearman, unlabelled")
        print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
        for name, reals, fakes in (
            ("faces", "lfw-dcgan/labels.csv[kind=real]", "lfw-dcgan-progress/labels.csv[kind=generated]"),
            (
                "CIFAR",
                "cifar10-dcgan-progress/labels.csv[kind=real]",
                "cifar10-dcgan-progress/labels.csv[kind=generated]",
            ),
        ):
            if name not in asked.only:
                continue
            measure = Measure(pictures(f"{asked.data}/{reals}", 400)[0])
            pixels, table = pictures(f"{asked.data}/{fakes}", 400)
            simulated(name, measure(pixels), table, asked.simulations)
        print()
    if {"game", "compression"} & set(asked.only):
        measure = Measure(pictures(f"{asked.data}/imagenet-sample/labels.csv", 300)[0])
        if "game" in asked.only:
            print("| detection-game | nats a vote, lower is better |\n|---|---|")
            game(asked.data, measure)
        if "compression" in asked.only:
            columns = ("gan-compression", "Spearman, scene left out", "pairs, scene left out", "pairs, codec left out")
            print(f"| {' | '.join(columns)} |\n|---|---|---|---|")
            compression(asked.data, measure)
    print(
        f"giqa {__version__}, {date.today()}, {os.cpu_count()} cores {platform.machine()}, {time.time() - start:.0f} s"
    )


if __name__ == "__main__":
    main()
