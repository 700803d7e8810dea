"""Pictures a second from file or array to features, at one and two threads, against another commit.

    git archive COMMIT | tar x -C BEFORE
    python -m benchmarks.speed.pictures --before BEFORE [--rounds 5] [--only png256,jpeg1024] [--share 0.25]

Needs: a folder of photographs (--pictures), and a checkout of the other commit for its columns.
Takes: about 4 minutes.

Each commit runs in a process of its own, and extracts features of the same files (or arrays), nothing kept, whenever it
is asked to. Rounds alternate; a round before them is not counted. Processor time is that of all threads; on a machine
that others use it is steadier than wall time.

| set | pictures |
|---|---|
| png256, png1024, jpeg1024 | photographs resized to that side; JPEG of quality 92 |
| array32, array64 | the same as uint8 arrays |
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.shared import ROOT, command, existing, head, interleaved, median_range, names, results, row, say

SETS = {"png256": 48, "jpeg1024": 12, "png1024": 12, "array32": 64, "array64": 64}


def write(where: Path, folder: Path, sets: dict[str, int]) -> None:
    """So many pictures of each set, from the photographs of a folder."""
    import numpy as np
    from PIL import Image

    files = sorted(path for path in where.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    for name, number in sets.items():
        kind, side = name.rstrip("0123456789"), int(name.lstrip("abcdefghijklmnopqrstuvwxyz"))
        (folder / name).mkdir()
        pixels = []
        for index in range(number):
            file = files[index % len(files)]
            picture = Image.open(file).convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
            if kind == "array":
                pixels.append(np.asarray(picture))
            else:
                coded = {"format": "JPEG", "quality": 92} if kind == "jpeg" else {"format": "PNG", "compress_level": 3}
                picture.save(folder / name / f"{index:04d}.{kind}", **coded)
        if pixels:
            np.save(folder / name / "pixels.npy", np.stack(pixels))


def serve(folder: Path, spec: str) -> None:
    """One commit's side: a line [set, threads] comes in, a line [wall seconds, processor seconds] goes out."""
    import numpy as np

    from giqa.features.reader import extract

    for line in sys.stdin:
        name, threads = json.loads(line)
        arrays = folder / name / "pixels.npy"
        fakes = np.load(arrays) if arrays.exists() else folder / name
        wall, processor = time.perf_counter(), time.process_time()
        extract(fakes, spec, store=False, workers=threads)
        print(json.dumps([time.perf_counter() - wall, time.process_time() - processor]), flush=True)


class Side:
    """A commit at work in its own process."""

    def __init__(self, checkout: Path, folder: Path, spec: str):
        words = [sys.executable, __file__, "--serve", str(folder), "--pictures", str(folder), "--spec", spec]
        paths = os.pathsep.join([str(checkout / "src"), str(ROOT)])
        environment = {**os.environ, "PYTHONPATH": paths, "GIQA_HOME": str(folder / "home")}
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.processor: list[float] = []

    def seconds(self, name: str, threads: int) -> float:
        self.process.stdin.write(json.dumps([name, threads]) + "\n")
        self.process.stdin.flush()
        wall, processor = json.loads(self.process.stdout.readline())
        self.processor.append(processor)
        return wall

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def measure(options: argparse.Namespace, folder: Path) -> None:
    sets = {name: max(1, round(options.share * SETS[name])) for name in options.only or SETS}
    write(options.pictures, folder, sets)
    sides = {"now": Side(ROOT, folder, options.spec)}
    if options.before:
        sides["before"] = Side(options.before, folder, options.spec_before or options.spec)
    head("set", "threads", "pictures/s", "processor ms a picture", "x before: wall", "x before: processor")
    for name, number in sets.items():
        for threads in options.threads:
            for side in sides.values():
                side.processor.clear()
            clocks = {key: lambda side=side: side.seconds(name, threads) for key, side in sides.items()}  # noqa: B023
            wall = interleaved(clocks, options.rounds)
            spent = {key: side.processor[-options.rounds :] for key, side in sides.items()}
            cells = [median_range([number / x for x in wall["now"]], ".0f")]
            cells.append(median_range([1000 * x / number for x in spent["now"]], ".1f"))
            for clock in (wall, spent) if options.before else ():
                pairs = zip(clock["before"], clock["now"], strict=True)
                cells.append(median_range([before / now for before, now in pairs]))
            row(name, threads, *(f"{middle} ({reach})" for middle, reach in cells), *["–"] * (4 - len(cells)))
            say(f"{name}, {threads} threads")
    for side in sides.values():
        side.close()


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--before", type=existing, help="a checkout of the commit to compare with")
    parser.add_argument("--pictures", type=existing, default="../shared/data/imagenet-sample", help="(%(default)s)")
    parser.add_argument("--spec", default="embedded", help="the extractor (%(default)s)")
    parser.add_argument("--spec-before", help="the other commit's extractor, if another")
    parser.add_argument("--only", type=names(*SETS), help=f"some of {', '.join(SETS)}")
    parser.add_argument("--share", type=float, default=1.0, help="of the pictures of each set (%(default)s)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="(1 2)")
    parser.add_argument("--rounds", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.spec)
        return
    with tempfile.TemporaryDirectory() as folder, results(options):
        measure(options, Path(folder))


if __name__ == "__main__":
    main()
