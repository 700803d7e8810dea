"""Kill -9 at random moments: does the same command, given again, end as if nothing had happened, and are votes lost?

    python -m benchmarks.damage.kills WORK --each 25 --write

Needs: giqa[humans,serve]; fork (Linux, macOS).
Takes: about 15 minutes of processor time for --each 25.

A command runs in a process of its own, which is killed after a random part (seeded) of the time that it took untouched;
kills that came too late are not counted. Then the same command is given again in the same folder, with the same kept
features. Compared with an untouched run:

- *half*: a file of results that stands there after the kill, and is not that of the untouched run. Should be 0.
- *differ*: the same after the second run. Should be 0.
- *leftovers*: hidden partial files that a killed process leaves, and that nothing reads.

Servers: a client votes, or asks for scores, until the server is killed; the server is started again. *Lost*: votes
that were acknowledged and are not in the store; *doubled*: votes that are there twice after the client has sent again
what was not acknowledged. Of `serve`, answers that differ from those before.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared import command, head, names, results, row, say

HOW = ["--extractor", "statistics", "--quiet"]
PAIR = ["--real", "../reals"]
STEPS = ["--steps", "6", "--every", "3", "--each", "8"]
PROGRESS = ("log.csv", "gan.checkpoint")  # of a training: what goes on, no results
COMMANDS: dict[str, list[str]] = {
    "fit": ["fit", "../reals", "-o", "m.giqa", *HOW],
    "score": ["score", "../fakes", "--real", "../reals", "-o", "s.csv", "--report", "r.html", *HOW],
    "extract": ["statistics", "make", "../reals", "-o", "s.npz", *HOW],
    "compare": [
        "compare",
        "--real",
        "../reals",
        "A=../fakes",
        "B=../worse",
        "-o",
        "c.json",
        *HOW,
        "--metrics",
        "qs,fd",
    ],
    "track": ["track", "../run", "--real", "../reals", "-o", "t.json", *HOW, "--metrics", "qs,fd"],
    "train": ["train", "mbc", "../m.csv", "-o", "h.giqa", "--heads", "2", *HOW],
    "pick": [
        "pick",
        "../s.csv",
        "--images",
        "../fakes",
        "--keep",
        "50%",
        "-o",
        "best",
        *PAIR,
        "--curve",
        "q.html",
        *HOW,
    ],
    "explain": ["explain", "../fakes/fake_000_none_0.00.png", *PAIR, "-o", "e.html", "-o", "e.png", "--quiet"],
    "explain many": ["explain", "../fakes", *PAIR, "-o", "maps/", "--quiet"],
    "evaluate": ["evaluate", "../s.csv", "--labels", "../l.csv", "-o", "v.json", "--quiet"],
    "bench": ["bench", "../l.csv", "--images", "../fakes", *PAIR, "--scorers", "knn", "-o", "b.json", *HOW],
    "suggest": ["suggest", "../fakes", "-n", "5", "-o", "n.csv", *HOW],
    "label stats": ["label", "stats", "../l.csv", "-o", "l.json", "--labels", "w.csv", "--report", "l.html", "--quiet"],
    "label export": ["label", "export", "--store", "../v.db", "-o", "v.csv"],
    "label import": ["label", "import", "../k.csv", "--format", "crowd-kit", "--key", "../key", "-o", "i.csv"],
    "convert": ["statistics", "convert", "../m.npz", "-o", "c.npz"],
    "train human": ["train", "human", "../l.csv", "--images", "../fakes", *PAIR, "-o", "p.giqa", "--layers", "high"],
    "train gan": ["train", "gan", "../reals", "-o", "gan", "--width", "4", "--batch", "4", *STEPS, "--quiet"],
}
ONCE = ("pick",)  # never overwrites what it wrote: killed after its last file, it has nothing left to do
JOBS = (*COMMANDS, "label serve", "serve")


def make(work: Path) -> None:
    """Pictures, a run with two checkpoints, a manifest; scores, statistics, and votes in a table and in a store."""
    import giqa
    from giqa.images.toy import write_toy
    from giqa.metrics.frechet import Moments
    from giqa.metrics.reference_statistics import Statistics
    from giqa.study.collect import collect
    from giqa.study.session import join, keep, rater_of
    from giqa.study.store import open_store

    reals, fakes = write_toy(work, n_real=60, n_fake=40, size=48)
    for number in (10, 20):
        shutil.copytree(fakes, work / "run" / f"iter_{number}")
    (work / "worse").mkdir()
    for file in sorted(fakes.iterdir())[20:]:
        shutil.copy(file, work / "worse")
    rows = [f"reals/{file.name},real,," for file in sorted(reals.iterdir())]
    rows += [f"fakes/{file.name},generated,a,{100 * (n % 4 + 1)}" for n, file in enumerate(sorted(fakes.iterdir()))]
    (work / "m.csv").write_text("image,kind,run,iteration\n" + "\n".join(rows) + "\n")
    said = [(file.name, f"r{k}", (n + k) % 3 % 2) for n, file in enumerate(sorted(fakes.iterdir())) for k in range(3)]
    for name, columns in (("l.csv", "image,rater,said_real"), ("k.csv", "task,worker,label")):
        (work / name).write_text(columns + "".join(f"\n{name},{who},{yes}" for name, who, yes in said) + "\n")
    (work / "key").write_text("a secret that is always the same, so that raters are\n")
    how = {"extractor": "statistics", "store": False}
    giqa.score(fakes, real=reals, **how).write(work / "s.csv")
    Statistics(Moments.of(np.random.default_rng(0).normal(size=(60, 8))), {"extractor": "mine"}).write(work / "m.npz")
    with closing(open_store(work / "v.db")) as store:
        study = collect(fakes, reals, task="hype", store=store, tutorial=0, controls=0, sitting=10)
        join(store, study, "a cookie")
        rater = rater_of(store, study, "a cookie")
        vote = {"revision": 0, "answer": "real", "shown_ms": None, "response_ms": None}
        for trial in rater.trials:
            keep(store, study, rater, [vote | {"id": trial.id, "trial": trial.id}])


def started(folder: Path, words: list[str]) -> int:
    """`giqa WORDS` in a process of its own, forked, so that imports are paid for once; its number."""
    number = os.fork()
    if number:
        return number
    code = 1
    try:
        from giqa.cli import main as giqa

        folder.mkdir(parents=True, exist_ok=True)
        os.chdir(folder)
        os.environ["GIQA_HOME"] = str(folder / "home")
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            code = giqa(words, standalone_mode=False) or 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException as error:
        print(f"{' '.join(words)}: {error!r}", file=sys.stderr)
    finally:
        os._exit(code)


def untouched(folder: Path, words: list[str]) -> float:
    """Seconds of a run to its end."""
    begun = time.monotonic()
    _, status = os.waitpid(started(folder, words), 0)
    if status:
        sys.exit(f"giqa {' '.join(words)} ended with {status}")
    return time.monotonic() - begun


def files(folder: Path, hidden: bool = False) -> Iterator[Path]:
    """The results in a folder, or the hidden files, as paths in it; not the kept features."""
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder)
        if file.is_file() and inside.parts[0] != "home" and hidden == any(part[0] == "." for part in inside.parts):
            yield inside


def content(folder: Path) -> dict[str, bytes]:
    """The results in a folder, by path."""
    return {f"{file}": (folder / file).read_bytes() for file in files(folder)}


def killed(number: int, seconds: float) -> bool:
    """Kill a process after some seconds; False where it ended before."""
    time.sleep(seconds)
    os.kill(number, signal.SIGKILL)
    _, status = os.waitpid(number, 0)
    return os.WIFSIGNALED(status)


def command_killed(work: Path, name: str, each: int, rng: random.Random) -> dict[str, int]:
    """So many kills of a command, each followed by the same command to its end."""
    words, clean = COMMANDS[name], work / f"{name}-clean"
    untouched(clean, words)
    seconds, again, wanted = untouched(work / f"{name}-again", words), work / f"{name}-again", content(clean)
    steady = {file for file, raw in content(again).items() if raw == wanted[file]}
    if steady != wanted.keys():
        say(f"{name}: {wanted.keys() - steady} differ between two untouched runs, and are not compared")
    counts = dict.fromkeys(("kills", "half", "differ", "leftovers"), 0)
    for attempt in range(3 * each):
        if counts["kills"] == each:
            break
        folder = work / f"{name}-{attempt}"
        if killed(started(folder, words), rng.uniform(0.02, 1) * seconds):
            counts["kills"] += 1
            folder.mkdir(exist_ok=True)
            there = {file: raw for file, raw in content(folder).items() if Path(file).name not in PROGRESS}
            counts["half"] += sum(raw != wanted.get(f) for f, raw in there.items() if f in steady)
            if name not in ONCE or content(folder) != wanted:
                untouched(folder, words)
            found = content(folder)
            counts["differ"] += sum(found.get(file) != wanted[file] for file in steady) + len(found.keys() - wanted)
            counts["leftovers"] += len([*files(folder, hidden=True)])
        shutil.rmtree(folder)
    return counts


# --- servers


class Client:
    """One rater in a browser, as far as HTTP goes."""

    def __init__(self, port: int, token: str):
        self.port, self.path, self.cookie, self.csrf = port, f"/s/{token}", "", ""

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, Any, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, {"cookie": self.cookie, **headers})
            answer = connection.getresponse()
            for cookie in answer.headers.get_all("set-cookie") or ():
                self.cookie = cookie.partition(";")[0]
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def join(self) -> None:
        page = self.ask("GET", self.path)[2].decode()
        found = re.search(r'name="csrf"[^>]*value="([0-9a-f]+)"|value="([0-9a-f]+)"[^>]*name="csrf"', page)
        form = urllib.parse.urlencode({"csrf": found[1] or found[2]})
        self.ask("POST", self.path, form, **{"content-type": "application/x-www-form-urlencoded"})
        page = self.ask("GET", f"{self.path}/task")[2].decode()
        self.csrf = re.search(r'csrf[^>]*?["=]([0-9a-f]{64})', page)[1]

    def next(self) -> str | None:
        asked = json.loads(self.ask("GET", f"{self.path}/state")[2])["next"]
        return asked[0]["trial"] if asked else None

    def vote(self, vote: dict[str, Any]) -> str:
        status, _, body = self.ask("POST", f"{self.path}/votes", json.dumps({"votes": [vote]}), **{"x-csrf": self.csrf})
        return json.loads(body)["results"][0]["result"] if status == 200 else f"{status}"


def server(folder: Path, words: list[str]) -> tuple[int, int]:
    """A server on a free port, once it answers: its process and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    number = started(folder, [*words, "--port", str(port)])
    for _ in range(3000):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return number, port
        except OSError:
            time.sleep(0.02)
    sys.exit(f"giqa {' '.join(words)} does not listen")


