"""What the embedded network carries of Inception's Mixed_5d: fakes in grey and recoded, and a ridge to its channels.

    python -m benchmarks.accuracy.carries --only auc --splits 2

Needs: the sets of --data; for the ridge and its own column, the weights of Inception (--inception).
Takes: about 15 minutes.

- auc: 100 of 978 LFW faces fitted, 100 others held out, 400 DCGAN faces; each picture in grey, or recoded as JPEG 90
  4:2:0. AUC of held-out reals against fakes under one Gaussian (`sgm`) on each layer alone, and of the default on all.
- ridge: from all outputs of a network to the means of Mixed_5d's channels on 300 pictures of a set: 1 - var(residual) /
  var (so the bias is away), median over channels, the best of five penalties. Fitted on 600 photographs
  (imagenet-sample), so that none of the set's own pictures are seen, or on a random half of the set. With --recoded
  both networks see every picture saved as JPEG 90 4:2:0; `auc`, which has its own ways, is as without.

The extractor "scalars" stands for the plain numbers of `_scalars.py`.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

import giqa
from benchmarks.accuracy._scalars import Scalars
from benchmarks.data import Sets, columns, pixels, stems, thinned
from benchmarks.intervals import auc, over_splits
from benchmarks.shared import command, head, names, results, row, say
from giqa.features.reader import make_extractor
from giqa.images import open_source
from giqa.types import Features

FACES, FITTED, FAKES = "lfw-dcgan/labels.csv", 100, 400
TEACHER = "Mixed_5d"  # of --inception
PHOTOGRAPHS, MANY = "imagenet-sample/labels.csv", 600
RIDGES = {
    "faces, 64 px": "lfw-dcgan/labels.csv[kind=real]",
    "CIFAR, run tiwarim": "cifar10-dcgan-progress/labels.csv[kind=real,run=tiwarim]",
    "places": "places50/labels.csv[kind=real]",
}


def grey(picture: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).convert("L").convert("RGB"))


def recoded(picture: np.ndarray) -> np.ndarray:
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=90, subsampling=2)
    return np.asarray(Image.open(data).convert("RGB"))


WAYS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"grey": grey, "JPEG 90 4:2:0": recoded}


def extractor_of(spec: str) -> Any:
    return Scalars() if spec == "scalars" else make_extractor(spec)


def separated(sets: Sets, splits: int) -> dict[tuple[str, str], list[float]]:
    """(way, layer) -> AUC of each split."""
    found: dict[tuple[str, str], list[float]] = {}
    for way, change in WAYS.items():
        kinds = (("real", None), ("generated", FAKES))
        reals, fakes = (changed(sets, f"{FACES}[kind={kind}]", most, way, change) for kind, most in kinds)
        groups = {"default": None, **stems(list(reals.layers))} if len(reals.layers) > 1 else {"alone": None}
        for seed in range(splits):
            order = np.random.default_rng(seed).permutation(len(reals))
            for label, outputs in groups.items():
                some = [columns(features, outputs) for features in (reals, fakes)]
                scorer = "multilayer" if label == "default" else "sgm"
                fitted = giqa.fit(some[0].rows(order[:FITTED]), scorer=scorer)
                judged = some[0].rows(order[FITTED : 2 * FITTED]), some[1]
                found.setdefault((way, label), []).append(auc(*(fitted.score(f)["z"] for f in judged)))
        say(f"{type(sets.extractor).__name__}: {way}")
    return found


def changed(sets: Sets, where: str, most: int | None, way: str, change: Callable[[np.ndarray], np.ndarray]) -> Features:
    """Features of a set, each picture changed in one way."""
    return sets.made(f"{way} {where}", lambda: [change(p) for p in pixels(thinned(sets.source(where), most))])


def ridge(x: np.ndarray, y: np.ndarray, x_new: np.ndarray, y_new: np.ndarray) -> float:
    """Median over channels of 1 - var(residual) / var, the best of five strengths."""
    centre, scale = x.mean(0), x.std(0) + 1e-3
    x, x_new = (x - centre) / scale, (x_new - centre) / scale
    gram = x @ x.T
    alive = y_new.std(0) > 1e-4
    best = -np.inf
    for strength in (10, 100, 1e3, 1e4, 1e5):
        w = np.linalg.solve(gram + strength * np.eye(len(x)), y - y.mean(0))
        left = (y_new - x_new @ (x.T @ w))[:, alive]
        best = max(best, float(np.median(1 - left.var(0) / y_new[:, alive].var(0))))
    return best


def explained(options: argparse.Namespace, spec: str, teacher: Sets) -> dict[tuple[str, str], list[float]]:
    """(set, way) -> share of each split."""
    own = Sets([options.data], extractor_of(spec), recoded=options.recoded)
    wide = [_joined(sets, PHOTOGRAPHS, MANY) for sets in (own, teacher)]
    found: dict[tuple[str, str], list[float]] = {}
    for label, where in RIDGES.items():
        x, y = (_joined(sets, where, 300) for sets in (own, teacher))
        found[label, "photographs"] = [ridge(*wide, x, y)]
        for seed in range(options.splits):
            a, b = np.array_split(np.random.default_rng(seed).permutation(len(x)), 2)
            found.setdefault((label, "its other half"), []).append(ridge(x[a], y[a], x[b], y[b]))
        say(f"{spec}: ridge, {label}")
    return found


def _joined(sets: Sets, where: str, most: int) -> np.ndarray:
    features = sets.made(f"{where} {most}", lambda: pixels(thinned(open_source(sets.path(where)), most)))
    return np.concatenate(list(features.layers.values()), 1).astype(float)


def main() -> None:
    parser = command(__file__, __doc__, "data", "inception", "recoded")
    parser.add_argument("--extractor", nargs="+", default=["embedded"], metavar="SPEC")
    parser.add_argument("--only", type=names("auc", "ridge"), default=["auc", "ridge"], metavar="NAME,NAME")
    parser.add_argument("--splits", type=int, default=10)
    options = parser.parse_args()
    teacher = f"inception(layers=['Mixed_5d'], pooling='mean', weights={str(options.inception)!r})"
    means = Sets([options.data], teacher, recoded=options.recoded)  # kept from one network to the next
    with results(options):
        tables: dict[str, dict[tuple[str, ...], list[float]]] = {spec: {} for spec in options.extractor}
        for spec, table in tables.items():
            if "ridge" in options.only:
                table |= {("ridge", *key): shares for key, shares in explained(options, spec, means).items()}
            if "auc" in options.only:
                own = Sets([options.data], extractor_of(spec))
                table |= {("AUC", *key): values for key, values in separated(own, options.splits).items()}
        if options.inception and "auc" in options.only:
            found = separated(Sets([options.data], teacher), options.splits)
            tables[TEACHER] = {("AUC", *key): values for key, values in found.items()}
        head("measure", "pictures", "layer, or fitted on", *tables)
        for key in dict.fromkeys(key for table in tables.values() for key in table):
            row(*key, *(_cell(table.get(key)) for table in tables.values()))


def _cell(values: list[float] | None) -> str:
    if values is None:
        return "-"
    return over_splits(values) if len(values) > 1 else f"{values[0]:.3f}"


if __name__ == "__main__":
    main()
