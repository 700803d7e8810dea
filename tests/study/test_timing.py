"""The timed task shows a picture for as long as it says."""

import numpy as np
import pytest

from benchmarks.study import exposure

pytestmark = pytest.mark.slow

FRAME = 1000 / 60


def test_exposure_is_what_was_asked(browser):
    """By an observer of its own, within half a frame at the median; what is recorded agrees with what was seen."""
    for asked, times in exposure.measured(browser, 7, (100, 310)).items():
        recorded, seen = times.T
        nearest = round(asked / FRAME) * FRAME
        assert abs(np.median(seen) - asked) < FRAME / 2 + 1
        assert abs(np.median(recorded) - nearest) < 1
        assert np.median(np.abs(recorded - seen)) < FRAME / 2