def votes_killed(work: Path, each: int, rng: random.Random) -> dict[str, int]:
    """A rater votes until the server is killed, again and again, on one store."""
    folder, words = work / "votes", ["label", "serve", "--store", "votes.db", "--host", "127.0.0.1"]
    new = [*words, "../fakes", "--real", "../reals", "--task", "hype", "--votes", "1000", "--tutorial", "0"]
    untouched(folder, [*new, "--controls", "0", "--sitting", "40", "--port", "0", "--dry-run"])
    with sqlite3.connect(folder / "votes.db") as database:
        token = database.execute("select token from studies").fetchone()[0]
    acknowledged: set[str] = set()
    counts = dict.fromkeys(("kills", "half", "differ", "acknowledged", "lost", "doubled"), 0)
    client, waiting = Client(0, token), None
    for _ in range(each):
        number, client.port = server(folder, words)
        timer = threading.Timer(rng.uniform(0.5, 4.0), os.kill, (number, signal.SIGKILL))
        timer.start()
        try:
            while True:
                if not client.csrf:
                    client.join()
                if waiting is None:
                    trial = client.next()
                    if trial is None:
                        client = Client(client.port, token)
                        continue
                    name = f"{rng.getrandbits(128):032x}"
                    waiting = {"id": name, "trial": trial, "answer": rng.choice(("real", "fake")), "revision": 0}
                said = client.vote(waiting)
                if said == "kept":
                    acknowledged.add(waiting["id"])
                elif said == "429":  # asked too often
                    time.sleep(0.1)
                    continue
                waiting = None
        except (OSError, http.client.HTTPException, TypeError, ValueError):  # it is dead
            pass
        timer.join()
        os.waitpid(number, 0)
        counts["kills"] += 1
        if not client.csrf:
            client = Client(0, token)
    with sqlite3.connect(folder / "votes.db") as database:
        kept = [name for (name,) in database.execute("select id from votes")]
        trials = [name for (name,) in database.execute("select trial from votes")]
    counts["acknowledged"], counts["lost"] = len(acknowledged), len(acknowledged - set(kept))
    counts["doubled"] = len(kept) - len(set(kept)) + len(trials) - len(set(trials))
    return counts


