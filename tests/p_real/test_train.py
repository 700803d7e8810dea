"""`giqa train human`: from votes to a file, with references that nobody voted on."""

import csv
import dataclasses
import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from safetensors import safe_open

import giqa
from giqa.cli import main
from giqa.errors import BadModel, BadShape, BadSource, BadSpec, BadTable
from giqa.evaluate.evaluate import evaluate
from giqa.features.reader import Reader
from giqa.images import open_source
from giqa.images.decode import decode, picture_info
from giqa.model.trust import LEARNED_FROM, learned
from giqa.p_real.file import load_realism
from giqa.p_real.train import choose_references, train_human
from giqa.types import INFO

QUICK = {"layers": ["high"], "references": 30, "densities": False}


def judge(folder, path, seed=0, n=5):
    """Counts of votes on toy fakes: the more damage (the number in the name), the less often real."""
    rng = np.random.default_rng(seed)
    with open(path, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "n", "n_real", "scene"])
        for i, picture in enumerate(sorted(folder.iterdir())):
            damage = float(picture.stem.rsplit("_", 1)[1])
            table.writerow([picture.name, n, rng.binomial(n, 0.9 - 0.8 * damage), i % 6])
    return path


@pytest.fixture(scope="module")
def votes(toy, tmp_path_factory):
    return judge(toy[1], tmp_path_factory.mktemp("votes") / "votes.csv")


@pytest.fixture(scope="module")
def people(toy, votes):
    """(file, what was said) of one training."""
    said, out = [], votes.with_name("people.giqa")
    train_human(votes, toy[1], toy[0], out, say=said.append, **QUICK)
    return out, said


READER = Reader("statistics")


def infos(pictures):
    source = open_source(pictures)
    return np.array([picture_info(decode(source.raw(i))) for i in range(len(source))], INFO)


def test_bytes_and_flops_are_said_before_the_work(people):
    """B, 3,000 vectors of 512 channels in 36 places: 3000 (1024 + 4) bytes, 2 · 36 · 3000 · 513 FLOP."""
    said = people[1]
    assert said[0].startswith("24 pictures with 120 votes") and "30 reals as references" in said[0]
    assert "0.00308 GB kept, 0.111 GFLOP a picture" in said[1]


def test_the_file_says_what_it_learned(people):
    made = load_realism(people[0])
    told = made.made_by
    assert (told["labelled"], told["votes"], told["references"], told["variant"]) == (24, 120, 30, "B")
    assert set(told["weights"]) == {"high.distance"} and made.taps == ("high",)
    low, value, high = (told["held_out"]["accuracy"][name] for name in ("low", "value", "high"))
    assert low <= value <= high and "constant answer" in told["held_out"]
    result = CliRunner().invoke(main, ["info", str(people[0]), "--json"])
    assert json.loads(result.output)["made_by"] == json.loads(json.dumps(told))
    said = CliRunner().invoke(main, ["info", str(people[0])]).output
    assert "learned from\t120 votes on 24 pictures (votes.csv)" in said and "30 reals as references" in said
    assert "p_real: the probability that a person calls a picture real, with its 95 % interval" in said
    assert "log-likelihood, gain\t" in said and "high.distance\t" in said and "sha256" not in said


def test_the_same_votes_give_the_same_file_with_any_number_of_workers(people, toy, votes, tmp_path):
    again = train_human(votes, toy[1], toy[0], tmp_path / "again.giqa", workers=1, **QUICK)
    assert again.digest == load_realism(people[0]).digest
    assert (tmp_path / "again.giqa").read_bytes() == people[0].read_bytes()


def test_no_reference_is_among_the_pictures_with_votes(toy, votes, tmp_path):
    """Copies of labelled pictures, coded anew, lie among the reals: they are found by their content and left out."""
    mixed = tmp_path / "mixed"
    shutil.copytree(toy[0], mixed)
    for picture in list(toy[1].iterdir())[:5]:
        Image.open(picture).save(mixed / f"a_{picture.stem}.bmp")
    chosen, aside, refused = choose_references(open_source(mixed), infos(toy[1]), 1000, 0, READER)
    names = open_source(mixed).ids
    assert refused == 5
    assert not [names[row] for row in (*chosen, *aside) if names[row].startswith("a_")]


def test_reals_of_the_scale_are_no_references(toy):
    """60 reals are too few to set a fifth of them, 12, aside; of 120 it is 24."""
    noise = np.random.default_rng(0).integers(0, 256, (121, 8, 8, 3), np.uint8)
    other, many = infos(noise[:1]), open_source(noise[1:])
    assert choose_references(open_source(toy[0]), other, 1000, 0, READER)[1] == []
    chosen, aside, refused = choose_references(many, other, 1000, 0, READER)
    assert (len(chosen), len(aside), refused) == (96, 24, 0) and not set(chosen) & set(aside)
    assert len(choose_references(many, other, 25, 0, READER)[0]) == 25


