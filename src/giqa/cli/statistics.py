"""`giqa statistics`: mean and covariance of features as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import Group, check_writable, options


@click.group(cls=Group)
def statistics() -> None:
    """Mean and covariance of features as files (.npz with mu and sigma), for FD without the reals."""


@statistics.command("make")
@click.argument("where", metavar="PICTURES")
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file, NAME.npz.")
@click.option("--layers", metavar="NAMES", help="Layers or levels; default: the deepest high one.")
@options("extractor")
@click.option("--match", metavar="SPEC", help="Bring pictures to one size and coding first, e.g. 'match(size=64)'.")
@options("workers", "no_store", "quiet")
def make(where: str, out: Path, no_store: bool, quiet: bool, **asked: Any) -> None:
    """Write mean and covariance of the features of PICTURES, in memory that does not grow with their number."""
    from ..metrics import reference_statistics as reference
    from . import console

    check_writable(out)
    with console.plain_warnings(quiet), console.progress(quiet) as progress:
        found = reference.statistics(where, asked.pop("extractor"), store=not no_store, progress=progress, **asked)
    found.write(out)
    if not quiet:
        console.say(f"wrote {out}: {found.moments.n} pictures, {len(found.moments.mean)} columns")


@statistics.command("info")
@click.argument("file", type=click.Path(path_type=Path))
def info(file: Path) -> None:
    """Say what a file of statistics says of itself."""
    import json

    from ..metrics.reference_statistics import read_statistics
    from . import console

    found = read_statistics(file)
    rows = [("pictures", found.moments.n or "not said"), ("columns", len(found.moments.mean))]
    rows.append(("total variance", f"{found.moments.covariance.trace():.6g}"))
    rows += [(k, json.dumps(v) if isinstance(v, (dict, list)) else v) for k, v in found.made_by.items()]
    console.table(str(file), ("what", "value"), rows)


@statistics.command("distance")
@click.argument("one", type=click.Path(path_type=Path))
@click.argument("other", type=click.Path(path_type=Path))
@options("quiet")
def distance(one: Path, other: Path, quiet: bool) -> None:
    """Print the Fréchet distance of two files: .npz with mu and sigma, or arrays of features (n, d)."""
    from ..metrics import reference_statistics as reference
    from . import console

    with console.plain_warnings(quiet):
        click.echo(f"{reference.distance(*map(reference.read_statistics, (one, other))):.6g}")
