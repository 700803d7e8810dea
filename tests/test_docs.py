"""The documents are executed, complete, and point to what exists."""

import doctest
import importlib
import pkgutil
import re
import runpy
import shlex
import shutil
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import giqa
from giqa import registry
from giqa.cli import main
from giqa.errors import MissingExtra

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def write_judgements(folder):
    """votes.csv of four raters on all pictures of both folders, a few for quality control; counts.csv."""
    rows = []
    for kind, said in (("generated", 3), ("real", 2)):
        for n, path in enumerate(sorted((folder / {"generated": "fakes", "real": "reals"}[kind]).iterdir())):
            generator = ("gan", "vae")[n % 2] if kind == "generated" else ""
            votes = [(n + r * said) % 5 > said - (kind == "real") - 1 for r in range(4)]
            control = int(n % 10 == 0)
            rows += [f"{path.name},r{r},{int(v)},{kind},{generator},{control}" for r, v in enumerate(votes)]
    (folder / "votes.csv").write_text("\n".join(["image,rater,said_real,kind,generator,control", *rows]) + "\n")
    turk = "WorkerId,AssignmentStatus,Input.image,Answer.answer\n"
    fakes = [path.name for path in sorted((folder / "fakes").iterdir())[:2]]
    turk += "".join(f"{who},Approved,{name},fake\n" for who in ("A1", "B2") for name in fakes)
    (folder / "batch_results.csv").write_text(turk)
    (folder / "pictures.csv").write_text("image,generator\n" + "".join(f"{name},gan\n" for name in fakes))
    names = [path.name for path in sorted((folder / "fakes").iterdir())]
    pairs = [
        f"{a},{b},{3 - (n % 4 == 0)},{int(n % 4 == 0)}" for n, (a, b) in enumerate(zip(names, names[5:], strict=False))
    ]
    (folder / "pairs.csv").write_text("\n".join(["left,right,votes_left,votes_right", *pairs[:15]]) + "\n")
    rated = [f"{name},r{r},{1 + (n + r) % 5}" for n, name in enumerate(names) for r in range(3)]
    (folder / "ratings.csv").write_text("\n".join(["image,rater,rating", *rated]) + "\n")
    (folder / "marks").mkdir()
    for at, name in enumerate(names[:6]):
        mark = np.zeros((24, 24), np.uint8)
        mark[3 * at : 3 * at + 6, 4:12] = 255 if at else 0
        Image.fromarray(mark).save(folder / "marks" / name)
    (folder / "counts.csv").write_text("image,n,n_real\n" + "".join(f"{n}.png,4,{n // 5}\n" for n in range(20)))


@pytest.fixture(scope="module")
def prepared(toy, demo_features, tmp_path_factory):
    """(a folder as the documents assume it, a cache folder): reals/, fakes/, tables, and reals.giqa; made once."""
    folder, home = tmp_path_factory.mktemp("prepared"), tmp_path_factory.mktemp("home")
    shutil.copytree(demo_features, home, dirs_exist_ok=True)
    shutil.copytree(toy[0], folder / "reals")
    shutil.copytree(toy[1], folder / "fakes")
    shutil.copy(toy[0].parent / "labels.csv", folder / "labels.csv")
    write_judgements(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIQA_HOME", str(home))
        patch.chdir(folder)
        giqa.fit("reals/").save("reals.giqa")
    return folder, home


@pytest.fixture
def workplace(prepared, tmp_path, monkeypatch):
    """A copy of the prepared folder to work in; features are kept from page to page."""
    shutil.copytree(prepared[0], tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("giqa.p_real.held_out.RESAMPLES", 40)  # of 500, which take longer than the training itself
    monkeypatch.setattr("giqa.p_real.splits.RESAMPLES", 40)
    monkeypatch.setattr("giqa.scorers.judgement_search.PENALTIES", (100.0, 1.0))
    monkeypatch.setenv("GIQA_HOME", str(prepared[1]))


def pages_with(language):
    return pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, language)], ids=lambda page: page.name)


