"""What a study asks of whom: balance, the 50/50 mix, a picture once, what is held out, what counts."""

import json
import random
import time
from collections import Counter
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from study_samples import a_vote, new_rater, pictures, small

from giqa.errors import BadSpec
from giqa.study import tables as t
from giqa.study.admin import texts
from giqa.study.progress import FRESH, agreement, columns, open_items, progress, table
from giqa.study.session import exposure, keep, state
from giqa.study.setup import make_study
from giqa.study.study import Open, Settings, choose, in_order
from giqa.tables.write import as_csv
from giqa.votes.gate import controls, passes, without_controls
from giqa.votes.votes import read_labels


def right_answer(trial):
    return {"low": "1", "high": "5"}.get(trial.truth, trial.truth)


def wrong_answer(trial):
    return {"real": "fake", "fake": "real", "low": "5", "high": "1"}[trial.truth]


def sit(store, study, answer, most=None):
    """A rater who answers by `answer(trial)`."""
    rater = new_rater(store, study)
    for place, trial in enumerate(rater.trials[:most]):
        told = keep(store, study, rater, [a_vote(trial, f"{rater.id}{place:04d}", answer(trial))])
        assert told[0]["result"] == "kept"
    return rater


def test_every_picture_gets_its_votes_and_nobody_sees_one_twice(store):
    """12 fakes and 12 reals, 3 votes each, 8 a sitting: nine sittings, then the study is full."""
    settings = small("hype", votes_each=3, sitting=8, controls=0, tutorial=0)
    study = make_study(store, "s", settings, pictures(12, "gan"), pictures(12, ""))
    for _ in range(9):
        rater = sit(store, study, right_answer)
        assert Counter(trial.truth for trial in rater.trials) == {"real": 4, "fake": 4}
        assert len({trial.pictures for trial in rater.trials}) == 8
    assert set(Counter(row["image"] for row in table(store, study)).values()) == {3}
    with pytest.raises(AssertionError):  # nobody is asked any more
        new_rater(store, study)


def test_a_rater_who_leaves_is_replaced(store, study_in):
    """What a rater was to be asked counts while they are at it, and is free again half an hour after."""
    study = study_in(store, votes_each=1, tutorial=0, controls=0, sitting=12)
    rater = sit(store, study, right_answer, most=3)
    with store.read() as connection:
        assert {item.votes for item in open_items(connection, study)} == {0, 1}
        assert sum(item.votes for item in open_items(connection, study)) == 12
    with store.write() as connection:
        connection.execute(sa.update(t.votes).values(at=time.time() - FRESH - 1))
    store.here.clear()  # as after the server was started again
    with store.read() as connection:
        assert sum(item.votes for item in open_items(connection, study)) == 3
    answered = sum(trial.truth == "fake" for trial in rater.trials[:3])
    assert len(new_rater(store, study).trials) == 2 * (6 - answered)  # the fakes that are left, and as many reals


def test_a_clock_that_is_set_frees_and_takes_nothing(store, study_in, monkeypatch):
    """While the server runs, half an hour is measured by a clock that nobody sets; a time to come is no time."""
    study = study_in(store, votes_each=1, tutorial=0, controls=0, sitting=12)
    sit(store, study, right_answer, most=3)
    for wrong in (-1e6, 1e6):
        with store.write() as connection:
            connection.execute(sa.update(t.votes).values(at=time.time() + wrong))
        with store.read() as connection:
            assert sum(item.votes for item in open_items(connection, study, store)) == 12
            assert sum(item.votes for item in open_items(connection, study)) == 3
    later = time.monotonic() + FRESH + 1
    monkeypatch.setattr("giqa.study.progress.time.monotonic", lambda: later)
    with store.read() as connection:
        assert sum(item.votes for item in open_items(connection, study, store)) == 3
    with store.write() as connection:  # the rater goes on, and another process of the server takes the answers
        connection.execute(sa.update(t.votes).values(at=time.time()))
    with store.read() as connection:
        assert sum(item.votes for item in open_items(connection, study, store)) == 12


