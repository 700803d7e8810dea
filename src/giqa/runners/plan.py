"""What scoring many pictures will cost: time, memory, storage and money, from a few pictures measured here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadSource, BadSpec
from ..features.detail import Detail
from ..features.reader import SHARD, Reader, features_together
from ..images import open_source
from ..images.subset import Subset, spread
from ..model.fit import fit
from ..model.model import Model
from ..types import INFO, Features, Source

SAMPLE = 100  # pictures that are measured
WARM = 4  # pictures before them, in whose time networks are loaded
REALS = 100  # least number of reals of the model whose scoring is measured
TABLE = 57  # bytes a picture of a table of scores in Parquet, from the same page
MEMORY = 315  # bytes a picture of a table of scores in memory: benchmarks/results/speed/long_table.md


@dataclass(frozen=True)
class Measured:
    """What one picture costs on one core.

    Parameters
    ----------
    pictures : int
        How many were looked at.
    features : float
        Seconds of one core to read, decode and compute features.
    scoring : float
        Seconds of one core to score kept features.
    stored : int
        Bytes in the feature store.
    start, process : float
        Seconds of one core that a run takes by itself, and each process after the first.
    memory : int
        Bytes of memory that a run takes by itself.
    """

    pictures: int
    features: float
    scoring: float
    stored: int
    start: float = 0.0
    process: float = 0.0
    memory: int = 0


@dataclass(frozen=True)
class Plan:
    """What scoring `pictures` costs: hours, core hours, GB of the store, of the table, of memory where it is written.

    `money` is in the unit of the price of a node for an hour, None without one.
    """

    pictures: int
    hours: float
    core_hours: float
    store_gb: float
    table_gb: float
    memory_gb: float
    money: float | None


def measure(source: Source, extractor: Any = None, scorer: Any = None) -> Measured:
    """The costs of a picture of this source, in seconds of one core, whatever else the machine does.

    Parameters
    ----------
    source : Source
        Up to 104 of its pictures, evenly spread, are read.
    extractor, scorer : str, object or None
        As in `giqa.fit`.

    Returns
    -------
    Measured

    Raises
    ------
    BadSource
        When fewer than 20 of these pictures can be read.

    Examples
    --------
    >>> from giqa.images import open_source
    >>> pictures = np.random.default_rng(0).integers(0, 256, (30, 16, 16, 3), dtype=np.uint8)
    >>> measure(open_source(pictures), "statistics(scales=1)", "knn").stored
    292
    """
    source = open_source(source)
    rows = spread(source.ids, SAMPLE + WARM)
    reader = Reader(extractor, store=False, workers=1)
    readers = [reader, Reader(Detail(), store=False, workers=1)]
    features_together(Subset(source, rows[:WARM]), readers)
    rest = Subset(source, rows[WARM:])
    seconds, found = timed(lambda: features_together(rest, readers)[0])
    features = found.features
    if len(features) < 20:
        raise BadSource(
            f"{source.name!r}: {len(features)} of {len(rest)} pictures can be read; at least 20 are needed."
        )
    scoring = query(features, drawn_model(features, reader.made_by, scorer))
    return Measured(len(features), seconds / len(features), scoring, row_bytes(features))


def drawn_model(features: Features, made_by: Mapping[str, Any], scorer: Any = None) -> Model:
    """A model of at least 100 reals, which are these features with some noise."""
    copies, noise = -(-REALS // len(features)), np.random.default_rng(0)
    layers = {
        name: np.concatenate([layer * (1 + noise.normal(scale=0.01, size=layer.shape)) for _ in range(copies)])
        for name, layer in features.layers.items()
    }
    ids = tuple(map(str, range(copies * len(features))))
    return fit(Features(ids, {n: a.astype(np.float32) for n, a in layers.items()}, None, made_by), scorer=scorer)


def query(features: Features, model: Model) -> float:
    """Seconds of one core to score a picture whose features are known."""
    again = Features(features.ids, features.layers)
    model.score(again)
    return timed(lambda: model.score(again))[0] / len(features)


def row_bytes(features: Features) -> int:
    """Bytes of a picture in the feature store."""
    return sum(4 * layer.shape[1] for layer in features.layers.values()) + INFO.itemsize


def plan(measured: Measured, pictures: int, nodes: int = 1, cores: int = 1, price: float | None = None) -> Plan:
    """Costs of many pictures, where every core works all the time.

    Parameters
    ----------
    measured : Measured
        One picture.
    pictures : int
        How many.
    nodes, cores : int
        Machines, and cores of each.
    price : float or None
        Of a machine for an hour.

    Returns
    -------
    Plan

    Examples
    --------
    >>> one = plan(Measured(100, 0.0075, 0.0025, 8000), 3_600_000, nodes=2, cores=5, price=1.5)
    >>> one.core_hours, one.hours, one.store_gb, one.money
    (10.0, 1.0, 28.8, 3.0)
    """
    if min(pictures, nodes, cores) < 1:
        raise BadSpec(f"A plan needs at least 1 picture, node and core; got {pictures}, {nodes} and {cores}.")
    side_by_side = min(nodes * cores, -(-pictures // SHARD))  # a shard is the least that a process does
    others = side_by_side if nodes * cores > 1 else 0  # processes besides the one that was started
    work = pictures * (measured.features + measured.scoring)
    core_hours = (measured.start + others * measured.process + work) / 3600
    # a process more begins while the others do; then all work side by side
    hours = (measured.start + (measured.process if others else 0) + work / side_by_side) / 3600
    gb = pictures / 1e9
    money = None if price is None else hours * nodes * price
    memory = gb * MEMORY + measured.memory / 1e9
    return Plan(pictures, hours, core_hours, gb * measured.stored, gb * TABLE, memory, money)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of one core, of all threads together."""
    before = time.process_time()
    result = work()
    return time.process_time() - before, result
