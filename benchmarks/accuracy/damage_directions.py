"""In which directions damage moves the content layer, and how many of them are left out before content is judged.

    python -m benchmarks.accuracy.damage_directions

Needs: imagenet-sample, cats-dogs, lfw-dcgan and lfw-faces-250 of --data.
Takes: about two minutes.

200 photographs, half at 64 and half at 160 pixels, each damaged in nine ways; the directions are the principal axes of
damaged - clean, on signed square roots (`--save` keeps 32 of them as .npy). Judged on 200 dogs: 50 held-out dogs as
they are, the same damaged, and 200 other photographs, by the rule of `giqa.model.out_of_domain`: `LEFT_OUT` was
chosen on them. The second table is of faces, on which the idea was tried
first, with directions of 70 photographs, so that it is no untouched test: three quarters of the real faces
fitted, the others held out, DCGAN faces and cats.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.shared import command, head, results, row
from giqa.features.reader import extract
from giqa.images import open_source
from giqa.images.decode import decode
from giqa.images.degradations import KINDS, degraded
from giqa.model.out_of_domain import LEFT_OUT, Content, rooted
from giqa.scorers.scale import assign_folds
from giqa.types import Features

PHOTOGRAPHS, KEPT = 200, 32
Pixels = np.ndarray


def square(pixels: Pixels, side: int) -> Pixels:
    image, most = Image.fromarray(pixels), min(pixels.shape[:2])
    left, top = (image.width - most) // 2, (image.height - most) // 2
    return np.asarray(image.crop((left, top, left + most, top + most)).resize((side, side), Image.Resampling.LANCZOS))


def warped(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """Moved by smooth random distances, as a weak generator draws."""
    h, w = pixels.shape[:2]
    y, x = np.mgrid[0:h, 0:w]
    coarse = rng.normal(size=(2, 5, 5)).astype(np.float32)
    dy, dx = (np.asarray(Image.fromarray(c).resize((w, h), Image.Resampling.BICUBIC)) * strength * h for c in coarse)
    return pixels[np.clip(y + dy, 0, h - 1).astype(int), np.clip(x + dx, 0, w - 1).astype(int)]


def damaged(pixels: Pixels, rng: np.random.Generator) -> Iterator[Pixels]:
    """Nine kinds of damage, of random strength."""
    side, values = pixels.shape[0], pixels.astype(float)
    for kind in KINDS:
        yield degraded(pixels, kind, int(rng.integers(1, 4)))
    board = (np.indices((side, side)).sum(axis=0) % 2 * 2 - 1)[..., None]
    yield np.clip(values + rng.uniform(10, 60) * board, 0, 255).astype(np.uint8)
    tint = (values - 128) * rng.uniform(0.5, 1.6, 3) + 128 + rng.uniform(-40, 40, 3)
    yield np.clip(tint, 0, 255).astype(np.uint8)
    moved, block = pixels.copy(), side // 8
    for a, b, c, d in rng.integers(0, side - block, (int(rng.integers(4, 16)), 4)):
        moved[a : a + block, b : b + block] = pixels[c : c + block, d : d + block]
    yield moved
    yield warped(pixels, rng.uniform(0.02, 0.07), rng)
    yield degraded(warped(pixels, rng.uniform(0.02, 0.06), rng), "noise", 1)


def content(pictures, version: int) -> np.ndarray:
    return extract(pictures, f"embedded(version={version}, layers='content')").features.layers["content"]


def pixels_of(where: str, rows) -> list[Pixels]:
    source = open_source(where)
    return [decode(source.raw(int(i))).pixels for i in rows]


def with_damage(pictures: list[Pixels], seed: int, version: int) -> tuple[np.ndarray, np.ndarray]:
    """Features of each clean picture, (n, d), and of its damaged ones, (n, 9, d)."""
    rng = np.random.default_rng(seed)
    everything = [one for p in pictures for one in (p, *damaged(p, rng))]
    found = content(everything, version).reshape(len(pictures), 10, -1)
    return found[:, 0], found[:, 1:]


def directions(data: Path, version: int) -> np.ndarray:
    """Unit vectors (32, d), the one along which damage moves pictures most first."""
    rows = np.random.default_rng(0).permutation(1000)[:PHOTOGRAPHS]
    pictures = [square(p, (64, 160)[i % 2]) for i, p in enumerate(pixels_of(f"{data}/imagenet-sample", rows))]
    clean, bad = with_damage(pictures, 1, version)
    moves = (rooted(bad) - rooted(clean)[:, None]).reshape(-1, clean.shape[1]).astype(np.float64)
    return np.linalg.eigh(moves.T @ moves)[1][:, ::-1][:, :KEPT].T


def main() -> None:
    parser = command(__file__, __doc__, "data")
    parser.add_argument("--save", type=Path, help="keep the directions as .npy, float32")
    parser.add_argument("--version", type=int, default=2, help="of the embedded network (%(default)s)")
    options = parser.parse_args()
    version = options.version
    with results(options):
        found = directions(options.data, version)
        if options.save:
            np.save(options.save, found.astype(np.float32))
        dogs = [square(p, 160) for p in pixels_of(f"{options.data}/cats-dogs/labels.csv[kind=dog]", range(250))]
        reals = content(dogs[:200], version)
        held, bad = with_damage(dogs[200:], 2, version)
        rows = np.random.default_rng(0).permutation(1000)[PHOTOGRAPHS : 2 * PHOTOGRAPHS]
        others = content([square(p, 160) for p in pixels_of(f"{options.data}/imagenet-sample", rows)], version)
        head("directions left out", "held-out dogs", "damaged dogs", "other photographs")
        for n in (0, 2, 4, 6, 8, 10, 12, 16, 24, 32):
            row(n, *flagged(found[:n], reals, held, bad.reshape(-1, reals.shape[1]), others))
        print()
        head("directions left out", "held-out faces, 64 px", "DCGAN faces", "held-out faces, 250 px", "cats")
        for n in (0, LEFT_OUT, 12, 16, 24):
            row(n, *(share for sets in faces(options.data, version) for share in flagged(found[:n], *sets)))


def flagged(damage: np.ndarray, reals: np.ndarray, *sets: np.ndarray) -> list[str]:
    """Share of each set that is out of domain."""
    names, levels = tuple(map(str, range(len(reals)))), {"levels": {"high": ["content"]}}
    features = Features(names, {"content": reals}, made_by=levels)
    judge = Content(damage=damage).fit(features, folds=assign_folds(np.arange(len(reals))))
    return [f"{judge.outside(x).mean():.3f}" for x in sets]


@cache
def faces(data: Path, version: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Faces fitted, faces held out and other pictures, at 64 and at 250 pixels."""
    sets = ("lfw-dcgan/labels.csv[kind=real]", "lfw-dcgan/labels.csv[kind=generated]")
    sets = (sets, ("lfw-faces-250/labels.csv", "cats-dogs/labels.csv[kind=cat]"))
    found = []
    for where in sets:
        reals, others = (content(f"{data}/{part}", version) for part in where)
        order = np.random.default_rng(0).permutation(len(reals))
        fit = np.sort(order[: len(reals) * 3 // 4])
        found.append((reals[fit], np.delete(reals, fit, axis=0), others))
    return found


if __name__ == "__main__":
    main()
