"""Measures of agreement against second implementations."""

import numpy as np
import pytest

from giqa.errors import BadShape
from giqa.stats import measures as m
from giqa.stats import spearman


def test_spearman_is_scipys():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    for ties in (3, 1000):
        a, b = rng.integers(0, ties, 50), rng.integers(0, ties, 50)
        assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)
        assert m.ranks(a) == pytest.approx(stats.rankdata(a))
    assert np.isnan(spearman(np.ones(5), np.arange(5))) and np.isnan(spearman(np.arange(2), np.arange(2)))


def test_auroc_counts_pairs():
    """Of all pairs of a real and a fake vote, how many score the right way round; ties half."""
    rng = np.random.default_rng(1)
    score, said = rng.integers(0, 6, 60), rng.random(60) < 0.4
    pairs = [(r > f) + 0.5 * (r == f) for r in score[said] for f in score[~said]]
    assert m.auroc(score, said) == pytest.approx(np.mean(pairs))
    assert np.isnan(m.auroc(score, np.ones(60)))


def test_balanced_accuracy_by_hand():
    """3 of 4 real and 1 of 2 fake votes predicted: (.75 + .5) / 2; a constant answer gets one half."""
    said_real = np.array([1, 1, 1, 1, 0, 0])
    assert m.balanced_accuracy(np.array([1, 1, 1, 0, 1, 0]), said_real) == pytest.approx(0.625)
    assert m.balanced_accuracy(np.ones(6), said_real) == 0.5


def test_logistic_is_sklearns():
    linear = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(2)
    score = rng.normal(40, 9, 400)
    said = rng.random(400) < m.sigmoid((score - 43) / 6)
    theirs = linear.LogisticRegression(C=1e9, tol=1e-10).fit(score[:, None], said)
    assert m.logistic(score, said, ridge=1e-9) == pytest.approx((theirs.intercept_[0], theirs.coef_[0, 0]), rel=1e-3)


def test_logistic_stays_finite():
    """Where the score parts the votes, where all votes are alike, where the score is constant."""
    for score, said in (
        (np.arange(10.0), np.arange(10) > 4),
        (np.arange(10.0), np.ones(10)),
        (np.ones(10), np.arange(10) > 6),
    ):
        intercept, slope = m.logistic(score, said)
        p = m.sigmoid(intercept + slope * score)
        assert np.all(np.isfinite(p)) and p.mean() == pytest.approx(np.mean(said), abs=0.02)
    with pytest.raises(BadShape):
        m.logistic(np.array([np.inf, 1]), np.array([0, 1]))


def test_calibration_of_a_probability_that_is_right():
    rng = np.random.default_rng(3)
    p = rng.random(40_000)
    said = rng.random(40_000) < p
    curve = m.calibration(p, said)
    assert len(curve) == 10 and sum(n for *_, n in curve) == 40_000
    assert all(share == pytest.approx(predicted, abs=0.03) for predicted, share, _ in curve)
    assert m.calibration_error(p, said) < 0.01 < 0.2 < m.calibration_error(p**4, said)
