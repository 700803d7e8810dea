"""Fuzz every parser of giqa, guided by coverage: does all that is read end in numbers or in a sentence?

    python -m benchmarks.damage.fuzz --minutes 30 --write

Needs: atheris (pip install atheris), giqa[serve,humans,parquet]; Linux.
Takes: --minutes of processor time for each parser, on one core.

libFuzzer (through atheris) mutates files that are right and keeps what reaches a new branch of giqa. Two of three
mutations know the form: a node of JSON, a cell, an array of a model, a member of an archive, whose checksums are
computed anew, so that what lies behind them is reached. Of Parquet, columns, types and metadata are mutated, not its
bytes. Requests are mutated as what a server of HTTP passes on: method, path, headers, body.

A *raw error* is any exception but a `GiqaError` (or one of click); an answer of 500 or above; or one input that takes
over 5 s, or over 1 GiB of memory. It is named by its type and the innermost line of giqa; a kind counts once. No input
is kept: what was found is mended, and stands as a test with the parser's tests.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

from benchmarks.damage import _parsers, _requests
from benchmarks.damage._forms import mutated
from benchmarks.shared import ROOT, command, head, names, results, row, say

PARSERS = {**_parsers.PARSERS, **_requests.PARSERS}
SLOW, LARGE, LONGEST = 5.0, 2**30, 1 << 16
GIQA = str(ROOT / "src" / "giqa") + "/"
IMPORTED = (
    *("api", "cli.info", "images.sources.arrow", "images.sources.parquet", "metrics.reference_statistics"),
    *("model.file", "scorers.gmm", "scorers.matlab", "scorers.multilayer", "serve.app", "study.app", "study.collect"),
    "votes.exchange",
)


class Watch:
    """Runs parsers on one input after the other, each until its time is over, and keeps each kind of error once."""

    def __init__(self, given: list[str], folder: Path, seconds: float, out: Path, shown: bool):
        self.names, self.folder, self.seconds, self.out, self.shown = given, folder, seconds, out, shown
        self.said = json.loads(out.read_text()) if out.exists() else {}
        for name in given:
            self.said.setdefault(name, {"seconds": 0.0, "runs": 0, "right": 0, "found": {}})
        self.written = time.process_time()

    def one(self, data: bytes) -> None:
        from giqa.errors import GiqaError

        if time.process_time() - self.written > 2:
            self.say()
        said = self.said[self.names[data[0] % len(self.names)]] if data else None
        if said is None or said["seconds"] > self.seconds:
            return
        parser = PARSERS[self.names[data[0] % len(self.names)]]
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        begun, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            parser.read(data[1:], self.folder)
            said["right"] += 1
        except GiqaError:
            pass
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            self.keep(said, error, data)
        took, more = time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
        said["seconds"] += took
        said["runs"] += 1
        if took > SLOW:
            self.keep(said, TimeoutError(f"{took:.0f} s"), data)
        if more * 1024 > LARGE:
            self.keep(said, MemoryError(f"{more / 2**20:.1f} GiB"), data)

    def keep(self, said: dict[str, Any], error: BaseException, data: bytes) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        own = [f"{f.filename.removeprefix(GIQA)}:{f.lineno} {f.name}" for f in frames if f.filename.startswith(GIQA)]
        kind = f"{type(error).__name__} in {own[-1] if own else frames[-1].name if frames else ''}"
        if kind not in said["found"]:
            said["found"][kind] = f"{error}"[:200]
            if self.shown:
                said_by = " < ".join(own[::-1][:6])
                print(f"\n{kind}: {error}"[:400], said_by, repr(data[:1200]), sep="\n    ", flush=True)

    def say(self) -> None:
        """To the file; ends the process when every parser has had its time."""
        self.out.write_text(json.dumps(self.said))
        self.written = time.process_time()
        if all(said["seconds"] > self.seconds for said in self.said.values()):
            shutil.rmtree(self.folder.parent, ignore_errors=True)
            os._exit(0)


def child(given: list[str], seconds: float, out: Path, seed: int, shown: bool) -> None:
    """libFuzzer in this process; it ends by itself when the time is over."""
    import atheris

    folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    warnings.simplefilter("ignore")
    with atheris.instrument_imports(include=["giqa"], enable_loader_override=False):
        for name in IMPORTED:
            importlib.import_module(f"giqa.{name}")
    _requests.SHARED = folder / "shared"
    for made in ("shared", "corpus"):
        (folder / made).mkdir()
    for number, name in enumerate(given):
        (folder / "make").mkdir()
        for i, data in enumerate(PARSERS[name].make(folder / "make")):
            (folder / "corpus" / f"{number}-{i}").write_bytes(bytes([number]) + data)
        shutil.rmtree(folder / "make")
    watch = Watch(given, folder / "input", seconds, out, shown)

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        number = data[0] % len(given) if data else 0
        form = PARSERS[given[number]].form
        return bytes([number]) + mutated(bytes(data[1:]), form, seed, most - 1, atheris.Mutate)

    options = ["fuzz", f"-seed={seed}", f"-max_len={LONGEST}", "-timeout=300", "-rss_limit_mb=3000", "-verbosity=0"]
    atheris.Setup([*options, f"-artifact_prefix={folder}/", str(folder / "corpus")], watch.one, custom_mutator=mutate)
    atheris.Fuzz()


def fuzzed(options: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """The parsers in a process; one that dies is followed by another, with another seed. What was found, and deaths."""
    died, runs = 0, -1
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        line = [sys.executable, "-m", "benchmarks.damage.fuzz", "--only", ",".join(options.only), "--child", str(out)]
        line += ["--minutes", str(options.minutes), *(["--shown"] if options.shown else [])]
        quiet = {} if options.shown else {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        while subprocess.run([*line, "--seed", str(options.seed + died)], cwd=ROOT, **quiet).returncode:
            died += 1
            said = json.loads(out.read_text()) if out.exists() else {}
            if runs == (runs := sum(each["runs"] for each in said.values())):
                say("a process died before its first input")
                break
        return json.loads(out.read_text()), died


def main() -> None:
    parser = command(__file__, __doc__, "json")
    parser.add_argument("--only", type=names(*PARSERS), default=list(PARSERS), metavar="NAMES")
    parser.add_argument("--minutes", type=float, default=2.0, help="of processor time for each parser (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of libFuzzer (%(default)s)")
    parser.add_argument("--shown", action="store_true", help="show each raw error when it is found")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.only, 60 * options.minutes, options.child, options.seed, options.shown)
        return
    with results(options):
        found, died = fuzzed(options)
        options.figures |= found
        head("parser", "processor minutes", "inputs", "read without an error", "kinds of raw errors")
        kinds = []
        for name, said in found.items():
            kinds += [f"- {name}: {kind}: {text}" for kind, text in said["found"].items()]
            row(name, f"{said['seconds'] / 60:.1f}", f"{said['runs']:,}", f"{said['right']:,}", len(said["found"]))
        print("\n" + ("\n".join(kinds) or "No raw error."))
        print(f"\nProcesses that died: {died}.")


if __name__ == "__main__":
    main()
