"""What files say of how a model came about."""

import json

import numpy as np

import giqa
from giqa.model.load_model import load
from giqa.model.made_by import AskedAbout, MadeBy

ASKED = {"pictures": 3, "unlike": None, "distance": 0.2, "learned_from": 0}


def test_what_is_said_comes_back_with_the_keys_of_a_later_version():
    """`to_dict` gives what `from_dict` was given; extractor and match are said also where they are None."""
    said = {"extractor": None, "scorer": "knn(k=1)", "match": None, "seed": 0, "asked": ASKED, "later": [1]}
    made = MadeBy.from_dict(said)
    assert (made.scorer, made.seed, made.asked, made.others) == (
        "knn(k=1)",
        0,
        AskedAbout(3, None, 0.2, 0),
        {"later": [1]},
    )
    assert made.to_dict() == said


def test_keys_of_a_later_version_within_asked_do_not_hinder():
    assert MadeBy.from_dict({"asked": ASKED | {"later": 1}}).asked == AskedAbout(3, None, 0.2, 0)
    assert MadeBy.from_dict({"asked": None}).asked is MadeBy.from_dict({}).asked is None


def test_a_fitted_model_says_nothing_that_is_not_in_the_list(tmp_path):
    """Every key of `made_by` is a field of `MadeBy`, also after a file; a mapping as before."""
    model = giqa.fit(np.random.default_rng(0).normal(size=(40, 3)).astype("f4"), scorer="knn")
    loaded = load(model.save(tmp_path / "reals.giqa"))
    assert MadeBy.from_dict(loaded.made_by).others == {}
    assert loaded.made_by == json.loads(json.dumps(model.made_by)) and model.made_by["match"] is None


def test_a_model_of_a_later_version_keeps_what_it_says(tmp_path):
    """A key that is not known here goes through a file, and into the scores."""
    from dataclasses import replace

    reals = np.random.default_rng(0).normal(size=(40, 3)).astype("f4")
    model = giqa.fit(reals, scorer="knn")
    model = replace(model, made_by=model.made_by | {"later": {"a": 1}})
    assert load(model.save(tmp_path / "reals.giqa")).score(reals[:2]).made_by["later"] == {"a": 1}