def scores_killed(work: Path, each: int, rng: random.Random) -> dict[str, int]:
    """A client asks for scores until the server is killed; a new one gives the same answers."""
    import base64

    folder = work / "scores"
    untouched(folder, [*COMMANDS["fit"][:-1], "--quiet"])
    pictures = [{"data": base64.b64encode(f.read_bytes()).decode()} for f in sorted((work / "fakes").iterdir())[:6]]
    counts, wanted = dict.fromkeys(("kills", "half", "differ", "acknowledged"), 0), None
    for _ in range(each):
        number, port = server(folder, ["serve", "m.giqa", "--host", "127.0.0.1"])
        client = Client(port, "")
        timer = threading.Timer(rng.uniform(0.5, 4.0), os.kill, (number, signal.SIGKILL))
        timer.start()
        try:
            while True:
                body = json.dumps({"pictures": pictures})
                status, _, answer = client.ask("POST", "/v1/scores", body, **{"content-type": "application/json"})
                if status == 200:
                    wanted = wanted or answer
                    counts["differ"] += answer != wanted
                    counts["acknowledged"] += 1
        except (OSError, http.client.HTTPException):
            pass
        timer.join()
        os.waitpid(number, 0)
        counts["kills"] += 1
    return counts


def main() -> None:
    parser = command(__file__, __doc__, "json")
    parser.add_argument("work", type=Path, help="a folder that is not there yet")
    parser.add_argument("--only", type=names(*JOBS), default=list(JOBS), metavar="NAMES")
    parser.add_argument("--each", type=int, default=25, help="kills of each (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (%(default)s)")
    options = parser.parse_args()
    work = options.work.resolve()
    work.mkdir()
    make(work)
    import_all()
    with results(options):
        columns = ("kills", "half", "differ", "leftovers", "acknowledged", "lost", "doubled")
        head("command", *columns)
        for name in options.only:
            rng = random.Random(f"{options.seed} {name}")
            servers: dict[str, Callable[..., dict[str, int]]] = {"label serve": votes_killed, "serve": scores_killed}
            run = servers.get(name) or (lambda *given, name=name: command_killed(given[0], name, *given[1:]))
            counts = run(work, options.each, rng)
            options.figures[name] = counts
            row(name, *(counts.get(column, "") for column in columns))
    shutil.rmtree(work)


def import_all() -> None:
    """What the commands need, before processes are forked."""
    import importlib

    for module in (
        *("api", "compare.compare", "compare.track", "compare.picker", "train.heads", "train.gan", "report.report"),
        *("evaluate.bench", "evaluate.evaluate", "explain.maps", "explain.picture", "p_real.train", "votes.page"),
        *("serve.serve", "study.app", "study.suggest"),
    ):
        importlib.import_module(f"giqa.{module}")


if __name__ == "__main__":
    main()
