"""`giqa compare`: which generator is better, and in what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from ..errors import BadSpec
from . import console
from .options import options, working, write_json


@click.command()
@click.argument("sets", nargs=-1, required=True, metavar="NAME=FAKES ...")
@options("real")
@click.option("--metrics", default="all", help="Some of `giqa list`, e.g. 'qs,ds,kd(subsets=100)'.")
@options("layers", "pictures")
@click.option(
    "--class",
    "by",
    metavar="COLUMN",
    help="Compare each class with the same class of the reals: a column of the tables, or 'folder'; qs and ds only, "
    "unless --metrics says otherwise.",
)
@click.option(
    "--paired",
    metavar="KEY",
    help="Which real each picture should have been: 'name' (file names without ending) or a column of all tables; adds "
    "z and features input by input.",
)
@click.option(
    "--other-scores",
    "beside",
    multiple=True,
    metavar="[NAME=]SPEC",
    help="Another score of every picture next to z, e.g. brisque, or scores.csv:nima (scores.csv:-niqe where lower is "
    "better); can be given again.",
)
@click.option("--beside", "beside_too", multiple=True, hidden=True, help="The older name of --other-scores.")
@click.option(
    "--paper-minmax",
    is_flag=True,
    help="Add mean raw scores between 0 and 1 over all sets, as in the GIQA paper's Table 2; not portable: one more "
    "picture or set moves them all.",
)
@options("json", "report", "extractor", "scorer", "match", "seed", "workers", "no_store")
@options("no_thumbnails", "no_paths", "quiet")
def compare(
    sets: tuple[str, ...], by: str | None, out: Path | None, report: Path | None, quiet: bool, **asked: Any
) -> None:
    """Say which generator is better, and in what: quality, diversity, and the metrics of papers.

    \b
    giqa compare --real reals/ A=fakes_a/ B=fakes_b/ --report compare.html

    A table on stdout: a row a metric, a column a set, each value with its own 95 % interval. Then, for each pair:
    better, worse, or cannot be told apart with this many pictures. When all generators are equal, at most 5 % of
    comparisons report a difference in any metric or pair. Fewer than 5 pictures allow no interval and no verdict.
    """
    generators = by_name(sets)
    shown = {name: asked.pop(name) for name in ("show_thumbnails", "show_paths")}
    if not report and not all(shown.values()):
        raise BadSpec("--no-thumbnails and --no-paths change the report; give --report FILE too.")
    asked["beside"] += asked.pop("beside_too")
    minmax = asked.pop("paper_minmax")
    if by and minmax:
        raise BadSpec("--paper-minmax is for whole sets; leave it or --class.")
    with working(quiet, out, report) as progress:
        found = (compare_classes if by else compare_sets)(generators, by, progress=progress, **asked)
    if by:
        from ..compare.classes_page import answer, sentences, standing_of_all, write_classes

        columns, rows = ("class", "metric"), _class_rows(found, generators)
        texts = [*sentences(found), standing_of_all(found), answer(found)]
        if report:
            write_classes(report, found, by)
    else:
        from ..compare.answer import answer, standing_of
        from ..compare.page import sentences, write_page

        columns, rows = ("metric",), _rows(found)
        texts = [*(pairs.says() for pairs in found.paired), *sentences(found), standing_of(found), answer(found)]
        if report:
            asked = {"real": asked["real"], "workers": asked["workers"]}
            write_page(report, found, sources=generators, **asked, **shown)
    found_json = found.to_json()
    if minmax:
        from ..compare.paper_minmax import NOT_PORTABLE

        means = minmax_means(found)
        rows.append(("paper_minmax (not portable)", *(f"{mean:.4g}" for mean in means.values())))
        texts.append(NOT_PORTABLE)
        found_json["paper_minmax"] = {name: mean if mean == mean else None for name, mean in means.items()}
    write_json(out, found_json)
    console.table("", (*columns, *generators), rows)
    if any(cell.endswith(" *") for row in rows for cell in row):
        texts.insert(0, "* Read with caution; the warnings say why.")
    console.finish(quiet, out, report, texts=texts, then=console.see(report, "compare.html"))


def by_name(sets: tuple[str, ...]) -> dict[str, str]:
    """NAME=WHERE apart; a set without a name is called as its folder or table. What exists wins over NAME=."""
    from ..images.sets import name_and_place, plain_name

    found: dict[str, str] = {}
    for text in sets:
        name, where = name_and_place(text)
        name = name or plain_name(where)
        if name in found:
            raise BadSpec(f"Two sets are called {name!r}; give each a name of its own: A={found[name]} B={where}.")
        found[name] = where
    return found


def compare_sets(generators: dict[str, str], by: None, *, real: str, **asked: Any) -> Any:
    from ..compare.compare import compare

    return compare(real, generators, **asked)


def compare_classes(generators: dict[str, str], by: str, *, real: str, **asked: Any) -> Any:
    from ..compare.classes import METRICS, compare_by_class

    if asked.pop("beside") or asked.pop("paired"):
        raise BadSpec("--other-scores and --paired are for whole sets; leave them or --class.")
    if asked["match"] == "auto":
        raise BadSpec("With --class give a match(...) spec; `giqa doctor` proposes one.")
    if asked["metrics"] == "all":
        asked["metrics"] = METRICS
    return compare_by_class(real, generators, by, **asked)


def minmax_means(found: Any) -> dict[str, float]:
    """The mean of each set on the scale of `giqa.compare.paper_minmax`; NaN where nothing has a number."""
    from ..compare.paired import mean_of
    from ..compare.paper_minmax import paper_minmax

    scaled = paper_minmax({g.name: g.scores.score for g in found.generators})
    return {name: float(mean_of(values)[0]) for name, values in scaled.items()}


def _rows(found: Any) -> list[tuple[str, ...]]:
    """A row a metric, then of each other score and of the pairs, a cell a generator."""
    rows = [(label, *_cells(label, found.generators)) for label in found.metrics]
    for other in found.beside:
        for words, of in (("mean", other.means), ("Spearman with z", other.agreements)):
            cells = (_numbers(*of[g.name]) if g.name in of else "" for g in found.generators)
            rows.append((f"{other.name}: {words}", *cells))
    for label in found.paired[0].numbers() if found.paired else ():
        rows.append((f"paired: {label}", *(_numbers(*pairs.numbers()[label]) for pairs in found.paired)))
    return rows


def _class_rows(found: Any, generators: Iterable[str]) -> list[tuple[str, ...]]:
    """A row a class and metric, then the means of the classes."""
    classes = found.classes.items()
    rows = [(label, metric, *_cells(metric, one.generators)) for label, one in classes for metric in one.metrics]
    for metric in next(iter(found.classes.values())).metrics:
        means = (found.mean(metric, name) for name in generators)
        rows.append(("mean of classes", metric, *map(_cell, means)))
    return rows


def _cells(metric: str, generators: Iterable[Any]) -> Iterator[str]:
    for g in generators:
        cell = _cell(g.values.get(metric))
        yield f"{cell} *" if cell and g.trouble.get(metric) else cell


def _cell(estimate: Any) -> str:
    return "" if estimate is None else _numbers(estimate.value, *estimate.interval())


def _numbers(value: float, low: float, high: float) -> str:
    if value != value:
        return "none"
    return f"{value:.4g} [{low:.4g}, {high:.4g}]" if low == low else f"{value:.4g} (no interval)"
