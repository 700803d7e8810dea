"""Lists the benchmarks: what each measures, what it needs, and how long it takes.

    python -m benchmarks [PAGE ...]

No script is imported: the list is read from their docstrings.
"""

from __future__ import annotations

import argparse
import ast
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from benchmarks.shared import PAGES, ROOT


@dataclass(frozen=True)
class Script:
    """A benchmark as its docstring describes it."""

    module: str
    sentence: str
    needs: str
    takes: str


def scripts(page: str) -> list[Script]:
    """The scripts of a page, by name; files that begin with _ are parts of them."""
    files = sorted((ROOT / "benchmarks" / page).glob("[!_]*.py"))
    return [described(f"benchmarks.{page}.{file.stem}", file) for file in files]


def described(module: str, file: Path) -> Script:
    """What the docstring of a file says; an error names the line that it lacks."""
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    found = {}
    for name in ("Needs", "Takes"):
        line = re.search(rf"^{name}: (.+?\.)$\n(?:\n|Takes:)", f"{text}\n\n", re.MULTILINE | re.DOTALL)
        if line is None:
            raise ValueError(f"{file}: its docstring has no line '{name}: ...' that ends in a full stop; add it")
        found[name] = " ".join(line[1].split())
    return Script(module, text.partition("\n")[0], found["Needs"], found["Takes"])


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", nargs="*", metavar="PAGE", help=f"of {', '.join(PAGES)}; all if none is named")
    pages = parser.parse_args().pages
    for page in pages:
        if page not in PAGES:
            parser.error(f"there is no page {page!r}; take one of {', '.join(PAGES)}")
    for page in pages or PAGES:
        print(f"\n{page}")
        for script in scripts(page):
            print(f"\n  python -m {script.module}")
            for text in (script.sentence, f"Needs: {script.needs}", f"Takes: {script.takes}"):
                print(textwrap.fill(text, 110, initial_indent="    ", subsequent_indent="      "))
    print("\nRun them from the root of the repository, in an environment with giqa[test]. Each answers --help;")
    print("--write also writes what it prints to benchmarks/results/PAGE/SCRIPT.md.")


if __name__ == "__main__":
    main()
