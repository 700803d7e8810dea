"""Several layers at once: low ones see artefacts, middle ones structure, deep ones content."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from ..errors import BadSpec
from ..registry import make
from ..types import LEVELS, Features
from .products import as_matrix
from .scale import Scale, as_folds, assign_folds
from .scorer import BaseScorer, check_fitted

COMBINE = ("fisher", "mean", "white", "min")
CLIP = 4.0  # of z: outliers among the reals must not decide how layers are weighed
RIDGE = 0.05
TAUGHT_FLOOR = -4.0  # of z
FEW = 300  # reals, below which the outputs of a layer are independent: benchmarks/accuracy/few_reals.py
DISTANCES = ("sgm", "gmm")  # densities whose score is minus a distance, so that squares of scores add up
TAIL = 12.0  # standard deviations; further out erfc gives way to its series


class MultiLayer(BaseScorer):
    """One density for each layer, each on the z scale of its own held-out reals, then combined into one score.

    ========= =====================================================================================
    combine   score
    ========= =====================================================================================
    fisher    -sqrt(-2 sum of log Phi(z)), Phi the normal distribution: Fisher's method on the layers' tails
    mean      mean of the layers' z
    white     weighted mean, weights C^-1 1 (none below 0) with C the covariance of the held-out z
    min       the worst layer's z
    ========= =====================================================================================

    Parameters
    ----------
    density : str, default "sgm"
        Spec of the scorer that is fitted on each layer.
    combine : {"fisher", "mean", "white", "min"}, default "fisher"
        See the table.
    levels : sequence of str or None, default ("low", "mid", "taught")
        A layer that its extractor declares to be of another level is ignored, as deep layers see what is shown and not
        how well (`giqa.model.out_of_domain` reads them). All layers count with None, where nothing is declared, and
        where none of them is of these levels.
    seed : int, default 0
        Seeds the densities and the folds.

    Raises
    ------
    BadSpec
        If a parameter has no meaning.
    BadShape
        If features do not fit.
    NotFitted
        If scores are asked for before `fit`.

    Notes
    -----
    Scores are below 0 under `fisher`, -sqrt(1.39 layers) for a picture that is like the typical real in each; under the
    others they are like z, 0 = like it. In `fisher` one bad layer counts almost alone, and several that are a little
    bad add up. Measured in `docs/combination.md` and `docs/accuracy.md`.

    Outputs side by side that share a name up to its first dot are one layer: "Mixed_5d.mean" and "Mixed_5d.std",
    "texture.1" and "texture.2". A plain array is one layer. With fewer than 300 reals little can be said of how the
    outputs of a layer go together: each then has a Gaussian of its own, and the squares of their distances are added. A
    layer that was taught to recognise faults ("taught") counts down to z = -4: far from what it was taught, how far off
    it is says little.

    References
    ----------
    Fisher, "Statistical Methods for Research Workers", 1932.

    Examples
    --------
    >>> reals = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    >>> low_and_high = Features(tuple(map(str, range(60))), {"low": reals[:, :2], "high": reals[:, 2:]})
    >>> MultiLayer().fit(low_and_high).score_samples(np.zeros((1, 4), np.float32)).shape
    (1,)
    """

    def __init__(
        self,
        density: str = "sgm",
        combine: str = "fisher",
        levels: Sequence[str] | None = ("low", "mid", "taught"),
        seed: int = 0,
    ):
        self.density = density
        self.combine = combine
        self.levels = levels
        self.seed = seed

    def fit(self, features: Any, y: Any = None, folds: np.ndarray | None = None) -> Self:
        """Learn one density for each layer.

        Parameters
        ----------
        features : ndarray of shape (n, d) or Features
            Features of reals.
        y : ignored
            For scikit-learn's convention.
        folds : int ndarray of shape (n,) or None, default None
            Fold of each real, from 0; None: the scale of each layer comes from folds of its own, seeded.

        Returns
        -------
        MultiLayer
            Itself.
        """
        if not isinstance(self.combine, str) or self.combine not in COMBINE:
            raise BadSpec(f"multilayer(combine=...) takes {', '.join(COMBINE)}, got {self.combine!r}.")
        listed = isinstance(self.levels, (list, tuple)) and all(level in LEVELS for level in self.levels)
        if self.levels is not None and not listed:
            raise BadSpec(f"multilayer(levels=...) takes a list of {', '.join(LEVELS)}, or None, got {self.levels!r}.")
        if not isinstance(self.density, str):
            raise BadSpec(f"multilayer(density=...) takes a spec string such as 'sgm', got {self.density!r:.80}.")
        matrix = as_matrix(features)
        widths, levels = {"features": matrix.shape[1]}, {}  # a plain array is one layer
        if isinstance(features, Features):
            widths, levels = {n: x.shape[1] for n, x in features.layers.items()}, features.made_by.get("levels", {})
        self.used_, taught = _used(list(widths), levels, self.levels)
        self.floors_ = np.where(taught[self.used_], TAUGHT_FLOOR, -np.inf)
        apart = len(matrix) < FEW and self.density.partition("(")[0] in DISTANCES
        self.widths_, self.layer_of_ = _blocks(widths, self.used_, apart)
        folds = as_folds(folds, len(matrix))
        folds = folds if folds.any() else assign_folds(np.arange(len(matrix)), self.seed)
        self.parts_ = self.blank_parts(int((self.layer_of_ >= 0).sum()))
        for part, columns in zip(self.parts_, self._inputs(matrix), strict=True):
            part.fit(columns, folds=folds)
        raw = self._by_layer([part.held_out_ for part in self.parts_])
        scales = [Scale(held_out) for held_out in raw]
        self.medians_ = np.array([scale.median for scale in scales])
        self.spreads_ = np.array([scale.spread if np.isfinite(scale.spread) else np.inf for scale in scales])
        z = self._z(raw)
        self.weights_ = _weights(z, self.combine)
        self.held_out_ = self._combined(z)
        return self

    def score_samples(self, features: Any) -> np.ndarray:
        """One score a picture, float64 (n,)."""
        return self._combined(self.layer_z(features))

    def layer_z(self, features: Any) -> np.ndarray:
        """z of each picture in each of the `layer_names`, float64 (n, layers): where a picture goes wrong."""
        inputs = self._inputs(self._checked(features))
        return self._z(self._by_layer([part.score_samples(x) for part, x in zip(self.parts_, inputs, strict=True)]))

    def score_folds(self, features: Any) -> np.ndarray:
        """The score under the densities without each fold in turn, float64 (n, F)."""
        inputs = self._inputs(self._checked(features))
        by_part = [part.score_folds(x).T for part, x in zip(self.parts_, inputs, strict=True)]
        folds = [self._by_layer(scores) for scores in zip(*by_part, strict=True)]
        return np.stack([self._combined(self._z(raw)) for raw in folds], axis=1)

    def blank_parts(self, n: int) -> list[Any]:
        """The densities of n layers or outputs, not fitted."""
        return [make("scorer", self.density, seed=self.seed) for _ in range(n)]

    def chosen(self) -> dict[str, Any]:
        """What `fit` decided."""
        return {"layers": len(self.weights_), "weights": [round(float(w), 3) for w in self.weights_]}

    def layer_names(self, outputs: Iterable[str]) -> list[str]:
        """The layers that count, by name; `outputs` are the names of `Features.layers` that it was fitted on."""
        check_fitted(self, "used_", "Call fit(reals) before asking which layers count.")
        return [name for name, used in zip(_outputs_of(outputs), self.used_, strict=True) if used]

    def _checked(self, features: Any) -> np.ndarray:
        check_fitted(self, "widths_")
        return as_matrix(features, int(self.widths_.sum()))

    def _inputs(self, matrix: np.ndarray) -> list[np.ndarray]:
        """The columns of each density."""
        blocks = np.split(matrix, np.cumsum(self.widths_)[:-1], axis=1)
        return [block for block, layer in zip(blocks, self.layer_of_, strict=True) if layer >= 0]

    def _by_layer(self, scores: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The raw score of each layer from those of its densities."""
        layers = self.layer_of_[self.layer_of_ >= 0]
        own = [[s for s, layer in zip(scores, layers, strict=True) if layer == i] for i in range(len(self.floors_))]
        return [-np.sqrt(np.square(found).sum(axis=0)) if len(found) > 1 else found[0] for found in own]

    def _z(self, scores: Any) -> np.ndarray:
        """Raw scores, a layer each, to z, (n, layers)."""
        return np.maximum((np.stack(list(scores), axis=1) - self.medians_) / self.spreads_, self.floors_)

    def _combined(self, z: np.ndarray) -> np.ndarray:
        if self.combine == "fisher":
            return -np.sqrt(-2 * log_normal_tail(z).sum(axis=1))
        return z.min(axis=1) if self.combine == "min" else np.einsum("ij,j->i", z, self.weights_)


