"""Learned scorers beside fitted and blind ones, in the form of the GIQA paper's Tables 1 and 5.

    python -m benchmarks.train.learned_scorers --only 'cifar to cifar' --no-sweep
    python -m benchmarks.train.learned_scorers --weights ../shared/weights --blind

Needs: cifar10-dcgan-progress, lfw-dcgan-progress, lfw-dcgan and, with --weights, gan-compression-2afc of --data; for
BRISQUE and NIQE, the folder with their parameters (--weights).
Takes: about 3 minutes once the features are in the store; each network minutes more.

Every method learns from one table of snapshots: the learned ones from all of it, the reference scorers (gmm, knn,
multilayer) from its reals. Then pictures of another table are scored.

- cifar to cifar: learned on the DCGAN run hvyd, judged on the run tiwarim, which is independent of it.
- faces to faces: learned on lfw-dcgan-progress, judged on lfw-dcgan. Both may come from one training run of the DCGAN.
- faces to cifar, cifar to faces: a stranger, learned on lfw-dcgan-progress and judged on the run tiwarim; learned on
  the run hvyd and judged on lfw-dcgan-progress.

Pairs: of two generated pictures at least 5 epochs apart, the share of pairs in which the later one scores higher, ties
half. AUC: reals against the pictures of epochs 20 to 24, or against all generated ones of lfw-dcgan. Reals of the
judged table that repeat one of the learned table are left out. Intervals: 95 %, bootstrap over pictures (1,000
resamples) of the judged table; what another training would change is not in them.

The default extractor was itself taught, among other things, to tell pictures of the run hvyd from its reals (its card
says so); `--extractor` takes one that was not. `--networks` also trains the small network for these learned scorers
(minutes each). `--weights` adds BRISQUE, and its rank correlation and NIQE's with the published columns of
gan-compression-2afc; `--blind` does that alone.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import giqa
from benchmarks.data import rows_of
from benchmarks.intervals import RESAMPLES, Figure, around, auc, over_pictures, spearman
from benchmarks.shared import command, head, names, results, row, say
from giqa.features.learned import Learned
from giqa.features.reader import extract
from giqa.images import open_source
from giqa.scorers.fixed import Value
from giqa.train.heads import train_heads
from giqa.types import Features

CIFAR, PROGRESS, FACES = "cifar10-dcgan-progress", "lfw-dcgan-progress", "lfw-dcgan"
SETTINGS = {  # name -> learned table, judged table
    "cifar to cifar": (f"{CIFAR}/labels.csv[run=hvyd]", f"{CIFAR}/labels.csv[run=tiwarim]"),
    "faces to faces": (f"{PROGRESS}/labels.csv", f"{FACES}/labels.csv"),
    "faces to cifar": (f"{PROGRESS}/labels.csv", f"{CIFAR}/labels.csv[run=tiwarim]"),
    "cifar to faces": (f"{CIFAR}/labels.csv[run=hvyd]", f"{PROGRESS}/labels.csv"),
}
Table = dict[str, dict[str, dict[str, Figure]]]  # setting -> method or N -> figure
SWEEP = (1, 2, 4, 6, 8, 10, 12)
GAP = 5


def pair_accuracy(scores: np.ndarray, epoch: np.ndarray) -> Figure:
    """Share of pairs of generated pictures, GAP epochs apart or more, that the score orders as the epochs do."""
    wins = (scores[:, None] > scores[None]) + 0.5 * (scores[:, None] == scores[None])
    counts = (epoch[:, None] - epoch[None] >= GAP).astype(float)
    drawn = np.random.default_rng(0).multinomial(len(scores), np.full(len(scores), 1 / len(scores)), RESAMPLES)
    won, of = (np.einsum("ri,ri->r", drawn @ matrix, drawn) for matrix in (wins * counts, counts))
    value = float((wins * counts).sum() / counts.sum())
    return around(won / of, value, int(counts.sum()))


def judged(score: Callable[[Features], np.ndarray], table: str, features: Features, spare: np.ndarray) -> dict:
    """Figures of one method on one table; `spare` are reals that were learned from."""
    columns = open_source(table).columns
    kind = np.array(columns["kind"])
    scores = score(features)
    real, figures = (kind == "real") & ~spare, {}
    late = kind == "generated"
    if "epoch" in columns:
        epoch = np.array([float(e or "nan") for e in columns["epoch"]])
        made = kind == "generated"
        figures["pairs"] = pair_accuracy(scores[made], epoch[made])
        late = epoch >= 20
    figures["AUC"] = over_pictures(auc, scores[real], scores[late], paired=False)
    return figures


def methods(table: str, extractor: str | None) -> dict[str, Callable[[Features], np.ndarray]]:
    """Name -> scores of features, learned from the table."""
    found: dict[str, Any] = {kind.upper(): train_heads(kind, table, extractor) for kind in ("mbc", "bc", "ir")}
    found["MBC, paper"] = train_heads("mbc", table, extractor, preset="paper")
    found["Rank"] = train_heads("rank", table, extractor)
    for name in ("gmm", "knn", "multilayer"):
        found[name] = giqa.fit(_reals(table), extractor, name)
    return {name: (lambda f, model=model: model.score(f)["score"]) for name, model in found.items()}


def table1(options: argparse.Namespace) -> Table:
    """Setting -> method -> figures."""
    table: Table = {}
    learned: dict[str, Any] = {}
    for name in options.only:
        first, second = (f"{options.data}/{table}" for table in SETTINGS[name])
        if first not in learned:
            learned[first] = methods(first, options.extractor), giqa.fit(_reals(first), options.extractor, "knn")
        scorers, reals = learned[first]
        features = extract(second, options.extractor).features
        spare = np.array([bool(real) for real in reals.score(features)["duplicate_of"]])
        say(f"{name}: {int(spare.sum())} judged pictures repeat a learned real")
        table[name] = {method: judged(score, second, features, spare) for method, score in scorers.items()}
        for method, extractor, scorer in others(first, options):
            numbers = extract(second, extractor).features
            scorer.fit(numbers)
            table[name][method] = judged(scorer.score_samples, second, numbers, spare)
        for method, figures in table[name].items():
            say(f"  {method}: {', '.join(f'{k} {v}' for k, v in figures.items())}")
    return table


def others(table: str, options: argparse.Namespace) -> list[tuple[str, Any, Any]]:
    """Methods with an extractor of their own: BRISQUE, and networks that learned from the table."""
    from giqa.scorers.brisque import BRISQUE

    found: list[tuple[str, Any, Any]] = []
    if options.weights:
        files = (str(options.weights / name) for name in ("brisque_svr_allmodel", "brisque_feature_range.csv"))
        found.append(("BRISQUE", "brisque", BRISQUE(*files)))
    if options.networks:
        from giqa.train.network import train_network

        for kind in options.networks:
            out = options.work / f"{kind}-{abs(hash(table))}.safetensors"
            if not out.exists():
                start = time.time()
                train_network(kind, table, out)
                say(f"  {kind}: the network learned in {time.time() - start:.0f} s")
            found.append((f"{kind.upper() if kind != 'rank' else 'Rank'}, small network", Learned(out), Value()))
    return found


def table5(options: argparse.Namespace) -> Table:
    """The sweep over N: setting -> N -> figures."""
    table: Table = {name: {} for name in options.only}
    for n in SWEEP:
        learned: dict[str, Any] = {}
        for name in options.only:
            first, second = (f"{options.data}/{table}" for table in SETTINGS[name])
            model = learned.setdefault(first, None) or train_heads("mbc", first, options.extractor, n_heads=n)
            learned[first] = model
            features = extract(second, options.extractor).features
            spare = np.zeros(len(features), bool)
            table[name][str(n)] = judged(lambda f, model=model: model.score(f)["score"], second, features, spare)
    return table


def blind(options: argparse.Namespace) -> None:
    """Spearman with the published columns of gan-compression-2afc."""
    print("\nSpearman with the published columns of gan-compression-2afc:\n")
    from giqa.features.blind import BrisqueStatistics
    from giqa.scorers.brisque import BRISQUE
    from giqa.scorers.niqe import NIQE

    folder = options.data / "gan-compression-2afc"
    published = {line["image"]: line for line in rows_of(folder / "objective_metrics.csv")}
    files = [str(options.weights / name) for name in ("brisque_svr_allmodel", "brisque_feature_range.csv")]
    for label, extractor, scorer, column in (
        ("BRISQUE, half cubic", "brisque", BRISQUE(*files), "brisque"),
        ("BRISQUE, half antialiased", BrisqueStatistics("antialias"), BRISQUE(*files), "brisque"),
        ("NIQE", "niqe", NIQE(str(options.weights / "niqe_image_params.mat")), "niqe"),
    ):
        features = extract(f"{folder}/labels.csv", extractor).features
        scores = scorer.fit(features).score_samples(features)
        given = np.array([-float(published[i][column]) for i in features.ids])
        print(f"- {label}: {over_pictures(spearman, scores, given)}")
    ours, theirs = noise_ratios(folder, published)
    off = ours - theirs
    low, middle, high = off.min(), np.median(off), off.max()
    print(f"- PSNR of these files less the published one, dB: {low:+.2f} to {high:+.2f}, median {middle:+.2f}")
    print(f"- PSNR, Spearman with the published column: {over_pictures(spearman, ours, theirs)}")


def noise_ratios(folder: Path, published: dict[str, dict[str, str]]) -> tuple[np.ndarray, np.ndarray]:
    """PSNR of each coded picture against the original of its scene, from these files and as published, dB.

    It is one formula, 10 log10(255^2 / mean squared error): where the two differ, other pictures were measured.
    """
    ours, theirs = [], []
    for name, line in published.items():
        if line["psnr"] and "original" not in name:
            coded, original = (
                np.asarray(Image.open(folder / file).convert("RGB"), np.float64)
                for file in (name, f"{name.partition('_')[0]}_original.jpg")
            )
            ours.append(10 * np.log10(255**2 / np.mean((coded - original) ** 2)))
            theirs.append(float(line["psnr"]))
    return np.array(ours), np.array(theirs)


def _reals(table: str) -> str:
    return f"{table[:-1]},kind=real]" if table.endswith("]") else f"{table}[kind=real]"


def print_table(table: Table, what: str) -> None:
    """Methods down; settings and figures across."""
    columns = [(name, figure) for name, found in table.items() for figure in next(iter(found.values()))]
    head(what, *(f"{name}: {figure}" for name, figure in columns))
    for method in next(iter(table.values())):
        row(method, *(table[name][method][figure] for name, figure in columns))


def plain(table: Table) -> dict:
    """The same without classes."""
    return {s: {m: {k: asdict(f) for k, f in of.items()} for m, of in by.items()} for s, by in table.items()}


def main() -> None:
    parser = command(__file__, __doc__, "data", "weights", "json")
    kinds = ("mbc", "bc", "ir", "rank")
    parser.add_argument("--blind", action="store_true", help="only the blind scorers, with --weights")
    parser.add_argument("--networks", type=names(*kinds), metavar="KIND,KIND", help="also networks: mbc, bc, ir, rank")
    parser.add_argument("--extractor", metavar="SPEC", help="of the heads and the reference scorers")
    parser.add_argument("--no-sweep", action="store_true", help="without Table 5")
    parser.add_argument("--only", choices=list(SETTINGS), nargs="+", default=list(SETTINGS), help="settings")
    options = parser.parse_args()
    if options.blind and not options.weights:
        parser.error("--blind needs --weights, the folder with the parameters of BRISQUE and NIQE")
    with results(options):
        if not options.blind:
            with tempfile.TemporaryDirectory() as work:
                options.work = Path(work)
                options.figures["table1"] = plain(first := table1(options))
            print_table(first, "method")
            if not options.no_sweep:
                options.figures["table5"] = plain(second := table5(options))
                print_table(second, "N")
        if options.weights:
            blind(options)


if __name__ == "__main__":
    main()
