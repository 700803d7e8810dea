"""What human models are fitted to: columns of pictures beside some references, and the votes of detection-game."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from giqa.features.embedded import Embedded
from giqa.p_real.distances import LayerDistances
from giqa.scorers.human import HumanModel
from giqa.scorers.multilayer import MultiLayer
from giqa.types import Extractor, Features

TAPS = ("low", "mid", "high")


class Measure:
    """What pictures look like beside some references: distances of layers, z of layers, and pooled features.

    `taps`: the layers of the distances, those in `gridded` on 17 x 17 places.
    """

    def __init__(
        self,
        references: list[np.ndarray],
        extractor: Extractor | None = None,
        taps: Sequence[str] = TAPS,
        gridded: Sequence[str] = TAPS[:1],
    ):
        self.extractor, self.taps, n = extractor or Embedded(version=1), taps, len(references)
        self.parts = {"C": list(gridded), "A": [tap for tap in taps if tap not in gridded]}
        self.parts = {variant: layers for variant, layers in self.parts.items() if layers}
        self.distances = {
            variant: LayerDistances(variant).fit((self.extractor.maps(p, layers) for p in references), n)
            for variant, layers in self.parts.items()
        }
        self.reals = self.pooled(references)
        self.layers = MultiLayer(levels=None).fit(self.reals)
        self.names = self.layers.layer_names(self.reals.layers)

    def __call__(self, wanted: list[np.ndarray]) -> Features:
        """Layers `tap.distance` and `layer.z`, (n, 1) each, and the pooled ones, each called `name pooled`."""
        found: dict[str, list[np.ndarray]] = {tap: [] for tap in self.taps}
        for start in range(0, len(wanted), 32):
            maps = [self.extractor.maps(p, self.taps) for p in wanted[start : start + 32]]
            for distances in self.distances.values():
                for tap, column in zip(distances.layers, distances.sums(maps).T, strict=True):
                    found[tap].append(column)
        pooled = self.pooled(wanted)
        columns = {f"{tap}.distance": np.concatenate(parts) for tap, parts in found.items()}
        columns |= dict(zip([f"{name}.z" for name in self.names], self.layers.layer_z(pooled).T, strict=True))
        layers = {name: column[:, None] for name, column in columns.items()}
        return Features(pooled.ids, layers | {f"{name} pooled": layer for name, layer in pooled.layers.items()})

    def pooled(self, wanted: list[np.ndarray]) -> Features:
        parts = [self.extractor(wanted[start : start + 16]) for start in range(0, len(wanted), 16)]
        layers = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        made_by = {"levels": dict(self.extractor.levels)}
        return Features(tuple(f"{i:04d}" for i in range(len(wanted))), layers, made_by=made_by)


def only(features: Features, *endings: str) -> Features:
    """Layers whose names end so."""
    return Features(features.ids, {name: x for name, x in features.layers.items() if name.endswith(endings)})


def held_out(features: Features, votes: np.ndarray, real: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """p of each picture from a model that has not seen its fold; C is chosen with whole folds held out."""
    p = np.empty(len(votes))
    for f in np.unique(fold):
        out = fold == f
        model = HumanModel(resamples=0).fit(features.rows(~out), np.c_[votes, real][~out], groups=fold[~out])
        p[out] = model.p_real(features.rows(out))[0]
    return p


class Game:
    """The votes of `detection-game`, and which generator is left out with which pictures."""

    def __init__(self, table: Mapping[str, list], rows: np.ndarray | None = None):
        kept = np.arange(len(table["n"])) if rows is None else rows
        self.votes, self.real = (np.array(table[name], float)[kept] for name in ("n", "n_real"))
        self.kind, generator = (np.array(table[name])[kept] for name in ("kind", "generator"))
        made = list(dict.fromkeys(generator[self.kind == "generated"]))
        self.fold = np.array([made.index(g) if g in made else -1 for g in generator])
        reals = self.kind == "real"
        self.fold[reals] = np.random.default_rng(0).permutation(int(reals.sum())) % len(made)

    def constant(self) -> np.ndarray:
        return self._shares(np.zeros(len(self.votes)))

    def truth(self) -> np.ndarray:
        return self._shares(self.kind == "real")

    def _shares(self, which: np.ndarray) -> np.ndarray:
        """The share of real votes on pictures of other folds that are alike."""
        p = np.empty(len(which))
        for f in np.unique(self.fold):
            for one in np.unique(which):
                rest = (self.fold != f) & (which == one)
                p[(self.fold == f) & (which == one)] = self.real[rest].sum() / self.votes[rest].sum()
        return p
