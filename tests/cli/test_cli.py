import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from giqa import registry
from giqa.cli import main
from giqa.cli.console import parse_size, size
from giqa.model.columns import COLUMNS


def giqa(*arguments):
    """Run a command in this process: exit status, stdout, stderr; a traceback is a failure."""
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_score_prints_csv_in_a_pipe(toy):
    """`giqa score FAKES --real REALS > scores.csv` is a table with the documented columns, nothing else on stdout."""
    status, out, err = giqa("score", toy[1], "--real", toy[0])
    assert status == 0
    table = rows(out)
    assert list(table[0]) == [*COLUMNS, "detail", "reason"]
    assert [row["id"] for row in table] == sorted(p.name for p in toy[1].iterdir())
    assert all(0 < float(row["percentile"]) <= 1 for row in table)
    assert "of the pictures are within the range of reals" in err


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_score_writes_files(toy, tmp_path, ending):
    """-o writes the table by its ending, and says so; how it was made goes with it."""
    from giqa import read_scores

    status, out, err = giqa(
        "score", toy[1], "--real", toy[0], "-o", tmp_path / f"s.{ending}", "--report", tmp_path / "r.html"
    )
    assert (status, out) == (0, "")
    assert f"wrote {tmp_path / f's.{ending}'}" in err and f"wrote {tmp_path / 'r.html'}" in err
    scores = read_scores(tmp_path / f"s.{ending}")
    assert (
        len(scores) == 24
        and scores.made_by["extractor"] == "embedded(crops=False, device='cpu', layers=None, version=2, weights=None)"
    )
    assert "<html" in (tmp_path / "r.html").read_text()


def test_fit_then_score_equals_score(toy, tmp_path):
    """`fit` once and `score --model` print what `score --real` prints."""
    status, _, err = giqa("fit", toy[0], "-o", tmp_path / "reals.giqa", "--scorer", "knn(k=2)")
    assert (
        status == 0
        and "60 reals, knn (k 2) on embedded(crops=False, device='cpu', layers=None, version=2, weights=None)" in err
    )
    with_model = giqa("score", toy[1], "--model", tmp_path / "reals.giqa")
    assert with_model[:2] == giqa("score", toy[1], "--real", toy[0], "--scorer", "knn(k=2)")[:2]
    status, out, _ = giqa("info", tmp_path / "reals.giqa", "--json")
    assert json.loads(out)["scorer"] == "knn(k=2, preset='recommended')"
    status, out, err = giqa("info", tmp_path / "reals.giqa")
    assert "knn(k=2, preset='recommended')" in out and "learned from\t60 reals" in out and "made_by" not in out
    assert f"giqa score FAKES --model {tmp_path / 'reals.giqa'}" in out and "--json" in err


def test_report_of_a_model_with_kept_thumbnails_shows_reals(toy, tmp_path):
    """--keep-thumbnails puts small pictures of the reals into the model; without it the report has none."""
    giqa("fit", toy[0], "-o", tmp_path / "with.giqa", "--keep-thumbnails")
    giqa("fit", toy[0], "-o", tmp_path / "without.giqa")
    sizes = {}
    for name in ("with", "without"):
        giqa("score", toy[1], "--model", tmp_path / f"{name}.giqa", "--report", tmp_path / f"{name}.html", "--no-paths")
        sizes[name] = (tmp_path / f"{name}.html").stat().st_size
    assert sizes["with"] > sizes["without"] + 5000
    giqa(
        "score",
        toy[1],
        "--model",
        tmp_path / "without.giqa",
        "--real",
        toy[0],
        "--report",
        tmp_path / "both.html",
        "--no-paths",
    )
    assert (tmp_path / "both.html").stat().st_size == pytest.approx(sizes["with"], rel=0.05)


