"""What a comparison of generators found: an estimate a metric, a verdict a pair."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from .. import registry
from ..errors import BadSpec, GiqaError
from ..metrics.jackknife import FEWEST, MOST, Jackknife
from ..model.table import Scores

NUMBERS = ("value", "low", "high")
LEVEL = 0.95  # of an interval, and of the verdicts on all metrics and pairs together
SAME = "cannot be told apart"
STEP = 1.2  # between numbers that sets are compared at, so that fifty checkpoints need a few and not fifty


@dataclass(frozen=True, eq=False)
class Generator:
    """One set of pictures: its scores, and an `Jackknife` a metric, all but QS of `n` pictures.

    `trouble`: why not to trust one, by metric; `at`: what depends on the number of pictures, by that number, as so many
    would have it.
    """

    name: str
    scores: Scores
    values: Mapping[str, Jackknife]
    n: int
    trouble: Mapping[str, str] = field(default_factory=dict)
    at: Mapping[int, Mapping[str, Jackknife]] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """Two generators by one metric: `left` less `right`, its interval, and what follows from it.

    `says`: "better" or "worse" (left than right), or "cannot be told apart". Where the metric ranks nothing, "higher",
    "lower" or "cannot be told apart". `pictures` of each that are compared; `unequal`: fewer than there are, since the
    metric depends on their number and sets differ in it. `level` of the interval: the one at which Holm's procedure
    decided. `why`: why nothing can be said, with NaN for the interval.
    """

    metric: str
    left: str
    right: str
    difference: float
    low: float
    high: float
    says: str
    unequal: bool = False
    level: float = LEVEL
    pictures: tuple[int, int] = (0, 0)
    why: str = ""


@dataclass(frozen=True, eq=False)
class Contrast:
    """Two generators by one metric before the verdict: `at(level)` gives the difference and both ends of its interval.

    `way`: 1 where more is better, -1 where less is, 0 where the metric ranks nothing. Contrasts with one `key` ask the
    same question, which then counts once. The rest as in `Verdict`.
    """

    metric: str
    left: str
    right: str
    at: Callable[[float], tuple[float, float, float]]
    key: Hashable
    way: int = 1
    unequal: bool = False
    pictures: tuple[int, int] = (0, 0)
    why: str = ""


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
    other scores of the same pictures; `paired`, `pair_verdicts`: of `giqa.compare.paired`, where it was asked for;
    `contrasts`: what the verdicts were made from, in their order.
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
    contrasts: tuple[Contrast, ...] = ()

    def verdict(self, metric: str, left: str, right: str) -> Verdict:
        """The one for a metric and a pair, in the order asked for."""
        for found in self.verdicts:
            if found.metric == metric and {found.left, found.right} == {left, right}:
                return found if found.left == left else _turned(found)
        raise BadSpec(f"There is no verdict on {left} and {right} by {metric}.")

    def best(self, metric: str) -> str | None:
        """The generator with the best value among those that no verdict calls worse than another one.

        None where the metric ranks nothing or is unknown everywhere. Where it depends on the number of pictures and
        sets differ in it, values are those of equally many.
        """
        made = self.metrics[metric]
        known = {name: e.value for name, e in self._comparable(metric).items() if math.isfinite(e.value)}
        if not way_of(made) or not known:
            return None
        verdicts = [v for v in self.verdicts if v.metric == metric]
        beaten = {v.left if v.says == "worse" else v.right for v in verdicts if v.says in ("better", "worse")}
        return max([n for n in known if n not in beaten] or list(known), key=lambda name: way_of(made) * known[name])

    def _comparable(self, metric: str) -> dict[str, Jackknife]:
        """Values at one number of pictures, if they depend on it and can be had."""
        if by_size(self.metrics[metric]):
            fewest = min((n for g in self.generators for n in g.at), default=0)
            at = {
                g.name: (g.at.get(fewest) or (g.values if g.n == fewest else {})).get(metric) for g in self.generators
            }
            if at and all(at.values()):
                return at
        return {g.name: g.values[metric] for g in self.generators if metric in g.values}

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


def by_size(metric: Any) -> bool:
    """Whether it depends on the number of fakes; a metric that does not say so is taken to."""
    return getattr(metric, "by_size", True)


def way_of(metric: Any) -> int:
    """1 where more is better, -1 where less is, 0 where the metric ranks nothing."""
    if not getattr(metric, "ranks", True):
        return 0
    return -1 if getattr(metric, "is_distance", False) else 1


def common_numbers(sizes: Mapping[str, int]) -> dict[str, list[int]]:
    """For each generator the numbers of pictures that it is compared at with others of another size.

    >>> common_numbers({"a": 200, "b": 30, "c": 200, "d": 3})
    {'a': [30], 'b': [30], 'c': [30]}
    """
    found: dict[str, set[int]] = {}
    for (left, n), (right, m) in combinations(sizes.items(), 2):
        if n != m and (common := common_number(n, m, sizes.values())):
            for name in (left, right):
                found.setdefault(name, set()).add(common)
    return {name: sorted(found[name]) for name in sizes if name in found}


def common_number(n: int, m: int, sizes: Iterable[int]) -> int:
    """How many of each are compared where sets of n and m meet, among sets of many `sizes`; 0 where these are too few.

    >>> common_number(64, 200, [60, 64, 66, 200]), common_number(200, 300, [60, 200, 300])
    (60, 200)
    """
    steps: list[int] = []
    for size in sorted(min(s, MOST) for s in sizes):
        if size >= FEWEST and (not steps or size >= STEP * steps[-1]):
            steps.append(size)
    return max((step for step in steps if step <= min(n, m)), default=0)


def contrasts_of(found: Sequence[Generator], made: Mapping[str, Any]) -> list[Contrast]:
    """Every pair by every metric that both have."""
    contrasts = []
    sizes = [g.n for g in found]
    for left, right in combinations(found, 2):
        for label, metric in made.items():
            if label not in left.values or label not in right.values:
                continue
            one, other, unequal = left.values[label], right.values[label], by_size(metric) and left.n != right.n
            common = common_number(left.n, right.n, sizes) if unequal else 0
            if label in left.at.get(common, {}) and label in right.at.get(common, {}):
                one, other = left.at[common][label], right.at[common][label]
            elif unequal:
                one, other = Jackknife(one.value), Jackknife(other.value)
            why = "" if one.known and other.known else _why(left, right, label)
            key = (_key(metric), left.name, right.name)
            about = way_of(metric), unequal, (common, common) if common else (one.n or left.n, other.n or right.n), why
            contrasts.append(Contrast(label, left.name, right.name, partial(one.minus, other), key, *about))
    return contrasts


def decided(contrasts: Sequence[Contrast], level: float = LEVEL) -> list[Verdict]:
    """A verdict a contrast, of which none is false in `level` of the cases that equal generators give (Holm 1979).

    Of k open questions those are decided whose interval at 1 - (1 - level) / k leaves out 0; then there are fewer, and
    the rest is asked again.
    """
    open_ = {i for i, c in enumerate(contrasts) if math.isfinite(c.at(level)[1])}
    told = {i for i in open_ if _apart(contrasts[i].at(level))}  # those that could be decided at all
    levels: dict[int, float] = {}
    now = level
    while open_:
        now = 1 - (1 - level) / len({contrasts[i].key for i in open_})
        fell = {i for i in told if _apart(contrasts[i].at(now))}
        if not fell:
            break
        levels |= dict.fromkeys(fell, now)
        open_, told = open_ - fell, told - fell
    verdicts = []
    for i, c in enumerate(contrasts):
        gap, low, high = c.at(levels.get(i, now))
        says = SAME
        if i in levels:
            says = ("better" if (low > 0) == (c.way > 0) else "worse") if c.way else "higher" if low > 0 else "lower"
        about = levels.get(i, now), c.pictures, c.why
        verdicts.append(Verdict(c.metric, c.left, c.right, gap, low, high, says, c.unequal, *about))
    return verdicts


def _apart(found: tuple[float, float, float]) -> bool:
    return found[1] > 0 or found[2] < 0


def _key(metric: Any) -> str:
    """What the metric is, however it was written."""
    try:
        return registry.canonical("metric", metric)
    except GiqaError:
        return repr(metric)


def _why(left: Generator, right: Generator, label: str) -> str:
    few = [f"{g.n} of {g.name}" for g in (left, right) if g.n < FEWEST]
    if few:
        return f"too few pictures ({' and '.join(few)}; it takes {FEWEST} of each)"
    return f"{label} has no interval with so few pictures"


def _turned(verdict: Verdict) -> Verdict:
    other = {"better": "worse", "worse": "better", "higher": "lower", "lower": "higher"}
    ends = {"difference": -verdict.difference, "low": -verdict.high, "high": -verdict.low}
    names = {"left": verdict.right, "right": verdict.left, "pictures": verdict.pictures[::-1]}
    return replace(verdict, says=other.get(verdict.says, verdict.says), **ends, **names)


def _numbers(estimate: Jackknife | None, trouble: str) -> dict[str, Any]:
    if estimate is None:
        return {"value": None, "low": None, "high": None, "trouble": trouble}
    low, high = estimate.interval()
    return {"value": _plain(estimate.value), "low": _plain(low), "high": _plain(high), "trouble": trouble}


def _plain(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
