"""HYPE: worked out by hand, in simulation, and on the judgements of Stein et al."""

from statistics import NormalDist

import numpy as np
import pytest
from people_samples import sittings, study, votes

from giqa.errors import BadShape, BadSpec
from giqa.stats import student
from giqa.votes import hype as h
from giqa.votes.layer6 import read_people
from giqa.votes.votes import Sittings


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


def test_unbalanced_sittings_keep_chance_at_one_half():
    """Who calls everything real is wrong on all fakes and on no real: .5, however few the fakes."""
    one = np.array([1.0])
    sat = Sittings(np.array(["r"]), np.array(["g"]), 10 * one, 10 * one, 90 * one, 0 * one, one, one)
    assert h.error_rates(sat).tolist() == [0.5]


def test_detection_by_hand():
    """H = 80.5 / 101, F = 20.5 / 101, symmetric: d' = 2 z(H), criterion 0; saying real to all: criterion below 0."""
    d, c = h.detection(sittings("g", [20, 100], [20, 0]))
    z = NormalDist().inv_cdf(80.5 / 101)
    assert d[0] == pytest.approx(2 * z) and c[0] == pytest.approx(0, abs=1e-12)
    assert d[1] == pytest.approx(0, abs=1e-12) and c[1] == pytest.approx(-NormalDist().inv_cdf(100.5 / 101))


def test_detection_varies_by_chance_as_computed_by_hand():
    """Two evaluators of 40 and 60 fakes, 65 and 85 reals: 20.5 / 101 are wrong about fakes, 10.5 / 151 about reals."""
    n, fakes, reals = np.array([40.0, 60.0]), np.array([8.0, 12.0]), np.array([4.0, 6.0])
    sat = Sittings(np.array(["a", "b"]), np.array(["gan", "gan"]), n, fakes, n + 25, reals, n, n)
    z, variance = NormalDist(), 0.0
    for share, each in ((20.5 / 101, (1 / 40 + 1 / 60) / 2), (10.5 / 151, (1 / 65 + 1 / 85) / 2)):
        variance += share * (1 - share) / z.pdf(z.inv_cdf(share)) ** 2 * each
    assert h._detection_noise(sat) == pytest.approx(variance, rel=1e-12)


def test_detection_finds_the_observer_that_was_simulated():
    """Observers with d' 1.2 and criterion .3: the signal is N(d'/2, 1), noise N(-d'/2, 1), real above .3."""
    rng = np.random.default_rng(0)
    wrong = [(rng.normal(m, 1, (300, 200)) > 0.3).sum(axis=1) for m in (-0.6, 0.6)]
    d, c = h.detection(sittings("g", wrong[0], 200 - wrong[1], of=200))
    assert d.mean() == pytest.approx(1.2, abs=0.03) and c.mean() == pytest.approx(0.3, abs=0.02)


def test_votes_become_sittings():
    """By hand: reals of a context count with each generator seen in it; quality control and unknown kinds do not."""
    made = votes(
        ["a", "b", "c", "d", "e", "f", "g"], ["r"] * 6 + ["s"], [1, 0, 0, 1, 1, 1, 0],
        kind=["generated", "generated", "real", "real", "", "real", "generated"],
        generator=["x", "y", "", "", "", "", "x"], context=["1"] * 6 + ["2"],
        control=np.arange(7) == 5, response_ms=[500.0, 700, 900, 1100, 1, 1, np.nan],
    )  # fmt: skip
    sat = h.sittings(made)
    rows = {(r, g): row for r, g, *row in zip(*(c.tolist() for c in sat.columns().values()), strict=True)}
    assert rows["r", "x"][:4] == [1, 1, 2, 1] and rows["r", "y"][:4] == [1, 0, 2, 1]
    assert rows["r", "x"][4:] == [0.5, 1.0]
    assert rows["s", "x"][:4] == [1, 0, 0, 0] and np.isnan(rows["s", "x"][4])
    with pytest.raises(BadShape, match="kind"):
        h.sittings(votes(["a"], ["r"], [1]))


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
    (alone,) = h.hype(sittings("g", [0], [0]))
    assert np.isnan(alone.error.low) and alone.error.value == 0
    with pytest.raises(BadShape, match="two evaluators"):
        h.compare(sittings(["a", "b"], [0, 0], [0, 0], rater=["x", "y"]), "a", "b")


def test_crossed_interval_covers_other_pictures_too():
    """Pictures that differ a lot, judged by all: the interval over evaluators alone misses the generator's error."""
    held = {"people": 0, "both": 0}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        p = np.r_[rng.beta(0.5, 0.5, 25), np.zeros(25)]  # 25 fakes, half of them taken for real on average; 25 reals
        said = rng.random((15, 50)) < np.where(np.arange(50) < 25, p, 1.0)
        image, rater = np.meshgrid(np.arange(50), np.arange(15))
        kind = np.where(image.ravel() < 25, "generated", "real")
        made = votes(
            [f"i{i}" for i in image.ravel()], [f"r{r}" for r in rater.ravel()], said.ravel(), kind=kind,
            generator=np.where(kind == "real", "", "g"),
        )  # fmt: skip
        over_people = h.hype(h.sittings(made), 500, interval="paper")[0].error
        over_both = h.crossed_error(made, "g", 500)
        assert over_both.value == pytest.approx(over_people.value)
        held["people"] += over_people.low <= 0.25 <= over_people.high
        held["both"] += over_both.low <= 0.25 <= over_both.high
    assert held["people"] <= 35 and held["both"] >= 55


def test_gate_leaves_out_those_below_it():
    """Two careful raters and one who answers by lot: the gate lets the careful ones pass, and the error falls."""
    image = [f"i{i}" for i in range(40)] * 3
    real = np.array([i % 2 == 0 for i in range(40)] * 3)
    rater = np.repeat(["a", "b", "lot"], 40)
    said = np.where(rater == "lot", np.random.default_rng(0).random(120) < 0.5, real)
    made = votes(
        image, rater, said, kind=np.where(real, "real", "generated"), generator=np.where(real, "", "g"),
        control=np.array([i < 20 for i in range(40)] * 3),
    )  # fmt: skip
    table = {gate.gate: gate for gate in h.gate_table(made, (0.0, 0.9))}
    assert (table[0.0].evaluators, table[0.9].evaluators) == (3, 2)
    assert table[0.9].error.value == 0 < table[0.0].error.value
    assert h.gate_table(made.rows(~made.control)) == []


def test_gate_table_of_a_study_is_ordered():
    rows = h.gate_table(study())
    assert [row.evaluators for row in rows] == sorted((row.evaluators for row in rows), reverse=True)


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
