"""Blocks of rows, so that all pairs of two sets can be looked at in bounded memory; and the check of two sets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import BadShape
from ..types import as_numbers

LARGEST = 1e12  # squares of it, summed in float32, are far from overflow
ROWS = 2048  # of a block: a tile of all its pairs is 16 MB


def as_set(features: Any, name: str, least: int = 1) -> np.ndarray:
    """An array (n, d) of finite numbers; float32 stays float32, everything else becomes float64.

    Parameters
    ----------
    features : array-like of shape (n, d)
        Features of pictures.
    name : str
        What an error calls them.
    least : int, default 1
        Fewest rows.

    Returns
    -------
    ndarray of shape (n, d)
        The features.

    Raises
    ------
    BadShape
        If the array has another shape, too few rows, or a number that is not finite.
    """
    matrix = as_numbers(features, f"The {name} features", 2)
    if not matrix.shape[1]:
        raise BadShape(f"The {name} features are a numeric array (n, d), got shape {matrix.shape} of {matrix.dtype}.")
    if len(matrix) < least:
        raise BadShape(f"At least {least} {name} pictures are needed, got {len(matrix)}; add pictures.")
    matrix = matrix.astype(np.float32 if matrix.dtype == np.float32 else np.float64, copy=False)
    for rows in blocks(len(matrix)):
        if not np.isfinite(matrix[rows]).all():
            row = rows.start + int(np.flatnonzero(~np.isfinite(matrix[rows]).all(axis=1))[0])
            raise BadShape(f"Features must be finite; row {row} of the {name} ones is not. Leave that picture out.")
    return matrix


def as_pair(real: Any, fake: Any, least: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Both sets, checked by `as_set`, and of the same width.

    Parameters
    ----------
    real : array-like of shape (n, d)
        Features of reals.
    fake : array-like of shape (m, d)
        Features of fakes.
    least : int, default 2
        Fewest rows of each.

    Returns
    -------
    real, fake : ndarray
        The features.

    Raises
    ------
    BadShape
        If one set is not valid, or their widths differ.
    """
    real, fake = as_set(real, "real", least), as_set(fake, "fake", least)
    if real.shape[1] != fake.shape[1]:
        raise BadShape(
            f"Both sets need the same features; the reals have {real.shape[1]} columns, the fakes {fake.shape[1]}."
        )
    return real, fake


def as_factors(real: Any, fake: Any, least: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Both sets as `as_pair` gives them, for metrics that multiply features with each other.

    Raises
    ------
    BadShape
        As `as_pair`, and where a number is beyond 1e12.
    """
    pair = as_pair(real, fake, least)
    for name, matrix in zip(("real", "fake"), pair, strict=True):
        for rows in blocks(len(matrix)):
            large = np.abs(matrix[rows]).max(axis=1)
            if large.max() > LARGEST:
                row = int(large.argmax())
                raise BadShape(
                    f"Features beyond {LARGEST:g} cannot be multiplied; row {rows.start + row} of the {name} ones "
                    f"holds {large[row]:g}. Leave that picture out, or look at how its features were made."
                )
    return pair


def blocks(n: int, size: int = ROWS) -> Iterator[slice]:
    """Slices that cover n rows.

    Parameters
    ----------
    n : int
        Number of rows.
    size : int, default 2048
        Rows of a slice; the last one may be shorter.

    Examples
    --------
    >>> list(blocks(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def middle_of(matrix: np.ndarray) -> np.ndarray:
    """A point amid the rows, float64 (d,): their mean, as float32 has it, so that both types can be shifted by it."""
    with np.errstate(over="ignore"):
        return np.nan_to_num(matrix.mean(axis=0, dtype=np.float64).astype(np.float32), posinf=0, neginf=0).astype(float)


def centred(matrix: np.ndarray, rows: Any, middle: np.ndarray, dtype: type = np.float32) -> np.ndarray:
    """Some rows without the middle.

    Parameters
    ----------
    matrix : ndarray of shape (n, d)
        Features.
    rows : slice or int ndarray
        Which rows.
    middle : float64 ndarray of shape (d,)
        From `middle_of`.
    dtype : type, default float32
        Type of the result.
    """
    some = matrix[rows]
    with np.errstate(over="ignore"):
        return (some - middle.astype(np.float64 if dtype == np.float64 else some.dtype)).astype(dtype, copy=False)


def squares(rows: np.ndarray) -> np.ndarray:
    """Squared length of each row, float64 (n,)."""
    return np.einsum("ij,ij->i", rows, rows, dtype=np.float64)


def directions(matrix: np.ndarray, rows: Any, dtype: type = np.float32) -> np.ndarray:
    """Some rows brought to length 1; a row of zeros stays.

    Parameters
    ----------
    matrix : ndarray of shape (n, d)
        Features.
    rows : slice or int ndarray
        Which rows.
    dtype : type, default float32
        Type of the result; with float64 the lengths keep their digits.
    """
    some = matrix[rows]
    largest = np.abs(some).max(axis=1, keepdims=True)
    if (
        some.size and not ((largest == 0) | ((largest > 1e-15) & (largest < 1e15))).all()
    ):  # squares would not be numbers
        some = some / np.where(largest > 0, largest, 1)
    length = np.maximum(np.sqrt(squares(some)), 1e-30)[:, None]
    exact = np.float64 if dtype == np.float64 else matrix.dtype
    return (some / length.astype(exact)).astype(dtype, copy=False)


def equal_sets(left: np.ndarray, right: np.ndarray) -> bool:
    """Whether two matrices have the same rows, in whatever order, each as often.

    Parameters
    ----------
    left, right : ndarray of shape (n, d) and (m, d)
        Both sets.

    Examples
    --------
    >>> equal_sets(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[3.0, 4.0], [1.0, 2.0]]))
    True
    """
    if left.shape != right.shape or not np.array_equal(np.sort(left[:, 0]), np.sort(right[:, 0])):
        return False
    return _digests(left) == _digests(right)


def _digests(matrix: np.ndarray) -> list[bytes]:
    """Of each row, sorted; by value, so float32 and float64, 0 and -0 are alike."""
    return sorted(hashlib.blake2b(row.astype(np.float64) + 0.0, digest_size=16).digest() for row in matrix)


def keys(matrix: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Seeded random numbers for each row and draw that depend on the row alone.

    So a random split stays as it is when other pictures come or go, which the jackknife needs, and equal rows stay
    together.

    Parameters
    ----------
    matrix : ndarray of shape (n, d)
        Features.
    draws : int
        Number of draws, up to 16.
    seed : int
        Seed.

    Returns
    -------
    float64 ndarray of shape (n, draws)
        From 0, below 1.

    Examples
    --------
    >>> x = np.arange(6.0).reshape(3, 2)
    >>> bool((keys(x, 2, 0)[1:] == keys(x[1:], 2, 0)).all())
    True
    """
    salt = int(seed).to_bytes(16, "little", signed=True)
    rows = (np.asarray(row, np.float32) + np.float32(0) for row in matrix)  # float64 is split alike; 0 and -0 are one
    with np.errstate(over="ignore"):
        found = b"".join(hashlib.blake2b(row, digest_size=4 * draws, salt=salt).digest() for row in rows)
    return np.frombuffer(found, "<u4").reshape(len(matrix), draws) / 2.0**32
