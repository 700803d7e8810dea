"""The HTML report in a browser: what a person sees and does, at 1280 and at 400 pixels."""

import dataclasses
import re
import shutil

import numpy as np
import pytest
from test_report import HOSTILE, make_report

from giqa.explain.worst_pictures import Explained
from giqa.images.thumbnail import thumbnail
from giqa.report.report import write_report
from giqa.report.result import Report, Unshown

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine"),
]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def browser():
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report():
    return make_report(60, 200, failed=3, copies=2)


@pytest.fixture(scope="module")
def path(report, tmp_path_factory):
    return write_report(tmp_path_factory.mktemp("report") / "report.html", report)


@pytest.fixture(scope="module")
def big_path(tmp_path_factory):
    rng = np.random.default_rng(4)
    pictures = [thumbnail(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)) for _ in range(50)]
    z = rng.permutation(np.linspace(-6, 3, 10_000))
    columns = {"score": z, "z": z, "percentile": np.full(z.size, 0.5)}
    ids = [f"p{row:05d}" for row in range(z.size)]
    big = Report("big", ids, columns, 100, thumbnails=[pictures[row % 50] for row in range(z.size)])
    return write_report(tmp_path_factory.mktemp("big") / "big.html", big)


@pytest.fixture
def open_page(browser):
    """Opens a file as a person does, and holds that nothing complained and nothing was asked of a network."""
    contexts, trouble = [], []

    def opened(path, width=1280, height=900, scheme="light"):
        size = {"width": width, "height": height}
        contexts.append(browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce"))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on(
            "request", lambda request: trouble.append(request.url) if request.url.startswith(("http", "ws")) else None
        )
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not trouble


def shown_z(page):
    return [float(text.replace("−", "-")) for text in page.locator(".cell .caption b").all_inner_texts()]


def shown_ids(page):
    return page.locator(".cell").evaluate_all("cells => cells.map(cell => cell.title)")


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_opens_offline_without_a_word(open_page, path):
    """From file:// the page shows title, figures, chart and gallery, with no console message and no request."""
    page = open_page(path)
    assert page.locator("h1").inner_text() == "Scores of DCGAN, epoch 40"
    assert page.locator("#chart svg path").count() == 2
    assert page.locator(".cell img").first.evaluate("image => image.decode().then(() => image.naturalWidth)") == 96
    assert page.locator("#count").inner_text() == "57 of 57 kept (100 %)"


def test_gallery_is_sorted(open_page, path, report):
    """Best first to begin with; worst first and by id on request."""
    page = open_page(path)
    assert shown_z(page) == sorted(shown_z(page), reverse=True)
    page.locator("label", has_text="Worst first").click()
    assert shown_z(page) == sorted(shown_z(page))
    assert shown_ids(page)[0] == report.ids[int(np.nanargmin(report.columns["z"]))]
    page.locator("label", has_text="By id").click()
    assert shown_ids(page)[:20] == list(report.ids[:20])


def test_threshold_keeps_what_reaches_it(open_page, path, report):
    """The number, the slider and the chart set the same threshold; the count and the gallery follow."""
    page = open_page(path)
    kept = int(np.sum(report.columns["z"] >= -2))
    page.get_by_label("Keep pictures with z of at least").fill("-2")
    assert page.locator("#count").inner_text() == f"{kept} of 57 kept ({100 * kept / 57:.0f} %)"
    assert min(shown_z(page)) >= -2 and page.locator("#n-dropped").inner_text() == str(57 - kept)
    assert page.locator("#chart .cut-label").inner_html() == "keep z ≥ −2.00"
    page.locator("#min-slider").press("Home")
    assert page.locator("#count").inner_text().startswith("57 of 57")
    page.locator("#min-slider").press("End")
    assert page.locator("#count").inner_text() == "1 of 57 kept (2 %)"  # z is 4, where the axis ends
    page.locator("#min-number").fill("99")
    assert page.locator("#count").inner_text().startswith("0 of 57")
    assert page.locator("#empty").inner_text() == "No picture reaches this z; lower the threshold."
    box = page.locator("#chart svg").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    cut = float(page.locator("#min-number").input_value())
    assert page.locator("#n-kept").inner_text() == str(int(np.sum(report.columns["z"] >= cut)))


