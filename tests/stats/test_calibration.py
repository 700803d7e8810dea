"""Balanced accuracy and calibration by hand and by simulation."""

import numpy as np
import pytest

from giqa.stats import balanced_accuracy, calibration, calibration_error


def test_balanced_accuracy_by_hand():
    """3 of 4 real and 1 of 2 fake votes predicted: (.75 + .5) / 2; a constant answer gets one half."""
    said_real = np.array([1, 1, 1, 1, 0, 0])
    assert balanced_accuracy(np.array([1, 1, 1, 0, 1, 0]), said_real) == pytest.approx(0.625)
    assert balanced_accuracy(np.ones(6), said_real) == 0.5


def test_calibration_of_a_probability_that_is_right():
    rng = np.random.default_rng(3)
    p = rng.random(40_000)
    said = rng.random(40_000) < p
    curve = calibration(p, said)
    assert len(curve) == 10 and sum(n for *_, n in curve) == 40_000
    assert all(share == pytest.approx(predicted, abs=0.03) for predicted, share, _ in curve)
    assert calibration_error(p, said) < 0.01 < 0.2 < calibration_error(p**4, said)


def test_curve_and_error_have_ten_bins_unless_told():
    rng = np.random.default_rng(0)
    p = rng.random(1000)
    said = (rng.random(1000) < p**2).astype(float)
    assert len(calibration(p, said)) == 10 and calibration_error(p, said) == calibration_error(p, said, bins=10)
    assert calibration_error(p, said, bins=9) != calibration_error(p, said) != calibration_error(p, said, bins=11)
