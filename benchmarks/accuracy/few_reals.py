"""How many reals a model needs, and what a layer's outputs taken as independent give with few of them.

    python -m benchmarks.accuracy.few_reals --splits 3

Needs: the sets of --data.
Takes: about 20 minutes; the example 12, most of it features.

`multilayer` on the embedded network, each way forced at every number of reals: "joint", one Gaussian on all outputs of
a layer; "independent", one on each output, squares of distances added (what it takes below 300 reals). Reals are drawn
anew in every split (seed: their number and the split); what is judged was never drawn.

- faces: AUC of 300 other LFW faces (what is left, from 700 reals on) against 1,000 DCGAN faces; Spearman with the epoch
  of 1,600 pictures of a DCGAN.
- places: AUC of the other real scenes against SinGAN's and GPNN's versions of them, as the files are.
- cifar: AUC of the other real tiles of the run tiwarim against its epochs 20 to 24.
- canaries: share of damaged pictures below their originals (`_damage.py`): the eight artefacts; swapped patches;
  upside-down (faces only).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from benchmarks.accuracy import _damage
from benchmarks.accuracy._measures import CIFAR, LFW, PROGRESS, SCENES, by_scene
from benchmarks.data import Sets, View, split
from benchmarks.intervals import Figure, auc, over_splits, spearman
from benchmarks.shared import command, existing, head, results, row, say
from giqa.features.reader import make_extractor
from giqa.scorers import multilayer

COUNTS = (20, 33, 50, 64, 100, 200, 300, 500, 700)
WAYS = {"joint": 0, "independent": 10**9}  # below how many reals outputs are independent
Judge = Callable[[np.random.Generator, int], dict[str, float]]


@contextmanager
def below(reals: int) -> Iterator[None]:
    before, multilayer.FEW = multilayer.FEW, reals
    try:
        yield
    finally:
        multilayer.FEW = before


def faces(view: View) -> Judge:
    reals, fakes = (view.take(f"{LFW}[kind={kind}]") for kind in ("real", "generated"))
    where = f"{PROGRESS}[kind=generated]"
    progress, epoch = view.take(where), np.array(view.sets.source(where).columns["epoch"], int)

    def judge(rng: np.random.Generator, n: int) -> dict[str, float]:
        order = rng.permutation(len(reals))
        model = view.fit(reals.rows(order[:n]))
        held_out, low, by_epoch = (model.score(f)["z"] for f in (reals.rows(order[n : n + 300]), fakes, progress))
        return {"faces: AUC": auc(held_out, low), "faces: epochs": spearman(by_epoch, epoch)}

    return judge


def places(view: View) -> Judge:
    real = by_scene(view, f"{SCENES}[kind=real]", None)
    fakes = {name: by_scene(view, f"{SCENES}[generator={name}]", None) for name in ("singan", "gpnn")}

    def judge(rng: np.random.Generator, n: int) -> dict[str, float]:
        order = rng.permutation(len(real))
        model, rest = view.fit(real.rows(order[:n])), order[n:]
        held_out = model.score(real.rows(rest))["z"]
        return {f"places: {name}": auc(held_out, model.score(f.rows(rest))["z"]) for name, f in fakes.items()}

    return judge


def cifar(view: View) -> Judge:
    reals = view.take(f"{CIFAR}[kind=real,run=tiwarim]")
    fakes = view.take(f"{CIFAR}[kind=generated,run=tiwarim,epoch=20..24]")

    def judge(rng: np.random.Generator, n: int) -> dict[str, float]:
        order = rng.permutation(len(reals))
        model = view.fit(reals.rows(order[:n]))
        return {"cifar: AUC": auc(*(model.score(f)["z"] for f in (reals.rows(order[n:]), fakes)))}

    return judge


def canaries(view: View, domain: str) -> Judge:
    features = view.take(_damage.DOMAINS[domain])
    fitted, judged = split(len(features), min(_damage.FITTED, 2 * len(features) // 3))
    judged = judged[: _damage.DAMAGED]
    made = _damage.damages(view, _damage.DOMAINS[domain], fitted, judged)
    damaged = {
        kind: view.made(f"{domain} {kind}", make)
        for kind, make in made.items()
        if kind != "upside-down" or domain == "faces"
    }

    def judge(rng: np.random.Generator, n: int) -> dict[str, float]:
        model = view.fit(features.rows(rng.permutation(fitted)[:n]))
        before = model.score(features.rows(judged))["z"]
        after = {kind: model.score(f)["z"] for kind, f in damaged.items()}
        found = {kind: float(np.mean((z < before) + 0.5 * (z == before))) for kind, z in after.items()}
        artefacts = np.mean([found[kind] for kind in _damage.artefacts()])
        moved = {f"canaries, {domain}: {kind}": found[kind] for kind in _damage.moved() if kind in found}
        return {f"canaries, {domain}: eight artefacts": float(artefacts), **moved}

    return judge


def measured(view: View, judge: Judge, most: int, splits: int) -> dict[str, dict[tuple[int, str], Figure]]:
    """Figure by name, then by number of reals and way."""
    found: dict[str, dict[tuple[int, str], Figure]] = {}
    for n in (n for n in COUNTS if n <= most):
        for way, limit in WAYS.items():
            with below(limit):
                draws = [judge(np.random.default_rng((n, seed)), n) for seed in range(splits)]
            for name in draws[0]:
                found.setdefault(name, {})[n, way] = over_splits([draw[name] for draw in draws])
        say(f"{n} reals: {', '.join(found)}")
    return found


def main() -> None:
    parser = command(__file__, __doc__, "data")
    parser.add_argument("--splits", type=int, default=10, help="draws of reals (%(default)s)")
    options = parser.parse_args()
    view = View(Sets([existing(options.data)], make_extractor("embedded")), None, "multilayer")
    judges = {faces: 700, places: 33, cifar: 33}
    with results(options):
        head("what", "way", *COUNTS)
        figures = [(judge(view), most) for judge, most in judges.items()]
        figures += [(canaries(view, domain), 400 if domain != "cats" else 200) for domain in _damage.DOMAINS]
        for judge, most in figures:
            for name, found in measured(view, judge, most, options.splits).items():
                for way in WAYS:
                    row(name, way, *(format(found[n, way], ".3f") if (n, way) in found else "" for n in COUNTS))


if __name__ == "__main__":
    main()
