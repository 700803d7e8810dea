"""Pictures a second from disk to score, decoding included, and what the parts cost.

    python -m benchmarks.speed.throughput --pictures 50 --repeats 2

Needs: 4 GB of memory; for its row, the weights of Inception (--inception).
Takes: about 2 minutes.

Toy landscapes of 256 px as PNG. Ways take turns; medians and ranges of the repeats. `kept` is a second run over
pictures whose features the store holds. Peak memory is that of the whole process so far. With `--inception`, Inception
up to Mixed_5d as well.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

import giqa
from benchmarks.shared import command, head, interleaved, median_range, results, row, timed
from giqa.features.reader import extract
from giqa.images.copies import twins
from giqa.images.toy import write_toy
from giqa.scorers.knn import KNN
from giqa.types import INFO


def many(rng: np.random.Generator, n: int = 300_000) -> None:
    """Time and memory that a picture costs beside its features: n rows of 8 features through the whole of scoring."""
    model = giqa.fit(rng.normal(size=(500, 8)).astype(np.float32))
    features = rng.normal(size=(n, 8)).astype(np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = timed(lambda: giqa.score(features, model=model))
    bytes_each = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / n
    each = f"{1e6 * seconds / n:.0f} us and {bytes_each:.0f} bytes"
    print(f"beside its features a picture costs {each} (gmm, {n:,} rows)")


def twins_of(rng: np.random.Generator, n: int) -> None:
    """Time to look for twins among n different reals, whose thumbnails have the contrasts of photographs."""
    info = np.zeros(n, INFO)
    quarters = (30 * rng.normal(size=(n, 2, 2, 3))).repeat(4, axis=1).repeat(4, axis=2)
    light = 128 + 40 * rng.normal(size=(n, 1, 1, 1))
    info["thumbnail"] = np.clip(light + quarters + 20 * rng.normal(size=(n, 8, 8, 3)), 0, 255)
    info["digest"] = rng.integers(0, 256, (n, 16))
    print(f"looking for twins among {n:,} reals: {timed(lambda: twins(info)):.1f} s")


def measure(options: argparse.Namespace) -> None:
    n, rng = options.pictures, np.random.default_rng(0)
    many(rng)
    for reals in (20_000, 70_000, 1_000_000):
        twins_of(rng, reals)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GIQA_HOME"] = folder
        reals, _ = write_toy(Path(folder) / "toy", n_real=n, n_fake=0, size=256)
        ways = {
            "statistics, 1 thread": lambda: extract(reals, "statistics", store=False, workers=1),
            "statistics, 2 threads": lambda: extract(reals, "statistics", store=False, workers=2),
            "statistics, kept": lambda: extract(reals, "statistics"),
        }
        if options.inception:
            spec = f"inception(weights={str(options.inception)!r})"
            ways["inception, Mixed_5d"] = lambda: extract(reals, spec, store=False)
        found = interleaved({name: partial(timed, work) for name, work in ways.items()}, options.repeats)
    head("what", "median", "range")
    for name, seconds in found.items():
        median, reach = median_range([n / each for each in seconds], ".1f")
        row(f"{name}: 256 px PNG to features", f"{median} pictures/s", reach)
    reals, queries = rng.normal(size=(70_000, 2048)).astype(np.float32), rng.normal(size=(256, 2048)).astype(np.float32)
    for k in (1, 3500):
        knn = KNN(k=k, preset="paper").fit(reals)
        times = [1000 * timed(lambda knn=knn: knn.score_samples(queries)) / 256 for _ in range(options.repeats)]
        median, reach = median_range(times, ".1f")
        row(f"knn(k={k}), 70,000 reals x 2,048, 256 at a time", f"{median} ms a picture", reach)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\npeak memory of the process: {peak:.1f} GiB, of it 0.5 GiB the 70,000 reals as given")


def main() -> None:
    parser = command(__file__, __doc__, "inception")
    parser.add_argument("--pictures", type=int, default=200, help="(%(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="(%(default)s)")
    options = parser.parse_args()
    with results(options):
        measure(options)


if __name__ == "__main__":
    main()
