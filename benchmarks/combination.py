"""Which layers, and how to combine them: chosen on planted damage, on pictures that `accuracy.py` does not report.

    python benchmarks/combination.py --data ../shared/data \
        --weights ../shared/weights/inception_v3_2015_12_05_to_mixed_7a.safetensors

Dogs (150 fitted, 100 held out), photographs (imagenet-sample: 300 and 200) and CIFAR-10 (300 and 100, enlarged to 64).
Held-out pictures are damaged in nine ways of random strength; a cell is the mean AUC of held-out against damaged ones
over three domains: the six low-level kinds (blur, noise, JPEG, resampling, checkerboard, smoothing), and the three that
move things (warp, swapped patches, colour). No generated picture is seen.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from intervals import auc
from PIL import Image, ImageFilter
from sets import columns

from giqa.extraction import extract
from giqa.features.inception import Inception
from giqa.images import open_source
from giqa.images.decode import decode
from giqa.pipeline import make_scorer
from giqa.scorers.scale import assign_folds
from giqa.types import Features

Pixels = np.ndarray
LONGEST, DAMAGED = 400, 40
LAYER_SETS = {
    "Mixed_5d": ["Mixed_5d"],
    "Mixed_7a, the deepest": ["Mixed_7a"],
    "low: to Mixed_5b": ["Conv2d_2b_3x3", "MaxPool_1", "Conv2d_4a_3x3", "MaxPool_2", "Mixed_5b"],
    "middle: Mixed_5b to 6b": ["Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b"],
    "low, middle, high": ["MaxPool_1", "Mixed_5b", "Mixed_5d", "Mixed_6b", "Mixed_6e", "Mixed_7a"],
}
TAPS = list(dict.fromkeys(tap for taps in LAYER_SETS.values() for tap in taps))


def damages(rng: np.random.Generator) -> dict[str, Callable[[Pixels, float], Pixels]]:
    """Nine kinds; each takes a picture and a strength in .3 to 1."""

    def image(change: Callable[[Image.Image, float], Image.Image]) -> Callable[[Pixels, float], Pixels]:
        return lambda p, u: np.asarray(change(Image.fromarray(p), u))

    def jpeg(im: Image.Image, u: float) -> Image.Image:
        coded = io.BytesIO()
        im.save(coded, "JPEG", quality=int(40 - 25 * u))
        return Image.open(coded).convert("RGB")

    def resampled(im: Image.Image, u: float) -> Image.Image:
        small = im.resize([max(8, int(side / (1.3 + 1.2 * u))) for side in im.size], Image.Resampling.BILINEAR)
        return small.resize(im.size, Image.Resampling.BICUBIC)

    def checkered(p: Pixels, u: float) -> Pixels:
        signs = (np.add.outer(np.arange(p.shape[0]), np.arange(p.shape[1])) % 2 * 2 - 1)[..., None]
        return np.clip(p + 9 * u * signs, 0, 255).astype(np.uint8)

    def warped(p: Pixels, u: float) -> Pixels:
        h, w = p.shape[:2]
        bend = [Image.fromarray(rng.normal(size=(6, 6)).astype(np.float32)).resize((w, h), 3) for _ in range(2)]
        y, x = (0.05 * u * min(h, w) * np.asarray(b) for b in bend)
        rows, across = np.arange(h)[:, None] + y, np.arange(w) + x
        return p[np.clip(rows, 0, h - 1).astype(int), np.clip(across, 0, w - 1).astype(int)]

    def swapped(p: Pixels, u: float) -> Pixels:
        p, side = p.copy(), max(8, min(p.shape[:2]) // 5)
        for _ in range(1 + int(3 * u)):
            (a, b), (c, d) = (rng.integers(0, np.array(p.shape[:2]) - side) for _ in range(2))
            first = p[a : a + side, b : b + side].copy()
            p[a : a + side, b : b + side] = p[c : c + side, d : d + side]
            p[c : c + side, d : d + side] = first
        return p

    def coloured(p: Pixels, u: float) -> Pixels:
        gain, shift = 1 + 0.15 * u * rng.normal(size=3), 12 * u * rng.normal(size=3)
        return np.clip(p * gain + shift, 0, 255).astype(np.uint8)

    return {
        "blur": image(lambda im, u: im.filter(ImageFilter.GaussianBlur(1.5 * u))),
        "noise": lambda p, u: np.clip(p + 14 * u * rng.normal(size=p.shape), 0, 255).astype(np.uint8),
        "jpeg": image(jpeg),
        "resampling": image(resampled),
        "checkerboard": checkered,
        "smoothing": image(lambda im, u: im.filter(ImageFilter.MedianFilter(3 if u < 0.6 else 5))),
        "warp": warped,
        "swap": swapped,
        "colour": coloured,
    }


def pictures(where: str, every: int = 1, most: int | None = None, enlarge: int | None = None) -> list[Pixels]:
    source = open_source(where)
    found = []
    for i in range(0, len(source), every)[:most]:
        image = Image.fromarray(decode(source.raw(i)).pixels)
        image.thumbnail((LONGEST, LONGEST))
        found.append(np.asarray(image.resize((enlarge, enlarge), Image.Resampling.BICUBIC) if enlarge else image))
    return found


def domain(found: list[Pixels], n_fit: int, extractor: Inception) -> dict[str, Features]:
    rng = np.random.default_rng(0)
    order = rng.permutation(len(found))
    held_out = [found[i] for i in order[n_fit:]]
    sets = {"fit": [found[i] for i in order[:n_fit]], "held out": held_out}
    for name, damage in damages(rng).items():
        sets[name] = [damage(p, rng.uniform(0.3, 1)) for p in held_out[:DAMAGED]]
    result = {}
    for name, some in sets.items():
        layers = {}
        for spec in (extractor, "statistics"):
            layers |= extract(some, spec).features.layers
        result[name] = Features(tuple(map(str, range(len(some)))), layers)
    print(f"  {len(found)} pictures", file=sys.stderr)
    return result


def row(domains: list[dict[str, Features]], names: list[str], scorer: str) -> list[float]:
    """Mean AUC over domains of each kind of damage."""
    cells = []
    for sets in domains:
        folds = assign_folds(np.arange(len(sets["fit"])))
        model = make_scorer(scorer).fit(columns(sets["fit"], names), folds=folds)
        score = {name: model.score_samples(columns(some, names)) for name, some in sets.items() if name != "fit"}
        held_out = score.pop("held out")
        cells.append([auc(held_out, fakes) for fakes in score.values()])
    return list(np.mean(cells, axis=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--weights", type=Path, required=True)
    options = parser.parse_args()
    extractor, data = Inception(weights=str(options.weights), layers=TAPS), options.data
    domains = [
        domain(pictures(f"{data}/cats-dogs/labels.csv[kind=dog]"), 150, extractor),
        domain(pictures(f"{data}/imagenet-sample", every=2), 300, extractor),
        domain(pictures(f"{data}/cifar10-real/cifar10_test_2500.npz", most=400, enlarge=64), 300, extractor),
    ]
    scales = ["scale_1", "scale_2"]
    sets = {name: [f"{tap}.{part}" for tap in taps for part in ("mean", "std")] for name, taps in LAYER_SETS.items()}
    sets |= {f"{name} + statistics": [*names, *scales] for name, names in list(sets.items())[3:]}
    sets["statistics"] = scales
    kinds = list(damages(np.random.default_rng(0)))
    print("| layers | scorer | low-level | moved | " + " | ".join(kinds) + " |\n" + "|---" * (4 + len(kinds)) + "|")
    for name, names in sets.items():
        ways = [f"multilayer(density='{d}', combine='{c}')" for d in ("sgm", "knn") for c in ("mean", "white", "min")]
        for scorer in ("sgm", "knn") if len(names) == 2 and name != "statistics" else ("sgm", *ways):
            cells = row(domains, names, scorer)
            shown = [f"{value:.3f}" for value in (np.mean(cells[:6]), np.mean(cells[6:]), *cells)]
            print(f"| {name} | {scorer} | " + " | ".join(shown) + " |", flush=True)


if __name__ == "__main__":
    main()
