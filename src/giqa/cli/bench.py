"""`giqa bench`: scorers against labelled pairs or votes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import BadSpec, MissingSource
from . import console
from .options import options, working, write_json

if TYPE_CHECKING:
    from ..evaluate.bench import LabelledSet
    from ..evaluate.bench_result import Bench, SetFound

OF_SETS = ("images", "real", "snapshots")  # options that may differ from set to set


@click.command()
@click.argument("labels", nargs=-1, required=True, metavar="LABELS...")
@click.option("--images", multiple=True, metavar="SOURCE", help="The labelled pictures; default: where LABELS lies.")
@click.option("--real", multiple=True, metavar="REALS", help="The reals that scorers are fitted on.")
@click.option("--snapshots", multiple=True, metavar="TABLE", help="What mbc, bc, ir and rank learn from.")
@click.option(
    "--scorers", multiple=True, metavar="LIST", help="E.g. multilayer,gmm,Ours=my.giqa,niqe=metrics.csv[-niqe]."
)
@click.option("--sweep", "sweeps", multiple=True, metavar="SPEC", help="E.g. M=5,10,20 or 'knn(K=1,5,30)'.")
@click.option("--unanimous", is_flag=True, help="Only pairs on which all raters agree.")
@click.option(
    "--generators", metavar="TABLE", help="A table image,generator; default: the generator is the picture's folder."
)
@click.option(
    "--include-training",
    is_flag=True,
    help="Also test a human model on pictures that it learned from; its figures are then too good.",
)
@options("reals_too", "json", "report")
@click.option("--resamples", type=click.IntRange(20), default=500, help="Resamples of the bootstrap, for votes.")
@options("extractor", "match", "seed", "workers", "no_store", "quiet")
def bench(
    labels: tuple[str, ...], generators: str | None, out: Path | None, report: Path | None, quiet: bool, **how: Any
) -> None:
    """Compare scorers by LABELS: how many pairs each puts right, or the AUROC of people's votes.

    LABELS is a table of pairs, votes or counts, or a folder such as LGIQA with a table of pairs next to the pictures
    of each set. Several sets have names: faces=pairs.csv cats=more.csv --images faces=DIR --real faces=REALS; an
    option without a name is for all sets. What --scorers takes:

    \b
    gmm, knn(k=5), multilayer      fitted on --real; mbc, bc, ir, rank on --snapshots
    NAME.giqa                      a fitted model
    SCORES.csv[column]             a table with id or image; [-column] where lower is better
    LABEL=any of these             under another name

    Every entry is tested on the same pairs. Pictures that are missing are listed. A run that was stopped goes on from
    the features that are kept.
    """
    from ..evaluate.bench import bench as run
    from ..evaluate.bench_page import answer, write_page
    from ..votes.votes import read_generators

    of_sets = {name: how.pop(name) for name in OF_SETS}
    with working(quiet, out, report) as progress:
        sets = labelled_sets(labels, of_sets, read_generators(generators) if generators else {})
        found = run(sets, progress=progress, **how)
    write_json(out, found.to_json())
    if report:
        write_page(report, found)
    for title, columns, rows in tables(found):
        if rows:
            console.table(title, columns, rows)
    texts = [*(f"warning: {text}" for text in found.warnings), answer(found)]
    console.finish(quiet, out, report, texts=texts, then=console.see(report, "bench.html"))


def labelled_sets(
    labels: tuple[str, ...], given: Mapping[str, tuple[str, ...]], generator: Mapping[str, str]
) -> list[LabelledSet]:
    """The sets of the command line: each with its own options, else with those that are for all."""
    from ..evaluate.bench import LabelledSet
    from ..votes.lgiqa import pair_sets

    tables: dict[str, tuple[Path, Path]] = {}
    for text in labels:
        name, where = named(text)
        path = Path(where)
        if not path.exists():
            raise MissingSource(f"There is no table of labels {where!r}. Scorers are named with --scorers.")
        found = pair_sets(path) if path.is_dir() else {name or path.stem: (path, path.parent)}
        for key, value in found.items():
            key = name if name and len(found) == 1 else f"{name}/{key}" if name else key
            if key in tables:
                raise BadSpec(f"Two sets are called {key!r}; name one of them: OTHER={text}.")
            tables[key] = value
    chosen: dict[str, dict[str, str]] = {}
    for option, texts in given.items():
        pairs = [named(text, tables) for text in texts]
        chosen[option] = dict(pairs)
        if len(chosen[option]) < len(pairs):
            raise BadSpec(f"--{option} is there twice for the same set; write SET={option.upper()} for each set.")
    return [
        LabelledSet(
            name,
            table,
            str(chosen["images"].get(name, chosen["images"].get("", folder))),
            *(chosen[option].get(name, chosen[option].get("")) for option in ("real", "snapshots")),
            generator,
        )
        for name, (table, folder) in tables.items()
    ]


def named(text: str, known: Mapping[str, Any] | None = None) -> tuple[str, str]:
    """`NAME=PATH` apart; of options only names of sets that are `known`, for a path may have a = in it."""
    from ..images.sets import name_and_place

    name, where = name_and_place(text, barred="[/\\(")
    if name and known is not None and name not in known:
        raise BadSpec(f"There is no set {name!r} (in {text!r}); there are {', '.join(known)}.")
    return name, where


def tables(found: Bench) -> Iterator[tuple[str, tuple[str, ...], list[tuple[Any, ...]]]]:
    """Table 1, each sweep, and who is better than whom: title, columns, rows."""
    from ..compare.notebook import words_of

    def cells(label: str, among: Sequence[str]) -> Iterator[str]:
        return (cell(labelled, label, among) for labelled in found.sets)

    heads = [f"{labelled.name} ({labelled.figure})" for labelled in found.sets]
    rows = [(entry, *cells(entry, found.entries)) for entry in found.entries]
    yield "Agreement with people", ("scorer", *heads), rows
    for sweep in found.sweeps:
        labels = [entry.label for entry in sweep.entries]
        rows = [(value, *cells(label, labels)) for value, label in zip(sweep.values, labels, strict=True)]
        yield sweep.label, (sweep.parameter, *heads), rows
    for one in found.sets:
        names = {entry: f"{entry} ({one.guessing[entry]})" if entry in one.guessing else entry for entry in one.figures}
        shown = [d for d in one.differences if d.left in found.entries]
        rows = [(names[d.left], names[d.right], words_of(d.says), f"{d.difference:+.3f}") for d in shown]
        columns = ("scorer", "other scorer", "verdict", "scorer less other")
        yield f"{one.name}: differences on the same {one.kind}", columns, rows
        if one.breakdown:
            kinds = list(next(iter(one.breakdown.values())))
            rows = [(entry, *map(str, by.values())) for entry, by in one.breakdown.items() if entry in found.entries]
            yield f"{one.name}: by generators", ("scorer", *kinds), rows


def cell(one: SetFound, entry: str, among: Sequence[str]) -> str:
    """A value with its interval and its mark (best, as good, no better than guessing), or a dash."""
    value = one.value(entry)
    return "–" if value is None else f"{value}  {one.mark(entry, among)}".rstrip()
