"""What a comparison of generators found: an estimate a metric, a verdict a pair."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from .errors import BadSpec
from .metrics.intervals import Estimate
from .scores import Scores

NUMBERS = ("value", "low", "high")
LEVEL = 0.95  # of an interval, and of the verdicts on all pairs together


@dataclass(frozen=True, eq=False)
class Generator:
    """One set of pictures: its scores, and an `Estimate` a metric, all but QS of `n` pictures.

    `trouble`: why not to trust one, by metric.
    """

    name: str
    scores: Scores
    values: Mapping[str, Estimate]
    n: int
    trouble: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """Two generators by one metric: `left` less `right`, its interval, and what follows from it.

    `says`: "better" or "worse" (left than right), or "cannot be told apart". Where the metric ranks nothing, "higher",
    "lower" or "cannot be told apart". `unequal`: the metric depends on the number of pictures, and these differ.
    """

    metric: str
    left: str
    right: str
    difference: float
    low: float
    high: float
    says: str
    unequal: bool = False


@dataclass(frozen=True, eq=False)
class Beside:
    """Another score of the same pictures, higher = better.

    `values`: by generator (n,), in the order of its `scores`, NaN where unknown; `reals`: of real pictures, may be
    empty; `means` and `agreements`: by generator the mean, and Spearman's correlation with z, each with its 95 %
    interval.
    """

    name: str
    values: Mapping[str, np.ndarray]
    reals: np.ndarray
    means: Mapping[str, tuple[float, float, float]]
    agreements: Mapping[str, tuple[float, float, float]]

    def to_json(self) -> dict[str, Any]:
        """Mean and agreement of each generator, and the mean of the reals."""
        kinds = {"mean": self.means, "spearman_with_z": self.agreements}
        return {
            "generators": {
                name: {kind: dict(zip(NUMBERS, map(_plain, of[name]), strict=True)) for kind, of in kinds.items()}
                for name in self.values
            },
            "mean_of_reals": _plain(float(self.reals.mean())) if len(self.reals) else None,
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """Generators by metrics, a verdict for each pair and metric, and what to be careful about.

    `metrics`: name -> made metric, in the order of the table; `held_out_z`: of the reals, for the chart; `beside`:
    other scores of the same pictures; `paired`, `pair_verdicts`: of `giqa.paired`, where it was asked for.
    """

    generators: tuple[Generator, ...]
    metrics: Mapping[str, Any]
    verdicts: tuple[Verdict, ...]
    warnings: tuple[str, ...]
    held_out_z: np.ndarray
    made_by: Mapping[str, Any]
    beside: tuple[Beside, ...] = ()
    paired: tuple[Any, ...] = ()
    pair_verdicts: tuple[Any, ...] = ()

    def verdict(self, metric: str, left: str, right: str) -> Verdict:
        """The one for a metric and a pair, in the order asked for."""
        for found in self.verdicts:
            if found.metric == metric and {found.left, found.right} == {left, right}:
                return found if found.left == left else _turned(found)
        raise BadSpec(f"There is no verdict on {left} and {right} by {metric}.")

    def to_json(self) -> dict[str, Any]:
        """Everything but the scores of single pictures, as JSON can say it; what is not known is null."""
        return {
            "made_by": dict(self.made_by),
            "warnings": list(self.warnings),
            "generators": {
                g.name: {
                    **g.scores.summary(),
                    "metrics": {name: _numbers(g.values.get(name), g.trouble.get(name, "")) for name in self.metrics},
                }
                for g in self.generators
            },
            "verdicts": [
                {k: _plain(v) if isinstance(v, float) else v for k, v in vars(found).items()} for found in self.verdicts
            ],
            "beside": {other.name: other.to_json() for other in self.beside},
            "paired": {pairs.name: pairs.to_json() for pairs in self.paired},
            "pair_verdicts": [
                {k: _plain(v) if isinstance(v, float) else v for k, v in vars(found).items()}
                for found in self.pair_verdicts
            ],
        }


def verdicts_of(found: Sequence[Generator], made: Mapping[str, Any]) -> list[Verdict]:
    """Every pair by every metric that both have."""
    pairs = list(combinations(found, 2))
    level = 1 - (1 - LEVEL) / max(1, len(pairs))
    verdicts = []
    for left, right in pairs:
        for label, metric in made.items():
            if label in left.values and label in right.values:
                gap, low, high = left.values[label].minus(right.values[label], level)
                unequal = getattr(metric, "by_size", True) and left.n != right.n
                says = _says(metric, low, high)
                verdicts.append(Verdict(label, left.name, right.name, gap, low, high, says, unequal))
    return verdicts


def _says(metric: Any, low: float, high: float) -> str:
    if not (low > 0 or high < 0):
        return "cannot be told apart"
    if not getattr(metric, "ranks", True):
        return "higher" if low > 0 else "lower"
    return "better" if (low > 0) != getattr(metric, "is_distance", False) else "worse"


def _turned(verdict: Verdict) -> Verdict:
    other = {"better": "worse", "worse": "better", "higher": "lower", "lower": "higher"}
    says = other.get(verdict.says, verdict.says)
    gap, low, high = -verdict.difference, -verdict.high, -verdict.low
    return Verdict(verdict.metric, verdict.right, verdict.left, gap, low, high, says, verdict.unequal)


def _numbers(estimate: Estimate | None, trouble: str) -> dict[str, Any]:
    if estimate is None:
        return {"value": None, "low": None, "high": None, "trouble": trouble}
    low, high = estimate.interval()
    return {"value": _plain(estimate.value), "low": _plain(low), "high": _plain(high), "trouble": trouble}


def _plain(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
