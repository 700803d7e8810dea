"""The web app under load: simulated raters who answer as fast as they are let, on SQLite and on PostgreSQL.

    python -m benchmarks.study.load --raters 20 --questions 10 [--kills 5] [--cuts 5] [--only sqlite]

Needs: giqa[humans]; PostgreSQL, without which its row is left out.
Takes: about a minute.

The server is a process of its own (`giqa label serve`); the raters are coroutines of this one, each with a connection
that it keeps, a cookie and vote ids of its own; each fetches the page, every picture, and sends every answer alone. A
request without an answer is repeated with the same vote id. At the end the store is read: of the acknowledged votes
none may be missing, and no question may be answered twice. PostgreSQL is a cluster of its own in a temporary folder,
on the loopback address, run by another user than root. `--kills N` kills the server (SIGKILL) N times in mid-load.
`--cuts N` cuts, N times, the connections of a third of the raters, and all those of the database; half way PostgreSQL
is stopped, for 2 s, and started again. SQLite has no process of its own: half way the server is killed and comes back.
With both, PostgreSQL is killed (SIGKILL) too.
"""

from __future__ import annotations

import argparse
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
from collections.abc import Callable
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

    def stop(self, how: int = signal.SIGINT) -> None:
        """At once, connections and all: PostgreSQL's fast shutdown, or SIGKILL, after which its processes end."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)


class Server:
    """`giqa label serve`, or another command that serves, as a process of its own, always on the same port."""

    def __init__(self, store: str, *words: str):
        self.words = words or ("label", "serve", "--store", store)
        self.port, self.process = free_port(), None
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


async def with_cuts(sitting: list[Rater], votes: int, cuts: int, cut: Callable[[bool], None]) -> int:
    """The load, and `cuts` times meanwhile a third of the raters' connections are cut, and `cut` is called; how often.

    `cut` is told whether this is the one half way.
    """
    load, rng, ledger = asyncio.gather(*(rater.sit() for rater in sitting)), random.Random(0), sitting[0].ledger
    for number in range(cuts):
        while len(ledger.acknowledged) < votes * (number + 1) / (cuts + 1) and not load.done():
            await asyncio.sleep(0.01)
        for rater in rng.sample(sitting, len(sitting) // 3):
            if rater.streams is not None:
                rater.streams[1].transport.abort()
        await asyncio.to_thread(cut, number == cuts // 2)
    await load
    return cuts


def cutter(server: Server, cluster: Cluster | None, how: int) -> Callable[[bool], None]:
    """Ends all connections of the database; when told so, it goes away as a whole, and comes back."""
    end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"

    def cut(away: bool) -> None:
        if cluster is None and away:
            server.kill()
            server.start()
        elif cluster is not None and away:
            cluster.stop(how)
            time.sleep(2)
            cluster.start()
        elif cluster is not None:
            engine = sa.create_engine(cluster.url.replace("postgresql:", "postgresql+psycopg:"))
            with engine.connect() as connection:
                connection.exec_driver_sql(end_all)
            engine.dispose()

    return cut


def measure(name: str, url: str, given: argparse.Namespace, cluster: Cluster | None = None) -> None:
    raters, questions, kills, cuts = given.raters, given.questions, given.kills, given.cuts
    store = open_store(url)
    study = load_study(store, raters, questions)
    server, ledger = Server(url), Ledger()
    server.start()
    start = time.perf_counter()
    if cuts:
        how = signal.SIGKILL if kills else signal.SIGINT
        sitting = [Rater(server.port, study.token, ledger, seed) for seed in range(raters)]
        done = asyncio.run(with_cuts(sitting, raters * questions, cuts, cutter(server, cluster, how)))
    else:
        done = asyncio.run(with_kills(server, study.token, raters, ledger, kills, random.Random(0)))
    seconds = time.perf_counter() - start
    server.stop()
    found = check(store, ledger)
    store.close()
    p50, p99 = np.percentile(1000 * np.array(ledger.seconds), [50, 99])
    speeds = (f"{value:.0f}" for value in (seconds, found["kept"] / seconds, p50, p99))
    row(name, raters, found["kept"], *speeds, found["lost"], found["doubled"], done)


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--raters", type=int, default=200, help="at once (%(default)s)")
    parser.add_argument("--questions", type=int, default=20, help="of each rater (%(default)s)")
    parser.add_argument("--kills", type=int, default=0, help="of the server in mid-load")
    parser.add_argument("--cuts", type=int, default=0, help="of connections, instead of kills")
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    given = parser.parse_args()
    with results(given):
        head("store", "raters", "votes", "s", "votes/s", "p50 ms", "p99 ms", "lost", "doubled", "kills or cuts")
        if given.only != "postgresql":
            with tempfile.TemporaryDirectory() as folder:
                measure("SQLite", f"{folder}/votes.db", given)
        if given.only != "sqlite" and Cluster.programs:
            cluster = Cluster()
            try:
                cluster.start()
                measure("PostgreSQL", cluster.url, given, cluster)
            finally:
                cluster.remove()


if __name__ == "__main__":
    main()
