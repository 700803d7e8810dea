"""Three questions about each pair: raters in a browser and over HTTP, the export, figures and a model of each question.

A picture has three properties that have nothing to do with each other, the noise in its brightness and in two
directions of colour; each question is about one of them.
"""

import io
import json
import re
import uuid

import httpx
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from test_app_browser import on_screen, overflow, start, until

from giqa.cli import main
from giqa.p_real.file import load_realism
from giqa.study.store import open_store
from giqa.votes.votes import read_labels

pytestmark = pytest.mark.slow
AXES = {"clarity": (1, 1, 1), "emotion": (1, 1, -2), "quality": (1, -1, 0)}  # question -> direction of its noise
QUESTIONS = """
kind = "pair"
order = "random"
languages = {en = "English", de = "Deutsch"}
title = {en = "Clarity and emotion", de = "Klarheit und Gefühl"}
help = {en = "Nothing is wrong.", de = "Nichts ist falsch."}
words.de = {"I agree, start" = "Los", "Left" = "Links", "Right" = "Rechts", "{done} of {total}" = "{done} von {total}"}
[[question]]
name = "clarity"
text = {en = "Which is clearer?", de = "Welches ist klarer?"}
control = [{left = "LEAST", right = "MOST", answer = "right"}]
[[question]]
name = "emotion"
text = {en = "Which moves you more?", de = "Welches berührt Sie mehr?"}
control = [{say = {en = "Choose right.", de = "Wählen Sie rechts."}, answer = "right"}]
[[question]]
name = "quality"
text = {en = "Which is better made?", de = "Welches ist besser gemacht?"}
control = []
"""
SITTING = 8


