"""Work in this process, or in several processes of this machine."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

from ..errors import BadSource, BadSpec, WorkerDied
from ..images.subset import Subset
from ..types import Source, Work


class Here:
    """Shard after shard in this process.

    >>> from giqa.images import open_source
    >>> import numpy as np
    >>> source = open_source(np.zeros((3, 8, 8, 3), np.uint8))
    >>> list(Here().run(len, source, [range(0, 2), range(2, 3)]))
    [(range(0, 2), 2), (range(2, 3), 1)]
    """

    def run(self, work: Work, source: Source, shards: Sequence[range]) -> Iterator[tuple[range, Any]]:
        """See `giqa.types.Runner`."""
        for rows in shards:
            yield rows, work(Subset(source, rows))


@dataclass(frozen=True)
class Processes:
    """Several processes, each with a device of its own.

    Parameters
    ----------
    devices : tuple of str
        "cuda:0", "cuda:1", or "cpu" several times.

    Examples
    --------
    >>> Processes(("cpu", "cpu"))
    Processes(devices=('cpu', 'cpu'))
    """

    devices: tuple[str, ...]

    def run(self, work: Work, source: Source, shards: Sequence[range]) -> Iterator[tuple[range, Any]]:
        """See `giqa.types.Runner`."""
        job, context = packed(work, source), multiprocessing.get_context("spawn")  # a fork would share CUDA and threads
        free = context.SimpleQueue()
        for device in self.devices:
            free.put(device)
        count = min(len(self.devices), len(shards)) or 1
        with ProcessPoolExecutor(count, context, _begin, (job, free)) as pool:
            waiting = {pool.submit(_do, rows): rows for rows in shards}
            try:
                for future in as_completed(waiting):
                    yield waiting[future], future.result()
            except BrokenProcessPool:
                raise WorkerDied(
                    f"One of {count} processes died, or could not begin: a picture that ends its decoder, no memory, "
                    "or no such device. Run again to go on; runner='ray' (--runner ray) finds the picture."
                ) from None
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


def packed(work: Work, source: Source) -> bytes:
    """Work and source as bytes for other processes."""
    try:
        return pickle.dumps((work, source))
    except (pickle.PicklingError, TypeError, AttributeError, RuntimeError) as error:
        raise BadSource(
            f"{source.name!r} cannot be sent to other processes ({error}); give paths or addresses, or let this "
            "process do the work."
        ) from None


_job: tuple[Work, Source] | None = None  # of a process that `Processes` started


def _begin(job: bytes, free: Any) -> None:
    global _job
    from ..features.devices import assign_device

    assign_device(free.get())
    _job = pickle.loads(job)


def _do(rows: range) -> Any:
    if _job is None:
        raise BadSpec("This process has no work; it is for `Processes` alone.")
    work, source = _job
    return work(Subset(source, rows))
