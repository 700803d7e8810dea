"""Seconds an iteration of EM takes: giqa beside scikit-learn, from the same start, in turn.

    python -m benchmarks.speed.em [--features FILE.npy] [--work 7:20000:3]

Needs: imagenet-sample of --data; scikit-learn.
Takes: about 5 minutes; the features are made once.

Features are `high` of the default extractor (1,024) of crops of photographs, 96 to 199 pixels, twenty from each, made
once and kept in --features; then their principal directions with 99 % of the variance, as in the preset `released`
(95 % there). Both start from the same k-means and do the same number of steps; both run on all cores. Printed: seconds
an iteration, how far the means differ after the last one (in standard deviations of the features), and the floor:
2 n q^2 multiplications and additions, for a picture's share in one covariance and its distance from one component, both
halved.
"""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.shared import command, head, names, results, row
from giqa.features.embedded import Embedded
from giqa.scorers.density import principal_directions
from giqa.scorers.em import Rough, estimate, expectation, kmeans

CROPS = 20
RIDGE = 1e-4


def photographs(folder: Path) -> np.ndarray:
    """Features of crops, float32 (20 n, 1024)."""
    extractor, rng, rows = Embedded(layers=["high"]), np.random.default_rng(0), []
    files = sorted(folder.rglob("*.jpg"))
    for _ in range(CROPS):
        for file in files:
            picture = Image.open(file).convert("RGB")
            side = int(rng.integers(96, 200))
            left, top = (int(rng.integers(0, room - side + 1)) for room in picture.size)
            layers = extractor.prepare(np.asarray(picture.crop((left, top, left + side, top + side))))
            rows.append(np.concatenate([layers[name] for name in extractor.outputs]))
    return np.stack(rows)


def ours(x: np.ndarray, labels: np.ndarray, iterations: int) -> np.ndarray:
    """The means after so many iterations."""
    likely, mixture, rough = labels, estimate(x, np.eye(labels.max() + 1)[labels], reg=RIDGE), Rough(x)
    for _ in range(iterations):
        _, shares = expectation(x, mixture, likely, rough)
        likely, mixture = shares.argmax(axis=1), estimate(x, shares, reg=RIDGE)
    expectation(x, mixture, likely, rough)
    return mixture.means


def theirs(x: np.ndarray, labels: np.ndarray, iterations: int) -> np.ndarray:
    """The same of scikit-learn, whose fit ends with one more expectation too."""
    from sklearn.mixture import GaussianMixture

    m = labels.max() + 1
    model = GaussianMixture(m, reg_covar=RIDGE, max_iter=iterations, tol=0)
    model._initialize_parameters = lambda x, *_, **__: model._initialize(x, np.eye(m)[labels])
    return model.fit(x).means_


def main() -> None:
    parser = command(__file__, __doc__, "data")
    parser.add_argument("--features", type=Path, default=Path("em_features.npy"), help="kept here (%(default)s)")
    parser.add_argument("--work", type=names(), default="7:20000:3,30:20000:2", help="components:pictures:iterations")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # scikit-learn says that so few steps are few
    if not options.features.exists():
        np.save(options.features, photographs(options.data / "imagenet-sample"))
    with results(options):
        measure(np.load(options.features).astype(np.float64), options.work)


def measure(features: np.ndarray, jobs: list[str]) -> None:
    x = features - features.mean(axis=0)
    x = np.ascontiguousarray(x @ principal_directions(x, 0.99).T)
    x = x[np.random.default_rng(0).permutation(len(x))]
    columns = ("giqa, s an iteration", "scikit-learn", "faster", "floor, GFLOP", "means differ by")
    head("M", "n", "q", *columns)
    for work in jobs:
        m, n, iterations = map(int, work.split(":"))
        part, seconds, found = x[:n], {}, {}
        labels = kmeans(part, m, np.random.default_rng(0), max_iter=10)
        for name, way in (("giqa", ours), ("scikit-learn", theirs)):
            start = time.perf_counter()
            found[name] = way(part, labels, iterations)
            seconds[name] = (time.perf_counter() - start) / (iterations + 0.5)  # the last expectation is half of one
        off = np.abs(found["giqa"] - found["scikit-learn"]).max() / part.std()
        ratio = seconds["scikit-learn"] / seconds["giqa"]
        floor = 2 * n * x.shape[1] ** 2 / 1e9
        took = (f"{value:.2f}" for value in seconds.values())
        row(m, f"{n:,}", x.shape[1], *took, f"{ratio:.1f} x", f"{floor:.0f}", f"{off:.0e}")


if __name__ == "__main__":
    main()
