"""Metrics of pyiqa through the extractor iqa, on pictures that people compared; and what pyiqa says itself.

    python -m benchmarks.accuracy.pyiqa_metrics --metrics piqe nima

Needs: gan-compression-2afc of --data; pyiqa (`pip install pyiqa`; its licence is PolyForm Noncommercial), without which
it says so and ends.
Takes: seconds to minutes a metric.

77 pictures in 402 pairs that 31 people each judged: how often a metric sides with most people (interval: scenes
resampled), Spearman with the published column of that name where there is one, and the largest difference between
giqa's score and pyiqa's own, given the file (8 pictures).

A metric whose weights are neither here nor can be downloaded is drawn at random, and its row says so: that shows that
the interface fits and nothing about the metric. `--weights` adds pyiqa's own NIQE with the parameters of that folder
beside giqa's.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from importlib.util import find_spec
from unittest import mock

import numpy as np

from benchmarks.accuracy._pairs import FOLDER, agreement
from benchmarks.data import Sets, rows_of
from benchmarks.intervals import over_pictures, spearman
from benchmarks.shared import command, head, results, row, say
from giqa.errors import MissingWeights
from giqa.features.iqa import IQA
from giqa.features.reader import extract

COLUMNS = {"brisque": -1, "niqe": -1, "hyperiqa": 1, "unique": 1}
METRICS = ("piqe", "wadiqam_nr", "nima")


def drawn(metric: str) -> tuple[IQA, str]:
    """The extractor of a metric, and "trained" or "random weights"; its network is loaded."""
    extractor = IQA(metric)
    try:
        extractor.identity()
        return extractor, "as pyiqa has it"
    except MissingWeights as error:
        say(f"{metric}: {error}")
    import pyiqa
    import timm
    import torch

    torch.manual_seed(0)
    bare = {"create_model": partial(_without_weights, timm.create_model)}
    with (
        mock.patch.multiple(timm, **bare),
        mock.patch.object(pyiqa, "create_metric", partial(pyiqa.create_metric, pretrained=False)),
    ):
        extractor.identity()
    return extractor, "random weights"


def _without_weights(create: object, name: str, pretrained: bool = True, **options: object) -> object:
    return create(name, pretrained=False, **options)


def compared(options: argparse.Namespace) -> None:
    """A line a metric."""
    sets = Sets([options.data], None)
    folder = options.data / FOLDER
    published = {line["image"]: line for line in rows_of(folder / "objective_metrics.csv")}
    columns = ("sides with most people", "Spearman with the published column", "off pyiqa's own", "s")
    head("metric", "weights", *columns)
    for metric in options.metrics:
        start = time.time()
        extractor, weights = drawn(metric)
        features = extract(f"{folder}/labels.csv", extractor).features
        spent = time.time() - start
        scores = features.layers["score"][:, 0]
        found = dict(zip(features.ids, scores.tolist(), strict=True))
        judge = extractor._judge
        sign = -1 if judge.lower_better else 1
        off = max(abs(sign * float(judge(f"{folder}/{name}")) - found[name]) for name in features.ids[:8])
        people = agreement(sets, found)["people: pairs, all"]
        with_column = "none"
        if metric in COLUMNS:
            given = np.array([COLUMNS[metric] * float(published[name][metric]) for name in features.ids])
            with_column = over_pictures(spearman, scores, given)
        row(metric, weights, people, with_column, f"{off:.1g}", f"{spent:.0f}")


def niqe(options: argparse.Namespace) -> None:
    """pyiqa's own NIQE and giqa's with the same parameters."""
    import torch
    from pyiqa.archs.niqe_arch import calculate_niqe
    from pyiqa.utils.img_util import imread2tensor

    from giqa.scorers.niqe import NIQE, read_pristine

    folder, file = options.data / FOLDER, str(options.weights / "niqe_image_params.mat")
    mean, covariance = (torch.from_numpy(a.copy()) for a in read_pristine(file))
    features = extract(f"{folder}/labels.csv", "niqe").features
    scorer = NIQE(file).fit(features)
    ours = scorer.score_samples(features)
    scorer.order_ = np.arange(len(mean))  # the file's repeated rows left as they are
    parameters = {"mu_pris_param": mean, "cov_pris_param": covariance}
    files = [imread2tensor(f"{folder}/{name}")[None] for name in features.ids]
    theirs = np.array([-float(calculate_niqe(file, **parameters)) for file in files])
    column = {line["image"]: -float(line["niqe"]) for line in rows_of(folder / "objective_metrics.csv")}
    published = np.array([column[name] for name in features.ids])
    print()
    for name, one, other in (
        ("giqa's, repeated rows as they are, and pyiqa's", scorer.score_samples(features), theirs),
        ("giqa's, repeated rows read alike, and the published column", ours, published),
        ("pyiqa's and the published column", theirs, published),
    ):
        figure = over_pictures(spearman, one, other)
        print(f"NIQE with the same parameters, {name}: Spearman {figure}, {np.abs(one - other).mean():.2f} apart")


def main() -> None:
    parser = command(__file__, __doc__, "data", "weights")
    parser.add_argument("--metrics", nargs="+", default=METRICS, help=f"of pyiqa ({' '.join(METRICS)})")
    options = parser.parse_args()
    if not find_spec("pyiqa"):
        print("skipped: pyiqa is not installed (pip install pyiqa; its licence is PolyForm Noncommercial)")
        return
    import pyiqa

    with results(options):
        compared(options)
        if options.weights:
            niqe(options)
        print(f"\npyiqa {pyiqa.__version__}")


if __name__ == "__main__":
    main()
