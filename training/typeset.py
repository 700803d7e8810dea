"""Type that is set in Debian's fonts: fonts, words, letters one by one, and their ink on a background as a crop.

Fonts and words are split by their names, so that no font family and no word of the test half is ever trained on.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from pictures import Pixels, Rng, clouds, dead_leaves
from PIL import Image, ImageDraw, ImageFilter, ImageFont

SEED = 20261129
TEXTURES = 24
HELD_OUT = 5  # of every five font families, and of every five words, one is kept for tests
NOT_TYPE = ("BRK", "Symbol", "Keyboard", "Keyfont", "D050000L", "Math", "Emoji", "Penguin", "UnDinaru", "Tengwar")
DICTIONARIES = {"la": ("american-english", "french", "spanish", "italian", "danish"), "ru": ("bulgarian", "ukrainian")}
LETTERS = {  # of scripts without a dictionary here: ranges of code points
    "el": ((0x391, 0x3A9), (0x3B1, 0x3C9)),
    "he": ((0x5D0, 0x5EA),),
    "zh-cn": ((0x4E00, 0x62FF),),
    "ja": ((0x3042, 0x3093), (0x30A2, 0x30F3)),
    "ko": ((0xAC00, 0xD7A3),),
    "ar": ((0x628, 0x63A), (0x641, 0x64A)),
    "hi": ((0x915, 0x939),),
    "th": ((0xE01, 0xE2E),),
}
SHARE = {"la": 0.66, "ru": 0.08, "el": 0.05, "zh-cn": 0.06, "ja": 0.03, "ko": 0.04, "he": 0.02, "ar": 0.02}
SHARE |= {"hi": 0.02, "th": 0.02}
WHOLE = ("ar", "hi")  # scripts whose letters join, so that a word is drawn as one piece


def kept_for_tests(name: str) -> bool:
    """Whether a font family or a word is one of those that nothing is trained on."""
    return hashlib.sha256(name.encode()).digest()[0] % HELD_OUT == 0


@lru_cache
def families(script: str, tests: bool) -> list[tuple[str, ...]]:
    """Files of each font family that has this script, as fontconfig knows them, in the order of their names."""
    language = "en" if script == "la" else script
    listed = subprocess.run(
        ["fc-list", f":lang={language}", "file", "family", "variable"], capture_output=True, text=True, check=True
    )
    found = defaultdict(set)
    for line in listed.stdout.splitlines():
        file, _, rest = line.partition(": ")
        family = rest.partition(":")[0].partition(",")[0].replace("\\", "")
        outline = file.lower().endswith((".ttf", ".otf", ".ttc")) and "variable=True" not in rest
        if outline and not any(word in family for word in NOT_TYPE):
            found[_stem(family)].add(file)
    return [tuple(sorted(found[name])) for name in sorted(found) if kept_for_tests(name) == tests]


def _stem(family: str) -> str:
    """Families of one design go together: "Noto Sans Display" and "Noto Sans", "PT Sans Narrow" and "PT Serif"."""
    words = family.split()
    return " ".join(words[:2]) if words[0] in ("Noto", "TeX", "Nimbus") else words[0]


@lru_cache
def words(script: str, tests: bool) -> list[str]:
    """Words of this half, from Debian's word lists: some 15,000 a list."""
    found: list[str] = []
    for name in DICTIONARIES[script]:
        text = Path("/usr/share/dict", name).read_text(encoding="utf-8", errors="ignore")
        every = text.split()
        some = [word for word in every[:: max(1, len(every) // 20_000)] if 2 <= len(word) <= 12]
        found += [word for word in some if kept_for_tests(word.lower()) == tests]
    return found


def a_text(script: str, tests: bool, rng: Rng) -> str:
    """One to three words, as they are, with a capital or in capitals; numbers now and then."""
    if script in LETTERS:
        ranges = LETTERS[script]
        few = script in ("zh-cn", "ja", "ko")
        while True:
            low, high = ranges[rng.integers(len(ranges))]
            text = "".join(chr(rng.integers(low, high + 1)) for _ in range(rng.integers(1 if few else 3, 6)))
            if kept_for_tests(text) == tests:
                return text
    pool = words(script, tests)
    text = " ".join(pool[rng.integers(len(pool))] for _ in range(1 + int(rng.random() < 0.3)))
    style = rng.random()
    text = text.upper() if style < 0.3 else text.title() if style < 0.5 else text
    if rng.random() < 0.12:
        text = f"{text} {rng.integers(10 ** rng.integers(1, 5))}"
    return text + ("!?.,:%"[rng.integers(6)] if rng.random() < 0.08 else "")


@dataclass(frozen=True)
class Letter:
    """Ink of one letter, float32 (h, w) in 0 to 1, and where its corner stands on the line."""

    ink: np.ndarray
    x: int
    y: int


@dataclass(frozen=True)
class Line:
    """A line of type: letters, the size of the type and of the canvas in pixels, and what else the font can draw."""

    letters: tuple[Letter, ...]
    em: float
    size: tuple[int, int]  # height, width
    font: ImageFont.FreeTypeFont
    text: str
    script: str
    spare: str = field(default="")  # letters of the same script, to mix halves with

    def ink(self) -> np.ndarray:
        """All letters together, float32 (h, w)."""
        canvas = np.zeros(self.size, np.float32)
        for letter in self.letters:
            paste(canvas, letter)
        return canvas

    def with_letters(self, letters: list[Letter]) -> Line:
        return replace(self, letters=tuple(letters))


def paste(canvas: np.ndarray, letter: Letter) -> None:
    """The letter's ink onto a canvas, in place, cut where it runs over."""
    h, w = letter.ink.shape
    top, left = max(0, letter.y), max(0, letter.x)
    bottom, right = min(canvas.shape[0], letter.y + h), min(canvas.shape[1], letter.x + w)
    if top < bottom and left < right:
        part = letter.ink[top - letter.y : bottom - letter.y, left - letter.x : right - letter.x]
        np.maximum(canvas[top:bottom, left:right], part, out=canvas[top:bottom, left:right])


def drawn(font: ImageFont.FreeTypeFont, text: str) -> tuple[np.ndarray, int, int]:
    """Ink of a text, and where its corner lies from the pen: (h, w), x, y."""
    left, top, right, bottom = font.getbbox(text, anchor="ls")
    w, h = int(right - left) + 4, int(bottom - top) + 4
    image = Image.new("L", (max(w, 5), max(h, 5)))
    ImageDraw.Draw(image).text((2 - left, 2 - top), text, fill=255, font=font, anchor="ls")
    return np.asarray(image, np.float32) / 255, int(left) - 2, int(top) - 2


def set_line(rng: Rng, tests: bool, em: float, text: str | None = None, script: str | None = None) -> Line:
    """A line in a random font; letters stand where the font puts them."""
    known = [name for name in SHARE if families(name, tests)]
    share = np.array([SHARE[name] for name in known])
    while True:
        chosen = script or str(rng.choice(known, p=share / share.sum()))
        pool = families(chosen, tests)
        family = pool[rng.integers(len(pool))]
        layout = ImageFont.Layout.RAQM if chosen in (*WHOLE, "he", "th") else ImageFont.Layout.BASIC
        font = ImageFont.truetype(family[rng.integers(len(family))], max(8, round(em)), layout_engine=layout)
        said = text or a_text(chosen, tests, rng)
        line = _set(font, said, chosen, em, rng)
        if line is not None:
            return line


def _set(font: ImageFont.FreeTypeFont, text: str, script: str, em: float, rng: Rng) -> Line | None:
    """The line, or None where the font lacks a letter, or draws nothing."""
    if script not in WHOLE and any(
        _same_ink(drawn(font, letter)[0], drawn(font, "\U000fffff")[0]) for letter in {*text} - {" "}
    ):
        return None  # the font has no such letter
    spacing = float(rng.choice([0, 0, 0, rng.uniform(0, 0.25)])) * em
    pieces = text.split() if script in WHOLE else list(text)
    letters, x = [], 0.0
    for i, piece in enumerate(pieces):
        if piece.strip():
            ink, dx, dy = drawn(font, piece)
            letters.append(Letter(ink, round(x) + dx, dy))
        before = font.getlength("".join(pieces[:i])) if script not in WHOLE else 0
        x += (font.getlength("".join(pieces[: i + 1])) - before if script not in WHOLE else
              font.getlength(piece) + 0.3 * em) + spacing  # fmt: skip
    if not letters or max(letter.ink.max() for letter in letters) < 0.5:
        return None
    room = round(0.6 * em)
    left, top = min(p.x for p in letters) - room, min(p.y for p in letters) - room
    letters = [Letter(p.ink, p.x - left, p.y - top) for p in letters]
    width = max(p.x + p.ink.shape[1] for p in letters) + room
    height = max(p.y + p.ink.shape[0] for p in letters) + room
    spare = "abdeghkmnpqrstuwyABDEGHKMNPQRS235689" if script == "la" else text
    return Line(tuple(letters), em, (height, width), font, text, script, spare)


def _same_ink(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and bool(np.array_equal(one, other))


def smooth(shape: tuple[int, int], length: float, rng: Rng) -> np.ndarray:
    """A smooth random field of mean 0 and deviation 1.3 whose values are alike within `length` pixels."""
    coarse = rng.standard_normal([max(2, round(side / length) + 2) for side in shape]).astype(np.float32)
    h, w = shape
    grown = Image.fromarray(coarse).resize((round(w + 2 * length), round(h + 2 * length)), Image.Resampling.BICUBIC)
    return np.asarray(grown)[round(length) : round(length) + h, round(length) : round(length) + w] / 0.62


def moved(ink: np.ndarray, dy: np.ndarray, dx: np.ndarray) -> np.ndarray:
    """Each pixel taken from (y + dy, x + dx), between pixels by their four neighbours; nothing from outside."""
    h, w = ink.shape
    y = np.clip(np.arange(h, dtype=np.float32)[:, None] + dy, 0, h - 1.001)
    x = np.clip(np.arange(w, dtype=np.float32)[None] + dx, 0, w - 1.001)
    top, left = y.astype(np.intp), x.astype(np.intp)
    fy, fx = y - top, x - left
    at = top * w + left
    flat = ink.ravel()
    over = flat[at] * (1 - fx) + flat[at + 1] * fx
    under = flat[at + w] * (1 - fx) + flat[at + w + 1] * fx
    return over * (1 - fy) + under * fy


@dataclass(frozen=True)
class Look:
    """How ink becomes a picture: the same for a clean line and each damaged one of its series."""

    seed: int
    plain: bool  # no blur, coding, noise or downscaling afterwards
    scale: float  # native pixels a drawn pixel


def set_in_picture(ink: np.ndarray, em: float, look: Look) -> Pixels:
    """The crop, uint8 RGB: bent a little, coloured, on a background, shrunk to its native size, with nuisances."""
    rng = np.random.default_rng(look.seed)
    ink = _bent(ink, rng)
    ink = _cut(ink, em, rng)
    size = tuple(max(8, round(side * look.scale)) for side in ink.shape)
    colours = _coloured(size, rng)
    layers = _layers(ink, em, size, rng)
    picture = colours[0]
    for mask, colour in zip(layers, colours[1:], strict=False):
        picture = picture * (1 - mask[..., None]) + colour * mask[..., None]
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    return picture if look.plain else nuisance(picture, em * look.scale, rng)


def _bent(ink: np.ndarray, rng: Rng) -> np.ndarray:
    """A slight tilt, slant, arc and perspective: what a picture does to good type."""
    h, w = ink.shape
    y, x = np.arange(h, dtype=np.float32)[:, None] - h / 2, np.arange(w, dtype=np.float32)[None] - w / 2
    little = rng.random() < 0.4
    tilt, slant, wide = rng.normal(0, [0.02, 0.06, 0.02]) * (0.15 if little else 1)
    arc = 0 if little else rng.normal(0, 0.04) * h / (w / 2) ** 2
    shift = rng.uniform(-0.5, 0.5, 2)
    return moved(ink, tilt * x + arc * x * x + wide * y * x / w + shift[0], slant * y + shift[1] + 0 * x)


def _cut(ink: np.ndarray, em: float, rng: Rng) -> np.ndarray:
    """The crop about the ink, with the margins of a detector."""
    rows, columns = np.flatnonzero(ink.max(1) > 0.2), np.flatnonzero(ink.max(0) > 0.2)
    if not rows.size:
        return ink
    margin = rng.uniform([-0.02, -0.02, 0.02, 0.02], [0.3, 0.3, 0.45, 0.45]) * em
    box = np.round([rows[0] - margin[0], rows[-1] + 1 + margin[1], columns[0] - margin[2], columns[-1] + 1 + margin[3]])
    top, bottom, left, right = np.clip(box, 0, [ink.shape[0], ink.shape[0], ink.shape[1], ink.shape[1]]).astype(int)
    return ink[top:bottom, left:right]


def _layers(ink: np.ndarray, em: float, size: tuple[int, int], rng: Rng) -> list[np.ndarray]:
    """Masks from the back to the front, at native size: a shadow or an outline now and then, and the letters."""

    def shrunk(mask: np.ndarray) -> np.ndarray:
        image = Image.fromarray(np.ascontiguousarray(mask, np.float32))
        return np.clip(np.asarray(image.resize(size[::-1], how)), 0, 1)

    how = (Image.Resampling.BOX, Image.Resampling.LANCZOS, Image.Resampling.BILINEAR)[rng.integers(3)]
    kind = rng.random()
    layers = [shrunk(ink) * rng.uniform(0.85, 1)]
    if kind < 0.12:  # a shadow
        dy, dx = rng.uniform(0.02, 0.08, 2) * em
        layers.insert(0, shrunk(np.roll(ink, (round(dy), round(dx)), (0, 1))) * rng.uniform(0.3, 0.9))
    elif kind < 0.24:  # an outline
        image = Image.fromarray((255 * np.clip(ink, 0, 1)).astype(np.uint8))
        grown = image.filter(ImageFilter.MaxFilter(2 * max(1, round(rng.uniform(0.02, 0.06) * em)) + 1))
        layers.insert(0, shrunk(np.asarray(grown, np.float32) / 255))
    else:
        layers.insert(0, np.zeros(size, np.float32))
    return layers


@lru_cache
def textures() -> list[np.ndarray]:
    """Clouds and dead leaves to cut backgrounds from."""
    rng = np.random.default_rng(SEED)
    return [(clouds if i % 3 else dead_leaves)(rng, 640) for i in range(TEXTURES)]


def _within(side: int, long: int, rng: Rng) -> np.ndarray:
    """Places of a cut of `side` from `long`, mirrored where it is longer."""
    start = rng.integers(max(1, long - side))
    at = (start + np.arange(side)) % (2 * long)
    return np.minimum(at, 2 * long - 1 - at)


def _coloured(size: tuple[int, int], rng: Rng) -> list[np.ndarray]:
    """Background, colour of shadow or outline, colour of the letters: float (h, w, 3) or (3,)."""
    grey = np.array([0.299, 0.587, 0.114])
    while True:
        colours = rng.uniform(0, 255, (3, 3))
        if rng.random() < 0.35:
            colours[2] = rng.choice([0, 20, 235, 255])
        if abs(grey @ (colours[0] - colours[2])) > 70:
            break
    kind = rng.random()
    h, w = size
    back = np.broadcast_to(colours[0], (h, w, 3)).astype(np.float32)
    if kind > 0.35:
        ramp = smooth(size, max(size) * rng.uniform(0.3, 1), rng)[..., None]
        back = back + ramp * rng.normal(0, 14, 3)
    if kind > 0.6:
        rough = textures()[rng.integers(TEXTURES)]
        rough = rough[np.ix_(*(_within(side, long, rng) for side, long in zip(size, rough.shape[:2], strict=True)))]
        back = back + (rough - rough.mean((0, 1), dtype=np.float32)) * np.float32(rng.uniform(0.05, 0.35))
    front = np.broadcast_to(colours[2], (h, w, 3)).astype(np.float32)
    if rng.random() < 0.25:
        front = front + smooth(size, h * rng.uniform(0.5, 2), rng)[..., None] * rng.normal(0, 18, 3)
    return [back, colours[1], front]


def blurred(picture: Pixels, sigma: float) -> Pixels:
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(sigma)))


def downscaled(picture: Pixels, factor: float, again: bool) -> Pixels:
    """Shrunk by the factor, and enlarged to its size again if asked."""
    image = Image.fromarray(picture)
    small = image.resize([max(8, round(side / factor)) for side in image.size], Image.Resampling.BOX)
    return np.asarray(small.resize(image.size, Image.Resampling.BICUBIC) if again else small)


def coded(picture: Pixels, quality: int, form: str = "JPEG") -> Pixels:
    data = io.BytesIO()
    Image.fromarray(picture).save(data, form, quality=quality)
    return np.asarray(Image.open(data).convert("RGB"))


def nuisance(picture: Pixels, em: float, rng: Rng) -> Pixels:
    """Up to three of: blur, downscaling, noise, sharpening, coding. None of them is damage of the drawing."""
    if rng.random() < 0.15:
        return picture
    if rng.random() < 0.4:
        picture = blurred(picture, rng.uniform(0.2, 0.07 * em + 0.3))
    if rng.random() < 0.4 and em > 14:
        picture = downscaled(picture, rng.uniform(1, min(3.5, em / 10)), rng.random() < 0.5)
    if rng.random() < 0.25:
        noise = rng.normal(0, rng.uniform(1, 14), (*picture.shape[:2], 1 if rng.random() < 0.5 else 3))
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.12:
        image = Image.fromarray(picture)
        picture = np.asarray(image.filter(ImageFilter.UnsharpMask(rng.uniform(0.6, 2), int(rng.uniform(30, 220)), 0)))
    if rng.random() < 0.5:
        picture = coded(picture, int(rng.uniform(15, 96)), "WEBP" if rng.random() < 0.25 else "JPEG")
    return picture
