"""Pictures to features: read and decoded once, prepared in threads, run in steps, through the store."""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from .. import registry
from ..errors import BadImage, BadShape, BadSource, BadSpec
from ..files import home
from ..images import open_source
from ..images.decode import POLICY, picture_info
from ..images.match import as_match
from ..images.pictures import as_pictures, plain_source
from ..types import INFO, Extractor, Features, Picture, Progress, Runner, Source, levels_of
from .store import Store, content_key

DEFAULT_EXTRACTOR = "embedded"
CHUNK = 64  # pictures a step: bounds memory, and what a killed process loses
INFO_NAMES = tuple(INFO.fields or ())
SHARD = 1024  # pictures that a runner gives to one worker at a time
NAMED = 5  # pictures that could not be read are warned of by name, up to this many

Watch = Callable[[str, Picture], None]  # is given every picture that could be decoded, in the threads that read


@dataclass(frozen=True, eq=False)
class Extracted:
    """Features of the pictures that could be read, and for the others the reason, by id."""

    features: Features
    failures: Mapping[str, str]

    def __repr__(self) -> str:
        return f"<giqa.features.Extracted: features={self.features!r}, {len(self.failures)} failures>"

    def needed(self, what: str, warn: bool = False) -> Features:
        """The features, where there are any: the only place that says that not one picture could be read.

        Parameters
        ----------
        what : str
            What the pictures are, in the plural: "reals".
        warn : bool
            Also warn of those that are left out.

        Raises
        ------
        BadSource
            When not one could be read; it gives the first reason.
        """
        left_out = list(self.failures.items())
        if not len(self.features):
            first = f"; the first, {left_out[0][0]}: {left_out[0][1]}" if left_out else ""
            raise BadSource(f"Not one of the {len(left_out)} {what} could be read{first}.")
        if warn:
            for name, reason in left_out[:NAMED]:
                warnings.warn(f"{what}: {name} left out: {reason}", stacklevel=3)
            if len(left_out) > NAMED:
                warnings.warn(f"{what}: ... and {len(left_out) - NAMED} more left out", stacklevel=3)
        return self.features


def make_extractor(spec: Any = None, preset: str | None = None) -> Extractor:
    """The extractor that a spec string names; objects pass through.

    Parameters
    ----------
    spec : str, object or None
        Such as "inception(layers=['pool'])"; None: "embedded".
    preset : "paper", "released", "recommended" or None
        Whose parameters it takes where the spec string names none.

    Returns
    -------
    Extractor

    Raises
    ------
    BadSpec
        When there is no such name or parameter.

    Examples
    --------
    >>> make_extractor("statistics(scales=1)").outputs
    ('texture.1',)
    """
    extractor: Extractor = registry.make("extractor", spec or DEFAULT_EXTRACTOR, preset=preset)
    return extractor


@dataclass(frozen=True)
class Reader:
    """How pictures become features, said once: by which extractor, after what, through the store or not.

    Parameters
    ----------
    extractor : str, object or None
        A spec string such as "inception", or an extractor; None: the default one.
    match : str, Match or None
        What is done to decoded pixels before.
    flip : bool
        Mirror the pictures.
    store : bool
        Take from the feature store what is there, and keep what is computed.
    workers : int or None
        Threads that read and decode; None: one more than there are cores.
    progress : callable or None
        Called with (what, pictures done, pictures in all).
    runner : Runner or None
        Where `features` computes; None: in this process.

    Examples
    --------
    >>> pictures = np.zeros((3, 16, 16, 3), np.uint8)
    >>> Reader("statistics", store=False).features(pictures).features.layers["texture.1"].shape
    (3, 18)
    """

    extractor: Any = None
    match: Any = None
    flip: bool = False
    store: bool = True
    workers: int | None = None
    progress: Progress | None = None
    runner: Runner | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "extractor", make_extractor(self.extractor))
        object.__setattr__(self, "match", as_match(self.match))
        if self.workers is not None and (not isinstance(self.workers, (int, np.integer)) or self.workers < 1):
            raise BadSpec(f"workers is a number of threads from 1, or None, got {self.workers!r:.80}.")
        if self.progress is not None and not callable(self.progress):
            raise BadSpec(f"progress is called as (what, done, total), or None, got {self.progress!r:.80}.")
        if self.runner is not None and not isinstance(self.runner, Runner):
            raise BadSpec(f"runner is what giqa.runners.make_runner returns, or None, got {self.runner!r:.80}.")

    @property
    def made_by(self) -> dict[str, Any]:
        """Everything that decides the features, and what each layer sees."""
        levels = {level: list(names) for level, names in levels_of(self.extractor).items()}
        made_by = {**self.extractor.identity(), "match": self.match and self.match.spec(), "flip": self.flip}
        return made_by | ({"levels": levels} if levels else {})

    def features(self, where: Any, what: str = "features") -> Extracted:
        """Features of every picture of a source, in its order.

        Parameters
        ----------
        where : path, array or source
            Whatever `giqa.images.open_source` takes.
        what : str
            What progress is reported as.

        Returns
        -------
        Extracted
        """
        return features_together(where, [self], what)[0]

    def steps(self, where: Any, watch: Watch | None = None) -> Iterator[Extracted]:
        """The same in steps of 64 pictures, so that memory does not grow with their number.

        Parameters
        ----------
        where : path, array or source
            Whatever `giqa.images.open_source` takes.
        watch : callable or None
            Called with (id, `Picture`) of every picture that is decoded, in the threads that read.

        Yields
        ------
        Extracted
        """
        return (step for (step,) in together(where, [self], watch))


