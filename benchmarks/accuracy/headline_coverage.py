"""What the intervals of the headline, of a rank and of the shared part of z cover.

    python -m benchmarks.accuracy.headline_coverage

Needs: nothing.
Takes: about 4 minutes.

Draws of n reals from a known distribution in d dimensions (Gaussian, or heavy: Student's t with 4 degrees of freedom),
and of m pictures whose distance from the middle is up to 1 + `off` times as large. Both shares: the truth is that of
2,000 fresh reals and pictures, read by the same model. Rank: the share of draws whose interval holds the typical rank
(the median over draws) of 60 pictures that stay. Shared part: of a model that stays, the share of draws of n held-out
reals whose interval of z, without deviations of the model, holds the typical z of these pictures.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from benchmarks.shared import command, head, results, row
from giqa.model.fit import make_scorer
from giqa.model.headline import beats_real, within_range
from giqa.model.order import own_width, rank_interval
from giqa.scorers.scale import Scale, assign_folds

FRESH, SHOWN = 2000, 60
SETS = ((50, 60, 5, False), (200, 100, 20, False), (200, 100, 20, True))  # reals, pictures, dimensions, heavy


class Case(NamedTuple):
    scorer: str
    n: int
    m: int
    d: int
    heavy: bool
    off: float


def draw(rng: np.random.Generator, case: Case, m: int, off: float = 0.0) -> np.ndarray:
    x = rng.standard_t(4, size=(m, case.d)) if case.heavy else rng.normal(size=(m, case.d))
    return x * (1 + off * rng.uniform(size=(m, 1)))


def fitted(rng: np.random.Generator, case: Case, n: int):
    return make_scorer(case.scorer).fit(draw(rng, case, n), folds=assign_folds(np.arange(n)))


def coverage(case: Case, draws: int) -> list[str]:
    """Coverage and mean width of both shares, of the rank and of the shared part."""
    rng, n, m = np.random.default_rng(0), case.n, case.m
    stays, fixed = draw(rng, case, SHOWN, case.off), fitted(rng, case, 4 * n)
    shares, ranks, level = [], [], []
    for _ in range(draws):
        model = fitted(rng, case, n)
        reals = np.sort(model.score_samples(draw(rng, case, FRESH)))
        fakes = model.score_samples(draw(rng, case, FRESH, case.off))
        truth = (fakes > np.quantile(reals, 0.05)).mean(), np.searchsorted(reals, fakes).mean() / FRESH
        scores = model.score_samples(draw(rng, case, m, case.off))
        rank = 1.0 + np.searchsorted(np.sort(model.held_out_), scores, side="right")
        found = within_range(rank, n, m, n), beats_real(rank, n, m, n)
        shares.append([(s.low <= t <= s.high, s.high - s.low) for s, t in zip(found, truth, strict=True)])
        scale, (scores, deviations) = Scale(model.held_out_), model.score_with_deviation(stays)
        z = scale.z(scores)
        ends = rank_interval(z, own_width(z, *scale.interval(scores, deviations), scale.shared))
        ranks.append((np.argsort(np.argsort(-z)) + 1, *ends))
        scores, scale = fixed.score_samples(stays), Scale(fixed.score_samples(draw(rng, case, n)))
        level.append((scale.z(scores), *scale.interval(scores, np.zeros(SHOWN))))
    held = [f"{share:.3f}, {width:.2f}" for share, width in np.mean(shares, axis=0)]
    return [*held, *(typical(np.array(ends)) for ends in (ranks, level))]


def typical(found: np.ndarray) -> str:
    """Of (draws, 3, pictures) the share of intervals that hold the median over draws, and their median width."""
    value, low, high = found.transpose(1, 0, 2)
    middle = np.median(value, axis=0)
    return f"{((low <= middle) & (middle <= high)).mean():.3f}, {np.median(high - low):.1f}"


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--draws", type=int, default=200, help="for each row (%(default)s)")
    options = parser.parse_args()
    with results(options):
        head("scorer", "n, m, d", "reals", "off", "within: held, width", "beats", "rank", "shared part of z")
        for scorer in ("sgm", "knn(k=5)"):
            for n, m, d, heavy in SETS:
                for off in (0.0, 0.3, 2.0):
                    found = coverage(Case(scorer, n, m, d, heavy, off), options.draws)
                    row(scorer, f"{n}, {m}, {d}", "heavy" if heavy else "Gaussian", off, *found)


if __name__ == "__main__":
    main()
