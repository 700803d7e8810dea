"""Moved patches: does a layer that is trained on parts of other reals find them, and what does it cost elsewhere?

    python -m benchmarks.explain.moved_patches --only faces --kinds "another real,GAN" --pictures 20

Needs: lfw-dcgan, imagenet-sample and cifar10-dcgan-progress of --data.
Takes: the example about half a minute.

An experiment, no part of giqa. Pictures, patches and the split of the reals are those of
`benchmarks.explain.pointing_game`. Everything is learned from reference reals alone:

    cells     24 x 24, of each the log energies of 72 filters of grain and the mean of three colours
    contrast  23 directions of a cell (20 of the energies, 3 of the colours), and the difference of the mean of 3, 3, 5,
              5 and 7 cells from a ring of 5, 7, 9, 13 and 13 around them, each on the scale of reals at that place,
              as log(1 + x²), and its mean over 3 x 3 cells
    training  into each of 250 reals the same place of another one is pasted, 12 to 21 pixels of 64 wide; ridge
              regression of "inside" on the contrasts, of pasted and whole reals
    scale     median and deviation at each place of the other reference reals

Rows: the combined map of today, the trained layer alone, and ways to combine them:

    worse of both     at each place the worse, each in units of where its worst 1 % of the places of reals begins
    sum               of -ln of the share of places of reals that are no better, of the combined map and the trained
                      layer; an exponential tail beyond the worst 5 %
    larger of sums    grain + mid / 2 + trained, and sharpness + trained, as above, each in units of its median peak in
                      reals; at each place the larger

The shares and peaks are those of up to 170 reals for choosing, which nothing was fitted on. The penalty (0.01), the
mean over 3 x 3 cells of the answer and the terms of the sums were chosen with `--part choice`. A cell is the share of
pictures whose worst place lies in the patch, with Wilson's 95 % interval.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.explain.map_measures import SIZE, fitted
from benchmarks.explain.pointing_game import GRID, KINDS, Domain, Pixels, cases, domain, hit, soft_mask
from benchmarks.intervals import share
from benchmarks.shared import command, head, names, results, row, say
from giqa.explain.energy import cell_sums, neighbourhood, place_scale
from giqa.explain.grain import COLOURS, UNIT, grain_sums
from giqa.threads import one_blas_thread

LEARNED, PENALTY, SMALLEST = 250, 1e-2, 1e-3
PARTS = ((np.arange(72), 20), (np.arange(72, 75), 3))  # channels, and directions that are kept of them
CONTRASTS = ((3, 5), (3, 7), (5, 9), (5, 13), (7, 13))  # cells of a side: inside, and with the ring around it


def cells(pixels: Pixels) -> np.ndarray:
    """Energies without those of the means, and the means: (24, 24, 75)."""
    n = cell_sums(np.ones((*pixels.shape[:2], 1)), GRID)
    energies = np.log(np.sqrt(grain_sums(pixels, GRID) / n) + 0.02)[..., 3:]
    means = cell_sums(pixels.astype(float) @ (COLOURS.T / UNIT), GRID) / n
    return np.concatenate([energies, means], axis=2).astype(np.float32)


def moved(reals: Sequence[Pixels]) -> tuple[np.ndarray, np.ndarray]:
    """Cells of reals with a part of another one, and which of them lie inside, (n, 24, 24)."""
    rng, side = np.random.default_rng(5), len(reals[0])
    pasted, inside = [], []
    for i, real in enumerate(reals):
        other = (i + int(rng.integers(1, len(reals)))) % len(reals)
        length = int(rng.integers(12, 22)) * side // 64
        mask = soft_mask(side, (*(int(v) for v in rng.integers(0, side - length + 1, 2)), length))[..., None]
        pasted.append(cells((real * (1 - mask) + reals[other] * mask).round().astype(np.uint8)))
        inside.append((cell_sums(mask, GRID) / cell_sums(np.ones(mask.shape), GRID))[..., 0] > 0.5)
    return np.stack(pasted), np.stack(inside)


def window_means(values: np.ndarray, sizes: Sequence[int]) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Sums over squares of so many cells around each, and how many there are: one picture, (g, g, c)."""
    ones = np.ones((GRID, GRID, 1))
    return {size: (neighbourhood(values, size // 2), neighbourhood(ones, size // 2)) for size in sizes}


class MovedLayer:
    """Ridge regression of "inside a moved patch" on contrasts of cells; z at each place, negative = worse."""

    def fit(self, reals: Sequence[Pixels]) -> MovedLayer:
        whole = np.stack([cells(p) for p in reals])
        learned, pasted = whole[:LEARNED], moved(reals[:LEARNED])
        self.bases = []
        for channels, kept in PARTS:
            x = learned[..., channels]
            flat = (x - x.mean(axis=0)).reshape(-1, len(channels)).astype(np.float64)
            values, vectors = np.linalg.eigh(flat.T @ flat / len(flat))
            scale = np.sqrt(values[-kept:] + SMALLEST * values[-1])
            self.bases.append((channels, x.mean(axis=0), (vectors[:, -kept:] / scale).astype(np.float32)))
        raw = np.stack([self._contrasts(picture) for picture in learned])
        self.centre, self.spread = raw.mean(axis=0), raw.std(axis=(0, 1, 2))
        x = np.stack([self._features(picture) for picture in (*learned, *pasted[0])])
        self.typical = x[: len(learned)].mean(axis=0)
        x = (x - self.typical).reshape(-1, x.shape[-1])
        y = np.r_[np.zeros(learned[..., 0].size), pasted[1].ravel()]
        gram = (x.T @ x).astype(np.float64) / len(x)
        ridge = PENALTY * np.trace(gram) / len(gram) * np.eye(len(gram))
        self.weights = np.linalg.solve(gram + ridge, x.T @ (y - y.mean()) / len(x))
        answers = np.stack([self._answer(picture) for picture in whole[LEARNED:]])
        self.median, self.deviation = place_scale(answers)
        self.limit = float(np.quantile((self.median - answers) / self.deviation, 0.01))
        return self

    def z(self, pixels: Pixels) -> np.ndarray:
        return (self.median - self._answer(cells(pixels))) / self.deviation

    def _contrasts(self, picture: np.ndarray) -> np.ndarray:
        own = np.concatenate([(picture[..., channels] - mean) @ basis for channels, mean, basis in self.bases], axis=2)
        sums, out = window_means(own, sorted({n for pair in CONTRASTS for n in pair})), [own]
        for inner, outer in CONTRASTS:
            (a, n), (b, m) = sums[inner], sums[outer]
            out.append(a / n - (b - a) / np.maximum(m - n, 1))
        return np.concatenate(out, axis=2)

    def _features(self, picture: np.ndarray) -> np.ndarray:
        x = (self._contrasts(picture) - self.centre) / self.spread
        own = np.log1p(x * x)
        total, n = window_means(own, [3])[3]
        return np.concatenate([own, total / n], axis=2).astype(np.float32)

    def _answer(self, picture: np.ndarray) -> np.ndarray:
        answer = ((self._features(picture) - self.typical) @ self.weights)[..., None]
        total, n = window_means(answer, [3])[3]
        return (total / n)[..., 0]


class Combined:
    """Ways to combine maps, from those of reals, layer -> (n, 24, 24); each gives a map, lowest where it is worst."""

    SUMS = ({"grain": 1.0, "mid": 0.5, "trained": 1.0}, {"sharpness": 1.0, "trained": 1.0})

    def __init__(self, reals: dict[str, np.ndarray]):
        self.tails = {}
        for name, z in reals.items():
            worse = np.sort(-z.ravel())
            start = worse[int(0.95 * len(worse))]
            self.tails[name] = worse, start, float((worse[worse > start] - start).mean())
        self.peaks = [float(np.median(self.total(reals, terms).max(axis=(-2, -1)))) for terms in self.SUMS]

    def unlikely(self, name: str, z: np.ndarray) -> np.ndarray:
        """-ln of the share of the places of reals that are no better."""
        worse, start, scale = self.tails[name]
        share = 1 - np.searchsorted(worse, -z) / len(worse)
        return np.where(-z > start, -np.log(0.05) + (-z - start) / scale, -np.log(np.maximum(share, 1 / len(worse))))

    def total(self, z: dict[str, np.ndarray], terms: dict[str, float]) -> np.ndarray:
        return sum(weight * self.unlikely(name, z[name]) for name, weight in terms.items())

    def maps(self, z: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        sums = [self.total(z, terms) / peak for terms, peak in zip(self.SUMS, self.peaks, strict=True)]
        return {"sum": -self.total(z, {"combined": 1.0, "trained": 1.0}), "larger of sums": -np.maximum(*sums)}


def measured(name: str, of: Domain, options: argparse.Namespace) -> dict[str, dict[str, object]]:
    """Row -> kind -> share of pictures whose worst place lies in the patch."""
    model = fitted(name, of, options.keep)
    with one_blas_thread():
        layer = MovedLayer().fit(of.reals[: of.reference])
    say(f"{name}: fitted")
    limit, found = model.places.limit("combined"), {}

    def every(pixels: Pixels) -> dict[str, np.ndarray]:
        return dict(model.explain(pixels).z) | {"trained": layer.z(pixels)}

    reals = [every(real) for real in of.part("choice")[0]]
    ways = Combined({layer: np.stack([z[layer] for z in reals]) for layer in reals[0]})
    for kind in options.kinds:
        hits: dict[str, list[bool]] = {}
        for pixels, box in cases(kind, of, options.part, SIZE, options.pictures):
            z = every(pixels)
            today, trained = z["combined"] / -limit, z["trained"] / -layer.limit
            maps = {"combined": today, "trained": trained, "worse of both": np.minimum(today, trained)} | ways.maps(z)
            for label, z in maps.items():
                hits.setdefault(label, []).append(hit(z, len(pixels), box))
        for label, each in hits.items():
            found.setdefault(label, {})[kind] = share(np.array(each, float))
        say(f"{name}, {kind}: {len(each)} pictures")
    return found


def main() -> None:
    parser, domains = command(__file__, __doc__, "data", "json"), ("faces", "photographs")
    parser.add_argument("--part", choices=("choice", "tested"), default="tested")
    parser.add_argument("--only", type=names(*domains), default=domains, metavar="NAME,NAME", help=", ".join(domains))
    parser.add_argument("--kinds", type=names(*KINDS), default=KINDS, metavar="KIND,KIND", help=", ".join(KINDS))
    parser.add_argument("--pictures", type=int, default=308, help="of each kind, at most")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where maps are kept")
    options = parser.parse_args()
    with results(options):
        for name in options.only:
            found = measured(name, domain(name, options.data), options)
            options.figures[name] = {label: {k: str(v) for k, v in each.items()} for label, each in found.items()}
            head(name, *options.kinds)
            for label, each in found.items():
                row(label, *(each[kind] for kind in options.kinds))


if __name__ == "__main__":
    main()
