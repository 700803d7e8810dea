"""Text as a judge of a scoring: the columns that it adds to a table of scores."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import BadSpec
from ..features.reader import Reader
from ..model.columns import TEXT, TEXT_READ
from ..model.score import Forgetful
from ..types import Features, Source, columns_of
from .damage import NETWORK, VERSION
from .models import DETECTOR, DIGESTS, RECOGNISER, network
from .recognise import character_error_rate
from .text import SIDE, TextFound, check_side, find_text

LONGEST = 400  # characters of what is read that are kept
QUALITY, BOX, SAID = "text.quality", "text.box", "text.said"


class TextFeatures:
    """What `find_text` finds, as numbers of one length for every picture, so that the store of features can keep it.

    | layer | numbers |
    |---|---|
    | `text.quality` | quality, low, high of the picture; how many lines |
    | `text.box` | x and y of the four corners of the line that is drawn worst, as shares of the picture's sides |
    | `text.said` | with `read`: the first 400 characters of what was read, as code points; 0 is none |

    Parameters
    ----------
    side : int
        Of `find_text`.
    read : bool
        Of `find_text`.
    """

    def __init__(self, side: int = SIDE, read: bool = False):
        self.side = side
        self.read = read

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the arrays that `run` returns."""
        return (QUALITY, BOX, SAID) if self.read else (QUALITY, BOX)

    def identity(self) -> Mapping[str, Any]:
        """What decides the numbers."""
        digests = {"detector_sha256": DIGESTS[DETECTOR]} | (
            {"recogniser_sha256": DIGESTS[RECOGNISER]} if self.read else {}
        )
        own = {"version": VERSION, "weights_sha256": hashlib.sha256(NETWORK.read_bytes()).hexdigest()}
        return {"extractor": "text", "side": self.side, "outputs": list(self.outputs), **own, **digests}

    def prepare(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """All the work, one picture in any thread: uint8 (h, w, 3) to its layers, each (c,)."""
        found = find_text(pixels, self.side, self.read)
        layers = {QUALITY: np.array([*found.text_quality, len(found)], np.float32), BOX: _worst_box(found, pixels)}
        if self.read:
            said = np.zeros(LONGEST, np.float32)
            points = [ord(letter) for letter in found.said()[:LONGEST]]
            said[: len(points)] = points
            layers[SAID] = said
        return layers

    def run(self, prepared: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Prepared pictures to layer -> float32 (n, c)."""
        return {name: np.stack([layers[name] for layers in prepared]) for name in self.outputs}

    def __call__(self, pixels: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return self.run([self.prepare(p) for p in pixels])


class TextJudge(Forgetful):
    """Adds `text_quality`, its interval, `n_text` and `text_box` to a table; with `read` what the text says.

    Parameters
    ----------
    side : int
        Of the detector, see `giqa.text.find_text`.
    expected : mapping of str to str, or None
        The text that was asked for, by picture: `text_read` and `text_error` are added too.
    """

    takes_features = False

    def __init__(self, side: int = SIDE, expected: Mapping[str, str] | None = None):
        self.side, self.expected = side, expected
        self.adds = TEXT if expected is None else (*TEXT, *TEXT_READ)

    def check(self) -> None:
        """Raise now what would be raised for every picture.

        Raises
        ------
        MissingExtra, BadWeights, BadSpec
        """
        check_side(self.side)
        network(DETECTOR)
        if self.expected is not None:
            network(RECOGNISER)

    def reader(self) -> Reader:
        return Reader(TextFeatures(self.side, self.expected is not None))

    def columns(self, features: Features) -> dict[str, Any]:
        """Columns of `Scores`, each (n,)."""
        quality, low, high, lines = features.layers[QUALITY].astype(np.float64).T
        box = [" ".join(f"{x:.4f}" for x in row) if row[0] == row[0] else "" for row in features.layers[BOX]]
        columns = {"text_quality": quality, "text_quality_low": low, "text_quality_high": high, "n_text": lines}
        columns["text_box"] = box
        if self.expected is not None:
            read = ["".join(chr(int(point)) for point in row if point) for row in features.layers[SAID]]
            asked = [self.expected.get(name, "") for name in features.ids]
            errors = [character_error_rate(*pair) for pair in zip(read, asked, strict=True)]
            columns |= {"text_read": read, "text_error": np.array(errors)}
        return columns

    def made_by(self) -> Mapping[str, Any]:
        return {"text": dict(self.reader().extractor.identity())}


def asked_texts(source: Source, column: str) -> dict[str, str]:
    """The text that was asked for, by picture: a column of the table of pictures.

    Raises
    ------
    BadSpec
        When there is no such column.
    """
    columns = columns_of(source)
    if not isinstance(column, str) or column not in columns:
        has = f"has the columns {', '.join(columns)}" if columns else "is no table"
        raise BadSpec(f"The expected text is a column of the table of pictures; {source.name!r} {has}, got {column!r}.")
    return dict(zip(source.ids, columns[column], strict=True))


def _worst_box(found: TextFound, pixels: np.ndarray) -> np.ndarray:
    """Corners of the line that is drawn worst as shares of the sides, (8,); NaN where there is none."""
    if found.worst is None:
        return np.full(8, np.nan, np.float32)
    return (found.boxes[found.worst] / pixels.shape[1::-1]).astype(np.float32).ravel()
