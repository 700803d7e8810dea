"""Which layers the human model needs, and how many: an ablation where the truth is known, and on people's votes.

    python -m benchmarks.p_real.layers --simulations 2 --only faces

Needs: lfw-dcgan, lfw-dcgan-progress, imagenet-sample and detection-game of --data; for its table, the weights of
Inception (--inception, a file that may end early).
Takes: not measured as a whole; with --simulations 2 about 4 minutes.

- faces: 400 pictures of the DCGAN's epochs 0 to 24 (`lfw-dcgan-progress`), 400 real LFW faces as references. Nobody
  voted on them: raters are made up as in `simulated_votes.py`, p = sigmoid(3 (epoch/24)^(1/2) - 2 + 0.5 e), e normal,
  one a picture. In each of the simulations 200 pictures get 3 votes each; the model (`recommended`) judges the other
  200. Spearman: of p with the truth. Gain: expected log-likelihood of a vote above that of the constant answer, in
  thousandths of a nat. The last row, knowing the truth, is what no model can exceed.
- game: `detection-game`, 540 votes of people, 300 photographs of `imagenet-sample` as references; each generator left
  out in turn, with a sixth of the reals; gain as above.

Columns: `low`, `mid`, `high`: sums of distances to 3,000 vectors (variant B) of the embedded network's maps. With
--inception, maps of Inception on a grid of 17 x 17 places (variant C; 300 references). `score.z`: the default score
of `giqa score` on the same reals; `pixels.z`, `taps.z`, ...: z of its layers.
Intervals: 2.5 and 97.5 percentiles over simulations, for the game bootstrap over pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

import giqa
from benchmarks.data import pictures, raters
from benchmarks.intervals import over_pictures, over_splits, spearman
from benchmarks.p_real._columns import TAPS, Game, held_out
from benchmarks.shared import command, head, results, row
from giqa.features.embedded import Embedded
from giqa.features.inception import Inception
from giqa.features.reader import extract
from giqa.p_real.distances import LayerDistances
from giqa.scorers.human import DISTANCE, HumanModel, Z
from giqa.stats import sigmoid
from giqa.types import Features

INCEPTION = ("Conv2d_1a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Mixed_5d", "Mixed_6e")  # of the seven, those at hand
Columns = Mapping[str, np.ndarray]


def measured(references: Sequence, wanted: Sequence, extractor, taps: Sequence[str], variant: str) -> Columns:
    """Sums of distances of the wanted pictures, a column a tap."""
    given = (extractor.maps(p, taps) for p in references)
    distances = LayerDistances(variant, vectors=3000).fit(given, len(references))
    parts = []
    for start in range(0, len(wanted), 64):
        parts.append(distances.sums([extractor.maps(p, taps) for p in wanted[start : start + 64]]))
    return {f"{tap}{DISTANCE}": column[:, None] for tap, column in zip(taps, np.concatenate(parts).T, strict=True)}


def densities(references: Sequence, wanted: Sequence) -> Columns:
    """z of the default score, and of each of its layers, each (n, 1)."""
    model = giqa.fit(references)
    features = extract(wanted).features
    by_layer = zip(model.made_by["layers"], model.scorer.layer_z(features.matrix()).T, strict=True)
    return {f"score{Z}": model.score(features)["z"][:, None]} | {f"{name}{Z}": z[:, None] for name, z in by_layer}


def sets_of(columns: Columns) -> list[tuple[str, ...]]:
    """Every set of distances; the score; each z by itself and together; with all distances."""
    distances = [name for name in columns if name.endswith(DISTANCE) and name.split(".")[0] in TAPS]
    z = [name for name in columns if name.endswith(Z) and name != f"score{Z}"]
    extra = [
        (f"score{Z}",),
        *((name,) for name in z),
        tuple(z),
        (*distances, f"score{Z}"),
        (*distances[1:], *z),
        (*distances, *z),
    ]
    return [*subsets(distances), *extra]


def as_features(columns: Columns, names: Sequence[str]) -> Features:
    return Features(tuple(map(str, range(len(next(iter(columns.values())))))), {name: columns[name] for name in names})


def expected(p: np.ndarray, truth: np.ndarray) -> np.ndarray:
    p = np.clip(p, 1e-9, 1 - 1e-9)
    return truth * np.log(p) + (1 - truth) * np.log1p(-p)


def on_simulated(columns: Columns, epochs: np.ndarray, sets: Sequence[Sequence[str]], simulations: int) -> dict:
    """(Spearman, gain) of each set of columns, a row a simulation; () is the truth itself."""
    found: dict[tuple[str, ...], list] = {tuple(names): [] for names in (*sets, ())}
    for seed in range(simulations):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(epochs))
        fitted, rest = order[:200], order[200:]
        truth = sigmoid(raters(epochs) + 0.5 * rng.normal(size=len(epochs)))
        votes = np.c_[np.full(200, 3), rng.binomial(3, truth[fitted])]
        constant = expected(np.full(200, votes[:, 1].sum() / 600), truth[rest]).mean()
        for names, rows in found.items():
            p = truth[rest]
            if names:
                x = as_features(columns, names)
                model = HumanModel(resamples=0, seed=seed).fit(x.rows(fitted), votes)
                p = model.p_real(x.rows(rest))[0]
            rows.append((spearman(p, truth[rest]), 1000 * (expected(p, truth[rest]).mean() - constant)))
    return {names: np.array(rows) for names, rows in found.items()}


def table(found: dict, chosen: Sequence[tuple[str, ...]]) -> None:
    head("layers", "Spearman, unlabelled", "gain, nats/1000 a vote")
    for layers in chosen:
        rho, gain = map(over_splits, found[layers].T)
        row(called(layers), rho, f"{gain:.1f}")


def called(names: Sequence[str]) -> str:
    return ", ".join(name.removesuffix(DISTANCE) for name in names) or "knowing the truth"


def subsets(names: Sequence[str]) -> list[tuple[str, ...]]:
    return [chosen for size in range(1, len(names) + 1) for chosen in combinations(names, size)]


def best_of_each_size(found: dict, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Every layer alone, the best set of each size by mean gain, and all."""
    every = subsets(names)
    sizes = range(2, len(names))
    best = [max((s for s in every if len(s) == size), key=lambda s: found[s][:, 1].mean()) for size in sizes]
    return [*((name,) for name in names), *best, tuple(names)]


