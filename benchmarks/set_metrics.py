"""Set metrics on 50,000 x 2,048 against 50,000 x 2,048: time and peak memory, beside the usual formulations.

    python benchmarks/set_metrics.py [--n 50000] [--d 2048] [--peer-n 10000] [--only NAME,NAME] [--threads 2]

Each line is a process of its own that makes the same seeded float32 features (a rank-64 signal and noise, the fakes
a little off), runs one thing, and reports its seconds and the most memory the process ever held, features included.
Ours at n; ours and the peer at `--peer-n` in turn, since the peers' tables of all pairs do not fit at 50,000: float64
covariances and scipy's `sqrtm` (the usual FID), scikit-learn's `pairwise_distances` and whole tables (as the prdc
package), scikit-learn's `polynomial_kernel` on the same subsets, `rbf_kernel` on whole tables. Values of both are
printed, so that equal work is compared. In brackets, and in the ratio: processor seconds, which other work on the
machine disturbs less.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date

SUBSETS = 100


def features(n: int, d: int) -> tuple:
    import numpy as np

    rng = np.random.default_rng(0)
    basis = rng.normal(size=(64, d)).astype(np.float32)
    sets = []
    for shift in (0.0, 0.1):
        x = rng.standard_normal((n, d), dtype=np.float32) * 0.3
        for start in range(0, n, 4096):
            rows = slice(start, min(start + 4096, n))
            x[rows] += (rng.standard_normal((rows.stop - start, 64), dtype=np.float32) + shift) @ basis / 8
        sets.append(x)
    return tuple(sets)


def ours(name: str) -> Callable:
    from giqa.metrics import frechet, kernel, prdc, vendi

    def neighbours(real, fake):  # type: ignore[no-untyped-def]
        found = prdc.neighbourhoods(real, fake)
        return [found.precision, found.recall, found.density, found.coverage]

    return {
        "fd": frechet.frechet_distance,
        "fd_infinity": frechet.frechet_infinity,
        "kd": lambda r, f: kernel.kernel_distance(r, f, subsets=SUBSETS),
        "prdc": neighbours,
        "cmmd": kernel.cmmd,
        "vendi": lambda r, f: vendi.vendi_score(f),
    }[name]


def peers(name: str) -> Callable | None:
    import numpy as np

    def fd(real, fake):  # type: ignore[no-untyped-def]
        from scipy.linalg import sqrtm

        a, b = (np.cov(x, rowvar=False) for x in (real, fake))
        gap = real.mean(axis=0, dtype=float) - fake.mean(axis=0, dtype=float)
        return gap @ gap + np.trace(a) + np.trace(b) - 2 * np.trace(sqrtm(a @ b).real)

    def kd(real, fake):  # type: ignore[no-untyped-def]
        from sklearn.metrics.pairwise import polynomial_kernel

        rng, found = np.random.default_rng(0), []
        for _ in range(SUBSETS):
            x, y = (s[rng.choice(len(s), 1000, replace=False)] for s in (real, fake))
            xx, yy, xy = (polynomial_kernel(a, b, degree=3, coef0=1) for a, b in ((x, x), (y, y), (x, y)))
            m = len(x)
            found.append(((xx.sum() - np.trace(xx)) + (yy.sum() - np.trace(yy))) / (m * (m - 1)) - 2 * xy.mean())
        return float(np.mean(found))

    def prdc(real, fake):  # type: ignore[no-untyped-def]
        from sklearn.metrics import pairwise_distances

        k = 5
        rr, ff, rf = (pairwise_distances(a, b) for a, b in ((real, real), (fake, fake), (real, fake)))
        radius, other = (np.partition(x, k, axis=1)[:, k] for x in (rr, ff))
        held = rf < radius[:, None]
        return [held.any(0).mean(), (rf < other).any(1).mean(), held.sum(0).mean() / k, (rf.min(1) < radius).mean()]

    def cmmd(real, fake):  # type: ignore[no-untyped-def]
        from sklearn.metrics.pairwise import rbf_kernel

        x, y = (s / np.linalg.norm(s, axis=1, keepdims=True) for s in (real, fake))
        sums = [rbf_kernel(a, b, gamma=1 / 200).mean(dtype=float) for a, b in ((x, x), (y, y), (x, y))]
        return 1000 * (sums[0] + sums[1] - 2 * sums[2])

    return {"fd": fd, "kd": kd, "prdc": prdc, "cmmd": cmmd}.get(name)


def one(who: str, name: str, n: int, d: int) -> None:
    """What a child process does: features, the metric, its time, and the peak."""
    import resource

    import numpy as np

    sets = features(n, d)
    metric = (ours if who == "giqa" else peers)(name)
    start, cpu = time.perf_counter(), time.process_time()
    value = metric(*sets)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak, "value": np.round(value, 5).tolist()}))


def child(who: str, name: str, n: int, d: int) -> dict:
    command = [sys.executable, __file__, "--child", who, name, "--n", str(n), "--d", str(d)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def took(found: dict) -> str:
    return f"{found['seconds']:.1f} s ({found['cpu']:.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=50_000)
    parser.add_argument("--d", type=int, default=2048)
    parser.add_argument("--peer-n", type=int, default=8_000, help="0: no peers")
    parser.add_argument("--only", default="fd,fd_infinity,kd,vendi,prdc,cmmd")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        one(*options.child, options.n, options.d)
        return
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(options.threads)
    print("| metric | n | giqa | peak | peer | peak | peer / giqa | values |\n|---|---|---|---|---|---|---|---|")
    for name in options.only.split(","):
        for n in dict.fromkeys((options.n, options.peer_n)):
            has_peer = n == options.peer_n and peers(name) is not None
            if not n or (n != options.n and not has_peer):
                continue
            a = child("giqa", name, n, options.d)
            row = [took(a), f"{a['peak']:.0f} MB", "–", "–", "–", str(a["value"])]
            if has_peer:
                b = child("peer", name, n, options.d)
                row[2:] = [took(b), f"{b['peak']:.0f} MB", f"{b['cpu'] / a['cpu']:.1f}"]
                row.append(f"{a['value']} / {b['value']}")
            print(f"| {name} | {n:,} | " + " | ".join(row) + " |", flush=True)
    print(f"\n{date.today()}, {os.cpu_count()} cores {platform.machine()}, {options.threads} threads, d = {options.d}")


if __name__ == "__main__":
    main()
