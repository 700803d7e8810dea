"""Some layers of features as one matrix, alike for reals and fakes: what set metrics are computed on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import BadShape, BadSpec
from ..types import Features


def layer_names(features: Features, layers: str | Sequence[str] | None) -> list[str]:
    """Names of outputs that names, stems ("Mixed_5d") or levels ("high") stand for, in the order of the features."""
    levels = features.made_by.get("levels", {})
    if layers is None:
        high = [name for name in levels.get("high", ()) if name in features.layers]
        mean = high[-1].removesuffix(".std") + ".mean" if high else ""
        return [mean if mean in high else high[-1]] if high else list(features.layers)
    if not isinstance(layers, (str, Sequence)) or not all(isinstance(ask, str) for ask in layers) or not layers:
        raise BadSpec(f"layers are names or levels, as 'low,mid' or as a list, got {layers!r}.")
    asked = [part.strip() for part in layers.split(",")] if isinstance(layers, str) else list(layers)
    chosen: set[str] = set()
    for ask in asked:
        stems = {name: (name, name.partition(".")[0], name.rpartition(".")[0], "all") for name in features.layers}
        hits = {name for name, called in stems.items() if ask in called} | set(levels.get(ask, ()))
        if not hits:
            known = ", ".join([*levels, *features.layers, "all"])
            raise BadSpec(f"There is no layer or level {ask!r}; there are {known}.")
        chosen |= hits
    return [name for name in features.layers if name in chosen]


def scale_of_columns(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each column, float64 (d,); a column that is constant keeps its unit."""
    mean, spread = matrix.mean(axis=0, dtype=np.float64), matrix.std(axis=0, dtype=np.float64)
    spread[spread <= 1e-7 * np.maximum(np.abs(mean), 1e-30)] = 1.0
    return mean, spread


class ChosenLayers:
    """The chosen layers of the reals as one matrix, and how those of fakes become one like it."""

    def __init__(self, reals: Features, layers: Any, pictures: int | None, seed: int):
        if pictures is not None and (not isinstance(pictures, (int, np.integer)) or pictures < 1):
            raise BadSpec(f"pictures is how many to take of each set, a whole number from 1, got {pictures!r}.")
        self.names, self.seed, self.pictures = layer_names(reals, layers), seed, pictures
        matrix = self._side_by_side(reals)
        self.mean, self.spread = np.zeros(matrix.shape[1]), np.ones(matrix.shape[1])
        if len(self.names) > 1:
            self.mean, self.spread = scale_of_columns(matrix)
        self.real = self._some(self._standard(matrix))
        self.logits = self._some(reals.layers["logits"]) if "logits" in reals.layers else None

    @property
    def made_by(self) -> dict[str, Any]:
        """What decided the matrix, apart from the features and the seed."""
        return {"layers": list(self.names), "standardised": len(self.names) > 1, "pictures": self.pictures}

    def fake(self, features: Features) -> np.ndarray:
        return self._some(self._standard(self._side_by_side(features)))

    def fake_logits(self, features: Features) -> np.ndarray:
        return self._some(features.layers["logits"])

    def _side_by_side(self, features: Features) -> np.ndarray:
        missing = [name for name in self.names if name not in features.layers]
        if missing:
            raise BadShape(f"The reals have the layer {missing[0]!r} and a generator has not; extract both alike.")
        return np.concatenate([features.layers[name] for name in self.names], axis=1)

    def _standard(self, matrix: np.ndarray) -> np.ndarray:
        return ((matrix - self.mean) / self.spread).astype(np.float32) if len(self.names) > 1 else matrix

    def _some(self, matrix: np.ndarray) -> np.ndarray:
        if self.pictures is None or self.pictures >= len(matrix):
            return matrix
        return matrix[np.sort(np.random.default_rng(self.seed).permutation(len(matrix))[: self.pictures])]
