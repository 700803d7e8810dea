"""The staircase: which exposure comes next, and whether a known threshold is found again."""

import numpy as np
import pytest

from giqa.errors import BadShape, BadSpec
from giqa.votes.staircase import Staircase, fitted_threshold, late_exposure, modal_exposure, p_right, simulate


def test_steps_of_hype_time():
    """500 ms, 30 shorter after a right answer, 10 longer after a wrong one, never below 100 nor above 1,000."""
    assert Staircase().track([True] * 15)[-3:] == [110, 100, 100]
    assert Staircase().track([False] * 51)[-2:] == [1000, 1000]
    assert Staircase().track([True, False, False, True]) == [500, 470, 480, 490, 460]


@pytest.mark.parametrize("wrong", [{"down": 0}, {"up": -1}, {"start": 50}, {"start": 1001}, {"floor": 0}])
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(BadSpec):
        Staircase(**wrong)


def test_mode_and_its_ties():
    assert modal_exposure([300, 310, 300, 280]) == 300
    assert modal_exposure([300, 310, 300, 310, 280]) == 305
    assert late_exposure([1, 2, 3, 4, 5]) == 4  # the later three
    for bad in ([], [0, 100], [float("nan")]):
        with pytest.raises(BadShape):
            modal_exposure(bad)


def test_psychometric_function_by_hand():
    """Far below the threshold half of the answers are right, far above all but the lapses."""
    assert p_right(1e-9, 300, 0.3) == pytest.approx(0.5)
    assert p_right(1e9, 300, 0.3) == pytest.approx(0.98)
    e = np.exp(0.3)  # one width above: .5 + .48 / (1 + 1/e)
    assert p_right(300 * e, 300, 0.3) == pytest.approx(0.5 + 0.48 / (1 + np.exp(-1)))


def test_simulation_follows_the_staircase():
    """Every simulated track is the one that `Staircase.track` gives for its answers."""
    stairs = Staircase(start=400, down=20, up=50, floor=150, top=600)
    seen = simulate(300, staircase=stairs, trials=60, observers=5, seed=3)
    for exposures, right in zip(seen.exposures, seen.right, strict=True):
        assert stairs.track(right.tolist())[:-1] == exposures.tolist()


def test_balanced_steps_come_to_rest_at_their_target():
    """At the late exposures of -10/+30 three quarters of the answers are right; at those of -30/+10 it is the floor."""
    seen = simulate(250, staircase=Staircase.balanced(), trials=600, observers=200, seed=1)
    assert seen.right[:, 300:].mean() == pytest.approx(0.75, abs=0.01)
    assert np.median(simulate(250, trials=150, observers=200, seed=1).exposures[:, -1]) <= 150


@pytest.mark.parametrize("threshold", [200, 400])
def test_fit_finds_a_known_threshold(threshold):
    """With balanced steps the fit is right within 10 % on average, and its 95 % interval covers in 9 of 10 at least."""
    seen = simulate(threshold, staircase=Staircase.balanced(), trials=300, observers=100, seed=2)
    fits = np.array([fitted_threshold(e, r) for e, r in zip(seen.exposures, seen.right, strict=True)])
    assert np.exp(np.log(fits[:, 0]).mean()) == pytest.approx(threshold, rel=0.1)
    assert np.mean((fits[:, 1] <= threshold) & (threshold <= fits[:, 2])) >= 0.9


def test_fit_wants_an_answer_a_trial():
    with pytest.raises(BadShape):
        fitted_threshold([100, 200], [True])