def test_chips_and_text_filter(open_page, path):
    """The chips show what was left out, what has no score and what is a copy; the text filters ids."""
    page = open_page(path)
    page.locator("label", has_text="Copies of reals").click()
    assert shown_ids(page) == ["samples/seed00001.png", "samples/seed00000.png"]
    page.locator("label", has_text="No score").click()
    assert len(shown_ids(page)) == 3
    page.get_by_placeholder("Find an id").fill("00058")
    assert shown_ids(page) == ["samples/seed00058.png"]
    assert page.locator("#count").inner_text().endswith("1 shown")
    page.get_by_placeholder("Find an id").fill("nothing like this")
    assert page.locator("#empty").inner_text() == "No id here contains that text."


def test_click_opens_details(open_page, path, report):
    """A click shows score, z with its interval, percentile in words, flags and the nearest reals."""
    page = open_page(path)
    page.locator(".cell").nth(0).click()
    detail = page.locator("#detail")
    assert "Rank 1 of 57" in detail.inner_text() and "samples/seed00001.png" in detail.inner_text()
    assert "z 4.00" in detail.inner_text() and "4.0 sd better" in detail.inner_text()
    assert "95 % interval 3.60 to 4.30" in detail.inner_text()
    assert "Copy of reals/portrait 0001.jpg" in detail.inner_text()
    assert "converted from CMYK" in detail.inner_text()
    assert detail.locator(".reals li").count() == 5
    assert detail.locator(".reals li").nth(1).inner_text() == "distance 1.81\nreals/portrait 0008.jpg"
    assert detail.locator(".reals img").nth(1).evaluate("image => image.decode().then(() => true)")
    detail.get_by_label("Close").click()
    assert detail.is_hidden()


def test_percentile_is_put_into_words(open_page, path, report):
    """The percentile reads as a sentence, and the lowest possible one as what it is."""
    page = open_page(path)
    page.locator("label", has_text="Worst first").click()
    page.locator(".cell").nth(0).click()
    assert "Worse than all 200 real pictures held out." in page.locator("#detail").inner_text()
    middle = int(np.argsort(report.columns["z"])[30])
    page.get_by_placeholder("Find an id").fill(report.ids[middle])
    share = f"{100 * report.columns['percentile'][middle]:.0f} %"
    assert f"As good as or better than {share} of real pictures." in page.locator("#detail").inner_text()


def test_keyboard_is_enough(open_page, path):
    """Arrows move, Enter opens, arrows go on to the next picture, Escape closes and the gallery has the focus."""
    page = open_page(path)
    page.locator("#gallery").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    columns = page.evaluate(
        "new Set([...document.querySelectorAll('.cell')].map(cell => cell.getBoundingClientRect().x)).size"
    )
    assert columns == 7  # with the panel open; ten before it
    rank = page.locator("#detail .nav span")
    assert rank.inner_text() == "Rank 11 of 57"
    page.keyboard.press("ArrowRight")
    assert rank.inner_text() == "Rank 12 of 57"
    assert page.locator(".cell[aria-selected=true] .rank").inner_text() == "12"
    page.keyboard.press("End")
    assert rank.inner_text() == "Rank 57 of 57"
    page.locator("#previous").focus()
    page.keyboard.press("ArrowLeft")
    assert rank.inner_text() == "Rank 56 of 57"
    page.keyboard.press("Escape")
    assert page.locator("#detail").is_hidden()
    assert page.evaluate("document.activeElement.id") == "gallery"


def test_tabs_show_failures_and_origin(open_page, path):
    """One tab lists what has no score and why, another says what the numbers mean and how they were made."""
    page = open_page(path)
    page.get_by_role("tab", name="No score").click()
    assert "cannot read samples/seed00058.png: the file ends early" in page.locator("#failures").inner_text()
    page.keyboard.press("ArrowRight")
    assert page.locator("#about").is_visible() and page.locator("#failures").is_hidden()
    assert "extractor › digest" in page.locator("#about").inner_text()
    assert "sha256:9f2c41d07be3" in page.locator("#about").inner_text()


