"""Nine ways to draw letters wrongly, each at any strength u in 0 to 1.

At u = 0.1 a kind is at its lightest visible level: its amount there stands in `LIGHTEST`, in units of the type's size
(em). "melted" then moves 95 of 100 points by less than 0.0375 em: 1.5 px where the type has 40 px. It grows as
(u / 0.1) ** power. The same generator gives the same damage, more of it with a larger u, so that a series is in order.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from typeset import Letter, Line, Rng, drawn, moved, smooth

LIGHTEST = {  # amount at u = 0.1, and the power by which it grows
    "melted": (0.0115, 0.85),  # times `smooth` along each axis: the displacement, which varies within a stroke
    "warped": (0.035, 0.75),  # likewise, varying over half a letter
    "missing": (0.3, 0.5),  # pieces of strokes a letter
    "broken": (0.5, 0.5),  # gaps a letter
    "doubled": (0.05, 0.45),  # distance of the second drawing of half of the letters
    "weight": (0.16, 0.6),  # how far the weight of strokes swings
    "baseline": (0.045, 0.65),  # deviation of the letters' heights; they turn too
    "joined": (0.35, 0.45),  # strokes between neighbours that do not belong there, a pair
    "halves": (0.2, 0.6),  # share of letters that are halves of two letters
}
HELD_OUT = ("doubled", "joined")  # kinds that are never trained on
LETTERWISE = ("doubled", "baseline", "joined", "halves", "warped")  # they need letters one by one


def kinds(line: Line, trained: bool | None = None) -> list[str]:
    """The kinds that can be done to this line; those of training, or the held-out ones."""
    single = len(line.letters) > 1 or line.script not in ("ar", "hi")
    return [
        kind
        for kind in LIGHTEST
        if (trained is None or (kind not in HELD_OUT) == trained)
        and (kind not in LETTERWISE or single)
        and (kind not in ("baseline", "joined") or len(line.letters) > 2)
        and (kind != "halves" or line.script not in ("ar", "hi"))
    ]


def amount(kind: str, u: float) -> float:
    lightest, power = LIGHTEST[kind]
    return lightest * (u / 0.1) ** power


def damaged(line: Line, kind: str, u: float, seed: int) -> np.ndarray:
    """The line's ink with one kind of damage, float32 (h, w)."""
    if u == 0:
        return line.ink()
    return KINDS[kind](line, amount(kind, u), np.random.default_rng(seed))


def _melted(line: Line, how_far: float, rng: Rng) -> np.ndarray:
    return _displaced(line.ink(), line.em, how_far, rng.uniform(0.12, 0.28), rng)


def _displaced(ink: np.ndarray, em: float, how_far: float, length: float, rng: Rng) -> np.ndarray:
    dy, dx = (smooth(ink.shape, length * em, rng) * how_far * em for _ in range(2))
    return moved(ink, dy, dx)


def _warped(line: Line, how_far: float, rng: Rng) -> np.ndarray:
    changed = []
    for letter in line.letters:
        room = round(0.3 * line.em)
        ink = _displaced(np.pad(letter.ink, room), line.em, how_far, rng.uniform(0.4, 0.6), rng)
        changed.append(Letter(ink, letter.x - room, letter.y - room))
    return line.with_letters(changed).ink()


def _places(ink: np.ndarray, n: int, rng: Rng) -> np.ndarray:
    """Pixels within strokes, (n, 2), drawn one after another so that more begin with the same."""
    y, x = np.nonzero(ink > 0.6)
    if not y.size:
        return np.zeros((0, 2))
    return np.array([(y[i], x[i]) for i in (int(rng.random() * y.size) for _ in range(n))])


def _how_many(line: Line, rate: float) -> int:
    return max(1, round(rate * max(1, len(line.text.replace(" ", "")))))


def _erased(ink: np.ndarray, at: np.ndarray, long: float, wide: float, angle: float) -> np.ndarray:
    """1 inside a soft ellipse about a place, 0 outside."""
    y = np.arange(ink.shape[0], dtype=np.float32)[:, None] - at[0]
    x = np.arange(ink.shape[1], dtype=np.float32)[None] - at[1]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    distance = np.sqrt((along / long) ** 2 + (across / wide) ** 2)
    return np.clip((1 - distance) * min(long, wide) + 0.5, 0, 1)


def _near(ink: np.ndarray, at: np.ndarray, reach: float) -> tuple[slice, slice]:
    """The part of the ink within reach of a place."""
    low, high = np.maximum(0, np.floor(at - reach)).astype(int), np.ceil(at + reach + 1).astype(int)
    return slice(low[0], high[0]), slice(low[1], high[1])


def _missing(line: Line, rate: float, rng: Rng) -> np.ndarray:
    ink = line.ink()
    for at in _places(ink, _how_many(line, rate), np.random.default_rng(rng.integers(1 << 30))):
        long, wide, angle = rng.uniform(0.12, 0.24) * line.em, rng.uniform(0.09, 0.16) * line.em, rng.uniform(0, np.pi)
        rows, columns = _near(ink, at, max(long, wide) + 2)
        local = at - [rows.start, columns.start]
        ink[rows, columns] *= 1 - _erased(ink[rows, columns], local, long, wide, angle)
    return ink


