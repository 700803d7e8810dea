"""`giqa statistics`: mean and covariance of features as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from . import console
from .options import FILE, PATH, Group, options, working


@click.group(cls=Group)
def statistics() -> None:
    """Mean and covariance of features as files (.npz with mu and sigma), for FD without the reals."""


@statistics.command("make")
@click.argument("where", metavar="PICTURES")
@click.option("-o", "--out", type=FILE, required=True, help="The file, NAME.npz.")
@click.option("--layers", metavar="NAMES", help="Layers or levels; default: the deepest high one.")
@options("extractor", "match_spec", "workers", "no_store", "quiet")
def make(where: str, out: Path, quiet: bool, **asked: Any) -> None:
    """Write mean and covariance of the features of PICTURES, in memory that does not grow with their number."""
    from ..metrics.reference_statistics import statistics

    with working(quiet, out) as progress:
        found = statistics(where, progress=progress, **asked)
    found.write(out)
    console.say(f"wrote {out}: {found.moments.n} pictures, {len(found.moments.mean)} columns", quiet)


@statistics.command("info")
@click.argument("file", type=PATH)
def info(file: Path) -> None:
    """Say everything that a file of statistics says about itself."""
    from ..metrics.reference_statistics import read_statistics

    found = read_statistics(file)
    rows = [("pictures", found.moments.n or "not said"), ("columns", len(found.moments.mean))]
    rows.append(("total variance", f"{found.moments.covariance.trace():.6g}"))
    console.table(str(file), ("what", "value"), rows + console.as_cells(found.made_by))


@statistics.command("distance")
@click.argument("one", type=PATH)
@click.argument("other", type=PATH)
@options("quiet")
def distance(one: Path, other: Path, quiet: bool) -> None:
    """Print the Fréchet distance of two files: .npz with mu and sigma, or arrays of features (n, d)."""
    from ..metrics import reference_statistics as reference

    with console.plain_warnings(quiet):
        click.echo(f"{reference.distance(*map(reference.read_statistics, (one, other))):.6g}")
