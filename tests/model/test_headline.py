"""The headline: two shares by hand, their intervals in a simulation, and a verdict that says what they say."""

import math

import numpy as np
import pytest

from giqa.model.headline import Headline, beats_real, headline, percents, within_range
from giqa.stats import Estimate

NAN = float("nan")


def phi(x):
    return 0.5 * math.erfc(-x / math.sqrt(2))


def of_ranks(ranks, reals, **more):
    percentile = np.array(ranks, float) / (reals + 1)
    return headline(percentile, np.arange(len(ranks), dtype=float), reals, **more)


def test_shares_by_hand():
    """19 reals: 0.05 (n + 1) = 1, so that rank 1 is outside; ranks 1, 1, 2, 20 beat 0, 0, 1 and 19 of 19 reals."""
    said = of_ranks([1, 1, 2, 20], 19)
    assert (said.within.value, said.below_all, said.pictures, said.reals) == (0.5, 2, 4, 19)
    assert said.beats.value == pytest.approx(20 / 19 / 4)


def test_percentiles_that_are_no_share_are_left_out():
    """Of a table that somebody changed: -0.5, 1.5 and 1e300 say nothing, and the four of `by hand` are left."""
    said = headline(np.array([1, 1, 2, 20, -10, 30, 2e301]) / 20, np.arange(7.0), 19)
    assert (said.within.value, said.below_all, said.pictures) == (0.5, 2, 4)
    assert said.beats.value == pytest.approx(20 / 19 / 4)


@pytest.mark.parametrize("reals", [20, 33, 200])
def test_a_perfect_generator_has_95_and_50_percent(reals):
    """Whatever the number of reals: each rank as often as each other."""
    said = of_ranks(range(1, reals + 2), reals)
    assert said.within.value == pytest.approx(0.95) and said.beats.value == pytest.approx(0.5)


def test_nothing_is_certain_that_was_never_seen():
    """All below all reals, or all above: an interval has room."""
    low, high = of_ranks([1] * 50, 100), of_ranks([101] * 50, 100)
    assert low.within.value == low.beats.value == 0 and low.within.high > 0.05 and low.beats.high > 0.01
    assert high.within.value == high.beats.value == 1 and high.within.low < 0.95 and high.beats.low < 0.99


def test_copies_among_the_pictures_and_twins_among_the_reals_widen_the_intervals():
    rank = np.tile([1, 3, 9, 40, 60], 20)
    percentile, z = rank / 101, np.arange(100.0)
    plain = headline(percentile, z, 100)
    for other in (headline(percentile, np.tile(np.arange(5.0), 20), 100), headline(percentile, z, 100, twins=60)):
        assert other.beats.value == plain.beats.value
        assert other.beats.high - other.beats.low > plain.beats.high - plain.beats.low
        assert other.within.high - other.within.low > plain.within.high - plain.within.low


@pytest.mark.parametrize("n, m", [(40, 60), (200, 50), (200, 500)])
@pytest.mark.parametrize("mean, sd", [(0.0, 1.0), (-1.0, 1.5), (-3.0, 2.0), (0.5, 0.7)])
def test_intervals_hold_in_a_simulation(n, m, mean, sd):
    """1,000 draws of n reals of N(0, 1) and m pictures of N(mean, sd): the true shares are values of Phi."""
    rng, held = np.random.default_rng(5), []
    truth = phi((mean + 1.644854) / sd), phi(mean / math.hypot(1, sd))
    for _ in range(1000):
        reals, fakes = np.sort(rng.normal(size=n)), rng.normal(mean, sd, size=m)
        rank = 1.0 + np.searchsorted(reals, fakes, side="right")
        found = within_range(rank, n, m, n), beats_real(rank, n, m, n)
        held.append([share.low <= true <= share.high for share, true in zip(found, truth, strict=True)])
    assert np.mean(held, axis=0).min() >= 0.93


