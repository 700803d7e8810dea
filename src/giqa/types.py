"""The nouns that cross a boundary, and the contracts between the stages.

`Source` (pictures) -> `Extractor` (features) -> `Scorer` (one score a picture) -> `giqa.model.table.Scores`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self, cast, runtime_checkable

import numpy as np

from .errors import BadShape, BadSpec

Progress = Callable[[str, int, int], None]  # (what is being done, pictures done, pictures in all)

SHAPES = {1: " (n,)", 2: " (n, d)", None: ""}  # by number of dimensions

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

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    @property
    def ids(self) -> Sequence[str]:
        """One a picture, unique: paths relative to the folder or table, with "/"."""
        ...

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

    It may also be one that `HasLevels`, and one that `HasMaps`.
    """

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the arrays that `run` returns."""
        ...

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


@runtime_checkable
class HasLevels(Protocol):
    """An extractor that says what its outputs see.

    It decides what a layer is used for and not what it holds, so it is no part of `identity`; it stands in
    `Features.made_by["levels"]`.
    """

    @property
    def levels(self) -> Mapping[str, Sequence[str]]:
        """One of `LEVELS` -> names of `outputs`, shallow to deep."""
        ...


@runtime_checkable
class HasMaps(Protocol):
    """An extractor that can say *where*."""

    def maps(self, pixels: np.ndarray, taps: Sequence[str]) -> Mapping[str, np.ndarray]:
        """Features of one picture before pooling; the same bits whenever it is asked.

        Parameters
        ----------
        pixels : uint8 ndarray of shape (h, w, 3)
            One picture.
        taps : sequence of str
            Names of layers.

        Returns
        -------
        dict of str to float32 ndarray of shape (h', w', c), or (c,) for a tap without places
            Place (u, v) of a map is what lies at (u + 0.5) / h', (v + 0.5) / w' of the picture, within a few pixels.
        """
        ...


@runtime_checkable
class HasBoth(Protocol):
    """An extractor whose network gives the features and the maps of a picture by one run."""

    def prepare_with_maps(self, pixels: np.ndarray, taps: Sequence[str]) -> tuple[Any, Mapping[str, np.ndarray]]:
        """What `prepare` and `maps` would give, bit for bit."""
        ...


@runtime_checkable
class HasColumns(Protocol):
    """A source that is a table."""

    @property
    def columns(self) -> Mapping[str, Sequence[str]]:
        """Name -> a value for each picture."""
        ...


def as_progress(given: Any) -> Progress | None:
    """What is called as (what, done, total) while something long is done, or None.

    Raises
    ------
    BadSpec
        If it is anything else.
    """
    if given is not None and (not callable(given) or isinstance(given, type)):
        raise BadSpec(f"progress is called as (what, done, total), or None, got {given!r:.80}.")
    return cast(Progress | None, given)


def as_numbers(values: Any, name: str, ndim: int | None = 1, kinds: str = "fiu") -> np.ndarray:
    """Numbers as a person passes them, as an array; the only place that says what is taken.

    Parameters
    ----------
    values : array-like
        A list, an array, a tensor of PyTorch, a table of pandas or polars.
    name : str
        What an error calls them, in the plural.
    ndim : {1, 2} or None, default 1
        Number of dimensions; None: any.
    kinds : str, default "fiu"
        Of `numpy.dtype.kind`: floats, whole numbers with and without sign; "b" for True and False.

    Raises
    ------
    BadShape
        If they are no real numbers, have another number of dimensions, or some are masked.

    Examples
    --------
    >>> as_numbers([1, 2.5], "Scores").tolist()
    [1.0, 2.5]
    """
    wanted = f"{name} are a numeric array{SHAPES[ndim]}"
    if np.ma.is_masked(values):
        raise BadShape(f"{wanted}; some of these values are masked. Leave those rows out.")
    try:
        array = np.asarray(values)
    except ValueError:
        raise BadShape(f"{wanted}; these rows differ in length.") from None
    except Exception as error:  # tensors of PyTorch: bfloat16, with a gradient, on a GPU, without data
        raise BadShape(
            f"{wanted}, got {type(values).__name__} ({error}); of a tensor give .detach().float().cpu()."
        ) from None
    if array.ndim != (array.ndim if ndim is None else ndim) or array.dtype.kind not in kinds:
        raise BadShape(f"{wanted}, got shape {array.shape} of {array.dtype}.")
    return array


def levels_of(extractor: Extractor) -> Mapping[str, Sequence[str]]:
    """The levels of an extractor that `HasLevels`; empty of any other."""
    return extractor.levels if isinstance(extractor, HasLevels) else {}


def has_maps(extractor: Extractor) -> bool:
    """Whether an extractor can say *where*."""
    return isinstance(extractor, HasMaps)


def prepared_with_maps(extractor: Any, pixels: np.ndarray, taps: Sequence[str]) -> tuple[Any, Mapping[str, np.ndarray]]:
    """`prepare` and `maps` of one picture, by one run where the extractor `HasBoth`."""
    if isinstance(extractor, HasBoth):
        return extractor.prepare_with_maps(pixels, taps)
    return extractor.prepare(pixels), extractor.maps(pixels, taps)


def columns_of(source: Source) -> Mapping[str, Sequence[str]]:
    """The columns of a source that `HasColumns`; empty of any other."""
    return source.columns if isinstance(source, HasColumns) else {}


class Scorer(Protocol):
    """Features to one score a picture; higher = better.

    This is all that a scorer needs. What else it may offer is what `giqa.scorers.BaseScorer` has defaults for;
    `giqa.registry.make` adds the defaults of what it lacks. Checked by `giqa.testing`.
    """

    def fit(self, features: Any, y: Any = None) -> Self:
        """Learn from features (n, d), and labels `y` (n,) where it is a learned scorer; returns itself."""

    def score_samples(self, features: Any) -> np.ndarray:
        """One score a picture, float64 (n,); the same bits whatever the other pictures in the batch are."""


@runtime_checkable
class HoldsOut(Protocol):
    """A scorer whose `fit` takes `folds`; `giqa.scorers.Folded` makes one of any other."""

    def score_folds(self, features: Any) -> np.ndarray:
        """The score under the model without each fold in turn, float64 (n, F)."""
        ...


@runtime_checkable
class HasParts(Protocol):
    """A scorer that is made of scorers, its `parts_`."""

    def blank_parts(self, n: int) -> list[Any]:
        """n scorers that are not fitted, for `parts_`, when a file is read."""
        ...


@runtime_checkable
class ReferenceScorer(Scorer, HoldsOut, Protocol):
    """A scorer fitted on reals that can also hold folds of them out; only such a one can be kept in a file.

    What it learned is in numeric arrays and numbers whose names end in `_`.
    """

    held_out_: np.ndarray  # (n,) score of each real under the model without its fold

    def fit(self, features: Any, y: Any = None, folds: np.ndarray | None = None) -> Self:
        """Learn from reals (n, d); `folds` (n,), from 0, also learns it without each fold."""

    def score_with_deviation(self, features: Any) -> tuple[np.ndarray, np.ndarray]:
        """Scores, and how much each would vary with other reals, both float64 (n,)."""
        ...


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
    >>> features
    <giqa.Features of 2 pictures: columns of low 3, high 1>
    >>> len(features), features.matrix().shape, features.rows([1]).ids
    (2, (2, 4), ('b.png',))
    """

    ids: tuple[str, ...]
    layers: Mapping[str, np.ndarray]
    info: np.ndarray | None = None
    made_by: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.ids, (tuple, list)) or not all(isinstance(i, str) for i in self.ids):
            raise BadShape(f"ids are a tuple of texts, a name for each picture, got {self.ids!r:.80}.")
        if len(set(self.ids)) < len(self.ids):
            twice = next(i for i, times in Counter(self.ids).items() if times > 1)
            raise BadShape(f"Every picture needs a name of its own; {twice!r} is there twice.")
        if not isinstance(self.layers, Mapping) or not all(isinstance(name, str) for name in self.layers):
            raise BadShape(f"layers are arrays by name, such as {{'features': array}}, got {self.layers!r:.80}.")
        layers = {name: as_numbers(layer, f"The features {name!r}", 2) for name, layer in self.layers.items()}
        for name, layer in layers.items():
            if len(layer) != len(self.ids):
                raise BadShape(
                    f"The layer {name!r} should be ({len(self.ids)}, c) for that many ids, got {layer.shape}."
                )
        if any(layer is not self.layers[name] for name, layer in layers.items()):
            object.__setattr__(self, "layers", layers)  # lists, tensors and tables as arrays

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        layers = ", ".join(f"{name} {layer.shape[1]}" for name, layer in self.layers.items())
        return f"<giqa.Features of {len(self)} pictures: columns of {layers or 'no layer'}>"

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
        try:
            positions = np.arange(len(self))[keep]
        except (IndexError, TypeError, ValueError, RuntimeError, OverflowError):
            positions = np.empty((0, 0), int)
        if positions.ndim != 1:
            raise BadShape(f"Rows are a slice, a mask or numbers of {len(self)} pictures, got {keep!r:.80}.")
        taken = keep if isinstance(keep, slice) else positions  # a slice copies nothing
        return Features(
            tuple(self.ids[i] for i in positions),
            {name: layer[taken] for name, layer in self.layers.items()},
            None if self.info is None else self.info[taken],
            self.made_by,
        )

    def matrix(self) -> np.ndarray:
        """All layers side by side, (n, sum of c)."""
        if not self.layers:
            raise BadShape("There are no features: no layer was computed.")
        return np.concatenate([np.asarray(layer) for layer in self.layers.values()], axis=1)


class Work(Protocol):
    """What is done to the pictures of a source, in this process or in another; it can be pickled."""

    def __call__(self, source: Source) -> Any:
        """The result; joined in the order of the source, results of parts are the result of all."""
        ...

    def failed(self, source: Source, reason: str) -> Any:
        """A result in which every picture failed for this reason."""
        ...


@runtime_checkable
class Runner(Protocol):
    """Where work is done: `giqa.runners`."""

    def run(self, work: Work, source: Source, shards: Sequence[range]) -> Iterator[tuple[range, Any]]:
        """Rows and the result of work on them, in any order; together the rows are those of the shards, each once."""
        ...


@dataclass(frozen=True, eq=False)
class Step:
    """A few scored pictures, in the order of the source."""

    ids: list[str]
    features: Features
    columns: Mapping[str, Any]
    failures: Mapping[str, str]
