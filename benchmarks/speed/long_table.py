"""Peak memory of a long table of scores: its shards joined, written as Parquet, and shown as a report.

    python -m benchmarks.speed.long_table --pictures 10000

Needs: nothing.
Takes: about 2 minutes.

Numbers stand for scores, so that nothing is computed but the table itself: 1,024 rows at a time as a scoring gives
them, then joined, written, and 10,000 of them shown in an HTML report without pictures. One process for each number of
pictures, whose peak memory is what the system says (`ru_maxrss`); the first row, for 1,000 pictures, is what the
program itself takes. `benchmarks.speed.flat_memory` measures whole commands.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.shared import command, head, results, row

CODE = "from benchmarks.speed.long_table import write; write({n}, {folder!r})"


def write(n: int, folder: str) -> None:
    """A table of n rows in a folder, and its report."""
    from giqa.features.reader import cut
    from giqa.model.model import Model
    from giqa.model.table import Scores
    from giqa.report.gallery import Gallery
    from giqa.scorers.scale import Scale
    from giqa.types import Features

    scale = Scale(np.linspace(-30, 30, 101), 0)
    reals = Features(tuple(f"r{i}" for i in range(101)), {"all": np.zeros((101, 1), np.float32)})
    model, parts = Model(None, scale, reals, reals.matrix()), []
    for rows in cut(n):
        score = 10 - np.random.default_rng(rows.start).exponential(30, len(rows))
        z, blank = scale.z(score), [""] * len(rows)
        ids = [f"generated/run-12/{i:09d}.png" for i in rows]
        parts.append(Scores(ids, score, z, scale.percentile(score), z - 1, z + 1, blank, blank, blank, blank, detail=z))
    table = Scores.joined(parts, {})
    table.write(Path(folder, "scores.parquet"))
    Gallery(model, "fakes", neighbours=False, thumbnails=False).write(
        Path(folder, "report.html"), table, show_thumbnails=False
    )


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--pictures", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    options = parser.parse_args()
    with results(options):
        head("pictures", "CPU s", "peak MB", "table MB", "report MB")
        for n in (1000, *options.pictures):
            with tempfile.TemporaryDirectory() as folder:
                process = subprocess.Popen([sys.executable, "-c", CODE.format(n=n, folder=folder)])
                _, status, used = os.wait4(process.pid, 0)
                if status:
                    raise SystemExit(f"ended with {status}")
                sizes = (Path(folder, name).stat().st_size / 1e6 for name in ("scores.parquet", "report.html"))
                cells = (f"{used.ru_utime + used.ru_stime:.1f}", f"{used.ru_maxrss / 1024:.0f}")
                row(f"{n:,}", *cells, *(f"{size:.1f}" for size in sizes))


if __name__ == "__main__":
    main()
