"""The best and the worst pictures of a table at a glance: HTML for a notebook, and a contact sheet as one file."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ..errors import BadSpec
from ..files import as_path, replace_file
from ..images.thumbnail import thumbnails_of
from .headline import z_in_words

STYLE = "display:inline-block;margin:4px;width:110px;vertical-align:top;overflow-wrap:anywhere"
SHOWN = 6  # best and worst pictures in a notebook
SIDE, LINE, GAP, COLUMNS = 160, 15, 8, 5  # of a contact sheet, in pixels


def as_html(scores: Any) -> str:
    """The headline, and a strip of the best and of the worst pictures, or of those that were chosen, for a notebook.

    Parameters
    ----------
    scores : Scores

    Returns
    -------
    str
        A part of a page, with its pictures in it.
    """
    said, ranked = scores.headline().lines(), scores.ranked()
    if scores.chosen:  # shares of a choice say nothing of the set, and its order is its own
        end, by = scores.chosen.split(" by ")
        title, ranked = f"{end.capitalize()} first, by {by}", range(len(scores))
        more = f"{2 * SHOWN} of {len(ranked)} are shown; contact_sheet('{end}.png') writes all of them."
        said = [more] if len(ranked) > 2 * SHOWN else []
        ends = {title: ranked[: 2 * SHOWN]}
    elif len(ranked) <= 2 * SHOWN:
        ends = {"Best first": ranked}
    else:
        ends = {"Best": ranked[:SHOWN], "Worst": ranked[-SHOWN:][::-1]}
    lines = "".join(f"<p style='margin:2px 0'>{escape(line)}</p>" for line in said)
    shown = thumbnails_of(scores.pictures, [scores.id[row] for rows in ends.values() for row in rows], 96)
    parts = [_strip(title, scores, rows, shown) for title, rows in ends.items()]
    return f"<div>{lines}{''.join(parts)}</div>"


def _strip(title: str, scores: Any, rows: Sequence[int], shown: Mapping[str, bytes]) -> str:
    cells = []
    for row in rows:
        name = escape(str(scores.id[row]), quote=True)
        code = base64.b64encode(shown.get(scores.id[row], b"")).decode()
        image = f"<img alt='{name}' src='data:image/webp;base64,{code}' style='max-width:96px;max-height:96px'>"
        words = "<br>".join(escape(word) for word in _words(scores, row))
        cells.append(
            f"<figure title='{name}' style='{STYLE}'>"
            f"{image if code else name}<figcaption style='font-size:12px'>{words}</figcaption></figure>"
        )
    return f"<b>{title}</b><div>{''.join(cells)}</div>"


def _words(scores: Any, row: int) -> list[str]:
    """z, the number by which it was chosen where that is another one, and what costs most where something does."""
    by = scores.chosen.partition(" by ")[2]
    number = "" if by in ("", "score", "z") else f"{by} {scores[by][row]:.3g}"
    return [f"z {z_in_words(scores.z[row])}", *filter(None, [number, scores.reason[row] if scores.reason else ""])]


def contact_sheet(path: str | Path, scores: Any, images: Any = None) -> Path:
    """Write the pictures of a table, in its order, side by side with z, reason and name under each; .png or .jpg.

    Parameters
    ----------
    path : path
        Its ending decides; its folder is made where it is not there.
    scores : Scores
        Such as `scores.worst(20)`.
    images : path or source, or None
        Where the pictures are; None: where they were when they were scored.

    Returns
    -------
    Path

    Raises
    ------
    BadSpec
        For another ending, of an empty table, and where no picture of the table is at hand.
    """
    from PIL import Image, ImageDraw

    path = as_path(path)
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise BadSpec(f"A contact sheet is written as .png or .jpg, got {path.name!r}.")
    if not len(scores):
        raise BadSpec("A contact sheet needs a picture with a score; the table has none.")
    shown = thumbnails_of(scores.pictures if images is None else images, scores.id, SIDE)
    if not shown:
        where = (
            "the table was read from a file, or features were scored" if images is None else f"not in {images!s:.80}"
        )
        raise BadSpec(f"The pictures of this table are not at hand ({where}); give contact_sheet(path, images=FAKES).")
    height = SIDE + 3 * LINE + GAP
    sheet = Image.new("RGB", (COLUMNS * (SIDE + GAP) + GAP, -(-len(scores) // COLUMNS) * height + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for place, name in enumerate(scores.id):
        x, y = GAP + place % COLUMNS * (SIDE + GAP), GAP + place // COLUMNS * height
        if name in shown:
            small = Image.open(io.BytesIO(shown[name])).convert("RGB")
            sides = [max(1, side * SIDE // max(small.size)) for side in small.size]  # a small picture is shown larger
            sheet.paste(small.resize(sides, Image.Resampling.NEAREST), (x, y))
        words = [*_words(scores, place), _short(str(name))]
        for line, word in enumerate(words):
            draw.text((x, y + SIDE + 2 + line * LINE), word.encode("latin-1", "replace").decode("latin-1"), "black")
    out = io.BytesIO()
    sheet.save(out, "PNG" if path.suffix.lower() == ".png" else "JPEG")
    return replace_file(path, out.getvalue())


def _short(name: str, most: int = 25) -> str:
    return name if len(name) <= most else "..." + name[3 - most :]