def test_privacy_switches_reach_the_report(toy, tmp_path):
    """--no-reals: no name of a real; --no-paths: no file name at all; --no-thumbnails: a small file."""
    report = tmp_path / "r.html"
    giqa("score", toy[1], "--real", toy[0], "--report", report)
    full = report.read_text()
    assert "real_0" in full and "fake_000" in full
    giqa("score", toy[1], "--real", toy[0], "--report", report, "--no-reals")
    assert "real_0" not in report.read_text()
    giqa("score", toy[1], "--real", toy[0], "--report", report, "--no-paths")
    assert "real_0" not in report.read_text() and "fake_000" not in report.read_text()
    giqa("score", toy[1], "--real", toy[0], "--report", report, "--no-thumbnails")
    assert "UklGR" in full and "UklGR" not in report.read_text()  # how base64 of a WebP begins


def test_broken_pictures_warn_and_strict_exits_with_1(toy, tmp_path):
    """An unreadable picture: a row without a score, a warning by name with a count, exit 0; 1 with --strict."""
    for path in toy[1].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    status, out, err = giqa("score", tmp_path, "--real", toy[0])
    (broken,) = [row for row in rows(out) if row["error"]]
    assert (status, broken["id"], broken["score"], broken["z"]) == (0, "broken.png", "", "")
    assert "warning: broken.png: " in err and "1 warning: pictures without a score" in err
    assert giqa("score", tmp_path, "--real", toy[0], "--strict")[0] == 1
    assert giqa("score", tmp_path, "--real", toy[0], "--quiet")[2] == ""


def test_nothing_scored_is_exit_status_2(toy, tmp_path):
    """Where no picture at all could be scored, the table is written with the reasons, and the status is 2."""
    fakes = tmp_path / "fakes"
    fakes.mkdir()
    (fakes / "a.png").write_bytes(b"no")
    status, _, err = giqa("score", fakes, "--real", toy[0], "-o", tmp_path / "s.csv")
    assert status == 2 and "none of the 1 pictures could be scored; the first: not an image" in err
    assert (tmp_path / "s.csv").is_file()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            ["score", "FAKES", "--real", "REALS", "--report", "x.pdf"],
            "A report is written as .html or .htm, got 'x.pdf'.",
        ),
        (["compare", "FAKES", "--real", "REALS", "--report", "x"], "A report is written as .html or .htm, got 'x'."),
        (["compare", "FAKES", "--real", "REALS", "-o", "c.txt"], "Figures are written as .json, got 'c.txt'."),
        (["track", "FAKES", "--real", "REALS", "-o", "c.csv"], "Figures are written as .json, got 'c.csv'."),
        (["bench", "FAKES", "-o", "c.csv"], "Figures are written as .json, got 'c.csv'."),
        (["label", "stats", "FAKES", "--labels", "c.txt"], "A table is written as .csv or .tsv or .parquet, got"),
    ],
)
def test_an_ending_that_nothing_is_written_as_is_refused_before_the_work(command, words, tmp_path, monkeypatch):
    """One sentence with the endings that work and status 2, although the sources are not even there."""
    monkeypatch.chdir(tmp_path)
    status, out, err = giqa(*command)
    assert (status, out) == (2, "") and words in err and len(err.splitlines()) == 1 and not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_found_out_before_the_work(toy, tmp_path):
    """A file in the way of the folder: one sentence and status 2, for scores, report and model; no traceback."""
    (tmp_path / "file").write_text("")
    for place in ("-o", "--report"):
        name = {"-o": "x.csv", "--report": "x.html"}[place]
        status, out, err = giqa("score", toy[1], "--real", toy[0], place, tmp_path / "file" / name)
        assert (status, out) == (2, "") and err.startswith("giqa: ") and len(err.splitlines()) == 1
    assert giqa("fit", toy[0], "-o", tmp_path / "file" / "x.giqa")[0] == 2


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "not enough memory"),
        (RuntimeError("can't start new thread"), "not enough memory"),
        (ImportError("x.so: failed to map segment from shared object"), "not enough memory"),
        (OSError(28, "No space left on device"), "No space left on device: .*s.csv"),
    ],
)
def test_what_the_system_refuses_is_one_sentence(toy, tmp_path, monkeypatch, error, words):
    """No memory, no thread, no room on the disk: exit status 2, the file by its own name, and nothing half-written."""

    def refuse(*_):
        raise error

    monkeypatch.setattr("giqa.files.os.replace", refuse)
    status, _, err = giqa("score", toy[1], "--real", toy[0], "-o", tmp_path / "s.csv", "--no-store", "-q")
    assert status == 2 and re.search(words, err) and list(tmp_path.iterdir()) == []


