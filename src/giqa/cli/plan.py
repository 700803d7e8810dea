"""`giqa plan`: what scoring many pictures will cost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..errors import BadSpec
from . import console
from .options import COUNT, FILE, SOURCES, options

SIZES = (10**5, 10**6, 10**7, 10**8, 10**9)


@click.command(epilog=SOURCES)
@click.argument("source")
@click.option("--nodes", type=COUNT, default=1, help="Machines.")
@click.option("--cores", type=COUNT, default=1, help="Cores of each machine.")
@click.option("--price", type=click.FloatRange(0), help="Of a machine for an hour, in any currency.")
@click.option(
    "--constants",
    type=FILE,
    metavar="FILE",
    help="What `giqa doctor --measure` wrote, also on another machine. Default: that of this machine, if it is there.",
)
@options("extractor", "scorer", "as_json")
def plan(
    source: str, nodes: int, cores: int, price: float | None, constants: Path | None, as_json: bool, **how: Any
) -> None:
    """Say what scoring SOURCE costs, and 10^5 to 10^9 pictures like it, with a fitted model.

    From the constants of a machine (`giqa doctor --measure`); without them, from 100 pictures of SOURCE measured here.
    Time is for cores that do nothing else. Reading from other machines is not counted.
    """
    import dataclasses
    import json

    from ..images import open_source
    from ..runners.plan import measure
    from ..runners.plan import plan as plan_of

    opened = open_source(source)
    known, words = _constants(constants, how)
    with console.plain_warnings(True):
        measured = known.of(opened) if known else measure(opened, **how)
    plans = [plan_of(measured, n, nodes, cores, price) for n in sorted({len(opened), *SIZES})]
    if as_json:
        said = dataclasses.asdict(known) if known else None
        found = {"constants": said, "measured": dataclasses.asdict(measured)}
        click.echo(json.dumps({**found, "plans": [dataclasses.asdict(each) for each in plans]}, indent=1))
        return
    heads = ("pictures", "hours", "core hours", "store GB", "table GB", "memory GB", "money")
    rows = [
        tuple("" if value is None else f"{value:,}" if isinstance(value, int) else _number(value) for value in cells)
        for cells in (dataclasses.astuple(each) for each in plans)
    ]
    title = f"{1000 * measured.features:.2f} ms a picture for features, {1000 * measured.scoring:.2f} ms for its score"
    console.table(title, heads, rows)
    console.say(words)


def _constants(file: Path | None, how: Mapping[str, Any]) -> tuple[Any, str]:
    """The constants that the plan uses, None where it measures itself, and a line that says so."""
    from ..runners.constants import constants_file, names_of, read_constants

    place = file or constants_file()
    if not place.is_file():
        if file:
            raise BadSpec(f"There is no {str(file)!r}; `giqa doctor --measure -o {file}` writes it.")
        return None, "Measured here on pictures of the source, without the start of a run: see `giqa doctor --measure`."
    known, asked = read_constants(place), names_of(how["extractor"], how["scorer"])
    differs = [name for name, spec in asked.items() if known.made_by.get(name) != spec]
    if not differs:
        return known, f"By the constants in {place} ({known.says()})."
    words = f"The constants in {place} are for {known.made_by[differs[0]]}, not for {asked[differs[0]]}"
    if file:
        raise BadSpec(f"{words}; measure again: giqa doctor --measure -o {file}, with the same --{differs[0]}.")
    return None, f"{words}: measured here on pictures of the source instead."


def _number(value: float) -> str:
    """Two decimals, or two digits of a small number.

    >>> _number(12345.678), _number(0.00123), _number(0.0)
    ('12,345.68', '0.0012', '0')
    """
    return f"{value:,.2f}" if value >= 0.1 else f"{value:.2g}"
