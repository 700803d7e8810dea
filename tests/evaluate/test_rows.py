"""Votes as rows: what is drawn together, what is learned from, by hand."""

import numpy as np
import pytest

from giqa.evaluate.rows import FOLDS, Rows, calibrated, cross_validated, folds_of, resampled


def rows_of(image, said, rater=None, x=None):
    n = len(image)
    x = np.arange(n, dtype=float)[:, None] if x is None else x
    rater = np.zeros(n, int) if rater is None else np.array(rater)
    nothing = np.full(n, np.nan)
    return Rows(x, x[:, 0], np.array(said, float), np.array(image), rater, np.full(n, ""), nothing)


def test_a_picture_is_drawn_with_all_its_votes():
    """Pictures of 1, 2 and 3 votes: in every sample each comes whole, and one drawn twice is two."""
    rows = rows_of([0, 1, 1, 2, 2, 2], [1, 0, 0, 1, 1, 1])
    rng, twice = np.random.default_rng(0), 0
    for _ in range(50):
        drawn = rows.drawn(rng)
        assert len(np.unique(drawn.image)) == 3
        for one in np.unique(drawn.image):
            own = drawn.take(drawn.image == one)
            assert sorted(own.x[:, 0].tolist()) in ([0], [1, 2], [3, 4, 5])
        twice += len(np.unique(drawn.x)) < 6
    assert twice > 20


def test_a_rater_is_drawn_with_all_their_votes():
    rows = rows_of([0, 1, 2, 3] * 3, [1] * 12, rater=[0] * 4 + [1] * 4 + [2] * 4)
    sizes = {int((rows.drawn(np.random.default_rng(seed)).rater == 1).sum()) for seed in range(80)}
    assert sizes == {0, 4, 8, 12}  # of four pictures drawn: none of rater 1, or once, twice, three times
    assert rows.units() == 3


def test_two_raters_are_not_resampled():
    """Two people say nothing of a third: pictures alone are drawn, and every vote on them stays."""
    rows = rows_of([0, 1, 2, 3] * 2, [1] * 8, rater=[0] * 4 + [1] * 4)
    assert {int((rows.drawn(np.random.default_rng(seed)).rater == 1).sum()) for seed in range(20)} == {4}
    assert rows.units() == 4


def test_some_of_the_rows_are_numbered_anew():
    some = rows_of([0, 3, 3, 7], [1, 0, 1, 0], rater=[5, 2, 2, 9]).numbered()
    assert some.image.tolist() == [0, 1, 1, 2] and some.rater.tolist() == [1, 0, 0, 2]


def test_the_likelier_answer_and_its_nats():
    rows = rows_of([0, 1, 2, 3], [1, 0, 1, 1]).predicted(np.array([0.75, 0.75, 0.5, 0.1]))
    assert rows.right().tolist() == [1, 0, 0.5, 0]
    assert rows.nats() == pytest.approx(-np.log([0.75, 0.25, 0.5, 0.1]))
    assert rows.score.tolist() == [0, 1, 2, 3]  # one column: the score stays
    both = rows_of([0, 1], [1, 0], x=np.ones((2, 2))).predicted(np.array([0.75, 0.5]))
    assert both.score == pytest.approx([np.log(3), 0])


def test_pictures_are_predicted_from_other_pictures():
    """A learner that answers with the share of real votes it saw: by hand, that of the other folds."""
    rows = rows_of(np.arange(20).repeat(2), [1] * 20 + [0] * 20)
    fold = folds_of(rows, np.random.default_rng(7))
    assert np.bincount(fold).tolist() == [8] * FOLDS and (fold[::2] == fold[1::2]).all()
    found = cross_validated(rows, lambda train, x: np.full(len(x), train.said.mean()), seed=7)
    expected = [rows.said[fold != one].mean() for one in fold]
    assert found.p.tolist() == expected


def test_a_score_is_calibrated_on_the_votes_that_are_there():
    """1 of 4 real at 0 and 3 of 4 at 1 are what is said there, as log odds grow evenly; of no votes, 1 / 2."""
    x = np.repeat([0.0, 1.0], 4)[:, None]
    train = rows_of(range(8), [1, 0, 0, 0, 1, 1, 1, 0], x=x)
    assert calibrated(train, np.array([[0.0], [0.5], [1.0]])) == pytest.approx([0.25, 0.5, 0.75], abs=1e-3)
    assert calibrated(train.take(np.zeros(8, bool)), np.ones((2, 1))).tolist() == [0.5, 0.5]


def test_a_figure_that_a_sample_does_not_have_is_left_out():
    """The mean of picture 0, which a third of samples of three lack; 1 in all others, so that Wilson's interval stands.

    3 of 3: 3 / (3 + 1.96^2) = .4385.
    """
    rows = rows_of([0, 1, 2], [1, 0, 0])
    first = {"first": lambda r: float(r.said[r.x[:, 0] == 0].mean()) if (r.x == 0).any() else np.nan}
    assert str(resampled(rows, first, 100, 0)["first"]) == "1.000 [0.439, 1.000]"
    never = resampled(rows, {"never": lambda r: float("nan")}, 10, 0)["never"]
    assert np.isnan([never.value, never.low, never.high]).all()
