"""The description of the service, as OpenAPI 3.1; a test holds that it is what the service does."""

from __future__ import annotations

from typing import Any

from .. import __version__
from ..model.columns import DETAIL, NUMBERS, REASON, SAID, TEXT_NUMBERS, TEXTS
from .bodies import FIELD, FORM, JSON, LONGEST_ID
from .limits import Limits
from .problems import TYPE

MEANS = {
    "id": "As it was sent; else the picture's place in the request.",
    "score": "Raw, higher = better.",
    "z": "0 = like a typical real, -3 = three robust standard deviations worse.",
    "percentile": "Share of held-out reals that are no better.",
    "z_low": "Lower end of the 95 % interval of z.",
    "z_high": "Upper end of the 95 % interval of z.",
    "detail": "Below 0: softer than the reals; above: noisier or over-sharpened.",
    "text_quality": "With --text: 1 = drawn like type, 0 = nothing like it.",
    "n_text": "Lines of text.",
    "text_box": "Corners of the line that is drawn worst, x y each, as shares of the sides, or empty.",
    "reason": "What costs most, in a word; empty: nothing unusual.",
    "duplicate_of": "The real that it repeats, or empty.",
    "out_of_domain": "yes: it shows what the reals do not, or is too damaged to say; empty: no layer can decide.",
    "error": "Why there is no score, or empty.",
    "notes": "What decoding did.",
}
REFUSALS = {
    400: "The body cannot be read.",
    404: "There is no such model.",
    408: "The body came too slowly.",
    413: "Too many bytes.",
    415: "The body has another type.",
    422: "The body has another form, or too many pictures.",
    429: "The queue is full, or too many requests came from one address.",
    500: "The service failed; its log says why.",
    503: "It is stopping, or too many connections are open.",
}


def document(limits: Limits, models: list[str]) -> dict[str, Any]:
    """The document for these limits and models."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "giqa",
            "version": __version__,
            "description": "How good is this generated image? Rows are those of `giqa score`.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/v1/scores": {"post": _post(limits, models)},
            "/v1/models": {"get": _get("The models that are served.", JSON, {"$ref": "#/components/schemas/Models"})},
            "/health/live": {"get": _get("The process answers.", "text/plain", {"type": "string"})},
            "/health/ready": {
                "get": _get(
                    "There is room for a picture.", "text/plain", {"type": "string"}, {"503": _problem("Not now.")}
                )
            },
            "/metrics": {"get": _get("Numbers for Prometheus.", "text/plain", {"type": "string"})},
            "/openapi.json": {"get": _get("This document.", JSON, {"type": "object"})},
        },
        "components": {"schemas": _schemas(limits)},
    }


def _get(what: str, kind: str, schema: dict[str, Any], more: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "summary": what,
        "responses": {"200": {"description": what, "content": {kind: {"schema": schema}}}, **(more or {})},
    }


def _post(limits: Limits, models: list[str]) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "name": "model",
        "in": "query",
        "required": len(models) > 1,
        "description": "Which model; may be left out where there is one.",
        "schema": {"type": "string", "enum": models},
    }
    form = {
        "type": "object",
        "required": [FIELD],
        "additionalProperties": False,
        "properties": {
            FIELD: {
                "type": "array",
                "minItems": 1,
                "maxItems": limits.pictures,
                "items": {"type": "string", "format": "binary"},
            }
        },
    }
    answer = {"schema": {"$ref": "#/components/schemas/Scores"}}
    return {
        "summary": "A row for each picture, in order.",
        "description": f"At most {limits.body} bytes, {limits.pictures} pictures, {limits.pixels} pixels a picture. A "
        "picture that cannot be read has `error` and no numbers; the others are scored.",
        "parameters": [asked],
        "requestBody": {
            "required": True,
            "content": {FORM: {"schema": form}, JSON: {"schema": {"$ref": "#/components/schemas/Pictures"}}},
        },
        "responses": {
            "200": {"description": "Scores.", "content": {JSON: answer}},
            **{str(status): _problem(what, status in (429, 503)) for status, what in REFUSALS.items()},
        },
    }


def _problem(what: str, retry: bool = False) -> dict[str, Any]:
    content = {TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    wait = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}
    return {"description": what, "content": content, **({"headers": wait} if retry else {})}


def _schemas(limits: Limits) -> dict[str, Any]:
    number, text = {"type": ["number", "string", "null"]}, {"type": "string"}  # a text: "inf" of the paper's presets
    row = {"id": text, **dict.fromkeys((*NUMBERS, *SAID, *DETAIL, *TEXT_NUMBERS), number)}
    row |= dict.fromkeys((*TEXTS, *REASON, "text_box"), text)
    picture = {
        "id": {"type": "string", "maxLength": LONGEST_ID},
        "data": {"type": "string", "contentEncoding": "base64"},
    }
    model = {
        "name": text,
        "digest": text,
        **{name: {"type": ["string", "null"]} for name in ("giqa", "extractor", "scorer", "match")},
        "reals": {"type": ["integer", "null"]},
        "human_digest": text,
    }
    return {
        "Pictures": _object({FIELD: {**_array("Picture"), "minItems": 1, "maxItems": limits.pictures}}, [FIELD]),
        "Picture": _object(picture, ["data"]),
        "Scores": _object({"model": text, "digest": text, FIELD: _array("Row")}, ["model", "digest", FIELD]),
        "Row": _object(
            {name: {**kind, **({"description": MEANS[name]} if name in MEANS else {})} for name, kind in row.items()},
            ["id", *NUMBERS, *TEXTS],
        ),
        "Models": _object({"models": _array("Model")}, ["models"]),
        "Model": _object(model, ["name", "digest"]),
        "Problem": {
            "type": "object",
            "required": ["type", "title", "status", "detail"],
            "properties": {"type": text, "title": text, "status": {"type": "integer"}, "detail": text},
        },
    }


def _array(name: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}
