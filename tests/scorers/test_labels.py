import numpy as np
import pytest

from giqa.errors import BadShape, BadSpec
from giqa.scorers.labels import checked_labels, combined, label_folds, pseudo_labels, targets, thresholds

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


def test_folds_hold_out_whole_iterations():
    y = np.repeat(np.r_[np.arange(12) / 12, 1.0], 10)
    folds = label_folds(y)
    assert all(len(set(folds[y == label])) == 1 for label in np.unique(y)[:-1])
    assert np.bincount(folds[y == 1], minlength=5).tolist() == [2] * 5
    assert set(folds[y < 1]) == set(range(5))


@pytest.mark.parametrize("wrong", [[1.0, 1.0, 1.0], [0.0, 1.0], [0.0, 1.0, np.nan], None])
def test_labels_must_be_finite_and_not_all_alike(wrong):
    with pytest.raises(BadShape):
        checked_labels(wrong, 3, "MBC")


def test_two_kinds_of_labels_are_enough():
    assert checked_labels([0, 1, 1], 3, "MBC").tolist() == [0, 1, 1]
