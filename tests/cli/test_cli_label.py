"""`giqa label serve` and `giqa label export`, and `giqa.study.collect`."""

import csv
import io
import socket
import subprocess
import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from PIL import Image

pytest.importorskip("sqlalchemy", reason="giqa[humans] is not installed")

from giqa.cli import main
from giqa.errors import BadTable
from giqa.study.collect import collect
from giqa.study.progress import table
from giqa.study.session import join, keep, rater_of
from giqa.study.store import open_store


def giqa(*arguments):
    result = CliRunner(env={"GIQA_ADMIN_PASSWORD": "pw"}).invoke(main, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("module", ["sqlalchemy", "alembic", "starlette", "uvicorn"])
def test_a_missing_extra_says_what_to_install(toy, tmp_path, module):
    code = f"import sys; sys.modules[{module!r}] = None; from giqa.cli import main; main()"
    command = [sys.executable, "-c", code, "label", "serve", str(toy[1]), "--real", str(toy[0]), "--task", "hype"]
    command += ["--dry-run", "--port", "0", "--store", str(tmp_path / "v.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "pip install 'giqa[humans]'" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("task", ["hype", "hype-time", "pairs", "rating"])
def test_serve_makes_the_study_and_says_where(toy, tmp_path, task):
    """--dry-run: the study is in the store, its link and the admin page are printed; again: it is the same study."""
    store = tmp_path / "v.db"
    made = giqa("label", "serve", toy[1], "--real", toy[0], "--task", task, "--store", store, "--dry-run")
    assert made[0] == 0 and f"{task}: http://127.0.0.1:" in made[1] and "/admin" in made[1]
    token = made[1].split("/s/")[1].split()[0]
    again = giqa("label", "serve", toy[1], "--real", toy[0], "--task", task, "--store", store, "--dry-run", "--port", 0)
    assert token in again[1] and "going on with it" in again[2]
    assert token in giqa("label", "serve", "--store", store, "--dry-run", "--port", 0)[1]


@pytest.mark.parametrize(
    ("steps", "says", "warns"), [(None, "-30/+10 ms converge where 25%", True), ("10,30", "75%", False)]
)
def test_the_timed_task_says_where_its_steps_converge(toy, tmp_path, steps, says, warns):
    """up / (up + down): 10 / 40 by default, below what guessing gets, and 30 / 40 with the balanced ones."""
    store = tmp_path / "v.db"
    given = ["label", "serve", toy[1], "--real", toy[0], "--task", "hype-time", "--store", store, "--dry-run"]
    status, _, err = giqa(*given, "--port", 0, *(["--steps", steps] if steps else []))
    assert status == 0 and says in err and ("take --steps 10,30" in err) == warns
    kept = open_store(store)
    (study,) = kept.studies()
    kept.close()
    assert (study.settings.down, study.settings.up) == ((10, 30) if steps else (30, 10))


def test_a_password_is_made_when_none_is_given(toy, tmp_path):
    """Printed at the first start alone: afterwards only its hash is known."""
    arguments = ["label", "serve", str(toy[1]), "--real", str(toy[0]), "--task", "hype", "--dry-run", "--port", "0"]
    arguments += ["--store", str(tmp_path / "v.db")]
    first, second = (CliRunner(env={"GIQA_ADMIN_PASSWORD": ""}).invoke(main, arguments) for _ in range(2))
    assert "admin password, shown once: " in first.stderr and "password" not in second.stderr


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--host", "", "--host '' is no address"),
        ("--host", "<broadcast>", "is no address; 127.0.0.1: this machine only"),
        ("--proxy", "nginx", "--proxy 'nginx' is no address; give that of the proxy, such as 10.0.0.5"),
        ("--proxy", "*", "is no address"),
        ("--proxy", "10.0.0.1,", "--proxy '' is no address"),
    ],
)
def test_what_is_no_address_is_no_host_and_no_proxy(tmp_path, option, value, says):
    """An empty variable of a script would listen to everybody; a name of a proxy would be believed never."""
    open_store(tmp_path / "v.db").close()
    status, _, err = giqa("label", "serve", "--store", tmp_path / "v.db", "--dry-run", option, value)
    assert status == 2 and (says in err or "holds no study" in err)


def test_answers_are_sent_at_once(toy, tmp_path, monkeypatch):
    """A socket of TCP by name: of another, asyncio leaves Nagle's algorithm on, and each answer waits 40 ms."""
    seen = []
    monkeypatch.setattr("giqa.study.app.serve", lambda store, listening, https, proxy: seen.append(listening.proto))
    given = ["label", "serve", toy[1], "--real", toy[0], "--task", "hype", "--store", tmp_path / "v.db", "--port", 0]
    assert giqa(*given)[0] == 0 and seen == [socket.IPPROTO_TCP]


def test_no_name_steers_the_terminal_to_which_votes_are_written(toy, tmp_path, monkeypatch):
    """In a pipe they are as they are; in a terminal an escape is written out."""
    store = open_store(tmp_path / "v.db")
    study = collect(toy[1], toy[0], task="hype", store=store, tutorial=0, controls=0, context="\x1b[31m")
    join(store, study, "cookie")
    rater = rater_of(store, study, "cookie")
    vote = {"id": "x" * 20, "trial": rater.trials[0].id, "shown_ms": None, "response_ms": 5.0}
    keep(store, study, rater, [vote | {"revision": 0, "answer": "real"}])
    store.close()
    assert "\x1b[31m" in giqa("label", "export", "--store", tmp_path / "v.db")[1]
    terminal = SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("giqa.cli.label_exchange.sys", terminal)
    assert ",\\x1b[31m," in giqa("label", "export", "--store", tmp_path / "v.db")[1]


def test_export_writes_the_tables_form(toy, tmp_path):
    """Columns image, rater, said_real, context, and more; ids are those of the score tables."""
    store = open_store(tmp_path / "v.db")
    study = collect(toy[1], toy[0], task="hype", store=store, tutorial=0, controls=0, sitting=4)
    join(store, study, "cookie")
    rater = rater_of(store, study, "cookie")
    times = {"shown_ms": None, "response_ms": 5.0, "revision": 0, "answer": "real"}
    for trial in rater.trials:
        keep(store, study, rater, [{"id": "x" * 20 + trial.id[:8], "trial": trial.id} | times])
    store.close()
    status, out, _ = giqa("label", "export", "--store", tmp_path / "v.db")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert status == 0 and list(rows[0])[:4] == ["image", "rater", "said_real", "context"] and len(rows) == 4
    assert {row["said_real"] for row in rows} == {"1"} and {row["context"] for row in rows} == {"fakes"}
    fakes = {row["image"] for row in rows if row["kind"] == "generated"}
    assert len(fakes) == 2 and fakes <= {path.name for path in toy[1].iterdir()}
    status, _, err = giqa("label", "export", "--store", tmp_path / "v.db", "-o", tmp_path / "v.csv")
    assert status == 0 and (tmp_path / "v.csv").read_text() == out
    assert err.splitlines()[-1] == f"Next: giqa label stats {tmp_path / 'v.csv'} --report people.html"


def test_an_export_without_votes_says_why(toy, tmp_path):
    """A study that nobody has answered gives an empty table, and a line that says so."""
    store = open_store(tmp_path / "v.db")
    collect(toy[1], toy[0], task="hype", store=store)
    store.close()
    status, _, err = giqa("label", "export", "--store", tmp_path / "v.db", "-o", tmp_path / "v.csv")
    assert status == 0 and "warning: no vote counts yet; 0 are kept" in err
    assert err.splitlines()[-1] == "Next: send the link to raters."


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["label", "serve", "--store", "none.db"], "holds no study; give FAKES"),
        (["label", "serve", "{fakes}", "--real", "{reals}"], "Give --task"),
        (["label", "serve", "{fakes}", "--task", "hype"], "Too few reals"),
        (
            ["label", "serve", "{fakes}", "--real", "{reals}", "--task", "hype", "--steps", "10,30"],
            "for --task hype-time",
        ),
        (["label", "serve", "{fakes}", "--real", "{reals}", "--task", "hype-time", "--steps", "10"], "DOWN,UP"),
        (["label", "export", "--store", "nothing.db"], "There is no store nothing.db"),
        (["label", "serve", "{fakes}", "--real", "{reals}", "--task", "hype", "--sitting", "500"], "sitting=500"),
    ],
)
def test_mistakes_are_said(toy, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    status, _, err = giqa(*(one.format(fakes=toy[1], reals=toy[0]) for one in arguments))
    assert status == 2 and words in err


def folder(path, names):
    path.mkdir()
    for place, name in enumerate(names):
        Image.new("RGB", (32, 32), (place, 0, 0)).save(path / name)
    return path


def test_several_generators_and_equal_names(tmp_path):
    """NAME=SOURCE names a generator; a name that is there twice is told apart by it, and the context names both."""
    names = [f"{i}.png" for i in range(4)]
    a, b, reals = (folder(tmp_path / which, names) for which in ("a", "b", "r"))
    store = open_store(tmp_path / "v.db")
    options = {"tutorial": 0, "controls": 0}
    study = collect([f"one={a}", str(b)], reals, task="rating", store=store, **options)
    assert study.settings.context == "one+b"
    join(store, study, "cookie")
    rater = rater_of(store, study, "cookie")
    vote = {"answer": "3", "shown_ms": None, "response_ms": None, "revision": 0}
    for trial in rater.trials:
        keep(store, study, rater, [vote | {"id": trial.id + "x" * 20, "trial": trial.id}])
    assert {row["image"] for row in table(store, study)} == {f"{g}/{n}" for g in ("one", "b", "real") for n in names}
    store.close()


def test_pairs_from_a_table(tmp_path):
    a, reals = (folder(tmp_path / which, [f"{which}{i}.png" for i in range(4)]) for which in ("a", "r"))
    (tmp_path / "pairs.csv").write_text("left,right\na0.png,r1.png\na1.png,a2.png\n")
    (tmp_path / "bad.csv").write_text("one,two\na0.png,r1.png\n")
    store = open_store(tmp_path / "v.db")
    options = {"task": "pairs", "store": store, "tutorial": 0, "controls": 0}
    study = collect(a, reals, pairs=tmp_path / "pairs.csv", **options)
    assert study.settings.sitting == 2
    with pytest.raises(BadTable, match="columns left and right; it has one, two"):
        collect(a, reals, pairs=tmp_path / "bad.csv", name="other", **options)
    store.close()
