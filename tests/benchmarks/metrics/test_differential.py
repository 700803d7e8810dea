"""Our scorers, statistics and metrics next to other packages, and float32 features next to float64."""

import pytest


@pytest.mark.parametrize("part", ["scorers", "stats", "votes", "precision"])
def test_no_difference_is_larger_than_allowed(part):
    """By FAISS, scikit-learn and SciPy on seeded data; metrics have `test_other_packages`."""
    for package in ("sklearn", "scipy", *{"scorers": ["faiss"], "votes": ["krippendorff"]}.get(part, [])):
        pytest.importorskip(package)
    from benchmarks.coverage.differential import PARTS

    found = list(PARTS[part]())
    assert len(found) >= 6
    assert [(r.quantity, r.peer, r.difference) for r in found if not r.difference <= r.allowed] == []
