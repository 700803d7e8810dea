"""Pictures a second from disk to score, decoding included, and what the parts cost.

    python -m benchmarks.speed.throughput [--weights FILE] [--pictures 200] [--repeats 5]

Toy landscapes of 256 px as PNG. Ways are interleaved; medians and ranges of the repeats. `kept` is a second run over
pictures whose features the store holds. Peak memory is that of the whole process so far. With `--weights`, Inception
up to Mixed_5d as well.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

import giqa
from giqa.extraction import extract
from giqa.images.toy import write_toy
from giqa.scorers.knn import KNN
from giqa.scorers.scale import twins
from giqa.types import INFO


def rate(n: int, work) -> float:
    start = time.perf_counter()
    work()
    return n / (time.perf_counter() - start)


def show(name: str, rates: list[float], unit: str) -> None:
    print(f"| {name} | {statistics.median(rates):.1f} {unit} | {min(rates):.1f} to {max(rates):.1f} |")


def many(rng: np.random.Generator, n: int = 300_000) -> None:
    """Time and memory that a picture costs beside its features: n rows of 8 features through the whole of scoring."""
    model = giqa.fit(rng.normal(size=(500, 8)).astype(np.float32))
    features = rng.normal(size=(n, 8)).astype(np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = 1 / rate(1, lambda: giqa.score(features, model=model))
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
    print(f"looking for twins among {n:,} reals: {1 / rate(1, lambda: twins(info)):.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    n, rng = options.pictures, np.random.default_rng(0)
    many(rng)
    for reals in (20_000, 70_000):
        twins_of(rng, reals)
    print()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GIQA_HOME"] = folder
        reals, _ = write_toy(Path(folder) / "toy", n_real=n, n_fake=0, size=256)
        ways = {
            f"statistics, {workers} thread{'s' if workers > 1 else ''}": (
                lambda workers=workers: extract(reals, "statistics", store=False, workers=workers)
            )
            for workers in (1, 2)
        }
        extract(reals, "statistics")
        ways["statistics, kept"] = lambda: extract(reals, "statistics")
        if options.weights:
            spec = f"inception(weights={str(options.weights)!r})"
            ways["inception, Mixed_5d"] = lambda: extract(reals, spec, store=False)
        rates = {name: [] for name in ways}
        for _ in range(options.repeats):
            for name, work in ways.items():
                rates[name].append(rate(n, work))
    print("| what | median | range |\n|---|---|---|")
    for name, measured in rates.items():
        show(f"{name}: 256 px PNG to features", measured, "pictures/s")
    reals, queries = rng.normal(size=(70_000, 2048)).astype(np.float32), rng.normal(size=(256, 2048)).astype(np.float32)
    for k in (1, 3500):
        knn = KNN(k=k, preset="paper").fit(reals)
        times = [1000 / rate(len(queries), lambda knn=knn: knn.score_samples(queries)) for _ in range(options.repeats)]
        show(f"knn(k={k}), 70,000 reals x 2,048, 256 at a time", times, "ms a picture")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\npeak memory of the process: {peak:.1f} GiB, of it 0.5 GiB the 70,000 reals as given")


if __name__ == "__main__":
    main()
