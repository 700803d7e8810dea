"""The human model on made-up votes, whose truth is known; `real_votes.py` has those of people.

    python -m benchmarks.p_real.simulated_votes --simulations 5 --only faces

Needs: lfw-dcgan, lfw-dcgan-progress and cifar10-dcgan-progress of --data.
Takes: hours, not measured as a whole; faces with --simulations 2 about 2 minutes.

Distances: variant A on the embedded network's `mid` and `high`, variant C (17 x 17 places) on `low`. References: 400
real LFW faces of `lfw-dcgan` for faces, the 128 real tiles for CIFAR.

- faces, CIFAR: 400 pictures of the DCGAN's epochs 0 to 24 on faces, 400 of the two CIFAR runs. Raters are made up: on
  the logit scale, 3 (epoch/24)^(1/2) - 2, and a deviation of 0.5 a picture (`by epoch`). What the distances can say of
  that, a logistic function fitted to it once, is another truth (`by distance`), which the model could have exactly.
  For each of the simulations 200 pictures get 3 votes each (or 1); fitted with `recommended` and 100 resamples, on the
  three distances, or with the z of seven layers beside them (`MultiLayer(levels=None).layer_z`, fitted on the same
  references). Reported of the other 200 pictures: how many of the 95 % intervals of p_real hold the picture's own
  probability, and their mean width; the same of the intervals of pictures like it (`own=False`); how many epochs' mean
  probabilities lie between the means of the intervals' ends; and the rank correlation of p with the truth. `other run`:
  the pictures of one CIFAR run have votes, and those of the other run are predicted.
"""

from __future__ import annotations

import numpy as np

from benchmarks.data import pictures, raters
from benchmarks.intervals import over_splits, spearman
from benchmarks.p_real._columns import Measure, only
from benchmarks.shared import command, head, names, results, row
from giqa.scorers.human import HumanModel
from giqa.stats import sigmoid
from giqa.stats.logistic import fit_logistic
from giqa.types import Features

SETS = {"faces": ("lfw-dcgan", "lfw-dcgan-progress"), "CIFAR": ("cifar10-dcgan-progress", "cifar10-dcgan-progress")}


def simulated(name: str, features: Features, table: dict[str, list], simulations: int) -> None:
    epochs = np.array(table["epoch"], float)
    runs = np.unique(table["run"], return_inverse=True)[1]
    logits = raters(epochs)
    kinds = {"distances": only(features, ".distance"), "distances and z": only(features, ".distance", ".z")}
    x = np.log1p(kinds["distances"].matrix().astype(float))
    x = (x - x.mean(0)) / x.std(0)
    w = fit_logistic(x, sigmoid(logits), np.ones(len(x)))
    by_distance = np.tile(sigmoid(x @ w[1:] + w[0]), (simulations, 1))
    deviations = np.stack([np.random.default_rng(seed).normal(size=len(x)) for seed in range(simulations)])
    by_epoch = sigmoid(logits + 0.5 * deviations)
    cases = [("by distance", by_distance, 3, False), ("by epoch", by_epoch, 3, False), ("by epoch", by_epoch, 1, False)]
    cases += [("by epoch, other run", by_epoch, 3, True)] if len(np.unique(runs)) == 2 else []
    for truth_name, truths, voters, other_run in cases:
        for kind, of in kinds.items():
            rows = []
            for seed, truth in enumerate(truths):
                rng = np.random.default_rng(100_000 + seed)
                order = rng.permutation(len(x))
                order = np.r_[order[runs[order] == seed % 2], order[runs[order] != seed % 2]] if other_run else order
                fitted, rest = order[:200], order[200:]
                votes = np.c_[np.full(200, voters), rng.binomial(voters, truth[fitted])]
                model = HumanModel(resamples=100, seed=seed).fit(of.rows(fitted), votes)
                rows.append(recovered(model, of.rows(rest), truth[rest], epochs[rest]))
            own, width, like, narrow, means, rho = np.array(rows).T
            shares = (f"{column.mean():.3f}" for column in (width, like, narrow, means))
            row(f"{name}, {truth_name}", voters, kind, over_splits(own), *shares, over_splits(rho))


def recovered(model: HumanModel, features: Features, truth: np.ndarray, epochs: np.ndarray) -> tuple[float, ...]:
    """Share of intervals that hold the truth, and their width, of own p and of pictures like it; epochs; Spearman."""
    p, low, high = model.p_real(features)
    _, low_like, high_like = model.p_real(features, own=False)
    held = [low[e].mean() <= truth[e].mean() <= high[e].mean() for e in (epochs == one for one in np.unique(epochs))]
    return (
        np.mean((low <= truth) & (truth <= high)),
        np.mean(high - low),
        np.mean((low_like <= truth) & (truth <= high_like)),
        np.mean(high_like - low_like),
        np.mean(held),
        spearman(p, truth),
    )


def main() -> None:
    parser = command(__file__, __doc__, "data")
    parser.add_argument("--simulations", type=int, default=200, help="a row (%(default)s)")
    parser.add_argument("--only", type=names(*SETS), default=list(SETS), metavar="NAME,NAME", help=", ".join(SETS))
    options = parser.parse_args()
    columns = ("own p held", "width", "held by those of pictures like it", "width", "mean of an epoch held")
    with results(options):
        head("truth", "votes a picture", "features", *columns, "Spearman, unlabelled")
        for name in options.only:
            reals, fakes = (f"{options.data}/{folder}/labels.csv" for folder in SETS[name])
            measure = Measure(pictures(f"{reals}[kind=real]", 400)[0])
            pixels, table = pictures(f"{fakes}[kind=generated]", 400)
            simulated(name, measure(pixels), table, options.simulations)


if __name__ == "__main__":
    main()
