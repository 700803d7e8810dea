"""Generators with a paired input: every output next to the real picture that it should have been."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from ..errors import BadSpec
from ..metrics.jackknife import FEWEST
from ..model.folds import folds_of
from ..model.model import Model
from ..stats import Estimate, student_mean, wilson
from ..types import Features, columns_of
from .result import LEVEL, Contrast, Verdict, decided

NAME = "name"


@dataclass(frozen=True, eq=False)
class Paired:
    """The outputs of one generator next to their targets, a row a target that has one: n rows.

    Parameters
    ----------
    name : str
    outputs, targets : tuple of n str
        Ids (of the first output, where there are several).
    z : float array (n,)
        Of the output (their mean where there are several), by the model that has not seen its target.
    target_z : float array (n,)
        Of the target, held out likewise.
    distances : mapping of str to float array (n,)
        By level or layer: the root mean square of differences of features in standard deviations of the reals, 0 for
        equal ones, about 1.41 for two reals that have nothing in common.
    unmatched : tuple of str
        Outputs without a target.
    missing : tuple of str
        Targets without an output.
    """

    name: str
    outputs: tuple[str, ...]
    targets: tuple[str, ...]
    z: np.ndarray
    target_z: np.ndarray
    distances: Mapping[str, np.ndarray]
    unmatched: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def gap(self) -> np.ndarray:
        """z of the output less that of its target, (n,): what the generator lost, input by input."""
        return self.z - self.target_z

    def numbers(self) -> dict[str, tuple[float, float, float]]:
        """Value and 95 % interval of the mean gap, of the share of outputs no worse than their target, of distances.

        Returns
        -------
        dict of str to (value, low, high)

        Examples
        --------
        >>> z, target_z, names = np.array([0., 1.]), np.array([1., 1.]), ("a", "b")
        >>> pairs = Paired("A", names, names, z, target_z, {"low": np.array([1., 3.])})
        >>> {name: round(value[0], 6) for name, value in pairs.numbers().items()}
        {"z less the target's": -0.5, 'as good as the target': 0.5, 'distance, low': 2.0}
        """
        good = _three(wilson(float((self.gap >= 0).sum()), len(self.z)))
        numbers = {"z less the target's": mean_of(self.gap), "as good as the target": good}
        return numbers | {f"distance, {level}": mean_of(values) for level, values in self.distances.items()}

    def says(self) -> str:
        """How many pairs there are, and the first ones without a partner."""
        text = f"{self.name}: {len(self.z)} pairs"
        for alone, what in ((self.unmatched, "pictures without a target"), (self.missing, "targets without a picture")):
            if alone:
                text += f"; {len(alone)} {what} ({', '.join(alone[:3])}{', ...' if len(alone) > 3 else ''})"
        return text

    def to_json(self) -> dict[str, Any]:
        """The numbers, and who has no partner."""
        return {
            "pairs": len(self.z),
            **{name: _as_json(values) for name, values in self.numbers().items()},
            "unmatched": list(self.unmatched),
            "missing": list(self.missing),
        }


@dataclass(frozen=True)
class PairVerdict:
    """Two generators on the inputs of both: mean of z of the left output less the right one's, and what follows.

    Parameters
    ----------
    left, right : str
    n : int
        Inputs that both have.
    difference, low, high : float
    says : str
        "better" or "worse" (left than right), or "cannot be told apart".
    level, why
        As in `Verdict`.
    """

    left: str
    right: str
    n: int
    difference: float
    low: float
    high: float
    says: str
    level: float = LEVEL
    why: str = ""

    @classmethod
    def of(cls, v: Verdict) -> PairVerdict:
        """Of a verdict on a contrast of `pair_contrasts`."""
        return cls(v.left, v.right, v.pictures[0], v.difference, v.low, v.high, v.says, v.level, v.why)


class Pairing:
    """Which real belongs to which output: by `NAME`, file names without ending, or by a column of both tables."""

    def __init__(self, by: str, source: Any, reals: Features, model: Model, seed: int):
        self.by, self.reals, self.model = by, reals, model
        keys = keys_of(by, source, reals.ids)
        self.rows: dict[str, int] = {}
        for row, name in enumerate(reals.ids):
            key = keys.get(name)
            if key in self.rows:
                raise BadSpec(f"Two reals belong to {key!r}: {reals.ids[self.rows[key]]} and {name}; one target each.")
            if key is not None:
                self.rows[key] = row
        self.folds = folds_of(reals, seed)
        row_of = {name: row for row, name in enumerate(model.reals.ids)}
        self.target_z = model.scale.z(model.scale.held_out)[[row_of[name] for name in reals.ids]]
        levels = reals.made_by.get("levels") or {name: [name] for name in reals.layers}
        self.levels = {level: [n for n in names if n in reals.layers] for level, names in levels.items()}

    def of(self, name: str, source: Any, fakes: Features) -> Paired:
        """Outputs next to their targets; `BadSpec` where not one has any."""
        keys = keys_of(self.by, source, fakes.ids)
        rows = self.rows
        if self.by == NAME and not any(keys.get(i) in rows for i in fakes.ids):  # other folders, the same names
            keys = {i: PurePosixPath(k).name for i, k in keys.items()}
            rows = {PurePosixPath(k).name: row for k, row in rows.items()}
            if len(rows) < len(self.rows):
                rows = {}
        target_of = [rows.get(keys.get(i, ""), -1) for i in fakes.ids]
        kept = [at for at, row in enumerate(target_of) if row >= 0]
        if not kept:
            first = next(iter(self.rows), "none"), next((keys[i] for i in fakes.ids if i in keys), "none")
            raise BadSpec(
                f"Not one picture of {name} has a target among the reals by {self.by!r}: its own are called "
                f"{first[1]!r}, ..., the reals {first[0]!r}, ...."
            )
        targets = np.array([target_of[at] for at in kept])
        z = self._z(fakes.rows(np.array(kept)), targets)
        paired, group = np.unique(targets, return_inverse=True)
        first = {int(g): kept[i] for i, g in reversed(list(enumerate(group)))}
        distances = {level: self._distance(fakes, kept, targets, names) for level, names in self.levels.items()}
        return Paired(
            name,
            tuple(fakes.ids[first[g]] for g in range(len(paired))),
            tuple(self.reals.ids[row] for row in paired),
            _mean_by(group, z),
            self.target_z[paired],
            {level: _mean_by(group, far) for level, far in distances.items()},
            tuple(name for name, row in zip(fakes.ids, target_of, strict=True) if row < 0),
            tuple(name for row, name in enumerate(self.reals.ids) if row in set(self.rows.values()) - set(paired)),
        )

    def _z(self, fakes: Features, targets: np.ndarray) -> np.ndarray:
        """z of each output by the model that was fitted without its target, as the target's own is."""
        scorer, matrix = self.model.scorer, self.model._matrix(fakes)
        by_fold = scorer.score_folds(matrix)
        if by_fold.shape[1] <= self.folds[targets].max():  # a scorer that learns nothing from the reals
            return self.model.scale.z(scorer.score_samples(matrix))
        return self.model.scale.z(by_fold[np.arange(len(targets)), self.folds[targets]])

    def _distance(self, fakes: Features, kept: Sequence[int], targets: np.ndarray, names: Sequence[str]) -> np.ndarray:
        total, columns = np.zeros(len(kept)), 0
        for name in names:
            real, fake = self.reals.layers[name], fakes.layers[name][kept]
            spread = real.std(axis=0, dtype=np.float64)
            varies = spread > 1e-7 * np.maximum(np.abs(real).max(axis=0), 1e-30)
            gap = (fake[:, varies].astype(np.float64) - real[targets][:, varies]) / spread[varies]
            total += (gap**2).sum(axis=1)
            columns += int(varies.sum())
        return np.sqrt(total / max(1, columns))


