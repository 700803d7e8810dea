"""`giqa explain`: where one picture is unlike real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import BadSpec
from . import console
from .options import PATH, options, switch_off, working


@click.command()
@click.argument("image")
@click.option("--real", metavar="REALS", help="Real pictures to compare with, and to show the nearest of.")
@click.option(
    "--model",
    type=PATH,
    help="A model that `giqa fit` made: what is learned from REALS is kept next to it, as NAME.maps, and used again.",
)
@click.option(
    "-o",
    "--out",
    "outs",
    multiple=True,
    type=PATH,
    help="Write .html (the whole explanation) or .png (the heat map alone), may be given twice; or into a folder "
    "such as maps/ the map of each picture of IMAGE, as .npy.",
)
@options("extractor", "seed", "workers")
@switch_off("--no-reals", "show_reals", "Show nothing of the reals.")
@options("quiet")
def explain(image: str, outs: tuple[Path, ...], show_reals: bool, quiet: bool, **fitting: Any) -> None:
    """Show where IMAGE is unlike real pictures: a sentence, a heat map, and reals of the same place.

    Each place is compared with the same place of held-out reals: red is worse than 99 % of them. The first time, the
    maps of the reals are learned, in about ten milliseconds a picture; with --model they are kept in NAME.maps, and
    then the reals are needed only to show them. Maps come from the embedded network and the grain of the pixels,
    whatever the model scores with, unless --extractor names something else.

    With -o FOLDER, IMAGE may be many pictures; each map is an array of 24 x 24 numbers, larger = worse, 0.69 = like a
    typical real at that place. `giqa evaluate --maps` compares such a folder with what people marked.
    """
    from ..explain.map_files import check_folder, write_maps
    from ..explain.picture import check_outs, explained, map_model, write_page

    if fitting["real"] is None and fitting["model"] is None:
        raise BadSpec("Compare with what? Give --real REALS, or --model NAME.giqa with NAME.maps next to it.")
    if any(map(check_folder, outs)):
        if len(outs) > 1:
            raise BadSpec(f"Into a folder go maps alone, got {len(outs)} times -o; explain one picture in another run.")
        with working(quiet) as progress:
            maps = map_model(progress=progress, **fitting)
            written, failed = write_maps(outs[0], maps, image, fitting["workers"], progress)
        console.failures(failed)
        console.finish(
            quiet,
            texts=[f"wrote {written} maps into {outs[0]}"],
            then="giqa evaluate --help, for what people marked in them.",
        )
        return
    check_outs(outs)
    with working(quiet) as progress:
        maps = map_model(progress=progress, **fitting)
        name, pixels, found, patches, words = explained(maps, image, fitting["real"] if show_reals else None)
    click.echo(console.inert(words))
    for out in outs:
        write_page(out, maps, name, pixels, found, patches)
    page = next((out for out in outs if out.suffix.lower() == ".html"), None)
    then = f"open {page} in a browser." if page else "add -o explain.html to see where, next to real pictures."
    console.finish(quiet, *outs, then=then)
