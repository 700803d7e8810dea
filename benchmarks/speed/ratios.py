"""Fails where giqa is more than 15 % slower, beside the same peer in the same run, than what is recorded.

    python -m benchmarks.speed.ratios
    python -m benchmarks.speed.ratios --record

Needs: scikit-learn.
Takes: about 2 minutes.

Each job stands beside a peer that does the like: scikit-learn for EM, for all else plain NumPy (or, for the start, the
imports of NumPy, Pillow and click). Both take turns; a ratio is the peer's seconds over giqa's, the median over the
rounds. Ratios depend on the machine: --record on the last release, check on the new one, both on one machine that does
nothing else. Recorded ratios are in `benchmarks/results/speed/ratios.json`, with machine and date.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared import ROOT, command, head, interleaved, made_on, names, results, row, timed

ALLOWED = 0.85  # of the recorded ratio
RECORD = ROOT / "benchmarks" / "results" / "speed" / "ratios.json"
Job = tuple[Callable[[], Any], Callable[[], Any]]  # giqa's work, the peer's


def correlated(n: int, q: int, seed: int) -> np.ndarray:
    """Numbers whose columns vary together, float32 (n, q)."""
    mix = np.random.default_rng(q).normal(size=(q, q)) * np.linspace(2, 0.05, q)[:, None] / np.sqrt(q)
    return (np.random.default_rng(seed).normal(size=(n, q)) @ mix).astype(np.float32)


def start(folder: Path) -> Job:
    """`giqa score` of one picture, its features kept."""
    from giqa.images.toy import write_toy

    reals, fakes = write_toy(folder, n_real=40, n_fake=1, size=32)
    env = os.environ | {"GIQA_HOME": str(folder / "home"), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package is compiled
    run = partial(subprocess.run, check=True, env=env, cwd=folder, capture_output=True)
    model = folder / "reals.giqa"
    run([sys.executable, "-m", "giqa.cli", "fit", reals, "-o", model, "--extractor", "statistics", "-q"])
    ours = [sys.executable, "-m", "giqa.cli", "score", fakes, "--model", model, "-o", folder / "scores.csv", "-q"]
    return partial(run, ours), partial(run, [sys.executable, "-c", "import click, numpy, PIL.Image"])


def neighbours(k: int) -> Job:
    """The k nearest of 20,000 x 512 for 256 pictures."""
    from giqa.scorers.knn import KNN

    rng = np.random.default_rng(0)
    reals, asked = (rng.standard_normal((n, 512), np.float32) for n in (20_000, 256))
    squares = (reals**2).sum(axis=1) / 2
    return partial(KNN(k=k, preset="paper").fit(reals).score_samples, asked), lambda: np.partition(
        squares - asked @ reals.T, k - 1, axis=1
    )[:, :k]


def mixture(_: Path) -> Job:
    """Two steps of EM, 4,000 x 200, seven components."""
    from benchmarks.speed.em import ours, theirs

    x = correlated(4_000, 200, 0).astype(np.float64)
    labels = np.random.default_rng(0).integers(7, size=len(x))
    x += 3 * np.random.default_rng(1).normal(size=(7, 200))[labels]
    return partial(ours, x, labels, 2), partial(theirs, x, labels, 2)


def curve(_: Path) -> Job:
    """The picker's curve, three shares of 400 x 128; the peer takes as many eigenvalues."""
    from giqa.compare.picker_curve import picker_curve

    real, fake = correlated(400, 128, 0), correlated(400, 128, 1)
    z = np.random.default_rng(2).normal(size=400)
    matrix = np.cov(fake.T)
    return partial(picker_curve, real, fake, z, z, shares=(1.0, 0.75, 0.5)), lambda: [
        np.linalg.eigvalsh(matrix) for _ in range(63)
    ]


def metrics(_: Path) -> Job:
    """`compare` by all metrics, two sets of 600 x 128; the peer takes the distances of all pairs as often."""
    from giqa.compare.compare import compare

    real, *sets = (correlated(600, 128, seed) for seed in range(3))
    work = partial(compare, real, dict(zip("AB", sets, strict=True)))
    return work, lambda: [np.sort((sets[0] @ real.T).astype(np.float64), axis=1) for _ in range(42)]


def copies(_: Path) -> Job:
    """Twins among 5,000 thumbnails of noise; the peer sorts them."""
    from giqa.images.copies import twins
    from giqa.types import INFO

    rng, info = np.random.default_rng(0), np.zeros(5_000, INFO)
    info["digest"] = rng.integers(0, 256, (5_000, 16))
    info["thumbnail"] = rng.integers(0, 256, (5_000, 8, 8, 3))
    flat = info["thumbnail"].reshape(5_000, 192).astype(np.float32)
    return partial(twins, info), lambda: np.sort(flat, axis=0)


JOBS: Mapping[str, Callable[[Path], Job]] = {
    "start of giqa score": start,
    "knn k=1": lambda _: neighbours(1),
    "knn k=1000": lambda _: neighbours(1000),
    "em M=7": mixture,
    "picker curve": curve,
    "compare": metrics,
    "twins": copies,
}


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--only", type=names(*JOBS), default=list(JOBS), help="some of them, commas between")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--record", action="store_true", help="keep these ratios as those to hold")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    kept = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {"ratios": {}}
    with results(options):
        found = measured(options.only, options.rounds, kept["ratios"])
    if options.record:
        kept = {"about": made_on(), "ratios": kept["ratios"] | found}
        RECORD.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    elif slower := [name for name, ratio in found.items() if dropped(ratio, kept["ratios"].get(name))]:
        sys.exit(f"more than 15 % below what is recorded ({kept['about']}): {', '.join(slower)}")


def measured(jobs: list[str], rounds: int, recorded: Mapping[str, float]) -> dict[str, float]:
    """The ratio of each job, and a table of them."""
    head("what", "giqa, s", "peer, s", "peer / giqa", "range", "recorded")
    found = {}
    for name in jobs:
        with tempfile.TemporaryDirectory() as folder:
            ours, peer = JOBS[name](Path(folder))
            seconds = interleaved({"giqa": partial(timed, ours), "peer": partial(timed, peer)}, rounds)
        each = [b / a for a, b in zip(seconds["giqa"], seconds["peer"], strict=True)]
        found[name] = round(statistics.median(each), 4)
        took = (f"{statistics.median(s):.3f}" for s in seconds.values())
        row(name, *took, f"{found[name]:.3f}", f"{min(each):.3f} to {max(each):.3f}", recorded.get(name, "-"))
    return found


def dropped(ratio: float, recorded: float | None) -> bool:
    """Whether a ratio is more than 15 % below the recorded one; never where none is recorded.

    >>> dropped(0.84, 1.0), dropped(0.86, 1.0), dropped(0.1, None)
    (True, False, False)
    """
    return recorded is not None and ratio < ALLOWED * recorded


if __name__ == "__main__":
    main()
