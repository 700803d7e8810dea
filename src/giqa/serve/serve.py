"""Serve models over HTTP until told to stop: one process or several on one socket."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from socket import socket
from typing import Any

from ..errors import GiqaError, MissingExtra

try:
    import h11
    import uvicorn
    from uvicorn.config import STARTUP_FAILURE
    from uvicorn.protocols.http.h11_impl import H11Protocol
except ImportError as error:
    raise MissingExtra(f"The service needs more ({error}): pip install 'giqa[serve]'.") from None

from .limits import Limits
from .models import Served

STOP = (signal.SIGTERM, signal.SIGINT)
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
    asked = (load, listening, limits or Limits(), workers, proxy)
    if processes == 1:
        _serve(*asked)
        return
    with tempfile.TemporaryDirectory(prefix="giqa-metrics-") as folder:
        os.environ[SHARED] = folder  # before the processes begin
        import_module(".app", __package__)  # what is not installed is said here, and not by each process
        if not _supervised(partial(get_context("spawn").Process, target=_serve, args=asked), processes, listening):
            sys.exit(1)


def _serve(
    load: Callable[[], Mapping[str, Served]], listening: socket, limits: Limits, workers: int | None, proxy: str | None
) -> None:
    """One process, until it is told to stop."""
    from .app import make_app  # not before SHARED is set

    for number in STOP:
        signal.signal(number, lambda *_: sys.exit(0))  # uvicorn raises it again once it has stopped: no failure
    try:
        app = make_app(load(), limits, workers)
    except GiqaError as error:
        print(f"giqa: {error}", file=sys.stderr)
        sys.exit(STARTUP_FAILURE)
    uvicorn.Server(_config(app, limits, proxy)).run(sockets=[listening])


def _supervised(make: Callable[[], Any], number: int, listening: socket) -> bool:
    """So many processes until told to stop, each replaced when it dies; False if one could not begin.

    uvicorn's own supervisor waits for a worker that was killed until it does not answer: up to 5 s in which no other is
    replaced and nothing stops.
    """
    stopping, fine = threading.Event(), True
    for each in STOP:
        signal.signal(each, lambda *_: stopping.set())
    running: list[Any] = [None] * number
    while not stopping.is_set():
        for place, process in enumerate(running):
            if process is not None and process.exitcode == STARTUP_FAILURE:
                fine = False
                stopping.set()
            elif process is None or process.exitcode is not None:
                running[place] = make()
                running[place].start()
        stopping.wait(0.2)
    listening.close()  # no new connections wait for answers that nobody will give
    for process in running:
        process.terminate()
    for process in running:
        process.join()
    return fine


def _config(app: Any, limits: Limits, proxy: str | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=TimedProtocol,
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=proxy is not None,
        forwarded_allow_ips=proxy,
        limit_concurrency=limits.connections,
        timeout_keep_alive=limits.idle_seconds,
        timeout_graceful_shutdown=limits.stop_seconds,
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
