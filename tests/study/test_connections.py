"""Who a client is, and how long it may take."""

import socket
import threading
from contextlib import contextmanager

import httpx
import pytest
import uvicorn

from giqa.study import connections
from giqa.study.access import Limits
from giqa.study.app import make_app


@contextmanager
def listening_to(app, proxy=None):
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(connections.config(app, proxy, connections=50, idle_seconds=1, stop_seconds=5))
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
