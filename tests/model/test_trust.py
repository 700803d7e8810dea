"""When p_real is not to be believed, and who says so."""

import pytest

from giqa.evaluate.training_overlap import of_people, seen_in_training
from giqa.model.table import Scores
from giqa.model.trust import LEARNED_FROM, doubts, human_part, learned, unchecked

FINE = {"pictures": 100, "unlike": 2, "distance": 0.03, "learned_from": 0}


def part(low, value, high, **asked):
    gain = {"value": value, "low": low, "high": high, "n": 99}
    return {"held_out": {"log-likelihood, gain": gain}, "share_real": 0.33, "asked": FINE | asked}


@pytest.mark.parametrize(
    ("low", "value", "high", "something", "words"),
    [
        (0.01, 0.04, 0.07, True, "learned something"),
        (-0.02, 0.01, 0.04, False, "this interval holds 0"),
        (0.0, 0.0, 0.0, False, "this interval holds 0"),
        (-0.09, -0.05, -0.01, False, "worse than one"),
        (None, None, None, False, "untested"),
    ],
)
def test_a_model_learned_something_when_its_gain_lies_above_0(low, value, high, something, words):
    said = learned(part(low, value, high))
    assert said[0] is something and words in said[1]
    assert bool(doubts(part(low, value, high))) is not something


def test_a_model_that_held_nothing_out_is_untested():
    assert not learned({"held_out": {}})[0] and not learned({})[0]


@pytest.mark.parametrize(
    ("asked", "doubtful"),
    [
        ({}, False),
        ({"distance": 0.16}, True),
        ({"distance": 0.15}, False),
        ({"distance": None, "unlike": 21}, True),
        ({"unlike": 20}, False),
        ({"pictures": 1, "unlike": 1, "distance": None}, False),
        ({"pictures": 2, "unlike": 2, "distance": None}, True),
        ({"unlike": None, "distance": None, "learned_from": None}, False),
    ],
)
def test_pictures_unlike_those_with_votes_are_a_doubt(asked, doubtful):
    """A distance above .15, or a fifth of the pictures (of five at least) flagged; what is not known is none."""
    found = doubts(part(0.01, 0.04, 0.07, **asked))
    assert bool(found) is doubtful and all("UNLIKE" in text for text in found)


def test_what_an_earlier_giqa_made_cannot_be_checked():
    assert unchecked(None) == "" and unchecked(part(0.01, 0.02, 0.03)) == ""
    assert "cannot be checked" in unchecked({"held_out": {}})
    assert "cannot be checked" in unchecked(part(0.01, 0.02, 0.03, learned_from=None))


def test_columns_of_people_are_known():
    """p_real always; z and score where the human model scored alone."""
    alone, beside = {"scorer": "human(preset='paper')"}, {"scorer": "knn", "human": {}}
    assert of_people("p_real", {}) and of_people("z", alone) and not of_people("z", beside) and not of_people("z", {})
    assert human_part(beside) == {} and human_part(alone) is alone and human_part({"scorer": "knn"}) is None


def test_votes_that_a_model_learned_from_are_no_test_of_it():
    """By the notes; names need not be written alike; without notes by the count; else it cannot be checked."""
    known, notes = {"human": {"asked": FINE | {"learned_from": 1}}}, ["grey; " + LEARNED_FROM, ""]
    ids = ["set/a.png", "set/b.png"]
    assert "1 of the 2" in seen_in_training(["a.png", "b.png"], ["p_real"], ids, notes, known)[0]
    assert seen_in_training(["b.png"], ["p_real"], ids, notes, known) == ("", "")
    assert seen_in_training(["a.png"], ["z"], ids, notes, known) == ("", "")
    assert seen_in_training(["a.png"], ["z", "p_real"], ids, notes, known)[0]
    assert seen_in_training(["a.png"], ["p_real"], ids, notes, {})[0], "the notes alone say it"
    assert seen_in_training(["b.png"], ["p_real"], ids, None, known)[0]
    assert "not known well enough" in seen_in_training(["b.png"], ["p_real"], ids, ["", ""], {})[1]
    assert seen_in_training(["b.png"], ["p_real"], ids, None, {"human": {"asked": FINE}})[1] == ""


def test_scores_are_believed_without_a_doubt():
    import numpy as np

    def scores(made_by, p=True):
        column = np.zeros(1)
        return Scores(["a"], *[column] * 5, *[[""]] * 4, made_by, *([column] * 3 if p else []))

    assert scores({"human": part(0.01, 0.04, 0.07)}).believed and not scores({}, p=False).believed
    assert not scores({"human": part(-0.01, 0.04, 0.07)}).believed
