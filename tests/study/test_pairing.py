"""The rule by which pairs are drawn: groups, evenness, sides, and what is done when groups are small."""

import random
from collections import Counter

import pytest

from giqa.errors import BadSpec
from giqa.study.pairing import draw_pairs, how_many

GROUPS = {name: [f"{name}{i}" for i in range(20)] for name in ("gan", "vae", "real", "early")}


def used(pairs):
    return Counter(picture for pair in pairs for picture in pair)


def test_every_two_groups_equally_often_and_no_pair_twice():
    """120 pairs of four groups of 20: six kinds of pair, 20 each; a group's 60 places are three for each picture."""
    pairs = draw_pairs(GROUPS, 120, 4)
    kinds = Counter(frozenset(name.rstrip("0123456789") for name in pair) for pair in pairs)
    assert len(kinds) == 6 and set(kinds.values()) == {20} and all(len(kind) == 2 for kind in kinds)
    assert len({frozenset(pair) for pair in pairs}) == 120
    assert set(used(pairs).values()) == {3}


def test_sides_are_by_lot_and_a_seed_repeats_them():
    """Of 120, a fair coin puts the first group's picture on the left 35 to 85 times (4.5 spreads)."""
    pairs = draw_pairs(GROUPS, 120, 4)
    assert 35 <= sum(left < right for left, right in pairs) <= 85
    assert pairs == draw_pairs(GROUPS, 120, 4) == draw_pairs(GROUPS, 120, random.Random(4))
    assert pairs != draw_pairs(GROUPS, 120, 5)


def test_pictures_are_taken_evenly_when_they_do_not_come_out_even():
    """20 pairs of three groups of ten: 40 places for 30 pictures, so each once or twice."""
    groups = {"a": range(10), "b": range(10, 20), "": range(20, 30)}
    pairs = draw_pairs(groups, 20, 0)
    assert all(left // 10 != right // 10 for left, right in pairs)
    assert len(used(pairs)) == 30 and set(used(pairs).values()) <= {1, 2}


@pytest.mark.parametrize("seed", range(5))
def test_a_small_group_gives_what_it_has(seed):
    """Groups of 1, 10 and 10, all 120 pairs: 10, 10 and 100; and 40 of them: 10, 10 and the other 20."""
    groups = {"a": [0], "b": range(1, 11), "c": range(11, 21)}
    assert how_many(groups) == 120
    assert len({frozenset(pair) for pair in draw_pairs(groups, 120, seed)}) == 120
    assert sum(0 in pair for pair in draw_pairs(groups, 40, seed)) == 20


def test_one_group_is_paired_with_itself():
    """All three pairs of three; of ten pictures, five pairs use each once."""
    assert {frozenset(pair) for pair in draw_pairs({"a": [0, 1, 2]}, 3)} == {
        frozenset(p) for p in ((0, 1), (0, 2), (1, 2))
    }
    assert set(used(draw_pairs({"a": range(10)}, 5)).values()) == {1}
    assert how_many({"a": [0], "b": []}) == 0 and draw_pairs({"a": [0]}, 0) == []


def test_more_than_there_are_is_refused():
    with pytest.raises(BadSpec, match=r"5 pairs of groups of \[2, 2\] pictures: there are 4"):
        draw_pairs({"a": [0, 1], "b": [2, 3]}, 5)