def test_who_only_joins_closes_no_study(store, study_in):
    """However many open the link and answer nothing, the next one is still asked; those who answered are counted."""
    study = study_in(store, votes_each=1, tutorial=0, controls=0, sitting=12)
    idle = [new_rater(store, study) for _ in range(20)]
    assert all(len(rater.trials) == 12 for rater in idle)
    for place, trial in enumerate(idle[0].trials):
        keep(store, study, idle[0], [a_vote(trial, f"{place:04d}", right_answer(trial))])
    with pytest.raises(AssertionError):  # now the study has its votes
        new_rater(store, study)


def test_the_gate(store, study_in):
    """Who answers half the controls wrong fails at 65 %: their votes stay, but count in no number and no plan."""
    study = study_in(store, tutorial=0, controls=4, sitting=4, reals=20)
    sit(store, study, right_answer)
    before = progress(store, study)
    spoiled = iter([True, False, True, False])

    def careless(trial):
        spoil = trial.part == "control" and next(spoiled)
        return wrong_answer(trial) if spoil else right_answer(trial)

    bad = sit(store, study, careless)
    now = progress(store, study)
    assert (now["failed_gate"], now["finished"], now["raters"]) == (1, 2, 2)
    assert (now["votes"], now["error_rate"]) == (before["votes"], 0.0) and now["control_accuracy"] == 0.75
    assert now["control_interval"] == [0.4093, 0.9285]  # Wilson's, 6 of 8
    assert {row["rater"] for row in table(store, study)} == {row["rater"] for row in table(store, study)} - {bad.id}
    failed = [row for row in table(store, study, everything=True) if row["rater"] == bad.id]
    assert len(failed) == 8 and {row["passed"] for row in failed} == {0}
    with store.read() as connection:
        assert sum(item.votes for item in open_items(connection, study)) == 4


def test_a_study_of_real_or_fake_is_done_when_its_fakes_are(store, study_in):
    """2 fakes in a session of 4 and 3 fakes with 2 votes each: 3 raters. 13 reals take the votes that the mix needs."""
    study = study_in(store, tutorial=0, controls=0, sitting=4, fakes=3, reals=13)
    now = progress(store, study)
    assert (now["items"], now["votes_wanted"], now["more_raters"], now["what"]) == (3, 6, 3, "generated pictures")
    sit(store, study, right_answer)
    now = progress(store, study)
    assert (now["votes"], now["done"], now["more_raters"]) == (4, 0.3333, 2)
    said = "33 % done: 0 of 3 generated pictures have all their votes. About 2 more raters who pass are needed."
    assert texts(now)["answer"] == said
    sit(store, study, right_answer)
    assert texts(progress(store, study))["answer"].endswith(" About 1 more rater who passes is needed.")
    sit(store, study, right_answer)
    now = progress(store, study)
    assert (now["done"], now["items_with_all_votes"], now["more_raters"]) == (1.0, 3, 0)
    assert texts(now)["answer"] == "Done: 3 of 3 generated pictures have all their votes."
    with pytest.raises(AssertionError):  # nobody else is asked
        new_rater(store, study)


def test_nobody_is_promised_more_pairs_than_have_pictures_of_their_own(store, study_in):
    """Of 6 fakes and 4 reals at most 5 pairs have no picture in common, so a session has less than the 6 asked for."""
    study = study_in(store, "pairs", reals=4, tutorial=0, controls=0)
    assert 1 <= len(new_rater(store, study).trials) <= study.settings.sitting <= 5


@pytest.mark.parametrize("seed", range(6))
def test_as_many_pairs_as_can_be_are_promised(store, seed):
    """Of a-b, b-c, c-d a rater can judge two, a-b and c-d, though one who begins with b-c judges one."""
    fakes = pictures(4, "gan")
    a, b, c, d = (fake.name for fake in fakes)
    settings = small("pairs", tutorial=0, controls=0, sitting=2)
    made = make_study(store, "p", settings, fakes, pictures(4, ""), pairs=[(a, b), (b, c), (c, d)], seed=seed)
    assert made.settings.sitting == 2


