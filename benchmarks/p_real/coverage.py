"""Simulated raters, whose truth is known: how many of the human model's 95 % intervals hold it.

    python -m benchmarks.p_real.coverage --runs 200

Needs: nothing.
Takes: about fifteen minutes with 200 runs.

In each run 150 pictures are judged and 100 others predicted. 40 columns with standard deviations from 2 to 0.2; t is a
random linear function of them with standard deviation 1; each picture has a deviation of its own, normal with standard
deviation 0.3, 0.7 or 1.2 in turn, which no column tells. Judgements, on the logit scale:

- votes: 3 a picture; pairs: 600 pairs at random, 3 votes each; ratings: 5 of 10 raters a picture, 5 levels, raters
  differ in severity (standard deviation 0.5);
- together: 2 votes and 2 ratings a picture, 300 pairs with 2 votes; the ratings tell pictures apart 1.5 times as well.

Truth: the picture's own probability of "real"; of being preferred to a picture whose t is the mean of those judged;
its expected rating by these ten raters. Coverage: mean over runs of the share of the 100 intervals that hold it, and
the 2.5 and 97.5 percentiles over runs.
"""

from __future__ import annotations

import numpy as np

from benchmarks.intervals import around
from benchmarks.shared import command, head, results, row, say
from giqa.scorers.judgements import JudgementModel
from giqa.stats import PairLikelihood, RatingLikelihood, VoteLikelihood, sigmoid
from giqa.stats.likelihoods import FAINT
from giqa.types import Features

JUDGED, ASKED, COLUMNS, RATERS = 150, 100, 40, 10
DEVIATIONS = (0.3, 0.7, 1.2)
CUTS = np.array([-2, -0.7, 0.5, 1.8])
KINDS = ("votes", "pairs", "ratings")


class World:
    """Pictures and raters of one run."""

    def __init__(self, seed: int):
        self.rng = rng = np.random.default_rng(seed)
        n = JUDGED + ASKED
        x = rng.normal(size=(n, COLUMNS)) * np.linspace(2, 0.2, COLUMNS)
        t = x @ rng.normal(size=COLUMNS)
        t = (t - t[:JUDGED].mean()) / t.std()
        self.t = t + DEVIATIONS[seed % 3] * rng.normal(size=n)
        self.features = Features(tuple(map(str, range(n))), {"pooled": x})
        self.severity = 0.5 * rng.normal(size=RATERS)

    def votes(self, each: int = 3) -> tuple[VoteLikelihood, np.ndarray]:
        p = sigmoid(self.t - 0.3)
        real = self.rng.binomial(each, p[:JUDGED]).astype(float)
        return VoteLikelihood(np.arange(JUDGED), real, np.full(JUDGED, float(each))), p

    def pairs(self, number: int = 600, each: int = 3) -> tuple[PairLikelihood, np.ndarray]:
        left = self.rng.integers(JUDGED, size=number)
        right = (left + self.rng.integers(1, JUDGED, size=number)) % JUDGED
        wins = self.rng.binomial(each, sigmoid(self.t[left] - self.t[right])).astype(float)
        return PairLikelihood(left, right, wins, np.full(number, float(each))), sigmoid(self.t - self.t[:JUDGED].mean())

    def ratings(self, each: int = 5, unit: float = 1.0) -> tuple[RatingLikelihood, np.ndarray]:
        given = np.full((JUDGED, len(CUTS) + 1), FAINT / JUDGED)
        for picture in range(JUDGED):
            raters = self.rng.permutation(RATERS)[:each]
            felt = unit * self.t[picture] + self.severity[raters] + self.rng.logistic(size=each)
            np.add.at(given[picture], (felt[:, None] > CUTS).sum(axis=1), 1)
        above = sigmoid(unit * self.t[:, None, None] + self.severity[:, None] - CUTS)
        return RatingLikelihood(np.arange(JUDGED), given), 1 + above.sum(axis=2).mean(axis=1)


def held(seed: int, kinds: tuple[str, ...]) -> dict[str, tuple[float, float, float]]:
    """Share of intervals that hold the truth, their width, and the correlation of the value with it, by kind."""
    world = World(seed)
    if len(kinds) == 1:
        made = {kinds[0]: {"votes": world.votes, "pairs": world.pairs, "ratings": world.ratings}[kinds[0]]()}
    else:
        made = {"votes": world.votes(2), "pairs": world.pairs(300, 2), "ratings": world.ratings(2, 1.5)}
    likelihoods = {kind: likelihood for kind, (likelihood, _) in made.items()}
    model = JudgementModel(seed=seed).fit(world.features.rows(slice(JUDGED)), likelihoods)
    found = {}
    for kind, (value, low, high) in model.predict(world.features.rows(slice(JUDGED, None))).items():
        truth = made[kind][1][JUDGED:]
        within = (low <= truth) & (truth <= high)
        found[kind] = within.mean(), np.mean(high - low), np.corrcoef(value, truth)[0, 1]
    return found


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--runs", type=int, default=200, help="of each row (%(default)s)")
    options = parser.parse_args()
    with results(options):
        head("learned from", "predicted", "coverage", *(f"deviation {d}" for d in DEVIATIONS), "width", "correlation")
        for kinds in (*((kind,) for kind in KINDS), KINDS):
            runs = [held(seed, kinds) for seed in range(options.runs)]
            say(f"{kinds}: {options.runs} runs")
            for kind in kinds:
                share, width, correlation = np.array([run[kind] for run in runs]).T
                by = (f"{share[np.arange(len(share)) % 3 == i].mean():.3f}" for i in range(3))
                coverage = around(share, share.mean(), len(share))
                row(" + ".join(kinds), kind, coverage, *by, f"{width.mean():.3f}", f"{correlation.mean():.3f}")


if __name__ == "__main__":
    main()
