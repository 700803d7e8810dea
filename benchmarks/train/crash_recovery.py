"""Kill -9 what learns, in every phase of it, until it is through; then compare with a run that nobody touched.

    python -m benchmarks.train.crash_recovery WORK [--only demo network gan pick] [--each 3] [--rounds 8]

Needs: giqa[torch]; fork (Linux, macOS).
Takes: not measured as a whole; --only demo --each 1 --rounds 1 about a minute of processor time.

- demo: `giqa demo gan`, shortened: the first training, MBC, what is between, the plain arm, the OHEM arm, the curve.
- network: `giqa train mbc SNAPSHOTS -o NAME.safetensors` on the snapshots of the demo.
- gan: `giqa train gan` with OHEM, on the demo's reals, with the network.
- pick: `giqa score` of the demo's pictures is given; `giqa pick` of 150 of 200 of them, as copies.

The process that is to be killed says in a page of shared memory which phase it is in; the watcher looks every fifth of
a millisecond, and kills when the process has been in a phase for a random part (seeded) of what the untouched run spent
there. Then the same command goes on in the same folder. Rounds go on until each phase had so many kills. What counts is
the phase that the page shows after death. Files and tensors must be equal byte for byte.
"""

from __future__ import annotations

import argparse
import importlib
import mmap
import os
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file

import giqa.cli.demo_gan as demo
import giqa.compare.picker as picker
import giqa.train.gan as gan
import giqa.train.network as network
from benchmarks.shared import command, head, results, row, say
from giqa.cli import main as run_command
from giqa.train.snapshots import Snapshots

TICK = 0.0002  # seconds between two looks


class Page:
    """Which phase a process is in, in memory that it shares with its watcher; phases are numbered as they are named."""

    def __init__(self, names: list[str]):
        self.names, self.memory = ["elsewhere", *names], mmap.mmap(-1, 1)

    @property
    def now(self) -> str:
        return self.names[self.memory[0]]

    def watch(self, owner: Any, attribute: str, name: str | Callable[..., str], inside: bool = True) -> None:
        """While this function runs its phase is shown, then the one before; `inside` False: not within another."""
        function = getattr(owner, attribute)

        def watched(*given: Any, **more: Any) -> Any:
            before = self.memory[0]
            if inside or not before:
                self.memory[0] = self.names.index(name if isinstance(name, str) else name(*given, **more))
            try:
                return function(*given, **more)
            finally:
                self.memory[0] = before

        setattr(owner, attribute, watched)


@dataclass(frozen=True)
class Job:
    """What is run in a folder, its phases, how they are watched, and what of the folder must be equal."""

    run: Callable[[Path], Any]
    phases: list[str]
    watch: Callable[[Page], None]
    content: Callable[[Path], dict[str, bytes]]


def demo_job(steps: int) -> Job:
    """The demo; the three trainings of the GAN are told apart by the folder that is trained in."""
    arms = {"start": "first training", "plain": "plain arm", "ohem": "OHEM arm"}
    phases = [f"{arm}: {what}" for arm in arms.values() for what in ("begin", "step", "snapshot", "checkpoint")]
    learning = ["MBC: begin", "MBC: step", "MBC: checkpoint", "MBC: written"]
    phases[4:4] = [*learning, "between: model of the reals"]
    phases[13:13] = ["plain arm: pictures and scores"]
    phases += ["OHEM arm: pictures, scores and report", "curve and pages"]
    arm = ["first training"]

    def begin(reals: Any, folder: Path, **_: Any) -> str:
        arm[0] = arms[Path(folder).name]
        return f"{arm[0]}: begin"

    def scores(*_: Any, **__: Any) -> str:
        return f"{arm[0]}: pictures and scores" if arm[0] == "plain arm" else phases[-2]

    def watch(page: Page) -> None:
        page.watch(demo, "train_gan", begin)
        page.watch(gan.GAN, "step", lambda *_: f"{arm[0]}: step")
        page.watch(Snapshots, "_add", lambda *_: f"{arm[0]}: snapshot")
        page.watch(gan.GAN, "keep", lambda *_: f"{arm[0]}: checkpoint")
        page.watch(demo, "train_network", "MBC: begin")
        watch_network(page, "MBC: ")
        page.watch(demo.api, "fit", "between: model of the reals", inside=False)
        for owner, name in ((demo, "sample_pictures"), (demo.api, "score")):
            page.watch(owner, name, scores)
        for name in ("picker_curve", "write_curve"):
            page.watch(demo, name, "curve and pages")

    return Job(lambda folder: demo.demo_gan(folder, steps=steps, pictures=40), phases, watch, content)


