"""Do HYPE's 95 % intervals hold, and does a comparison find equal generators equal? Simulated studies of known truth.

    python -m benchmarks.votes.hype_intervals --studies 50

Needs: nothing.
Takes: about 4 minutes.

Each evaluator has an error rate of his or her own, normal around `mean` with standard deviation `sd`, cut off at 0 and
1, and judges 50 fakes and 50 reals of each of two equal generators: by other evaluators (independent) and by the same
ones (paired; there the rate of a generator varies by sd / 2 about the evaluator's own). "student" is what `hype` and
`compare` give, "paper" the percentile bootstrap over evaluators (2,000 resamples) of the HYPE paper. The truth is the
mean of the rates that were drawn from, after the cut. Exit status 1 when a "student" interval holds the truth in less
than 0.93 or finds equal generators different in more than 0.06. With `--beta`: rates from a beta distribution, most of
them 0 and a few high, which no interval can know of from a few people; exit status 0 then.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from benchmarks.shared import command, head, results, row
from giqa.votes.hype import compare, hype
from giqa.votes.labels import Sittings

EVALUATORS = (2, 3, 5, 10, 30)
SPREADS = ((0.3, 0.05), (0.3, 0.15), (0.5, 0.05), (0.5, 0.15), (0.1, 0.05), (0.02, 0.02), (0.02, 0.05), (0.0, 0.0))
BETA = ((0.1, 0.15), (0.02, 0.05))
ANSWERS, RESAMPLES = 50, 2000


def rates(rng: np.random.Generator, mean: float | np.ndarray, sd: float, n: int, beta: bool = False) -> np.ndarray:
    """Error rates of n evaluators."""
    if beta:
        strength = mean * (1 - mean) / sd**2 - 1
        return rng.beta(mean * strength, (1 - mean) * strength, n)
    return np.clip(rng.normal(mean, sd, n), 0, 1)


def sittings(rng: np.random.Generator, p: np.ndarray, generator: str, names: str) -> list[np.ndarray]:
    """What these evaluators do with one generator's pictures, as columns."""
    k, whole = len(p), np.full(len(p), float(ANSWERS))
    wrong = [rng.binomial(ANSWERS, p).astype(float) for _ in range(2)]
    who = np.array([f"{names}{i}" for i in range(k)])
    return [who, np.full(k, generator), whole, wrong[0], whole, wrong[1], whole, whole]


def studies(k: int, mean: float, sd: float, number: int, beta: bool) -> dict[str, list[float]]:
    """Of each method how often the truth is held and equals are told apart (independent, paired); the median width."""
    rng = np.random.default_rng([k, round(1000 * mean), round(1000 * sd)])
    truth = mean if beta else float(rates(np.random.default_rng(0), mean, sd, 1_000_000).mean())
    rows: dict[str, list[list[float]]] = {"student": [], "paper": []}
    for _ in range(number):
        a, b = (sittings(rng, rates(rng, mean, sd, k, beta), name, name) for name in "ab")
        own = rates(rng, mean, sd, k, beta)
        c, d = (sittings(rng, rates(rng, own, sd / 2, k), name, "r") for name in "cd")
        both, same = ([np.concatenate(column) for column in zip(*two, strict=True)] for two in ((a, b), (c, d)))
        for method, found in rows.items():
            error = hype(Sittings(*a), RESAMPLES, interval=method)[0].error
            apart = [
                not gap.low <= 0 <= gap.high
                for columns, names in ((both, "ab"), (same, "cd"))
                for gap in [compare(Sittings(*columns), *names, RESAMPLES, interval=method).difference]
            ]
            found.append([error.low <= truth <= error.high, *apart, error.high - error.low])
    return {m: [*np.mean(of, axis=0)[:3].tolist(), float(np.median(of, axis=0)[3])] for m, of in rows.items()}


def measure(number: int, beta: bool) -> int:
    """A row for each number of evaluators and spread; how many "student" intervals do not hold."""
    started, wrong = time.process_time(), 0
    head("evaluators", "mean, sd", "holds the truth", "equal ones told apart", "the same, paired", "median width")
    for mean, sd in BETA if beta else SPREADS:
        for k in EVALUATORS:
            found = studies(k, mean, sd, number, beta)
            pairs = zip(found["student"], found["paper"], strict=True)
            row(k, f"{mean:g}, {sd:g}", *(f"{student:.3f} ({paper:.3f})" for student, paper in pairs))
            held, apart, paired, _ = found["student"]
            wrong += held < 0.93 or apart > 0.06 or paired > 0.06
    print(f"\n{number} studies a row, student (paper); {time.process_time() - started:.0f} s of CPU time")
    return wrong


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--studies", type=int, default=400, help="a row (%(default)s)")
    parser.add_argument("--beta", action="store_true", help="error rates from a beta distribution")
    options = parser.parse_args()
    with results(options):
        wrong = measure(options.studies, options.beta)
    sys.exit(bool(wrong) and not options.beta)


if __name__ == "__main__":
    main()
