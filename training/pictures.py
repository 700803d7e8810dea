"""The pictures that the embedded network is trained on: sources, and the views cut from them.

A view is a crop of a source at a size of its own, in two of three cases damaged in one or two ways, and the list of
what was done to it. View number i is the same on every run: all chance comes from the seed (SEED, i).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

SEED = 20261121
LONGEST = 640  # pixels; larger sources are shrunk, so that memory is bounded
GAN_REALS = 64  # real tiles of the DCGAN run, last in the order of names
HELD_OUT = 5  # of every five photographs, dogs and CIFAR pictures the last is never trained on: choices are made there
SHARE = {  # of the views
    "photographs": 0.44,
    "wallpapers": 0.16,
    "procedural": 0.08,
    "cifar": 0.10,
    "dogs": 0.08,
    "gan": 0.08,
    "clipart": 0.06,
}
SIDES, SIDE_SHARE = (64, 96, 128, 192, 256, 320), (0.2, 0.1, 0.15, 0.15, 0.3, 0.1)
FILTERS = (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)

Pixels = np.ndarray
Rng = np.random.Generator


def kept_for_training(index: int) -> bool:
    """Whether the picture at this place of a sorted training domain is trained on."""
    return index % HELD_OUT != HELD_OUT - 1


def load_sources(data: Path, wallpapers: Path) -> dict[str, list[Pixels]]:
    """Every source picture by kind, uint8 RGB; `wallpapers` is a folder of unpacked Debian packages."""

    def table(name: str, keep: Callable[[dict[str, str]], bool]) -> list[Path]:
        with (data / name / "labels.csv").open(newline="", encoding="utf-8") as file:
            return sorted(data / name / row["image"] for row in csv.DictReader(file) if keep(row))

    def some(paths: list[Path]) -> list[Pixels]:
        return [picture for i, path in enumerate(paths) if kept_for_training(i) for picture in _open(path)]

    photographs = sorted((data / "imagenet-sample").rglob("*.[Jj][Pp]*[Gg]"))
    gan = table("cifar10-dcgan-progress", lambda row: row["run"] == "hvyd")
    if sum("real" in path.name for path in gan[-GAN_REALS:]) != GAN_REALS:
        raise SystemExit("the last pictures of the DCGAN run should be its real tiles")
    found = sorted(path for path in wallpapers.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
    clipart = [path for path in found if "openclipart" in path.parts]
    backgrounds = [path for path in found if "openclipart" not in path.parts and path.stat().st_size > 20_000]
    cifar = np.load(data / "cifar10-real" / "cifar10_test_2500.npz")["images"]
    return {
        "photographs": some(photographs),
        "wallpapers": [picture for path in backgrounds for picture in _open(path, 2 * LONGEST)],
        "procedural": [],  # drawn when asked for
        "cifar": [picture for i, picture in enumerate(cifar) if kept_for_training(i)],
        "dogs": some(table("cats-dogs", lambda row: row["kind"] == "dog")),
        "gan": [picture for path in gan for picture in _open(path)],
        "clipart": [picture for path in clipart[:: max(1, len(clipart) // 1500)] for picture in _open(path)],
    }


def _open(path: Path, longest: int = LONGEST) -> list[Pixels]:
    """The picture in a list, or nothing when it cannot be read or is too small; transparency on light grey."""
    try:
        with Image.open(path) as image:
            if image.width * image.height > 60_000_000:
                return []
            image.draft("RGB", (2 * longest, 2 * longest))
            if image.mode in ("P", "LA", "RGBA"):
                image = image.convert("RGBA")
                ground = Image.new("RGBA", image.size, (235, 235, 235, 255))
                image = Image.alpha_composite(ground, image)
            image = image.convert("RGB")
            image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    except (OSError, Image.DecompressionBombError):
        return []
    return [np.asarray(image)] if min(image.size) >= 32 else []


@dataclass(frozen=True)
class View:
    """One training picture, and what is wrong with it."""

    pixels: Pixels
    damage: np.ndarray  # strength of each of DAMAGES (0 = not done, 1 = most), then 1 if a generator made the source


def view(index: int, sources: dict[str, list[Pixels]]) -> View:
    """View number `index`."""
    rng = np.random.default_rng((SEED, index))
    kind, side, number = _choose(rng, sources)
    pixels = cut(rng, sources, kind, side, number)
    strengths = np.zeros(len(DAMAGES) + 1, np.float32)
    strengths[-1] = kind == "gan" and number < len(sources["gan"]) - GAN_REALS
    if rng.random() < 0.65:
        for one in rng.choice(len(DAMAGES), size=1 + int(rng.random() < 0.3), replace=False):
            strengths[one] = rng.uniform(0.1, 1)
            pixels = list(DAMAGES.values())[one](pixels, float(strengths[one]), rng, sources)
    return View(np.ascontiguousarray(pixels), strengths)


def _choose(rng: Rng, sources: dict[str, list[Pixels]]) -> tuple[str, int, int]:
    """A kind, a size, and the number of a source of that kind (-1: one that is drawn)."""
    kind = str(rng.choice(list(SHARE), p=list(SHARE.values())))
    side = int(rng.choice(SIDES, p=SIDE_SHARE))
    return kind, side, int(rng.integers(len(sources[kind]))) if sources[kind] else -1


def cut(rng: Rng, sources: dict[str, list[Pixels]], kind: str, side: int, number: int) -> Pixels:
    """A crop of that source, resized and perhaps mirrored."""
    if number < 0:
        return dead_leaves(rng, side) if rng.random() < 0.7 else clouds(rng, side)
    picture = sources[kind][number]
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    if kind in ("cifar", "gan"):  # small already
        image = Image.fromarray(np.ascontiguousarray(picture))
        return np.asarray(image.resize((64, 64), FILTERS[rng.integers(1, 4)]))
    h, w = picture.shape[:2]
    area, aspect = rng.uniform(0.2, 1), np.exp(rng.uniform(-0.3, 0.3))
    height = int(np.clip(np.sqrt(area / aspect) * min(h, w), 32, h))
    width = int(np.clip(np.sqrt(area * aspect) * min(h, w), 32, w))
    top, left = rng.integers(h - height + 1), rng.integers(w - width + 1)
    crop = Image.fromarray(np.ascontiguousarray(picture[top : top + height, left : left + width]))
    return np.asarray(crop.resize((side, side), FILTERS[rng.integers(1, 4)]))


def dead_leaves(rng: Rng, side: int) -> Pixels:
    """Discs and boxes of many sizes over each other, each with a texture: the edges of the world without its things."""
    canvas = np.empty((side, side, 3), np.float32)
    canvas[:] = rng.uniform(0, 255, 3)
    grain = rng.normal(size=(side, side, 1)).astype(np.float32)
    palette = rng.uniform(0, 255, (int(rng.integers(3, 12)), 3))
    ys, xs = np.mgrid[:side, :side].astype(np.float32)
    for _ in range(int(rng.integers(30, 250))):
        radius = side * 0.5 / rng.uniform(1, 25) ** 0.9
        y, x = rng.uniform(0, side, 2)
        box = np.s_[max(0, int(y - radius)) : int(y + radius) + 1, max(0, int(x - radius)) : int(x + radius) + 1]
        inside = np.ones(ys[box].shape, bool)
        if rng.random() < 0.7:
            inside = (ys[box] - y) ** 2 + (xs[box] - x) ** 2 < radius**2
        colour = palette[rng.integers(len(palette))] + rng.normal(0, 12, 3)
        shade = (xs[box] - x)[..., None] / radius * rng.normal(0, 12)
        canvas[box] = np.where(inside[..., None], colour + shade + grain[box] * abs(rng.normal(0, 9)), canvas[box])
    soft = Image.fromarray(canvas.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.8)))
    return np.asarray(soft)


def clouds(rng: Rng, side: int) -> Pixels:
    """Noise with a spectrum of 1/f^a in each colour: skies, stone, fog."""
    f = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]) + 1 / side
    planes = [np.fft.irfft2(np.fft.rfft2(rng.normal(size=(side, side))) / f ** rng.uniform(0.6, 2)) for _ in range(3)]
    planes = np.stack([(p - p.mean()) / p.std() for p in planes], axis=2)
    mixed = planes @ (np.eye(3) * rng.uniform(0, 1) + 0.6)
    return (128 + rng.normal(0, 40, 3) + rng.uniform(15, 50) * mixed).clip(0, 255).astype(np.uint8)


# ---- damage: a picture, a strength in 0..1, chance, and the sources (to mix with) -> a picture of the same size


def _image(change: Callable[[Image.Image, float, Rng], Image.Image]) -> Callable:
    return lambda p, u, rng, sources: np.asarray(change(Image.fromarray(np.ascontiguousarray(p)), u, rng))


def _coded(image: Image.Image, u: float, rng: Rng) -> Image.Image:
    data = io.BytesIO()
    image.save(data, "WEBP" if rng.random() < 0.25 else "JPEG", quality=int(70 - 64 * u))
    return Image.open(data).convert("RGB")


def _resampled(image: Image.Image, u: float, rng: Rng) -> Image.Image:
    down, up = (FILTERS[rng.integers(4)] for _ in range(2))
    small = image.resize([max(8, round(side / (1.2 + 2.8 * u))) for side in image.size], down)
    return small.resize(image.size, up)


def _noisy(p: Pixels, u: float, rng: Rng, sources: dict) -> Pixels:
    noise = rng.normal(size=(*p.shape[:2], 3 if rng.random() < 0.5 else 1))
    if rng.random() < 0.3:  # coarse grain
        noise = (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1)) / 3**0.5
    return np.clip(p + 32 * u * noise, 0, 255).astype(np.uint8)


def _periodic(p: Pixels, u: float, rng: Rng, sources: dict) -> Pixels:
    """The grid that transposed convolutions leave: a pattern of period 2, 4 or 8, added or multiplied."""
    period = int(rng.choice((2, 2, 4, 8)))
    tile = rng.normal(size=(period, period, 3 if rng.random() < 0.5 else 1))
    if rng.random() < 0.5:
        tile = (np.add.outer(np.arange(period), np.arange(period)) % 2 * 2.0 - 1)[..., None]
    tile = (tile - tile.mean()) / (tile.std() + 1e-6)
    h, w = p.shape[:2]
    grid = np.tile(tile, (-(-h // period), -(-w // period), 1))[:h, :w]
    changed = p + 14 * u * grid if rng.random() < 0.5 else p * (1 + 0.12 * u * grid)
    return np.clip(changed, 0, 255).astype(np.uint8)


def _warped(p: Pixels, u: float, rng: Rng, sources: dict) -> Pixels:
    h, w = p.shape[:2]
    cells = int(rng.integers(3, 9))
    bend = [Image.fromarray(rng.normal(size=(cells, cells)).astype(np.float32)).resize((w, h), 3) for _ in range(2)]
    y, x = (0.06 * u * min(h, w) * np.asarray(b) for b in bend)
    rows, across = np.arange(h)[:, None] + y, np.arange(w) + x
    return p[np.clip(rows, 0, h - 1).astype(int), np.clip(across, 0, w - 1).astype(int)]


def _swapped(p: Pixels, u: float, rng: Rng, sources: dict) -> Pixels:
    p, side = p.copy(), max(6, int(min(p.shape[:2]) * rng.uniform(0.12, 0.35)))
    for _ in range(1 + int(4 * u)):
        (a, b), (c, d) = (rng.integers(0, np.array(p.shape[:2]) - side + 1) for _ in range(2))
        p[a : a + side, b : b + side] = p[c : c + side, d : d + side].copy()
    return p


def _coloured(p: Pixels, u: float, rng: Rng, sources: dict) -> Pixels:
    gain, shift = 1 + 0.3 * u * rng.normal(size=3), 30 * u * rng.normal(size=3)
    curve = 255 * (p / 255) ** np.exp(0.5 * u * rng.normal())
    return np.clip(curve * gain + shift, 0, 255).astype(np.uint8)


def _mixed(p: Pixels, u: float, rng: Rng, sources: dict) -> Pixels:
    """Two pictures over each other, or a piece of one in the other: what a generator does that has not decided."""
    other = np.asarray(
        Image.fromarray(cut(rng, sources, *_choose(rng, sources))).resize(p.shape[1::-1], Image.Resampling.BICUBIC)
    )
    if rng.random() < 0.5:
        return (p * (1 - 0.5 * u) + other * 0.5 * u).astype(np.uint8)
    soft = Image.fromarray((rng.random((4, 4)) < 0.15 + 0.35 * u).astype(np.float32)).resize(p.shape[1::-1], 2)
    weight = np.asarray(soft)[..., None].clip(0, 1)
    return (p * (1 - weight) + other * weight).astype(np.uint8)


def _erased(p: Pixels, u: float, rng: Rng, sources: dict) -> Pixels:
    """Flat or noisy holes; at full strength nothing else is left."""
    fill = rng.uniform(0, 255, 3) + rng.normal(size=p.shape) * (rng.random() < 0.5) * rng.uniform(0, 60)
    fill = fill.clip(0, 255).astype(np.uint8)
    if u > 0.93:
        return fill
    p, h, w = p.copy(), *p.shape[:2]
    for _ in range(1 + int(3 * u)):
        y, x = int(rng.uniform(0, h * 0.8)), int(rng.uniform(0, w * 0.8))
        box = np.s_[y : y + int(h * rng.uniform(0.1, 0.4)), x : x + int(w * rng.uniform(0.1, 0.4))]
        p[box] = fill[box]
    return p


DAMAGES: dict[str, Callable[[Pixels, float, Rng, dict], Pixels]] = {
    "blur": _image(lambda im, u, rng: im.filter(ImageFilter.GaussianBlur(0.3 + 3 * u * u))),
    "smoothing": _image(lambda im, u, rng: im.filter(ImageFilter.MedianFilter(3 if u < 0.4 else 5 if u < 0.8 else 7))),
    "sharpening": _image(lambda im, u, rng: im.filter(ImageFilter.UnsharpMask(rng.uniform(0.5, 2), int(300 * u), 0))),
    "coding": _image(_coded),
    "resampling": _image(_resampled),
    "posterised": _image(lambda im, u, rng: im.quantize(max(4, int(96 * (1 - u)))).convert("RGB")),
    "noise": _noisy,
    "periodic": _periodic,
    "warp": _warped,
    "swap": _swapped,
    "colour": _coloured,
    "mixing": _mixed,
    "erasing": _erased,
}
