"""Set metrics where the answer is known: collapse in ten steps, copies, identical sets, Gaussians in closed form.

    python benchmarks/known_answers.py

Ten modes in 16 columns, 100 reals each; the fakes are 1,000 fresh pictures of the first 10, 9, ... 1 modes. Then one
picture and nothing else, and the reals again, in part and whole. Then two Gaussians whose Fréchet distance is known:
means 5 apart and spreads of 1 against 3 (once), 2 (14 times) and 1, so 25 + 4 + 14 = 43.
"""

from __future__ import annotations

import numpy as np

from giqa.metrics.frechet import frechet_distance, frechet_infinity
from giqa.metrics.prdc import evaluate, neighbourhoods
from giqa.registry import make

NAMES = ("qs", "ds", "fd", "kd", "precision", "recall", "density", "coverage", "authenticity", "vendi")
MODES, EACH, COLUMNS = 10, 100, 16


def row(label: str, real: np.ndarray, fake: np.ndarray) -> str:
    values = evaluate([make("metric", name) for name in NAMES], real, fake)
    copies = int(neighbourhoods(real, fake).copies.sum())
    return f"| {label} | " + " | ".join(f"{value:.2f}" for value in values) + f" | {copies} |"


def main() -> None:
    rng = np.random.default_rng(0)
    modes = 2 * rng.normal(size=(MODES, COLUMNS))

    def draw(of: np.ndarray) -> np.ndarray:
        return (modes[of] + rng.normal(size=(len(of), COLUMNS))).astype(np.float32)

    n = MODES * EACH
    real = draw(np.arange(n) % MODES)
    print("| fakes | " + " | ".join(NAMES) + " | copies |\n|---" + "|---" * (len(NAMES) + 1) + "|")
    for left in range(MODES, 0, -1):
        print(row(f"{left} of 10 modes", real, draw(np.arange(n) % left)))
    print(row("one picture, 1,000 times", real, np.repeat(real[:1], n, axis=0) + 1e-4 * draw(np.arange(n) % MODES)))
    fresh = draw(np.arange(n) % MODES)
    print(row("a tenth copied", real, np.r_[real[:EACH] + np.float32(1e-3), fresh[EACH:]]))
    print(row("all copied", real, real + np.float32(1e-3)))
    print(row("the reals themselves", real, real.copy()))
    print("\n| pictures of each | fd | fd_infinity | exact |\n|---|---|---|---|")
    scales = np.ones(COLUMNS), np.r_[[3.0], np.full(COLUMNS - 2, 2.0), [1.0]]
    shift = np.r_[[3.0, 4.0], np.zeros(COLUMNS - 2)]
    for m in (200, 1000, 5000, 50_000):
        a = (rng.normal(size=(50_000, COLUMNS)) * scales[0]).astype(np.float32)
        b = (rng.normal(size=(m, COLUMNS)) * scales[1] + shift).astype(np.float32)
        print(f"| {m:,} | {frechet_distance(a[:m], b):.3f} | {frechet_infinity(a, b):.3f} | 43 |")


if __name__ == "__main__":
    main()
