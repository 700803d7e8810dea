"""How a file is taken apart and put together again, so that a mutation reaches what lies behind a checksum."""

from __future__ import annotations

import io
import json
import random
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Parts = dict[str, bytes]
LONG, DEEP = "x" * 2000, json.loads("[" * 300 + "]" * 300)
ODD: list[Any] = [
    *(0, 1, -1, 2, 2**31, 2**63, 2**70, 10**400, 1e308, -1e308, float("nan"), float("inf"), 0.5, 1e-320),
    *(True, None, "", "a", "nan", "1e999", "\0", "\ud800", "=1+1", "../../x", "1,5", LONG, [], {}, [[]], DEEP),
]
WORDS = [
    *("", "0", "-1", "1e999", "1e300", "nan", "inf", '"', '""', "'", "\n", "\r", ",", ";", "\t", "\0", "sep=;", "1_0"),
    *("real", "fake", "left", "right", "true", "10" * 200, "\ufeff", "{}", "[]", "[1", '{"a": 1}', "x" * 200, "٣", "²"),
]


@dataclass(frozen=True)
class Form:
    """The parts of a file by name, and the file of some parts."""

    apart: Callable[[bytes], Parts]
    together: Callable[[Parts], bytes]
    whole: bool = True  # whether the file itself may be mutated, byte by byte


def _unzipped(data: bytes) -> Parts:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist() if info.file_size < 1 << 20}


def _zipped(parts: Parts) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return file.getvalue()


def _untarred(data: bytes) -> Parts:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {info.name: archive.extractfile(info).read() for info in archive if info.isfile()}


def _tarred(parts: Parts) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in parts.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def _of_safetensors(data: bytes) -> Parts:
    from safetensors.numpy import load

    length = int.from_bytes(data[:8], "little")
    parts = {f"head {k}": v.encode() for k, v in json.loads(data[8 : 8 + length])["__metadata__"].items()}
    for name, array in load(data).items():
        file = io.BytesIO()
        np.save(file, array)
        parts[name] = file.getvalue()
    return parts


def _to_safetensors(parts: Parts) -> bytes:
    """With a checksum that fits: what is damaged then is meant, not an accident."""
    from safetensors.numpy import save

    from giqa.files import seal

    arrays = {n: np.load(io.BytesIO(c), allow_pickle=False) for n, c in parts.items() if not n.startswith("head ")}
    arrays = {n: np.ascontiguousarray(array) for n, array in arrays.items()}
    heads = {n.removeprefix("head "): content.decode() for n, content in parts.items() if n.startswith("head ")}
    for key in heads.keys() & {"giqa", "giqa.people", "giqa.maps"}:
        header = json.loads(heads[key])
        sealed = arrays if key != "giqa.people" else {n: a for n, a in arrays.items() if n.startswith(SEALED)}
        heads[key] = json.dumps(seal(header, sealed))
    return save(arrays, metadata=heads)


SEALED = ("human.", "densities.", "voted.", "scale.")
RAW = Form(lambda data: {"": data}, lambda parts: parts[""])
ZIP = Form(_unzipped, _zipped)
TAR = Form(_untarred, _tarred)
SAFETENSORS = Form(_of_safetensors, _to_safetensors)
FILES = Form(_unzipped, _zipped, whole=False)  # several files of a folder; the archive itself is ours


def mutated(data: bytes, form: Form, seed: int, most: int, of_bytes: Callable[[bytes, int], bytes]) -> bytes:
    """Another file, whole or in one of its parts."""
    rng = random.Random(seed)
    if form.whole and form is not RAW and rng.random() < 0.3:
        return of_bytes(data, most)
    try:
        parts = form.apart(data)
        name = rng.choice(list(parts))
        parts[name] = _part(parts[name], rng, most, of_bytes)
        if rng.random() < 0.05 and len(parts) > 1:
            del parts[rng.choice(list(parts))]
        return form.together(parts)[:most]
    except Exception:  # whatever the makers of files refuse
        return of_bytes(data, most) if form.whole else data


def _part(content: bytes, rng: random.Random, most: int, of_bytes: Callable[[bytes, int], bytes]) -> bytes:
    if rng.random() < 0.25:
        return of_bytes(content, most)
    try:
        return json.dumps(_tree(json.loads(content), rng)).encode()
    except (ValueError, RecursionError):
        pass
    if content[:6] == b"\x93NUMPY":
        return _array(content, rng)
    if b"\0" in content:
        return of_bytes(content, most)
    return _text(content.decode("utf-8", "replace"), rng).encode("utf-8", "replace")


def _tree(value: Any, rng: random.Random) -> Any:
    """JSON with one node of it changed, left out, or put in twice."""
    if isinstance(value, str) and value[:1] in "[{" and rng.random() < 0.7:  # JSON within JSON
        try:
            return json.dumps(_tree(json.loads(value), rng))
        except (ValueError, RecursionError):
            pass
    if isinstance(value, (dict, list)) and value and rng.random() < 0.9:
        key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        what = rng.random()
        if what < 0.05:
            del value[key]
        elif what < 0.1:
            value |= {str(rng.choice(ODD)): value[key]} if isinstance(value, dict) else {}  # a list: nothing
        elif what < 0.13 and isinstance(value, dict):
            value[rng.choice(list(value))] = value[key]
        else:
            value[key] = _tree(value[key], rng)
        return value
    if isinstance(value, str) and value and rng.random() < 0.6:
        return _text(value, rng)
    return rng.choice(ODD)


def _text(text: str, rng: random.Random) -> str:
    start = rng.randrange(len(text) + 1)
    end = min(len(text), start + rng.choice((0, 1, 2, 5, 20)))
    what = rng.random()
    if what < 0.3:  # a cell, or a word
        cells = [i for i, letter in enumerate(text) if letter in ",;\n\t()= "]
        if len(cells) > 1:
            at = rng.randrange(len(cells) - 1)
            start, end = cells[at] + 1, cells[at + 1]
    return text[:start] + (rng.choice(WORDS) if what < 0.8 else text[start:end] * 2) + text[end:]


def _array(content: bytes, rng: random.Random) -> bytes:
    array = np.load(io.BytesIO(content), allow_pickle=False)
    what = rng.randrange(7)
    if what == 0:
        array = array.reshape(-1)
    elif what == 1:
        array = array[: rng.randrange(len(array) + 1)] if array.ndim else array
    elif what == 2:
        array = array.astype(rng.choice(("f4", "f8", "i8", "u1", "i4", "?")))
    elif what == 3:
        array = array[None]
    elif what == 4:
        array = np.array(array.T)
    elif array.size:
        odd = [0, 1, -1, np.nan, np.inf, 1e30, 2**31, 255, -(2**40)]
        with np.errstate(all="ignore"):
            array.reshape(-1)[rng.randrange(array.size)] = np.array(rng.choice(odd)).astype(array.dtype)
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()