def keys_of(by: str, source: Any, ids: Sequence[str]) -> dict[str, str]:
    """What names the input of each picture: its path without the ending, or a column; without one it has no partner."""
    if by == NAME:
        return {name: str(PurePosixPath(name).with_suffix("")) for name in ids}
    columns = columns_of(source)
    if by not in columns:
        has = f"has the columns {', '.join(columns)}" if columns else "is no table"
        name = repr(getattr(source, "name", "an array of features"))
        raise BadSpec(f"Pictures are paired by {NAME!r} or by a column of tables; {name} {has}.")
    return {name: value for name, value in zip(source.ids, columns[by], strict=True) if value}


def pair_verdicts(pairs: Sequence[Paired], level: float = LEVEL) -> list[PairVerdict]:
    """Every two generators on their common targets; `level` holds for all together (Holm)."""
    return [PairVerdict.of(verdict) for verdict in decided(pair_contrasts(pairs), level)]


def pair_contrasts(pairs: Sequence[Paired]) -> list[Contrast]:
    """Of every two generators the mean difference of z on their common targets."""
    contrasts = []
    for left, right in combinations(pairs, 2):
        other = dict(zip(right.targets, right.z.tolist(), strict=True))
        gaps = np.array([z - other[t] for t, z in zip(left.targets, left.z.tolist(), strict=True) if t in other])
        if len(gaps):
            known = gaps[np.isfinite(gaps)]
            few = len(known) < FEWEST
            why = f"too few inputs that both have ({len(known)}; it takes {FEWEST})" if few else ""
            about = {"pictures": (len(gaps), len(gaps)), "why": why}
            at = partial(_mean_from, gaps, few)
            contrasts.append(Contrast("paired", left.name, right.name, at, ("paired", left.name, right.name), **about))
    return contrasts


def _mean_from(gaps: np.ndarray, few: bool, level: float) -> tuple[float, float, float]:
    value, *ends = mean_of(gaps, level)
    return (value, math.nan, math.nan) if few else (value, *ends)


def mean_of(values: np.ndarray, level: float = 0.95) -> tuple[float, float, float]:
    """Mean of the known values and its interval by Student's t; NaN ends for less than two, or where all are the same.

    >>> [round(x, 1) for x in mean_of(np.array([1., 2., 3., 4., 5., np.nan]))]
    [3.0, 1.0, 5.0]
    """
    return _three(student_mean(values[np.isfinite(values)], level=level))


def _three(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


def _mean_by(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.bincount(group, values) / np.bincount(group)


def _as_json(values: tuple[float, float, float]) -> dict[str, float | None]:
    known = [value if math.isfinite(value) else None for value in values]
    return dict(zip(("value", "low", "high"), known, strict=True))
