"""Regressions against their equations and against scikit-learn."""

import numpy as np
import pytest

from giqa.errors import BadShape
from giqa.stats import fit_logistic, log_likelihood, logistic_regression, logit, newton, platt_scaling, ridge, sigmoid


def test_the_solution_solves_the_equations():
    """The gradient at the solution is minus that of the penalty; scikit-learn finds the same."""
    rng = np.random.default_rng(0)
    x = np.c_[rng.normal(size=(80, 3)), np.ones(80)]
    c = (x @ [1, -2, 0.5, 0.3] + rng.normal(size=80) > 0).astype(float)
    w = logistic_regression(x, c, np.ones(80), np.array([8.0, 8, 8, 0]))
    slope = x.T @ (1 / (1 + np.exp(-x @ w)) - c)
    assert slope[:3] == pytest.approx(-8 * w[:3], abs=1e-5) and slope[3] == pytest.approx(0, abs=1e-5)
    linear = pytest.importorskip("sklearn.linear_model")
    other = linear.LogisticRegression(C=1 / 8, tol=1e-8).fit(x[:, :3], c)
    assert w == pytest.approx(np.r_[other.coef_[0], other.intercept_], abs=1e-4)
    assert fit_logistic(x[:, :3], c, np.ones(80), C=1 / 8) == pytest.approx(w[[3, 0, 1, 2]], abs=1e-6)
    theirs = linear.Ridge(alpha=0.1 * 80).fit(x[:, :3], c)
    assert ridge(x, c[:, None], 0.1)[:, 0] == pytest.approx(np.r_[theirs.coef_, theirs.intercept_])


def test_steps_that_lead_too_far_are_halved():
    """The loss sqrt(1 + w^2) - 9, least at 0: from 2 a full step w (1 + w^2) leads to -8, a quarter of it to -1 / 2."""

    def at(w):
        root = np.sqrt(1 + w @ w)
        return float(root) - 9, lambda: (w / root, np.eye(1) / root**3)

    assert newton(at, np.array([2.0])) == pytest.approx([0.0], abs=1e-4)


def test_votes_are_rows_that_are_repeated():
    """3 of 5 votes on a picture weigh as five rows with three ones."""
    x, real, votes = np.array([[0.0], [1.0], [3.0]]), np.array([1.0, 3.0, 4.0]), np.array([4.0, 5.0, 5.0])
    rows = np.repeat(x, votes.astype(int), axis=0)
    labels = np.concatenate([np.arange(n) < r for r, n in zip(real, votes, strict=True)]).astype(float)
    assert fit_logistic(x, real, votes) == pytest.approx(fit_logistic(rows, labels, np.ones(len(rows))), abs=1e-7)


def test_logit_is_the_inverse_of_sigmoid():
    t = np.array([-20.0, -1.0, 0.0, 3.0])
    assert logit(sigmoid(t)) == pytest.approx(t)
    assert np.isfinite(logit(np.array([0.0, 1.0]))).all()


def test_platt_scaling_is_sklearns():
    linear = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(2)
    score = rng.normal(40, 9, 400)
    said = rng.random(400) < sigmoid((score - 43) / 6)
    theirs = linear.LogisticRegression(C=1e9, tol=1e-10).fit(score[:, None], said)
    assert platt_scaling(score, said, ridge=1e-9) == pytest.approx((theirs.intercept_[0], theirs.coef_[0, 0]), rel=1e-3)


def test_platt_scaling_stays_finite():
    """Where the score parts the votes, where all votes are alike, where the score is constant."""
    for score, said in (
        (np.arange(10.0), np.arange(10) > 4),
        (np.arange(10.0), np.ones(10)),
        (np.ones(10), np.arange(10) > 6),
    ):
        intercept, slope = platt_scaling(score, said)
        p = sigmoid(intercept + slope * score)
        assert np.all(np.isfinite(p)) and p.mean() == pytest.approx(np.mean(said), abs=0.02)
    with pytest.raises(BadShape):
        platt_scaling(np.array([np.inf, 1]), np.array([0, 1]))


def test_log_likelihood_is_that_of_the_binomial():
    """Up to the binomial coefficient, which no probability changes."""
    stats = pytest.importorskip("scipy.stats")
    p, real, votes = np.array([0.2, 0.7, 0.5]), np.array([1.0, 4.0, 0.0]), np.array([3.0, 5.0, 2.0])
    other = np.array([0.3, 0.6, 0.9])
    gap = stats.binom.logpmf(real, votes, p).sum() - stats.binom.logpmf(real, votes, other).sum()
    assert log_likelihood(p, real, votes) - log_likelihood(other, real, votes) == pytest.approx(gap)


def test_certainty_that_is_wrong_is_finite():
    """0 and 1 are clipped by as much on either side."""
    one, zero = np.ones(1), np.zeros(1)
    wrong = log_likelihood(one, zero, one), log_likelihood(zero, one, one)
    assert wrong[0] == pytest.approx(wrong[1], rel=1e-4) and -40 < wrong[0] < -10
