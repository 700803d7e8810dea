"""Serve models over HTTP until told to stop: one process or several on one socket."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from multiprocessing import get_context, parent_process
from socket import socket
from typing import Any

from ..errors import GiqaError, MissingExtra

try:
    import uvicorn
    from uvicorn.config import STARTUP_FAILURE

    from ..study import connections
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
    connections.end_on_hangup()
    if (parent := parent_process()) is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    try:
        app = make_app(load(), limits, workers)
    except GiqaError as error:
        text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(error))  # a path may steer a terminal
        print(f"giqa: {text}", file=sys.stderr)
        sys.exit(STARTUP_FAILURE)
    most = {name: getattr(limits, name) for name in ("connections", "idle_seconds", "stop_seconds")}
    uvicorn.Server(connections.config(app, proxy, **most)).run(sockets=[listening])


def _end_with(parent: Any) -> None:
    """Where who started this process was killed, nobody else would end it, and it would keep the port."""
    parent.join()
    while True:  # the first one may come while a module is imported, and be lost there
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)


def _supervised(make: Callable[[], Any], number: int, listening: socket) -> bool:
    """So many processes until told to stop, each replaced when it dies; False if one could not begin.

    uvicorn's own supervisor waits for a worker that was killed until it does not answer: up to 5 s in which no other is
    replaced and nothing stops.
    """
    stopping, fine = threading.Event(), True
    for each in STOP:
        signal.signal(each, lambda *_: stopping.set())
    connections.end_on_hangup()
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
