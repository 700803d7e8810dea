"""Kill -9 the GAN demo again and again, until it is through; then compare with a run that nobody touched.

    python benchmarks/kills.py WORK [--kills 20] [--steps 60]

Each kill comes after a random time (seeded); what the process had reached is printed. Curve, logs, snapshots and the
weights of the generators must be equal byte for byte.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file


def phase(folder: Path) -> str:
    """What a run has reached, by what it has left."""
    for arm in ("ohem", "plain", "start"):
        if (folder / arm / "snapshots" / "snapshots.csv").exists():
            lines = (folder / arm / "log.csv").read_text().splitlines() if (folder / arm / "log.csv").exists() else []
            made = " and its pictures" if (folder / arm / "pictures.npz").exists() else ""
            learned = ", MBC learned" if (folder / "mbc.safetensors").exists() else ""
            learned = ", MBC learning" if (folder / "mbc.checkpoint").exists() else learned
            return f"{arm}: step {lines[-1].split(',')[0] if len(lines) > 1 else 0}{made}{learned}"
    return "nothing yet"


def content(folder: Path) -> dict[str, bytes]:
    """What must be equal: files that hold no path, and the tensors of those that do."""
    files = [*folder.glob("*.csv"), *folder.glob("*/*.csv"), *folder.glob("*/snapshots/**/*.png")]
    found = {str(file.relative_to(folder)): file.read_bytes() for file in files}
    for file in (folder / "mbc.safetensors", *folder.glob("*/generator.safetensors")):
        found |= {f"{file.relative_to(folder)}:{name}": a.tobytes() for name, a in load_file(file).items()}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    command = [sys.executable, "-m", "giqa.cli", "demo", "gan", "--quiet", "--steps", str(options.steps), "-o"]
    start = time.time()
    subprocess.run([*command, str(options.work / "whole")], check=True)
    whole = time.time() - start
    print(f"uninterrupted: {whole:.0f} s", flush=True)
    rng, killed, folder = np.random.default_rng(0), 0, options.work / "killed"
    while True:
        env = os.environ | {"GIQA_HOME": str(options.work / "home")}  # no features from the run before
        process = subprocess.Popen([*command, str(folder)], env=env, start_new_session=True)
        after = rng.uniform(0.05, 0.35) * whole if killed < options.kills else None
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
            print(f"kill {killed} after {after:.1f} s, {phase(folder)}", flush=True)
            continue
        if process.returncode:
            sys.exit(f"ended with {process.returncode}")
        if killed >= options.kills:
            break
        print(f"through after {killed} kills; once more from the start", flush=True)
        if content(folder) != content(options.work / "whole"):
            sys.exit("the results differ")
        folder = folder.with_name(f"killed-{killed}")
    found, expected = content(folder), content(options.work / "whole")
    differ = [name for name in expected if found.get(name) != expected[name]]
    print(f"{killed} kills, {len(expected)} files and tensors, {len(differ)} differ {differ[:5]}")


if __name__ == "__main__":
    main()
