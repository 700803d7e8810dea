"""Observers with known thresholds on the staircase of HYPE-time: bias and spread of four estimates of the threshold.

    python -m benchmarks.votes.staircase

Needs: nothing.
Takes: about 15 seconds.

First the mean of each estimate less the threshold, and the standard deviation between 300 observers, in ms (width 0.3,
lapses 0.02); then how often 30 evaluators each put a generator of threshold 300 above one of 250.
"""

from __future__ import annotations

import numpy as np

from benchmarks.shared import command, head, results, row
from giqa.votes.staircase import Staircase, fitted_threshold, late_exposure, modal_exposure, simulate

THRESHOLDS = (150, 250, 400, 700)
OBSERVERS = 300
SETTINGS = {"-30 / +10 (HYPE-time)": Staircase(), "-10 / +30 (balanced)": Staircase.balanced()}
ESTIMATES = ("mode", "late half", "fit")


def main() -> None:
    with results(command(__file__, __doc__).parse_args()):
        head("steps", "trials", "threshold", *ESTIMATES, "fit cannot be computed", "right answers, late")
        for name, stairs in SETTINGS.items():
            for trials in (100, 300):
                for threshold in THRESHOLDS:
                    row(name, trials, threshold, *bias(stairs, trials, threshold))
        order()


def bias(stairs: Staircase, trials: int, threshold: int) -> list[str]:
    """Mean less threshold and deviation between observers, of each estimate."""
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
    head("steps", *ESTIMATES)
    for name, stairs in SETTINGS.items():
        right = np.zeros(3)
        for study in range(100):
            means = []
            for threshold in (250, 300):
                seed = 2 * study + (threshold > 250)
                seen = simulate(threshold, staircase=stairs, trials=150, observers=30, seed=seed)
                fits = [fitted_threshold(e, r)[0] for e, r in zip(seen.exposures, seen.right, strict=True)]
                modes = [modal_exposure(e) for e in seen.exposures]
                means.append([np.mean(modes), np.mean([late_exposure(e) for e in seen.exposures]), np.mean(fits)])
            right += (np.array(means[1]) > means[0]) + 0.5 * (np.array(means[1]) == means[0])
        row(name, *(f"{x / 100:.2f}" for x in right))


if __name__ == "__main__":
    main()
