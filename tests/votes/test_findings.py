"""`giqa label stats` and its report, through the command."""

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner
from people_samples import sittings, study

from giqa.cli import main
from giqa.errors import BadSpec
from giqa.votes.agreement import fit_beta
from giqa.votes.findings import _counted as counted
from giqa.votes.findings import findings, judge
from giqa.votes.labels import Counts, Pairs, Ratings, Votes
from giqa.votes.page import write_people_report
from giqa.votes.votes import read_labels


def run(*arguments):
    return CliRunner().invoke(main, ["label", "stats", *map(str, arguments), "--resamples", "200"])


@pytest.fixture
def votes_csv(tmp_path):
    return study().write(tmp_path / "votes.csv")


def test_every_table_of_a_study_is_said(votes_csv, tmp_path):
    """Votes with quality control, times and exposures give every section, on stdout, as JSON and a row a picture."""
    result = run(votes_csv, "-o", tmp_path / "s.json", "--labels", tmp_path / "l.csv", "--compare", "gan", "vae")
    assert result.exit_code == 0, result.output
    for heading in ("error rate", "two agree", "gate", "modal exposure", "median", "picture (sd in logits)"):
        assert heading in result.output
    said = json.loads((tmp_path / "s.json").read_text())[0]
    by_name = {one["generator"]: one for one in said["hype"]}
    assert by_name["gan"]["error"]["value"] > by_name["vae"]["error"]["value"]  # pictures of gan were called real more
    assert "gan fools people more often than vae" in said["comparison"]["verdict"]
    assert said["evaluators"] == 12 and len(said["agreement"]) == 2 and said["crossed"]["gan"]["n"] == 12
    labels = read_labels(tmp_path / "l.csv")
    made = read_labels(votes_csv).counts()
    assert sorted(labels.image.tolist()) == sorted(made.image.tolist())
    assert labels.n.sum() == made.n.sum() and labels.n_real.sum() == made.n_real.sum()


def test_the_gate_leaves_people_out(votes_csv):
    all_of, few = judge(votes_csv, resamples=100)[0], judge(votes_csv, gate=1.0, resamples=100)[0]
    assert few.gated_out > 0 and few.evaluators == all_of.evaluators - few.gated_out
    with pytest.raises(BadSpec, match="single votes"):
        findings(sittings("g", [1, 2], [1, 2]), gate=0.5)


def test_pairs_and_ratings():
    votes_left, votes_right = np.array([5.0, 4.0]), np.array([1.0, 2.0])
    pairs = Pairs(np.array(["a", "b"]), np.array(["b", "c"]), votes_left, votes_right, np.array(["", ""]))
    assert findings(pairs).strengths.name.tolist() == ["a", "b", "c"]
    images = np.repeat(["a", "b", "c"], 3)
    ratings = Ratings(images, np.tile(["r", "s", "t"], 3), np.array([5.0, 5, 4, 3, 3, 3, 1, 2, 1]))
    effects = findings(ratings).effects
    assert effects["mean"] == pytest.approx(3) and effects["alpha (interval)"] > 0.8
    assert effects["reliability of 5"] > 0.9


def test_report_shows_everything_and_loads_nothing(votes_csv, tmp_path, toy):
    """Every section, plots with words for who cannot see them, pictures that are found; no rater, no address."""
    made = study(n_images=24)
    names = sorted(p.name for p in toy[1].iterdir())[:24]
    renamed = dict(zip(sorted(set(made.image.tolist())), names, strict=True))
    images = np.array([renamed[name] for name in made.image.tolist()])
    found = findings(type(made)(**(made.columns() | {"image": images})), "my study", resamples=200)
    page = write_people_report(tmp_path / "r.html", [found], pictures=toy[1]).read_text()
    for words in (
        "Error rate of each generator",
        "moves with the gate",
        "HYPE-time",
        "course of a session",
        "best possible",
        "Right answers by exposure",
        "Most convincing fakes",
        "Least convincing fakes",
        "Most doubted reals",
    ):
        assert words in page, words
    assert page.count("<img") > 10 and names[10] in page
    assert page.count('role="img" aria-label=') == 2 * 3  # each for a wide page and for a telephone
    assert not re.search(r"https?://|<script|style=|\br\d+\b", page)
    hidden = write_people_report(tmp_path / "h.html", [found], show_paths=False).read_text()
    assert names[10] not in hidden and "<img" not in hidden


