"""Every benchmark says what it measures, needs and takes; all share one command line and one way to write results."""

import ast
import json
import re
import sys

import pytest

from benchmarks import __main__ as listing
from benchmarks import shared

FOLDER = shared.ROOT / "benchmarks"
FILES = sorted(FOLDER.glob("*/*.py"))
SCRIPTS = [file for file in FILES if not file.name.startswith("_")]


def module_of(file):
    return f"benchmarks.{file.parent.name}.{file.stem}"


def test_every_folder_is_a_page():
    assert {file.parent.name for file in FILES} == set(shared.PAGES)


@pytest.mark.parametrize("file", SCRIPTS, ids=module_of)
def test_docstring_has_the_form_that_is_listed(file):
    """One sentence, an example that names the module, what it needs, and how long it takes."""
    script = listing.described(module_of(file), file)
    assert script.sentence[-1] in ".?" and len(script.sentence) > 20
    head = ast.get_docstring(ast.parse(file.read_text())).partition("\nNeeds:")[0]
    assert f"\n    python -m {script.module}" in head and "\nTakes:" not in head


@pytest.mark.parametrize("file", SCRIPTS, ids=module_of)
def test_help_is_that_of_the_shared_parser(file):
    """`main` asks `command` for its parser, and nothing reads the arguments by itself: so each answers --help."""
    text, names = file.read_text(), set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            names.add(ast.unparse(node.func))
    assert "command(__file__, __doc__" in text and text.endswith('if __name__ == "__main__":\n    main()\n')
    assert not names & {"argparse.ArgumentParser", "ArgumentParser"} and "sys.argv" not in text


@pytest.mark.parametrize("file", [file for file in FILES if file.name.startswith("_")], ids=module_of)
def test_parts_are_no_scripts(file):
    assert "__main__" not in file.read_text()


def test_the_list_has_every_script_and_imports_none(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    before = set(sys.modules)
    listing.main()
    assert not {name for name in set(sys.modules) - before if name.startswith("benchmarks.")}
    printed = capsys.readouterr().out
    assert [line.split()[2] for line in printed.splitlines() if line.startswith("  python")] == [
        module_of(file) for page in shared.PAGES for file in SCRIPTS if file.parent.name == page
    ]


def test_a_page_that_is_not_there_is_named(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmarks", "speeed"])
    with pytest.raises(SystemExit):
        listing.main()
    assert "no page 'speeed'; take one of accuracy, coverage, metrics" in capsys.readouterr().err


# --- results


@pytest.fixture
def script(tmp_path, monkeypatch):
    """A benchmark that prints one table: called with its arguments."""
    file = FOLDER / "votes" / "example.py"  # not there, and not read

    def run(*given, fails=False):
        monkeypatch.setattr(sys, "argv", ["example.py", *map(str, given)])
        parser = shared.command(str(file), "What is measured.\n\n    python ...", "json")
        parser.add_argument("--seeds", type=int, default=3)
        options = parser.parse_args()
        with shared.results(options):
            shared.head("way", "AUC")
            shared.row("random", 0.5)
            options.figures["random"] = 0.5
            if fails:
                raise ValueError("half of it")

    return run


def test_results_are_written_with_what_made_them(script, tmp_path, capsys):
    """The sentence, the command without --write, the machine, and what was printed."""
    script("--write", tmp_path / "a" / "r.md", "--seeds", "4")
    sentence, line, about, *table = [x for x in (tmp_path / "a" / "r.md").read_text().splitlines() if x]
    assert sentence == "# What is measured." and table == ["| way | AUC |", "|---|---|", "| random | 0.5 |"]
    assert line == "    python -m benchmarks.votes.example --seeds 4"
    assert about.startswith("giqa 0") and "cores" in about and about.endswith(" s")
    assert "| random | 0.5 |" in (printed := capsys.readouterr().out) and about in printed


def test_every_figure_is_written_as_json(script, tmp_path):
    script("--json", tmp_path / "f.json")
    found = json.loads((tmp_path / "f.json").read_text())
    assert found["figures"] == {"random": 0.5} and found["about"].startswith("giqa")


def test_a_run_that_fails_writes_nothing(script, tmp_path):
    with pytest.raises(ValueError, match="half of it"):
        script("--write", tmp_path / "r.md", "--json", tmp_path / "f.json", fails=True)
    assert list(tmp_path.iterdir()) == []


def test_results_belong_to_the_page_by_default(script, capsys):
    with pytest.raises(SystemExit):
        script("--help")
    said = " ".join(capsys.readouterr().out.split())
    assert "What is measured." in said and "benchmarks/results/votes/example.md" in said


# --- arguments and clocks


def test_a_name_that_is_none_of_the_known_is_refused():
    parse = shared.names("faces", "game")
    assert parse("game,faces") == ["game", "faces"]
    with pytest.raises(shared.argparse.ArgumentTypeError, match="'gmae' is none of faces, game"):
        parse("faces,gmae")


def test_a_folder_that_is_not_there_is_refused(capsys):
    parser = shared.command(str(FOLDER / "votes" / "example.py"), "What is measured.", "data")
    with pytest.raises(SystemExit):
        parser.parse_args(["--data", "nowhere"])
    assert "argument --data: there is no nowhere; name the place" in capsys.readouterr().err


def test_ways_take_turns():
    """One round that does not count, then each round begins with another way."""
    order = []
    clocks = {name: lambda name=name: order.append(name) or float(len(order)) for name in "abc"}
    assert shared.interleaved(clocks, 2) == {"a": [4.0, 9.0], "b": [5.0, 7.0], "c": [6.0, 8.0]}
    assert "".join(order) == "abc" + "abc" + "bca"
    assert shared.median_range([3.0, 1.0, 2.0], ".1f") == ("2.0", "1.0 to 3.0")


# --- commands that the documentation names


def options_of(file):
    """Every option that a script takes, read from its text."""
    calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    words = {arg.value for call in calls for arg in call.args if isinstance(arg, ast.Constant)}
    return {word for word in words if str(word).startswith("--")} | {
        f"--{word}" for word in words & set(shared.OPTIONS)
    }


def commands():
    """(page, module, options) of every `python -m benchmarks...` in the documentation, results and scripts."""
    root = shared.ROOT
    pages = [root / "README.md", *root.glob("docs/**/*.md"), *root.glob("benchmarks/**/*.md"), *SCRIPTS]
    for page in pages:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for module, rest in re.findall(r"python -m benchmarks\.([\w.]+)([^`\n]*)", text):
            yield page, module, re.findall(r"(?<![\w-])--[a-z][a-z-]*", rest)


def test_commands_of_the_documentation_can_be_run():
    """Scripts that are there, with options that they take."""
    files = {".".join((file.parent.name, file.stem)): file for file in SCRIPTS}
    known = {module: options_of(file) | {"--write", "--help"} for module, file in files.items()}
    wrong = [
        f"{page.relative_to(shared.ROOT)}: {module} {option}"
        for page, module, options in commands()
        for option in options or [""]
        if (option and option not in known.get(module, ())) or module not in known
    ]
    assert wrong == []
