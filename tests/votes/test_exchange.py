"""Judgements from and for other tools, and that no person is named."""

import json

import numpy as np
import pytest
from people_samples import study

from giqa.errors import BadSpec, BadTable, MissingSource
from giqa.tables.table import Table
from giqa.votes import exchange as x
from giqa.votes.labels import Pairs, Ratings
from giqa.votes.votes import as_labels


def same(a, b):
    return sorted(zip(*(c.tolist() for c in a), strict=True)) == sorted(zip(*(c.tolist() for c in b), strict=True))


def test_people_get_names_that_cannot_be_traced_back():
    """One person one name; without a key another one each time; the key alone connects them."""
    ids = ["A1B2C3", "A1B2C3", "Z9"]
    once, twice = x.anonymous(ids), x.anonymous(ids)
    assert once[0] == once[1] != once[2] and once[0] != twice[0]
    assert x.anonymous(ids, b"k") == x.anonymous(ids, b"k") != x.anonymous(ids, b"other")
    assert not any(name in made for name in ids for made in once)


def test_crowd_kit_there_and_back(tmp_path):
    made = study(n_raters=3)
    made = made.rows(~made.control)
    path = x.write_crowd_kit(tmp_path / "c.csv", made)
    assert path.read_text().startswith("task,worker,label\n") and ",real\n" in path.read_text()
    again = x.read_crowd_kit(path)
    assert not set(made.rater) & set(again.rater)
    again = x.read_crowd_kit(path, key=b"k")
    raters = np.array(x.anonymous(made.rater.tolist(), b"k"))
    assert same((made.image, raters, made.said_real), (again.image, again.rater, again.said_real))
    ratings = Ratings(np.array(["a", "b"]), np.array(["r", "r"]), np.array([4.0, 2.5]))
    assert x.read_crowd_kit(x.write_crowd_kit(tmp_path / "d.csv", ratings)).rating.tolist() == [4, 2.5]
    columns = (["a", "a"], ["b", "c"], [1.0, 0.0], [0.0, 1.0], ["r", "r"])
    path = x.write_crowd_kit(tmp_path / "p.csv", Pairs(*map(np.array, columns)))
    assert path.read_text() == "worker,left,right,label\nr,a,b,a\nr,a,c,c\n"
    assert x.read_crowd_kit(path).votes_left.tolist() == [1, 0]
    (tmp_path / "e.csv").write_text("task,label\n")
    with pytest.raises(BadTable, match="'worker'"):
        x.read_crowd_kit(tmp_path / "e.csv")


def test_label_studio_there_and_back(tmp_path):
    """Votes, ratings and pairs; the task's data are addresses, its names stay in meta; raters are random ids."""
    made = study(n_raters=3)
    made = made.rows(~made.control)
    path = x.write_label_studio(tmp_path / "l.json", made, url=lambda name: f"/data/{name}")
    task = json.loads(path.read_text())[0]
    assert task["data"]["image"] == f"/data/{task['meta']['image']}" and len(task["annotations"]) == 3
    again = x.read_label_studio(path, key=b"k")
    named = dict(zip(made.rater.tolist(), x.anonymous([json.dumps(r) for r in made.rater.tolist()], b"k"), strict=True))
    raters = np.array([named[r] for r in made.rater.tolist()])
    assert same((made.image, raters, made.said_real), (again.image, again.rater, again.said_real))
    ratings = Ratings(np.array(["a", "b"]), np.array(["r", "s"]), np.array([4.0, 2.0]))
    assert x.read_label_studio(x.write_label_studio(tmp_path / "r.json", ratings)).rating.tolist() == [4, 2]
    pairs = Pairs(np.array(["a"]), np.array(["b"]), np.array([0.0]), np.array([1.0]), np.array(["r"]))
    assert x.read_label_studio(x.write_label_studio(tmp_path / "p.json", pairs)).votes_right.tolist() == [1]
    with pytest.raises(BadSpec, match="no raters"):
        counted = Pairs(pairs.left, pairs.right, pairs.votes_left, pairs.votes_right, np.array([""]))
        x.write_label_studio(tmp_path / "q.json", counted)


def test_label_studio_as_it_exports(tmp_path):
    """An annotator with an address becomes a random id; skipped annotations (no result) do not count."""
    result = {"type": "choices", "from_name": "c", "to_name": "image", "value": {"choices": ["fake"]}}
    tasks = [
        {
            "id": 7,
            "data": {"image": "a.png"},
            "annotations": [
                {"completed_by": {"id": 1, "email": "ann@example.org"}, "result": [result]},
                {"completed_by": 2, "result": []},
            ],
        }
    ]
    path = tmp_path / "e.json"
    path.write_text(json.dumps(tasks))
    read = x.read_label_studio(path)
    assert read.image.tolist() == ["a.png"] and not read.said_real[0] and "ann" not in read.rater[0]
    for bad, words in (("[]", "no annotations"), ("{", "JSON"), ('[{"id": 1}]', "task 1")):
        path.write_text(bad)
        with pytest.raises(BadTable, match=words):
            x.read_label_studio(path)
    with pytest.raises(MissingSource):
        x.read_label_studio(tmp_path / "none.json")


