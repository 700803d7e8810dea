"""Majority, Dawid-Skene and Bradley-Terry against second implementations and known truths."""

import itertools

import numpy as np
import pytest
from people_samples import votes

from giqa.errors import BadShape
from giqa.votes import aggregation as g
from giqa.votes.labels import Pairs


def raters(seed=0, n_images=300, skill=(0.95, 0.9, 0.6, 0.55, 0.55), per=5):
    """Votes of raters who are right with these probabilities, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.random(n_images) < 0.4
    rows = [(f"i{i:03d}", f"r{r}", truth[i] if rng.random() < skill[r] else not truth[i])
            for i in range(n_images) for r in rng.permutation(len(skill))[:per]]  # fmt: skip
    return votes(*zip(*rows, strict=True)), truth


def test_majority_by_hand():
    found = g.majority(votes(["a", "a", "a", "b", "b"], ["r", "s", "t", "r", "s"], [1, 1, 0, 1, 0]))
    assert found.image.tolist() == ["a", "b"] and found.p_real.tolist() == [pytest.approx(2 / 3), 0.5]


def stupid_dawid_skene(made, steps=500):
    """The same algorithm with loops and dictionaries."""
    rows = list(zip(made.image.tolist(), made.rater.tolist(), made.said_real.tolist(), strict=True))
    p = {i: np.mean([s for j, _, s in rows if j == i]) for i in set(made.image.tolist())}
    for _ in range(steps):
        prior = np.mean(list(p.values()))
        hit, seen = {}, {}
        for i, r, s in rows:
            for real, weight in ((True, p[i]), (False, 1 - p[i])):
                hit[r, real] = hit.get((r, real), 0.01) + weight * (s == real)
                seen[r, real] = seen.get((r, real), 0.02) + weight
        old, p = p, {}
        for i in old:
            odds = prior / (1 - prior)
            for j, r, s in rows:
                if j == i:
                    right = {real: hit[r, real] / seen[r, real] for real in (True, False)}
                    odds *= (right[True] if s else 1 - right[True]) / (1 - right[False] if s else right[False])
            p[i] = odds / (1 + odds)
    return [p[i] for i in sorted(p)]


def test_dawid_skene_is_the_stupid_one():
    made, _ = raters(n_images=40)
    assert g.dawid_skene(made, most=2000, tolerance=1e-12).p_real == pytest.approx(stupid_dawid_skene(made), abs=1e-4)


def test_dawid_skene_finds_good_raters_and_beats_the_majority():
    made, truth = raters()
    found = g.dawid_skene(made)
    right = {
        "majority": np.mean((g.majority(made).p_real > 0.5) == truth),
        "ds": np.mean((found.p_real > 0.5) == truth),
    }
    assert right["ds"] > right["majority"] + 0.03
    assert found.sensitivity == pytest.approx([0.95, 0.9, 0.6, 0.55, 0.55], abs=0.1)
    assert found.specificity == pytest.approx([0.95, 0.9, 0.6, 0.55, 0.55], abs=0.1)


def pairs(strength, n=40, seed=0):
    """Every two of these are judged n times."""
    rng = np.random.default_rng(seed)
    both = np.array(list(itertools.combinations(range(len(strength)), 2)))
    p = 1 / (1 + np.exp(strength[both[:, 1]] - strength[both[:, 0]]))
    left = rng.binomial(n, p).astype(float)
    names = np.array([f"p{i}" for i in range(len(strength))])
    return Pairs(names[both[:, 0]], names[both[:, 1]], left, n - left, np.full(len(both), ""))


def test_two_pictures_by_hand():
    """30 votes to 10: the strengths differ by log 3, and each is half of that from the mean."""
    found = g.bradley_terry(Pairs(*(np.array([x]) for x in ("a", "b", 30.0, 10.0, ""))), prior=0)
    assert found.name.tolist() == ["a", "b"] and found.strength == pytest.approx([np.log(3) / 2, -np.log(3) / 2])
    half = 1.959964 / 2 / np.sqrt(40 * 0.75 * 0.25)  # of the difference / 2
    assert found.high - found.strength == pytest.approx([half, half], rel=1e-4)


def test_a_prior_is_wins_and_losses_against_the_average():
    """a won once, prior 0.6: at strengths +-log 2 the slope is 1 / 5 + 0.6 / 3 - 0.6 * 2 / 3 = 0.

    Curvature along (1, -1) / sqrt 2: 2 * 1 * 4 / 5 * 1 / 5 of the vote, 2 * 0.6 * 2 / 3 * 1 / 3 of the prior.
    """
    found = g.bradley_terry(Pairs(*(np.array([x]) for x in ("a", "b", 1.0, 0.0, ""))), prior=0.6)
    assert found.name.tolist() == ["a", "b"] and found.strength == pytest.approx([np.log(2), -np.log(2)])
    half = 1.959964 * np.sqrt(0.5 / (0.32 + 1.2 * 2 / 9))
    assert found.high - found.strength == pytest.approx([half, half], rel=1e-5)


def test_strengths_are_those_of_logistic_regression():
    linear = pytest.importorskip("sklearn.linear_model")
    made = pairs(np.array([1.0, 0.3, -0.2, -1.1]))
    names = np.unique(np.r_[made.left, made.right])
    design = (made.left[:, None] == names).astype(float) - (made.right[:, None] == names)
    x, y = np.r_[design, design], np.r_[np.ones(len(design)), np.zeros(len(design))]
    weight = np.r_[made.votes_left, made.votes_right]
    theirs = linear.LogisticRegression(C=1e10, fit_intercept=False, tol=1e-10, max_iter=1000)
    fitted = theirs.fit(x, y, weight).coef_[0]
    found = g.bradley_terry(made, prior=0)
    by_name = dict(zip(found.name.tolist(), found.strength.tolist(), strict=True))
    assert [by_name[n] for n in names] == pytest.approx((fitted - fitted.mean()).tolist(), abs=1e-4)


def test_intervals_of_strengths_cover():
    truth, held, total = np.array([1.0, 0.4, 0.0, -0.4, -1.0]), 0, 0
    for seed in range(100):
        found = g.bradley_terry(pairs(truth, seed=seed), prior=0)
        want = truth[[int(name[1:]) for name in found.name]]
        held += np.sum((found.low <= want) & (want <= found.high))
        total += len(truth)
    assert 0.92 <= held / total <= 0.98


def test_who_never_lost_is_finite_or_refused():
    made = Pairs(
        np.array(["a", "b"]), np.array(["b", "c"]), np.array([5.0, 2.0]), np.array([0.0, 3.0]), np.array(["", ""])
    )
    assert np.all(np.isfinite(g.bradley_terry(made).strength))
    with pytest.raises(BadShape, match="prior"):
        g.bradley_terry(made, prior=0)


@pytest.mark.parametrize("n", [4, 8, 11])
def test_a_long_circle_connects_all_and_a_chain_does_not(n):
    """Each wins once against the next, and the last against the first: all are alike; without that it is refused."""
    names, ones = np.array([f"p{i:02}" for i in range(n)]), np.ones(n)
    circle = Pairs(names, np.roll(names, -1), ones, 0 * ones, np.full(n, ""))
    assert g.bradley_terry(circle, prior=0).strength == pytest.approx(np.zeros(n), abs=1e-9)
    with pytest.raises(BadShape, match="prior"):
        g.bradley_terry(circle.rows(np.arange(n) < n - 1), prior=0)


def test_sides_do_not_matter_and_unanimous_ones_are_kept():
    made = Pairs(
        np.array(["a", "b", "c"]), np.array(["b", "a", "d"]), np.array([2.0, 0.0, 1.0]), np.array([0.0, 1.0, 2.0]),
        np.array(["", "", ""]),
    )  # fmt: skip
    summed = g.sum_pairs(made)
    assert list(zip(*(c.tolist() for c in summed.columns().values()), strict=True)) == [
        ("a", "b", 3, 0, ""),
        ("c", "d", 1, 2, ""),
    ]
    assert g.unanimous(made).left.tolist() == ["a"]
