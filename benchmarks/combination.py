"""Which layers and densities, how to combine them, how few reals: chosen on planted damage alone.

    python benchmarks/combination.py --data ../shared/data \
        [--inception ../shared/weights/inception_v3_2015_12_05_to_mixed_7a.safetensors] [--embedded FILE.onnx]

Dogs (fitted on 200, judged on 50), photographs (imagenet-sample: 800 and 100) and CIFAR-10 (300 and 100, enlarged to
64). Every fifth picture of each domain is judged; the embedded network was never trained on those, but was on the
others. Held-out pictures are damaged in thirteen ways of random strength; a cell is the AUC of held-out against damaged
ones, mean over the domains: low-level (blur, noise, JPEG, resampling, checkerboard, smoothing), moved (warp, swapped
patches, colour), and unseen: kinds that the embedded network was not trained with (motion blur, misaligned colours,
salt or pepper, scattered pixels). "Order" asks whether a score falls as damage grows, and rises with the epochs of a
DCGAN run, hvyd, that the network was trained with. No other generated picture, and none of the sets that
`accuracy.py` reports, is looked at.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from intervals import auc
from PIL import Image, ImageFilter
from scipy.stats import spearmanr

from giqa.extraction import make_extractor
from giqa.features.embedded import COMPUTED, OUTPUTS, SIDE, Embedded
from giqa.images import open_source
from giqa.images.decode import decode
from giqa.pipeline import make_scorer
from giqa.scorers.multilayer import COMBINE
from giqa.scorers.scale import assign_folds
from giqa.types import Features

Pixels = np.ndarray
Sets = Mapping[str, Features]  # "fit", "held out", and each kind of damage
LONGEST, DAMAGED, SMALL = 400, 50, 64
STRENGTHS = (0.15, 0.4, 0.7, 1.0)
HELD_OUT = 5  # of every five pictures the last is judged: the rule of training/pictures.py
GROUPS = {
    "low-level": ("blur", "noise", "jpeg", "resampling", "checkerboard", "smoothing"),
    "moved": ("warp", "swap", "colour"),
    "unseen": ("motion blur", "misaligned colours", "salt or pepper", "scatter"),
}


def damages(rng: np.random.Generator) -> dict[str, Callable[[Pixels, float], Pixels]]:
    """Thirteen kinds; each takes a picture and a strength in .3 to 1."""

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

    def dragged(p: Pixels, u: float) -> Pixels:
        steps = range(2 + int(5 * u))
        return np.mean([np.roll(p, i, axis=1) for i in steps], axis=0).astype(np.uint8)

    def misaligned(p: Pixels, u: float) -> Pixels:
        return np.stack([np.roll(p[..., c], round((c - 1) * (1 + 2 * u)), axis=1) for c in range(3)], axis=2)

    def peppered(p: Pixels, u: float) -> Pixels:
        p = p.copy()
        p[rng.random(p.shape[:2]) < 0.02 * u] = rng.integers(0, 2) * 255
        return p

    def scattered(p: Pixels, u: float) -> Pixels:
        (h, w), reach = p.shape[:2], 1 + int(2 * u)
        rows, across = (np.arange(n).reshape(shape) for n, shape in ((h, (h, 1)), (w, (1, w))))
        rows, across = (i + rng.integers(-reach, reach + 1, (h, w)) for i in (rows, across))
        return p[rows.clip(0, h - 1), across.clip(0, w - 1)]

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
        "motion blur": dragged,
        "misaligned colours": misaligned,
        "salt or pepper": peppered,
        "scatter": scattered,
    }


def domains(data: Path) -> dict[str, tuple[list[Pixels], list[Pixels]]]:
    """Pictures to fit on and pictures to judge, of each domain."""

    def opened(where: str) -> list[Pixels]:
        source = open_source(where)
        order = sorted(range(len(source)), key=lambda i: str(source.path(i)))
        return [np.asarray(_shrunk(Image.fromarray(decode(source.raw(i)).pixels))) for i in order]

    cifar = np.load(data / "cifar10-real" / "cifar10_test_2500.npz")["images"][:1000]
    enlarged = [np.asarray(Image.fromarray(p).resize((SMALL, SMALL), Image.Resampling.BICUBIC)) for p in cifar]
    return {
        "dogs": _split(opened(f"{data}/cats-dogs/labels.csv[kind=dog]"), 200, 50),
        "photographs": _split(opened(f"{data}/imagenet-sample"), 800, 100),
        "CIFAR-10": _split(enlarged, 300, 100),
    }


def _shrunk(image: Image.Image) -> Image.Image:
    image.thumbnail((LONGEST, LONGEST))
    return image


def _split(found: list[Pixels], fitted: int, judged: int) -> tuple[list[Pixels], list[Pixels]]:
    rng = np.random.default_rng(0)
    parts = [[p for i, p in enumerate(found) if (i % HELD_OUT == HELD_OUT - 1) == last] for last in (False, True)]
    return tuple(
        [part[i] for i in rng.permutation(len(part))[:n]] for part, n in zip(parts, (fitted, judged), strict=True)
    )


def features_of(parts: tuple[list[Pixels], list[Pixels]], extractors: Sequence[Any]) -> Sets:
    """Every layer of the extractors, of the pictures as they are and damaged."""
    rng = np.random.default_rng(1)
    pictures = {"fit": parts[0], "held out": parts[1]}
    for name, damage in damages(rng).items():
        pictures[name] = [damage(p, rng.uniform(0.3, 1)) for p in parts[1][:DAMAGED]]
    found = {}
    for name, some in pictures.items():
        layers = {}
        for extractor in extractors:
            with ThreadPoolExecutor() as pool:
                layers |= extractor.run(list(pool.map(extractor.prepare, some)))
        found[name] = Features(tuple(map(str, range(len(some)))), layers)
    return found


class Crops:
    """The network's layers from five crops at native resolution (four corners and the middle), pooled together."""

    def __init__(self, embedded: Embedded):
        self.embedded = embedded
        self.outputs = tuple(f"crops {name}" for name in COMPUTED)

    def prepare(self, pixels: Pixels) -> dict[str, np.ndarray]:
        h, w = pixels.shape[:2]
        side = min(SIDE, h, w)
        places = [(0, 0), (0, w - side), (h - side, 0), (h - side, w - side), ((h - side) // 2, (w - side) // 2)]
        crops = [self.embedded.prepare(np.ascontiguousarray(pixels[y : y + side, x : x + side])) for y, x in places]
        rows = {name: np.stack([crop[name] for crop in crops]) for name in COMPUTED}
        pooled = {}
        for name, values in rows.items():
            mean = rows[name.removesuffix(".std") + ".mean"] if name.endswith(".std") else None
            spread = np.sqrt((values**2).mean(0) + mean.var(0)) if mean is not None else values.mean(0)
            pooled[f"crops {name}"] = spread
        return pooled

    def run(self, prepared: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
        return {name: np.stack([layers[name] for layers in prepared]) for name in self.outputs}


def both(*taps: str) -> list[str]:
    """Names of mean and deviation of each tap."""
    return [f"{tap}.{kind}" for tap in taps for kind in ("mean", "std")]


def some(features: Features, names: Sequence[str]) -> Features:
    """One layer for each name; several names joined by "+" are one layer."""
    layers = {name: np.concatenate([features.layers[n] for n in name.split("+")], axis=1) for name in names}
    return Features(features.ids, layers)


def aucs(sets: Sets, names: Sequence[str], scorer: str, reals: int | None = None) -> list[float]:
    """AUC for each kind of damage; fitted on some of the reals."""
    fit = some(sets["fit"], names)
    fit = fit.rows(np.random.default_rng(0).permutation(len(fit))[:reals])
    model = make_scorer(scorer).fit(fit, folds=assign_folds(np.arange(len(fit))))
    scores = {name: model.score_samples(some(f, names)) for name, f in sets.items() if name != "fit"}
    return [auc(scores["held out"], scores[kind]) for kinds in GROUPS.values() for kind in kinds]


def table(title: str, rows: Sequence[tuple[str, Sequence[str], str]], domains: Mapping[str, Sets], **options) -> None:
    """One line for each (label, layers, scorer): means over the domains, of each group and each kind."""
    kinds = [kind for group in GROUPS.values() for kind in group]
    print(f"\n### {title}\n\n| layers | scorer | " + " | ".join([*GROUPS, *kinds]) + " |")
    print("|---" * (2 + len(GROUPS) + len(kinds)) + "|")
    for label, names, scorer in rows:
        cells = dict(
            zip(kinds, np.mean([aucs(s, names, scorer, **options) for s in domains.values()], axis=0), strict=True)
        )
        groups = [np.mean([cells[kind] for kind in group]) for group in GROUPS.values()]
        print(
            f"| {label} | {scorer} | " + " | ".join(f"{v:.3f}" for v in (*groups, *cells.values())) + " |", flush=True
        )


def ordered(parts: Mapping[str, Any], extractor: Any, data: Path) -> tuple[dict[str, Any], Any]:
    """Features of 25 held-out pictures a domain, damaged at four strengths, and of all epochs of the DCGAN run hvyd."""
    domains = {}
    for name, (fit, judged) in parts.items():
        sets = {("", 0.0): judged[:25]}
        for kind in damages(np.random.default_rng(0)):
            for u in STRENGTHS:
                damage = damages(np.random.default_rng(5))[kind]
                sets[kind, u] = [damage(p, u) for p in judged[:25]]
        domains[name] = {key: layers_of(found, extractor) for key, found in [("fit", fit[:300]), *sets.items()]}
    run = open_source(f"{data}/cifar10-dcgan-progress/labels.csv[run=hvyd]")
    features = layers_of([decode(run.raw(i)).pixels for i in range(len(run))], extractor)
    return domains, (features, np.array([int(e) if e else -1 for e in run.columns["epoch"]]))


def layers_of(found: list[Pixels], extractor: Any) -> Features:
    with ThreadPoolExecutor() as pool:
        layers = extractor.run(list(pool.map(extractor.prepare, found)))
    return Features(tuple(map(str, range(len(found)))), layers)


def ordering(sets: Mapping[str, Sequence[str]], domains: Mapping[str, Any], run: tuple[Features, np.ndarray]) -> None:
    """For each set of layers: rank correlation of the score with the strength of damage (over pictures, mean over kinds
    and domains), and with the epoch of hvyd, fitted on that run's own real tiles."""
    print("\n### Order\n\n| layers | scorer | strength of damage | epochs of hvyd |\n|---|---|---|---|")
    for label, names, scorer in layer_sets(sets):
        found = []
        for features in domains.values():
            fit = some(features["fit"], names)
            model = make_scorer(scorer).fit(fit, folds=assign_folds(np.arange(len(fit))))
            score = {key: model.score_samples(some(f, names)) for key, f in features.items() if key != "fit"}
            for kind in {kind for kind, _ in score if kind}:
                steps = [score["", 0.0], *(score[kind, u] for u in STRENGTHS)]
                found.append(-spearmanr(np.repeat((0, *STRENGTHS), 25), np.concatenate(steps))[0])
        features, epochs = run
        reals = some(features.rows(epochs < 0), names)
        model = make_scorer(scorer).fit(reals, folds=assign_folds(np.arange(len(reals))))
        along = spearmanr(epochs[epochs >= 0], model.score_samples(some(features.rows(epochs >= 0), names)))[0]
        print(f"| {label} | {scorer} | {np.mean(found):.3f} | {along:.3f} |", flush=True)


def layer_sets(taps: Mapping[str, Sequence[str]]) -> list[tuple[str, Sequence[str], str]]:
    return [(label, names, f"multilayer(combine={how!r})") for label, names in taps.items() for how in COMBINE]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--embedded", type=Path, help="another network than the one that comes with giqa")
    parser.add_argument("--inception", type=Path, help="an Inception file; a second set of tables")
    options = parser.parse_args()
    parts = domains(options.data)
    embedded = Embedded(layers=list(OUTPUTS), weights=options.embedded)
    found = {name: features_of(part, [embedded]) for name, part in parts.items()}
    print("  embedded features made", file=sys.stderr)

    taps = {
        "texture": ["texture"],
        "nss": ["nss"],
        "texture and nss as one": ["texture+nss"],
        "artefacts": ["artefacts"],
    }
    taps |= {tap: both(tap) for tap in ("low", "mid", "high")}
    singles = [
        (label, names, f"multilayer(density={d!r})") for label, names in taps.items() for d in ("sgm", "gmm", "knn")
    ]
    table("One layer, three densities", singles, found)
    hand = ["texture", "nss"]
    sets = {
        "texture, nss": hand,
        "texture, nss, artefacts": [*hand, "artefacts"],
        "texture, artefacts, mid": ["texture", "artefacts", *both("mid")],
        "texture, nss, artefacts, mid": [*hand, "artefacts", *both("mid")],
        "texture, nss, artefacts, low, mid": [*hand, "artefacts", *both("low", "mid")],
        "all": [*hand, "artefacts", *both("low", "mid", "high")],
        "the network alone": ["artefacts", *both("low", "mid", "high")],
    }
    table("Several layers, four ways to combine", layer_sets(sets), found)
    few = {"texture, artefacts, low, mid": ["texture", "artefacts", *both("low", "mid")], "mid": both("mid")}
    ordering(sets | few | {"texture": ["texture"], "high": both("high")}, *ordered(parts, embedded, options.data))
    for reals in (50, 100, 200):
        rows = [
            (
                "texture, nss, artefacts, low, mid",
                sets["texture, nss, artefacts, low, mid"],
                f"multilayer(density={d!r})",
            )
            for d in ("sgm", "knn")
        ]
        table(f"{reals} reals", rows, found, reals=reals)
    photographs = {"photographs": found["photographs"]}
    for reals in (50, 100, 300, 800):
        rows = [("texture, nss, artefacts, low, mid", sets["texture, nss, artefacts, low, mid"], "multilayer")]
        table(f"{reals} photographs", rows, photographs, reals=reals)

    large = {"dogs": features_of(parts["dogs"], [embedded, Crops(embedded)])}
    ways = {"resized": both("mid"), "crops": both("crops mid"), "resized and crops": both("mid", "crops mid")}
    ways |= {
        f"artefacts, {name}": [n.replace("mid.mean", "artefacts") for n in names if n.endswith("mean")]
        for name, names in ways.items()
    }
    rows = [(label, names, "multilayer") for label, names in ways.items()]
    table("Dogs of up to 400 px: whole at 192 px, or five crops at native resolution", rows, large)

    if options.inception:
        layers = ["MaxPool_2", "Mixed_5b", "Mixed_5d", "Mixed_6b", "Mixed_7a"]
        network = make_extractor(f"inception(weights={str(options.inception)!r}, layers={layers!r})")
        found = {
            name: features_of(part, [network, make_extractor("statistics"), make_extractor("nss")])
            for name, part in parts.items()
        }
        table(
            "Inception, one layer",
            [(tap, both(tap), f"multilayer(density={d!r})") for tap in layers for d in ("sgm", "knn")],
            found,
        )
        several = {
            "Mixed_5b, 5d, 6b": both("Mixed_5b", "Mixed_5d", "Mixed_6b"),
            "and Mixed_7a": both("Mixed_5b", "Mixed_5d", "Mixed_6b", "Mixed_7a"),
            "Mixed_5b, 5d, 6b, statistics, nss": [
                *both("Mixed_5b", "Mixed_5d", "Mixed_6b"),
                "texture.1+texture.2",
                "nss.1+nss.2",
            ],
        }
        table("Inception, several layers", layer_sets(several), found)


if __name__ == "__main__":
    main()
