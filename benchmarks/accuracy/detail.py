"""How well `detail` sides with people and follows damage, next to plain numbers and to rankers taught without people.

    python -m benchmarks.accuracy.detail --only pairs

Needs: the sets of --data.
Takes: about 10 minutes; the example 1.

- pairs: share of votes of gan-compression-2afc agreed with, over all pairs and within a scene (`_pairs.py`), and the
  difference to the 95th percentile of the gradient, scenes resampled for both at once.
- damage: share of 60 pictures of each of three domains whose number is lower after the damage (equal: half), for kinds
  that must lower it and kinds that must raise it. "JPEG 10" and the rest of `_damage.py`; sharpening: unsharp mask of
  radius 2, 150 %.
- generators: AUC of reals against generated pictures, above .5 where reals have more: places50 as the files are and all
  recoded as JPEG 75; detection-game by truth, and by votes (share of pairs of one vote "real" and one "generated" whose
  picture with the vote "real" has more).
- taught: linear rankers on statistics of native pixels (`texture` and `nss` of giqa, eight rings of the spectrum),
  logistic loss on the differences within triples of 300 photographs of imagenet-sample: clean, damaged, more damaged
  (blur, resampling, median, JPEG); with "restored" also such pictures sharpened or with grain added, which must stay
  below the clean one; noise and sharpening of the clean one above it. Judged by the same pairs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.accuracy._damage import DAMAGED, DOMAINS, artefacts
from benchmarks.accuracy._pairs import FOLDER, agreement, gain, scalars
from benchmarks.accuracy._scalars import SCALARS, rings
from benchmarks.data import Sets, pixels
from benchmarks.intervals import auc
from benchmarks.shared import command, head, names, results, row, say
from giqa.features.nss import NSS
from giqa.features.statistics import Statistics
from giqa.images.match import Match
from giqa.stats.logistic import sigmoid

BEST = "95th percentile of the gradient"
LOWER, HIGHER = ("blurred", "over-smoothed", "JPEG 10", "flat"), ("noisy", "sharpened", "pure noise")
PHOTOGRAPHS, TAUGHT, RIDGES = "imagenet-sample/labels.csv", 300, (1e-3, 1e-1, 1.0)
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def pairs(sets: Sets) -> None:
    head("votes agreed with", "all", "within scene", f"more than the {BEST}, all", "within scene")
    found = scalars(sets)
    for name, scores in found.items():
        row(name, *_of_votes(agreement(sets, scores)), *_of_votes(gain(sets, scores, found[BEST])))
    row("best possible", *_of_votes(agreement(sets, None)), "", "")


def _of_votes(figures: dict) -> list:
    return [figure for name, figure in figures.items() if "votes" in name]


def damage(sets: Sets) -> None:
    kinds: dict[str, Change] = {**artefacts(), "sharpened": lambda p, rng: sharpened(p, 2, 150)}
    clean, before = {}, {}
    for domain, where in DOMAINS.items():
        source = sets.source(where)
        clean[domain] = pixels(source, np.linspace(0, len(source) - 1, DAMAGED).round().astype(int))
        before[domain] = {name: _numbers(number, clean[domain]) for name, number in SCALARS.items()}
    head("share that is lower", "domain", *SCALARS)
    for kind in LOWER + HIGHER:
        for domain, some in clean.items():
            changed = [kinds[kind](p, np.random.default_rng(i)) for i, p in enumerate(some)]
            shares = []
            for name, number in SCALARS.items():
                after, was = _numbers(number, changed), before[domain][name]
                shares.append(np.mean((after < was) + 0.5 * (after == was)))
            row(kind, domain, *(f"{value:.2f}" for value in shares))


def _numbers(number: Callable[[np.ndarray], float], pictures: list[np.ndarray]) -> np.ndarray:
    return np.array([number(p) for p in pictures])


def generators(sets: Sets) -> None:
    head("AUC, reals higher", "singan", "gpnn", "singan, recoded", "gpnn, recoded", "detection-game", "by votes")
    recoded = Match(coding="jpeg", quality=75)
    kinds = {kind: pixels(sets.source(f"places50/labels.csv[{kind}]")) for kind in
             ("kind=real", "generator=singan", "generator=gpnn")}  # fmt: skip
    again = {kind: [recoded(p) for p in some] for kind, some in kinds.items()}
    art = sets.source("detection-game/labels.csv")
    drawn, real = pixels(art), np.array(art.columns["kind"]) == "real"
    votes, called = (np.array(art.columns[name], int) for name in ("n", "n_real"))
    for name, number in SCALARS.items():
        values = _numbers(number, drawn)
        cells = [auc(*(_numbers(number, way[kind]) for kind in ("kind=real", other)))
                 for way in (kinds, again) for other in ("generator=singan", "generator=gpnn")]  # fmt: skip
        cells += [auc(values[real], values[~real]), auc(np.repeat(values, called), np.repeat(values, votes - called))]
        row(name, *(f"{cell:.3f}" for cell in cells))


# --- rankers that are taught without people


def taught(sets: Sets) -> None:
    clean = pixels(sets.source(PHOTOGRAPHS), range(TAUGHT))
    above, below, restored = [], [], []
    for i, picture in enumerate(clean):
        for kind, ordered in triples(picture, np.random.default_rng(i)):
            values = [statistics(p) for p in ordered]
            above += values[:-1]
            below += values[1:]
            restored += [kind == "restored"] * 2
        if i % 50 == 49:
            say(f"{i + 1} photographs")
    source = sets.source(f"{FOLDER}/labels.csv", whole=True)
    judged = np.array([statistics(p) for p in pixels(source)])
    plainly = scalars(sets)[BEST]
    head("linear ranker", "ridge", "all", "within scene", f"more than the {BEST}, all", "within scene")
    differences, scale = np.array(above) - np.array(below), np.array(above).std(axis=0)
    blocks = {"texture": range(36), "nss": range(36, 72), "texture, nss": range(72), "rings": range(72, 80)}
    for taken, kept in (("damage", ~np.array(restored)), ("damage and restored", np.ones(len(restored), bool))):
        for block, columns in blocks.items():
            columns = list(columns)
            for ridge in RIDGES:
                weights = ranker((differences / scale)[kept][:, columns], ridge)
                scores = dict(zip(source.ids, (judged / scale)[:, columns] @ weights, strict=True))
                against = _of_votes(gain(sets, scores, plainly))
                row(f"{block}, taught on {taken}", ridge, *_of_votes(agreement(sets, scores)), *against)


def statistics(pixels: np.ndarray) -> np.ndarray:
    """`texture` and `nss` at two scales, 36 numbers each, and eight rings."""
    return np.concatenate([*(x(scales=2).prepare(pixels).ravel() for x in (Statistics, NSS)), rings(pixels)])


def ranker(differences: np.ndarray, ridge: float) -> np.ndarray:
    """Weights w that minimise mean log(1 + exp(-x w)) + ridge / 2 |w|^2 over differences x, by Newton's method."""
    weights = np.zeros(differences.shape[1])
    for _ in range(50):
        wrong = sigmoid(-differences @ weights)
        slope = -differences.T @ wrong / len(differences) + ridge * weights
        curve = (differences.T * (wrong * (1 - wrong))) @ differences / len(differences) + ridge * np.eye(len(weights))
        step = np.linalg.solve(curve, slope)
        weights -= step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def triples(p: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Three pictures each, the one with most detail first; strengths are drawn."""
    strength, more = rng.uniform(0.5, 1.3), rng.uniform(1.3, 2)
    soft = [(blurred(p, strength), blurred(p, strength * more))]
    factor = rng.uniform(1.2, 2.2)
    soft.append((resampled(p, factor), resampled(p, factor * more)))
    soft.append((smoothed(p, 3), smoothed(p, 5)))
    quality = int(rng.integers(25, 80))
    soft.append(tuple(Match(coding="jpeg", quality=q)(p) for q in (quality, quality // 2)))
    yield from (("damage", [p, *some]) for some in soft)
    grain, amount = rng.uniform(1, 7), int(rng.integers(50, 200))
    for some in soft[1:]:
        noise = grain * rng.normal(size=(*p.shape[:2], 1))
        yield "restored", [p, *(np.clip(x + noise, 0, 255).round().astype(np.uint8) for x in some)]
        yield "restored", [p, *(sharpened(x, 1, amount) for x in some)]
    noise, amount = rng.uniform(2, 8) * rng.normal(size=p.shape), int(rng.integers(40, 120))
    yield "damage", [*(np.clip(p + k * noise, 0, 255).round().astype(np.uint8) for k in (2, 1)), p]
    yield "damage", [sharpened(p, 1, 2 * amount), sharpened(p, 1, amount), p]


def blurred(p: np.ndarray, sigma: float) -> np.ndarray:
    return np.asarray(Image.fromarray(p).filter(ImageFilter.GaussianBlur(sigma)))


def smoothed(p: np.ndarray, size: int) -> np.ndarray:
    return np.asarray(Image.fromarray(p).filter(ImageFilter.MedianFilter(size)))


def sharpened(p: np.ndarray, radius: float, percent: int) -> np.ndarray:
    return np.asarray(Image.fromarray(p).filter(ImageFilter.UnsharpMask(radius, percent, 0)))


def resampled(p: np.ndarray, factor: float) -> np.ndarray:
    small = Image.fromarray(p).resize([round(side / factor) for side in p.shape[1::-1]], Image.Resampling.BICUBIC)
    return np.asarray(small.resize(p.shape[1::-1], Image.Resampling.BICUBIC))


MEASURES = {"pairs": pairs, "damage": damage, "generators": generators, "taught": taught}


def measure(options: argparse.Namespace) -> None:
    for name in options.only:
        MEASURES[name](Sets([options.data], None))


def main() -> None:
    parser = command(__file__, __doc__, "data")
    parser.add_argument("--only", type=names(*MEASURES), default=list(MEASURES), metavar="NAME,NAME")
    options = parser.parse_args()
    with results(options):
        measure(options)


if __name__ == "__main__":
    main()