# packages that a page of the docs is about; it is executed where they are installed, as by the extra "test"
NEEDS = {
    "loop.md": ("torchmetrics", "lightning", "diffusers", "accelerate", "tensorboard"),
    "libraries.md": ("sklearn", "polars", "datasets"),
}


@pytest.mark.slow
@pages_with("python")
def test_python_in_the_documents_runs(page, workplace):
    for package in NEEDS.get(page.name, ()):
        pytest.importorskip(package)
    names = {}
    for code in blocks(page, "python"):
        exec(compile(code, str(page), "exec"), names)


@pytest.mark.slow
@pages_with("sh")
def test_commands_in_the_documents_run(page, workplace):
    """Every line that begins with giqa exits with 0; installing is tried by the continuous integration."""
    for code in blocks(page, "sh"):
        for line in code.splitlines():
            if line.startswith("giqa "):
                result = CliRunner().invoke(main, shlex.split(line, comments=True)[1:])
                assert result.exit_code == 0, f"{line}\n{result.output}"


MARKS = (
    "measured",
    "form",
    "sketch",
)  # output of one run that nobody repeats here; what an output looks like; no output
COMMAND = re.compile(r"(giqa|python3?|pip|hf) \S")


def shown(page):
    """(the comment right above, language, content) of each fenced block."""
    fence = r"(?:^<!-- ([^\n]*?) -->\n)?^```(\w*)\n(.*?)^```$"
    return re.findall(fence, page.read_text(encoding="utf-8"), flags=re.M | re.S)


def cells(line):
    return [cell for cell in re.split(r"\t|\s{2,}", line.strip()) if cell]


def same_cell(shown, printed):
    """Equal words; numbers may differ by 1 % and a last digit, as they do between processors."""
    number = r"[-+]?\d+(?:\.\d+)?"
    if re.sub(number, "#", shown) != re.sub(number, "#", printed):
        return False
    pairs = zip(re.findall(number, shown), re.findall(number, printed), strict=True)
    return all(abs(float(a) - float(b)) <= 0.011 + 0.01 * abs(float(b)) for a, b in pairs)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_shown_as_an_output_is_one(page, demo_features, tmp_path, monkeypatch):
    """Each block of text is what a command prints now, or is marked as what it is, or holds nothing but commands.

    `...` stands for any number of lines.
    """
    monkeypatch.chdir(tmp_path)
    for mark, language, content in shown(page):
        assert language in ("sh", "python", "text", "bibtex"), f"{page.name}: a block of {language or 'no language'}"
        if language != "text" or mark in MARKS:
            continue
        if not mark.startswith("output of: "):
            lines = content.replace("\\\n", " ").splitlines()
            assert all(COMMAND.match(line) for line in lines), f"{page.name}: mark what this block is:\n{content}"
            continue
        result = CliRunner().invoke(main, shlex.split(mark.removeprefix("output of: "))[1:])
        printed = [cells(line) for line in result.output.splitlines()]
        for line in content.splitlines():
            if line.strip() == "...":
                continue
            wanted = cells(line)
            fits = [row for row in printed if len(row) == len(wanted) and all(map(same_cell, wanted, row))]
            assert fits, f"{page.name} shows a line that {mark.partition(': ')[2]} does not print: {line}"
            del printed[: printed.index(fits[0]) + 1]


def test_a_wrong_output_would_be_found():
    """A number off by more than its last digit, another name, a block without a mark."""
    assert same_cell("+1.25", "+1.25") and same_cell("-335.24", "-335.90")
    assert not same_cell("+1.33", "+1.25") and not same_cell("fake_042_none_0.00.png", "fake_042_blur_0.00.png")
    assert not COMMAND.match("rank      z   95 % interval  percentile  picture")


def commands(group, path=()):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name))


def undocumented_commands(text):
    """Commands that the documents do not name: `giqa NAME`, or `giqa GROUP` and the rest as a span of code."""
    missing = []
    for command in commands(main):
        group, _, last = command.partition(" ")
        whole = re.search(rf"giqa {command}(?![\w-])", text)
        if not whole and not (last and f"giqa {group}" in text and f"`{last}`" in text):
            missing.append(command)
    return missing


