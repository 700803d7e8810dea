"""`giqa train` and `giqa pick`: scores learned from snapshots, and what scores are good for."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from .shared import Group, check_writable, options


@click.command()
@click.argument("scores", type=click.Path(path_type=Path))
@click.option("--from", "fakes", metavar="FAKES", help="Where the pictures are: the source that was scored.")
@click.option("--keep", type=float, metavar="SHARE", help="The best share, e.g. 0.9.")
@click.option("--min-z", type=float, metavar="Z", help="All with this z or more, e.g. -2.")
@click.option("--top", type=int, metavar="N", help="The best N.")
@click.option(
    "--by",
    type=click.Choice(["score", "p_real"]),
    default="score",
    show_default=True,
    help="What is best: the score, or how often people would call it real (of tables made with --human).",
)
@click.option("--sample", type=int, metavar="N", help="Of those, N drawn at random.")
@click.option("--seed", type=int, default=0, show_default=True, help="For --sample.")
@click.option("--no-copies", is_flag=True, help="Leave out pictures that repeat a real one.")
@click.option(
    "--how",
    type=click.Choice(["copy", "hardlink", "symlink", "list"]),
    default="copy",
    show_default=True,
    help="How pictures get there; list: only the table.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="A new folder.")
@options("quiet")
def pick(
    scores: Path,
    fakes: str | None,
    keep: float | None,
    min_z: float | None,
    top: int | None,
    by: str,
    sample: int | None,
    seed: int,
    no_copies: bool,
    how: str,
    out: Path,
    quiet: bool,
) -> None:
    """Pick the best pictures of SCORES (a table that `giqa score -o` wrote) into a new folder.

    \b
    giqa score fakes/ --real reals/ -o scores.csv
    giqa pick scores.csv --from fakes/ --keep 0.9 --sample 5000 -o picked/

    The folder also gets picked.csv: image, score, z, best first. Pictures without a score are left out. A folder that
    holds anything is never touched.
    """
    import numpy as np

    from .. import console
    from ..errors import BadSpec
    from ..gan.picker import pick as rows_of
    from ..gan.picker import write_picked
    from ..images import open_source
    from ..scores import read_scores

    if fakes is None and how != "list":
        raise BadSpec("Where are the pictures? Give --from FAKES, the source that was scored, or --how list.")
    if keep is None and min_z is None and top is None:
        raise BadSpec("Pick which? Give --keep SHARE, --min-z Z or --top N.")
    table = read_scores(scores)
    if by == "p_real" and (table.p_real is None or min_z is not None):
        raise BadSpec(
            f"{scores} has no column p_real; `giqa score --human` writes it."
            if table.p_real is None
            else "--min-z is on the scale of the score; with --by p_real give --keep or --top."
        )
    values = table.p_real if by == "p_real" else table.score if min_z is None else table.z
    values = values.copy()  # score and z rank alike; z can be missing
    if no_copies:
        values[np.array([bool(real) for real in table.duplicate_of], bool)] = np.nan
    rows = rows_of(values, keep=keep, top=top, above=min_z, sample=sample, seed=seed)
    if not len(rows):
        raise BadSpec(f"No picture of {scores} is left to pick{'' if min_z is None else f' with z >= {min_z:g}'}.")
    pictures = found(open_source(fakes), [table.id[row] for row in rows]) if fakes else {table.id[r]: r for r in rows}
    people = {} if table.p_real is None else {"p_real": table.p_real[rows]}
    write_picked(out, pictures, {"score": table.score[rows], "z": table.z[rows], **people}, how)
    if not quiet:
        scored = int((~np.isnan(table.score)).sum())
        z = f", mean z {np.mean(table.z[rows]):+.2f} (of all: {np.nanmean(table.z):+.2f})"
        console.say(f"wrote {out}: {len(rows)} of {scored} scored pictures{z}")


def found(source: Any, ids: Sequence[str]) -> dict[str, Any]:
    """File name -> where each picture lies in the source: a path, or a function that reads it."""
    from ..errors import BadSource
    from ..images.decode import decode

    place = {name: index for index, name in enumerate(source.ids)}
    absent = [name for name in ids if name not in place]
    if absent:
        raise BadSource(
            f"{source.name} has no picture {absent[0]!r} ({len(absent)} of {len(ids)} are missing); is it the source "
            "that was scored?"
        )

    def read(raw: Any) -> bytes:
        from PIL import Image

        content = io.BytesIO()
        Image.fromarray(decode(raw).pixels).save(content, "PNG")
        return content.getvalue()

    pictures: dict[str, Any] = {}
    for name in ids:
        index = place[name]
        path = source.path(index)
        raw = None if path else source.raw(index)
        if path or isinstance(raw, bytes):
            pictures[name] = path or (lambda raw=raw: raw)
        else:
            pictures[f"{name}.png"] = lambda raw=raw: read(raw)
    return pictures


@click.group(cls=Group)
def train() -> None:
    """Learn quality from a generator's own snapshots, without anybody's judgement; or, with `human`, from votes.

    MANIFEST is a table with the columns image,kind,run,iteration (or epoch); kind is real or generated. A training
    loop writes one with giqa.gan.snapshots.
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
    from .. import console
    from ..errors import BadSpec

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
@click.option("--start", type=click.Path(path_type=Path), help="Folder of another training to begin from.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or mps.")
@click.option("--seed", type=int, default=0, show_default=True, help="For weights, order and latents.")
@options("quiet")
def train_gan_command(reals: str, out: Path, size: str, quiet: bool, **given: Any) -> None:
    """Train a small reference GAN on REALS, with snapshots to learn quality from.

    \b
    giqa train gan reals/ -o plain --steps 20000
    giqa train mbc plain/snapshots/snapshots.csv -o mbc.safetensors
    giqa train gan reals/ -o ohem --start plain --steps 30000 --quality mbc.safetensors

    Writes generator.safetensors, snapshots/ and log.csv. Stopped at any moment, the same command goes on.
    """
    from .. import console
    from ..train.gan import train_gan

    with console.plain_warnings(quiet), console.progress(quiet, unit="steps") as progress:
        train_gan(reals, out, size=int(size), progress=progress, **given)
    if not quiet:
        console.say(f"wrote {out / 'generator.safetensors'} and snapshots in {out / 'snapshots'}")


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

    Writes curve.html (mean z against the share kept) and report.html. Stopped at any moment, the same command goes on.
    """
    from .. import console
    from ..train.demo import demo_gan

    with console.plain_warnings(quiet), console.progress(quiet, unit="") as progress:
        demo_gan(out, steps=steps, seed=seed, progress=progress)
    if not quiet:
        console.say(f"Open {out / 'curve.html'} in a browser.")
