"""`giqa plan`: what scoring many pictures will cost."""

from __future__ import annotations

from typing import Any

import click

from . import console
from .options import COUNT, SOURCES, options

SIZES = (10**5, 10**6, 10**7, 10**8, 10**9)


@click.command(epilog=SOURCES)
@click.argument("source")
@click.option("--nodes", type=COUNT, default=1, help="Machines.")
@click.option("--cores", type=COUNT, default=1, help="Cores of each machine.")
@click.option("--price", type=click.FloatRange(0), help="Of a machine for an hour, in any currency.")
@options("extractor", "scorer", "as_json")
def plan(source: str, nodes: int, cores: int, price: float | None, as_json: bool, **how: Any) -> None:
    """Say what scoring SOURCE costs, and 10^5 to 10^9 pictures like it, from 100 of its pictures measured here.

    Time is for cores like those of this machine that do nothing else. Reading from other machines is not counted.
    """
    import dataclasses
    import json

    from ..images import open_source
    from ..runners.plan import measure
    from ..runners.plan import plan as plan_of

    opened = open_source(source)
    with console.plain_warnings(True):
        measured = measure(opened, **how)
    plans = [plan_of(measured, n, nodes, cores, price) for n in sorted({len(opened), *SIZES})]
    if as_json:
        found = {"measured": dataclasses.asdict(measured), "plans": [dataclasses.asdict(each) for each in plans]}
        click.echo(json.dumps(found, indent=1))
        return
    heads = ("pictures", "hours", "core hours", "store GB", "table GB", "memory GB", "money")
    rows = [
        tuple("" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:,.2f}" for value in cells)
        for cells in (dataclasses.astuple(each) for each in plans)
    ]
    title = f"{1000 * measured.features:.2f} ms a picture for features, {1000 * measured.scoring:.2f} ms for its score"
    console.table(title, heads, rows)
