"""Peak memory and time of scoring, reporting and comparing many pictures whose features are kept.

    python -m benchmarks.speed.flat_memory --pictures 1000

Needs: 9 GB of disk for 1,000,000 pictures.
Takes: about 10 minutes for 1,000,000 pictures.

Pictures of 4 x 4 px in one .npy file. The store is filled with rows as wide as those of the default extractor (64
rows of toy pictures, each number times 1 + noise), so that no network runs. Each command is a process of its own, and
its peak memory is what the system says (`ru_maxrss`). The first row is the same command for 100 pictures: it is what
the program, the model and the network's runtime take. A run is killed when half of its shards are there; the next one
goes on and writes the HTML report too; then `giqa diff` of the table with itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np

import giqa
from benchmarks.shared import command, head, results, row
from giqa.features.lane import Lane
from giqa.features.reader import Reader, together
from giqa.features.store import Store, content_key
from giqa.images import open_source
from giqa.images.toy import write_toy

STEP = 2000  # rows written to the store at a time
KEPT_FROM = 10_000  # pictures: shards of longer tables are kept
LARGE = 200_000  # pictures: of so many there is one run alone, in two parts


def fill(readers: list[Reader], sample: Path, pictures: np.ndarray) -> float:
    """Rows in the store for all pictures; seconds to open the larger store afterwards."""
    rng, source = np.random.default_rng(1), open_source(sample)
    for _ in together(source, readers):
        pass
    for reader in readers:
        shelf = Lane(reader.extractor, reader.match, reader.flip, store=True).shelf
        known = np.array(shelf.read([content_key(source.raw(i)) for i in range(len(source))]), shelf.dtype)
        layers = [name for name in shelf.dtype.names if name.startswith("layer:")]
        for start in range(0, len(pictures), STEP):
            some = pictures[start : start + STEP]
            rows = known[rng.integers(len(known), size=len(some))]
            for name in layers:
                rows[name] *= 1 + rng.normal(scale=0.05, size=rows[name].shape)
            shelf.append([content_key(picture) for picture in some], rows)
        shelf.close()
    began = time.perf_counter()
    Store(shelf.folder.parent, {k: v for k, v in shelf.identity.items() if k != "format"})
    return (time.perf_counter() - began) / 2


def run(*arguments: str | Path, until: Path | None = None, shards: int = 0) -> tuple[float, float, float]:
    """Seconds, CPU seconds and peak MB of a giqa command; killed when so many shards are there."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "giqa.cli", *map(str, arguments)], stdout=subprocess.DEVNULL)
    while until is not None and len(list(until.glob("*.parquet"))) < shards and process.poll() is None:
        time.sleep(0.2)
    if until is not None:
        process.kill()
    _, status, used = os.wait4(process.pid, 0)
    if status and until is None:
        raise SystemExit(f"giqa {arguments[0]} ended with {status}")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def measure(n: int, extractor: str | None, scorer: str | None, home: Path | None) -> None:
    """All rows for n pictures."""
    with nullcontext(home) if home else tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["GIQA_HOME"] = str(folder / "home")
        opened = float("nan")
        if not (folder / "filled").exists():
            write_toy(folder / "reals", 300, 0)
            model = giqa.fit(folder / "reals", extractor, scorer)
            model.save(folder / "reals.giqa")
            pictures = np.random.default_rng(0).integers(0, 256, (n, 4, 4, 3), dtype=np.uint8)
            np.save(folder / "fakes.npy", pictures)
            np.save(folder / "few.npy", pictures[:100])
            write_toy(folder / "sample", 64, 1)
            opened = fill([judge.reader() for judge in model.judges(folder / "few.npy")], folder / "sample", pictures)
            (folder / "filled").touch()
        with_model = ("--model", folder / "reals.giqa")
        head("what", "pictures", "s", "CPU s", "peak MB")
        seconds, cpu, peak = run("score", folder / "few.npy", *with_model, "-o", folder / "few.parquet", "-q")
        row("score, the base", 100, f"{seconds:.1f}", f"{cpu:.1f}", f"{peak:.0f}")
        table, parts, whole = folder / "scores.parquet", folder / "scores.parquet.parts", None
        asked = ["score", folder / "fakes.npy", *with_model, "-o", table, "-q"]
        known = len(list(parts.glob("*.parquet")))
        print(f"| scored before | {known * 1024:,} | | | |") if known else None
        tasks = {} if known else {"killed half way": {"until": parts, "shards": n // 2048}}
        tasks = {**({} if n > LARGE else {"score": {}}), **(tasks if n > KEPT_FROM else {}), "score and report": {}}
        for what, how in tasks.items():
            report = ["--report", folder / "report.html"] if "report" in what else []
            seconds, cpu, peak = run(*asked, *report, **how)
            row(what, f"{n:,}", f"{seconds:.1f}", f"{cpu:.1f}", f"{peak:.0f}")
            whole = whole or (table.read_bytes() if table.is_file() else None)
        page = (folder / "report.html").stat().st_size / 1e6
        same = table.read_bytes() == whole
        seconds, cpu, peak = run("diff", table, table)
        row("diff", f"{n:,}", f"{seconds:.1f}", f"{cpu:.1f}", f"{peak:.0f}")
        print(f"the same bytes: {same}; report: {page:.0f} MB; opening the store: {opened:.2f} s")


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--pictures", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--extractor", help="default: the default one")
    parser.add_argument("--scorer", help="default: the default one")
    parser.add_argument("--folder", type=Path, help="everything is kept there; a run that was stopped goes on")
    options = parser.parse_args()
    with results(options):
        for n in options.pictures:
            measure(n, options.extractor, options.scorer, options.folder)


if __name__ == "__main__":
    main()
