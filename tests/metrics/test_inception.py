import numpy as np
import pytest

from giqa.errors import BadSpec
from giqa.metrics.inception import inception_score


def test_by_hand():
    """Two pictures, (.5, .5) and (.9, .1): the mean is (.7, .3); exp of the mean of both divergences from it."""
    p = np.array([[0.5, 0.5], [0.9, 0.1]])
    first = 0.5 * np.log(0.5 / 0.7) + 0.5 * np.log(0.5 / 0.3)
    second = 0.9 * np.log(0.9 / 0.7) + 0.1 * np.log(0.1 / 0.3)
    assert inception_score(np.log(p)) == pytest.approx(np.exp((first + second) / 2))


def test_range_and_what_does_not_matter():
    """1 when all are alike or nothing is recognised, the number of classes at best; a constant in logits is nothing."""
    sure = np.repeat(1000 * np.eye(10), 5, axis=0)
    assert inception_score(sure) == pytest.approx(10)
    assert inception_score(sure[:5]) == pytest.approx(1)
    logits = np.random.default_rng(0).normal(size=(60, 10)) * 3
    assert inception_score(logits + np.arange(60)[:, None]) == pytest.approx(inception_score(logits))
    assert inception_score(logits[::-1]) == pytest.approx(inception_score(logits))


def test_splits_are_seeded_and_mean_over_parts():
    logits = np.random.default_rng(0).normal(size=(60, 10)) * 3
    order = np.random.default_rng(4).permutation(60)
    wanted = np.mean([inception_score(logits[part]) for part in np.split(order, 3)])
    assert inception_score(logits, splits=3, seed=4) == pytest.approx(wanted)
    with pytest.raises(BadSpec, match="splits from 1"):
        inception_score(logits, splits=61)
