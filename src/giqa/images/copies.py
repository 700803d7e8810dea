"""Which pictures repeat another one: the same pixels, or nearly the same thumbnail."""

from __future__ import annotations

import numpy as np

NEAR, NEAR_SHARE = 2.0, 0.1  # grey levels, and share of a thumbnail's own contrast: the same picture coded again
QUARTER_SHARE = 192**0.5 / 16**0.5  # a quarter and colour has 16 of a thumbnail's 192 numbers


def nearness(thumbnails: np.ndarray) -> np.ndarray:
    """How far apart a thumbnail may be from that of the same picture: root mean square of grey levels, (n,).

    2 levels, and a tenth of the thumbnail's own contrast: textures have flat thumbnails that all look alike.

    Parameters
    ----------
    thumbnails : ndarray of shape (n, 192)
        8 x 8 pixels of 3 colours, 0 to 255.
    """
    cells = thumbnails.reshape(len(thumbnails), -1, 3)
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

    def near(self, own: np.ndarray, within: float, start: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Rows nearer to a thumbnail than a distance, and how far they are.

        Parameters
        ----------
        own : ndarray of shape (192,)
            The thumbnail.
        within : float
            Root mean square of grey levels.
        start : int, default 0
            Only places from here on in the order of brightness.

        Returns
        -------
        rows : int ndarray of shape (k,)
        distances : float ndarray of shape (k,)
        """
        low, high = np.searchsorted(self.brightness, [own.mean() - within, own.mean() + within])
        low = max(low, start)
        rough = np.abs(self.quarters[low:high] - _quarters(own[None])).max(axis=1, initial=0)
        places = low + np.flatnonzero(rough <= within * QUARTER_SHARE)
        distance = np.sqrt(((self.thumbnails[places] - own) ** 2).mean(axis=1))
        return self.order[places[distance < within]], distance[distance < within]


def _quarters(thumbnails: np.ndarray) -> np.ndarray:
    """Mean of each quarter and colour of 8x8 thumbnails, (n, 12)."""
    return thumbnails.reshape(-1, 2, 4, 2, 4, 3).mean(axis=(2, 4)).reshape(len(thumbnails), 12)


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
    thumbnails = info["thumbnail"].reshape(n, -1).astype(np.float32)
    within = nearness(thumbnails)
    group = np.arange(n)

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    first: dict[bytes, int] = {}
    for i in range(n):
        group[root(i)] = root(first.setdefault(info["digest"][i].tobytes(), i))
    search = Thumbnails(thumbnails)
    for place, i in enumerate(search.order):
        for j in search.near(thumbnails[i], within[i], start=place + 1)[0]:
            group[root(j)] = root(i)
    return np.array([root(i) for i in range(n)])


class Copies:
    """Finds the reference picture that a picture repeats: the same pixels, or a thumbnail as near as `nearness` says.

    Parameters
    ----------
    reference : ndarray of shape (n,) of dtype `giqa.types.INFO`
        What is remembered of the reference pictures.
    """

    def __init__(self, reference: np.ndarray):
        self.known = {digest.tobytes(): row for row, digest in reversed(list(enumerate(reference["digest"])))}
        self.search = Thumbnails(reference["thumbnail"].reshape(len(reference), -1).astype(np.float32))

    def rows(self, info: np.ndarray) -> np.ndarray:
        """Row of the repeated reference picture for each picture, -1 for none, int (n,).

        Parameters
        ----------
        info : ndarray of shape (n,) of dtype `giqa.types.INFO`
            What is remembered of the pictures.
        """
        return np.array([self._row(one) for one in info], int)

    def _row(self, one: np.void) -> int:
        exact = self.known.get(one["digest"].tobytes())
        if exact is not None:
            return exact
        own = one["thumbnail"].reshape(-1).astype(np.float32)
        rows, distances = self.search.near(own, nearness(own[None])[0])
        return int(rows[distances.argmin()]) if len(rows) else -1
