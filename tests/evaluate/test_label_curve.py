"""The learning curve: what may be learned from, and figures by hand."""

import numpy as np
import pytest

from giqa.errors import BadShape
from giqa.evaluate.label_curve import REPEATS, label_curve
from giqa.evaluate.rows import FOLDS, Rows, calibrated


def rows_of(pictures, votes, said, x):
    """`votes` rows a picture."""
    image = np.repeat(np.arange(pictures), votes)
    nothing = np.full(len(image), np.nan)
    one = np.zeros(len(image), int)
    return Rows(x[image][:, None], x[image], said.astype(float), image, one, np.full(len(image), ""), nothing)


def test_no_picture_is_judged_by_what_was_learned_from_it():
    """And each is judged once a draw at each size, from sets of that size, the smaller within the larger."""
    seen = {}

    def learn(train, x):
        wanted, taught = frozenset(x[:, 0].astype(int).tolist()), set(train.image.tolist())
        assert not wanted & taught
        assert seen.setdefault((wanted, len(taught)), taught) == taught
        return np.full(len(x), 0.5)

    rows = rows_of(30, 2, np.tile([0, 1], 30), np.arange(30.0))
    found = label_curve(rows, learn, resamples=10, sizes=(10, 20))
    assert [(step.pictures, step.votes) for step in found] == [(10, 20), (20, 40)]
    assert len(seen) == 2 * REPEATS * FOLDS
    smaller = {wanted: taught for (wanted, size), taught in seen.items() if size == 10}
    assert all(smaller[wanted] < taught for (wanted, size), taught in seen.items() if size == 20)
    for step in found:
        assert step.accuracy.value == 0.5 and step.accuracy.low < 0.35 and step.accuracy.high > 0.65  # Wilson's of 30
        assert step.log_loss.value == pytest.approx(np.log(2)) and step.log_loss.n == 30


def test_the_interval_holds_pictures_and_draws():
    """Right in one draw of five, wrong in the others: .2, and an interval from 0 to 1, with pictures all alike."""
    draws = iter(range(REPEATS * FOLDS))

    def learn(train, x):
        return np.full(len(x), 0.9 if next(draws) < FOLDS else 0.1)

    [step] = label_curve(rows_of(50, 1, np.ones(50), np.zeros(50)), learn, resamples=200, sizes=(20,))
    assert step.accuracy.value == pytest.approx(0.2) and (step.accuracy.low, step.accuracy.high) == (0, 1)
    assert step.log_loss.value == pytest.approx(-0.2 * np.log(0.9) - 0.8 * np.log(0.1))


def test_few_labels_and_none():
    rng = np.random.default_rng(0)
    rows = rows_of(24, 1, rng.random(24) < 0.5, rng.random(24))
    assert [step.pictures for step in label_curve(rows, calibrated, resamples=5)] == [19]
    with pytest.raises(BadShape, match="24 labelled pictures learns from 10 to 18"):
        label_curve(rows, calibrated, sizes=(5, 15))