def undocumented_names(text):
    """Registered names without a span of code that begins with them and ends there or at their parameters."""
    every = [name for kind in registry.BUILTIN for name in registry.BUILTIN[kind]]
    return [name for name in every if not re.search(rf"`{name}[`(]", text)]


def unexplained_options():
    """Options without a sentence in --help."""
    every = [(command, parameter) for command in commands(main) for parameter in node_of(command.split()).params]
    return [f"{c}: {p.name}" for c, p in every if p.param_type_name != "argument" and not p.help]


def test_every_command_is_documented_and_helps():
    """Each command stands in the documents, and its --help begins with a sentence."""
    assert undocumented_commands(TEXT) == []
    for command in commands(main):
        result = CliRunner().invoke(main, [*command.split(), "--help"])
        assert result.exit_code == 0 and re.search(r"Usage: .*\n\n  [A-Z]", result.output), command


def test_every_name_and_option_is_documented():
    """Each registered name stands in docs/methods.md; every option explains itself."""
    assert undocumented_names((ROOT / "docs" / "methods.md").read_text()) == []
    assert unexplained_options() == []


def test_what_is_not_documented_would_be_found(monkeypatch):
    """A command, a name and an option of which the documents know nothing, though they know a longer one."""

    @click.command("fi")
    @click.option("--bare")
    def silent(bare):
        pass

    monkeypatch.setattr(main, "commands", {**main.commands, "fi": silent})  # `giqa fit` is documented
    monkeypatch.setitem(registry.BUILTIN["metric"], "f", "giqa.metrics.frechet:Frechet")  # and so is `fd`
    assert undocumented_commands(TEXT) == ["fi"]
    assert undocumented_names((ROOT / "docs" / "methods.md").read_text()) == ["f"]
    assert unexplained_options() == ["fi: bare"]
    assert "label stats" in undocumented_commands(re.sub("giqa label stats|`stats`", "", TEXT))


def node_of(words):
    """The command that these words begin with."""
    node = main
    for word in words:
        if not isinstance(node, click.Group) or word not in node.commands:
            break
        node = node.commands[word]
    return node


def options_of(node):
    return {"--help", "--version"} | {o for p in node.params for o in (*p.opts, *p.secondary_opts)}


OF_OTHERS = {"--write"}  # of python -m benchmarks...


def unknown_options(text):
    """Lines of blocks and spans of code with an option that giqa, or the command they begin with, does not have."""
    every = {o for command in commands(main) for o in options_of(node_of(command.split()))} | OF_OTHERS
    fence = r"^```\w*\n(.*?)^```$"
    spans = re.findall(r"`([^`]+)`", re.sub(fence, "", text, flags=re.M | re.S))
    joined = [block.replace("\\\n", " ") for block in re.findall(fence, text, flags=re.M | re.S)]
    unknown = []
    for line in [*spans, *(line for block in joined for line in block.splitlines())]:
        words = line.partition(" #")[0].split()
        if words and (words[0] == "giqa" or words[0].startswith("--")):
            known = options_of(node_of(words[1:])) if words[0] == "giqa" else every
            named = [re.match(r"[\w-]*", word)[0] for word in words if re.match("--[a-z]", word)]
            unknown += [line for name in named if name not in known]
    return unknown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_in_the_documents_exist(page):
    """Also in the blocks that are not executed."""
    assert unknown_options(page.read_text(encoding="utf-8")) == []


def test_an_option_that_is_not_there_would_be_found():
    """One of another command, one of none, one on a second line; what is not giqa's is left alone."""
    assert unknown_options("`--match` and `giqa fit reals/ --group kind`, `ray start --head`") == []
    assert unknown_options("`giqa fit reals/ --keep 0.5`, `--keeps`") == ["giqa fit reals/ --keep 0.5", "--keeps"]
    assert len(unknown_options("```text\ngiqa score a/ \\\n  --reals b/\n```\n")) == 1


