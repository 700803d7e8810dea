"""A folder with the three sets of LGIQA, in the form that SPEC gives them."""

import pytest

from giqa.errors import BadSource
from giqa.votes.lgiqa import pair_sets

PAIRS = "left,right,votes_left,votes_right\nseed0104.png,1084.png,3,0\n"


def test_three_sets_side_by_side(tmp_path):
    """A table beside the pictures of each set; other tables are no pairs and passed over."""
    for name in ("LGIQA-FFHQ", "LGIQA-cat", "lgiqa_cityscapes"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pairs.csv").write_text(PAIRS)
    (tmp_path / "LGIQA-cat" / "sizes.csv").write_text("image,width\n1084.png,256\n")
    (tmp_path / "LGIQA-cat" / "broken.csv").write_bytes(b"\xff\xfe")
    found = pair_sets(tmp_path)
    assert sorted(found) == ["FFHQ", "cat", "cityscapes"]
    assert found["cat"] == (tmp_path / "LGIQA-cat" / "pairs.csv", tmp_path / "LGIQA-cat")


def test_several_tables_in_a_folder_are_called_as_they_are(tmp_path):
    for name in ("cat.csv", "faces.csv"):
        (tmp_path / name).write_text("left,right,rater,chosen,seconds\na,b,r,left,3\n")
    (tmp_path / "planned.csv").write_text("left,right\na,b\n")  # nobody was asked yet
    assert sorted(pair_sets(tmp_path)) == ["cat", "faces"]
    for one in ("x", "y"):
        (tmp_path / one).mkdir()
        for name in ("cat.csv", "faces.csv"):
            (tmp_path / one / name).write_text(PAIRS)
    assert "x/cat" in pair_sets(tmp_path) and len(pair_sets(tmp_path)) == 6


def test_what_is_no_table_of_pairs_is_named(tmp_path):
    (tmp_path / "labels.txt").write_text("a.png b.png 1\n")
    with pytest.raises(BadSource, match=r"left,right,votes_left,votes_right.*there are labels.txt"):
        pair_sets(tmp_path)
