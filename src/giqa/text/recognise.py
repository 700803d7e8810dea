"""What a line says, by PP-OCRv5's recogniser, and how far that is from the text that was asked for."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ..errors import BadSpec
from .crops import HEIGHT
from .models import RECOGNISER, keys, network

WIDTH = 320  # a shorter line is filled up to it with grey, as in its training


def read_line(crop: np.ndarray) -> tuple[str, float]:
    """The text of a line, and the mean confidence in its characters; nothing read is ("", 0).

    Parameters
    ----------
    crop : uint8 array (h, w, 3)
    """
    h, w = crop.shape[:2]
    width = max(16, min(4000, round(w * HEIGHT / h)))
    small = np.asarray(Image.fromarray(crop).resize((width, HEIGHT), Image.Resampling.BILINEAR), np.float32)
    x = np.zeros((1, 3, HEIGHT, max(WIDTH, width)), np.float32)
    x[0, :, :, :width] = (small[..., ::-1] / 127.5 - 1).transpose(2, 0, 1)
    steps = network(RECOGNISER).run(None, {"x": x})[0][0]
    return decoded(steps.argmax(1), steps.max(1), keys())


def decoded(classes: np.ndarray, confidence: np.ndarray, names: tuple[str, ...] | list[str]) -> tuple[str, float]:
    """The greedy reading of a CTC network: repeats are one, class 0 is none.

    Examples
    --------
    >>> decoded(np.array([1, 1, 0, 1, 2]), np.array([0.75, 0.8, 1, 0.5, 0.25]), ["", "a", "b"])
    ('aab', 0.5)
    """
    new = np.r_[True, classes[1:] != classes[:-1]] & (classes > 0)
    text = "".join(names[i] for i in classes[new])
    return text, float(confidence[new].mean(dtype=np.float64)) if text else 0.0


def character_error_rate(read: str, asked: str) -> float:
    """Insertions, deletions and replacements a character of the text that was asked for; case and spaces do not count.

    Returns
    -------
    float
        0: as asked; above 1 where more was read than asked; NaN where nothing was asked for.

    Examples
    --------
    >>> character_error_rate("OPEN 24 h", "Open 24h"), character_error_rate("OPEM", "open")
    (0.0, 0.25)
    """
    if not isinstance(read, str) or not isinstance(asked, str):
        raise BadSpec(f"Two texts are compared, got {read!r:.40} and {asked!r:.40}.")
    read, asked = ("".join(text.casefold().split()) for text in (read, asked))
    if not asked:
        return float("nan")
    row = list(range(len(asked) + 1))
    for i, mine in enumerate(read, 1):
        before, row[0] = row[0], i
        for j, theirs in enumerate(asked, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (mine != theirs))
    return row[-1] / len(asked)
