"""Pictures to features: decoded, prepared and run in steps, through the store."""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import registry
from ..errors import BadImage
from ..images import open_source
from ..images.decode import POLICY, decode, picture_info
from ..images.match import Match, choose_match, parse_match
from ..images.profile import PROFILE, advice, differences, profile
from ..types import INFO, Extractor, Features, Progress, Source
from .store import Store, content_key
from .weights import home

DEFAULT_EXTRACTOR = "embedded"
CHUNK = 64  # pictures a step: bounds memory, and what a killed process loses


@dataclass(frozen=True, eq=False)
class Extracted:
    """Features of the pictures that could be read, and for the others the reason, by id."""

    features: Features
    failures: Mapping[str, str]


def make_extractor(spec: Any = None, preset: str | None = None) -> Extractor:
    """The extractor that a spec string names; objects pass through."""
    return registry.make("extractor", spec or DEFAULT_EXTRACTOR, preset=preset)


def open_store(identity: Mapping[str, Any]) -> Store | None:
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


def extract_steps(
    source: Source,
    extractor: Extractor,
    *,
    match: Match | None = None,
    flip: bool = False,
    store: bool = True,
    workers: int | None = None,
) -> Iterator[Extracted]:
    """Features in steps of 64 pictures, in the order of the source; what the store holds is not computed again."""
    transform = {"match": match.spec() if match else None, "flip": flip}
    shelf = open_store({"decode": POLICY, **transform, **extractor.identity()}) if store else None

    def read(index: int) -> tuple[str, bytes, Any]:
        """One picture in a thread: ("stored" | "new" | "bad", key, record | (info, prepared) | reason)."""
        key = b""
        try:
            raw = source.raw(index)
            if shelf is not None:
                key = content_key(raw)
                (record,) = shelf.read([key])
                if record is not None:
                    return "stored", key, record
            picture = decode(raw)
            info = picture_info(picture)
            pixels = match(picture.pixels) if match else picture.pixels
            pixels = np.ascontiguousarray(pixels[:, ::-1]) if flip else pixels
            return "new", key, (info, extractor.prepare(pixels))
        except BadImage as error:
            return "bad", key, str(error)
        except MemoryError:
            return "bad", key, "not enough memory to decode it"

    steps = [range(i, min(i + CHUNK, len(source))) for i in range(0, len(source), CHUNK)]
    try:
        # one more than there are cores: while one waits for a file or the interpreter, another computes
        with ThreadPoolExecutor(workers or 1 + (os.cpu_count() or 1)) as pool:
            waiting = deque()
            for step in steps[:2]:  # one step is read while the one before is computed
                waiting.append([pool.submit(read, i) for i in step])
            try:
                for number, step in enumerate(steps):
                    results = [future.result() for future in waiting.popleft()]
                    if number + 2 < len(steps):
                        waiting.append([pool.submit(read, i) for i in steps[number + 2]])
                    yield _finish(source, step, results, extractor, shelf)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
    finally:
        if shelf is not None:
            shelf.close()


def _finish(source: Source, step: range, results: list, extractor: Extractor, shelf: Store | None) -> Extracted:
    """Run the network on what is new, put it in the store, and put the step together again."""
    failures = {source.ids[i]: value for i, (kind, _, value) in zip(step, results, strict=True) if kind == "bad"}
    fresh = [(key, *value) for kind, key, value in results if kind == "new"]
    made = np.empty(0)
    if fresh:
        keys, infos, prepared = zip(*fresh, strict=True)
        made = _records(infos, extractor.run(prepared))
        if shelf is not None:
            try:
                shelf.append(keys, made)
            except OSError as error:  # a full disk costs the store, not the run
                warnings.warn(f"features could not be kept ({error.strerror or error})", stacklevel=2)
    new = iter(made)
    good = [
        (source.ids[i], next(new) if kind == "new" else value)
        for i, (kind, _, value) in zip(step, results, strict=True)
        if kind != "bad"
    ]
    return Extracted(_as_features(good), failures)


def _records(infos: Sequence[np.void], layers: Mapping[str, np.ndarray]) -> np.ndarray:
    """What is known of each picture and its layers, as the records of the store, (n,)."""
    known = [(name, INFO[name].base, INFO[name].shape) for name in INFO.names]
    records = np.empty(len(infos), [*known, *((f"layer:{name}", "<f4", a.shape[1:]) for name, a in layers.items())])
    for name in INFO.names:
        records[name] = [info[name] for info in infos]
    for name, layer in layers.items():
        records[f"layer:{name}"] = layer
    return records


