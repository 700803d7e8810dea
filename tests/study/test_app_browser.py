"""Whole studies in a browser: every task, by keyboard and by touch, reload and lost network in the middle."""

import time

import pytest
import sqlalchemy as sa

from giqa.study import tables as t
from giqa.study.progress import progress, table

KEYS = {"hype": "r", "hype-time": "f", "pairs": "l", "rating": "4"}
TASKS = list(KEYS)
pytestmark = pytest.mark.slow
LOST = ("Failed to load resource", "net::ERR")


def until(page, expression, arg=None):
    """Waits for an expression to hold; Playwright's own waiting needs eval, which the page's policy forbids."""
    end = time.monotonic() + 10
    while not page.evaluate(expression, arg):
        assert time.monotonic() < end, f"never came: {expression}"
        page.wait_for_timeout(10)


def on_screen(page):
    """Which section is up, once it can be acted upon."""
    until(
        page,
        """() => { const up = [...document.querySelectorAll('main > section')].find(one => !one.hidden);
           if (!up || up.id === 'wait') return false;
           if (up.id !== 'ask') return true;
           const ready = document.getElementById('ready');
           return ready?.getClientRects().length > 0 || !document.querySelector('[data-answer]').disabled; }""",
    )
    return page.evaluate("[...document.querySelectorAll('main > section')].find(one => !one.hidden).id")


def act(page, task, press):
    """One step of a rater: look, answer, go on; the section that was up."""
    up = on_screen(page)
    if up == "ask":
        if task == "hype-time" and page.locator("#ready").is_visible():
            press("#ready")
            until(page, "!document.querySelector('[data-answer]').disabled")
        before = page.evaluate("shown.trial")
        press("answer")
        until(page, "before => !shown || shown.trial !== before", before)
    elif up in ("feedback", "rest"):
        press({"feedback": "#onward", "rest": "#continue"}[up])
        until(page, "up => document.getElementById(up).hidden", up)  # a second press would answer what comes next
    return up


def by_keyboard(page, task):
    return lambda what: page.keyboard.press(KEYS[task] if what == "answer" else "Enter")


def by_touch(page, task):
    return lambda what: page.locator(f"[data-key={KEYS[task]!r}]" if what == "answer" else what).tap()


def start(page, press):
    until(page, "document.activeElement.id === 'agree'")
    press("#agree")
    page.wait_for_url("**/task")


def whole(page, task, press, most=30):
    seen = []
    for _ in range(most):
        seen.append(act(page, task, press))
        if seen[-1] == "end":
            return seen
    raise AssertionError(seen)


def rows(store, study):
    return list(table(store, study, everything=True))


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("width", "touch"), [(1280, False), (360, True)], ids=["keyboard-1280", "touch-360"])
def test_a_whole_study(store, study_in, served, open_page, task, width, touch):
    """Consent, examples with feedback, every question once, a break, the end: eight votes, all with their times."""
    study = study_in(store, task)
    with served(store) as base:
        page = open_page(f"{base}/s/{study.token}", width, touch)
        press = (by_touch if touch else by_keyboard)(page, task)
        start(page, press)
        assert overflow(page) == 0
        seen = whole(page, task, press)
    assert seen.count("feedback") == 2 and seen.count("rest") == 1
    kept = rows(store, study)
    assert len(kept) == 8 and [row["part"] for row in kept].count("control") == 2
    assert all(row["response_ms"] >= 0 for row in kept)
    if task == "hype-time":
        assert [row["shown_ms"] > 50 for row in kept] == [True] * 8
        by_hand = 500
        for row in kept:  # every answer was "fake"
            assert row["exposure_ms"] == by_hand
            by_hand = by_hand - 30 if row["kind"] == "generated" else by_hand + 10
    elif task == "pairs":
        assert {row["chosen"] for row in kept} <= {row[side] for row in kept for side in ("left", "right")}
    elif task == "rating":
        assert {row["rating"] for row in kept} == {4}
    else:
        assert {row["said_real"] for row in kept} == {1}


def test_reload_and_lost_network(store, study_in, served, open_page):
    """Answers given offline wait in the browser, through a reload too, and arrive once each in the end."""
    study = study_in(store, "hype")
    with served(store) as base:
        page = open_page(f"{base}/s/{study.token}", expect=LOST)
        press = by_keyboard(page, "hype")
        start(page, press)
        for _ in range(6):  # two examples with feedback, two answers
            act(page, "hype", press)
        until(page, "votes.waiting().length === 0 && ready.size >= 7")
        until(page, "Promise.all([...ready.values()]).then(() => true)")
        page.context.set_offline(True)
        act(page, "hype", press)
        act(page, "hype", press)
        until(page, "document.getElementById('net').textContent.includes('kept in this browser')")
        assert len(rows(store, study)) == 2
        waiting = page.evaluate("votes.waiting().length")
        assert waiting == 2
        page.context.set_offline(False)
        page.reload()
        whole(page, "hype", press)
        assert page.evaluate("Object.keys(localStorage).length") == 0
    kept = rows(store, study)
    assert len(kept) == 8 and len({row["image"] for row in kept}) == 8


