import csv

import numpy as np
import pytest
from click.testing import CliRunner

from giqa.cli import main
from giqa.compare.picker_curve import Point, drawn, latent_scores, picker_curve, truncated_curve
from giqa.compare.picker_page import Extras, Strip, changes, charts_of, page, write_curve
from giqa.errors import BadShape, BadSpec
from giqa.files import as_png
from giqa.metrics.jackknife import Jackknife

TEN = np.arange(10.0)
GAP = {"fd": lambda real, fake: float(fake.mean() - real.mean())}


def test_the_best_are_measured_and_equally_many_at_every_share():
    """Of 0..9 the best half is 5..9, mean 7. Of all, the five are measured that come first in a seeded order."""
    whole, half = picker_curve(np.ones((20, 1)), TEN[:, None], TEN, 3 * TEN, shares=(1, 0.5), metrics=GAP, seed=4)
    assert (half.share, half.n) == (0.5, 5) and half.values["qs"].value == 21 and half.values["fd"].value == 6
    first = np.argsort(np.random.default_rng(4).permutation(10))[:5]
    assert (whole.share, whole.n) == (1.0, 5) and whole.values["qs"].value == pytest.approx(3 * TEN[first].mean())
    assert list(whole.values) == ["fd", "qs"] and whole.how == "picker"


def test_pictures_without_a_score_are_never_measured():
    scores = np.where(TEN > 6, np.nan, TEN)  # 0..6 are left, the best half of them is 3..6
    (point,) = picker_curve(np.zeros((9, 1)), TEN[:, None], scores, TEN, shares=(0.5,), metrics=GAP)
    assert point.n == 4 and point.values["qs"].value == 4.5


def test_sets_of_two_shares_overlap_as_far_as_they_can():
    """What is kept at .6 and was measured at .9 is measured again."""
    rng = np.random.default_rng(0)
    scores, order, rows = rng.normal(size=100), rng.permutation(100), np.arange(100)
    many, few = (set(drawn(scores, rows, share, 40, order)) for share in (0.9, 0.6))
    best = set(np.argsort(-scores)[:60])
    assert len(many) == len(few) == 40 and many & best <= few <= best


def test_interval_of_all_is_that_of_a_mean():
    """With everything kept and measured, QS is a mean: its interval is about -+ 2.26 s / sqrt(n)."""
    z = np.random.default_rng(1).normal(size=400)
    (point,) = picker_curve(np.zeros((50, 1)), z[:, None], z, z, shares=(1.0,), metrics={})
    low, high = point.values["qs"].interval()
    assert point.n == 400 and (high - low) / 2 == pytest.approx(2.26 * z.std() / 20, rel=0.5)
    (same,) = picker_curve(np.zeros((50, 1)), z[:, None], z, np.ones(400), shares=(0.5,), metrics={})
    assert same.values["qs"].interval() == (1, 1)


def test_bands_are_of_the_difference_of_the_same_pictures():
    """Values vary by -+ 5, in step: the difference only by 0.001 of that, so its interval leaves out 0.

    By hand: gap 1, deviations (0.001, -0.001) in turn, jackknife variance 9 / 10 * 10 * 1e-6, t(9) = 2.262.
    """
    wide, small = np.tile([-5.0, 5.0], 5), np.tile([-0.001, 0.001], 5)
    whole = Point("picker", 1.0, 50, {"qs": Jackknife(1.0, wide, wide, n=50)})
    half = Point("picker", 0.5, 50, {"qs": Jackknife(2.0, wide, wide + small, n=50)})
    ((row, (gap,)),) = changes([whole, half])
    assert row is half and gap == pytest.approx((1.0, 1 - 0.003 * 2.262, 1 + 0.003 * 2.262), abs=1e-5)
    (chart,) = charts_of([whole, half])
    assert 'class="cut"' in chart[2] and changes([Point("truncation", s, 50, whole.values) for s in (1, 0.5)]) == []


def test_truncated_sets_are_measured_as_they_are():
    """No picking; the strongest truncation last; as many of each as the smallest has."""
    sets = {0.5: (np.full((8, 1), 2.0), np.full(8, 2.0)), 0.9: (np.full((6, 1), 5.0), np.full(6, 7.0))}
    first, last = truncated_curve(np.zeros((9, 1)), sets, metrics=GAP)
    assert (first.share, first.n, first.values["qs"].value, first.values["fd"].value) == (0.9, 6, 7, 5)
    assert (last.share, last.n, last.values["qs"].value, last.how) == (0.5, 6, 2, "truncation")
    assert truncated_curve(np.zeros((9, 1)), {}, metrics=GAP) == []


def test_latents_nearest_to_their_mean_score_highest():
    """Around a mean of (1, 1): distances 5, 5, 0."""
    assert latent_scores(np.array([[4.0, 5.0], [-2, -3], [1, 1]])).tolist() == [-5, -5, 0]
    with pytest.raises(BadShape, match="Latents are finite numbers"):
        latent_scores(TEN)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(BadShape, match="a score and a z"):
        picker_curve(TEN[:, None], TEN[:, None], TEN[:5], TEN)
    with pytest.raises(BadSpec, match="keeps 5 pictures; 6"):
        picker_curve(TEN[:, None], TEN[:, None], TEN, TEN, sample=6, metrics=GAP)


