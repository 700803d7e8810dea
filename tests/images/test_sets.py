import os

import pytest

from giqa.cli.bench import named as bench_named
from giqa.cli.compare import by_name
from giqa.compare.other_scores import named
from giqa.errors import BadSpec
from giqa.evaluate.bench_entries import parse_entry
from giqa.images.sets import name_and_place
from giqa.study.collect import _named as collected


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Folders, a zip, tables and pictures as Hydra and Lightning call them, and a home folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for folder in ("cfg=7.5,steps=50", "epoch=1-step=200/a=b", "runs/lr=1", "home/lr=2", "plain", "7.5", "a [b]=c"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("x=1.zip", "seed=1.csv", "runs/lr=1/0.png", "plain/0.png", "scores=1.csv", "m=1.giqa", "kind"):
        (tmp_path / file).write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A=plain", ("A", "plain")),
        ("cfg=7.5,steps=50", ("", "cfg=7.5,steps=50")),
        ("cfg=7.5,steps=50/", ("", "cfg=7.5,steps=50/")),
        ("./cfg=7.5,steps=50", ("", "./cfg=7.5,steps=50")),
        ("epoch=1-step=200", ("", "epoch=1-step=200")),
        ("epoch=1-step=200/a=b", ("", "epoch=1-step=200/a=b")),
        ("runs/lr=1", ("", "runs/lr=1")),
        ("a [b]=c", ("", "a [b]=c")),
        ("A=cfg=7.5,steps=50", ("A", "cfg=7.5,steps=50")),
        ("cfg=7.5=plain", ("cfg=7.5", "plain")),  # of two readings the one that exists
        ("cfg=7.5", ("cfg", "7.5")),  # there is no such folder, and there is one called 7.5
        ("x=1.zip", ("", "x=1.zip")),
        ("Z=x=1.zip", ("Z", "x=1.zip")),
        ("seed=1.csv[kind=a]", ("", "seed=1.csv[kind=a]")),
        ("S=seed=1.csv[kind=a|b,epoch=5..]", ("S", "seed=1.csv[kind=a|b,epoch=5..]")),
        ("cfg=*", ("", "cfg=*")),
        ("runs/lr=*/*.png", ("", "runs/lr=*/*.png")),
        ("G=runs/lr=*/**/*.png", ("G", "runs/lr=*/**/*.png")),
        ("nothing=*/x", ("nothing", "*/x")),
        ("A=nowhere/b=c", ("A", "nowhere/b=c")),
        ("=plain", ("", "=plain")),
        ("A=", ("", "A=")),
        ("nowhere/b=c", ("", "nowhere/b=c")),
    ],
)
def test_what_exists_wins_over_a_name(here, text, wanted):
    """A path, zip, table with a filter or pattern with a = of its own is no NAME=, and whole after one."""
    assert name_and_place(text) == wanted


@pytest.mark.skipif(os.name == "nt", reason="HOME is not what Windows asks")
def test_home_is_found_behind_a_name(here):
    """A shell reads ~ only where a word begins."""
    home = str(here / "home")
    assert name_and_place("A=~/lr=2") == ("A", f"{home}/lr=2") and name_and_place("~/lr=2") == ("", f"{home}/lr=2")
    (here / "~").mkdir()
    assert name_and_place("A=~") == ("A", "~")


def test_every_command_reads_names_alike(here):
    """compare, label serve, bench and --other-scores: the same text is the same place in all."""
    assert by_name(("cfg=7.5,steps=50", "B=runs/lr=1")) == {"cfg=7.5,steps=50": "cfg=7.5,steps=50", "B": "runs/lr=1"}
    with pytest.raises(BadSpec, match="Two sets are called 'plain'"):
        by_name(("plain", "plain=runs/lr=1"))
    assert collected("epoch=1-step=200") == ("epoch=1-step=200", "epoch=1-step=200")
    assert collected("A=epoch=1-step=200") == ("A", "epoch=1-step=200")
    assert bench_named("seed=1.csv") == ("", "seed=1.csv") and bench_named("f=seed=1.csv") == ("f", "seed=1.csv")
    assert bench_named("cfg=7.5,steps=50", {"faces": 0}) == ("", "cfg=7.5,steps=50")
    assert bench_named("faces=runs/lr=1", {"faces": 0}) == ("faces", "runs/lr=1")
    with pytest.raises(BadSpec, match="There is no set 'cat'"):
        bench_named("cat=plain", {"faces": 0})
    for text, label, what in (
        ("scores=1.csv[-qs]", "qs", "scores=1.csv"),
        ("S=scores=1.csv[qs]", "S", "scores=1.csv"),
        ("m=1.giqa", "m=1", "m=1.giqa"),
        ("Ours=knn(k=5)", "Ours", "knn(k=5)"),
        ("knn(k=5)", "knn(k=5)", "knn(k=5)"),
    ):
        found = parse_entry(text)
        assert (found.label, found.what) == (label, what), text
    assert named(["scores=1.csv:-niqe", "n=scores=1.csv:nima", "own=value"]) == {
        "niqe": "scores=1.csv:-niqe",
        "n": "scores=1.csv:nima",
        "own": "value",
    }
