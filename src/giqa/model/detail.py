"""The second axis: how much detail a picture has, compared with the reals; never part of z."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..features.detail import Detail
from ..features.reader import Reader
from ..scorers.scale import FEWEST, Scale
from ..types import Features
from .columns import DETAIL
from .score import Forgetful


class DetailJudge(Forgetful):
    """What a fitted model knows of the detail of its reals, during one scoring.

    `detail` = (value of the picture - median of the reals) / their robust standard deviation. The value is a fixed
    function of the pixels (`giqa.features.detail`): it learns nothing of the reals, so that each of them counts as
    held out.

    Parameters
    ----------
    reals : float64 array (n,)
        The value of each real.
    match : str or None
        What is done to pixels before, as for z.
    """

    takes_features = False
    adds = DETAIL

    def __init__(self, reals: np.ndarray, match: str | None = None):
        self.scale, self.match = Scale(reals), match

    def reader(self) -> Reader:
        return Reader(Detail(), self.match)

    def columns(self, features: Features) -> Mapping[str, Any]:
        """The column `detail`, float64 (n,); NaN where more than half of the reals have one value."""
        return {"detail": self.scale.z(values_of(features))}

    def made_by(self) -> Mapping[str, Any]:
        return {}


def values_of(features: Features) -> np.ndarray:
    """The value of each picture, float64 (n,), NaN of pictures too small to say."""
    return features.layers["detail"][:, 0].astype(np.float64)


def values_of_reals(known: Mapping[str, float] | None, ids: Sequence[str]) -> np.ndarray | None:
    """The values of these reals in order, so that theirs does not matter; None where fewer than 20 have one."""
    values = np.array([known[name] for name in ids if name in known]) if known else np.empty(0)
    values = np.sort(values[np.isfinite(values)])
    return values if len(values) >= FEWEST else None
