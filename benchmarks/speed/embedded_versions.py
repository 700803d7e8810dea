"""How long version 2 of the embedded network takes for a picture, against version 1 on the same pictures, in turns.

    python -m benchmarks.speed.embedded_versions --rounds 5

Needs: imagenet-sample of --data.
Takes: about 2 minutes.

All layers, hand-made ones included, of pictures that are decoded already: middles of photographs, at one size.
Threads: pictures prepared at once, each on one thread, as `giqa score` does. A round times both versions, one after the
other; rounds begin with another one. A ratio is taken within a round: median, lowest and highest.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.data import middle, pictures
from benchmarks.shared import command, head, interleaved, median_range, results, row, timed
from giqa.features.embedded import Embedded

SIZES = {64: 96, 256: 64, 1024: 24}  # px -> pictures in a round


def clock(version: int, some: list[np.ndarray], threads: int) -> Callable[[], float]:
    """Milliseconds a picture."""
    extractor = Embedded(version=version)

    def once() -> float:
        with ThreadPoolExecutor(threads) as pool:
            return 1000 * timed(lambda: list(pool.map(extractor.prepare, some))) / len(some)

    return once


def main() -> None:
    parser = command(__file__, __doc__, "data")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    photographs, _ = pictures(f"{options.data}/imagenet-sample/labels.csv", max(SIZES.values()))
    with results(options):
        head("pictures", "threads", "version 1, ms", "version 2, ms", "version 2 / version 1", "lowest to highest")
        for side, n in SIZES.items():
            some = [middle(picture, side) for picture in photographs[:n]]
            for threads in (1, 2):
                found = interleaved({str(v): clock(v, some, threads) for v in (1, 2)}, options.rounds)
                ratios = np.divide(found["2"], found["1"])
                medians = (f"{np.median(found[v]):.1f}" for v in "12")
                row(f"{side} px", threads, *medians, *median_range(ratios.tolist(), ".3f"))


if __name__ == "__main__":
    main()
