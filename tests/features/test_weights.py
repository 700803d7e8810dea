"""The weights home, without a network: downloads come from a server on this machine."""

import hashlib
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from safetensors.numpy import save, save_file

from giqa.errors import BadSpec, BadWeights, MissingWeights
from giqa.features import weights

CONTENT = save({"layer.conv.weight": np.arange(200_000, dtype=np.float32).reshape(-1, 1, 1, 1)})
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("GIQA_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "weights"


class Server(HTTPServer):
    """Serves `content`; breaks off after `limits.pop(0)` bytes of each answer; remembers the ranges asked for."""

    content, limits, ranges, resumes = CONTENT, [], [], True


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.server.resumes else 0
        body = self.server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.limits.pop(0)] if self.server.limits else body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    http = Server(("127.0.0.1", 0), Handler)
    http.limits, http.ranges = [], []
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{http.server_port}/net.safetensors"
    known = weights.KnownWeights("net.safetensors", len(CONTENT), SHA256, url, "inception", "MIT", "a test")
    monkeypatch.setitem(weights.KNOWN, "net", known)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield http
    http.shutdown()
    thread.join()
    http.server_close()


def small_file(path, seed=0):
    save_file({"layer.conv.weight": np.random.default_rng(seed).random((2, 3, 1, 1), np.float32)}, path)
    return path


