"""What to label next, where the right choice is obvious."""

import numpy as np
import pytest

from giqa.errors import BadShape, BadSpec
from giqa.study.acquisition import choose, directions, learned

CORNERS = np.repeat([[0.0, 0], [0, 100], [100, 0], [100, 100]], 10, axis=0)
POINTS = CORNERS + 0.01 * np.random.default_rng(0).normal(size=CORNERS.shape)  # ten pictures near each corner


def corner(rows):
    return sorted((np.asarray(rows) // 10).tolist())


@pytest.mark.parametrize("seed", range(5))
def test_coverage_goes_where_nothing_is_labelled(seed):
    """One corner has labels: the next three are of the three others; without labels, four are of all four."""
    assert corner(choose(POINTS, 3, labelled=[0, 1, 2], method="coverage", seed=seed)) == [1, 2, 3]
    assert corner(choose(POINTS, 4, method="coverage", seed=seed)) == [0, 1, 2, 3]


def test_doubt_moves_the_choice():
    """All corners have a label; doubt is in the second alone. `both` is zero where there is no doubt."""
    labelled, doubt = [0, 10, 20, 30], np.where(np.arange(40) // 10 == 1, 0.25, 0.0)
    for method in ("unsure", "both"):
        assert corner(choose(POINTS, 5, labelled=labelled, method=method, doubt=doubt)) == [1] * 5
    order = choose(POINTS, 3, method="unsure", doubt=np.arange(40.0))
    assert order.tolist() == [39, 38, 37]


def test_never_what_is_labelled_nor_a_copy_of_it():
    """Rows 0 to 9 are copies of each other and one of them has a label; of every other pair of copies one is taken."""
    twins = np.r_[np.zeros(10, int), 1 + np.arange(30) // 2]
    for method in ("coverage", "random", "unsure"):
        chosen = choose(POINTS, 40, labelled=[3], method=method, doubt=np.ones(40), twins=twins, seed=2)
        assert len(chosen) == 15 and len(set(twins[chosen].tolist())) == 15 and chosen.min() >= 10


def test_strata_are_filled_evenly():
    """Two generators, one with three labels already: it is the other's turn three times, then each in turn."""
    made_by = np.array(["a", "b"] * 20)
    chosen = choose(POINTS, 7, labelled=[0, 2, 4], strata=made_by, method="random", seed=1)
    assert made_by[chosen][:3].tolist() == ["b"] * 3 and sorted(made_by[chosen][3:]).count("a") == 2
    few = np.array(["a"] * 38 + ["b"] * 2)
    assert (few[choose(POINTS, 10, strata=few, seed=1)] == "b").sum() == 2


def test_the_same_seed_chooses_the_same():
    assert choose(POINTS, 6, seed=4).tolist() == choose(POINTS, 6, seed=4).tolist()
    drawn = {tuple(choose(POINTS, 6, seed=seed).tolist()) for seed in range(4)}
    assert len(drawn) == 4


def test_copies_at_one_point_can_all_be_chosen():
    """No distance between them: chosen at random, and no division by zero."""
    assert len(choose(np.zeros((5, 2)), 9, method="coverage", seed=0)) == 5


def test_what_cannot_be_chosen():
    with pytest.raises(BadSpec, match="random, coverage, both, unsure"):
        choose(POINTS, 3, method="best")
    with pytest.raises(BadSpec, match="how unsure"):
        choose(POINTS, 3, method="unsure")
    with pytest.raises(BadShape, match="n from 1"):
        choose(POINTS, 0)


def test_directions_keep_distances():
    """All directions of standardised features: distances are those by hand; a constant column says nothing."""
    matrix = np.random.default_rng(1).normal(size=(30, 3)) * [1, 10, 0] + [0, 5, 7]
    points = directions(matrix.astype(np.float32))
    by_hand = ((matrix - matrix.mean(0)) / matrix.std(0).clip(1e-9))[:, :2]
    assert np.linalg.norm(points[3] - points[8]) == pytest.approx(np.linalg.norm(by_hand[3] - by_hand[8]), rel=1e-4)


def test_a_model_of_few_votes_sees_the_one_direction_that_matters():
    """Twenty votes along a line in 30 dimensions of little noise: what lies far along it is called real."""
    rng = np.random.default_rng(3)
    points = 0.05 * rng.normal(size=(60, 30))
    points[:, 0] = np.linspace(-2, 2, 60)
    rows = np.arange(0, 60, 3)
    p = learned(points, rows, np.c_[np.full(20, 3.0), 3.0 * (points[rows, 0] > 0)])
    assert p[points[:, 0] > 0.5].min() > 0.75 and p[points[:, 0] < -0.5].max() < 0.25
    unsure = learned(points, rows, np.c_[np.full(20, 2.0), np.ones(20)])
    assert np.abs(unsure - 0.5).max() < 0.02
