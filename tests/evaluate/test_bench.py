"""`bench` and `giqa bench` on toy pictures whose order is known: the more noise, the worse."""

import json

import numpy as np
import pytest
from bench_samples import pairs_of, write_pairs, write_pictures
from click.testing import CliRunner

import giqa
from giqa.cli import main
from giqa.errors import BadSource, BadSpec
from giqa.evaluate.bench import LabelledSet, bench
from giqa.evaluate.bench_page import write_page
from giqa.features.statistics import Statistics
from giqa.model.trust import LEARNED_FROM
from giqa.votes.labels import Counts

OPTIONS = {"extractor": "statistics"}


@pytest.fixture
def toy_set(tmp_path):
    """40 reals, 12 pictures with noise that rises with their number, and all pairs three or more apart."""
    write_pictures(tmp_path / "reals", 40, lambda i: 2, seed=1)
    write_pictures(tmp_path / "pictures", 12, lambda i: 2 + 6 * i)
    rows = [(f"p{i:02d}.png", f"p{j:02d}.png", 3, 0) for i in range(12) for j in range(i + 3, 12)]
    write_pairs(tmp_path / "pairs.csv", rows)
    return LabelledSet("toy", tmp_path / "pairs.csv", tmp_path / "pictures", tmp_path / "reals")


def test_scorers_models_tables_and_sweeps_side_by_side(toy_set, tmp_path):
    """All see the noise; a table of the numbers themselves is right in every pair, its reverse in none."""
    model = giqa.fit(tmp_path / "reals", "statistics", "sgm")
    model.save(tmp_path / "fitted.giqa")
    (tmp_path / "s.csv").write_text("image,order\n" + "".join(f"p{i:02d}.png,{-i}\n" for i in range(12)))
    entries = f"gmm,knn,fitted={tmp_path}/fitted.giqa,order={tmp_path}/s.csv[order],reverse={tmp_path}/s.csv[-order]"
    found = bench([toy_set], entries, sweeps=["K=1,5,500"], **OPTIONS)
    one = found.sets[0]
    assert (one.rows, one.pictures, one.figure) == (45, 12, "pair accuracy")
    assert one.value("order").value == 1 and one.value("reverse").value == 0
    assert min(one.value(entry).value for entry in ("gmm", "knn", "fitted", "knn K=5")) > 0.9
    assert "knn(k=500) needs at least 500 real pictures" in one.trouble["knn K=500"]
    assert one.value("knn K=500") is None
    assert one.difference("order", "reverse").says == "better"
    assert one.difference("reverse", "order").difference.value == -1
    assert one.difference("gmm", "knn").says == "cannot be told apart"
    assert any("knn K=500 is left out" in text for text in found.warnings)
    assert one.value("knn").value == one.value("knn K=1").value


def test_two_sweeps_over_one_parameter_are_two(toy_set):
    """What is fixed beside it is part of the name: K=1 of one sweep is not K=1 of the other."""
    found = bench([toy_set], sweeps=["K=1,5", "knn(preset='paper', K=1,5)"], **OPTIONS)
    assert len(found.sets[0].figures) == 4 and len(found.sets[0].differences) == 2
    assert found.made_by["entries"]["knn(preset='paper') K=1"] == "knn(preset='paper', k=1)"


def test_scores_are_those_of_giqa_score(toy_set, tmp_path):
    """By another road: fit and score, and count the pairs by hand."""
    scores = giqa.score(tmp_path / "pictures", tmp_path / "reals", extractor="statistics", scorer="gmm")
    by = dict(zip(scores.id, scores.score, strict=True))
    right = [by[f"p{i:02d}.png"] > by[f"p{j:02d}.png"] for i in range(12) for j in range(i + 3, 12)]
    assert bench([toy_set], "gmm", **OPTIONS).sets[0].value("gmm").value == pytest.approx(np.mean(right))


def test_missing_and_broken_pictures_are_listed(toy_set, tmp_path):
    """p03 is gone, p04 is no picture, a table lacks p05: their pairs are left out for all, and it is said."""
    (tmp_path / "pictures" / "p03.png").unlink()
    (tmp_path / "pictures" / "p04.png").write_bytes(b"no picture")
    (tmp_path / "s.csv").write_text("id,score\n" + "".join(f"p{i:02d}.png,{-i}\n" for i in range(12) if i != 5))
    found = bench([toy_set], ["gmm", str(tmp_path / "s.csv")], **OPTIONS)
    one = found.sets[0]
    assert one.missing["p03.png"] == "is not there" and "cannot be read" in one.missing["p04.png"]
    left = [i for i in range(12) if i not in (3, 4, 5)]
    assert one.rows == sum(j - i >= 3 for i in left for j in left) and one.skipped == 45 - one.rows
    assert one.without == {"s": 1}
    said = " ".join(found.warnings)
    assert "2 pictures that the labels name are missing" in said and "s has no score for 1 pictures" in said


