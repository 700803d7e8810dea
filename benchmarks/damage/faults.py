"""Full disks, lost permissions, files that go away, too little memory, two writers: what does each command say?

    python -m benchmarks.damage.faults WORK --write

Needs: giqa[humans]; Linux; root, for full disks (a tmpfs of one page) and lost permissions.
Takes: about 3 minutes of processor time.

Each command is run in a process of its own, with copies of all it reads, under each fault:

- full disk: no file of results may be longer than 4 kB, on a file system of that size
- full store: the same for the kept features
- read-only: the folder of results may not be written to
- no permission: one picture may not be read
- removed; changed: pictures are removed, or cut short, one after the other while the command runs
- memory: 16 MB of address space more than after the imports
- two writers: the same command twice at once, in the same folder
- clock back: the clock that the process sees stands in 2001

*Ended well*: exit status 0. *A sentence*: another one, no traceback, and a last line that says why. *Raw*: a traceback
or a signal; should be 0. *Half*: a file of results that cannot be read as one, or that is another than that of an
untouched run although all that is read was the same; should be 0.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.damage.kills import COMMANDS, HOW, PROGRESS, content, import_all, make
from benchmarks.shared import command, head, names, results, row

LABEL = ["label", "serve", "../fakes", "--real", "../reals", "--task", "hype", "--store", "v.db", "--port", "0"]
ASKED = {
    **COMMANDS,
    "parquet": ["score", "../fakes", "--real", "../reals", "-o", "s.parquet", *HOW],
    "label": [*LABEL, "--dry-run"],
    "worst": ["score", "../fakes", "--real", "../reals", "-o", "s.jsonl", "--worst", "4", *HOW],
}
OUTCOMES = ("ended well", "a sentence", "raw", "half")
MORE = 2**24  # bytes of address space
Before = Callable[[], None]


class Child:
    """`giqa WORDS` in a forked process, with what it says; `before` is called in it first."""

    def __init__(self, folder: Path, words: list[str], home: Path, before: Before | None = None):
        self.reading, writing = os.pipe()
        self.number = os.fork()
        if self.number:
            os.close(writing)
            return
        code = 70
        try:
            os.dup2(writing, 2)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            sys.stdout, sys.stderr = (os.fdopen(os.dup(number), "w") for number in (1, 2))
            os.environ["GIQA_HOME"] = str(home)
            os.chdir(folder)
            if before:
                before()
            from giqa.cli import main as giqa

            code = giqa(words, standalone_mode=False) or 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def wait(self) -> tuple[int, str]:
        """Exit status, and what was said."""
        with os.fdopen(self.reading, "r", errors="replace") as pipe:
            said = pipe.read()
        return os.waitstatus_to_exitcode(os.waitpid(self.number, 0)[1]), said


# --- faults: each prepares a folder with `out`, `home` and the pictures, and gives what the process does first


@contextmanager
def full(folder: Path) -> Iterator[Before | None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(folder)], check=True)
    try:
        yield None
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def full_disk(case: Path) -> object:
    return full(case / "out")


def full_store(case: Path) -> object:
    return full(case / "home")


@contextmanager
def without_rights(case: Path, out: int) -> Iterator[Before | None]:
    (case / "out").chmod(out)
    yield give_up_rights
    (case / "out").chmod(0o755)


def give_up_rights() -> None:
    """What root may do although the mode of a file forbids it; capset(2) with no capabilities."""
    libc = ctypes.CDLL(None, use_errno=True)
    head, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if libc.capset(head, data):
        raise OSError(ctypes.get_errno(), "capset")


def read_only(case: Path) -> object:
    return without_rights(case, 0o555)


def no_permission(case: Path) -> object:
    for folder in ("reals", "fakes"):
        sorted((case / folder).iterdir())[3].chmod(0)
    return without_rights(case, 0o755)


@contextmanager
def meanwhile(case: Path, what: Callable[[Path], None]) -> Iterator[Before | None]:
    stop = threading.Event()

    def run() -> None:
        for file in sorted(case.rglob("*.png"))[::-5]:
            if stop.wait(0.01):
                return
            what(file)

    thread = threading.Timer(0.05, run)
    thread.start()
    yield None
    stop.set()
    thread.join()


def removed(case: Path) -> object:
    return meanwhile(case, lambda file: file.unlink(missing_ok=True))


def changed(case: Path) -> object:
    return meanwhile(case, lambda file: os.truncate(file, 300))


@contextmanager
def first(before: Before | None) -> Iterator[Before | None]:
    yield before


def memory(case: Path) -> object:
    def limit() -> None:
        now = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (now + MORE, now + MORE))

    return first(limit)


def two_writers(case: Path) -> object:
    return first(None)


def clock_back(case: Path) -> object:
    def back() -> None:
        shift, real = time.time() - 1e9, time.time
        time.time = lambda: real() - shift

    return first(back)


FAULTS = {
    "full disk": full_disk,
    "full store": full_store,
    "read-only": read_only,
    "no permission": no_permission,
    "removed": removed,
    "changed": changed,
    "memory": memory,
    "two writers": two_writers,
    "clock back": clock_back,
}
OTHERS = ("removed", "changed", "no permission")  # after which results may be others


def is_whole(file: Path) -> bool:
    """Whether a file of results can be read as one."""
    import giqa
    from giqa.metrics.reference_statistics import read_statistics
    from giqa.p_real.file import load_realism

    try:
        if file.suffix == ".json":
            json.loads(file.read_text())
        elif file.suffix == ".csv" and file.name != "s.csv":
            return file.read_text().endswith("\n")
        elif file.suffix in (".csv", ".jsonl", ".parquet"):
            giqa.read_scores(file)
        elif file.name == "p.giqa":
            load_realism(file)
        elif file.suffix == ".giqa":
            giqa.load(file)
        elif file.suffix == ".npz":
            read_statistics(file)
        elif file.suffix == ".npy":
            np.load(file)
        elif file.name == "e.png":  # others are copies of pictures
            with Image.open(file) as picture:
                picture.load()
        elif file.suffix == ".db":
            with closing(sqlite3.connect(file)) as database:
                return database.execute("pragma integrity_check").fetchone()[0] == "ok"
        else:
            return file.suffix != ".html" or file.read_text().rstrip().endswith("</html>")
    except Exception:
        return False
    return True


def tried(work: Path, fault: str, name: str, clean: dict[str, bytes]) -> tuple[Counter[str], list[str]]:
    """One command under one fault: outcomes, and the last lines of what was said."""
    case, counts, said_last = work / f"{fault}-{name}".replace(" ", "-"), Counter[str](), []
    shutil.copytree(work / "pictures", case)
    for folder in ("out", "home"):
        (case / folder).mkdir()
    with FAULTS[fault](case) as before:
        number = 2 if fault == "two writers" else 1
        children = [Child(case / "out", ASKED[name], case / "home", before) for _ in range(number)]
        for child in children:
            code, said = child.wait()
            lines = [line for line in said.splitlines() if line.strip()]
            raw = "Traceback" in said or code < 0 or (code and not lines)
            counts["raw" if raw else "ended well" if code == 0 else "a sentence"] += 1
            if code:
                said_last.append((said if raw else lines[-1]).replace(str(case), "").replace(str(work), ""))
        found = content(case / "out")
        passing = ("-wal", "-shm", *PROGRESS)
        files = [file for file in found if not file.endswith(passing)]
        counts["half"] += sum(not is_whole(case / "out" / file) for file in files)
        if fault not in OTHERS:
            same = [file for file in files if file in clean and not file.endswith(".db")]
            counts["half"] += sum(found[file] != clean[file] for file in same)
    shutil.rmtree(case)
    return counts, said_last


def main() -> None:
    parser = command(__file__, __doc__, "json")
    parser.add_argument("work", type=Path, help="a folder that is not there yet")
    parser.add_argument("--only", type=names(*FAULTS), default=list(FAULTS), metavar="FAULTS")
    parser.add_argument("--commands", type=names(*ASKED), default=list(ASKED), metavar="NAMES")
    options = parser.parse_args()
    work = options.work.resolve()
    (work / "pictures").mkdir(parents=True)
    make(work / "pictures")
    import_all()
    clean = {}
    for name in options.commands:
        (case := work / "pictures" / "clean").mkdir()
        code, said = Child(case, ASKED[name], case / "home").wait()
        if code:
            sys.exit(f"{name} ended with {code}: {said}")
        clean[name] = content(case)
        shutil.rmtree(case)
    with results(options):
        head("fault", "commands", *OUTCOMES)
        sentences = []
        for fault in options.only:
            total: Counter[str] = Counter()
            for name in options.commands:
                counts, said = tried(work, fault, name, clean[name])
                total += counts
                sentences += [f"- {fault}, {name}: {text}" for text in said]
            options.figures[fault] = dict(total)
            row(fault, len(options.commands), *(total[what] for what in OUTCOMES))
        print("\nWhat was said, without the folders:\n\n" + "\n".join(sentences))
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
