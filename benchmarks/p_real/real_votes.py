"""The human model on people's votes: what it says of pictures of generators, scenes and codecs it has not seen.

    python -m benchmarks.p_real.real_votes [--only game] [--inception FILE]

Needs: imagenet-sample, detection-game and gan-compression-2afc of --data; for Inception's columns instead of the
embedded network's, its weights (--inception).
Takes: about a minute and a half.

References: 300 photographs of `imagenet-sample`. Columns that the model (`recommended`) is fitted to:

- distances: of the embedded network's `low` (17 x 17 places), `mid` and `high`; with --inception, of seven taps of
  Inception (17 x 17 places: Conv2d_1a_3x3 to Mixed_7a; what comes after is not in that file);
- z: of each layer on the scale of held-out references (`MultiLayer(levels=None).layer_z`);
- pooled: the 50 main directions of the references' pooled features, standardised, shrunk nine times as strongly.

detection-game: 540 votes on pictures of six generators and on real ones. Each generator is left out in turn, with a
sixth of the reals. Nats a vote, beside the constant answer, knowing the truth (the share of votes for reals and for
generated in the rest), and how much there is to know (knowing every p, if p is beta-distributed: fitted to the votes).
`art`: the references are half of the game's own reals, whose votes are not used; the constant answer of the rest.
Intervals: bootstrap over pictures; "gain" is the constant answer's loss less the model's, on the same pictures.

gan-compression-2afc: wins in comparisons; each of 8 scenes left out in turn: Spearman within the scene, mean over
scenes, bootstrap over scenes; the share of votes on the 402 pairs that go to the picture with the higher score. Each
codec left out in turn: the pairs in which it is, both pictures scored by the model that has not seen it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.special import betaln, digamma

from benchmarks.data import pictures, rows_of
from benchmarks.intervals import over_pictures, spearman
from benchmarks.p_real._columns import Game, Measure, held_out, only
from benchmarks.shared import command, head, names, results, row
from giqa.features.inception import Inception
from giqa.scorers.human import HumanModel
from giqa.stats.logistic import log_likelihood
from giqa.types import Features
from giqa.votes.agreement import best_accuracy, fit_beta, reliability

SEVEN = ("Conv2d_1a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Mixed_5d", "Mixed_6b", "Mixed_6e", "Mixed_7a")
DIRECTIONS = 50


def column_sets(measure: Measure, features: Features, name: str) -> dict[str, Features]:
    """What a model may be fitted to."""
    distances, z = only(features, ".distance"), only(features, ".z")
    return {
        **({f"{name}: {tap} alone": only(features, f"{tap}.distance") for tap in measure.taps}),
        f"{name}: distances": distances,
        f"{name}: z": z,
        f"{name}: distances and z": only(features, ".distance", ".z"),
        f"{name}: distances, z and pooled": joined(distances, z, directions(measure.reals, only(features, " pooled"))),
        f"{name}: pooled": directions(measure.reals, only(features, " pooled")),
    }


def directions(reals: Features, features: Features) -> Features:
    """Pooled features in the main directions of the references."""
    known, x = reals.matrix().astype(float), features.matrix().astype(float)
    mean, spread = known.mean(axis=0), known.std(axis=0) + 1e-6
    _, _, main = np.linalg.svd((known - mean) / spread, full_matrices=False)
    return Features(features.ids, {"pooled": ((x - mean) / spread) @ main[:DIRECTIONS].T})


def joined(*parts: Features) -> Features:
    return Features(parts[0].ids, {name: layer for part in parts for name, layer in part.layers.items()})


def row_of(of: Game, name: str, p: np.ndarray) -> None:
    """Nats a vote, and the gain on the constant answer."""
    nats, constant = (
        np.array([-log_likelihood(*map(np.atleast_1d, one)) for one in zip(q, of.real, of.votes, strict=True)])
        for q in (p, of.constant())
    )
    row(name, *(over_pictures(lambda a, n: a.sum() / n.sum(), x, of.votes) for x in (nats, constant - nats)))


def loss_knowing_all(votes: np.ndarray, real: np.ndarray) -> tuple[float, float]:
    """Nats a vote of who knows every p, E[-p log p - (1 - p) log(1 - p)], and of the constant; p ~ Beta(a, b)."""
    a, b = fit_beta(votes, real)
    m = a / (a + b)
    known = -sum(w * (digamma(x + 1) - digamma(a + b + 1)) for w, x in ((m, a), (1 - m, b)))
    return float(known), float(-m * np.log(m) - (1 - m) * np.log(1 - m))


def likelihood_ratio(votes: np.ndarray, real: np.ndarray) -> float:
    """How many nats the beta distribution of p says more, of all votes, than one p for all pictures."""
    a, b = fit_beta(votes, real)
    m = real.sum() / votes.sum()
    differing = (betaln(a + real, b + votes - real) - betaln(a, b)).sum()
    return float(differing - (real * np.log(m) + (votes - real) * np.log(1 - m)).sum())


def game(data: Path, measures: Mapping[str, Measure]) -> None:
    pixels, table = pictures(f"{data}/detection-game/labels.csv")
    of = Game(table)
    head("detection-game", "nats a vote", "gain on the constant answer")
    for name, measure in measures.items():
        for columns, features in column_sets(measure, measure(pixels), name).items():
            row_of(of, columns, held_out(features, of.votes, of.real, of.fold))
    row_of(of, "constant answer", of.constant())
    row_of(of, "knowing the truth", of.truth())
    if "embedded" in measures:
        with_art_as_reference(of, table, pixels)
    known, constant = loss_knowing_all(of.votes, of.real)
    several = int((of.votes > 1).sum())
    print(
        f"\n{len(of.votes)} pictures, {int(of.votes.sum())} votes, {several} pictures with two or more. "
        f"Knowing every p: {known:.3f} nats a vote ({constant:.3f} for one p), accuracy "
        f"{best_accuracy(of.votes, of.real):.3f}; that pictures differ at all gains "
        f"{likelihood_ratio(of.votes, of.real):.1f} nats over all votes."
    )


def with_art_as_reference(of: Game, table: Mapping[str, list], pixels: list[np.ndarray]) -> None:
    reals = np.flatnonzero(of.kind == "real")
    half = np.random.default_rng(1).permutation(reals)[: len(reals) // 2]
    rest = np.setdiff1d(np.arange(len(of.votes)), half)
    fewer, art = Game(table, rest), Measure([pixels[i] for i in half])
    features = art([pixels[i] for i in rest])
    for columns in ((".distance",), (".z",), (".distance", ".z")):
        p = held_out(only(features, *columns), fewer.votes, fewer.real, fewer.fold)
        row_of(fewer, f"art: {' and '.join(columns)}", p)
    row_of(fewer, "art: constant answer", fewer.constant())


def compression(data: Path, measures: Mapping[str, Measure]) -> None:
    pixels, table = pictures(f"{data}/gan-compression-2afc/labels.csv")
    wins, met = (np.array(table[name], float) for name in ("wins", "appearances"))
    names = np.array(table["id"])
    scenes = np.unique([name.partition("_")[0] for name in names], return_inverse=True)[1]
    codecs = np.unique([name.partition("_")[2].rpartition(".")[0] for name in names], return_inverse=True)[1]
    place = {name: i for i, name in enumerate(names)}
    pairs = [
        (place[r["left"]], place[r["right"]], int(r["votes_left"]), int(r["votes_right"]))
        for r in rows_of(data / "gan-compression-2afc/pairs.csv")
    ]
    head("gan-compression", "Spearman, scene left out", "votes on pairs, scene left out", "codec left out")

    def compare(name: str, p: np.ndarray, unseen: np.ndarray) -> None:
        rho = np.array([spearman(p[scenes == s], (wins / met)[scenes == s]) for s in np.unique(scenes)])
        with_codec = [(unseen[c], pair) for c in np.unique(codecs) for pair in pairs if c in codecs[list(pair[:2])]]
        credits = [agreement(p, pair) for pair in pairs], [agreement(score, pair) for score, pair in with_codec]
        row(name, *(over_pictures(np.mean, np.array(values)) for values in (rho, *credits)))

    for name, measure in measures.items():
        for columns, features in column_sets(measure, measure(pixels), name).items():
            unseen = []
            for codec in np.unique(codecs):
                rest = codecs != codec
                y = np.c_[met, wins][rest]
                model = HumanModel(resamples=0).fit(features.rows(rest), y, groups=codecs[rest])
                unseen.append(model.score_samples(features))
            compare(columns, held_out(features, met, wins, scenes), np.stack(unseen))
    by_codec = np.array([wins[(codecs == c) & (scenes != s)].sum() for c, s in zip(codecs, scenes, strict=True)])
    by_codec /= [met[(codecs == c) & (scenes != s)].sum() for c, s in zip(codecs, scenes, strict=True)]
    compare("knowing the codec", by_codec, np.tile(by_codec, (codecs.max() + 1, 1)))
    compare("knowing every win rate", wins / met, np.tile(wins / met, (codecs.max() + 1, 1)))
    best = np.mean([max(left, right) / (left + right) for *_, left, right in pairs])
    sizes = f"{len(names)} pictures, {scenes.max() + 1} scenes, {codecs.max() + 1} codecs, {len(pairs)} pairs"
    one = reliability(met, wins, k=round(met.mean()))
    print(f"\n{sizes}; the side of most votes in each pair: {best:.3f}; reliability of a win rate {one:.3f}")


def agreement(score: np.ndarray, pair: tuple[int, int, int, int]) -> float:
    """Share of the votes on a pair that chose the picture with the higher score; half where both are equal."""
    i, j, left, right = pair
    sign = np.sign(score[i] - score[j])
    return 0.5 + 0.5 * sign * (left - right) / (left + right)


def main() -> None:
    parser = command(__file__, __doc__, "data", "inception")
    parts = {"game": game, "compression": compression}
    parser.add_argument("--only", type=names(*parts), default=list(parts), metavar="NAME,NAME", help=", ".join(parts))
    options = parser.parse_args()
    photographs = pictures(f"{options.data}/imagenet-sample/labels.csv", 300)[0]
    if options.inception:
        measures = {"Inception": Measure(photographs, Inception(weights=options.inception), SEVEN, SEVEN)}
    else:
        measures = {"embedded": Measure(photographs)}
    with results(options):
        for name in options.only:
            parts[name](options.data, measures)


if __name__ == "__main__":
    main()
