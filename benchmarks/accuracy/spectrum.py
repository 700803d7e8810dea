"""How well one Gaussian on hand-made statistics finds a generator's traces, as files are and recoded alike.

    python -m benchmarks.accuracy.spectrum --only places --splits 2

Needs: the sets of --data.
Takes: about 8 minutes; the example 1.

AUC of held-out reals against generated pictures under `sgm`, mean over random splits of the reals with percentiles over
the splits. The same numbers that see a generator's upsampling read how a file was coded, so each figure stands next to
the same with every picture, real or not, recoded as JPEG 90 with halved chroma.

- faces: of 978 LFW faces 100 fitted and 100 others held out, against the 1,000 DCGAN faces; PNG of 64 px, all of them.
- cifar: the 64 real tiles of one run fitted, the 64 of the other held out, against the pictures of epochs 20 to 24 of
  the run whose tiles are held out; both ways, so two figures and no splits.
- singan, gpnn: of 50 real scenes 25 fitted, the other 25 held out, against the versions of those 25. As the files are
  reals are JPEG and the others PNG, so that much of the first figure is the coding.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

import giqa
from benchmarks.data import Sets
from benchmarks.intervals import auc, over_splits
from benchmarks.shared import command, head, names, results, row, say
from giqa.images.match import Match
from giqa.types import Features

EXTRACTORS = ("spectrum", "statistics(scales=1)", "statistics", "nss")
WAYS = {"as files are": None, "JPEG 90 4:2:0": Match(coding="jpeg", quality=90)}
FITTED = 100
FACES, CIFAR, SCENES = "lfw-dcgan/labels.csv", "cifar10-dcgan-progress/labels.csv", "places50/labels.csv"
Split = tuple[Features, Features, Features]  # fitted, held out, generated


def faces(sets: Sets, match: Match | None, splits: int) -> Iterator[tuple[str, Split]]:
    reals, fakes = (sets.features(f"{FACES}[kind={kind}]", match) for kind in ("real", "generated"))
    for seed in range(splits):
        order = np.random.default_rng(seed).permutation(len(reals))
        yield "faces", (reals.rows(order[:FITTED]), reals.rows(order[FITTED : 2 * FITTED]), fakes)


def cifar(sets: Sets, match: Match | None, splits: int) -> Iterator[tuple[str, Split]]:
    for fitted, judged in (("hvyd", "tiwarim"), ("tiwarim", "hvyd")):
        reals, others = (sets.features(f"{CIFAR}[kind=real,run={run}]", match) for run in (fitted, judged))
        late = sets.features(f"{CIFAR}[kind=generated,run={judged},epoch=20..24]", match)
        yield f"cifar, run {judged}", (reals, others, late)


def places(sets: Sets, match: Match | None, splits: int) -> Iterator[tuple[str, Split]]:
    reals = _by_scene(sets, f"{SCENES}[kind=real]", match)
    fakes = {name: _by_scene(sets, f"{SCENES}[generator={name}]", match) for name in ("singan", "gpnn")}
    for seed in range(splits):
        fitted, judged = np.split(np.random.default_rng(seed).permutation(len(reals)), 2)
        for name, generated in fakes.items():
            yield name, (reals.rows(fitted), reals.rows(judged), generated.rows(judged))


def _by_scene(sets: Sets, where: str, match: Match | None) -> Features:
    scene = np.array(sets.source(where).columns["scene"], int)
    return sets.features(where, match).rows(np.argsort(scene, kind="stable"))


MEASURES = {"faces": faces, "cifar": cifar, "places": places}


def found(split: Split) -> float:
    fitted, held_out, generated = split
    model = giqa.fit(fitted, scorer="sgm")
    return auc(*(model.score(features)["z"] for features in (held_out, generated)))


def measured(options: argparse.Namespace) -> dict[tuple[str, str], dict[str, list[float]]]:
    """(set, way) -> extractor -> the figure of each split."""
    table: dict[tuple[str, str], dict[str, list[float]]] = {}
    for spec in options.extractor:
        sets = Sets([options.data], spec)
        for name in options.only:
            for way, match in WAYS.items():
                for label, split in MEASURES[name](sets, match, options.splits):
                    table.setdefault((label, way), {}).setdefault(spec, []).append(found(split))
            say(f"{spec}: {name}")
    return table


def main() -> None:
    parser = command(__file__, __doc__, "data")
    parser.add_argument("--extractor", nargs="+", default=EXTRACTORS, metavar="SPEC")
    parser.add_argument("--only", type=names(*MEASURES), default=list(MEASURES), metavar="NAME,NAME")
    parser.add_argument("--splits", type=int, default=10)
    options = parser.parse_args()
    with results(options):
        table = measured(options)
        head("AUC", "pictures", *options.extractor)
        for (label, way), by_spec in table.items():
            cells = (over_splits(values) if len(values) > 1 else f"{values[0]:.3f}" for values in by_spec.values())
            row(label, way, *cells)


if __name__ == "__main__":
    main()
