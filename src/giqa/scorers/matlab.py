"""MATLAB's level 5 files, as far as published parameters need them: matrices of real numbers by name."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..errors import BadWeights

NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
MATRIX, COMPRESSED = 14, 15
HEADER = 128


def read_mat(path: str | Path) -> dict[str, np.ndarray]:
    """Every real numeric matrix in a MATLAB file of level 5; anything else in it is passed over.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict of str to float64 ndarray
        Matrices by name.

    Raises
    ------
    BadWeights
        If it is no such file, or is cut short.
    """
    content = Path(path).read_bytes()
    try:
        if content[126:128] not in (b"IM", b"MI"):
            raise ValueError("the mark of a level 5 file is missing")
        order = "<" if content[126:128] == b"IM" else ">"
        found: dict[str, np.ndarray] = {}
        for kind, data in _elements(content[HEADER:], order):
            if kind == COMPRESSED:
                ((kind, data),) = _elements(zlib.decompress(data), order)
            if kind == MATRIX:
                found |= _matrix(data, order)
        return found
    except (ValueError, struct.error, zlib.error, KeyError, IndexError) as error:
        raise BadWeights(f"{path} is no MATLAB file of level 5, or is cut short ({error}).") from None


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """(type, content) of each element; small ones have their content in the tag."""
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from(f"{order}II", data, at)
        start = at + 8
        if kind >> 16:
            kind, size, start = kind & 0xFFFF, kind >> 16, at + 4
        if start + size > len(data):
            raise ValueError("an element is longer than the file")
        yield kind, data[start : start + size]
        at = at + 8 if start == at + 4 else start + size + (-size % 8 if kind != COMPRESSED else 0)


def _matrix(data: bytes, order: str) -> dict[str, np.ndarray]:
    parts = list(_elements(data, order))
    flags = struct.unpack_from(f"{order}I", parts[0][1])[0]
    if not 6 <= flags & 0xFF <= 15 or flags >> 11 & 1:  # text, cells, structures, sparse; complex
        return {}
    shape = np.frombuffer(parts[1][1], f"{order}i4")
    values = np.frombuffer(parts[3][1], order + NUMBERS[parts[3][0]])
    return {parts[2][1].decode("latin-1"): values.astype(np.float64).reshape(shape, order="F")}
