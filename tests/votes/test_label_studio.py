"""Label Studio's exports: which answers count, which picture they are about, and that nothing is left out unsaid."""

import json

import numpy as np
import pytest

from giqa.errors import BadTable
from giqa.votes.exchange import read_label_studio, write_crowd_kit, write_label_studio
from giqa.votes.labels import Pairs

ONE = {"image": "a.png"}
HELD = {"choices": "choices", "rating": "rating", "number": "number", "pairwise": "selected", "taxonomy": "taxonomy"}


def said(by, value, kind="choices", name="answer", to="image", **more):
    """An annotation with one answer."""
    value = [value] if kind == "choices" and isinstance(value, str) else value
    result = {"type": kind, "from_name": name, "to_name": to, "value": {HELD.get(kind, kind): value}}
    return {"completed_by": by, "result": [result], "was_cancelled": False, "ground_truth": False, **more}


def task(data, *annotations, number=1, **more):
    return {"id": number, "data": data, "meta": {}, "annotations": list(annotations), **more}


@pytest.fixture
def load(tmp_path):
    def load(tasks, name="e.json", **options):
        (tmp_path / name).write_text(tasks if isinstance(tasks, str) else json.dumps(tasks), encoding="utf-8")
        return read_label_studio(tmp_path / name, **options)

    return load


def test_what_does_not_count_is_left_out_and_said(load):
    """One answer of ten counts; the warning has a number for each reason."""
    annotations = [
        said(1, "Real"),
        said(2, "Fake", was_cancelled=True),
        said(3, "Fake", ground_truth=True),
        said(4, ["Real", "Fake"]),
        said(5, []),
        said(6, "Fake", reviews=[{"accepted": True}, {"accepted": False}]),
        {"completed_by": 7, "result": []},
        said(None, "Fake"),
        said(1, "real"),
    ]
    tasks = [task(ONE, *annotations, number=7, drafts=[{}], predictions=[said(1, "Fake"), said(1, "Fake")])]
    with pytest.warns(UserWarning) as warned:
        votes = load(tasks)
    assert votes.image.tolist() == ["a.png"] and votes.said_real.tolist() == [True]
    told = str(warned[0].message)
    for words in (
        "1 skipped (task 7)",
        "1 marked as ground truth",
        "1 with several choices selected",
        "2 without an answer",
        "1 rejected",
        "1 without an annotator",
        "1 repeated",
        "1 drafted and not submitted",
        "2 predicted by a model",
    ):
        assert words in told
    with pytest.raises(BadTable, match=r"no answer that counts: 1 skipped \(task 1\)"):
        load([task(ONE, said(2, "Fake", was_cancelled=True))])


def test_several_questions_are_named_and_one_is_chosen(load):
    """Not by the order in which they stand in an annotation."""
    one, other = said(1, 1, "rating", "quality"), said(1, 5, "rating", "alignment")
    one["result"] += other["result"]
    other["result"] = one["result"][::-1]
    tasks = [task(ONE, one), task({"image": "b.png"}, other, number=2)]
    with pytest.raises(BadTable, match=r"several questions: 'quality' \(2 answers\), 'alignment' \(2 answers\)"):
        load(tasks)
    assert load(tasks, answer="quality").rating.tolist() == [1, 1]
    assert load(tasks, answer="alignment").rating.tolist() == [5, 5]
    with pytest.raises(BadTable, match="no question 'realism'; there are 'quality', 'alignment'"):
        load(tasks, answer="realism")


def test_one_question_about_several_pictures_is_one(load):
    """answer1 is about image1, answer2 about image2."""
    both = said(1, "Real", name="answer1", to="image1")
    both["result"] += said(1, "Fake", name="answer2", to="image2")["result"]
    votes = load([task({"image1": "a.png", "image2": "b.png"}, both)])
    assert votes.image.tolist() == ["a.png", "b.png"] and votes.said_real.tolist() == [True, False]


