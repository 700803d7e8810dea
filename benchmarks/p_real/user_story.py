"""A user's story, run for real: 200 labels -> fit -> score 2,000 pictures -> report with p_real, interval and maps.

    python -m benchmarks.p_real.user_story OUT [--stop 55]

Needs: lfw-dcgan and lfw-dcgan-progress of --data.
Takes: about 3 minutes.

Nobody voted on these pictures. The labels are made up by a stated function: each of 200 DCGAN faces of epochs 0 to 24
(`lfw-dcgan-progress`) is shown to 3 raters, who each say real with p = sigmoid(3 (epoch/24)^(1/2) - 2 + 0.5 e), e
normal, one a picture (seed 0). Scored are 2,000 pictures that nobody labelled: the other 1,400 of that set, and 600 of
`lfw-dcgan`. Reals: the 978 LFW faces of `lfw-dcgan`. Commands are run one after the other and timed, with features
kept nowhere before; at the end p_real is compared with the p of the made-up raters on the 1,400. With --stop S a
command is stopped after S seconds of processor time and started again until it is done, as on a machine that others
need: what was computed is kept. Run again, the program goes on with the next command.
"""

from __future__ import annotations

import csv
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.data import raters, rows_of
from benchmarks.intervals import over_pictures, spearman
from benchmarks.shared import command, results
from giqa import read_scores
from giqa.stats import sigmoid

COMMANDS = (
    "giqa train human votes.csv --images labelled/ --real reals/ -o people.giqa",
    "giqa score generated/ --real reals/ --human people.giqa --maps -o scores.csv --report report.html",
    "giqa pick scores.csv --from generated/ --by p_real --keep 0.5 -o picked/",
)


def rows(data: Path, folder: str, kind: str) -> list[dict[str, str]]:
    return [row for row in rows_of(data / folder / "labels.csv") if row["kind"] == kind]


def copy(pictures: list[Path], folder: Path) -> None:
    folder.mkdir(parents=True)
    for picture in pictures:
        shutil.copy(picture, folder)


def prepare(data: Path, out: Path) -> dict[str, float]:
    """Three folders and votes.csv, if they are not there; the made-up raters' p of the 1,400, by name."""
    rng, known = np.random.default_rng(0), rows(data, "lfw-dcgan-progress", "generated")
    epochs = [float(row["epoch"]) for row in known]
    p = sigmoid(raters(epochs) + 0.5 * rng.normal(size=len(known)))
    order = rng.permutation(len(known))
    labelled, others = np.sort(order[:200]), np.sort(order[200:1600])
    truth, folder = {known[i]["image"]: p[i] for i in others}, data / "lfw-dcgan-progress"
    if (out / "votes.csv").exists():
        return truth
    copy([folder / known[i]["image"] for i in labelled], out / "labelled")
    more = rows(data, "lfw-dcgan", "generated")[:600]
    generated = [folder / known[i]["image"] for i in others] + [data / "lfw-dcgan" / row["image"] for row in more]
    copy(generated, out / "generated")
    copy([data / "lfw-dcgan" / row["image"] for row in rows(data, "lfw-dcgan", "real")], out / "reals")
    with (out / "votes.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "n", "n_real"])
        table.writerows([known[i]["image"], 3, rng.binomial(3, p[i])] for i in labelled)
    return truth


def run(line: str, out: Path, stop: int | None) -> str:
    """What the command printed at last, how often it was started, and its seconds."""
    home, before = {"GIQA_HOME": str(out.resolve() / "home")}, resource.getrusage(resource.RUSAGE_CHILDREN)
    words, starts, began = [sys.executable, "-m", "giqa.cli", *line.split()[1:]], 0, time.time()
    limit = (lambda: resource.setrlimit(resource.RLIMIT_CPU, (stop, stop + 5))) if stop else None
    while True:
        starts += 1
        done = subprocess.run(words, cwd=out, env=os.environ | home, capture_output=True, text=True, preexec_fn=limit)
        if done.returncode != -signal.SIGXCPU:
            break
    if done.returncode:
        raise SystemExit(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    took = f"# {used:.0f} s of processor time, {time.time() - began:.0f} s by the clock, started {starts} times"
    return f"$ {line}\n{done.stdout}{done.stderr}{took}\n"


def measure(out: Path, truth: dict[str, float]) -> None:
    """What p_real of the scores is worth, where the truth is known."""
    scores = read_scores(out / "scores.csv")
    place = {name: row for row, name in enumerate(scores.id)}
    at = np.array([place[name] for name in truth])
    p, q = np.array(list(truth.values())), scores.p_real[at]
    inside = (scores.p_real_low[at] <= p) & (p <= scores.p_real_high[at])
    print("On the 1,400 with a known p:\n")
    for name, values in (("p_real", q), ("z", scores.z[at])):
        print(f"- Spearman of {name}: {over_pictures(spearman, values, p)}")
    print(f"- mean |p_real - p|: {over_pictures(lambda a, b: np.abs(a - b).mean(), q, p)}")
    print(f"- intervals that hold p: {over_pictures(np.mean, inside.astype(float))}")
    sizes = {name: (out / name).stat().st_size / 1e6 for name in ("people.giqa", "report.html")}
    print(f"- {', '.join(f'{name} {size:.1f} MB' for name, size in sizes.items())}")


def main() -> None:
    parser = command(__file__, __doc__, "data")
    parser.add_argument("out", type=Path, help="a new folder")
    parser.add_argument("--stop", type=int, help="seconds of processor time after which a command starts again")
    options = parser.parse_args()
    with results(options):
        truth = prepare(options.data, options.out)
        for number, words in enumerate(COMMANDS):
            log = options.out / f"{number}.txt"
            if not log.exists():
                log.write_text(run(words, options.out, options.stop))
            print(f"```console\n{log.read_text()}```\n", flush=True)
        measure(options.out, truth)


if __name__ == "__main__":
    main()
