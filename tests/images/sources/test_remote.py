"""Pictures on other machines: a server on this one, and the file system in memory that fsspec has."""

import contextlib
import http.server
import pickle
import tarfile
import threading
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner

from giqa.cli import main
from giqa.errors import BadImage, BadSource, GiqaError, MissingExtra, MissingSource
from giqa.images import open_source
from giqa.images.sources import fetch
from giqa.images.table import TableSource
from giqa.types import columns_of

fsspec = pytest.importorskip("fsspec", reason="the extra [remote] is not installed")


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """No waiting between tries."""
    monkeypatch.setattr(fetch, "WAIT", 0)


@pytest.fixture
def bucket(files, labels, tmp_path):
    """A folder of the file system in memory: the twelve, and archives and tables of them."""
    system = fsspec.filesystem("memory")
    system.rm("/", recursive=True) if system.ls("/") else None
    for name, raw in files.items():
        system.pipe(f"/b/r/{name}", raw)
        system.pipe(f"/b/r/.thumbs/{name}", raw)
    for shard in range(2):
        with tarfile.open(tmp_path / "s.tar", "w") as archive:
            for name in list(files)[6 * shard : 6 * shard + 6]:
                (tmp_path / name).write_bytes(files[name])
                archive.add(tmp_path / name, name)
        system.pipe(f"/b/s/s-{shard}.tar", (tmp_path / "s.tar").read_bytes())
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for name, raw in files.items():
            archive.writestr(name, raw)
    system.pipe("/b/z.zip", (tmp_path / "z.zip").read_bytes())
    table = "".join(f"r/{name},{kind}\n" for name, kind in labels.items())
    system.pipe("/b/labels.csv", f"image,kind\n{table}".encode())
    system.pipe("/b/list.txt", "".join(f"r/{name}\n" for name in files).encode())
    return system


@pytest.mark.parametrize(
    "where",
    [
        "b/r",
        "b/r/",
        "b/r/*",
        "b/**/0*g",
        "b/s",
        "b/s/s-{0..1}.tar",
        "b/s/*.tar",
        "b/z.zip",
        "b/labels.csv",
        "b/list.txt",
    ],
)
def test_what_lies_in_a_bucket_is_read(bucket, same, where):
    """Folders, patterns, shards, archives, tables and lists: the same bytes, names that join; pickled as an address."""
    source, _ = same(f"memory://{where}")
    assert pickle.loads(pickle.dumps(source)).raw(3) == source.raw(3)


def test_lists_tables_and_chains_of_addresses(bucket, same, labels, files):
    """Braces and lists name pictures; a table keeps its columns and its filter; zip:// reads within an archive."""
    same([f"memory://b/r/{name}" for name in files])
    several = open_source(["memory://b/r/001.png", "file:///r/001.png", "memory://b/r/none.png"])
    assert several.ids[::2] == ("b/r/001.png", "b/r/none.png") and several.raw(0) == files["001.png"]
    with pytest.raises(BadImage, match=r"cannot be fetched: .*none\.png"):
        several.raw(2)
    source, _ = same("memory://b/labels.csv")
    assert columns_of(source)["kind"] == list(labels.values())
    assert len(open_source("memory://b/labels.csv[kind=noon]")) == 4
    same("zip://*::memory://b/z.zip")
    assert open_source("memory://b/r/001.png").raw(0) == files["001.png"]
    assert open_source("memory://b/r/00{1,3}.png").raw(1) == files["003.png"]


def test_parquet_in_a_bucket(bucket, same, files, tmp_path):
    """Pictures in cells are read from a copy; paths in cells name files of the bucket."""
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    for name, cells in (("p", list(files.values())), ("n", [f"r/{name}" for name in files])):
        parquet.write_table(pa.table({"image": cells, "id": list(files)}), tmp_path / "t.parquet")
        bucket.pipe(f"/b/{name}.parquet", (tmp_path / "t.parquet").read_bytes())
        same(f"memory://b/{name}.parquet")
    assert len(open_source("memory://b/p.parquet[id=001.png]")) == 1


def test_a_second_look_comes_from_this_machine(bucket, same, files):
    """As long as the file is the same; a new one is fetched, and a copy that was damaged too."""
    source, _ = same("memory://b/r")
    asked = []
    whole = type(bucket).cat_file

    def cat_file(self, path, **options):
        asked.append(path)
        return whole(self, path, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(bucket), "cat_file", cat_file)
        same("memory://b/r")
        assert asked == []
        bucket.pipe("/b/r/001.png", files["003.png"])
        assert source.raw(1) == files["003.png"] and len(asked) == 1
        damaged = next(path for path in fetch.folder().rglob("005.png") if path.is_file())
        damaged.write_bytes(damaged.read_bytes()[::-1])
        assert source.raw(5) == files["005.png"] and len(asked) == 2
    with pytest.raises(BadImage, match=r"cannot be fetched: .*000\.jpg"):
        bucket.rm("/b/r/000.jpg")
        source.raw(0)


def test_copies_are_listed_and_cleared(bucket):
    """`giqa cache` knows them."""
    open_source("memory://b/r").raw(1)
    assert f"of pictures from other machines in {fetch.folder()}" in CliRunner().invoke(main, ["cache", "list"]).output
    assert CliRunner().invoke(main, ["cache", "clear"]).exit_code == 0 and not fetch.folder().exists()


