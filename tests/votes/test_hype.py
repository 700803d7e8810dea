"""HYPE: worked out by hand, in simulation, and on the judgements of Stein et al."""

import numpy as np
import pytest
from people_samples import sittings

from giqa.errors import BadShape, BadSpec
from giqa.stats import student
from giqa.votes import hype as h
from giqa.votes.labels import Sittings
from giqa.votes.layer6 import read_people


def test_evaluators_first_then_their_mean():
    """Rates .2 and .1, .4 and .1: errors .15 and .25, mean .20; fakes .3, reals .1."""
    found = h.hype(sittings("gan", [20, 40], [10, 10]))[0]
    assert found.error.value == pytest.approx(0.2)
    assert (found.fake_error.value, found.real_error.value) == (pytest.approx(0.3), pytest.approx(0.1))
    assert (found.error.n, found.answers) == (2, 400)
    assert found.error.low == 0 and found.error.high > 0.9  # two people say next to nothing of others
    (paper,) = h.hype(sittings("gan", [20, 40], [10, 10]), interval="paper")
    assert (paper.error.low, paper.error.high) == (pytest.approx(0.15), pytest.approx(0.25))
    with pytest.raises(BadSpec, match="bca"):
        h.hype(sittings("gan", [20, 40], [10, 10]), interval="bca")


def test_compare_says_what_the_interval_says():
    rng = np.random.default_rng(0)
    a, b = rng.binomial(100, 0.4, 30), rng.binomial(100, 0.3, 30)
    sat = sittings(["a"] * 30 + ["b"] * 30, np.r_[a, b], np.r_[a, b], rater=[f"r{i}" for i in range(60)])
    found = h.compare(sat, "a", "b")
    assert found.difference.value == pytest.approx((a.mean() - b.mean()) / 100) and not found.paired
    assert found.verdict == "a fools people more often than b" == h.compare(sat, "b", "a").verdict
    alike = sittings(["a"] * 30 + ["b"] * 30, np.r_[a, a[::-1]], np.r_[a, a[::-1]], rater=[f"r{i}" for i in range(60)])
    assert "not distinguishable" in h.compare(alike, "a", "b").verdict
    with pytest.raises(BadSpec, match="c"):
        h.compare(sat, "a", "c")


def test_reals_that_were_judged_once_are_no_difference():
    """20 raters, all equally good: half of the difference on fakes, whose variance by chance is p (1 - p) / 50 each.

    With other reals for each generator the answers to those count too.
    """
    k, n = 20, np.full(40, 50.0)
    names = np.tile(np.arange(k).astype(str), 2), np.repeat(["a", "b"], k)
    fakes, reals = np.repeat([20.0, 15.0], k), np.tile(np.arange(k) % 2 + 10.0, 2)
    once = h.compare(Sittings(*names, n, fakes, n, reals, n, n), "a", "b").difference
    p = [(k * wrong + 0.5) / (50 * k + 1) for wrong in (20, 15)]
    noise = sum(q * (1 - q) / 50 for q in p)
    assert once.value == pytest.approx(0.05)
    assert once.high - once.value == pytest.approx(0.5 * student(k - 1, 0.96) * np.sqrt(noise / k), rel=1e-6)
    other = h.compare(Sittings(*names, n, fakes, n, np.r_[reals[:k], reals[:k][::-1]], n, n), "a", "b").difference
    assert other.value == pytest.approx(0.05) and other.high > once.high


