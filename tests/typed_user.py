"""What a user writes, for a strict type checker: `mypy` reads it and nobody runs it.

A comment `type: ignore` that is not needed is an error, so each of them says that the checker finds a mistake.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import assert_type

import numpy as np

import giqa
from giqa.compare import Comparison
from giqa.testing import check_extractor, check_source
from giqa.types import Extractor, Source

scores = giqa.score("fakes/", real=Path("reals"), report="report.html")
assert_type(scores, giqa.Scores)
assert_type(scores.headline().verdict, str)
assert_type(giqa.fit("reals/", scorer="knn(k=5)", seed=1).save("reals.giqa"), Path)
assert_type(giqa.load("reals.giqa").score("fakes/").worst(3), giqa.Scores)
assert_type(giqa.read_scores("scores.csv").rank_interval(), tuple[np.ndarray, np.ndarray])
assert_type(giqa.compare_generators("reals/", {"A": "a/"}), Comparison)

print(giqa.scoer)  # type: ignore[attr-defined]
giqa.score("fakes/", real="reals/", maps="yes")  # type: ignore[arg-type]
print(scores.zed)  # type: ignore[attr-defined]
scores.worst("20")  # type: ignore[arg-type]
giqa.fit("reals/", seed="1")  # type: ignore[arg-type]


class Colour:
    """An extractor that inherits nothing."""

    outputs = ("mean",)

    def identity(self) -> Mapping[str, str]:
        return {"extractor": "colour"}

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        return pixels

    def run(self, prepared: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return {"mean": np.stack([pixels.mean(axis=(0, 1)) for pixels in prepared])}

    def __call__(self, pixels: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return self.run(pixels)


class Grey:
    """A source that inherits nothing."""

    name = "grey"
    ids = ("one", "two")

    def __len__(self) -> int:
        return 2

    def raw(self, index: int) -> np.ndarray:
        return np.full((8, 8, 3), index, np.uint8)

    def path(self, index: int) -> Path | None:
        return None


extractor: Extractor = Colour()
source: Source = Grey()
check_extractor(Colour)
check_source(source)
