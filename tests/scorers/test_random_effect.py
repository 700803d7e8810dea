"""What features do not say of a picture: against integrals done by scipy, and by hand."""

import numpy as np
import pytest

from giqa.scorers.random_effect import SPREADS, USUAL, centred, drawn_spreads, own_interval, spread_posterior
from giqa.stats import sigmoid


def test_the_posterior_is_prior_times_integrals():
    """Every factor by adaptive quadrature, with another way to write the likelihood."""
    integrate, stats = pytest.importorskip("scipy.integrate"), pytest.importorskip("scipy.stats")
    logits, variance = np.array([0.4, -1.0, 2.0]), np.array([0.0, 0.09, 0.2])
    votes, real = np.array([3.0, 40.0, 2.0]), np.array([3.0, 5.0, 1.0])
    some = SPREADS[::13]
    expected = some * np.exp(-(some**2) / (2 * USUAL**2))
    for at, spread in enumerate(some):
        for x, v, n, r in zip(logits, variance, votes, real, strict=True):
            middle, sd = x * np.sqrt(1 + 0.3458 * spread**2), np.sqrt(spread**2 + v)
            expected[at] *= integrate.quad(
                lambda u, m=middle, n=n, r=r, sd=sd: (
                    stats.binom.pmf(r, n, 1 / (1 + np.exp(-m - u))) * stats.norm.pdf(u, scale=sd)
                ),
                *(-8 * sd, 8 * sd),
                limit=200,
            )[0]
    found = spread_posterior(logits, variance, real, votes)[::13]
    assert found / found.sum() == pytest.approx(expected / expected.sum(), abs=1e-3)


def test_pictures_without_votes_say_nothing():
    logits, nothing = np.array([0.5, 3.0]), np.zeros(2)
    prior = SPREADS * np.exp(-(SPREADS**2) / (2 * USUAL**2))
    assert spread_posterior(logits, nothing, nothing, nothing) == pytest.approx(prior / prior.sum())


def test_the_mean_over_pictures_is_what_the_model_says():
    u = np.random.default_rng(0).normal(size=200_000)
    for spread in (0.3, 1.0, 2.0):
        for p in (0.1, 0.5, 0.8):
            logit = np.log(p / (1 - p))
            assert sigmoid(centred(np.array([logit]), spread) + spread * u).mean() == pytest.approx(p, abs=0.012)


def test_the_interval_of_one_fit_is_that_of_a_normal():
    """One fit, spread 1: 95 % of a normal lie within 1.96."""
    low, high = own_interval(np.zeros((3, 1)), np.array([1.0]))
    assert low == pytest.approx(sigmoid(np.full(3, -1.96)), abs=0.003)
    assert high == pytest.approx(sigmoid(np.full(3, 1.96)), abs=0.003)


def test_the_interval_of_many_fits_adds_their_variance():
    draws = np.random.default_rng(1).normal(0, 0.75, (1, 400))
    low, high = own_interval(draws, np.full(400, 1.0))
    half = 1.96 * np.sqrt(1 + (0.75**2) * (1 + 0.3458))
    assert np.log(high / (1 - high)) == pytest.approx([half], abs=0.15) and low == pytest.approx(1 - high, abs=0.03)
    assert [x.shape for x in own_interval(np.empty((0, 5)), np.ones(5))] == [(0,), (0,)]


def test_a_picture_has_the_same_interval_in_any_company():
    draws, spreads = np.random.default_rng(2).normal(size=(1500, 20)), np.linspace(0.2, 2, 20)
    together = own_interval(draws, spreads)
    assert np.array_equal(own_interval(draws[1200:1201], spreads), np.stack(together)[:, 1200:1201])


@pytest.mark.parametrize(("cell", "start"), [(0, 0.05), (1, 0.075), (78, 3.925), (79, 3.975)])
def test_spreads_are_drawn_within_their_cell(cell, start):
    """A cell reaches half a step of .05 to both sides, and the first and the last one only inwards."""
    width = 0.025 if cell in (0, 79) else 0.05
    found = drawn_spreads(np.eye(80)[cell], 4, np.random.default_rng(0))
    assert np.sort(found) == pytest.approx(start + width * np.array([1, 3, 5, 7]) / 8)


def test_spreads_drawn_follow_the_posterior():
    posterior = np.zeros(len(SPREADS))
    posterior[[19, 59]] = 0.25, 0.75  # 1.0 and 3.0
    found = drawn_spreads(posterior, 1000, np.random.default_rng(0))
    assert np.mean(found < 2) == pytest.approx(0.25, abs=0.01) and found.mean() == pytest.approx(2.5, abs=0.02)
