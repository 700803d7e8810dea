"""`giqa fit`: what real looks like, learned once into a model file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..errors import BadSpec
from . import console
from .options import FILE, SOURCES, options, working


@click.command(epilog=SOURCES)
@click.argument("reals")
@click.option("-o", "--out", type=FILE, required=True, help="The model file, NAME.giqa.")
@options("extractor", "scorer", "preset", "match_spec", "flip", "seed", "leave_out", "group", "workers", "no_store")
@options("limit", "shuffle", "runner", "address", "devices")
@click.option(
    "--keep-thumbnails",
    is_flag=True,
    help="Keep small pictures of the reals in the file, for reports without the reals.",
)
@options("quiet")
def fit(reals: Any, out: Path, quiet: bool, keep_thumbnails: bool, **fitting: Any) -> None:
    """Learn what real looks like from REALS, once, into one file.

    The file holds the scorer, the scores of held-out reals, and ids, features and 8x8-pixel signatures of the reals;
    no pictures unless --keep-thumbnails. Warnings name reals that are there twice (twins) and reals unlike the
    others (strays), which --leave-out leaves out.
    """
    import dataclasses

    from ..images import open_source
    from ..images.subset import some
    from ..model.fit import fit
    from ..report import gallery
    from ..runners.runner import make_runner

    if out.suffix.lower() != ".giqa":
        raise BadSpec(f"A model file is named NAME.giqa, got {out.name!r}.")
    runner = make_runner(*(fitting.pop(name) for name in ("runner", "address", "devices")))
    limit, shuffle = fitting.pop("limit"), fitting.pop("shuffle")
    with working(quiet, out) as progress:
        if limit is not None or shuffle is not None:
            reals = some(open_source(reals), limit, shuffle)
        model = fit(reals, progress=progress, runner=runner, **fitting)
        if keep_thumbnails:
            model = dataclasses.replace(model, thumbnails=gallery.keep_thumbnails(model, reals, fitting["workers"]))
    model.save(out)
    console.say(f"wrote {out}: {summary(model.made_by)} on {model.extractor}", quiet)
    console.say(f"Next: giqa score FAKES --model {out} --report report.html", quiet)


def summary(made_by: Mapping[str, Any]) -> str:
    """Reals, scorer and what it chose, in one line."""
    reals = f"{made_by['reals']} reals{' and their mirror images' if made_by['flip'] else ''}"
    counts = {what: made_by[what]["count"] for what in ("twins", "strays") if made_by[what]["left_out"]}
    left = [f"{n} {what[:-1] if n == 1 else what}" for what, n in counts.items() if n]
    reals += f" ({' and '.join(left)} left out)" if left else ""
    chosen = ", ".join(f"{name} {value}" for name, value in made_by["chosen"].items())
    return f"{reals}, {made_by['scorer'].partition('(')[0]} ({chosen})"
