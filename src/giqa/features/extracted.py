"""Features of the pictures that could be read, and why the others could not."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadShape, BadSource
from ..types import INFO, Features

INFO_NAMES = tuple(INFO.fields or ())
NAMED = 5  # pictures that could not be read are warned of by name, up to this many


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


class Collected:
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


def as_records(infos: Sequence[np.void], layers: Mapping[str, np.ndarray]) -> np.ndarray:
    """What is known of each picture and its layers, as the records of the store, (n,)."""
    known = [(name, INFO[name].base, INFO[name].shape) for name in INFO_NAMES]
    records = np.empty(len(infos), [*known, *((f"layer:{name}", "<f4", a.shape[1:]) for name, a in layers.items())])
    for name in INFO_NAMES:
        records[name] = [info[name] for info in infos]
    for name, layer in layers.items():
        records[f"layer:{name}"] = layer
    return records


def from_records(records: Sequence[tuple[str, Any]]) -> Features:
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
