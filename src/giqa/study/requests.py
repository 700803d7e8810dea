"""What every request of the web app needs: the store and its key, limits, templates, cookies, forms."""

from __future__ import annotations

import asyncio
import hmac
import math
from collections.abc import Callable
from functools import lru_cache, partial, wraps
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter, move_on_after, to_thread
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response

from .access import Limiter, Limits, counted, form_token
from .questions import SCALE, SIDES, Question, Questionnaire
from .store import PATIENCE, Store, Unreachable
from .words import RIGHT_TO_LEFT, translator

RATER = "giqa_rater"
WRITERS = 10  # threads for changes: while all wait for a lock of another process, the other 40 still answer readers
GUESSES = 2  # passwords that are hashed at once: 32 MB each
KEPT_PICTURES = 256  # in memory
BODY_SECONDS = 20.0  # for at most 64 KB


class House:
    """What every page needs: the store, the signing key, limits, templates. One for each app."""

    def __init__(self, store: Store, limits: Limits, https: bool):
        self.store, self.https = store, https
        self.key = store.signing_key()
        self.limiter = Limiter(limits)
        self.lanes = {"write": CapacityLimiter(WRITERS), "guess": CapacityLimiter(GUESSES)}
        self.told = -math.inf  # when the log last said that the store is away, by the monotonic clock
        self.png = lru_cache(maxsize=KEPT_PICTURES)(store.png)
        loader = FileSystemLoader(Path(__file__).parent / "templates")
        self.templates = Environment(
            loader=loader,
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(self, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        return HTMLResponse(self.templates.get_template(name).render(values), status)

    def message(self, heading: str, text: str, status: int = 200, tongue: Tongue | None = None) -> HTMLResponse:
        """A page of one sentence, in the words of a study where it is of one."""
        tongue = tongue or Tongue(None)
        return self.page("message.html", status, heading=tongue.tr(heading), text=tongue.tr(text), tongue=tongue)

    def set_cookie(self, response: Response, name: str, value: str, path: str, hours: int | None = None) -> None:
        age = None if hours is None else 3600 * hours
        strict = "strict" if name != RATER else "lax"  # a join link is followed from other sites
        response.set_cookie(name, value, max_age=age, path=path, secure=self.https, httponly=True, samesite=strict)

    def check_form(self, cookie: str | None, token: str, refusal: str) -> None:
        """A 403 unless a change was asked for by our own page: its token goes with the visitor's cookie."""
        own = form_token(self.key, cookie or "").encode()
        if not cookie or not hmac.compare_digest(own, token.encode("utf-8", "replace")):
            raise HTTPException(403, refusal)

    def allow(self, kind: str, who: str) -> None:
        if not self.limiter.allow(kind, who):
            raise HTTPException(429, "Too many requests; wait a little and try again.")


class Tongue:
    """In which words a page of a study is read: `tr`, the texts of its file of questions, and the language.

    >>> Tongue(None).tr("Thank you"), Tongue(None).language
    ('Thank you', 'en')
    """

    def __init__(self, own: Questionnaire | None, asked: str = ""):
        self.own = own
        self.language = own.language(asked) if own else "en"
        self.words = dict(own.words.get(self.language, {})) if own else {}
        self.tr = translator(self.words)
        self.direction = "rtl" if self.language.partition("-")[0].lower() in RIGHT_TO_LEFT else "ltr"

    def text(self, name: str) -> str:
        """A text of the file (title, consent, help, completion), or ""."""
        return self.own.texts[name].get(self.language, "") if self.own else ""

    def labels(self, question: Question) -> list[str]:
        """What the buttons of a question say."""
        usual = ("Left", "Right") if question.answers == SIDES else SCALE
        return list(question.labels.get(self.language) or map(self.tr, usual))


def address(request: Request) -> str:
    return counted(request.client.host if request.client else "")


async def _in_turn(house: House, lane: str, run: Callable[[], Response]) -> Response:
    turn, who = house.lanes[lane], object()
    with move_on_after(PATIENCE) as waiting:
        await turn.acquire_on_behalf_of(who)
    if waiting.cancelled_caught:
        raise Unreachable(f"A change waited {PATIENCE} s for its turn: those before it wait for the store.")
    try:
        return await to_thread.run_sync(run, limiter=CapacityLimiter(1))
    finally:
        turn.release_on_behalf_of(who)


def in_thread(handler: Callable[..., Response], lane: str = "write") -> Callable:
    """A handler that waits for the store, run in a thread; it is given (house, request, body).

    Changes wait their turn in a lane, no longer than SQLite would wait for others.
    """

    @wraps(handler)
    async def endpoint(request: Request) -> Response:
        with move_on_after(BODY_SECONDS) as waiting:
            try:
                body = await request.body()
            except ClientDisconnect:
                return Response(status_code=400)  # nobody reads it
        if waiting.cancelled_caught:
            raise HTTPException(408, "The request took too long to arrive.", {"connection": "close"})
        house = request.app.state.house
        run = partial(handler, house, request, body)
        try:
            return await (to_thread.run_sync(run) if request.method in ("GET", "HEAD") else _in_turn(house, lane, run))
        except asyncio.CancelledError:  # uvicorn has waited for long enough
            raise Unreachable("The server was stopped while a request waited for the store.") from None

    return endpoint


def form_fields(body: bytes) -> dict[str, str]:
    """The fields of a plain form; the last of each name."""
    from urllib.parse import parse_qsl

    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=20))
    except ValueError:
        return {}