def test_each_picture_is_looked_at_once_and_a_stopped_run_goes_on(toy_set, monkeypatch):
    """Several scorers, one pass; with the features kept, none at all."""
    seen = []
    run = Statistics.run
    monkeypatch.setattr(Statistics, "run", lambda self, prepared: seen.append(len(prepared)) or run(self, prepared))
    first = bench([toy_set], "gmm,knn,sgm", sweeps=["K=1,5"], **OPTIONS)
    assert sum(seen) == 52
    seen.clear()
    again = bench([toy_set], "gmm,knn,sgm", sweeps=["K=1,5"], **OPTIONS)
    assert not seen and again.to_json() == first.to_json()


def test_tables_of_scores_need_no_pictures(toy_set, tmp_path):
    """Two tables are compared where no picture is; what neither names is said."""
    for name, sign in (("good", -1), ("bad", 1)):
        text = "".join(f"p{i:02d}.png,{sign * i}\n" for i in range(11))
        (tmp_path / f"{name}.csv").write_text("image,z\n" + text)
    nowhere = LabelledSet("toy", toy_set.labels, tmp_path / "nothing here")
    one = bench([nowhere], [f"{tmp_path}/good.csv,{tmp_path}/bad.csv"]).sets[0]
    assert one.difference("good", "bad").difference.value == 1 and one.rows == 36
    assert one.without == {"good": 1, "bad": 1} and not one.missing


def test_matching_is_chosen_for_each_set(toy_set, tmp_path):
    """Pictures of another size and coding are brought to that of the reals; it stands in how it was made."""
    from PIL import Image

    for path in (tmp_path / "pictures").iterdir():
        Image.open(path).resize((48, 48)).save(path)
    found = bench([toy_set], "gmm", match="auto", **OPTIONS)
    assert "size" in found.made_by["sets"]["toy"]["match"]
    assert bench([toy_set], "gmm", **OPTIONS).made_by["sets"]["toy"]["match"] is None


def test_votes_have_an_auroc(tmp_path):
    """Pictures with little noise are called real; who made them is in the labels."""
    write_pictures(tmp_path / "reals", 40, lambda i: 2, seed=1)
    write_pictures(tmp_path / "pictures", 20, lambda i: 2 + 3 * i)
    names = np.array([f"p{i:02d}.png" for i in range(20)])
    real = np.array([4.0 if i < 10 else 0.0 for i in range(20)])
    made_by = np.array([f"g{i % 2}" for i in range(20)])
    labels = Counts(names, np.full(20, 4.0), real, made_by, np.full(20, "generated"), np.full(20, ""))
    found = bench(
        [LabelledSet("v", labels, tmp_path / "pictures", tmp_path / "reals")], "gmm,knn", resamples=40, **OPTIONS
    )
    one = found.sets[0]
    assert (one.kind, one.figure, one.rows) == ("votes", "AUROC", 80)
    assert one.value("gmm").value > 0.95 and "Spearman within generator" in one.figures["gmm"]
    assert one.difference("gmm", "knn").says == "cannot be told apart"
    with pytest.raises(BadSpec, match="unanimous is for pairs"):
        bench([LabelledSet("v", labels, tmp_path / "pictures", tmp_path / "reals")], "gmm", unanimous=True)


