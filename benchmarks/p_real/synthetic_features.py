"""The whole evaluation on 204,200 judgements by people, with features whose worth is known.

    python -m benchmarks.p_real.synthetic_features --only cifar10

Needs: per-image/ of --humans.
Takes: not measured as a whole; a data set takes more than a minute of processor time.

The pictures of Stein et al. (2023) are not here, their votes are. Each generated picture gets a probability p that its
votes allow: a draw from Beta(a + real votes, b + fake votes), (a, b) fitted to its generator. If that model of people
holds, such p and the votes are what they would be for the true p. Features of the picture are the log odds of p, each
with normal noise of its own (standard deviation 1, 2 and 4 times that of the log odds), and one column of noise alone.
Tables 1 and 2 are of all data, 3 and 4 of those named by --only.

1. `giqa evaluate` on the people's votes: a `HumanModel` of the four columns, cross-validated, and each generator left
   out. "Known": the rank correlation with p of the best linear combination of the columns.
2. What more votes a picture would give: the best possible correlation with the mean of k votes, from the beta fits;
   and how much pictures of one generator differ, in logits (`giqa.scorers.random_effect`), lowest to highest generator.
3. What is learned from how many labelled pictures (`--learning-curve`).
4. 600 votes on 600, 300, 200, 120 or 60 pictures: votes are drawn with probability p, a model is fitted, and 1,000
   other pictures are predicted, 50 times. Nats a vote above knowing p; the intervals of p_real, which should hold p.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.shared import command, head, names, results, row
from giqa.evaluate.evaluate import evaluate
from giqa.scorers.human import HumanModel
from giqa.scorers.random_effect import SPREADS, spread_posterior
from giqa.stats import spearman
from giqa.types import Features
from giqa.votes.agreement import fit_beta, within_generator_reliability
from giqa.votes.labels import Counts
from giqa.votes.layer6 import read_people

NOISE = (1.0, 2.0, 4.0)  # of a feature, in standard deviations of the log odds
SPLITS = (1, 2, 3, 5, 10)  # votes a picture
BUDGET = 600
TIMES = 50
DATA = ("cifar10", "ffhq", "imagenet", "lsun")


def stand_ins(counts: Counts, seed: int = 0) -> tuple[np.ndarray, Features]:
    """p of each picture, (n,), and its features."""
    rng = np.random.default_rng(seed)
    p = np.empty(len(counts))
    for one in np.unique(counts.generator):
        of = counts.generator == one
        a, b = fit_beta(counts.n[of], counts.n_real[of])
        p[of] = rng.beta(a + counts.n_real[of], b + counts.n[of] - counts.n_real[of])
    p = np.clip(p, 1e-6, 1 - 1e-6)
    odds = np.log(p / (1 - p))
    columns = {f"noise {k:g}": odds + k * odds.std() * rng.normal(size=len(p)) for k in NOISE}
    columns["nothing"] = rng.normal(size=len(p))
    names = tuple(counts.image.tolist())
    return p, Features(names, {name: column[:, None] for name, column in columns.items()})


def known(p: np.ndarray, features: Features, generator: np.ndarray) -> tuple[float, float]:
    """Rank correlation with p of the best linear combination, over all and within generators."""
    x = np.c_[np.ones(len(p)), features.matrix()]
    best = x @ np.linalg.lstsq(x, np.log(p / (1 - p)), rcond=None)[0]
    groups = [generator == one for one in np.unique(generator)]
    within = sum(spearman(best[g], p[g]) * g.sum() for g in groups) / len(p)
    return spearman(best, p), within


def evaluated(name: str, counts: Counts, curve: bool, resamples: int = 200) -> list[tuple]:
    """Prints the row of the first table; with a `curve`, the cells of those of the third."""
    p, features = stand_ins(counts)
    found = evaluate(features, counts, resamples=resamples, learning_curve=curve)
    f, (over, within) = found.figures, known(p, features, counts.generator)
    left = np.average([g.accuracy.value for g in found.generators], weights=[g.votes for g in found.generators])
    constant = np.average([g.constant.value for g in found.generators], weights=[g.votes for g in found.generators])
    row(
        name,
        found.judgements,
        f"{over:.3f}",
        f["Spearman"],
        f["Spearman, disattenuated"],
        f"{within:.3f}",
        f["Spearman within generator, disattenuated"],
        f["accuracy"],
        f"{left:.3f}",
        f"{f['constant answer'].value:.3f} / {constant:.3f}",
        f"{f['best possible accuracy'].value:.3f}",
    )
    return [(name, step.pictures, step.votes, step.accuracy, step.log_loss) for step in found.learning]


def ceilings(name: str, counts: Counts) -> None:
    """A row of the best correlation with the mean of k votes, over all pictures and within generators."""
    a, b = fit_beta(counts.n, counts.n_real)
    cells = []
    for k in (1, *SPLITS[1:], 20):
        within = within_generator_reliability(counts.n, counts.n_real, counts.generator, k=k)
        cells.append(f"{np.sqrt(k / (a + b + k)):.2f} / {np.sqrt(within):.2f}")
    found = sorted(spread(counts.rows(counts.generator == one)) for one in np.unique(counts.generator))
    cells.append(f"{found[0]:.2f} to {found[-1]:.2f}")
    row(name, len(counts), f"{counts.n.mean():.2f}", *cells)


def spread(counts: Counts) -> float:
    """The standard deviation of the log odds of pictures of which nothing is known."""
    share = counts.n_real.sum() / counts.n.sum()
    logits, nothing = np.full(len(counts), np.log(share / (1 - share))), np.zeros(len(counts))
    return float(spread_posterior(logits, nothing, counts.n_real, counts.n) @ SPREADS)


def budget(name: str, counts: Counts) -> None:
    """A row for each way to spend the votes."""
    p, features = stand_ins(counts, seed=1)
    for each in SPLITS:
        found = []
        for seed in range(TIMES):
            rng = np.random.default_rng((seed, each))
            picked = rng.permutation(len(p))[: BUDGET // each + 1000]
            some, others = picked[: BUDGET // each], picked[BUDGET // each :]
            votes = np.c_[np.full(len(some), each), rng.binomial(each, p[some])]
            model = HumanModel(resamples=100, seed=seed).fit(features.rows(some), votes)
            q, low, high = model.p_real(features.rows(others))
            t = p[others]
            excess = t * np.log(t / q) + (1 - t) * np.log((1 - t) / (1 - q))
            found.append((excess.mean(), np.mean((low <= t) & (t <= high)), np.mean(high - low), model.spreads_.mean()))
        row(name, BUDGET // each, each, *(f"{x:.3f}" for x in np.mean(found, axis=0)))


def measure(tables: dict[str, Counts], chosen: Sequence[str]) -> None:
    """The four tables."""
    columns = ("data", "votes", "Spearman, known", "with shares", "disattenuated", "known within", "disattenuated")
    head(*columns, "accuracy", "generator left out", "constant: all / left out", "best possible")
    steps = [step for name, counts in tables.items() for step in evaluated(name, counts, name in chosen)]
    head("data", "pictures", "votes each", *(f"mean of {k}" for k in (1, *SPLITS[1:], 20)), "sd")
    for name, counts in tables.items():
        ceilings(name, counts)
    head("data", "labelled pictures", "votes", "accuracy", "nats a vote")
    for step in steps:
        row(*step)
    head("data", "pictures", "votes each", "nats above knowing p", "own p held", "width", "sd found")
    for name in chosen:
        budget(name, tables[name])


def main() -> None:
    parser = command(__file__, __doc__, "humans")
    parser.add_argument("--only", type=names(*DATA), default=DATA, metavar="NAME,NAME", help=", ".join(DATA))
    options = parser.parse_args()
    with results(options):
        votes = {name.rpartition("/")[2]: t for name, t in read_people(options.humans / "per-image").items()}
        measure({name: table.rows(table.kind == "generated") for name, table in votes.items()}, options.only)


if __name__ == "__main__":
    main()