def test_an_answer_whose_receipt_is_lost_is_not_doubled(store, study_in, served, open_page):
    """The server has kept the vote, but its answer never arrives: the retry with the same id changes nothing."""
    study = study_in(store, "hype", tutorial=0)
    with served(store) as base:
        page = open_page(f"{base}/s/{study.token}", expect=LOST)
        press = by_keyboard(page, "hype")
        start(page, press)
        lost = []

        def lose(route):
            route.fetch()
            lost.append(1)
            route.abort() if len(lost) <= 2 else route.continue_()

        page.route("**/votes", lose)
        whole(page, "hype", press)
    assert len(lost) > 2
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(t.votes)) == 8


@pytest.mark.parametrize("task", ["hype", "hype-time"])
def test_undo_makes_a_new_row(store, study_in, served, open_page, task):
    """The last answer is asked again and the new one counts; the first row stays."""
    study = study_in(store, task, tutorial=0, break_every=50)
    with served(store) as base:
        page = open_page(f"{base}/s/{study.token}")
        press = by_keyboard(page, task)
        start(page, press)
        act(page, task, press)
        on_screen(page)
        first = page.evaluate("last.trial")
        page.locator("#undo").click()
        until(page, "shown && shown.revision === 1 && !document.querySelector('[data-answer]').disabled")
        assert page.evaluate("shown.trial") == first and page.locator("#again").is_visible()
        page.keyboard.press("f" if task == "hype" else "r")
        until(page, "first => shown && shown.trial !== first", first)
        whole(page, task, press)
    with store.read() as connection:
        votes = connection.execute(sa.select(t.votes).where(t.votes.c.trial == first)).all()
    assert [(vote.revision, vote.answer) for vote in votes] == (
        [(0, "real"), (1, "fake")] if task == "hype" else [(0, "fake"), (1, "real")]
    )
    kept = rows(store, study)
    assert len(kept) == 8 and kept[0]["said_real"] == (0 if task == "hype" else 1)


def test_two_raters_at_once(store, study_in, served, open_page):
    """Two who take turns at the same time: each sees every picture once, the study has its two votes each."""
    study = study_in(store, "hype")
    with served(store) as base:
        pages = [open_page(f"{base}/s/{study.token}") for _ in range(2)]
        for page in pages:
            start(page, by_keyboard(page, "hype"))
        ends = set()
        for _ in range(30):
            for page in pages:
                if act(page, "hype", by_keyboard(page, "hype")) == "end":
                    ends.add(page)
        assert progress(store, study)["finished"] == 2
    kept = rows(store, study)
    for rater in {row["rater"] for row in kept}:
        assert len({row["image"] for row in kept if row["rater"] == rater}) == 8


def test_a_screen_reader_is_told(store, study_in, served, open_page):
    """Landmarks, names and live regions: what is on the screen can be heard, and focus goes where the action is."""
    study = study_in(store, "hype")
    with served(store) as base:
        page = open_page(f"{base}/s/{study.token}")
        press = by_keyboard(page, "hype")
        start(page, press)
        on_screen(page)
        assert page.get_by_role("heading", name="Is this picture real or fake?").is_visible()
        assert page.get_by_role("group", name="Is this picture real or fake?").get_by_role("button").count() == 2
        assert page.get_by_role("img", name="The picture to judge").is_visible()
        assert page.get_by_role("progressbar", name="0 of 8 · Example").is_visible()
        assert page.locator("#say").inner_text() == "Example."
        act(page, "hype", press)
        assert on_screen(page) == "feedback" and page.evaluate("document.activeElement.id") == "onward"
        assert page.locator("#say[aria-live=polite]").inner_text().startswith(("Right.", "Not quite."))
        unnamed = page.locator("button").evaluate_all("all => all.filter(one => !one.textContent.trim()).length")
        assert unnamed == 0


def test_dark_mode(store, study_in, served, browser):
    """The page follows the system's scheme, with readable contrast in both."""
    study = study_in(store, "hype")
    with served(store) as base:
        for scheme in ("light", "dark"):
            context = browser.new_context(color_scheme=scheme)
            page = context.new_page()
            page.goto(f"{base}/s/{study.token}")
            found = page.evaluate(
                "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
            )
            ink, paper = (sum(map(int, colour[4:-1].split(", "))) / 3 for colour in found)
            assert (paper < 60 and ink > 200) if scheme == "dark" else (paper > 200 and ink < 60)
            context.close()
