"""What each evaluator got wrong, worked out by hand."""

from statistics import NormalDist

import numpy as np
import pytest
from people_samples import sittings as rows_of
from people_samples import votes

from giqa.errors import BadShape
from giqa.votes.labels import Sittings
from giqa.votes.sittings import detection, detection_noise, error_rates, sittings


def test_unbalanced_sittings_keep_chance_at_one_half():
    """Who calls everything real is wrong on all fakes and on no real: .5, however few the fakes."""
    one = np.array([1.0])
    sat = Sittings(np.array(["r"]), np.array(["g"]), 10 * one, 10 * one, 90 * one, 0 * one, one, one)
    assert error_rates(sat).tolist() == [0.5]


def test_detection_by_hand():
    """H = 80.5 / 101, F = 20.5 / 101, symmetric: d' = 2 z(H), criterion 0; saying real to all: criterion below 0."""
    d, c = detection(rows_of("g", [20, 100], [20, 0]))
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
    assert detection_noise(sat) == pytest.approx(variance, rel=1e-12)


def test_detection_finds_the_observer_that_was_simulated():
    """Observers with d' 1.2 and criterion .3: the signal is N(d'/2, 1), noise N(-d'/2, 1), real above .3."""
    rng = np.random.default_rng(0)
    wrong = [(rng.normal(m, 1, (300, 200)) > 0.3).sum(axis=1) for m in (-0.6, 0.6)]
    d, c = detection(rows_of("g", wrong[0], 200 - wrong[1], of=200))
    assert d.mean() == pytest.approx(1.2, abs=0.03) and c.mean() == pytest.approx(0.3, abs=0.02)


def test_votes_become_sittings():
    """By hand: reals of a context count with each generator seen in it; quality control and unknown kinds do not."""
    made = votes(
        ["a", "b", "c", "d", "e", "f", "g"], ["r"] * 6 + ["s"], [1, 0, 0, 1, 1, 1, 0],
        kind=["generated", "generated", "real", "real", "", "real", "generated"],
        generator=["x", "y", "", "", "", "", "x"], context=["1"] * 6 + ["2"],
        control=np.arange(7) == 5, response_ms=[500.0, 700, 900, 1100, 1, 1, np.nan],
    )  # fmt: skip
    sat = sittings(made)
    rows = {(r, g): row for r, g, *row in zip(*(c.tolist() for c in sat.columns().values()), strict=True)}
    assert rows["r", "x"][:4] == [1, 1, 2, 1] and rows["r", "y"][:4] == [1, 0, 2, 1]
    assert rows["r", "x"][4:] == [0.5, 1.0]
    assert rows["s", "x"][:4] == [1, 0, 0, 0] and np.isnan(rows["s", "x"][4])
    with pytest.raises(BadShape, match="kind"):
        sittings(votes(["a"], ["r"], [1]))