def giqa(*arguments):
    result = CliRunner(env={"GIQA_ADMIN_PASSWORD": "pw"}).invoke(main, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    where, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for kind, number in (("reals", 24), ("gan", 16), ("vae", 16)):
        (where / kind).mkdir()
        for i in range(number):
            noise = sum(
                rng.uniform(4, 40) * rng.normal(size=(32, 32, 1)) * np.array(axis) / 2 for axis in AXES.values()
            )
            pixels = np.clip(128 + noise, 0, 255).round().astype(np.uint8)
            Image.fromarray(pixels).save(where / kind / f"{kind}_{i:02d}.png")
    pairs = [f"gan_{i:02d}.png,vae_{(i + step) % 16:02d}.png" for step in (0, 5) for i in range(16)]
    (where / "pairs.csv").write_text("\n".join(["left,right", *pairs]) + "\n")
    ends = sorted((where / "reals").iterdir(), key=lambda path: np.std(np.asarray(Image.open(path), float).sum(axis=2)))
    questions = QUESTIONS.replace("LEAST", ends[0].name).replace("MOST", ends[-1].name)
    (where / "questions.toml").write_text(questions, encoding="utf-8")
    return where


def answer(question, text, pixels):
    """More noise in the direction of the question; an instruction is followed."""
    if text in ("Choose right.", "Wählen Sie rechts."):
        return "right"
    left, right = (np.std(np.asarray(p, float)[..., :3] @ AXES[question]) for p in pixels)
    return "left" if left > right else "right"


def sit(base, link):
    """One person over HTTP; False when nobody is asked any more."""
    with httpx.Client(base_url=base, headers={"accept-language": "en-GB,en"}) as person:
        page = person.get(link).text
        if person.post(link, data={"csrf": re.search(r'name="csrf" value="(\w+)"', page)[1]}).status_code != 303:
            return False
        headers = {"x-csrf": re.search(r'data-csrf="(\w+)"', person.get(f"{link}/task").text)[1]}
        now = person.get(f"{link}/state").json()
        while now["next"]:
            asked = now["next"][0]
            pixels = [Image.open(io.BytesIO(person.get(f"{link}/{one}").content)) for one in asked["pictures"]]
            said = answer(asked["question"], asked["text"], pixels)
            vote = {"id": uuid.uuid4().hex, "trial": asked["trial"], "answer": said, "response_ms": 400.0}
            now = person.post(f"{link}/votes", json={"votes": [vote]}, headers=headers).json()["state"]
        return now["state"] == "done"


PIXELS = """() => [0, 1].map(side => { const image = document.getElementById(`picture-${side}`);
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight), pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0); return [...pen.getImageData(0, 0, canvas.width, canvas.height).data]; })"""


def in_browser(page):
    """One person in Chromium, in German, by keyboard: what was read at each question."""
    start(page, lambda what: page.keyboard.press("Enter"))
    read = []
    while on_screen(page) == "ask":
        asked = page.evaluate("({...shown})")
        text = page.locator("#question").inner_text()
        assert text == asked["text"] and page.locator(".answers:visible").count() == 1
        pixels = [np.array(flat, float).reshape(32, 32, 4) for flat in page.evaluate(PIXELS)]
        read.append((asked["question"], text, page.locator("#step").inner_text()))
        page.keyboard.press({"left": "ArrowLeft", "right": "ArrowRight"}[answer(asked["question"], text, pixels)])
        until(page, "before => !shown || shown.trial !== before", asked["trial"])
    return read


def test_three_questions_a_pair_from_the_browser_to_trained_models(folders, served, browser, tmp_path, monkeypatch):
    """32 pairs with two votes on each question; every model learns its own property from its own question."""
    monkeypatch.setattr("giqa.p_real.splits.RESAMPLES", 40)
    monkeypatch.setattr("giqa.scorers.judgement_search.PENALTIES", (100.0, 1.0))
    store, votes, reals = tmp_path / "v.db", tmp_path / "votes.csv", folders / "reals"
    serve = ["label", "serve", f"gan={folders / 'gan'}", f"vae={folders / 'vae'}", "--real", reals]
    serve += ["--questions", folders / "questions.toml", "--pairs", folders / "pairs.csv", "--store", store]
    serve += ["--votes", 2, "--sitting", SITTING, "--controls", 0, "--tutorial", 0, "--port", 0, "--dry-run"]
    link = re.search(r"pairs: http://127.0.0.1:\d+(/s/\S+)", giqa(*serve))[1]
    kept, context = open_store(store), browser.new_context(locale="de-DE", viewport={"width": 400, "height": 800})
    page = context.new_page()
    page.set_default_timeout(60_000)
    with served(kept) as base:
        page.goto(f"{base}{link}")
        assert page.locator("h1").inner_text() == "Klarheit und Gefühl" and page.locator("#agree").inner_text() == "Los"
        read = in_browser(page)
        assert page.locator("#count").inner_text() == "30 von 30" and overflow(page) == 0
        context.close()
        assert next(n for n in range(15) if not sit(base, link)) >= 7
    kept.close()
    assert len(read) == 3 * (SITTING + 2) and [step.split("·")[1].split()[1] for *_, step in read] == [*"123"] * 10
    assert len({question for question, *_ in read[:3]}) == 3

    giqa("label", "export", "--store", store, "-o", votes)
    rows = [row.split(",") for row in votes.read_text().splitlines()]
    assert rows[0][:6] == ["left", "right", "rater", "chosen", "question", "language"] and len(rows) == 1 + 3 * 64
    assert [sum(row[5] == code for row in rows) for code in ("de", "en")] == [3 * SITTING, 3 * (64 - SITTING)]
    giqa("label", "stats", votes, "-o", tmp_path / "stats.json")
    assert [one["name"] for one in json.loads((tmp_path / "stats.json").read_text())] == [
        f"votes: {name}" for name in sorted(AXES)
    ]
    giqa("label", "export", "--store", store, "--question", "emotion", "-o", tmp_path / "emotion.csv")
    alone, chosen = read_labels(tmp_path / "emotion.csv"), read_labels(f"{votes}[question=emotion]")
    assert alone.votes_left.tolist() == chosen.votes_left.tolist() and len(alone) == 64

    fakes = {"gan": folders / "gan", "vae": folders / "vae"}
    found = learned_by_question(votes, fakes, reals, tmp_path)
    for question, axis in found.items():
        assert max(axis, key=axis.get) == question and axis[question] > 0.6, found


def learned_by_question(votes, fakes, reals, folder):
    """Question -> direction -> rank correlation of what its model says with the noise in that direction."""
    every = folder / "every"
    every.mkdir()
    for where in fakes.values():
        for path in where.iterdir():
            (every / path.name).write_bytes(path.read_bytes())
    ids = sorted(path.name for path in every.iterdir())
    noise = {
        q: [np.std(np.asarray(Image.open(every / i), float) @ np.array(axis)) for i in ids] for q, axis in AXES.items()
    }
    found = {}
    for question in AXES:
        options = ["--images", every, "--real", reals, "-o", folder / f"{question}.giqa", "--columns", "statistics"]
        printed = giqa("train", "human", f"{votes}[question={question}]", *options, "--vectors", 50)
        assert "votes.csv[question=" in load_realism(folder / f"{question}.giqa").made_by["labels"] and printed
        giqa("score", every, "--real", reals, "--human", folder / f"{question}.giqa", "-o", folder / "s.csv", "-q")
        table = [line.split(",") for line in (folder / "s.csv").read_text().splitlines() if not line.startswith("#")]
        at = {name: table[0].index(name) for name in ("id", "p_preferred")}
        said = {row[at["id"]]: float(row[at["p_preferred"]]) for row in table[1:]}
        ranks = np.argsort(np.argsort([said[i] for i in ids]))
        found[question] = {
            q: float(np.corrcoef(ranks, np.argsort(np.argsort(values)))[0, 1]) for q, values in noise.items()
        }
    return found
