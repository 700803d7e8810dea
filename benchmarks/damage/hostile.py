"""Hostile clients next to honest ones: how long do these wait?

    python -m benchmarks.damage.hostile --write

Needs: giqa[humans,serve]; Linux, whose clients may choose an address of 127.0.0.0/8.
Takes: about 2 minutes.

`giqa label serve`, then `giqa serve`, with their usual limits and 1,024 open files, on the loopback address. For
--seconds, hostile clients of one address (127.0.0.2) do one thing, from a process of its own, each again as soon as it
is thrown out:

- slow heads, slow bodies: --clients connections send a byte a second, of a head or of a body
- idle: as many connections send nothing
- joins (requests of `giqa serve`): 32 ask without a pause, each time as somebody new
- oversized: 8 declare 10 GB and send as much as they can, or a head of 1 MB
- malformed: 32 send what is no HTTP, no JSON, no form, no picture

Honest clients have addresses of their own: 5 raters who look and answer, or 5 who have a picture scored, each with a
pause of 0.1 s. A wait is from the first try to an answer, reconnections and refusals included; aim: at most 2 s.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.damage._requests import score_requests
from benchmarks.shared import command, head, names, results, row
from benchmarks.study.load import Ledger, Rater, Server, load_study
from giqa.study.store import open_store

HOSTILE, HONEST = "127.0.0.2", 5


class Attack:
    """What hostile clients do to a port until an end."""

    def __init__(self, port: int, path: str, clients: int, end: float):
        self.port, self.path, self.clients, self.end, self.done = port, path, clients, end, 0

    async def all(self, how: str) -> int:
        many = {"slow heads": self.clients, "slow bodies": self.clients, "idle": self.clients, "oversized": 8}.get(
            how, 32
        )
        one = {"slow heads": self.slow, "slow bodies": self.slow, "idle": self.idle}.get(how, self.quick)
        await asyncio.gather(*(self.again(one, how, number) for number in range(many)))
        return self.done

    async def again(self, one: Callable[..., Awaitable[None]], how: str, number: int) -> None:
        rng = random.Random(number)
        while time.monotonic() < self.end:
            writer = None
            with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                opened = asyncio.open_connection("127.0.0.1", self.port, local_addr=(HOSTILE, 0))
                reader, writer = await asyncio.wait_for(opened, 2)
                self.done += 1
                await one(reader, writer, how, rng)
            if writer is not None:
                writer.transport.abort()
            await asyncio.sleep(0.02)

    def head(self, method: str = "POST", length: int = 0, kind: str = "application/json") -> bytes:
        words = f"{method} {self.path} HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\n"
        return f"{words}Content-Length: {length}\r\n\r\n".encode()

    async def idle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, how: str, rng: Any) -> None:
        await asyncio.wait_for(reader.read(), max(0.1, self.end - time.monotonic()))

    async def slow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, how: str, rng: Any) -> None:
        content = b"GET / HTTP/1.1\r\nX: " if how == "slow heads" else self.head(length=60_000)
        writer.write(content)
        while time.monotonic() < self.end and not reader.at_eof():
            writer.write(b"x")
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.read(1), 1)

    async def quick(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, how: str, rng: Any) -> None:
        if how == "oversized" and rng.random() < 0.5:
            writer.write(b"GET / HTTP/1.1\r\nX: " + bytes(2**20))
        elif how == "oversized":
            writer.write(self.head(length=10**10))
            while time.monotonic() < self.end:
                writer.write(b"x" * 65_536)
                await asyncio.wait_for(writer.drain(), 2)
        elif how == "malformed":
            bodies = (b"[" * 9999, b'{"pictures": 1}', b"--b\r\n", rng.randbytes(999), b"\xff" * 99, b"csrf=a&csrf=%00")
            body, kind = rng.choice(bodies), rng.choice(("application/json", "multipart/form-data; boundary=b", "x"))
            heads = (rng.randbytes(200), b"GET\r\n\r\n", b"GET /%00%ff/../.. HTTP/9.9\r\n\r\n", self.head("X Y"))
            writer.write(rng.choice((*heads, *[self.head(length=len(body), kind=kind) + body] * 4)))
        else:
            writer.write(self.head("GET"))
        await asyncio.wait_for(reader.read(200), 2)


def attack(how: str, given: tuple[int, str, int, float], done: Any) -> None:
    """In a process of its own."""
    given = (*given[:3], time.monotonic() + given[3])
    done.value = asyncio.run(Attack(*given).all(how))


class Honest(Rater):
    """A rater, or somebody who has a picture scored, with an address of their own and pauses."""

    def __init__(self, port: int, token: str, ledger: Ledger, seed: int):
        super().__init__(port, token, ledger, seed)
        self.source = f"127.0.1.{seed + 1}"

    async def ask(self, method: str, path: str, body: str = "", extra: str = "") -> tuple[int, dict, bytes]:
        await asyncio.sleep(0.1)
        start = time.perf_counter()
        while True:
            answer = await super().ask(method, path, body, extra)
            if answer[0] < 400:
                self.ledger.seconds.append(time.perf_counter() - start)
                return answer
            self.ledger.unreachable += 1
            await asyncio.sleep(0.05)

    async def score(self, body: str) -> None:
        self.base = ""
        while True:
            await self.ask("POST", "/v1/scores", body, "Content-Type: application/json\r\n")


async def honest(port: int, token: str, body: str, seconds: float) -> Ledger:
    ledger = Ledger()
    clients = [Honest(port, token, ledger, seed) for seed in range(HONEST)]
    work = asyncio.gather(*(one.score(body) if body else one.sit() for one in clients))
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(work, seconds)
    return ledger


def measured(server: Server, path: str, token: str, body: str, options: Any) -> None:
    """A row for each attack on a server that runs."""
    kind = "serve" if body else "label serve"
    for how in options.only or ("nothing", "idle", "slow heads", "slow bodies", "joins", "oversized", "malformed"):
        done = multiprocessing.Value("i", 0)
        given = (how, (server.port, path, options.clients, options.seconds + 2), done)
        hostile = multiprocessing.Process(target=attack, args=given)
        if how != "nothing":
            hostile.start()
            time.sleep(2)  # they come first
        ledger = asyncio.run(honest(server.port, token, body, options.seconds))
        if how != "nothing":
            hostile.join()
        waits = 1000 * np.array(ledger.seconds or [np.inf])
        said = [f"{value:.0f}" for value in (*np.percentile(waits, [50, 99]), waits.max())]
        row(kind, how, done.value, len(ledger.seconds), *said, ledger.unreachable, ledger.failures)
        options.figures[f"{kind}, {how}"] = waits.tolist()


def main() -> None:
    parser = command(__file__, __doc__, "json")
    parser.add_argument("--seconds", type=float, default=8, help="of each attack (%(default)s)")
    parser.add_argument("--clients", type=int, default=1100, help="connections that are slow (%(default)s)")
    parser.add_argument("--only", type=names(), metavar="NAMES", help="some of the attacks")
    options = parser.parse_args()
    with results(options), tempfile.TemporaryDirectory() as folder:
        head(
            "server",
            "hostile clients",
            "connections",
            "honest requests",
            "p50 ms",
            "p99 ms",
            "max ms",
            "refused",
            "cut",
        )
        store = open_store(f"{folder}/votes.db")
        study = load_study(store, 7 * HONEST, 60)
        store.close()
        import giqa
        from benchmarks.damage._parsers import PIXELS

        giqa.fit(list(PIXELS), extractor="statistics", scorer="knn", store=False).save(f"{folder}/a.giqa")
        body = json.dumps(json.loads(score_requests(Path(folder))[0])["body"])
        tracebacks = {}
        for words, path, sent in (
            (("label", "serve", "--store", f"{folder}/votes.db"), f"/s/{study.token}", ""),
            (("serve", f"{folder}/a.giqa"), "/v1/scores", body),
        ):
            server = Server("", *words)
            with (Path(folder) / "log").open("w+") as server.log:
                server.start(open_files=1024)
                measured(server, path, study.token, sent, options)
                server.stop()
                server.log.seek(0)
                tracebacks[words[0]] = server.log.read().count("Traceback")
        print(f"\nTracebacks in the logs: {sum(tracebacks.values())}.")


if __name__ == "__main__":
    main()
