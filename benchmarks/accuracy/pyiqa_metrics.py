"""Metrics of pyiqa through the extractor iqa, on pictures that people compared; and what pyiqa says itself.

    python -m benchmarks.accuracy.pyiqa_metrics [--data ../shared/data] [--weights ../shared/weights] [--metrics piqe nima ...]

Needs pyiqa (`pip install pyiqa`); without it, it says so and ends. On gan-compression-2afc, 77 pictures in 402 pairs
that 31 people each judged: how often a metric sides with most people (interval: scenes resampled), Spearman with the
published column of that name where there is one, and the largest difference between giqa's score and pyiqa's own, given
the file (8 pictures).

A metric whose weights are neither here nor can be downloaded is drawn at random, and its row says so: that shows that
the interface fits and nothing about the metric. `--weights` adds pyiqa's own NIQE with the parameters of that folder
beside giqa's.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from unittest import mock

import numpy as np
from scipy.stats import spearmanr

import giqa
from benchmarks.accuracy._pairs import FOLDER, agreement
from benchmarks.data import Sets
from benchmarks.intervals import over_pictures
from giqa.errors import MissingWeights
from giqa.extraction import extract
from giqa.features.iqa import IQA

COLUMNS = {"brisque": -1, "niqe": -1, "hyperiqa": 1, "unique": 1}
METRICS = ("piqe", "wadiqam_nr", "nima")


def drawn(metric: str) -> tuple[IQA, str]:
    """The extractor of a metric, and "trained" or "random weights"; its network is loaded."""
    extractor = IQA(metric)
    try:
        extractor.identity()
        return extractor, "as pyiqa has it"
    except MissingWeights as error:
        print(f"{metric}: {error}", file=sys.stderr)
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


def rows(options: argparse.Namespace) -> None:
    """A line a metric."""
    sets = Sets([options.data], None)
    folder = options.data / FOLDER
    with open(folder / "objective_metrics.csv", newline="", encoding="utf-8") as file:
        published = {row["image"]: row for row in csv.DictReader(file)}
    print("| metric | weights | sides with most people | Spearman with the published column | off pyiqa's own | s |")
    print("|---|---|---|---|---|---|")
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
            with_column = str(over_pictures(lambda a, b: spearmanr(a, b)[0], scores, given))
        print(f"| {metric} | {weights} | {people} | {with_column} | {off:.1g} | {spent:.0f} |", flush=True)


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
    theirs = np.array(
        [
            -float(calculate_niqe(imread2tensor(f"{folder}/{n}")[None], mu_pris_param=mean, cov_pris_param=covariance))
            for n in features.ids
        ]
    )
    with open(folder / "objective_metrics.csv", newline="", encoding="utf-8") as table:
        column = {row["image"]: -float(row["niqe"]) for row in csv.DictReader(table)}
    published = np.array([column[name] for name in features.ids])
    print()
    for name, one, other in (
        ("giqa's, repeated rows as they are, and pyiqa's", scorer.score_samples(features), theirs),
        ("giqa's, repeated rows read alike, and the published column", ours, published),
        ("pyiqa's and the published column", theirs, published),
    ):
        figure = over_pictures(lambda a, b: spearmanr(a, b)[0], one, other)
        print(f"NIQE with the same parameters, {name}: Spearman {figure}, {np.abs(one - other).mean():.2f} apart")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--weights", type=Path, help="folder with the parameters of NIQE")
    parser.add_argument("--metrics", nargs="+", default=METRICS)
    options = parser.parse_args()
    if not find_spec("pyiqa"):
        print("skipped: pyiqa is not installed (pip install pyiqa; its licence is PolyForm Noncommercial)")
        return
    import pyiqa

    rows(options)
    if options.weights:
        niqe(options)
    print(f"\npyiqa {pyiqa.__version__}, giqa {giqa.__version__}")


if __name__ == "__main__":
    main()
