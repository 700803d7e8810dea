"""Every metric of one generator after the other, against the same reals."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np

from .. import __version__, registry
from ..errors import BadSpec, GiqaError
from ..features.reader import Reader
from ..features.select import ChosenLayers
from ..images.match import spec_of
from ..metrics.inception import InceptionScore
from ..metrics.jackknife import FEWEST, GROUPS, MOST, Jackknife, at_number, jackknifed
from ..metrics.together import Together
from ..model.fit import fit
from ..model.model import Model
from ..model.table import Scores
from ..types import Features
from .quality import Quality, quality_estimate
from .result import LEVEL, Generator, common_numbers

CLOSE = 200  # pictures; below that it is tried first whether a metric can do with a group less


class Judge:
    """Every metric of one generator after the other, against the same reals; what cannot be computed is noted."""

    def __init__(self, made: Mapping[str, Any], chosen: ChosenLayers, reals: Features, model: Model, notes: list[str]):
        self.made, self.chosen, self.reals, self.notes = made, chosen, reals, notes
        self.models = {(model.made_by["scorer"], model.made_by["seed"]): model}
        self.known: dict[Any, Any] = {}  # what metrics computed of the reals alone, for all generators
        self.kept: dict[str, dict[bool, np.ndarray]] = {}  # of each generator `MOST` pictures, as logits or features

    def made_by(self, reader: Reader | None) -> dict[str, Any]:
        """How the comparison was made."""
        scorer, seed = next(iter(self.models))  # of the comparison's own model
        return {
            "giqa": __version__,
            "extractor": registry.canonical("extractor", reader.extractor) if reader else None,
            "scorer": scorer,
            "match": spec_of(reader.match) if reader else None,
            "metrics": {name: registry.canonical("metric", metric) for name, metric in self.made.items()},
            "seed": seed,
            **self.chosen.made_by,
            "reals": len(self.reals),
            "features": dict(self.reals.made_by),
            "level": LEVEL,
        }

    def of(self, name: str, fakes: Features, scores: Scores) -> Generator:
        """All metrics of all its pictures."""
        values: dict[str, Jackknife] = {}
        trouble: dict[str, str] = {}
        sets = {False: self.chosen.fake(fakes)}
        if self.chosen.logits is not None:
            sets[True] = self.chosen.fake_logits(fakes)
        for label, metric in self.made.items():
            if isinstance(metric, Quality):
                values[label] = self._quality(label, metric, fakes, scores)
            elif isinstance(metric, InceptionScore) and self.chosen.logits is None:
                self.notes.append(f"{name}: {label} left out: it needs an extractor with the layer logits")
        for logits, fake in sets.items():
            real = self._real(logits)
            able = {k: m for k, m in self.made.items() if k not in values and isinstance(m, InceptionScore) == logits}
            for label, metric in able.items():
                words = metric.trouble(len(real), len(fake), real.shape[1])
                trouble |= {label: words} if words else {}
            values |= self._whole(name, able, real, fake)
        n = len(sets[False])
        some = np.random.default_rng([self.chosen.seed, 1]).permutation(n)[:MOST]
        self.kept[name] = {k: x[some] for k, x in sets.items()}
        return Generator(name, scores, {label: values[label] for label in self.made if label in values}, n, trouble)

    def at_equal_numbers(self, found: Sequence[Generator]) -> list[Generator]:
        """The same with what depends on the number of pictures, at the numbers that unequal sets have in common."""
        wanted = common_numbers({g.name: g.n for g in found})
        return [replace(g, at={n: self._at(g, n) for n in wanted.get(g.name, ())}) for g in found]

    def _quality(self, label: str, metric: Quality, fakes: Features, scores: Scores) -> Jackknife:
        how = metric.scorer, metric.seed
        model = self.models.get(how)
        if model is self.models[next(iter(self.models))]:
            return quality_estimate(model, fakes, scores, metric.seed)
        if model is None:
            if registry.make("scorer", metric.scorer).default_extractor:
                raise BadSpec(f"{label} looks at features of its own; ask for it by beside= (--other-scores).")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the same reals, which the first model has warned of
                model = self.models[how] = fit(self.reals, scorer=metric.scorer, seed=metric.seed)
        return metric.estimate(model, fakes)

    def _whole(self, name: str, able: Mapping[str, Any], real: np.ndarray, fake: np.ndarray) -> dict[str, Jackknife]:
        """Metrics of the same two sets in one go; of too few pictures the value without an interval."""
        values, together = {}, {}
        for label, metric in able.items():
            try:
                if min(len(real), len(fake)) < CLOSE:
                    values[label] = Jackknife(float(metric(real, fake)), n=len(fake))
                    _try_smaller(metric, real, fake)
                together[label] = metric
            except GiqaError as error:
                what = "has no interval" if label in values else "left out"
                self.notes.append(f"{name}: {label} {what}: {error}")
        if len(fake) >= FEWEST:
            found, errors = self._as_many_as_can(together, real, fake, jackknifed)
            values |= found
            self.notes += [f"{name}: {label} has no interval: {error}" for label, error in errors.items()]
        return values

    def _as_many_as_can(
        self, metrics: Mapping[str, Any], real: np.ndarray, fake: np.ndarray, estimate: Callable[..., list[Jackknife]]
    ) -> tuple[dict[str, Jackknife], dict[str, GiqaError]]:
        """`_together`; where a group less was enough for one of them, but another group is not, what each can."""
        with suppress(GiqaError):
            return self._together(metrics, real, fake, estimate), {}
        values, errors = {}, {}
        for label, metric in metrics.items():
            try:
                values |= self._together({label: metric}, real, fake, estimate)
            except GiqaError as error:
                errors[label] = error
        return values, errors

    def _at(self, g: Generator, n: int) -> dict[str, Jackknife]:
        values: dict[str, Jackknife] = {}
        for logits, fake in self.kept[g.name].items():
            able = {}
            for label, metric in self.made.items():
                if isinstance(metric, InceptionScore) == logits and metric.by_size and label in g.values:
                    with suppress(GiqaError):
                        _try_smaller(metric, self._real(logits), fake[:n])
                        able[label] = metric
            values |= self._as_many_as_can(able, self._real(logits), fake, partial(at_number, n=n))[0]
        return values

    def _together(
        self, metrics: Mapping[str, Any], real: np.ndarray, fake: np.ndarray, estimate: Callable[..., list[Jackknife]]
    ) -> dict[str, Jackknife]:
        """Metrics of the same two sets, in one go."""
        if not metrics:
            return {}
        size = {"real": len(real), "fake": len(fake), None: 0}
        shares = [size[metric.share_of] for metric in metrics.values()]
        together = Together(list(metrics.values()), self.known)
        found = estimate(together, real, fake, seed=self.chosen.seed, share_of=shares)
        ends = (metric.least for metric in metrics.values())
        return {label: replace(e, least=least) for label, e, least in zip(metrics, found, ends, strict=True)}

    def _real(self, logits: bool) -> np.ndarray:
        return cast(np.ndarray, self.chosen.logits if logits else self.chosen.real)


def _try_smaller(metric: Any, real: np.ndarray, fake: np.ndarray) -> None:
    """Raise what the metric raises when a group is left out."""
    metric(*(x[: len(x) - math.ceil(len(x) / GROUPS)][:MOST] for x in (real, fake)))
