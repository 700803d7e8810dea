"""The timed task shows a picture for as long as it says."""

import importlib.util
from pathlib import Path

import numpy as np

FRAME = 1000 / 60
BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "exposure.py"


def test_exposure_is_what_was_asked(browser):
    """By an observer of its own, within half a frame at the median; what is recorded agrees with what was seen."""
    spec = importlib.util.spec_from_file_location("exposure", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for asked, times in module.measured(browser, 7, (100, 310)).items():
        recorded, seen = times.T
        nearest = round(asked / FRAME) * FRAME
        assert abs(np.median(seen) - asked) < FRAME / 2 + 1
        assert abs(np.median(recorded) - nearest) < 1
        assert np.median(np.abs(recorded - seen)) < FRAME / 2
