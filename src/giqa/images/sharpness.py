"""How large and how sharp pictures are, and whether reals differ from them in it so much that z follows it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadImage
from ..types import Source
from .pictures import as_pictures
from .traces import detail

SIZES = 1.5  # times: the median shorter sides of one source's halves differ by 1.15 at most in 17 real sets
OUTSIDE = 0.4  # share of the pictures beyond the reals' 1-99 % range; halves of one source: .16 at most, from 30 on
FEWEST = (20, 10)  # reals and pictures; fewer say nothing of a set
LOOKED_AT = 60  # pictures of each set
SIDE = 512  # of the middle of a picture, in which sharpness is measured
_GREY = np.array([0.299, 0.587, 0.114])


def sharpness(pixels: np.ndarray) -> float:
    """ln(variance of the Laplacian of the luminance + .001), of the middle 512 px at native resolution.

    >>> sharpness(np.zeros((8, 8, 3), np.uint8)).__round__(3)
    -6.908
    """
    height, width = pixels.shape[:2]
    top, left = max(0, (height - SIDE) // 2), max(0, (width - SIDE) // 2)
    y = pixels[top : top + SIDE, left : left + SIDE].astype(np.float64) @ _GREY
    if min(y.shape) < 3:
        return float("nan")
    laplacian = y[:-2, 1:-1] + y[2:, 1:-1] + y[1:-1, :-2] + y[1:-1, 2:] - 4 * y[1:-1, 1:-1]
    return math.log(laplacian.var() + 1e-3)


@dataclass(frozen=True)
class Sharpness:
    """Of each picture looked at: the shorter side, `sharpness`, and ln `traces.detail`, each float64 (n,)."""

    shorter: np.ndarray
    sharpness: np.ndarray
    detail: np.ndarray

    @classmethod
    def of(cls, measured: Iterable[tuple[float, float, float]]) -> Sharpness:
        """From the shorter side, `sharpness` and `traces.detail` of each picture."""
        table = np.array(list(measured), np.float64).reshape(-1, 3)
        return cls(table[:, 0], table[:, 1], np.log(np.maximum(table[:, 2], 1e-9)))

    def known(self, name: str) -> np.ndarray:
        """The finite values of a column."""
        values = getattr(self, name)
        return values[np.isfinite(values)]

    def record(self) -> dict[str, Any] | None:
        """What a fitted model keeps of its reals: how many, their median shorter side, 1 and 99 % of the others."""
        if len(self.shorter) < FEWEST[0]:
            return None
        kept: dict[str, Any] = {"pictures": len(self.shorter), "shorter": float(np.median(self.shorter))}
        for name in ("sharpness", "detail"):
            known = self.known(name)
            if len(known) >= FEWEST[0]:
                kept[name] = [round(float(q), 4) for q in np.quantile(known, (0.01, 0.5, 0.99))]
        return kept


def look_at_sharpness(
    source: Source,
    match: Callable[[np.ndarray], np.ndarray] | None = None,
    workers: int | None = None,
) -> Sharpness:
    """`Sharpness` of some pictures of a source; those that cannot be read are left out.

    Parameters
    ----------
    source : Source
        `Pictures.sample` decides which ones.
    match : callable or None
        What is done to pixels before.
    workers : int or None
        Threads; None: as many as Python chooses.

    Returns
    -------
    Sharpness
    """
    pictures = as_pictures(source)

    def measure(index: int) -> tuple[float, float, float] | None:
        try:
            pixels = pictures.ahead(index)[1].pixels
        except BadImage:
            return None
        pixels = match(pixels) if match else pixels
        return min(pixels.shape[:2]), sharpness(pixels), detail(pixels)

    with ThreadPoolExecutor(workers) as pool:
        measured = list(pool.map(measure, pictures.sample(LOOKED_AT)))
    return Sharpness.of(found for found in measured if found is not None)


def driven(reals: Mapping[str, Any] | None, fakes: Sharpness) -> str:
    """Why z follows size or sharpness rather than quality, or nothing.

    It does where the median shorter sides differ by more than a factor of 1.5, or where more than 40 % of the pictures
    are sharper, or more than 40 % softer, than the reals' 99 % and 1 %, in `sharpness` or in the share of fine detail.

    Parameters
    ----------
    reals : mapping or None
        What `Sharpness.record` kept of the reals.
    fakes : Sharpness
        Of the pictures that are scored.

    Returns
    -------
    str
    """
    if not reals or len(fakes.shorter) < FEWEST[1]:
        return ""
    a, b = reals["shorter"], float(np.median(fakes.shorter))
    why = (
        f"the reals' shorter side is {a:.0f} px, that of these pictures {b:.0f} px" if max(a / b, b / a) > SIZES else ""
    )
    for name in () if why else ("sharpness", "detail"):
        values = fakes.known(name)
        if name not in reals or not len(values):
            continue
        low, _, high = reals[name]
        softer, sharper = float(np.mean(values < low)), float(np.mean(values > high))
        if max(softer, sharper) > OUTSIDE:
            word, share = ("softer", softer) if softer > sharper else ("sharper", sharper)
            why = f"{100 * share:.0f} % of these pictures are {word} than 99 % of the reals"
            break
    if not why:
        return ""
    return (
        f"z follows resolution and sharpness here, not what people prefer: {why}. Take reals of the same size and "
        "sharpness, or read z only among pictures of one size"
    )
