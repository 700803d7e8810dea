"""Resampling: against the textbook, and wide enough for few."""

import numpy as np
import pytest

from giqa.errors import BadShape
from giqa.stats import Range, bootstrap, draws, from_draws, mean_over


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


def test_few_units_are_widened_to_students_interval():
    """Of a mean: percentiles of resampled means, widened, are mean -+ t s / sqrt(n) with s divided by n - 1."""
    values = np.array([0.1, 0.25, 0.3, 0.45, 0.4, 0.2, 0.35, 0.15])
    found = bootstrap(lambda rows: float(values[rows].mean()), np.arange(8), resamples=4000)
    half = 2.364624 * values.std(ddof=1) / np.sqrt(8)
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.01)


def test_resamples_that_do_not_vary_are_no_certainty():
    """10 of 10 pictures: Wilson's interval of a share, and of anything else none; of one unit none at all."""
    same = np.ones(100)
    assert from_draws(1.0, same, 10, 10, Range(share_of=10)).low == pytest.approx(10 / (10 + 1.959964**2))
    assert np.isnan(from_draws(1.0, same, 10, 10).low)
    assert np.isnan(from_draws(0.5, np.linspace(0, 1, 100), 1, 1).low)
    assert np.isnan(from_draws(0.5, np.full(5, np.nan), 10, 10).high)


def test_the_scale_ends_the_interval():
    found = from_draws(0.9, np.linspace(0.5, 1, 101), 3, 3, Range(0.0, 1.0))
    assert found.high == 1 and found.low == 0
    biased = from_draws(0.1, np.linspace(0.2, 0.4, 101), 100, 100)  # as a calibration error: resamples lie above it
    assert biased.low == 0.1 and biased.high > 0.39


def test_percentiles_are_those_of_the_level():
    """0 to 100 in steps of 1, at 80 %: the percentiles 10 and 90, widened for 1,000 units."""
    found = from_draws(50.0, np.arange(101.0), 1000, 1000, level=0.8)
    assert (found.low, found.high) == pytest.approx((10, 90), abs=0.1)
    assert found.low != 10 != from_draws(50.0, np.arange(101.0), 1000, 1000, level=0.5).low


def test_every_resample_draws_as_many_clusters_as_there_are():
    """Three clusters of one row: each sample has three rows."""
    sizes = []
    bootstrap(lambda rows: sizes.append(len(rows)) or 0.0, np.arange(3), resamples=50)
    assert set(sizes) == {3}
