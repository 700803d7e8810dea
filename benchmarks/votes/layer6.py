"""Known figures again, from the judgements of Stein et al. (2023): error rates, agreement, reliability.

    python -m benchmarks.votes.layer6

Needs: --humans.
Takes: 5 to 15 seconds.

At the end it says how far the figures lie from the published ones; exit status 1 when one is farther than it may be.
"""

from __future__ import annotations

import sys

import numpy as np

from benchmarks.shared import command, head, results, row
from giqa.votes.agreement import best_accuracy, pairwise_agreement, reliability, within_generator_reliability
from giqa.votes.hype import hype
from giqa.votes.layer6 import read_people

RATES = {  # published: mean, low, high
    "PFGMPP": (0.436, 0.415, 0.457), "LSGM-ODE": (0.437, 0.418, 0.456), "StyleGAN2-ada": (0.393, 0.369, 0.417),
    "WGAN-GP": (0.170, None, None), "RESFLOW": (0.088, 0.072, 0.104), "stylenat": (0.299, 0.262, 0.334),
    "DiT-XL-2-guided": (0.330, 0.305, 0.355), "admnet-dropout": (0.387, 0.348, 0.424),
}  # fmt: skip
AGREEMENT = {  # agreement, best predictor, reliability of 5, within generator
    "cifar10": (0.654, 0.74, 0.54, 0.38), "ffhq": (0.760, 0.83, 0.58, 0.54),
    "imagenet": (0.701, 0.78, 0.57, 0.55), "lsun": (0.680, 0.77, 0.52, 0.45),
}  # fmt: skip


def main() -> None:
    options = command(__file__, __doc__, "humans").parse_args()
    with results(options):
        wrong = measure(read_people(options.humans))
        print("\n" + ("; ".join(wrong) or "all within the bounds"))
    sys.exit(bool(wrong))


def measure(tables: dict) -> list[str]:
    """The tables; the figures that are farther from the published ones than they may be."""
    by_person, by_picture = (
        {name.rpartition("/")[2]: table for name, table in tables.items() if name.startswith(kind)}
        for kind in ("per-participant", "per-image")
    )
    columns = ("error rate", "fakes for real", "reals for fake", "d'", "criterion", "people", "published")
    head("data", "generator", *columns)
    wrong = [line for name, table in by_person.items() for line in rates(name, table)]
    columns = ("judgements", "agreement", "constant answer", "best possible", "mean of 5", "within", "published")
    head("data", *columns)
    wrong += [line for name, table in by_picture.items() for line in agreement(name, table)]
    readings(by_picture)
    return wrong


def rates(data: str, sat) -> list[str]:
    wrong = []
    for h in hype(sat, interval="paper"):  # as the published intervals were made
        published = RATES.get(h.generator)
        said = ""
        if published:
            mean, low, high = published
            said = f"{mean:.3f}" + (f" [{low:.3f}, {high:.3f}]" if low else "")
            off = [abs(h.error.value - mean) > 0.001]
            off += [abs(h.error.low - low) > 0.003, abs(h.error.high - high) > 0.003] if low else []
            wrong += [f"{h.generator} {h.error} against {said}"] if any(off) else []
        row(data, h.generator, h.error, h.fake_error, h.real_error, h.d_prime, h.criterion, h.error.n, said)
    return wrong


def agreement(data: str, counts) -> list[str]:
    of = counts.rows(counts.kind == "generated")
    share = of.n_real.sum() / of.n.sum()
    found = (
        pairwise_agreement(of.n, of.n_real),
        best_accuracy(of.n, of.n_real),
        reliability(of.n, of.n_real, k=5),
        within_generator_reliability(of.n, of.n_real, of.generator, k=5),
    )
    agree, *others = (f"{x:.3f}" for x in found)
    published = " / ".join(f"{x:g}" for x in AGREEMENT[data])
    row(data, f"{of.n.sum():,.0f}", agree, f"{max(share, 1 - share):.3f}", *others, published)
    off = np.abs(np.subtract(found, AGREEMENT[data]))
    names = ("agreement", "best possible", "reliability", "within")
    return [f"{data} {n} is off by {o:.4f}" for n, o in zip(names, off, strict=True) if o > 0.005]


def readings(tables) -> None:
    """Other readings of "reliability of a mean of 5" and of "within generator", beside the one that comes out."""
    columns = ("fit, 1 vote or more", "pairs, 1 or more", "pairs, 2 or more", "within: mean", "within: pooled")
    head("data", *columns)
    for name, counts in tables.items():
        of = counts.rows(counts.kind == "generated")
        twice = of.n >= 2
        cells = (
            reliability(of.n, of.n_real, k=5),
            by_pairs([(of.n, of.n_real)]),
            by_pairs([(of.n[twice], of.n_real[twice])]),
            within_generator_reliability(of.n, of.n_real, of.generator, k=5),
            by_pairs([(of.n[g], of.n_real[g]) for g in (of.generator == one for one in np.unique(of.generator))]),
        )
        row(name, *(f"{x:.3f}" for x in cells))


def by_pairs(groups, k: int = 5) -> float:
    """Spearman-Brown of 1 - disagreement of pairs / (2 p (1 - p)); over groups, both are averaged by pictures."""
    within = total = 0.0
    for n, real in groups:
        p = real.sum() / n.sum()
        within += len(n) * (1 - pairwise_agreement(n, real)) / 2
        total += len(n) * p * (1 - p)
    one = 1 - within / total
    return k * one / (1 + (k - 1) * one)


if __name__ == "__main__":
    main()
