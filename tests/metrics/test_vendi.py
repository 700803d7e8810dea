import numpy as np
import pytest
from scipy.stats import entropy

from giqa.metrics.vendi import vendi_score


def dense(x):
    """exp of the entropy of the eigenvalues of all cosine similarities over n."""
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    return np.exp(entropy(np.linalg.eigvalsh(x @ x.T / len(x)).clip(0)))


@pytest.mark.parametrize("shape", [(30, 8), (8, 30), (2100, 5)])
def test_is_the_entropy_of_similarities(shape):
    x = np.random.default_rng(0).normal(size=shape)
    assert vendi_score(x) == pytest.approx(dense(x), rel=1e-6)


def test_counts_different_pictures():
    """Three different directions are 3 however often each is there; losing modes one at a time lowers it each time."""
    assert vendi_score(np.repeat(np.eye(3), 7, axis=0) * 5) == pytest.approx(3)
    rng = np.random.default_rng(0)
    modes = rng.normal(size=(10, 40))
    found = [vendi_score(np.repeat(modes[:left], 12, axis=0)) for left in range(10, 0, -1)]
    assert np.all(np.diff(found) < 0) and found[-1] == pytest.approx(1)


@pytest.mark.parametrize("scale", [1e-200, 1e-20, 1, 1e20, 1e200])
def test_directions_have_no_length(scale):
    assert vendi_score(np.eye(3) * scale) == pytest.approx(3)


def test_rows_of_zeros_are_alike_and_like_no_other():
    """Three directions and a row without one are 4; zeros alone are 1, and no rounding goes below."""
    assert vendi_score(np.vstack([np.eye(3), np.zeros((1, 3))])) == pytest.approx(4)
    assert vendi_score(np.zeros((4, 3))) == 1 and vendi_score(np.full((7, 3), 5.0)) == 1