def test_a_picture_that_goes_away_is_named(toy, votes, tmp_path):
    """While it learns: not a word of numbers of votes."""
    shutil.copytree(toy[1], tmp_path / "fakes")
    gone = sorted((tmp_path / "fakes").iterdir())[2]

    def say(text):
        if "GB" in text:  # what the work costs, before pictures are measured
            gone.unlink()

    with pytest.raises(BadSource, match=f"{gone.name} can no longer be read .*No such file.*run it again"):
        train_human(votes, tmp_path / "fakes", toy[0], tmp_path / "never.giqa", say=say, **QUICK)


def test_too_few_references_are_refused(toy, votes):
    few = np.zeros((3, 8, 8, 3), np.uint8)
    with pytest.raises(BadShape, match="At least 20 different reals"):
        train_human(votes, toy[1], few, votes.with_name("never.giqa"), **QUICK)


@pytest.mark.parametrize(
    ("header", "row", "words"),
    [
        ("rater,generator,fakes,wrong_fakes,reals,wrong_reals", "{0},gan,9,1,9,1", "sittings say how often"),
    ],
)
def test_other_judgements_are_refused_in_plain_words(toy, tmp_path, header, row, words):
    table = tmp_path / "other.csv"
    table.write_text(f"{header}\n{row.format(next(toy[1].iterdir()).name)}\n")
    with pytest.raises(BadSpec, match=words):
        train_human(table, toy[1], toy[0], tmp_path / "never.giqa")
    assert not (tmp_path / "never.giqa").exists()


def test_wrong_tables_and_options_say_what_to_do(toy, votes, tmp_path):
    table = tmp_path / "votes.csv"
    table.write_text("image,n,n_real\nelsewhere.png,3,1\n")
    with pytest.raises(BadSource, match=r"elsewhere.png.*--images"):
        train_human(table, toy[1], toy[0], tmp_path / "x.giqa")
    table.write_text("image,n,n_real,kind\na.png,3,1,real\n")
    with pytest.raises(BadSpec, match="--reals-too"):
        train_human(table, toy[1], toy[0], tmp_path / "x.giqa")
    table.write_text(f"image,n,n_real\n{next(toy[1].iterdir()).name},2.5,1\n")
    with pytest.raises(BadTable, match="whole"):
        train_human(table, toy[1], toy[0], tmp_path / "x.giqa")
    with pytest.raises(BadSpec, match=r"column 'moon'.*scene"):
        train_human(votes, toy[1], toy[0], tmp_path / "x.giqa", group="moon")
    with pytest.raises(BadSpec, match=r"NAME\.giqa"):
        train_human(votes, toy[1], toy[0], tmp_path / "x.safetensors")
    with pytest.raises(BadSpec, match="no maps"):
        train_human(votes, toy[1], toy[0], tmp_path / "x.giqa", extractor="statistics")


