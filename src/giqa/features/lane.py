"""One extractor at work on steps of pictures: what the store holds of them, and what is computed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import BadImage
from ..files import home
from ..images.decode import POLICY
from ..images.match import Match
from ..types import Extractor, Picture
from .extracted import Extracted, as_records, from_records
from .store import Store


class Lane:
    """One reader at work: its store, and what it makes of a step."""

    def __init__(self, extractor: Extractor, match: Match | None, flip: bool, store: bool):
        self.extractor, self.match, self.flip = extractor, match, flip
        self.shelf = None
        if store:  # without it nothing is asked for that takes time, such as the digest of the weights
            transform = {"match": match.spec() if match else None, "flip": flip}
            self.shelf = _open_store({"decode": POLICY, **transform, **extractor.identity()})

    def record(self, key: bytes) -> np.void | None:
        return None if self.shelf is None else self.shelf.read([key])[0]

    def prepared(self, key: bytes, picture: Picture, info: np.void | None) -> tuple[str, bytes, Any]:
        try:
            pixels = self.match(picture.pixels) if self.match else picture.pixels
            pixels = np.ascontiguousarray(pixels[:, ::-1]) if self.flip else pixels
            return "new", key, (info, self.extractor.prepare(pixels))
        except (BadImage, MemoryError) as error:
            return "bad", key, reason_of(error)

    def finish(self, ids: Sequence[str], results: Sequence[tuple[str, bytes, Any]]) -> Extracted:
        """Run the network on what is new, put it in the store, and put the step together again."""
        failures = {name: value for name, (kind, _, value) in zip(ids, results, strict=True) if kind == "bad"}
        fresh = [(key, *value) for kind, key, value in results if kind == "new"]
        made = np.empty(0)
        if fresh:
            keys, infos, prepared = zip(*fresh, strict=True)
            made = as_records(infos, self.extractor.run(prepared))
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
        return Extracted(from_records(good), failures)


def reason_of(error: Exception) -> str:
    """Why a picture has no features."""
    return "not enough memory to decode it" if isinstance(error, MemoryError) else str(error)


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
