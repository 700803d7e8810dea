"""`giqa label import` and `giqa label export --format`: small files in the layouts of other tools."""

import csv
import json
import os
import warnings

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("sqlalchemy", reason="giqa[humans] is not installed")

from study_samples import a_vote, new_rater

from giqa.cli import main
from giqa.errors import GiqaError
from giqa.study.collect import collect
from giqa.study.session import join, keep, rater_of
from giqa.study.store import open_store
from giqa.votes.votes import read_labels

FILES = {
    "crowd-kit": "task,worker,label\na.png,ANN,real\nb.png,ANN,fake\na.png,BOB,fake\n",
    "mturk": (
        "HITId,WorkerId,AssignmentStatus,WorkTimeInSeconds,Input.image1,Input.image2,Answer.answer1,Answer.answer2\n"
        "1,ANN,Approved,31,a.png,b.png,real,fake\n1,BOB,Submitted,12,a.png,b.png,fake,\n"
        "1,EVE,Rejected,2,a.png,b.png,real,real\n"
    ),
    "prolific": "PROLIFIC_PID,image,answer,Age\nANN,a.png,real,31\nANN,b.png,fake,31\nBOB,a.png,fake,52\n",
    "label-studio": json.dumps(
        [
            {
                "id": number,
                "data": {"image": name},
                "annotations": [
                    {
                        "completed_by": {"id": 7, "email": f"{who}@example.org"},
                        "result": [
                            {
                                "type": "choices",
                                "from_name": "answer",
                                "to_name": "image",
                                "value": {"choices": [said]},
                            }
                        ],
                    }
                    for who, said in answers
                ],
            }
            for number, (name, answers) in enumerate(
                {"a.png": [("ANN", "real"), ("BOB", "fake")], "b.png": [("ANN", "fake")]}.items(), 1
            )
        ]
    ),
}
SAID = [("a.png", False), ("a.png", True), ("b.png", False)]


def giqa(*arguments):
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def a_file(folder, form, text=None):
    path = folder / f"from.{'json' if form == 'label-studio' else 'csv'}"
    path.write_text(FILES[form] if text is None else text)
    return path


@pytest.mark.parametrize("form", list(FILES))
def test_votes_come_in_without_a_person(tmp_path, form):
    """The same three votes in each layout; two raters with random names, other ones at the next import."""
    seen = []
    for turn in range(2):
        out = tmp_path / f"v{turn}.csv"
        status, _, err = giqa("label", "import", a_file(tmp_path, form), "--format", form, "-o", out)
        assert status == 0 and "3 votes of 2 raters" in err
        assert out.read_text().startswith("image,rater,said_real\n")  # and no age, time or status
        assert not any(word in out.read_text() for word in ("ANN", "BOB", "EVE", "example"))
        votes = read_labels(out)
        assert sorted(zip(votes.image.tolist(), votes.said_real.tolist(), strict=True)) == SAID
        seen.append(set(votes.rater.tolist()))
    assert len(seen[0]) == 2 and not seen[0] & seen[1]


def test_a_key_connects_the_files_of_one_study(tmp_path):
    """Made at the first import, for its owner alone; the second finds the same two raters."""
    key, raters = tmp_path / "key", []
    for form in ("mturk", "prolific"):
        out = tmp_path / f"{form}.csv"
        assert giqa("label", "import", a_file(tmp_path, form), "--format", form, "-o", out, "--key", key)[0] == 0
        raters.append(set(read_labels(out).rater.tolist()))
    assert raters[0] == raters[1] and (os.name == "nt" or key.stat().st_mode & 0o077 == 0)
    key.write_text("short")
    status, _, err = giqa("label", "import", a_file(tmp_path, form), "--format", form, "-o", out, "--key", key)
    assert status == 2 and "is no key" in err
    status, _, err = giqa("label", "import", a_file(tmp_path, form), "--format", form, "-o", out, "--key", "/dev/zero")
    assert status == 2 and "/dev/zero is no file" in err  # and has no end
    status, _, err = giqa("label", "import", a_file(tmp_path, form), "--format", form, "-o", out, "--unanimous")
    assert status == 2 and "--unanimous is for --format lgiqa" in err
    status, _, err = giqa(
        "label", "import", a_file(tmp_path, "crowd-kit"), "--format", "crowd-kit", "-o", out, "--image", ""
    )
    assert status == 2 and "--image is for --format" in err