def log_normal_tail(z: np.ndarray) -> np.ndarray:
    """log Phi(z), Phi the normal distribution; exact to 1e-8 however far out.

    Parameters
    ----------
    z : ndarray of any shape
        Standard deviations.

    Returns
    -------
    float64 ndarray of the same shape
        0 or below.

    Examples
    --------
    >>> log_normal_tail(np.array([0.0, -50.0])).round(4).tolist()
    [-0.6931, -1254.8314]
    """
    near = np.maximum(z, -TAIL)
    below = 0.5 * _erfc(-near / np.sqrt(2))
    far = np.minimum(z, -TAIL) ** -2.0  # beyond, the tail's asymptotic series
    series = np.log1p(far * (-1 + far * (3 + far * (-15 + far * 105))))
    tail = -0.5 * z**2 - np.log(-np.minimum(z, -TAIL)) - 0.5 * np.log(2 * np.pi) + series
    return np.where(z < -TAIL, tail, np.log(below))


def _erfc(values: np.ndarray) -> np.ndarray:
    return np.array([math.erfc(v) for v in values.ravel().tolist()]).reshape(values.shape)


def _outputs_of(names: Iterable[str]) -> dict[str, list[str]]:
    """Each layer and its outputs, in order; outputs side by side that are called "X.…" are one layer "X"."""
    layers: dict[str, list[str]] = {}
    previous = ""
    for name in names:
        stem = name.partition(".")[0]
        if stem in layers and stem != previous:
            stem = name  # apart from the rest: a layer of its own
        layers.setdefault(stem, []).append(name)
        previous = stem
    return layers