def test_the_same_evaluators_are_compared_with_themselves():
    """Evaluators who differ far more than the generators do: paired, what they share cancels.

    Four equal differences of .1 do not vary, and are no certainty: 240 and 160 of 400 fakes, half an error and half a
    right answer added, vary by chance alone, and half of that counts; 3 degrees of freedom at 96 % have t = 3.4819.
    """
    base = np.array([10, 30, 50, 70])
    sat = sittings(["a"] * 4 + ["b"] * 4, np.r_[base + 20, base], [5] * 8, rater=[*"wxyz", *"wxyz"])
    found = h.compare(sat, "a", "b")
    p, q = 240.5 / 401, 160.5 / 401
    half = 0.5 * 3.481909 * np.sqrt((p * (1 - p) + q * (1 - q)) / 100 / 4)
    assert found.paired and found.difference.value == pytest.approx(0.1)
    assert (found.difference.low, found.difference.high) == pytest.approx((0.1 - half, 0.1 + half), abs=1e-6)
    paper = h.compare(sat, "a", "b", interval="paper").difference
    assert paper.low == pytest.approx(0.1) == pytest.approx(paper.high)


def test_other_evaluators_are_counted_together():
    """Three people err on 20 of 100 fakes, two others on 10: (.2 - .1) / 2 whoever is drawn, of five people."""
    sat = sittings(["a"] * 3 + ["b"] * 2, [20] * 3 + [10] * 2, [5] * 5, rater=[*"rstuv"])
    found = h.compare(sat, "a", "b", interval="paper")
    assert not found.paired and found.difference.n == 5
    assert (found.difference.value, found.difference.low, found.difference.high) == pytest.approx((0.05, 0.05, 0.05))


def test_who_judged_one_alone_is_left_out_with_a_warning():
    sat = sittings(["a"] * 4 + ["b"] * 3, [20, 30, 25, 90, 20, 20, 20], [5] * 7, rater=[*"wxyz", *"wxy"])
    with pytest.warns(UserWarning, match="by the 3 evaluators who judged both; 1 who judged one of them alone"):
        found = h.compare(sat, "a", "b")
    assert found.paired and found.difference.n == 3 and found.difference.value == pytest.approx(0.025)


def test_nobody_erred_in_any_figure():
    """Five evaluators without an error: no figure is certain, and d' and criterion vary as by chance."""
    (one,) = h.hype(sittings("g", [0] * 5, [0] * 5))
    assert one.error.value == one.error.low == 0 < one.error.high < 0.03
    assert one.fake_error.high == one.real_error.high > one.error.high
    assert one.d_prime.low < one.d_prime.value < one.d_prime.high and one.criterion.low < 0 < one.criterion.high
    # the criterion is half of the sum of what d' is the difference of, so its standard error is half as large
    assert one.criterion.high - one.criterion.value == pytest.approx((one.d_prime.high - one.d_prime.value) / 2)
    (alone,) = h.hype(sittings("g", [0], [0]))
    assert np.isnan(alone.error.low) and alone.error.value == 0
    with pytest.raises(BadShape, match="two evaluators"):
        h.compare(sittings(["a", "b"], [0, 0], [0, 0], rater=["x", "y"]), "a", "b")


PUBLISHED = {
    "cifar10": {"PFGMPP": (0.436, 0.415, 0.457), "LSGM-ODE": (0.437, 0.418, 0.456), "RESFLOW": (0.088, 0.072, 0.104),
                "StyleGAN2-ada": (0.393, 0.369, 0.417)},
    "ffhq256": {"stylenat": (0.299, 0.262, 0.334)}, "imagenet256": {"DiT-XL-2-guided": (0.330, 0.305, 0.355)},
    "lsun256": {"admnet-dropout": (0.387, 0.348, 0.424)},
}  # fmt: skip


def test_published_error_rates_come_out(shared):
    """By the published method: means to .001 and bounds to .003, for those that are published; 41 generators in all."""
    tables, generators = read_people(shared / "humans" / "layer6-realism" / "per-participant"), 0
    for data, sat in tables.items():
        generators += len(np.unique(sat.generator))
        for generator, (mean, low, high) in PUBLISHED[data].items():
            error = h.hype(sat.rows(sat.generator == generator), interval="paper")[0].error
            assert error.value == pytest.approx(mean, abs=0.001)
            assert (error.low, error.high) == (pytest.approx(low, abs=0.003), pytest.approx(high, abs=0.003))
    assert generators == 41