@pytest.mark.slow
def test_the_story_as_the_command_line_has_it(toy, votes, tmp_path, monkeypatch):
    """Votes, fit, score, report with p_real and maps, pick: what docs/human.md tells, on toy pictures."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exit_code == 0, result.output
        return result.output

    said = run("train", "human", votes, "--images", toy[1], "--real", toy[0], "--group", "scene", "-o", "people.giqa")
    assert "constant answer" in said and "high.distance" in said and "taps.z" in said
    verdict = next(line for line in said.splitlines() if "human model learned" in line.lower())
    assert (
        verdict in run("info", "people.giqa") and json.loads(run("info", "people.giqa", "--json"))["verdict"] == verdict
    )
    run("score", toy[1], "--real", toy[0], "--human", "people.giqa", "--maps", "-o", "s.csv", "--report", "r.html")
    scores = giqa.read_scores("s.csv")
    damage = np.array([float(name.rsplit("_", 1)[1].removesuffix(".png")) for name in scores.id])
    assert np.all((scores.p_real_low <= scores.p_real) & (scores.p_real <= scores.p_real_high))
    assert scores.p_real[damage == 0].mean() > scores.p_real[damage > 0.5].mean()
    page = (tmp_path / "r.html").read_text()
    assert "Called real" in page and "Three worst" in page and "unlike the real pictures" in page
    run("pick", "s.csv", "--from", toy[1], "--by", "p_real", "--top", "3", "-o", "picked")
    with open("picked/picked.csv") as file:
        picked = [row["image"] for row in csv.DictReader(file)]
    assert picked == [scores.id[row] for row in np.argsort(-scores.p_real, kind="stable")[:3]]
    judge = ["evaluate", "s.csv", "--labels", str(votes), "--column", "p_real", "--probability", "-o", "e.json"]
    refused = CliRunner().invoke(main, judge)
    assert refused.exit_code == 2 and "24 of the 24 judged pictures" in refused.output
    assert "wrote" in run(*judge, "--include-training")
    assert "wrote" in run("evaluate", "s.csv", "--labels", votes, "-o", "z.json"), "z was not learned from votes"


def test_the_file_knows_the_pictures_that_it_learned_from(people, toy, tmp_path):
    """Copies coded anew are known by it, reals are not; it is the same after loading, and damage is found."""
    made = load_realism(people[0])
    for path in sorted(toy[1].iterdir())[:3]:
        Image.open(path).save(tmp_path / f"{path.stem}.bmp")
    for path in sorted(toy[0].iterdir())[:2]:
        shutil.copy(path, tmp_path / path.name)
    scores = giqa.score(tmp_path, model=made)
    known = [LEARNED_FROM in note for note in scores.notes]
    assert known == [name.startswith("fake") for name in scores.id]
    assert scores.made_by["asked"]["learned_from"] == 3 and scores.made_by["asked"]["pictures"] == 5
    content = bytearray(people[0].read_bytes())
    place = content.find(made.voted.contents.tobytes()[:64])
    content[place : place + 8] = bytes(8)
    (tmp_path / "damaged.giqa").write_bytes(content)
    with pytest.raises(BadModel, match="damaged"):
        load_realism(tmp_path / "damaged.giqa")


def test_a_file_of_an_earlier_giqa_loads_and_says_what_it_cannot_check(people, toy, tmp_path):
    """Without the pictures with votes: the same p, and a warning; evaluating by the same votes warns too."""
    made = load_realism(people[0])
    old = dataclasses.replace(made, voted=None).save(tmp_path / "old.giqa")
    arrays = set(safe_open(old, "numpy").keys())
    assert not any(name.startswith("voted") for name in arrays)
    with pytest.warns(UserWarning, match="earlier giqa"):
        scores = giqa.score(toy[1], model=old)
    assert np.array_equal(scores.p_real, giqa.score(toy[1], model=made).p_real)
    with pytest.warns(UserWarning, match="not known well enough"):
        evaluate(scores, people[0].with_name("votes.csv"), column="p_real", probability=True, resamples=20)


def test_votes_that_say_nothing_leave_no_headline(toy, tmp_path):
    """Coins instead of people: the loud line in score, no sum of p_real, no tile and a caution in the report."""
    made = train_human(judge_by_coin(toy[1], tmp_path / "v.csv"), toy[1], toy[0], tmp_path / "p.giqa", **QUICK)
    assert not learned(made.made_by)[0]
    words = ["score", toy[1], "--real", toy[0], "--human", tmp_path / "p.giqa", "--report", tmp_path / "r.html"]
    said = CliRunner().invoke(main, [*map(str, words), "-o", str(tmp_path / "s.csv")])
    assert "THE HUMAN MODEL LEARNED NOTHING" in said.output and "Mean p_real" not in said.output
    page = (tmp_path / "r.html").read_text()
    assert "THE HUMAN MODEL LEARNED NOTHING" in page and "<h2>Called real" not in page and '"believed":false' in page
    pick = ["pick", str(tmp_path / "s.csv"), "--by", "p_real", "--top", "2", "--how", "list", "-o", str(tmp_path / "x")]
    assert "THE HUMAN MODEL LEARNED NOTHING" in CliRunner().invoke(main, pick).output


def judge_by_coin(folder, path):
    rng = np.random.default_rng(1)
    rows = [f"{picture.name},4,{rng.binomial(4, 0.5)}" for picture in sorted(folder.iterdir())]
    path.write_text("\n".join(["image,n,n_real", *rows]) + "\n")
    return path


@pytest.mark.slow
def test_match_says_what_it_does_and_what_it_cannot(toy, votes, tmp_path):
    """Alike: nothing to do. Wider reals of twice the size: shrunk, and the aspect is left. Without it: a warning."""
    said = []
    train_human(votes, toy[1], toy[0], tmp_path / "a.giqa", match="auto", say=said.append, **QUICK)
    assert "match: nothing to do, size and coding are alike" in said
    wide = tmp_path / "wide"
    wide.mkdir()
    for path in toy[0].iterdir():
        Image.open(path).resize((96, 64)).save(wide / path.name)
    with pytest.warns(UserWarning, match=r"cannot even it all out: .*aspect"):
        made = train_human(votes, toy[1], wide, tmp_path / "b.giqa", match="auto", say=said.append, **QUICK)
    assert made.match == "match(coding=None, quality=None, size=32)" and f"match: {made.match}" in said
    with pytest.warns(UserWarning, match=r"the pictures with votes are saved differently \(size, aspect"):
        train_human(votes, toy[1], wide, tmp_path / "c.giqa", **QUICK)
