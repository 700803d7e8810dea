"""Pictures of three domains, damaged so that anyone can see it: a score that does not fall has not looked.

Fitted on two thirds of the domain (400 at most); 60 others are damaged, each compared with what it was made from.
Strengths are fixed (`artefacts`, `moved`); with `s` the shorter side of the picture:

    blurred        Gaussian, s/125 (2 pixels at 250)
    over-smoothed  median over a square of s/35 (7 pixels at 250)
    noisy          Gaussian, deviation 20 of 255, each channel by itself
    JPEG 10        coded at quality 10, chroma halved
    checkerboard   12 of 255 up and down in cells of 2 pixels
    flat           the picture's mean colour
    mean picture   the pixel mean of the fitted reals at 256x256, brought to the picture's size
    pure noise     uniform in 0..255
    upside-down    turned by 180 degrees; faces only, since cats and photographs have no firm up
    swapped        three pairs of cells of a 4x4 grid change places
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.data import View, pixels, split
from benchmarks.intervals import Figure, over_pictures, share

Pixels = np.ndarray
DOMAINS = {
    "faces": "lfw-faces-250/labels.csv",
    "cats": "cats-dogs/labels.csv[kind=cat]",
    "photographs": "imagenet-sample/labels.csv",
}
FITTED, DAMAGED, COMMON = 400, 60, 256


def damage(view: View) -> dict[str, Figure]:
    """Share of damaged pictures that score below the picture they were made from (equal: half)."""
    lost: dict[str, dict[str, np.ndarray]] = {}
    for domain, where in DOMAINS.items():
        features = view.take(where)
        fitted, judged = split(len(features), min(FITTED, 2 * len(features) // 3))
        judged = judged[:DAMAGED]
        model = view.fit(features.rows(fitted))
        before = np.asarray(model.score(features.rows(judged))["z"])
        for kind, make in damages(view, where, fitted, judged).items():
            if kind != "upside-down" or domain == "faces":
                after = np.asarray(model.score(view.made(f"{domain} {kind}", make))["z"])
                lost.setdefault(kind, {})[domain] = (after < before) + 0.5 * (after == before)
    figures = {
        "damage: the eight artefacts": _together(lost, artefacts(), domains=DOMAINS),
        "damage: the two that move things": _together(lost, moved(), domains=DOMAINS),
    }
    for kind, by_domain in lost.items():
        figures[f"damage: {kind}"] = share(np.concatenate(list(by_domain.values())))
        figures |= {f"{kind}, {domain}": share(hits, detail=True) for domain, hits in by_domain.items()}
    return figures


def _together(lost: dict, kinds: object, domains: object) -> Figure:
    """Over several kinds: pictures are resampled, since the kinds share them."""
    per_picture = [np.mean([lost[k][d] for k in kinds if d in lost[k]], axis=0) for d in domains]
    return over_pictures(np.mean, np.concatenate(per_picture))


def damages(view: View, where: str, fitted: np.ndarray, judged: np.ndarray) -> dict[str, Callable[[], list[Pixels]]]:
    """What makes the damaged pictures of each kind, called only where their features are not there yet."""
    source = view.sets.source(where)

    def each(change: Callable[[Pixels, np.random.Generator], Pixels]) -> Callable[[], list[Pixels]]:
        return lambda: [change(p, np.random.default_rng(i)) for i, p in enumerate(pixels(source, judged))]

    def means() -> list[Pixels]:
        total = np.zeros((COMMON, COMMON, 3))
        for row in fitted:
            (picture,) = pixels(source, [row])
            total += np.asarray(Image.fromarray(picture).resize((COMMON, COMMON), Image.Resampling.BICUBIC))
        mean = Image.fromarray((total / len(fitted)).round().astype(np.uint8))
        sizes = [p.shape[1::-1] for p in pixels(source, judged)]
        return [np.asarray(mean.resize(size, Image.Resampling.BICUBIC)) for size in sizes]

    kinds = {kind: each(change) for kind, change in (artefacts() | moved()).items()}
    return kinds | {"mean picture": means}


def artefacts() -> dict[str, Callable[[Pixels, np.random.Generator], Pixels]]:
    """Kinds that touch every pixel and leave things where they are, or leave nothing."""

    def blurred(p: Pixels, rng: np.random.Generator) -> Pixels:
        return np.asarray(Image.fromarray(p).filter(ImageFilter.GaussianBlur(min(p.shape[:2]) / 125)))

    def smoothed(p: Pixels, rng: np.random.Generator) -> Pixels:
        size = max(3, min(p.shape[:2]) // 35 // 2 * 2 + 1)
        return np.asarray(Image.fromarray(p).filter(ImageFilter.MedianFilter(size)))

    def noisy(p: Pixels, rng: np.random.Generator) -> Pixels:
        return np.clip(p + 20 * rng.normal(size=p.shape), 0, 255).round().astype(np.uint8)

    def jpeg(p: Pixels, rng: np.random.Generator) -> Pixels:
        coded = io.BytesIO()
        Image.fromarray(p).save(coded, "JPEG", quality=10)
        return np.asarray(Image.open(coded).convert("RGB"))

    def checkered(p: Pixels, rng: np.random.Generator) -> Pixels:
        y, x = (np.arange(side) // 2 for side in p.shape[:2])
        signs = (np.add.outer(y, x) % 2 * 2 - 1)[..., None]
        return np.clip(p + 12 * signs, 0, 255).astype(np.uint8)

    def flat(p: Pixels, rng: np.random.Generator) -> Pixels:
        return np.broadcast_to(p.mean(axis=(0, 1)).round().astype(np.uint8), p.shape).copy()

    return {
        "blurred": blurred,
        "over-smoothed": smoothed,
        "noisy": noisy,
        "JPEG 10": jpeg,
        "checkerboard": checkered,
        "flat": flat,
        "mean picture": flat,  # made by `damages`, which has the reals
        "pure noise": lambda p, rng: rng.integers(0, 256, p.shape, np.uint8),
    }


def moved() -> dict[str, Callable[[Pixels, np.random.Generator], Pixels]]:
    """Kinds whose every detail is right, and the whole is not."""

    def swapped(p: Pixels, rng: np.random.Generator) -> Pixels:
        swap, (h, w) = p.copy(), (side // 4 for side in p.shape[:2])
        cells = [np.s_[h * (c // 4) : h * (c // 4 + 1), w * (c % 4) : w * (c % 4 + 1)] for c in rng.permutation(16)[:6]]
        for one, other in zip(cells[:3], cells[3:], strict=True):
            swap[one], swap[other] = p[other], p[one]
        return swap

    return {"upside-down": lambda p, rng: np.ascontiguousarray(p[::-1, ::-1]), "swapped": swapped}
