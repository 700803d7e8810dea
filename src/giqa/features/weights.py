"""The weights home: networks that are downloaded or imported, each held to its SHA-256.

    GIQA_HOME/weights/pt_inception-2015-12-05-6726825d.pth   as published, its digest pinned below
                      inception-fid.folded2.safetensors      the same, batch norm folded into the convolutions
                      mine.safetensors                       imported, under a name of its own
                      weights.json                           name -> file, bytes, sha256, folded

A file whose digest is not the recorded one is never loaded, and nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..errors import BadSpec, BadWeights, MissingWeights
from ..files import as_home, home, replace_file

SUFFIXES = (".safetensors", ".pth", ".pt")
ATTEMPTS = 3  # how often one `pull` picks a broken download up again
TIMEOUT = 30.0  # seconds without a byte
BLOCK = 1 << 20
FOLDED = ".folded2.safetensors"
OLDER = ".folded.safetensors"  # never read: of weights saved channels-last it held numbers in the wrong places
ADVICE = "`giqa weights import FILE --name NAME` brings in a file of your own."


@dataclass(frozen=True)
class KnownWeights:
    """Weights that are published: where they are, and the digest without which they are not loaded."""

    file: str
    bytes: int
    sha256: str
    url: str
    network: str
    licence: str
    what: str


KNOWN: dict[str, KnownWeights] = {
    "inception-fid": KnownWeights(
        file="pt_inception-2015-12-05-6726825d.pth",
        bytes=95_628_359,
        sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        url="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
        network="inception",
        licence="Apache-2.0",
        what="Inception-V3 of TensorFlow, 2015-12-05: the network of FID and of most published numbers",
    ),
}


@dataclass(frozen=True)
class Entry:
    """One line of the home: `sha256` is of the file as published or imported; `folded` of what was made from it."""

    name: str
    file: str
    bytes: int
    sha256: str
    folded: str | None = None
    what: str = ""

    @property
    def path(self) -> Path:
        """The file to read: the folded copy when there is one."""
        return next(reversed(self.files()), folder() / self.file)

    @property
    def present(self) -> bool:
        return bool(self.files())

    def files(self) -> dict[Path, str]:
        """What of it lies in the home, and the digests recorded for that."""
        recorded = {folder() / self.file: self.sha256}
        if self.folded:
            recorded[folder() / f"{self.name}{FOLDED}"] = self.folded
        return {path: sha256 for path, sha256 in recorded.items() if path.is_file()}

    def check(self, path: Path | None = None, again: bool = False) -> Path:
        """A file of it, once its digest is the recorded one."""
        if not self.present:
            raise MissingWeights(_how_to_get(self))
        path = path or self.path
        actual = digest(path, again)
        if actual != self.files()[path]:
            raise BadWeights(
                f"{path} is not the file it was: SHA-256 recorded {self.files()[path]}, found {actual}. It was not "
                f"loaded; delete it, then pull or import {self.name!r} again."
            )
        return path


@dataclass(frozen=True)
class Resolved:
    """A file to load: `sha256` identifies the weights wherever they lie; `name` if the home has one for them."""

    path: Path
    sha256: str
    name: str | None = None


def folder() -> Path:
    """Where the weights lie; it need not exist yet."""
    return home() / "weights"


def listing() -> list[Entry]:
    """Everything that has a name here: the known weights, present or not, and the imported ones."""
    records = _records()
    entries = {}
    for name, known in KNOWN.items():
        record = records.get(name)
        folded = record.folded if record and record.sha256 == known.sha256 else None
        entries[name] = Entry(name, known.file, known.bytes, known.sha256, folded, known.what)
    return list((records | entries).values())


def resolve(ref: str | Path) -> Resolved:
    """The file behind a known or imported name, a path, or `sha256:HEX`; checked before it is handed out."""
    table = {entry.name: entry for entry in listing()}
    wanted = os.fspath(ref)
    if wanted.startswith("sha256:"):
        matches = [entry for entry in table.values() if wanted[7:].lower() in (entry.sha256, entry.folded)]
        if not matches:
            raise MissingWeights(f"No weights in {folder()} have the digest {wanted}. {ADVICE}")
        wanted = next((entry.name for entry in matches if entry.present), matches[0].name)
    if wanted in table:
        return Resolved(table[wanted].check(), table[wanted].sha256, wanted)
    path = as_home(wanted)
    if not path.is_file():
        raise MissingWeights(
            f"There are no weights {wanted!r}: not a file, and the names are {', '.join(table)}. {ADVICE}"
        )
    own = next((entry for entry in table.values() if any(path.samefile(file) for file in entry.files())), None)
    if own:  # a file of the home is held to its record under whatever path
        return resolve(own.name)
    found = digest(path)
    return Resolved(path, found, next((entry.name for entry in table.values() if entry.sha256 == found), None))


def verify(name: str | None = None) -> list[Entry]:
    """Read every file here again (or one) and compare digests; raises `BadWeights` naming all that differ."""
    chosen = [_entry(name)] if name else [entry for entry in listing() if entry.present]
    problems = []
    for entry in chosen:
        for path in entry.files() or {entry.path: ""}:
            try:
                entry.check(path, again=True)
            except BadWeights as problem:
                problems.append(str(problem))
    if problems:
        raise BadWeights("\n".join(problems))
    return chosen


def pull(name: str, progress: Callable[[int, int], None] | None = None) -> Path:
    """Download known weights; a download that broke off goes on where it stopped.

    Parameters
    ----------
    name : str
        One of `KNOWN`.
    progress : callable or None
        Called with (bytes done, bytes in all).

    Returns
    -------
    Path
        The file in the weights home.

    Raises
    ------
    MissingWeights
        When they cannot be had.
    BadWeights
        When what came is something else; then nothing is left in place.
    """
    if name not in KNOWN:
        raise BadSpec(f"There is nothing to pull under {name!r}; there are {', '.join(KNOWN)}. {ADVICE}")
    entry, known = _entry(name), KNOWN[name]
    if entry.present:
        return entry.check()
    from http.client import HTTPException  # here, for a light import

    part = folder() / f"{known.file}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    problem: Exception | None = None
    for _ in range(ATTEMPTS):
        try:
            _download(known, part, progress or (lambda done, total: None))
        except (OSError, HTTPException) as error:  # URLError, HTTPError and timeouts are OSError
            problem = error
        if _size(part) >= known.bytes:
            break
    if _size(part) < known.bytes:
        raise MissingWeights(
            f"Downloading {name!r} stopped at {_size(part)} of {known.bytes} bytes ({problem or 'connection closed'}); "
            f"the next pull goes on from there. {_how_to_get(entry)}"
        )
    found, size = digest(part, again=True), _size(part)
    if (size, found) != (known.bytes, known.sha256):
        part.unlink()
        raise BadWeights(
            f"{known.url} gave another file: recorded {known.bytes} bytes, SHA-256 {known.sha256}; "
            f"found {size} bytes, {found}. It was deleted."
        )
    os.replace(part, folder() / known.file)
    return folder() / known.file


def import_file(path: str | Path, name: str | None = None) -> Resolved:
    """Copy a file into the home: known weights under their own name, any other file under `name`."""
    path = as_home(path)
    if not path.is_file():
        raise MissingWeights(f"There is no file {path}.")
    actual = digest(path, again=True)
    known = next((n for n, k in KNOWN.items() if k.sha256 == actual), None)
    if known and name not in (None, known):
        raise BadWeights(f"{path} is {known!r}; it cannot be {name!r} too.")
    name = known or name
    if name is None:
        raise BadSpec(f"{path} (SHA-256 {actual}) is not {' or '.join(KNOWN)}; give it a name.")
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
        raise BadSpec(f"A name has the letters a-z 0-9 . _ - and does not begin with . _ -, got {name!r}.")
    if path.suffix.lower() not in SUFFIXES:
        raise BadWeights(f"Weights are {' or '.join(SUFFIXES)} files, got {path}.")
    entry = next((entry for entry in listing() if entry.name == name), None)
    if entry and entry.sha256 != actual:
        raise BadWeights(
            f"{name!r} is taken by the file with SHA-256 {entry.sha256}; {path} has {actual}. Choose another name."
        )
    file = KNOWN[name].file if known else name + path.suffix.lower()
    folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{file}.", suffix=".tmp", dir=folder()) as partial:
        os.replace(shutil.copyfile(path, Path(partial) / file), folder() / file)
    if digest(folder() / file, again=True) != actual:
        (folder() / file).unlink()
        raise BadWeights(f"{path} changed while it was copied; import it again.")
    if not known:
        _record(name, Entry(name, file, _size(path), actual))
    return Resolved(folder() / file, actual, name)


def remove(name: str) -> None:
    """Delete weights from the home: the file, what was made from it, and a download that broke off."""
    entry = _entry(name)
    for file in (entry.file, f"{entry.file}.part", f"{name}{FOLDED}", f"{name}{OLDER}"):
        (folder() / file).unlink(missing_ok=True)
    _record(name, None)


def keep_folded(name: str, content: bytes) -> None:
    """Keep a file made from the weights `name` next to them; from now on `resolve` hands that one out."""
    entry = _entry(name)
    replace_file(folder() / f"{name}{FOLDED}", content)
    (folder() / f"{name}{OLDER}").unlink(missing_ok=True)
    _record(name, replace(entry, folded=hashlib.sha256(content).hexdigest()))


_digests: dict[tuple[str, int, int], str] = {}


def digest(path: Path, again: bool = False) -> str:
    """SHA-256 of a file, computed once a process for each (path, size, time of change) unless `again`."""
    status = path.stat()
    key = (os.path.abspath(path), status.st_size, status.st_mtime_ns)
    if again or key not in _digests:
        with open(path, "rb") as file:
            _digests[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _digests[key]


def _download(known: KnownWeights, part: Path, progress: Callable[[int, int], None]) -> None:
    """Append what is missing to `part`; returns when the server has no more to give or gave too much."""
    from urllib.request import Request, urlopen

    done = _size(part)
    if done > known.bytes:
        part.unlink()
        done = 0
    headers = {"User-Agent": "giqa"} | ({"Range": f"bytes={done}-"} if done else {})
    if done == known.bytes:
        return
    with urlopen(Request(known.url, headers=headers), timeout=TIMEOUT) as answer:
        if answer.status != 206:  # the server begins at the beginning
            done = 0
        with open(part, "ab" if done else "wb") as file:
            while done <= known.bytes and (block := answer.read(BLOCK)):
                file.write(block)
                done += len(block)
                progress(min(done, known.bytes), known.bytes)


def _entry(name: str) -> Entry:
    table = {entry.name: entry for entry in listing()}
    if name not in table:
        raise BadSpec(f"There are no weights {name!r} here; there are {', '.join(table)}.")
    return table[name]


def _records() -> dict[str, Entry]:
    path = folder() / "weights.json"
    try:
        return {name: Entry(name, **fields) for name, fields in json.loads(path.read_text(encoding="utf-8")).items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise BadWeights(f"{path} cannot be read ({error}); move it away and import your own weights again.") from None


def _record(name: str, entry: Entry | None) -> None:
    records = {key: value for key, value in _records().items() if key != name} | ({name: entry} if entry else {})
    kept = ("file", "bytes", "sha256", "folded")
    fields = {name: {k: v for k, v in asdict(entry).items() if k in kept} for name, entry in records.items()}
    replace_file(folder() / "weights.json", json.dumps(fields, indent=1, sort_keys=True))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _how_to_get(entry: Entry) -> str:
    if entry.name not in KNOWN:
        return f"The weights {entry.name!r} are recorded but {entry.file} is gone from {folder()}; import it again."
    known = KNOWN[entry.name]
    return (
        f"The weights {entry.name!r} are not on this machine: run `giqa weights pull {entry.name}`. Offline, fetch "
        f"{known.url} elsewhere ({known.file}, {known.bytes} bytes, SHA-256 {known.sha256}) and put it "
        f"into {folder()}, or run `giqa weights import FILE`."
    )
