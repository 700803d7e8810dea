"""An extractor, a scorer, a metric and a source for giqa, as a package of their own: see docs/extend.md."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from giqa.errors import BadShape, BadSource, NotFitted
from giqa.scorers import BaseScorer
from giqa.types import Source


class Colour:
    """Mean and standard deviation of red, green and blue: 6 numbers."""

    outputs = ("colour",)

    def identity(self) -> Mapping[str, Any]:
        return {"extractor": "colour", "version": 1}  # a change of the numbers takes a new version

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        plane = pixels.reshape(-1, 3).astype(float)
        return np.concatenate([plane.mean(axis=0), plane.std(axis=0)])

    def run(self, prepared: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return {"colour": np.stack(prepared).astype(np.float32)}

    def __call__(self, pixels: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return self.run([self.prepare(picture) for picture in pixels])


class Middle(BaseScorer):
    """Minus the distance from the mean of the reals."""

    def __init__(self, power: float = 1.0):
        self.power = power

    def fit(self, features: Any, y: Any = None, folds: np.ndarray | None = None) -> Self:
        x = self._checked(features)
        folds = np.zeros(len(x), int) if folds is None else folds
        self.mean_ = x.mean(axis=0)
        kept = [x[folds != f] for f in range(folds.max() + 1)] if folds.max() else [x]
        self.fold_means_ = np.stack([rows.mean(axis=0) for rows in kept])
        self.held_out_ = self.score_folds(x)[np.arange(len(x)), folds]
        return self

    def score_samples(self, features: Any) -> np.ndarray:
        return self._scores(self._fitted(features), self.mean_)

    def score_folds(self, features: Any) -> np.ndarray:
        x = self._fitted(features)
        return np.stack([self._scores(x, mean) for mean in self.fold_means_], axis=1)

    def _scores(self, x: np.ndarray, mean: np.ndarray) -> np.ndarray:
        return -(((x - mean) ** 2).sum(axis=1) ** (self.power / 2))

    def _fitted(self, features: Any) -> np.ndarray:
        if "mean_" not in vars(self):
            raise NotFitted("Call fit(reals) before asking for scores.")
        x = self._checked(features)
        if x.shape[1] != len(self.mean_):
            raise BadShape(f"middle was fitted on {len(self.mean_)} columns, got {x.shape[1]}; use the same extractor.")
        return x

    @staticmethod
    def _checked(features: Any) -> np.ndarray:
        x = np.asarray(getattr(features, "matrix", lambda: features)(), float)
        if x.ndim != 2 or not np.isfinite(x).all():
            raise BadShape(f"middle needs finite features (n, d), got shape {x.shape}.")
        return x


class Shift:
    """How far apart the means of both sets are, in standard deviations of the reals."""

    is_distance = True

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        gap = (real.mean(axis=0, dtype=float) - fake.mean(axis=0, dtype=float)) / real.std(axis=0, dtype=float)
        return float(np.sqrt((gap**2).mean()))


class Rgb64:
    """A file NAME.rgb64: pictures of 64 x 64 x 3 bytes, one after the other; ids are positions."""

    def __init__(self, path: Path):
        size = path.stat().st_size
        if not size or size % SIZE:
            raise BadSource(f"{path} should hold pictures of {SIZE} bytes, it holds {size} bytes.")
        self.name, self._path = str(path), path
        self.ids = [f"{n:06d}" for n in range(size // SIZE)]

    def __len__(self) -> int:
        return len(self.ids)

    def raw(self, index: int) -> np.ndarray:
        return np.fromfile(self._path, np.uint8, SIZE, offset=index * SIZE).reshape(64, 64, 3)

    def path(self, index: int) -> None:
        return None


SIZE = 64 * 64 * 3


def open_rgb64(where: Any) -> Source | None:
    """The pictures of NAME.rgb64; None for anything else, which giqa then opens in its own way."""
    if isinstance(where, str | Path) and str(where).endswith(".rgb64") and Path(where).is_file():
        return Rgb64(Path(where))
    return None
