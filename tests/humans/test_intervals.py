"""Intervals: by hand, against the textbook, and whether they hold what they promise."""

import numpy as np
import pytest

from giqa.errors import BadShape
from giqa.humans.intervals import Estimate, bootstrap, draws, mean_over, wilson


def test_draws_are_samples_with_replacement():
    drawn = draws(7, 500, np.random.default_rng(0))
    assert drawn.shape == (500, 7) and np.all(drawn.sum(axis=1) == 7)
    assert np.allclose(drawn.mean(axis=0), 1, atol=0.2)


def test_mean_is_resampled_like_the_textbook():
    """Percentiles of 20,000 resampled means against mean +- 1.96 s / sqrt(n); the bootstrap's s divides by n."""
    values = np.random.default_rng(1).normal(0.4, 0.1, 100)
    found = mean_over(values, 20_000)
    half = 1.96 * values.std() / 10
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=1e-3)
    assert found.high == pytest.approx(values.mean() + half, abs=1e-3)
    assert mean_over(values, seed=1) == mean_over(values, seed=1) != mean_over(values, seed=2)


def test_too_few_for_an_interval():
    one = mean_over(np.array([0.3, np.nan]))
    assert one.value == 0.3 and np.isnan(one.low) and one.n == 1
    assert np.isnan(mean_over(np.array([])).value) and str(mean_over(np.array([]))) == "–"


def test_interval_holds_the_truth_as_often_as_it_says():
    """Evaluators with a true mean of .3: 95 % intervals from 40 of them hold it in about 94 of 100 studies."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(300):
        found = mean_over(rng.beta(3, 7, 40), 1000)
        held += found.low <= 0.3 <= found.high
    assert 0.90 <= held / 300 <= 0.98


def test_wilson_by_hand():
    """8 of 10: centre (8 + 1.9208) / (10 + 3.8416), Wilson 1927."""
    found = wilson(8, 10)
    assert (found.low, found.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert wilson(10, 10).high == 1 and wilson(0, 10).low == 0 and np.isnan(wilson(0, 0).value)


def test_crossed_bootstrap_is_wider_than_either():
    """20 raters x 20 pictures, both with effects of their own: sd of the mean is the root of the sum of variances."""
    rng = np.random.default_rng(0)
    rater, picture = (g.ravel() for g in np.meshgrid(np.arange(40), np.arange(40)))
    y = rng.normal(0, 1, 40)[rater] + rng.normal(0, 1, 40)[picture]
    widths = [
        (b := bootstrap(lambda rows: float(y[rows].mean()), *groups, resamples=400)).high - b.low
        for groups in ((rater,), (picture,), (rater, picture))
    ]
    assert widths[2] == pytest.approx(np.hypot(*widths[:2]), rel=0.15)
    with pytest.raises(BadShape):
        bootstrap(lambda rows: 0.0)


def test_json_has_no_nan():
    assert Estimate(0.5, float("nan"), float("nan"), 1).plain() == {"value": 0.5, "low": None, "high": None, "n": 1}