def take_reader(options: dict[str, Any]) -> Reader:
    """The `Reader` that some options describe, which are taken out of them; what is left is for others."""
    names = ("extractor", "match", "store", "workers", "progress", "runner")
    return Reader(**{name: options.pop(name) for name in names if name in options})


def features_together(where: Any, readers: Sequence[Reader], what: str = "features") -> list[Extracted]:
    """Features of every picture by several readers, in one pass."""
    source, done = open_source(where), 0
    collected = [_Collected(len(source)) for _ in readers]
    for step in together(source, readers) if readers[0].runner is None else _elsewhere(source, readers):
        for whole, extracted in zip(collected, step, strict=True):
            whole.add(extracted)
        done += len(step[0].features) + len(step[0].failures)
        if readers[0].progress:
            readers[0].progress(what, done, len(source))
    return [whole.extracted(reader.made_by) for whole, reader in zip(collected, readers, strict=True)]


class _Collected:
    """Features of one step after the other, in arrays with a row for every picture, so that none is held twice."""

    def __init__(self, most: int):
        self.most = most
        self.ids: list[str] = []
        self.failures: dict[str, str] = {}
        self.info = np.empty(most, INFO)
        self.layers: dict[str, np.ndarray] = {}

    def add(self, step: Extracted) -> None:
        found, first = step.features, len(self.ids)
        self.failures |= step.failures
        self.ids += found.ids
        self.info[first : len(self.ids)] = found.info
        for name, layer in found.layers.items():
            if name not in self.layers:
                self.layers[name] = np.empty((self.most, *layer.shape[1:]), layer.dtype)
            self.layers[name][first : len(self.ids)] = layer

    def extracted(self, made_by: Mapping[str, Any]) -> Extracted:
        n = len(self.ids)
        layers = {name: layer[:n] for name, layer in self.layers.items()}
        return Extracted(Features(tuple(self.ids), layers, self.info[:n], made_by), self.failures)


@dataclass(frozen=True)
class _Extract:
    """Features by several readers, as work for a runner."""

    readers: Sequence[Reader]

    def __call__(self, source: Source) -> list[Extracted]:
        return features_together(source, self.readers)

    def failed(self, source: Source, reason: str) -> list[Extracted]:
        nothing = Features((), {}, np.empty(0, INFO))
        return [Extracted(nothing, dict.fromkeys(source.ids, reason)) for _ in self.readers]


def _elsewhere(source: Source, readers: Sequence[Reader]) -> Iterator[list[Extracted]]:
    """What a runner computes, in the order of the source."""
    work = _Extract([replace(reader, progress=None, runner=None, workers=1) for reader in readers])
    waiting, row = {}, 0
    runner = cast(Runner, readers[0].runner)  # `features_together` asked
    for rows, extracted in runner.run(work, plain_source(source), cut(len(source))):
        waiting[rows.start] = rows.stop, extracted
        while row in waiting:
            row, extracted = waiting.pop(row)
            yield extracted


def cut(n: int, size: int = SHARD) -> list[range]:
    """Rows 0 to n - 1 in shards.

    >>> cut(5, 2)
    [range(0, 2), range(2, 4), range(4, 5)]
    """
    return [range(start, min(start + size, n)) for start in range(0, n, size)]


