import shutil

import numpy as np
import pytest

import giqa
from giqa.features.extracted import as_features
from giqa.model.folds import content_order, folds_of


def reals(n=60, seed=0):
    """Features with some equal rows."""
    x = np.random.default_rng(seed).normal(size=(n, 6)).astype(np.float32)
    x[7] = x[3]
    return x


@pytest.mark.filterwarnings("ignore:1 real is there more than once")
@pytest.mark.parametrize("scorer", ["multilayer", "gmm(n_components=3, seed=1)", "sgm", "knn(k=3)"])
def test_the_same_reals_in_another_order_are_the_same_model(scorer):
    """Equal digests, z and intervals, to the bit, whatever the order of the rows."""
    x, fakes = reals(), reals(9, seed=5) + 1
    one = giqa.fit(x, scorer=scorer)
    scores = giqa.score(fakes, model=one)
    for order in (np.random.default_rng(0).permutation(len(x)), np.arange(len(x))[::-1]):
        other = giqa.fit(x[order], scorer=scorer)
        again = giqa.score(fakes, model=other)
        assert other.digest == one.digest
        for column in ("score", "z", "z_low", "z_high", "percentile"):
            assert np.array_equal(getattr(again, column), getattr(scores, column)), column


def test_shuffled_pictures_make_the_same_model_with_twins_and_mirrored_copies(toy, tmp_path):
    """A list of files in another order: the same digest, the same twins left out, the same z of the same reals."""
    files = sorted(map(str, toy[0].iterdir()))[:40]
    files.append(shutil.copy(files[0], tmp_path / "again.png"))
    made = [giqa.fit(order, "statistics", "sgm", flip=True, leave_out="twins") for order in (files, files[::-1])]
    assert made[0].digest == made[1].digest
    assert made[0].made_by["twins"]["count"] == made[1].made_by["twins"]["count"] == 1


def test_folds_belong_to_pictures():
    """A real has the same fold wherever it stands, and equal rows share one."""
    x = reals()
    folds, order = folds_of(as_features(x), 0), np.random.default_rng(1).permutation(len(x))
    assert np.array_equal(folds_of(as_features(x[order]), 0), folds[order])
    assert folds[3] == folds[7] and np.bincount(folds).min() >= 11


def test_the_order_of_content_is_one_order_of_all_rows():
    """A permutation; none of nothing."""
    x = reals()
    assert sorted(content_order(as_features(x))) == list(range(len(x)))
    assert len(content_order(as_features(x[:0]))) == 0


def test_the_order_of_features_does_not_depend_on_their_unit():
    """Scaled and shifted, with rows that begin alike: the same order, whatever it was before."""
    x = np.round(reals(), 2).astype(float)
    x[10:20, :] = x[10]
    x = np.c_[np.repeat(x[:20, :1], 3), np.zeros((60, 9)), x]  # ties in the first ten columns
    for changed in (x * 1024, x + 64, x * 0.5 - 8):
        order = np.random.default_rng(2).permutation(len(x))
        one, other = x[content_order(as_features(x))], x[order][content_order(as_features(changed[order]))]
        assert np.array_equal(one[:, :10], other[:, :10])
        again = x[order][content_order(as_features(x[order]))]
        assert np.array_equal(one, again)
