"""Do metrics of generators agree with people? Spearman with the human error rate over the generators of a data set.

    python -m benchmarks.metrics.human_error_rate [--ranks]

Needs: per-participant/ of --humans.
Takes: about 20 seconds.

Human error rate: the mean over people of the share of pictures, half real and half generated, that they judged wrongly
(Stein et al., NeurIPS 2023; per-participant files). The pictures are with their makers; whoever has them and makes
features can correlate any metric by `against_humans`. Without pictures this prints what published numbers give: the
metrics in the space of DINOv2 ViT-L/14 from the leaderboard of github.com/layer6ai-labs/dgm-eval (Table 11 of that
paper; `dinov2_leaderboard.csv`), and FID in Inception's space by its ranks. The numbers of FID were not to be had, but
a figure of that repository (figures/humaneval-vs-inception.png) has the generators in the order of their FID
(`inception_fid_ranks.csv`); the error rates drawn there are those of the files, one of 41 within 0.01, the others
0.003. Distances have their sign turned, so that +1 is "as people have it". The interval is the 2.5 and 97.5 %
percentile over 1,000 resamples of the generators, which are few: 8 to 13.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.data import rows_of
from benchmarks.intervals import Figure, over_pictures, spearman
from benchmarks.shared import command, head, results, row
from giqa.metrics.together import evaluate
from giqa.registry import make

DATASETS = ("cifar10", "ffhq256", "imagenet256", "lsun256")
LEADERBOARD = Path(__file__).with_name("dinov2_leaderboard.csv")
RANKS = Path(__file__).with_name("inception_fid_ranks.csv")


def error_rates(folder: Path, dataset: str) -> dict[str, float]:
    """Human error rate of each generator, mean over people."""
    people = defaultdict(list)
    for one in rows_of(folder / "per-participant" / f"{dataset}.csv"):
        people[one["model"]].append(float(one["err_rt"]))
    return {model: float(np.mean(errors)) for model, errors in people.items()}


def against_humans(
    errors: Mapping[str, float], features: Callable[[str], tuple[np.ndarray, np.ndarray]], names: Sequence[str]
) -> dict[str, Figure]:
    """Spearman of each metric with the human error rate over generators; `features(model)`: its reals and fakes."""
    metrics = [make("metric", name) for name in names]
    found = np.array([evaluate(metrics, *features(model)) for model in errors])
    rates = np.array(list(errors.values()))
    signs = [-1 if metric.is_distance else 1 for metric in metrics]
    return {name: over_pictures(spearman, signs[i] * found[:, i], rates) for i, name in enumerate(names)}


def published(dataset: str) -> dict[str, dict[str, float]]:
    """Metric -> model -> published number, distances with their sign turned."""
    rows = [one for one in rows_of(LEADERBOARD) if one["dataset"] == dataset]
    names = [name for name in rows[0] if name not in ("dataset", "model")]
    sign = {name: -1 if make("metric", name).is_distance else 1 for name in names}
    return {name: {one["model"]: sign[name] * float(one[name]) for one in rows} for name in names}


def fid_ranks(dataset: str) -> dict[str, int]:
    """Published rank of each generator by FID in Inception's space, 1 for the lowest."""
    return {one["model"]: int(one["rank"]) for one in rows_of(RANKS) if one["dataset"] == dataset}


def ranks(values: Mapping[str, float]) -> dict[str, int]:
    """1 for the highest."""
    return {model: i for i, model in enumerate(sorted(values, key=values.get, reverse=True), 1)}


def print_ranks(humans: Path) -> None:
    """Every generator: how often people erred, and its rank by people, by FD of DINOv2 and by FID."""
    head("data set", "generator", "human error rate", "people", "FD-DINOv2", "FID")
    for dataset in DATASETS:
        errors, dinov2, fid = error_rates(humans, dataset), ranks(published(dataset)["fd"]), fid_ranks(dataset)
        for model, place in ranks(errors).items():
            row(dataset, model, f"{errors[model]:.3f}", place, dinov2[model], fid[model])


def print_correlations(humans: Path) -> None:
    """Every data set: Spearman of each published metric with the human error rate."""
    head("data set", "generators", "FID (Inception)", *published(DATASETS[0]))
    for dataset in DATASETS:
        errors = error_rates(humans, dataset)
        cells = []
        by_fid = {model: -float(rank) for model, rank in fid_ranks(dataset).items()}
        for values in (by_fid, *published(dataset).values()):
            both = [model for model in errors if model in values]
            pair = (np.array([side[model] for model in both]) for side in (values, errors))
            cells.append(f"{over_pictures(spearman, *pair):.2f}")
        row(dataset, len(both), *cells)


def main() -> None:
    parser = command(__file__, __doc__, "humans")
    parser.add_argument("--ranks", action="store_true", help="a row a generator instead")
    options = parser.parse_args()
    with results(options):
        (print_ranks if options.ranks else print_correlations)(options.humans)


if __name__ == "__main__":
    main()
