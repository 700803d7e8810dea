"""Errors as JSON: RFC 9457, `application/problem+json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

TYPE = "application/problem+json"


class Json(Response):
    """JSON in ASCII, so that half a surrogate pair in somebody's file name cannot break it."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def problem(status: int, detail: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """An answer that says what was wrong, what was given, what to do."""
    title = HTTPStatus(status).phrase
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail or title}
    return Json(content, status, headers, TYPE)


async def refused(request: Request, error: Exception) -> Response:
    """What Starlette or a handler refuses; for OPTIONS a refusal that names the methods is the answer."""
    if not isinstance(error, HTTPException):
        return await failed(request, error)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        methods = sorted({*headers.get("Allow", "").split(", "), "OPTIONS"} - {""})
        headers = {"allow": ", ".join(methods)}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
        return problem(405, f"{request.url.path} takes {headers['allow']}; got {request.method}.", headers)
    if error.status_code == 404 and error.detail == "Not Found":
        return problem(404, f"There is no {request.url.path}; /openapi.json lists what there is.")
    return problem(error.status_code, error.detail, headers)


async def failed(request: Request, error: Exception) -> Response:
    """What nobody foresaw; the log has the rest."""
    return problem(500, "The service failed at this request. Its log says why.")
