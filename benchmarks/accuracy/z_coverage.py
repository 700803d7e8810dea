"""What the 95 % interval of z covers, and why `gmm` scores by distance rather than by log p.

    python -m benchmarks.accuracy.z_coverage

Needs: nothing; for its second table, lfw-dcgan of --data and the weights of Inception (--inception).
Takes: about 3 minutes.

Coverage: 200 draws of n reals from a known distribution (d dimensions, Gaussian, or heavy: Student's t with 4 degrees
of freedom); the share of draws whose interval holds the typical z (the median over draws), for pictures near the reals,
3 standard deviations off in each dimension, and far outside. With --inception: the held-out z of 978 LFW faces and the
z of 400 DCGAN faces under `sgm`, by the distance and by log p.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.stats import skew

from benchmarks.shared import command, head, results, row
from giqa.features.reader import extract, make_extractor
from giqa.model.fit import make_scorer
from giqa.scorers.scale import Scale, assign_folds

DRAWS = 200


def coverage(scorer: str, n: int, d: int, heavy: bool) -> list[str]:
    rng = np.random.default_rng(0)
    draw: Callable = (lambda m: rng.standard_t(4, size=(m, d))) if heavy else (lambda m: rng.normal(size=(m, d)))
    queries = np.concatenate([draw(10), draw(10) + 3, 0.2 * draw(10) + 8 / np.sqrt(d)])
    z, low, high = (np.empty((DRAWS, len(queries))) for _ in range(3))
    for i in range(DRAWS):
        model = make_scorer(scorer).fit(draw(n), folds=assign_folds(np.arange(n)))
        scale, (scores, deviations) = Scale(model.held_out_), model.score_with_deviation(queries)
        z[i] = scale.z(scores)
        low[i], high[i] = scale.interval(scores, deviations)
    held = share_held(z, low, high).reshape(3, 10).mean(axis=1)
    return [f"{share:.2f}" for share in held]


def share_held(z: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Share of draws (rows) whose interval holds the typical z, the median over draws, for each picture."""
    typical = np.median(z, axis=0)
    return ((low <= typical) & (typical <= high)).mean(axis=0)


def spread_of_scores(data: Path, extractor: str) -> None:
    head("score", "skewness of held-out reals", "below z = -3", "z of DCGAN faces, median", "lowest")
    extractor = make_extractor(extractor)
    reals, fakes = (
        extract(f"{data}/lfw-dcgan/labels.csv[kind={kind}]", extractor).features.matrix()
        for kind in ("real", "generated")
    )
    fakes = fakes[:400]
    model = make_scorer("sgm").fit(reals, folds=assign_folds(np.arange(len(reals))))
    distance = (model.held_out_, model.score_samples(fakes))
    for name, (held_out, scores) in {"distance": distance, "log p": tuple(-0.5 * s**2 for s in distance)}.items():
        scale = Scale(held_out)
        z, fake = scale.z(held_out), scale.z(scores)
        row(name, f"{skew(z):.2f}", f"{np.mean(z < -3):.3f}", f"{np.median(fake):.1f}", f"{fake.min():.1f}")


def main() -> None:
    parser = command(__file__, __doc__, "inception")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="for --inception (%(default)s)")
    options = parser.parse_args()
    with results(options):
        head("scorer", "n", "d", "reals", "near", "off", "far")
        for scorer in ("sgm", "knn(k=5)", "knn(k=1)"):
            for n, d, heavy in ((100, 5, False), (300, 20, False), (1000, 20, False), (300, 20, True)):
                row(scorer, n, d, "heavy" if heavy else "Gaussian", *coverage(scorer, n, d, heavy))
        if options.inception:
            spread_of_scores(options.data, f"inception(weights={str(options.inception)!r})")


if __name__ == "__main__":
    main()
