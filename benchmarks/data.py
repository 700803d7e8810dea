"""The pictures and tables that benchmarks measure on, and their features: extracted once, through the store."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import giqa
from giqa.errors import MissingSource
from giqa.features.reader import extract
from giqa.images import open_source
from giqa.images.decode import decode
from giqa.images.match import Match
from giqa.types import Features, Source

RECODED = Match(coding="jpeg", quality=90)  # chroma halved


class Part:
    """Some rows of a source."""

    def __init__(self, source: Source, rows: Sequence[int]):
        self.rows, self.source, self.name = rows, source, f"{source.name} ({len(rows)} of {len(source)})"
        self.ids = tuple(source.ids[i] for i in rows)
        self.columns = {k: [c[i] for i in rows] for k, c in getattr(source, "columns", {}).items()}

    def __len__(self) -> int:
        return len(self.ids)

    def raw(self, index: int) -> bytes | np.ndarray:
        return self.source.raw(self.rows[index])

    def path(self, index: int) -> Path | None:
        return self.source.path(self.rows[index])


def thinned(source: Source, most: int | None) -> Part:
    """So many pictures, evenly spread over the source, so that epochs and kinds keep their shares; None: all."""
    n = min(most or len(source), len(source))
    return Part(source, np.linspace(0, len(source) - 1, n).round().astype(int))


@dataclass
class Sets:
    """The sets below some folders, as one extractor sees them.

    A set is looked for in each of `roots`; `most` cuts every set to that many pictures, for a quick look; `recoded`:
    every picture, damaged ones too, is saved as JPEG 90 4:2:0 before it is looked at.
    """

    roots: Sequence[Path]
    extractor: Any
    most: int | None = None
    recoded: bool = False
    kept: dict[Any, Features] = field(default_factory=dict)

    def path(self, where: str) -> str:
        """The full name of "set/labels.csv[filter]" or of a file of a set."""
        for root in self.roots:
            if (root / where.partition("/")[0]).exists():
                return f"{root}/{where}"
        raise MissingSource(f"There is no {where.partition('/')[0]} in {', '.join(map(str, self.roots))}.")

    def source(self, where: str, whole: bool = False) -> Source:
        source = open_source(self.path(where))
        return source if whole or not self.most or len(source) <= self.most else thinned(source, self.most)

    def features(self, where: str, match: Any = None, whole: bool = False) -> Features:
        return self._kept((where, match), lambda: self.source(where, whole), match)

    def made(self, name: str, make: Callable[[], list[np.ndarray]]) -> Features:
        """Features of pictures that are made here; `name` stands for them."""
        return self._kept(name, make)

    def _kept(self, key: Any, pictures: Callable[[], Any], match: Any = None) -> Features:
        if key not in self.kept:
            match = RECODED if self.recoded and match is None else match
            result = extract(pictures(), self.extractor, match=match)
            if result.failures:
                sys.exit(f"could not read {dict(list(result.failures.items())[:5])}")
            self.kept[key] = result.features
        return self.kept[key]


@dataclass(frozen=True)
class View:
    """Some layers of the sets, and the scorer that is fitted on them; all layers when `names` is None."""

    sets: Sets
    names: tuple[str, ...] | None
    scorer: str

    def take(self, where: str, match: Any = None, whole: bool = False) -> Features:
        return columns(self.sets.features(where, match, whole), self.names)

    def made(self, name: str, make: Callable[[], list[np.ndarray]]) -> Features:
        return columns(self.sets.made(name, make), self.names)

    def fit(self, reals: Features) -> giqa.Model:
        return giqa.fit(reals, scorer=self.scorer)


def columns(features: Features, names: Sequence[str] | None) -> Features:
    """Some of the layers, in their order, and the levels that they are in."""
    if names is None:
        return features
    made_by = dict(features.made_by)
    if "levels" in made_by:
        left = {level: [n for n in outputs if n in names] for level, outputs in made_by["levels"].items()}
        made_by["levels"] = {level: outputs for level, outputs in left.items() if outputs}
    return Features(features.ids, {name: features.layers[name] for name in names}, features.info, made_by)


def stems(outputs: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Outputs by layer, in order, as `multilayer` groups them."""
    layers: dict[str, tuple[str, ...]] = {}
    for name in outputs:
        stem = name.partition(".")[0]
        layers[stem] = (*layers.get(stem, ()), name)
    return layers


def pixels(source: Source, rows: Sequence[int] | None = None) -> list[np.ndarray]:
    """Decoded pictures of a source, uint8 (h, w, 3) each; some rows, or all."""
    return [decode(source.raw(int(i))).pixels for i in (range(len(source)) if rows is None else rows)]


def pictures(where: str, most: int | None = None) -> tuple[list[np.ndarray], dict[str, list]]:
    """Pixels, and the columns of the table and "id", of so many evenly spread rows."""
    part = thinned(open_source(where), most)
    return pixels(part), {**part.columns, "id": list(part.ids)}


def middle(picture: np.ndarray, side: int) -> np.ndarray:
    """The middle square of a picture, resized to `side`."""
    short = min(picture.shape[:2])
    top, left = ((length - short) // 2 for length in picture.shape[:2])
    square = picture[top : top + short, left : left + short]
    if short == side:
        return square
    return np.asarray(Image.fromarray(square).resize((side, side), Image.Resampling.BICUBIC))


def rows_of(path: str | Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def raters(epochs: Sequence) -> np.ndarray:
    """Log odds that a made-up rater calls a GAN's picture real: -2 at epoch 0, 1 at epoch 24."""
    return 3 * np.sqrt(np.asarray(epochs, float) / 24) - 2


def split(n: int, fitted: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to fit on and rows to judge, the same every time."""
    order = np.random.default_rng(0).permutation(n)
    return order[:fitted], order[fitted:]
