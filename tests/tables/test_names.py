"""Pictures found by the names that tables give them."""

import pytest

from giqa.errors import BadTable
from giqa.tables.names import join_names, match_names


def test_the_id_itself_wins_over_what_ends_alike():
    assert match_names(["a.png"], ["x/a.png", "a.png"]) == ({"a.png": 1}, {})


def test_one_is_the_end_of_the_other():
    ids = ["gan/a.png", "vae/a.png", "b.png"]
    found, missing = match_names(["vae/a.png", "/old/place/gan/a.png", "set/b.png", "a.png", "\\new\\b.png"], ids)
    assert found["vae/a.png"] == 1 and found["/old/place/gan/a.png"] == 0
    assert missing["a.png"] == "could be 2 pictures: 'gan/a.png', 'vae/a.png'"
    assert "set/b.png" in missing and "\\new\\b.png" in missing  # two names, one picture


def test_another_folder_is_another_picture():
    """`vae/a.png` is not `gan/a.png` though nothing else is called a.png."""
    assert match_names(["vae/a.png"], ["gan/a.png"]) == ({}, {"vae/a.png": "is not there"})


def test_a_name_may_lack_its_ending():
    found, missing = match_names(["a", "b.v2", "c"], ["x/a.png", "b.v2.jpg", "c.png", "c.jpg"])
    assert found == {"a": 0, "b.v2": 1} and missing == {"c": "could be 2 pictures: 'c.png', 'c.jpg'"}


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        ("https://host/x/a.png?x=1", "a.png"),
        ("https://host/x/a.png#top", "out/x/a.png"),
        ("https://host/get?file=a.png&key=1", "a.png"),
        ("s3://bucket/set/a.png", "set/a.png"),
        ("gs://bucket/set/a.png", "out/set/a.png"),
        ("file:///home/ann/set/a.png", "set/a.png"),
        ("/data/upload/1/3f2a91bc-a.png", "gan/a.png"),
        ("https://host/data/upload/1/3f2a91bc-a.png", "a.png"),
        ("/data/local-files/?d=set/a.png", "set/a.png"),
        ("C:\\study\\set\\a.png", "set/a.png"),
        ("set/a%20b.png", "a b.png"),
        ("./a.png", "a.png"),
        (" a.png ", "a.png"),
        ("u\u0308.png", "\u00fc.png"),  # as macOS and as everybody else writes it
    ],
)
def test_the_same_picture_in_other_writing(name, id_):
    """In both directions: a table may have the address, or the scores may."""
    assert match_names([name], ["zzz.png", id_]) == ({name: 1}, {})
    assert match_names([id_], ["zzz.png", name]) == ({id_: 1}, {})


def test_a_name_that_only_looks_like_an_upload_is_itself():
    found, missing = match_names(["/data/upload/1/3f2a91bc-a.png"], ["3f2a91bc-a.png", "a.png"])
    assert found == {"/data/upload/1/3f2a91bc-a.png": 1} and not missing
    assert match_names(["3f2a91bc-a.png"], ["a.png"])[1] == {"3f2a91bc-a.png": "is not there"}


def test_two_writings_of_one_name_are_one_picture():
    assert match_names(["./a b.png", "a%20b.png"], ["a b.png"])[0] == {"./a b.png": 0, "a%20b.png": 0}


def test_a_join_refuses_what_is_not_sure():
    """A doubt is named with what could be meant; where nothing fits, one name of each side is shown."""
    with pytest.raises(BadTable, match=r"v.csv: 'a.png' could be 2 pictures: 'gan/a.png', 'vae/a.png'"):
        join_names(["a.png"], ["gan/a.png", "vae/a.png"], "v.csv", "s.csv")
    with pytest.raises(BadTable, match=r"'gan/a.png' may be the picture that 'vae/a.png' is"):
        join_names(["gan/a.png", "vae/a.png"], ["a.png"], "v.csv", "s.csv")
    with pytest.raises(BadTable, match=r"No picture of v.csv is in s.csv: the first has 'b.png', the second 'x/a.png'"):
        join_names(["b.png"], ["x/a.png"], "v.csv", "s.csv")
    assert join_names(["a.png", "b.png"], ["x/a.png"], "v.csv", "s.csv") == ({"a.png": 0}, ["b.png"])
    assert join_names(["b.png"], ["x/a.png"], "v.csv", "s.csv", need=False) == ({}, ["b.png"])


def test_an_id_may_lack_its_ending():
    """People keep stems in their own tables; a.jpg of another table is still not a.png."""
    ids = ["a", "set/b", "c.jpg", "d"]
    found, missing = match_names(["x/a.png", "set/b.png", "c.png", "https://host/d.png?v=1"], ids)
    assert found == {"x/a.png": 0, "set/b.png": 1, "https://host/d.png?v=1": 3} and list(missing) == ["c.png"]


def test_the_ending_may_be_in_capitals():
    """A camera's JPG is jpg, but A.png is not a.png; where both are there, each is itself."""
    assert match_names(["x/a.JPG", "B.png", "c.png"], ["a.jpg", "b.png", "c.PNG"])[0] == {"x/a.JPG": 0, "c.png": 2}
    assert match_names(["a.JPG", "a.jpg"], ["a.jpg", "a.JPG"])[0] == {"a.JPG": 1, "a.jpg": 0}
