"""Observers with known thresholds on the staircase of HYPE-time: bias and spread of four estimates of the threshold.

python -m benchmarks.votes.staircase      prints the tables of docs/people.md
"""

from __future__ import annotations

import numpy as np

from giqa.humans.staircase import Staircase, fitted_threshold, late_exposure, modal_exposure, simulate

THRESHOLDS = (150, 250, 400, 700)
OBSERVERS = 300
SETTINGS = {"-30 / +10 (HYPE-time)": Staircase(), "-10 / +30 (balanced)": Staircase.balanced()}
ESTIMATES = ("mode", "late half", "fit")


def main() -> None:
    """Bias and spread an evaluator, by setting, threshold and number of trials."""
    print("| steps | trials | threshold | mode | late half | fit | fit cannot tell | right answers, late |")
    print("|---|---|---|---|---|---|---|---|")
    for name, stairs in SETTINGS.items():
        for trials in (100, 300):
            for threshold in THRESHOLDS:
                print(f"| {name} | {trials} | {threshold} | " + " | ".join(row(stairs, trials, threshold)) + " |")
    print("\nMean - threshold, and the standard deviation between observers, in ms; width .3, lapses .02.")
    order()


def row(stairs: Staircase, trials: int, threshold: int) -> list[str]:
    seen = simulate(threshold, staircase=stairs, trials=trials, observers=OBSERVERS, seed=trials + threshold)
    fits = [fitted_threshold(e, r) for e, r in zip(seen.exposures, seen.right, strict=True)]
    told = np.array([low > 50 and high < 2000 for _, low, high in fits])
    values = {
        "mode": np.array([modal_exposure(e) for e in seen.exposures]),
        "late half": np.array([late_exposure(e) for e in seen.exposures]),
        "fit": np.array([fit[0] for fit in fits])[told],
    }
    cells = [f"{v.mean() - threshold:+.0f} ± {v.std():.0f}" if len(v) > 9 else "–" for v in values.values()]
    return [*cells, f"{100 * np.mean(~told):.0f} %", f"{seen.right[:, trials // 2 :].mean():.2f}"]


def order() -> None:
    """How often 30 evaluators each put a generator of threshold 300 above one of 250, by the mean of each estimate."""
    print("\n| steps | mode | late half | fit |\n|---|---|---|---|")
    for name, stairs in SETTINGS.items():
        right = np.zeros(3)
        for study in range(100):
            means = []
            for threshold in (250, 300):
                seen = simulate(
                    threshold, staircase=stairs, trials=150, observers=30, seed=2 * study + (threshold > 250)
                )
                fits = [fitted_threshold(e, r)[0] for e, r in zip(seen.exposures, seen.right, strict=True)]
                modes = [modal_exposure(e) for e in seen.exposures]
                means.append([np.mean(modes), np.mean([late_exposure(e) for e in seen.exposures]), np.mean(fits)])
            right += (np.array(means[1]) > means[0]) + 0.5 * (np.array(means[1]) == means[0])
        print(f"| {name} | " + " | ".join(f"{x / 100:.2f}" for x in right) + " |")


if __name__ == "__main__":
    main()
