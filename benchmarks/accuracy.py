"""How well scores tell real from generated, and early epochs from late ones.

    python benchmarks/accuracy.py --data ../shared/data \
        --weights ../shared/weights/inception_v3_2015_12_05_to_mixed_7a.safetensors

No generated picture is ever seen in fitting. Three questions, each with a 95 % interval:

- faces: AUC of held-out real LFW faces against DCGAN faces. Fitted on 500 of the 978 reals (seed 0); the other 478
  against all 1,000 generated; interval by bootstrap over pictures (1,000 resamples).
- epochs: Spearman correlation of the score with the training epoch, all 1,600 pictures of epochs 0 to 24, scored by
  the same model; interval by bootstrap over pictures.
- places: AUC of real scenes against SinGAN and GPNN versions, 20 random splits: fitted on the reals of 25 scenes,
  judged on the other 25 scenes; the interval is the 2.5 to 97.5 percentile over splits. Three ways: as the files are
  (reals JPEG, generated PNG: part of what is found is the file format); "recoded": every picture coded as JPEG 75;
  "matched": what `--match` chooses, one size and one coding, so that little of the reals' JPEG past is left.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
from scipy.stats import rankdata, spearmanr

from giqa import __version__
from giqa.extraction import extract, make_extractor
from giqa.images import open_source
from giqa.images.match import Match, choose_match
from giqa.images.profile import profile
from giqa.pipeline import make_scorer
from giqa.types import Features

SCORERS = ("gmm", "sgm", "knn")
SEVERAL = ("multilayer", "multilayer(combine='white')", "multilayer(combine='min')")  # one Gaussian a layer
MIDDLE = ("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b")  # see docs/combination.md
RESAMPLES = 1000
SPLITS = 20


def auc(reals: np.ndarray, fakes: np.ndarray) -> float:
    """Probability that a real scores above a fake, ties half."""
    ranks = rankdata(np.r_[reals, fakes])
    n = len(reals)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * len(fakes)))


def bootstrap(statistic, *columns: np.ndarray, paired: bool) -> str:
    """The statistic with its 95 % interval over resampled pictures."""
    rng = np.random.default_rng(0)
    values = []
    for _ in range(RESAMPLES):
        if paired:
            pick = rng.integers(len(columns[0]), size=len(columns[0]))
            values.append(statistic(*(c[pick] for c in columns)))
        else:
            values.append(statistic(*(c[rng.integers(len(c), size=len(c))] for c in columns)))
    low, high = np.percentile(values, [2.5, 97.5])
    return f"{statistic(*columns):.3f} [{low:.3f}, {high:.3f}]"


def faces(
    reals: Features, fakes: Features, progress: Features, epochs: np.ndarray, names: list[str], scorer: str
) -> list[str]:
    order = np.random.default_rng(0).permutation(len(reals))
    model = make_scorer(scorer).fit(columns(reals.rows(order[:500]), names))
    sets = columns(reals.rows(order[500:]), names), columns(fakes, names)
    held_out, generated = (model.score_samples(features) for features in sets)
    along = model.score_samples(columns(progress, names))
    return [
        bootstrap(auc, held_out, generated, paired=False),
        bootstrap(lambda s, e: spearmanr(s, e)[0], along, epochs, paired=True),
    ]


def places(real: Features, generators: list[Features], names: list[str], scorer: str) -> list[str]:
    results = [[] for _ in generators]
    for split in range(SPLITS):
        order = np.random.default_rng(split).permutation(len(real))
        fitted, judged = order[:25], order[25:]
        model = make_scorer(scorer).fit(columns(real.rows(fitted), names))
        held_out = model.score_samples(columns(real.rows(judged), names))
        for result, generated in zip(results, generators, strict=True):
            result.append(auc(held_out, model.score_samples(columns(generated.rows(judged), names))))
    return [f"{np.mean(r):.3f} [{np.percentile(r, 2.5):.3f}, {np.percentile(r, 97.5):.3f}]" for r in results]


def columns(features: Features, names: list[str]) -> Features:
    """Some of the layers, in their order."""
    return Features(features.ids, {name: features.layers[name] for name in names}, features.info)


def by_scene(where: str, extractor, match) -> Features:
    """Features in the order of the scenes, so that rows of the sets belong together."""
    source = open_source(where)
    scene = dict(zip(source.ids, source.columns["scene"], strict=True))
    features = take(source, extractor, match)
    return features.rows(np.argsort([int(scene[i]) for i in features.ids], kind="stable"))


def take(where, extractor, match=None) -> Features:
    result = extract(where, extractor, match=match)
    if result.failures:
        sys.exit(f"could not read {result.failures}")
    print(f"  {len(result.features)} pictures of {getattr(where, 'name', where)}", file=sys.stderr)
    return result.features


def rows_of(extractor, groups: dict[str, list[str]], data: Path) -> list[list[str]]:
    """One row for each group of layers and each scorer."""
    lfw, progress, scenes = (f"{data}/{name}/labels.csv" for name in ("lfw-dcgan", "lfw-dcgan-progress", "places50"))
    reals, fakes = take(f"{lfw}[kind=real]", extractor), take(f"{lfw}[kind=generated]", extractor)
    along = open_source(f"{progress}[kind=generated]")
    epochs = np.array(along.columns["epoch"], int)
    along = take(along, extractor)
    where = [f"{scenes}[kind=real]", f"{scenes}[generator=singan]", f"{scenes}[generator=gpnn]"]
    match = choose_match(profile(open_source(where[0]), n=50), profile(open_source(f"{scenes}[kind=generated]"), n=100))
    ways = [[by_scene(w, extractor, m) for w in where] for m in (None, Match(coding="jpeg", quality=75), match)]
    rows = []
    for label, names in groups.items():
        for scorer in SEVERAL if label.startswith("several") else SCORERS:
            row = faces(reals, fakes, along, epochs, names, scorer)
            row += [cell for real, *generated in ways for cell in places(real, generated, names, scorer)]
            rows.append([label, scorer, *row])
            print("  " + " | ".join(rows[-1]), file=sys.stderr)
    print(f"  places50 matched by {match.spec()}", file=sys.stderr)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--weights", type=Path, help="an Inception file; without it only the statistics are measured")
    options = parser.parse_args()
    start = time.time()
    statistics = make_extractor("statistics(scales=3)")
    rows = rows_of(
        statistics,
        {
            "statistics(scales=1), the floor": ["scale_1"],
            "**statistics(scales=2)**": ["scale_1", "scale_2"],
            "statistics(scales=3)": ["scale_1", "scale_2", "scale_4"],
            "several: both scales": ["scale_1", "scale_2"],
        },
        options.data,
    )
    if options.weights:
        from giqa.features.inception import Inception
        from giqa.features.joined import Joined

        taps = Inception(weights=str(options.weights)).taps()
        both = {tap: [f"{tap}.mean", f"{tap}.std"] for tap in taps}
        groups = {f"inception {tap}": names for tap, names in both.items()}
        groups["several: inception Mixed_5b to Mixed_6b"] = [name for tap in MIDDLE for name in both[tap]]
        groups["several: inception, every layer"] = [name for names in both.values() for name in names]
        scales = ["scale_1", "scale_2"]
        groups["several: Mixed_5b to Mixed_6b and statistics"] = [n for tap in MIDDLE for n in both[tap]] + scales
        network = f"inception(weights={str(options.weights)!r}, layers={list(taps)!r})"
        rows += rows_of(Joined([network, "statistics"]), groups, options.data)
    heads = ["features", "scorer", "faces AUC", "epochs Spearman"]
    heads += [f"{generator}{way}" for way in ("", " recoded", " matched") for generator in ("SinGAN", "GPNN")]
    print("| " + " | ".join(heads) + " |")
    print("|---" * len(heads) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(
        f"\ngiqa {__version__}, {date.today()}, {os.cpu_count()} cores {platform.machine()}, "
        f"Python {platform.python_version()}, {time.time() - start:.0f} s"
    )


if __name__ == "__main__":
    main()
