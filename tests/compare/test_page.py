"""The pages of comparisons and runs in a browser, at 1280 and at 400 pixels, light and dark."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from giqa.compare.classes import ByClass
from giqa.compare.classes_page import write_classes
from giqa.compare.compare import compare
from giqa.compare.page import ranked_rows, sentences, table_rows, write_page
from giqa.compare.track import Track, write_track
from giqa.compare.ways import SAME

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HOSTILE = "<b>x</b>&'\""


def gauss(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def found():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sets = {"good": gauss(80, 1), "off": gauss(80, 2) + 3, HOSTILE: gauss(80, 3)}
        metrics = "qs,ds,fd,recall,authenticity"
        return compare(gauss(90), sets, metrics=metrics, scorer="sgm", beside={HOSTILE: "knn"}, paired="name")


@pytest.fixture(scope="module")
def pages(found, tmp_path_factory):
    """A comparison with pictures, a run, and one by class; each named and of 80 pictures."""
    root = tmp_path_factory.mktemp("pages")
    rng = np.random.default_rng(0)
    sets = {g.name: rng.integers(0, 256, (80, 16, 16, 3), dtype=np.uint8) for g in found.generators}
    run = Track((1.0, 2.0, 3.0), found)
    reals = rng.integers(0, 256, (90, 16, 16, 3), dtype=np.uint8)
    classes = ByClass({"one": found, HOSTILE: found}, {"rare": f"there is none in {HOSTILE}"})
    return (
        write_page(root / "c.html", found, sources=sets, real=reals),
        write_track(root / "t.html", run, HOSTILE),
        write_classes(root / "k.html", classes, HOSTILE),
    )


def test_the_table_names_the_best_and_who_is_as_good(found):
    rows = {row["name"]: row for row in table_rows(found)}
    assert [cell["best"] for cell in rows["fd"]["cells"]].count(True) == 1
    good, off, fresh = rows["fd"]["cells"]
    assert not off["best"] and not off["alike"] and {good["best"], good["alike"]} == {True, False}
    assert fresh["best"] or fresh["alike"]
    assert not any(cell["best"] or cell["alike"] for cell in rows["authenticity"]["cells"])
    assert rows["fd"]["way"] == "lower is better" and rows["authenticity"]["way"] == ""


def test_sentences_speak_of_every_pair(found):
    first, second, third, *by_pairs = sentences(found)
    assert "good against off: good is better in quality (QS " in first
    assert f"good against {HOSTILE}: in quality they cannot be distinguished" in second and "off" in third
    assert len(by_pairs) == 3 and "good against off, input by input (80 of both): good is better" in by_pairs[0]


def test_a_tie_has_the_sign_of_the_set_that_the_sentence_calls_better(found):
    """With off worse in quality by 5.64, its diversity lower by 16.75 is 16.75 for the other, though not shown."""
    changed = [replace(v, says=SAME) if v.metric == "ds" else v for v in found.verdicts]
    said = sentences(replace(found, verdicts=tuple(changed)))[2]
    assert "is better in quality (QS 5.64, " in said and "distinguished with this many pictures (DS 16.8, 2.79" in said


def test_who_is_better_by_a_metric_that_the_answer_leaves_out_is_said(found):
    first, second, third, *_ = sentences(found)
    assert first.endswith("; good is better by fd and recall.") and "by fd" not in second
    assert third.endswith(f"; {HOSTILE} is better by fd and recall.")


def test_pairs_that_lose_most_are_shown_with_their_targets(pages):
    page = pages[0].read_text()
    assert page.count("what loses most against its target") == 3 and page.count('alt="target of') == 24


def test_galleries_are_best_middle_and_worst(found):
    g = found.generators[0]
    rows = ranked_rows(g)
    assert {name: len(part) for name, part in rows.items()} == {"best": 8, "middle": 8, "worst": 8}
    z = {name: g.scores.z[part] for name, part in rows.items()}
    assert z["best"].min() > z["middle"].max() and z["middle"].min() > z["worst"].max()


def test_names_are_text(pages):
    for page in pages:
        text = page.read_text()
        assert "<b>x</b>" not in text and "&lt;b&gt;x" in text


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_and_show_their_charts(pages, width, scheme):
    """No sideways scrolling, nothing asked of a network, one chart of each kind visible, no complaint."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        trouble = []
        for path, charts in zip(pages, (4, 5, 5), strict=True):
            page = context.new_page()
            page.on("console", lambda message: trouble.append(message.text))
            page.on("request", lambda r: trouble.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
            page.goto(path.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            visible = page.locator("svg:visible")
            assert visible.count() == charts
            sizes = page.evaluate(
                "[...document.querySelectorAll('svg')].filter(s => s.clientWidth)"
                ".map(s => parseFloat(getComputedStyle(s.querySelector('text')).fontSize)"
                " * s.getBoundingClientRect().width / s.viewBox.baseVal.width)"
            )
            assert min(sizes) >= 8  # letters on the screen, in pixels
            shown = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (shown == "rgb(246, 246, 243)") == (scheme == "light")
        assert trouble == []
        browser.close()


def test_pictures_are_small(pages):
    assert pages[0].stat().st_size < 400_000
