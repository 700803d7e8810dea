"""How often `giqa compare` finds a difference between equal generators, and between unequal ones: simulated features.

    python -m benchmarks.metrics.verdicts --reps 50 --only 200+30
    python -m benchmarks.metrics.verdicts --intervals     (how often the interval of each metric holds its mean value)
    python -m benchmarks.metrics.verdicts --classes       (how often a class of one generator is called the weakest)

Needs: nothing.
Takes: about an hour and a half; 12 seconds of processor time for each of --reps.

Every simulation draws 100 new reals and new sets of the numbers in the first column, compares them by all metrics, and
counts one if any pair differs by any metric. "Skewed" features are exponentials of normal ones. Unequal generators:
the first one's mean is moved in each of 4 columns, by 0.97, so that a picture of the other scores higher with a
probability of about 0.75 (the AUC of z), or by 0.477, so that the best linear rule has that AUC. `ds` is of one split,
which takes a fifth of the time of five.
"""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Sequence

import numpy as np

from benchmarks.shared import command, head, names, results, row
from giqa.compare.classes import ByClass
from giqa.compare.classes_page import answer
from giqa.compare.compare import compare
from giqa.metrics.jackknife import FEWEST, jackknifed
from giqa.metrics.together import evaluate
from giqa.registry import make

METRICS = "qs,ds(splits=1),fd,kd,precision,recall,density,coverage,authenticity,vendi"
REALS, COLUMNS, MOVED = 100, 4, (0.97, 0.477)
EQUAL = ((1, 1), (2, 2), (3, 3), (5, 5), (100, 100), (200, 30), (100, 5), (200, 3), (5, 5, 100))
ROWS = (
    *((sizes, "normal", 0.0) for sizes in EQUAL),
    *((sizes, "skewed", 0.0) for sizes in ((5, 5), (100, 100), (200, 30), (100, 5))),
    *((sizes, "normal", moved) for moved in MOVED for sizes in ((100, 100), (200, 30), (30, 30))),
)


def drawn(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Features of n pictures, (n, 4)."""
    x = rng.normal(size=(n, COLUMNS))
    return (np.exp(x) if kind == "skewed" else x).astype(np.float32)


def simulate(sizes: Sequence[int], kind: str, moved: float, reps: int) -> tuple[float, Counter, int]:
    """Share of comparisons with any verdict, how often each metric gave one, and metrics that could."""
    any_, each, able = 0, Counter(), set()
    for seed in range(reps):
        rng = np.random.default_rng([11, seed])
        sets = {f"set {i}": drawn(kind, n, rng) for i, n in enumerate(sizes)}
        sets["set 0"] = sets["set 0"] + np.float32(moved)
        found = compare(drawn(kind, REALS, rng), sets, metrics=METRICS, scorer="sgm", seed=seed)
        told = {v.metric.partition("(")[0] for v in found.verdicts if v.says != "cannot be told apart"}
        any_ += bool(told)
        each.update(told)
        able |= {v.metric for v in found.verdicts if np.isfinite(v.low)}
    return any_ / reps, each, len(able)


def held(n: int, metric_names: Sequence[str], reps: int) -> dict[str, float]:
    """Share of intervals of n fakes against 100 reals that hold the mean value at these numbers, by metric."""
    metrics = [make("metric", name) for name in metric_names]
    shares = [{"real": REALS, "fake": n, None: 0}[getattr(m, "share_of", None)] for m in metrics]
    found = []
    for seed in range(reps):
        rng = np.random.default_rng([12, seed])
        sets = drawn("normal", REALS, rng), drawn("normal", n, rng) + np.float32(0.3)
        found.append(jackknifed(lambda r, f: evaluate(metrics, r, f), *sets, seed=seed, share_of=shares))
    holds = {}
    for i, name in enumerate(metric_names):
        truth = float(np.mean([each[i].value for each in found]))
        ends = [each[i].interval() for each in found]
        holds[name] = float(np.mean([low <= truth <= high for low, high in ends]))
    return holds


def print_intervals(reps: int) -> None:
    small, large = ["fd", "kd", "authenticity", "vendi"], ["ds(splits=1)", "precision", "recall", "density", "coverage"]
    head("pictures", *small, *large)
    for n in (FEWEST, 30, 100):
        holds = held(n, small + (large if n > FEWEST else []), reps)
        row(n, *(f"{holds[name]:.3f}" if name in holds else "–" for name in small + large))


def weakest(seed: int, moved: float, spread: float, first: float) -> str:
    """What the page says of five classes of 60 reals and 60 fakes by `qs`; the first class is moved by itself."""
    rng, classes = np.random.default_rng([31, seed]), {}
    for i, name in enumerate("abcde"):
        fakes = rng.normal(size=(60, COLUMNS)) * spread + moved + (0 if i else first)
        reals = drawn("normal", 60, rng)
        classes[name] = compare(reals, {"A": fakes.astype(np.float32)}, metrics="qs", scorer="sgm", seed=seed)
    return answer(ByClass(classes, {}))


def print_classes(reps: int) -> None:
    head("fakes", "first class moved by", "a class called the weakest", "it is the first")
    for what, moved, spread, first in (
        ("like the reals", 0, 1, 0), ("moved by 1", 1, 1, 0), ("moved by 2", 2, 1, 0), ("twice as wide", 0, 2, 0),
        ("like the reals", 0, 1, 1), ("like the reals", 0, 1, 2),
    ):  # fmt: skip
        said = [weakest(seed, moved, spread, first) for seed in range(reps)]
        named, right = (sum(word in text for text in said) for word in ("weak", "In quality a is "))
        row(what, first, f"{named / reps:.3f}", f"{right / reps:.3f}")


def print_verdicts(reps: int, only: Sequence[str], kinds: str) -> None:
    head("pictures", "features", "any verdict", "by metric", "metrics with an interval", "seconds each")
    for sizes, kind, moved in ROWS:
        name, features = "+".join(map(str, sizes)), f"moved by {moved}" if moved else kind
        if (only and name not in only) or not features.startswith(kinds):
            continue
        start = time.perf_counter()
        share, each, able = simulate(sizes, kind, moved, reps)
        took = (time.perf_counter() - start) / reps
        words = ", ".join(f"{metric} {count / reps:.3f}" for metric, count in each.most_common()) or "–"
        row(name, features, f"{share:.3f}", words, able, f"{took:.2f}")


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--reps", type=int, default=400, help="simulations a row (%(default)s)")
    parser.add_argument("--only", type=names(), default=[], metavar="ROWS", help="of these numbers: 200+30,5+5")
    parser.add_argument("--kind", default="", choices=("normal", "skewed", "moved"), help="rows of one kind")
    parser.add_argument("--intervals", action="store_true", help="instead: how often intervals hold")
    parser.add_argument("--classes", action="store_true", help="instead: how often a class is called the weakest")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with results(options):
        if options.intervals:
            print_intervals(options.reps)
        elif options.classes:
            print_classes(options.reps)
        else:
            print_verdicts(options.reps, options.only, options.kind)


if __name__ == "__main__":
    main()
