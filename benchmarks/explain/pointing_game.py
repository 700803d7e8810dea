"""The pointing game: does the worst place of a map lie inside a patch that was pasted into a real picture?

    python -m benchmarks.explain.pointing_game --only faces --kinds noisy,GAN --pictures 20

Needs: lfw-dcgan, imagenet-sample and cifar10-dcgan-progress of --data; for its rows, the weights of Inception
(--inception).
Takes: not measured as a whole; the example about a minute.

In pieces: --maps says which rows (giqa: the default layers and combined; others; laplacian), and with --keep what was
fitted on the reals is kept in files for the next piece.

Patches are square, at a random place wholly inside the picture, 1/16 of its area (or what --sizes says), blended in
over an eighth of their side. Kinds:

    GAN           faces: the same place of a DCGAN face; photographs: a whole DCGAN tile of CIFAR (run tiwarim)
    blurred       Gaussian, a fiftieth of the picture's side (1.3 pixels at 64, 5 at 256)
    noisy         Gaussian, deviation 20 of 255, each channel by itself
    checkerboard  12 of 255 up and down in cells of 2 pixels
    another real  the same place of another real picture, as it is: what a seam and other content alone give away

Reals are split once (seed 0): faces of `lfw-dcgan`, 64 px: 500 reference, 170 to choose settings by (`--part choice`),
308 tested. Photographs of `imagenet-sample`, middle square at 256 px: 400, 170, 300. No reference is ever tested, and
generated pictures that patches come from differ between choice and test. Only reals are fitted on.

Rows: maps of giqa (each layer; grain, sharpness and mid combined), exact distances by place (variant A; the nearest of
all references but 100, raw and on the scale of those 100), the plain Laplacian (mean absolute value in the same
windows), and chance (share of windows whose middle lies in the patch). A cell is the share with the peak inside, and
Wilson's 95 % interval.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.data import middle, pictures
from benchmarks.intervals import share
from benchmarks.shared import command, head, names, results, row, say
from giqa import registry
from giqa.evaluate.maps import laplacian_map
from giqa.explain.energy import Places, place_scale
from giqa.explain.maps import TAPS, MapModel, load_maps, maps_of
from giqa.features.embedded import Embedded
from giqa.p_real.distances import LayerDistances

KINDS = ("GAN", "blurred", "noisy", "checkerboard", "another real")
GRID = 24
DEFAULT = TAPS["embedded"]
Pixels = np.ndarray
Rows = dict[str, list[np.ndarray]]  # row of the table -> a map (g, g) a picture, lowest where it is worst


@dataclass(frozen=True)
class Domain:
    """Pictures of one kind and size, in an order drawn once, and how many of them are for what."""

    reals: Sequence[Pixels]
    fakes: Sequence[Pixels]
    reference: int
    choice: int

    def part(self, name: str) -> tuple[Sequence[Pixels], Sequence[Pixels]]:
        """Reals to paste into, and generated pictures to paste from."""
        first, half = self.reference + self.choice, len(self.fakes) // 2
        if name == "choice":
            return self.reals[self.reference : first], self.fakes[:half]
        return self.reals[first:], self.fakes[half:]


def load(where: str, side: int) -> list[Pixels]:
    """The middle square of every picture, at `side`."""
    return [middle(picture, side) for picture in pictures(where)[0]]


def domain(name: str, data: Path) -> Domain:
    if name == "faces":
        reals, fakes = (load(f"{data}/lfw-dcgan/labels.csv[kind={kind}]", 64) for kind in ("real", "generated"))
        sizes = (500, 170)
    else:
        reals = load(f"{data}/imagenet-sample/labels.csv", 256)
        fakes, sizes = load(f"{data}/cifar10-dcgan-progress/labels.csv[run=tiwarim,epoch=5..24]", 64), (400, 170)
    order = np.random.default_rng(0).permutation(len(reals))
    return Domain([reals[i] for i in order], fakes, *sizes)


def damaged(kind: str, picture: Pixels, other: Pixels, box: tuple[int, int, int], rng: np.random.Generator) -> Pixels:
    """The whole picture, damaged; of which only the box will be used."""
    side, (top, left, size) = len(picture), box
    if kind == "blurred":
        return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(side / 50)))
    if kind == "noisy":
        return np.clip(picture + 20 * rng.normal(size=picture.shape), 0, 255)
    if kind == "checkerboard":
        cells = np.arange(side) // 2
        return np.clip(picture + 12 * (np.add.outer(cells, cells) % 2 * 2 - 1)[..., None], 0, 255)
    if other.shape == picture.shape:
        return other
    whole = np.zeros_like(picture)
    tile = Image.fromarray(other).resize((size, size), Image.Resampling.BICUBIC)
    whole[top : top + size, left : left + size] = np.asarray(tile)
    return whole


def cases(kind: str, domain: Domain, part: str, size: int, most: int) -> Iterator[tuple[Pixels, tuple[int, int, int]]]:
    """Pictures with a patch, and where it is (top, left, side)."""
    reals, fakes = domain.part(part)
    side = len(reals[0])
    length = round(side / size**0.5)
    for i, picture in enumerate(reals[:most]):
        rng = np.random.default_rng([size, i])
        top, left = (int(v) for v in rng.integers(0, side - length + 1, 2))
        box = (top, left, length)
        other = domain.reals[i % domain.reference] if kind == "another real" else fakes[i % len(fakes)]
        mask = soft_mask(side, box)[..., None]
        mixed = picture * (1 - mask) + damaged(kind, picture, other, box, rng) * mask
        yield mixed.round().astype(np.uint8), box


def soft_mask(side: int, box: tuple[int, int, int]) -> np.ndarray:
    """The share of the patch in each pixel, (side, side): 1 inside the box, less over an eighth of its side."""
    top, left, length = box
    edge = np.minimum(np.arange(length) + 1, length - np.arange(length)) / (length // 8 + 1)
    mask = np.zeros((side, side))
    mask[top : top + length, left : left + length] = np.minimum(1, np.minimum.outer(edge, edge))
    return mask


def hit(found: np.ndarray, side: int, box: tuple[int, int, int]) -> bool:
    """Whether the middle of the lowest cell lies in the box."""
    place = np.unravel_index(found.argmin(), found.shape)
    top, left, length = box
    y, x = ((p + 0.5) * side / n for p, n in zip(place, found.shape, strict=True))
    return bool(top <= y < top + length and left <= x < left + length)


def methods(name: str, reals: Sequence[Pixels], options: argparse.Namespace) -> list[Callable[[list[Pixels]], Rows]]:
    """What makes maps of some pictures, by row name, lowest where they are worst."""
    extractor = Embedded()

    def own(pixels: Pixels, taps: Sequence[str]) -> dict[str, np.ndarray]:
        return maps_of(extractor, taps, pixels)

    def by_places(maps: Callable[[Pixels], dict[str, np.ndarray]], before: str, taps: Sequence[str]) -> Callable:
        file = options.keep / f"{name}-{'-'.join(taps)}.maps" if options.keep else None
        if file and file.exists():
            fitted = load_maps(file).places
        else:
            fitted = Places().fit(maps(p) for p in reals)
            if file:
                made_by = {"features": extractor.identity()}
                MapModel(fitted, [], registry.canonical("extractor", extractor), tuple(taps), None, made_by).save(file)
        combined = taps == DEFAULT

        def rows(pictures: list[Pixels]) -> Rows:
            found = [fitted.z(maps(p)) for p in pictures]
            kept = [layer for layer in found[0] if combined or layer != "combined"]
            return {f"{before}{layer}": [z[layer] for z in found] for layer in kept}

        return rows

    found = []
    if "giqa" in options.maps:
        found.append(by_places(lambda p: own(p, DEFAULT), "", DEFAULT))
    if "others" in options.maps:
        found += [
            by_places(lambda p: own(p, ["low", "high"]), "", ["low", "high"]),
            by_distances(reals, lambda p: own(p, ["mid"])),
        ]
    if "laplacian" in options.maps:
        found.append(lambda pictures: {"plain Laplacian": [-laplacian_map(p) for p in pictures]})
    if options.inception:
        from giqa.features.inception import Inception

        inception = Inception(str(options.inception))
        found.append(by_places(lambda p: inception.maps(p, options.taps), "Inception ", options.taps))
    return found


def by_distances(reals: Sequence[Pixels], maps: Callable[[Pixels], dict[str, np.ndarray]]) -> Callable:
    """Exact distances by place to all reals but the last 100, raw and on the scale of those."""
    nearest = LayerDistances().fit((maps(p) for p in reals[:-100]), len(reals) - 100)
    median, deviation = place_scale(nearest.distances([maps(p) for p in reals[-100:]])["mid"])

    def rows(pictures: list[Pixels]) -> Rows:
        d = nearest.distances([maps(p) for p in pictures])["mid"]
        return {"mid, exact distances A": list(-d), "mid, exact distances A, z": list((median - d) / deviation)}

    return rows


def measured(name: str, options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Row -> column -> Figure."""
    of = domain(name, options.data)
    maps = methods(name, of.reals[: of.reference], options)
    say(f"{name}: fitted")
    shares: dict[str, dict[str, Any]] = {}
    for size in options.sizes:
        for kind in options.kinds:
            column = f"{name}, {kind}, 1/{size}"
            every = list(cases(kind, of, options.part, size, options.pictures))
            side = len(every[0][0])
            for one in maps:
                for label, found in one([pixels for pixels, _ in every]).items():
                    hits = [hit(z, side, box) for z, (_, box) in zip(found, every, strict=True)]
                    shares.setdefault(label, {})[column] = share(np.array(hits, float))
            middles = (np.arange(GRID) + 0.5) * side / GRID
            chance = [
                np.prod([np.mean((middles >= edge) & (middles < edge + box[2])) for edge in box[:2]])
                for _, box in every
            ]
            shares.setdefault("chance", {})[column] = f"{np.mean(chance):.3f}"
            say(f"{column}: {len(every)} pictures")
    return shares