def test_kept_ids_can_be_saved(open_page, path, report):
    """The buttons save the kept ids in order, as lines or as a table."""
    page = open_page(path)
    page.get_by_label("Keep pictures with z of at least").fill("0")
    z = np.nan_to_num(report.columns["z"], nan=-np.inf)
    expected = [report.ids[row] for row in np.argsort(-z) if z[row] >= 0]
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save ids").click()
    with open(saved.value.path(), encoding="utf-8") as lines:
        assert lines.read().split("\n")[:-1] == expected
    name = re.sub(r"[^\w.-]+", "-", report.title)[:60]
    assert saved.value.suggested_filename == f"{name}-kept.txt"
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV").click()
    with open(saved.value.path(), encoding="utf-8") as lines:
        rows = lines.read().split("\n")
    assert rows[0] == "id,rank,score,z,percentile" and len(rows) == len(expected) + 2
    assert rows[1].startswith(f'"{expected[0]}",1,68,4,')


def test_the_address_says_what_is_seen(open_page, path):
    """Threshold, order and selected picture are in the address, and whoever opens it sees the same."""
    page = open_page(path)
    page.get_by_label("Keep pictures with z of at least").fill("-1.5")
    page.get_by_text("Worst first").click()
    page.locator(".cell").nth(2).click()
    page.wait_for_url(re.compile("picture="))
    address, said = page.url, page.locator("#detail").inner_text()
    assert "z=-1.5" in address and "sort=worst" in address
    other = open_page(path)
    other.goto(address)
    other.reload()
    assert other.locator("#detail").inner_text() == said
    assert other.get_by_label("Keep pictures with z of at least").input_value() == "-1.5"
    assert other.locator("input[name=sort][value=worst]").is_checked()
    other.keyboard.press("Escape")
    other.wait_for_url(re.compile("^[^=]*z=-1.5&sort=worst$"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_a_phone(open_page, path, scheme):
    """At 400 pixels nothing scrolls sideways, and the details are a sheet over the page."""
    page = open_page(path, 400, 800, scheme)
    for tab in ("No score", "About", "Pictures"):
        page.get_by_role("tab", name=tab).click()
        assert overflow(page) == 0
    page.locator(".cell").nth(1).click()
    assert overflow(page) == 0
    box = page.locator("#detail").bounding_box()
    assert box["x"] == 0 and box["width"] == 400 and box["y"] + box["height"] == 800
    assert page.locator("#page").evaluate("page => page.inert")
    page.get_by_label("Next picture").click()
    assert page.locator("#detail .nav span").inner_text() == "Rank 3 of 57"
    page.keyboard.press("Escape")
    assert page.locator("#detail").is_hidden() and not page.locator("#page").evaluate("page => page.inert")


def test_ten_thousand_pictures_stay_light(open_page, big_path):
    """With 10,000 pictures the document stays small wherever it is scrolled to, and the end is reached."""
    page = open_page(big_path)
    nodes = "document.querySelectorAll('*').length"
    assert page.evaluate(nodes) < 1500
    page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
    page.wait_for_function("[...document.querySelectorAll('.cell .rank')].some(rank => rank.textContent === '5,000')")
    assert page.evaluate(nodes) < 1500
    page.locator("label", has_text="By id").click()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_selector(".cell[title=p09999]")
    assert page.locator(".cell[title=p09999]").is_visible()
    page.locator(".cell[title=p09999]").click()
    assert "p09999" in page.locator("#detail").inner_text()
    assert page.evaluate(nodes) < 1500


def test_pictures_not_shown_are_counted(open_page, tmp_path):
    """Of 12,000 pictures all but the ends are not shown: ranks, kept counts and shares are those of all."""
    z = np.linspace(4, -8, 12_000)  # row = rank - 1
    shown = np.r_[0:100, 11_900:12_000]
    others = np.setdiff1d(np.arange(z.size), shown)
    columns = {"score": z, "z": z, "percentile": np.full(z.size, 0.5)}
    rest = Unshown(
        *(values[others] for values in columns.values()), shown_are="the best 100 and the worst 100 of 12,000"
    )
    columns = {name: values[shown] for name, values in columns.items()}
    part = Report("part", [f"p{row:05d}" for row in shown], columns, 9, held_out_z=np.linspace(-2, 2, 9), unshown=rest)
    page = open_page(write_report(tmp_path / "part.html", part))
    assert page.locator("#shown-are").inner_text().startswith("Shown: the best 100 and the worst 100 of 12,000.")
    count = page.locator("#count")
    assert count.inner_text() == "12,000 of 12,000 kept (100 %) · 200 shown"
    page.locator("#min-number").fill("-2")
    words = re.fullmatch(r"about ([\d,]+) of 12,000 kept \(50 %\) · 100 shown", count.inner_text())
    assert abs(int(words[1].replace(",", "")) - np.sum(z >= -2)) <= 6
    page.locator("#min-number").fill("3.9505")  # beyond all that is not shown: exact
    assert count.inner_text() == f"{np.sum(z >= 3.9505)} of 12,000 kept (0.4 %) · {np.sum(z >= 3.9505)} shown"
    page.locator("#min-number").fill("")
    page.locator("label", has_text="Worst first").click()
    page.locator(".cell").nth(0).click()
    assert "Rank 12,000 of 12,000" in page.locator("#detail").inner_text()
    assert page.locator("#save-text").inner_text() == "Save shown ids"
    for width in (1280, 1000):  # the bar fits beside the panel
        page.set_viewport_size({"width": width, "height": 900})
        bar, button = (page.locator(one).bounding_box() for one in (".keep", "#save-csv"))
        assert button["x"] + button["width"] <= bar["x"] + bar["width"]


def test_headings_and_chips_stay_on_one_line(open_page, path):
    """Beside the open panel at 1280 pixels the tiles' headings take one line; at 400 the chips take one row."""
    page = open_page(path)
    page.locator(".cell").nth(0).click()
    heights = page.locator(".tile h2").evaluate_all(
        "all => all.map(one => one.getClientRects().length && one.offsetHeight)"
    )
    assert max(heights) < 20
    narrow = open_page(path, 400, 800)
    assert narrow.locator(".chips").evaluate("row => row.scrollWidth - row.clientWidth") == 0
    narrow.evaluate("document.getElementById('n-dropped').textContent = '10,000'")  # too long a row scrolls in itself
    tops = narrow.locator(".chips label").evaluate_all("all => all.map(one => one.offsetTop)")
    assert len(set(tops)) == 1 and overflow(narrow) == 0


def test_hostile_names_do_nothing(open_page, tmp_path):
    """Markup in names, reasons and made_by is shown as text and never runs."""
    hostile = make_report(8, 20)
    hostile = dataclasses.replace(
        hostile,
        title=HOSTILE,
        ids=[f"{HOSTILE}{row}" for row in range(8)],
        real_ids=[f"{HOSTILE}r{row}" for row in range(20)],
        flags={name: [HOSTILE] * 8 for name in ("duplicate_of", "error", "notes")},
        made_by={HOSTILE: HOSTILE},
    )
    page = open_page(write_report(tmp_path / "hostile.html", hostile))
    page.on("dialog", lambda dialog: pytest.fail("the name was run"))
    page.locator(".cell").nth(0).click()
    assert page.locator("#detail .reals .id").first.inner_text().startswith(HOSTILE)
    for tab in ("No score", "About", "Pictures"):
        page.get_by_role("tab", name=tab).click()
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, -1e300])
@pytest.mark.parametrize("n", [0, 1, 7])
def test_degenerate_reports_open(open_page, tmp_path, n, value):
    """No picture, one, all failed, equal or infinite: the page opens, answers and says nothing on the console."""
    columns = {name: np.full(n, value) for name in ("score", "z", "z_low", "z_high")}
    odd = Report("odd", [f"i{row}" for row in range(n)], {**columns, "percentile": np.full(n, 0.5)}, 3)
    page = open_page(write_report(tmp_path / "odd.html", dataclasses.replace(odd, held_out_z=np.zeros(n % 2 * 3))))
    failed = bool(np.isnan(value)) or not n
    assert page.locator("#count").inner_text() == (f"0 of {0} kept" if failed else f"{n} of {n} kept (100 %)")
    if n:
        page.locator("label", has_text="No score" if failed else "Kept").click()
        page.locator(".cell").nth(n - 1).click()
        assert re.search("No score" if failed else f"Rank 1 of {n}", page.locator("#detail").inner_text())


