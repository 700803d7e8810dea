"""Kill -9 the GAN demo again and again, until it is through; then compare with a run that nobody touched.

    python benchmarks/kills.py WORK [--kills 20] [--steps 24]

Needs fork (Linux, macOS). Each kill comes after a random time (seeded); what the process had reached is printed. Curve,
logs, snapshots, and the weights of MBC and of the generators must be equal byte for byte.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
import traceback
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file

from giqa.train.demo import demo_gan


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


def started(folder: Path, steps: int, home: Path) -> int:
    """The demo in a process of its own, forked so that imports are paid for once; its number."""
    number = os.fork()
    if number:
        return number
    os.environ["GIQA_HOME"] = str(home)
    torch.set_num_threads(1)
    try:
        demo_gan(folder, steps=steps, pictures=40)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def ended(number: int, within: float | None) -> bool:
    """Wait so many seconds; whether it ended well by then. Leave with its traceback if it ended badly."""
    start = time.time()
    while within is None or time.time() - start < within:
        done, status = os.waitpid(number, 0 if within is None else os.WNOHANG)
        if done:
            return True if status == 0 else sys.exit(f"ended with {status}")
        time.sleep(0.01)
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=24)
    options = parser.parse_args()
    start, expected = time.time(), options.work / "whole"
    ended(started(expected, options.steps, options.work / "home-whole"), None)
    whole = time.time() - start
    print(f"uninterrupted: {whole:.0f} s", flush=True)
    rng, killed, rounds = np.random.default_rng(0), 0, 0
    while killed < options.kills:
        rounds += 1
        folder, home = (options.work / f"{name}-{rounds}" for name in ("killed", "home"))
        while True:
            after = rng.uniform(0.03, 0.6) * whole if killed < options.kills else None
            number = started(folder, options.steps, home)
            if ended(number, after):
                break
            os.kill(number, signal.SIGKILL)
            os.waitpid(number, 0)
            killed += 1
            print(f"kill {killed} after {after:.1f} s, {phase(folder)}", flush=True)
        found, wanted = content(folder), content(expected)
        differ = [name for name in wanted if found.get(name) != wanted[name]]
        print(f"through: {len(wanted)} files and tensors, {len(differ)} differ {differ[:5]}", flush=True)
        if differ:
            sys.exit(1)


if __name__ == "__main__":
    main()
