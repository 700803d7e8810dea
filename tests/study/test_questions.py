"""Questions of one's own: what a file may say, what raters are asked, controls and gate of each, and old stores."""

import json
import re
import sqlite3
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from study_samples import a_vote, new_rater, pictures, small

from giqa.errors import BadSpec, MissingSource
from giqa.study import store as store_module
from giqa.study.progress import columns, open_items, progress, table
from giqa.study.questions import SCALE, parse, read_questions
from giqa.study.session import keep, state
from giqa.study.setup import make_study
from giqa.study.store import open_store
from giqa.study.words import PHRASES

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples" / "questions").glob("*.toml"))
PAIRS = {
    "kind": "pair",
    "question": [
        {"name": "clarity", "text": "Which is clearer?"},
        {"name": "emotion", "text": "Which moves you?", "control": [{"say": "Choose right.", "answer": "right"}]},
        {"name": "colour", "text": "Which is more colourful?", "control": []},
    ],
}


@pytest.fixture
def three(store):
    """Makes a study of three questions about each pair: 4 pairs, one control of each kind, one example."""

    def made(questions=PAIRS, **given):
        given = {"controls": 1, "tutorial": 1, "sitting": 4} | given
        settings = small(parse(questions).task, questions=questions, **given)
        return make_study(store, "three", settings, pictures(7, "gan"), pictures(10, ""), number=4)

    return made


def sit(store, study, answer):
    rater = new_rater(store, study)
    for place, trial in enumerate(rater.trials):
        (told,) = keep(store, study, rater, [a_vote(trial, f"{rater.id}{place:04d}", answer(trial))])
        assert told["result"] == "kept"
    return rater


def shown(trial, answer="left"):
    """What the study calls `answer`, as this rater sees it."""
    return {"left": "right", "right": "left"}[answer] if trial.flipped else answer


def careful(trial):
    return shown(trial, trial.truth or "left")


def test_each_pair_is_asked_all_questions_one_after_the_other(store, three):
    """Six units of three questions: example, two controls (real and shuffled; an instruction), four pairs."""
    study = three()
    rater = new_rater(store, study)
    assert study.settings.controls == 2 and len(rater.trials) == 3 * (1 + 2 + 4)
    for start in range(0, len(rater.trials), 3):
        unit = rater.trials[start : start + 3]
        assert [trial.question for trial in unit] == ["clarity", "emotion", "colour"]
        assert {(trial.pictures, trial.flipped, trial.part, trial.shown) for trial in unit} == {
            (unit[0].pictures, unit[0].flipped, unit[0].part, unit[0].id)
        }
    truths = {(t.part, t.question): t.truth for t in rater.trials if t.truth}
    assert truths == {("tutorial", "clarity"): "left", ("control", "clarity"): "left", ("control", "emotion"): "right"}
    assert len({trial.pictures for trial in rater.trials}) == 7


def test_what_the_browser_is_given(store, three):
    """Text, step and place; pictures at one address; an instruction in place of the question; no truth."""
    study = three(tutorial=0)
    rater = new_rater(store, study)
    seen = []
    while (now := state(store, study, rater))["next"]:
        asked = now["next"][0]
        assert set(asked) == {"trial", "tutorial", "pictures", "question", "text", "step", "place"}
        seen.append(asked)
        keep(
            store,
            study,
            rater,
            [a_vote(next(t for t in rater.trials if t.id == asked["trial"]), asked["trial"][:16], "left")],
        )
    assert [one["step"] for one in seen[:4]] == [[1, 3], [2, 3], [3, 3], [1, 3]]
    assert [one["place"] for one in seen] == [place for place in range(1, 7) for _ in range(3)]
    assert now["places"] == 6 and now["total"] == 18
    assert len({tuple(one["pictures"]) for one in seen}) == 6
    texts = Counter(one["text"] for one in seen)
    assert texts == {"Which is clearer?": 6, "Which moves you?": 5, "Choose right.": 1, "Which is more colourful?": 6}