@pytest.fixture
def server(folder, files, tmp_path):
    """An HTTP server of this folder; it cuts the first connections to each path, as many as `cuts` says."""
    for name, raw in files.items():
        (tmp_path / "r").mkdir(exist_ok=True)
        (tmp_path / "r" / name).write_bytes(raw)
    np.savez(tmp_path / "x.npz", images=np.zeros((3, 64, 64, 3), np.uint8))

    class Handler(http.server.SimpleHTTPRequestHandler):
        cuts, seen, status = 0, {}, 0

        def __init__(self, *args):
            super().__init__(*args, directory=str(tmp_path))

        def do_GET(self):
            count = self.seen[self.path] = self.seen.get(self.path, 0) + 1
            if count <= self.cuts and not self.path.endswith("/"):
                if self.status:
                    return self.send_error(self.status)
                self.send_response(200)
                self.send_header("Content-Length", "100000")
                self.end_headers()
                self.wfile.write(b"\x89PNG")
                return self.cut()
            super().do_GET()

        def do_HEAD(self):
            count = self.seen[f"HEAD {self.path}"] = self.seen.get(f"HEAD {self.path}", 0) + 1
            if self.status and count <= self.cuts:
                return self.cut()
            super().do_HEAD()

        def cut(self):
            with contextlib.suppress(OSError):
                self.connection.shutdown(2)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}", Handler
        served.shutdown()


def test_a_web_server_is_read_once(server, same, files):
    """A folder that the server lists; a second run asks only whether the files have changed."""
    pytest.importorskip("aiohttp", reason="http:// needs aiohttp")
    address, handler = server
    same(f"{address}/r/")
    same(f"{address}/r/")
    assert [handler.seen[f"/r/{name}"] for name in files] == [1] * 12
    assert open_source(f"{address}/x.npz").raw(2).shape == (64, 64, 3)


@pytest.mark.parametrize("status", [0, 503])
def test_a_connection_that_breaks_is_tried_again(server, same, status):
    """Cut in the middle, or refused for now, four times a picture: nothing is lost, nothing is there twice."""
    pytest.importorskip("aiohttp", reason="http:// needs aiohttp")
    address, handler = server
    handler.cuts, handler.status = 4, status
    same(f"{address}/r/")
    handler.cuts, handler.seen = 99, {}
    with pytest.raises(BadSource, match="cannot be fetched"):
        open_source(f"{address}/x.npz")
    assert handler.seen["/x.npz"] == fetch.TRIES


def test_what_is_not_there_is_not_asked_for_again(server):
    """One request, one sentence."""
    pytest.importorskip("aiohttp", reason="http:// needs aiohttp")
    address, handler = server
    with pytest.raises(BadImage, match=r"cannot be fetched: .*none\.png"):
        open_source(f"{address}/none.png").raw(0)
    with pytest.raises(MissingSource, match=r"There is no .*none\.npz"):
        open_source(f"{address}/none.npz")
    assert handler.seen.get("/none.png", 0) <= 1


def test_large_files_come_in_blocks(bucket, tmp_path, monkeypatch, same):
    """Each block is tried again on its own, so that ten cuts cost ten blocks and not ten files."""
    monkeypatch.setattr(fetch, "BLOCK", 1000)
    asked, whole = [], type(bucket).cat_file

    def cat_file(self, path, start=None, end=None):
        asked.append(start)
        if len(asked) % 2:
            raise OSError("cut")
        return whole(self, path, start=start, end=end)

    monkeypatch.setattr(type(bucket), "cat_file", cat_file)
    same("memory://b/z.zip")
    size = bucket.info("/b/z.zip")["size"]
    assert asked == [start for start in range(0, size, 1000) for _ in range(2)] and len(asked) >= 20


@pytest.mark.parametrize(
    "where, error, message",
    [
        ("s3://bucket/r", MissingExtra, "'s3://bucket/r' needs the package s3fs: pip install s3fs"),
        ("gs://bucket/r/*.png", MissingExtra, "gcsfs: pip install gcsfs"),
        ("zip://*.png::s3://bucket/a.zip", MissingExtra, "s3fs: pip install s3fs"),
        ("nothing://bucket/r", BadSource, "'nothing://bucket/r' cannot be opened: Protocol not known: nothing"),
        ("memory://b/none", MissingSource, "There is no 'memory://b/none'"),
        ("memory://b/*.bmp", MissingSource, r"There is nothing at 'memory://b/\*\.bmp'"),
        ("http://127.0.0.1:9/r/", BadSource, r"'http://127\.0\.0\.1:9/r/' cannot be listed: .*[Cc]onnect"),
        ("memory://b/notes.md", BadSource, r"Cannot tell what 'memory://b/notes\.md' is"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(bucket, where, error, message, monkeypatch):
    """One sentence that names the address and the remedy."""
    import sys

    for package in ("s3fs", "gcsfs"):
        monkeypatch.setitem(sys.modules, package, None)
    bucket.pipe("/b/notes.md", b"no")
    with pytest.raises(error, match=message) as caught:
        open_source(where)
    assert isinstance(caught.value, GiqaError)


def test_without_fsspec_the_extra_is_named(monkeypatch):
    """And a path that lost a slash says so."""
    import sys
    from pathlib import Path

    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtra, match=r"Addresses such as 's3://b/r' need fsspec: pip install 'giqa\[remote\]'"):
        open_source("s3://b/r")
    with pytest.raises(BadSource, match="was an address before pathlib took a slash away"):
        open_source(Path("s3://b/r"))


def test_file_addresses_are_paths(folder, same):
    """file:// is no other machine."""
    same(folder.as_uri())
    assert not isinstance(open_source(folder.as_uri()), TableSource)