@pytest.mark.parametrize(
    ("data", "to", "image", "sides"),
    [
        ({"image1": "a.png", "image2": "b.png"}, "image1,image2", None, ("a.png", "b.png")),  # its own template
        ({"image2": "b.png", "image1": "a.png"}, "img1,img2", None, ("a.png", "b.png")),  # numbered, in any order
        ({"right": "b.png", "left": "a.png"}, "l,r", None, ("a.png", "b.png")),
        ({"one": "a.png", "other": "b.png"}, "other,one", None, ("b.png", "a.png")),
        ({"one": "a.png", "other": "b.png"}, "x,y", "one,other", ("a.png", "b.png")),
    ],
)
def test_left_and_right_are_those_of_the_control(load, data, to, image, sides):
    """As its toName says, else by their names; never by the order of the data alone."""
    pairs = load([task(data, said(1, "left", "pairwise", "pw", to))], image=image)
    assert (pairs.left[0], pairs.right[0]) == sides and pairs.votes_left.tolist() == [1]


def test_a_picture_that_cannot_be_told_is_asked_for(load):
    pair = {"one": "a.png", "other": "b.png"}
    with pytest.raises(BadTable, match="task 1: which picture is on the left"):
        load([task(pair, said(1, "left", "pairwise", "pw", "x,y"))])
    with pytest.raises(BadTable, match="task 1: which of one, other is the picture"):
        load([task(pair, said(1, "Real", to="img"))])
    assert load([task(pair, said(1, "Real", to="img"))], image="other").image.tolist() == ["b.png"]
    assert load([task({"url": "s3://x/a.png", "text": "t"}, said(1, "Real", to="img"))]).image[0] == "s3://x/a.png"


def test_other_controls(load):
    """A number is a rating, the leaf of a taxonomy a choice; rankings are refused by name."""
    assert load([task(ONE, said(1, 4, "number"))]).rating.tolist() == [4]
    assert load([task(ONE, said(1, [["Photo", "Real"]], "taxonomy"))]).said_real.tolist() == [True]
    with pytest.raises(BadTable, match="rankings"):
        load([task(ONE, said(1, {}, "ranker"))])


def test_completions_of_old_versions(load):
    """They name no annotator: one rater, which is said; two answers of one rater to a picture are refused."""
    old = [{"id": 3, "data": ONE, "completions": [{"id": 1, "result": said(1, "Real")["result"]}]}]
    with pytest.warns(UserWarning, match="names no annotator"):
        assert load(old).said_real.tolist() == [True]
    old[0]["completions"].append({"id": 2, "result": said(1, "Fake")["result"]})
    with pytest.warns(UserWarning, match="names no annotator"), pytest.raises(BadTable, match=r"task 3: .* again"):
        load(old)


FLAT = [
    {"image": "/data/upload/1/3f2a91bc-a.png", "id": 1, "answer": "Real", "annotator": 1, "annotation_id": 3},
    {"image": "/data/upload/1/4f2a91bc-b.png", "id": 2, "answer": "Fake", "annotator": 2, "annotation_id": 4},
]


def test_json_min(load):
    """A flat row an annotation; the answer may be wrapped."""
    votes = load(FLAT)
    assert votes.said_real.tolist() == [True, False] and len(set(votes.rater.tolist())) == 2
    assert load([row | {"answer": [{"rating": 4}]} for row in FLAT]).rating.tolist() == [4, 4]
    pairs = load([{"image1": "a.png", "image2": "b.png", "pw": [{"selected": "right"}], "annotator": 1, "id": 1}])
    assert pairs.votes_right.tolist() == [1]
    two = [row | {"quality": 3} for row in FLAT]
    with pytest.raises(BadTable, match=r"several questions: 'answer' .* 'quality'"):
        load(two)
    assert load(two, answer="quality").rating.tolist() == [3, 3]


