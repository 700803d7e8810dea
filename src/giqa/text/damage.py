"""How far the drawing of a line of text is from real type: the network that comes with giqa."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..features.onnx_session import open_session
from .crops import as_input

LEVELS = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7)  # of damage in training; the network says how probably it is above each
VERSION = 2
NETWORK = Path(__file__).with_name(f"text_{VERSION}.onnx")  # a version that was shipped never changes
OUTSIDE = 0.025  # of the probability, on either side: 0.983 of 1,000 lines that training only looked at lie within

_loading = threading.Lock()


def quality_of(above: np.ndarray) -> tuple[float, float, float]:
    """Quality of a drawing and its 95 % interval, from the probabilities that its damage is above each level.

    Parameters
    ----------
    above : float array (levels,)

    Returns
    -------
    quality, low, high : float
        1 minus the expected share of the levels that are passed: 1 = like real type, 0 = above every level. The
        interval is from the fewest to the most levels that may be passed.

    Examples
    --------
    >>> quality_of(np.array([1, 1, 1, 0, 0, 0.0]))
    (0.5, 0.5, 0.5)
    """
    above = np.asarray(above, float)
    passed = np.minimum.accumulate(above)
    quality = 1 - float(above.mean())
    most, fewest = (float((passed > bound).mean()) for bound in (OUTSIDE, 1 - OUTSIDE))
    return quality, min(quality, 1 - most), max(quality, 1 - fewest)


def damage_of(crop: np.ndarray) -> np.ndarray:
    """Probabilities that the damage of a line is above each of `LEVELS`, float32 (levels,); the crop is uint8 RGB."""
    with _loading:
        session = _load(NETWORK)
    return session.run(["above"], {"crop": as_input(crop)})[0][0]


@lru_cache(maxsize=1)
def _load(file: Path) -> Any:
    return open_session(file, "text")
