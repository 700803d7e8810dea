"""The likelihoods of votes, pairs and ratings against their equations and against scipy."""

import numpy as np
import pytest

from giqa.stats import (
    JudgementFit,
    PairLikelihood,
    RatingLikelihood,
    VoteLikelihood,
    covariance,
    fit_judgements,
    fit_logistic,
    sigmoid,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 3))


def rated(n=30, levels=5):
    return RatingLikelihood(np.arange(n), RNG.poisson(1.0, size=(n, levels)).astype(float))


def test_three_pictures_by_hand():
    """Bradley-Terry strengths of a, b, c from 10 votes a pair, found by scipy without any of our formulas."""
    optimize = pytest.importorskip("scipy.optimize")
    wins = {(0, 1): 7, (0, 2): 9, (1, 2): 6}

    def loss(free):
        t = np.array([*free, 0.0])
        chance = {pair: np.exp(t[pair[0]]) / (np.exp(t[pair[0]]) + np.exp(t[pair[1]])) for pair in wins}
        return -sum(n * np.log(chance[pair]) + (10 - n) * np.log(1 - chance[pair]) for pair, n in wins.items())

    theirs = optimize.minimize(loss, np.zeros(2), tol=1e-10).x
    left, right = np.array(list(wins)).T
    pairs = PairLikelihood(left, right, np.array([7.0, 9, 6]), np.full(3, 10.0))
    ours = fit_judgements(np.eye(3), [pairs], np.zeros(3)).w
    assert ours[:2] - ours[2] == pytest.approx(theirs, abs=1e-4)


def test_ratings_by_an_independent_implementation():
    """Cumulative logit, each probability a difference of logistic functions, minimised by scipy without gradients."""
    optimize = pytest.importorskip("scipy.optimize")
    ratings = rated()

    def loss(theta):
        cut, w = np.cumsum(np.r_[theta[0], np.exp(theta[1:4])]), theta[4:]
        at_most = 1 / (1 + np.exp(-(cut - (X @ w)[:, None])))
        p = np.diff(np.c_[np.zeros(30), at_most, np.ones(30)], axis=1)
        return -(ratings.given * np.log(p)).sum() + 0.5 * 2.0 * (w @ w)

    found = optimize.minimize(loss, np.zeros(7), method="BFGS", options={"gtol": 1e-7}).x
    fit = fit_judgements(X, [ratings], np.full(3, 2.0))
    assert fit.own[0] == pytest.approx(np.cumsum(np.r_[found[0], np.exp(found[1:4])]), abs=1e-4)
    assert fit.w == pytest.approx(found[4:], abs=1e-4)


def test_two_levels_are_votes_and_votes_are_a_logistic_regression():
    real, votes = RNG.binomial(6, 0.4, size=30).astype(float), np.full(30, 6.0)
    by_votes = fit_judgements(X, [VoteLikelihood(np.arange(30), real, votes)], np.full(3, 1.0))
    by_levels = fit_judgements(X, [RatingLikelihood(np.arange(30), np.c_[votes - real, real])], np.full(3, 1.0))
    theirs = fit_logistic(X, real, votes, C=1.0)
    assert np.r_[by_votes.own[0], by_votes.w] == pytest.approx(theirs, abs=1e-6)
    assert np.r_[-by_levels.own[0], by_levels.w] == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize("kind", ["votes", "pairs", "ratings"])
def test_slopes_are_those_of_the_values(kind):
    """By differences of -log-likelihood and of its first derivatives."""
    wins, votes, row = RNG.binomial(4, 0.5, 30).astype(float), np.full(30, 4.0), np.arange(30)
    pairs = PairLikelihood(row, row[::-1], wins, votes)
    like = {"votes": VoteLikelihood(row, wins, votes), "pairs": pairs, "ratings": rated()}[kind]
    t, own, h = RNG.normal(size=30), np.linspace(-1.5, 1, like.size), 1e-5
    at = like.slopes(t, own)
    assert at.t == pytest.approx(-(like.values(t + h, own) - like.values(t - h, own)) / (2 * h), abs=1e-6)
    assert at.t_t == pytest.approx((like.slopes(t + h, own).t - like.slopes(t - h, own).t) / (2 * h), abs=1e-6)
    assert like.own_scores(t, own).sum(axis=0) == pytest.approx(at.own)
    for i, step in enumerate(h * np.eye(like.size)):
        above, below = like.slopes(t, own + step), like.slopes(t, own - step)
        change = like.values(t, own + step).sum() - like.values(t, own - step).sum()
        assert at.own[i] == pytest.approx(-change / (2 * h), abs=1e-6)
        assert at.own_own[i] == pytest.approx((above.own - below.own) / (2 * h), abs=1e-6)
        assert at.t_own[:, i] == pytest.approx((above.t - below.t) / (2 * h), abs=1e-6)


def test_the_covariance_is_that_of_independent_judgements():
    """Of many independent votes the sandwich is the inverse of the curvature, x' p (1 - p) x."""
    x = RNG.normal(size=(20_000, 2))
    real = (RNG.random(20_000) < sigmoid(x @ [1.0, -0.5] + 0.3)).astype(float)
    likelihood, penalty = VoteLikelihood(np.arange(20_000), real, np.ones(20_000)), np.zeros(2)
    fit = fit_judgements(x, [likelihood], penalty)
    p, design = sigmoid(x @ fit.w + fit.own[0]), np.c_[np.ones(20_000), x]
    naive = np.linalg.inv((design * (p * (1 - p))[:, None]).T @ design)
    assert np.diag(covariance(x, [likelihood], penalty, fit)) == pytest.approx(np.diag(naive), rel=0.05)


def test_alike_votes_on_a_picture_widen_it():
    """Ten votes that always agree are worth one: the variance is ten times as large as if they were independent."""
    real = np.repeat(RNG.binomial(1, 0.5, size=200), 10).astype(float)
    alike = VoteLikelihood(np.repeat(np.arange(200), 10), real, np.ones(2000))
    apart = VoteLikelihood(np.arange(2000), real, np.ones(2000))
    fit = JudgementFit([np.zeros(1)], np.zeros(1), np.ones(1))
    few, many = (
        covariance(np.zeros((200, 1)), [alike], np.ones(1), fit),
        covariance(np.zeros((2000, 1)), [apart], np.ones(1), fit),
    )
    assert few[0, 0] == pytest.approx(10 * many[0, 0])


def test_kinds_together_share_w():
    """Votes whose log odds are 1.5 times those of the pairs, in one fit that is told so."""
    t = X @ [1.0, 0.5, 0.0]
    left, right = RNG.integers(30, size=(2, 400))
    pairs = PairLikelihood(left, right, 1000 * sigmoid(t[left] - t[right]), np.full(400, 1000.0))
    votes = VoteLikelihood(np.arange(30), 1000 * sigmoid(1.5 * t - 0.2), np.full(30, 1000.0))
    fit = fit_judgements(X, [pairs, votes], np.zeros(3), np.array([1.0, 1.5]))
    assert fit.w == pytest.approx([1, 0.5, 0], abs=1e-3)
    assert fit.own[1] == pytest.approx([-0.2], abs=1e-3)