def test_the_gate_says_in_the_export_what_statistics_say(store, study_in, tmp_path):
    """Who leaves early is judged by the controls answered; who met none passes. --gate finds the same in the export."""
    study = study_in(store, tutorial=0, controls=4, sitting=4, reals=20, votes_each=9)
    sit(store, study, right_answer)
    wrong_at_controls = lambda trial: (wrong_answer if trial.part == "control" else right_answer)(trial)  # noqa: E731
    for most in (1, 1, 1, 1, 3, 8):
        sit(store, study, wrong_at_controls, most)
    (tmp_path / "v.csv").write_text(as_csv(columns(store, study, everything=True)))
    labels = read_labels(tmp_path / "v.csv")
    asked = controls(labels)
    assert len(asked) == 7
    rows = list(table(store, study, everything=True))
    for rater, counts in asked.items():
        assert {row["passed"] for row in rows if row["rater"] == rater} == {int(passes(*counts, study.settings.gate))}
    now = progress(store, study)
    assert now["failed_gate"] == sum(not passes(*counts, study.settings.gate) for counts in asked.values())
    assert now["without_controls"] == without_controls(labels)


def test_controls_are_hidden_and_spread(store, study_in):
    """Their place is by lot, one in each stretch; half of them are real."""
    study = study_in(store, tutorial=2, controls=4, sitting=12, votes_each=9, fakes=8, reals=24)
    places = []
    for _ in range(8):
        rater = new_rater(store, study)
        assert [trial.part for trial in rater.trials[:2]] == ["tutorial"] * 2
        controls = [trial for trial in rater.trials if trial.part == "control"]
        assert Counter(trial.truth for trial in controls) == {"real": 2, "fake": 2}
        places.append(tuple(trial.place - 2 for trial in controls))
        assert sum(place < 8 for place in places[-1]) == 2
    assert len(set(places)) > 1


def test_the_tutorial_tells_the_truth_and_nothing_else_does(store, study_in):
    study = study_in(store, tutorial=2)
    rater = new_rater(store, study)
    for place, trial in enumerate(rater.trials):
        (told,) = keep(store, study, rater, [a_vote(trial, f"{place}", "fake")])
        if trial.part == "tutorial":
            assert (told["truth"], told["right"]) == (trial.truth, trial.truth == "fake")
        else:
            assert set(told) == {"id", "result"}


def test_pairs_are_flipped_by_lot_and_exported_by_name(store):
    """A flipped pair's left is the study's right: who always chooses the reals has chosen them in every row."""
    settings = small("pairs", sitting=4, tutorial=0, controls=2, votes_each=4)
    study = make_study(store, "s", settings, pictures(6, "gan"), pictures(10, ""), number=6)
    with store.read() as connection:
        kinds = dict(map(tuple, connection.execute(sa.select(t.pictures.c.id, t.pictures.c.kind))))
    flips = []

    def prefer_real(trial):
        flips.append(trial.flipped)
        return "left" if kinds[trial.pictures[0]] == "real" else "right"

    for _ in range(4):
        sit(store, study, prefer_real)
    assert set(flips) == {True, False}
    kept = list(table(store, study, everything=True))
    assert all(row["chosen"].startswith("real") and "shuffled" not in row["chosen"] for row in kept)
    assert progress(store, study)["control_accuracy"] == 1.0
    assert progress(store, study)["agreement"] == 1.0


def test_the_staircase_follows_the_answers(store, study_in):
    """500 ms, then 30 less after each right answer and 10 more after each wrong one; an undo moves it too."""
    study = study_in(store, "hype-time", tutorial=0, controls=0)
    rater = new_rater(store, study)
    answers = [right_answer, right_answer, wrong_answer, right_answer]
    for place, answer in enumerate(answers):
        assert state(store, study, rater)["next"][0]["exposure"] == [500, 470, 440, 450][place]
        keep(store, study, rater, [a_vote(rater.trials[place], str(place), answer(rater.trials[place]))])
    assert state(store, study, rater)["next"][0]["exposure"] == 420
    trial = rater.trials[3]
    keep(store, study, rater, [a_vote(trial, "undo", wrong_answer(trial), 1)])
    assert state(store, study, rater)["next"][0]["exposure"] == 460
    with store.read() as connection:
        asked = connection.execute(sa.select(t.votes.c.exposure_ms).order_by(t.votes.c.number)).scalars().all()
    assert asked == [500, 470, 440, 450, 450]
    assert len(state(store, study, rater)["next"]) == 1  # the next one depends on this answer
    assert exposure(study, rater, {}) == 500