def test_what_is_known_of_the_pictures_joins_and_is_counted(tmp_path):
    """Ann is right of both, Bob takes the real for fake: errors of reals 0 and 1, of fakes 0 and 0."""
    about, out = tmp_path / "about.csv", tmp_path / "v.csv"
    about.write_text("image,kind,generator\na.png,real,\nb.png,generated,gan\nc.png,generated,gan\n")
    path = a_file(tmp_path, "crowd-kit", FILES["crowd-kit"] + "b.png,BOB,fake\n")
    given = ["label", "import", path, "--format", "crowd-kit", "-o", out, "--about", about]
    assert giqa(*given)[0] == 0
    votes = read_labels(out)
    assert votes.kind.tolist() == ["real", "generated", "real", "generated"]
    assert votes.generator.tolist() == ["", "gan", "", "gan"]
    assert giqa("label", "stats", out, "--resamples", 100, "-o", tmp_path / "s.json")[0] == 0
    (hype,) = json.loads((tmp_path / "s.json").read_text())[0]["hype"]
    assert (hype["fake_error"]["value"], hype["real_error"]["value"]) == (0, 0.5)
    votes = about.read_text().replace("a.png", "https://host/x/a.png?v=1").replace("b.png", "b%2Epng")
    about.write_text(votes.replace("real", "Real").replace("kind", "Kind"))
    assert giqa(*given)[0] == 0 and read_labels(out).kind.tolist() == ["real", "generated", "real", "generated"]
    about.write_text("image,kind\na.png,real\nb.png,real\na.png,fake\n")
    assert "line 4: 'a.png' again, and otherwise than in" in giqa(*given)[2]
    about.write_text("image,kind\na.png,real\nb.png,drawn\n")
    assert "about.csv, line 3, column 'kind': 'drawn' is no kind" in giqa(*given)[2]  # its own line, not that of a vote
    about.write_text("image,kind\na.png,real\n")
    status, _, err = giqa(*given)
    assert status == 2 and "lacks 1 pictures that were judged, such as 'b.png'" in err


def test_pairs_as_lgiqa_has_them(tmp_path):
    """Votes of a pair are summed whichever side it was on; --unanimous keeps those on which all agree."""
    text = "left,right,rater,chosen\na,b,ANN,left\nb,a,BOB,a\nc,d,ANN,left\nc,d,BOB,right\n"
    path, out = a_file(tmp_path, "lgiqa", text), tmp_path / "p.csv"
    assert giqa("label", "import", path, "--format", "lgiqa", "-o", out)[0] == 0
    assert out.read_text() == "left,right,votes_left,votes_right\na,b,2.0,0.0\nc,d,1.0,1.0\n"
    assert giqa("label", "import", path, "--format", "lgiqa", "-o", out, "--unanimous")[0] == 0
    assert out.read_text().splitlines()[1:] == ["a,b,2.0,0.0"]


def test_prolific_submissions_that_were_returned_do_not_count(tmp_path):
    (tmp_path / "export.csv").write_text("Participant id,Status,Sex\nANN,APPROVED,Female\nBOB,RETURNED,Male\n")
    given = ["label", "import", a_file(tmp_path, "prolific"), "--format", "prolific", "-o", tmp_path / "v.csv"]
    status, _, err = giqa(*given, "--submissions", tmp_path / "export.csv")
    assert status == 0 and "warning: " in err and "not counted: 1 returned (line 4)" in err
    assert read_labels(tmp_path / "v.csv").said_real.tolist() == [True, False]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{file}", "--format", "mturk", "--image", "url"], "no column 'Input.url'; it has HITId"),
        (["{file}", "--format", "crowd-kit"], "is not a crowd-kit table: there is no column 'task'"),
        (["{file}", "--format", "prolific"], "no column of participants"),
        (["{file}", "--format", "lgiqa"], "has the columns 'HITId'"),
        (["{file}", "--format", "mturk", "--unanimous"], "--unanimous is for --format lgiqa, not for mturk"),
        (["{file}", "--format", "mturk", "--submissions", "x.csv"], "--submissions is for --format prolific"),
        (["none.csv", "--format", "mturk"], "There is no file none.csv"),
    ],
)
def test_mistakes_are_said(tmp_path, arguments, words):
    path = a_file(tmp_path, "mturk")
    status, _, err = giqa("label", "import", *(one.format(file=path) for one in arguments), "-o", tmp_path / "v.csv")
    assert status == 2 and words in err and not (tmp_path / "v.csv").exists()


