"""Narrow domains for version 2: many views of one kind of picture, in one coding, each crop clean and then damaged.

A domain is one picture, one class, one painter, one drawn kind or a mixture; at one size, in one style (as it is, grey,
coded as JPEG). Its views come in pairs of the same crop: the second has more of the same damage. View number i is the
same on every run: all chance comes from the seed.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from pictures import DAMAGES as WHOLE
from pictures import FILTERS, GAN_REALS, Pixels, Rng, clouds, cut, dead_leaves
from PIL import Image, ImageFilter

SEED = 20261129
VIEWS = 64  # of a domain: 32 pairs
KINDS = {  # of domains, and how many in a hundred
    "one photograph": 24,
    "one wallpaper": 18,
    "photographs": 12,
    "wallpapers": 5,
    "cifar class": 10,
    "dogs": 8,
    "gan": 8,
    "drawn": 9,
    "clipart": 6,
}
SIDES, SIDE_SHARE = (64, 96, 128, 192, 256, 320), (0.28, 0.1, 0.14, 0.16, 0.24, 0.08)
STYLES, STYLE_SHARE = ("as it is", "grey", "coded", "grey, coded"), (0.45, 0.2, 0.25, 0.1)


def coded(p: Pixels, quality: int, webp: bool = False) -> Pixels:
    """Saved and opened again."""
    data = io.BytesIO()
    Image.fromarray(p).save(data, "WEBP" if webp else "JPEG", quality=quality)
    return np.asarray(Image.open(data).convert("RGB"))


def _blurred(p: Pixels, u: float, rng: Rng) -> Pixels:
    return np.asarray(Image.fromarray(p).filter(ImageFilter.GaussianBlur(0.25 + 2.5 * u * u)))


def _median(p: Pixels, u: float, rng: Rng) -> Pixels:
    once = np.asarray(Image.fromarray(p).filter(ImageFilter.MedianFilter(3 if u < 0.6 else 5)))
    share = min(1, 0.25 + 1.5 * u) if u < 0.6 else 1
    return (p * (1 - share) + once * share).astype(np.uint8)


def _sharpened(p: Pixels, u: float, rng: Rng) -> Pixels:
    return np.asarray(Image.fromarray(p).filter(ImageFilter.UnsharpMask(1.2, int(20 + 280 * u), 0)))


def _coded(p: Pixels, u: float, rng: Rng) -> Pixels:
    return coded(p, int(88 - 78 * u), rng.random() < 0.25)


def _downscaled(p: Pixels, u: float, rng: Rng) -> Pixels:
    image = Image.fromarray(p)
    small = image.resize([max(8, round(side / (1.1 + 2.9 * u))) for side in image.size], Image.Resampling.BILINEAR)
    return np.asarray(small.resize(image.size, Image.Resampling.BICUBIC))


def _upsampled(p: Pixels, u: float, rng: Rng) -> Pixels:
    """What an upsampling by two of the picture, or of its colours alone, leaves."""
    image = Image.fromarray(p)
    half = image.resize([max(8, side // 2) for side in image.size], Image.Resampling.BOX)
    changed = np.asarray(half.resize(image.size, FILTERS[rng.integers(3)])).astype(float)
    if rng.random() < 0.6:
        changed = changed - changed.mean(2, keepdims=True) + p.mean(2, keepdims=True)
    return np.clip(p * (1 - u) + changed * u, 0, 255).astype(np.uint8)


DAMAGES = {"blur": _blurred, "median": _median, "sharpening": _sharpened, "coding": _coded, "downscale": _downscaled}
DAMAGES |= {"upsampling": _upsampled}
OTHERS = {"noise": (0.08, 0.7), "periodic": (0.1, 0.8), "warp": (0.1, 0.9), "swap": (0, 1), "mixing": (0, 1)}
OTHERS |= {"colour": (0.1, 0.6)}  # of pictures.py, and how strong they are: (least, more), times u


def damaged(p: Pixels, which: str, u: float, rng: Rng, sources: dict[str, list[Pixels]]) -> Pixels:
    """One kind of damage at the strength u, 0 to 1."""
    if which in DAMAGES:
        return DAMAGES[which](p, u, rng)
    least, more = OTHERS[which]
    return WHOLE[which](p, least + more * u, rng, sources)


NAMES = (*DAMAGES, *OTHERS, "generated")


@dataclass(frozen=True)
class Domain:
    """What all of its views share."""

    kind: str
    side: int
    style: str
    quality: int
    number: int
    members: tuple[int, ...]


def domain(index: int, sources: dict[str, list[Pixels]]) -> Domain:
    rng = np.random.default_rng((SEED, index))
    kinds = list(KINDS)
    kind = kinds[rng.choice(len(kinds), p=np.array(list(KINDS.values())) / sum(KINDS.values()))]
    side = int(rng.choice(SIDES, p=SIDE_SHARE))
    style = STYLES[rng.choice(len(STYLES), p=STYLE_SHARE)]
    pool = {
        "one photograph": "photographs",
        "one wallpaper": "wallpapers",
        "cifar class": "cifar",
        "drawn": "procedural",
    }
    name = pool.get(kind, kind)
    n = len(sources[name])
    number = int(rng.integers(n)) if n else int(rng.integers(1 << 30))
    members: tuple[int, ...] = (number,)
    if kind in ("photographs", "dogs", "clipart"):
        members = tuple(rng.choice(n, min(n, VIEWS), replace=False).tolist())
    if kind == "wallpapers":  # neighbours in the order of names: one package, one painter
        start = int(rng.integers(max(1, n - 12)))
        members = tuple(range(start, min(n, start + 12)))
    if kind == "cifar class":
        members = tuple(rng.choice(n, min(n, VIEWS), replace=False).tolist())
    if kind in ("cifar class", "gan"):
        side = 64
    return Domain(name, side, style, int(rng.integers(60, 97)), number, members)


def views(index: int, sources: dict[str, list[Pixels]]) -> tuple[list[Pixels], np.ndarray]:
    """Pixels of each view, and the strength of each of NAMES, (VIEWS, n)."""
    d = domain(index, sources)
    rng = np.random.default_rng((SEED, index, 1))
    pictures, strengths = [], np.zeros((VIEWS, len(NAMES)), np.float32)
    for pair in range(VIEWS // 2):
        made = False
        if d.kind == "procedural":
            fixed = np.random.default_rng((SEED, index, 2 + pair))
            crop = dead_leaves(fixed, d.side) if d.number % 3 else clouds(fixed, d.side)
        elif d.kind == "gan":
            n = len(sources["gan"])
            made = pair % 2 == 1
            row = int(rng.integers(n - GAN_REALS)) if made else n - 1 - int(rng.integers(GAN_REALS))
            crop = cut(rng, sources, "gan", 64, row)
        else:
            crop = cut(rng, sources, d.kind, d.side, d.members[pair % len(d.members)])
        crop = np.ascontiguousarray(crop)
        which = int(rng.integers(len(NAMES) - 1))
        more = float(rng.uniform(0.05, 1))
        less = 0.0 if rng.random() < 0.65 else more * float(rng.uniform(0.2, 0.7))
        seed = int(rng.integers(1 << 30))
        for i, u in enumerate((less, more)):
            p = crop
            if u:
                p = damaged(crop, NAMES[which], u, np.random.default_rng(seed), sources)
            strengths[2 * pair + i, which] = u
            strengths[2 * pair + i, -1] = made
            if "grey" in d.style:
                p = np.asarray(Image.fromarray(np.ascontiguousarray(p)).convert("L").convert("RGB"))
            if "coded" in d.style:
                p = coded(np.ascontiguousarray(p), d.quality)
            pictures.append(np.ascontiguousarray(p))
    return pictures, strengths
