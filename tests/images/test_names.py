"""Pictures found by the names that tables give them."""

from giqa.images.names import match_names


def test_the_id_itself_wins_over_what_ends_alike():
    assert match_names(["a.png"], ["x/a.png", "a.png"]) == ({"a.png": 1}, {})


def test_one_is_the_end_of_the_other():
    ids = ["gan/a.png", "vae/a.png", "b.png"]
    found, missing = match_names(["vae/a.png", "/old/place/gan/a.png", "set/b.png", "a.png", "\\new\\b.png"], ids)
    assert found["vae/a.png"] == 1 and found["/old/place/gan/a.png"] == 0
    assert missing["a.png"] == "could be 2 pictures"
    assert "set/b.png" in missing and "\\new\\b.png" in missing  # two names, one picture


def test_another_folder_is_another_picture():
    """`vae/a.png` is not `gan/a.png` though nothing else is called a.png."""
    assert match_names(["vae/a.png"], ["gan/a.png"]) == ({}, {"vae/a.png": "is not there"})


def test_a_name_may_lack_its_ending():
    found, missing = match_names(["a", "b.v2", "c"], ["x/a.png", "b.v2.jpg", "c.png", "c.jpg"])
    assert found == {"a": 0, "b.v2": 1} and missing == {"c": "could be 2 pictures"}
