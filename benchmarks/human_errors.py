"""Do metrics of generators agree with people? Spearman with the human error rate over the generators of a data set.

    python benchmarks/human_errors.py [--humans ../shared/humans/layer6-realism] [--ranks]

Human error rate: the mean over people of the share of pictures, half real and half generated, that they judged wrongly
(Stein et al., NeurIPS 2023; per-participant files). The pictures are with their makers; whoever has them and makes
features can correlate any metric by `against_humans`. Without pictures this prints what published numbers give: the
metrics in the space of DINOv2 ViT-L/14 from the leaderboard of github.com/layer6ai-labs/dgm-eval (Table 11 of that
paper; `dinov2_leaderboard.csv`), and FID in Inception's space by its ranks. The numbers of FID were not to be had, but
a figure of that repository (figures/humaneval-vs-inception.png) has the generators in the order of their FID
(`inception_fid_ranks.csv`); the error rates drawn there are those of the files, one of 41 within .01, the others .003.
Distances have their sign turned, so that +1 is "as people have it". The interval is the 2.5 and 97.5 % percentile over
1,000 resamples of the generators, which are few: 8 to 13.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from generators import cell, with_interval

from giqa.metrics.prdc import evaluate
from giqa.registry import make

DATASETS = ("cifar10", "ffhq256", "imagenet256", "lsun256")
LEADERBOARD = Path(__file__).with_name("dinov2_leaderboard.csv")
RANKS = Path(__file__).with_name("inception_fid_ranks.csv")


def error_rates(folder: Path, dataset: str) -> dict[str, float]:
    """Human error rate of each generator, mean over people."""
    people = defaultdict(list)
    with (folder / "per-participant" / f"{dataset}.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            people[row["model"]].append(float(row["err_rt"]))
    return {model: float(np.mean(errors)) for model, errors in people.items()}


def against_humans(
    errors: Mapping[str, float], features: Callable[[str], tuple[np.ndarray, np.ndarray]], names: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Spearman of each metric with the human error rate over generators; `features(model)`: its reals and fakes."""
    metrics = [make("metric", name) for name in names]
    found = np.array([evaluate(metrics, *features(model)) for model in errors])
    rates = np.array(list(errors.values()))
    signs = [-1 if metric.is_distance else 1 for metric in metrics]
    return {name: with_interval(signs[i] * found[:, i], rates) for i, name in enumerate(names)}


def published(dataset: str) -> dict[str, dict[str, float]]:
    """Metric -> model -> published number, distances with their sign turned."""
    with LEADERBOARD.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["dataset"] == dataset]
    names = [name for name in rows[0] if name not in ("dataset", "model")]
    sign = {name: -1 if make("metric", name).is_distance else 1 for name in names}
    return {name: {row["model"]: sign[name] * float(row[name]) for row in rows} for name in names}


def fid_ranks(dataset: str) -> dict[str, int]:
    """Published rank of each generator by FID in Inception's space, 1 for the lowest."""
    with RANKS.open(newline="", encoding="utf-8") as file:
        return {row["model"]: int(row["rank"]) for row in csv.DictReader(file) if row["dataset"] == dataset}


def ranks(values: Mapping[str, float]) -> dict[str, int]:
    """1 for the highest."""
    return {model: i for i, model in enumerate(sorted(values, key=values.get, reverse=True), 1)}


def print_ranks(humans: Path) -> None:
    """Every generator: how often people erred, and its rank by people, by FD of DINOv2 and by FID."""
    print("| data set | generator | human error rate | people | FD-DINOv2 | FID |\n|---|---|---|---|---|---|")
    for dataset in DATASETS:
        errors, dinov2, fid = error_rates(humans, dataset), ranks(published(dataset)["fd"]), fid_ranks(dataset)
        for model, place in ranks(errors).items():
            print(f"| {dataset} | {model} | {errors[model]:.3f} | {place} | {dinov2[model]} | {fid[model]} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--humans", type=Path, default=Path("../shared/humans/layer6-realism"))
    parser.add_argument("--ranks", action="store_true", help="a row a generator instead")
    options = parser.parse_args()
    if options.ranks:
        print_ranks(options.humans)
        return
    heads = ["FID (Inception)", *published(DATASETS[0])]
    print("| data set | generators | " + " | ".join(heads) + " |\n|---|---" + "|---" * len(heads) + "|")
    for dataset in DATASETS:
        errors = error_rates(options.humans, dataset)
        cells = []
        by_fid = {model: -float(rank) for model, rank in fid_ranks(dataset).items()}
        for values in (by_fid, *published(dataset).values()):
            both = [model for model in errors if model in values]
            pair = ([side[model] for model in both] for side in (values, errors))
            cells.append(cell(with_interval(*map(np.array, pair))))
        print(f"| {dataset} | {len(both)} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
