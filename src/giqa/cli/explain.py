"""`giqa explain`: where one picture is unlike real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import options


@click.command()
@click.argument("image")
@click.option("--real", metavar="REALS", help="Real pictures to compare with, and to show the nearest of.")
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    help="A model that `giqa fit` made: what is learned of REALS is kept beside it, as NAME.maps, and used again.",
)
@click.option(
    "-o",
    "--out",
    "outs",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write .html (the whole explanation) or .png (the heat map alone); may be given twice.",
)
@options("extractor", "seed", "workers")
@click.option("--no-reals", is_flag=True, help="Show nothing of the reals.")
@options("quiet")
def explain(
    image: str,
    real: str | None,
    model: Path | None,
    outs: tuple[Path, ...],
    no_reals: bool,
    quiet: bool,
    **fitting: Any,
) -> None:
    """Show where IMAGE is unlike real pictures: a sentence, a heat map, and reals of the same place.

    Each place is compared with the same place of held-out reals: red is worse than 99 % of them. The first time, the
    maps of the reals are learned, in about ten milliseconds a picture; with --model they are kept in NAME.maps, and the
    reals are then only needed to be shown. Maps come from the embedded network and the grain of the pixels, whatever
    the model scores with, unless --extractor says otherwise.
    """
    from ..errors import BadSpec
    from ..explain.picture import check_outs, explained, map_model, write_page
    from . import console

    if real is None and model is None:
        raise BadSpec("Compare with what? Give --real REALS, or --model NAME.giqa that has NAME.maps beside it.")
    check_outs(outs)
    with console.plain_warnings(quiet), console.progress(quiet) as progress:
        maps = map_model(model, real, progress=progress, **fitting)
        name, pixels, found, patches, words = explained(maps, image, None if no_reals else real)
    click.echo(words)
    for out in outs:
        write_page(out, maps, name, pixels, found, patches)
        if not quiet:
            console.say(f"wrote {out}")
