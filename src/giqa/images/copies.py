"""Which pictures repeat another one: the same pixels, or nearly the same thumbnail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

NEAR, NEAR_SHARE = 2.0, 0.1  # grey levels, and share of a thumbnail's own contrast: the same picture coded again
QUARTER_SHARE = 192**0.5 / 16**0.5  # a quarter and colour has 16 of a thumbnail's 192 numbers
NARROWEST = -3  # power of two of NEAR; narrower cells would hold no fewer pairs
AT_ONCE, PAIRS_AT_ONCE = 1 << 14, 1 << 22  # rows, and pairs that are looked at: 0.3 GB
WHOLE = 1 << 12  # pairs of thumbnails that are compared at once: they stay in the cache
QUARTERS = np.kron(np.kron(np.eye(2), np.ones((4, 1))), np.kron(np.eye(2), np.ones((4, 1))))  # 64 pixels, 4 quarters
QUARTERS = np.kron(QUARTERS, np.eye(3)).astype(np.float32) / 16


def nearness(thumbnails: np.ndarray) -> np.ndarray:
    """How far apart a thumbnail may be from that of the same picture: root mean square of grey levels, (n,).

    2 levels, and a tenth of the thumbnail's own contrast: textures have flat thumbnails that all look alike.

    Parameters
    ----------
    thumbnails : ndarray of shape (n, 192)
        8 x 8 pixels of 3 colours, 0 to 255.
    """
    cells = thumbnails.reshape(len(thumbnails), 64, 3)
    contrast = np.sqrt(((cells - cells.mean(axis=1, keepdims=True)) ** 2).mean(axis=(1, 2)))
    return np.minimum(NEAR, NEAR_SHARE * contrast)


class Thumbnails:
    """Thumbnails, sorted by brightness, in which those near a given one are found without looking at all.

    Neither the difference of the means nor that of the means of the four quarters is ever above the root mean square
    difference of the whole (the latter scaled): what they rule out is not looked at.

    Parameters
    ----------
    thumbnails : ndarray of shape (n, 192)
        8 x 8 pixels of 3 colours, 0 to 255.
    """

    def __init__(self, thumbnails: np.ndarray):
        brightness = thumbnails.mean(axis=1)
        self.order = np.argsort(brightness, kind="stable")
        self.brightness, self.thumbnails = brightness[self.order], thumbnails[self.order]
        self.quarters = _quarters(self.thumbnails)

    def near(self, own: np.ndarray, within: float) -> tuple[np.ndarray, np.ndarray]:
        """Rows nearer to a thumbnail than a distance, and how far they are.

        Parameters
        ----------
        own : ndarray of shape (192,)
            The thumbnail.
        within : float
            Root mean square of grey levels.

        Returns
        -------
        rows : int ndarray of shape (k,)
        distances : float ndarray of shape (k,)
        """
        low, high = np.searchsorted(self.brightness, [own.mean() - within, own.mean() + within])
        rough = np.abs(self.quarters[low:high] - _quarters(own[None])).max(axis=1, initial=0)
        places = low + np.flatnonzero(rough <= within * QUARTER_SHARE)
        distance = np.sqrt(((self.thumbnails[places] - own) ** 2).mean(axis=1))
        return self.order[places[distance < within]], distance[distance < within]


def _quarters(thumbnails: np.ndarray) -> np.ndarray:
    """Mean of each quarter and colour of 8x8 thumbnails of whole numbers, float32 (n, 12), exact."""
    return thumbnails @ QUARTERS


def twins(info: np.ndarray) -> np.ndarray:
    """Group number of each picture; pictures with the same pixels, or nearly the same thumbnail, share one.

    Parameters
    ----------
    info : ndarray of shape (n,) of dtype `giqa.types.INFO`
        What is remembered of each picture; near is what `nearness` says.

    Returns
    -------
    int ndarray of shape (n,)
        Group numbers.
    """
    n = len(info)
    thumbnails = info["thumbnail"].reshape(n, 192).astype(np.float32)
    within = nearness(thumbnails)
    group = _first_of_each(info["digest"])

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    order = np.argsort(thumbnails.mean(axis=1), kind="stable")

    def joined(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        up = _roots(group)
        return up[order[a]] == up[order[b]]

    for i, j in _near_pairs(thumbnails[order], within[order], joined):
        group[root(order[j])] = root(order[i])
    return _roots(group)


def _first_of_each(digests: np.ndarray) -> np.ndarray:
    """The first row that has the same digest, int (n,)."""
    words = np.ascontiguousarray(digests).view("<u8").reshape(len(digests), -1)
    order = np.lexsort(words.T)  # stable: of equal ones the first comes first
    starts = np.r_[True, (words[order][1:] != words[order][:-1]).any(axis=1)][: len(order)]
    first = np.empty(len(order), int)
    first[order] = order[starts][np.cumsum(starts) - 1]
    return first


def _roots(group: np.ndarray) -> np.ndarray:
    """Where the chain of each row ends."""
    while (group != group[group]).any():
        group = group[group]
    return group


def _near_pairs(
    thumbnails: np.ndarray, within: np.ndarray, joined: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> Iterator[tuple[int, int]]:
    """Rows i < j of thumbnails, the darkest first, that are nearer than `within` of i; by i, then by j.

    Pairs that are `joined` when they are met are left out. Each power of two of `within` has a grid of its own: what is
    nearer than the width of a cell is in the same cell or in the next.
    """
    quarters, places = np.ascontiguousarray(_quarters(thumbnails).T), _directions(thumbnails)
    power = np.ceil(np.log2(np.maximum(within / NEAR, 2.0**NARROWEST)))
    grids = {p: _Grid(places, NEAR * 2.0**p) for p in np.unique(power[within > 0])}
    waiting = [np.arange(i, min(i + AT_ONCE, len(places))) for i in range(0, len(places), AT_ONCE)][::-1]
    while waiting:
        rows = waiting.pop()
        asked = {p: grids[p].by_cell(rows[(power[rows] == p) & (within[rows] > 0)]) for p in grids}
        ranges = {p: grids[p].ranges(some) for p, some in asked.items()}
        if len(rows) > 1 and sum(int(counts.sum()) for _, counts in ranges.values()) > PAIRS_AT_ONCE:
            waiting += np.array_split(rows, 2)[::-1]
            continue
        pairs = [grids[p].pairs(asked[p], *ranges[p]) for p in grids]
        i, j = np.concatenate(pairs, axis=1) if pairs else np.empty((2, 0), int)
        apart = np.zeros(len(i), np.float32)
        for quarter in quarters:  # one after the other: most pairs are gone after a few
            apart += np.square(quarter[i] - quarter[j])
            near = apart <= 12.001 * np.square(within[i])
            i, j, apart = i[near], j[near], apart[near]
        new = ~joined(i, j)
        i, j = i[new], j[new]
        near = [
            np.sqrt(((thumbnails[j[k : k + WHOLE]] - thumbnails[i[k : k + WHOLE]]) ** 2).mean(axis=1))
            for k in range(0, len(i), WHOLE)
        ]
        near = np.concatenate([np.empty(0), *near]) < within[i]
        i, j = i[near], j[near]
        by_row = np.lexsort((j, i))
        yield from zip(i[by_row].tolist(), j[by_row].tolist(), strict=True)


def _directions(thumbnails: np.ndarray) -> np.ndarray:
    """Brightness, and the three directions in which the quarters vary most beside it, float64 (n, 4).

    On the scale on which two thumbnails are never further apart than their root mean square difference.
    """
    quarters = _quarters(thumbnails).astype(np.float64) / np.sqrt(12)
    light = np.full((12, 1), 1 / np.sqrt(12))
    rest = quarters - quarters @ light @ light.T
    _, vectors = np.linalg.eigh(np.cov(rest.T) if len(rest) > 1 else np.eye(12))
    return quarters @ np.hstack([light, vectors[:, ::-1][:, :3]])


class _Grid:
    """Rows in the cells of a grid, sorted by cell; `width` of a cell."""

    def __init__(self, places: np.ndarray, width: float):
        cells = np.floor(places / (width * (1 + 1e-5) + 1e-3)).astype(np.int64)
        cells -= cells.min(axis=0) - 1  # from 1, so that a step never leads into another row of cells
        self.steps = np.r_[np.cumprod((cells.max(axis=0) + 2)[:0:-1])[::-1], 1]
        self.cell = cells @ self.steps
        self.order = np.argsort(self.cell, kind="stable")
        self.sorted = self.cell[self.order]

    def by_cell(self, rows: np.ndarray) -> np.ndarray:
        """The rows in the order of their cells, which lie near each other where `ranges` looks."""
        return rows[np.argsort(self.cell[rows], kind="stable")]

    def ranges(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where in `order` the cells around those of some rows begin and how many rows are there, (18 len(rows),)."""
        around = [np.array((*step, 0)) @ self.steps for step in product((0, 1), *[(-1, 0, 1)] * 2)]
        middle = (self.cell[rows] + np.array(around)[:, None]).ravel()  # the last direction lies in one piece
        first = np.searchsorted(self.sorted, middle - 1)
        return first, np.searchsorted(self.sorted, middle + 1, "right") - first

    def pairs(self, rows: np.ndarray, first: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Each row with every brighter one in its `ranges`, (2, k)."""
        i = np.tile(rows, len(counts) // max(len(rows), 1)).repeat(counts)
        j = self.order[np.arange(counts.sum()) + (first - np.cumsum(counts) + counts).repeat(counts)]
        return np.stack([i[j > i], j[j > i]])


class Copies:
    """Finds the reference picture that a picture repeats: the same pixels, or a thumbnail as near as `nearness` says.

    Parameters
    ----------
    reference : ndarray of shape (n,) of dtype `giqa.types.INFO`
        What is remembered of the reference pictures.
    """

    def __init__(self, reference: np.ndarray):
        self.known = {digest.tobytes(): row for row, digest in reversed(list(enumerate(reference["digest"])))}
        side = reference["thumbnail"].shape[1:]
        self.search = Thumbnails(reference["thumbnail"].reshape(-1, np.prod(side, dtype=int)).astype(np.float32))

    def rows(self, info: np.ndarray) -> np.ndarray:
        """Row of the repeated reference picture for each picture, -1 for none, int (n,).

        Parameters
        ----------
        info : ndarray of shape (n,) of dtype `giqa.types.INFO`
            What is remembered of the pictures.
        """
        found = np.array([self.known.get(digest.tobytes(), -1) for digest in info["digest"]], int)
        new = np.flatnonzero(found < 0)
        thumbnails = info["thumbnail"][new].reshape(len(new), 192).astype(np.float32)
        for row, own, within in zip(new, thumbnails, nearness(thumbnails), strict=True):
            rows, distances = self.search.near(own, within)
            found[row] = rows[distances.argmin()] if len(rows) else -1
        return found
