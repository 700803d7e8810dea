"""`giqa compare`, `giqa track` and `giqa diff`: generators, checkpoints, and two scorings of the same pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import check_writable, options


def by_name(sets: tuple[str, ...]) -> dict[str, str]:
    """NAME=WHERE apart; a set without a name is called as its folder or table. What exists wins over NAME=."""
    from ..errors import BadSpec
    from ..images.sets import name_and_place
    from ..report.gallery import plain_name

    found: dict[str, str] = {}
    for text in sets:
        name, where = name_and_place(text)
        name = name or plain_name(where)
        if name in found:
            raise BadSpec(f"Two sets are called {name!r}; give each a name of its own: A={found[name]} B={where}.")
        found[name] = where
    return found


LAYERS = click.option(
    "--layers",
    metavar="NAMES",
    help="Layers or levels (low, mid, high, all) for all metrics but qs; default: the deepest high one.",
)
PICTURES = click.option(
    "--pictures", type=click.IntRange(20), metavar="N", help="Take N pictures of each set, reals too, for all but qs."
)


@click.command()
@click.argument("sets", nargs=-1, required=True, metavar="NAME=FAKES ...")
@click.option("--real", required=True, metavar="REALS", help="Real pictures to compare with.")
@click.option("--metrics", default="all", show_default=True, help="Some of `giqa list`, e.g. 'qs,ds,kd(subsets=100)'.")
@LAYERS
@PICTURES
@click.option(
    "--class",
    "by",
    metavar="COLUMN",
    help="Judge each class against the same class of the reals: a column of the tables, or 'folder'; qs and ds only, "
    "unless --metrics says otherwise.",
)
@click.option(
    "--paired",
    metavar="KEY",
    help="Which real each picture should have been: 'name' (file names without ending) or a column of all tables; adds "
    "z and features input by input.",
)
@click.option(
    "--beside",
    multiple=True,
    metavar="[NAME=]SPEC",
    help="Another score of every picture beside z, e.g. brisque, or scores.csv:nima (scores.csv:-niqe where lower is "
    "better); can be given again.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write everything as .json.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write one self-contained HTML file.")
@options("extractor", "scorer", "match", "seed", "workers", "no_store")
@click.option("--no-thumbnails", is_flag=True, help="The report holds no picture.")
@click.option("--no-paths", is_flag=True, help="The report holds numbers instead of file names.")
@options("quiet")
def compare(
    sets: tuple[str, ...],
    by: str | None,
    out: Path | None,
    report: Path | None,
    no_store: bool,
    no_thumbnails: bool,
    no_paths: bool,
    quiet: bool,
    **asked: Any,
) -> None:
    """Say which generator is better, and in what: quality, diversity, and the metrics of papers.

    \b
    giqa compare --real reals/ A=fakes_a/ B=fakes_b/ --report compare.html

    A table on stdout: a row a metric, a column a set, each value with its own 95 % interval. Then, for each pair,
    better, worse, or cannot be told apart with this many pictures: equal generators are told apart, by any metric and
    pair at all, in 5 % of comparisons at most. Fewer than 5 pictures allow no interval and no verdict.
    """
    from ..compare.compare import compare as run
    from ..compare.page import sentences, write_page
    from ..errors import BadSpec
    from . import console

    places = by_name(sets)
    for path in filter(None, (out, report)):
        check_writable(path)
    if not report and (no_thumbnails or no_paths):
        raise BadSpec("--no-thumbnails and --no-paths change the report; give --report FILE too.")
    if by:
        if asked.pop("beside") or asked.pop("paired"):
            raise BadSpec("--beside and --paired are for whole sets; leave them or --class.")
        compare_classes(places, by, out, report, no_store=no_store, quiet=quiet, **asked)
        return
    real = asked.pop("real")
    with console.plain_warnings(quiet), console.progress(quiet) as progress:
        found = run(real, places, store=not no_store, progress=progress, **asked)
    if report:
        switches = {"show_thumbnails": not no_thumbnails, "show_paths": not no_paths}
        write_page(report, found, sources=places, real=real, workers=asked["workers"], **switches)
    _write_json(out, found.to_json())
    console.table("", ("metric", *places), _rows(found))
    if not quiet:
        for pairs in found.paired:
            console.say(pairs.says())
        for text in sentences(found):
            console.say(text)
        for path in filter(None, (out, report)):
            console.say(f"wrote {path}")


def compare_classes(
    places: dict[str, str],
    by: str,
    out: Path | None,
    report: Path | None,
    *,
    real: str,
    metrics: str,
    no_store: bool,
    quiet: bool,
    **asked: Any,
) -> None:
    """A row a class and metric, and their means."""
    from ..compare import classes as by_class
    from ..compare.classes_page import sentences, write_classes
    from ..errors import BadSpec
    from . import console

    if asked.get("match") == "auto":
        raise BadSpec("With --class give a match(...) spec; `giqa doctor` proposes one.")
    metrics = by_class.METRICS if metrics == "all" else metrics
    with console.plain_warnings(quiet), console.progress(quiet) as progress:
        found = by_class.compare_by_class(
            real, places, by, metrics=metrics, store=not no_store, progress=progress, **asked
        )
    if report:
        write_classes(report, found, by)
    _write_json(out, found.to_json())
    rows = []
    for label, one in found.classes.items():
        for metric in one.metrics:
            cells = [_cell(g.values.get(metric), g.trouble.get(metric)) for g in one.generators]
            rows.append((label, metric, *cells))
    for metric in next(iter(found.classes.values())).metrics:
        rows.append(("mean of classes", metric, *(_cell(found.mean(metric, name), None) for name in places)))
    console.table("", ("class", "metric", *places), rows)
    if not quiet:
        for text in sentences(found):
            console.say(text)
        for path in filter(None, (out, report)):
            console.say(f"wrote {path}")


def _rows(found: Any) -> list[tuple[str, ...]]:
    """A row a metric, then of each score beside ours and of the pairs, a cell a generator."""
    rows = []
    for label in found.metrics:
        cells = [_cell(g.values.get(label), g.trouble.get(label)) for g in found.generators]
        rows.append((label, *cells))
    for other in found.beside:
        for words, of in (("mean", other.means), ("Spearman with z", other.agreements)):
            rows.append(
                (f"{other.name}: {words}", *(_numbers(*of[g.name]) if g.name in of else "" for g in found.generators))
            )
    for label in found.paired[0].numbers() if found.paired else ():
        rows.append((f"paired: {label}", *(_numbers(*pairs.numbers()[label]) for pairs in found.paired)))
    return rows


def _cell(estimate: Any, trouble: str | None) -> str:
    if estimate is None:
        return ""
    return _numbers(estimate.value, *estimate.interval()) + (" *" if trouble else "")


def _numbers(value: float, low: float, high: float) -> str:
    return f"{value:.4g} [{low:.4g}, {high:.4g}]" if low == low else f"{value:.4g} (no interval)"


def _write_json(out: Path | None, content: Any) -> None:
    import json

    from ..files import replace_file

    if out:
        replace_file(out, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


@click.command()
@click.argument("run")
@click.option("--real", required=True, metavar="REALS", help="Real pictures to compare with.")
@click.option("--metrics", help="Some of `giqa list`; default: qs, ds, fd, kd, precision, recall, density, coverage.")
@click.option(
    "--iteration",
    metavar="PATTERN",
    help="Where the iteration stands in a path, as {}: 'step_{}', '{}/samples'; * is any text within a name.",
)
@LAYERS
@PICTURES
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write everything as .json.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write one self-contained HTML file.")
@options("extractor", "scorer", "match", "seed", "workers", "no_store", "quiet")
def track(
    run: str,
    real: str,
    metrics: str | None,
    out: Path | None,
    report: Path | None,
    no_store: bool,
    quiet: bool,
    **asked: Any,
) -> None:
    """Follow a training run: every metric at each iteration of RUN, and the best checkpoint by each.

    RUN is a folder of folders with the iteration in their name (samples/iter_002000/, checkpoint-500/, step_1e3/), or a
    table with a column iteration, step or epoch. Where it is not clear what the iterations are, nothing is guessed:
    exit status 2, and the numbers that could be meant. On stdout a row an iteration; a star marks the best one of a
    column. What cannot be told apart from it is counted, at 95 % for all metrics and checkpoints together.
    """
    from ..compare.track import METRICS, summary_rows, words, write_track
    from ..compare.track import track as run_track
    from ..report.gallery import plain_name
    from . import console

    for path in filter(None, (out, report)):
        check_writable(path)
    with console.plain_warnings(quiet), console.progress(quiet) as progress:
        found = run_track(run, real, metrics=metrics or METRICS, store=not no_store, progress=progress, **asked)
    if report:
        write_track(report, found, plain_name(run))
    _write_json(out, found.to_json())
    console.table("", ("iteration", "pictures", *found.comparison.metrics), summary_rows(found))
    if not quiet:
        for metric, best in found.to_json()["best"].items():
            alike = len(best["cannot_be_told_apart"]) - 1
            others = f"{alike} other{'' if alike == 1 else 's'} cannot be told apart from it"
            console.say(f"{metric}: best at {words(best['iteration'])}; {others}")
        for path in filter(None, (out, report)):
            console.say(f"wrote {path}")


@click.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option(
    "--most", default=10, show_default=True, type=click.IntRange(0), help="Pictures shown that moved farthest."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def diff(before: Path, after: Path, most: int, as_json: bool) -> None:
    """Say what moved between two scorings, and whether they rank pictures alike.

    BEFORE and AFTER are tables of `giqa score -o`, joined on ids. On stdout the pictures that moved farthest.
    """
    import json

    from ..compare.diff import diff as run
    from ..model.table import read_scores
    from . import console

    with console.plain_warnings():
        found = run(read_scores(before), read_scores(after))
    mean, low, high = found.mean_change()
    rows = [
        {"id": found.ids[i], "before": found.before[i], "after": found.after[i], "change": found.change[i]}
        for i in found.moved(most)
    ]
    if as_json:
        known = [None if value != value else value for value in (mean, low, high, found.rank_agreement)]
        whole = dict(zip(("mean_change", "low", "high", "rank_agreement"), known, strict=True))
        whole |= {"in_both": len(found.ids), "only_before": found.only_before, "only_after": found.only_after}
        click.echo(json.dumps({**whole, "changed": found.changed, "moved": rows}, indent=1))
        return
    cells = [(r["id"], *(f"{r[k]:+.3f}" for k in ("before", "after", "change"))) for r in rows]
    console.table("", ("id", "z before", "z after", "change"), cells, right=(1, 2, 3))
    console.say(
        f"{len(found.ids)} pictures in both: mean change of z {mean:+.3f} ({low:+.3f} to {high:+.3f}), rank agreement "
        f"(Spearman) {found.rank_agreement:.3f}"
    )
    for count, side in ((len(found.only_before), before), (len(found.only_after), after)):
        if count:
            console.say(f"{count} have a z only in {side}")
    for text in found.changed:
        console.say(f"scored otherwise: {text}")
