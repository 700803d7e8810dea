import numpy as np
import pytest

from giqa.errors import BadShape, BadSpec
from giqa.scorers.learned import BC, IR, MBC, Rank, combined, label_folds, pseudo_labels, targets, thresholds
from giqa.scorers.linear import logistic, squares
from giqa.testing import BrokenPromise, check_supervised_scorer

LABELS = np.array([0, 0.1, 0.1, 0.5, 0.9, 1.0])


def test_pseudo_labels_are_equation_1():
    """S_g iter / max_iter, 1 for reals; each picture by the last iteration of its own run."""
    iteration = np.array([0, 50, 100, 20, np.nan])
    assert pseudo_labels(iteration) == pytest.approx([0, 0.45, 0.9, 0.18, 1])
    latest = np.array([100, 100, 100, 20, 100])
    assert pseudo_labels(iteration, latest, s_g=0.5) == pytest.approx([0, 0.25, 0.5, 0.5, 1])


@pytest.mark.parametrize("wrong", [[np.nan, np.nan], [-1.0, 5.0], [0.0, 0.0]])
def test_iterations_must_say_something(wrong):
    with pytest.raises(BadShape):
        pseudo_labels(np.array(wrong))


def test_thresholds_of_each_preset():
    """paper i / N; released (with its eight heads) 190k, 280k, ..., 730k of 107k..770k; recommended quantiles."""
    assert thresholds(LABELS, 4, "paper").tolist() == [0.25, 0.5, 0.75, 1]
    counters = np.r_[np.arange(107, 771) / 1000, 1.0]
    assert thresholds(counters, 8, "released") == pytest.approx([0.19, 0.28, 0.37, 0.46, 0.55, 0.64, 0.73, 1])
    assert targets([0.19, 0.1901], thresholds(counters, 8, "released"))[:, 0].tolist() == [0, 1]  # above the cut
    ten = np.r_[np.arange(10) / 10, 1.0]
    assert thresholds(ten, 5).tolist() == [0.2, 0.4, 0.6, 0.8, 1]
    for preset in ("paper", "released", "recommended"):
        for n in (1, 2, 3, 8):
            cuts = thresholds(ten, n, preset)
            assert len(cuts) == n and cuts[-1] == 1 and (np.diff(cuts) > 0).all() and cuts[0] > 0


def test_targets_are_equation_2():
    assert targets(LABELS, np.array([0.1, 0.5, 1.0])).tolist() == [
        [0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 0], [1, 1, 1],
    ]  # fmt: skip


def test_score_is_equation_4():
    """paper: the mean; released: sum x 1e6, truncated; recommended: no head above the one before."""
    p = np.array([[0.9, 0.95, 0.2], [0.3, 0.2, 0.1]])
    assert combined(p, "paper") == pytest.approx([2.05 / 3, 0.2])
    assert combined(p[:, :2], "released").tolist() == [1850000, 500000]
    assert combined(p, "recommended") == pytest.approx([2.0 / 3, 0.2])


@pytest.mark.parametrize("wrong", [{"n_heads": 0}, {"preset": "best"}, {"n_heads": 9}])
def test_what_cannot_be_cut_is_refused(wrong):
    with pytest.raises(BadSpec):
        thresholds(LABELS, **wrong)


def test_linear_models_solve_their_equations():
    """The gradient at the solution is minus that of the penalty; scikit-learn finds the same."""
    rng = np.random.default_rng(0)
    x = np.c_[rng.normal(size=(80, 3)), np.ones(80)]
    c = (x @ [1, -2, 0.5, 0.3] + rng.normal(size=80) > 0).astype(float)
    w = logistic(x, c, 0.1)
    slope = x.T @ (1 / (1 + np.exp(-x @ w)) - c) / 80
    assert slope[:3] == pytest.approx(-0.1 * w[:3], abs=1e-5) and slope[3] == pytest.approx(0, abs=1e-5)
    linear = pytest.importorskip("sklearn.linear_model")
    other = linear.LogisticRegression(C=1 / (0.1 * 80), tol=1e-8).fit(x[:, :3], c)
    assert w == pytest.approx(np.r_[other.coef_[0], other.intercept_], abs=1e-3)
    ridge = linear.Ridge(alpha=0.1 * 80).fit(x[:, :3], c)
    assert squares(x, c[:, None], 0.1)[:, 0] == pytest.approx(np.r_[ridge.coef_, ridge.intercept_])


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


def test_rank_compares_within_groups_only():
    """Groups differ by an offset that has nothing to do with the rank; within each, more of feature 1 is worse."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(40), 4)
    level = np.tile(np.arange(4), 40)
    offset = rng.normal(0, 10, 40)[group]
    x = np.stack([offset, 1.0 * level + rng.normal(0, 0.1, 160)], axis=1)
    made = Rank().fit(x, -level.astype(float), folds=group % 5, groups=group)
    assert (np.diff(made.score_samples(np.array([[5.0, 0], [5, 1], [5, 2], [5, 3]]))) < 0).all()
    with pytest.raises(BadShape, match="No two pictures"):
        Rank().fit(x, -level.astype(float), groups=np.arange(160))


def test_folds_hold_out_whole_iterations():
    y = np.repeat(np.r_[np.arange(12) / 12, 1.0], 10)
    folds = label_folds(y)
    assert all(len(set(folds[y == label])) == 1 for label in np.unique(y)[:-1])
    assert np.bincount(folds[y == 1], minlength=5).tolist() == [2] * 5
    assert set(folds[y < 1]) == set(range(5))


@pytest.mark.parametrize("y", [None, [1.0] * 20, [1.0, np.nan] * 10, [0.0, 1.0]])
def test_labels_must_make_sense(y):
    with pytest.raises(BadShape):
        IR().fit(np.random.default_rng(0).normal(size=(20, 2)), y)
