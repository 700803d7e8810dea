"""The part of the interval of z that all pictures share, and the interval of a rank."""

import numpy as np
import pytest

import giqa
from giqa.errors import BadSpec
from giqa.model.order import own_width, rank_interval
from giqa.scorers.scale import Scale, shared_deviation
from giqa.stats import jackknife, ranks


def test_both_parts_are_the_interval():
    """Half² = own² + (1.96 shared)²; own is t(4) times the deviation of the score over the spread of the reals."""
    scale, scores = Scale(np.random.default_rng(0).normal(5, 2, 100)), np.array([5.0, -40.0])
    low, high = scale.interval(scores, np.array([0.1, 3.0]))
    z = scale.z(scores)
    own, shared = own_width(z, low, high, scale.shared), shared_deviation(z, scale.shared)
    assert own == pytest.approx(2.776445 * np.array([0.1, 3.0]) / scale.spread, rel=1e-6)
    assert ((high - low) / 2) ** 2 == pytest.approx(own**2 + (1.959964 * shared) ** 2, rel=1e-6)


def test_the_shared_part_moves_all_pictures_and_no_rank():
    """Reals that spread 20 % more make every z smaller by the same factor; the rank interval stays."""
    z, one = np.array([0.0, -50.0, -60.0]), np.full(3, 4.0)
    assert [ends.tolist() for ends in rank_interval(z, one)] == [[1, 2, 3], [1, 2, 3]]
    assert [ends.tolist() for ends in rank_interval(z / 1.2, one / 1.2)] == [[1, 2, 3], [1, 2, 3]]


def test_ranks_by_hand():
    """The second reaches from 0.5 to 2.5, past the first; ties share their places; NaN has no rank."""
    low, high = rank_interval(np.array([2.0, 1.5, -9.0, np.nan, -9.0]), np.array([0.2, 1.0, 1.0, 1.0, 1.0]))
    assert (low.tolist(), high.tolist()) == ([1, 1, 3, 0, 3], [1, 2, 4, 0, 4])


def test_rank_intervals_hold_in_a_simulation():
    """400 draws of 40 pictures that vary with each of five folds, and all together: the true rank is inside."""
    rng, m, held = np.random.default_rng(2), 40, []
    true = rng.normal(-20, 8, m)
    scale = Scale(rng.normal(size=100))
    for _ in range(400):
        folds = rng.normal(size=(m, 5)) * np.linspace(0.5, 4, m)[:, None]
        together = 1 + 0.2 * rng.normal()
        without = (folds.sum(axis=1, keepdims=True) - folds) / 4
        score = true * together + folds.mean(axis=1)
        low, high = rank_interval(
            z := scale.z(score), own_width(z, *scale.interval(score, jackknife(without)), scale.shared)
        )
        held.append((low <= ranks(-true)) & (ranks(-true) <= high))
    assert np.mean(held) >= 0.93


@pytest.mark.slow
def test_the_shared_part_holds_in_a_simulation():
    """120 draws of 60 held-out reals of N(0, 1), whose median is 0 and whose sd 1: the true z is inside."""
    rng, z = np.random.default_rng(2), np.array([0.0, -2.0, -10.0, -100.0])
    ends = np.array([Scale(rng.normal(size=60), seed).interval(z, np.zeros(4)) for seed in range(120)])
    assert ((ends[:, 0] <= z) & (z <= ends[:, 1])).mean() >= 0.93


def test_a_table_keeps_what_ranks_need(tmp_path):
    """From a file the same ranks as from memory; a table that does not say it is refused with the remedy."""
    rng = np.random.default_rng(0)
    scores = giqa.score(rng.normal(size=(30, 3)) * 2, real=rng.normal(size=(60, 3)), scorer="sgm")
    read = giqa.read_scores(scores.write(tmp_path / "s.csv"))
    for one, other in zip(scores.rank_interval(), read.rank_interval(), strict=True):
        assert one.tolist() == other.tolist()
    assert read.headline() == scores.headline() and read.made_by == scores.made_by
    (tmp_path / "s.csv.json").unlink()
    with pytest.raises(BadSpec, match="score again"):
        giqa.read_scores(tmp_path / "s.csv").rank_interval()
