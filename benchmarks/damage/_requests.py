"""The requests that the web services of giqa read, as parsers that are given one as JSON."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import urllib.parse
from pathlib import Path
from typing import Any

from benchmarks.damage._parsers import PIXELS, Parser, png

FORM = "multipart/form-data; boundary=b"
LOOP = asyncio.new_event_loop()
KEPT: dict[str, Any] = {}  # apps
SHARED = Path()  # a folder of this process, set by who runs the parsers


def asked(app: Any, given: Any, client: str = "127.0.0.1") -> tuple[int, bytes]:
    """A request to an ASGI app, as a server that checked its head would pass it on; status and body of the answer."""
    body = given.get("body", "")
    body = body if isinstance(body, str) else json.dumps(body)
    raw = body.encode("utf-8", "replace")
    if body.startswith("base64,"):
        with contextlib.suppress(ValueError):
            raw = base64.b64decode(body[7:])
    path, _, query = str(given.get("path", "/")).partition("?")
    head = [
        (str(k).lower().encode("ascii", "ignore"), str(v).encode("latin-1", "replace")) for k, v in given["headers"]
    ]
    head = [(k, v.translate(None, b"\r\n\0").strip()) for k, v in head if k and k not in (b"content-length",)]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "root_path": "",
        "method": str(given.get("method", "GET"))[:20], "path": urllib.parse.unquote(path) or "/",
        "raw_path": path.encode("utf-8", "replace"), "query_string": query.encode("ascii", "replace"),
        "headers": [*head, (b"host", b"127.0.0.1"), (b"content-length", str(len(raw)).encode())],
        "client": (client, 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    sent, answer = [False], [0, b""]

    async def receive() -> dict[str, Any]:
        if sent[0]:
            await asyncio.sleep(3600)  # the client waits
        sent[0] = True
        return {"type": "http.request", "body": raw, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer[0] = message["status"]
        else:
            answer[1] += message.get("body", b"")

    async def run() -> None:
        await asyncio.wait_for(app(scope, receive, send), 30)

    LOOP.run_until_complete(run())
    assert answer[0] and answer[0] < 500, f"the answer is {answer[0]}"
    return answer[0], answer[1]


def score_requests(folder: Path) -> list[bytes]:
    picture = base64.b64encode(png(PIXELS[0])).decode()
    as_json = {"pictures": [{"id": "a.png", "data": picture}, {"data": picture}]}
    head = b'--b\r\nContent-Disposition: form-data; name="pictures"; filename="a.png"\r\n\r\n'
    form = "base64," + base64.b64encode(head + png(PIXELS[0]) + b"\r\n--b--\r\n").decode()
    kinds = [(["content-type", kind], body) for kind, body in (("application/json", as_json), (FORM, form))]
    given = [{"method": "POST", "path": "/v1/scores?model=a", "headers": [h], "body": b} for h, b in kinds]
    given += [{"method": "GET", "path": p, "headers": []} for p in ("/v1/models", "/metrics", "/openapi.json")]
    return [json.dumps(one).encode() for one in given]


def ask_scores(data: bytes, folder: Path) -> None:
    import giqa
    from giqa.serve import Limits, load_models, make_app

    if "scores" not in KEPT:
        model = giqa.fit(list(PIXELS), extractor="statistics", scorer="knn", store=False)
        model.save(SHARED / "a.giqa")
        app = make_app(load_models([SHARED / "a.giqa"]), Limits(rate=0, pixels=10**6), 1)
        app.state.service.queue.start()
        KEPT["scores"] = app
    given = request_in(data)
    if given is not None:
        asked(KEPT["scores"], given)


def request_in(data: bytes) -> Any:
    try:
        given = json.loads(data)
        ok = isinstance(given, dict) and all(isinstance(h, list) and len(h) == 2 for h in given["headers"])
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return given if ok else None


def study_requests(folder: Path) -> list[bytes]:
    vote = {"id": "v" * 20, "trial": "TRIAL0", "answer": "real", "revision": 0, "shown_ms": 1.5, "response_ms": 512.0}
    cookie, csrf = ["cookie", "giqa_rater=COOKIE"], ["x-csrf", "CSRF"]
    form = ["content-type", "application/x-www-form-urlencoded"]
    admin = ["cookie", "giqa_admin=ADMIN"]
    given: list[dict[str, Any]] = [
        {"method": "POST", "path": "/s/TOKEN/votes", "headers": [cookie, csrf], "body": {"votes": [vote]}},
        {"method": "POST", "path": "/s/TOKEN", "headers": [cookie, form], "body": "csrf=CSRF&lang=en"},
        {"method": "GET", "path": "/s/TOKEN?lang=de", "headers": [["accept-language", "de;q=0.5,en"]]},
        {"method": "GET", "path": "/s/TOKEN/state", "headers": [cookie]},
        {"method": "GET", "path": "/s/TOKEN/task", "headers": [cookie]},
        {"method": "GET", "path": "/s/TOKEN/picture/TRIAL0/0", "headers": [cookie, ["range", "bytes=0-3"]]},
        {"method": "GET", "path": "/static/task.js", "headers": [["range", "bytes=0-3"], ["if-none-match", '"x"']]},
        {"method": "POST", "path": "/admin/login", "headers": [form], "body": "password=x&csrf=CSRF"},
        {"method": "GET", "path": "/admin/1/progress", "headers": [admin]},
        {"method": "GET", "path": "/admin/1/export?everything=1", "headers": [admin]},
        {"method": "POST", "path": "/admin/1/pause", "headers": [admin, form], "body": "csrf=ACSRF"},
    ]
    return [json.dumps(one).encode() for one in given]


def _study() -> Any:
    from giqa.study import make_app, open_store
    from giqa.study.access import SECRET, Limits, admin_cookie, form_token, new_cookie, set_password
    from giqa.study.collect import collect
    from giqa.study.session import join, rater_of

    for kind in ("fake", "real"):
        (SHARED / kind).mkdir()
        for i, pixels in enumerate(PIXELS[: 2 * len(kind)]):
            (SHARED / kind / f"{kind}{i}.png").write_bytes(png(pixels))
    store = open_store(SHARED / "votes.db")
    few = {"controls": 0, "tutorial": 1, "sitting": 6, "votes_each": 1000}
    study = collect(SHARED / "fake", SHARED / "real", store=store, task="hype", **few)
    cookie = new_cookie()
    join(store, study, cookie)
    set_password(store, "long enough for this")
    rater = rater_of(store, study, cookie)
    often = (1e9, 1e9)
    app = make_app(store, limits=Limits(often, often, often, often))
    key = app.state.house.key
    said = {"TOKEN": study.token, "COOKIE": cookie, "CSRF": form_token(key, cookie)}
    admin = admin_cookie(key, store.secret(SECRET))
    said |= {"ADMIN": admin, "ACSRF": form_token(key, admin)}
    said |= {f"TRIAL{n}": trial.id for n, trial in enumerate(rater.trials[:3])}
    return app, said


def ask_study(data: bytes, folder: Path) -> None:
    if "study" not in KEPT:
        KEPT["study"] = _study()
    app, said = KEPT["study"]
    for word, value in sorted(said.items()):  # ACSRF before CSRF
        data = data.replace(word.encode(), value.encode())
    given = request_in(data)
    if given is not None:
        asked(app, given)


PARSERS = {
    "requests of serve": Parser(score_requests, ask_scores),
    "requests of label serve": Parser(study_requests, ask_study),
}
