"""The web app under load: simulated raters who answer as fast as they are let, on SQLite and on PostgreSQL.

    python -m benchmarks.study.load --raters 20 --questions 10 [--kills 5] [--only sqlite]

Needs: giqa[humans]; PostgreSQL, without which its row is left out.
Takes: about a minute.

The server is a process of its own (`giqa label serve`); the raters are coroutines of this one, each with a connection
that it keeps, a cookie and vote ids of its own; each fetches the page, every picture, and sends every answer alone. A
request without an answer is repeated with the same vote id. At the end the store is read: of the acknowledged votes
none may be missing, and no question may be answered twice. PostgreSQL is a cluster of its own in a temporary folder,
on the loopback address, run by another user than root. `--kills N` kills the server (SIGKILL) N times in mid-load.
"""

from __future__ import annotations

import asyncio
import glob
import json
import os
import pwd
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from benchmarks.shared import command, head, results, row
from giqa.study import tables as t
from giqa.study.setup import Given, make_study
from giqa.study.store import Store, open_store
from giqa.study.study import Settings


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Cluster:
    """A PostgreSQL cluster of our own: start(), stop(), url; nothing outside its folder is touched."""

    programs = max(glob.glob("/usr/lib/postgresql/*/bin"), default=None, key=lambda p: int(p.split("/")[4]))

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="giqa-postgresql-"))
        self.owner = {}
        if os.getuid() == 0:  # PostgreSQL refuses to be root
            name = "postgres" if "postgres" in {user.pw_name for user in pwd.getpwall()} else "nobody"
            shutil.chown(self.folder, name)
            self.owner = {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}
        self.port, self.process = free_port(), None
        done = [f"{self.programs}/initdb", "-D", f"{self.folder}/data", "-U", "giqa", "--auth=trust", "-E", "UTF8"]
        subprocess.run(done, check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self.owner)

    @property
    def url(self) -> str:
        return f"postgresql://giqa@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        words = [f"{self.programs}/postgres", "-D", f"{self.folder}/data", "-p", str(self.port)]
        words += ["-k", str(self.folder), "-c", "listen_addresses=127.0.0.1"]
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(words, stdout=log, stderr=log, cwd=self.folder, **self.owner)
        log.close()
        ready = [f"{self.programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        end = time.monotonic() + 30
        while subprocess.run(ready).returncode:
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.05)

    def stop(self) -> None:
        """At once, connections and all (PostgreSQL's fast shutdown)."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
            self.process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)


class Server:
    """`giqa label serve --store STORE`, or what else serves, as a process of its own, always on the same port."""

    def __init__(self, *words: str):
        self.words, self.port, self.process = words, free_port(), None
        self.log = None  # a file that gets what it says of errors

    def start(self, open_files: int | None = None) -> None:
        words = [sys.executable, "-m", "giqa.cli", *self.words, "--port", str(self.port)]
        env = os.environ | {"GIQA_ADMIN_PASSWORD": "a password for the benchmark"}
        usual = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_files or usual[0], usual[1]))
        self.process = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=self.log)
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    raise RuntimeError("the server ended") from None
                time.sleep(0.02)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)


@dataclass
class Ledger:
    """What the raters know: ids that were acknowledged, seconds from sending a vote to its receipt, failures seen."""

    acknowledged: dict[str, tuple[str, str]] = field(default_factory=dict)  # id -> (trial, answer)
    seconds: list[float] = field(default_factory=list)
    failures: int = 0
    unreachable: int = 0
    finished: int = 0


class Rater:
    """One simulated person: a connection that is kept, a cookie, answers by chance."""

    source = ""  # the address of this person; as the system gives it

    def __init__(self, port: int, token: str, ledger: Ledger, seed: int):
        self.port, self.base, self.ledger, self.rng = port, f"/s/{token}", ledger, random.Random(seed)
        self.streams, self.cookie = None, ""

    async def ask(self, method: str, path: str, body: str = "", extra: str = "") -> tuple[int, dict, bytes]:
        """One request over the kept connection, and again until there is an answer."""
        while True:
            try:
                if self.streams is None:
                    own = {"local_addr": (self.source, 0)} if self.source else {}
                    self.streams = await asyncio.open_connection("127.0.0.1", self.port, **own)
                return await asyncio.wait_for(self.once(method, path, body, extra), 30)
            except (OSError, asyncio.IncompleteReadError, TimeoutError, IndexError):
                self.ledger.failures += 1
                if self.streams is not None:
                    self.streams[1].close()
                self.streams = None
                await asyncio.sleep(0.05)

    async def once(self, method: str, path: str, body: str, extra: str) -> tuple[int, dict, bytes]:
        reader, writer = self.streams
        first = f"{method} {self.base}{path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
        cookie = f"Cookie: giqa_rater={self.cookie}\r\n"
        writer.write(f"{first}{cookie}{extra}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:-2])}
        content = await reader.readexactly(int(headers.get("content-length", 0)))
        found = re.match(r"giqa_rater=([^;]+)", headers.get("set-cookie", ""))
        if found:
            self.cookie = found[1]
        return int(lines[0].split()[1]), headers, content

    async def agreed(self) -> str:
        """Through the consent page; the token of the task page. Lost on the way, they begin again, as people do."""
        while True:
            _, _, page = await self.ask("GET", "")
            found = re.search(rb'name="csrf" value="(\w+)"', page)
            if found:
                kind = "Content-Type: application/x-www-form-urlencoded\r\n"
                await self.ask("POST", "", f"csrf={found[1].decode()}", kind)
            _, _, page = await self.ask("GET", "/task")
            found = re.search(rb'data-csrf="(\w+)"', page)
            if found:
                return found[1].decode()
            await asyncio.sleep(0.1)

    async def sit(self) -> None:
        extra = f"Content-Type: application/json\r\nX-CSRF: {await self.agreed()}\r\n"
        status, _, content = await self.ask("GET", "/state")
        while status != 200:
            await asyncio.sleep(0.1)
            status, _, content = await self.ask("GET", "/state")
        told = json.loads(content)
        while told["next"]:
            question = told["next"][0]
            for address in question["pictures"]:
                await self.ask("GET", f"/{address}")
            told = await self.answer(question, extra)
        self.ledger.finished += told["state"] == "done"

    async def answer(self, question: dict, extra: str) -> dict:
        vote = {"id": uuid.UUID(int=self.rng.getrandbits(128)).hex, "trial": question["trial"]}
        vote |= {"answer": self.rng.choice(["real", "fake"]), "response_ms": 100.0}
        start = time.perf_counter()
        while True:
            status, _, content = await self.ask("POST", "/votes", json.dumps({"votes": [vote]}), extra)
            if status == 200:
                break
            assert status in (429, 503), content
            self.ledger.unreachable += status == 503
            await asyncio.sleep(0.05)
        self.ledger.seconds.append(time.perf_counter() - start)
        told = json.loads(content)
        if told["results"][0]["result"] == "kept":
            self.ledger.acknowledged[vote["id"]] = (vote["trial"], vote["answer"])
        return told["state"]


def load_study(store: Store, raters: int, questions: int):
    """As many fakes and reals as keep every rater busy, each picture with the same number of votes."""
    half = max(1, questions // 2)
    number = 2 * half  # pictures of each kind
    votes_each = -(-raters * half // number)
    settings = Settings("hype", votes_each=votes_each, sitting=questions, controls=0, tutorial=0)

    def picture(index: int) -> np.ndarray:
        return np.random.default_rng(index).integers(0, 256, (64, 64, 3), dtype=np.uint8)

    given = {
        which: [Given(f"{which}{i}", which, lambda i=i: picture(i)) for i in range(number)] for which in ("gan", "")
    }
    return make_study(store, "load", settings, given["gan"], given[""])


async def all_sit(port: int, token: str, raters: int, ledger: Ledger) -> None:
    await asyncio.gather(*(Rater(port, token, ledger, seed).sit() for seed in range(raters)))


def check(store: Store, ledger: Ledger) -> dict[str, int]:
    """The acknowledged votes against those in the store."""
    with store.read() as connection:
        rows = connection.execute(sa.select(t.votes)).all()
    kept = {row.id: (row.trial, row.answer) for row in rows}
    first = [row.trial for row in rows if row.revision == 0]
    return {
        "kept": len(rows),
        "acknowledged": len(ledger.acknowledged),
        "lost": sum(kept.get(name) != what for name, what in ledger.acknowledged.items()),
        "doubled": len(first) - len(set(first)),
    }


async def with_kills(
    server: Server, token: str, raters: int, ledger: Ledger, kills: int, rng: random.Random, most: int | None = None
) -> int:
    """The load, and meanwhile the server is killed at random moments, at most `kills` times; how often it was.

    With `most`, raters are left alone once so many votes were acknowledged after the last kill.
    """
    load = asyncio.create_task(all_sit(server.port, token, raters, ledger))
    done = 0
    while done < kills and not load.done():
        before = len(ledger.acknowledged)
        end = time.monotonic() + 20
        while len(ledger.acknowledged) == before and not load.done() and time.monotonic() < end:
            await asyncio.sleep(0.005)
        await asyncio.sleep(rng.uniform(0, 0.25))
        if load.done():
            break
        server.kill()
        done += 1
        await asyncio.to_thread(server.start)
    while most is not None and len(ledger.acknowledged) < most and not load.done():
        await asyncio.sleep(0.01)
    if most is not None:
        load.cancel()
    await asyncio.gather(load, return_exceptions=most is not None)
    return done


def measure(name: str, url: str, raters: int, questions: int, kills: int) -> None:
    store = open_store(url)
    study = load_study(store, raters, questions)
    server, ledger = Server("label", "serve", "--store", url), Ledger()
    server.start()
    start = time.perf_counter()
    done = asyncio.run(with_kills(server, study.token, raters, ledger, kills, random.Random(0)))
    seconds = time.perf_counter() - start
    server.stop()
    found = check(store, ledger)
    store.close()
    p50, p99 = np.percentile(1000 * np.array(ledger.seconds), [50, 99])
    speeds = (f"{value:.0f}" for value in (found["kept"] / seconds, p50, p99))
    row(name, raters, found["kept"], *speeds, found["lost"], found["doubled"], done)


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--raters", type=int, default=200, help="at once (%(default)s)")
    parser.add_argument("--questions", type=int, default=20, help="of each rater (%(default)s)")
    parser.add_argument("--kills", type=int, default=0, help="of the server in mid-load")
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    given = parser.parse_args()
    size = given.raters, given.questions, given.kills
    with results(given):
        head("store", "raters", "votes", "votes/s", "p50 ms", "p99 ms", "lost", "doubled", "kills")
        if given.only != "postgresql":
            with tempfile.TemporaryDirectory() as folder:
                measure("SQLite", f"{folder}/votes.db", *size)
        if given.only != "sqlite" and Cluster.programs:
            cluster = Cluster()
            try:
                cluster.start()
                measure("PostgreSQL", cluster.url, *size)
            finally:
                cluster.remove()


if __name__ == "__main__":
    main()
