"""What a new user waits for: installing the core, starting `giqa --help`, `import giqa`, the demo.

    python -m benchmarks.speed.startup

Needs: pip and its index.
Takes: about a minute.

Makes a virtual environment in a temporary folder, installs this checkout without extras, and prints seconds and
megabytes: the install once, starts as median and range of 11 after one that does not count.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.shared import ROOT, command, interleaved, median_range, results, timed


def run(*words: str | Path, **options) -> None:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([*map(str, words)], check=True, **quiet, **options)


def megabytes(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def measure(folder: Path) -> None:
    environment = folder / "venv"
    run(sys.executable, "-m", "venv", environment)
    empty = megabytes(environment)
    python, giqa = environment / "bin" / "python", environment / "bin" / "giqa"
    install = timed(lambda: run(python, "-m", "pip", "install", "-c", ROOT / "constraints.txt", ROOT))
    size = megabytes(environment) - empty
    home = {"GIQA_HOME": str(folder), "PATH": ""}
    demo = timed(lambda: run(giqa, "demo", "-o", folder / "demo", env=home))
    print(f"install of the core: {install:.1f} s, {size:.0f} MB beside an empty environment (bound: 60 s, 300 MB)")
    print(f"giqa demo: {demo:.1f} s (bound: 30 s)")
    for name, bound, *words in (
        ("python -c 'pass'", "", python, "-c", "pass"),
        ("import giqa, interpreter included", " (bound: 0.2 s)", python, "-c", "import giqa"),
        ("giqa --help", " (bound: 0.3 s)", giqa, "--help"),
    ):
        clock = partial(timed, partial(run, *words))
        median, reach = median_range(interleaved({name: clock}, 11)[name], ".3f")
        print(f"{name}: {median} s ({reach}){bound}")


def main() -> None:
    with results(command(__file__, __doc__).parse_args()), tempfile.TemporaryDirectory() as folder:
        measure(Path(folder))


if __name__ == "__main__":
    main()
