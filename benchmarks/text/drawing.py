"""Text: is badly drawn type told from good and put in order, and is good type let alone in a bad picture?

    python -m benchmarks.text.drawing --lines 20 --sets 10

Needs: giqa[text], fontconfig with the font packages of training/README.md, and Debian's word lists.
Takes: about a minute.

Every fifth font family and every fifth word are never trained on, and neither are the kinds "doubled" and "joined" of
damage (`training/typeset.py`, `training/letter_damage.py`); here nothing else is used. Type of 40 px, one or two words,
in the scripts and colours of the training.

lightest    AUC of clean lines against the same lines with one kind of damage at its lightest visible level, by
            1 - damage as the network says it, and by the confidence of PP-OCRv5's recogniser in what it reads. For
            "melted" that is 1.5 px: 95 of 100 points move less
order       Spearman's correlation of strength and `text_quality` within a series of one line: clean and six strengths
nuisance    share of clean lines called damaged, at the threshold that calls 2 % of clean lines as they are so
interval    share of lines, of any kind and strength, whose true place on the scale lies in the 95 % interval
best of 5   share of sets of five pictures of one text (512 px; other font, place and colour each; strengths 0.05, 0.25,
            0.45, 0.65, 0.85; one kind each) where the least damaged is taken, by the mean over the lines found, and by
            the worst of them
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from benchmarks.intervals import share
from benchmarks.shared import command, head, names, results, row, say
from benchmarks.text._type import auc, cases, letter_damage, nuisances, picture, typeset
from giqa.stats.ranks import spearman
from giqa.text import find_text
from giqa.text.damage import LEVELS, damage_of, quality_of
from giqa.text.recognise import read_line

SEED = 20261130
STRENGTHS = (0.0, 0.07, 0.15, 0.27, 0.42, 0.6, 0.9)
FIVE = (0.05, 0.25, 0.45, 0.65, 0.85)


def true_quality(u: float) -> float:
    """1 minus the share of the levels that a strength passes."""
    return 1 - float(np.mean(u > np.array(LEVELS)))


def lightest(lines: int, kinds: Sequence[str]) -> None:
    head("damage at its lightest", "trained on", "AUC", "AUC of confidence", "confidence clean", "damaged")
    whole = defaultdict(list)
    for kind in kinds:
        found = defaultdict(list)
        for case in cases(kind, lines, SEED):
            for name, u in (("clean", 0.0), ("damaged", 0.1)):
                crop = case.crop(u)
                found[name].append((quality_of(damage_of(crop))[0], read_line(crop)[1]))
        clean, bad = (np.array(found[name]) for name in ("clean", "damaged"))
        values = [auc(bad[:, k], clean[:, k]) for k in (0, 1)]
        for name, value in zip(("ours", "confidence"), values, strict=True):
            whole[name].append(value)
        means = [f"{part[:, 1].mean():.3f}" for part in (clean, bad)]
        row(kind, "no" if kind in letter_damage.HELD_OUT else "yes", *(f"{value:.3f}" for value in values), *means)
    row("mean of these kinds", "", *(f"{np.mean(whole[name]):.3f}" for name in ("ours", "confidence")), "", "")


def order(lines: int, kinds: Sequence[str]) -> None:
    head("order within a series", "trained on", "Spearman, mean", "in the 95 % interval")
    covered = []
    for kind in kinds:
        values, inside = [], []
        for case in cases(kind, lines, SEED + 1):
            said = [quality_of(damage_of(case.crop(u))) for u in STRENGTHS]
            values.append(spearman(np.array([q for q, _, _ in said]), -np.array(STRENGTHS)))
            inside += [
                low - 1e-9 <= true_quality(u) <= high + 1e-9 for (_, low, high), u in zip(said, STRENGTHS, strict=True)
            ]
        covered += inside
        row(kind, "no" if kind in letter_damage.HELD_OUT else "yes", f"{np.mean(values):.3f}", share(inside))
    row("all", "", "", share(covered))


def nuisance(lines: int, kinds: Sequence[str]) -> None:
    clean = [case.crop() for kind in ("melted", "missing") for case in cases(kind, 2 * lines, SEED + 2)]
    plain = np.array([quality_of(damage_of(crop))[0] for crop in clean])
    threshold = float(np.quantile(plain, 0.02))
    head("clean type", f"called damaged, below {threshold:.2f}")
    row("as it is", share(plain < threshold))
    for name, change in nuisances().items():
        row(name, share([quality_of(damage_of(change(crop)))[0] < threshold for crop in clean]))


def best_of_five(sets: int, kinds: Sequence[str]) -> None:
    head("best of five by `text_quality`", "mean of the lines", "worst line", "text found")
    groups = {"kinds of the training": [kind for kind in kinds if kind not in letter_damage.HELD_OUT]}
    groups["other kinds"] = [kind for kind in kinds if kind in letter_damage.HELD_OUT]
    for name, some in filter(all, groups.items()):
        taken, seen = defaultdict(list), []
        for number in range(sets):
            rng = np.random.default_rng((SEED, 5, number, len(some)))
            text, found = typeset.a_text("la", True, rng), defaultdict(list)
            for u in FIVE:
                kind = some[rng.integers(len(some))]
                while kind not in letter_damage.kinds(line := typeset.set_line(rng, True, 56, text, "la")):
                    kind = some[rng.integers(len(some))]
                lines = find_text(picture(line, kind, u, int(rng.integers(1 << 30))))
                seen.append(len(lines) > 0)
                found["mean"].append(lines.text_quality[0] if len(lines) else -1.0)
                found["worst"].append(lines.quality[:, 0].min() if len(lines) else -1.0)
            for how, values in found.items():
                taken[how].append(int(np.argmax(values)) == 0)
        row(name, share(taken["mean"]), share(taken["worst"]), share(seen))


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--lines", type=int, default=100, help="of each kind (%(default)s)")
    parser.add_argument("--sets", type=int, default=60, help="of five pictures (%(default)s)")
    parser.add_argument("--kinds", type=names(*letter_damage.LIGHTEST), default=list(letter_damage.LIGHTEST))
    parser.add_argument("--only", choices=["lightest", "order", "nuisance", "best"], help="one table")
    options = parser.parse_args()
    parts = {"lightest": lightest, "order": order, "nuisance": nuisance, "best": best_of_five}
    with results(options):
        for name, part in parts.items():
            if options.only in (None, name):
                say(name)
                part(options.sets if name == "best" else options.lines, options.kinds)


if __name__ == "__main__":
    main()
