"""The direction of imports, held by reading them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import giqa

SOURCE = Path(giqa.__file__).parent
# imports go down this list only; what stands in one entry may import each other
ORDER = [
    {"errors"},
    {"types"},
    {"files", "threads"},
    {"registry"},
    {"tables"},
    {"stats", "pages"},
    {"images"},
    {"features"},
    {"scorers"},
    {"metrics"},
    {"model"},
    {"explain"},
    {"votes"},
    {"compare"},
    {"study"},
    {"train"},
    {"evaluate"},
    {"p_real"},
    {"text"},
    {"report"},
    {"runners"},
    {"testing"},
    {"api"},
    {"serve"},
    {"integrations"},
    {"cli"},
]


def room(module):
    return module.partition(".")[0]


def modules():
    """Name below giqa -> file, packages under their own name."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path, known):
    """Every module of giqa that a file imports, anywhere in it."""
    package = ("giqa", *path.relative_to(SOURCE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            full = (*base, *(node.module.split(".") if node.module else ()))
            if full[:1] == ("giqa",):
                names = (".".join((*full[1:], alias.name)) for alias in node.names)
                yield from (name if name in known else ".".join(full[1:]) for name in names)
        elif isinstance(node, ast.Import):
            yield from (a.name.removeprefix("giqa.") for a in node.names if a.name.startswith("giqa."))


def test_every_room_has_a_place():
    """A new folder or module is given a place in the list before anything imports it."""
    assert {room(name) for name in modules()} - {""} == set().union(*ORDER)


def test_the_house_can_be_seen_at_a_glance():
    """30 entries in `ls src/giqa`."""
    assert len([path for path in SOURCE.iterdir() if path.name != "__pycache__"]) <= 30


def test_imports_go_down():
    """Of two rooms only the one further down the list may import the other."""
    height, known = {name: i for i, row in enumerate(ORDER) for name in row}, modules()
    wrong = []
    for name, path in known.items():
        for other in imported(path, known) if name else ():
            if other and room(other) != room(name) and height[room(other)] >= height[room(name)]:
                wrong.append(f"{name} imports {other}")
    assert wrong == []


def test_imports_make_no_circle():
    """No module is imported by one that it imports itself, directly or by others; `__init__` files only name things."""
    known = modules()
    packages = {name for name, path in known.items() if path.name == "__init__.py"}
    edges = {name: set(imported(path, known)) - packages - {name} for name, path in known.items()}
    edges = {name: others for name, others in edges.items() if name not in packages}
    while free := [name for name, others in edges.items() if not others & edges.keys()]:
        for name in free:
            del edges[name]
    assert sorted(edges) == []


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


def test_a_command_loads_no_other_command_and_scoring_no_page():
    """`giqa score` starts with its own module; comparisons, maps, reports and the human model wait until asked for."""
    code = "import giqa.cli; giqa.cli.main(['score', '--help'], standalone_mode=False); import giqa.api"
    loaded = set(run(f"{code}; import sys; print('LOADED', *sys.modules)").split("LOADED")[1].split())
    assert "giqa.cli.score" in loaded and not loaded & {"giqa.cli.label", "giqa.cli.doctor", "giqa.cli.train"}
    for room in ("compare", "explain", "report", "p_real", "metrics"):
        assert not {name for name in loaded if name.startswith(f"giqa.{room}.")}, room


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
