"""Pictures to features: read and decoded once, prepared in threads, run in steps, through the store."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from .. import registry
from ..errors import BadImage, BadSpec
from ..images import open_source
from ..images.decode import picture_info
from ..images.match import as_match
from ..images.pictures import as_pictures, plain_source
from ..types import INFO, Extractor, Features, Picture, Progress, Runner, Source, as_progress, levels_of
from .extracted import Collected, Extracted
from .lane import Lane, reason_of
from .store import content_key

MOST_WORKERS = 10_000
DEFAULT_EXTRACTOR = "embedded"
CHUNK = 64  # pictures a step: bounds memory, and what a killed process loses
SHARD = 1024  # pictures that a runner gives to one worker at a time

Watch = Callable[[str, Picture], None]  # is given every picture that could be decoded, in the threads that read


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
    extractor: Extractor = registry.make(
        "extractor", DEFAULT_EXTRACTOR if spec is None else spec, preset=registry.as_preset(preset)
    )
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
        for flag in ("flip", "store"):
            object.__setattr__(self, flag, registry.as_flag(vars(self)[flag], flag))
        if self.workers is not None:
            object.__setattr__(self, "workers", registry.as_whole(self.workers, "workers", 1, MOST_WORKERS))
        as_progress(self.progress)
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
    collected = [Collected(len(source)) for _ in readers]
    for step in together(source, readers) if readers[0].runner is None else _elsewhere(source, readers):
        for whole, extracted in zip(collected, step, strict=True):
            whole.add(extracted)
        done += len(step[0].features) + len(step[0].failures)
        if readers[0].progress:
            readers[0].progress(what, done, len(source))
    return [whole.extracted(reader.made_by) for whole, reader in zip(collected, readers, strict=True)]


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
    lanes = [Lane(one.extractor, one.match, one.flip, one.store) for one in readers]

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
            return [("bad", b"", reason_of(error))] * len(lanes)
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