def together(where: Any, readers: Sequence[Reader], watch: Watch | None = None) -> Iterator[list[Extracted]]:
    """Features by several readers in one pass: each picture is read and decoded once, in steps of 64.

    What the store holds is not computed again; a picture that all readers find there is not even decoded, unless
    `watch` is given.

    Parameters
    ----------
    where : path, array or source
        Whatever `giqa.images.open_source` takes.
    readers : sequence of Reader
        The number of workers is that of the first.
    watch : callable or None
        Called with (id, `Picture`) of every picture that could be decoded, in the threads that read.

    Yields
    ------
    list of Extracted
        One for each reader, of the same pictures. A picture may fail for one reader and not for another.
    """
    pictures = as_pictures(open_source(where))
    lanes = [_Lane(reader) for reader in readers]

    def read(index: int) -> list[tuple[str, bytes, Any]]:
        """One picture; for each lane ("stored" | "new" | "bad", key, record | (info, prepared) | reason)."""
        try:
            raw, decoded = pictures.take(index)
            key = content_key(raw) if any(lane.shelf is not None for lane in lanes) else b""
            records = [lane.record(key) for lane in lanes]
            if watch is None and all(record is not None for record in records):
                return [("stored", key, record) for record in records]
            picture = decoded()
            info = picture_info(picture) if any(record is None for record in records) else None
            if watch is not None:
                watch(pictures.ids[index], picture)
        except (BadImage, MemoryError) as error:
            return [("bad", b"", _reason(error))] * len(lanes)
        pairs = zip(lanes, records, strict=True)
        return [
            ("stored", key, kept) if kept is not None else lane.prepared(key, picture, info) for lane, kept in pairs
        ]

    steps = [range(i, min(i + CHUNK, len(pictures))) for i in range(0, len(pictures), CHUNK)]
    try:
        # one more than there are cores: while one waits for a file or the interpreter, another computes
        with ThreadPoolExecutor(readers[0].workers or 1 + (os.cpu_count() or 1)) as pool:
            waiting: deque[list[Any]] = deque()
            for step in steps[:2]:  # one step is read while the one before is computed
                waiting.append([pool.submit(read, i) for i in step])
            try:
                for number, step in enumerate(steps):
                    results = [future.result() for future in waiting.popleft()]
                    if number + 2 < len(steps):
                        waiting.append([pool.submit(read, i) for i in steps[number + 2]])
                    ids = [pictures.ids[i] for i in step]
                    yield [lane.finish(ids, [row[n] for row in results]) for n, lane in enumerate(lanes)]
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
    finally:
        for lane in lanes:
            if lane.shelf is not None:
                lane.shelf.close()


def _reason(error: Exception) -> str:
    return "not enough memory to decode it" if isinstance(error, MemoryError) else str(error)


class _Lane:
    """One reader at work: its store, and what it makes of a step."""

    def __init__(self, reader: Reader):
        self.extractor, self.match, self.flip = reader.extractor, reader.match, reader.flip
        self.shelf = None
        if reader.store:  # without it nothing is asked for that takes time, such as the digest of the weights
            transform = {"match": self.match.spec() if self.match else None, "flip": self.flip}
            self.shelf = _open_store({"decode": POLICY, **transform, **self.extractor.identity()})

    def record(self, key: bytes) -> np.void | None:
        return None if self.shelf is None else self.shelf.read([key])[0]

    def prepared(self, key: bytes, picture: Picture, info: np.void | None) -> tuple[str, bytes, Any]:
        try:
            pixels = self.match(picture.pixels) if self.match else picture.pixels
            pixels = np.ascontiguousarray(pixels[:, ::-1]) if self.flip else pixels
            return "new", key, (info, self.extractor.prepare(pixels))
        except (BadImage, MemoryError) as error:
            return "bad", key, _reason(error)

    def finish(self, ids: Sequence[str], results: Sequence[tuple[str, bytes, Any]]) -> Extracted:
        """Run the network on what is new, put it in the store, and put the step together again."""
        failures = {name: value for name, (kind, _, value) in zip(ids, results, strict=True) if kind == "bad"}
        fresh = [(key, *value) for kind, key, value in results if kind == "new"]
        made = np.empty(0)
        if fresh:
            keys, infos, prepared = zip(*fresh, strict=True)
            made = _records(infos, self.extractor.run(prepared))
            if self.shelf is not None:
                try:
                    self.shelf.append(keys, made)
                except OSError as error:  # a full disk costs the store, not the run
                    warnings.warn(f"features could not be kept ({error.strerror or error})", stacklevel=2)
        new = iter(made)
        good = [
            (name, next(new) if kind == "new" else value)
            for name, (kind, _, value) in zip(ids, results, strict=True)
            if kind != "bad"
        ]
        return Extracted(_from_records(good), failures)


