"""Layouts that public tools write: which are read, and whether their scores are those of the folder.

    python -m benchmarks.sources.layouts --python img2dataset=venv/bin/python

Needs: the tools, here or in a Python of their own (`--python`); those that are nowhere are left out.
Takes: about 5 minutes.

300 drawn pictures of 64 x 64 px, in a folder of PNG files and in every layout, which its own tool writes in a process
of its own. Scores of a layout, by a model fitted on 100 other pictures, must be equal to the folder's in every bit:
column `differ` counts those that are not. Pictures are joined by name where the layout has names, else in the
order of the last numbers in the ids. `kept` is what the layout says of each picture beside its pixels.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

import giqa
from benchmarks.shared import ROOT, command, head, results, row
from benchmarks.sources._makers import MAKERS
from giqa.errors import GiqaError
from giqa.images import open_source
from giqa.images.toy import write_toy
from giqa.tables.names import match_names
from giqa.types import columns_of

COUNT = 300
SECONDS = 300  # that a tool may take
CODE = "from benchmarks.sources._makers import make; make({name!r}, {plain!r}, {folder!r})"


def named_python(text: str) -> tuple[str, str]:
    package, _, path = text.partition("=")
    if not path:
        raise argparse.ArgumentTypeError(f"{text!r} is not PACKAGE=PATH")
    return package, path


def made(name: str, plain: Path, folder: Path, python: str) -> tuple[str, str] | str:
    """Version of the tool and what giqa is given; a line in words where the tool could not write it."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "NO_ALBUMENTATIONS_UPDATE": "1"}
    run = [python, "-c", CODE.format(name=name, plain=str(plain), folder=str(folder))]
    try:
        done = subprocess.run(run, env=env, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"not done after {SECONDS} s"
    if done.returncode:
        return done.stderr.strip().rpartition("\n")[2]
    version, where = json.loads(done.stdout.strip().splitlines()[-1])
    return version, where


def joined(ids: list[str], names: list[str]) -> tuple[str, list[int]]:
    """How ids join, and of each name the row; -1 where there is none."""
    found, missing = match_names(names, ids)
    if not missing:
        return "name", [found[name] for name in names]
    order = sorted(range(len(ids)), key=lambda row: int(re.findall(r"\d+", ids[row])[-1]))  # keys may count shards too
    return "number", (order + [-1] * len(names))[: len(names)]


def cells(model: giqa.Model, where: Path, whole: giqa.Scores) -> tuple[str, str, str]:
    """How ids join, how many scores differ from the folder's, and what else the layout says."""
    source = open_source(str(where))
    scores = model.score(source)
    how, rows = joined(list(scores.id), list(whole.id))
    same = sum(
        at >= 0 and scores.score[at].tobytes() == score.tobytes() and scores.z[at].tobytes() == z.tobytes()
        for at, score, z in zip(rows, whole.score, whole.z, strict=True)
    )
    return how, str(len(whole) - same + abs(len(scores) - len(whole))), ", ".join(columns_of(source))


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--python", type=named_python, action="append", default=[], metavar="PACKAGE=PATH")
    parser.add_argument("--only", help="layouts of this package")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with results(options), tempfile.TemporaryDirectory() as name:
        os.environ["GIQA_HOME"] = f"{name}/home"
        write_toy(f"{name}/drawn", n_real=COUNT, n_fake=100)
        plain = Path(name, "plain")
        plain.mkdir()
        for number, path in enumerate(sorted(Path(name, "drawn", "reals").iterdir())):
            path.rename(plain / f"p{number:04d}.png")
        model = giqa.fit(f"{name}/drawn/fakes")
        whole = model.score(plain)
        assert np.isfinite(whole.z).all()
        head("tool", "version", "layout", "ids join by", "differ", "kept")
        for number, (layout, (package, _)) in enumerate(MAKERS.items()):
            if options.only in (None, package):
                folder = Path(name, f"layout{number}")
                folder.mkdir()
                found = made(layout, plain, folder, dict(options.python).get(package, sys.executable))
                if isinstance(found, str):
                    row(package, "", layout, "", "", f"not written: {found}")
                    continue
                version, where = found
                try:
                    row(package, version, layout, *cells(model, folder / where, whole))
                except GiqaError as error:
                    row(package, version, layout, "refused", "", str(error).replace(f"{folder}/", "").replace("|", "/"))
                except Exception as error:  # whatever it is, the other layouts are measured
                    row(package, version, layout, "FAILED", "", f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
