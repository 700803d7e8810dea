"""`giqa statistics`: mean and covariance of features as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import BadSpec
from . import console
from .options import FILE, PATH, Group, options, working


@click.group(cls=Group)
def statistics() -> None:
    """Mean and covariance of features as files, for FD without the reals.

    .npz with mu and sigma: read and written as pytorch-fid, clean-fid, EDM and ADM do; .pt: as torch-fidelity does.
    """


@statistics.command("make")
@click.argument("where", metavar="PICTURES")
@click.option("-o", "--out", type=FILE, required=True, help="The file, NAME.npz; NAME.pt for torch-fidelity.")
@click.option("--layers", metavar="NAMES", help="Layers or levels; default: the deepest high one.")
@options("extractor", "match_spec", "workers", "no_store", "quiet")
def make(where: str, out: Path, quiet: bool, **asked: Any) -> None:
    """Write mean and covariance of the features of PICTURES, in memory that does not grow with their number."""
    from ..metrics.reference_statistics import statistics

    with working(quiet, out) as progress:
        found = statistics(where, progress=progress, **asked)
    found.write(out)
    texts = [f"wrote {out}: {found.moments.n} pictures, {len(found.moments.mean)} columns"]
    console.finish(quiet, texts=texts, then=f"giqa statistics distance {out} OTHER, the file of another set.")


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
    """Print the Fréchet distance of two files: .npz with mu and sigma, or arrays of features (n, d).

    Columns count as they are, as in FID; `giqa compare` standardises several layers on the reals first.
    """
    from ..metrics import reference_statistics as reference

    with console.plain_warnings(quiet):
        click.echo(f"{reference.distance(*map(reference.read_statistics, (one, other))):.6g}")


@statistics.command("check")
@click.argument("file", type=PATH)
@click.argument("where", metavar="PICTURES")
@click.option("--layers", metavar="NAMES", help="Layers or levels; default: those that the file names.")
@options("extractor", "match_spec", "workers", "no_store", "as_json", "quiet")
def check(file: Path, where: str, as_json: bool, quiet: bool, **asked: Any) -> None:
    """Say whether PICTURES have the statistics of FILE.

    \b
    equal      they are the pictures that it was made of, with the same features
    alike      they differ from it as two random samples of one kind do
    different  they differ by more: other pictures, or features made in another way
    unknown    not equal, and the file does not say of how many pictures it is

    Features are made as the file says. A file of another tool does not say: give --extractor, such as
    'inception(layers=["pool"])' for FID. Exit status: 1 when different, else 0.
    """
    from ..metrics.reference_statistics import read_statistics, statistics

    kept = read_statistics(file)
    made = {name: kept.made_by.get(name) for name in ("extractor", "layers", "match")}
    if not made["extractor"] and not asked["extractor"]:
        raise BadSpec(
            f"{file} does not say how its features were made; give --extractor, such as 'inception(layers=[\"pool\"])' "
            "for files of FID."
        )
    with working(quiet) as progress:
        given = {name: value for name, value in asked.items() if value is not None}
        found = statistics(where, progress=progress, **made | given)
    _show(kept, found, as_json)


@statistics.command("diff")
@click.argument("one", type=PATH)
@click.argument("other", type=PATH)
@options("as_json")
def diff(one: Path, other: Path, as_json: bool) -> None:
    """Say how two files of statistics differ, and whether sampling explains it; see `giqa statistics check`."""
    from ..metrics.reference_statistics import read_statistics

    _show(*map(read_statistics, (one, other)), as_json)


@statistics.command("convert")
@click.argument("file", type=PATH)
@click.option("-o", "--out", type=FILE, required=True, help="NAME.npz, or NAME.pt for torch-fidelity.")
def convert(file: Path, out: Path) -> None:
    """Write a file of statistics, or of features (n, d), in another format.

    \b
    NAME.npz  for pytorch-fid, clean-fid (as stats/NAME_clean_custom_na.npz in its folder), EDM; for ADM's evaluator
              only if FILE has mu_s and sigma_s, for which giqa has no features
    NAME.pt   for torch-fidelity (as NAME-inception-v3-compat-stat-fid-2048.pt in its cache)
    """
    from ..metrics.reference_statistics import read_statistics

    read_statistics(file).write(out)


def _show(one: Any, other: Any, as_json: bool) -> None:
    """The difference as a table or as JSON; exit status 1 when it is one."""
    import json
    from dataclasses import asdict

    from ..metrics.statistics_difference import DIFFERENT, difference

    found = difference(one, other)
    if as_json:
        content = {name: None if value != value else value for name, value in asdict(found).items()}
        click.echo(json.dumps(content | {"pictures": [one.moments.n, other.moments.n]}, indent=1))
    else:
        moved = ", ".join(f"{column} ({by:.2f} sd)" for column, by in found.columns.items())
        rows = [
            ("verdict", found.verdict),
            ("pictures", f"{one.moments.n or 'not said'}, {other.moments.n or 'not said'}"),
            ("Fréchet distance", f"{found.distance:.6g}"),
            ("of it between means", f"{found.of_means:.6g}"),
            ("means apart", f"{found.shift:.4f} standard deviations"),
            ("beyond sampling", "not known" if found.z != found.z else f"{found.z:+.1f} standard errors"),
            ("covariances apart", f"{100 * found.covariance:.2f} %"),
            ("total variance, ratio", f"{found.variances:.4f}"),
            ("columns that moved most", moved),
            *((f"made otherwise: {key}", f"{a} | {b}") for key, (a, b) in found.made.items()),
        ]
        console.table("", ("what", "value"), rows)
    if found.verdict == DIFFERENT:
        raise click.exceptions.Exit(1)