def main() -> None:
    parser = command(__file__, __doc__, "data", "inception", "json")
    domains, rows = ("faces", "photographs"), ("giqa", "others", "laplacian")
    parser.add_argument("--part", choices=("choice", "tested"), default="tested")
    parser.add_argument("--only", type=names(*domains), default=domains, metavar="NAME,NAME", help=", ".join(domains))
    parser.add_argument("--sizes", type=names(), default="16", help="a patch is 1/16 of the area")
    parser.add_argument("--kinds", type=names(*KINDS), default=KINDS, metavar="KIND,KIND", help=", ".join(KINDS))
    parser.add_argument("--pictures", type=int, default=308, help="of each kind and size, at most")
    parser.add_argument("--taps", type=names(), default="MaxPool_2,Mixed_5d,Mixed_6b", help="of Inception")
    parser.add_argument("--maps", type=names(*rows), default=rows, metavar="ROWS", help=", ".join(rows))
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where what was fitted is kept")
    options = parser.parse_args()
    options.sizes = [int(size) for size in options.sizes]
    with results(options):
        for name in options.only:
            found = measured(name, options)
            options.figures[name] = {k: {c: str(cell) for c, cell in cells.items()} for k, cells in found.items()}
            columns = list(next(iter(found.values())))
            head("map", *columns)
            for label, cells in found.items():
                row(label, *(cells[column] for column in columns))


if __name__ == "__main__":
    main()
