"""What a new user waits for: installing the core, starting `giqa --help`, `import giqa`, the demo.

    python -m benchmarks.speed.startup

Makes a virtual environment in a temporary folder, installs this checkout without extras, and prints seconds and
megabytes: the install once, starts as median and range of 11 after one warm-up.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


def seconds(command: list[str], **options) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    return time.perf_counter() - start


def repeated(command: list[str]) -> str:
    seconds(command)
    times = [seconds(command) for _ in range(11)]
    return f"{statistics.median(times):.3f} s ({min(times):.3f} to {max(times):.3f})"


def megabytes(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "venv"
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        empty = megabytes(environment)
        python, giqa = str(environment / "bin" / "python"), str(environment / "bin" / "giqa")
        install = seconds([python, "-m", "pip", "install", "-c", str(ROOT / "constraints.txt"), str(ROOT)])
        size = megabytes(environment) - empty
        demo = seconds([giqa, "demo", "-o", str(Path(folder) / "demo")], env={"GIQA_HOME": folder, "PATH": ""})
        print(f"install of the core: {install:.1f} s, {size:.0f} MB beside an empty environment (bound: 60 s, 300 MB)")
        print(f"giqa demo: {demo:.1f} s (bound: 30 s)")
        print(f"python -c 'pass': {repeated([python, '-c', 'pass'])}")
        print(f"import giqa, interpreter included: {repeated([python, '-c', 'import giqa'])} (bound: 0.2 s)")
        print(f"giqa --help: {repeated([giqa, '--help'])} (bound: 0.3 s)")


if __name__ == "__main__":
    main()