def test_the_verdict_says_what_the_shares_say():
    def verdict(within, beats, below=0):
        return Headline(Estimate(*within, 99), Estimate(*beats, 99), 0.0, 99, 200, below).verdict

    assert "cannot be distinguished" in verdict((0.94, 0.88, 0.97), (0.49, 0.42, 0.55))
    assert "on average lower" in verdict((0.93, 0.88, 0.97), (0.4, 0.35, 0.45))
    unsure = verdict((0.0, 0.0, 1.0), (0.02, 0.01, 0.05), 3)  # worse than 95 % of reals, above the worst few of them
    assert unsure.startswith("They score lower than reals; how many") and "3 of 99 are below all 200" in unsure
    assert "lack of variety" in verdict((1.0, 0.95, 1.0), (0.7, 0.65, 0.75))
    assert verdict((0.85, 0.8, 0.9), (0.4, 0.3, 0.5)).startswith("Most of them are like reals")
    assert verdict((0.6, 0.5, 0.7), (0.3, 0.2, 0.4)).startswith("More than half")
    assert verdict((0.2, 0.1, 0.3), (0.1, 0, 0.2), 7).endswith("7 of 99 are below all 200 held-out reals.")
    assert verdict((0.01, 0, 0.1), (0, 0, 0.1)).startswith("Almost all")


def test_a_wide_interval_is_said_to_be_wide():
    """0 % [0, 62] is no contradiction, but it takes a sentence; 23 % [14, 35] does not."""
    beats = Estimate(0.02, 0.01, 0.04, 200)
    wide, narrow = (
        Headline(Estimate(*share, 200), beats, -9.0, 200, 200) for share in ((0.0, 0.0, 0.62), (0.23, 0.14, 0.35))
    )
    assert wide.lines()[-1].startswith("The interval of the first share is wide") and len(narrow.lines()) == 3


def test_reasons_are_those_of_pictures_that_are_not_within():
    """The most frequent first; a picture in the range has none that counts."""
    said = of_ranks([1, 1, 1, 50], 99, reason=["softness", "grain", "grain", "colour"])
    assert list(said.reasons.items()) == [("grain", 2), ("softness", 1)]
    assert said.why == "What is wrong with 3 of the worst: most often grain (2)."
    assert of_ranks([1, 1], 99, reason=["grain"] * 2).why == "What is wrong with all of them: most often grain (2)."


def test_a_share_is_one_number_of_decimals_next_to_another():
    """3 and 4 of 301 are 0.997 and 1.33 %: both are shown as 1."""
    shown = [percents(Estimate(share, NAN, NAN, 9)) for share in (3 / 301, 4 / 301, 2 / 301, 0.9994, 0.9996, 0.0)]
    assert shown == ["1 %", "1 %", "0.7 %", "99.9 %", "100 %", "0 %"]


def test_without_a_number_of_reals_there_is_no_interval():
    said = headline(np.array([0.5, 0.01, NAN]), np.array([0.0, -3, NAN]), None)
    assert (said.within.value, said.pictures) == (0.5, 2) and np.isnan(said.within.low)
    assert "does not know the number of reals" in said.verdict
    assert not headline(np.array([NAN]), np.array([NAN]), 100).known
    assert said.to_json()["within"] == {"value": 0.5, "low": None, "high": None, "n": 2}


def test_one_picture_is_no_share_of_pictures():
    """It scores higher than 20 of 100 reals, so it has rank 21 of 101, above the 5 % quantile."""
    one = headline(np.array([21 / 101]), np.array([-0.8]), 100, 0, [""])
    assert one.lines() == ["The picture is within the range of reals: it scores higher than 20 % of them."]
    low = headline(np.array([1 / 101]), np.array([-9.0]), 100, 0, ["grain"])
    assert low.lines() == [
        "The picture is not within the range of reals: it scores higher than 0 % of them.",
        "What costs it most: grain.",
    ]


def test_a_share_lies_within_the_interval_that_is_shown():
    """99.4 % is not within [98, 99], nor 0.6 % within [1, 1]."""
    rng = np.random.default_rng(0)
    for _ in range(500):
        low, value, high = np.sort(rng.beta(*rng.choice([0.02, 1, 50], 2), 3))
        shown, _, ends = percents(Estimate(value, low, high, 9)).removesuffix("]").partition(" % [")
        ends = [float(end) for end in ends.split(", ")]
        assert ends[0] <= float(shown) <= ends[1]
