"""What other ways to combine the layers would give for the rows that fall short: recoded and grey faces, moved patches.

    python -m benchmarks.accuracy.other_ways --splits 3

Needs: the sets of --data.
Takes: about 5 minutes, most of it features.

By default three layers count, `pixels`, `taps` and `artefacts`, the last down to z = -4. No way was chosen on these
rows: they say only what a change would buy and cost. "by its logarithm" was chosen on other domains
(`unseen_domains.py`), and judged here once.

- faces, grey, JPEG: AUC of 100 held-out LFW faces against DCGAN faces, 100 fitted; as files are, in grey, and saved as
  JPEG 90 4:2:0 (`carries.py`); mean over random splits, and percentiles.
- epochs: Spearman with the epoch of 1,600 pictures of a DCGAN, the same 100 reals, as files are.
- swapped, upside-down, artefacts: share of damaged pictures below their originals (`_damage.py`), over three domains;
  fitted on up to 400 reals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.accuracy import _damage
from benchmarks.accuracy._measures import LFW, PROGRESS
from benchmarks.accuracy.carries import FAKES, FITTED, WAYS, changed
from benchmarks.accuracy.unseen_domains import slowed
from benchmarks.data import Sets, View, columns, split
from benchmarks.intervals import auc, over_splits, share, spearman
from benchmarks.shared import command, existing, head, names, results, row, say
from giqa.features.reader import extract
from giqa.registry import make
from giqa.scorers import multilayer
from giqa.types import Features

SPECTRUM = ("spectrum",)
# scorer, or beyond which z every layer counts by its logarithm; down to which z artefacts count; layers left out;
# independent below
TRIED: dict[str, tuple[str | float, float, tuple[str, ...], int]] = {
    "default": ("multilayer", -4.0, SPECTRUM, multilayer.FEW),
    "every layer beyond -4 by its logarithm": (-4.0, -np.inf, SPECTRUM, multilayer.FEW),
    "combine='white'": ("multilayer(combine='white')", -4.0, SPECTRUM, multilayer.FEW),
    "combine='mean'": ("multilayer(combine='mean')", -4.0, SPECTRUM, multilayer.FEW),
    "combine='min', the worst layer": ("multilayer(combine='min')", -4.0, SPECTRUM, multilayer.FEW),
    "outputs joint, with few reals too": ("multilayer", -4.0, SPECTRUM, 0),
    "artefacts count down to z = -8": ("multilayer", -8.0, SPECTRUM, multilayer.FEW),
    "artefacts count without an end": ("multilayer", -np.inf, SPECTRUM, multilayer.FEW),
    "artefacts alone": ("multilayer(levels=['taught'])", -np.inf, SPECTRUM, multilayer.FEW),
    "without pixels": ("multilayer", -4.0, ("pixels", *SPECTRUM), multilayer.FEW),
    "without taps": ("multilayer", -4.0, ("taps", *SPECTRUM), multilayer.FEW),
    "all layers, with high and content": ("multilayer(levels=None)", -4.0, SPECTRUM, multilayer.FEW),
    "with spectrum as one more": ("multilayer", -4.0, (), multilayer.FEW),
}


class Both(Sets):
    """The sets as the network and `spectrum` see them, whose features are kept apart."""

    def _kept(self, key: Any, pictures: Callable[[], Any], match: Any = None) -> Features:
        if key not in self.kept:
            found = [extract(pictures(), spec, match=match).features for spec in self.extractor]
            layers = {name: layer for features in found for name, layer in features.layers.items()}
            levels = {**found[0].made_by["levels"]}
            for features in found[1:]:
                levels["low"] = [*levels["low"], *features.layers]
            self.kept[key] = Features(found[0].ids, layers, found[0].info, {"levels": levels})
        return self.kept[key]


class Logarithm(multilayer.MultiLayer):
    """Beyond some z every layer counts by its logarithm."""

    def __init__(self, start: float):
        super().__init__()
        self.start = start

    def _z(self, scores: Any) -> np.ndarray:
        return slowed(super()._z(scores), self.start)


class Way:
    """A scorer on some layers."""

    def __init__(self, sets: Both, scorer: str | float, floor: float, without: tuple[str, ...], few: int):
        self.sets, self.scorer, self.floor, self.without, self.few = sets, scorer, floor, without, few

    def taken(self, features: Features) -> Features:
        return columns(features, [n for n in features.layers if n.partition(".")[0] not in self.without])

    def fitted(self, reals: Features) -> Callable[[Features], np.ndarray]:
        made = Logarithm(self.scorer) if isinstance(self.scorer, float) else make("scorer", self.scorer)
        with patch.multiple(multilayer, TAUGHT_FLOOR=self.floor, FEW=self.few):
            scorer = made.fit(self.taken(reals))
        return lambda features: scorer.score_samples(self.taken(features))

    def faces(self, splits: int) -> list[str]:
        """Cells: AUC as files are, in grey and recoded; Spearman with the epoch."""
        found: dict[str, list[float]] = {"as files are": [], **{way: [] for way in WAYS}, "epochs": []}
        where = f"{PROGRESS}[kind=generated]"
        progress, epoch = self.sets.features(where), np.array(self.sets.source(where).columns["epoch"], int)
        for name in ("as files are", *WAYS):
            kinds = ((f"{LFW}[kind=real]", None), (f"{LFW}[kind=generated]", FAKES))
            if name in WAYS:
                reals, fakes = (changed(self.sets, where, most, name, WAYS[name]) for where, most in kinds)
            else:
                reals, fakes = (self.sets.features(where) for where, _ in kinds)
            for seed in range(splits):
                order = np.random.default_rng(seed).permutation(len(reals))
                score = self.fitted(reals.rows(order[:FITTED]))
                found[name].append(auc(score(reals.rows(order[FITTED : 2 * FITTED])), score(fakes)))
                if name == "as files are":
                    found["epochs"].append(spearman(score(progress), epoch))
        return [f"{over_splits(values)}" for values in found.values()]

    def damage(self) -> list[str]:
        """Cells: swapped, upside-down, the eight artefacts."""
        hits: dict[str, list[np.ndarray]] = {}
        for domain, where in _damage.DOMAINS.items():
            features = self.sets.features(where)
            fitted, judged = split(len(features), min(_damage.FITTED, 2 * len(features) // 3))
            score, judged = self.fitted(features.rows(fitted)), judged[: _damage.DAMAGED]
            before = score(features.rows(judged))
            made = _damage.damages(View(self.sets, None, "multilayer"), where, fitted, judged)
            for kind in made if domain == "faces" else made.keys() - {"upside-down"}:
                after = score(self.sets.made(f"{domain} {kind}", made[kind]))
                hits.setdefault(kind, []).append((after < before) + 0.5 * (after == before))
        eight = np.concatenate([x for kind in _damage.artefacts() for x in hits[kind]])
        return [f"{share(np.concatenate(hits[kind]))}" for kind in ("swapped", "upside-down")] + [f"{eight.mean():.3f}"]


def main() -> None:
    parser = command(__file__, __doc__, "data")
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--only", type=names(*TRIED), default=list(TRIED), metavar="NAME,NAME")
    options = parser.parse_args()
    with_spectrum = any(SPECTRUM[0] not in TRIED[name][2] for name in options.only)
    sets = Both([existing(options.data)], ("embedded", *(SPECTRUM if with_spectrum else ())))
    with results(options):
        head("way", "faces", *WAYS, "epochs", "swapped", "upside-down", "eight artefacts")
        for name in options.only:
            way = Way(sets, *TRIED[name])
            row(name, *way.faces(options.splits), *way.damage())
            say(name)


if __name__ == "__main__":
    main()
