"""From pictures to figures: `giqa label serve`, people over HTTP, `export`, `stats`, `evaluate`, for every task."""

import io
import json
import re
import uuid

import httpx
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from giqa.cli import main
from giqa.study.store import open_store
from giqa.votes.votes import read_labels

pytestmark = pytest.mark.slow

OPTIONS = ["--votes", "2", "--controls", "4", "--tutorial", "2", "--gate", "0.5", "--port", "0", "--dry-run"]
ROWS = {"hype": 44, "hype-time": 44, "pairs": 24, "rating": 50}
KIND = {"hype": "votes", "hype-time": "votes", "pairs": "pairs", "rating": "ratings"}


def giqa(*arguments):
    result = CliRunner(env={"GIQA_ADMIN_PASSWORD": "pw"}).invoke(main, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Reals are redder than the gan's, those than the vae's, and easy ones not at all: raters can go by it."""
    where = tmp_path_factory.mktemp("pictures")
    for kind, number, red in (("reals", 16, 200), ("gan", 6, 100), ("vae", 6, 20), ("easy", 8, 0)):
        (where / kind).mkdir()
        for i in range(number):
            Image.new("RGB", (32, 32), (red + i, 128, 128)).save(where / kind / f"{kind}_{i:02d}.png")
    rows = [f"{kind}_{i:02d}.png,{i + 20 * (kind == 'gan')}" for kind in ("gan", "vae") for i in range(6)]
    (where / "scores.csv").write_text("\n".join(["id,z", *rows]) + "\n")
    return where


def look(png):
    """How red a picture is: 200 and more a real one, 100 and more the gan's."""
    return Image.open(io.BytesIO(png)).getpixel((16, 16))[0]


def answer(task, looks):
    """Redder is better; and everybody takes the gan's for real."""
    if task == "pairs":
        return "left" if looks[0] > looks[1] else "right"
    if task == "rating":
        return "5" if looks[0] >= 200 else "3" if looks[0] >= 100 else "1"
    return "real" if looks[0] >= 100 else "fake"


def sit(base, link, task):
    """One person from the link to the last question, over HTTP alone; False when nobody is asked any more."""
    with httpx.Client(base_url=base) as person:
        page = person.get(link).text
        if person.post(link, data={"csrf": re.search(r'name="csrf" value="(\w+)"', page)[1]}).status_code != 303:
            return False
        token = re.search(r'data-csrf="(\w+)"', person.get(f"{link}/task").text)[1]
        now = person.get(f"{link}/state").json()
        while now["next"]:
            asked = now["next"][0]
            looks = [look(person.get(f"{link}/{one}").content) for one in asked["pictures"]]
            vote = {"id": uuid.uuid4().hex, "trial": asked["trial"], "answer": answer(task, looks)}
            vote |= {"shown_ms": asked.get("exposure"), "response_ms": 400.0 + looks[0]}
            told = person.post(f"{link}/votes", json={"votes": [vote]}, headers={"x-csrf": token}).json()
            assert told["results"][0]["result"] == "kept"
            now = told["state"]
        return now["state"] == "done"


@pytest.mark.parametrize("task", list(KIND))
def test_from_pictures_to_figures(folders, served, tmp_path, task):
    """People judge until the study is full; what they said is exported, counted, and compared with scores.

    Two votes each: in hype 11 fakes (one is in the tutorial) and as many reals, 12 pairs, 12 fakes and 13 reals.
    """
    where = {name: str(folders / name) for name in ("reals", "gan", "vae", "easy")}
    store, votes, all_votes = tmp_path / "v.db", tmp_path / "votes.csv", tmp_path / "all.csv"
    serve = ["label", "serve", f"gan={where['gan']}", f"vae={where['vae']}", "--real", where["reals"], *OPTIONS]
    serve += ["--easy", where["easy"], "--number", 12, "--sitting", 8 if task == "pairs" else 16]
    printed = giqa(*serve, "--task", task, "--store", store)
    link = re.search(rf"{task}: http://127.0.0.1:\d+(/s/\S+)", printed)[1]
    kept = open_store(store)
    with served(kept) as base:
        people = next(n for n in range(9) if not sit(base, link, task))
    kept.close()

    giqa("label", "export", "--store", store, "-o", votes)
    giqa("label", "export", "--store", store, "-o", all_votes, "--everything")
    labels, everything = read_labels(votes), read_labels(all_votes)
    assert type(labels).__name__.lower() == KIND[task] and len(labels) == ROWS[task]
    assert len(all_votes.read_text().splitlines()) == 1 + ROWS[task] + 4 * people  # four controls each; all passed
    counted = everything if task in ("pairs", "rating") else everything.rows(~everything.control)
    assert len(counted) == len(labels)  # controls decide on the gate and count for nothing else

    out = ["-o", tmp_path / "s.json", "--report", tmp_path / "s.html", "--pictures", where["gan"], "--resamples", 100]
    giqa("label", "stats", all_votes, *out)
    (figures,) = json.loads((tmp_path / "s.json").read_text())
    assert (figures["kind"], figures["evaluators"]) == (KIND[task], people)
    assert bool(figures["gates"]) == task.startswith("hype") == ("data:image/" in (tmp_path / "s.html").read_text())
    giqa("evaluate", folders / "scores.csv", "--labels", votes, "--resamples", 20, "-o", tmp_path / "e.json")
    found = json.loads((tmp_path / "e.json").read_text())["figures"]
    if task == "pairs":
        assert found["pair accuracy"]["value"] == 1.0  # of the four pairs without a real, which has no score
    elif task == "rating":
        # ranks 1 to 12 with 1 six times and 3 six times: .25 * 6 / (.5 * sqrt(143 / 12))
        assert found["Spearman"]["value"] == pytest.approx(0.8690, abs=1e-4)
    else:
        errors = {one["generator"]: one["error"]["value"] for one in figures["hype"]}
        assert errors == {"gan": 0.5, "vae": 0.0} and found["AUROC"]["value"] == 1.0


def test_export_as_parquet(folders, store, study_in, served, tmp_path):
    """The same rows as in CSV."""
    pytest.importorskip("pyarrow", reason="giqa[parquet] is not installed")
    study = study_in(store, "hype-time", tutorial=0, controls=0)
    with served(store) as base:
        sit(base, f"/s/{study.token}", "hype-time")
    for ending in ("csv", "parquet"):
        giqa("label", "export", "--store", tmp_path / "votes.db", "-o", tmp_path / f"v.{ending}")
    one, other = (read_labels(tmp_path / f"v.{ending}").columns() for ending in ("csv", "parquet"))
    assert (
        len(one["image"]) == 6
        and all(
            np.array_equal(one[name], other[name], equal_nan=True)
            for name in ("response_ms", "exposure_ms", "position")
        )
        and one["image"].tolist() == other["image"].tolist()
    )
    assert one["said_real"].tolist() == other["said_real"].tolist()