def test_a_home_that_cannot_be_written_costs_a_warning(toy, tmp_path, monkeypatch):
    """The store is only a cache: without it the run goes on."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GIQA_HOME", str(tmp_path / "file"))
    status, out, err = giqa("score", toy[1], "--real", toy[0])
    assert status == 0 and len(rows(out)) == 24
    assert "warning: features cannot be kept in" in err and "set GIQA_HOME" in err


@pytest.mark.slow
def test_sets_saved_differently_are_warned_of(toy, tmp_path):
    """JPEG reals against PNG fakes: a warning names the difference and the remedy; --match is silent."""
    for path in toy[0].iterdir():
        Image.open(path).save(tmp_path / f"{path.stem}.jpg", quality=60)
    assert "saved differently (coding)" in giqa("score", toy[1], "--real", tmp_path)[2]
    assert "saved differently" not in giqa("score", toy[1], "--real", tmp_path, "--match")[2]
    assert "saved differently" not in giqa("score", toy[1], "--real", toy[0])[2]


def test_switches_of_the_report_need_a_report(toy):
    status, _, err = giqa("score", toy[1], "--real", toy[0], "--no-paths")
    assert status == 2 and "give --report FILE too" in err


@pytest.mark.slow
def test_every_kind_of_source(toy, tmp_path):
    """Folder, zip, glob, list, table with a filter and array name the same pictures and give the same scores."""
    fakes = sorted(toy[1].iterdir())
    with zipfile.ZipFile(tmp_path / "fakes.zip", "w") as archive:
        for path in fakes:
            archive.write(path, path.name)
    (tmp_path / "fakes.txt").write_text("\n".join(map(str, fakes)))
    np.savez(tmp_path / "fakes.npz", images=np.stack([np.asarray(Image.open(p)) for p in fakes]))
    sources = [toy[1], tmp_path / "fakes.zip", toy[1] / "*.png", tmp_path / "fakes.txt", tmp_path / "fakes.npz"]
    sources.append(f"{toy[1].parent / 'labels.csv'}[kind=generated]")
    tables = [rows(giqa("score", source, "--real", toy[0])[1]) for source in sources]
    for table in tables[1:]:
        assert [row["score"] for row in table] == [row["score"] for row in tables[0]]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["score", "{missing}", "--real", "{reals}"], "There is no"),
        (["score", "{fakes}", "--real", "{missing}"], "There is no"),
        (["score", "{fakes}"], "Score against what?"),
        (["score", "{empty}", "--real", "{reals}"], "No pictures in the folder"),
        (["score", "{fakes}", "--real", "{few}"], "At least 20 different real pictures are needed"),
        (["score", "{fakes}", "--real", "{reals}", "--scorer", "knn("], "Cannot read the spec 'knn('"),
        (["score", "{fakes}", "--real", "{reals}", "--scorer", "knn(k=0)"], "whole number from 1"),
        (["score", "{fakes}", "--real", "{reals}", "--scorer", "knn(k='2')"], "whole number or None"),
        (["score", "{fakes}", "--real", "{reals}", "--scorer", "knn(m=2)"], "knn has no parameter 'm'"),
        (["score", "{fakes}", "--real", "{reals}", "--scorer", "knn(k=59)"], "lower k or add pictures"),
        (["score", "{fakes}", "--real", "{reals}", "--extractor", "inceptoin"], "Did you mean 'inception'"),
        (["score", "{fakes}", "--real", "{reals}", "--extractor", "inception(weights='nowhere')"], "nowhere"),
        (["score", "{fakes}", "--real", "{reals}", "--extractor", "inception"], "pt_inception-2015-12-05-6726825d.pth"),
        (["score", "{fakes}", "--real", "{reals}", "--match", "match(size='big')"], "match"),
        (["score", "{fakes}", "--real", "{reals}", "-o", "scores.txt"], ".csv, .jsonl or .parquet"),
        (["score", "{fakes}", "--model", "{missing}.giqa"], "There is no model file"),
        (["score", "{fakes}", "--model", "{table}"], "is not a giqa model"),
        (["score", "{table}[kind=fake]", "--real", "{reals}"], "generated"),
        (["score", "{table}[knd=real]", "--real", "{reals}"], "kind"),
        (["info", "{missing}.giqa"], "There is no model file"),
        (["weights", "pull", "vgg"], "inception-fid"),
        (["weights", "import", "{missing}"], "There is no file"),
        (["cache", "prune", "--to", "much"], "A size is a number"),
        (["doctor", "{missing}"], "There is no"),
    ],
)
def test_mistakes_get_one_sentence_and_exit_status_2(toy, tmp_path, arguments, says):
    """Missing paths, empty folders, too few reals, bad specs: one clear sentence, status 2, no traceback."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "few.txt").write_text("\n".join(str(p) for p in sorted(toy[0].iterdir())[:19]))
    places = {
        "missing": tmp_path / "nowhere",
        "empty": tmp_path / "empty",
        "few": tmp_path / "few.txt",
        "reals": toy[0],
        "fakes": toy[1],
        "table": toy[0].parent / "labels.csv",
    }
    status, out, err = giqa(*(a.format(**places) for a in arguments))
    assert (status, out) == (2, "")
    assert err.startswith("giqa: ") and says in err
    assert len(err.strip().splitlines()) == 1


