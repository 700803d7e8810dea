import numpy as np
import pytest

from giqa.scorers import nearest as module
from giqa.scorers.nearest import nearest

SIZES = [(1, 1), (31, 5), (3, 40), (2047, 9), (2048, 9), (5000, 1), (5000, 900), (5000, 1400), (20_000, 9)]


def drawn(m, d=5, n=7, seed=0):
    """Pictures and references of small whole numbers, so that every product is exact."""
    rng = np.random.default_rng(seed)
    return rng.integers(-99, 99, (n, d)).astype(np.float32), rng.integers(-99, 99, (m, d)).astype(np.float32)


def values_of(queries, reference):
    """All values, by float64 differences: (|r - q|^2 - |q|^2) / 2."""
    apart = ((reference[None].astype(float) - queries[:, None]) ** 2).sum(axis=2)
    return (apart - (queries.astype(float) ** 2).sum(axis=1)[:, None]) / 2


@pytest.mark.parametrize(("m", "k"), SIZES)
def test_finds_the_smallest(m, k):
    """Against a full sort of all differences, for every way it goes; what is said of a row is its value."""
    queries, reference = drawn(m)
    values, rows = nearest(queries, reference, (reference**2).sum(axis=1) / 2, k)
    every = values_of(queries, reference)
    assert np.array_equal(np.sort(values, axis=1), np.sort(every, axis=1)[:, :k])
    assert np.array_equal(np.take_along_axis(every, rows, 1), values)
    assert all(len(set(line)) == min(k, m) for line in rows.tolist())


def test_a_guess_that_is_too_low_is_made_good(monkeypatch):
    """All near references stand where the sample is taken, so that it expects many more than there are."""
    queries, reference = drawn(4096)
    queries[3:] = 500  # for these the sample is no nearer than others
    reference[np.arange(4096) % module.SHARE > 0] += 300
    again, whole = [], module._of_all
    monkeypatch.setattr(module, "_of_all", lambda *given: again.append(len(given[0])) or whole(*given))
    values, _ = nearest(queries, reference, (reference**2).sum(axis=1) / 2, 300)
    assert again and 0 < again[0] < len(queries)
    assert np.array_equal(np.sort(values, axis=1), np.sort(values_of(queries, reference), axis=1)[:, :300])


@pytest.mark.parametrize("k", [1, 50])
def test_no_other_picture_matters(k):
    """Bit for bit, alone and among others, of features that round."""
    rng = np.random.default_rng(1)
    queries, reference = (rng.normal(size=(n, 70)).astype(np.float32) for n in (300, 6000))
    halves = (reference**2).sum(axis=1) / 2
    values, rows = nearest(queries, reference, halves, k)
    for some in ([5], [299, 5, 17]):
        found = nearest(queries[some], reference, halves, k)
        assert np.array_equal(np.sort(values[some], 1), np.sort(found[0], 1))
        assert np.array_equal(np.sort(rows[some], 1), np.sort(found[1], 1))


def test_equal_references_all_count():
    """5,000 times the same picture: each row once, though the guess cannot tell them apart."""
    reference = np.ones((5000, 3), np.float32)
    values, rows = nearest(np.zeros((2, 3), np.float32), reference, (reference**2).sum(axis=1) / 2, 9)
    assert values.tolist() == [[1.5] * 9] * 2 and all(len(set(line)) == 9 for line in rows.tolist())
