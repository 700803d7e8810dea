"""Votes that say nothing of the pictures, and votes that say something: what the least gain of `HumanModel` changes.

    python -m benchmarks.p_real.random_votes --runs 60

Needs: nothing.
Takes: about four minutes with 60 runs.

Columns are distances, standard log-normal. `signal` 0: every vote says real with the same chance. Else the logit of a
picture is signal times a random direction of log(1 + distance), standardised, plus a deviation of its own with standard
deviation 0.5. "before": C is the best of cross-validation, whatever it gains. "after": the least C where other folds
show a gain below `LEAST_GAIN`. Of 200 pictures without votes, means over runs:

- off the share: mean distance of p from the share of real votes; farthest: that of the farthest picture, its 95th
  percentile over runs; held: share of the 95 % intervals that hold the share (signal 0) or the picture's own p;
- gain: nats a vote over that share, by the known truth; not the least C: share of runs.
"""

from __future__ import annotations

import warnings

import numpy as np

from benchmarks.shared import command, head, results, row
from giqa.scorers import human
from giqa.scorers.human import STRENGTHS, HumanModel
from giqa.stats import logit, sigmoid

ASKED = 200
SETTINGS = ((40, 3, 5), (100, 1, 8), (100, 3, 8), (300, 3, 8))  # pictures, votes each, columns
CHANCES = (0.4, 0.5, 0.3, 0.5)
now = human.chosen_strength


def best_alone(x, real, votes, folds, groups):
    """The C of before."""
    return STRENGTHS[int(np.argmax([human.cross_validated(x, real, votes, folds, c) for c in STRENGTHS]))]


def one(n: int, each: int, columns: int, chance: float, signal: float, seed: int) -> tuple[float, ...]:
    rng = np.random.default_rng(seed)
    distances, way = rng.lognormal(size=(n + ASKED, columns)), rng.normal(size=columns)
    x = np.log1p(distances)
    t = (x - x.mean(axis=0)) / x.std(axis=0) @ way / np.linalg.norm(way)
    p = sigmoid(logit(np.full(n + ASKED, chance)) + signal * t + (0.5 * rng.normal(size=len(t)) if signal else 0))
    real = rng.binomial(each, p[:n])
    model = HumanModel(resamples=50, seed=seed).fit(distances[:n], np.c_[np.full(n, each), real])
    said, low, high = model.p_real(distances[n:])
    share, truth = real.sum() / n / each, p[n:]
    off, aim = np.abs(said - share), truth if signal else share
    gain = truth * np.log(said / share) + (1 - truth) * np.log((1 - said) / (1 - share))
    held = np.mean((low <= aim) & (aim <= high))
    return float(off.mean()), float(off.max()), float(held), float(gain.mean()), float(np.log10(model.C_) > -4)


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--runs", type=int, default=60, help="of each row (%(default)s)")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with results(options):
        head("signal", "pictures x votes", "", "off the share", "farthest", "held", "gain", "not the least C")
        for signal in (0.0, 0.4, 0.8):
            for (n, each, columns), chance in zip(SETTINGS, CHANCES, strict=True):
                for when, rule in (("before", best_alone), ("after", now)):
                    human.chosen_strength = rule
                    runs = [one(n, each, columns, chance, signal, seed) for seed in range(options.runs)]
                    off, farthest, held, gain, not_least = np.array(runs).T
                    numbers = f"{off.mean():.4f}", f"{np.quantile(farthest, 0.95):.3f}", f"{held.mean():.3f}"
                    row(
                        f"{signal:g}", f"{n} x {each}", when, *numbers, f"{gain.mean():+.4f}", f"{not_least.mean():.2f}"
                    )


if __name__ == "__main__":
    main()
