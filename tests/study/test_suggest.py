"""`suggest` and `giqa suggest`: pictures whose right choice is obvious."""

import numpy as np
import pytest
from bench_samples import write_pictures
from click.testing import CliRunner

from giqa.cli import main
from giqa.errors import BadSpec, BadTable
from giqa.images import open_source
from giqa.study.suggest import suggest
from giqa.votes.labels import Counts


@pytest.fixture
def fakes(tmp_path):
    """Thirty pictures: smooth up to p14, noisy from there; p29 is a copy of p28."""
    write_pictures(tmp_path / "fakes", 30, lambda i: 2 if i < 15 else 60)
    (tmp_path / "fakes" / "p29.png").write_bytes((tmp_path / "fakes" / "p28.png").read_bytes())
    return tmp_path / "fakes"


def counted(names, real):
    empty = np.full(len(names), "")
    return Counts(np.array(names), np.full(len(names), 4.0), np.array(real, float), empty, empty, empty)


def test_pictures_that_look_unlike_the_labelled_come_first(fakes):
    """Three smooth ones have labels: the next by coverage is a noisy one, with any seed. Copies never come twice."""
    labelled = counted(["p00.png", "p01.png", "p02.png"], [2] * 3)
    for seed in range(10):
        (first,) = suggest(fakes, 1, labelled=labelled, method="coverage", extractor="statistics", seed=seed).ids
        assert int(first[1:3]) >= 15
    everything = suggest(fakes, 40, labelled=labelled, extractor="statistics")
    assert len(everything.ids) == 26 and everything.labelled == 3 and np.isnan(everything.p_real).all()
    assert len({"p28.png", "p29.png"} & set(everything.ids)) == 1


def test_a_model_is_learned_when_there_are_votes_enough(fakes):
    """Smooth is called real: the model says so of what nobody labelled; it needs votes of both kinds."""
    names = [f"p{i:02d}.png" for i in (*range(2, 13), *range(17, 28))]
    found = suggest(fakes, 6, labelled=counted(names, [4] * 11 + [0] * 11), method="unsure", extractor="statistics")
    smooth = np.array([int(name[1:3]) < 15 for name in found.ids])
    assert found.p_real[smooth].min() > found.p_real[~smooth].max() and found.votes == 88
    with pytest.raises(BadSpec, match="takes 20 labelled pictures with votes of both kinds; there are 22"):
        suggest(fakes, 6, labelled=counted(names, [4] * 22), method="both", extractor="statistics")


def test_scores_of_another_model_are_taken(fakes, tmp_path):
    (tmp_path / "s.csv").write_text(
        "id,p_real\n" + "".join(f"p{i:02d}.png,{0.5 if i == 7 else 0.9}\n" for i in range(30))
    )
    found = suggest(fakes, 1, scores=tmp_path / "s.csv", method="unsure", extractor="statistics")
    assert found.ids == ("p07.png",) and found.p_real.tolist() == [0.5]
    (tmp_path / "s.csv").write_text("id,p_real\np01.png,1.5\n")
    with pytest.raises(BadTable, match="no probability"):
        suggest(fakes, 1, scores=tmp_path / "s.csv", extractor="statistics")


def test_the_command_writes_what_label_serve_takes(fakes, tmp_path, monkeypatch):
    """Beside the pictures the table keeps their names; elsewhere it has paths and says so; votes may have either."""
    monkeypatch.chdir(tmp_path)
    command = ["suggest", "fakes", "-n", "5", "--extractor", "statistics", "-o"]
    result = CliRunner().invoke(main, [*command, "fakes/next.csv"])
    assert result.exit_code == 0 and "5 of 30 pictures (random)" in result.output, result.output
    names = list(open_source("fakes/next.csv").ids)
    assert len(names) == 5 and all("/" not in name for name in names)
    result = CliRunner().invoke(main, [*command, "next.csv"])
    source = open_source("next.csv")
    assert all(name.startswith("fakes/") for name in source.ids) and "keep their names" in result.output
    assert source.columns["id"] == [name.removeprefix("fakes/") for name in source.ids]
    assert source.raw(0)
    (tmp_path / "votes.csv").write_text("image,rater,said_real\n" + "".join(f"{name},r,1\n" for name in source.ids))
    again = CliRunner().invoke(main, [*command, "fakes/more.csv", "--labelled", "votes.csv"])
    assert "5 have labels already" in again.output
    assert not set(open_source("fakes/more.csv").ids) & {name.removeprefix("fakes/") for name in source.ids}
    wrong = CliRunner().invoke(main, [*command, "next.json"])
    assert wrong.exit_code == 2 and ".csv and .tsv" in wrong.output


def test_strata_of_a_table_and_of_folders(tmp_path):
    for name in ("gan", "vae"):
        write_pictures(tmp_path / "f" / name, 8, lambda i: 5, seed=len(name) + ord(name[0]))
    found = suggest(tmp_path / "f", 6, by="folder", extractor="statistics")
    assert sorted(found.stratum) == ["gan"] * 3 + ["vae"] * 3
    with pytest.raises(BadSpec, match="is no table"):
        suggest(tmp_path / "f", 6, by="epoch", extractor="statistics")


def test_when_everything_is_labelled(fakes):
    with pytest.raises(BadSpec, match="has a label already"):
        suggest(fakes, 3, labelled=counted([f"p{i:02d}.png" for i in range(30)], [1] * 30), extractor="statistics")
