"""How the servers of giqa talk HTTP: which proxy is believed, and how long a client may take."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol


def config(app: Any, proxy: str | None, *, connections: int, idle_seconds: int, stop_seconds: int) -> uvicorn.Config:
    """How uvicorn runs an app; without `proxy` the address of a client is that of its connection.

    Parameters
    ----------
    app : ASGI app
    proxy : str or None
        Address of a reverse proxy whose X-Forwarded-For is believed.
    connections : int
        Open connections; beyond it the answer is 503.
    idle_seconds : int
        Until a connection is closed on which nothing is asked.
    stop_seconds : int
        For what was accepted, once the server is told to stop.

    Returns
    -------
    uvicorn.Config
    """
    return uvicorn.Config(
        app,
        http=TimedProtocol,
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=proxy is not None,
        forwarded_allow_ips=proxy,
        limit_concurrency=connections,
        timeout_keep_alive=idle_seconds,
        timeout_graceful_shutdown=stop_seconds,
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
