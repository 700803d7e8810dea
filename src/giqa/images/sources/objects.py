"""Pictures that are Python objects: arrays, and lists of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...types import Source
from ..arrays import ArraySource, as_array


def open_object(where: Any) -> Source | None:
    """An array, a tensor, or a list of arrays, tensors and Pillow images."""
    if isinstance(where, (list, tuple)):
        return ArraySource([as_array(item) for item in where], name="list")
    if isinstance(array := as_array(where), np.ndarray):
        return ArraySource(array, name="array")
    return None
