"""`giqa train gan`: a small reference GAN, with snapshots to learn quality from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import BadSpec
from . import console
from .options import COUNT, FOLDER, PATH, options, working
from .train import train


@train.command()
@click.argument("reals")
@click.option("-o", "--out", type=FOLDER, required=True, help="Folder to write.")
@click.option("--steps", type=COUNT, default=20_000, help="Steps of the generator, in total.")
@click.option("--size", type=click.Choice(["32", "64"]), default="32", help="Pixels a side.")
@click.option("--batch", type=COUNT, default=64, help="Pictures a step.")
@click.option("--every", type=COUNT, default=1000, help="Steps between snapshots.")
@click.option("--each", type=COUNT, default=50, help="Pictures a snapshot.")
@click.option("--quality", type=PATH, help="NAME.safetensors of `giqa train mbc`: OHEM.")
@click.option("--weight", type=float, default=2.0, help="Weight of low-quality pictures in the loss.")
@click.option("--threshold", type=float, help="Low quality is a score below this; default: the worst fifth, running.")
@click.option("--start", type=PATH, help="Folder of another training to begin from.")
@click.option("--width", type=COUNT, default=32, help="Channels; 16 is quick on a CPU.")
@click.option("--device", default="cpu", help="cpu, cuda or mps.")
@click.option("--seed", type=click.IntRange(0), default=0, help="For weights, order and latents.")
@click.option("--sample", type=COUNT, metavar="N", help="When trained, write N pictures: OUT/sample.npz.")
@click.option(
    "--truncation",
    type=click.FloatRange(0),
    multiple=True,
    metavar="PSI",
    help="Multiply the sample's latents by PSI: OUT/sample-PSI.npz. May be repeated.",
)
@options("quiet")
def gan(reals: str, out: Path, sample: int | None, truncation: tuple[float, ...], quiet: bool, **given: Any) -> None:
    """Train a small reference GAN on REALS, with snapshots to learn quality from.

    \b
    giqa train gan reals/ -o plain --steps 20000
    giqa train mbc plain/snapshots/snapshots.csv -o mbc.safetensors
    giqa train gan reals/ -o ohem --start plain --steps 30000 --quality mbc.safetensors --sample 10000

    Writes generator.safetensors, snapshots/ and log.csv, and with --sample pictures and their latents. Stopped at any
    moment, the same command goes on.
    """
    from ..train.gan import train_gan, write_sample

    if truncation and sample is None:
        raise BadSpec("--truncation is of a sample; give --sample N too.")
    given["size"] = int(given["size"])
    with working(quiet, unit="steps") as progress:
        train_gan(reals, out, progress=progress, **given)
    written = [write_sample(out, sample, given["seed"], psi) for psi in truncation or (1.0,)] if sample else []
    texts = [f"wrote {out / 'generator.safetensors'} and snapshots in {out / 'snapshots'}"]
    console.finish(quiet, texts=[*texts, *(f"wrote {path} and its latents" for path in written)])