def test_the_sides_of_an_instruction_are_those_on_the_screen(store, three):
    """ "Choose right." is right on the right: such a pair is shown as it is, others are turned at random."""
    study = three(votes_each=50)
    flipped = Counter((bool(t.say), t.flipped) for _ in range(10) for t in new_rater(store, study).trials)
    assert (True, True) not in flipped and flipped[True, False] == 10 and flipped[False, True] > 0


def test_the_gate_is_of_each_question(store, three):
    """Who misses the instruction of one question does not count there, and counts for the others."""
    study = three(tutorial=0)
    good = sit(store, study, careful)
    bad = sit(store, study, lambda t: shown(t, "left" if t.truth == "right" else "right" if not t.truth else t.truth))
    now = progress(store, study)
    assert (now["failed_gate"], now["raters"], now["items"]) == (1, 2, 12)
    by_question = {name: (one["votes"], one["failed_gate"], one["agreement"]) for name, one in now["questions"].items()}
    assert by_question == {"clarity": (8, 0, 0.0), "emotion": (4, 1, None), "colour": (8, 0, 0.0)}
    assert now["questions"]["emotion"]["control_accuracy"] == 0.5
    assert now["questions"]["colour"]["control_accuracy"] is None
    rows = list(table(store, study))
    assert {row["rater"] for row in rows if row["question"] == "emotion"} == {good.id}
    assert {row["rater"] for row in rows if row["question"] == "clarity"} == {good.id, bad.id}
    with store.read() as connection:  # a pair has as many votes as its question with the fewest
        assert {item.votes for item in open_items(connection, study)} == {1}
    assert new_rater(store, study)


def test_export_has_question_and_language(store, three):
    study = three()
    sit(store, study, careful)
    every = columns(store, study)
    assert list(every)[:6] == ["left", "right", "rater", "chosen", "question", "language"]
    assert Counter(every["question"]) == {"clarity": 4, "emotion": 4, "colour": 4} and set(every["language"]) == {"en"}
    one = columns(store, study, question="emotion")
    assert set(one["question"]) == {"emotion"} and len(one["left"]) == 4 and one["chosen"] == one["left"]


def test_a_random_order_is_one_for_each_rater(store, three):
    study = three(PAIRS | {"order": "random"}, votes_each=50)
    orders = set()
    for _ in range(12):
        trials = new_rater(store, study).trials
        units = {tuple(t.question for t in trials[i : i + 3]) for i in range(0, len(trials), 3)}
        assert len(units) == 1
        orders |= units
    assert len(orders) > 1


def test_scales_of_their_own_lengths(store, three):
    """Points of 1 to 7 beside 1 to 3; a control's low side is below the middle; other answers are refused."""
    questions = {
        "kind": "scale",
        "question": [
            {"name": "a", "text": "?", "answers": [*"1234567"]},
            {"name": "b", "text": "?", "answers": ["no", "so", "yes"]},
        ],
    }
    study = three(questions, controls=2)
    rater = new_rater(store, study)
    truths = {(t.question, t.truth) for t in rater.trials if t.part == "control"}
    assert truths == {("a", "1,2,3"), ("a", "4,5,6,7"), ("b", "1"), ("b", "2,3")}
    for trial, answer, result in zip(rater.trials, ("7", "7"), ("kept", "refused"), strict=False):
        assert keep(store, study, rater, [a_vote(trial, trial.id[:16], answer)])[0]["result"] == result


def test_an_example_tells_what_is_expected_where_there_is_a_truth(store, three):
    study = three()
    rater = new_rater(store, study)
    told = [keep(store, study, rater, [a_vote(t, t.id[:16], shown(t))])[0] for t in rater.trials[:3]]
    assert told[0]["right"] and told[0]["truth"] == shown(rater.trials[0])
    assert set(told[1]) == set(told[2]) == {"id", "result"}


