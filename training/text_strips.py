"""Damage done to a strip as the network sees it, whatever letters are on it: seven kinds beside those of the letters.

They are for training alone, so that more than the kinds of `letter_damage.py` are known to be unlike type. None of them
draws a letter twice or joins two letters by a stroke: those kinds are kept for tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageFilter
from typeset import Rng, moved

EM = 42.0  # pixels of type on a strip of 48, about
Strip = np.ndarray  # float32 (48, w): mean 0, deviation 1, letters bright


def damaged(strip: Strip, kind: str, u: float, seed: int) -> Strip:
    """The strip with damage in so many places that there is one for three letters at u = 0.1."""
    rng = np.random.default_rng(seed)
    letters = max(2, strip.shape[1] / (0.6 * EM))
    places = max(1, round(0.35 * letters * (u / 0.1) ** 0.7))
    return KINDS[kind](strip.astype(np.float32), places, rng).astype(np.float32)


def _places(strip: Strip, n: int, rng: Rng) -> Iterator[tuple[int, int]]:
    """Row and column of so many pixels of ink."""
    y, x = np.nonzero(strip > (_ground(strip) + _ink(strip)) / 2)
    if len(y):
        chosen = (rng.random(n) * len(y)).astype(int)
        yield from zip(y[chosen].tolist(), x[chosen].tolist(), strict=True)


def _ground(strip: Strip) -> float:
    return float(np.quantile(strip, 0.15))


def _ink(strip: Strip) -> float:
    return float(np.quantile(strip, 0.97))


def _from(strip: Strip, at: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns counted from a place, (h, 1) and (1, w)."""
    h, w = strip.shape
    return np.arange(h, dtype=np.float32)[:, None] - at[0], np.arange(w, dtype=np.float32)[None] - at[1]


def _hill(strip: Strip, at: tuple[float, float], radius: float, power: float = 2) -> np.ndarray:
    y, x = _from(strip, at)
    return np.exp(-(((y * y + x * x) / radius**2) ** (power / 2)))


def _spot(strip: Strip, at: tuple[float, float], radius: float, turn: float, long: float, power: float) -> np.ndarray:
    """1 in an ellipse with a soft edge, 0 outside."""
    y, x = _from(strip, at)
    y, x = y * np.cos(turn) - x * np.sin(turn), (x * np.cos(turn) + y * np.sin(turn)) / long
    return np.clip(3 * np.exp(-(((y * y + x * x) / radius**2) ** (power / 2))) - 0.6, 0, 1)


def _bulged(strip: Strip, places: int, rng: Rng) -> Strip:
    """Moved, swollen or pinched, or twisted about places."""
    for at in _places(strip, places, rng):
        hill = _hill(strip, at, rng.uniform(0.1, 0.35) * EM)
        far, angle = rng.uniform(0.06, 0.14) * EM, rng.uniform(0, 2 * np.pi)
        (y, x), how = _from(strip, at), rng.integers(3)
        if how == 0:
            strip = moved(strip, far * np.sin(angle) * hill, far * np.cos(angle) * hill)
        elif how == 1:
            by = rng.choice([-0.45, 0.45])
            strip = moved(strip, by * y * hill, by * x * hill)
        else:
            by = rng.choice([-0.8, 0.8])
            strip = moved(strip, by * x * hill, -by * y * hill)
    return strip


def _patched(strip: Strip, places: int, rng: Rng) -> Strip:
    """A piece of the strip from elsewhere, some mirrored."""
    for at in _places(strip, places, rng):
        spot = _spot(strip, at, rng.uniform(0.09, 0.22) * EM, rng.uniform(0, np.pi), rng.uniform(1, 2.2), 2)
        dy, dx = rng.uniform(-0.35, 0.35) * EM, rng.uniform(0.25, 2.5) * EM * rng.choice([-1, 1])
        other = np.roll(strip, (int(dy), int(dx)), (0, 1))
        if rng.random() < 0.4:
            other = other[:, ::-1]
        strip = strip * (1 - spot) + other * spot
    return strip


def _thickened(strip: Strip, places: int, rng: Rng) -> Strip:
    return _filtered(strip, places, ImageFilter.MaxFilter, rng)


def _eroded(strip: Strip, places: int, rng: Rng) -> Strip:
    return _filtered(strip, places, ImageFilter.MinFilter, rng)


def _filtered(strip: Strip, places: int, how: type, rng: Rng) -> Strip:
    image = Image.fromarray(np.clip(strip * 40 + 110, 0, 255).astype(np.uint8))
    other = (np.asarray(image.filter(how(int(rng.choice([3, 5])))), np.float32) - 110) / 40
    for at in _places(strip, places, rng):
        spot = _spot(strip, at, rng.uniform(0.12, 0.3) * EM, 0.0, 1.0, 2)
        strip = strip * (1 - spot) + other * spot
    return strip


def _blotted(strip: Strip, places: int, rng: Rng) -> Strip:
    """Spots of ink at strokes."""
    ink = _ink(strip)
    for y, x in _places(strip, places, rng):
        at = (y + rng.normal() * 0.06 * EM, x + rng.normal() * 0.06 * EM)
        spot = _spot(strip, at, rng.uniform(0.04, 0.1) * EM, rng.uniform(0, np.pi), rng.uniform(1, 1.8), 3)
        strip = np.maximum(strip, strip * (1 - spot) + ink * spot)
    return strip


def _shifted(strip: Strip, places: int, rng: Rng) -> Strip:
    """A column of the strip up or down, or the upper part of a piece aside."""
    for at in _places(strip, places, rng):
        wide, (y, x) = rng.uniform(0.15, 0.5) * EM, _from(strip, at)
        if rng.random() < 0.5:
            piece = (np.abs(x) < wide / 2) * np.ones_like(y)
            strip = moved(strip, piece * rng.choice([-1, 1]) * rng.uniform(0.05, 0.14) * EM, 0 * piece)
        else:
            piece = ((np.abs(x) < wide / 1.5) & (y < 0)).astype(np.float32)
            strip = moved(strip, 0 * piece, piece * rng.choice([-1, 1]) * rng.uniform(0.06, 0.16) * EM)
    return strip


def _wiped(strip: Strip, places: int, rng: Rng) -> Strip:
    """Spots and scratches of the background's level."""
    ground = _ground(strip)
    for at in _places(strip, places, rng):
        spot = _spot(strip, at, rng.uniform(0.03, 0.07) * EM, rng.uniform(0, np.pi), rng.uniform(1, 5), 3)
        strip = strip * (1 - spot) + ground * spot
    return strip


KINDS: dict[str, Callable[[Strip, int, Rng], Strip]] = {
    "bulged": _bulged,
    "patched": _patched,
    "thickened": _thickened,
    "eroded": _eroded,
    "blotted": _blotted,
    "shifted": _shifted,
    "wiped": _wiped,
}
