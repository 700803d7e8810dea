"""How many reals a model needs, and what a layer's outputs taken as independent give with few of them.

    python -m benchmarks.accuracy.few_reals --only faces --splits 3

Needs: the sets of --data.
Takes: about 5 minutes, most of it features.

`multilayer` on the embedded network, each way forced at every number of reals: "joint", one Gaussian on all outputs of
a layer, its shrinkage chosen by the likelihood of held-out reals; "independent", one on each output, squares of
distances added (what it takes below 300 reals); "both", the mean of their z. Reals are drawn anew in every split (seed:
their number and the split); what is judged was never drawn.

- faces: AUC of 300 other LFW faces (what is left, from 700 reals on) against 1,000 DCGAN faces; Spearman with the epoch
  of 1,600 pictures of a DCGAN.
- cifar10: reals are 1,500 tiles of cifar10-real, enlarged bilinearly as those of the runs were; AUC of the 128 real
  tiles of two runs against epochs 20 to 24 of both. The only domain that has 1,000 reals and others to judge; the
  network was trained with four of five of these tiles, and with one of the runs.
- places: AUC of the other real scenes against SinGAN's and GPNN's versions of them, as the files are.
- cifar: AUC of the other real tiles of two runs against epochs 20 to 24 of both.
- canaries: share of damaged pictures below their originals (`_damage.py`): the eight artefacts; swapped patches;
  upside-down (faces only).

With --alone: each layer by itself under one Gaussian instead; the extractor "scalars": plain numbers (`_scalars.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from unittest.mock import patch

import numpy as np
from PIL import Image

from benchmarks.accuracy import _damage
from benchmarks.accuracy._measures import CIFAR, LFW, PROGRESS, SCENES, by_scene
from benchmarks.accuracy.carries import extractor_of
from benchmarks.data import Sets, View, columns, split, stems
from benchmarks.intervals import Figure, auc, over_splits, spearman
from benchmarks.shared import command, existing, head, names, results, row, say
from giqa.scorers import multilayer
from giqa.scorers.gmm import SGM
from giqa.scorers.scale import Scale
from giqa.types import Features

COUNTS = (20, 33, 50, 64, 100, 200, 500, 700, 900, 1000)
TILES, TILE = 1500, 64  # of cifar10-real, and pixels of a side as in the runs
MOST = {"faces": 700, "cats": 200, "photographs": 900}  # reals of damaged domains, besides those that are judged
WAYS = {"joint": [0], "independent": [10**9], "both": [0, 10**9]}  # below how many reals outputs are independent
Scores = Callable[[Features], np.ndarray]
Fit = Callable[[Features], Scores]
Judge = Callable[[Fit, np.random.Generator, int], dict[str, float]]


def fitted(limits: Sequence[int], reals: Features) -> Scores:
    """z by a scorer of the reals, or the mean z of two."""
    scorers = []
    for limit in limits:
        with patch.object(multilayer, "FEW", limit):
            scorers.append(multilayer.MultiLayer().fit(reals))
    scales = [Scale(scorer.held_out_) for scorer in scorers]
    pairs = list(zip(scales, scorers, strict=True))
    return lambda features: np.mean([scale.z(scorer.score_samples(features)) for scale, scorer in pairs], axis=0)


def alone(names: Sequence[str], reals: Features) -> Scores:
    """Scores by one Gaussian on one layer of the reals."""
    density = SGM().fit(columns(reals, names))
    return lambda features: density.score_samples(columns(features, names))


def faces(view: View) -> Judge:
    reals, fakes = (view.take(f"{LFW}[kind={kind}]") for kind in ("real", "generated"))
    where = f"{PROGRESS}[kind=generated]"
    progress, epoch = view.take(where), np.array(view.sets.source(where).columns["epoch"], int)

    def judge(fit: Fit, rng: np.random.Generator, n: int) -> dict[str, float]:
        order = rng.permutation(len(reals))
        score = fit(reals.rows(order[:n]))
        held_out, low, by_epoch = map(score, (reals.rows(order[n : n + 300]), fakes, progress))
        return {"faces: AUC": auc(held_out, low), "faces: epochs": spearman(by_epoch, epoch)}

    return judge


def places(view: View) -> Judge:
    real = by_scene(view, f"{SCENES}[kind=real]", None)
    fakes = {name: by_scene(view, f"{SCENES}[generator={name}]", None) for name in ("singan", "gpnn")}

    def judge(fit: Fit, rng: np.random.Generator, n: int) -> dict[str, float]:
        order = rng.permutation(len(real))
        score, rest = fit(real.rows(order[:n])), order[n:]
        held_out = score(real.rows(rest))
        return {f"places: {name}": auc(held_out, score(f.rows(rest))) for name, f in fakes.items()}

    return judge


def cifar(view: View) -> Judge:
    reals = view.take(f"{CIFAR}[kind=real]")
    fakes = view.take(f"{CIFAR}[kind=generated,epoch=20..24]")

    def judge(fit: Fit, rng: np.random.Generator, n: int) -> dict[str, float]:
        order = rng.permutation(len(reals))
        score = fit(reals.rows(order[:n]))
        return {"cifar: AUC": auc(score(reals.rows(order[n:])), score(fakes))}

    return judge


def cifar10(view: View) -> Judge:
    def tiles() -> list[np.ndarray]:
        images = np.load(view.sets.path("cifar10-real/cifar10_test_2500.npz"))["images"][:TILES]
        return [np.asarray(Image.fromarray(p).resize((TILE, TILE), Image.Resampling.BILINEAR)) for p in images]

    pool = view.made("cifar10-real, enlarged", tiles)
    reals, fakes = (view.take(f"{CIFAR}[{rows}]") for rows in ("kind=real", "kind=generated,epoch=20..24"))

    def judge(fit: Fit, rng: np.random.Generator, n: int) -> dict[str, float]:
        score = fit(pool.rows(rng.permutation(len(pool))[:n]))
        return {"cifar10: AUC": auc(score(reals), score(fakes))}

    return judge


def canaries(view: View, domain: str) -> Judge:
    features = view.take(_damage.DOMAINS[domain])
    reals, rest = split(len(features), min(_damage.FITTED, 2 * len(features) // 3))
    judged, others = np.split(rest, [_damage.DAMAGED])
    made = _damage.damages(view, _damage.DOMAINS[domain], reals, judged)
    pool = np.concatenate([reals, others])  # never judged
    damaged = {
        kind: view.made(f"{domain} {kind}", make)
        for kind, make in made.items()
        if kind != "upside-down" or domain == "faces"
    }

    def judge(fit: Fit, rng: np.random.Generator, n: int) -> dict[str, float]:
        score = fit(features.rows(rng.permutation(pool)[:n]))
        before = score(features.rows(judged))
        after = {kind: score(f) for kind, f in damaged.items()}
        found = {kind: float(np.mean((z < before) + 0.5 * (z == before))) for kind, z in after.items()}
        artefacts = np.mean([found[kind] for kind in _damage.artefacts()])
        moved = {f"canaries, {domain}: {kind}": found[kind] for kind in _damage.moved() if kind in found}
        return {f"canaries, {domain}: eight artefacts": float(artefacts), **moved}

    return judge


def measured(
    judge: Judge, counts: Sequence[int], splits: int, ways: Mapping[str, Fit]
) -> dict[str, dict[tuple[int, str], Figure]]:
    """Figure by name, then by number of reals and way."""
    found: dict[str, dict[tuple[int, str], Figure]] = {}
    for n in counts:
        for way, fit in ways.items():
            draws = [judge(fit, np.random.default_rng((n, seed)), n) for seed in range(splits)]
            for name in draws[0]:
                found.setdefault(name, {})[n, way] = over_splits([draw[name] for draw in draws])
        say(f"{n} reals: {', '.join(found)}")
    return found


JUDGES: dict[str, tuple[Callable[[View], Judge], int]] = {  # and the most reals
    "faces": (faces, 900),
    "places": (places, 33),
    "cifar": (cifar, 100),
    "cifar10": (cifar10, 1000),
    **{f"damaged {domain}": (partial(canaries, domain=domain), most) for domain, most in MOST.items()},
}


def main() -> None:
    parser = command(__file__, __doc__, "data", "recoded")
    parser.add_argument("--splits", type=int, default=10, help="draws of reals (%(default)s)")
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, metavar="N", help="of reals")
    parser.add_argument("--only", type=names(*JUDGES), default=list(JUDGES), metavar="NAME,NAME")
    parser.add_argument("--extractor", default="embedded", metavar="SPEC")
    parser.add_argument("--alone", action="store_true", help="each layer by itself")
    options = parser.parse_args()
    extractor = extractor_of(options.extractor)
    ways: dict[str, Fit] = {way: partial(fitted, limits) for way, limits in WAYS.items()}
    if options.alone:
        ways = {layer: partial(alone, names) for layer, names in stems(extractor.outputs).items()}
    sets = Sets([existing(options.data)], extractor, recoded=options.recoded)
    view = View(sets, None, "multilayer")
    with results(options):
        head("what", "way", *options.counts)
        for judge, most in map(JUDGES.get, options.only):
            counts = [n for n in options.counts if n <= most]
            for name, found in measured(judge(view), counts, options.splits, ways).items():
                for way in ways:
                    cells = (format(found[n, way], ".3f") if (n, way) in found else "" for n in options.counts)
                    row(name, way, *cells)


if __name__ == "__main__":
    main()