def test_match_alone_is_chosen_from_both_sets(toy, tmp_path):
    """JPEG reals against PNG fakes: --match finds one coding, says which, records it; `doctor` proposes the same."""
    for path in toy[0].iterdir():
        Image.open(path).save(tmp_path / f"{path.stem}.jpg", quality=60)
    status, _, err = giqa("score", toy[1], "--real", tmp_path, "--match", "-o", tmp_path / "s.csv")
    (spec,) = re.findall(r"match: (match\(.*\))", err)
    assert status == 0 and "coding='jpeg'" in spec
    assert json.loads((tmp_path / "s.csv.json").read_text())["match"] == spec
    (tmp_path / "s.csv").unlink()
    (tmp_path / "s.csv.json").unlink()
    assert spec in giqa("doctor", tmp_path, toy[1])[1]


def test_doctor_says_what_is_installed_and_exits_1_when_bad(toy, tmp_path):
    """Alone: 0 and a list. With too few reals: a finding 'bad' and 1."""
    status, out, _ = giqa("doctor")
    assert status == 0 and "numpy" in out and "inception-fid" in out
    (tmp_path / "few.txt").write_text("\n".join(str(p) for p in sorted(toy[0].iterdir())[:10]))
    status, out, _ = giqa("doctor", tmp_path / "few.txt", toy[1])
    assert status == 1 and "bad" in out


def test_cache_lists_prunes_and_clears(toy):
    """What scoring kept is listed with its size, and goes when asked."""
    giqa("score", toy[1], "--real", toy[0])
    _, out, _ = giqa("cache", "list")
    assert "84" in out and "statistics" in out
    assert "freed 0 B" in giqa("cache", "prune", "--to", "1GB")[2]
    assert re.search(r"freed \d", giqa("cache", "clear")[2])
    assert "84" not in giqa("cache", "list")[1]


def test_weights_commands(tmp_path):
    """list, import under a name, verify, and a changed file is refused."""
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(3, np.float32)}, tmp_path / "own.safetensors")
    assert "not here" in giqa("weights", "list")[1]
    assert giqa("weights", "import", tmp_path / "own.safetensors")[0] == 2  # unknown file, no name
    status, _, err = giqa("weights", "import", tmp_path / "own.safetensors", "--name", "own")
    assert status == 0
    place = re.search(r"own is in (\S+)", err)[1]
    assert "own: good" in giqa("weights", "verify")[2]
    with open(place, "ab") as file:
        file.write(b"!")
    status, _, err = giqa("weights", "verify")
    assert status == 2 and "recorded" in err and "found" in err