def faces(data: Path, weights: Path | None, simulations: int) -> None:
    references = pictures(f"{data}/lfw-dcgan/labels.csv[kind=real]", 400)[0]
    wanted, known = pictures(f"{data}/lfw-dcgan-progress/labels.csv[kind=generated]", 400)
    columns = dict(measured(references, wanted, Embedded(), TAPS, "B")) | densities(references, wanted)
    sets = sets_of(columns)
    deep = [f"{tap}{DISTANCE}" for tap in INCEPTION] if weights else []
    if weights:
        columns |= measured(references[:300], wanted, Inception(weights=str(weights)), INCEPTION, "C")
    found = on_simulated(columns, np.array(known["epoch"], float), [*sets, *subsets(deep)], simulations)
    print("\nFaces, embedded network")
    table(found, [*sets, ()])
    if deep:
        print("\nFaces, Inception: each layer, the best set of each size (chosen on these very simulations), all")
        table(found, best_of_each_size(found, deep))


def game(data: Path) -> None:
    references = pictures(f"{data}/imagenet-sample/labels.csv", 300)[0]
    wanted, known = pictures(f"{data}/detection-game/labels.csv")
    columns = dict(measured(references, wanted, Embedded(), TAPS, "B")) | densities(references, wanted)
    of = Game(known)
    share, constant = of.real / of.votes, of.constant()
    print("\ndetection-game, generators left out in turn")
    head("layers", "gain, nats/1000 a vote")
    for layers in sets_of(columns):
        p = held_out(as_features(columns, layers), of.votes, of.real, of.fold)
        gain = of.votes * (expected(p, share) - expected(constant, share))
        row(called(layers), f"{over_pictures(lambda g, n: 1000 * g.sum() / n.sum(), gain, of.votes):.1f}")


def main() -> None:
    parser = command(__file__, __doc__, "data", "inception")
    parser.add_argument("--simulations", type=int, default=50, help="of faces (%(default)s)")
    parser.add_argument("--only", choices=["faces", "game"])
    options = parser.parse_args()
    with results(options):
        if options.only != "game":
            faces(options.data, options.inception, options.simulations)
        if options.only != "faces":
            game(options.data)


if __name__ == "__main__":
    main()
