"""Which metric of generators tracks training: every epoch of three DCGAN runs as a generator, Spearman with the epoch.

    python -m benchmarks.metrics.training_progress --extractor "statistics(scales=1)"
    python -m benchmarks.metrics.training_progress --diversity

Needs: lfw-dcgan, lfw-dcgan-progress and cifar10-dcgan-progress of --data.
Takes: about 8 minutes, and as long with --diversity; the first example 40 seconds.

Sets: lfw-dcgan-progress, 25 epochs of 64 pictures against the 978 LFW faces of lfw-dcgan; both runs of
cifar10-dcgan-progress, 25 epochs of 32 against the 128 real tiles of both. A row is an extractor and some of its
layers; layers side by side are standardised on the reals, a layer alone is taken as it is. Columns:

- qs: mean z under `multilayer` (for a single layer: one Gaussian), fitted on the reals with held-out folds;
- ds: `giqa.metrics.quality.diversity_score` with one Gaussian's log-density;
- fd, kd, cmmd: distances, so their sign is turned: +1 is always "rises with training";
- precision, recall, density, coverage: k = 5.

The interval is the 2.5 and 97.5 % percentile over 1,000 resamples of the 25 epochs; "qs - fd" and so on are paired
over the same resamples. With 64 or 32 fakes a set FD of hundreds of columns is mostly bias (the bias is the same for
every epoch, so the order may still be right) and recall moves in coarse steps; the page says where.

`--diversity`: DS by scorer and layer on sets whose diversity is known: the other half of the reals (0 is right), the
240, 120 and 60 of them nearest to one (a collapse: ever lower), the reals with 3 times the spread around their mean
(too wide: must not be above 0), and three epochs.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import giqa
from benchmarks.data import Part, Sets, stems
from benchmarks.intervals import over_pictures, spearman
from benchmarks.shared import command, head, results, row, say
from giqa.features.reader import extract, make_extractor
from giqa.metrics.quality import LOG_DENSITY
from giqa.metrics.together import evaluate
from giqa.registry import make
from giqa.types import Features

RUNS = {
    "LFW": ("lfw-dcgan/labels.csv[kind=real]", "lfw-dcgan-progress/labels.csv[kind=generated]"),
    "CIFAR hvyd": (
        "cifar10-dcgan-progress/labels.csv[kind=real]",
        "cifar10-dcgan-progress/labels.csv[kind=generated,run=hvyd]",
    ),
    "CIFAR tiwarim": (
        "cifar10-dcgan-progress/labels.csv[kind=real]",
        "cifar10-dcgan-progress/labels.csv[kind=generated,run=tiwarim]",
    ),
}
METRICS = ("ds", "fd", "kd", "precision", "recall", "density", "coverage")
DIVERSITY_LAYERS = ("low", "mid", "high", "content")


def layer_sets(extractor: Any) -> dict[str, tuple[str, ...]]:
    """Rows of the table: everything, each level, each layer."""
    levels = {level: tuple(names) for level, names in getattr(extractor, "levels", {}).items()}
    found = {"all": tuple(extractor.outputs)}
    if "low" in levels and "mid" in levels:
        found["low + mid"] = levels["low"] + levels["mid"]
    for label, names in {**levels, **stems(extractor.outputs)}.items():  # a layer goes before a level of the same name
        if names not in found.values():
            found[label] = names
    return found


def chosen(features: Features, names: Sequence[str]) -> Features:
    return Features(features.ids, {name: features.layers[name] for name in names}, features.info, {})


def matrices(real: Features, fake: Features) -> tuple[np.ndarray, np.ndarray]:
    """As `giqa compare` has them: one output as it is, several side by side standardised on the reals."""
    a, b = real.matrix(), fake.matrix()
    if len(real.layers) == 1:
        return a, b
    mean, spread = a.mean(axis=0, dtype=float), a.std(axis=0, dtype=float)
    spread[spread <= 1e-7 * np.maximum(np.abs(mean), 1e-30)] = 1
    return tuple(((x - mean) / spread).astype(np.float32) for x in (a, b))


def values_of(real: Features, fake: Features, epoch: np.ndarray) -> dict[str, np.ndarray]:
    """Each metric at every epoch, turned so that more is better, (epochs,)."""
    several = len(stems(list(real.layers))) > 1
    model = giqa.fit(real, scorer="multilayer(levels=None)" if several else "sgm")
    z = model.score(fake)["z"]
    metrics = [make("metric", name) for name in METRICS]
    a, b = matrices(real, fake)
    rows = [np.flatnonzero(epoch == e) for e in np.unique(epoch)]
    found = np.array([evaluate(metrics, a, b[r]) for r in rows])
    signs = [-1 if m.is_distance else 1 for m in metrics]
    return {"qs": np.array([z[r].mean() for r in rows])} | {
        name: found[:, i] * signs[i] for i, name in enumerate(METRICS)
    }


def gap(one: np.ndarray, other: np.ndarray, against: np.ndarray) -> float:
    """Difference of two Spearman correlations."""
    return spearman(one, against) - spearman(other, against)


def print_run(name: str, rows: Mapping[str, Mapping[str, np.ndarray]], epochs: np.ndarray) -> dict[str, Any]:
    print(f"\n**{name}**")
    head("layers", "qs", *METRICS, "qs - fd")
    result = {}
    for label, values in rows.items():
        figures = {metric: over_pictures(spearman, v, epochs) for metric, v in values.items()}
        figures["qs - fd"] = over_pictures(gap, values["qs"], values["fd"], epochs)
        row(label, *(f"{figures[m]:.2f}" for m in ("qs", *METRICS, "qs - fd")))
        result[label] = {metric: asdict(figure) for metric, figure in figures.items()}
    return result


def diversity_checks(data: Path) -> None:
    """The table of `--diversity`."""
    sets = Sets([data], make_extractor("embedded"))
    real, fake = (sets.features(where) for where in RUNS["LFW"])
    epoch = np.array(sets.source(RUNS["LFW"][1]).columns["epoch"], int)
    order = np.random.default_rng(0).permutation(len(real))
    half, other = np.array_split(order, 2)
    sets_of = ("half of the reals", "240 nearest", "120", "60", "3 times too wide", "epoch 0", "epoch 12", "epoch 24")
    head("layer", "scorer", *sets_of)
    for label, names in {k: v for k, v in layer_sets(sets.extractor).items() if k in DIVERSITY_LAYERS}.items():
        a, b = matrices(chosen(real, names), chosen(fake, names))
        near = other[np.argsort(((a[other] - a[other[0]]) ** 2).sum(axis=1))]
        middle = a[half].mean(axis=0)
        wide = middle + 3 * (a[other] - middle)
        cases = [a[other], *(a[near[:k]] for k in (240, 120, 60)), wide, *(b[epoch == e] for e in (0, 12, 24))]
        for scorer in (LOG_DENSITY, "sgm", "knn"):
            found = [make("metric", f"ds(scorer={scorer!r})")(a[half], case) for case in cases]
            name = "log p of one Gaussian" if scorer == LOG_DENSITY else scorer
            row(label, name, *(f"{value:.2f}" for value in found))


def taken(sets: Sets, reals: str, fakes: str, options: argparse.Namespace) -> tuple[Features, Features, np.ndarray]:
    """Features of a run, cut as asked before anything is computed, and the epoch of each fake."""
    real, fake = sets.source(reals), sets.source(fakes)
    epoch = np.array(fake.columns["epoch"], int)
    rows = np.concatenate([np.flatnonzero(epoch == e)[: options.per_epoch] for e in np.unique(epoch)])
    parts = [Part(real, np.arange(len(real))[: options.reals]), Part(fake, rows)]
    return *(extract(part, sets.extractor).features for part in parts), epoch[rows]


def main() -> None:
    parser = command(__file__, __doc__, "data", "json")
    parser.add_argument("--extractor", nargs="+", default=["embedded", "statistics(scales=1)"], metavar="SPEC")
    parser.add_argument("--reals", type=int, metavar="N", help="only the first N reals")
    parser.add_argument("--per-epoch", type=int, metavar="N", help="only the first N pictures of each epoch")
    parser.add_argument("--diversity", action="store_true", help="instead: DS where the diversity is known")
    options = parser.parse_args()
    with results(options):
        if options.diversity:
            diversity_checks(options.data)
        else:
            runs(options)


def runs(options: argparse.Namespace) -> None:
    for run, (reals, fakes) in RUNS.items():
        rows = {}
        for spec in options.extractor:
            extractor = make_extractor(spec)
            sets = Sets([options.data], extractor)
            real, fake, epoch = taken(sets, reals, fakes, options)
            for label, names in layer_sets(extractor).items():
                values = values_of(chosen(real, names), chosen(fake, names), epoch)
                width = sum(real.layers[name].shape[1] for name in names)
                rows[f"{spec.partition('(')[0]}: {label} ({width})"] = values
                say(f"{run}, {label}")
        options.figures[run] = print_run(run, rows, np.unique(epoch))


if __name__ == "__main__":
    main()
