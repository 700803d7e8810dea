"""From scores to the report: which pictures are shown, what they are called, and figures of the whole set."""

import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from giqa.images import open_source
from giqa.images.sets import plain_name
from giqa.model.model import Model
from giqa.model.table import Scores
from giqa.report.gallery import Gallery
from giqa.scorers.scale import Scale
from giqa.types import Features

HELD_OUT = np.linspace(-30, 30, 101)


def make_scores(n, failed=0, copies=0, seed=0):
    """`n` rows with ties and a tail of bad ones; the last `failed` have no score, the first `copies` copy a real."""
    score = (10 - np.random.default_rng(seed).exponential(30, n)).round(1)
    score[n - failed :] = np.nan
    scale = Scale(HELD_OUT, 0)
    z, percentile = scale.z(score), scale.percentile(score)
    return Scores(
        id=[f"p{row:05d}" for row in range(n)],
        score=score,
        z=z,
        percentile=percentile,
        z_low=z - 1,
        z_high=z + 1,
        duplicate_of=["r0" if row < copies else "" for row in range(n)],
        out_of_domain=[""] * n,
        error=["" if row < n - failed else "it ends early" for row in range(n)],
        notes=[""] * n,
    )


@pytest.fixture
def model():
    reals = Features(tuple(f"r{row}" for row in range(101)), {"all": np.zeros((101, 1), np.float32)})
    return Model(None, Scale(HELD_OUT, 0), reals, reals.matrix())


def page_of(tmp_path, model, scores, fakes="nowhere", **switches):
    path = Gallery(model, fakes, neighbours=False).write(tmp_path / "report.html", scores, **switches)
    page = path.read_text("utf-8")
    return page, json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


def words_of(page):
    """The text of the page before its data, with spaces and tags made plain."""
    return " ".join(re.sub(r"<[^>]*>", " ", page.partition("<body>")[2].partition('<script type="app')[0]).split())


def test_figures_are_of_the_whole_set(tmp_path, model):
    """12,000 pictures, 10,000 in the gallery: tiles, sentence, chart and ranks are those of all 12,000."""
    scores = make_scores(12_000, copies=7)
    page, data = page_of(tmp_path, model, scores, show_thumbnails=False)
    words, figures = words_of(page), re.findall(r'class="figure">([^<]*)<', page)
    assert len(data["ids"]) == 10_000
    assert "12,000 pictures scored against 101 real pictures; copies of reals are left out of all shares." in words
    assert "Shown: the best 5,000 and the worst 5,000 of 12,000." in words
    said, own = scores.headline(), np.array([not real for real in scores.duplicate_of])
    middle = f"{np.median(scores.z[own]):.2f}".replace("-", "−")
    assert figures == [f"{100 * said.within.value:.0f} %", f"{100 * said.beats.value:.0f} %", middle, "7", "0"]
    assert said.pictures == own.sum()
    assert sum(data["histogram"]["fakes"]) == 12_000
    for place in (0, 1, 777, 5_000, 9_999):  # a rank is 1 + how many of all are better
        own = scores.score[int(data["ids"][place][1:])]
        assert data["rank"][place] == 1 + sum(other > own for other in scores.score)
    assert min(data["rank"]) == 1 and max(data["rank"]) > 11_900


def test_pictures_not_shown_can_be_counted(tmp_path, model):
    """At any threshold, shown ones and 2,000 numbers count what reaches it to a thousandth of those not shown."""
    scores = make_scores(40_000)
    _, data = page_of(tmp_path, model, scores, show_thumbnails=False)
    shown, few = np.array(data["z"]), np.array(data["unshown"]["z"])
    assert data["unshown"]["n"] == 30_000 and few.size == 2_000 and (np.diff(few) >= 0).all()
    for threshold in np.quantile(scores.z, np.linspace(0, 1, 23)) + 1e-3:
        count = (shown >= threshold).sum() + 30_000 * np.mean(few >= threshold)
        assert abs(count - (scores.z >= threshold).sum()) <= 30


def test_a_set_that_fits_has_nothing_unshown(tmp_path, model):
    """Up to 10,000 pictures all are shown, and nothing says otherwise."""
    page, data = page_of(tmp_path, model, make_scores(40, failed=3), show_thumbnails=False)
    assert data["unshown"] is None and "Shown:" not in page and ">Save ids<" in page
    assert data["rank"].count(0) == 3 and len(data["ids"]) == 40


