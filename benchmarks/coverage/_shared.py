"""One interval of one simulation, and what many of them come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

MEAN, MEDIAN = "mean of all runs", "median of all runs"


@dataclass(frozen=True)
class Seen:
    """Intervals of one simulation, and the truth: numbers, or what the values of all simulations come to."""

    value: Any
    low: Any
    high: Any
    truth: Any = MEAN

    @classmethod
    def of(cls, estimate: Any, truth: Any = MEAN) -> Seen:
        """From a `giqa.stats.Estimate`."""
        return cls(estimate.value, estimate.low, estimate.high, truth)


def summary(seen: list[Seen]) -> dict[str, float | str]:
    """Shares of intervals that hold the truth, lie below and above it, their width, and how many there are not."""
    value, low, high = (np.array([np.atleast_1d(getattr(s, name)) for s in seen], float) for name in SIDES)
    truth = seen[0].truth
    if isinstance(truth, str):
        known = np.nanmean(value, axis=0) if truth == MEAN else np.nanmedian(value, axis=0)
    else:
        known, truth = np.array([np.atleast_1d(s.truth) for s in seen], float), "known"
    value, low, high, known = np.broadcast_arrays(value, low, high, known)
    given = np.isfinite(low) & np.isfinite(high)
    sure = 1e-9 * np.maximum(1, np.abs(known))  # an end that is the truth holds it, whatever the rounding
    below, above = (high < known - sure)[given], (low > known + sure)[given]
    wide = (high - low)[given]
    return {
        "truth": truth,
        "held": float(1 - below.mean() - above.mean()) if given.any() else np.nan,
        "below": float(below.mean()) if given.any() else np.nan,
        "above": float(above.mean()) if given.any() else np.nan,
        "width": float(np.median(wide)) if given.any() else np.nan,
        "none": float(1 - given.mean()),
    }


SIDES = ("value", "low", "high")
