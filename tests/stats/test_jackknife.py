"""The jackknife by hand."""

import numpy as np
import pytest
from scipy.stats import ttest_ind

from giqa.stats import jackknife, welch_interval


def test_jackknife_by_hand():
    """Scores -2, -1, 0, 1, 2 without each fold: sqrt(4/5 x 10)."""
    assert jackknife(np.array([[-2.0, -1.0, 0.0, 1.0, 2.0]])) == pytest.approx([np.sqrt(8)])
    assert jackknife(np.array([[-2.0], [-1.0], [0.0], [1.0], [2.0]]), axis=0) == pytest.approx([np.sqrt(8)])


def test_welchs_interval_is_scipys():
    """Of a difference of two means with their own variances."""
    a, b = np.array([1.0, 2.0, 4.0, 7.0]), np.array([3.0, 3.5, 5.0, 5.5, 8.0, 9.0])
    wanted = ttest_ind(a, b, equal_var=False).confidence_interval()
    parts = [(x.var(ddof=1) / len(x), len(x) - 1) for x in (a, b)]
    assert welch_interval(a.mean() - b.mean(), parts) == pytest.approx((wanted.low, wanted.high))


def test_what_does_not_vary_has_no_width():
    assert welch_interval(2.0, [(0.0, 9)]) == (2.0, 2.0)
    assert np.isnan(welch_interval(2.0, [])).all() and np.isnan(welch_interval(2.0, [(np.inf, 9)])).all()
