"""Seconds a picture and GB of the exact distances by place (variant A), against plainer ways, in one run.

    python -m benchmarks.explain.layer_distances --folder DIR --prepare      (once; then the same without --prepare)
    python -m benchmarks.explain.layer_distances --references 20 --pictures 2 --plain 2 --repeats 1

Needs: Linux; disk, 20 MB a reference (40 GB for 2,000).
Takes: not measured as a whole; the second example about a minute.

Seven layers of Inception-V3 at 299 px (50,718 places, 3.2 million numbers a picture), filled with random numbers, half
of them 0 as after a rectifier: speed does not depend on what they are. The search alone, no network. Ways take turns:

    giqa             `LayerDistances`: float16 references in a mapped file, read once for all pictures of a call
    plain            the same references as float32 in a mapped file, one product a place for --plain pictures at a
                     time: |a|² + min(|b|² - 2ab), |b|² known beforehand
    plain, float16   the same from the file of giqa, a place converted by numpy before its product
    naive            one picture and one place at a time: the norm of the differences to all references, its minimum

All places are searched, by the naive way on --share of the places of each layer, scaled up. giqa uses all cores, the
others one (threads of BLAS that wait for each other make the plain way slower on a busy machine). Files are dropped
from the system's cache before each measurement, but for rows that say "warm". Processor seconds are of this process.
Resident is its peak during the search: mapped pages, the pictures' maps, and 0.4 GB of squares that only the plain way
has in memory. The files, (2 + 4) bytes x 3.2 million x references, are in a temporary folder that is removed, or in
--folder, which is kept.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import numpy as np

from benchmarks.shared import command, head, results, row, say
from giqa.p_real.distances import LayerDistances
from giqa.p_real.float16 import widened
from giqa.p_real.references import Reference
from giqa.threads import one_blas_thread

LAYERS = {
    "Conv2d_1a_3x3": (149, 149, 32),
    "Conv2d_2b_3x3": (147, 147, 64),
    "Conv2d_3b_1x1": (73, 73, 80),
    "Mixed_5d": (35, 35, 288),
    "Mixed_6e": (17, 17, 768),
    "Mixed_7c": (8, 8, 2048),
    "FC": (1008,),
}
NUMBERS = sum(int(np.prod(shape)) for shape in LAYERS.values())
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


def queries(n: int) -> list[Maps]:
    """Each with memory of its own, as maps have that come from a network."""
    return [{name: values.copy() for name, values in one.items()} for one in maps(n, 1)]


class Plain:
    """References (places, n, c) of each layer in one mapped file, and their squares in memory."""

    def __init__(self, vectors: dict[str, np.ndarray], squares: dict[str, np.ndarray]):
        self.vectors, self.squares = vectors, squares

    @classmethod
    def mapped(cls, file: Path, half: Reference) -> Self:
        """float32, the same numbers as those of giqa's file."""
        vectors, begin = {}, 0
        for name, values in half.vectors.items():
            vectors[name] = np.memmap(file, np.float32, "r", begin, values.shape)
            begin += vectors[name].nbytes
        return cls(vectors, {name: np.array(squares) for name, squares in half.squares.items()})

    @staticmethod
    def write(file: Path, half: Reference) -> None:
        with file.open("wb") as opened:
            for name in half.vectors:
                for _, block, _ in half.blocks(name):
                    opened.write(widened(block, np.empty(block.shape, np.float32)).data)

    def distances(self, pictures: list[Maps]) -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = {}
        for name, vectors in self.vectors.items():
            asked = np.stack([one[name].reshape(-1, one[name].shape[-1]) for one in pictures], axis=1)
            found[name] = np.empty(asked.shape[:2], np.float32)
            for place, (a, b, squares) in enumerate(zip(asked, vectors, self.squares[name], strict=True)):
                b = b.astype(np.float32, copy=False)
                best = (squares - 2 * (a @ b.T)).min(axis=1) + (a * a).sum(axis=1)
                found[name][place] = np.sqrt(np.maximum(best, 0))
        return found

    def naive(self, one: Maps, share: float) -> float:
        """How many times the work that was done a whole picture is: an evenly spread share of each layer's places."""
        done = 0.0
        for name, vectors in self.vectors.items():
            asked = one[name].reshape(-1, one[name].shape[-1])
            chosen = np.linspace(0, len(asked) - 1, max(1, round(share * len(asked)))).astype(int)
            for place in chosen:
                np.linalg.norm(vectors[place] - asked[place], axis=1).min()
            done += len(chosen) * vectors[0].size
        return done / sum(vectors.size for vectors in self.vectors.values())


