"""Quantiles, against SciPy's."""

import numpy as np
import pytest
from scipy import special
from scipy import stats as scipys

from giqa.stats import NORMAL, beta_interval, incomplete_beta, student


@pytest.mark.parametrize("level", [0.5, 0.9, 0.96, 0.999])
def test_students_quantile_is_scipys(level):
    """From less than one degree of freedom, where the series is far off, to so many that it is the normal one's."""
    for freedom in (0.7, 1, 1.3, 2, 3, 4.5, 9, 57, 199, 200, 1000):
        assert student(freedom, level) == pytest.approx(scipys.t.ppf((1 + level) / 2, freedom), rel=2e-8)
    assert student(np.inf) == pytest.approx(NORMAL) == pytest.approx(1.959964, abs=1e-6)


def test_beta_is_scipys():
    for a, b in ((1, 1), (0.3, 7), (40, 2.5), (1e-3, 5)):
        assert beta_interval(a, b) == pytest.approx(scipys.beta.ppf([0.025, 0.975], a, b), abs=1e-9)
        for x in (0.0, 0.01, 0.5, 0.97, 1.0):
            assert incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), abs=1e-10)
