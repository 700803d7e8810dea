"""axe-core finds nothing on what raters and the admin see, light and dark, at 1280 and at 400 pixels."""

from pathlib import Path

import pytest
from axe import needs_axe, violations
from study_samples import pictures, small
from test_app_browser import until

from giqa.study.access import set_password
from giqa.study.questions import read_questions
from giqa.study.setup import make_study

pytestmark = pytest.mark.slow


def own_questions(store):
    """A study with the questions of examples/questions."""
    content = read_questions(Path(__file__).parents[2] / "examples" / "questions" / "clarity_emotion.toml")
    settings = small("pairs", questions=content)
    return make_study(store, "own", settings, pictures(10, "gan"), pictures(16, ""), number=6)


def test_pages_of_a_study_have_no_violation(store, study_in, served, browser):
    """The consent of each task and of three questions of one's own, their questions, the login, the admin page with
    studies, and a page that is not there."""
    needs_axe()
    studies = [study_in(store, task) for task in ("hype", "pairs", "rating")]
    studies.append(own_questions(store))
    set_password(store, "open sesame")
    page, found = browser.new_context(bypass_csp=True, reduced_motion="reduce").new_page(), {}
    page.set_default_timeout(60_000)
    with served(store) as base:
        for study in studies:
            found[f"consent, {study.name}"] = violations(page, f"{base}/s/{study.token}")
            page.locator("#agree").click()
            page.wait_for_url("**/task")
            until(page, "document.querySelector('[data-answer]:enabled') !== null")
            found[f"task, {study.name}"] = violations(page, f"{base}/s/{study.token}/task")
        found["login"] = violations(page, f"{base}/admin")
        page.locator("#password").fill("open sesame")
        page.locator("button.main").click()
        until(page, "document.querySelector('[data-study]') !== null")
        found["admin"] = violations(page, f"{base}/admin")
        found["nothing"] = violations(page, f"{base}/nothing")
    page.context.close()
    assert not {name: rules for name, rules in found.items() if rules}


def test_a_link_is_copied_or_selected_and_progress_is_in_percent(store, study_in, served, browser):
    """The button has the whole link; without a clipboard the link is selected; figures are percent, or a dash."""
    study = study_in(store, "hype")
    set_password(store, "open sesame")
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(60_000)
    with served(store) as base:
        page.goto(f"{base}/admin")
        page.locator("#password").fill("open sesame")
        page.locator("button.main").click()
        until(page, "document.querySelector('[data-study]') !== null")
        assert page.locator("[data-name=answer]").inner_text() == (
            "0 % done: 0 of 5 generated pictures have all their votes. About 4 more raters who pass are needed."
        )
        assert page.locator("[data-name=agreement]").inner_text() == "–"
        assert page.locator("[data-done]").evaluate("bar => bar.value") == 0
        button = page.locator("[data-copy]")
        assert button.get_attribute("data-copy") == f"{base}/s/{study.token}"
        page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
        button.click()
        until(page, "getSelection().toString().includes('/s/')")
        assert page.locator("#say").inner_text() == "Selected: press Ctrl+C"
    context.close()
