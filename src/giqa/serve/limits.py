"""What one process of the service accepts."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ..errors import BadSpec
from ..registry import check_arguments


@dataclass(frozen=True)
class Limits:
    """What one process of the service accepts; beyond it answers 413 (too much at once) or 429 (too much for now).

    Parameters
    ----------
    body : int
        Bytes of a request. Requests that wait hold at most four times as much.
    pictures : int
        Pictures of a request.
    pixels : int
        Pixels of a picture.
    queue : int
        Pictures that wait or are being scored.
    rate : float
        Requests a second from one address, twice as many at once; 0: any number.
    body_seconds : float
        Until a body is there.
    idle_seconds : int
        Until a connection is closed on which nothing is asked.
    stop_seconds : int
        For what was accepted, once the service is told to stop.
    connections : int
        Open connections.

    Raises
    ------
    BadSpec
        When one is not positive, or the queue is shorter than a request may be.

    Examples
    --------
    >>> Limits(pictures=8).queue
    256
    """

    body: int = 64 * 2**20
    pictures: int = 64
    pixels: int = 25_000_000
    queue: int = 256
    rate: float = 100.0
    body_seconds: float = 60.0
    idle_seconds: int = 5
    stop_seconds: int = 120
    connections: int = 512

    def __post_init__(self) -> None:
        check_arguments(Limits, **vars(self))
        for each in fields(self):
            value = getattr(self, each.name)
            if value < 0 or (value == 0 and each.name != "rate"):
                raise BadSpec(f"The limit {each.name} should be above 0, got {value}.")
        if self.queue < self.pictures:
            raise BadSpec(
                f"The queue holds {self.queue} pictures, but one request may bring {self.pictures}: give a queue of "
                f"{self.pictures} or more, or fewer pictures a request."
            )