class Meter:
    """Wall and processor seconds a picture of each way, in all its measurements, and GB resident at most."""

    def __init__(self) -> None:
        self.rates: dict[str, list[tuple[float, float]]] = {}
        self.resident: dict[str, float] = {}

    def __call__(self, way: str, search: Callable[[], float], cold: Path | None = None, one_core: bool = True) -> None:
        """`search` says how many pictures it has done."""
        every = os.sched_getaffinity(0)
        if one_core:
            os.sched_setaffinity(0, {max(every)})
        if cold:
            forget(cold)
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        wall, own = time.perf_counter(), time.process_time()
        pictures = search()
        rate = (time.perf_counter() - wall) / pictures, (time.process_time() - own) / pictures
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        self.resident[way] = max(self.resident.get(way, 0), int(status["VmHWM"].split()[0]) * 1024 / 1e9)
        self.rates.setdefault(way, []).append(rate)
        os.sched_setaffinity(0, every)
        say(f"{way}: {rate[0]:.3f} s, processor {rate[1]:.3f} s, {self.resident[way]:.2f} GB")

    def table(self) -> None:
        base = None
        head("way", "s a picture, median (range)", "times giqa's", "processor s", "times giqa's", "GB resident")
        for way, rates in self.rates.items():
            wall, own = np.median(rates, axis=0)
            base = base or (wall, own)
            low, high = np.min(rates, axis=0)[0], np.max(rates, axis=0)[0]
            cells = f"{wall:.3f} ({low:.3f} to {high:.3f})", f"{wall / base[0]:.1f}", f"{own:.3f}"
            row(way, *cells, f"{own / base[1]:.1f}", f"{self.resident[way]:.1f}")


def forget(file: Path) -> None:
    """Drop a file from the system's cache."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def write(folder: Path, n: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < 1.1 * 6 * NUMBERS * n:
        sys.exit(f"{n} references need {6 * NUMBERS * n / 1e9:.0f} GB, and {free / 1e9:.0f} GB are free; take fewer.")
    start = time.perf_counter()
    LayerDistances().fit(maps(n, 0), n, folder / "reference", say=say)
    say(f"written in {time.perf_counter() - start:.0f} s")
    start, half = time.perf_counter(), LayerDistances.open(folder / "reference").reference_
    Plain.write(folder / "plain", half)
    say(f"plain references written in {time.perf_counter() - start:.0f} s")


def measure(folder: Path, asked: argparse.Namespace) -> None:
    n, half, full = asked.references, folder / "reference", folder / "plain"
    distances, meter = LayerDistances.open(half), Meter()
    plain = Plain.mapped(full, distances.reference_)
    converted = Plain(distances.reference_.vectors, plain.squares)
    found: dict[str, np.ndarray] = {}
    expected: dict[str, np.ndarray] = {}

    def by_giqa(pictures: int) -> Callable[[], float]:
        coming = queries(pictures)
        return lambda: found.update(distances.distances(coming)) or pictures

    def by_plain(pictures: int, way: Plain = plain) -> Callable[[], float]:
        coming = queries(pictures)
        return lambda: expected.update(way.distances(coming)) or pictures

    most, few = asked.pictures[0], asked.plain[0]
    for _ in range(asked.repeats):
        meter(f"giqa, {most} at a time", by_giqa(most), half, one_core=False)
        meter(f"plain, {few} at a time", by_plain(few), full)
        meter("naive", lambda: plain.naive(queries(1)[0], asked.share))
    worst = max(np.abs(found[name][:few].reshape(few, -1).T / expected[name] - 1).max() for name in LAYERS)
    print(f"largest relative difference of a distance, giqa against plain: {worst:.1e}")
    if not asked.brief:
        for pictures in asked.pictures[1:]:
            meter(f"giqa, {pictures} at a time", by_giqa(pictures), half, one_core=False)
        meter(f"giqa, {most} at a time, warm", by_giqa(most), one_core=False)
        meter(f"giqa, {most} at a time, one core", by_giqa(most), half)
        for pictures in asked.plain[1:]:
            meter(f"plain, {pictures} at a time", by_plain(pictures), full)
        meter(f"plain, float16, {few} at a time", by_plain(few, converted), half)
    cost = distances.cost(queries(1)[0], n)
    meter.table()
    kept, flops = half.stat().st_size / 1e9, cost.flops / 1e9
    stated = ", ".join(f"{cost.resident(k) / 1e9:.2f} GB for {k} pictures" for k in asked.pictures)
    print(f"\n{n} references, {kept:.1f} GB in the file, {flops:.2f} GFLOP a picture; stated: {stated}")


def main() -> None:
    parser = command(__file__, __doc__)
    more = "of a call of giqa; others after the first once"
    parser.add_argument("--references", type=int, default=2000, help="(%(default)s)")
    parser.add_argument("--pictures", type=int, nargs="+", default=[256], help=more)
    parser.add_argument("--plain", type=int, nargs="+", default=[64], help="of a call of the plain way; likewise")
    parser.add_argument("--repeats", type=int, default=3, help="(%(default)s)")
    parser.add_argument("--share", type=float, default=0.01, help="of the places, for the naive way (%(default)s)")
    parser.add_argument("--brief", action="store_true", help="only the ways that are repeated")
    parser.add_argument("--folder", type=Path, help="where the references are, or with --prepare will be; kept")
    parser.add_argument("--prepare", action="store_true", help="write the references into --folder and stop")
    asked = parser.parse_args()
    if asked.prepare and not asked.folder:
        parser.error("--prepare writes into --folder; name it")
    with tempfile.TemporaryDirectory(prefix="giqa-distances-") as temporary, one_blas_thread():
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if asked.prepare or not asked.folder:
            write(folder, asked.references)
        if not asked.prepare:
            with results(asked):
                measure(folder, asked)


if __name__ == "__main__":
    main()
