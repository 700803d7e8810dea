"""Matrix products whose rows do not depend on the other rows, and the checks every scorer starts with."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np

from ..errors import BadShape
from ..threads import blas_name, one_blas_thread
from ..types import Features, as_numbers

# A BLAS rounds an element of a product by the path it takes for the sizes of the product and for the place of the
# element in it: the first and last columns of a product, ragged edges, few rows, shared work of threads. So every
# product here is a sum of tiles of few sizes, each computed by one thread, the rest filled with zeros. A picture is a
# column of a tile, a reference a row; the columns next to the border stay zero, since there kernels round otherwise
# (seen with OpenBLAS's Haswell kernel, and in float64 with MKL). Which widths of a tile give a picture the same bits in
# every column, and the same as each other, is not believed but tried, once in a process, on the BLAS at hand:
# `steady_widths` (MKL has another kernel for few columns, BLIS for many). Where no width does, pictures are multiplied
# one by one, which is steady whatever the BLAS does.
HEIGHTS = (512, 128, 32)  # references in a tile
DEPTHS = (512, 256, 128, 64)  # features in a tile; tiles of one picture and reference are added up in their order
WIDTHS = (32, 80, 144, 272)  # columns of a tile, with the border: 16, 64, 128 or 256 pictures
BORDER = 8  # columns of zeros on either side
DTYPES = (np.float32, np.float64)
ALIGNED = 64  # bytes: some BLAS round by where an array begins
WORTH_THREADS = 2**26  # multiplications; below this one thread is faster than waking others
ROWS_AT_ONCE = 8192  # where many rows are worked on: bounds the float64 copies


def steady_product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left times the transpose of right, row by row the same bits whatever the other rows of left are.

    Parameters
    ----------
    left : float32 or float64 ndarray of shape (n, d)
        Pictures.
    right : float32 or float64 ndarray of shape (m, d)
        References.

    Returns
    -------
    ndarray of shape (n, m)
        Of the wider type. The bits are those of this BLAS; another one, or another processor, may round otherwise.

    Examples
    --------
    >>> steady_product(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])).tolist()
    [[11.0, 17.0, 23.0]]
    """
    dtype = np.result_type(left, right)
    result = np.zeros((len(left), len(right)), dtype)

    def place(rows: slice, references: slice, tile: np.ndarray) -> None:
        result[rows, references] = tile.T

    in_tiles(left, right, place)
    return result


def in_tiles(left: np.ndarray, right: np.ndarray, use: Callable[[slice, slice, np.ndarray], None]) -> None:
    """The same product, a tile at a time while it is in the cache, from several threads.

    Parameters
    ----------
    left : float32 or float64 ndarray of shape (n, d)
        Pictures.
    right : float32 or float64 ndarray of shape (m, d)
        References.
    use : callable
        Takes some rows of `left`, some of `right`, and their products (references, pictures), which it may overwrite.
        Never called where there are no features, d = 0.
    """
    (n, d), m, dtype = left.shape, len(right), np.result_type(left, right)
    left, right = left.astype(dtype, copy=False), np.ascontiguousarray(right, dtype)  # BLAS goes by how an array lies
    depths, heights = _cut(d, DEPTHS), _cut(m, HEIGHTS)
    groups = [(rows, Columns(left[rows])) for rows in _batches(n, WIDTHS[-1])]

    def piece(work: tuple[slice, Columns, slice, int]) -> None:
        rows, pictures, references, height = work
        block = _block(right[references], height, pictures, depths)
        use(rows, references, block[: references.stop - references.start])

    in_threads(piece, [(*group, *part) for group in groups for part in heights if d], n * m * d)


def _cut(length: int, sizes: Sequence[int]) -> list[tuple[slice, int]]:
    """Parts that tile 0..length, each with its size of tile, largest first; the last part may be shorter than that."""
    parts, start = [], 0
    for size in sizes:
        while length - start >= size or (size == sizes[-1] and start < length):
            parts.append((slice(start, min(start + size, length)), size))
            start += size
    return parts