@pytest.mark.parametrize(
    ("n", "failed", "words"),
    [
        (12_000, 20, "Shown: the best 5,000 and the worst 5,000 of 11,980 with a score, and all 20 without."),
        (
            12_000,
            1_500,
            "Shown: the best 5,000 and the worst 5,000 of 10,500 with a score, and the first 1,000 of 1,500 without.",
        ),
        (12_000, 3_001, "Shown: all 8,999 with a score, and the first 1,000 of 3,001 without."),
    ],
)
def test_failures_are_part_of_the_whole(tmp_path, model, n, failed, words):
    """Failures that are not shown are counted, and the words say how many are."""
    page, data = page_of(tmp_path, model, make_scores(n, failed), show_thumbnails=False)
    assert words in words_of(page)
    assert re.findall(r'class="figure">([^<]*)<', page)[-1] == f"{failed:,}"
    assert sum(data["histogram"]["fakes"]) == n - failed
    listed = "them all" if failed <= 1_000 else "the first 1,000"
    assert failed <= 100 or f"and {failed - 100:,} more; “No score” among the pictures shows {listed}." in words_of(
        page
    )


@pytest.mark.parametrize(("n", "side"), [(300, 192), (301, 96)])
def test_few_pictures_get_larger_thumbnails(tmp_path, model, n, side):
    """Up to 300 pictures the thumbnails have 192 pixels, beyond that 96."""
    import base64

    fakes = np.zeros((n, 200, 200, 3), np.uint8)  # of noise, WebP takes ten times as long
    scores = make_scores(n)
    scores = Scores(**{**vars(scores), "id": [f"{row:03d}" for row in range(n)]})
    _, data = page_of(tmp_path, model, scores, fakes)
    assert Image.open(io.BytesIO(base64.b64decode(data["thumbnails"][0]))).size == (side, side)


@pytest.mark.parametrize(
    ("where", "name"),
    [
        ("runs/7/fakes", "fakes"),
        ("runs/7/fakes/", "fakes"),
        ("/data/faces.zip", "faces.zip"),
        ("set/labels.csv[kind=fake]", "labels.csv[kind=fake]"),
        ("set/labels.csv[path=a/b]", "labels.csv[path=a/b]"),
        ("/data/runs/**/*.png", "runs/**/*.png"),
        ("*.png", "*.png"),
        (np.zeros(3), "pictures"),
    ],
)
def test_the_title_is_the_plain_name(where, name):
    """The last part of a path with its filter, or a pattern without the folders before it."""
    assert plain_name(where) == name


def test_the_title_of_what_is_there(tmp_path, monkeypatch, model):
    """A folder of any name is itself, the current one too; a source is asked for its name."""
    odd = tmp_path / "odd [1]"
    odd.mkdir()
    monkeypatch.chdir(odd)
    assert plain_name(".") == plain_name(odd) == "odd [1]"

    fakes = open_source(np.zeros((5, 8, 8, 3), np.uint8))
    fakes.name = str(tmp_path / "fakes")
    assert plain_name(fakes) == "fakes"
    page, _ = page_of(tmp_path, model, make_scores(5), fakes, show_thumbnails=False)
    assert '<h1 class="topic">Scores of <span id="set">fakes</span></h1>' in page


def test_out_of_domain_is_counted_in_the_whole_set(tmp_path, model):
    """12,000 pictures, of which the gallery shows 10,000: the tile says how many of all are out of domain."""
    scores = make_scores(12_000)
    domain = ["yes" if row % 4 == 0 else "no" for row in range(12_000)]
    page, _ = page_of(tmp_path, model, Scores(**{**vars(scores), "out_of_domain": domain}), show_thumbnails=False)
    assert re.search(r'<h2>Out of domain</h2><p class="figure">3,000<', page)


def test_detail_and_reason_go_with_their_pictures(tmp_path, model):
    scores = make_scores(4)
    known = replace(scores, detail=np.array([0.5, -2.0, np.nan, 3.0]), reason=["", "softness", "", "grain"])
    data = page_of(tmp_path, model, known, show_thumbnails=False)[1]
    assert data["detail"] == [0.5, -2.0, None, 3.0] and data["flags"]["reason"] == {"1": "softness", "3": "grain"}
    assert page_of(tmp_path, model, scores, show_thumbnails=False)[1]["detail"] is None