def left_behind(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


# --- home ---


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"GIQA_HOME": "/a/b"}, "/a/b"),
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/giqa"),
        ("linux", {}, "/home/me/.cache/giqa"),
        ("darwin", {"XDG_CACHE_HOME": "/x"}, "/home/me/Library/Caches/giqa"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/giqa"),
    ],
)
def test_home_is_the_platforms_cache_folder(platform, variables, expected, monkeypatch):
    for name in ("GIQA_HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(weights.Path, "expanduser", lambda path: type(path)(str(path).replace("~", "/home/me")))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert weights.home().as_posix() == expected


@pytest.mark.parametrize("chosen", ["~no-such-person/x", None])
def test_no_home_folder_is_a_sentence(chosen, monkeypatch):
    """Of another person, or of a number without a name and without HOME, as in containers."""
    if chosen is None:
        monkeypatch.delenv("GIQA_HOME", raising=False)
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as it is where nothing is known
    else:
        monkeypatch.setenv("GIQA_HOME", chosen)
    with pytest.raises(BadSpec, match=r"knows no home folder for '~.*GIQA_HOME"):
        weights.home()


def test_looking_creates_nothing(at_home):
    assert [entry.name for entry in weights.listing()] == ["inception-fid"]
    assert not weights.listing()[0].present
    assert not at_home.parent.exists()


def test_the_fid_network_is_pinned():
    known = weights.KNOWN["inception-fid"]
    assert (known.bytes, known.sha256[:8]) == (95_628_359, "6726825d")
    assert known.url.endswith(known.file)


def test_a_machine_without_it_is_told_all_that_is_needed(at_home):
    with pytest.raises(MissingWeights) as caught:
        weights.resolve("inception-fid")
    known = weights.KNOWN["inception-fid"]
    for fact in (known.file, str(known.bytes), known.sha256, str(at_home), "giqa weights import FILE", known.url):
        assert fact in str(caught.value)


# --- pull ---


def test_pull_gets_the_file_and_reports_progress(server, at_home):
    seen = []
    path = weights.pull("net", progress=lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert left_behind(at_home) == ["net.safetensors"]
    assert weights.resolve("net") == weights.Resolved(path, SHA256, "net")


def test_pull_asks_nobody_when_the_file_is_here(server):
    weights.pull("net")
    weights.pull("net")
    assert len(server.ranges) == 1


def test_a_broken_download_goes_on_where_it_stopped(server, at_home):
    server.limits[:] = [300_000, 100_000]
    weights.pull("net")
    assert server.ranges == [None, "bytes=300000-", "bytes=400000-"]
    assert (at_home / "net.safetensors").read_bytes() == CONTENT


def test_a_download_that_stays_broken_is_kept_for_the_next_pull(server, at_home):
    server.limits[:] = [100_000, 0, 0]
    with pytest.raises(MissingWeights, match=f"stopped at 100000 of {len(CONTENT)} bytes"):
        weights.pull("net")
    assert left_behind(at_home) == ["net.safetensors.part"]
    with pytest.raises(MissingWeights):
        weights.resolve("net")
    weights.pull("net")
    assert server.ranges[-1] == "bytes=100000-"
    assert left_behind(at_home) == ["net.safetensors"]


def test_a_server_that_cannot_resume_begins_again(server, at_home):
    server.resumes = False
    server.limits[:] = [100_000]
    assert weights.pull("net").read_bytes() == CONTENT


@pytest.mark.parametrize("wrong", [CONTENT[:-1] + b"!", CONTENT + b"more"])
def test_the_wrong_file_is_refused_and_nothing_stays(server, at_home, wrong):
    server.content = wrong
    with pytest.raises(BadWeights, match=SHA256):
        weights.pull("net")
    assert left_behind(at_home) == []


def test_a_damaged_part_cannot_become_a_file(server, at_home):
    at_home.mkdir(parents=True)
    (at_home / "net.safetensors.part").write_bytes(b"rubbish")
    with pytest.raises(BadWeights):
        weights.pull("net")
    assert weights.pull("net").read_bytes() == CONTENT


def test_offline(monkeypatch, at_home):
    known = weights.KnownWeights("net.bin", 10, "0" * 64, "http://127.0.0.1:1/net.bin", "n", "MIT", "a test")
    monkeypatch.setitem(weights.KNOWN, "net", known)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(MissingWeights, match=r"net\.bin, 10 bytes, SHA-256 0000"):
        weights.pull("net")


def test_only_known_weights_can_be_pulled():
    with pytest.raises(BadSpec, match="inception-fid"):
        weights.pull("inception")


# --- import, resolve, verify, remove ---


def test_import_keeps_a_copy_under_a_name_and_a_digest(tmp_path, at_home):
    given = small_file(tmp_path / "net.safetensors")
    imported = weights.import_file(given, "mine-1")
    assert imported.path.parent == at_home and imported.path.read_bytes() == given.read_bytes()
    given.unlink()
    assert weights.resolve("mine-1") == imported
    assert weights.resolve(f"sha256:{imported.sha256}") == imported
    assert json.loads((at_home / "weights.json").read_text())["mine-1"]["sha256"] == imported.sha256
    assert [entry.name for entry in weights.listing() if entry.present] == ["mine-1"]


def test_a_known_file_is_imported_under_its_own_name(server, tmp_path):
    (tmp_path / "anything.safetensors").write_bytes(CONTENT)
    assert weights.import_file(tmp_path / "anything.safetensors").name == "net"
    assert weights.resolve("net").sha256 == SHA256
    with pytest.raises(BadWeights, match="cannot be 'other' too"):
        weights.import_file(tmp_path / "anything.safetensors", "other")


def test_a_known_name_is_for_the_known_file_only(server, tmp_path):
    with pytest.raises(BadWeights, match=SHA256):
        weights.import_file(small_file(tmp_path / "x.safetensors"), "net")


def test_a_name_stands_for_one_file(tmp_path):
    weights.import_file(small_file(tmp_path / "a.safetensors", 1), "mine")
    weights.import_file(tmp_path / "a.safetensors", "mine")
    with pytest.raises(BadWeights, match="taken"):
        weights.import_file(small_file(tmp_path / "b.safetensors", 2), "mine")


@pytest.mark.parametrize("name", ["", "..", "../x", "A", "a b", ".hidden", "a/b", "ü"])
def test_names_are_plain(tmp_path, name):
    with pytest.raises(BadSpec):
        weights.import_file(small_file(tmp_path / "x.safetensors"), name)


def test_an_unknown_file_needs_a_name_and_a_suffix(tmp_path):
    with pytest.raises(BadSpec, match="give it a name"):
        weights.import_file(small_file(tmp_path / "x.safetensors"))
    (tmp_path / "x.pkl").write_bytes(b"x")
    with pytest.raises(BadWeights, match="safetensors"):
        weights.import_file(tmp_path / "x.pkl", "mine")
    with pytest.raises(MissingWeights):
        weights.import_file(tmp_path / "none.safetensors", "mine")


def test_a_file_that_changed_is_never_loaded(tmp_path):
    """Neither under its name, nor by its digest, nor by its path; and `verify` finds it even at an equal time."""
    found = weights.import_file(small_file(tmp_path / "a.safetensors", 1), "mine")
    assert [entry.name for entry in weights.verify()] == ["mine"]
    small_file(found.path, 2)
    changed = hashlib.sha256(found.path.read_bytes()).hexdigest()
    for ref in ("mine", f"sha256:{found.sha256}", found.path):
        with pytest.raises(BadWeights, match=f"recorded {found.sha256}, found {changed}"):
            weights.resolve(ref)
    with pytest.raises(BadWeights, match=changed):
        weights.verify()
    with pytest.raises(BadWeights, match=changed):
        weights.verify("mine")


def test_a_file_of_ones_own_is_used_where_it_lies(tmp_path, at_home):
    path = small_file(tmp_path / "a.safetensors")
    found = weights.resolve(path)
    assert (found.path, found.name) == (path, None)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert not at_home.exists()


def test_what_is_not_there_says_what_is():
    for ref in ("nothing", "/no/such/file.pth", "sha256:" + "0" * 64):
        with pytest.raises(MissingWeights, match="giqa weights import"):
            weights.resolve(ref)
    with pytest.raises(BadSpec, match="inception-fid"):
        weights.verify("nothing")


def test_remove_takes_everything_of_it_away(tmp_path, at_home):
    weights.import_file(small_file(tmp_path / "a.safetensors"), "mine")
    weights.remove("mine")
    assert left_behind(at_home) == ["weights.json"]
    assert [entry.name for entry in weights.listing()] == ["inception-fid"]


def test_a_broken_record_is_no_record(at_home):
    at_home.mkdir(parents=True)
    (at_home / "weights.json").write_text("{")
    with pytest.raises(BadWeights, match=r"weights\.json cannot be read"):
        weights.listing()


def test_digest_is_computed_once_until_the_file_changes(tmp_path, monkeypatch):
    path, calls = small_file(tmp_path / "a.safetensors", 1), []
    compute = hashlib.file_digest
    monkeypatch.setattr(weights.hashlib, "file_digest", lambda *a: (calls.append(1), compute(*a))[1])
    first = weights.digest(path)
    assert weights.digest(path) == first and len(calls) == 1
    path.write_bytes(b"longer than before" * 99)
    assert weights.digest(path) != first and len(calls) == 2
