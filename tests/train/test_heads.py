import csv
import io

import numpy as np
import pytest
from click.testing import CliRunner

import giqa
from giqa.cli import main
from giqa.errors import BadSource, BadSpec
from giqa.images.degradations import KINDS, degraded
from giqa.train.heads import snapshot_folds, train_heads
from giqa.types import INFO


def order(scores, iterations):
    """Spearman correlation."""
    ranks = [np.argsort(np.argsort(v)) for v in (scores, iterations)]
    return np.corrcoef(*ranks)[0, 1]


@pytest.mark.parametrize("kind", ["mbc", "bc", "ir", "rank"])
def test_learned_on_one_run_ranks_another(snapshots, kind):
    """Early snapshots of a run that was never seen score below late ones, and those below its reals."""
    model = train_heads(kind, snapshots[0], "statistics", n_heads=4 if kind == "mbc" else None)
    scores = giqa.score(f"{snapshots[1]}[kind=generated]", model=model)
    iteration = np.array([int(i.split("_")[1]) for i in scores.id])
    assert order(scores.score, iteration) > 0.7
    reals = giqa.score(f"{snapshots[1]}[kind=real]", model=model)
    assert np.median(reals.score) > np.median(scores.score[iteration == 0])
    assert np.median(scores.z[iteration == 0]) < min(-1, np.median(reals.z))
    assert model.made_by["reals"] == 24 and reals.percentile.min() > 0 and reals.percentile.max() <= 1


def test_model_is_a_file_like_any_other(snapshots, tmp_path):
    """Saved, loaded and reported; the same call gives the same digest."""
    model = train_heads("mbc", snapshots[0], "statistics", n_heads=4)
    where = f"{snapshots[1]}[iteration=0|5]"
    before = giqa.score(where, model=model)
    after = giqa.score(where, model=model.save(tmp_path / "m.giqa"), report=tmp_path / "r.html")
    assert np.array_equal(before.score, after.score) and np.array_equal(before.z_low, after.z_low)
    assert (tmp_path / "r.html").stat().st_size > 10_000
    assert train_heads("mbc", snapshots[0], "statistics", n_heads=4).digest == model.digest


def test_command_learns_and_scores(snapshots, tmp_path):
    """`giqa train mbc MANIFEST -o NAME.giqa`, then `giqa score --model NAME.giqa`."""
    out = tmp_path / "m.giqa"
    arguments = ["train", "mbc", str(snapshots[0]), "-o", str(out), "--heads", "4", "--extractor", "statistics"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0 and "mbc, 4 heads on statistics(scales=2), 24 reals" in result.stderr
    result = CliRunner().invoke(main, ["score", f"{snapshots[1]}[iteration=5]", "--model", str(out)])
    assert result.exit_code == 0 and len(list(csv.DictReader(io.StringIO(result.stdout)))) == 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "x.csv"], "NAME.giqa (heads on features) or NAME.safetensors (a network)"),
        (["-o", "x.giqa", "--epochs", "3"], "--epochs is for a network"),
        (["-o", "x.safetensors", "--extractor", "nss"], "--extractor is for heads on features"),
        (["-o", "x.giqa", "--heads", "7"], "7 heads need as many iterations, there are 6"),
    ],
)
def test_command_says_what_is_wrong(snapshots, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["train", "mbc", str(snapshots[0]), *arguments])
    assert result.exit_code == 2 and message in result.stderr


def test_what_is_no_learned_scorer_is_refused(snapshots):
    with pytest.raises(BadSpec, match="mbc, bc, ir, rank; got 'gmm'"):
        train_heads("gmm", snapshots[0])
    with pytest.raises(BadSpec, match="Only mbc has several heads"):
        train_heads("bc", snapshots[0], n_heads=3)
    with pytest.raises(BadSource, match="only real"):
        train_heads("bc", f"{snapshots[0]}[kind=real]")


def test_folds_hold_out_whole_snapshots():
    """Pictures of one snapshot share a fold, reals are spread, twins among them stay together."""
    numbers = np.r_[np.repeat(np.arange(10), 6), np.full(60, -1)]
    info = np.zeros(120, INFO)
    rng = np.random.default_rng(0)
    info["digest"], info["thumbnail"] = rng.integers(0, 256, (120, 16)), rng.integers(0, 256, (120, 8, 8, 3))
    info[119] = info[118]
    folds = snapshot_folds(numbers, info, 0)
    assert all(len(set(folds[numbers == k])) == 1 for k in range(10)) and folds[119] == folds[118]
    assert np.bincount(folds[numbers < 0]).tolist() == [12] * 5
    assert np.bincount(folds[:60]).tolist() == [12] * 5


@pytest.mark.parametrize("kind", KINDS)
def test_damage_grows_with_the_level(kind):
    """The mean squared difference rises from level to level; level 0 is the picture, the same seed the same damage."""
    from giqa.images.toy import landscape

    picture = landscape(np.random.default_rng(0), 64)
    away = [np.mean((degraded(picture, kind, level).astype(float) - picture) ** 2) for level in range(5)]
    assert away[0] == 0 and (np.diff(away) > 0).all()
    assert np.array_equal(degraded(picture, kind, 2, seed=3), degraded(picture, kind, 2, seed=3))
    with pytest.raises(BadSpec, match="at level 0 to 4"):
        degraded(picture, kind, 5)