def test_learned_scorers_learn_from_snapshots(toy_set, tmp_path):
    """The sweep over N, on snapshots whose noise falls with the iteration."""
    write_pictures(tmp_path / "run", 60, lambda i: 60 - 10 * (i // 10), seed=3)
    rows = [f"run/p{i:02d}.png,generated,{i // 10}" for i in range(60)]
    rows += [f"reals/p{i:02d}.png,real," for i in range(40)]
    (tmp_path / "snapshots.csv").write_text("\n".join(["image,kind,iteration", *rows]) + "\n")
    with pytest.raises(BadSpec, match=r"mbc N=1 learns from a table of snapshots.*--snapshots"):
        bench([toy_set], [], sweeps=["N=1,3"], **OPTIONS)
    taught = LabelledSet("toy", toy_set.labels, toy_set.pictures, None, tmp_path / "snapshots.csv")
    found = bench([taught], "ir", sweeps=["N=1,3"], **OPTIONS)
    assert min(found.sets[0].value(entry).value for entry in ("ir", "mbc N=1", "mbc N=3")) > 0.9


@pytest.mark.parametrize(
    ("change", "scorers", "error", "words"),
    [
        ({"pictures": None}, "gmm", BadSpec, "where are the pictures"),
        ({"real": None}, "gmm", BadSpec, "fitted on reals"),
        ({}, "", BadSpec, "Judge what"),
        ({"labels": pairs_of([("x", "y", 1, 0), ("x", "z", 1, 0)])}, "gmm", BadSource, "none of the 3 pictures"),
    ],
)
def test_what_cannot_be_judged(toy_set, change, scorers, error, words):
    with pytest.raises(error, match=words):
        bench([LabelledSet(**(vars(toy_set) | change))], scorers, sweeps=["K=1"] if scorers else [], **OPTIONS)


def test_the_command_on_a_folder_as_lgiqa_is(tmp_path, monkeypatch):
    """Three sets beside each other, each with its own reals; report, JSON, and differences on stdout."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("FFHQ", "cat", "cityscapes")):
        folder = tmp_path / "sets" / f"LGIQA-{name}"
        write_pictures(folder / "gan", 6, lambda i: 40 + 5 * i, seed=seed)
        write_pictures(folder / "real", 6, lambda i: 2, seed=seed + 5)
        rows = [(f"gan/p{i:02d}.png", f"real/p{j:02d}.png", 0, 3) for i in range(6) for j in range(6)]
        write_pairs(folder / "pairs.csv", [*rows, ("gan/p00.png", "gan/p01.png", 2, 1)])
        write_pictures(tmp_path / "reals" / name, 30, lambda i: 2, seed=seed + 9)
    reals = [word for name in ("FFHQ", "cat", "cityscapes") for word in ("--real", f"{name}=reals/{name}")]
    command = ["bench", "sets", *reals, "--scorers", "gmm,knn", "--sweep", "K=1,3", "--extractor", "statistics"]
    result = CliRunner().invoke(main, [*command, "--unanimous", "-o", "b.json", "--report", "b.html"])
    assert result.exit_code == 0, result.output
    assert "FFHQ (pair accuracy)\tcat (pair accuracy)\tcityscapes" in result.output
    assert "scorer\tother scorer\tverdict\tscorer less other\ngmm\tknn\tcannot be distinguished\t" in result.output
    said = json.loads((tmp_path / "b.json").read_text())
    assert [one["rows"] for one in said["sets"]] == [36, 36, 36]
    assert said["sets"][0]["figures"]["gmm"]["pair accuracy"]["value"] == 1
    assert list(said["sets"][1]["breakdown"]["gmm"]) == ["gan / real"]
    page = (tmp_path / "b.html").read_text()
    assert page.count("<svg") == 12 and "http" not in page.replace("http-equiv", "") and "<script" not in page
    wrong = CliRunner().invoke(main, ["bench", "sets", "--real", "dogs=reals/cat", "--scorers", "gmm"])
    assert wrong.exit_code == 2 and "no set 'dogs'" in wrong.output


def test_the_page_escapes_and_says_what_is_missing(toy_set, tmp_path):
    (tmp_path / "pictures" / "p03.png").unlink()
    found = bench([toy_set], "<b>=gmm,knn", sweeps=["K=1,500"], **OPTIONS)
    text = write_page(tmp_path / "p.html", found).read_text()
    assert "&lt;b&gt;" in text and "<b>=" not in text
    assert "Missing pictures: toy" in text and "p03.png: is not there" in text
    assert "knn(k=500) needs at least 500 real pictures" in text


def test_a_table_that_is_not_there_is_named_and_scorers_have_an_option():
    result = CliRunner().invoke(main, ["bench", "gmm", "--real", "reals"])
    assert result.exit_code == 2 and "no table of labels 'gmm'" in result.output and "--scorers" in result.output


def test_what_is_no_better_than_guessing_is_marked_and_never_best(toy_set, tmp_path):
    """Reversed: worse than guessing, its interval wholly below .5. A constant: every pair a tie, .5, no better."""
    (tmp_path / "s.csv").write_text("image,order,same\n" + "".join(f"p{i:02d}.png,{i},1\n" for i in range(12)))
    entries = f"reverse={tmp_path}/s.csv[order],same={tmp_path}/s.csv[same]"
    found = bench([toy_set], entries, **OPTIONS)
    one, names = found.sets[0], ("reverse", "same")
    assert one.guessing == {"reverse": "worse than guessing", "same": "no better than guessing"}
    assert [one.mark(name, names) for name in names] == list(one.guessing.values())
    assert any("reverse is worse than guessing" in text for text in found.warnings)
    assert found.to_json()["sets"][0]["guessing"] == one.guessing
    page = write_page(tmp_path / "b.html", found).read_text()
    assert "class=best" not in page and "worse than guessing" in page
    both = bench([toy_set], f"{entries},right={tmp_path}/s.csv[-order]", **OPTIONS).sets[0]
    assert [both.mark(name, (*names, "right")) for name in (*names, "right")][2] == "best"


def test_a_human_model_is_not_judged_by_votes_that_it_learned_from(toy_set, tmp_path):
    """By the notes of a table of scores: left out with the reason, judged when that is asked for."""
    rows = [f"p{i:02d}.png,{i / 12},{LEARNED_FROM if i < 3 else ''}" for i in range(12)]
    (tmp_path / "s.csv").write_text("\n".join(["id,p_real,notes", *rows]) + "\n")
    entries = [f"p={tmp_path}/s.csv[p_real]", "gmm"]
    found = bench([toy_set], entries, **OPTIONS).sets[0]
    assert found.value("p") is None and "3 of the 12 judged pictures, such as 'p00.png'" in found.trouble["p"]
    assert bench([toy_set], entries, include_training=True, **OPTIONS).sets[0].value("p").value == 0
