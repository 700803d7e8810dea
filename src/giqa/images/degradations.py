"""Synthetic damage of rising strength, on which RankIQA learns to rank: what was damaged more is worse."""

from __future__ import annotations

import io

import numpy as np

from ..errors import BadSpec

LEVELS = 4
BLUR = (0.5, 1.0, 1.8, 3.0)  # deviation, pixels of a 64-pixel picture
NOISE = (6, 14, 28, 50)  # deviation, grey levels
QUALITY = (60, 30, 15, 6)  # of JPEG
COARSE = (1.5, 2.0, 3.0, 4.0)  # how many times fewer pixels, each way


def degraded(pixels: np.ndarray, kind: str, level: int, seed: int = 0) -> np.ndarray:
    """The picture with damage of a kind and a level.

    Parameters
    ----------
    pixels : uint8 array (h, w, 3)
    kind : str
        "blur", "noise" and "jpeg", as RankIQA has them, or "coarse" (fewer pixels, enlarged again) in place of its
        JPEG 2000.
    level : int
        1 to 4; 0 is the picture itself.
    seed : int
        Of the noise.

    Returns
    -------
    uint8 array (h, w, 3)

    Examples
    --------
    >>> grey = np.full((16, 16, 3), 128, np.uint8)
    >>> degraded(grey, "noise", 1).shape, bool((degraded(grey, "blur", 4) == 128).all())
    ((16, 16, 3), True)
    """
    from PIL import Image, ImageFilter

    if kind not in KINDS or not 0 <= level <= LEVELS:
        raise BadSpec(f"Damage is one of {', '.join(KINDS)} at level 0 to {LEVELS}; got {kind!r} at {level!r}.")
    if level == 0:
        return pixels
    height, width = pixels.shape[:2]
    image = Image.fromarray(pixels)
    if kind == "blur":
        return np.asarray(image.filter(ImageFilter.GaussianBlur(BLUR[level - 1] * max(1, min(height, width) / 64))))
    if kind == "noise":
        noise = np.random.default_rng(seed).normal(0, NOISE[level - 1], pixels.shape)
        return np.clip(pixels + noise, 0, 255).round().astype(np.uint8)
    if kind == "jpeg":
        content = io.BytesIO()
        image.save(content, "JPEG", quality=QUALITY[level - 1])
        return np.asarray(Image.open(content))
    small = tuple(max(1, round(side / COARSE[level - 1])) for side in (width, height))
    return np.asarray(image.resize(small, Image.Resampling.BICUBIC).resize((width, height), Image.Resampling.BICUBIC))


KINDS = ("blur", "noise", "jpeg", "coarse")
