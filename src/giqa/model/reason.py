"""What costs a picture most, in words: which layer, and, of layers that see texture, in which direction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ..features.statistics import is_colour
from ..stats import robust_sd
from ..types import Features

UNUSUAL = 0.05  # share of held-out reals that are no better, at most; where more are, there is no reason to give
CLEAR = 1.0  # robust standard deviations, of `detail` and of the median statistic of texture
GRAIN, COLOUR, STRUCTURE, CONTENT, ARTEFACTS = "grain", "colour", "structure", "content", "artefacts"
WORDS = {"low": GRAIN, "taught": ARTEFACTS, "mid": STRUCTURE, "high": CONTENT}  # a layer of several is the last of them
SOFT, ROUGH = "softness", "noise or sharpening"


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


def reasons(
    worst: Sequence[str], words: Mapping[str, str], features: Features, reals: Features, percentile: np.ndarray
) -> list[str]:
    """The word for each picture, "" where its percentile is above .05 or nothing is known of its worst layer.

    Where texture is worst and the layer has statistics of pixel differences, these give the direction: with the median
    over those of grey of (value - median of the reals) / their robust standard deviation, "softness" below -1 and
    "noise or sharpening" above 1; between, "colour" where the median over those of colour is beyond 1 either way.

    Parameters
    ----------
    worst : sequence of n str
        The layer in which each picture has its lowest z.
    words : mapping of str to str
        `words_of_layers`.
    features, reals : Features
        Of the n pictures and of the reals.
    percentile : float array (n,)

    Returns
    -------
    list of n str
    """
    layers = [name if name in words else name.partition(".")[0] for name in worst]
    said = [words.get(name, "") if share <= UNUSUAL else "" for name, share in zip(layers, percentile, strict=True)]
    rows = np.flatnonzero([word == GRAIN for word in said])
    grey, colour = (off.tolist() for off in _texture(features.rows(rows), reals)) if len(rows) else ((), ())
    for row, g, c in zip(rows, grey, colour, strict=True):
        said[row] = SOFT if g < -CLEAR else ROUGH if g > CLEAR else COLOUR if abs(c) > CLEAR else GRAIN
    return said


def with_detail(said: Sequence[str], detail: np.ndarray) -> list[str]:
    """The same words where `detail` is within 1 sd; beyond, its direction instead of grain and artefacts.

    >>> with_detail(["grain", "artefacts", "structure", ""], np.array([-2.5, 3.0, -9.0, -9.0]))
    ['softness', 'noise or sharpening', 'structure', '']
    """
    directions = np.where(detail < -CLEAR, SOFT, np.where(detail > CLEAR, ROUGH, "")).tolist()  # NaN is neither
    finer = (GRAIN, ARTEFACTS)
    return [way if way and word in finer else word for word, way in zip(said, directions, strict=True)]


def _texture(features: Features, reals: Features) -> tuple[np.ndarray, np.ndarray]:
    """How far off the median statistic of grey and of colour is, in sd, each (n,); 0 where no layer has them."""
    grey, colour = [np.zeros((len(features), 0))], [np.zeros((len(features), 0))]
    for name, layer in features.layers.items():
        mask = is_colour(name, layer.shape[1])
        if mask is not None:
            own = np.asarray(reals.layers[name], np.float64)
            off = (layer - np.median(own, axis=0)) / np.maximum(robust_sd(own, axis=0), 1e-9)
            grey.append(off[:, ~mask])
            colour.append(off[:, mask])
    both = [np.concatenate(parts, axis=1) for parts in (grey, colour)]
    return tuple(np.median(x, axis=1) if x.shape[1] else np.zeros(len(x)) for x in both)
