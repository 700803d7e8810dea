"""What costs a picture most, in words: which layer, and, of layers that see texture, in which direction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from ..features.statistics import is_colour
from ..stats import robust_sd
from ..types import Features

UNUSUAL = 0.05  # share of held-out reals that are no better, at most; where more are, there is no reason to give
CLEAR, FAR = 3.0, 5.0  # robust standard deviations of the statistic of texture that is farthest off
LEAST = 1e-6  # a standard deviation; grey pictures have none in colour
LEANS = 2.0  # robust standard deviations of `detail`
GRAIN, COLOUR, STRUCTURE, CONTENT, ARTEFACTS = "grain", "colour", "structure", "content", "artefacts"
WORDS = {"low": GRAIN, "taught": ARTEFACTS, "mid": STRUCTURE, "high": CONTENT}  # a layer of several is the last of them
SOFT, ROUGH = "softness", "noise or sharpening"

DAMAGE = (GRAIN, COLOUR, ARTEFACTS, SOFT, ROUGH)  # rather than what is shown
FOREIGN, UNCLEAR = "out of domain", "content unclear"

Texture: TypeAlias = Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]


def content_words(flag: str, reason: str) -> str:
    """What is said of the content of a picture: damage moves the layer of content too, so that it may be the cause.

    Parameters
    ----------
    flag : str
        `out_of_domain` of a table of scores.
    reason : str
        What costs the picture most, or empty.

    Returns
    -------
    str
        `FOREIGN`; `UNCLEAR` where the reason is damage; empty where the picture is not flagged.

    Examples
    --------
    >>> content_words("yes", "structure"), content_words("yes", "softness"), content_words("no", "softness")
    ('out of domain', 'content unclear', '')
    """
    if flag != "yes":
        return ""
    return UNCLEAR if reason in DAMAGE else FOREIGN


def words_of_layers(outputs: Iterable[str], levels: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Layer -> the word for what it sees, of layers whose extractor declares it.

    A layer is what shares a name up to the first dot. Where its outputs are of several levels, the deepest counts.

    >>> words_of_layers(["taps.low.mean", "taps.mid.mean", "x"], {"low": ["taps.low.mean"], "mid": ["taps.mid.mean"]})
    {'taps': 'structure'}
    """
    level_of = {output: level for level, some in levels.items() for output in some}
    found: dict[str, set[str]] = {}
    for output in outputs:
        found.setdefault(output.partition(".")[0], set()).add(level_of.get(output, ""))
    ordered = {name: [word for level, word in WORDS.items() if level in own] for name, own in found.items()}
    return {name: words[-1] for name, words in ordered.items() if words}


def reasons(worst: Sequence[str], words: Mapping[str, str], features: Features, texture: Texture) -> list[str]:
    """The word for each of n unusual pictures, "" where nothing is known of its worst layer.

    Damage of the grain is seen by every layer, so statistics of pixel differences, where there are any, have the first
    say. Of those of grey and of those of colour let the one count that is farthest off, (value - median of the reals) /
    their robust standard deviation: "softness" or "noise or sharpening" where that of grey is more than 5 off, below or
    above, else "colour" where that of colour is. Where the worst layer sees texture, 3 is enough.

    Parameters
    ----------
    worst : sequence of n str
        The layer in which each picture has its lowest z.
    words : mapping of str to str
        `words_of_layers`.
    features : Features
        Of the n pictures.
    texture : mapping
        `texture_of` the reals.

    Returns
    -------
    list of n str
    """
    said = [words.get(name, words.get(name.partition(".")[0], "")) for name in worst]
    for row, (grey, colour) in enumerate(_farthest(features, texture).tolist()):
        enough = CLEAR if said[row] == GRAIN else FAR
        if said[row] and abs(grey) > enough:
            said[row] = SOFT if grey < 0 else ROUGH
        elif said[row] and abs(colour) > enough:
            said[row] = COLOUR
    return said


def with_detail(said: Sequence[str], detail: np.ndarray) -> list[str]:
    """The same words, but the direction of `detail` instead of "grain" and "artefacts" where it is beyond 2 sd.

    >>> with_detail(["grain", "artefacts", "structure", ""], np.array([-2.5, 3.0, -9.0, -9.0]))
    ['softness', 'noise or sharpening', 'structure', '']
    """
    directions = np.where(detail < -LEANS, SOFT, np.where(detail > LEANS, ROUGH, "")).tolist()  # NaN is neither
    return [way if way and word in (GRAIN, ARTEFACTS) else word for word, way in zip(said, directions, strict=True)]


def texture_of(reals: Features) -> Texture:
    """Of each layer of statistics of pixel differences: which are of colour, their median and their robust sd.

    Parameters
    ----------
    reals : Features
        Of the reals.
    """
    found = {}
    for name, layer in reals.layers.items():
        mask = is_colour(name, layer.shape[1])
        if mask is not None:
            own = np.asarray(layer, np.float64)
            found[name] = mask, np.median(own, axis=0), np.maximum(robust_sd(own, axis=0), LEAST)
    return found


def _farthest(features: Features, texture: Texture) -> np.ndarray:
    """How far off the farthest statistic of grey and of colour is, in sd, (n, 2); 0 where no layer has them."""
    found = np.zeros((len(features), 2))
    for name, (mask, middle, sd) in texture.items():
        off = (features.layers[name] - middle) / sd
        for column, some in enumerate((off[:, ~mask], off[:, mask])):
            far = np.take_along_axis(some, np.abs(some).argmax(axis=1)[:, None], axis=1)[:, 0]
            found[:, column] = np.where(np.abs(far) > np.abs(found[:, column]), far, found[:, column])
    return found
