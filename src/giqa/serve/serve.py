"""Serve models over HTTP until told to stop: one process or several on one socket."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from socket import socket
from typing import Any

from ..errors import MissingExtra

try:
    import h11
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol
    from uvicorn.supervisors import Multiprocess
except ImportError as error:
    raise MissingExtra(f"The service needs more ({error}): pip install 'giqa[serve]'.") from None

from .limits import Limits
from .models import Served

SHARED = "PROMETHEUS_MULTIPROC_DIR"  # of prometheus_client: where processes put what they count


def run(
    load: Callable[[], Mapping[str, Served]],
    listening: socket,
    *,
    limits: Limits | None = None,
    workers: int | None = None,
    processes: int = 1,
    proxy: str | None = None,
) -> None:
    """Serve models on a socket that is bound already, until SIGTERM or Ctrl-C; what was accepted is answered first.

    Parameters
    ----------
    load : callable
        Gives the models, as `load_models` does; called in each process, so with several it must be picklable.
    listening : socket
        Bound to host and port.
    limits : Limits or None, default None
        What each process accepts.
    workers : int or None, default None
        Threads that decode a batch, in each process.
    processes : int, default 1
        One that dies is replaced.
    proxy : str or None, default None
        Address of a reverse proxy whose X-Forwarded-For is believed.

    Examples
    --------
    It does not return before it is told to stop::

        listening = socket()
        listening.bind(("127.0.0.1", 8000))
        run(partial(load_models, ["reals.giqa"]), listening)
    """
    limits = limits or Limits()
    make = partial(_make_app, load, limits, workers)
    if processes > 1:
        with tempfile.TemporaryDirectory(prefix="giqa-metrics-") as folder:
            os.environ[SHARED] = folder  # before the processes begin
            Processes(_config(make, limits, proxy, processes), [listening]).run()
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))  # uvicorn raises it again once it has stopped: no failure
    uvicorn.Server(_config(make, limits, proxy)).run(sockets=[listening])


def _make_app(load: Callable[[], Mapping[str, Served]], limits: Limits, workers: int | None) -> Any:
    from .app import make_app  # not before SHARED is set

    return make_app(load(), limits, workers)


def _config(make: Any, limits: Limits, proxy: str | None, processes: int = 1) -> uvicorn.Config:
    return uvicorn.Config(
        make,
        factory=True,
        http=TimedProtocol,
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        workers=processes,
        proxy_headers=proxy is not None,
        forwarded_allow_ips=proxy,
        limit_concurrency=limits.connections,
        timeout_keep_alive=limits.idle_seconds,
        timeout_graceful_shutdown=limits.stop_seconds,
        timeout_worker_healthcheck=60,
        h11_max_incomplete_event_size=32 * 1024,
    )


class TimedProtocol(H11Protocol):
    """uvicorn's protocol, which bounds the time between requests, with a bound on that for a head, too."""

    head_seconds = 10.0
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._late is None:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        self._late = self.loop.call_later(self.head_seconds, self.timeout_keep_alive_handler)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class Processes(Multiprocess):
    """uvicorn's, which stops listening before it waits for the last answers of its processes."""

    def terminate_all(self) -> None:
        for listening in self.sockets:
            listening.close()
        super().terminate_all()
