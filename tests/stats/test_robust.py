"""Robust z and the conformal percentile by hand."""

import numpy as np
import pytest

from giqa.stats import conformal_percentile, robust_sd, robust_z


def test_robust_sd_by_hand():
    """Of 0 0 1 3 9: median 1, absolute deviations 1 1 0 2 8, their median 1."""
    values = np.array([9.0, 0.0, 3.0, 0.0, 1.0])
    assert robust_sd(values) == pytest.approx(1.4826)
    assert robust_sd(np.stack([values, 2 * values], axis=1), axis=0) == pytest.approx([1.4826, 2 * 1.4826])
    assert robust_z(4.0, values) == pytest.approx(3 / 1.4826)


def test_where_more_than_half_are_equal_there_is_no_scale():
    assert robust_sd(np.array([1.0, 1, 1, 5])) == 0 and np.isnan(robust_z([1.0, 2.0], np.array([1.0, 1, 1, 5]))).all()


def test_conformal_percentile_by_hand():
    """Of 4 references, 2 are at or below 5: (1 + 2) / 5; the order of references does not matter."""
    reference = np.array([7.0, 5.0, 1.0, 9.0])
    found = conformal_percentile([5.0, 0.0, 9.0, np.nan], reference)
    assert found == pytest.approx([0.6, 0.2, 1.0, np.nan], nan_ok=True)
