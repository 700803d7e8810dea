"""Files that exist whole or not at all, tables in text, and pixels as PNG."""

from __future__ import annotations

import csv
import io
import json
import os
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

TENSORS = {"f2": "F16", "f4": "F32", "f8": "F64", "u1": "U8", "i4": "I32", "i8": "I64", "b1": "BOOL"}  # of safetensors


def replace_file(path: Path, content: bytes) -> None:
    """Write under a temporary name in the same folder, then rename: the file exists whole or not at all."""
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def write_tensors(path: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """A safetensors file, whole or not at all, one array after the other: a mapped one is never in memory."""
    entries, end = {}, 0
    for name, array in arrays.items():
        place, end = [end, end + array.nbytes], end + array.nbytes
        entries[name] = {"dtype": TENSORS[array.dtype.str[1:]], "shape": list(array.shape), "data_offsets": place}
    head = json.dumps({"__metadata__": dict(metadata), **entries}).encode()
    head += b" " * (-len(head) % 8)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with partial.open("wb") as file:
            file.write(len(head).to_bytes(8, "little") + head)
            for array in arrays.values():
                array.tofile(file)  # in C order
        os.replace(partial, path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def parse_table(
    content: bytes, name: str, error: type[Exception], delimiter: str = ","
) -> tuple[dict[str, list[str]], list[int]]:
    """The columns of a table in UTF-8 text, and the line that each row ends on; `error` names the line that is wrong.

    >>> parse_table(b"image,kind\\na.png,real\\n", "labels.csv", ValueError)
    ({'image': ['a.png'], 'kind': ['real']}, [2])
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise error(f"{name} is not UTF-8 text (byte {wrong.start}); save it as CSV UTF-8.") from None
    if "\0" in text:
        raise error(f"{name}, line {text[: text.index(chr(0))].count(chr(10)) + 1}: a NUL byte; not a table?")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as wrong:
        raise error(f"{name}, line {reader.line_num}: {wrong}.") from None
    if not rows:
        raise error(f"{name} is empty; a table begins with a line of column names.")
    header = [column.strip() for column in rows[0][1]]
    twice = next((column for column in header if header.count(column) > 1), None)
    if twice is not None:
        raise error(f"{name} has two columns called {twice!r}; a name is there once.")
    if len(header) == 1 and ";" in header[0]:
        raise error(f"{name} is separated by semicolons; save it with commas.")
    for line, row in rows[1:]:
        if len(row) != len(header):
            raise error(f"{name}, line {line}: {len(row)} values for {len(header)} columns.")
    columns = {column: [row[at] for _, row in rows[1:]] for at, column in enumerate(header)}
    return columns, [line for line, _ in rows[1:]]


def as_png(pixels: np.ndarray) -> bytes:
    """uint8 RGB (h, w, 3) as a PNG that holds pixels and nothing else."""
    import numpy as np
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG")
    return file.getvalue()
