"""Scores against the same judgements: accuracies, the deviation of pairs that share pictures, differences."""

import numpy as np
import pytest
from people_samples import votes

from giqa.evaluate.differences import (
    best_for_votes,
    by_generators,
    credits,
    deviation,
    judge_pairs,
    judge_votes,
    judged_pairs,
    mean_of_pairs,
    pair_difference,
    vote_difference,
)
from giqa.stats import student
from giqa.votes.labels import Counts, Pairs


def pairs_of(rows):
    left, right, a, b = zip(*rows, strict=True)
    return Pairs(np.array(left), np.array(right), np.array(a, float), np.array(b, float), np.full(len(rows), ""))


FOUR = pairs_of([("a", "b", 3, 0), ("a", "c", 2, 1), ("d", "e", 0, 3), ("d", "f", 1, 1)])


def test_credits_by_hand():
    """Right, wrong, a tie of scores, a tie of votes; two infinite scores are a tie and no NaN."""
    scores = {"a": 2.0, "b": 1.0, "c": 3.0, "d": 5.0, "e": 5.0, "f": 0.0}
    assert credits(FOUR, scores).tolist() == [1, 0, 0.5, 0.5]
    endless = dict.fromkeys("abcdef", np.inf) | {"c": -np.inf}
    assert credits(FOUR, endless).tolist() == [0.5, 1, 0.5, 0.5]


def test_table_1_has_wilsons_interval():
    """3 of 4: (.75 + 3.8415/8) / 1.9604 = .6275, plus or minus .3269."""
    scores = {"a": 2.0, "b": 1.0, "c": 0.0, "d": 5.0, "e": 6.0, "f": 0.0}
    found = judge_pairs(FOUR.rows(np.arange(4) != 3), [scores])[0]["pair accuracy"]
    assert (found.value, found.n) == (1.0, 3)
    three_of_four = judge_pairs(FOUR, [scores | {"c": 2.0, "d": 5.5}])[0]["pair accuracy"]
    assert three_of_four.value == pytest.approx(0.75)  # 1, a tie, 1, a tie
    assert (three_of_four.low, three_of_four.high) == (pytest.approx(0.3006, abs=1e-4), pytest.approx(0.9544, abs=1e-4))


def test_deviation_of_pairs_that_share_pictures_by_hand():
    """Residuals .5 .5 -.5 -.5: sums of pictures a 1, d -1, others .5, squared in all 3; less 1 for each pair's own,
    times 6/5, is 2.4; without sharing it is 1 times 4/3."""
    values = np.array([1.0, 1, 0, 0])
    assert deviation(values, FOUR) == pytest.approx(np.sqrt(2.4) / 4)
    apart = pairs_of([("a", "b", 1, 0), ("c", "d", 1, 0), ("e", "f", 1, 0), ("g", "h", 1, 0)])
    assert deviation(values, apart) == pytest.approx(np.sqrt(4 / 3) / 4)
    assert deviation(np.ones(4), FOUR) == 0


def test_difference_by_hand():
    """One score is right on both pairs of `a`, the other on neither; on the rest they agree."""
    one = {"a": 2.0, "b": 1.0, "c": 0.0, "d": 1.0, "e": 2.0, "f": 0.0}
    other = one | {"a": -1.0}
    gap = pair_difference(FOUR, one, other)
    assert gap.value == pytest.approx((1 + 1 + 0 + 0) / 4)
    # Student's t of 4 pairs; the other end is that of the scale
    assert gap.value - gap.low == pytest.approx(3.182446 * np.sqrt(2.4) / 4, abs=1e-5) and gap.high == 1
    turned = pair_difference(FOUR, other, one)
    assert (turned.value, turned.low) == (pytest.approx(-gap.value), pytest.approx(-gap.high))
    same = pair_difference(FOUR, one, one)  # never another answer in 4 pairs: at most 1 - .025^(1 / 4) of the time
    assert same.value == 0 and same.high == -same.low == pytest.approx(1 - 0.025**0.25)


def test_a_weighted_mean_of_pairs_by_hand():
    """Shares 1, 1, 0, 0 with weights 1, 1, 1, 5: residuals weight / 2 (share - 1/4); four pictures, t of 3 degrees."""
    credit, weight = np.array([1.0, 1.0, 0.0, 0.0]), np.array([1.0, 1.0, 1.0, 5.0])
    found = mean_of_pairs(credit, FOUR, weight)
    residual = np.array([0.375, 0.375, -0.125, -0.625])
    sides = [{*both} for both in zip(FOUR.left.tolist(), FOUR.right.tolist(), strict=True)]
    shared = [[bool(one & other) for other in sides] for one in sides]
    pictures = len({*FOUR.left, *FOUR.right})
    meat = residual @ np.array(shared, float) @ residual * pictures / (pictures - 1)
    least = residual @ residual * 4 / 3
    half = student(min(4, pictures) - 1) * np.sqrt(max(meat, least)) / 4
    for end in (found.low, found.high):  # the m with (mean - m)^2 = (half / deviation of a share)^2 m (1 - m)
        assert (0.25 - end) ** 2 == pytest.approx(half**2 / (0.25 * 0.75) * end * (1 - end))
    assert found.low < found.value == 0.25 < found.high and found.n == 4


