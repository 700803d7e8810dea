"""What the intervals of the headline, of a rank and of the shared part of z cover, where the truth is known.

    python -m benchmarks.accuracy.headline_coverage

Needs: nothing.
Takes: about two minutes.

Shares: n reals of N(0, 1) and m pictures of N(mean, sd); the true shares are values of Phi. Ranks: 40 pictures whose
score varies with each of five folds of the reals, and all together. Shared part: n held-out reals of N(0, 1), whose
median is 0 and whose standard deviation 1, for z from 0 to -100.

Fitted: reals and pictures are both N(0, 1) in 10 dimensions, so the generator is perfect and the true shares are 0.95
and 0.5. Each scorer is fitted anew in each draw. A scorer may score fresh reals a little better than held-out ones,
which fewer reals judged; the intervals do not know that.
"""

from __future__ import annotations

import math

import numpy as np

import giqa
from benchmarks.shared import command, head, results, row
from giqa.model.headline import beats_real, within_range
from giqa.model.order import own_width, rank_interval
from giqa.scorers.scale import Scale
from giqa.stats import WORST, jackknife, ranks

SETS = ((40, 60), (200, 100), (200, 500))
SCORERS = ("sgm", "gmm", "knn(k=1)", "knn(k=5)")
FAKES = ((0.0, 1.0), (-1.0, 1.5), (-3.0, 2.0), (0.5, 0.7))


def phi(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))


def shares(n: int, m: int, mean: float, sd: float, draws: int) -> list[str]:
    rng, found = np.random.default_rng(1), []
    truth = phi((mean + 1.644854) / sd), phi(mean / math.hypot(1, sd))
    for _ in range(draws):
        reals, fakes = np.sort(rng.normal(size=n)), rng.normal(mean, sd, size=m)
        rank = 1.0 + np.searchsorted(reals, fakes, side="right")
        both = within_range(rank, n, m, n), beats_real(rank, n, m, n)
        found.append([(s.low <= t <= s.high, s.high - s.low) for s, t in zip(both, truth, strict=True)])
    return [f"{held:.3f}, {width:.2f}" for held, width in np.mean(found, axis=0)]


def order(draws: int, m: int = 40) -> str:
    rng, found, widths = np.random.default_rng(1), [], []
    true, scale = rng.normal(-20, 8, m), Scale(rng.normal(size=100))
    for _ in range(draws):
        folds = rng.normal(size=(m, 5)) * np.linspace(0.5, 4, m)[:, None]
        score = true * (1 + 0.2 * rng.normal()) + folds.mean(axis=1)
        without = (folds.sum(axis=1, keepdims=True) - folds) / 4
        z, ends = scale.z(score), scale.interval(score, jackknife(without))
        low, high = rank_interval(z, own_width(z, *ends, scale.shared))
        found.append((low <= ranks(-true)) & (ranks(-true) <= high))
        widths.append(high - low)
    return f"{np.mean(found):.3f}, {np.mean(widths):.1f}"


def shared(n: int, draws: int) -> list[str]:
    rng, z = np.random.default_rng(1), np.array([0.0, -2.0, -10.0, -100.0])
    ends = np.array([Scale(rng.normal(size=n), seed).interval(z, np.zeros(4)) for seed in range(draws)])
    held = ((ends[:, 0] <= z) & (z <= ends[:, 1])).mean(axis=0)
    return [f"{h:.3f}, {w:.2f}" for h, w in zip(held, (ends[:, 1] - ends[:, 0]).mean(axis=0), strict=True)]


def fitted(scorer: str, n: int, m: int, draws: int) -> list[str]:
    found, values = [], []
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        reals, fakes = (rng.normal(size=(k, 10)).astype(np.float32) for k in (n, m))
        said = giqa.fit(reals, scorer=scorer).score(fakes).headline()
        both = (said.within, 1 - WORST), (said.beats, 0.5)
        found.append([share.low <= truth <= share.high for share, truth in both])
        values.append([share.value for share, _ in both])
    return [f"{held:.3f}, {value:.3f}" for held, value in zip(np.mean(found, 0), np.mean(values, 0), strict=True)]


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--draws", type=int, default=300, help="for each row (%(default)s)")
    options = parser.parse_args()
    with results(options):
        head("reals, pictures", "mean, sd of the pictures", "within: held, width", "beats: held, width")
        for n, m in SETS:
            for mean, sd in FAKES:
                row(f"{n}, {m}", f"{mean:g}, {sd:g}", *shares(n, m, mean, sd, options.draws))
        print()
        head("fitted, perfect generator: reals, pictures", "within: held, mean value", "beats: held, mean value")
        for scorer in SCORERS:
            for n, m in SETS[:2]:
                row(f"{scorer}: {n}, {m}", *fitted(scorer, n, m, options.draws))
        print(f"\nrank of 40 pictures: held, width {order(options.draws)}\n")
        head("reals", "z = 0: held, width", "z = -2", "z = -10", "z = -100")
        for n in (60, 300):
            row(n, *shared(n, options.draws // 3))


if __name__ == "__main__":
    main()
