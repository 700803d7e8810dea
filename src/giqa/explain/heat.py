"""A map of one picture as colours over it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .energy import COMBINED, SHARES
from .maps import Explanation, MapModel

LONGEST = 512  # pixels; the longest side of what is drawn
# how strongly a place is coloured: nothing at the median of reals, yellow from the worst 10 %, red from the worst 1 %
COLOURS = np.array([[255, 214, 64], [255, 214, 64], [226, 38, 30], [128, 0, 54]], float)
STRENGTHS = np.array([0.0, 0.3, 0.62, 0.85])
EVERYWHERE = 0.5  # share of a map worse than 99 % of reals from which its colours are on its own scale
OWN = (0.3, 0.1, 0.02)  # shares of its own places where full yellow, red and dark begin; nothing as by the reals


def heat(pixels: np.ndarray, z: np.ndarray, limits: Sequence[float]) -> np.ndarray:
    """A heat map over a picture: yellow where it is worse than 90 % of reals there, red than 99 %, dark than 99.9 %.

    Parameters
    ----------
    pixels : uint8 array (h, w, 3)
    z : float array (g, g)
        At each place, negative = worse.
    limits : four floats
        The z where the worst 50, 10, 1 and .1 % of reals' places begin.

    Returns
    -------
    uint8 array (h', w', 3)
        At the size it is shown, the longest side 512 pixels.

    Examples
    --------
    >>> grey = np.full((8, 8, 3), 128, np.uint8)
    >>> heat(grey, np.zeros((4, 4)), (0, -1, -2, -3))[0, 0].tolist()
    [128, 128, 128]
    """
    base = drawn(pixels)
    smooth = _stretched(z, base.shape[:2])
    order = np.asarray(limits, float)[::-1]
    strength = np.interp(smooth, order, STRENGTHS[::-1])[..., None]
    colour = np.stack([np.interp(smooth, order, COLOURS[::-1, i]) for i in range(3)], axis=-1)
    fade = 0.55 * np.minimum(1, strength / STRENGTHS[1])  # colours of its own fade where those of the map begin
    under = base.mean(axis=2, keepdims=True) * fade + base * (1 - fade)
    return np.rint(under * (1 - strength) + colour * strength).astype(np.uint8)


def heat_map(model: MapModel, pixels: np.ndarray, explanation: Explanation, layer: str = COMBINED) -> np.ndarray:
    """`heat` for one layer of an explanation; where the scale of reals would colour most of it, on its own scale.

    Parameters
    ----------
    model : MapModel
        What gives the limits.
    pixels : uint8 array (h, w, 3)
        The picture that was explained.
    explanation : Explanation
    layer : str
        A key of `explanation.z`.

    Returns
    -------
    uint8 array (h', w', 3)

    Examples
    --------
    >>> from giqa.explain.maps import fit_maps
    >>> reals = [np.random.default_rng(i).integers(0, 256, (32, 32, 3), np.uint8) for i in range(24)]
    >>> model, black = fit_maps(reals, taps=["grain"]), np.zeros((32, 32, 3), np.uint8)
    >>> heat_map(model, black, model.explain(black)).shape
    (512, 512, 3)
    """
    return heat(pixels, explanation.z[layer], limits_of(model, explanation, layer))


def limits_of(model: MapModel, explanation: Explanation, layer: str = COMBINED) -> list[float]:
    """The z where its colours begin, to yellow, full yellow, red and dark.

    Nothing is coloured down to the median of reals, on either scale, so that no part without colour is bad.
    """
    limits = [model.places.limit(layer, share) for share in SHARES]
    if on_own_scale(model, explanation, layer):
        limits[1:] = np.quantile(explanation.z[layer], OWN).tolist()
    return limits


def on_own_scale(model: MapModel, explanation: Explanation, layer: str = COMBINED) -> bool:
    """Whether most places of a map are worse than 99 % of reals, so that its colours show its own worst places."""
    return float(np.mean(explanation.z[layer] < model.places.limit(layer, SHARES[2]))) >= EVERYWHERE


def drawn(pixels: np.ndarray) -> np.ndarray:
    """A picture as large as it will be shown: its longest side 512 pixels; float (h, w, 3)."""
    from PIL import Image

    h, w = pixels.shape[:2]
    scale = LONGEST / max(h, w)
    if max(h, w) == LONGEST:
        return pixels.astype(float)
    size = (max(1, round(w * scale)), max(1, round(h * scale))) if max(h, w) >= 24 else (w, h)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)).astype(float)


def _stretched(z: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A map at the size of the picture, linear between the middles of the cells."""
    for axis, side in enumerate(shape):
        n = z.shape[axis]
        at = np.clip((np.arange(side) + 0.5) * n / side - 0.5, 0, n - 1)
        before = np.minimum(at.astype(int), max(n - 2, 0))
        along = (at - before).reshape([-1 if a == axis else 1 for a in range(2)])
        z = np.take(z, before, axis=axis) * (1 - along) + np.take(z, np.minimum(before + 1, n - 1), axis=axis) * along
    return z
