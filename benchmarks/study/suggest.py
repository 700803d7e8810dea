"""Does choosing which pictures to label next beat random choice? Labels are revealed as they are asked for.

    python -m benchmarks.study.suggest --seeds 2 --only game,compression

Needs: lfw-dcgan-progress, cifar10-dcgan-progress, lfw-dcgan, detection-game and gan-compression-2afc of --data.
Takes: 1 to 7 minutes a set, of which there are six.

Each method chooses 20 pictures, then more up to 40, 60, 100, 160 and 240 (as far as the pool reaches), each time from
what has been labelled so far. The learner is the same for all, `giqa.study.acquisition.learned`: logistic regression
on 64 principal directions of the default features. A quarter of the pictures is held out at random and never offered;
everything is measured there.

- faces: 1,600 pictures of `lfw-dcgan-progress`, epochs 0 to 24. CIFAR: 1,600 of both runs of `cifar10-dcgan-progress`.
  lfw-dcgan: 978 real faces and 1,000 of a trained DCGAN. Raters are made up: on the logit scale, 3 (epoch/24)^(1/2) - 2
  (for lfw-dcgan 1.5 for reals, -1 for generated), and a deviation of 0.5 a picture; three votes on each picture.
  rare: the same with 50 of the reals, where choosing should pay.
- game: `detection-game`, the real votes of 355 pictures, 540 in all, real ones among them.
- compression: `gan-compression-2afc`, 77 pictures: 5 of the about 300 comparisons of each, drawn without replacement;
  held out: all of them.

unsure: p (1 - p) of the model, largest first, after 20 at random; coverage and both are those of
`giqa.study.acquisition.choose`.
Methods were made on other seeds of `faces` than those that are reported.

Figures: nats a vote (higher is better) and AUROC of votes, on what is held out, and less what random choice gets with
the same seed, the same held-out pictures and the same votes; 95 % interval of the mean over seeds (t).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.data import raters
from benchmarks.intervals import student
from benchmarks.shared import command, head, names, results, row
from giqa.features.reader import extract
from giqa.images import open_source
from giqa.images.copies import twins
from giqa.stats import sigmoid
from giqa.study.acquisition import NEAR, choose, directions, learned

FIRST = 100  # seeds below were used while the methods were made
RARE = 50  # reals among a thousand fakes
SETS = {
    "faces": "lfw-dcgan-progress/labels.csv[kind=generated]",
    "CIFAR": "cifar10-dcgan-progress/labels.csv[kind=generated]",
    "lfw-dcgan": "lfw-dcgan/labels.csv",
    "rare": "lfw-dcgan/labels.csv",
    "game": "detection-game/labels.csv",
    "compression": "gan-compression-2afc/labels.csv",
}
STEPS = (20, 40, 60, 100, 160, 240)
WAYS = ("random", "unsure", "coverage", "both")


def data_set(name: str, data: Path, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Points, twins, and votes of each picture, (votes, real) to be revealed and to be judged by, both (n, 2)."""
    source = open_source(f"{data}/{SETS[name]}")
    features = extract(source, None).features
    assert features.ids == tuple(source.ids)
    columns = source.columns
    points, copies = directions(features.matrix()), twins(features.info)
    if name == "game":
        votes = np.array([columns["n"], columns["n_real"]], float).T
        return points, copies, votes, votes
    if name == "compression":
        wins, met = np.array(columns["wins"], int), np.array(columns["appearances"], int)
        return points, copies, np.c_[np.full(len(met), 5), rng.hypergeometric(wins, met - wins, 5)], np.c_[met, wins]
    if name in ("lfw-dcgan", "rare"):
        real = np.array(columns["kind"]) == "real"
        logits = np.where(real, 1.5, -1.0)
        if name == "rare":
            some = np.sort(np.r_[np.flatnonzero(~real), rng.permutation(np.flatnonzero(real))[:RARE]])
            points, copies, logits = points[some], copies[some], logits[some]
    else:
        logits = raters(columns["epoch"])
    p = sigmoid(logits + 0.5 * rng.normal(size=len(points)))
    n = len(p)
    return points, copies, np.c_[np.full(n, 3), rng.binomial(3, p)], np.c_[np.full(n, 1.0), p]


def figures(p: np.ndarray, votes: np.ndarray) -> tuple[float, float]:
    """Nats a vote, and AUROC of votes (weighted by how many there are)."""
    n, real = votes.T
    p = np.clip(p, 1e-6, 1 - 1e-6)
    nats = float((real * np.log(p) + (n - real) * np.log1p(-p)).sum() / n.sum())
    order = np.argsort(p, kind="stable")
    fakes = (n - real)[order]
    below = np.cumsum(fakes) - fakes / 2
    return nats, float((real[order] * below).sum() / (real.sum() * fakes.sum()))


def run(name: str, data: Path, seed: int) -> dict[str, dict[int, tuple[float, float]]]:
    """Way -> labels -> figures, one seed."""
    rng = np.random.default_rng(seed)
    points, copies, votes, truth = data_set(name, data, rng)
    out = rng.random(len(points)) < 0.25
    pool, held = np.flatnonzero(~out), np.flatnonzero(out)
    found: dict[str, dict[int, tuple[float, float]]] = {}
    for way in WAYS:
        labelled, doubt, found[way] = np.empty(0, int), None, {}
        for step in STEPS:
            if step > 0.8 * len(pool):
                break
            method = way if len(labelled) else "random" if way == "unsure" else way.replace("both", "coverage")
            options = {"twins": copies[pool], "seed": 1000 * seed + step, "doubt": doubt}
            new = choose(points[pool, :NEAR], step - len(labelled), labelled=labelled, method=method, **options)
            labelled = np.r_[labelled, new]
            y = votes[pool[labelled]]
            if not 0 < y[:, 1].sum() < y[:, 0].sum():
                doubt = np.ones(len(pool))
                continue
            p = learned(points, pool[labelled], y, seed)
            doubt = (p * (1 - p))[pool]
            found[way][step] = figures(p[held], truth[held])
    return found


def report(name: str, runs: list[dict[str, dict[int, tuple[float, float]]]]) -> None:
    """A table for each figure."""
    for at, figure in enumerate(("nats a vote", "AUROC")):
        steps = [step for step in STEPS if all(step in one["random"] for one in runs)]
        head(f"{name}, {figure}", *steps)
        base = np.array([[one["random"][step][at] for step in steps] for one in runs])
        row("random", *(f"{value:.4f}" for value in base.mean(axis=0)))
        for way in WAYS[1:]:
            there = np.array([[one[way].get(step, (np.nan, np.nan))[at] for step in steps] for one in runs])
            row(way, *(f"{student(gaps[np.isfinite(gaps)]):+.4f}" for gaps in (there - base).T))


def main() -> None:
    parser = command(__file__, __doc__, "data", "json")
    parser.add_argument("--seeds", type=int, default=20, help="of each set (%(default)s)")
    parser.add_argument("--only", type=names(*SETS), default=list(SETS), metavar="NAME,NAME", help=", ".join(SETS))
    options = parser.parse_args()
    with results(options):
        for name in options.only:
            runs = [run(name, options.data, seed) for seed in range(FIRST, FIRST + options.seeds)]
            options.figures[name] = runs
            report(name, runs)
        print(f"\n{options.seeds} seeds")


if __name__ == "__main__":
    main()
