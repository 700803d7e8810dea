"""Pictures a second of `giqa serve`, compared with `giqa.score` on the same pictures.

    python -m benchmarks.speed.service --pictures 64 --repeats 2

Needs: `giqa[serve]`.
Takes: about 3 minutes.

Toy landscapes of 256 px as PNG; the default model, fitted on 100 others; no feature is kept. Ways take turns. The
client runs on the same machine: its bodies are made before the clock starts. Start and loading are not counted.
`ratio` is the median over rounds of the speed of a way divided by that of `giqa.score` in the same round.
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
WAYS = {  # name -> (processes, pictures a request, requests at a time)
    "1 process, 64 a request, 2 requests at a time": (1, 64, 2),
    "1 process, 16 a request, 8 requests at a time": (1, 16, 8),
    "1 process, 1 a request, 16 requests at a time": (1, 1, 16),
    "1 process, 1 a request, 1 request at a time": (1, 1, 1),
    "2 processes, 64 a request, 4 requests at a time": (2, 64, 4),
    "2 processes, 1 a request, 16 requests at a time": (2, 1, 16),
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
def service(model: Path, processes: int) -> Iterator[str]:
    """A service in a process of its own; its HOST:PORT."""
    line = [sys.executable, "-m", "giqa.cli", "serve", str(model), "--port", "0", "--rate", "0", "--processes"]
    with subprocess.Popen([*line, str(processes)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:
        try:
            yield run.stdout.readline().split("/")[2]
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


def measure(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GIQA_HOME"] = folder
        reals, fakes = write_toy(Path(folder) / "toy", n_real=100, n_fake=options.pictures, size=256)
        model = giqa.fit(reals).save(Path(folder) / "reals.giqa")
        paths, loaded = sorted(fakes.iterdir()), giqa.load(model)
        expected = giqa.score(fakes, model=loaded, store=False).rows()
        with service(model, 1) as one, service(model, 2) as two:
            asked = {
                name: way(one if processes == 1 else two, paths, each, at_a_time)
                for name, (processes, each, at_a_time) in WAYS.items()
            }
            for name, ask in asked.items():
                say(f"{name}: the same rows: {ask() == expected}")
            ways = {"giqa.score": lambda: giqa.score(fakes, model=loaded, store=False), **asked}
            found = interleaved({name: partial(timed, work) for name, work in ways.items()}, options.repeats)
    head("way", "pictures/s, median", "range", "ratio")
    for name, seconds in found.items():
        median, reach = median_range([len(paths) / each for each in seconds], ".1f")
        ratios = [base / each for base, each in zip(found["giqa.score"], seconds, strict=True)]
        row(name, median, reach, f"{statistics.median(ratios):.2f}")


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--pictures", type=int, default=192, help="(%(default)s)")
    parser.add_argument("--repeats", type=int, default=7, help="(%(default)s)")
    options = parser.parse_args()
    with results(options):
        measure(options)


if __name__ == "__main__":
    main()
