"""Build the wheel and the sdist, try both in empty environments, and write hashes and a bill of materials.

    python -m tools.release -o dist/                       # with this Python
    python -m tools.release -o dist/ --python python3.12 --python python3.13 --resolve 3.14

Each file is installed into an environment of its own for each Python, and there `giqa demo` must write its report and
its scores. Next to the files lie `SHA256SUMS` and `giqa.cdx.json`, a CycloneDX bill of what the wheel installs.
Needs a clone and `pip install -e '.[release]'`; takes about two minutes for each Python.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
NEEDED = ("giqa/py.typed", "giqa/features/embedded_2.onnx")  # what a wrong list of files would leave out


def run(*words: str | Path, cwd: Path | None = None, **more: str) -> str:
    """The output of a command; it ends everything where it fails."""
    done = subprocess.run([*map(str, words)], cwd=cwd, env=os.environ | more, text=True, capture_output=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def build(out: Path) -> list[Path]:
    """The sdist, and the wheel that is built from it."""
    run(sys.executable, "-m", "build", "--outdir", out, ROOT)
    return [next(out.glob("*.tar.gz")), next(out.glob("*.whl"))]


def empty_environment(folder: Path, python: str) -> Path:
    """The Python of a new environment with nothing but pip."""
    run(python, "-m", "venv", folder)
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


def try_file(file: Path, python: str) -> str:
    """Install one file into an empty environment, and run the demo there; what was tried."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        inside = empty_environment(place / "venv", python)
        run(inside, "-m", "pip", "install", "-q", "-c", CONSTRAINTS, file)
        clean = {"GIQA_HOME": str(place / "home"), "PYTHONPATH": ""}
        run(inside.parent / "giqa", "demo", cwd=place, **clean)
        for name in ("report.html", "scores.csv"):
            if not (place / "giqa-demo" / name).stat().st_size:
                raise SystemExit(f"{file.name}: giqa demo wrote an empty {name}")
        return run(inside, "-c", "import sys, giqa; print(*sys.version.split()[:1], giqa.__version__)", **clean).strip()


def resolve(wheel: Path, version: str) -> int:
    """How many wheels a Python that is not here would install; none may be missing."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        only = ("--python-version", version, "--only-binary", ":all:", "--target", folder, "--report", report)
        run(sys.executable, "-m", "pip", "install", "-q", "--dry-run", *only, "-c", CONSTRAINTS, wheel)
        return len(json.loads(report.read_text())["install"])


def bill_of_materials(wheel: Path, out: Path) -> int:
    """Write what the wheel installs, in CycloneDX, by cyclonedx-bom; the number of components."""
    with tempfile.TemporaryDirectory() as folder:
        inside = empty_environment(Path(folder) / "venv", sys.executable)
        run(inside, "-m", "pip", "install", "-q", "-c", CONSTRAINTS, wheel)
        run(inside, "-m", "pip", "uninstall", "-q", "-y", "pip", "setuptools")  # of the environment, not of giqa
        words = (
            "environment",
            "--output-reproducible",
            "--of",
            "JSON",
            "-o",
            out,
            "--pyproject",
            ROOT / "pyproject.toml",
        )
        run(sys.executable, "-m", "cyclonedx_py", *words, inside)
    return len(json.loads(out.read_text())["components"])


def write_hashes(files: Sequence[Path]) -> Path:
    """SHA256SUMS, as `sha256sum --check` reads it."""
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    sums = files[0].parent / "SHA256SUMS"
    sums.write_text("".join(lines))
    return sums


def main() -> None:
    parser = argparse.ArgumentParser("tools.release", description=__doc__.partition("\n")[0])
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "dist", help="(%(default)s)")
    parser.add_argument("--python", action="append", help="interpreters to try (this one); repeat for more")
    parser.add_argument("--resolve", action="append", default=[], metavar="3.X", help="versions to resolve wheels for")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if any(options.out.iterdir()):
        raise SystemExit(f"{options.out} is not empty; give an empty folder by -o")
    sdist, wheel = build(options.out)
    missing = set(NEEDED) - set(zipfile.ZipFile(wheel).namelist())
    if missing:
        raise SystemExit(f"{wheel.name} lacks {', '.join(sorted(missing))}")
    for python in options.python or [sys.executable]:
        for file in (sdist, wheel):
            print(f"{file.name}: installed and demo run, Python and giqa {try_file(file, python)}", flush=True)
    for version in options.resolve:
        print(f"Python {version}: {resolve(wheel, version)} wheels resolved, nothing run", flush=True)
    bill = options.out / "giqa.cdx.json"
    print(f"{bill.name}: {bill_of_materials(wheel, bill)} components")
    print(write_hashes([sdist, wheel, bill]).read_text(), end="")


if __name__ == "__main__":
    main()
