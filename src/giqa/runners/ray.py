"""Work on a Ray cluster: a pool of actors, one core each; what a lost node or a killed worker had is done again."""

from __future__ import annotations

import os
import pickle
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import MissingExtra, WorkerDied
from ..features.devices import assign_device
from ..images.subset import Subset
from ..types import Source, Work
from .local import packed

TRIES = 2  # workers that may die of one picture
PIECES = 16  # into so many parts a shard is cut that two workers died of
HOPELESS = 24  # workers that die one after the other without any result: it is not the pictures
WAIT = 5.0  # seconds after which new nodes are looked for


@dataclass(frozen=True)
class Ray:
    """Actors on all cores of a Ray cluster.

    A shard whose worker died (its node went, it was out of memory) is done again by another one, and after the second
    time in smaller parts. So a picture that kills its worker fails alone.

    Parameters
    ----------
    address : str or None
        "auto", "host:port" or "ray://host:port"; None: Ray is started on this machine.
    device : str or None
        Where networks compute; "cuda": each actor takes a GPU.

    Examples
    --------
    >>> Ray("ray://head:10001")
    Ray(address='ray://head:10001', device=None)
    """

    address: str | None = None
    device: str | None = None

    def run(self, work: Work, source: Source, shards: Sequence[range]) -> Iterator[tuple[range, Any]]:
        """See `giqa.types.Runner`."""
        ray = _connected(self.address)
        gpus = int((self.device or "").startswith("cuda"))
        job = ray.put(packed(work, source))
        pool = _Pool(ray, ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0)(_Worker), job, self.device)
        left = deque((rows, 0) for rows in shards)
        try:
            while left or pool.busy:
                pool.assign(left)
                for rows, tries, result, error in pool.finished():
                    if error is None:
                        yield rows, result
                    elif len(rows) == 1 and tries + 1 >= TRIES:
                        reason = f"every worker that read it died ({_first_line(error)})"
                        yield rows, work.failed(Subset(source, rows), reason)
                    else:
                        left.extendleft(again(rows, tries))
        finally:
            pool.close()


def again(rows: range, tries: int) -> list[tuple[range, int]]:
    """What is done in place of rows whose worker died, with the number of workers that died of it so far.

    >>> again(range(0, 64), 0), again(range(0, 4), 1)
    ([(range(0, 64), 1)], [(range(0, 1), 1), (range(1, 2), 1), (range(2, 3), 1), (range(3, 4), 1)])
    """
    if tries == 0 or len(rows) == 1:
        return [(rows, tries + 1)]
    size = -(-len(rows) // PIECES)
    return [(rows[start : start + size], 1) for start in range(0, len(rows), size)]


class _Worker:
    """What runs on the cluster."""

    def __init__(self, job: bytes, device: str | None):
        if device:
            assign_device(device)
        self.work, self.source = pickle.loads(job)

    def do(self, rows: range) -> Any:
        return self.work(Subset(self.source, rows))


@dataclass
class _Pool:
    """Actors: those that wait, and those that work, with the rows that they have."""

    ray: Any
    worker: Any
    job: Any
    device: str | None
    idle: list[Any] = field(default_factory=list)
    busy: dict[Any, tuple[Any, range, int]] = field(default_factory=dict)
    lost: int = 0  # workers since the last result

    def assign(self, left: deque[tuple[range, int]]) -> None:
        """Give every actor something to do; no more actors than cores, and none that has nothing to do."""
        there = self.ray.cluster_resources()
        cores = int(there.get("GPU" if (self.device or "").startswith("cuda") else "CPU", 1)) or 1
        while left and (self.idle or len(self.busy) < cores):
            actor = self.idle.pop() if self.idle else self.worker.remote(self.job, self.device)
            rows, tries = left.popleft()
            self.busy[actor.do.remote(rows)] = actor, rows, tries
        if not left:  # an idle actor keeps a core from one that could not start yet
            self._let_go(self.idle)
            self.idle = []

    def finished(self) -> Iterator[tuple[range, int, Any, BaseException | None]]:
        """Rows, tries, and the result or why there is none; an error of giqa itself is raised."""
        from ray.exceptions import RayError, RayTaskError

        for ref in self.ray.wait(list(self.busy), timeout=WAIT)[0]:
            actor, rows, tries = self.busy.pop(ref)
            try:
                result = self.ray.get(ref)
            except RayTaskError as error:
                if not isinstance(error.cause, MemoryError):
                    self._let_go([actor])
                    raise (error.cause if isinstance(error.cause, Exception) else error) from None
                self.idle.append(actor)  # it lives, and its memory is free again
                yield rows, tries, None, error.cause
            except RayError as error:
                yield self._lost(actor, rows, tries, error)
            else:
                self.lost = 0
                self.idle.append(actor)
                yield rows, tries, result, None

    def _lost(
        self, actor: Any, rows: range, tries: int, error: BaseException
    ) -> tuple[range, int, None, BaseException]:
        self._let_go([actor])
        self.lost += 1
        if self.lost >= HOPELESS:
            raise WorkerDied(
                f"{self.lost} workers died one after the other, the last one so: {_first_line(error)}. Is giqa "
                "installed on every node, in the same version? Can every node read the pictures? Is memory enough?"
            )
        return rows, tries, None, error

    def _let_go(self, actors: Sequence[Any]) -> None:
        for actor in actors:
            self.ray.kill(actor)

    def close(self) -> None:
        """End all actors."""
        self._let_go([*self.idle, *(actor for actor, _, _ in self.busy.values())])


def _connected(address: str | None) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    try:
        import ray
    except ModuleNotFoundError as error:
        if error.name != "ray":  # a broken ray shows itself
            raise
        raise MissingExtra("The runner ray needs Ray: pip install 'giqa[ray]', on every node.") from None
    if not ray.is_initialized():
        try:
            ray.init(address, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, ValueError) as error:
            raise WorkerDied(
                f"There is no Ray cluster at {address!r} ({_first_line(error)}); see docs/ray.md."
            ) from None
    return ray


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
