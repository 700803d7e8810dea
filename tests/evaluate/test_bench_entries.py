"""Entries and sweeps as text."""

import pytest

from giqa.errors import BadSpec
from giqa.evaluate.bench_entries import Entry, parse_entries, parse_entry, parse_sweep


def test_what_an_entry_may_be():
    kinds = [parse_entry(text).kind for text in ("gmm", "mbc(n_heads=4)", "my/faces.giqa", "s.csv", "s.jsonl")]
    assert kinds == ["scorer", "learned", "model", "table", "table"]
    assert parse_entry("hyperIQA=x/metrics.csv[ hyperiqa ]") == Entry(
        "hyperIQA", "table", "x/metrics.csv", "hyperiqa", 1
    )
    assert parse_entry("metrics.csv[-niqe]").label == "niqe"
    assert parse_entry("gmm(M=5)") == Entry("gmm(M=5)", "scorer", "gmm(n_components=5)")


def test_files_do_not_stand_in_labels():
    assert parse_entry("niqe(weights='/home/me/niqe.mat')").label == "niqe"
    assert parse_entry("knn(k=2, preset='paper')").label == "knn(k=2, preset='paper')"


@pytest.mark.parametrize("text", ["gnm", "gmm(q=1)", "gmm(5)", "", "a=b=c"])
def test_mistakes_show_before_the_work(text):
    with pytest.raises(BadSpec):
        parse_entries([text, "gmm("] if not text else [text])


def test_a_label_is_there_once():
    assert [e.label for e in parse_entries(["gmm,knn(k=1, preset='paper')", "Ours=gmm"])] == [
        "gmm",
        "knn(k=1, preset='paper')",
        "Ours",
    ]
    with pytest.raises(BadSpec, match="OTHER=gmm"):
        parse_entries(["gmm", "gmm"])


def test_sweeps_in_the_papers_letters():
    sweep = parse_sweep("N=1,4,8")
    assert (sweep.label, sweep.parameter, sweep.values) == ("N of mbc", "N", ("1", "4", "8"))
    assert [e.what for e in sweep.entries] == ["mbc(n_heads=1)", "mbc(n_heads=4)", "mbc(n_heads=8)"]
    assert [e.label for e in sweep.entries] == ["mbc N=1", "mbc N=4", "mbc N=8"]


def test_a_sweep_keeps_what_is_fixed():
    sweep = parse_sweep("gmm(preset='paper', M=5,10, pca=32)")
    assert sweep.values == ("5", "10") and sweep.label == "M of gmm(preset='paper', pca=32)"
    assert sweep.entries[1].what == "gmm(preset='paper', pca=32, n_components=10)"
    assert sweep.entries[0].label == "gmm(preset='paper', pca=32) M=5"  # and not that of another sweep over M
    covariances = parse_sweep("gmm(covariance='full','diag')")
    assert [e.what for e in covariances.entries] == ["gmm(covariance='full')", "gmm(covariance='diag')"]
    assert parse_sweep("K=5").values == ("5",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("M", "Cannot read the sweep"),
        ("gmm(5,10)", "Cannot read the sweep"),
        ("gmm(M=1,2, pca=8,16)", "One parameter at a time: M and pca"),
        ("K=1,1", "twice"),
        ("knn(q=1,2)", "no parameter 'q'"),
    ],
)
def test_sweeps_that_mean_nothing(text, words):
    with pytest.raises(BadSpec, match=words):
        parse_sweep(text)