@pytest.mark.parametrize(("pairs", "known"), [(1, False), (2, False), (5, False), (6, True)])
def test_a_few_pairs_are_no_verdict(pairs, known):
    """One score right on every pair, the other on none: a sign test needs six pairs for 95 %, and so does this."""
    left, right = (np.array([f"{side}{i}" for i in range(pairs)]) for side in "lr")
    judged = Pairs(left, right, np.full(pairs, 3.0), np.zeros(pairs), np.full(pairs, ""))
    good = dict.fromkeys(left.tolist(), 1.0) | dict.fromkeys(right.tolist(), 0.0)
    bad = {name: -score for name, score in good.items()}
    gap = pair_difference(judged, good, bad)
    assert gap.value == 1 and (gap.low > 0) == known
    (found,) = judge_pairs(judged, [good])
    assert found["pair accuracy, other pictures"].low == pytest.approx(pairs / (pairs + 1.959964**2))


def test_intervals_of_differences_hold_the_truth():
    """Two scores that are equally good: 95 % intervals hold 0 nearly always, though each picture is in five pairs."""
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        quality = rng.normal(size=60)
        one, other = (dict(enumerate(quality + rng.normal(size=60))) for _ in range(2))
        left, right = rng.integers(60, size=(2, 170))
        keep = left != right
        better = (quality[left] > quality[right])[keep].astype(float)
        pairs = judged_pairs(Pairs(left[keep], right[keep], better, 1 - better, np.full(keep.sum(), "")))
        gap = pair_difference(pairs, one, other)
        held += gap.low <= 0 <= gap.high
    assert 0.9 <= held / 200 <= 0.995


def test_judged_pairs_sums_rows_and_keeps_the_unanimous():
    rows = pairs_of([("a", "b", 1, 0), ("b", "a", 0, 1), ("a", "c", 2, 1), ("d", "e", 0, 0)])
    kept = judged_pairs(rows)
    assert [(*pair,) for pair in zip(kept.left, kept.right, kept.votes_left, kept.votes_right, strict=True)] == [
        ("a", "b", 2, 0),
        ("a", "c", 2, 1),
    ]
    assert judged_pairs(rows, unanimous=True).right.tolist() == ["b"]
    assert best_for_votes(kept) == pytest.approx(4 / 5)


def test_generators_are_broken_down():
    scores = {"a": 2.0, "b": 1.0, "c": 3.0, "d": 4.0, "e": 5.0, "f": 0.0}
    made_by = {"a": "x", "b": "x", "c": "y", "d": "y", "e": "y"}
    found = by_generators(FOUR, scores, made_by)
    assert {kind: (value.value, value.n) for kind, value in found.items()} == {
        "x / x": (1.0, 1),
        "x / y": (0.0, 1),
        "y / y": (1.0, 1),
        "? / y": (0.5, 1),
    }
    assert by_generators(FOUR, scores, {}) == {}


def test_votes_by_hand_and_on_the_same_resamples():
    """12 pictures, one vote each, real where i is odd: scoring by i mod 2 is perfect, its reverse never right."""
    made = votes([f"i{i:02d}" for i in range(12)], ["r"] * 12, [i % 2 for i in range(12)])
    good = {f"i{i:02d}": float(i % 2) for i in range(12)}
    bad = {name: -value for name, value in good.items()}
    by_number = {f"i{i:02d}": float(i) for i in range(12)}
    found, draws = judge_votes(made, [good, bad, by_number], {}, resamples=60)
    assert [one["AUROC"].value for one in found[:2]] == [1.0, 0.0]
    # reals 1 3 5 7 9 11 against fakes 0 2 ... 10: 1 + 2 + ... + 6 of 36
    assert found[2]["AUROC"].value == pytest.approx(21 / 36)
    gap = vote_difference(found[0]["AUROC"], found[1]["AUROC"], draws[:, :2])
    assert (gap.value, gap.low, gap.high) == (1, 1, 1)
    same = vote_difference(found[2]["AUROC"], found[2]["AUROC"], draws[:, [2, 2]])
    assert (same.low, same.high) == (0, 0)


def test_pictures_without_a_vote_do_not_count():
    """The first picture of 13 was shown to nobody: all others keep their own scores."""
    names = np.array([f"i{i:02d}" for i in range(13)])
    n = np.r_[0.0, np.ones(12)]
    empty = np.full(13, "")
    counts = Counts(names, n, np.where(n > 0, np.arange(13) % 2, 0.0), empty, empty, empty)
    found, _ = judge_votes(counts, [{name: float(i % 2) for i, name in enumerate(names)}], {}, resamples=20)
    assert found[0]["AUROC"].value == 1 and found[0]["AUROC"].n == 12
