"""The page of `giqa demo gan`: the picker's curve of both arms, their best and worst pictures, the snapshots."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .. import drawing
from ..page import render

SHOWN = 8  # pictures in a strip
WIDE, NARROW = 1140, 340  # of the chart in pixels: one for the table, one for the telephone
LABEL = "share of the pictures that is kept, best first"
ARMS = {"plain": "plain", "ohem": "OHEM"}


@dataclass(frozen=True)
class Strip:
    """Some pictures (PNG) under a name, and what is written below each."""

    name: str
    pictures: Sequence[bytes]
    words: Sequence[str] = ()


def page(
    curve: Sequence[tuple[str, float, float, float, float]],
    weighted: Sequence[tuple[int, float]],
    strips: Mapping[str, Sequence[Strip]],
    others: Sequence[tuple[str, str, str]] = (),
) -> str:
    """One HTML page that loads nothing.

    `curve`: (arm, share kept, mean z, low, high); `weighted`: (step, share of pictures); `strips`: those of the
    "snapshots", and of each arm; `others`: further charts, as (name, which way is better, SVG).
    """
    shares = sorted({row[1] for row in curve}, reverse=True)
    series = {
        ARMS[arm]: [row[2:] for share in shares for row in curve if row[:2] == (arm, share)]
        for arm in dict.fromkeys(row[0] for row in curve)
    }
    shown = {
        name: [
            (s.name, [(base64.b64encode(p).decode(), words) for p, words in zip(s.pictures, _filled(s), strict=True)])
            for s in found
        ]
        for name, found in strips.items()
    }
    snapshots = shown.pop("snapshots", [])
    return render(
        "demo.html",
        ("report.css", "compare.css"),
        title="From snapshots to a picker",
        names=list(enumerate(series)),
        charts=[
            drawing.steps([f"{share:.0%}" for share in shares], series, text, width)
            for width, text in ((WIDE, LABEL), (NARROW, "kept"))
        ],
        others=others,
        curve=[(ARMS[arm], *map(signed, rest), f"{share:.0%}") for arm, share, *rest in curve],
        weighted=[(step, f"{share:.1%}") for step, share in weighted],
        snapshots=snapshots,
        arms=[(number, ARMS[arm], found) for number, (arm, found) in enumerate(shown.items())],
    )


def signed(value: float) -> str:
    """With its sign, a true minus, and two digits.

    >>> signed(-1.234)
    '−1.23'
    """
    return f"{value:+.2f}".replace("-", "−")


def as_png(pixels: np.ndarray) -> bytes:
    """A picture uint8 (h, w, 3) as a PNG file."""
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def _filled(strip: Strip) -> Sequence[str]:
    return strip.words or [""] * len(strip.pictures)
