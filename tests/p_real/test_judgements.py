"""`giqa train human` from pairs and ratings, alone or with votes: from tables to columns of scores."""

import csv

import numpy as np
import pytest
from click.testing import CliRunner

import giqa
from giqa.cli import main
from giqa.errors import BadModel, BadSpec, BadTable
from giqa.images import open_source
from giqa.model.made_by import GAIN
from giqa.model.trust import learned
from giqa.p_real.file import load_realism
from giqa.p_real.judgements import read_judgements
from giqa.p_real.train import train_human

QUICK = {"layers": ["high"], "references": 30}


def damage(name):
    return float(name.rsplit("_", 1)[1].removesuffix(".png"))


def write(path, header, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header.split(","), *rows])
    return path


@pytest.fixture(scope="module")
def tables(toy, tmp_path_factory):
    """Pairs and ratings of toy fakes: the more damage (the number in the name), the worse."""
    folder, rng = tmp_path_factory.mktemp("judgements"), np.random.default_rng(0)
    names = sorted(picture.name for picture in toy[1].iterdir())
    pairs = [rng.choice(names, 2, replace=False) for _ in range(200)]
    p = [1 / (1 + np.exp(6 * (damage(a) - damage(b)))) for a, b in pairs]
    rows = [(a, b, n := rng.binomial(5, q), 5 - n) for (a, b), q in zip(pairs, p, strict=True)]
    rated = [(name, r, round(np.clip(5 - 4 * damage(name) + rng.normal(), 1, 5))) for name in names for r in "abcdef"]
    return (
        write(folder / "pairs.csv", "left,right,votes_left,votes_right", rows),
        write(folder / "ratings.csv", "image,rater,rating", rated),
    )


@pytest.fixture(scope="module")
def both(toy, tables, tmp_path_factory):
    out = tmp_path_factory.mktemp("both") / "people.giqa"
    return train_human(tables, toy[1], toy[0], out, columns=["layers", "pooled", "size"], **QUICK), out


@pytest.mark.slow
def test_pairs_and_ratings_give_their_columns(toy, both):
    """Less damage is preferred and rated higher; the point is in its interval, ratings on their own scale."""
    human, _ = both
    scores = giqa.score(toy[1], real=toy[0], human=human)
    assert scores.p_real is None
    assert [name for name in scores.columns if name.startswith("p_pr")] == [
        "p_preferred",
        "p_preferred_low",
        "p_preferred_high",
    ]
    harm = np.array([damage(name) for name in scores.id])
    assert np.corrcoef(scores.p_preferred, harm)[0, 1] < -0.5 and np.corrcoef(scores.rating, harm)[0, 1] < -0.5
    assert scores.rating.min() >= 1 and scores.rating.max() <= 5
    for name in ("p_preferred", "rating"):
        assert (scores[f"{name}_low"] <= scores[name]).all() and (scores[name] <= scores[f"{name}_high"]).all()
    assert human.made_by["judgements"] == {"pairs": 1000, "ratings": 6 * len(harm)}


def test_splits_show_how_optimistic_pairs_are(both):
    """Held-out pairs of pictures that are seen in other pairs are predicted better than pairs of unseen pictures."""
    splits = both[0].made_by["splits"]
    assert set(splits["pairs"]) == {"picture", "pair"} and set(splits["ratings"]) == {"picture", "rater", "pair"}
    for kind in splits:
        assert splits[kind]["pair"][GAIN]["value"] > splits[kind]["picture"][GAIN]["value"] + 0.05
    assert learned(both[0].made_by)[0] == all(splits[kind]["picture"][GAIN]["low"] > 0 for kind in splits)


def test_p_preferred_does_not_depend_on_other_pictures(toy, both, tmp_path):
    """One picture alone gets the bits that it gets among others: the typical picture is kept in the file."""
    human, file = both
    every, first = load_realism(file).score(toy[1]), sorted(toy[1].iterdir())[3]
    alone = human.score([str(first)])
    row = list(every.id).index(first.name)
    for name in ("score", "p_preferred", "p_preferred_low", "rating", "rating_high"):
        assert alone[name][0] == every[name][row]


def test_scores_with_these_columns_survive_a_file(toy, both, tmp_path):
    scores = giqa.score(toy[1], model=both[1])
    again = giqa.read_scores(scores.write(tmp_path / "scores.csv"))
    assert again.columns == scores.columns and again.rating == pytest.approx(scores.rating)
    assert again.summary()["mean_rating"] == pytest.approx(scores.rating.mean())


