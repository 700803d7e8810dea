"""A request's body to encoded pictures: multipart or JSON with base64, within bounds of bytes, pictures and time."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from .limits import Limits

FORM, JSON = "multipart/form-data", "application/json"
FIELD = "pictures"
LONGEST_ID = 1024
DRAIN_SECONDS = 2.0


@dataclass(frozen=True)
class Sent:
    """A picture as it was sent; `error` where there is nothing to decode."""

    id: str
    raw: bytes
    error: str = ""


def declared_length(request: Request, limits: Limits) -> int:
    """Bytes that the body will have, at most; refuses what is too long or coded."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise HTTPException(415, "A compressed body is not read; pictures are compressed already.")
    length = request.headers.get("content-length")
    if length is None:
        return limits.body
    if int(length) > limits.body:  # digits only: the parser of HTTP refuses others
        raise _too_long(limits)
    return int(length)


async def read_pictures(request: Request, limits: Limits) -> list[Sent]:
    """The pictures of a request; `HTTPException` says what is wrong with it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (FORM, JSON):
        said = f"Send {FORM} with files called {FIELD!r}, or {JSON}; got {kind or 'no content type'}."
        raise HTTPException(415, said, {"accept-post": f"{FORM}, {JSON}"})
    try:
        async with asyncio.timeout(limits.body_seconds):
            if kind == FORM:
                sent = await _from_form(request, limits)
            else:
                body = b"".join([chunk async for chunk in _bounded(request, limits)])
                sent = await run_in_threadpool(_from_json, body, limits)
    except TimeoutError:
        late = f"The body was not there within {limits.body_seconds:g} s; send fewer pictures at once."
        raise HTTPException(408, late) from None
    if not sent:
        raise HTTPException(422, f"There is no picture; send 1 to {limits.pictures}.")
    return sent


async def drain(request: Request, limits: Limits) -> None:
    """Take what a client sends although it is refused, within bounds, so that it comes to read the answer."""
    if request.headers.get("expect", "").lower() == "100-continue":
        return  # it waits for the answer before it sends
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in _bounded(request, limits):
                pass
    except (TimeoutError, HTTPException, RuntimeError):
        pass


async def _bounded(request: Request, limits: Limits) -> AsyncGenerator[bytes, None]:
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > limits.body:
            raise _too_long(limits)
        yield chunk


def _too_long(limits: Limits) -> HTTPException:
    return HTTPException(413, f"The body is longer than {limits.body} bytes; send fewer pictures at once.")


def _too_many(limits: Limits) -> HTTPException:
    return HTTPException(422, f"There are more than {limits.pictures} pictures; send fewer at once.")


class _Form(MultiPartParser):
    spool_max_size = 2**62  # nothing that somebody sends is written to a disk; the body is bounded


async def _from_form(request: Request, limits: Limits) -> list[Sent]:
    parser = _Form(request.headers, _bounded(request, limits), max_files=limits.pictures + 1, max_fields=1)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if "Too many files" in error.message:
            raise _too_many(limits) from None
        raise HTTPException(400, f"The form cannot be read: {error.message}") from None
    try:
        sent = []
        for name, value in form.multi_items():
            if isinstance(value, str) or name != FIELD:
                raise HTTPException(422, f"The field {name!r} is not expected; send each picture as a file {FIELD!r}.")
            sent.append(Sent((value.filename or str(len(sent)))[:LONGEST_ID], await value.read()))
    finally:
        await form.close()
    if len(sent) > limits.pictures:
        raise _too_many(limits)
    return sent


def _from_json(body: bytes, limits: Limits) -> list[Sent]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"The body is not JSON: {error}.") from None
    pictures = content.get(FIELD) if isinstance(content, dict) else None
    if not isinstance(pictures, list):
        raise HTTPException(422, f'Send {{"{FIELD}": [{{"id": "a.png", "data": "<base64>"}}]}}.')
    if unknown := sorted(content.keys() - {FIELD}):
        raise HTTPException(422, f"There is no field {unknown[0]!r}; there is {FIELD!r}.")
    if len(pictures) > limits.pictures:
        raise _too_many(limits)
    return [_picture(place, picture) for place, picture in enumerate(pictures)]


def _picture(place: int, picture: Any) -> Sent:
    where = f"{FIELD}[{place}]"
    if not isinstance(picture, dict) or not isinstance(picture.get("data"), str):
        raise HTTPException(422, f"{where} should be an object with the text 'data', a file in base64.")
    if unknown := sorted(picture.keys() - {"id", "data"}):
        hint = " The service fetches no address; send the picture itself." if unknown[0] in ("url", "uri") else ""
        raise HTTPException(422, f"{where} has no field {unknown[0]!r}; it has 'id' and 'data'.{hint}")
    name = picture.get("id", str(place))
    if not isinstance(name, str) or len(name) > LONGEST_ID:
        raise HTTPException(422, f"{where}.id should be a text of at most {LONGEST_ID} characters.")
    try:
        return Sent(name, base64.b64decode("".join(picture["data"].split()), validate=True))  # base64(1) writes lines
    except (binascii.Error, ValueError):
        hint = "; leave out what stands before the comma" if picture["data"].startswith("data:") else ""
        return Sent(name, b"", f"data is not base64{hint}")