def _as_features(records: Sequence[tuple[str, np.void]]) -> Features:
    """Named records of the store as features."""
    if not records:
        return Features((), {}, np.empty(0, INFO))
    table = np.array([record for _, record in records], records[0][1].dtype)
    info = np.empty(len(table), INFO)
    for name in INFO.names:
        info[name] = table[name]
    layers = [name for name in table.dtype.names if name.startswith("layer:")]
    arrays = {name.removeprefix("layer:"): np.ascontiguousarray(table[name]) for name in layers}
    return Features(tuple(name for name, _ in records), arrays, info)


def extract(
    where: Any,
    extractor: Any = None,
    *,
    match: Any = None,
    flip: bool = False,
    store: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
    what: str = "features",
) -> Extracted:
    """Features of every picture of a source.

    >>> pictures = np.zeros((3, 16, 16, 3), np.uint8)
    >>> extract(pictures, "statistics", store=False).features.layers["texture.1"].shape
    (3, 18)

    `where`: whatever `giqa.images.open_source` takes; `match`: a `match(...)` spec; `store=False` keeps nothing.
    """
    source, extractor = open_source(where), make_extractor(extractor)
    steps, failures, done = [], {}, 0
    for step in extract_steps(source, extractor, match=as_match(match), flip=flip, store=store, workers=workers):
        steps.append(step.features)
        failures |= step.failures
        done += len(step.features) + len(step.failures)
        if progress:
            progress(what, done, len(source))
    levels = {level: list(names) for level, names in getattr(extractor, "levels", {}).items()}
    made_by = {**extractor.identity(), "match": as_match(match) and as_match(match).spec(), "flip": flip}
    made_by |= {"levels": levels} if levels else {}
    return Extracted(joined(steps, made_by), failures)


def joined(parts: list[Features], made_by: Mapping[str, Any] | None = None) -> Features:
    """Several features of the same layers, one after the other."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return Features((), {}, np.empty(0, INFO), made_by or {})
    infos = [part.info for part in parts]
    return Features(
        tuple(i for part in parts for i in part.ids),
        {name: np.concatenate([part.layers[name] for part in parts]) for name in parts[0].layers},
        None if any(info is None for info in infos) else np.concatenate(infos),
        made_by if made_by is not None else parts[0].made_by,
    )


def as_match(match: Any) -> Match | None:
    return parse_match(match) if isinstance(match, str) else match


def auto_match(real: Any, fakes: Any) -> Match | None:
    """What brings two sets to one size and coding; None when they are saved alike already."""
    chosen = choose_match(profile(open_source(real)), profile(open_source(fakes)))
    return None if chosen == Match() else chosen


def still_different(real: Any, fakes: Any, match: Match | None, n: int = 40) -> tuple[str, ...]:
    """What tells the files of two sets apart; with a `match`, what that leaves: a match shrinks and codes, no more.

    After a match the coding is not looked at: `giqa.images.match` says what was measured of it.
    """
    sets = [open_source(where) for where in (real, fakes)]
    before = differences(*(profile(source, n) for source in sets))
    if match is None:
        return before
    after = differences(*(profile(source, n, match=match) for source in sets))
    return tuple(x for x in before if x in ("aspect", "grey", "alpha", PROFILE)) + tuple(
        x for x in after if x in ("size", "detail")
    )


def describe_different(topics: Sequence[str], asked_for: bool, these: str = "these pictures") -> str:
    """A sentence about what `still_different` found, or nothing; `asked_for`: a match was asked for."""
    if not topics:
        return ""
    different = f"the reals and {these} are saved differently ({', '.join(topics)})"
    if asked_for:
        return (
            f"--match cannot even it all out: {different} all the same, since it only shrinks and codes; "
            "`giqa doctor REALS FAKES` says what each of these needs"
        )
    return (
        f"{different}, which features see before they see what is shown; `giqa doctor REALS FAKES` says more, and "
        f"{advice(topics)}"
    )


def as_features(where: Any) -> Features | None:
    """Features that are given as such: `Features`, or a float array (n, d); None when `where` is pictures."""
    if isinstance(where, Features):
        return where
    if isinstance(where, np.ndarray) and where.ndim == 2 and where.dtype.kind == "f":
        width = max(1, len(str(len(where) - 1)))
        matrix = where if where.dtype.itemsize >= 4 else where.astype(np.float32)
        return Features(tuple(f"{i:0{width}d}" for i in range(len(where))), {"features": matrix})
    return None
