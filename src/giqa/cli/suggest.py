"""`giqa suggest`: which pictures to label next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import BadSpec
from . import console
from .options import COUNT, FILE, PATH, options, working


@click.command()
@click.argument("fakes")
@click.option("--n", "-n", "n", type=COUNT, default=50, help="How many.")
@click.option("--labelled", type=PATH, help="Votes, counts, pairs or ratings: what has labels already.")
@click.option(
    "--method",
    type=click.Choice(["random", "coverage", "both", "unsure"]),
    default="random",
    help="coverage: unlike what is labelled; unsure: where a model of the votes is unsure; both: their product.",
)
@click.option("--scores", type=PATH, help="A table with id and p_real, instead of that model.")
@click.option("--by", metavar="COLUMN", help="As many for each value of this column of FAKES, or for each 'folder'.")
@click.option("-o", "--out", required=True, type=FILE, help="The table, .csv or .tsv.")
@options("extractor", "seed", "workers", "no_store", "quiet")
def suggest(fakes: str, out: Path, quiet: bool, **how: Any) -> None:
    """Pick which pictures of FAKES to label next, as a table that `giqa label serve` takes.

    \b
    giqa suggest fakes/ -n 50 -o fakes/next.csv
    giqa label serve gan=fakes/next.csv --real reals/ --task hype
    giqa label export -o votes.csv
    giqa suggest fakes/ -n 50 --labelled votes.csv -o fakes/next.csv

    Pictures with labels and their near copies are never picked, nor two near copies. Random by default, which keeps
    the labelled pictures a fair sample; coverage ranks better from few labels where kinds are rare or many
    (docs/bench.md). Write the table into the folder of the pictures: then it holds their names.
    """
    from ..study.suggest import suggest as run

    if out.suffix.lower() not in (".csv", ".tsv"):
        raise BadSpec(f"`giqa label serve` reads .csv and .tsv, so that is what is written; got {out.name!r}.")
    with working(quiet, out) as progress:
        found = run(fakes, progress=progress, **how)
    found.write(out)
    if quiet:
        return
    console.failures(found.failures)
    known = f"; {found.labelled} have labels already" if found.labelled else ""
    other = f", and {found.strangers} labelled names are not among them" if found.strangers else ""
    console.say(f"wrote {out}: {len(found.ids)} of {len(found.source)} pictures ({found.method}){known}{other}")
    if len(found.ids) < how["n"]:
        console.say(f"there are no more without labels (or unlike what has labels): {how['n']} were asked for")
    if found.paths(out.parent) != list(found.ids):
        console.say(
            f"votes will name them by their path from {out.parent}/; written in the folder of the pictures, they "
            "keep their names"
        )
    console.say(f"Next: giqa label serve {out} --real REALS --task hype")