def test_list_names_everything_registered():
    _, out, _ = giqa("list")
    for kind in registry.BUILTIN:
        for name in registry.names(kind):
            assert f"{kind}\t{name}\t" in out


@pytest.mark.slow
def test_demo_writes_scores_and_report(demo_features, tmp_path):
    """`giqa demo`: a ranked table on stdout, scores.csv and report.html in its folder."""
    status, out, err = giqa("demo", "-o", tmp_path / "demo")
    assert status == 0
    assert "none_0.00.png" in out.splitlines()[1]  # the best one has no damage
    assert (tmp_path / "demo" / "scores.csv").is_file() and (tmp_path / "demo" / "report.html").is_file()
    assert "Your turn" in err


def test_sizes_for_people():
    assert [size(0), size(2048), size(3 * 1024**3)] == ["0 B", "2.0 kB", "3.0 GB"]
    assert [parse_size("1.5 kB"), parse_size("10GB"), parse_size("7")] == [1536, 10 * 1024**3, 7]


@pytest.mark.slow
def test_ctrl_c_leaves_a_state_that_goes_on(tmp_path):
    """Interrupted while scoring: status 130 and a sentence; run again, it takes what is there and ends as usual."""
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "reals.npz", images=rng.integers(0, 256, (40, 16, 16, 3), dtype=np.uint8))
    np.savez(tmp_path / "fakes.npz", images=rng.integers(0, 256, (300, 64, 64, 3), dtype=np.uint8))
    home = tmp_path / "home"
    command = [
        sys.executable,
        "-m",
        "giqa.cli",
        "score",
        tmp_path / "fakes.npz",
        "--real",
        tmp_path / "reals.npz",
        "--workers",
        "1",
    ]
    process = subprocess.Popen(
        command,
        env={"GIQA_HOME": str(home), "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a job in the background inherits that SIGINT is ignored, and so would the command
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while sum(f.stat().st_size for f in home.rglob("*.keys")) < 20 * 60 and time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and out == "" and "run the same command again" in err
    kept = sum(f.stat().st_size for f in home.rglob("*.keys")) // 20
    assert 60 <= kept < 680
    again = subprocess.run(
        command, env={"GIQA_HOME": str(home), "PATH": ""}, capture_output=True, text=True, check=True
    )
    assert len(again.stdout.splitlines()) == 301
    kept = sum(f.stat().st_size for f in home.rglob("*.keys")) // 20
    assert kept == 680  # for z and for detail; nothing was computed twice


def test_score_by_class_says_each_class(toy, tmp_path):
    """`score --class folder`: a sentence a class, one table, and a model or human model is refused."""
    for kind, folder in zip(("reals", "fakes"), toy, strict=True):
        for name in ("cat", "dog"):
            (tmp_path / kind / name).mkdir(parents=True)
        for row, path in enumerate(sorted(folder.iterdir())):
            (tmp_path / kind / ("cat", "dog")[row % 2] / path.name).symlink_to(path)
    command = ["score", tmp_path / "fakes", "--class", "folder", "--scorer", "knn", "-o", tmp_path / "s.csv"]
    status, _, err = giqa(*command, "--real", tmp_path / "reals")
    assert status == 0 and re.search(r"^cat: \d+ % \[.*\] of 12 are within the range of its \d+ reals\.$", err, re.M)
    assert "the table does not say" not in err and len(rows((tmp_path / "s.csv").read_text())) == 24
    status, _, err = giqa(*command, "--model", tmp_path / "m.giqa")
    assert status == 2 and "give --real, and neither --model nor --human" in err


def test_every_command_ends_with_one_next_step(toy, tmp_path):
    """What was written, then one line that begins with Next."""
    scores, model = tmp_path / "s.csv", tmp_path / "m.giqa"
    small = ["--extractor", "statistics", "--scorer", "knn"]
    for command, step in (
        (["score", toy[1], "--real", toy[0], "-o", scores, *small], f"Next: giqa pick {scores} --images"),
        (["fit", toy[0], "-o", model, *small], f"Next: giqa score FAKES --model {model}"),
        (["pick", scores, "--images", toy[1], "--top", 3, "-o", tmp_path / "best"], "Next: giqa compare --real REALS"),
        (["compare", "--real", toy[0], f"A={toy[1]}", "--metrics", "qs", *small], "Next: add --report compare.html"),
        (["suggest", toy[1], "-n", 3, "-o", tmp_path / "n.csv"], "Next: giqa label serve"),
    ):
        status, _, err = giqa(*command)
        assert status == 0 and err.splitlines()[-1].startswith(step), err
        assert err.count("Next:") == 1


def test_a_console_without_a_name_s_letters_gets_their_numbers():
    """A console of Windows (cp1252) shows what it can, and the command ends well."""
    code = r"from giqa.cli import main; main(['list'], standalone_mode=False); print('\u56fe.png')"
    asked = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-c", code], env=asked, capture_output=True, encoding="cp1252")
    assert done.returncode == 0 and done.stdout.endswith("\\u56fe.png\n"), done.stderr


@pytest.mark.parametrize(
    ("command", "stream", "said"),
    [
        ("list", ">&-", "giqa: not writable: standard output"),
        ("--help", ">&-", "giqa: not writable: standard output"),
        ("--help", ">/dev/full", "giqa: No space left on device: standard output"),
        ("list", ">/dev/full", "giqa: No space left on device: standard output"),
        ("a\x1b[31mb.png", "", r"a\x1b[31mb.png"),
    ],
)
def test_closed_and_full_streams_end_in_a_sentence(command, stream, said):
    """`>&-` leaves Python without the stream; a pattern such as *.png may bring any name into a command."""
    asked = ["sh", "-c", f'"$@" {stream}', "sh", sys.executable, "-m", "giqa.cli", command]
    done = subprocess.run(asked, capture_output=True, text=True)
    assert done.returncode == 2 and said in done.stderr
    assert "Traceback" not in done.stderr and "\x1b" not in done.stderr


def test_what_is_said_where_nobody_can_hear_it_costs_no_result(toy, tmp_path):
    """Warnings are lost; the table is whole, and no warning is in it."""
    asked = [sys.executable, "-m", "giqa.cli", "score", str(toy[1]), "--real", str(toy[0]), "--extractor", "statistics"]
    heard = subprocess.run(asked, capture_output=True)
    for closed in ("2>&-", "2>/dev/full"):
        done = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", *asked], capture_output=True)
        assert done.returncode == 0 and done.stdout == heard.stdout


def in_a_terminal(*command):
    """What a command writes where stdout and stderr are a terminal."""
    mine, its = pty.openpty()
    with subprocess.Popen([sys.executable, "-m", "giqa.cli", *command], stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        shown = b""
        while True:
            try:
                shown += os.read(mine, 65536)
            except OSError:  # the other end is closed
                break
    os.close(mine)
    assert process.returncode in (0, 2), shown
    return shown.decode()


def test_no_file_name_steers_the_terminal(toy, tmp_path):
    """Escape sequences, a title, text turned around: in the table of a terminal, in warnings and in errors."""
    for name, seed in zip(("\x1b[31mred\x1b[0m.png", "a\u202egnp.exe.png", "\x9b2Jc.png"), range(3), strict=True):
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(tmp_path / name)
    (tmp_path / "\x1b]0;title\x07broken.png").write_bytes(b"no picture")
    shown = in_a_terminal("score", str(tmp_path), "--real", str(toy[0]), "--extractor", "statistics")
    shown += in_a_terminal("score", "\x1b]0;no\x07", "--real", str(toy[0]))
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\s", "", shown)  # what the progress bar and the table send themselves
    for escaped in (r"\x1b[31mred", r"a\u202egnp", r"\x9b2Jc", r"\x1b]0;title\x07broken", r"\x1b]0;no\x07"):
        assert escaped in shown
    assert not set(shown) & set("\x1b\x07\x9b\u202e")
