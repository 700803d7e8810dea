"""Off-the-shelf scanners against the web app: schemathesis over its API, wapiti over its pages.

    python -m venv SCAN && SCAN/bin/pip install schemathesis wapiti3
    python -m benchmarks.study.security_scan SCAN/bin [--examples 200]

Needs: giqa[humans]; an environment with schemathesis, and wapiti if its part is wanted.
Takes: a few minutes.

Starts a server with a small study, joins it, logs the admin in, and gives both sessions to the scanners: schemathesis
as an OpenAPI description of every address (written here: the app has none of its own), wapiti as cookies. Their
findings are printed as they come.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

from benchmarks.shared import command, existing, results
from benchmarks.study.load import Server, load_study
from giqa.study.store import open_store

PASSWORD = "a password for the benchmark"
REFUSED = {str(code): {"description": "refused"} for code in (400, 401, 403, 404, 405, 411, 413, 429)}
TEXT = {"type": "string", "maxLength": 64}
PLAIN = TEXT | {"pattern": "^[ -~]+$", "minLength": 1}
TIME = {"type": "number", "nullable": True, "minimum": 0, "exclusiveMaximum": True, "maximum": 1e10}
VOTE = {
    "type": "object",
    "required": ["id", "trial", "answer"],
    "properties": {
        "id": PLAIN | {"minLength": 16},
        "trial": PLAIN,
        "answer": PLAIN,
        "revision": {"type": "integer", "minimum": 0, "maximum": 1000},
        "shown_ms": TIME,
        "response_ms": TIME,
    },
}


def form(**fields: dict) -> dict:
    schema = {"type": "object", "properties": fields}
    return {"content": {"application/x-www-form-urlencoded": {"schema": schema}}}


def description(base: str, token: str, cookies: str, csrf: str) -> dict:
    """Every address of the app in OpenAPI 3.0, with the join token of the study filled in."""

    def operation(kind: str, *also: str, body: dict | None = None, **named: str) -> dict:
        answers = {code: {"description": "done"} for code in ("200", *also)}
        in_path = {"in": "path", "required": True}
        place = [{"name": name, "schema": {"type": kind_of}} | in_path for name, kind_of in named.items()]
        made = {"responses": REFUSED | answers, "parameters": place}
        return {kind: made | ({} if body is None else {"requestBody": body})}

    votes = {"type": "object", "required": ["votes"]}
    votes["properties"] = {"votes": {"type": "array", "minItems": 1, "maxItems": 100, "items": VOTE}}
    json_body = {"required": True, "content": {"application/json": {"schema": votes}}}
    paths = {
        "/": operation("get"),
        "/health": operation("get"),
        f"/s/{token}": operation("get", "303") | operation("post", "303", body=form(csrf=TEXT)),
        "/s/{token}": operation("get", "303", token="string")
        | operation("post", "303", body=form(csrf=TEXT), token="string"),
        f"/s/{token}/task": operation("get", "303"),
        f"/s/{token}/state": operation("get"),
        f"/s/{token}/votes": operation("post", body=json_body),
        f"/s/{token}/picture/{{trial}}/{{side}}": operation("get", trial="string", side="integer"),
        "/admin": operation("get"),
        "/admin/login": operation("post", "303", body=form(csrf=TEXT, password=TEXT)),
        "/admin/{study}/progress": operation("get", study="integer"),
        "/admin/{study}/pause": operation("post", "303", body=form(csrf=TEXT, paused=TEXT), study="integer"),
        "/admin/{study}/export": operation("get", study="integer"),
        "/static/{name}": operation("get", "304", name="string"),
    }
    return {"openapi": "3.0.3", "info": {"title": "giqa", "version": "1"}, "servers": [{"url": base}], "paths": paths}


class Visitor:
    """A browser without pictures: keeps cookies, finds the form's token."""

    def __init__(self):
        self.jar = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def page(self, url: str, **fields: str) -> str:
        data = urllib.parse.urlencode(fields).encode() if fields else None
        return self.opener.open(url, data).read().decode()

    def csrf(self, page: str) -> str:
        return re.search(r'(?:name="csrf" value|data-csrf)="(\w+)"', page)[1]

    def cookies(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("programs", type=existing, help="the folder with schemathesis and wapiti")
    parser.add_argument("--examples", type=int, default=200, help="of each address (%(default)s)")
    given = parser.parse_args()
    with results(given), tempfile.TemporaryDirectory() as folder:
        store = open_store(f"{folder}/votes.db")
        study = load_study(store, 4, 20)
        server = Server(f"{folder}/votes.db")
        server.start()
        try:
            scan(given.programs, f"http://127.0.0.1:{server.port}", study.token, Path(folder), given.examples)
            assert server.process.poll() is None, "the server did not survive the scan"
        finally:
            server.stop()
            store.close()


def scan(programs: Path, base: str, token: str, folder: Path, examples: int) -> None:
    visitor = Visitor()
    link = f"{base}/s/{token}"
    csrf = visitor.csrf(visitor.page(link, csrf=visitor.csrf(visitor.page(link))))
    visitor.page(f"{base}/admin/login", csrf=visitor.csrf(visitor.page(f"{base}/admin")), password=PASSWORD)
    cookies = visitor.cookies()
    (folder / "openapi.json").write_text(json.dumps(description(base, token, cookies, csrf)))
    words = [programs / "schemathesis", "run", folder / "openapi.json", "--url", base, "-n", examples]
    words += ["-H", f"Cookie: {cookies}", "-H", f"X-CSRF: {csrf}", "--phases", "examples,coverage,fuzzing"]
    print(said([*words, "--max-failures", 20], folder))
    if (programs / "wapiti").exists():
        words = [programs / "wapiti", "-u", link, "--scope", "domain", "-s", f"{base}/admin"]
        words += ["-H", f"Cookie: {cookies}", "-f", "txt", "-o", folder / "wapiti.txt"]
        said([*words, "--flush-session", "--max-scan-time", 150, "--no-bugreport"], folder)
        print((folder / "wapiti.txt").read_text())


def said(words: list, folder: Path) -> str:
    """What a scanner printed; its exit status says that it found something, not that it failed."""
    return subprocess.run([*map(str, words)], check=False, cwd=folder, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