def test_controls_by_name_are_held_out_and_shared(store, three):
    """Two questions that name the same pair are checked by one control; its pictures are asked nowhere else."""
    check = {"left": "gan_003.png", "right": "real_004.png"}
    questions = {
        "kind": "pair",
        "question": [
            {"name": "a", "text": "?", "control": [check | {"answer": "left"}]},
            {"name": "b", "text": "?", "control": [check | {"answer": ["right"]}]},
        ],
    }
    study = three(questions)
    assert (study.settings.controls, study.settings.tutorial) == (1, 0)
    sit(store, study, careful)
    rows = list(table(store, study, everything=True))
    controls = [row for row in rows if row["part"] == "control"]
    assert [(row["left"], row["right"], row["chosen"]) for row in controls] == [
        ("gan_003.png", "real_004.png", "gan_003.png"),
        ("gan_003.png", "real_004.png", "real_004.png"),
    ]
    assert not {"gan_003.png", "real_004.png"} & {row[side] for row in rows if row["part"] == "main" for side in check}
    strange = {
        "kind": "pair",
        "question": [{"name": "a", "text": "?", "control": [check | {"left": "x", "answer": "left"}]}],
    }
    with pytest.raises(BadSpec, match="A check of the questions names 'x'"):
        make_study(store, "other", small("pairs", questions=strange), pictures(7, "gan"), pictures(10, ""))


def wrong(**change):
    """PAIRS with the first question changed."""
    return PAIRS | {"question": [PAIRS["question"][0] | change]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], "the file should be a table"),
        ({"kind": "pairs", "question": []}, "kind is pair or scale; got 'pairs'"),
        (PAIRS | {"order": "by chance"}, "order is fixed or random; got 'by chance'"),
        (PAIRS | {"questions": []}, "has 'questions', which means nothing; did you mean 'question'?"),
        ({"kind": "pair"}, "there is no question"),
        (wrong(name="a b"), "letters, digits, _ and -, got 'a b'"),
        (wrong(text=None), "question 'clarity' has no text"),
        (wrong(text={"fr": "?"}), "question 'clarity', text has 'fr'"),
        (wrong(txt="?"), "did you mean 'text'"),
        (wrong(answers=["a", "b", "c"]), "answers is a list of 2 texts"),
        (
            PAIRS | {"kind": "scale", "question": [{"name": "q", "text": "?", "answers": ["a"]}]},
            "a list of 2 to 9 texts",
        ),
        (wrong(control=[{"answer": "both", "say": "!"}]), "answer is one or more of left, right; got both"),
        (wrong(control=[{"answer": "left"}]), "needs left and right, or say"),
        (wrong(control=[{"answer": "left", "left": "a.png"}]), "names its pictures by left and right"),
        (wrong(control={"answer": "left"}), "control is a list"),
        (PAIRS | {"question": PAIRS["question"][:1] * 2}, "two questions have one name"),
        (PAIRS | {"languages": {"en": "English", "de": "Deutsch"}}, "is one text, and there are the languages en, de"),
        (PAIRS | {"languages": ["en"]}, "languages is a table such as"),
        (PAIRS | {"words": {"en": {"Lefft": "L"}}}, "words.en has 'Lefft', which means nothing; did you mean 'Left'"),
        (PAIRS | {"title": " "}, "title has no text in 'en'"),
    ],
)
def test_a_file_that_is_wrong_says_where(content, words):
    with pytest.raises(BadSpec, match=re.escape(words)):
        parse(content)


def test_toml_and_json_are_read_and_others_refused(tmp_path):
    toml = 'kind = "pair"\n[[question]]\nname = "clarity"\ntext = "Which is clearer?"\n'
    (tmp_path / "q.toml").write_text(toml)
    (tmp_path / "q.json").write_text(json.dumps({"kind": "pair", "question": PAIRS["question"][:1]}))
    assert read_questions(tmp_path / "q.toml") == read_questions(tmp_path / "q.json")
    (tmp_path / "q.yaml").write_text("kind: pair\n")
    (tmp_path / "bad.toml").write_text("kind = \n")
    for name, error, words in (
        ("q.yaml", BadSpec, "is .toml or .json, got 'q.yaml'"),
        ("bad.toml", BadSpec, "bad.toml is no TOML"),
        ("none.toml", MissingSource, "There is no file of questions"),
    ):
        with pytest.raises(error, match=re.escape(words)):
            read_questions(tmp_path / name)
    with pytest.raises(BadSpec, match="task='rating', and the questions are of the task 'pairs'"):
        small("rating", questions=PAIRS)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_whole(store, path):
    """They can be served as they are, and every phrase of the German one is German."""
    content = read_questions(path)
    found = parse(content)
    assert found.missing() == {}
    study = make_study(store, "s", small(found.task, questions=content), pictures(9, "gan"), pictures(12, ""), number=6)
    assert len(new_rater(store, study).trials) % len(found.questions) == 0


