"""How the servers of giqa talk HTTP: which proxy is believed, and how long a client may take."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections import Counter
from typing import Any, ClassVar

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from .access import counted

BURST = 128  # connections that are taken at once
TAKEN = 128 * 1024  # bytes of an answer that a client takes in `answer_seconds`, or the rest of it
OTHER_FILES = 64 + 3 * BURST  # store, pictures, and connections that are taken and not yet counted


def config(app: Any, proxy: str | None, *, connections: int, idle_seconds: int, stop_seconds: int) -> uvicorn.Config:
    """How uvicorn runs an app; without `proxy` the address of a client is that of its connection.

    Parameters
    ----------
    app : ASGI app
    proxy : str or None
        Address of a reverse proxy whose X-Forwarded-For is believed.
    connections : int
        Open connections, fewer where the system allows fewer open files; beyond it the answer is 503, or none. Of one
        address half as many, unless there is a proxy.
    idle_seconds : int
        Until a connection is closed on which nothing is asked.
    stop_seconds : int
        For what was accepted, once the server is told to stop.

    Returns
    -------
    uvicorn.Config
    """
    wanted, files = connections, _open_files(connections + OTHER_FILES)
    connections = min(wanted, max(files - OTHER_FILES, files // 4))
    made = uvicorn.Config(
        app,
        http=TimedProtocol,
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=proxy is not None,
        forwarded_allow_ips=proxy,
        limit_concurrency=connections,
        backlog=min(BURST, connections),
        timeout_keep_alive=idle_seconds,
        timeout_graceful_shutdown=stop_seconds,
        h11_max_incomplete_event_size=32 * 1024,
    )
    if connections < wanted:
        said = "Only %d files may be open: %d connections at once, not %d; ulimit -n raises it."
        logging.getLogger("uvicorn.error").warning(said, files, connections, wanted)
    return made


def end_on_hangup() -> None:
    """SIGHUP, as when a terminal is closed, does what SIGTERM does, unless it is ignored (nohup)."""
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))


def _open_files(wanted: int) -> int:
    """How many files this process may have open, after asking the system for as many."""
    if sys.platform == "win32":
        return wanted
    import resource

    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY or allowed >= wanted:
        return wanted
    more = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (more, most))
    except (ValueError, OSError):  # the system allows less than it says
        return allowed
    return more


class TimedProtocol(H11Protocol):
    """uvicorn's protocol, which bounds the time between requests, with bounds on connections and on three more times.

    They are that for a head, for the rest of a body that is answered already, and for a client to take its answer, or
    `TAKEN` of it: a picture of some megabytes takes minutes on a slow line.
    """

    head_seconds = 10.0
    answer_seconds = 60.0
    held: ClassVar[Counter[str]] = Counter()  # connections by address
    _late: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # say when anything waits for the client, also after it is closed
        self._wait_for_head()
        self.held[self._address()] += 1
        most = self.limit_concurrency or 0
        greedy = not self.config.proxy_headers and self.held[self._address()] > most // 2
        if greedy or len(self.connections) > most + BURST:
            transport.abort()

    def _address(self) -> str:
        return counted(self.client[0]) if self.client else ""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE and self.conn.our_state is not h11.DONE:
            self._stop_waiting()
        elif self._late is None:
            self._wait_for_head()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for_taking()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self.held[self._address()] -= 1
        if not self.held[self._address()]:
            del self.held[self._address()]
        super().connection_lost(exc)  # which resumes writing

    def _wait_for_head(self) -> None:
        self._late = self.loop.call_later(self.head_seconds, self.timeout_keep_alive_handler)

    def _wait_for_taking(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._stuck = self.loop.call_later(self.answer_seconds, self._look_at_taken, left)

    def _look_at_taken(self, before: int) -> None:
        if before - self.transport.get_write_buffer_size() < TAKEN:
            self.transport.abort()
        else:
            self._wait_for_taking()

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
