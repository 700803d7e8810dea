"""What 1,000,000 pictures cost where their number alone decides: opening the store, finding twins, nearest neighbours.

    python -m benchmarks.speed.million --only store,twins,neighbours [--pictures 70000]

Needs: imagenet-sample of --data for twins; 3 GB of memory.
Takes: not measured as a whole; minutes.

store: opening a feature store of so many records in ten files, and looking up 1,000 of them; the rows are narrow, since
no row is read when a store is opened. twins: the search alone, on thumbnails of 8 x 8 cut from the photographs at
random places and sizes, one in a hundred repeated with other noise. neighbours: a part of 1,000,000 reals x 512 and
100,000 queries, k = 1: seconds a query and reals, and what the whole takes by them; memory is that of this process.
"""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.shared import command, head, interleaved, median_range, names, results, row, timed
from giqa.features import store as store_module
from giqa.features.store import Store
from giqa.images.copies import twins
from giqa.scorers.knn import KNN
from giqa.types import INFO

WORK = ("store", "twins", "neighbours")
SIDE = 64  # px of the photographs that thumbnails are cut from
REALS, WIDTH, QUERIES = 1_000_000, 512, 100_000


def opened(n: int, rounds: int) -> Iterator[tuple[str, list[float]]]:
    """Seconds to open a store of n records, and to look up 1,000 of them."""
    rng, keys = np.random.default_rng(0), []
    with tempfile.TemporaryDirectory() as folder:
        for some in np.array_split(np.arange(n), 10):
            keys = [rng.bytes(16) for _ in some]
            with Store(Path(folder), {"extractor": "made up"}) as store:
                store.append(keys, np.zeros(len(some), [("layer:a", "<f4", (4,))]))

        def opening() -> Store:
            store_module._index.cache_clear()  # a process reads the index once, however often it opens the store
            return Store(Path(folder), {"extractor": "made up"})

        found = opening()
        clocks = {f"store of {n:,}: open": opening, "1,000 records of it": partial(found.read, keys[:1000])}
        yield from interleaved({name: partial(timed, work) for name, work in clocks.items()}, rounds).items()


def thumbnails(folder: Path, n: int) -> np.ndarray:
    """What is remembered of n crops of photographs, `INFO` (n,)."""
    rng, files = np.random.default_rng(0), sorted(folder.rglob("*.jpg"))
    whole = np.stack(
        [np.asarray(Image.open(f).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)) for f in files]
    )
    info = np.zeros(n, INFO)
    info["digest"] = rng.integers(0, 256, (n, 16))
    for part in np.array_split(np.arange(n), max(1, n // 20_000)):
        which, side = rng.integers(len(whole), size=len(part)), rng.integers(16, SIDE + 1, len(part))
        corner = (rng.random((2, len(part))) * (SIDE - side)).astype(int)
        steps = ((np.arange(8) + 0.5) / 8 * side[:, None]).astype(int)
        y, x = corner[0][:, None] + steps, corner[1][:, None] + steps
        info["thumbnail"][part] = whole[which[:, None, None], y[:, :, None], x[:, None, :]]
    again = rng.choice(n, n // 100, replace=False)
    other = info["thumbnail"][rng.integers(n, size=len(again))].astype(int)
    info["thumbnail"][again] = np.clip(other + rng.integers(-1, 2, other.shape), 0, 255)
    return info


def neighbours(reals: int, queries: int, rounds: int) -> tuple[str, list[float]]:
    """Seconds of a search in a part of the reals."""
    rng = np.random.default_rng(0)
    fitted = KNN(k=1, preset="paper").fit(rng.standard_normal((reals, WIDTH), np.float32))
    asked = rng.standard_normal((queries, WIDTH), np.float32)
    found = interleaved({"": partial(timed, partial(fitted.score_samples, asked))}, rounds)[""]
    return f"k = 1 among {reals:,} x {WIDTH}, {queries:,} queries", found


def main() -> None:
    parser = command(__file__, __doc__, "data")
    parser.add_argument("--only", type=names(*WORK), default=list(WORK), help="some of them, commas between")
    parser.add_argument("--pictures", type=int, default=1_000_000, help="in the store, and for twins (%(default)s)")
    parser.add_argument("--reals", type=int, default=200_000, help="the part of the reals (%(default)s)")
    parser.add_argument("--queries", type=int, default=1024, help="the part of the queries (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with results(options):
        head("what", "s", "range", "peak of the process, GB")
        if "store" in options.only:
            for name, seconds in opened(options.pictures, options.rounds):
                show(name, seconds)
        if "twins" in options.only:
            info = thumbnails(options.data / "imagenet-sample", options.pictures)
            found = interleaved({"": partial(timed, partial(twins, info))}, options.rounds)[""]
            show(f"twins among {options.pictures:,} thumbnails", found)
        if "neighbours" in options.only:
            name, seconds = neighbours(options.reals, options.queries, options.rounds)
            show(name, seconds)
            each = sorted(seconds)[len(seconds) // 2] / options.queries / options.reals
            whole, gigabytes = each * REALS * QUERIES, 4 * WIDTH * (REALS + 1024) / 1e9
            print(f"\n{REALS:,} reals x {QUERIES:,} queries by this: {whole / 3600:.1f} h, {gigabytes:.1f} GB of reals")


def show(name: str, seconds: list[float]) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    row(name, *median_range(seconds), f"{peak:.1f}")


if __name__ == "__main__":
    main()
