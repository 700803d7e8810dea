"""Set metrics on 50,000 x 2,048 against 50,000 x 2,048: time and peak memory, beside the usual formulations.

    python -m benchmarks.metrics.other_packages --n 2000 --peer-n 2000 --d 256 --only fd,kd
    python -m benchmarks.metrics.other_packages --agree

Needs: scikit-learn; 5 GB of memory; the packages themselves (torch-fidelity, pytorch-fid, clean-fid, prdc,
vendi-score) for rows against them.
Takes: about 25 minutes, most of it prdc; --agree about 10 seconds.

Each line is a process of its own that makes the same seeded float32 features (a rank-64 signal and noise, the fakes
a little off; 1,000 logits for the Inception score), runs one thing, and reports its seconds and the most memory the
process ever held, features included. Ours at n; ours and the peer at `--peer-n` one after the other, since the peers'
tables of all pairs do not fit at 50,000. Peers are the packages themselves where they are installed, see
`_definitions.py`. Values of both are printed, so that equal work is compared. In brackets, and in the ratio: processor
seconds, which other work on the machine disturbs less. "Floor": the processor seconds of the products alone, at the
speed of float32 products measured in the same run.

`--agree`: the values of both on shared features, and how far apart they may be; the exit status is 1 where they are
farther.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from benchmarks.shared import command, head, names, results, row

SUBSETS, CLASSES = 100, 1000
NAMES = ("precision", "recall", "density", "coverage")
ALL = ("fd", "fd (sqrtm)", "fd_infinity", "kd", "prdc", "precision + recall", "cmmd", "vendi", "inception_score")


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


def ours(name: str, points: int) -> Callable:
    from giqa.metrics import frechet, inception, kernel, prdc, vendi

    def neighbours(*of: str) -> Callable:
        def read(real, fake):  # type: ignore[no-untyped-def]
            found = prdc.neighbourhoods(real, fake)
            return [getattr(found, name) for name in of]

        return read

    return {
        "fd": frechet.frechet_distance,
        "fd (sqrtm)": frechet.frechet_distance,
        "fd_infinity": lambda r, f: frechet.frechet_infinity(r, f, points=points),
        "kd": lambda r, f: kernel.kernel_distance(r, f, subsets=SUBSETS),
        "kd of all pairs": kernel.kernel_distance,
        "prdc": neighbours(*NAMES),
        "precision + recall": neighbours(*NAMES[:2]),
        "cmmd": kernel.cmmd,
        "vendi": lambda r, f: vendi.vendi_score(f),
        "inception_score": lambda r, f: inception.inception_score(f, splits=10),
    }[name]


def floor(name: str, n: int, d: int, points: int, speed: float) -> float | None:
    """Processor seconds of the products alone: halves of symmetric ones, float64 at half the speed."""
    square = 4 * d**3  # two float64 products of d x d, each 2 d^3 at half the speed
    work = {
        "fd": 2 * n * d**2 + 2 * square,
        "fd (sqrtm)": 2 * n * d**2 + 2 * square,
        "fd_infinity": 2 * n * d**2 + 2 * points * square,
        "kd": SUBSETS * 4 * min(n, 1000) ** 2 * d,
        "kd of all pairs": 4 * n**2 * d,
        "prdc": 4 * n**2 * d,
        "precision + recall": 4 * n**2 * d,
        "cmmd": 2 * n * d**2,
        "vendi": n * d**2,
    }
    return work[name] / speed if name in work else None


def one(who: str, name: str, n: int, d: int, points: int) -> None:
    """What a child process does: features, the metric, its time, and the peak."""
    import resource

    import numpy as np

    if who == "speed":
        print(json.dumps(product_speed()))
        return
    if name == "inception_score":
        logits = np.random.default_rng(0).standard_normal((n, CLASSES), dtype=np.float32) * 3
        sets = (logits[:1], logits)
    else:
        sets = features(n, d)
    if who == "giqa":
        metric = ours(name, points)
    else:
        from benchmarks.metrics._definitions import usual

        metric = usual(name, points)[1]
        metric(*(x[:600, :64].copy() for x in sets))  # imports are not what is timed
    start, cpu = time.perf_counter(), time.process_time()
    value = metric(*sets)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak, "value": np.round(value, 5).tolist()}))


def product_speed() -> float:
    """Multiplications and additions a second of float32 products of one thread, the best of five."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    a, b = np.random.default_rng(0).random((2, 2048, 2048), dtype=np.float32)
    best = 0.0
    with threadpool_limits(1):
        for _ in range(6):
            start = time.process_time()
            a @ b.T
            best = max(best, 2 * 2048**3 / (time.process_time() - start))
    return best


