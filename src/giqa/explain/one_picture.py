"""Where one picture is unlike real ones, in one call."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadSpec
from ..images.thumbnail import thumbnail
from .heat import heat_map
from .maps import Explanation, MapModel
from .picture import explained, map_model, write_page


@dataclass(frozen=True, eq=False)
class ExplainedPicture:
    """What `explain_picture` found; a notebook shows it.

    Parameters
    ----------
    name : str
        Of the picture.
    sentence : str
        Where it is unlike real pictures, in words.
    pixels, heat : uint8 array (h, w, 3)
        The picture, and its map: yellow is worse than 90 % of reals at that place, red than 99 %, dark than 99.9 %.
        Where nearly all of it is that bad, its own worst 30, 10 and 2 %.
    explanation : Explanation
        The numbers behind both.
    maps : MapModel
        What it was compared with.

    Examples
    --------
    >>> reals = [np.random.default_rng(i).integers(0, 256, (32, 32, 3), np.uint8) for i in range(24)]
    >>> explain_picture(np.zeros((32, 32, 3), np.uint8), reals, taps=["grain"]).sentence[:16]
    'Nearly all of it'
    """

    name: str
    sentence: str
    pixels: np.ndarray
    heat: np.ndarray
    explanation: Explanation
    maps: MapModel

    def write(self, path: str | Path) -> Path:
        """Write .html (the whole explanation) or .png (the map alone)."""
        return write_page(path, self.maps, self.name, self.pixels, self.explanation)

    def __repr__(self) -> str:
        return f"<giqa.explain.ExplainedPicture {self.name}: {self.sentence}>"

    def _repr_html_(self) -> str:
        codes = [base64.b64encode(thumbnail(part, 320, 70)).decode() for part in (self.pixels, self.heat)]
        style = "margin:4px;width:300px;max-width:45%"
        images = "".join(f"<img alt='' style='{style}' src='data:image/webp;base64,{code}'>" for code in codes)
        return f"<div><p>{escape(self.sentence)}</p>{images}</div>"


def explain_picture(image: Any, real: Any = None, model: str | Path | None = None, **fitting: Any) -> ExplainedPicture:
    """Show where one picture is unlike real pictures: a sentence and a heat map.

    Parameters
    ----------
    image : path, Pillow image, array or bytes
        One picture.
    real : path, array, source or None
        The reals; not needed where NAME.maps is next to the model.
    model : path or None
        A model that `giqa fit` made: the maps are kept next to it, and used again.
    **fitting
        Other parameters of `fit_maps`.

    Returns
    -------
    ExplainedPicture

    Raises
    ------
    BadSpec
        Without `real` and `model`.
    BadSource
        When it is not one picture.

    Examples
    --------
    >>> reals = [np.random.default_rng(i).integers(0, 256, (32, 32, 3), np.uint8) for i in range(24)]
    >>> explain_picture(np.zeros((32, 32, 3), np.uint8), reals, taps=["grain"]).heat.shape
    (512, 512, 3)
    """
    if real is None and model is None:
        raise BadSpec("Compare with what? Give real= (pictures of reals), or model= with NAME.maps next to it.")
    maps = map_model(model, real, **fitting)
    name, pixels, found, _, words = explained(maps, image)
    return ExplainedPicture(name, words, pixels, heat_map(maps, pixels, found), found, maps)