def _used(
    names: Sequence[str], declared: Mapping[str, Sequence[str]], levels: Sequence[str] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Which layers count, and which were taught to recognise faults, both bool (layers,)."""
    level_of = {name: level for level, outputs in declared.items() for name in outputs}
    found = [{level_of.get(name) for name in outputs} for outputs in _outputs_of(names).values()]
    taught = np.array(["taught" in own for own in found])
    if levels is None or not any(own & set(levels) for own in found):
        return np.ones(len(found), bool), taught
    return np.array([bool(own & {None, *levels}) for own in found]), taught  # None: nothing declared


def _blocks(widths: Mapping[str, int], used: np.ndarray, apart: bool) -> tuple[np.ndarray, np.ndarray]:
    """Columns that have a density together: how many, in order, and of which counting layer (-1: of none).

    They are those of a layer, or, `apart`, of an output.
    """
    layers = [[widths[name] for name in outputs] for outputs in _outputs_of(widths).values()]
    layers = layers if apart else [[sum(own)] for own in layers]
    place = np.where(used, np.cumsum(used) - 1, -1)
    return np.concatenate(layers), np.repeat(place, [len(own) for own in layers])


def _weights(held_out: np.ndarray, combine: str) -> np.ndarray:
    """Weights of the layers, they sum to 1: equal, or those of the mean that varies least over held-out reals."""
    n = held_out.shape[1]
    if combine != "white" or n == 1:
        return np.full(n, 1 / n)
    covariance = np.cov(np.clip(held_out, -CLIP, CLIP).T)
    weights = np.linalg.solve(covariance + RIDGE * np.eye(n), np.ones(n)).clip(min=0)
    return weights / weights.sum()
