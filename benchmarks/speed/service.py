"""Pictures a second of `giqa serve`, compared with `giqa.score` on the same pictures.

    python -m benchmarks.speed.service --pictures 64 --repeats 2

Needs: `giqa[serve]`.
Takes: about 3 minutes.

Toy landscapes of 256 px as PNG; the default model, fitted on 100 others; no feature is kept. Ways take turns. The
client runs on the same machine: its bodies are made before the clock starts. Start and loading are not counted.
The first `ratio` is the median over rounds of the speed of a way divided by that of `giqa.score` in the same round. CPU
time is that of the service alone, without its client; its ratio is what to read where other work keeps the cores busy.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import giqa
from benchmarks.shared import command, head, interleaved, median_range, results, row, say, timed
from giqa.images.toy import write_toy

BOUNDARY = "giqa-benchmark"
WAYS = {  # name -> (pictures a request, requests at a time)
    "64 a request, 2 requests at a time": (64, 2),
    "8 a request, 8 requests at a time": (8, 8),
    "1 a request, 16 requests at a time": (1, 16),
}


def form(paths: Sequence[Path]) -> bytes:
    """The pictures as a body of multipart/form-data."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="pictures"; filename="{path.name}"\r\n\r\n'.encode()
        + path.read_bytes()
        + b"\r\n"
        for path in paths
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


@contextmanager
def service(model: Path) -> Iterator[tuple[str, int]]:
    """A service in a process of its own; its HOST:PORT and its number."""
    line = [sys.executable, "-m", "giqa.cli", "serve", str(model), "--port", "0", "--rate", "0"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:
        try:
            yield run.stdout.readline().split("/")[2], run.pid
        finally:
            run.send_signal(signal.SIGTERM)


def send(address: str, bodies: Sequence[bytes], at_a_time: int) -> list[dict]:
    """All bodies, over connections that stay open; the rows, in order."""

    def connection(mine: Sequence[bytes]) -> list[list[dict]]:
        link = http.client.HTTPConnection(address, timeout=300)
        found = []
        for body in mine:
            link.request("POST", "/v1/scores", body, {"content-type": f"multipart/form-data; boundary={BOUNDARY}"})
            answer = link.getresponse()
            content = json.loads(answer.read())
            if answer.status != 200:
                raise SystemExit(f"{answer.status}: {content}")
            found.append(content["pictures"])
        link.close()
        return found

    with ThreadPoolExecutor(at_a_time) as pool:
        parts = list(pool.map(connection, [bodies[start::at_a_time] for start in range(at_a_time)]))
    turns = itertools.zip_longest(*parts, fillvalue=[])
    return [row for turn in turns for rows in turn for row in rows]


def way(address: str, paths: Sequence[Path], each: int, at_a_time: int) -> Callable[[], list[dict]]:
    bodies = [form(paths[start : start + each]) for start in range(0, len(paths), each)]
    return partial(send, address, bodies, at_a_time)


def cpu_seconds(process: int) -> float:
    """User and system time of a process and its threads so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GIQA_HOME"] = folder
        reals, fakes = write_toy(Path(folder) / "toy", n_real=100, n_fake=options.pictures, size=256)
        model = giqa.fit(reals).save(Path(folder) / "reals.giqa")
        paths, loaded, spent = sorted(fakes.iterdir()), giqa.load(model), {}

        def clock(name: str, work: Callable[[], object], process: int) -> float:
            before = cpu_seconds(process)
            seconds = timed(work)
            spent.setdefault(name, []).append(cpu_seconds(process) - before)
            return seconds

        def scored() -> list[dict]:
            return giqa.score(fakes, model=loaded, store=False).rows()

        with service(model) as (address, process):
            asked = {name: way(address, paths, *shape) for name, shape in WAYS.items()}
            expected = scored()
            for name, ask in asked.items():
                say(f"{name}: the same rows: {ask() == expected}")
            clocks = {"giqa.score": partial(clock, "giqa.score", scored, os.getpid())}
            clocks |= {name: partial(clock, name, ask, process) for name, ask in asked.items()}
            found = interleaved(clocks, options.repeats)
    head("way", "pictures/s, median", "range", "ratio", "CPU ms a picture, median", "ratio")
    for name, seconds in found.items():
        median, reach = median_range([len(paths) / each for each in seconds], ".1f")
        ratios = [base / each for base, each in zip(found["giqa.score"], seconds, strict=True)]
        cpu, base = (statistics.median(spent[each][1:]) for each in (name, "giqa.score"))
        shares = f"{statistics.median(ratios):.2f}", f"{1000 * cpu / len(paths):.1f}", f"{base / cpu:.2f}"
        row(name, median, reach, *shares)


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--pictures", type=int, default=192, help="(%(default)s)")
    parser.add_argument("--repeats", type=int, default=7, help="(%(default)s)")
    options = parser.parse_args()
    with results(options):
        measure(options)


if __name__ == "__main__":
    main()