def test_a_paused_study_asks_nothing_but_takes_what_was_shown(store, study_in):
    study = study_in(store, tutorial=0)
    rater = new_rater(store, study)
    store.pause(study, True)
    (paused,) = store.studies()
    now = state(store, paused, rater)
    assert (now["state"], now["next"]) == ("paused", [])
    assert keep(store, paused, rater, [a_vote(rater.trials[0], "a")])[0]["result"] == "kept"


def test_agreement_is_pooled_over_pairs_of_raters():
    """Item 1: real, real, fake (2 of 6 ordered pairs agree); item 2: fake, fake (2 of 2): 4 of 8."""
    rows = [(1, "real"), (1, "real"), (1, "fake"), (2, "fake"), (2, "fake"), (3, "real")]
    assert agreement("hype", [SimpleNamespace(item=i, answer=a, flipped=False) for i, a in rows]) == 0.5
    assert agreement("hype", []) is None


def test_choose_takes_the_fewest_votes_first():
    items = [
        Open(i, (i,), side, votes)
        for i, (side, votes) in enumerate([("fake", 2), ("fake", 0), ("real", 1), ("real", 0)])
    ]
    chosen = choose(items, Settings("hype", votes_each=2, sitting=2), random.Random(0))
    assert sorted(item.id for item in chosen) == [1, 3]
    assert choose([items[0]], Settings("hype", votes_each=2, sitting=2), random.Random(0)) == []


def test_choose_shows_no_picture_in_two_pairs():
    items = [Open(0, (1, 2), "", 0), Open(1, (2, 3), "", 1), Open(2, (3, 4), "", 1)]
    chosen = choose(items, Settings("pairs", votes_each=2, sitting=3), random.Random(0))
    assert [item.id for item in chosen] == [0, 2]


def test_order_keeps_everything():
    made = in_order([1, 2], [3, 4], list(range(10, 20)), random.Random(0))
    assert set(made[:2]) == {1, 2} and sorted(made) == [1, 2, 3, 4, *range(10, 20)]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"task": "guess"}, "no task 'guess'; there are hype, hype-time, pairs, rating"),
        ({"task": "hype", "votes_each": 0}, "votes_each=0 should be 1 or more"),
        ({"task": "hype", "controls": -1}, "controls=-1 should be 0 or more"),
        ({"task": "hype", "gate": 65}, "gate=65 is a share"),
        ({"task": "hype-time", "start": 50}, "start=50 should lie between floor=100 and top=1000"),
    ],
)
def test_settings_that_mean_nothing(given, words):
    with pytest.raises(BadSpec, match=words):
        Settings(**given)


@pytest.mark.parametrize(
    ("fakes", "reals", "settings", "words"),
    [
        (6, 1, {}, "Too few reals: tutorial=2 and controls=2"),
        (1, 20, {}, "No generated pictures are left"),
        (6, 5, {"sitting": 6}, "enough for 4 answers a rater"),
        (6, 3, {}, "hype needs reals besides"),
    ],
)
def test_too_few_pictures_are_said(store, fakes, reals, settings, words):
    with pytest.raises(BadSpec, match=words):
        make_study(store, "s", small("hype", **settings), pictures(fakes, "gan"), pictures(reals, ""))
    assert store.studies() == []


def test_settings_are_json(study_in, store):
    """What the store keeps of them can be read without this program."""
    study = study_in(store)
    with store.read() as connection:
        kept = json.loads(connection.scalar(sa.select(t.studies.c.settings)))
    assert kept["task"] == "hype" and Settings(**kept) == study.settings