def watch_network(page: Page, before: str) -> None:
    page.watch(network.Trainer, "_step", f"{before}step")
    page.watch(network.Trainer, "_keep", f"{before}checkpoint")
    page.watch(network.Trainer, "write", f"{before}written")
    page.watch(network, "_write_model", f"{before}written")


def network_job(whole: Path) -> Job:
    """`giqa train mbc` of a network: small, six epochs."""
    table = f"{whole / 'start' / 'snapshots' / 'snapshots.csv'}"

    def run(folder: Path) -> None:
        told = ["train", "mbc", table, "-o", f"{folder / 'mbc.safetensors'}", "--epochs", "6", "--heads", "6"]
        giqa_command(*told, "--quiet")

    def watch(page: Page) -> None:
        page.watch(network, "train_network", "network: begin")
        page.watch(network.Trainer, "_held_out_loss", "network: held-out loss")
        watch_network(page, "network: ")

    names = ("begin", "step", "held-out loss", "checkpoint", "written")
    return Job(run, [f"network: {name}" for name in names], watch, content)


def gan_job(whole: Path) -> Job:
    """`giqa train gan` with OHEM, from its first step."""
    reals = f"{whole / 'start' / 'snapshots' / 'snapshots.csv'}[kind=real]"
    names = [f"train gan: {name}" for name in ("begin", "step", "snapshot", "checkpoint")]

    def run(folder: Path) -> None:
        told = ["train", "gan", reals, "-o", f"{folder / 'arm'}", "--steps", "24", "--every", "6", "--each", "24"]
        giqa_command(*told, "--batch", "32", "--quality", f"{whole / 'mbc.safetensors'}", "--quiet")

    def watch(page: Page) -> None:
        for owner, name, phase in zip(
            (gan, gan.GAN, Snapshots, gan.GAN), ("train_gan", "step", "_add", "keep"), names, strict=True
        ):
            page.watch(owner, name, phase)

    return Job(run, names, watch, content)


def pick_job(whole: Path, work: Path) -> Job:
    """`giqa pick` of pictures in an archive, whose scores are made here first."""
    pictures, scores = work / "pictures.npz", work / "scores.csv"
    if not scores.exists():
        np.savez_compressed(pictures, images=demo.sample_pictures(whole / "ohem", 200, seed=9))
        reals = f"{whole / 'start' / 'snapshots' / 'snapshots.csv'}[kind=real]"
        giqa_command("score", f"{pictures}", "--real", reals, "-o", f"{scores}", "--quiet")

    def run(folder: Path) -> None:
        if (folder / "picked").exists():
            return  # killed after the folder was there; the command would say so
        told = ["pick", f"{scores}", "--from", f"{pictures}", "--top", "150", "-o", f"{folder / 'picked'}", "--quiet"]
        giqa_command(*told)

    def watch(page: Page) -> None:
        page.watch(importlib.import_module("giqa.cli.pick"), "found", "pick: pictures found")
        page.watch(picker, "write_picked", "pick: begin and end")
        page.watch(picker, "_place", "pick: picture placed")

    def picked(folder: Path) -> dict[str, bytes]:
        files = (file for file in (folder / "picked").rglob("*") if file.is_file())
        return {str(file.relative_to(folder)): file.read_bytes() for file in files}

    return Job(run, ["pick: pictures found", "pick: picture placed", "pick: begin and end"], watch, picked)


def giqa_command(*told: str) -> None:
    """A command in this very process; an error ends it."""
    code = run_command(told, standalone_mode=False)
    if code:
        sys.exit(f"giqa {' '.join(told)} ended with {code}")


