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
from .ways import SAME, way_of

NUMBERS = ("value", "low", "high")
LEVEL = 0.95  # of an interval, and of the verdicts on all metrics and pairs together
STEP = 1.2  # between numbers that sets are compared at, so that fifty checkpoints need a few and not fifty


@dataclass(frozen=True, eq=False)
class Generator:
    """One set of pictures: its scores, and an estimate by each metric.

    Parameters
    ----------
    name : str
    scores : Scores
        Of all its pictures, by the comparison's model.
    values : mapping of str to Jackknife
        By metric; all but QS of `n` pictures.
    n : int
    trouble : mapping of str to str
        Why not to trust a metric, by metric.
    at : mapping of int to mappings like `values`
        What depends on the number of pictures, by that number: what a set of that many would have.
    """

    name: str
    scores: Scores
    values: Mapping[str, Jackknife]
    n: int
    trouble: Mapping[str, str] = field(default_factory=dict)
    at: Mapping[int, Mapping[str, Jackknife]] = field(default_factory=dict)

    def __repr__(self) -> str:
        values = ", ".join(f"{metric} {estimate}" for metric, estimate in self.values.items())
        return f"<giqa.compare.Generator {self.name}, {len(self.scores)} pictures: {values}>"


@dataclass(frozen=True)
class Verdict:
    """Two generators by one metric: `left` less `right`, its interval, and what follows from it.

    Parameters
    ----------
    metric, left, right : str
    difference, low, high : float
        NaN ends where nothing can be said.
    says : str
        "better" or "worse" (left than right), or "cannot be told apart". Where the metric ranks nothing, "higher",
        "lower" or "cannot be told apart".
    unequal : bool
        Whether fewer are compared than there are, since the metric depends on their number and sets differ in it.
    level : float
        Of the interval: the one at which Holm's procedure decided.
    pictures : (int, int)
        How many of either are compared.
    why : str
        Why nothing can be said, or empty.
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

    @property
    def would_tell(self) -> float:
        """About how many pictures of each would show the difference, if it stays.

        The interval narrows with the root of their number.

        >>> Verdict("qs", "A", "B", 0.5, -0.5, 1.5, SAME, pictures=(50, 60)).would_tell
        200.0
        """
        gap = abs(self.difference)
        reach = max(self.high, -self.low) - gap
        return min(self.pictures) * (reach / gap) ** 2 if gap > 0 else math.inf

    def turned(self) -> Verdict:
        """The same verdict with left and right exchanged."""
        other = {"better": "worse", "worse": "better", "higher": "lower", "lower": "higher"}
        ends = {"difference": -self.difference, "low": -self.high, "high": -self.low}
        names = {"left": self.right, "right": self.left, "pictures": self.pictures[::-1]}
        return replace(self, says=other.get(self.says, self.says), **ends, **names)


@dataclass(frozen=True, eq=False)
class Contrast:
    """Two generators by one metric before the verdict.

    Parameters
    ----------
    metric, left, right : str
    at : callable
        From a level to the difference and both ends of its interval.
    key : hashable
        Contrasts with one key ask the same question, which then counts once.
    way : int
        1 where more is better, -1 where less is, 0 where the metric ranks nothing.
    unequal, pictures, why
        As in `Verdict`.
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

    Parameters
    ----------
    name : str
    values : mapping of str to float array (n,)
        By generator, in the order of its `scores`, NaN where unknown.
    reals : float array
        Of real pictures; may be empty.
    means, agreements : mapping of str to (value, low, high)
        By generator the mean, and Spearman's correlation with z, each with its 95 % interval.
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
    """Generators by metrics, a verdict for each pair and metric, and what to be careful about; `compare` makes one.

    Parameters
    ----------
    generators : tuple of Generator
        In the order they were given.
    metrics : mapping of str to metric
        In the order of the table.
    verdicts : tuple of Verdict
        Of every pair by every metric that both have.
    warnings : tuple of str
        What to be careful about.
    held_out_z : float array
        z of the held-out reals, for the chart.
    made_by : mapping
        How it was made.
    beside : tuple of Beside
        Other scores of the same pictures.
    paired, pair_verdicts : tuples of Paired and PairVerdict
        Of `giqa.compare.paired`, where it was asked for.
    contrasts : tuple of Contrast
        What the verdicts were made from, in their order.

    Examples
    --------
    >>> from giqa.compare import compare
    >>> rng = np.random.default_rng(0)
    >>> real, good = rng.normal(size=(300, 4)).astype("f4"), rng.normal(size=(200, 4)).astype("f4")
    >>> comparison = compare(real, {"good": good, "off": good + 3}, metrics="qs", scorer="sgm")
    >>> comparison.best("qs"), comparison.verdict("qs", "off", "good").says
    ('good', 'worse')
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
        """The verdict on a pair by a metric, in the order asked for.

        Parameters
        ----------
        metric, left, right : str

        Returns
        -------
        Verdict

        Raises
        ------
        BadSpec
            When there is none.
        """
        for verdict in self.verdicts:
            if verdict.metric == metric and {verdict.left, verdict.right} == {left, right}:
                return verdict if verdict.left == left else verdict.turned()
        known = ", ".join(dict.fromkeys(v.metric for v in self.verdicts)) or "no metric"
        names = ", ".join(g.name for g in self.generators)
        raise BadSpec(f"There is no verdict on {left} and {right} by {metric}; there are {names}, by {known}.")

    def best(self, metric: str) -> str | None:
        """The generator with the best value among those that no verdict calls worse than another one.

        Where the metric depends on the number of pictures and sets differ in it, values are those of equally many. A
        set of too few pictures for a verdict is the best only among such.

        Parameters
        ----------
        metric : str

        Returns
        -------
        str or None
            None where the metric ranks nothing or is unknown everywhere.
        """
        definition = self.metrics[metric]
        estimates = {name: e for name, e in self._comparable(metric).items() if math.isfinite(e.value)}
        enough = {name: e for name, e in estimates.items() if e.known}
        known = {name: e.value for name, e in (enough or estimates).items()}
        if not way_of(definition) or not known:
            return None
        verdicts = [v for v in self.verdicts if v.metric == metric]
        beaten = {v.left if v.says == "worse" else v.right for v in verdicts if v.says in ("better", "worse")}
        return max(
            [n for n in known if n not in beaten] or list(known), key=lambda name: way_of(definition) * known[name]
        )

    def _comparable(self, metric: str) -> dict[str, Jackknife]:
        """Values at one number of pictures, if they depend on it and can be had."""
        if self.metrics[metric].by_size:
            fewest = min((n for g in self.generators for n in g.at), default=0)
            at = {
                g.name: (g.at.get(fewest) or (g.values if g.n == fewest else {})).get(metric) for g in self.generators
            }
            if at and all(at.values()):
                return at
        return {g.name: g.values[metric] for g in self.generators if metric in g.values}

    def __repr__(self) -> str:
        from .answer import answer

        return f"<giqa.compare.Comparison: {answer(self)}>"

    def _repr_html_(self) -> str:
        from .notebook import of_comparison

        return of_comparison(self)

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
            "verdicts": [_record(verdict) for verdict in self.verdicts],
            "beside": {other.name: other.to_json() for other in self.beside},
            "paired": {pairs.name: pairs.to_json() for pairs in self.paired},
            "pair_verdicts": [_record(verdict) for verdict in self.pair_verdicts],
        }


def common_numbers(sizes: Mapping[str, int]) -> dict[str, list[int]]:
    """For each generator the numbers of pictures that it is compared at with others of another size.

    >>> common_numbers({"a": 200, "b": 30, "c": 200, "d": 3})
    {'a': [30], 'b': [30], 'c': [30]}
    """
    numbers: dict[str, set[int]] = {}
    for (left, n), (right, m) in combinations(sizes.items(), 2):
        if n != m and (common := common_number(n, m, sizes.values())):
            for name in (left, right):
                numbers.setdefault(name, set()).add(common)
    return {name: sorted(numbers[name]) for name in sizes if name in numbers}


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


def contrasts_of(generators: Sequence[Generator], made: Mapping[str, Any]) -> list[Contrast]:
    """Every pair by every metric that both have."""
    contrasts = []
    sizes = [g.n for g in generators]
    for left, right in combinations(generators, 2):
        for label, metric in made.items():
            if label not in left.values or label not in right.values:
                continue
            a, b, unequal = left.values[label], right.values[label], metric.by_size and left.n != right.n
            common = common_number(left.n, right.n, sizes) if unequal else 0
            if label in left.at.get(common, {}) and label in right.at.get(common, {}):
                a, b = left.at[common][label], right.at[common][label]
            elif unequal:
                a, b = Jackknife(a.value), Jackknife(b.value)
            why = "" if a.known and b.known else _why(left, right, label)
            n = (common, common) if common else (a.n or left.n, b.n or right.n)
            names, key = (left.name, right.name), (_key(metric), left.name, right.name)
            contrasts.append(Contrast(label, *names, partial(a.minus, b), key, way_of(metric), unequal, n, why))
    return contrasts


def decided(contrasts: Sequence[Contrast], level: float = LEVEL) -> list[Verdict]:
    """A verdict a contrast, of which none is false in `level` of the cases that equal generators give (Holm 1979).

    Of k open questions those are decided whose interval at 1 - (1 - level) / k leaves out 0; then there are fewer, and
    the rest is asked again.
    """
    open_ = {i for i, c in enumerate(contrasts) if math.isfinite(c.at(level)[1])}
    undecided = {i for i in open_ if _apart(contrasts[i].at(level))}  # those that could be decided at all
    levels: dict[int, float] = {}
    now = level
    while open_:
        now = 1 - (1 - level) / len({contrasts[i].key for i in open_})
        fell = {i for i in undecided if _apart(contrasts[i].at(now))}
        if not fell:
            break
        levels |= dict.fromkeys(fell, now)
        open_, undecided = open_ - fell, undecided - fell
    verdicts = []
    for i, c in enumerate(contrasts):
        gap, low, high = c.at(levels.get(i, now))
        says = SAME
        if i in levels:
            says = ("better" if (low > 0) == (c.way > 0) else "worse") if c.way else "higher" if low > 0 else "lower"
        about = levels.get(i, now), c.pictures, c.why
        verdicts.append(Verdict(c.metric, c.left, c.right, gap, low, high, says, c.unequal, *about))
    return verdicts


def _apart(interval: tuple[float, float, float]) -> bool:
    return interval[1] > 0 or interval[2] < 0


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


def _numbers(estimate: Jackknife | None, trouble: str) -> dict[str, Any]:
    numbers = (math.nan,) * 3 if estimate is None else (estimate.value, *estimate.interval())
    return {**dict(zip(NUMBERS, map(_plain, numbers), strict=True)), "trouble": trouble}


def _record(verdict: Any) -> dict[str, Any]:
    return {k: _plain(v) if isinstance(v, float) else v for k, v in vars(verdict).items()}


def _plain(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
