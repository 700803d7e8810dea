"""What every benchmark shares: its command line, its tables, its clocks, and the file of its results.

`python -m benchmarks` reads the scripts and imports none of them. So the docstring of each has one form: one sentence;
an example, indented; a line `Needs:` and a line `Takes:` (about how long on 2 cores); then what is measured and how.

    def main() -> None:
        parser = command(__file__, __doc__, "data")
        parser.add_argument("--seeds", type=int, default=20)
        options = parser.parse_args()
        with results(options):
            head("method", "AUC")
            row("random", 0.5)
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import platform
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]  # of the repository
PAGES = ("accuracy", "metrics", "speed", "sources", "explain", "text", "votes", "p_real", "study", "train", "coverage")


# --- command line


def existing(text: str) -> Path:
    """A path that must be there, as a type of argparse."""
    path = Path(text)
    if not path.exists():
        raise argparse.ArgumentTypeError(f"there is no {text}; name the place where you have it")
    return path


def names(*known: str) -> Callable[[str], list[str]]:
    """A type of argparse: names with commas between them, each one of `known`, or any if none is given."""

    def parse(text: str) -> list[str]:
        given = text.split(",")
        for name in given if known else ():
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return given

    return parse


OPTIONS: dict[str, dict[str, Any]] = {
    "data": {"type": existing, "default": "../shared/data", "help": "folder of the sets of pictures (%(default)s)"},
    "humans": {
        "type": existing,
        "default": "../shared/humans/layer6-realism",
        "help": "folder of the judgements of Stein et al. (%(default)s)",
    },
    "weights": {"type": existing, "help": "folder with the parameters of BRISQUE and NIQE"},
    "inception": {"type": existing, "metavar": "FILE", "help": "the weights of Inception"},
    "recoded": {"action": "store_true", "help": "save every picture as JPEG 90 4:2:0 before it is looked at"},
    "json": {"type": Path, "metavar": "FILE", "help": "also write every figure, as JSON"},
}


def command(file: str, about: str, *options: str) -> argparse.ArgumentParser:
    """The parser of a script: its docstring as help, `--write`, and those of OPTIONS that it takes."""
    where = Path(file).resolve().relative_to(ROOT).with_suffix("")
    parser = argparse.ArgumentParser(
        prog=f"python -m {'.'.join(where.parts)}",
        description=about,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name in options:
        parser.add_argument(f"--{name}", **OPTIONS[name])
    default = ROOT / "benchmarks" / "results" / where.relative_to("benchmarks").with_suffix(".md")
    says = f"also write what is printed to FILE ({default.relative_to(ROOT)}), with command, date and machine"
    parser.add_argument("--write", type=Path, nargs="?", const=default, metavar="FILE", help=says)
    parser.set_defaults(sentence=about.partition("\n")[0], prog=parser.prog, figures={})
    return parser


# --- results


class _Both(io.TextIOBase):
    """Writes to two files."""

    def __init__(self, *files: Any):
        self.files = files

    def write(self, text: str) -> int:
        for file in self.files:
            file.write(text)
        return len(text)

    def flush(self) -> None:
        for file in self.files:
            file.flush()


@contextlib.contextmanager
def results(options: argparse.Namespace) -> Iterator[None]:
    """What is printed inside are results; a last line says how they were made. Written to files only if all went well.

    `--write`: everything printed, as Markdown. `--json`: what the script has put into `options.figures`.
    """
    start, printed = time.time(), io.StringIO()
    with contextlib.redirect_stdout(_Both(sys.stdout, printed)):
        yield
    about = f"{made_on()}, {time.time() - start:.0f} s"
    print(f"\n{about}", flush=True)
    if options.write:
        line = shlex.join([*options.prog.split(), *_without_write(sys.argv[1:], options.write)])
        text = f"# {options.sentence}\n\n    {line}\n\n{about}\n\n{printed.getvalue().strip()}\n"
        _replace(options.write, text)
    if getattr(options, "json", None):
        _replace(options.json, json.dumps({"about": about, "figures": options.figures}, indent=1) + "\n")


def _without_write(given: Sequence[str], file: Path) -> list[str]:
    """The command as somebody else would give it: where its results were written does not matter."""
    at = next(i for i, word in enumerate(given) if word.partition("=")[0] == "--write")
    after = at + 2 if given[at + 1 : at + 2] == [str(file)] else at + 1
    return [*given[:at], *given[after:]]


def _replace(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_name(f".{file.name}.half")
    half.write_text(text, encoding="utf-8")
    half.replace(file)


def made_on() -> str:
    """giqa's version, date, machine and Python."""
    import giqa

    machine = f"{processor()}, {cores()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
    return f"giqa {giqa.__version__}, {date.today()}, {machine}"


def processor() -> str:
    """The model of the processor, or its architecture."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), platform.machine())
    return platform.processor() or platform.machine()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def say(text: str) -> None:
    """Progress; on stderr, so that it is no part of the results."""
    print(f"  {text}", file=sys.stderr, flush=True)


# --- tables


def head(*columns: object) -> None:
    """Begin a table of Markdown."""
    print(f"\n| {' | '.join(map(str, columns))} |\n|{'---|' * len(columns)}", flush=True)


def row(*cells: object) -> None:
    """A line of a table."""
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def median_range(values: Sequence[float], form: str = ".2f") -> tuple[str, str]:
    """The median, and the range as "lowest to highest"."""
    return format(statistics.median(values), form), f"{min(values):{form}} to {max(values):{form}}"


# --- clocks


def timed(work: Callable[[], Any]) -> float:
    """Wall seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved(clocks: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each way in each round, after one round that does not count; each round begins with another way.

    Speeds of a shared machine drift, so that ways are compared within a round.
    """
    order, seconds = list(clocks), {name: [] for name in clocks}
    for clock in clocks.values():
        clock()
    for turn in range(rounds):
        first = turn % len(order)
        for name in order[first:] + order[:first]:
            seconds[name].append(clocks[name]())
    return seconds
