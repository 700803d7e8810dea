"""Fuzz every parser of giqa, guided by coverage: does all that is read end in numbers or in a sentence?

    python -m benchmarks.damage.fuzz --minutes 30 --kept FOLDER --write

Needs: atheris (pip install atheris), giqa[serve,humans,parquet]; Linux.
Takes: --minutes of processor time for each parser, on one core; with --kept, what earlier runs used counts.

libFuzzer (through atheris) mutates files that are right and keeps what reaches a new branch of giqa; with --kept a
later run goes on from there. Two of three mutations know the form: a node of JSON, a cell, an array of a model, a
member of an archive, whose checksums are computed anew, so that what lies behind them is reached. Of Parquet, columns,
types and metadata are mutated, not its bytes. Requests are mutated as what a server of HTTP passes on: method, path,
headers, body.

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
NOTHING: dict[str, Any] = {"seconds": 0.0, "runs": 0, "right": 0, "found": {}}
SLOW, LARGE, LONGEST = 5.0, 2**30, 1 << 16
GIQA = str(ROOT / "src" / "giqa") + "/"
IMPORTED = (
    *("api", "cli.info", "images.sources.arrow", "images.sources.parquet", "metrics.reference_statistics"),
    *("model.file", "scorers.gmm", "scorers.matlab", "scorers.multilayer", "serve.app", "study.app", "study.collect"),
    *("votes.exchange", "explain.maps", "p_real.file"),
)


class Watch:
    """Runs a parser on one input after the other, until its time is over, and keeps each kind of error once."""

    def __init__(self, name: str, folder: Path, seconds: float, out: Path, shown: bool):
        self.parser, self.folder, self.seconds, self.out, self.shown = PARSERS[name], folder, seconds, out, shown
        self.said = json.loads(out.read_text()) if out.exists() else dict(NOTHING, found={})
        self.written = time.process_time()

    def one(self, data: bytes) -> None:
        from giqa.errors import GiqaError

        if time.process_time() - self.written > 2:
            self.say()
        if not data:  # what libFuzzer begins with
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        begun, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            self.parser.read(data, self.folder)
            self.said["right"] += 1
        except GiqaError:
            pass
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            self.keep(error, data)
        took, more = time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
        self.said["seconds"] += took
        self.said["runs"] += 1
        if took > SLOW:
            self.keep(TimeoutError(f"{took:.0f} s"), data)
        if more * 1024 > LARGE:
            self.keep(MemoryError(f"{more / 2**20:.1f} GiB"), data)

    def keep(self, error: BaseException, data: bytes) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        own = [f"{f.filename.removeprefix(GIQA)}:{f.lineno} {f.name}" for f in frames if f.filename.startswith(GIQA)]
        kind = f"{type(error).__name__} in {own[-1] if own else frames[-1].name if frames else ''}"
        if kind not in self.said["found"]:
            self.said["found"][kind] = f"{error}"[:200]
            if self.shown:
                said_by = " < ".join(own[::-1][:6])
                print(f"\n{kind}: {error}"[:400], said_by, repr(data[:1200]), sep="\n    ", flush=True)

    def say(self) -> None:
        """To the file; ends the process when the parser has had its time."""
        self.out.write_text(json.dumps(self.said))
        self.written = time.process_time()
        if self.said["seconds"] > self.seconds:
            shutil.rmtree(self.folder.parent, ignore_errors=True)
            os._exit(0)


def child(name: str, seconds: float, kept: Path, seed: int, shown: bool) -> None:
    """libFuzzer in this process; it ends by itself when the time is over."""
    import atheris

    folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    warnings.simplefilter("ignore")
    with atheris.instrument_imports(include=["giqa"], enable_loader_override=False):
        for module in IMPORTED:
            importlib.import_module(f"giqa.{module}")
    _requests.SHARED = folder / "shared"
    for made in (folder / "shared", folder / "make", kept / name):
        made.mkdir(exist_ok=True, parents=True)
    longest = LONGEST
    for i, data in enumerate(PARSERS[name].make(folder / "make")):
        (kept / name / f"right-{i}").write_bytes(data)
        longest = max(longest, 2 * len(data))
    watch = Watch(name, folder / "input", seconds, kept / f"{name}.json", shown)

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        return mutated(bytes(data), PARSERS[name].form, seed, most, atheris.Mutate)

    options = ["fuzz", f"-seed={seed}", f"-max_len={longest}", "-timeout=300", "-rss_limit_mb=3000", "-verbosity=0"]
    atheris.Setup([*options, f"-artifact_prefix={folder}/", str(kept / name)], watch.one, custom_mutator=mutate)
    atheris.Fuzz()


def fuzzed(name: str, kept: Path, options: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """A parser in a process; one that dies is followed by another, with another seed. What was found, and deaths."""
    out = kept / f"{name}.json"
    said = json.loads(out.read_text()) if out.exists() else NOTHING
    died = 0
    line = [sys.executable, "-m", "benchmarks.damage.fuzz", "--only", name, "--child", "--kept", str(kept)]
    line += ["--minutes", str(options.minutes), *(["--shown"] if options.shown else [])]
    quiet = {} if options.shown else {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    while said["seconds"] <= 60 * options.minutes:
        died += bool(subprocess.run([*line, "--seed", str(said["runs"] + 1)], cwd=ROOT, **quiet).returncode)
        before, said = said, json.loads(out.read_text()) if out.exists() else NOTHING
        if before["runs"] == said["runs"]:
            say(f"{name}: a process died before its first input")
            break
    return said, died


def main() -> None:
    parser = command(__file__, __doc__, "json")
    parser.add_argument("--only", type=names(*PARSERS), default=list(PARSERS), metavar="NAMES")
    parser.add_argument("--minutes", type=float, default=2.0, help="of processor time for each parser (%(default)s)")
    parser.add_argument("--kept", type=Path, help="folder of inputs and times that a later run goes on from")
    parser.add_argument("--shown", action="store_true", help="show each raw error when it is found")
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.only[0], 60 * options.minutes, options.kept, options.seed, options.shown)
        return
    with results(options), tempfile.TemporaryDirectory() as folder:
        head("parser", "processor minutes", "inputs", "read without an error", "kinds of raw errors")
        kinds, deaths = [], 0
        for name in options.only:
            said, died = fuzzed(name, (options.kept or Path(folder)).resolve(), options)
            options.figures[name], deaths = said, deaths + died
            kinds += [f"- {name}: {kind}: {text}" for kind, text in said["found"].items()]
            row(name, f"{said['seconds'] / 60:.1f}", f"{said['runs']:,}", f"{said['right']:,}", len(said["found"]))
        print("\n" + ("\n".join(kinds) or "No raw error."))
        print(f"\nProcesses that died: {deaths}.")


if __name__ == "__main__":
    main()
