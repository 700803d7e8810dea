"""The nouns that cross a boundary, and the contracts between the stages.

`Source` (pictures) -> `Extractor` (features) -> `Scorer` (one score a picture) -> `giqa.model.table.Scores`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np

from .errors import BadShape

Progress = Callable[[str, int, int], None]  # (what is being done, pictures done, pictures in all)

# Of an extractor's outputs: they see artefacts, structure, content, or faults that they were taught to recognise.
LEVELS = ("low", "mid", "high", "taught")

# What is remembered of every picture next to its features: enough to recognise a copy and to say how it was decoded.
INFO = np.dtype(
    [
        ("digest", "u1", (16,)),  # first 16 bytes of SHA-256 over shape and pixels
        ("thumbnail", "u1", (8, 8, 3)),
        ("width", "<u4"),  # as decoded, before any matching
        ("height", "<u4"),
        ("notes", "<u4"),  # bits: giqa.images.decode.NOTES
    ]
)


@dataclass(frozen=True)
class Picture:
    """One decoded picture, and what decoding had to do to it.

    Parameters
    ----------
    pixels : uint8 ndarray of shape (h, w, 3)
        RGB.
    notes : tuple of str, default ()
        Names of `giqa.images.decode.NOTES`.
    """

    pixels: np.ndarray
    notes: tuple[str, ...] = ()


@runtime_checkable
class Source(Protocol):
    """Where pictures come from: names, and access by position, so that work can be resumed and distributed."""

    name: str
    ids: Sequence[str]  # unique; paths relative to the folder or table, with "/"

    def __len__(self) -> int: ...

    def raw(self, index: int) -> bytes | np.ndarray:
        """The encoded picture.

        Parameters
        ----------
        index : int
            Position, from 0.

        Returns
        -------
        bytes or ndarray
            A file, or pixels as `giqa.images.decode` takes them.

        Raises
        ------
        BadImage
            If it cannot be read.
        """
        ...

    def path(self, index: int) -> Path | None:
        """The file on disk, if the picture is one; else None."""
        ...


class Extractor(Protocol):
    """Pictures to features; resizing and normalising are part of the feature.

    It may also offer `levels` (read by `levels_of`): a mapping from "low" (sees artefacts), "mid" (structure), "high"
    (content) and "taught" (trained to recognise faults) to names of `outputs`, shallow to deep. It decides what a layer
    is used for and not what it holds, so it is no part of `identity`; it stands in `Features.made_by["levels"]`.

    And `maps(pixels, taps)` (`has_maps` says whether), to say *where*: one picture, uint8 (h, w, 3), to tap -> float32
    (h', w', c) before pooling, or (c,) for a tap without places. Place (u, v) of a map is what lies at (u + .5) / h',
    (v + .5) / w' of the picture, give or take a few pixels. It gives the same bits whenever it is asked.
    """

    outputs: tuple[str, ...]  # names of the arrays that `run` returns

    def identity(self) -> Mapping[str, Any]:
        """Everything that decides the feature's value: name, parameters, weights digest, preprocessing."""
        ...

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """What can be done picture by picture in a thread.

        Parameters
        ----------
        pixels : uint8 ndarray of shape (h, w, 3)
            One picture.

        Returns
        -------
        ndarray
            The network's input.
        """
        ...

    def run(self, prepared: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Prepared pictures to features.

        Parameters
        ----------
        prepared : sequence of ndarray
            From `prepare`.

        Returns
        -------
        dict of str to float32 ndarray of shape (n, c)
            Layers by name; the same bits whatever the other pictures in the batch are.
        """
        ...

    def __call__(self, pixels: Sequence[np.ndarray]) -> dict[str, np.ndarray]: ...


def levels_of(extractor: Extractor) -> Mapping[str, Sequence[str]]:
    """What each output of an extractor sees: "low", "mid", "high" or "taught" -> outputs; empty where it is silent."""
    return getattr(extractor, "levels", {})


def has_maps(extractor: Extractor) -> bool:
    """Whether an extractor can say *where*: `maps(pixels, taps)`."""
    return hasattr(extractor, "maps")


def columns_of(source: Source) -> Mapping[str, Sequence[str]]:
    """The columns of a source that is a table, name -> a value for each picture; empty of any other."""
    return getattr(source, "columns", {})


class Scorer(Protocol):
    """Features to one score a picture; higher = better.

    It may offer more, each read by one function below and checked by `giqa.testing`:

    | offers | is | read by |
    |---|---|---|
    | `default_extractor` | spec of the extractor whose features it is made for | `default_extractor_of` |
    | `chosen()` | what `fit` chose, name -> what JSON can say | `chosen_of` |
    | `layer_names(layers)` | names of the layers that it uses | `layers_used` |
    | `blank_parts(n)` | unfitted scorers for its `parts_` | `has_parts` |
    | `score_folds`, `score_with_deviation` | of `ReferenceScorer` | `fold_scores`, `holds_out` |
    """

    def fit(self, features: Any, y: Any = None) -> Self:
        """Learn from features (n, d), and labels `y` (n,) where it is a learned scorer; returns itself."""

    def score_samples(self, features: Any) -> np.ndarray:
        """One score a picture, float64 (n,); the same bits whatever the other pictures in the batch are."""


class ReferenceScorer(Scorer, Protocol):
    """A scorer fitted on reals that can also hold folds of them out; only such a one can be kept in a file.

    What it learned is in numeric arrays and numbers whose names end in `_`.
    """

    held_out_: np.ndarray  # (n,) score of each real under the model without its fold

    def fit(self, features: Any, y: Any = None, folds: np.ndarray | None = None) -> Self:
        """Learn from reals (n, d); `folds` (n,), from 0, also learns it without each fold."""

    def score_folds(self, features: Any) -> np.ndarray:
        """The score under the model without each fold in turn, float64 (n, F)."""
        ...

    def score_with_deviation(self, features: Any) -> tuple[np.ndarray, np.ndarray]:
        """Scores, and how much each would vary with other reals, both float64 (n,)."""
        ...


def default_extractor_of(scorer: Scorer) -> str | None:
    """The extractor whose features a scorer is made for, where it is made for one."""
    return getattr(scorer, "default_extractor", None)


def chosen_of(scorer: Scorer) -> dict[str, Any]:
    """What a fitted scorer chose by itself; empty where it chooses nothing."""
    return scorer.chosen() if hasattr(scorer, "chosen") else {}


def layers_used(scorer: Scorer, layers: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """`layers` for `made_by`: those that a fitted scorer uses, where it says so."""
    return {"layers": scorer.layer_names(layers)} if hasattr(scorer, "layer_names") else {}


def has_parts(scorer: Scorer) -> bool:
    """Whether a scorer is made of scorers."""
    return hasattr(scorer, "blank_parts")


def holds_out(scorer: Scorer) -> bool:
    """Whether a scorer can be fitted with folds held out, as a `ReferenceScorer`."""
    return hasattr(scorer, "score_with_deviation")


def fold_scores(scorer: Scorer, matrix: np.ndarray) -> np.ndarray:
    """The score under the model without each fold, float64 (n, F); (n, 0) of a scorer that learns nothing of reals."""
    return scorer.score_folds(matrix) if hasattr(scorer, "score_folds") else np.empty((len(matrix), 0))


@dataclass(frozen=True, eq=False)
class Features:
    """Named layers of pooled features for named pictures.

    Parameters
    ----------
    ids : tuple of str
        n different names.
    layers : mapping of str to float32 ndarray of shape (n, c)
        Features by layer.
    info : ndarray of shape (n,) of dtype `INFO` or None, default None
        What is remembered of each picture.
    made_by : mapping, default empty
        How they were made.

    Raises
    ------
    BadShape
        If a name is there twice, or a layer has another number of rows.

    Examples
    --------
    >>> features = Features(("a.png", "b.png"), {"low": np.zeros((2, 3)), "high": np.ones((2, 1))})
    >>> len(features), features.matrix().shape, features.rows([1]).ids
    (2, (2, 4), ('b.png',))
    """

    ids: tuple[str, ...]
    layers: Mapping[str, np.ndarray]
    info: np.ndarray | None = None
    made_by: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(set(self.ids)) < len(self.ids):
            twice = next(i for i in self.ids if self.ids.count(i) > 1)
            raise BadShape(f"Every picture needs a name of its own; {twice!r} is there twice.")
        for name, layer in self.layers.items():
            if layer.ndim != 2 or len(layer) != len(self.ids):
                raise BadShape(
                    f"The layer {name!r} should be ({len(self.ids)}, c) for that many ids, got {layer.shape}."
                )

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, keep: np.ndarray | slice) -> Features:
        """The same layers for some of the pictures.

        Parameters
        ----------
        keep : int ndarray, bool ndarray or slice
            Which of them.

        Returns
        -------
        Features
        """
        positions = np.arange(len(self))[keep]
        return Features(
            tuple(self.ids[i] for i in positions),
            {name: layer[keep] for name, layer in self.layers.items()},
            None if self.info is None else self.info[keep],
            self.made_by,
        )

    def matrix(self) -> np.ndarray:
        """All layers side by side, (n, sum of c)."""
        if not self.layers:
            raise BadShape("There are no features: no layer was computed.")
        return np.concatenate([np.asarray(layer) for layer in self.layers.values()], axis=1)


@dataclass(frozen=True, eq=False)
class Step:
    """A few scored pictures, in the order of the source."""

    ids: list[str]
    features: Features
    columns: Mapping[str, Any]
    failures: Mapping[str, str]