def test_a_damaged_file_is_refused(both, tmp_path):
    data = bytearray(both[1].read_bytes())
    at = data.find(np.float64(both[0].model.weights_[0]).tobytes())
    data[at] ^= 1
    broken = tmp_path / "broken.giqa"
    broken.write_bytes(data)
    with pytest.raises(BadModel, match="damaged"):
        load_realism(broken)


def test_tables_are_known_by_their_columns(toy, tables, tmp_path):
    """A row a judgement is counted by pair, whatever its order; groups come from any table that has the column."""
    a, b, c = sorted(picture.name for picture in toy[1].iterdir())[:3]
    one = write(tmp_path / "p.csv", "left,right,preferred", [(a, b, a), (b, a, "left"), (a, c, "right"), (c, b, "tie")])
    source = open_source(toy[1])
    judged = read_judgements([one, tables[1]], source)
    pairs = judged.likelihoods()["pairs"]
    assert (pairs.left.tolist(), pairs.right.tolist()) == ([0, 0, 1], [1, 2, 2])
    assert (pairs.wins.tolist(), pairs.votes.tolist()) == ([1, 0, 0.5], [2, 1, 1])
    assert judged.steps.tolist() == [1, 2, 3, 4, 5] and judged.group is None
    scenes = write(
        tmp_path / "r.csv", "image,rater,rating,scene", [(a, "r", 1, "x"), (b, "r", 2, "y"), (c, "r", 2, "x")]
    )
    assert read_judgements([one, scenes], source, "scene").group.tolist() == [0, 1, 0]
    twice = write(tmp_path / "t.csv", "left,right,preferred,scene", [(a, b, a, "x"), (a, c, a, "y")])
    with pytest.raises(BadTable, match=r"in two groups, 'x' and 'y'.*--images"):
        read_judgements([twice], source, "scene")
    with pytest.raises(BadSpec, match=r"no column 'moon'.*scene"):
        read_judgements([scenes], source, "moon")
    hundred = write(tmp_path / "h.csv", "image,rater,rating", [(a, "r", 80), (b, "r", 20)])
    with pytest.raises(BadTable, match=r"ratings up to 5, and .*h\.csv up to 80: bring them to one scale"):
        read_judgements([tables[1], hundred], source)
    with pytest.raises(BadTable, match="All ratings are 3"):
        read_judgements([write(tmp_path / "s.csv", "image,rater,rating", [(a, "r", 3), (b, "r", 3)])], source)
    with pytest.raises(BadTable, match="left,right,preferred or image,rater,rating"):
        read_judgements([write(tmp_path / "n.csv", "image,colour", [(a, "red")])], source)


def test_detail_is_a_column(toy, tables, tmp_path):
    """By its name alone, as in a table of scores; of a picture it is the logarithm that `giqa score` compares."""
    out = tmp_path / "sharp.giqa"
    said = CliRunner().invoke(
        main, ["train", "human", str(tables[0]), "--images", str(toy[1]), "--real", str(toy[0]), "--layers", "high",
               "--references", "30", "--columns", "detail", "--quiet", "-o", str(out)]
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    human = load_realism(out)
    assert human.families == ("detail",)
    source = open_source(toy[1])
    detail = giqa.features.reader.extract(source, "detail").features.layers["detail"][:, 0]
    assert np.corrcoef(human.score(source).score, detail)[0, 1] ** 2 == pytest.approx(1)  # linear in this one column


def test_wrong_columns_say_what_there_is(toy, tables, tmp_path):
    with pytest.raises(BadSpec, match=r"layers, pooled, size or the spec.*'moon'"):
        train_human(tables[0], toy[1], toy[0], tmp_path / "x.giqa", columns=["moon"])
    with pytest.raises(BadSpec, match="preset paper learns from one table of votes"):
        train_human(tables[0], toy[1], toy[0], tmp_path / "x.giqa", preset="paper")


@pytest.mark.slow
def test_random_ratings_teach_nothing(toy, tmp_path):
    """It is said plainly."""
    rng = np.random.default_rng(1)
    names = sorted(picture.name for picture in toy[1].iterdir())
    table = write(tmp_path / "r.csv", "image,rater,rating", [(n, r, rng.integers(1, 6)) for n in names for r in "abc"])
    said = CliRunner().invoke(
        main, ["train", "human", str(table), "--images", str(toy[1]), "--real", str(toy[0]), "--layers", "high",
               "--references", "30", "--columns", "pooled", "--vectors", "500", "--quiet", "-o", f"{tmp_path}/x.giqa"]
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    assert "THE HUMAN MODEL LEARNED NOTHING" in said.output and "no more than the mean rating" in said.output
