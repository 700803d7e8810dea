"""Lines of type of the test half of fonts and words, as pictures, clean and damaged."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.shared import ROOT

sys.path.insert(0, str(ROOT / "training"))  # where the drawing and its damage are

import letter_damage
import typeset

DRAWN, NATIVE = 56.0, 40.0  # pixels of the type when it is drawn, and in the picture
Pixels = np.ndarray


@dataclass(frozen=True)
class Case:
    """A line of type that can be damaged in one way: the same background and colours at each strength."""

    line: typeset.Line
    kind: str
    seed: int

    def crop(self, u: float = 0.0) -> Pixels:
        """The line as a detector would cut it out, 40 px type, with damage of this strength."""
        ink = letter_damage.damaged(self.line, self.kind, u, self.seed)
        return typeset.set_in_picture(ink, DRAWN, typeset.Look(self.seed, True, NATIVE / DRAWN))


def cases(kind: str, n: int, seed: int, script: str | None = None) -> Iterator[Case]:
    """Lines that this kind of damage can be done to, in fonts and words that nothing was trained on."""
    found, number = 0, 0
    while found < n:
        rng = np.random.default_rng((seed, list(letter_damage.LIGHTEST).index(kind), number))
        line = typeset.set_line(rng, True, DRAWN, script=script)
        number += 1
        if kind in letter_damage.kinds(line):
            found += 1
            yield Case(line, kind, int(rng.integers(1 << 30)))


def auc(worse: np.ndarray, better: np.ndarray) -> float:
    """How often one of the first is below one of the second; a tie counts half."""
    worse, better = np.asarray(worse)[:, None], np.asarray(better)[None]
    return float((worse < better).mean() + (worse == better).mean() / 2)


def nuisances() -> dict[str, object]:
    """What must not count, by name: crop -> crop."""
    return {
        "blur, deviation 1 px": lambda p: typeset.blurred(p, 1.0),
        "blur, deviation 2 px": lambda p: typeset.blurred(p, 2.0),
        "downscaled by 2": lambda p: typeset.downscaled(p, 2, False),
        "downscaled by 3 and enlarged": lambda p: typeset.downscaled(p, 3, True),
        "JPEG 50": lambda p: typeset.coded(p, 50),
        "JPEG 20": lambda p: typeset.coded(p, 20),
    }


def picture(line: typeset.Line, kind: str, u: float, seed: int, side: int = 512) -> Pixels:
    """A picture of side x side with one or two lines of the text on a texture."""
    rng = np.random.default_rng(seed)
    rough = typeset.textures()[rng.integers(typeset.TEXTURES)]
    top, left = rng.integers(0, rough.shape[0] - side + 1, 2)
    background = rough[top : top + side, left : left + side].astype(np.float32)
    mean = background.mean((0, 1))
    background = mean + (background - mean) * rng.uniform(0.2, 0.7)
    colour = np.where(mean.mean() > 127, rng.uniform(0, 60, 3), rng.uniform(195, 255, 3))
    ink = letter_damage.damaged(line, kind, u, int(rng.integers(1 << 30)))
    scale = min(NATIVE / DRAWN * float(rng.uniform(0.8, 1.5)), (side - 40) / ink.shape[1])
    size = [max(8, round(length * scale)) for length in ink.shape[::-1]]
    small = np.clip(np.asarray(typeset.Image.fromarray(ink).resize(size, typeset.Image.Resampling.BOX)), 0, 1)
    y, x = int(rng.integers(10, side - size[1] - 10)), int(rng.integers(10, max(11, side - size[0] - 10)))
    mask = np.zeros((side, side, 1), np.float32)
    part = small[: side - y, : side - x]
    mask[y : y + part.shape[0], x : x + part.shape[1], 0] = part
    return np.clip(background * (1 - mask) + colour * mask, 0, 255).astype(np.uint8)