def _batches(n: int, width: int) -> list[slice]:
    """As many of n pictures at a time as a tile of that width takes."""
    most = width - 2 * BORDER
    return [slice(start, min(start + most, n)) for start in range(0, n, most)]


class Columns:
    """Pictures (n, d) as the columns of tiles, made when they are first asked for."""

    def __init__(self, pictures: np.ndarray):
        self.pictures = pictures
        self.made: dict[Any, list[np.ndarray]] = {}

    def of(self, part: slice, depth: int, widths: tuple[int, ...]) -> list[np.ndarray]:
        """Some of their features between rows of zeros, (width, depth), one array for as many as the widest takes."""
        key = part.start, widths
        if key not in self.made:
            arrays = []
            for rows in _batches(len(self.pictures), widths[-1]):
                count = rows.stop - rows.start
                columns = _aligned((_narrowest(widths, count), depth), self.pictures.dtype)
                columns[BORDER : BORDER + count, : part.stop - part.start] = self.pictures[rows, part]
                arrays.append(columns)
            self.made[key] = arrays  # whole, since threads may ask at once; two that make it make the same
        return self.made[key]


def _narrowest(widths: Sequence[int], count: int) -> int:
    return next(width for width in widths if width - 2 * BORDER >= count)


def _block(references: np.ndarray, height: int, pictures: Columns, depths: Sequence[tuple[slice, int]]) -> np.ndarray:
    """Products of up to `height` references (rows) with the pictures (columns), (height, pictures)."""
    total, n = None, len(pictures.pictures)
    for part, depth in depths:
        rows = references[:, part]
        if rows.shape != (height, depth):
            rows = _aligned((height, depth), references.dtype)
            rows[: len(references), : part.stop - part.start] = references[:, part]
        if widths := steady_widths(height, depth, rows.dtype):
            tiles = [_tile(rows, columns)[:, BORDER:-BORDER] for columns in pictures.of(part, depth, widths)]
            tile = tiles[0][:, :n] if len(tiles) == 1 else np.concatenate(tiles, axis=1)[:, :n]
        else:
            tile = _one_by_one(rows, pictures.pictures[:, part])
        total = tile if total is None else np.add(total, tile, out=total)
    return total


