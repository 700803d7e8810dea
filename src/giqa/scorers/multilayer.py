"""Several layers at once: low ones see artefacts, middle ones structure, deep ones content."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from ..errors import BadSpec, NotFitted
from ..registry import make
from ..types import Features
from .products import as_matrix
from .scale import Scale, assign_folds, jackknife

COMBINE = ("mean", "white", "min")
CLIP = 4.0  # spreads; outliers among the reals must not decide how layers are weighed
RIDGE = 0.05


class MultiLayer:
    """One density for each layer, each on the z scale of its own held-out reals, then combined into one score.

    ========= =====================================================================================
    combine   score
    ========= =====================================================================================
    mean      mean of the layers' z
    white     weighted mean, weights C^-1 1 (none below 0) with C the covariance of the held-out z
    min       the worst layer's z
    ========= =====================================================================================

    A layer is what `Features` calls so, mean and std of one tap together ("Mixed_5d.mean", "Mixed_5d.std"); a plain
    array is one layer. `density` is the spec of the scorer fitted on each. Measured in `docs/accuracy.md`.

    >>> reals = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    >>> low_and_high = Features(tuple(map(str, range(60))), {"low": reals[:, :2], "high": reals[:, 2:]})
    >>> MultiLayer().fit(low_and_high).score_samples(np.zeros((1, 4), np.float32)).shape
    (1,)

    Range: as z, 0 = like a typical real in every layer. Errors: `BadSpec`, `BadShape`, `NotFitted`.
    """

    def __init__(self, density: str = "sgm", combine: str = "mean", seed: int = 0):
        self.density = density
        self.combine = combine
        self.seed = seed

    def fit(self, features: Any, y: Any = None, folds: np.ndarray | None = None) -> Self:
        """One density a layer; without `folds` the scale of each layer comes from folds of its own, seeded."""
        if self.combine not in COMBINE:
            raise BadSpec(f"multilayer(combine=...) takes {', '.join(COMBINE)}, got {self.combine!r}.")
        matrix = as_matrix(features)
        self.widths_ = np.array(_widths(features) if isinstance(features, Features) else [matrix.shape[1]])
        given = folds is not None and np.max(folds, initial=0) > 0
        folds = np.asarray(folds) if given else assign_folds(np.arange(len(matrix)), self.seed)
        self.parts_ = self.blank_parts(len(self.widths_))
        for part, columns in zip(self.parts_, self._layers(matrix), strict=True):
            part.fit(columns, folds=folds)
        scales = [Scale(part.held_out_) for part in self.parts_]
        self.medians_ = np.array([scale.median for scale in scales])
        self.spreads_ = np.array([scale.spread if np.isfinite(scale.spread) else np.inf for scale in scales])
        z = self._z([part.held_out_ for part in self.parts_])
        self.weights_ = _weights(z, self.combine)
        self.held_out_ = self._combined(z)
        return self

    def score_samples(self, features: Any) -> np.ndarray:
        """One score a picture, float64 (n,)."""
        return self._combined(self.layer_z(features))

    def layer_z(self, features: Any) -> np.ndarray:
        """z of each picture in each layer, float64 (n, layers): where a picture goes wrong."""
        layers = self._layers(self._checked(features))
        return self._z([part.score_samples(x) for part, x in zip(self.parts_, layers, strict=True)])

    def score_folds(self, features: Any) -> np.ndarray:
        """The score under the densities without each fold in turn, float64 (n, F)."""
        layers = self._layers(self._checked(features))
        by_layer = [part.score_folds(x).T for part, x in zip(self.parts_, layers, strict=True)]
        return np.stack([self._combined(self._z(scores)) for scores in zip(*by_layer, strict=True)], axis=1)

    def score_with_deviation(self, features: Any) -> tuple[np.ndarray, np.ndarray]:
        """Scores, and how much each would vary with other reals (jackknife over the folds), both float64 (n,)."""
        return self.score_samples(features), jackknife(self.score_folds(features))

    def blank_parts(self, n: int) -> list[Any]:
        """The scorers of n layers, not fitted."""
        return [make("scorer", self.density, seed=self.seed) for _ in range(n)]

    def chosen(self) -> dict[str, Any]:
        """What `fit` decided."""
        return {"layers": len(self.parts_), "weights": [round(float(w), 3) for w in self.weights_]}

    def _checked(self, features: Any) -> np.ndarray:
        if not hasattr(self, "widths_"):
            raise NotFitted("Call fit(reals) before asking for scores.")
        return as_matrix(features, int(self.widths_.sum()))

    def _layers(self, matrix: np.ndarray) -> list[np.ndarray]:
        return np.split(matrix, np.cumsum(self.widths_)[:-1], axis=1)

    def _z(self, scores: Any) -> np.ndarray:
        """Raw scores, a layer each, to z, (n, layers)."""
        return (np.stack(list(scores), axis=1) - self.medians_) / self.spreads_

    def _combined(self, z: np.ndarray) -> np.ndarray:
        return z.min(axis=1) if self.combine == "min" else np.einsum("ij,j->i", z, self.weights_)


def _widths(features: Features) -> list[int]:
    """Columns of each layer, in order; "X.mean" and "X.std" side by side are one."""
    widths: dict[str, int] = {}
    previous = ""
    for name, layer in features.layers.items():
        stem = name.removesuffix(".mean").removesuffix(".std")
        if stem in widths and stem != previous:
            stem = name  # apart from its other half: a layer of its own
        widths[stem] = widths.get(stem, 0) + layer.shape[1]
        previous = stem
    return list(widths.values())


def _weights(held_out: np.ndarray, combine: str) -> np.ndarray:
    """Weights of the layers, they sum to 1: equal, or those of the mean that varies least over held-out reals."""
    n = held_out.shape[1]
    if combine != "white" or n == 1:
        return np.full(n, 1 / n)
    covariance = np.cov(np.clip(held_out, -CLIP, CLIP).T)
    weights = np.linalg.solve(covariance + RIDGE * np.eye(n), np.ones(n)).clip(min=0)
    return weights / weights.sum()
