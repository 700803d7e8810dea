"""What the variants of the distances by place keep, what they cost, and what they lose.

    python -m benchmarks.explain.distance_variants --data ../shared/data

Faces of `lfw-dcgan`: 300 references, 100 other reals against 100 DCGAN faces; AUC of minus the sum over places, for
each tap of the embedded network, with a bootstrap interval over pictures. Beside variants A, B and C: `Places` (a
Gaussian a place on the energies of windows), scored by its mean z.
"""

from __future__ import annotations

import argparse
import os
import time
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.intervals import auc, over_pictures
from benchmarks.p_real.simulated_votes import TAPS, pictures
from giqa import __version__
from giqa.features.embedded import Embedded
from giqa.scorers.distances import LayerDistances
from giqa.scorers.places import Places


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    asked, start, extractor = parser.parse_args(), time.time(), Embedded()
    reals = pictures(f"{asked.data}/lfw-dcgan/labels.csv[kind=real]", 400)[0]
    fakes = pictures(f"{asked.data}/lfw-dcgan/labels.csv[kind=generated]", 100)[0]
    order = np.random.default_rng(0).permutation(400)
    references, held_out = ([extractor.maps(reals[i], TAPS) for i in part] for part in (order[:300], order[300:]))
    judged = held_out + [extractor.maps(p, TAPS) for p in fakes]
    variants = {
        "A": LayerDistances(),
        "B, 3,000 vectors": LayerDistances("B", vectors=3000),
        "B, 300 vectors": LayerDistances("B", vectors=300),
        "C, 17 x 17": LayerDistances("C"),
        "C, 6 x 6": LayerDistances("C", grid=6),
    }
    print(
        "| variant | MB kept | GFLOP a picture | "
        + " | ".join(f"AUC, {tap}" for tap in TAPS)
        + " |\n|---|---|---|---|---|---|"
    )
    for name, distances in variants.items():
        cost = distances.cost(references[0], 300)
        scores = -distances.fit(references, 300).sums(judged)
        print(row(name, f"{cost.reference_bytes / 1e6:.1f}", f"{cost.flops / 1e9:.2f}", scores), flush=True)
    places = Places().fit(references)
    size = sum(np.asarray(v).nbytes for layer in places.layers_.values() for v in vars(layer).values())
    means = np.array([[places.z({**one})[tap].mean() for tap in TAPS] for one in judged])
    print(row("`Places`", f"{size / 1e6:.1f}", "–", means))
    print(f"\ngiqa {__version__}, {date.today()}, {os.cpu_count()} cores, {time.time() - start:.0f} s")


def row(name: str, megabytes: str, flops: str, scores: np.ndarray) -> str:
    cells = [over_pictures(auc, column[:100], column[100:], paired=False) for column in scores.T]
    return f"| {name} | {megabytes} | {flops} | " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
