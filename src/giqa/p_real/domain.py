"""The pictures with votes, as far as a human model keeps them: are others like them, or are they themselves?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..errors import BadShape
from ..images.copies import Copies
from ..model.folds import folds_of
from ..model.made_by import AskedAbout
from ..model.out_of_domain import Content
from ..model.trust import FEWEST_ASKED, LEARNED_FROM, UNLIKE
from ..types import Features

CONTENT = "content"  # the layer of `EXTRACTOR`, besides what the human model learns from
EXTRACTOR = f"embedded(layers=['{CONTENT}'], version=1)"
KEPT = 500  # pictures, of those with votes and of those asked about, between which the distance is measured


def distance(voted: np.ndarray, asked: np.ndarray) -> float:
    """The energy distance between two sets of contents, in units of the distance of two pictures with votes.

    (2 E|v - a| - E|v - v'| - E|a - a'|) / E|v - v'|, of pairs of different pictures, columns standardised by `voted`.

    Parameters
    ----------
    voted : float array (n, c)
        Contents of the pictures with votes.
    asked : float array (m, c)
        Contents of the pictures that the model is asked about.

    Returns
    -------
    float
        Near 0 for two halves of one set, whatever their sizes; NaN where all pictures with votes are alike.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> voted, same, other = rng.normal(size=(3, 200, 4)) + np.array([0, 0, 3])[:, None, None]
    >>> abs(distance(voted, same)) < 0.05, distance(voted, other) > 1
    (True, True)
    """
    mean, spread = voted.mean(axis=0), voted.std(axis=0)
    voted, asked = ((x - mean) / np.where(spread > 0, spread, 1) for x in (voted, asked))
    own = _mean_distance(voted, voted) * len(voted) / (len(voted) - 1)
    asked_own = _mean_distance(asked, asked) * len(asked) / (len(asked) - 1)
    return (2 * _mean_distance(voted, asked) - own - asked_own) / own if own > 0 else float("nan")


def _mean_distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean([np.sqrt(((row - b) ** 2).sum(axis=1)).mean() for row in a]))


class Voted:
    """The pictures with votes, as far as is needed to say whether others are like them, or are they themselves.

    Parameters
    ----------
    info : array (n,) of dtype `INFO`
        Of all of them: by these records they and near copies are known.
    contents : float array (k, c) or None
        What at most 500 of them show; None where there were too few.
    content : Content or None
        Fitted on all; None where there were too few.
    """

    def __init__(self, info: np.ndarray, contents: np.ndarray | None = None, content: Content | None = None):
        self.info = info
        self.contents = contents
        self.content = content
        self._copies = Copies(info)

    @classmethod
    def of(cls, features: Features, seed: int = 0) -> Voted:
        """What is kept of `features`, whose layer "content" is that of `EXTRACTOR` and whose `info` is known."""
        named = {"levels": {"high": [CONTENT]}}
        shown = Features(features.ids, {CONTENT: features.layers[CONTENT]}, features.info, named)
        try:
            content = Content(seed).fit(shown, folds=folds_of(shown, seed))
        except BadShape:  # fewer than 20 different pictures
            return cls(features.info)
        chosen = np.sort(np.random.default_rng(seed).permutation(len(features))[:KEPT])
        return cls(features.info, _rooted(shown.layers[CONTENT][chosen]), content)

    def notes(self, features: Features) -> list[str]:
        """What is to be noted of each picture, "" for nothing; none depends on the others."""
        known = self._copies.rows(features.info) >= 0
        unlike = np.zeros(len(features), bool)
        if self.content is not None:
            unlike = self.content.outside(features.layers[CONTENT])
        said = ((LEARNED_FROM, known), (UNLIKE, unlike & ~known))
        return ["; ".join(text for text, holds in said if holds[row]) for row in range(len(features))]


def columns_alone(features: Features) -> Features:
    """What the human model learns from and is asked about: all layers without the content."""
    layers = {name: layer for name, layer in features.layers.items() if name != CONTENT}
    return Features(features.ids, layers, features.info, features.made_by)


def _rooted(contents: np.ndarray) -> np.ndarray:
    """Signed square roots, as in `Content`: channels of deep layers have heavy tails."""
    return (np.sign(contents) * np.sqrt(np.abs(contents))).astype(np.float32)


@dataclass
class Asked:
    """Pictures that a human model is asked about, seen step by step: `see` each, then `record`."""

    voted: Voted | None
    pictures: int = 0
    unlike: int = 0
    learned_from: int = 0
    digests: np.ndarray | None = None
    contents: np.ndarray | None = None

    def see(self, features: Features) -> list[str]:
        """The notes of these pictures; of their contents the 500 with the smallest digests are kept, in any order."""
        self.pictures += len(features)
        if self.voted is None or not len(features):
            return [""] * len(features)
        notes = self.voted.notes(features)
        self.unlike += sum(UNLIKE in note for note in notes)
        self.learned_from += sum(LEARNED_FROM in note for note in notes)
        digests = np.array([one.tobytes().hex() for one in features.info["digest"]])
        self._keep(digests, _rooted(features.layers[CONTENT]))
        return notes

    def _keep(self, digests: np.ndarray, contents: np.ndarray) -> None:
        if self.digests is not None:
            digests, contents = np.r_[self.digests, digests], np.r_[self.contents, contents]
        self.digests, first = np.unique(digests, return_index=True)  # sorted, and a copy is no second picture
        self.digests, self.contents = self.digests[:KEPT], contents[first[:KEPT]]

    def to_json(self) -> dict[str, Any]:
        """What `recall` takes."""
        known = self.digests is not None
        return {
            "counts": [self.pictures, self.unlike, self.learned_from],
            "digests": self.digests.tolist() if known else [],
            "contents": self.contents.tolist() if known else [],
        }

    def recall(self, seen: Mapping[str, Any]) -> None:
        """See the pictures that another one has seen; the order does not matter."""
        pictures, unlike, learned_from = seen["counts"]
        self.pictures, self.unlike = self.pictures + pictures, self.unlike + unlike
        self.learned_from += learned_from
        if seen["digests"]:
            self._keep(np.array(seen["digests"]), np.array(seen["contents"], np.float32))

    def record(self) -> dict[str, Any]:
        """`AskedAbout` for `made_by`."""
        far, known = float("nan"), self.voted is not None and self.voted.contents is not None
        if known and self.digests is not None and len(self.digests) >= FEWEST_ASKED:
            far = distance(self.voted.contents.astype(np.float64), self.contents.astype(np.float64))
        compared = self.voted is not None and self.voted.content is not None
        return asdict(
            AskedAbout(
                self.pictures,
                self.unlike if compared else None,
                None if np.isnan(far) else round(far, 4),
                None if self.voted is None else self.learned_from,
            )
        )