def _tile(references: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """One call of BLAS: references (height, depth) times the transpose of pictures (width, depth)."""
    return references @ columns.T


def _one_by_one(references: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    """Each picture by a product of its own, always of one shape, so that no other picture matters."""
    tile = np.empty((len(references), len(pictures)), references.dtype)
    column = _aligned(references.shape[1:], references.dtype)
    for at, picture in enumerate(pictures):
        column[: len(picture)] = picture
        tile[:, at] = references @ column
    return tile


@cache
def steady_widths(height: int, depth: int, dtype: Any) -> tuple[int, ...]:
    """Widths of tile that give a picture the same bits in every column and as each other, tried here; () for none.

    Which path a BLAS takes goes by sizes and places, not by values: one picture in all columns shows it. Of several
    sets of widths that agree among themselves, the largest.

    Parameters
    ----------
    height, depth : int
        References and features in a tile.
    dtype : dtype
        float32 or float64.
    """
    rng = np.random.default_rng(height * depth)
    references, picture = rng.standard_normal((height, depth)).astype(dtype), rng.standard_normal(depth).astype(dtype)
    by_bits: dict[bytes, tuple[int, ...]] = {}
    with one_blas_thread():
        for width in WIDTHS:
            columns = _aligned((width, depth), dtype)
            columns[BORDER:-BORDER] = picture
            tile = _tile(references, columns)[:, BORDER:-BORDER]
            if (tile == tile[:, :1]).all():
                bits = tile[:, 0].tobytes()
                by_bits[bits] = (*by_bits.get(bits, ()), width)
    return max(by_bits.values(), key=lambda widths: (len(widths), widths[-1]), default=())


@dataclass(frozen=True)
class Steadiness:
    """What `check_products` found: the BLAS, and for each type how many sizes of tile there are and are steady."""

    blas: str
    tiles: int
    steady: dict[str, int]

    def record(self) -> dict[str, Any]:
        """For `made_by`."""
        return {"blas": self.blas, "one_by_one": {name: self.tiles - n for name, n in self.steady.items()}}

    def __str__(self) -> str:
        slow = [f"{self.tiles - n} of {self.tiles} in {name}" for name, n in self.steady.items() if n < self.tiles]
        if not slow:
            return f"{self.blas}: a picture has the same bits alone and in any batch ({self.tiles} sizes tried)"
        return (
            f"{self.blas} rounds a picture by the rest of its batch in some sizes of product ({', '.join(slow)}): "
            "there giqa multiplies pictures one by one, so scores are the same bits all the same, only slower"
        )


def check_products() -> Steadiness:
    """Try every size of tile that products are made of, in about 0.1 s, once in a process.

    Returns
    -------
    Steadiness
        What was found; giqa is right in any case, and slower where a size is not steady.

    Examples
    --------
    >>> check_products().tiles
    12
    """
    sizes = [(height, depth) for height in HEIGHTS for depth in DEPTHS]
    steady = {np.dtype(t).name: sum(bool(steady_widths(*size, np.dtype(t))) for size in sizes) for t in DTYPES}
    return Steadiness(blas_name(), len(sizes), steady)


def _aligned(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Zeros that begin at a multiple of 64 bytes."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.zeros(size + ALIGNED, np.uint8)
    start = -raw.__array_interface__["data"][0] % ALIGNED
    return raw[start : start + size].view(dtype).reshape(shape)


def in_threads(work: Callable[[Any], None], pieces: Sequence[Any], multiplications: int) -> None:
    """Every piece by one thread, BLAS's own threads at rest; in turn where there is too little work to wake others for.

    Parameters
    ----------
    work : callable
        Called with each piece.
    pieces : sequence
        They may not wait for each other, nor call this again.
    multiplications : int
        Work of all pieces together.
    """
    with one_blas_thread():
        if len(pieces) > 1 and multiplications >= WORTH_THREADS:
            list(_threads().map(work, pieces))
        else:
            for piece in pieces:
                work(piece)


@lru_cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1, "giqa-product")


if hasattr(os, "register_at_fork"):  # threads do not survive a fork
    os.register_at_fork(after_in_child=_threads.cache_clear)


def as_matrix(features: Any, width: int | None = None) -> np.ndarray:
    """`Features` or an array (n, d) as a finite float matrix; float32 stays float32.

    Parameters
    ----------
    features : ndarray of shape (n, d) or Features
        Features of pictures.
    width : int or None, default None
        Number of columns that the scorer was fitted on.

    Returns
    -------
    float32 or float64 ndarray of shape (n, d)
        All layers side by side.

    Raises
    ------
    BadShape
        If it has another shape or width, or a number that is not finite.
    """
    matrix = features.matrix() if isinstance(features, Features) else as_numbers(features, "Features", 2)
    if not matrix.shape[1]:
        raise BadShape(f"Features are at least one number a picture, got shape {matrix.shape}.")
    if width is not None and matrix.shape[1] != width:
        raise BadShape(f"The scorer was fitted on {width} features a picture, got {matrix.shape[1]}.")
    matrix = matrix.astype(np.float32 if matrix.dtype == np.float32 else np.float64, copy=False)
    if not np.isfinite(matrix).all():
        row = int(np.flatnonzero(~np.isfinite(matrix).all(axis=1))[0])
        raise BadShape(f"Features must be finite; row {row} is not. Leave that picture out or look at how it was made.")
    return matrix


def standardiser(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column, float64 (d,) each; a column that never varies keeps 1.

    Parameters
    ----------
    matrix : ndarray of shape (n, d)
        Features.
    """
    mean = matrix.mean(axis=0, dtype=np.float64)
    squares = np.zeros(matrix.shape[1])
    for start in range(0, len(matrix), ROWS_AT_ONCE):
        squares += ((matrix[start : start + ROWS_AT_ONCE] - mean) ** 2).sum(axis=0)
    spread = np.sqrt(squares / len(matrix))
    spread[spread <= 1e-7 * np.maximum(np.abs(mean), 1e-30)] = 1.0
    return mean, spread
