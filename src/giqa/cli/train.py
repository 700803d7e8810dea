"""`giqa train`: scores learned from snapshots, and a GAN to make some; `giqa demo gan`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import Group, check_writable, options


@click.group(cls=Group)
def train() -> None:
    """Learn quality from a generator's own snapshots, without anybody's judgement; or, with `human`, from votes.

    MANIFEST is a table with the columns image,kind,run,iteration (or epoch); kind is real or generated. A training
    loop writes one with giqa.train.snapshots.
    """


def learned(kind: str, what: str) -> click.Command:
    """One command of `giqa train`; they differ in what is learned."""

    def command(manifest: str, out: Path, quiet: bool, **given: Any) -> None:
        run_train(kind, manifest, out, quiet, **given)

    command.__doc__ = f"""{what}

    -o NAME.giqa learns heads on the features of --extractor: seconds, no torch. -o NAME.safetensors learns a network
    from the pixels (needs giqa[torch]) and writes NAME.giqa beside it when 20 reals are held out. Either NAME.giqa is
    used by `giqa score FAKES --model NAME.giqa`. Stopped at any moment, the same command goes on.
    """
    decorators = [
        click.argument("manifest"),
        click.option(
            "-o", "--out", type=click.Path(path_type=Path), required=True, help="NAME.giqa or NAME.safetensors."
        ),
        options("extractor"),
        click.option("--heads", "n_heads", type=click.IntRange(1), help="Number of classifiers; 8 unless said.")
        if kind == "mbc"
        else None,
        options("preset"),
        click.option("--network", type=click.Choice(["small", "vgg19bn"]), help="Trunk of a network."),
        click.option("--epochs", type=click.IntRange(1), help="Of a network, at most."),
        click.option("--batch", type=click.IntRange(1), help="Pictures a step of a network."),
        click.option("--device", help="Where a network learns: cpu, cuda, mps."),
        click.option("--precision", type=click.Choice(["float32", "bfloat16"]), help="Of a network's products."),
        click.option("--seed", type=int, default=0, show_default=True, help="For the split, the start and the order."),
        options("workers", "quiet"),
    ]
    for decorate in reversed([d for d in decorators if d]):
        command = decorate(command)
    return click.command(kind)(command)


def run_train(kind: str, manifest: str, out: Path, quiet: bool, **given: Any) -> None:
    from ..errors import BadSpec
    from . import console

    shared = {name: given.pop(name) for name in ("seed", "workers")}
    given = {name: value for name, value in given.items() if value is not None}
    ending = out.suffix.lower()
    if ending not in (".giqa", ".safetensors"):
        raise BadSpec(f"-o is NAME.giqa (heads on features) or NAME.safetensors (a network), got {out.name!r}.")
    wrong = {"extractor"} if ending == ".safetensors" else {"network", "epochs", "batch", "device", "precision"}
    if wrong & given.keys():
        name = sorted(wrong & given.keys())[0]
        kinds = "heads on features, -o NAME.giqa" if name == "extractor" else "a network, -o NAME.safetensors"
        raise BadSpec(f"--{name} is for {kinds}; got {out.name!r}.")
    check_writable(out)
    with console.plain_warnings(quiet), console.progress(quiet) as progress:
        if ending == ".giqa":
            from ..train.heads import train_heads

            model = train_heads(kind, manifest, progress=progress, **shared, **given)
            model.save(out)
            said = f"{model.made_by['chosen']['heads']} heads on {model.extractor}, {model.made_by['reals']} reals"
        else:
            from ..features.learned import read_recipe
            from ..train.network import train_network

            recipe = read_recipe(train_network(kind, manifest, out, progress=progress, **shared, **given))
            epochs, best = len(recipe["history"]), min(recipe["history"])
            said = f"{recipe['network']}, {epochs} epochs, loss on held-out snapshots {best:.4f}"
    if not quiet:
        console.say(f"wrote {out}: {kind}, {said}")


for kind, what in {
    "mbc": "Learn several classifiers, each of a threshold of quality (MBC-GIQA).",
    "bc": "Learn one classifier, real or generated (BC-GIQA).",
    "ir": "Learn the pseudo label by regression (IR-GIQA).",
    "rank": "Learn to rank real pictures that were damaged more and less (RankIQA).",
}.items():
    train.add_command(learned(kind, what))


@train.command("gan")
@click.argument("reals")
@click.option("-o", "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write.")
@click.option("--steps", type=click.IntRange(1), default=20_000, show_default=True, help="Of the generator, in all.")
@click.option("--size", type=click.Choice(["32", "64"]), default="32", show_default=True, help="Pixels a side.")
@click.option("--batch", type=click.IntRange(1), default=64, show_default=True, help="Pictures a step.")
@click.option("--every", type=click.IntRange(1), default=1000, show_default=True, help="Steps between snapshots.")
@click.option("--each", type=click.IntRange(1), default=50, show_default=True, help="Pictures a snapshot.")
@click.option("--quality", type=click.Path(path_type=Path), help="NAME.safetensors of `giqa train mbc`: OHEM.")
@click.option("--weight", type=float, default=2.0, show_default=True, help="Of low-quality pictures in the loss.")
@click.option("--threshold", type=float, help="Low quality is a score below this; unless said, a running fifth.")
@click.option("--start", type=click.Path(path_type=Path), help="Folder of another training to begin from.")
@click.option("--width", type=click.IntRange(1), default=32, show_default=True, help="Channels; 16 is quick on a CPU.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or mps.")
@click.option("--seed", type=int, default=0, show_default=True, help="For weights, order and latents.")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="When trained, write N pictures: OUT/sample.npz.")
@click.option(
    "--truncation",
    type=click.FloatRange(0),
    multiple=True,
    metavar="PSI",
    help="Of the sample's latents, which are multiplied by it: OUT/sample-PSI.npz. May be repeated.",
)
@options("quiet")
def train_gan_command(
    reals: str, out: Path, size: str, sample: int | None, truncation: tuple[float, ...], quiet: bool, **given: Any
) -> None:
    """Train a small reference GAN on REALS, with snapshots to learn quality from.

    \b
    giqa train gan reals/ -o plain --steps 20000
    giqa train mbc plain/snapshots/snapshots.csv -o mbc.safetensors
    giqa train gan reals/ -o ohem --start plain --steps 30000 --quality mbc.safetensors --sample 10000

    Writes generator.safetensors, snapshots/ and log.csv, and with --sample pictures and their latents. Stopped at any
    moment, the same command goes on.
    """
    from ..errors import BadSpec
    from ..train.gan import train_gan, write_sample
    from . import console

    if truncation and sample is None:
        raise BadSpec("--truncation is of a sample; give --sample N too.")

    with console.plain_warnings(quiet), console.progress(quiet, unit="steps") as progress:
        train_gan(reals, out, size=int(size), progress=progress, **given)
    written = [write_sample(out, sample, given["seed"], psi) for psi in truncation or (1.0,)] if sample else []
    if not quiet:
        console.say(f"wrote {out / 'generator.safetensors'} and snapshots in {out / 'snapshots'}")
        for path in written:
            console.say(f"wrote {path} and its latents")


@click.command("gan")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("giqa-demo-gan"),
    show_default=True,
    help="Folder to write.",
)
@click.option("--steps", type=click.IntRange(12), default=600, show_default=True, help="Before OHEM; half more after.")
@options("seed", "quiet")
def demo_gan_command(out: Path, steps: int, seed: int, quiet: bool) -> None:
    """Train a toy GAN, learn quality from its snapshots, weigh its loss, pick its best (minutes; needs giqa[torch]).

    Writes curve.html (FD, QS and DS against the share kept) and report.html. Stopped at any moment, the same command
    goes on.
    """
    from . import console
    from .demo import demo_gan

    with console.plain_warnings(quiet), console.progress(quiet, unit="") as progress:
        demo_gan(out, steps=steps, seed=seed, progress=progress)
    if not quiet:
        console.say(f"Open {out / 'curve.html'} in a browser.")