def test_mturk_batch_results(tmp_path):
    """One picture or several a HIT; rejected assignments are left out; no worker id is kept."""
    path = tmp_path / "m.csv"
    path.write_text(
        "HITId,WorkerId,AssignmentStatus,Input.image1,Input.image2,Answer.answer1,Answer.answer2\n"
        "h,A1SECRET,Approved,a.png,b.png,real,fake\nh,A2SECRET,Rejected,a.png,b.png,fake,fake\n"
        "h,A3SECRET,Submitted,a.png,b.png,fake,\n"
    )
    read = x.read_mturk(path)
    assert list(zip(read.image.tolist(), read.said_real.tolist(), strict=True)) == [
        ("a.png", True),
        ("b.png", False),
        ("a.png", False),
    ]
    assert read.rater[0] == read.rater[1] != read.rater[2] and "SECRET" not in "".join(read.rater)
    path.write_text("WorkerId,Input.url,Answer.realism\nA,a.png,4\nB,a.png,2\n")
    assert x.read_mturk(path, image="url", answer="realism").rating.tolist() == [4, 2]
    assert x.read_mturk(path).rating.tolist() == [4, 2]  # the only pictures, the only answers
    path.write_text("WorkerId,Input.one,Input.two,Answer.realism\nA,a.png,b.png,4\n")
    with pytest.raises(BadTable, match=r"no column 'Input\.image'"):
        x.read_mturk(path)


def test_prolific_results(tmp_path):
    """Only approved and awaited submissions; nothing of age or sex is in what is made."""
    (tmp_path / "answers.csv").write_text("PROLIFIC_PID,image,answer\np1,a,real\np2,a,fake\np3,a,fake\n")
    (tmp_path / "export.csv").write_text(
        "Submission id,Participant id,Status,Age,Sex\n1,p1,APPROVED,41,Female\n2,p2,RETURNED,30,Male\n"
        "3,p3,AWAITING REVIEW,22,Male\n"
    )
    read = x.read_prolific(tmp_path / "answers.csv", tmp_path / "export.csv", key=b"k")
    assert read.rater.tolist() == x.anonymous(["p1", "p3"], b"k") and read.said_real.tolist() == [True, False]
    path = read.write(tmp_path / "votes.csv")
    assert not any(word in path.read_text() for word in ("p1", "41", "Female"))
    (tmp_path / "none.csv").write_text("image,answer\na,real\n")
    with pytest.raises(BadTable, match="participants"):
        x.read_prolific(tmp_path / "none.csv")


def test_a_control_column_of_something_else_is_warned_of(tmp_path):
    """The arm of an experiment says of no picture that it is quality control; votes are read all the same."""
    path = tmp_path / "arms.csv"
    path.write_text("task,worker,label,control\na.png,u,1,A\nb.png,u,0,B\n")
    with pytest.warns(UserWarning, match="'A' is neither yes nor no.*no answer counts as quality control"):
        read = x.read_crowd_kit(path)
    assert read.said_real.tolist() == [True, False] and not read.control.any()


def test_quality_control_does_not_come_back_as_votes(tmp_path):
    columns = {"image": [*"ab"], "rater": [*"rr"], "said_real": [1, 0], "control": [0, 1]}
    votes = as_labels(Table("votes", columns))
    for write, read, name in (
        (x.write_crowd_kit, x.read_crowd_kit, "c.csv"),
        (x.write_label_studio, x.read_label_studio, "l.json"),
    ):
        with pytest.warns(UserWarning, match="1 of 2 votes are quality control"):
            write(tmp_path / name, votes)
        assert read(tmp_path / name).image.tolist() == ["a"]


def test_a_kind_that_votes_know_stands(tmp_path):
    """A table about pictures that names generators does not make reals of generated ones without a name."""
    columns = {"image": [*"abc"], "rater": [*"rrr"], "said_real": [1, 0, 1], "kind": ["generated", "real", ""]}
    (tmp_path / "about.csv").write_text("image,generator\na,\nb,\nc,gan\n")
    votes = x.with_about(as_labels(Table("votes", columns)), tmp_path / "about.csv")
    assert votes.kind.tolist() == ["generated", "real", "generated"] and votes.generator.tolist() == ["", "", "gan"]
