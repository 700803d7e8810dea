"""Rows of a reference whose product with a picture says that they are near: an exact search through all of them."""

from __future__ import annotations

import numpy as np

from .products import ROWS_AT_ONCE, in_tiles, steady_product

FEW, SHARE, SAMPLE = (
    2048,
    16,
    4096,
)  # references: below it all are looked at; else a share, at most so many, is guessed by
SURE = 4.5  # standard deviations more than expected that are let through: 3 in a million guesses are too low


def nearest(queries: np.ndarray, reference: np.ndarray, halves: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k smallest |r|^2 / 2 - q.r of each picture q, and the rows r that they belong to; the smallest first.

    A sample of the references says which value the k-th smallest will not exceed; what is below it is kept as each tile
    of the product is made, so that the product is never written as a whole. A picture for which fewer than k are below
    it is looked at again without the guess. What is found for a picture depends on no other picture.

    Parameters
    ----------
    queries : float32 ndarray of shape (n, d)
        Pictures.
    reference : float32 ndarray of shape (m, d)
        References.
    halves : float32 ndarray of shape (m,)
        Half of the squared length of each.
    k : int
        How many; all m where there are fewer.

    Returns
    -------
    values : float32 ndarray of shape (n, min(k, m))
        Half of the squared distance, less the half of the picture's own square.
    rows : int ndarray of shape (n, min(k, m))
        Row numbers of `reference`; of equal values the first row comes first.

    Examples
    --------
    >>> reals = np.array([[0, 0], [3, 0], [9, 9]], np.float32)
    >>> values, rows = nearest(np.array([[2, 0]], np.float32), reals, (reals**2).sum(axis=1) / 2, 2)
    >>> values.tolist(), rows.tolist()
    ([[-1.5, 0.0]], [[1, 0]])
    """
    m = len(reference)
    if m < FEW or 4 * k > m:
        return _of_all(queries, reference, halves, k)
    some = np.arange(0, m, max(SHARE, m // SAMPLE))
    expected = k * len(some) / m
    place = int(expected + SURE * np.sqrt(expected) + 1)
    seen = halves[some] - steady_product(queries, reference[some])
    limits = np.partition(seen, place, axis=1)[:, place]
    picture, rows, values = _below(queries, reference, halves, limits)
    found = np.bincount(picture, minlength=len(queries))
    column = np.arange(len(picture)) - np.repeat(np.cumsum(found) - found, found)
    keys = np.full((len(queries), max(k, found.max(initial=0))), np.iinfo(np.uint64).max)
    keys[picture, column] = _keys(values, rows)
    keys.sort(axis=1)
    near, where = _read(keys[:, :k])
    few = np.flatnonzero(found < k)
    if len(few):
        near[few], where[few] = _of_all(queries[few], reference, halves, k)
    return near, where


def _below(
    queries: np.ndarray, reference: np.ndarray, halves: np.ndarray, limits: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Picture, row and value of all values up to the limit of their picture, by picture and then by row."""
    kept: dict[tuple[int, int], tuple[np.ndarray, np.ndarray, np.ndarray]] = {}

    def keep(pictures: slice, references: slice, products: np.ndarray) -> None:
        values = np.subtract(halves[references, None], products, out=products)
        row, picture = np.nonzero(values <= limits[pictures])
        kept[pictures.start, references.start] = picture + pictures.start, row + references.start, values[row, picture]

    in_tiles(queries, reference, keep)
    picture, rows, values = (np.concatenate(parts) for parts in zip(*(kept[key] for key in sorted(kept)), strict=True))
    small = picture.astype(np.min_scalar_type(len(queries)))  # numpy sorts 16 bits by counting
    order = np.argsort(small, kind="stable")  # rows of a picture stay in their order
    return picture[order], rows[order], values[order]


def _of_all(queries: np.ndarray, reference: np.ndarray, halves: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The same from whole products, a part of the references at a time."""
    keys = np.empty((len(queries), 0), np.uint64)
    for start in range(0, len(reference), ROWS_AT_ONCE):
        rows = np.arange(start, min(start + ROWS_AT_ONCE, len(reference)))
        values = halves[rows] - steady_product(queries, reference[rows[0] : rows[-1] + 1])
        keys = np.concatenate([keys, _keys(values, rows)], axis=1)
        if k < keys.shape[1]:
            keys = np.partition(keys, k - 1, axis=1)[:, :k]
    return _read(np.sort(keys, axis=1))


def _keys(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """A float32 and a row as one whole number that sorts as they do, first by the value: sorting it is far faster."""
    bits = values.view(np.int32).astype(np.int64)
    bits = np.where(bits < 0, ~bits & 0xFFFFFFFF, bits | 0x80000000)  # negative ones turned around, below the others
    return bits.astype(np.uint64) << np.uint64(32) | rows.astype(np.uint64)


def _read(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and rows of such numbers."""
    bits = (keys >> np.uint64(32)).astype(np.int64)
    bits = np.where(bits & 0x80000000, bits & 0x7FFFFFFF, ~bits & 0xFFFFFFFF)
    return bits.astype(np.uint32).view(np.float32), (keys & np.uint64(0xFFFFFFFF)).astype(int)
