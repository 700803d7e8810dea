"""Which density on which form of the content layer finds what is foreign: how `giqa.model.out_of_domain` was chosen.

    python -m benchmarks.accuracy.out_of_domain [--faces]

Needs: cats-dogs, imagenet-sample and cifar10-real of --data; for --faces, the LFW and DCGAN faces too.
Takes: about a minute and a half.

References: 200 dogs, and 200 pictures of each class of CIFAR-10. Foreign: photographs and CIFAR-10 for the dogs; the
other classes, dogs and photographs for a class. Held out: 50 of the same kind. Nothing here is reported in
docs/accuracy.md, and nothing there was looked at for the choice. The last line is about strays: 3 foreign pictures
among 100 reals, 40 draws.

--faces: what each form and density gives on the rows of docs/accuracy.md instead, by the rule as it is, with the
directions of damage left out where the form is that of the roots; and with the layer `high` beside, where both have to
say so, or either. Nothing was chosen by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import resources
from pathlib import Path

import numpy as np

from benchmarks.accuracy._measures import LARGE, LFW, cats_of
from benchmarks.data import Sets, View, split
from benchmarks.intervals import auc
from benchmarks.shared import command, head, results, row
from giqa.features.reader import extract
from giqa.model.fit import make_scorer
from giqa.model.out_of_domain import FAR, LEFT_OUT, MOST, Content
from giqa.scorers.scale import Scale, assign_folds
from giqa.types import Features

FORMS = {
    "as it is": lambda x: x,
    "unit length": lambda x: x / np.linalg.norm(x, axis=1, keepdims=True),
    "signed square root": lambda x: np.sign(x) * np.sqrt(np.abs(x)),
    "tanh of x / 1 deviation": lambda x: np.tanh(x / x.std(axis=0)),
}
DENSITIES = ("sgm", "knn(k=5)")
RULES = [(far, most) for far in (2.5, 3.0) for most in (0.01, 0.015, 0.02)]


def domains(data: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray, Mapping[str, np.ndarray]]]:
    """(name, reals fitted, reals held out, foreign sets) by content features."""

    def features(source) -> np.ndarray:
        return extract(source, "embedded(layers='content')").features.layers["content"]

    cifar = np.load(data / "cifar10-real" / "cifar10_test_2500.npz")
    tiny, label = features(cifar["images"]), cifar["labels"]
    dogs = features(f"{data}/cats-dogs/labels.csv[kind=dog]")
    photographs = features(str(data / "imagenet-sample"))
    held = np.arange(len(dogs)) % 5 == 4
    yield "dogs", dogs[~held], dogs[held], {"photographs": photographs, "CIFAR-10": tiny}
    for kind in range(10):
        own = tiny[label == kind]
        others = {f"class {other}": tiny[label == other] for other in range(10) if other != kind}
        yield f"class {kind}", own[:200], own[200:], {**others, "dogs": dogs, "photographs": photographs}


def flagged(scores: np.ndarray, held_out: np.ndarray, far: float, most: float) -> float:
    """Share that the rule calls foreign."""
    return float(outside(scores, held_out, far, most).mean())


def outside(scores: np.ndarray, held_out: np.ndarray, far: float, most: float) -> np.ndarray:
    as_low = 1 + np.searchsorted(np.sort(held_out), scores, side="right")
    return (Scale(held_out).z(scores) < -far) & (as_low <= max(1.0, most * (len(held_out) + 1)))


def strays(dogs: np.ndarray, foreign: np.ndarray, draws: int = 40) -> tuple[float, float]:
    """Of 3 foreign pictures among 100 dogs the share that is called a stray, and of the dogs."""
    found, wronged = [], []
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        x = np.concatenate([rng.permutation(dogs)[:100], rng.permutation(foreign)[:3]])
        features = Features(tuple(map(str, range(103))), {"content": x}, made_by={"levels": {"high": ["content"]}})
        called = Content().fit(features, folds=assign_folds(np.arange(103), seed)).strays()
        found.append(called[100:].mean())
        wronged.append(called[:100].mean())
    return float(np.mean(found)), float(np.mean(wronged))


def faces(data: Path) -> None:
    """Rows of docs/accuracy.md: share flagged of held-out reals, cats and DCGAN faces, at 250 and at 64 pixels."""
    view = View(Sets([data], "embedded(layers=['high', 'content'])"), None, "sgm")
    sets: list[dict[str, Features]] = []
    for side, (where, most) in {250: (LARGE, 400), 64: (f"{LFW}[kind=real]", 500)}.items():
        reals = view.take(where)
        fitted, judged = split(len(reals), most)
        cats = view.made(f"cats {side}", lambda side=side: cats_of(view, side))
        parts = {"fit": reals.rows(fitted), "reals": reals.rows(judged), "cats": cats}
        sets.append(parts | {"fakes": view.take(f"{LFW}[kind=generated]")})
    directions = np.load(resources.files("giqa.model").joinpath("damage_2.npy").open("rb"))[:LEFT_OUT]

    def without(x: np.ndarray) -> np.ndarray:
        roots = FORMS["signed square root"](x)
        return roots - roots @ directions.T @ directions

    def flags(parts: dict[str, Features], layer: str, change: Callable, density: str) -> dict[str, np.ndarray]:
        fit, *others = (change(f.layers[layer]) for f in parts.values())
        scorer = make_scorer(density).fit(fit, folds=assign_folds(np.arange(len(fit))))
        scores = zip(list(parts)[1:], map(scorer.score_samples, others), strict=True)
        return {name: outside(of, scorer.held_out_, FAR, MOST) for name, of in scores}

    head("layer", "density", *(f"{side} px: {name}" for side in (250, 64) for name in ("reals", "cats", "DCGAN faces")))
    forms = {"roots, without directions of damage (default)": without, **dict(list(FORMS.items())[:3])}
    for form, change in forms.items():
        for density in DENSITIES:
            found = [flags(parts, "content", change, density) for parts in sets]
            row(f"content, {form}", density, *(f"{flagged.mean():.3f}" for one in found for flagged in one.values()))
    deep = [flags(parts, "content", without, "sgm") for parts in sets]
    high = [flags(parts, "high.mean", FORMS["signed square root"], "sgm") for parts in sets]
    for how, both in {"both": np.logical_and, "either": np.logical_or}.items():
        flagged = [both(one[name], other[name]) for one, other in zip(deep, high, strict=True) for name in one]
        row(f"content and high, {how}", "sgm", *(f"{of.mean():.3f}" for of in flagged))


def main() -> None:
    parser = command(__file__, __doc__, "data")
    parser.add_argument("--faces", action="store_true", help="the rows of docs/accuracy.md instead")
    options = parser.parse_args()
    with results(options):
        faces(options.data) if options.faces else measure(list(domains(options.data)))


def measure(found: list[tuple[str, np.ndarray, np.ndarray, Mapping[str, np.ndarray]]]) -> None:
    """A row for each form, density and rule, and the line about strays."""
    head("layer", "density", "rule: sd, share", "reals flagged", "AUC dogs", "flagged", "AUC classes", "flagged")
    for form, change in FORMS.items():
        for density in DENSITIES:
            areas: dict[bool, list[float]] = {True: [], False: []}
            shares: dict[tuple, list[float]] = {}
            for name, fit, held, foreign in found:
                x, dogs = change(fit), name == "dogs"
                scorer = make_scorer(density).fit(x, folds=assign_folds(np.arange(len(x))))
                own = scorer.score_samples(change(held))
                for rule in RULES:
                    shares.setdefault((rule, "own"), []).append(flagged(own, scorer.held_out_, *rule))
                for other in foreign.values():
                    scores = scorer.score_samples(change(other))
                    areas[dogs].append(auc(own, scores))
                    for rule in RULES:
                        shares.setdefault((rule, dogs), []).append(flagged(scores, scorer.held_out_, *rule))
            for rule in RULES:
                own, one, many = (np.mean(shares[rule, which]) for which in ("own", True, False))
                of_dogs, of_classes = (f"{np.mean(areas[which]):.3f}" for which in (True, False))
                says = f"{rule[0]}, {rule[1]}"
                row(form, density, says, f"{own:.3f}", of_dogs, f"{one:.2f}", of_classes, f"{many:.2f}")
    _, fit, held, foreign = found[0]
    shares = strays(np.concatenate([fit, held]), foreign["photographs"])
    print(f"\nstrays: {shares[0]:.3f} of 3 photographs among 100 dogs are called strays, {shares[1]:.4f} of the dogs")


if __name__ == "__main__":
    main()
