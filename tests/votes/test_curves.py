"""Curves over time and exposure, response times, HYPE-time's score."""

import numpy as np
import pytest
from people_samples import study, votes

from giqa.votes import curves
from giqa.votes.staircase import Staircase, simulate


def timed(threshold, generator, raters=10, trials=200, seed=0):
    """Observers of this threshold on balanced steps; half of the pictures real."""
    seen = simulate(threshold, staircase=Staircase.balanced(), trials=trials, observers=raters, seed=seed)
    real = np.arange(raters * trials) % 2 == 0
    right = seen.right.ravel()
    n = raters * trials
    names, people = [f"{generator}{i}" for i in range(n)], [f"{generator}-r{r}" for r in range(raters)]
    columns = {"kind": np.where(real, "real", "generated"), "generator": np.where(real, "", generator)}
    columns |= {"context": [generator] * n, "exposure_ms": seen.exposures.ravel()}
    return votes(names, np.repeat(people, trials), np.where(right, real, ~real), **columns)


def joined(*many):
    return type(many[0])(*(np.concatenate(c) for c in zip(*(m.columns().values() for m in many), strict=True)))


def test_trials_count_from_one_for_each_rater():
    made = votes(list("abcde"), ["r", "s", "r", "s", "r"], [1] * 5)
    assert curves.trials(made).tolist() == [1, 1, 2, 2, 3]
    placed = votes(list("abc"), ["r"] * 3, [1] * 3, position=[30.0, 10.0, 20.0])
    assert curves.trials(placed).tolist() == [3, 1, 2]


def test_learning_is_seen():
    """Wrong in the first half of the sitting, right in the second."""
    n, raters = 80, 5
    real = np.tile(np.arange(n) % 2 == 0, raters)
    right = np.tile(np.arange(n) >= n // 2, raters)
    made = votes(
        [f"i{i}" for i in range(n * raters)], np.repeat([f"r{r}" for r in range(raters)], n), real == right,
        kind=np.where(real, "real", "generated"), generator=np.where(real, "", "g"),
    )  # fmt: skip
    points = curves.learning_curve(made)
    assert [p.y.value for p in points] == [1, 1, 1, 1, 0, 0, 0, 0] and points[0].y.n == raters
    assert [p.x for p in points] == sorted(p.x for p in points) and points[0].x == pytest.approx(5.5, abs=0.6)


def test_more_is_right_at_longer_looks():
    points = curves.psychometric_curve(timed(300, "g", raters=20))
    assert points[0].y.value < points[-1].y.value
    assert all(0.5 < p.y.value < 1 for p in points[1:])
    assert curves.psychometric_curve(votes(["a"], ["r"], [1], kind=["real"])) == []


def test_hype_time_orders_two_generators():
    """Thresholds of 200 and 350 ms come back in order, by each estimate, and the fit near the truth."""
    found = {e.generator: e for e in curves.hype_time(joined(timed(200, "weak"), timed(350, "good", seed=1)))}
    for estimate in ("modal", "late", "threshold"):
        assert getattr(found["weak"], estimate).value < getattr(found["good"], estimate).value
    assert found["good"].threshold.value == pytest.approx(350, rel=0.1)
    assert found["good"].threshold.n == 10 and found["good"].at_floor < 0.2


def test_response_times_by_hand():
    """One rater, fakes answered right in .5 and .7 s, wrong in 2 s; quality control is left out."""
    made = votes(
        list("abcd"), ["r"] * 4, [0, 0, 1, 1], kind=["generated"] * 4, generator=["g"] * 4,
        response_ms=[500.0, 700.0, 2000.0, 9e9], control=np.arange(4) == 3,
    )  # fmt: skip
    found = {t.what: t.seconds for t in curves.response_times(made)}
    assert found["fakes, answered right"].value == pytest.approx(0.6)
    assert found["fakes, answered wrong"].value == 2 and len(found) == 2
    assert len(curves.response_times(study())) == 4


def test_what_does_not_vary_is_no_certainty():
    """Three people always at the floor: no interval of their exposures; always right: no [1, 1] in the curve."""
    made = timed(300, "g", raters=3)
    made.exposure_ms[:], made.said_real[:] = 100.0, made.kind == "real"
    (found,) = curves.hype_time(made)
    assert found.modal.value == 100 and np.isnan(found.modal.low) and found.at_floor == 1
    assert np.isnan(found.threshold.value)  # below all that was shown, as far as anybody knows
    wrong = timed(300, "g", raters=3)
    wrong.said_real[:] = wrong.kind != "real"
    assert np.isnan(curves.hype_time(wrong)[0].threshold.value)  # above
    (point,) = curves.psychometric_curve(made)
    assert point.y.value == point.y.high == 1 and point.y.low < 1


def test_times_are_given_a_little_more_room():
    """Times are skewed: Student's t at 96 %, which at 95 % held the mean of 10 raters in 0.92 of studies."""
    seconds = np.array([1.0, 2.0, 6.0])
    made = votes(
        list("abc"), list("rst"), [0] * 3, kind=["generated"] * 3, generator=["g"] * 3, response_ms=1000 * seconds
    )  # fmt: skip
    (found,) = [t.seconds for t in curves.response_times(made) if t.what == "fakes, answered right"]
    half = 4.848732 * seconds.std(ddof=1) / np.sqrt(3)  # t of 2 degrees of freedom, 0.98
    assert found.value == 3.0 and found.high == pytest.approx(3 + half, rel=1e-5) and found.low == 0.0
