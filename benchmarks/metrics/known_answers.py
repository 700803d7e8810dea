"""Set metrics where the answer is known: collapse in ten steps, copies, identical sets, Gaussians in closed form.

    python -m benchmarks.metrics.known_answers

Needs: nothing.
Takes: about 6 seconds.

Ten modes in 16 columns, 100 reals each; the fakes are 1,000 fresh pictures of the first 10, 9, ... 1 modes. Then one
picture and nothing else, and the reals again, in part and whole. Then two Gaussians whose Fréchet distance is known:
means 5 apart and standard deviations of 1 against 3 (once), 2 (14 times) and 1, so 25 + 4 + 14 = 43.
"""

from __future__ import annotations

import numpy as np

from benchmarks.shared import command, head, results, row
from giqa.metrics.frechet import frechet_distance, frechet_infinity
from giqa.metrics.prdc import neighbourhoods
from giqa.metrics.together import evaluate
from giqa.registry import make

NAMES = ("qs", "ds", "fd", "kd", "precision", "recall", "density", "coverage", "authenticity", "vendi")
MODES, EACH, COLUMNS = 10, 100, 16


def values_row(label: str, real: np.ndarray, fake: np.ndarray) -> None:
    values = evaluate([make("metric", name) for name in NAMES], real, fake)
    copies = int(neighbourhoods(real, fake).copies.sum())
    row(label, *(f"{value:.2f}" for value in values), copies)


def measure() -> None:
    rng = np.random.default_rng(0)
    modes = 2 * rng.normal(size=(MODES, COLUMNS))

    def draw(of: np.ndarray) -> np.ndarray:
        return (modes[of] + rng.normal(size=(len(of), COLUMNS))).astype(np.float32)

    n = MODES * EACH
    real = draw(np.arange(n) % MODES)
    head("fakes", *NAMES, "copies")
    for left in range(MODES, 0, -1):
        values_row(f"{left} of 10 modes", real, draw(np.arange(n) % left))
    values_row("one picture, 1,000 times", real, np.repeat(real[:1], n, axis=0) + 1e-4 * draw(np.arange(n) % MODES))
    fresh = draw(np.arange(n) % MODES)
    values_row("a tenth copied", real, np.r_[real[:EACH] + np.float32(1e-3), fresh[EACH:]])
    values_row("all copied", real, real + np.float32(1e-3))
    values_row("the reals themselves", real, real.copy())
    head("pictures of each", "fd", "fd_infinity", "exact")
    scales = np.ones(COLUMNS), np.r_[[3.0], np.full(COLUMNS - 2, 2.0), [1.0]]
    shift = np.r_[[3.0, 4.0], np.zeros(COLUMNS - 2)]
    for m in (200, 1000, 5000, 50_000):
        a = (rng.normal(size=(50_000, COLUMNS)) * scales[0]).astype(np.float32)
        b = (rng.normal(size=(m, COLUMNS)) * scales[1] + shift).astype(np.float32)
        row(f"{m:,}", f"{frechet_distance(a[:m], b):.3f}", f"{frechet_infinity(a, b):.3f}", 43)


def main() -> None:
    with results(command(__file__, __doc__).parse_args()):
        measure()


if __name__ == "__main__":
    main()
