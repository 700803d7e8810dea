"""`giqa demo` and `giqa demo gan`: see it work on toy pictures."""

from __future__ import annotations

from pathlib import Path

import click

from . import console
from .options import FOLDER, Group, options, working
from .score import run_score


def out(folder: str) -> click.Option:
    return click.option("-o", "--out", type=FOLDER, default=Path(folder), help="Folder to write.")


@click.group(cls=Group, invoke_without_command=True)
@out("giqa-demo")
@options("quiet")
@click.pass_context
def demo(context: click.Context, out: Path, quiet: bool) -> None:
    """Score toy pictures that giqa draws itself, and write a report.

    Makes 200 landscapes as reals and 60 more as fakes, most of them damaged; scores the fakes and writes scores.csv
    and report.html. Everything happens on this machine.
    """
    if context.invoked_subcommand:
        return
    from ..images.toy import write_toy

    console.say("Drawing 200 toy reals and 60 toy fakes ...", quiet)
    reals, fakes = write_toy(out, seed=2)  # a drawing none of whose reals is a stray: a demo begins without a warning
    run_score(str(fakes), out / "scores.csv", out / "report.html", real=str(reals), quiet=quiet, ranked=True)
    console.say(f"Open {out / 'report.html'} in a browser.", quiet)
    console.say("Your turn: giqa score FAKES --real REALS --report report.html", quiet)


@demo.command("gan")
@out("giqa-demo-gan")
@click.option("--steps", type=click.IntRange(12), default=600, help="Before OHEM; half more after.")
@options("seed", "quiet")
def gan(out: Path, steps: int, seed: int, quiet: bool) -> None:
    """Train a toy GAN, learn quality from its snapshots, weight its loss, pick its best (minutes; needs giqa[torch]).

    Writes curve.html (FD, QS and DS against the share kept) and report.html. Stopped at any moment, the same command
    goes on.
    """
    from .demo_gan import demo_gan

    with working(quiet, unit="") as progress:
        demo_gan(out, steps=steps, seed=seed, progress=progress)
    console.say(f"Open {out / 'curve.html'} in a browser.", quiet)