def _open_store(identity: Mapping[str, Any]) -> Store | None:
    """The store for features made in this way; None, with a warning, where nothing can be written."""
    try:
        shelf = Store(home() / "features", identity)
        shelf.folder.mkdir(parents=True, exist_ok=True)
        return shelf
    except OSError as error:
        warnings.warn(
            f"features cannot be kept in {home()} ({error.strerror or error}), so they will be computed again next "
            "time; set GIQA_HOME to a folder that can be written",
            stacklevel=2,
        )
        return None


def _records(infos: Sequence[np.void], layers: Mapping[str, np.ndarray]) -> np.ndarray:
    """What is known of each picture and its layers, as the records of the store, (n,)."""
    known = [(name, INFO[name].base, INFO[name].shape) for name in INFO_NAMES]
    records = np.empty(len(infos), [*known, *((f"layer:{name}", "<f4", a.shape[1:]) for name, a in layers.items())])
    for name in INFO_NAMES:
        records[name] = [info[name] for info in infos]
    for name, layer in layers.items():
        records[f"layer:{name}"] = layer
    return records


def _from_records(records: Sequence[tuple[str, Any]]) -> Features:
    """Named records of the store as features."""
    if not records:
        return Features((), {}, np.empty(0, INFO))
    table = np.array([record for _, record in records], records[0][1].dtype)
    info = np.empty(len(table), INFO)
    for name in INFO_NAMES:
        info[name] = table[name]
    layers = [name for name in table.dtype.names or () if name.startswith("layer:")]
    arrays = {name.removeprefix("layer:"): np.ascontiguousarray(table[name]) for name in layers}
    return Features(tuple(name for name, _ in records), arrays, info)


def joined(parts: list[Features], made_by: Mapping[str, Any] | None = None) -> Features:
    """Several features of the same layers, one after the other."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return Features((), {}, np.empty(0, INFO), made_by or {})
    infos = [part.info for part in parts if part.info is not None]
    return Features(
        tuple(i for part in parts for i in part.ids),
        {name: np.concatenate([part.layers[name] for part in parts]) for name in parts[0].layers},
        None if len(infos) < len(parts) else np.concatenate(infos),
        made_by if made_by is not None else parts[0].made_by,
    )


def as_features(where: Any) -> Features | None:
    """Features that are given as such: `Features`, or a float array (n, d); None when `where` is pictures."""
    if isinstance(where, Features):
        return where
    if isinstance(where, np.ndarray) and where.ndim == 2 and where.dtype.kind == "f":
        width = max(1, len(str(len(where) - 1)))
        if not where.shape[1]:
            raise BadShape(f"Features are an array (n, d) of at least one column, got shape {where.shape}.")
        matrix = where if where.dtype.itemsize >= 4 else where.astype(np.float32)
        return Features(tuple(f"{i:0{width}d}" for i in range(len(where))), {"features": matrix})
    return None


def extract(where: Any, extractor: Any = None, **how: Any) -> Extracted:
    """Features of every picture of a source, through the store.

    Parameters
    ----------
    where : path, array or source
        Whatever `giqa.images.open_source` takes.
    extractor : str, object or None
        A spec string such as "inception" or an extractor; None: the default one.
    **how
        `match`, `flip`, `store`, `workers` and `progress` of `giqa.features.Reader`; `what` names the work in progress
        reports.

    Returns
    -------
    Extracted
        `features` of the pictures that could be read, float32 layers (n, c), and `failures`, id -> reason.

    Raises
    ------
    BadSource, BadSpec, MissingWeights

    Examples
    --------
    >>> pictures = np.zeros((3, 16, 16, 3), np.uint8)
    >>> extract(pictures, "statistics", store=False).features.layers["texture.1"].shape
    (3, 18)
    """
    what = how.pop("what", "features")
    return Reader(extractor, **how).features(where, what)
