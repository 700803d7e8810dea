"""Several extractors as one: their layers side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import BadSpec
from ..registry import make
from ..types import levels_of


class Joined:
    """The layers of several extractors side by side, for `multilayer`.

    Parameters
    ----------
    of : list of str
        Spec strings, such as `["inception(layers=['Mixed_5d'])", "statistics"]`; no two may give a layer of one name.
        Each resizes and normalises as it does alone.

    Raises
    ------
    BadSpec
        When a layer is there twice, or `of` is no list of specs; at the first use, with the errors of the extractors.

    Examples
    --------
    >>> extract = Joined(["statistics(scales=1)"])
    >>> extract.outputs
    ('texture.1',)
    """

    def __init__(self, of: Sequence[str] = ("inception", "statistics")):
        self.of = of

    @cached_property
    def parts(self) -> list[Any]:
        """The extractors themselves."""
        if isinstance(self.of, str) or not isinstance(self.of, Sequence) or not self.of:
            raise BadSpec(f"joined(of=...) takes a list of specs such as ['inception', 'statistics'], got {self.of!r}.")
        return [make("extractor", spec) for spec in self.of]

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the arrays that `run` returns."""
        names = [name for part in self.parts for name in part.outputs]
        if len(set(names)) < len(names):
            raise BadSpec(f"joined: two extractors give a layer of the same name, among {', '.join(names)}.")
        return tuple(names)

    @property
    def levels(self) -> Mapping[str, tuple[str, ...]]:
        """What each part declares, in their order."""
        declared: dict[str, tuple[str, ...]] = {}
        for part in self.parts:
            for level, names in levels_of(part).items():
                declared[level] = (*declared.get(level, ()), *names)
        return declared

    def identity(self) -> Mapping[str, Any]:
        """What decides the features: what decides those of each part."""
        return {"extractor": "joined", "outputs": list(self.outputs), "parts": [dict(p.identity()) for p in self.parts]}

    def prepare(self, pixels: np.ndarray) -> list[np.ndarray]:
        return [part.prepare(pixels) for part in self.parts]

    def run(self, prepared: Sequence[Sequence[np.ndarray]]) -> dict[str, np.ndarray]:
        """Prepared pictures to layer -> float32 (n, c)."""
        return {name: a for i, part in enumerate(self.parts) for name, a in part.run([p[i] for p in prepared]).items()}

    def __call__(self, pixels: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return self.run([self.prepare(p) for p in pixels])
