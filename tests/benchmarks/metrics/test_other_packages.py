"""The second implementations that the benchmark of set metrics measures against agree with ours."""

import pytest

from benchmarks.metrics import other_packages


@pytest.fixture(scope="module")
def agreements():
    """Metric, other implementation, our value, theirs, tolerance: published definitions, and packages if installed."""
    return list(other_packages.agreements())


def test_ours_are_those_of_second_implementations(agreements):
    """scipy's sqrtm, scikit-learn's kernels and distances, and numpy, on shared features."""
    apart = [(name, label, a, b) for name, label, a, b, tolerance in agreements if not abs(a - b) <= tolerance]
    assert apart == []
    names = {name.partition(",")[0] for name, *_ in agreements}
    assert names >= {"fd", "kd of all pairs", "precision", "recall", "density", "coverage", "cmmd", "vendi"}


@pytest.mark.parametrize("package", ["prdc", "torch-fidelity", "pytorch-fid", "clean-fid", "vendi-score"])
def test_ours_are_those_of_a_package(agreements, package):
    """Where it is installed: its own functions, no definition written here."""
    known = [label for _, label, *_ in agreements if label.startswith(package)]
    if not known:
        pytest.skip(f"{package} is not installed")
    assert len(known) >= 1
