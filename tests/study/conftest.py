"""A small study of each task, a server for it in a thread, and a browser."""

import shutil
import socket
import threading
import time
from contextlib import contextmanager

import pytest

pytest.importorskip("sqlalchemy", reason="giqa[humans] is not installed")
pytest.importorskip("uvicorn", reason="giqa[humans] is not installed")

from study_samples import pictures, small

from giqa.study.app import make_app, uvicorn
from giqa.study.setup import make_study
from giqa.study.store import open_store

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]


@pytest.fixture
def study_in():
    """Makes a study: (store, task, number of fakes and reals, settings) -> study."""

    def made(store, task="hype", fakes=6, reals=16, **given):
        return make_study(store, task, small(task, **given), pictures(fakes, "gan"), pictures(reals, ""), number=6)

    return made


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path / "votes.db")
    yield opened
    opened.close()


@contextmanager
def serving(store, **options):
    """The address of a server of the store, in a thread of this process."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:  # as the command does
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(make_app(store, **options), log_level="error", server_header=False, ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.fixture
def served():
    return serving


@pytest.fixture(scope="module")  # while it is open, nothing else in this process can run an event loop
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """Opens an address as a person does, in a context of its own; holds that nothing complained unexpectedly."""
    contexts, trouble = [], []

    def opened(address, width=1280, touch=False, expect=()):
        size = {"width": width, "height": 800}
        contexts.append(browser.new_context(viewport=size, has_touch=touch, is_mobile=touch, reduced_motion="reduce"))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda m: None if any(e in m.text for e in expect) else trouble.append(m.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not trouble
