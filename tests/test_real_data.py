"""What must hold on real pictures; skipped where ../shared is not there."""

import csv

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import spearmanr

import giqa
from giqa.cli import main
from giqa.features.reader import extract, make_extractor
from giqa.images import open_source
from giqa.model.fit import make_scorer
from giqa.testing import check_extractor, check_source

WEIGHTS = "weights/inception_v3_2015_12_05_to_mixed_7a.safetensors"


def auc(reals, fakes):
    return np.mean((reals[:, None] > fakes[None]) + 0.5 * (reals[:, None] == fakes[None]))


def some(where, every):
    source = open_source(where)
    return [source.path(i) for i in range(0, len(source), every)]


@pytest.mark.slow
def test_the_main_job_runs_on_real_pictures(shared, tmp_path):
    """giqa score on LFW DCGAN faces against real ones: every picture scored, almost all below the worst reals.

    A quarter of the pictures, named by a table as of the whole set.
    """
    with open(shared / "data/lfw-dcgan/labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = [row for kind in ("generated", "real") for row in [r for r in rows if r["kind"] == kind][::4]]
    table = tmp_path / "labels.csv"
    lines = [f"{shared / 'data/lfw-dcgan' / row['image']},{row['kind']}" for row in chosen]
    table.write_text("\n".join(["image,kind", *lines]) + "\n")
    result = CliRunner().invoke(
        main,
        [
            "score",
            f"{table}[kind=generated]",
            "--real",
            f"{table}[kind=real]",
            "-o",
            str(tmp_path / "s.csv"),
            "--report",
            str(tmp_path / "r.html"),
        ],
    )
    assert result.exit_code == 0, result.output
    scores = giqa.read_scores(tmp_path / "s.csv")
    assert scores.summary()["scored"] == 250 and scores.summary()["failed"] == 0
    assert scores.summary()["share_below_worst_5_percent"] > 0.95
    assert (tmp_path / "r.html").read_text().count("UklGR") >= 250  # how a WebP begins: each has its thumbnail


@pytest.mark.slow
def test_statistics_tell_faces_and_order_epochs(shared):
    """A sixteenth of the pictures: AUC at least .98 and Spearman with the epoch at least .9 (all: .998 and .943)."""
    faces = shared / "data/lfw-dcgan/labels.csv"
    reals = extract(f"{faces}[kind=real]", "statistics").features.matrix()
    fakes = extract(some(f"{faces}[kind=generated]", 16), "statistics").features.matrix()
    progress = open_source(f"{shared / 'data/lfw-dcgan-progress/labels.csv'}[kind=generated]")
    epochs = np.array(progress.columns["epoch"], int)[::16]
    along = extract(some(progress, 16), "statistics").features.matrix()
    order = np.random.default_rng(0).permutation(len(reals))
    scorer = make_scorer("gmm").fit(reals[order[:500]])
    assert auc(scorer.score_samples(reals[order[500:]]), scorer.score_samples(fakes)) >= 0.98
    assert spearmanr(scorer.score_samples(along), epochs)[0] >= 0.9


@pytest.mark.slow
def test_mixed_5d_tells_real_faces_from_dcgan_faces(shared):
    """AUC at least .995 on 50 held-out reals against 50 fakes, fitted on 73 reals, with every scorer."""
    pytest.importorskip("torch")
    faces = shared / "data/lfw-dcgan/labels.csv"
    extractor = make_extractor(f"inception(weights={str(shared / WEIGHTS)!r}, layers=['Mixed_5d'])")
    reals = extract(some(f"{faces}[kind=real]", 8), extractor).features.matrix()
    fakes = extract(some(f"{faces}[kind=generated]", 20), extractor).features.matrix()
    for scorer in ("gmm", "sgm", "knn"):
        model = make_scorer(scorer).fit(reals[50:])
        assert auc(model.score_samples(reals[:50]), model.score_samples(fakes)) >= 0.995, scorer


@pytest.mark.slow
def test_inception_keeps_the_contract_on_real_weights(shared):
    """The file that ends at Mixed_7a, at a low, a middle and its last layer: every promise of an extractor."""
    pytest.importorskip("torch")
    spec = f"inception(weights={str(shared / WEIGHTS)!r}, layers=['Conv2d_2b_3x3', 'Mixed_5d', 'Mixed_7a'])"
    check_extractor(lambda: make_extractor(spec))


@pytest.mark.parametrize("where", ["lfw-dcgan", "cats-dogs/labels.csv[kind=cat]", "cifar10-real/cifar10_test_2500.npz"])
def test_sources_keep_the_contract(shared, where):
    check_source(open_source(str(shared / "data" / where)))
