"""axe-core finds nothing on any page, light and dark, at 1280 and at 400 pixels; and every page answers first."""

import re
import shutil

import pytest
from axe import needs_axe, violations
from page_samples import write_all

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ANSWERS = {  # what each page says in its first seconds
    "compare": "good is better than off in quality and diversity (95 %).",
    "track": "Use checkpoint 1; it is better than every other in quality and diversity (95 %).",
    "classes": "good is better than off in quality and diversity in 2 of 2 classes (cat and dog), worse in none",
    "curve": "Keeping the best 50 % instead of all improves quality; no difference is shown in FD and diversity "
    "(95 %, paired).",
    "bench": "sharp agrees best with people (72 % of pairs; guessing: 50 %); knn cannot be distinguished from it; "
    "reversed is worse than guessing.",
    "explain": "The worst place is at the bottom left: there its grain (how neighbouring pixels vary) is unlike",
    "far": "Nearly all of it is unlike the real pictures, most at the ",
    "people": "votes: No generator is shown to fool people more than another: from gan (29 % wrong) to vae",
}
ALONE = ["report", *ANSWERS]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def tab(pages):  # after the pages, since nothing else can run an event loop while it is open
    needs_axe()
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(bypass_csp=True, reduced_motion="reduce").new_page()
        page.set_default_timeout(60_000)
        yield page
        browser.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ALONE)
def test_a_page_has_no_violation(pages, tab, name):
    assert violations(tab, pages[name].as_uri()) == []


@pytest.mark.parametrize("name", ANSWERS)
def test_a_page_answers_first_and_folds_its_cautions(pages, name):
    """The first sentence is the answer; cautions and parameters are folded; no number is nan."""
    text = pages[name].read_text()
    said = re.search(r'<p class="answer[a-z ]*">(.*?)</p>', text)[1].replace("\u00a0", " ")
    assert said.startswith(ANSWERS[name])
    body = text[text.index("<body>") :]
    assert body.index('class="answer') < body.index("<main") < (body + "<details").index("<details")
    assert "nan" not in re.sub(r'base64,[^"]*|<[^>]*>', " ", body).lower().split()
    assert len(re.findall("<dt>", body.partition('class="made-by"')[2].partition("</dl>")[0])) <= 6
