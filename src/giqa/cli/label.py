"""`giqa label`: human judgements, collected, exchanged with other tools, and what they say."""

from __future__ import annotations

import click

from .options import Group


@click.group(cls=Group)
def label() -> None:
    """Human judgements: collect them, exchange them, and what they say.

    \b
    giqa label serve fakes/ --real reals/ --task hype     raters judge in a browser
    giqa label export --store giqa-votes.db -o votes.csv  their votes as a table
    giqa label stats votes.csv --report people.html       what the votes say
    """


STORE = click.option(
    "--store",
    default="giqa-votes.db",
    metavar="PATH|URL",
    help="Where votes are kept: a file (SQLite) or postgresql://user:password@host/name.",
)
NAME = click.option("--name", help="Name of the study; default: the task. A store may hold several.")
