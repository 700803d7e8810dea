"""Which layers and densities, how to combine them, how few reals: chosen on planted damage alone.

    python -m benchmarks.accuracy.layer_combination --few

Needs: cats-dogs, imagenet-sample, cifar10-real and cifar10-dcgan-progress of --data; for its tables, the folder that
training/gan_runs.py wrote (--gans) and the weights of Inception (--inception).
Takes: not measured as a whole; the example, --few, more than a minute of processor time.

Dogs (fitted on 200, judged on 50), photographs (imagenet-sample: 800 and 100) and CIFAR-10 (300 and 100, enlarged to
64). Every fifth picture of each domain is judged; the embedded network was never trained on those, but was on the
others. Held-out pictures are damaged in thirteen ways of random strength; a cell is the AUC of held-out against damaged
ones, mean over the domains: low-level (blur, noise, JPEG, resampling, checkerboard, smoothing), moved (warp, swapped
patches, colour), and unseen: kinds that the embedded network was not trained with (motion blur, misaligned colours,
salt or pepper, scattered pixels). "Order" asks whether a score falls as damage grows, and rises with the epochs of
DCGANs: hvyd, which the network was trained with, and the four runs on dogs, photographs, wallpapers and CIFAR-10 that
`training/gan_runs.py` makes. Choices were made on hvyd, dogs and photographs; the other two runs only confirm them. No
other generated picture, and none of the sets that `accuracy.py` reports, is looked at.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.data import pixels
from benchmarks.intervals import auc, spearman
from benchmarks.shared import command, existing, head, results, row, say
from giqa.features.embedded import OUTPUTS, Embedded
from giqa.features.reader import make_extractor
from giqa.images import open_source
from giqa.model.fit import make_scorer
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
        return [_shrunk(picture) for picture in pixels(source, order)]

    cifar = np.load(data / "cifar10-real" / "cifar10_test_2500.npz")["images"][:1000]
    enlarged = [np.asarray(Image.fromarray(p).resize((SMALL, SMALL), Image.Resampling.BICUBIC)) for p in cifar]
    return {
        "dogs": _split(opened(f"{data}/cats-dogs/labels.csv[kind=dog]"), 200, 50),
        "photographs": _split(opened(f"{data}/imagenet-sample"), 800, 100),
        "CIFAR-10": _split(enlarged, 300, 100),
    }


def _shrunk(picture: Pixels) -> Pixels:
    image = Image.fromarray(picture)
    image.thumbnail((LONGEST, LONGEST))
    return np.asarray(image)


def _split(found: list[Pixels], fitted: int, judged: int) -> tuple[list[Pixels], list[Pixels]]:
    rng = np.random.default_rng(0)
    parts = [[p for i, p in enumerate(found) if (i % HELD_OUT == HELD_OUT - 1) == last] for last in (False, True)]
    return tuple(
        [part[i] for i in rng.permutation(len(part))[:n]] for part, n in zip(parts, (fitted, judged), strict=True)
    )


def features_of(parts: tuple[list[Pixels], list[Pixels]], extractors: Mapping[str, Any]) -> Sets:
    """Every layer of the extractors, by prefix and name, of the pictures as they are and damaged."""
    rng = np.random.default_rng(1)
    pictures = {"fit": parts[0], "held out": parts[1]}
    for name, damage in damages(rng).items():
        pictures[name] = [damage(p, rng.uniform(0.3, 1)) for p in parts[1][:DAMAGED]]
    found = {}
    for name, some in pictures.items():
        layers = {}
        for prefix, extractor in extractors.items():
            layers |= {f"{prefix}{k}": v for k, v in layers_of(some, extractor).layers.items()}
        found[name] = Features(tuple(map(str, range(len(some)))), layers)
    return found


def both(*taps: str) -> list[str]:
    """One layer for each tap: its mean and deviation."""
    named = [tap.replace("low", "taps.low").replace("mid", "taps.mid") for tap in taps]
    return [f"{name}.mean+{name}.std" for name in named]


def some(features: Features, names: Sequence[str]) -> Features:
    """One layer for each name; outputs joined by "+" are one output of it, by "&" several; one after "~" was taught."""
    layers = {}
    for name in names:
        parts = name.removeprefix("~").split("&")
        for i, part in enumerate(parts):
            called = name.replace(".", " ") + (f".{i}" if len(parts) > 1 else "")
            layers[called] = np.concatenate([features.layers[n] for n in part.split("+")], axis=1)
    return Features(features.ids, layers, made_by={"levels": {"taught": [n for n in names if n.startswith("~")]}})


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
    print(f"\n### {title}")
    head("layers", "scorer", *GROUPS, *kinds)
    for label, names, scorer in rows:
        means = np.mean([aucs(s, names, scorer, **options) for s in domains.values()], axis=0)
        cells = dict(zip(kinds, means, strict=True))
        groups = [np.mean([cells[kind] for kind in group]) for group in GROUPS.values()]
        row(label, scorer, *(f"{v:.3f}" for v in (*groups, *cells.values())))


def ordered(parts: Mapping[str, Any], extractor: Any) -> dict[str, Any]:
    """Features of 25 held-out pictures a domain, damaged at four strengths."""
    domains = {}
    for name, (fit, judged) in parts.items():
        sets = {("", 0.0): judged[:25]}
        for kind in damages(np.random.default_rng(0)):
            for u in STRENGTHS:
                damage = damages(np.random.default_rng(5))[kind]
                sets[kind, u] = [damage(p, u) for p in judged[:25]]
        domains[name] = {key: layers_of(found, extractor) for key, found in [("fit", fit[:300]), *sets.items()]}
    return domains


def runs(data: Path, gans: Path | None, extractor: Any) -> dict[str, tuple[Features, Features, np.ndarray]]:
    """Name -> features of reals, of samples of all epochs, and the epochs of these."""
    source = open_source(f"{data}/cifar10-dcgan-progress/labels.csv[run=hvyd]")
    features = layers_of(pixels(source), extractor)
    epochs = np.array([int(e) if e else -1 for e in source.columns["epoch"]])
    found = {"hvyd": (features.rows(epochs < 0), features.rows(epochs >= 0), epochs[epochs >= 0])}
    for file in sorted(gans.glob("*.npz")) if gans else ():
        run = np.load(file)
        samples = run["samples"][:, :24]  # (epochs, 24, 64, 64, 3)
        made = layers_of(list(samples.reshape(-1, *samples.shape[2:])), extractor)
        reals = layers_of(list(run["reals"][:400]), extractor)
        found[file.stem] = reals, made, np.repeat(np.arange(len(samples)), samples.shape[1])
    return found


def layers_of(found: list[Pixels], extractor: Any) -> Features:
    with ThreadPoolExecutor() as pool:
        layers = extractor.run(list(pool.map(extractor.prepare, found)))
    return Features(tuple(map(str, range(len(found)))), layers)


def ordering(sets: Mapping[str, Sequence[str]], domains: Mapping[str, Any], runs: Mapping[str, Any]) -> None:
    """For each set of layers: rank correlation of the score with the strength of damage (over pictures, mean over kinds
    and domains), and with the epoch of each run, fitted on that run's own reals."""
    print("\n### Order")
    head("layers", "scorer", "strength of damage", *(f"epochs of {run}" for run in runs))
    for label, names, scorer in layer_sets(sets):
        found, along = [], []
        for features in domains.values():
            fit = some(features["fit"], names)
            model = make_scorer(scorer).fit(fit, folds=assign_folds(np.arange(len(fit))))
            score = {key: model.score_samples(some(f, names)) for key, f in features.items() if key != "fit"}
            for kind in {kind for kind, _ in score if kind}:
                steps = [score["", 0.0], *(score[kind, u] for u in STRENGTHS)]
                found.append(-spearman(np.repeat((0, *STRENGTHS), 25), np.concatenate(steps)))
        for reals, samples, epochs in runs.values():
            model = make_scorer(scorer).fit(some(reals, names), folds=assign_folds(np.arange(len(reals))))
            along.append(spearman(epochs, model.score_samples(some(samples, names))))
        row(label, scorer, f"{np.mean(found):.3f}", *(f"{rho:.3f}" for rho in along))


