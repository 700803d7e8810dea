"""How fast exact nearest neighbours are, beside FAISS's flat index, taking turns in one run.

    python -m benchmarks.speed.neighbours --threads 2 --rounds 5

Needs: faiss-cpu; 2 GB of memory.
Takes: about 2 minutes.

256 pictures against 70,000 references x 2,048, normal numbers, all at once; a process each, so that neither brings its
BLAS into the other's. Milliseconds a picture, median and range, and FAISS's median over ours (above 1: ours is faster).
giqa's neighbours are exact from float64 differences for the nearest 32, and the same bits in any batch.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial

from benchmarks.shared import ROOT, command, head, interleaved, median_range, results, row

REFERENCES, WIDTH, PICTURES = 70_000, 2048, 256


def worker(who: str) -> None:
    """Answers each k on a line of input with the seconds of a search."""
    import numpy as np

    cores = sorted(os.sched_getaffinity(0))[: int(os.environ["OMP_NUM_THREADS"])]
    os.sched_setaffinity(0, cores)
    rng = np.random.default_rng(0)
    references, queries = (rng.standard_normal((n, WIDTH), np.float32) for n in (REFERENCES, PICTURES))
    if who == "faiss":
        import faiss

        faiss.omp_set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        index = faiss.IndexFlatL2(WIDTH)
        index.add(references)
        search = index.search
    else:
        from giqa.scorers.knn import KNN

        fitted = KNN(k=1, preset="paper").fit(references)

        def search(x, k):
            fitted.k_ = k
            return fitted.score_samples(x)

    for line in sys.stdin:
        start = time.perf_counter()
        search(queries, int(line))
        print(time.perf_counter() - start, flush=True)


def clock(process: subprocess.Popen, k: int) -> float:
    process.stdin.write(f"{k}\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", choices=("giqa", "faiss"), help="what a process of its own does: not for hand")
    options = parser.parse_args()
    if options.work:
        worker(options.work)
        return
    threads = {name: str(options.threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    threads["OMP_WAIT_POLICY"] = "passive"  # else FAISS's threads spin while the other process is measured
    start = partial(
        subprocess.Popen,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | threads,
    )
    module = [sys.executable, "-m", "benchmarks.speed.neighbours", "--work"]
    with results(options), start([*module, "giqa"]) as ours, start([*module, "faiss"]) as theirs:
        head(f"{options.threads} threads", "giqa, ms", "range", "FAISS flat, ms", "range", "FAISS / giqa")
        for k in (1, 3500):
            clocks = {"giqa": partial(clock, ours, k), "faiss": partial(clock, theirs, k)}
            found = interleaved(clocks, options.rounds)
            each = {name: [1000 * s / PICTURES for s in seconds] for name, seconds in found.items()}
            (a, wide_a), (b, wide_b) = (median_range(each[name]) for name in ("giqa", "faiss"))
            row(f"k = {k}", a, wide_a, b, wide_b, f"{float(b) / float(a):.2f}")
        for process in (ours, theirs):
            process.stdin.close()


if __name__ == "__main__":
    main()
