"""Pictures on a web server and in an S3 bucket: a first run, a second one, and one whose connection is cut ten times.

    python -m benchmarks.sources.cuts --pictures 20

Needs: aiohttp (`pip install 'giqa[remote]'`); for S3 the packages s3fs and moto[server], else it is left out.
Takes: about 3 minutes.

Both servers run on this machine, behind a proxy that counts what passes, and cuts every second transfer in the middle
until it has cut ten. Pictures of 512 x 512 px of noise lie as files in a folder, and in one tar file, which is fetched
in blocks of 16 MB. `wrong` counts pictures that are not there or have other bytes, `twice` those that are there more
than once. Between the runs with and without cuts the kept copies are removed.
"""

from __future__ import annotations

import io
import logging
import os
import re
import shutil
import socket
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.shared import command, head, results, row, say
from giqa.images import open_source
from giqa.images.sources import fetch

CUTS = 10
KEY = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


class Proxy:
    """Passes connections on to a server; `cut_after` bytes every second transfer is cut, `cuts` times in all."""

    def __init__(self, port: int):
        self.server, self.sent, self.cuts, self.cut_after, self.seen = port, 0, 0, 0, 0
        self.lock, self.listening = threading.Lock(), socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def begin(self, cuts: int, cut_after: int) -> None:
        self.sent, self.cuts, self.cut_after = 0, cuts, cut_after

    def accept(self) -> None:
        while True:
            client, _ = self.listening.accept()
            server = socket.create_connection(("127.0.0.1", self.server))
            state = {"bytes": 0}
            threading.Thread(target=self.pump, args=(client, server, state, False), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, state, True), daemon=True).start()

    def pump(self, here: socket.socket, there: socket.socket, state: dict[str, int], down: bool) -> None:
        with suppress(OSError):
            while block := here.recv(1 << 14):
                if not down:
                    state["bytes"] = 0  # a new request
                elif self.is_cut(state, len(block)):
                    break
                there.sendall(block)
        for each in (here, there):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def is_cut(self, state: dict[str, int], size: int) -> bool:
        """Whether this is the middle of a transfer that is to be cut."""
        with self.lock:
            self.sent += size
            before, state["bytes"] = state["bytes"], state["bytes"] + size
            if not self.cuts or not before <= self.cut_after < state["bytes"]:
                return False
            self.seen += 1
            if self.seen % 2:
                return False
            self.cuts -= 1
            return True


class Files(SimpleHTTPRequestHandler):
    """A folder that also gives parts of files, as web servers do."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        path = Path(self.translate_path(self.path))
        if not asked or not path.is_file():
            super().do_GET()
            return
        first, last = int(asked[1]), min(int(asked[2]), path.stat().st_size - 1)
        content = path.read_bytes()[first : last + 1]
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{path.stat().st_size}")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(OSError):  # it was cut
            self.wfile.write(content)

    def end_headers(self) -> None:
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def web(folder: Path) -> Iterator[tuple[str, Proxy]]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        proxy = Proxy(server.server_port)
        yield f"http://127.0.0.1:{proxy.port}", proxy
        server.shutdown()


@contextmanager
def bucket(folder: Path) -> Iterator[tuple[str, Proxy]]:
    import s3fs
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    proxy = Proxy(server.get_host_and_port()[1])
    os.environ |= {**KEY, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}
    system = s3fs.S3FileSystem()
    system.mkdir("drawn")
    for path in sorted(folder.rglob("*.*")):
        system.pipe(f"drawn/{path.relative_to(folder)}", path.read_bytes())
    yield "s3://drawn", proxy
    server.stop()


def looked_at(where: str, files: dict[str, bytes]) -> tuple[int, int]:
    """How many pictures are missing or wrong, and how many are there twice."""
    source = open_source(where)
    found = {name.rpartition("/")[2]: source.raw(index) for index, name in enumerate(source.ids)}
    return sum(found.get(name) != raw for name, raw in files.items()), len(source) - len(files)


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--pictures", type=int, default=230)
    options = parser.parse_args()
    with results(options), tempfile.TemporaryDirectory() as name:
        os.environ["GIQA_HOME"] = f"{name}/home"
        folder, files = Path(name, "site"), {}
        (folder / "r").mkdir(parents=True)
        with tarfile.open(folder / "r.tar", "w") as archive:
            for number in range(options.pictures):
                file, member = io.BytesIO(), tarfile.TarInfo(f"{number:03d}.png")
                noise = np.random.default_rng(number).integers(0, 256, (512, 512, 3), np.uint8)
                Image.fromarray(noise).save(file, "PNG")
                files[member.name] = file.getvalue()
                (folder / "r" / member.name).write_bytes(file.getvalue())
                member.size = len(file.getvalue())
                archive.addfile(member, io.BytesIO(file.getvalue()))
        size = sum(map(len, files.values())) / 1e6
        print(f"{len(files)} pictures, {size:.1f} MB")
        head("server", "pictures in", "run", "cuts", "MB sent", "wrong", "twice")
        for server, serve in (("HTTP", web), ("S3", bucket)):
            try:
                with serve(folder) as (address, proxy):
                    for place, cut_after in (("r/", 400_000), ("r.tar", 8_000_000)):
                        for run, cuts in (("first", 0), ("second", 0), (f"cut {CUTS} times", CUTS)):
                            if run != "second":
                                shutil.rmtree(fetch.folder(), ignore_errors=True)
                            proxy.begin(cuts, cut_after)
                            wrong, twice = looked_at(f"{address}/{place}", files)
                            what = "a folder" if place == "r/" else "a tar file"
                            row(server, what, run, cuts - proxy.cuts, f"{proxy.sent / 1e6:.1f}", wrong, twice)
            except ModuleNotFoundError as error:
                say(f"{server} left out: {error}")


if __name__ == "__main__":
    main()