def child(who: str, name: str, options: argparse.Namespace, n: int) -> dict:
    command = [
        sys.executable,
        "-m",
        "benchmarks.metrics.other_packages",
        "--child",
        who,
        name,
        "--n",
        str(n),
        "--d",
        str(options.d),
    ]
    done = subprocess.run([*command, "--points", str(options.points)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{who} {name} at {n}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def took(found: dict) -> str:
    return f"{found['seconds']:.1f} s ({found['cpu']:.1f})"


def table(options: argparse.Namespace) -> None:
    from benchmarks.metrics._definitions import usual

    speed = child("speed", "-", options, 0)
    head("metric", "n", "giqa", "floor", "peak", "peer", "took", "peak", "peer / giqa", "values")
    for name in options.only:
        peer = usual(name, options.points) if options.peer_n else None
        for n in dict.fromkeys((options.n, options.peer_n)):
            if not n or (n != options.n and not peer):
                continue
            a = child("giqa", name, options, n)
            least = floor(name, n, options.d, options.points, speed)
            cells = [took(a), f"{least:.1f}" if least else "–", f"{a['peak']:.0f} MB", "–", "–", "–", "–", a["value"]]
            if n == options.peer_n and peer:
                b = child("peer", name, options, n)
                cells[3:7] = [peer[0], took(b), f"{b['peak']:.0f} MB", f"{b['cpu'] / a['cpu']:.1f}"]
                cells[7] = f"{a['value']} / {b['value']}"
            row(name, f"{n:,}", *cells)
    print(f"\n{options.threads} threads, d = {options.d}, float32 products at {speed / 1e9:.0f} GFLOP/s a thread,")
    print(f"fd_infinity of {options.points} sizes")


# --- agreement


def agreements() -> Iterator[tuple[str, str, float, float, float]]:
    """Metric, other implementation, our value, theirs, and how far apart they may be."""
    import numpy as np

    from benchmarks.metrics import _definitions as peers
    from giqa.metrics import frechet, inception, kernel, prdc, realism, vendi

    real, fake = features(2000, 256)
    n = len(real)
    fid, kid = frechet.frechet_distance(real, fake), kernel.kernel_distance(real, fake)
    for label, needs, compute in (
        ("", "torch-fidelity", peers.fd_fidelity),
        ("", "pytorch-fid", peers.fd_of("pytorch_fid.fid_score", "calculate_frechet_distance")),
        ("", "clean-fid", peers.fd_of("cleanfid.fid", "frechet_distance")),
        ("sqrtm of scipy", None, peers.fd_sqrtm),
    ):
        if label or peers.installed(needs):
            yield "fd", label or peers.installed(needs), fid, compute(real, fake), 1e-5 * fid
    for label, needs, compute in (
        ("", "torch-fidelity", peers.kd_fidelity(1, n)),
        ("", "clean-fid", peers.kd_clean(1, n)),
        ("kernel of scikit-learn", None, peers.kd_definition(1, n)),
    ):
        if label or peers.installed(needs):
            yield "kd of all pairs", label or peers.installed(needs), kid, compute(real, fake), 1e-4 * kid
    found = prdc.neighbourhoods(real, fake, k=peers.K)
    sides = [("distances of scikit-learn", peers.prdc_definition)]
    sides += [(peers.installed("prdc"), peers.prdc_package)] if peers.installed("prdc") else []
    sides += [(peers.installed("torch-fidelity"), peers.pr_fidelity)] if peers.installed("torch-fidelity") else []
    for label, compute in sides:
        for name, b in zip(NAMES, compute(real, fake), strict=False):
            yield f"{name}, k = {peers.K}", label, getattr(found, name), b, 2 / n
    definition = peers.authenticity_definition(real, fake)
    yield "authenticity", "neighbours of scikit-learn", found.authenticity, definition, 2 / n
    ours, theirs = realism.realism_score(real, fake), peers.realism_definition(real, fake)
    at = int(np.abs(ours - theirs).argmax())
    yield "realism, k = 3", "distances of scikit-learn", float(ours[at]), float(theirs[at]), 1e-5
    logits = np.random.default_rng(0).standard_normal((n, CLASSES), dtype=np.float32) * 3
    score = inception.inception_score(logits)
    yield "inception_score", "numpy", score, peers.is_definition(1)(real, logits), 1e-5 * score
    if label := peers.installed("torch-fidelity"):
        yield "inception_score", label, score, peers.is_fidelity(1)(real, logits), 1e-5 * score
    a, b = kernel.cmmd(real, fake), peers.cmmd_sklearn(real.astype(float), fake.astype(float))
    yield "cmmd", "kernel of scikit-learn", a, b, 1e-5
    a, b = vendi.vendi_score(fake), peers.vendi_dual(real, fake.astype(float))
    yield "vendi", "numpy and scipy", a, b, 1e-6 * a
    if label := peers.installed("vendi-score"):
        yield "vendi", label, a, peers.vendi_package(real, fake.astype(float)), 1e-6 * a


def agree() -> int:
    """A row a comparison; how many are farther apart than they may be."""
    head("metric", "other implementation", "giqa", "the other", "difference", "tolerance")
    apart = 0
    for name, label, a, b, tolerance in agreements():
        apart += abs(a - b) > tolerance
        mark = " **farther**" if abs(a - b) > tolerance else ""
        row(name, label, f"{a:.6g}", f"{b:.6g}", f"{abs(a - b):.1g}{mark}", f"{tolerance:.1g}")
    return apart


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--n", type=int, default=50_000, help="0: only at --peer-n (%(default)s)")
    parser.add_argument("--d", type=int, default=2048, help="columns (%(default)s)")
    parser.add_argument("--peer-n", type=int, default=8_000, help="0: no peers (%(default)s)")
    parser.add_argument("--points", type=int, default=15, help="sizes of fd_infinity (%(default)s)")
    parser.add_argument("--only", type=names(*ALL), default=list(ALL), metavar="NAME,NAME", help=", ".join(ALL))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--agree", action="store_true", help="instead: whether values agree")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        one(*options.child, options.n, options.d, options.points)
        return
    if options.agree:
        with results(options):
            apart = agree()
        raise SystemExit(min(apart, 1))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(options.threads)
    with results(options):
        table(options)


if __name__ == "__main__":
    main()