def content(folder: Path) -> dict[str, bytes]:
    """What must be equal: files that hold no path, and the tensors of those that do."""
    endings = (".csv", ".html", ".png", ".npz")
    files = [file for file in folder.rglob("*") if file.suffix in endings and file.name != "report.html"]
    found = {str(file.relative_to(folder)): file.read_bytes() for file in files}
    for file in folder.rglob("*"):
        if file.suffix in (".safetensors", ".giqa", ".checkpoint"):
            found |= {f"{file.relative_to(folder)}:{name}": a.tobytes() for name, a in load_file(file).items()}
    return found


def started(job: Job, page: Page, folder: Path, home: Path) -> int:
    """The job in a process of its own, forked so that imports are paid for once; its number."""
    page.memory[0] = 0
    number = os.fork()
    if number:
        return number
    try:
        os.environ["GIQA_HOME"] = str(home)
        torch.set_num_threads(1)
        job.watch(page)
        job.run(folder)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def watched(number: int, page: Page, targets: dict[str, float]) -> tuple[Counter[str], bool]:
    """Seconds in each phase, until the process ends or has been in a phase for its target; whether it was killed."""
    spent: Counter[str] = Counter()
    last = time.perf_counter()
    while True:
        done, status = os.waitpid(number, os.WNOHANG)
        if done:
            return (spent, False) if status == 0 else sys.exit(f"ended with {status}")
        now = time.perf_counter()
        spent[page.now] += now - last
        last = now
        if spent[page.now] >= targets.get(page.now, np.inf):
            os.kill(number, signal.SIGKILL)
            os.waitpid(number, 0)
            return spent, True
        time.sleep(TICK)


def through(name: str, job: Job, options: argparse.Namespace) -> Counter[str]:
    """Rounds of kills of one job until each phase had its share; kills by phase."""
    page, expected, rng = Page(job.phases), options.work / name / "whole", np.random.default_rng(options.seed)
    spent, _ = watched(started(job, page, expected, options.work / name / "home"), page, {})
    wanted = job.content(expected)
    say(f"{name}: untouched {sum(spent.values()):.1f} s, {len(wanted)} files and tensors")
    kills: Counter[str] = Counter()
    for number in range(1, options.rounds + 1):
        folder, home = (options.work / name / f"{what}-{number}" for what in ("killed", "home"))
        left = [phase for phase in job.phases if kills[phase] < options.each]
        if not left:
            break
        targets = {phase: rng.uniform(0, 0.6) * spent[phase] for phase in left if spent[phase]}
        while True:
            _, killed = watched(started(job, page, folder, home), page, targets)
            if not killed:
                break
            kills[page.now] += 1
            targets.pop(page.now, None)
            say(f"round {number}, kill {sum(kills.values())}: {page.now}")
        found = job.content(folder)
        differ = sorted(name for name in wanted.keys() | found.keys() if found.get(name) != wanted.get(name))
        say(f"round {number} through: {len(differ)} of {len(wanted)} differ {differ[:5]}")
        if differ:
            sys.exit(1)
        shutil.rmtree(folder)
    return kills


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("work", type=Path, help="a folder")
    parser.add_argument("--only", nargs="+", choices=("demo", "network", "gan", "pick"))
    parser.add_argument("--each", type=int, default=3, help="kills of each phase, at least (%(default)s)")
    parser.add_argument("--rounds", type=int, default=8, help="at most (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (%(default)s)")
    parser.add_argument("--steps", type=int, default=24, help="of the demo's first training (%(default)s)")
    options = parser.parse_args()
    whole = options.work / "demo" / "whole"
    jobs = {
        "demo": lambda: demo_job(options.steps),
        "network": lambda: network_job(whole),
        "gan": lambda: gan_job(whole),
        "pick": lambda: pick_job(whole, options.work / "pick"),
    }
    with results(options):
        table = []
        for name in options.only or jobs:
            (options.work / name).mkdir(parents=True, exist_ok=True)
            job = jobs[name]()
            kills = through(name, job, options)
            phases = [phase for phase in (*job.phases, "elsewhere") if phase in job.phases or kills[phase]]
            table += [(phase, kills[phase]) for phase in phases]
        head("phase", "kills")
        for cells in table:
            row(*cells)
        print(f"\n{sum(number for _, number in table)} kills; all rounds ended equal")


if __name__ == "__main__":
    main()
