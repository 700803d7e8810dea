"""`giqa pick`: the best pictures by their scores, and what each share of them costs and gains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from .options import options


@click.command()
@click.argument("scores", type=click.Path(path_type=Path))
@click.option("--from", "fakes", metavar="FAKES", help="Where the pictures are: the source that was scored.")
@click.option("--keep", type=float, metavar="SHARE", help="The best share, e.g. 0.9.")
@click.option("--min-z", type=float, metavar="Z", help="All with this z or more, e.g. -2.")
@click.option("--top", type=int, metavar="N", help="The best N.")
@click.option(
    "--by",
    type=click.Choice(["score", "p_real"]),
    default="score",
    show_default=True,
    help="What is best: the score, or how often people would call it real (of tables made with --human).",
)
@click.option("--sample", type=int, metavar="N", help="Of those, N drawn at random.")
@click.option("--seed", type=int, default=0, show_default=True, help="For --sample.")
@click.option("--no-copies", is_flag=True, help="Leave out pictures that repeat a real one.")
@click.option(
    "--how",
    type=click.Choice(["copy", "hardlink", "symlink", "list"]),
    default="copy",
    show_default=True,
    help="How pictures get there; list: only the table.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="A new folder.")
@click.option(
    "--curve",
    "curves",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="Write FD, QS and DS against the share kept, .html or .csv; needs --from and --real. May be repeated.",
)
@click.option("--real", metavar="REALS", help="For --curve: real pictures, best ones that the scorer has not seen.")
@click.option(
    "--latents", type=click.Path(path_type=Path), help="For --curve: a .npy (n, d), keeps those in the middle."
)
@click.option(
    "--truncated", multiple=True, metavar="PSI=FAKES", help="For --curve: pictures of a truncated generator. Repeat it."
)
@options("extractor", "scorer", "workers", "quiet")
def pick(
    scores: Path,
    out: Path | None,
    curves: tuple[Path, ...],
    fakes: str | None,
    by: str,
    sample: int | None,
    seed: int,
    no_copies: bool,
    quiet: bool,
    real: str | None,
    latents: Path | None,
    truncated: tuple[str, ...],
    extractor: str | None,
    scorer: str | None,
    workers: int | None,
    **which: Any,
) -> None:
    """Pick the best pictures of SCORES (a table that `giqa score -o` wrote) into a new folder.

    \b
    giqa score fakes/ --real reals/ -o scores.csv
    giqa pick scores.csv --from fakes/ --keep 0.9 --sample 5000 -o picked/
    giqa pick scores.csv --from fakes/ --curve curve.html --real reals/

    The folder also gets picked.csv: image, score, z, best first. Pictures without a score are left out. A folder that
    holds anything is never touched. The curve says what each share costs and gains, beside truncation if it is given.
    """
    from ..errors import BadSpec
    from ..model.table import read_scores
    from ..model.trust import doubts, human_part
    from . import console

    if out is None and not curves:
        raise BadSpec("Where to? Give -o FOLDER, or --curve FILE.")
    asked = {"--real": real, "--latents": latents, "--truncated": truncated, "--extractor": extractor}
    if not curves and (given := [name for name, value in (asked | {"--scorer": scorer}).items() if value]):
        raise BadSpec(f"{given[0]} is for --curve FILE; give that too.")
    with console.plain_warnings(quiet):
        table = read_scores(scores)
    if by == "p_real" and table.p_real is None:
        raise BadSpec(f"{scores} has no column p_real; `giqa score --human` writes it.")
    if by == "p_real" and which["min_z"] is not None:
        raise BadSpec("--min-z is on the scale of the score; with --by p_real give --keep or --top.")
    values = (table.p_real if by == "p_real" else table.score).copy()
    part = human_part(table.made_by)
    if part is None and by == "p_real":
        console.warn(f"how {scores} was made is not known, so neither is whether p_real may be believed", quiet)
    elif by == "p_real" or "human" not in table.made_by:
        for text in doubts(part):
            console.warn(text, quiet)
    if no_copies:
        import numpy as np

        values[np.array([bool(copied) for copied in table.duplicate_of], bool)] = np.nan
    if out is not None:
        pick_into(out, table, values, fakes, sample, seed, quiet, scores, **which)
    if curves:
        from .pick_curve import draw_curve

        asked = {"real": real, "latents": latents, "truncated": truncated, "extractor": extractor, "scorer": scorer}
        draw_curve(curves, table, values, fakes, sample=sample, seed=seed, workers=workers, quiet=quiet, **asked)


def pick_into(
    out: Path,
    table: Any,
    values: Any,
    fakes: str | None,
    sample: int | None,
    seed: int,
    quiet: bool,
    scores: Path,
    *,
    keep: float | None,
    min_z: float | None,
    top: int | None,
    how: str,
) -> None:
    """Pictures into the folder, and a sentence; `values`: what ranks them, NaN of those left out."""
    import numpy as np

    from ..compare.picker import pick as rows_of
    from ..compare.picker import write_picked
    from ..errors import BadSpec
    from ..images import open_source
    from . import console

    if fakes is None and how != "list":
        raise BadSpec("Where are the pictures? Give --from FAKES, the source that was scored, or --how list.")
    if keep is None and min_z is None and top is None:
        raise BadSpec("Pick which? Give --keep SHARE, --min-z Z or --top N.")
    if min_z is not None:
        values = np.where(np.isnan(values), np.nan, table.z)  # they rank alike; z can be missing
    rows = rows_of(values, keep=keep, top=top, above=min_z, sample=sample, seed=seed)
    if not len(rows):
        raise BadSpec(f"No picture of {scores} is left to pick{'' if min_z is None else f' with z >= {min_z:g}'}.")
    pictures = found(open_source(fakes), [table.id[row] for row in rows]) if fakes else {table.id[r]: r for r in rows}
    people = {} if table.p_real is None else {"p_real": table.p_real[rows]}
    write_picked(out, pictures, {"score": table.score[rows], "z": table.z[rows], **people}, how)
    if not quiet:
        scored = int((~np.isnan(table.score)).sum())
        z = f", mean z {np.mean(table.z[rows]):+.2f} (of all: {np.nanmean(table.z):+.2f})"
        console.say(f"wrote {out}: {len(rows)} of {scored} scored pictures{z}")


def found(source: Any, ids: Sequence[str]) -> dict[str, Any]:
    """File name -> where each picture lies in the source: a path, or a function that reads it."""
    from ..errors import BadSource
    from ..files import as_png
    from ..images.decode import decode
    from ..tables.names import join_names

    place, absent = join_names(ids, source.ids, "the scores", source.name, error=BadSource, need=False)
    if absent:
        raise BadSource(
            f"{source.name} has no picture {absent[0]!r} ({len(absent)} of {len(ids)} are missing; it has "
            f"{source.ids[0]!r}); is it the source that was scored?"
        )

    pictures: dict[str, Any] = {}
    for name in ids:
        index = place[name]
        path = source.path(index)
        raw = None if path else source.raw(index)
        if path or isinstance(raw, bytes):
            pictures[name] = path or (lambda raw=raw: raw)
        else:
            pictures[f"{name}.png"] = lambda raw=raw: as_png(decode(raw).pixels)
    return pictures
