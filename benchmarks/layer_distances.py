"""Seconds a picture and GB of the exact distances by place (variant A), against two plainer ways, in one run.

    python benchmarks/layer_distances.py [--references 2000] [--pictures 256] [--plain 64] [--naive 1] [--folder DIR]

Seven layers of Inception-V3 at 299 px (50,718 places, 3.2 million numbers a picture), filled with random numbers at or
above 0: speed does not depend on what they are. Ways, one thread each, the search alone (no network):

    giqa      `LayerDistances`: float16 references in a mapped file, read once for all pictures of a call
    plain     float32 references in a mapped file, one product a place: |a|² + |b|² - 2ab, its minimum, for --plain
              pictures at a time (what 64 pictures of maps and a tile hold)
    naive     one picture and one place at a time: the norm of the differences to all references, its minimum

All places are searched, by the naive way on
--share of the places of each layer, scaled up. Processor seconds are of this process alone, and leave out waiting for
the disk. Resident memory is the peak of the process (ru_maxrss, mapped pages
included). Needs (2 + 4) bytes x 3.2 million x references of disk in --folder, removed at the end.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np

from giqa import __version__
from giqa.scorers.distances import LayerDistances
from giqa.scorers.products import one_blas_thread

LAYERS = {
    "Conv2d_1a_3x3": (149, 149, 32),
    "Conv2d_2b_3x3": (147, 147, 64),
    "Conv2d_3b_1x1": (73, 73, 80),
    "Mixed_5d": (35, 35, 288),
    "Mixed_6e": (17, 17, 768),
    "Mixed_7c": (8, 8, 2048),
    "FC": (1008,),
}
Maps = dict[str, np.ndarray]


def maps(n: int, seed: int) -> Iterator[Maps]:
    """Pictures as a network would give them; a stock of random numbers is cut anew for each, which is quick."""
    rng = np.random.default_rng(seed)
    longest = max(int(np.prod(shape)) for shape in LAYERS.values())
    stock = np.maximum(rng.standard_normal(longest + 100_003, np.float32), 0)
    for _ in range(n):
        yield {
            name: stock[(start := int(rng.integers(100_003))) : start + int(np.prod(shape))].reshape(shape)
            for name, shape in LAYERS.items()
        }


def write_plain(file: Path, references: int) -> dict[str, np.ndarray]:
    """The same references as float32 (places, n, c), mapped."""
    arrays, begin = {}, 0
    for name, shape in LAYERS.items():
        places, c = int(np.prod(shape[:-1])), shape[-1]
        arrays[name] = np.memmap(file, np.float32, "w+" if not begin else "r+", begin, (places, references, c))
        begin += arrays[name].nbytes
    for start in range(0, references, 64):
        some = list(maps_from(references, start, 64))
        for name in LAYERS:
            block = np.stack([one[name].reshape(-1, one[name].shape[-1]) for one in some], axis=1)
            arrays[name][:, start : start + len(some)] = block
    return arrays


def maps_from(references: int, start: int, n: int) -> Iterator[Maps]:
    """References start to start + n; seeds go by 64, so that both files hold the same."""
    yield from maps(min(n, references - start), 1000 + start // 64)


def every(references: int) -> Iterator[Maps]:
    for start in range(0, references, 64):
        yield from maps_from(references, start, 64)


def plain(arrays: dict[str, np.ndarray], pictures: list[Maps]) -> dict[str, np.ndarray]:
    """One float32 product a place, the whole formula."""
    found = {}
    for name, references in arrays.items():
        queries = np.stack([one[name].reshape(-1, one[name].shape[-1]) for one in pictures], axis=1)
        found[name] = np.empty(queries.shape[:2], np.float32)
        for place, (a, b) in enumerate(zip(queries, references, strict=True)):
            squares = (a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * (a @ b.T)
            found[name][place] = np.sqrt(np.maximum(squares.min(axis=1), 0))
    return found


def naive(arrays: dict[str, np.ndarray], one: Maps, share: float) -> np.ndarray:
    """Seconds for one picture, from an evenly spread share of the places of each layer."""
    seconds = np.zeros(2)
    for name, references in arrays.items():
        vectors = one[name].reshape(-1, one[name].shape[-1])
        chosen = np.linspace(0, len(vectors) - 1, max(1, round(share * len(vectors)))).astype(int)
        clock = Clock()
        for place in chosen:
            np.linalg.norm(references[place] - vectors[place], axis=1).min()
        seconds += clock() * len(vectors) / len(chosen)
    return seconds


class Clock:
    """Seconds since it was made, of the wall and of this process: on a busy machine the wall says little."""

    def __init__(self) -> None:
        self.wall, self.own = time.perf_counter(), time.process_time()

    def __call__(self) -> np.ndarray:
        return np.array([time.perf_counter() - self.wall, time.process_time() - self.own])


def peak() -> float:
    """GB resident at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def say(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--references", type=int, default=2000)
    parser.add_argument("--pictures", type=int, nargs="+", default=[64, 256], help="of a call of giqa")
    parser.add_argument("--plain", type=int, default=64, help="pictures of a call of the plain way")
    parser.add_argument("--share", type=float, default=0.02, help="of the places, for the naive way")
    parser.add_argument("--folder", type=Path, help="where the references are written for the run")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=asked.folder, prefix="giqa-distances-"))
    try:
        measure(asked, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    load = os.getloadavg()[0]
    say(f"giqa {__version__}, {date.today()}, {os.cpu_count()} cores {platform.machine()}, load {load:.1f}")


def measure(asked: argparse.Namespace, folder: Path) -> None:
    n = asked.references
    numbers = sum(int(np.prod(shape)) for shape in LAYERS.values())
    free = shutil.disk_usage(folder).free
    if free < 1.3 * 6 * numbers * n:
        sys.exit(f"{n} references need {6 * numbers * n / 1e9:.0f} GB, and {free / 1e9:.0f} GB are free; take fewer.")
    start = time.perf_counter()
    LayerDistances().fit(every(n), n, folder / "reference", say=say)
    say(f"written in {time.perf_counter() - start:.0f} s")
    distances = LayerDistances.open(folder / "reference")
    before, rates = peak(), {}
    for pictures in asked.pictures:
        queries = list(maps(pictures, 1))
        bound = distances.cost(queries[0], n).resident(pictures) / 1e9
        clock = Clock()
        found = distances.distances(queries)
        rate = rates[f"giqa, {pictures} at a time"] = clock() / pictures
        say(f"giqa, {pictures}: {rate[0]:.3f} s a picture, stated {bound:.2f} GB, peak so far {peak():.2f} GB")
        del queries
    say(f"peak before any search {before:.2f} GB, after {peak():.2f} GB")
    start = time.perf_counter()
    arrays = write_plain(folder / "plain", n)
    say(f"plain references written in {time.perf_counter() - start:.0f} s")
    with one_blas_thread():
        queries = list(maps(asked.plain, 1))
        clock = Clock()
        expected = plain(arrays, queries)
        rates[f"plain, {asked.plain} at a time"] = clock() / asked.plain
        rates["naive"] = naive(arrays, queries[0], asked.share)
    worst = max(
        float(np.abs(found[name].reshape(len(found[name]), -1)[: asked.plain].T / expected[name] - 1).max())
        for name in LAYERS
    )
    say(f"largest relative difference of a distance, giqa against plain: {worst:.1e}")
    best = min((rate for name, rate in rates.items() if name.startswith("giqa")), key=lambda rate: rate[1])
    say("| way | s a picture | giqa is faster by | processor s a picture | by |\n|---|---|---|---|---|")
    for name, rate in rates.items():
        (wall, own), (times, own_times) = rate, rate / best
        say(f"| {name} | {wall:.3f} | {times:.1f} | {own:.3f} | {own_times:.1f} |")


if __name__ == "__main__":
    main()
