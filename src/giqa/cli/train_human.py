"""`giqa train human`: what people say of pictures, learned from votes, pairs and ratings."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from ..errors import BadSpec
from . import console
from .options import COUNT, PATH, options, working
from .train import train

FIGURES = (
    "accuracy",
    "constant answer",
    "balanced accuracy",
    "AUROC",
    "log-likelihood",
    "log-likelihood, constant answer",
    "log-likelihood, gain",
    "Brier",
    "calibration error",
    "Spearman",
    "best possible accuracy",
)
OF_DISTANCES = ("preset", "extractor", "layers", "references", "variant", "vectors", "densities", "columns", "match")
OF_NETWORKS = ("epochs", "device")


@train.command()
@click.argument("votes", type=PATH, nargs=-1, required=True)
@click.option("--images", metavar="DIR", help="Where the pictures with votes are; default: the folder of VOTES.")
@click.option("--real", required=True, metavar="REALS", help="Reference reals; those among the pictures are left out.")
@click.option("-o", "--out", type=PATH, required=True, help="The model file, NAME.giqa.")
@click.option(
    "--preset",
    type=click.Choice(["paper", "recommended"]),
    default="recommended",
    help="Kolchinski et al. to the letter (Inception, 10,000 references), or what measures best.",
)
@options("extractor")
@click.option("--layers", metavar="A,B", help="Maps of the extractor that are measured, e.g. mid,high.")
@click.option("--references", type=COUNT, help="Reals to compare with, at most; default: 2,000.")
@click.option(
    "--variant",
    type=click.Choice(["A", "B", "C"]),
    help="Each place with the same place of all references (A), with a pool of --vectors (B), on a grid (C).",
)
@click.option("--vectors", type=COUNT, help="Vectors of each layer, for variant B; default: 3,000.")
@click.option(
    "--densities/--no-densities",
    default=None,
    help="Whether z of the pooled layers, as in `giqa score`, is used next to the distances; recommended: yes.",
)
@click.option(
    "--columns",
    metavar="A,B",
    help="What cross-validation chooses from: layers (distances and densities), pooled (features of the extractor), "
    "size (log height and width), or an extractor such as detail. Default: layers,pooled; for votes alone, layers "
    "without a choice.",
)
@options("match")
@click.option(
    "--group",
    metavar="COLUMN",
    help="A column of VOTES (generator, scene, prompt): pictures that belong together are held out together.",
)
@click.option("--reals-too", is_flag=True, help="Votes on real pictures count too.")
@click.option(
    "--end-to-end",
    is_flag=True,
    help="Learn a network from the pixels instead, from 1,000 votes on; -o NAME.safetensors, needs giqa[torch].",
)
@click.option("--epochs", type=COUNT, help="Epochs of that network, at most.")
@click.option("--device", help="Where it learns: cpu, cuda, mps.")
@options("seed", "workers", "no_store", "quiet")
def human(votes: tuple[Path, ...], out: Path, end_to_end: bool, quiet: bool, **given: Any) -> None:
    """Learn what people say of pictures from tables of judgements, alone or together; their columns say what they are.

    \b
    votes    image,rater,said_real or image,n,n_real               -> p_real
    pairs    left,right,votes_left,votes_right or left,right,preferred -> p_preferred
    ratings  image,rater,rating                                    -> rating

    \b
    giqa train human votes.csv --images fakes/ --real reals/ -o people.giqa
    giqa train human pairs.csv ratings.csv --images fakes/ --real reals/ --group scene -o people.giqa
    giqa score fakes/ --real reals/ --human people.giqa --report report.html

    Of a table that answers several questions one is learned: "votes.csv[question=clarity]".

    A few hundred judgements of generated pictures are enough. Prints how well it predicts those that were held out, by
    picture, group, rater and pair, with 95 % intervals, and says plainly when nothing was learned. The file holds the
    references as numbers, and no picture.
    With --end-to-end (votes only), NAME.giqa is written next to NAME.safetensors, and is what --human takes; stopped at
    any moment, the same command goes on.
    """
    from ..compare.compare import split_specs
    from ..model.trust import learned

    for name in ("layers", "columns"):
        if given[name] is not None:
            given[name] = split_specs(given[name])
    strange = OF_DISTANCES if end_to_end else OF_NETWORKS
    wrong = [name for name in strange if given[name] not in (None, "recommended")]
    if wrong:
        raise BadSpec(f"--{wrong[0]} {'is not for' if end_to_end else 'is only for'} --end-to-end.")
    if end_to_end and len(votes) > 1:
        raise BadSpec(f"--end-to-end learns from one table of votes, got {len(votes)} tables.")
    given = {name: value for name, value in given.items() if name not in strange}
    if end_to_end:
        from ..p_real.train_network import train_end_to_end as learn
    else:
        from ..p_real.train import train_human as learn
    tables = votes[0] if len(votes) == 1 else votes
    with working(quiet, out) as progress:
        model = learn(tables, out=out, progress=progress, say=partial(console.say, quiet=quiet), **given)
    show_learned(model.made_by)
    click.echo(console.inert(learned(model.made_by)[1]))
    about = f"{console.size(out.stat().st_size)}, {model.made_by['labelled']} judged pictures"
    model_file = out.with_suffix(".giqa")
    then = f"giqa score FAKES --real {given['real']} --human {model_file} --report report.html"
    console.finish(quiet, texts=[f"wrote {out}: {about}"], then=then)


def show_learned(made_by: dict[str, Any]) -> None:
    """Held-out figures of a human model, and its weights or what was chosen."""
    if "splits" in made_by:
        _show_splits(made_by)
        return
    held_out, others = made_by.get("held_out", {}), made_by.get("other_generators", {})
    if held_out:
        columns = ("figure", "held out", *(["another generator"] if others else []))
        sets = [held_out, others] if others else [held_out]
        rows = [(name, *(_said(found.get(name)) for found in sets)) for name in FIGURES if name in held_out]
        console.table("Pictures that the model had not seen", columns, rows)
    rows = [
        (name, f"{w:+.3f} [{low:+.3f}, {high:+.3f}]") for name, (w, low, high) in made_by.get("weights", {}).items()
    ]
    console.table("Weights", ("column", "weight"), rows)


def _said(found: dict[str, Any] | None) -> str:
    if not found or found["value"] is None:
        return "–"
    low, high = ("–" if end is None else f"{end:.3f}" for end in (found["low"], found["high"]))
    return f"{found['value']:.3f} [{low}, {high}]"


def _show_splits(made_by: dict[str, Any]) -> None:
    """A table a kind of judgement: a row a split; and what was chosen."""
    for kind, splits in made_by["splits"].items():
        names = list(dict.fromkeys(name for figures in splits.values() for name in figures))
        rows = [(split, *(_said(figures.get(name)) for name in names)) for split, figures in splits.items()]
        console.table(f"{kind.capitalize()} that the model had not seen", ("held out", *names), rows)
    centred = ", compared within groups" if made_by["centred"] else ""
    chosen = " and ".join(made_by["columns"])
    click.echo(console.inert(f"Chosen: columns {chosen}{centred}; penalty {made_by['penalty']:.3g}."))
