"""What scoring many pictures takes, against what `giqa plan` says; pictures made on the fly, against a folder.

    python -m benchmarks.speed.plan --pictures 1000

Needs: nothing.
Takes: about 4 minutes for 1,000 and 10,000 pictures, 8 more for 100,000.

Pictures of 64 x 64 px, each a drawn landscape with grain of its own, from a number: as PNG files in a folder, or made
by a function when they are asked for (`giqa.images.from_seeds`). Each run is a process of its own, without kept
features, with a fitted model: in threads, as without options, or in a process a core (`--devices cpu,cpu`), which is
what the plan counts with. CPU seconds and peak memory are what the system says of all processes (of memory, the
largest). The constants are measured first, as `giqa doctor --measure` does, in the same minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.shared import command, cores, head, results, row, say, timed

SIDE = 64
GRAIN = 6  # grey levels
BASES = 50  # landscapes of fakes; those of reals are others
CODE = "from benchmarks.speed.plan import score; score({where!r}, {made}, {n}, {processes})"


@cache
def base(number: int) -> np.ndarray:
    from giqa.images.toy import landscape

    return landscape(np.random.default_rng([3, number]), SIDE).astype(np.int16)


def picture(seed: int) -> np.ndarray:
    """The picture of a number, uint8 (64, 64, 3)."""
    grain = np.random.default_rng(seed).integers(-GRAIN, GRAIN + 1, (SIDE, SIDE, 3), np.int16)
    return np.clip(base(seed % BASES) + grain, 0, 255).astype(np.uint8)


def reals() -> np.ndarray:
    """300 landscapes, none of them one of the fakes."""
    return np.stack([base(number) for number in range(BASES, BASES + 300)]).astype(np.uint8)


def score(where: str, made: bool, n: int, processes: int) -> None:
    """Score the first n pictures of a folder, or n made on the fly, and write the table as the command does."""
    import giqa
    from giqa.images import from_seeds, open_source
    from giqa.images.subset import some
    from giqa.runners import make_runner
    from giqa.runners.score import remove_kept

    fakes = from_seeds(picture, n) if made else some(open_source(f"{where}/fakes"), n)
    runner = make_runner(devices=["cpu"] * processes) if processes > 1 else None
    table = Path(where, f"scores-{made}-{n}-{processes}.parquet")
    giqa.score(fakes, model=f"{where}/reals.giqa", store=False, runner=runner, keep=table).write(table)
    remove_kept(table)


def run(where: Path, made: bool, n: int, processes: int) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak MB of one run."""
    began = time.perf_counter()
    code = CODE.format(where=str(where), made=made, n=n, processes=processes)
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code])
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"a run over {n} pictures ended with {status}")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--pictures", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--from-folder", type=int, default=10_000, help="also from a folder, up to so many pictures")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, cores()])
    parser.add_argument("--extractor", help="default: the default one")
    parser.add_argument("--scorer", help="default: the default one")
    options = parser.parse_args()
    with results(options), tempfile.TemporaryDirectory() as name:
        import giqa
        from giqa.images import from_seeds, open_source
        from giqa.runners import measure_machine
        from giqa.runners.plan import plan

        where, found = Path(name), measure_machine(options.extractor, options.scorer)
        say(found.says())
        giqa.fit(np.stack([base(n) for n in range(BASES, BASES + 300)]).astype(np.uint8), store=False).save(
            where / "reals.giqa"
        )
        (where / "fakes").mkdir()
        for seed in range(min(options.from_folder, max(options.pictures))):
            Image.fromarray(picture(seed)).save(where / "fakes" / f"{seed:05d}.png")
        sources = {False: open_source(where / "fakes"), True: from_seeds(picture, 100)}
        making = min(timed(lambda: [*map(picture, range(1000))]) / 1000 for _ in range(3))
        print(f"To start {found.start:.1f} s, each process {found.process:.1f} s; to make one {1000 * making:.2f} ms")
        head("pictures", "from", "processes", "s", "planned", "CPU s", "planned", "pictures/s", "peak MB")
        for n in options.pictures:
            for processes in options.processes:
                for made in (False, True):
                    if not made and n > options.from_folder:
                        continue
                    wall, cpu, peak = run(where, made, n, processes)
                    says = plan(found.of(sources[made]), n, 1, processes)
                    extra = making * n * made
                    planned = says.hours * 3600 + extra / processes, says.core_hours * 3600 + extra
                    ways = "a function" if made else "PNG files"
                    cells = (f"{wall:.1f}", f"{planned[0]:.1f}", f"{cpu:.1f}", f"{planned[1]:.1f}")
                    row(f"{n:,}", ways, processes, *cells, f"{n / wall:.0f}", f"{peak:.0f}")


if __name__ == "__main__":
    main()
