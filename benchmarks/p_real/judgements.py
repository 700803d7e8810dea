"""The human model on people's pairs, ratings and votes: scenes, codecs and generators that it has not seen.

    python -m benchmarks.p_real.judgements [--only pairs]

Needs: imagenet-sample, gan-compression-2afc, compression-ratings and detection-game of --data.
Takes: about 15 minutes, on a busy machine.

References: 300 photographs of `imagenet-sample`. Families of columns of `JudgementModel`:

- layers: distances of the embedded network's `mid` and `high` (variant B) and z of its layers;
- pooled: all its features; crops: the same of five crops at native resolution, `embedded(crops=True)`;
- detail, spectrum: the extractors of these names;
- native: 33 plain numbers of the pixels at their own size (`_native.py`); size: log height and width;
- with --alone also: each layer of the network by itself (of crops where they are), last `content`; `statistics`, one
  scale, the floor; each plain number of `accuracy/_scalars.py`; with --random FILE, all features of the same network
  with random weights.

Columns, penalty and levels of groups are chosen by cross-validation over scenes (generators) without what is held out.

- pairs (gan-compression-2afc): 402 pairs of 77 pictures, 31 votes each. Share of the votes that go to the picture with
  the higher score, over all pairs, and over pairs within a scene. Each of 8 scenes left out in turn (a pair of two
  scenes: each picture by the model without its scene). Interval: scenes are resampled. Last columns: the model above
  the scalar that is best of those looked at, the 95th percentile of the gradient's length, on the same draws of scenes.
- codecs: the same, each of 10 codecs left out in turn, on the pairs in which it is.
- ratings (compression-ratings): 97 stills of 19 scenes, 21 raters. Spearman of the expected rating with the mean
  rating, over all stills, and mean over scenes; each scene left out in turn. Interval: scenes are resampled.
- votes (detection-game): 540 votes on 355 pictures; each of six generators left out in turn, with a sixth of the reals.
  Nats a vote above the constant answer of the rest. Interval: pictures are resampled.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.accuracy._scalars import SCALARS
from benchmarks.data import RECODED, pictures, rows_of, stems
from benchmarks.intervals import RESAMPLES, Figure, around, over_pictures, spearman
from benchmarks.p_real._columns import Game, Measure
from benchmarks.p_real._native import STRONGEST, native
from benchmarks.shared import command, existing, head, names, results, row, say
from giqa.features.detail import detail_scalars
from giqa.features.embedded import Embedded
from giqa.features.spectrum import Spectrum
from giqa.features.statistics import Statistics
from giqa.scorers.judgements import JudgementModel
from giqa.stats import PairLikelihood, RatingLikelihood, VoteLikelihood
from giqa.stats.likelihoods import FAINT, Likelihood
from giqa.types import Extractor, Features

PAIRS = (("crops",), ("layers", "pooled"), ("layers", "crops"), ("native",), ("crops", "native"), ("pooled", "native"))
PAIRS = (*PAIRS, ("detail",), ("crops", "detail"))
RATINGS = (("layers", "pooled"), ("pooled", "native"), ("size",), ("layers", "pooled", "size"))
RATINGS = (*RATINGS, ("pooled", "native", "size"), ("pooled", "spectrum", "detail"))
RATINGS = (*RATINGS, ("pooled", "spectrum", "detail", "size"))
VOTES = (("layers",), ("pooled",), ("layers", "pooled"), ("layers", "pooled", "size"), ("layers", "pooled", "native"))


class Table:
    """Pictures of a set: the columns of its table, and families of columns of a model."""

    def __init__(self, options: argparse.Namespace, folder: str, measure: Measure, crops: bool = False):
        pixels, self.columns = pictures(f"{options.data}/{folder}/labels.csv")
        pixels = list(map(RECODED, pixels)) if options.recoded else pixels
        self.ids, found = self.columns["id"], measure(pixels)
        parts: dict[str, dict[str, np.ndarray]] = {"layers": {}, "pooled": {}, "crops": {}}
        for name, layer in found.layers.items():
            pooled = name.endswith(" pooled")
            parts["pooled" if pooled else "layers"][f"pooled:{name}" if pooled else name] = layer
        if crops:
            parts["crops"] = _named("crops", Embedded(version=1, crops=True), pixels)
        if options.alone:
            of_network = parts["crops" if crops else "pooled"]
            whole = {name.rpartition(":")[2].removesuffix(" pooled"): layer for name, layer in of_network.items()}
            for stem, names in stems(list(whole)).items():
                parts[f"{stem} alone"] = {f"{stem} alone:{name}": whole[name] for name in names}
            parts["statistics"] = _named("statistics", Statistics(scales=1), pixels)
            plain = {name: np.array([[number(one)] for one in pixels]) for name, number in SCALARS.items()}
            parts |= {f"{name} alone": {name: column} for name, column in plain.items() if name != "detail"}
            if options.random:
                parts["random"] = _named("random", Embedded(version=1, weights=options.random, crops=crops), pixels)
        parts["detail"] = {"detail": np.stack([detail_scalars(one) for one in pixels])}
        parts["spectrum"] = _named("spectrum", Spectrum(), pixels)
        parts["native"] = {"native": np.stack([native(one) for one in pixels])}
        parts["size"] = {"size": np.log([one.shape[:2] for one in pixels])}
        self.parts, self.asked = parts, options.columns
        say(f"{folder}: {len(pixels)} pictures measured")

    def families(self, usual: Sequence[tuple[str, ...]]) -> Sequence[tuple[str, ...]]:
        """Sets of families to learn from: those asked for, or the usual ones, and each that stands alone."""
        alone = [(name,) for name in self.parts if name.endswith(" alone") or name in ("statistics", "random")]
        return [*(self.asked or usual), *alone]

    def features(self, families: Sequence[str]) -> Features:
        layers = {name: layer for family in families for name, layer in self.parts[family].items()}
        return Features(tuple(self.ids), layers)


def _named(family: str, extractor: Extractor, pixels: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """The layers of pictures, as columns of a family."""
    batches = [extractor(pixels[i : i + 8]) for i in range(0, len(pixels), 8)]
    return {f"{family}:{name}": np.concatenate([b[name] for b in batches]) for name in batches[0]}


def left_with(kind: Likelihood, keep: np.ndarray) -> Likelihood:
    """The judgements of kept pictures alone, whose rows are counted anew."""
    kind = kind.take(np.all([keep[rows] for rows in kind.touched()], axis=0))
    place = np.cumsum(keep) - 1
    which = ("left", "right") if len(kind.touched()) > 1 else ("image",)
    return replace(kind, **{name: place[rows] for name, rows in zip(which, kind.touched(), strict=True)})


def learned(x: Features, kind: tuple[str, Likelihood], keep: np.ndarray, groups: np.ndarray) -> JudgementModel:
    name, likelihood = kind
    return JudgementModel(resamples=0).fit(x.rows(keep), {name: left_with(likelihood, keep)}, groups[keep])


def unseen(x: Features, kind: tuple[str, Likelihood], groups: np.ndarray) -> tuple[np.ndarray, list[JudgementModel]]:
    """What people say (n,), by models without the picture's group, and the models, one a group."""
    said, models = np.empty(len(x)), []
    for group in np.unique(groups):
        out = groups == group
        models.append(learned(x, kind, ~out, groups))
        said[out] = models[-1].predict(x.rows(out))[kind[0]][0]
    return said, models