def test_report_says_that_there_are_more_tables_than_sentences_at_the_top(tmp_path):
    found = [findings(sittings("g", [1, 5], [2, 3]), f"t{i}", resamples=100) for i in range(4)]
    for n, said in ((3, False), (4, True)):
        page = write_people_report(tmp_path / "r.html", found[:n]).read_text()
        assert ("1 more table below." in page) is said


def test_report_escapes_what_it_is_told(tmp_path):
    found = findings(sittings("<script>alert(1)</script>", [1, 5], [2, 3]), "<b>x</b>", resamples=100)
    page = write_people_report(tmp_path / "r.html", [found]).read_text()
    assert "<script" not in page and "<b>x" not in page


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.csv"], "no file"),
        (["v.csv", "-o", "x.txt"], ".json"),
        (["v.csv", "--pictures", "x"], "--report"),
        (["v.csv", "--compare", "gan", "nobody"], "nobody"),
    ],
)
def test_mistakes_are_said_in_one_sentence(tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    study(n_raters=3).write("v.csv")
    result = run(*arguments)
    assert result.exit_code == 2 and words in result.output and "Traceback" not in result.output


def test_people_who_saw_fakes_alone_have_no_error_rate(tmp_path):
    """Of six answers to two fakes four say real: .667 of fakes taken for real, and no error rate of both kinds."""
    rows = [f"{name}.png,r{r},{int(r < 2)},gan" for r in range(3) for name in "ab"]
    (tmp_path / "v.csv").write_text("\n".join(["image,rater,said_real,generator", *rows]) + "\n")
    result = CliRunner().invoke(
        main, ["label", "stats", f"{tmp_path}/v.csv", "--resamples", "100", "--report", f"{tmp_path}/r.html"]
    )
    assert result.exit_code == 0, result.output
    (found,) = judge(tmp_path / "v.csv", resamples=100)
    assert found.hype[0].fake_error.value == pytest.approx(2 / 3)
    assert np.isnan(found.hype[0].error.value) and found.spread is None


def test_few_evaluators_are_said_in_words(tmp_path):
    """One evaluator has no interval, three a wide one; `--interval paper` is the published bootstrap, by name."""
    rows = ["a,gan,50,10,50,10", "a,vae,50,5,50,10", "b,vae,50,7,50,12", "c,vae,50,9,50,14"]
    table = tmp_path / "s.csv"
    table.write_text("\n".join(["rater,generator,fakes,wrong_fakes,reals,wrong_reals", *rows]) + "\n")
    done = run(table, "-o", tmp_path / "s.json", "--report", tmp_path / "s.html")
    said = " ".join(done.output.split())
    assert "mind: no interval of gan: fewer than 2 raters" in said
    assert "mind: few raters of vae (3): the intervals hold, but are wide; ask 5 or more" in said
    assert "0.200 (no interval)" in said
    assert "No interval of gan: fewer than 2 raters" in (tmp_path / "s.html").read_text()
    (found,) = json.loads((tmp_path / "s.json").read_text())
    rates = {one["generator"]: one["error"] for one in found["hype"]}
    assert rates["gan"]["low"] is None and len(found["cautions"]) == 2
    run(table, "--interval", "paper", "-o", tmp_path / "p.json")
    (paper,) = json.loads((tmp_path / "p.json").read_text())
    vae = next(one["error"] for one in paper["hype"] if one["generator"] == "vae")
    assert (vae["low"], vae["high"]) == (pytest.approx(0.15), pytest.approx(0.23))  # its lowest and highest evaluator
    assert rates["vae"]["low"] < 0.1 and rates["vae"]["high"] > 0.3 and rates["vae"]["value"] == vae["value"]


def test_two_votes_alike_are_no_certainty():
    """A picture that both of two people called real, alone or among such: Beta(3, 1), so .75 [.292, .992]."""
    names = np.array(["a", "b", "c"])
    counts = Counts(names, np.full(3, 2.0), np.full(3, 2.0), np.full(3, "g"), np.full(3, "generated"), np.full(3, ""))
    for some in (counts, counts.rows(np.array([True, False, False]))):
        table = findings(some).pictures
        assert table.p_real == pytest.approx(0.75)
        assert table.low == pytest.approx(0.025 ** (1 / 3)) and table.high == pytest.approx(0.975 ** (1 / 3))


def test_how_people_differ_takes_two_of_them():
    assert findings(sittings("g", [20], [10])).spread is None
    two = findings(sittings("g", [20, 40], [10, 10]))
    assert two.spread.rate == pytest.approx(0.2)
    assert two.cautions() == ("few raters of g (2): the intervals hold, but are wide; ask 5 or more",)


def test_agreement_by_hand():
    """1 of 4 and 2 of 4 called real: 3 + 2 of 12 pairs agree, and "fake", said always, is right in 5 of 8 votes."""
    names = np.array(["a", "b"])
    counts = Counts(names, np.full(2, 4.0), np.array([1.0, 2.0]), np.full(2, "g"), np.full(2, "generated"), names)
    (found,) = findings(counts).agreement
    assert (found.what, found.pictures, found.votes, found.majority) == ("generated", 2, 8, 5 / 8)
    assert found.agreement.value == pytest.approx(5 / 12)


@pytest.mark.parametrize(("each", "fitted"), [(1, False), (2, True)])
def test_one_vote_a_picture_says_nothing_of_how_pictures_differ(each, fitted):
    """30 pictures: with one vote each a flat beta, by hand (1 + real) / 3; with two the beta of their generator."""
    n, real = np.full(30, float(each)), np.r_[np.full(20, float(each)), np.zeros(10)]
    empty = np.full(30, "")
    found = counted(Counts(np.arange(30).astype(str), n, real, empty, empty, empty)).p_real
    alpha, beta = fit_beta(n, real) if fitted else (1.0, 1.0)
    assert found == pytest.approx((alpha + real) / (alpha + beta + each))
    assert (abs(found[0] - (1 + each) / (2 + each)) > 0.01) == fitted


def test_a_study_with_too_many_cells_has_no_model(votes_csv, monkeypatch):
    """12 raters of 30 pictures are 360 cells."""
    asked = read_labels(votes_csv)
    asked = asked.rows(~asked.control)
    cells = len(set(asked.image)) * len(set(asked.rater))
    for most, there in ((cells, True), (cells - 1, False)):
        monkeypatch.setattr("giqa.votes.findings.MODEL_CELLS", most)
        assert bool(judge(votes_csv, resamples=20)[0].effects) == there


def test_contexts_are_told_where_there_are_two():
    """Raters 0 to 5 see the pictures in one context, 6 to 11 in another, where more is called real."""
    rng, names = np.random.default_rng(0), np.array([f"{i:02}" for i in range(30)])
    image, rater = np.repeat(names, 12), np.tile(names[:12], 30)
    context = np.where(rater < "06", "desk", "phone")
    said = rng.random(360) < np.where(context == "desk", 0.3, 0.7)
    nothing, empty = np.full(360, np.nan), np.full(360, "")
    made = (image, rater, said, empty, np.full(360, "generated"), np.full(360, "g"))
    both, one = (
        findings(Votes(*made[:3], where, *made[4:], nothing, nothing, np.zeros(360, bool), nothing), resamples=20)
        for where in (context, empty)
    )
    assert list(both.contexts) == ["desk", "phone"] and both.contexts["desk"] < both.contexts["phone"]
    assert not one.contexts and "context (sd in logits)" not in one.effects
