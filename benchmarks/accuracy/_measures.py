"""What accuracy is measured by: each function takes a `View` and gives figures by name. `accuracy.py` explains them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from benchmarks.accuracy.z_coverage import share_held
from benchmarks.data import View, middle, pixels, split
from benchmarks.intervals import Figure, auc, over_pictures, over_splits, share, spearman
from giqa.images import open_source
from giqa.images.match import Match, choose_match
from giqa.images.profile import profile
from giqa.types import Features

LFW, PROGRESS, LARGE = "lfw-dcgan/labels.csv", "lfw-dcgan-progress/labels.csv", "lfw-faces-250/labels.csv"
CIFAR, SCENES, CATS = "cifar10-dcgan-progress/labels.csv", "places50/labels.csv", "cats-dogs/labels.csv[kind=cat]"
SPLITS, DRAWS, DRAWN, JUDGED = 20, 200, 100, 10


def faces(view: View) -> dict[str, Figure]:
    """AUC of held-out LFW faces against DCGAN faces."""
    model, held_out = _small_faces(view)
    fakes = view.take(f"{LFW}[kind=generated]")
    return {"faces: AUC": over_pictures(auc, *(model.score(f)["z"] for f in (held_out, fakes)), paired=False)}


def epochs(view: View) -> dict[str, Figure]:
    """Spearman correlation of the score with the training epoch."""
    model, _ = _small_faces(view)
    where = f"{PROGRESS}[kind=generated]"
    epoch = np.array(view.sets.source(where).columns["epoch"], int)
    z = model.score(view.take(where))["z"]
    return {"epochs: Spearman": over_pictures(spearman, z, epoch)}


def cifar(view: View) -> dict[str, Figure]:
    """AUC of the reals of one run against its late epochs, fitted on the reals of the other run."""
    reals, judged = (view.take(f"{CIFAR}[kind=real,run={run}]") for run in ("hvyd", "tiwarim"))
    known = set(map(bytes, reals.info["digest"]))
    judged = judged.rows(np.array([bytes(d) not in known for d in judged.info["digest"]]))
    model = view.fit(reals)
    late = view.take(f"{CIFAR}[kind=generated,run=tiwarim,epoch=20..24]")
    return {"cifar: AUC": over_pictures(auc, *(model.score(f)["z"] for f in (judged, late)), paired=False)}


def places(view: View) -> dict[str, Figure]:
    """AUC of real scenes against SinGAN's and GPNN's, as the files are, recoded, and matched."""
    where = {name: f"{SCENES}[generator={name}]" for name in ("singan", "gpnn")}
    full = (view.sets.path(f"{SCENES}[kind={kind}]") for kind in ("real", "generated"))
    figures = {}
    ways = {"": None, ", recoded": Match(coding="jpeg", quality=75), ", matched": _matched(*full)}
    for way, match in {"": None}.items() if view.sets.recoded else ways.items():
        real = by_scene(view, f"{SCENES}[kind=real]", match)
        fakes = {name: by_scene(view, table, match) for name, table in where.items()}
        values: dict[str, list[float]] = {name: [] for name in fakes}
        for seed in range(SPLITS):
            order = np.random.default_rng(seed).permutation(len(real))
            fitted, judged = np.split(order, [len(order) // 2])
            model = view.fit(real.rows(fitted))
            held_out = model.score(real.rows(judged))["z"]
            for name, generated in fakes.items():
                values[name].append(auc(held_out, model.score(generated.rows(judged))["z"]))
        figures |= {f"places: {name}{way}": over_splits(v) for name, v in values.items()}
    return figures


def domain(view: View) -> dict[str, Figure]:
    """Share of pictures flagged as out of domain."""
    view = _AsContent(view.sets, view.names, view.scorer)
    figures = {}
    for size, (model, held_out) in {250: _large_faces(view), 64: _small_faces(view)}.items():
        sets = {"held-out reals": held_out, "cats": view.made(f"cats {size}", lambda size=size: cats_of(view, size))}
        sets["DCGAN faces"] = view.take(f"{LFW}[kind=generated]")
        for name, features in sets.items():
            flags = np.array(model.score(features)["out_of_domain"], str)
            figures[f"out of domain, faces {size} px: {name}"] = share(flags == "yes")
    return figures


class _AsContent(View):
    """Layers of which none is declared to see content, as one that is: the rule then asks whatever they see."""

    def take(self, where: str, match: Any = None, whole: bool = False) -> Features:
        return self._declared(super().take(where, match, whole))

    def made(self, name: str, make: Callable[[], list[np.ndarray]]) -> Features:
        return self._declared(super().made(name, make))

    def _declared(self, features: Features) -> Features:
        if features.made_by.get("levels", {}).get("high"):
            return features
        layers, levels = {"seen": np.concatenate(list(features.layers.values()), axis=1)}, {"high": ["seen"]}
        return Features(features.ids, layers, features.info, {**features.made_by, "levels": levels})


def coverage(view: View) -> dict[str, Figure]:
    """Share of draws of reals whose interval of z holds the typical z, as `z_coverage.py` defines it."""
    reals = view.take(f"{LFW}[kind=real]")
    held_out, pool = split(len(reals), JUDGED)
    others = [f"{LFW}[kind=generated]", f"{PROGRESS}[kind=generated]", f"{CIFAR}[kind=real]"]
    judged = [reals.rows(held_out)]
    for features in map(view.take, others):
        judged.append(features.rows(np.linspace(0, len(features) - 1, JUDGED).round().astype(int)))
    rng, found = np.random.default_rng(0), {"z": [], "z_low": [], "z_high": []}
    for _ in range(DRAWS if view.sets.most is None else DRAWS // 5):
        draw = rng.choice(pool, min(DRAWN, len(pool) // 2), replace=False)
        model = view.fit(reals.rows(draw))
        scored = [model.score(features) for features in judged]
        for name, values in found.items():
            values.append(np.concatenate([s[name] for s in scored]))
    held = share_held(*map(np.array, found.values()))
    figures = {"coverage of the 95 % interval": over_pictures(np.mean, held)}
    for name, part in zip(("held-out reals", "DCGAN faces", "epochs", "CIFAR"), np.split(held, 4), strict=True):
        one = over_pictures(np.mean, part)
        figures[f"coverage, {name}"] = Figure(one.value, one.low, one.high, one.n, detail=True)
    return figures


def _small_faces(view: View) -> tuple:
    """A model of 500 of the 978 LFW faces at 64 pixels, and the features of the others."""
    reals = view.take(f"{LFW}[kind=real]")
    fitted, held_out = split(len(reals), round(len(reals) * 500 / 978))
    return view.fit(reals.rows(fitted)), reals.rows(held_out)


def _large_faces(view: View) -> tuple:
    """A model of 400 LFW faces at 250 pixels, and the features of the others."""
    reals = view.take(LARGE)
    fitted, held_out = split(len(reals), min(400, 2 * len(reals) // 3))
    return view.fit(reals.rows(fitted)), reals.rows(held_out)


def cats_of(view: View, size: int) -> list[np.ndarray]:
    """Cats cut square from the middle and shrunk to the size of the faces, lest the size alone tells them."""
    return [middle(p, size) for p in pixels(view.sets.source(CATS)) if min(p.shape[:2]) >= size]


def by_scene(view: View, where: str, match: Match | None) -> Features:
    """Features in the order of the scenes, so that rows of the sets belong together."""
    scene = np.array(view.sets.source(where).columns["scene"], int)
    return view.take(where, match).rows(np.argsort(scene, kind="stable"))


@cache
def _matched(reals: str, fakes: str) -> Match:
    return choose_match(profile(open_source(reals), n=50), profile(open_source(fakes), n=100))