def test_what_is_out_of_domain_is_marked_and_found(open_page, report, tmp_path):
    """A badge on the picture, a choice that shows these alone, a sentence in the details; a copy stays a copy."""
    domain = ["yes" if row in (0, 5, 9) else "no" for row in range(60)]
    told = dataclasses.replace(report, flags={**report.flags, "out_of_domain": domain})
    page = open_page(write_report(tmp_path / "r.html", told))
    assert page.locator("#n-foreign").inner_text() == "3"
    page.locator(".chips label", has_text="Out of domain").click()
    assert sorted(shown_ids(page)) == [told.ids[row] for row in (0, 5, 9)]
    assert sorted(page.locator(".cell .mark").all_inner_texts()) == ["copy", "out of domain", "out of domain"]
    page.locator(".cell").first.click()
    assert "seems to show something that the reals do not" in page.locator("#detail").inner_text()


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_people_would_say_is_shown(open_page, report, tmp_path, width, scheme):
    """Sorted by p, best and worst three with their maps, the interval and the sentence in the details."""
    p = np.where(np.isnan(report.columns["score"]), np.nan, (5 + np.random.default_rng(3).permutation(60)) / 71)
    people = {"p_real": p, "p_real_low": p / 2, "p_real_high": (1 + p) / 2}
    worst = [int(row) for row in np.argsort(np.where(np.isnan(p), np.inf, p))[:5]]
    explained = {row: Explained(report.thumbnails[0], f"The worst place of {row} is at the top.") for row in worst}
    told = dataclasses.replace(report, columns={**report.columns, **people}, explained=explained)
    page = open_page(write_report(tmp_path / "r.html", told), width=width, scheme=scheme)
    assert overflow(page) <= 0
    percent = [f"{100 * value:.0f} %" for value in p]
    best = [int(row) for row in np.argsort(np.where(np.isnan(p), np.inf, -p))[:3]]
    assert page.locator("#ends-best b").all_inner_texts() == [f"{percent[row]} real" for row in best]
    assert page.locator("#ends-worst b").all_inner_texts() == [f"{percent[row]} real" for row in worst[:3]]
    assert page.locator("#ends-worst img").count() == 3 + sum(told.thumbnails[row] is not None for row in worst[:3])
    page.locator(".segments label", has_text="Least real").click()
    assert shown_ids(page)[:5] == [told.ids[row] for row in worst]
    page.locator(".chips label", has_text="With a map").click()
    assert sorted(shown_ids(page)) == sorted(told.ids[row] for row in worst)
    page.locator("#ends-worst button").first.click()
    words = page.locator("#detail").inner_text()
    low, high = (f"{100 * people[name][worst[0]]:.0f} %" for name in ("p_real_low", "p_real_high"))
    assert f"The worst place of {worst[0]} is" in words and percent[worst[0]] in words
    assert f"{low} to {high}" in words
    assert page.locator("#detail .heat img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 96


def test_an_explanation_opens_offline(open_page, tmp_path):
    """Every picture of the page is shown, nothing overflows, at 1280 and at 400 pixels."""
    from giqa.explain.maps import fit_maps
    from giqa.explain.picture import Patch, write_page

    pictures = [np.random.default_rng(i).integers(90, 160, (40, 40, 3), np.uint8) for i in range(24)]
    maps = fit_maps(pictures, taps=["grain"])
    found = maps.explain(pictures[0] // 2)
    patches = [Patch("a real picture with a very long name " * 3, pictures[1]), Patch("gone")]
    path = write_page(tmp_path / "explained.html", maps, "odd.png", pictures[0] // 2, found, patches)
    for width in (1280, 400):
        page = open_page(path, width=width)
        assert page.locator("h1").inner_text() == "Where odd.png is unlike real pictures" and overflow(page) <= 0
        shown = page.locator("img").evaluate_all("images => images.map(image => image.complete && image.naturalWidth)")
        assert len(shown) == 5 and all(shown)
        assert page.locator(".patches li").count() == 3
