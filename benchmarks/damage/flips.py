"""Flip a bit, or cut the end off: is a damaged file noticed, or are its numbers still the same?

    python -m benchmarks.damage.flips --number 2000 --write

Needs: giqa[parquet,train]; fork (Linux, macOS).
Takes: about 3 minutes of processor time for --number 2000.

For each kind of file --number random bits are flipped, one at a time, and --number random ends are cut off, in one of
its files at random by size (a table and its side file; the three files of a store), or in the one that is named. Then
it is read as a command reads it, and its numbers and texts are compared with those of the whole file:

- refused: a `GiqaError`, a sentence
- warned: read, with a warning that the file was changed since it was written
- the same: all numbers and texts are equal
- quietly wrong: others, and no word of it; should be 0
- raw error: any other exception; died: the process that read it; should be 0
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.damage._files import KINDS, Kind
from benchmarks.shared import command, head, names, results, row, say

OUTCOMES = ("refused", "warned", "the same", "quietly wrong", "raw error", "died")


def damaged(whole: Path, only: str, rng: np.random.Generator, cut: bool) -> tuple[Path, bytes]:
    """One of the files of a folder, drawn by its size, and its content with a bit flipped, or without its end."""
    files = sorted(file for file in whole.rglob(only) if file.is_file())
    sizes = np.array([file.stat().st_size for file in files], float)
    file = files[rng.choice(len(files), p=sizes / sizes.sum())]
    content = bytearray(file.read_bytes())
    at = int(rng.integers(len(content)))
    if cut:
        return file.relative_to(whole), bytes(content[:at])
    content[at] ^= 1 << int(rng.integers(8))
    return file.relative_to(whole), bytes(content)


def outcome(kind: Kind, folder: Path, wanted: Any) -> tuple[str, str]:
    """What comes of a folder whose file is damaged, and the words for it."""
    from giqa.errors import GiqaError

    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            found = kind.read(folder)
    except GiqaError as error:
        return "refused", str(error)
    except Exception as error:
        return "raw error", f"{type(error).__name__}: {error}"
    if found == wanted:
        return "the same", ""
    changed = [str(one.message) for one in said if "changed" in str(one.message) or "sha256" in str(one.message)]
    return ("warned", changed[0]) if changed else ("quietly wrong", "")


def tried(kind: Kind, number: int, cut: bool, seed: int, shown: bool) -> Counter[str]:
    """Outcomes of so many damages. A process of its own reads; one that dies is followed by another."""
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as work:
        whole = Path(work) / "whole"
        whole.mkdir()
        kind.make(whole)
        wanted, done = kind.read(whole), 0
        while done < number:
            reading, writing = os.pipe()
            process = os.fork()
            if not process:
                _read_damaged(kind, Path(work), wanted, range(done, number), (cut, seed, shown), writing)
            os.close(writing)
            with os.fdopen(reading, "rb") as pipe:
                said = pipe.read()
            os.waitpid(process, 0)
            counts += Counter(OUTCOMES[letter] for letter in said)
            done += len(said)
            if done < number:
                counts["died"] += 1
                done += 1
    return counts


def _read_damaged(
    kind: Kind, work: Path, wanted: Any, numbers: range, how: tuple[bool, int, bool], writing: int
) -> None:
    """In a process of its own: a byte for each outcome."""
    try:
        cut, seed, shown = how
        for number in numbers:
            file, content = damaged(work / "whole", kind.only, np.random.default_rng([seed, number, cut]), cut)
            shutil.copytree(work / "whole", work / "damaged", dirs_exist_ok=True)
            (work / "damaged" / file).write_bytes(content)
            what, words = outcome(kind, work / "damaged", wanted)
            if shown and what in ("quietly wrong", "raw error"):
                say(f"{what}: {file}, number {number}{', cut' if cut else ''}: {words}")
            shutil.rmtree(work / "damaged")
            os.write(writing, bytes([OUTCOMES.index(what)]))
    finally:
        os._exit(0)


def main() -> None:
    parser = command(__file__, __doc__, "json")
    parser.add_argument("--only", type=names(*KINDS), default=list(KINDS), metavar="NAMES")
    parser.add_argument("--number", type=int, default=2000, help="of flips, and of cuts (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the places (%(default)s)")
    parser.add_argument("--shown", action="store_true", help="show what should not be")
    options = parser.parse_args()
    with results(options):
        head("file", "damage", *OUTCOMES)
        total: Counter[str] = Counter()
        for name in options.only:
            for cut in (False, True):
                counts = tried(KINDS[name], options.number, cut, options.seed, options.shown)
                options.figures[f"{name}, {'cuts' if cut else 'flips'}"] = dict(counts)
                row(name, "cuts" if cut else "flips", *(counts[what] for what in OUTCOMES))
                total += counts
        row("all", "", *(total[what] for what in OUTCOMES))


if __name__ == "__main__":
    main()