@pytest.fixture
def judged(toy, tmp_path):
    """A store with one rater's answers to four pairs: left, always."""
    store = open_store(tmp_path / "v.db")
    study = collect(toy[1], toy[0], task="pairs", store=store, tutorial=0, controls=0, sitting=4)
    join(store, study, "cookie")
    rater = rater_of(store, study, "cookie")
    vote = {"answer": "left", "shown_ms": None, "response_ms": 5.0, "revision": 0}
    for trial in rater.trials:
        keep(store, study, rater, [vote | {"id": "x" * 20 + trial.id[:8], "trial": trial.id}])
    store.close()
    return tmp_path / "v.db"


def test_export_for_other_tools(judged, tmp_path):
    """Each layout names the chosen one of every pair as giqa's own table does."""
    names = {"giqa": "g.csv", "crowd-kit": "c.csv", "lgiqa": "p.csv", "label-studio": "l.json"}
    for form, name in names.items():
        assert giqa("label", "export", "--store", judged, "--format", form, "-o", tmp_path / name)[0] == 0
    rows = list(csv.DictReader((tmp_path / "g.csv").open()))
    wanted = {frozenset((row["left"], row["right"])): row["chosen"] for row in rows}
    assert len(wanted) == 4
    crowd = list(csv.DictReader((tmp_path / "c.csv").open()))
    assert list(crowd[0]) == ["worker", "left", "right", "label"]
    assert {frozenset((row["left"], row["right"])): row["label"] for row in crowd} == wanted
    counted = list(csv.DictReader((tmp_path / "p.csv").open()))
    assert list(counted[0]) == ["left", "right", "votes_left", "votes_right"]
    more = {frozenset((r["left"], r["right"])): r["left" if float(r["votes_left"]) else "right"] for r in counted}
    assert more == wanted
    tasks = json.loads((tmp_path / "l.json").read_text())
    chose = [(task["data"], task["annotations"][0]["result"][0]["value"]["selected"]) for task in tasks]
    assert {frozenset(data.values()): data[side] for data, side in chose} == wanted


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "lgiqa"], "give -o FILE"),
        (["--format", "lgiqa", "-o", "p.csv", "--everything"], "--everything needs the columns part and passed"),
        (["--format", "label-studio", "-o", "p.csv"], "label-studio is written as .json"),
        (["-o", "p.xlsx"], "written as .csv, .tsv, .parquet"),
    ],
)
def test_mistakes_of_an_export(judged, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    status, _, err = giqa("label", "export", "--store", judged, *arguments)
    assert status == 2 and words in err


def test_ratings_are_no_lgiqa_pairs(toy, tmp_path):
    store = open_store(tmp_path / "r.db")
    collect(toy[1], toy[0], task="rating", store=store, tutorial=0, controls=0)
    store.close()
    status, _, err = giqa(
        "label", "export", "--store", tmp_path / "r.db", "--format", "lgiqa", "-o", tmp_path / "p.csv"
    )
    assert status == 2 and "no votes yet" in err


def test_an_export_that_was_changed_is_read_with_a_warning(toy, tmp_path):
    """Whichever bit is flipped, `label stats` says so, or refuses the table."""
    store, out = open_store(tmp_path / "v.db"), tmp_path / "votes[1].csv"
    study = collect(toy[1], toy[0], task="hype", store=store, tutorial=0, controls=0, sitting=4)
    rater = new_rater(store, study)
    keep(store, study, rater, [a_vote(trial, f"{place}") for place, trial in enumerate(rater.trials)])
    store.close()
    assert giqa("label", "export", "--store", tmp_path / "v.db", "-o", out)[0] == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_labels(out).rater) == 4
    whole = out.read_bytes()
    for bit in np.random.default_rng(0).integers(0, 8 * len(whole), 60):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        out.write_bytes(damaged)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                read_labels(out)
            except GiqaError:
                continue
        assert any("not as giqa wrote it (votes[1].csv.sha256)" in str(one.message) for one in said), bit
