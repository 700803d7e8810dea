"""Changed lines of scorers, metrics, votes, stats, models, evaluation and maps: how many a test notices.

    python -m benchmarks.coverage.mutation --mutants 150

Needs: cosmic-ray, and what the tests need; about 100 MB in a temporary folder.
Takes: about 3 seconds of processor time a mutant.

Mutants of cosmic-ray's operators, drawn at random from random modules that have a test file of their name, one line
changed each. The tests: that file, those of the folder that compare all with second implementations, and doctests. A
mutant is killed where one fails or takes more than 60 s of processor time. Type annotations are left out: nothing reads
them. The table lists the survivors.
"""

from __future__ import annotations

import doctest
import os
import random
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.shared import ROOT, command, head, results, row, say

FOLDERS = ("scorers", "metrics", "votes", "stats", "model", "evaluate", "explain")
SECONDS = 60
LEFT_OUT = ("NoOp", "Decorator", "VariableReplacer", "VariableInserter", "ExceptionReplacer")
RAISE = ("Shift", "Bit", "Is", "In_", "NotIn", "Mod", "Pow", "FloorDiv")  # mostly a TypeError, which any test notices

LOADED = (
    "pytest",
    "hypothesis",
    "scipy.stats",
    "sklearn.linear_model",
    "onnxruntime",
    "jinja2",
    "click",
    "rich.console",
)
# ^ by the parent, so that no child loads them again


class Mutant(NamedTuple):
    """A change that an operator makes at its n-th place of a module."""

    module: str
    operator: str
    occurrence: int


def modules() -> dict[str, list[str]]:
    """Modules that have a test file of their name, and the tests of each."""
    found = {}
    for folder in FOLDERS:
        for file in sorted((ROOT / "src" / "giqa" / folder).glob("[!_]*.py")):
            own = Path("tests", folder, f"test_{file.stem}.py")
            rest = Path("tests", folder, "test_against_float64.py")
            if (ROOT / own).exists():
                found[f"src/giqa/{folder}/{file.name}"] = [str(p) for p in (own, rest) if (ROOT / p).exists()]
    return found


def operators() -> dict[str, Any]:
    """Those of cosmic-ray that change what code computes."""
    from cosmic_ray.plugins import get_operator, operator_names

    names = [n for n in operator_names() if not any(part in n for part in (*LEFT_OUT, *RAISE))]
    return {name: get_operator(name)() for name in names}


def mutants_of(module: str, known: dict[str, Any]) -> Iterator[Mutant]:
    """All changes of one module but those of annotations."""
    from cosmic_ray.ast import ast_nodes, get_ast

    counts: dict[str, int] = dict.fromkeys(known, 0)
    lines = (ROOT / module).read_text(encoding="utf-8").splitlines()
    for node in ast_nodes(get_ast((ROOT / module).read_text(encoding="utf-8"))):
        for name, operator in known.items():
            for (line, _), _end in operator.mutation_positions(node):
                annotation = "BitOr" in name and (" | None" in lines[line - 1] or "def " in lines[line - 1])
                if not annotation:
                    yield Mutant(module, name, counts[name])
                counts[name] += 1


def survives(mutant: Mutant, known: dict[str, Any], tests: list[str], folder: Path) -> str:
    """The changed line where no test fails, in a process of its own; else nothing."""
    from cosmic_ray.mutating import mutate_code

    file = folder / mutant.module
    before = file.read_text(encoding="utf-8")
    after = mutate_code(before, known[mutant.operator], mutant.occurrence)
    pairs = zip(before.splitlines(), (after or before).splitlines(), strict=False)
    changed = next(((old.strip(), new.strip()) for old, new in pairs if old != new), None)
    if changed is None:
        return ""
    file.write_text(after, encoding="utf-8")
    failed = fails(tests, folder)
    file.write_text(before, encoding="utf-8")
    return "" if failed else f"`{changed[0]}` → `{changed[1]}`"


def fails(tests: list[str], folder: Path) -> bool:
    """Whether a test of the copy fails, in a process of its own; also where its module cannot be imported any more."""
    child = os.fork()
    if not child:
        failed = 1
        try:
            failed = _test(tests, folder)
        finally:
            os._exit(failed)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def _test(tests: list[str], folder: Path) -> int:
    """The exit status of pytest on the copy, without output."""
    import pytest

    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    os.chdir(folder)
    sys.path[:] = [str(folder / "src"), str(folder), *(p for p in sys.path if not p.startswith(str(ROOT)))]
    for name in [n for n in sys.modules if n.partition(".")[0] in ("giqa", "benchmarks")]:
        del sys.modules[name]
    failed = int(pytest.main(["-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests]))
    module = import_module(f"giqa.{Path(tests[0]).parent.name}.{Path(tests[0]).stem.removeprefix('test_')}")
    return failed or doctest.testmod(module).failed


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--mutants", type=int, default=150, help="how many (%(default)s)")
    parser.add_argument("--modules", type=int, default=20, help="of so many modules (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sys.dont_write_bytecode = True
    for name in LOADED:
        import_module(name)

    rng, known, tests = random.Random(options.seed), operators(), modules()
    chosen = rng.sample(sorted(tests), min(options.modules, len(tests)))
    every = [mutant for module in chosen for mutant in mutants_of(module, known)]
    drawn = rng.sample(every, min(options.mutants, len(every)))
    with results(options), tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        for name in ("src", "tests", "benchmarks", "pyproject.toml"):
            source, target = ROOT / name, folder / name
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
        head("module", "operator", "line, and what it was changed to")
        alive, sound = 0, set()
        for number, mutant in enumerate(drawn, 1):
            if mutant.module not in sound and fails(tests[mutant.module], folder):
                raise SystemExit(
                    f"{' '.join(tests[mutant.module])} fail before anything is changed: nothing to judge by"
                )
            sound.add(mutant.module)
            said = survives(mutant, known, tests[mutant.module], folder)
            say(f"{number} of {len(drawn)}: {mutant.module} {mutant.operator} {said or 'killed'}")
            if said:
                alive += 1
                row(mutant.module.removeprefix("src/giqa/"), mutant.operator.removeprefix("core/"), said)
        killed = len(drawn) - alive
        print(
            f"\n{killed} of {len(drawn)} killed ({killed / len(drawn):.3f}), of {len(every)} in {len(chosen)} modules."
        )


if __name__ == "__main__":
    main()
