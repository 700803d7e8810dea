"""Contrast that the eye can see: do spectra weighted by its sensitivity say more of what people prefer?

    python -m benchmarks.p_real.contrast --only ratings --scalars

Needs: imagenet-sample, gan-compression-2afc and compression-ratings of --data.
Takes: not measured alone; with --scalars about a minute.

An experiment, no part of giqa: the frequency half of SC-AGIQA without its network. The sensitivity of the eye to a
grating of f cycles a degree is that of Mannos and Sakrison (1974, IEEE Transactions on Information Theory 20(4)):

    A(f) = 2.6 (0.0192 + 0.114 f) exp(-(0.114 f)^1.1), greatest near 8 cycles a degree

f is cycles a pixel times pixels a degree. How many pixels a degree has follows from the distance: at N pixels a degree
each picture is seen from the same distance on the same screen; "height D" says that each picture is shown D degrees
high, as stills of several sizes are that fill one screen. Power is that of luma under a Hann window (`_native.py`).

Scalars, higher = better:

- visible: ln of the sum of A(f)² P(f) over all frequencies
- deficit: minus the mean over 16 bands of A(f) max(0, ln R(f) - ln P(f)), R the mean spectrum of 300 photographs at the
  same cycles a pixel
- plain: the same two with A = 1; gradient: ln(1 + the 95th percentile of its length)

Columns, family `csf`: visible of the whole and of what is above 4, 8 and 16 cycles a degree, and the deficit, at two
distances each: 30 and 60 pixels a degree for pairs, height 15 and 30 degrees for ratings. A linear model of the bands
themselves cannot gain from weights that are the same for all pictures, so the columns are sums.

Judged as in `benchmarks.p_real.judgements`, whose head says what is left out and how the intervals are made.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.data import pictures, rows_of
from benchmarks.intervals import spearman
from benchmarks.p_real._columns import Measure
from benchmarks.p_real._native import STRONGEST
from benchmarks.p_real.judgements import Compression, Table, over_scenes, unseen
from benchmarks.shared import command, head, names, results, row, say
from giqa.stats import RatingLikelihood
from giqa.stats.likelihoods import FAINT

BANDS = np.geomspace(0.01, 0.5, 17)
PHOTOGRAPHS = 300
Distance = Callable[[int], float]  # height of a picture -> pixels a degree


def sensitivity(f: np.ndarray) -> np.ndarray:
    """A(f) of Mannos and Sakrison, f in cycles a degree."""
    return 2.6 * (0.0192 + 0.114 * f) * np.exp(-((0.114 * f) ** 1.1))


class Spectrum:
    """Power of luma by frequency in cycles a pixel, and by band."""

    def __init__(self, pixels: np.ndarray):
        luma = pixels.astype(float) @ [0.299, 0.587, 0.114]
        window = np.outer(*(np.hanning(side) for side in luma.shape))
        power = np.abs(np.fft.rfft2((luma - luma.mean()) * window)) ** 2 / (window**2).sum()
        frequency = np.hypot(np.fft.fftfreq(luma.shape[0])[:, None], np.fft.rfftfreq(luma.shape[1]))
        self.height, self.size = len(luma), luma.size
        self.power, self.frequency = power.ravel(), frequency.ravel()
        band = np.digitize(self.frequency, BANDS) - 1
        inside = (band >= 0) & (band < len(BANDS) - 1)
        count = np.bincount(band[inside], minlength=len(BANDS) - 1)
        self.bands = np.log(np.bincount(band[inside], self.power[inside], len(BANDS) - 1) / np.maximum(count, 1) + 1e-3)

    def visible(self, distance: Distance | None, above: float = 0.0) -> float:
        f = self.frequency * (distance(self.height) if distance else 1.0)
        weight = sensitivity(f) ** 2 if distance else np.ones(len(f))
        return float(np.log((weight * self.power)[f >= above].sum() / self.size + 1e-4))

    def deficit(self, distance: Distance | None, real: np.ndarray) -> float:
        f = np.sqrt(BANDS[:-1] * BANDS[1:])
        weight = sensitivity(f * distance(self.height)) if distance else np.ones(len(f))
        return float(-(weight * np.maximum(0, real - self.bands)).mean())


def at(pixels_a_degree: float) -> Distance:
    return lambda height: pixels_a_degree


def high(degrees: float) -> Distance:
    return lambda height: height / degrees


def scalars(spectra: Sequence[Spectrum], real: np.ndarray, distances: dict[str, Distance]) -> dict[str, np.ndarray]:
    """Name -> number of each picture."""
    ways: dict[str, Distance | None] = {"plain": None} | distances
    found = {f"visible, {name}": [s.visible(d) for s in spectra] for name, d in ways.items()}
    found |= {f"deficit, {name}": [s.deficit(d, real) for s in spectra] for name, d in ways.items()}
    return {name: np.array(values) for name, values in found.items()}


def family(spectra: Sequence[Spectrum], real: np.ndarray, distances: Sequence[Distance]) -> np.ndarray:
    """The columns of `csf`, (n, 10)."""
    return np.array(
        [
            [number for d in distances for number in (*(s.visible(d, f) for f in (0, 4, 8, 16)), s.deficit(d, real))]
            for s in spectra
        ]
    )


def measured(data: Path, folder: str, distances: Sequence[Distance]) -> tuple[list[Spectrum], np.ndarray, np.ndarray]:
    """Spectra of a set, mean bands of photographs, and the columns."""
    photographs = pictures(f"{data}/imagenet-sample/labels.csv", PHOTOGRAPHS)[0]
    real = np.mean([Spectrum(p).bands for p in photographs], axis=0)
    spectra = [Spectrum(p) for p in pictures(f"{data}/{folder}/labels.csv")[0]]
    return spectra, real, family(spectra, real, distances)


def pairs(data: Path, table: Table, options: argparse.Namespace) -> None:
    spectra, real, columns = measured(data, "gan-compression-2afc", (at(30), at(60)))
    of = Compression(data, table.ids)
    gradient = table.parts["native"]["native"][:, STRONGEST]
    table.parts["csf"] = {"csf": columns}
    head("pairs: votes agreed with", "all", "within a scene", "above the gradient, all", "within a scene")

    def show(name: str, score: np.ndarray) -> None:
        credit = of.credit(score)
        row(name, *of.figures(credit), *of.figures(credit - of.credit(gradient)))

    show("gradient", gradient)
    for name, score in scalars(spectra, real, {f"{n} pixels a degree": at(n) for n in (15, 30, 60)}).items():
        show(name, score)
    for families in () if options.scalars else (("csf",), ("crops", "csf")):
        show(f"model: {' + '.join(families)}", unseen(table.features(families), ("pairs", of.kind), of.scene)[0])


def ratings(data: Path, table: Table, options: argparse.Namespace) -> None:
    spectra, real, columns = measured(data, "compression-ratings", (high(15), high(30)))
    place = {name: i for i, name in enumerate(table.ids)}
    given = np.full((len(place), 5), FAINT / len(place))
    for r in rows_of(data / "compression-ratings/ratings.csv"):
        given[place[r["image"]], int(float(r["rating"])) - 1] += 1
    mean = given @ np.arange(1, 6) / given.sum(axis=1)
    scene = np.unique(table.columns["scene"], return_inverse=True)[1]
    table.parts["csf"] = {"csf": columns}
    head("ratings: Spearman", "all", "within a scene")

    def show(name: str, score: np.ndarray) -> None:
        def whole(drawn: Sequence[np.ndarray]) -> float:
            rows = np.concatenate(drawn)
            return spearman(score[rows], mean[rows])

        def within(drawn: Sequence[np.ndarray]) -> float:
            return float(np.nanmean([spearman(score[rows], mean[rows]) for rows in drawn]))

        row(name, over_scenes(whole, scene), over_scenes(within, scene))

    show("height alone", np.array(table.columns["height"], float))
    show("gradient", table.parts["native"]["native"][:, STRONGEST])
    ways = {f"{n} pixels a degree": at(n) for n in (30, 60)} | {f"height {n} degrees": high(n) for n in (15, 30)}
    for name, score in scalars(spectra, real, ways).items():
        show(name, score)
    kind = "ratings", RatingLikelihood(np.arange(len(place)), given)
    for families in () if options.scalars else (("csf",), ("csf", "size"), ("pooled", "native", "csf", "size")):
        show(f"model: {' + '.join(families)}", unseen(table.features(families), kind, scene)[0])


def main() -> None:
    parser = command(__file__, __doc__, "data")
    parts = {"pairs": (pairs, "gan-compression-2afc"), "ratings": (ratings, "compression-ratings")}
    parser.add_argument("--only", type=names(*parts), default=list(parts), metavar="NAME,NAME", help=", ".join(parts))
    parser.add_argument("--scalars", action="store_true", help="no models")
    options = parser.parse_args()
    data = Path(options.data)
    few = 30 if options.scalars else 300  # references of the layers, which no scalar needs
    measure = Measure(pictures(f"{data}/imagenet-sample/labels.csv", few)[0], None, ("mid",), ())
    with results(options):
        for name in options.only:
            part, folder = parts[name]
            part(data, Table(data, folder, measure, crops=name == "pairs" and not options.scalars), options)
            say(f"{name}: done")


if __name__ == "__main__":
    main()