def test_written_as_a_table_and_as_a_page(tmp_path):
    points = picker_curve(np.zeros((20, 1)), TEN[:, None], TEN, TEN, shares=(1, 0.5), metrics=GAP)
    points += truncated_curve(np.zeros((20, 1)), {0.7: (TEN[:5, None], TEN[:5])}, metrics=GAP)
    with write_curve(tmp_path / "new" / "c.csv", points).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["how"], r["share"], r["pictures"], r["qs"]) for r in rows[1:]] == [
        ("picker", "0.5", "5", "7"),
        ("truncation", "0.7", "5", "2"),
    ]
    assert float(rows[1]["qs_low"]) < 7 < float(rows[1]["qs_high"])
    named = picker_curve(np.zeros((20, 1)), TEN[:, None], TEN, TEN, how='=HYPERLINK("x")', metrics=GAP)
    assert "\n\"'=HYPERLINK" in write_curve(tmp_path / "f.csv", named).read_text()  # no formula of a spreadsheet
    table = [("Weights <now>", ("step", "share"), [("10", "20 %")])]
    text = write_curve(tmp_path / "c.html", points, ["A note."], tables=table).read_text()
    assert text.count("<svg") == 2 and "A note." in text and "Weights &lt;now&gt;" in text and "://" not in text
    with pytest.raises(BadSpec, match="A curve is written as"):
        write_curve(tmp_path / "c.png", points)


@pytest.fixture
def scored(toy, tmp_path):
    """A table of scores of the toy fakes on pixel statistics."""
    arguments = ["score", str(toy[1]), "--real", str(toy[0]), "-o", str(tmp_path / "s.csv"), "--scorer", "knn"]
    result = CliRunner().invoke(main, [*arguments, "--extractor", "statistics", "-q"])
    assert result.exit_code == 0, result.stderr
    return tmp_path / "s.csv"


def test_command_draws_the_curve_beside_truncation_and_latents(toy, scored, tmp_path):
    reals, fakes = map(str, toy)
    n = len(scored.read_text().splitlines()) - 1
    np.save(tmp_path / "z.npy", np.random.default_rng(0).normal(size=(n, 3)))
    arguments = ["pick", str(scored), "--from", fakes, "--real", reals, "--curve", str(tmp_path / "c.html")]
    more = ["--curve", str(tmp_path / "c.csv"), "--latents", str(tmp_path / "z.npy"), "--truncated", f"0.7={reals}"]
    result = CliRunner().invoke(
        main, [*arguments, *more, "--scorer", "sgm", "--keep", "0.5", "-o", str(tmp_path / "p")]
    )
    assert result.exit_code == 0, result.stderr
    with (tmp_path / "c.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    hows = ["picker"] * 6 + ["latents in the middle"] * 6 + ["truncation"]
    assert [row["how"] for row in rows] == hows
    assert float(rows[5]["qs"]) > float(rows[0]["qs"])  # by another scorer than the one that picked
    assert float(rows[-1]["fd"]) < float(rows[0]["fd"])  # those were reals
    assert result.stdout.count("\n") == 14 and "QS is measured by the scorer that picks" not in result.stderr
    assert (tmp_path / "p" / "picked.csv").exists() and (tmp_path / "c.html").exists()


def test_command_says_when_qs_is_by_the_scorer_that_picked(toy, scored, tmp_path):
    arguments = ["pick", str(scored), "--from", str(toy[1]), "--real", str(toy[0]), "--scorer", "knn"]
    result = CliRunner().invoke(main, [*arguments, "--curve", str(tmp_path / "c.csv"), "--keep", "20%"])
    assert result.exit_code == 0 and "QS is measured by the scorer that picks" in result.stderr
    assert "The curve ends at a share of 0.5, before 0.2" in result.stderr


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ([], "Give -o FOLDER, or --curve"),
        (["--real", "r", "-o", "p"], "--real is for --curve"),
        (["--curve", "c.csv"], "--curve needs the pictures"),
        (["--curve", "c.png", "--from", "f", "--real", "r"], "writes .csv or .html"),
        (["--curve", "c.csv", "--from", "f", "--real", "r", "--truncated", "f"], "PSI=FAKES"),
    ],
)
def test_command_refuses(scored, more, says):
    result = CliRunner().invoke(main, ["pick", str(scored), *more])
    assert result.exit_code == 2 and says in result.stderr


def test_command_refuses_latents_of_other_pictures(toy, scored, tmp_path):
    np.save(tmp_path / "z.npy", np.zeros((3, 2)))
    arguments = ["pick", str(scored), "--from", str(toy[1]), "--real", str(toy[0]), "--curve", str(tmp_path / "c.csv")]
    result = CliRunner().invoke(main, [*arguments, "--latents", str(tmp_path / "z.npy")])
    assert result.exit_code == 2 and "a row for each of" in result.stderr


def test_strips_of_pictures_are_shown_with_their_words():
    """A picture and what is below it, with a true minus; nothing is loaded from anywhere."""
    strip = Strip("worst", [as_png(np.full((2, 2, 3), 9, np.uint8)), b"x"], ["-1.5"])
    text = page([], [], Extras(strips={"plain": [strip]}))
    assert text.count("data:image/png;base64,") == 2 and text.count("<span>−1.5</span>") == 1
    assert 'alt="worst 2"' in text and "http:" not in text and "https:" not in text
