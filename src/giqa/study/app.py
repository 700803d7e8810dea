"""The web app: `make_app(store)` gives an ASGI app that serves the studies of a store."""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from socket import socket
from typing import Any

from ..errors import MissingExtra
from .store import Store, Study, Unreachable, sa

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.requests import Request
    from starlette.responses import JSONResponse, RedirectResponse, Response
    from starlette.routing import Mount, Route
    from starlette.staticfiles import StaticFiles
except ImportError as error:
    raise MissingExtra(f"The web app needs more ({error}): pip install 'giqa[humans]'.") from None


from . import connections
from .access import Guard, Limits, form_token, new_cookie
from .admin import ROUTES
from .presentation import padded
from .requests import RATER, House, Tongue, address, form_fields, in_thread
from .session import Rater, join, keep, rater_of, state

HERE = Path(__file__).parent
UNREACHABLE = "The store cannot be reached at the moment."

MOST_VOTES = 100  # in one request
QUIET = 10  # seconds until the log says again that the store is away


def make_app(store: Store, *, https: bool = False, limits: Limits | None = None) -> Starlette:
    """The app for a store: join links at /s/TOKEN, the admin page at /admin. Nothing is served by file name.

    Parameters
    ----------
    store : Store
        Stays the caller's to close.
    https : bool
        Cookies are marked Secure, and browsers are asked to stay with HTTPS.
    limits : Limits or None
        How often the app may be asked; see `giqa.study.access.Limits`.

    Returns
    -------
    Starlette
        An ASGI app.

    Examples
    --------
    Any ASGI server runs it::

        app = make_app(open_store("votes.db"))
        uvicorn.run(app, host="127.0.0.1", port=8080)

    >>> import tempfile
    >>> from giqa.study import open_store
    >>> store = open_store(f"{tempfile.mkdtemp()}/votes.db")
    >>> [route.path for route in make_app(store).routes][:2]
    ['/', '/health']
    >>> store.close()
    """
    routes = [
        Route("/", front),
        Route("/health", health),
        Route("/s/{token}", entrance, methods=["GET", "POST"]),
        Route("/s/{token}/task", task),
        Route("/s/{token}/state", current),
        Route("/s/{token}/votes", receive, methods=["POST"]),
        Route("/s/{token}/picture/{trial}/{side}", picture),
        *ROUTES,
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
    away = (sa.exc.IntegrityError, Unreachable)  # two changes at once that do not go together: one is sent again
    handlers = {HTTPException: failed, **dict.fromkeys(away, unreachable)}
    app = Starlette(routes=routes, exception_handlers=handlers, middleware=[Middleware(Guard, https=https)])
    app.router.redirect_slashes = False  # one address for each thing
    app.state.house = House(store, limits or Limits(), https)
    return app


def serve(store: Store, listening: socket, https: bool = False, proxy: str | None = None) -> None:
    """Serve the studies of a store on a socket that is bound already, until SIGTERM or Ctrl-C.

    Parameters
    ----------
    store : Store
        See `open_store`.
    listening : socket
        Bound to host and port.
    https : bool
        See `make_app`.
    proxy : str or None
        Address of a reverse proxy whose X-Forwarded-For is believed; else limits count the address of a connection.

    Examples
    --------
    It does not return before Ctrl-C::

        listening = socket()
        listening.bind(("127.0.0.1", 8080))
        serve(open_store("votes.db"), listening)
    """
    leave_on_sigterm()
    most = {"connections": 4000, "idle_seconds": 5, "stop_seconds": 10}  # browsers open up to six each
    uvicorn.Server(connections.config(make_app(store, https=https), proxy, **most)).run(sockets=[listening])


def leave_on_sigterm() -> None:
    """SIGTERM ends the process as Ctrl-C does: what is open is closed. uvicorn raises it again once it has stopped."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        connections.end_on_hangup()


def wants_json(request: Request) -> bool:
    return request.url.path.endswith(("/state", "/votes", "/progress"))


async def failed(request: Request, error: HTTPException) -> Response:
    if wants_json(request):
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)
    text = {404: "There is nothing here. Is the link complete?"}.get(error.status_code, error.detail)
    answer = request.app.state.house.message("That did not work", text, error.status_code)
    answer.headers.update(error.headers or {})  # what a 405 allows
    return answer


async def unreachable(request: Request, error: Exception) -> Response:
    house = request.app.state.house
    if isinstance(error, Unreachable) and (now := time.monotonic()) - house.told > QUIET:
        logging.getLogger("uvicorn.error").error("%s", error)
        house.told = now
    if wants_json(request):
        return JSONResponse({"error": UNREACHABLE}, 503, {"retry-after": "2"})
    return house.message("One moment", f"{UNREACHABLE} Reload this page to try again; no answer is lost.", 503)


async def front(request: Request) -> Response:
    text = "To take part you need the link of a study."
    return request.app.state.house.message("Studies of pictures", text)


async def health(request: Request) -> Response:
    return Response("ok", media_type="text/plain")


def study_of(house: House, request: Request) -> Study:
    study = house.store.study(request.path_params["token"])
    if study is None:
        house.allow("join", address(request))  # guessing links is slow
        raise HTTPException(404)
    return study


def session(house: House, request: Request) -> tuple[Study, Rater, str]:
    """The study, who asks, and their cookie; 404 or 401 when one is unknown."""
    study, cookie = study_of(house, request), request.cookies.get(RATER, "")
    rater = rater_of(house.store, study, cookie) if cookie else None
    if rater is None:
        raise HTTPException(401, "Open the link of the study first.")
    return study, rater, cookie


@in_thread
def entrance(house: House, request: Request, body: bytes) -> Response:
    return agree(house, request, body) if request.method == "POST" else consent(house, request)


def consent(house: House, request: Request) -> Response:
    study = study_of(house, request)
    cookie = request.cookies.get(RATER, "")
    if cookie and rater_of(house.store, study, cookie):
        return RedirectResponse(f"/s/{study.token}/task", 303)
    tongue = asked_tongue(study, request, request.query_params.get("lang", ""))
    if study.paused:
        return house.message("A pause", "This study is paused. Please come back later.", tongue=tongue)
    fresh = cookie or new_cookie()
    response = house.page("consent.html", study=study, csrf=form_token(house.key, fresh), tongue=tongue)
    if not cookie:
        house.set_cookie(response, RATER, fresh, f"/s/{study.token}")
    return response


def agree(house: House, request: Request, body: bytes) -> Response:
    study = study_of(house, request)
    house.allow("join", address(request))
    cookie = request.cookies.get(RATER, "")
    fields = form_fields(body)
    house.check_form(cookie, fields.get("csrf", ""), "This form is too old. Open the link of the study again.")
    if rater_of(house.store, study, cookie) is None:
        tongue = asked_tongue(study, request, fields.get("lang", ""))
        if study.paused:
            return house.message("A pause", "This study is paused. Please come back later.", tongue=tongue)
        cookie = new_cookie()  # never one that another person may have set
        if join(house.store, study, cookie, language=tongue.language if tongue.own else "") is None:
            enough = "This study has all the answers it needs. You need not do anything."
            return house.message("Thank you", enough, tongue=tongue)
    response = RedirectResponse(f"/s/{study.token}/task", 303)
    house.set_cookie(response, RATER, cookie, f"/s/{study.token}", hours=24 * 30)
    return response


def asked_tongue(study: Study, request: Request, code: str) -> Tongue:
    """In the language of a code that was chosen, else of those that the browser asks for."""
    own = study.settings.questionnaire
    chosen = own is not None and code in own.languages
    return Tongue(own, code if chosen else request.headers.get("accept-language", "")[:1000])


@in_thread
def task(house: House, request: Request, _: bytes) -> Response:
    study = study_of(house, request)
    cookie = request.cookies.get(RATER, "")
    rater = rater_of(house.store, study, cookie) if cookie else None
    if rater is None:
        return RedirectResponse(f"/s/{study.token}", 303)
    house.allow("look", rater.id)
    tongue = Tongue(study.settings.questionnaire, rater.language)
    return house.page("task.html", study=study, csrf=form_token(house.key, cookie), rater=rater.id, tongue=tongue)


@in_thread
def current(house: House, request: Request, _: bytes) -> Response:
    study, rater, _cookie = session(house, request)
    house.allow("look", rater.id)
    return JSONResponse(state(house.store, study, rater))


@in_thread
def receive(house: House, request: Request, body: bytes) -> Response:
    """Votes in, one answer for each out, and the state after them: nothing is lost once this has answered 200."""
    study, rater, cookie = session(house, request)
    house.allow("vote", rater.id)
    house.check_form(cookie, request.headers.get("x-csrf", ""), "This page is too old; reload it.")
    results = keep(house.store, study, rater, read_votes(body))
    return JSONResponse({"results": results, "state": state(house.store, study, rater)})


@in_thread
def picture(house: House, request: Request, _: bytes) -> Response:
    """A picture by the rater's own trial and side: the same form, length and headers for every one."""
    study, rater, _cookie = session(house, request)
    house.allow("look", rater.id)
    trial, side = request.path_params["trial"], request.path_params["side"]
    shown = next((one.pictures for one in rater.trials if one.id == trial), ())
    found = {str(place): picture for place, picture in enumerate(shown)}.get(side)
    if found is None:
        raise HTTPException(404)
    png = padded(house.png(found), study.picture_bytes)
    return Response(png, media_type="image/png", headers={"cache-control": "private, max-age=3600"})


def read_votes(body: bytes) -> list[dict[str, Any]]:
    """The votes of a request, checked in form; raises `HTTPException` 400 with the sentence for the log."""
    try:
        sent = json.loads(body)
        votes = [_vote(one) for one in sent["votes"]]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise HTTPException(400, f"Votes are not as they should be: {error}") from None
    if not 1 <= len(votes) <= MOST_VOTES:
        raise HTTPException(400, f"Send 1 to {MOST_VOTES} votes at once.")
    return votes


def _vote(sent: Mapping[str, Any]) -> dict[str, Any]:
    vote = {name: sent[name] for name in ("id", "trial", "answer")}
    for name, value in vote.items():
        if not isinstance(value, str) or not 1 <= len(value) <= 64 or not value.isascii() or not value.isprintable():
            raise ValueError(f"{name} should be a short text")
    if len(vote["id"]) < 16:
        raise ValueError("id should be 16 random characters or more")
    revision = sent.get("revision", 0)
    if type(revision) is not int or not 0 <= revision <= 1000:
        raise ValueError("revision should be a number from 0")
    return vote | {"revision": revision} | {name: _milliseconds(sent, name) for name in ("shown_ms", "response_ms")}


def _milliseconds(sent: Mapping[str, Any], name: str) -> float | None:
    value = sent.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e10:
        raise ValueError(f"{name} should be milliseconds")
    return float(value)