def test_links_lead_somewhere():
    """Files that pages and measurements link to exist; the site's build checks the headings, too."""
    for page in [*PAGES, ROOT / "CONTRIBUTING.md", *(ROOT / "benchmarks" / "results").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target.strip()).exists(), f"{page.name}: {target}"


def test_tests_that_are_named_exist():
    """Each row of docs/peers.md names the test that shows it."""
    named = re.findall(r"`([\w/]*test_\w+\.py)`", TEXT)
    assert len(named) > 20
    assert [name for name in named if not (ROOT / "tests" / name.removeprefix("tests/")).is_file()] == []


def test_code_and_tests_of_the_conformance_table_exist():
    """Each `giqa/file.py:name` can be imported, each `test_file.py::test_name` is a test, and each row has both."""
    text = (ROOT / "docs" / "conformance.md").read_text()
    equations = text.partition("## Tables")[0]
    rows = [line for line in equations.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    for row in rows:
        code, tests = re.findall(r"`giqa/([\w/]+)\.py:(\w+)`", row), re.findall(r"`([\w/]+\.py)::(test_\w+)`", row)
        assert code and tests, row
        for file, name in code:
            module = importlib.import_module(f"giqa.{file.replace('/', '.')}")
            assert name in vars(module), f"{file}:{name}"
        for file, name in tests:
            assert f"def {name}(" in (ROOT / "tests" / file).read_text(), f"{file}::{name}"
    for number in range(1, 11):
        assert re.search(rf"G eq\. [\d and]*\b{number}\b", equations), f"equation {number}"
    for paper, tables in (("G", 7), ("K", 2)):
        for number in range(1, tables + 1):
            assert re.search(rf"{paper} Tables? [\d, ]*\b{number}\b", equations), f"{paper}, table {number}"
            assert f"| {paper} {number}," in text.partition("## Tables")[2], f"{paper}, figures of table {number}"


COUNT = runpy.run_path(str(ROOT / "tools" / "count.py"))


def test_words_and_decimals_are_counted():
    """Code, comments and the address of a link are no prose; decimals count in tables only."""
    text = "# Two words\n\n<!-- not this -->\n```sh\nnor 0.5\n```\nSee [a page](x.md), 1.5 - `z`\n\n| z | 0.25 | .5 |\n"
    assert COUNT["words"](COUNT["prose"](text)) == 2 + 5
    assert COUNT["words"](COUNT["tables"](text)) == 3
    assert COUNT["decimals"](COUNT["tables"](text)) == 2


def test_pages_are_short():
    """A page is read in two minutes or so; long tables are in benchmarks/results."""
    texts = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
    prose = {name: COUNT["words"](COUNT["prose"](text)) for name, text in texts.items()}
    assert sum(prose.values()) <= 12_000 and max(prose.values()) <= 800, prose
    assert sum(COUNT["decimals"](COUNT["tables"](text)) for text in texts.values()) <= 1_500


def test_every_page_is_in_the_sidebar_of_the_site():
    """docs/conf.py names each page once."""
    sidebar = runpy.run_path(str(ROOT / "docs" / "conf.py"))["SIDEBAR"]
    names = [name for names in sidebar.values() for name in names if not name.startswith("/")]
    assert sorted(names) == sorted(page.stem for page in PAGES[1:])


MODULES = [m.name for m in pkgutil.walk_packages(giqa.__path__, "giqa.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    """Every >>> in the package gives what it says."""
    try:
        module = importlib.import_module(name)
    except MissingExtra as error:
        pytest.skip(str(error))
    result = doctest.testmod(module)
    assert result.failed == 0


def test_public_names_are_there():
    """`from giqa import *` names exist, have a docstring, and unknown names say what there is."""
    for name in giqa.__all__:
        assert getattr(giqa, name) is not None
        assert name == "__version__" or getattr(giqa, name).__doc__
    with pytest.raises(AttributeError, match="it has Features, GiqaError, Model, Scores"):
        giqa.scoer  # noqa: B018
