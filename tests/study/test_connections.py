"""Who a client is, and how long it may take."""

import logging
import re
import socket
import sys
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import httpx
import pytest
import uvicorn

from giqa.study import connections
from giqa.study.access import Limits
from giqa.study.app import make_app


@pytest.fixture
def listen_to_log(caplog):
    """To be called once a server is configured, which empties the handlers of its log."""
    log = logging.getLogger("uvicorn.error")
    yield lambda: log.addHandler(caplog.handler)
    log.removeHandler(caplog.handler)


@contextmanager
def listening_to(app, proxy=None, stop_seconds=5):
    listening = socket.create_server(("127.0.0.1", 0))
    for what in (socket.SO_SNDBUF, socket.SO_RCVBUF):  # little is kept by the system
        listening.setsockopt(socket.SOL_SOCKET, what, 4096)
    server = uvicorn.Server(connections.config(app, proxy, connections=50, idle_seconds=1, stop_seconds=stop_seconds))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield listening.getsockname()
    finally:
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize(("proxy", "answers"), [(None, [404, 404, 429, 429]), ("127.0.0.1", [404] * 4)])
def test_limits_count_the_address_of_the_connection_unless_a_proxy_is_named(store, proxy, answers):
    app = make_app(store, limits=Limits(join=(2, 1e-6)))
    with listening_to(app, proxy) as (host, port):
        said = [{"x-forwarded-for": f"10.0.0.{i}"} for i in range(4)]
        assert [httpx.get(f"http://{host}:{port}/s/guess", headers=each).status_code for each in said] == answers


def test_a_head_a_body_and_the_next_request_must_come_in_time(store, study_in, monkeypatch):
    monkeypatch.setattr(connections.TimedProtocol, "head_seconds", 0.3)
    monkeypatch.setattr("giqa.study.requests.BODY_SECONDS", 0.3)
    begun = f"POST /s/{study_in(store).token} HTTP/1.1\r\nhost: x\r\n".encode()
    whole = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"
    cases = [(b"", b""), (begun, b""), (begun + b"content-length: 10\r\n\r\n", b"408"), (whole, b"200")]
    with listening_to(make_app(store)) as address:
        for sent, answered in [*cases, (whole + begun, b"200")]:
            with socket.create_connection(address, timeout=20) as connection:
                connection.sendall(sent)
                answer = b"".join(iter(lambda c=connection: c.recv(65536), b""))
                assert answer[9:12] == answered


def test_the_rest_of_a_body_that_is_answered_must_come_in_time(store, monkeypatch):
    """Its answer does not wait for the body; a byte now and then would hold the connection for ever."""
    monkeypatch.setattr(connections.TimedProtocol, "head_seconds", 0.3)
    with listening_to(make_app(store)) as address, socket.create_connection(address, timeout=20) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n")
        assert connection.recv(65536)[9:12] == b"200"
        with pytest.raises(ConnectionError):
            for _ in range(60):
                connection.sendall(b"x")
                time.sleep(0.05)


def test_who_takes_no_answer_is_thrown_out(store, monkeypatch):
    """Requests in a row, until neither they nor their answers find room in what the system keeps for a connection."""
    monkeypatch.setattr(connections.TimedProtocol, "answer_seconds", 0.3)
    with listening_to(make_app(store)) as address, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(20)
        connection.connect(address)
        with pytest.raises(ConnectionError):
            while True:
                connection.sendall(b"GET /static/app.css HTTP/1.1\r\nhost: x\r\n\r\n" * 200)


def test_who_takes_an_answer_slowly_gets_it():
    """3 MB at 20 KB a second take 150 s; every 60 s it is looked whether anything was taken."""
    left, due, ended = [3_000_000], [], []
    protocol = connections.TimedProtocol.__new__(connections.TimedProtocol)
    protocol.flow = SimpleNamespace(pause_writing=lambda: None, resume_writing=lambda: None)
    protocol.transport = SimpleNamespace(get_write_buffer_size=lambda: left[0], abort=lambda: ended.append(True))
    protocol.loop = SimpleNamespace(call_later=lambda _, call, *args: due.append((call, args)))
    protocol.pause_writing()
    for left[0], wanted in ((1_800_000, []), (600_000, []), (600_000 - connections.TAKEN + 1, [True])):
        call, args = due.pop()
        call(*args)
        assert ended == wanted


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has addresses 127.0.0.2 and on")
def test_an_address_takes_half_of_the_connections_at_most(store):
    """25 of 50: the 26th is closed, another address is served, and what was given back can be taken again."""
    with listening_to(make_app(store)) as address:
        for _ in range(2):
            held = [socket.create_connection(address, timeout=20, source_address=("127.0.0.2", 0)) for _ in range(26)]
            held[-1].settimeout(20)
            assert closed(held[-1])
            with socket.create_connection(address, timeout=20, source_address=("127.0.0.3", 0)) as other:
                other.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
                assert other.recv(12)[9:] == b"200"
            for one in held:
                one.close()
            while connections.TimedProtocol.held["127.0.0.2"]:
                time.sleep(0.01)


def closed(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_as_many_connections_as_files_may_be_open(monkeypatch, capfd):
    """By hand: 1,024 files less 448 for all else; of 128 files a quarter; what is asked for where there are enough."""
    for files, number in ((1024, 576), (128, 32), (5000, 600)):
        monkeypatch.setattr(connections, "_open_files", lambda wanted, files=files: min(wanted, files))
        made = connections.config(None, None, connections=600, idle_seconds=1, stop_seconds=5)
        assert (made.limit_concurrency, made.backlog) == (number, min(number, 128))
    assert capfd.readouterr().err.splitlines() == [
        "WARNING:  Only 1024 files may be open: 576 connections at once, not 600; ulimit -n raises it.",
        "WARNING:  Only 128 files may be open: 32 connections at once, not 600; ulimit -n raises it.",
    ]


def test_a_change_that_waits_when_the_server_stops_is_refused_in_words(
    store, study_in, monkeypatch, caplog, listen_to_log
):
    """uvicorn cancels what waits for longer than it may: 503, and no traceback in the log."""
    monkeypatch.setattr("giqa.study.store.PATIENCE", 1)
    app, study = make_app(store), study_in(store)
    with store.turn, listening_to(app, stop_seconds=0) as (host, port):
        listen_to_log()
        client, where = httpx.Client(timeout=20), f"http://{host}:{port}/s/{study.token}"
        form = {"csrf": re.search(r'value="([0-9a-f]{64})"', client.get(where).text)[1]}
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(client.post(where, data=form)))
        waiting.start()
        time.sleep(0.3)
    waiting.join()
    assert answers[0].status_code == 503 and "no answer is lost" in answers[0].text
    assert not any(record.exc_info for record in caplog.records)


def test_who_leaves_in_the_middle_of_a_body_leaves_no_traceback(store, study_in, caplog, listen_to_log):
    begun = f"POST /s/{study_in(store).token} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc".encode()
    with listening_to(make_app(store)) as address:
        listen_to_log()
        with socket.create_connection(address, timeout=20) as connection:
            connection.sendall(begun)
            while not connections.TimedProtocol.held["127.0.0.1"]:
                time.sleep(0.01)
        while connections.TimedProtocol.held["127.0.0.1"]:
            time.sleep(0.01)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
