"""What the variants of the distances by place keep, what they cost, and what they lose.

    python -m benchmarks.explain.distance_variants

Needs: lfw-dcgan of --data.
Takes: about 50 seconds.

300 faces as references, 100 other reals against 100 DCGAN faces; AUC of minus the sum over places, for each tap of the
embedded network, with a bootstrap interval over pictures. Next to variants A, B and C: `Places` (a Gaussian a place on
the energies of windows), scored by its mean z.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.data import pictures
from benchmarks.intervals import Figure, auc, over_pictures
from benchmarks.p_real._columns import TAPS
from benchmarks.shared import command, head, results, row
from giqa.explain.energy import Places
from giqa.features.embedded import Embedded
from giqa.p_real.distances import LayerDistances


def main() -> None:
    options = command(__file__, __doc__, "data").parse_args()
    with results(options):
        measure(options.data)


def measure(data: Path) -> None:
    extractor = Embedded()
    reals = pictures(f"{data}/lfw-dcgan/labels.csv[kind=real]", 400)[0]
    fakes = pictures(f"{data}/lfw-dcgan/labels.csv[kind=generated]", 100)[0]
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
    head("variant", "MB kept", "GFLOP a picture", *(f"AUC, {tap}" for tap in TAPS))
    for name, distances in variants.items():
        cost = distances.cost(references[0], 300)
        scores = -distances.fit(references, 300).sums(judged)
        row(name, f"{cost.reference_bytes / 1e6:.1f}", f"{cost.flops / 1e9:.2f}", *areas(scores))
    places = Places().fit(references)
    size = sum(np.asarray(v).nbytes for layer in places.layers_.values() for v in vars(layer).values())
    means = np.array([[places.z({**one})[tap].mean() for tap in TAPS] for one in judged])
    row("`Places`", f"{size / 1e6:.1f}", "–", *areas(means))


def areas(scores: np.ndarray) -> list[Figure]:
    """AUC of each column, of the first 100 rows against the others."""
    return [over_pictures(auc, column[:100], column[100:], paired=False) for column in scores.T]


if __name__ == "__main__":
    main()