def _broken(line: Line, rate: float, rng: Rng) -> np.ndarray:
    """Cuts across strokes: of four directions the one that takes least ink."""
    ink = line.ink()
    for at in _places(ink, _how_many(line, rate), np.random.default_rng(rng.integers(1 << 30))):
        wide, turn = rng.uniform(0.03, 0.05) * line.em, rng.uniform(0, np.pi / 4)
        rows, columns = _near(ink, at, 0.2 * line.em)
        local, part = at - [rows.start, columns.start], ink[rows, columns]
        cuts = [_erased(part, local, 0.2 * line.em, wide, turn + k * np.pi / 4) for k in range(4)]
        ink[rows, columns] *= 1 - min(cuts, key=lambda cut: (cut * part).sum())
    return ink


def _doubled(line: Line, how_far: float, rng: Rng) -> np.ndarray:
    changed = list(line.letters)
    twice = rng.permutation(len(line.letters))[: max(1, round(0.5 * len(line.letters)))]
    for i in twice:
        angle = rng.uniform(0, 2 * np.pi)
        letter = line.letters[i]
        dy, dx = how_far * line.em * np.sin(angle), how_far * line.em * np.cos(angle)
        changed.append(Letter(letter.ink, letter.x + round(dx), letter.y + round(dy)))
    return line.with_letters(changed).ink()


def _weight(line: Line, swing: float, rng: Rng) -> np.ndarray:
    """Strokes swell and shrink along their length: the ink is blurred and cut off at a level that varies."""
    ink = np.clip(line.ink(), 0, 1)
    edge = np.hypot(*np.gradient(ink)).sum()
    stroke = 2 * float(ink.sum()) / max(float(edge), 1.0)  # mean width
    reach = min(rng.uniform(0.4, 0.5) * stroke, 0.05 * line.em)
    soft = np.asarray(Image.fromarray((255 * ink).astype(np.uint8)).filter(ImageFilter.GaussianBlur(reach)), np.float32)
    level = 0.5 + np.clip(0.5 * swing * smooth(ink.shape, rng.uniform(0.2, 0.4) * line.em, rng), -0.38, 0.3)
    return np.clip((soft / 255 - level) * 7 + 0.5, 0, 1).astype(np.float32)


def _baseline(line: Line, how_far: float, rng: Rng) -> np.ndarray:
    changed = []
    for letter in line.letters:
        up, turn, grown = rng.standard_normal(3)
        room = round(0.25 * line.em)
        image = Image.fromarray((255 * np.pad(np.clip(letter.ink, 0, 1), room)).astype(np.uint8))
        scale = float(np.exp(0.8 * how_far * grown))
        image = image.rotate(55 * how_far * turn, Image.Resampling.BICUBIC)
        image = image.resize([max(4, round(side * scale)) for side in image.size], Image.Resampling.BICUBIC)
        ink = np.asarray(image, np.float32) / 255
        y = letter.y - room + round(how_far * line.em * up) + (letter.ink.shape[0] + 2 * room - ink.shape[0]) // 2
        changed.append(Letter(ink, letter.x - room, y))
    return line.with_letters(changed).ink()


def _joined(line: Line, rate: float, rng: Rng) -> np.ndarray:
    ink = line.ink()
    image = Image.fromarray((255 * np.clip(ink, 0, 1)).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    letters = line.letters
    pairs = rng.permutation(len(letters) - 1)[: max(1, round(rate * (len(letters) - 1)))]
    for i in pairs:
        ends = [_places(letter.ink, 1, rng) for letter in (letters[i], letters[i + 1])]
        if min(map(len, ends)):
            (y0, x0), (y1, x1) = ends[0][0], ends[1][0]
            start, end = (letters[i].x + x0, letters[i].y + y0), (letters[i + 1].x + x1, letters[i + 1].y + y1)
            middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + rng.uniform(-0.15, 0.15) * line.em)
            wide = max(2, round(rng.uniform(0.04, 0.1) * line.em))
            pen.line([start, middle, end], 255, wide, joint="curve")
    return np.asarray(image.filter(ImageFilter.GaussianBlur(0.5)), np.float32) / 255


def _halves(line: Line, share: float, rng: Rng) -> np.ndarray:
    """Letters whose upper or left half is of another letter, or mirrored."""
    changed = list(line.letters)
    for i in rng.permutation(len(changed))[: max(1, round(share * len(changed)))]:
        letter = changed[i]
        other = drawn(line.font, line.spare[rng.integers(len(line.spare))])[0]
        h, w = letter.ink.shape
        mirrored = rng.random() < 0.4
        if mirrored or other.max() < 0.5:
            other = letter.ink[:, ::-1] if rng.random() < 0.5 else letter.ink[::-1]
        image = Image.fromarray((255 * np.clip(other, 0, 1)).astype(np.uint8)).resize((w, h), Image.Resampling.BICUBIC)
        other = np.asarray(image, np.float32) / 255
        ink = letter.ink.copy()
        at = rng.uniform(0.4, 0.6)
        if rng.random() < 0.6:
            ink[: round(at * h)] = other[: round(at * h)]
        else:
            ink[:, : round(at * w)] = other[:, : round(at * w)]
        changed[i] = Letter(ink, letter.x, letter.y)
    return line.with_letters(changed).ink()


KINDS: dict[str, Callable[[Line, float, Rng], np.ndarray]] = {
    "melted": _melted,
    "warped": _warped,
    "missing": _missing,
    "broken": _broken,
    "doubled": _doubled,
    "weight": _weight,
    "baseline": _baseline,
    "joined": _joined,
    "halves": _halves,
}
