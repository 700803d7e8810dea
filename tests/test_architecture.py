"""The direction of imports, held by reading them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import giqa

SOURCE = Path(giqa.__file__).parent
# each row may import from the rows above it (and from its own row where it says so); the stages never each other
ROWS = [
    {"types", "errors"},
    {"registry", "files", "names", "pages", "threads", "stats", "trust"},
    {"tables"},
    {"images", "features", "scorers", "metrics", "humans", "gan", "scores"},
    {"model", "report", "extraction", "doctor", "hygiene", "seen"},
    {
        "gallery",
        "fitting",
        "testing",
        "comparison",
        "chosen_layers",
        "diff",
        "people",
        "evaluation",
        "maps",
        "sums",
    },
    {"voted"},
    {"realism"},
    {"explain"},
    {"worst_places"},
    {"pipeline", "paired", "comparison_page", "curve", "reference", "people_report", "collecting"},
    {"beside", "by_class_page", "suggest", "qs"},
    {"compare", "train"},
    {"track", "by_class", "bench"},
    {"console", "cli", "__init__"},
]


def room(path):
    """The top-level module or stage that a file belongs to."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path):
    """(room imported, whether at the top of the file) for every import of giqa in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = set(map(id, tree.body))
    package = ("giqa", *path.relative_to(SOURCE).parts[:-1])
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            full = (*base, *(node.module.split(".") if node.module else ()))
            if full[:1] == ("giqa",):
                for name in [full[1]] if len(full) > 1 else [alias.name for alias in node.names]:
                    yield name, id(node) in top
        elif isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if parts[0] == "giqa" and len(parts) > 1:
                    yield parts[1], id(node) in top


def test_every_module_has_a_place():
    """A new module is given a row here before anything imports it."""
    known = set().union(*ROWS)
    found = {p.name.removesuffix(".py") for p in SOURCE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert found == known


def test_imports_go_one_way():
    """types <- registry <- stages (never each other) <- model, extraction, report <- gallery <- pipeline <- cli."""
    height = {name: i for i, row in enumerate(ROWS) for name in row}
    wrong = []
    for path in sorted(SOURCE.rglob("*.py")):
        here = room(path)
        for there, _ in imports(path):
            if there == "__version__" or there == here:
                continue
            same_row = height[there] == height[here] and here not in (
                "console",
                "cli",
                "__init__",
                "testing",
                "types",
                "errors",
            )
            if (height[there] > height[here] and here != "__init__") or same_row:
                wrong.append(f"{path.relative_to(SOURCE)} imports {there}")
    assert wrong == []


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("code", ["import giqa", "import giqa.cli; giqa.cli.main(['--help'], standalone_mode=False)"])
def test_start_loads_nothing_heavy(code):
    """`import giqa` and `giqa --help` load neither numpy nor anything heavier."""
    heavy = {"numpy", "PIL", "torch", "rich", "jinja2", "safetensors", "pyarrow", "sklearn", "scipy"}
    loaded = run(f"{code}; import sys; print('LOADED', *{{m.split('.')[0] for m in sys.modules}})")
    assert not heavy & set(loaded.split("LOADED")[1].split())


def test_scoring_needs_no_torch(tmp_path):
    """The main job runs where torch cannot be imported."""
    code = f"""
import sys
sys.modules["torch"] = None
import giqa
from giqa.images.toy import write_toy
reals, fakes = write_toy({str(tmp_path)!r}, n_real=30, n_fake=6, size=24)
print(len(giqa.score(fakes, real=reals, report={str(tmp_path / "r.html")!r})))
"""
    assert run(code).strip() == "6"