def layer_sets(taps: Mapping[str, Sequence[str]]) -> list[tuple[str, Sequence[str], str]]:
    return [(label, names, f"multilayer(combine={how!r})") for label, names in taps.items() for how in COMBINE]


def main() -> None:
    parser = command(__file__, __doc__, "data", "inception")
    parser.add_argument("--embedded", type=existing, help="another network than the one that comes with giqa")
    parser.add_argument("--few", action="store_true", help="only the table of 25 reals")
    parser.add_argument("--gans", type=existing, help="what training/gan_runs.py wrote")
    options = parser.parse_args()
    with results(options):
        measure(options)


def measure(options: argparse.Namespace) -> None:
    parts = domains(options.data)
    embedded = Embedded(layers=list(OUTPUTS), weights=options.embedded)
    found = {name: features_of(part, {"": embedded}) for name, part in parts.items()}
    say("embedded features made")

    texture, nss, artefacts = "pixels.texture", "pixels.nss", "artefacts"
    by_hand, taught = f"{texture}+{nss}", f"~{artefacts}"
    taps = {"texture": [texture], "nss": [nss], "pixels (texture and nss as one)": [by_hand], artefacts: [artefacts]}
    taps |= {tap: both(tap) for tap in ("low", "mid", "high")}
    densities = {d: f"multilayer(density={d!r})" for d in ("sgm", "gmm", "knn")}
    singles = [(label, names, scorer) for label, names in taps.items() for scorer in densities.values()]
    if not options.few:
        table("One layer, three densities", singles, found)
    taps_as_one = "+".join(both("low", "mid"))
    chosen = [by_hand, taps_as_one, taught]
    sets = {
        "pixels, taps (low and mid as one), artefacts down to -4": chosen,
        "pixels, low, mid, artefacts down to -4": [by_hand, *both("low", "mid"), taught],
        "pixels, mid, artefacts down to -4": [by_hand, *both("mid"), taught],
        "texture, nss": [texture, nss],
        "texture, low, mid": [texture, *both("low", "mid")],
        "texture, nss, low, mid": [texture, nss, *both("low", "mid")],
        "texture, nss, low, mid, artefacts": [texture, nss, *both("low", "mid"), artefacts],
        "pixels, low, mid": [by_hand, *both("low", "mid")],
        "pixels, low, mid, artefacts": [by_hand, *both("low", "mid"), artefacts],
        "pixels, taps, high, artefacts down to -4": [*chosen, *both("high")],
        "low, mid": both("low", "mid"),
    }
    if not options.few:
        table("Several layers, four ways to combine", layer_sets(sets), found)
        ordering(sets | taps, ordered(parts, embedded), runs(options.data, options.gans, embedded))
    several = [f"{texture}&{nss}", taps_as_one.replace("+", "&"), taught]
    rows = [("one Gaussian a layer", chosen, "multilayer"), ("one an output (below 32 reals)", several, "multilayer")]
    table("25 reals", rows, found, reals=25)
    if options.few:
        return
    for reals in (50, 100, 200):
        rows = [("chosen", chosen, densities[d]) for d in ("sgm", "knn")]
        table(f"{reals} reals", rows, found, reals=reals)
    photographs = {"photographs": found["photographs"]}
    for reals in (50, 100, 300, 800):
        table(f"{reals} photographs", [("chosen", chosen, "multilayer")], photographs, reals=reals)

    crops = Embedded(layers=["mid", "artefacts"], crops=True, weights=options.embedded)
    large = {"dogs": features_of(parts["dogs"], {"": embedded, "crops ": crops})}
    ways = {}
    for layer in ("mid", "artefacts"):
        whole, cut = (both(place + layer) if layer == "mid" else [place + layer] for place in ("", "crops "))
        ways |= {f"{layer}, resized": whole, f"{layer}, crops": cut, f"{layer}, resized and crops": [*whole, *cut]}
    rows = [(label, names, "multilayer") for label, names in ways.items()]
    table("Dogs of up to 400 px: whole at 192 px, or five crops at native resolution", rows, large)

    if options.inception:
        layers = ["MaxPool_2", "Mixed_5b", "Mixed_5d", "Mixed_6b", "Mixed_7a"]
        network = make_extractor(f"inception(weights={str(options.inception)!r}, layers={layers!r})")
        statistics = Embedded(layers=["texture", "nss"])
        found = {name: features_of(part, {"": network, " ": statistics}) for name, part in parts.items()}
        rows = [(tap, both(tap), densities[d]) for tap in layers for d in ("sgm", "knn")]
        table("Inception, one layer", rows, found)
        several = {
            "Mixed_5b, 5d, 6b": both("Mixed_5b", "Mixed_5d", "Mixed_6b"),
            "and Mixed_7a": both("Mixed_5b", "Mixed_5d", "Mixed_6b", "Mixed_7a"),
            "Mixed_5b, 5d, 6b, texture and nss": [*both("Mixed_5b", "Mixed_5d", "Mixed_6b"), f" {texture}+ {nss}"],
        }
        table("Inception, several layers", layer_sets(several), found)


if __name__ == "__main__":
    main()
