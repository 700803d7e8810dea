"""What products that are steady under every kernel cost, beside an earlier checkout, in one interleaved run.

    git worktree add /tmp/before COMMIT
    python -m benchmarks.speed.matrix_products --before /tmp/before/src [--kernel Haswell] [--threads 2] [--repeats 7]

Needs: an earlier checkout of giqa (--before); 4 GB of memory.
Takes: about 3 minutes.

KNN: 256 pictures against 70,000 x 2,048 (k = 1, and k = 3,500), 64 at a time as `score` does and all at once;
densities: 2,000 pictures under a mixture of 7 in 658 dimensions; EM: one fit of it on 20,000. Two processes, one a
checkout, take turns; prints the median and range of the ratio (above 1: slower than before).
"""

from __future__ import annotations

import argparse
import inspect
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.shared import ROOT, command, existing, head, results, row

WORK = ("knn k=1, 256 at once", "knn k=1, 64 at a time", "knn k=3500, 256 at once", "density M=7", "em M=7")


def worker(n: int, q: int) -> None:
    """Answers each line of input, the number of a job, with its processor seconds and wall seconds."""
    import numpy as np

    from giqa.scorers import em
    from giqa.scorers.em import fit_mixture
    from giqa.scorers.knn import KNN
    from giqa.scorers.mixture import log_density

    rng = np.random.default_rng(0)
    reals = rng.standard_normal((n, 2048), np.float32)
    queries = rng.standard_normal((256, 2048), np.float32)
    near, many = KNN(k=1).fit(reals), KNN(k=min(3500, n // 20))
    many.__dict__ |= {name: value for name, value in vars(near).items() if name.endswith("_")}
    many.k_ = many.k
    del reals
    x = rng.standard_normal((n * 2 // 7, q)) + np.repeat(rng.standard_normal((7, q)), n * 2 // 49 + 1, 0)[: n * 2 // 7]
    em.STEPS, em.CONVERGED, options = 4, 0.0, {"reg": 1e-3}  # always four steps
    if "max_iter" in inspect.signature(fit_mixture).parameters:  # of earlier checkouts, where these are parameters
        options |= {"max_iter": 4, "tol": 0.0}
    mixture, _ = fit_mixture(x, 7, rng=np.random.default_rng(0), **options)
    jobs = (
        lambda: near.score_samples(queries),
        lambda: [near.score_samples(queries[i : i + 64]) for i in range(0, 256, 64)],
        lambda: many.score_samples(queries),
        lambda: log_density(x[:2000], mixture),
        lambda: fit_mixture(x, 7, rng=np.random.default_rng(0), **options),
    )
    print("ready", flush=True)
    for line in sys.stdin:
        wall, used = time.perf_counter(), time.process_time()
        jobs[int(line)]()
        print(time.process_time() - used, time.perf_counter() - wall, flush=True)


def started(source: Path, given: argparse.Namespace) -> subprocess.Popen:
    """A worker with the giqa of a checkout."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    env |= {"PYTHONPATH": str(source.resolve()), "OMP_NUM_THREADS": str(given.threads)}
    env |= {"OPENBLAS_CORETYPE": given.kernel} if given.kernel else {}
    words = [sys.executable, "-m", "benchmarks.speed.matrix_products", "--worker", "--before", str(given.before)]
    words += ["--reals", str(given.reals), "--dimensions", str(given.dimensions)]
    process = subprocess.Popen(words, env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    return process


def measure(given: argparse.Namespace) -> None:
    running = [started(source, given) for source in (given.before, ROOT / "src")]
    head("work", "before, s", "now, s", "now over before, wall", "processor")
    for job, name in enumerate(WORK):
        used, wall = [], []
        for _ in range(given.repeats + 1):  # the first of each warms up
            pair = []
            for process in running:
                process.stdin.write(f"{job}\n")
                process.stdin.flush()
                pair.append(tuple(map(float, process.stdout.readline().split())))
            used.append(pair[1][0] / pair[0][0])
            wall.append((pair[0][1], pair[1][1]))
        before, now = (statistics.median(column) for column in zip(*wall[1:], strict=True))
        ratio, cpu = [b / a for a, b in wall[1:]], used[1:]
        spread = [f"{statistics.median(x):.2f} [{min(x):.2f}, {max(x):.2f}]" for x in (ratio, cpu)]
        row(name, f"{before:.3f}", f"{now:.3f}", *spread)
    for process in running:
        process.stdin.close()
        process.wait()


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--before", type=existing, required=True, help="the folder src of an earlier checkout")
    parser.add_argument("--kernel", help="of OpenBLAS, such as Haswell")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--reals", type=int, default=70_000)
    parser.add_argument("--dimensions", type=int, default=658)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        return worker(given.reals, given.dimensions)
    with results(given):
        measure(given)


if __name__ == "__main__":
    main()
