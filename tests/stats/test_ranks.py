"""Ranks and what is read off them, against second implementations."""

import itertools

import numpy as np
import pytest

from giqa.errors import BadShape
from giqa.stats import auroc, mann_whitney, ranks, spearman


def test_spearman_is_scipys():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    for ties in (3, 1000):
        a, b = rng.integers(0, ties, 50), rng.integers(0, ties, 50)
        assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)
        assert ranks(a) == pytest.approx(stats.rankdata(a))
    assert np.isnan(spearman(np.ones(5), np.arange(5))) and np.isnan(spearman(np.arange(2), np.arange(2)))


def test_auroc_counts_pairs():
    """Of all pairs of a real and a fake vote, how many score the right way round; ties half."""
    rng = np.random.default_rng(1)
    score, said = rng.integers(0, 6, 60), rng.random(60) < 0.4
    pairs = [(r > f) + 0.5 * (r == f) for r in score[said] for f in score[~said]]
    assert auroc(score, said) == pytest.approx(np.mean(pairs))
    with np.errstate(all="raise"):  # nothing is divided by 0
        assert np.isnan(auroc(score, np.ones(60))) and np.isnan(auroc(score, np.zeros(60)))


def test_rank_test_by_counting_all_orders():
    """Chance by pairs; p within .01 of the share of all 3,003 ways to choose the group that are as extreme."""
    rng = np.random.default_rng(1)
    group, others = rng.normal(-0.8, 1, 5), rng.normal(0, 1, 10)

    def chance(a, b):
        return np.mean([(y > x) + 0.5 * (y == x) for x in a for y in b])

    better, p = mann_whitney(group, others)
    assert better == pytest.approx(chance(group, others))
    both = np.r_[group, others]
    orders = [set(chosen) for chosen in itertools.combinations(range(15), 5)]
    extreme = [
        chance([both[i] for i in c], [both[i] for i in range(15) if i not in c]) >= better - 1e-12 for c in orders
    ]
    assert p == pytest.approx(np.mean(extreme), abs=0.01)


def test_rank_test_of_ties_is_as_in_scipy():
    """Ties, and all values equal."""
    stats = pytest.importorskip("scipy.stats")
    group, others = np.array([1, 2, 2, 3, 3.0] * 3), np.array([2, 3, 3, 4, 5, 5.0] * 3)
    wanted = stats.mannwhitneyu(group, others, alternative="less", method="asymptotic", use_continuity=True)
    assert mann_whitney(group, others)[1] == pytest.approx(wanted.pvalue)
    assert mann_whitney(np.ones(5), np.ones(9)) == (0.5, 0.5)  # no order, no difference


def test_what_is_missing_has_no_rank():
    """NaN is not the largest value; columns of two lengths are not compared."""
    missing = [1.0, float("nan"), 2.0, 3.0]
    assert np.isnan(spearman(missing, [1, 2, 3, 4])) and np.isnan(spearman([1, 2, 3, 4], missing))
    assert np.isnan(auroc(missing, [0, 1, 1, 0]))
    for compare in (spearman, auroc):
        with pytest.raises(BadShape, match=r"got \(3,\) and \(2,\)"):
            compare([1, 2, 3], [0, 1])