def test_csv(load):
    """The same as a table; a row without an answer is left out by its line."""
    text = (
        "annotation_id,annotator,quality,id,image,lead_time\n"
        '1,1,"[{""rating"": 4}]",1,a.png,2.5\n2,2,3,1,a.png,1.5\n3,1,,2,b.png,9\n'
    )
    with pytest.warns(UserWarning, match=r"1 without an answer \(line 4\)"):
        assert load(text, "e.csv").rating.tolist() == [4, 3]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"images": [], "annotations": [], "categories": []}, "COCO export, .* export the annotations as JSON"),
        ({"a": 1}, "no list of tasks"),
        ([task(ONE, said(1, "Real")), task({"image": "b.png"}, said(1, "Unsure"), number=9)], "task 9: .* 'Unsure'"),
        ([task({"image": "a\ud800.png"}, said("\ud800", "Real"))], "no text that can be written"),
        ([ONE | {"answer": "real", "annotator": 1}, {"answer": "fake", "annotator": 1}], "task 2 names no picture"),
    ],
)
def test_what_is_no_export_is_named(load, content, words):
    with pytest.raises(BadTable, match=words):
        load(content)


def test_ties_are_not_written_as_votes_for_the_right(tmp_path):
    """Neither tool has ties: they are left out with a word."""
    columns = (["a", "c", "c"], ["b", "d", "d"], [0.5, 1.0, 0.0], [0.5, 0.0, 1.0], ["r", "r", "s"])
    pairs = Pairs(*(np.array(column) for column in columns))
    for write in (write_label_studio, write_crowd_kit):
        with pytest.warns(UserWarning, match="1 of 3 votes are ties"):
            path = write(tmp_path / "t.csv", pairs)
        assert "d" in path.read_text() and '"b"' not in path.read_text() and ",b" not in path.read_text()


def test_a_file_of_powershell_is_read(tmp_path):
    """`curl ... > export.json` in PowerShell writes UTF-16."""
    done = {"completed_by": 1, "result": [{"type": "choices", "from_name": "q", "value": {"choices": ["Real"]}}]}
    (tmp_path / "x.json").write_bytes(
        json.dumps([{"data": {"image": "a.png"}, "annotations": [done]}]).encode("utf-16")
    )
    assert read_label_studio(tmp_path / "x.json").said_real.tolist() == [True]


def test_a_picture_that_the_control_does_not_name_is_asked_for(load):
    """toName is the name of a tag, which the export does not connect with the data: of two pictures it may be any."""
    tasks = [task({"image": "a.png", "reference": "r.png"}, said(1, 4, "rating", "quality", to="ref"))]
    with pytest.raises(BadTable, match="which of image, reference is the picture"):
        load(tasks)
    assert load(tasks, image="reference").image.tolist() == ["r.png"]
    assert load([task({"image": "a.png", "prompt": "x"}, said(1, 4, "rating", to="img"))]).image.tolist() == ["a.png"]


def test_yes_to_is_it_fake_is_no_vote_for_real(load):
    with pytest.raises(BadTable, match="'is_fake' asks for fakes"):
        load([task(ONE, said(1, "Yes", name="is_fake"))])
    assert load([task(ONE, said(1, "Real", name="is_fake"))]).said_real.tolist() == [True]


def test_a_rating_of_faults_is_warned_of(load):
    """The higher, the better, is how ratings are read; "how many artifacts?" may mean the other way."""
    with pytest.warns(UserWarning, match="'artifacts' asks for faults, and ratings are read as the higher, the better"):
        assert load([task(ONE, said(1, 5, "rating", "artifacts"))]).rating.tolist() == [5]


def test_what_the_data_says_of_a_picture_is_read(load):
    """An attention check of the data is no vote; a column that some tasks lack says nothing."""
    data = [{"image": f"{i}.png", "control": i, "kind": kind} for i, kind in enumerate(("generated", "real"))]
    votes = load([task(each, said(1, "Real"), number=i) for i, each in enumerate(data)])
    assert votes.control.tolist() == [False, True] and votes.kind.tolist() == ["generated", "real"]
    votes = load([task(data[1], said(1, "Real")), task({"image": "b.png"}, said(1, "Fake"), number=2)])
    assert votes.control.tolist() == [False, False] and votes.kind.tolist() == ["", ""]
    flat = "image,control,annotator,answer,annotation_id\na.png,0,1,Real,1\nb.png,1,1,Fake,2\n"
    assert load(flat, "e.csv").control.tolist() == [False, True]