def test_the_file_in_the_documents_is_one():
    """docs/collecting.md shows a file of two questions with their own controls."""
    text = (ROOT / "docs" / "collecting.md").read_text(encoding="utf-8")
    shown = re.search(r"```text\n(kind = .*?)```", text, flags=re.S)[1]
    found = parse(tomllib.loads(shown))
    assert [(one.name, len(one.controls), one.automatic) for one in found.questions] == [
        ("clarity", 1, False),
        ("emotion", 1, False),
    ]


def test_every_phrase_of_the_pages_can_be_translated():
    """What the pages look up is in the list, and nothing else is."""
    folder = Path(store_module.__file__).parent
    used = set()
    for path in (*(folder / "templates").glob("*.html"), folder / "static" / "task.js", folder / "app.py"):
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r'\btr\("([^"]+)"', text)) | set(
            re.findall(r'house\.message\("([^"]+)", "([^"]+)", tongue', text)
        )
        used |= set(re.findall(r'tr\(reply\.right \? "([^"]+)" : "([^"]+)"\)', text))
    used = {each for one in used for each in ((one,) if isinstance(one, str) else one)}
    used |= {"Left", "Right", *SCALE}
    used |= {phrase for phrase in PHRASES if phrase.startswith("This study has all the answers")}
    assert used == set(PHRASES)


OLD = """
INSERT INTO studies VALUES (1, 'old', 'token', '{"task": "rating", "votes_each": 2, "sitting": 1}', 2048, 0.0, 0);
INSERT INTO pictures VALUES (1, 1, 'a.png', 'generated', 'gan', x'00'), (2, 1, 'r.png', 'real', '', x'00');
INSERT INTO items (id, study, part, "left", "right", truth)
  VALUES (1, 1, 'main', 1, NULL, ''), (2, 1, 'control', 2, NULL, 'high');
INSERT INTO raters VALUES ('r1', 1, 'digest', 0.0);
INSERT INTO trials VALUES ('t1', 'r1', 2, 0, 0), ('t2', 'r1', 1, 1, 0);
INSERT INTO votes (id, rater, trial, revision, answer, at)
  VALUES ('v1', 'r1', 't1', 0, '4', 1.0), ('v2', 'r1', 't2', 0, '3', 2.0);
"""


def test_a_store_of_before_opens_and_goes_on(tmp_path, monkeypatch):
    """The first schema is brought up to date; its votes, gate and export are as they were, without new columns."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    for path in store_module.MIGRATIONS.rglob("*.py"):
        if not path.name.startswith("0002"):
            (folder / path.relative_to(store_module.MIGRATIONS)).write_text(path.read_text())
    with monkeypatch.context() as before:
        before.setattr(store_module, "MIGRATIONS", folder)
        open_store(tmp_path / "old.db").close()
    connection = sqlite3.connect(tmp_path / "old.db")
    connection.executescript(OLD)
    connection.close()
    store = open_store(tmp_path / "old.db")
    (study,) = store.studies()
    (row,) = table(store, study)
    assert (row["image"], row["rating"], row["part"], row["passed"]) == ("a.png", 3, "main", 1)
    assert list(columns(store, study)) == [
        *("image", "rater", "rating", "kind", "generator", "part", "passed"),
        *("exposure_ms", "shown_ms", "response_ms", "order"),
    ]
    assert "questions" not in progress(store, study) and progress(store, study)["control_accuracy"] == 1.0
    assert "questions" not in json.loads(study.settings.to_json())
    asked = new_rater(store, study).trials
    assert {(trial.part, trial.truth) for trial in asked} == {("control", "high"), ("main", "")}
    store.close()
