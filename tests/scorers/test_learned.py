import numpy as np
import pytest

from giqa.errors import BadShape
from giqa.scorers.learned import BC, IR, MBC, Rank
from giqa.testing import BrokenPromise, check_supervised_scorer


@pytest.mark.parametrize("make", [MBC, lambda: MBC(4, "paper"), BC, IR, Rank])
def test_keeps_the_promises_of_a_supervised_scorer(make):
    check_supervised_scorer(make)


def test_the_contract_notices_a_scorer_that_ignores_labels():
    class Deaf(IR):
        def fit(self, features, y=None, folds=None):
            noise = None if y is None else np.random.default_rng(0).normal(size=len(y))
            return super().fit(features, noise, folds)

    with pytest.raises(BrokenPromise, match="better labels score higher"):
        check_supervised_scorer(Deaf)


def test_released_score_is_the_sum_of_the_heads():
    y = np.repeat(np.r_[np.linspace(0, 0.9, 10), 1], 12)
    x = y[:, None] + np.random.default_rng(0).normal(0, 0.3, (len(y), 3))
    made = MBC(preset="released").fit(x, y)
    assert made.heads(x).shape == (len(y), 8)
    assert np.array_equal(made.score_samples(x), np.trunc(made.heads(x).sum(axis=1) * 1e6))


def test_heads_differ_by_what_they_saw():
    """One feature says early or late, another real or not: the first head follows the one, the last the other."""
    y = np.repeat(np.r_[np.arange(10) / 10 * 0.9, 1], 40)
    rng = np.random.default_rng(0)
    x = np.stack([(y > 0.4) + rng.normal(0, 0.2, len(y)), (y == 1) + rng.normal(0, 0.2, len(y))], axis=1)
    made = MBC(n_heads=2).fit(x, y)
    early, late, real = made.heads(np.array([[0, 0], [1.0, 0], [1, 1]]))
    assert early[0] < 0.2 < 0.8 < late[0] and late[1] < 0.2 < 0.8 < real[1]


def test_the_weights_without_a_fold_know_nothing_of_its_labels():
    """Other labels of fold 1 leave what was learned without it as it was, and change what was learned of all."""
    rng = np.random.default_rng(0)
    x, folds = rng.normal(size=(60, 3)), np.arange(60) % 3
    y = 1 / (1 + np.exp(-3 * x[:, 0]))
    other = np.where(folds == 1, 0.8 * y, y)
    made, again = (IR().fit(x, labels, folds=folds) for labels in (y, other))
    assert made.strength_ == again.strength_
    assert made.weights_[2] == pytest.approx(again.weights_[2], abs=1e-12)
    assert not np.allclose(made.weights_[0], again.weights_[0], atol=1e-3)


def test_one_fold_for_all_is_none():
    """With folds of 0 alone nothing would be left to learn from; whole labels are held out instead."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    y = 1 / (1 + np.exp(-3 * x[:, 0]))
    made, other = (IR().fit(x, y, folds=folds) for folds in (np.zeros(60, int), None))
    assert np.isfinite(made.weights_).all() and np.array_equal(made.weights_, other.weights_)


def test_rank_compares_within_groups_only():
    """Groups differ by an offset that has nothing to do with the rank; within each, more of feature 1 is worse."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(40), 4)
    level = np.tile(np.arange(4), 40)
    offset = rng.normal(0, 10, 40)[group]
    x = np.stack([offset, 1.0 * level + rng.normal(0, 0.1, 160)], axis=1)
    made = Rank().fit(x, -level.astype(float), folds=group % 5, groups=group)
    assert (np.diff(made.score_samples(np.array([[5.0, 0], [5, 1], [5, 2], [5, 3]]))) < 0).all()
    assert made.score_samples(x.mean(axis=0, keepdims=True)) == pytest.approx([0.0], abs=1e-4)  # pairs say no more
    with pytest.raises(BadShape, match="No two pictures"):
        Rank().fit(x, -level.astype(float), groups=np.arange(160))


@pytest.mark.parametrize("y", [None, [1.0] * 20, [1.0, np.nan] * 10, [0.0, 1.0]])
def test_labels_must_make_sense(y):
    with pytest.raises(BadShape):
        IR().fit(np.random.default_rng(0).normal(size=(20, 2)), y)


class Content(IR):
    """Learns without labels: from the first feature."""

    def fit(self, features, y=None, folds=None):
        return super().fit(features, features[:, 0].astype(float) if y is None else y, folds)


class Careless(IR):
    """Takes any number of labels."""

    def fit(self, features, y=None, folds=None):
        return super().fit(features, None if y is None else np.resize(y, len(features)), folds)


class Seen(IR):
    """Says that pictures were held out which were not."""

    def fit(self, features, y=None, folds=None):
        super().fit(features, y, folds)
        self.held_out_ = self.score_samples(features)
        return self


class Certain(IR):
    """Gives a deviation below 0."""

    def score_with_deviation(self, features):
        scores = self.score_samples(features)
        return scores, np.full(len(scores), -1.0)


class Whole(IR):
    """Has no folds."""

    def score_folds(self, features):
        return self.score_samples(features)[:, None]

    def fit(self, features, y=None, folds=None):
        self.held_out_ = None
        matrix, self.score_folds = features, lambda x: np.zeros((len(x), 9))
        super().fit(matrix, y, folds)
        del self.score_folds
        return self


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        (Content, "fit without labels"),
        (Careless, "another number of labels"),
        (Seen, "held_out_ is the score under the model that has not seen the fold"),
        (Certain, "a deviation for each score, from 0"),
        (Whole, "score_folds gives one score for each picture and fold"),
    ],
)
def test_each_broken_promise_is_noticed(broken, promise):
    with pytest.raises(BrokenPromise, match=promise):
        check_supervised_scorer(broken)
