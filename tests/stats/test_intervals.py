"""Intervals: by hand, and whether they hold what they promise for few."""

import numpy as np
import pytest

from giqa.stats import Estimate, difference, fisher, hull, mean_gap, mean_share, never, plain, student_mean, wilson

NOTHING = float("nan")


def test_json_and_text_have_no_nan():
    alone = Estimate(0.5, NOTHING, NOTHING, 1)
    assert alone.plain() == {"value": 0.5, "low": None, "high": None, "n": 1}
    assert plain({"a": [alone, np.array([NOTHING])]}) == {"a": [alone.plain(), [None]]}
    assert f"{alone:.1f}" == "0.5 (no interval)" and str(Estimate(NOTHING, NOTHING, NOTHING, 0)) == "–"


def test_wilson_by_hand():
    """8 of 10: centre (8 + 1.9208) / (10 + 3.8416), Wilson 1927."""
    found = wilson(8, 10)
    assert (found.low, found.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert wilson(10, 10).high == 1 and wilson(0, 10).low == 0 and np.isnan(wilson(0, 0).value)


def test_student_by_hand():
    """Mean of 1, 2, 3: 2 -+ 4.3027 x 1 / sqrt(3); with a noise of 4, its root instead of 1; ends of the scale."""
    found = student_mean(np.array([1.0, 2.0, np.nan, 3.0]))
    assert (found.low, found.high) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))
    assert student_mean(np.array([1.0, 2.0, 3.0]), noise=4.0).high == pytest.approx(2 + 2 * 4.302653 / 3**0.5)
    assert student_mean(np.array([1.0, 2.0, 3.0]), low=0.0, high=3.0) == Estimate(2.0, 0.0, 3.0, 3)


def test_nothing_is_said_of_one_or_of_what_does_not_vary():
    """One value; equal values (.1 + .2 and .3 are equal but for rounding); none."""
    for values in ([0.3], [100.0] * 5, [0.1 + 0.2, 0.3, 0.3]):
        found = student_mean(np.array(values))
        assert np.isnan([found.low, found.high]).all() and found.n == len(values)
    assert np.isnan(mean_share(np.array([0.3, np.nan]), np.array([10.0, 10.0])).low)
    assert mean_share(np.array([np.nan]), np.array([0.0])).n == 0


def test_nobody_erred_is_no_certainty():
    """No error in 5 x 100 answers: p = .5 / 501, chance alone has the variance p (1 - p) / 100, and Student's t of 4
    degrees of freedom at 96 % is 2.9985. Wilson's upper end at 0 is K / (1 + K) with K = t^2 / 500; Student's is lower.
    """
    found = mean_share(np.zeros(5), np.full(5, 100.0))
    upper = 2.998528**2 / 500
    assert (found.value, found.low) == (0, 0) and found.high == pytest.approx(upper / (1 + upper), rel=1e-6)
    every = mean_share(np.ones(5), np.full(5, 100.0))
    assert (every.value, every.high) == (1, 1) and every.low == pytest.approx(1 - found.high)
    gap = mean_gap(np.zeros(5), np.zeros(5), *np.full((2, 5), 100.0))
    assert gap.value == 0 and 0 < gap.high == -gap.low < 0.02


def test_share_by_hand():
    """.2 and .4 of 10,000 answers each: the variance between is .02, chance adds nothing; t (96 %, 1) = 15.8945."""
    found = mean_share(np.array([0.2, 0.4]), np.array([1e4, 1e4]))
    assert (found.low, found.high) == (0, 1)  # .3 -+ 15.8945 x .1, within the scale
    wide = mean_share(np.linspace(0.25, 0.35, 50), np.full(50, 1e6))
    half = 2.109872 * np.linspace(0.25, 0.35, 50).std(ddof=1) / 50**0.5  # t (96 %, 49)
    assert (wide.low, wide.high) == pytest.approx((0.3 - half, 0.3 + half), abs=3e-4)


def test_difference_by_hand():
    """Newcombe's method 10 with 56 of 70 and 48 of 80 (his example): .2 [.0524, .3339]."""
    found = difference(wilson(56, 70), wilson(48, 80))
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)


def test_hull_never():
    assert hull(Estimate(0.5, 0.4, 0.6, 9), Estimate(0.1, 0.45, 0.7, 3)) == Estimate(0.5, 0.4, 0.7, 9)
    assert never(1) == pytest.approx(0.975) and never(5) == pytest.approx(1 - 0.025**0.2)


def test_fisher_by_hand():
    """atanh(.5) = .5493 -+ 1.96 sqrt(1.06 / 27); ten in one order: as a swap of neighbours, 1 - 12 / 990."""
    found, half = fisher(0.5, 30), 1.959964 * (1.06 / 27) ** 0.5
    assert (found.low, found.high) == pytest.approx(np.tanh([0.549306 - half, 0.549306 + half]), abs=1e-6)
    whole, turned = fisher(1.0, 10), fisher(-1.0, 10)
    low = np.tanh(np.arctanh(1 - 12 / 990) - 1.959964 * (1.06 / 7) ** 0.5)
    assert (whole.low, whole.high) == pytest.approx((low, 1)) == (-turned.high, -turned.low)
    assert np.isnan(fisher(0.9, 4).low) and np.isnan(fisher(NOTHING, 40).low)


def people(rng, k, mean, spread):
    """Error rates of k evaluators with 50 fakes and 50 reals each."""
    p = np.clip(rng.normal(mean, spread, k), 0, 1)
    return (rng.binomial(50, p) + rng.binomial(50, p)) / 100


# of evaluators spread about .02 and cut off at 0, the mean: .02 Phi(.4) + .05 phi(.4)
SETTINGS = [(0.3, 0.05, 0.3), (0.3, 0.15, 0.3), (0.02, 0.05, 0.031522)]


@pytest.mark.parametrize("k", [2, 3, 5, 10, 30])
def test_few_evaluators_get_intervals_that_hold(k):
    """400 studies each: the interval holds the truth in .93 or more, equal generators are told apart in .06 or less."""
    rng, answers = np.random.default_rng(k), np.full(k, 100.0)
    for mean, spread, truth in SETTINGS:
        held = apart = apart_paired = 0
        for _ in range(400):
            a, b = people(rng, k, mean, spread), people(rng, k, mean, spread)
            one, other = mean_share(a, answers), mean_share(b, answers)
            gap, paired = difference(one, other), mean_gap(a, b, answers, answers)
            held += one.low <= truth <= one.high
            apart += not gap.low <= 0 <= gap.high
            apart_paired += not paired.low <= 0 <= paired.high
        assert held >= 0.93 * 400 and apart <= 0.06 * 400 and apart_paired <= 0.06 * 400, (mean, spread)


def test_a_real_difference_is_found():
    """A real difference is still found: .5 against .3, 30 evaluators each, in nearly all of 100 studies."""
    rng, answers, found = np.random.default_rng(0), np.full(30, 100.0), 0
    for _ in range(100):
        sides = (mean_share(people(rng, 30, mean, 0.1), answers) for mean in (0.5, 0.3))
        found += difference(*sides).low > 0
    assert found >= 97


@pytest.mark.parametrize(("share", "n"), [(0.0, 12), (0.3, 40), (1.0, 7)])
def test_wilson_solves_its_equation(share, n):
    """Both ends p of the interval fulfil |share - p| = 1.96 sqrt(p (1 - p) / n)."""
    found = wilson(share * n, n)
    for p in (found.low, found.high):
        if 0 < p < 1:
            assert abs(share - p) == pytest.approx(1.959964 * np.sqrt(p * (1 - p) / n), rel=1e-5)