# --- pairs


class Compression:
    """Pairs of gan-compression-2afc."""

    def __init__(self, data: Path, ids: Sequence[str]):
        place = {name: i for i, name in enumerate(ids)}
        rows = rows_of(data / "gan-compression-2afc/pairs.csv")
        self.left, self.right = (np.array([place[r[side]] for r in rows]) for side in ("left", "right"))
        votes = np.array([[int(r["votes_left"]), int(r["votes_right"])] for r in rows], float)
        self.margin, self.kind = (votes[:, 0] - votes[:, 1]) / votes.sum(axis=1), None
        self.kind = PairLikelihood(self.left, self.right, votes[:, 0], votes.sum(axis=1))
        stems = [name.rpartition(".")[0].partition("_") for name in ids]
        self.scene, self.codec = (np.unique([s[i] for s in stems], return_inverse=True)[1] for i in (0, 2))
        self.within = self.scene[self.left] == self.scene[self.right]

    def credit(self, score: np.ndarray, pairs: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Share of the votes of each pair that went to the higher score; half where both are equal."""
        return 0.5 + 0.5 * np.sign(score[self.left[pairs]] - score[self.right[pairs]]) * self.margin[pairs]

    def figures(self, credit: np.ndarray, pairs: np.ndarray | slice = slice(None)) -> list[Figure]:
        """Mean over all pairs and over those within a scene; a pair of two scenes counts as both were drawn."""
        a, b, within = self.scene[self.left[pairs]], self.scene[self.right[pairs]], self.within[pairs]
        found = []
        for kept in (np.ones(len(credit), bool), within):
            rng, values = np.random.default_rng(0), []
            for _ in range(RESAMPLES):
                drawn = np.bincount(rng.integers(8, size=8), minlength=8)
                weight = np.where(within, drawn[a], drawn[a] * drawn[b])[kept]
                values.append(np.average(credit[kept], weights=weight) if weight.sum() else np.nan)
            found.append(around(values, credit[kept].mean(), int(kept.sum())))
        return found


def pairs(options: argparse.Namespace, table_of: Callable[..., Table]) -> None:
    """Each scene left out in turn."""
    table, of, scalar = _pairs(options, table_of)
    base, best = of.credit(scalar), 0.5 + 0.5 * np.abs(of.margin)
    head("pairs", "all, scene left out", "within scene", "above the scalar, all", "within scene")

    def show(name: str, credit: np.ndarray) -> None:
        row(name, *of.figures(credit), *of.figures(credit - base))

    show("gradient, 95th percentile", base)
    for families in table.families(PAIRS):
        scores, models = unseen(table.features(families), ("pairs", of.kind), of.scene)
        show(" + ".join(families), of.credit(scores))
        say(f"{families}: {[(m.choice_.families, m.choice_.centred, m.choice_.penalty) for m in models]}")
    show("best possible", best)


def codecs(options: argparse.Namespace, table_of: Callable[..., Table]) -> None:
    """Each codec left out in turn, on the pairs in which it is."""
    table, of, scalar = _pairs(options, table_of)
    with_codec = [np.flatnonzero((of.codec[of.left] == c) | (of.codec[of.right] == c)) for c in np.unique(of.codec)]
    rows = np.concatenate(with_codec)
    base, best = of.credit(scalar, rows), 0.5 + 0.5 * np.abs(of.margin[rows])
    head("pairs", "all, codec left out", "within scene", "above the scalar, all", "within scene")

    def show(name: str, credit: np.ndarray) -> None:
        row(name, *of.figures(credit, rows), *of.figures(credit - base, rows))

    show("gradient, 95th percentile", base)
    for families in table.families(PAIRS):
        x = table.features(families)
        models = [learned(x, ("pairs", of.kind), of.codec != c, of.scene) for c in np.unique(of.codec)]
        credit = [of.credit(m.score_samples(x), some) for m, some in zip(models, with_codec, strict=True)]
        show(" + ".join(families), np.concatenate(credit))
        say(f"{families}, codec left out")
    show("best possible", best)


def _pairs(options: argparse.Namespace, table_of: Callable[..., Table]) -> tuple[Table, Compression, np.ndarray]:
    table = table_of("gan-compression-2afc", crops=True)
    return table, Compression(options.data, table.ids), table.parts["native"]["native"][:, STRONGEST]


# --- ratings


def ratings(options: argparse.Namespace, table_of: Callable[..., Table]) -> None:
    table = table_of("compression-ratings")
    place = {name: i for i, name in enumerate(table.ids)}
    given = np.full((len(place), 5), FAINT / len(place))
    for r in rows_of(options.data / "compression-ratings/ratings.csv"):
        given[place[r["image"]], int(float(r["rating"])) - 1] += 1
    mean = given @ np.arange(1, 6) / given.sum(axis=1)
    scene = np.unique(table.columns["scene"], return_inverse=True)[1]
    kind = "ratings", RatingLikelihood(np.arange(len(place)), given)
    height = np.array(table.columns["height"], float)
    head("ratings", "Spearman, all", "within a scene", "above height, all", "within a scene")

    def show(name: str, scores: np.ndarray) -> None:
        found = [(f(scores), f(height)) for f in (whole, by_scene)]
        above = [over_scenes(lambda r, of=of, base=base: of(r) - base(r), scene) for of, base in found]
        row(name, *(over_scenes(of, scene) for of, _ in found), *above)

    def whole(scores: np.ndarray) -> Callable[[Sequence[np.ndarray]], float]:
        return lambda drawn: spearman(scores[rows := np.concatenate(drawn)], mean[rows])

    def by_scene(scores: np.ndarray) -> Callable[[Sequence[np.ndarray]], float]:
        each = np.array([spearman(scores[scene == s], mean[scene == s]) for s in range(scene.max() + 1)])
        return lambda drawn: float(np.nanmean([each[scene[rows[0]]] for rows in drawn]))

    show("height alone", height)
    for families in table.families(RATINGS):
        scores, models = unseen(table.features(families), kind, scene)
        show(" + ".join(families), scores)
        say(f"{families}: {[(m.choice_.families, m.choice_.centred, m.choice_.penalty) for m in models]}")


def over_scenes(statistic: Callable[[Sequence[np.ndarray]], float], scene: np.ndarray) -> Figure:
    """A statistic of the rows of each scene, and its percentiles over resampled scenes."""
    rows, rng = [np.flatnonzero(scene == s) for s in np.unique(scene)], np.random.default_rng(0)
    draws = [statistic([rows[i] for i in rng.integers(len(rows), size=len(rows))]) for _ in range(RESAMPLES)]
    return around(draws, statistic(rows), len(scene))


# --- votes


def votes(options: argparse.Namespace, table_of: Callable[..., Table]) -> None:
    table = table_of("detection-game")
    of = Game(table.columns)
    kind = "votes", VoteLikelihood(np.arange(len(of.votes)), of.real, of.votes)
    head("votes", "gain in nats a vote", "chosen with each generator left out")

    def nats(p: np.ndarray) -> np.ndarray:
        return of.real * np.log(p) + (of.votes - of.real) * np.log1p(-p)

    def show(name: str, p: np.ndarray, said: str = "") -> None:
        gain = nats(p) - nats(of.constant())
        row(name, over_pictures(lambda g, n: g.sum() / n.sum(), gain, of.votes), said)

    show("knowing the truth", of.truth())
    for families in table.families(VOTES):
        p, models = unseen(table.features(families), kind, of.fold)
        chosen = [f"{' + '.join(m.choice_.families)}{', within' if m.choice_.centred else ''}" for m in models]
        said = ", ".join(f"{chosen.count(one)} x {one}" for one in dict.fromkeys(chosen))
        show(" + ".join(families), p, said)


def main() -> None:
    parser = command(__file__, __doc__, "data", "recoded")
    parser.add_argument("--alone", action="store_true", help="single layers, the floor, plain numbers and --random too")
    parser.add_argument("--columns", type=names(), nargs="+", metavar="A,B", help="sets of families, instead of all")
    parser.add_argument("--random", type=existing, metavar="FILE", help="the network with random weights, as ONNX")
    parts: Mapping[str, Callable] = {"pairs": pairs, "codecs": codecs, "ratings": ratings, "votes": votes}
    parser.add_argument("--only", type=names(*parts), default=list(parts), metavar="NAME,NAME", help=", ".join(parts))
    options = parser.parse_args()
    references, _ = pictures(f"{options.data}/imagenet-sample/labels.csv", 300)
    references = list(map(RECODED, references)) if options.recoded else references
    measure = Measure(references, None, ("mid", "high"), ())
    table_of = cache(lambda folder, crops=False: Table(options, folder, measure, crops))
    with results(options):
        for name in options.only:
            parts[name](options, table_of)


if __name__ == "__main__":
    main()
