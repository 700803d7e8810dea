"""The web app: `make_app(models)` gives an ASGI app that scores the pictures that it is sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from ..errors import MissingExtra

try:
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import Response
    from starlette.routing import Route

    from .monitoring import Monitoring
except ImportError as error:
    raise MissingExtra(f"The service needs more ({error}): pip install 'giqa[serve]'.") from None

from ..study.access import Limiter, counted
from .bodies import Sent, declared_length, drain, read_pictures
from .limits import Limits
from .models import Served
from .openapi import document
from .problems import Json, failed, problem, refused
from .queue import Full, Queue

BODIES = 4  # times the limit of one: bytes of all bodies that are held at once
HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


@dataclass(frozen=True)
class Rates:
    """Of `Limiter`: requests at once, and a second, from one address."""

    ask: tuple[float, float]


class Service:
    """What the handlers share."""

    def __init__(self, models: Mapping[str, Served], limits: Limits, workers: int | None):
        self.models, self.limits, self.monitoring = models, limits, Monitoring()
        self.queue = Queue(limits.queue, limits.pixels, workers, self.monitoring.scored)
        self.limiter = Limiter(Rates((2 * limits.rate, limits.rate)))
        self.bytes = 0  # of bodies that are held

    def check(self, request: Request) -> int:
        """Refuse what cannot be accepted now, before its body is read; else the bytes to keep room for."""
        address = counted(request.client.host if request.client else "")
        if self.limits.rate and not self.limiter.allow("ask", address):
            raise Full(1, f"More than {self.limits.rate:g} requests a second came from {address}")
        length = declared_length(request, self.limits)
        self.queue.check_room()
        if self.bytes + length > BODIES * self.limits.body:
            raise Full(self.queue.wait_seconds())
        return length

    def model(self, request: Request) -> Served:
        """The model that a request asks for."""
        asked = request.query_params.getlist("model")
        names = ", ".join(self.models)
        if unknown := sorted(request.query_params.keys() - {"model"}):
            raise HTTPException(400, f"There is no parameter {unknown[0]!r}; there is 'model'.")
        if len(asked) > 1 or (not asked and len(self.models) > 1):
            raise HTTPException(400, f"Ask for one model, ?model=NAME; there are {names}.")
        if asked and asked[0] not in self.models:
            raise HTTPException(404, f"There is no model {asked[0]!r}; there are {names}.")
        return self.models[asked[0]] if asked else next(iter(self.models.values()))


def make_app(models: Mapping[str, Served], limits: Limits | None = None, workers: int | None = None) -> Starlette:
    """The app for some models: scores at /v1/scores, described by /openapi.json.

    Parameters
    ----------
    models : mapping of str to Served
        See `load_models`.
    limits : Limits or None, default None
        What it accepts.
    workers : int or None, default None
        Threads that decode a batch; None: one more than there are cores.

    Returns
    -------
    Starlette
        An ASGI app; it scores from its startup to its shutdown.

    Raises
    ------
    MissingExtra
        Without `giqa[serve]`.

    Examples
    --------
    Any ASGI server runs it::

        app = make_app(load_models(["reals.giqa"]))
        uvicorn.run(app, host="127.0.0.1", port=8000)
    """
    service = Service(models, limits or Limits(), workers)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        service.queue.start()
        yield
        await run_in_threadpool(service.queue.close)

    routes = [
        Route("/v1/scores", score, methods=["POST"]),
        Route("/v1/models", list_models),
        Route("/health/live", live),
        Route("/health/ready", ready),
        Route("/metrics", metrics),
        Route("/openapi.json", describe),
    ]
    handlers = {HTTPException: refused, Full: full, ClientDisconnect: gone, Exception: failed}
    app = Starlette(routes=routes, exception_handlers=handlers, lifespan=lifespan)
    app.router.redirect_slashes = False  # one address for each thing
    app.state.service = service
    app.add_middleware(Counted, service=service, paths=[route.path for route in routes])
    return app


async def score(request: Request) -> Response:
    """A row for each picture of the request."""
    service: Service = request.app.state.service
    try:
        room = service.check(request)
        model = service.model(request)
        service.bytes += room
        try:
            sent = await read_pictures(request, service.limits)
            rows = await _scored(request, service, model, [picture.raw for picture in sent])
        finally:
            service.bytes -= room
    except (HTTPException, Full) as error:
        if not (isinstance(error, HTTPException) and error.status_code == 408):  # that one has had its time
            await drain(request, service.limits)
        raise
    found = [_named(picture, row) for picture, row in zip(sent, rows, strict=True)]
    for row in found:
        service.monitoring.pictures.labels(model.name, "failed" if row["error"] else "scored").inc()
    return Json({"model": model.name, "digest": model.model.digest, "pictures": found})


def _named(sent: Sent, row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "id": sent.id} | ({"error": sent.error} if sent.error else {})


async def _scored(request: Request, service: Service, model: Served, pictures: list[bytes]) -> list[dict[str, Any]]:
    """Rows from the queue; a client that has gone is scored for no more."""
    waiting = asyncio.wrap_future(service.queue.put(model, pictures))
    leaving = asyncio.ensure_future(request.receive())  # the body was read: what comes now is the end of the connection
    try:
        await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        raise ClientDisconnect()
    finally:
        leaving.cancel()
        waiting.cancel()


async def full(request: Request, error: Exception) -> Response:
    """Not now, and when."""
    seconds = error.seconds if isinstance(error, Full) else 1
    return problem(429, str(error), {"retry-after": str(seconds)})


async def gone(request: Request, error: Exception) -> Response:
    """Nobody reads this; it is counted."""
    return Response(status_code=499)


async def list_models(request: Request) -> Response:
    """The models, and how each was made."""
    return Json({"models": [model.about() for model in request.app.state.service.models.values()]})


async def live(request: Request) -> Response:
    """The process answers."""
    return Response("ok\n", media_type="text/plain")


async def ready(request: Request) -> Response:
    """There is room for a picture."""
    queue: Queue = request.app.state.service.queue
    try:
        if not queue.alive:
            return problem(503, "The service does not score any more.", {"retry-after": "1"})
        queue.check_room()
    except Full as error:
        return problem(503, str(error), {"retry-after": str(error.seconds)})
    return Response("ok\n", media_type="text/plain")


async def metrics(request: Request) -> Response:
    """Numbers for Prometheus."""
    service: Service = request.app.state.service
    service.monitoring.held.set(service.queue.held)
    text = await run_in_threadpool(service.monitoring.text)
    return Response(text, media_type="text/plain; version=0.0.4")


async def describe(request: Request) -> Response:
    """The OpenAPI document."""
    service: Service = request.app.state.service
    return Json(document(service.limits, list(service.models)))


class Counted:
    """ASGI: every answer is counted, and closes the connection of a request whose body was not read to its end."""

    def __init__(self, app: Any, service: Service, paths: Iterable[str]):
        self.app, self.service, self.paths = app, service, frozenset(paths)

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"])
        read = b"transfer-encoding" not in given and given.get(b"content-length", b"0") == b"0"
        begun, status = time.perf_counter(), 500

        async def received() -> dict:
            nonlocal read
            message = await receive()
            read = read or not message.get("more_body", False)
            return message

        async def counted(message: dict) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                close = [] if read else [(b"connection", b"close")]
                message = message | {"headers": [*message.get("headers", []), *HEADERS, *close]}
            await send(message)

        try:
            await self.app(scope, received, counted)
        finally:
            path = scope["path"] if scope["path"] in self.paths else "other"
            self.service.monitoring.requests.labels(path, str(status)).inc()
            self.service.monitoring.seconds.labels(path).observe(time.perf_counter() - begun)
