"""`giqa train mbc`, `bc`, `ir`, `rank`: scores learned from snapshots, as heads on features or as a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import BadSpec
from . import console
from .options import COUNT, PATH, Group, options, working

OF_A_NETWORK = {
    "network": click.option("--network", type=click.Choice(["small", "vgg19bn"]), help="Trunk of a network."),
    "epochs": click.option("--epochs", type=COUNT, help="Epochs of a network, at most."),
    "batch": click.option("--batch", type=COUNT, help="Pictures a step of a network."),
    "device": click.option("--device", help="Where a network learns: cpu, cuda, mps."),
    "precision": click.option(
        "--precision", type=click.Choice(["float32", "bfloat16"]), help="Precision of a network's products."
    ),
}


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
    from the pixels (needs giqa[torch]) and writes NAME.giqa next to it when 20 reals are held out. Either NAME.giqa is
    used by `giqa score FAKES --model NAME.giqa`. Stopped at any moment, the same command goes on.
    """
    heads = click.option("--heads", "n_heads", type=COUNT, help="Number of classifiers; default: 8.")
    decorators = [
        click.argument("manifest"),
        click.option("-o", "--out", type=PATH, required=True, help="NAME.giqa or NAME.safetensors."),
        options("extractor"),
        *([heads] if kind == "mbc" else []),
        options("preset"),
        *OF_A_NETWORK.values(),
        click.option("--seed", type=click.IntRange(0), default=0, help="For the split, the start and the order."),
        options("workers", "quiet"),
    ]
    for decorate in reversed(decorators):
        command = decorate(command)
    return click.command(kind)(command)


def run_train(kind: str, manifest: str, out: Path, quiet: bool, **given: Any) -> None:
    given = {name: value for name, value in given.items() if value is not None}
    ending = out.suffix.lower()
    if ending not in (".giqa", ".safetensors"):
        raise BadSpec(f"-o is NAME.giqa (heads on features) or NAME.safetensors (a network), got {out.name!r}.")
    wrong = {"extractor"} if ending == ".safetensors" else OF_A_NETWORK.keys()
    if wrong & given.keys():
        name = sorted(wrong & given.keys())[0]
        kinds = "heads on features, -o NAME.giqa" if name == "extractor" else "a network, -o NAME.safetensors"
        raise BadSpec(f"--{name} is for {kinds}; got {out.name!r}.")
    learn = train_heads if ending == ".giqa" else train_network
    with working(quiet, out) as progress:
        summary = learn(kind, manifest, out, progress=progress, **given)
    then = f"giqa score FAKES --model {out.with_suffix('.giqa')} --report report.html"
    console.finish(quiet, texts=[f"wrote {out}: {kind}, {summary}"], then=then)


def train_heads(kind: str, manifest: str, out: Path, **how: Any) -> str:
    from ..train.heads import train_heads

    model = train_heads(kind, manifest, **how)
    model.save(out)
    return f"{model.made_by['chosen']['heads']} heads on {model.extractor}, {model.made_by['reals']} reals"


def train_network(kind: str, manifest: str, out: Path, **how: Any) -> str:
    from ..features.learned import read_recipe
    from ..train.network import train_network

    recipe = read_recipe(train_network(kind, manifest, out, **how))
    epochs, best = len(recipe["history"]), min(recipe["history"])
    return f"{recipe['network']}, {epochs} epochs, loss on held-out snapshots {best:.4f}"


for kind, what in {
    "mbc": "Learn several classifiers, each of a threshold of quality (MBC-GIQA).",
    "bc": "Learn one classifier, real or generated (BC-GIQA).",
    "ir": "Learn the pseudo label by regression (IR-GIQA).",
    "rank": "Learn to rank real pictures that were damaged more and less (RankIQA).",
}.items():
    train.add_command(learned(kind, what))
