"""Figures of benchmarks with their intervals, by hand."""

import numpy as np

from benchmarks.intervals import auc, over_pictures, spearman, student


def test_mean_over_runs_has_students_interval():
    """1, 2, 3: deviation 1, -+ 4.303 / sqrt(3). 1, 3: deviation sqrt(2), -+ 12.71. One run says nothing of others."""
    assert f"{student([1.0, 2.0, 3.0]):.2f}" == "2.00 [-0.48, 4.48]"
    assert f"{student([1.0, 3.0]):+.1f}" == "+2.0 [-10.7, +14.7]"
    assert f"{student([1.5]):.1f}" == "1.5"


def test_auc_counts_pairs():
    """Of the four pairs, a real is above in two, equal in one: (2 + 0.5) / 4."""
    assert auc(np.array([3.0, 1.0]), np.array([1.0, 2.0])) == 0.625


def test_spearman_of_a_constant_orders_nothing():
    assert str(over_pictures(spearman, np.ones(5), np.arange(5.0))) == "–"
    assert str(over_pictures(spearman, np.arange(5.0), -np.arange(5.0))) == "-1.000 [-1.000, -1.000]"
