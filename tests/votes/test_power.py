"""How many people it takes: whether studies of that size are as sure as was said."""

import numpy as np
import pytest
from people_samples import sittings

from giqa.errors import BadShape, BadSpec
from giqa.votes.hype import compare, hype
from giqa.votes.power import Spread, spread, votes_each


def simulated(people, rate, between, rng, of=100, generator="g"):
    p = np.clip(rng.normal(rate, between, people), 0, 1)
    return sittings(generator, rng.binomial(of, p), rng.binomial(of, p), of=of)


def test_by_hand():
    """Variance .05^2 + .4 * .6 / 200 = .0037 an evaluator: t (96 %, 19) = 2.2047 and 2.2047 sqrt(.0037 / 20) = .029987.

    With 19, t = 2.2137 gives .0309. To tell .05: (2.1620 + .8416) sqrt(2 x .0037 / 27) = .0497, and with 26 .0507.
    """
    s = Spread(0.4, 0.05, 200)
    assert s.evaluators(0.03) == 20 and s.half_width(20) == pytest.approx(0.029987, abs=1e-6)
    assert s.half_width(19) > 0.03 and s.evaluators_to_tell(0.05) == 27
    # 50 answers each: .0025 + .0048 = .0073, 2.1309 sqrt(.0073 / 37) = .0299
    assert s.evaluators(0.03, answers=50) == 37
    assert votes_each(0.1) == 97  # 1.96^2 / 4 / .01
    for bad in (
        lambda: s.evaluators(0),
        lambda: s.evaluators(1),
        lambda: votes_each(2),
        lambda: votes_each(1),
        lambda: votes_each(0),
        lambda: s.half_width(1),
        lambda: s.evaluators_to_tell(0.1, power=1),
    ):
        with pytest.raises(BadSpec):
            bad()


def test_spread_is_found_without_chance():
    """Evaluators of .35 +- .06, 200 answers: the standard deviation between people, not that of what they did."""
    rng = np.random.default_rng(0)
    found = spread(simulated(3000, 0.35, 0.06, rng))
    assert found.rate == pytest.approx(0.35, abs=0.01) and found.between == pytest.approx(0.06, abs=0.006)
    assert found.answers == 200
    assert spread(simulated(3000, 0.35, 0.0, rng)).between < 0.015
    with pytest.raises(BadShape):
        spread(simulated(1, 0.3, 0.1, rng))


def test_the_promised_interval_comes_out():
    """So many evaluators as are said to give +- .03 do, on average over 40 studies."""
    rng = np.random.default_rng(1)
    people = Spread(0.35, 0.06, 200).evaluators(0.03)
    halves = [
        (e.high - e.low) / 2 for e in (hype(simulated(people, 0.35, 0.06, rng), 1000)[0].error for _ in range(40))
    ]
    assert np.mean(halves) == pytest.approx(0.03, rel=0.1)


def test_the_promised_power_comes_out():
    """A difference of .06 is found in about 80 of 100 studies of the size that is said to find it in 80."""
    rng = np.random.default_rng(2)
    people, found = Spread(0.35, 0.06, 200).evaluators_to_tell(0.06), 0
    for _ in range(100):
        a, b = simulated(people, 0.38, 0.06, rng), simulated(people, 0.32, 0.06, rng, generator="h")
        columns = [np.concatenate([x, y]) for x, y in zip(a.columns().values(), b.columns().values(), strict=True)]
        both = type(a)(np.array([f"r{i}" for i in range(2 * people)]), *columns[1:])
        found += "fools" in compare(both, "g", "h", 500).verdict
    assert 70 <= found <= 92


def test_no_mistake_in_few_answers_is_no_rate_of_zero():
    """4 people without a mistake in 10 answers each: a rate of .5 / 41, a variance of .0012046 an evaluator.

    Half widths t (96 %) sqrt(.0012046 / n): of 8 people 2.5168 x .01227 = .0309, of 9 people 2.4490 x .01157 = .0283.
    """
    found = spread(sittings("g", np.zeros(4), np.zeros(4), of=5))
    assert found.rate == pytest.approx(0.5 / 41) and found.between == 0 and found.evaluators(0.03) == 9
    assert spread(sittings("g", np.full(4, 5), np.full(4, 5), of=5)).rate == pytest.approx(40.5 / 41)
