"""`giqa score`: one row a picture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ..errors import BadSpec
from . import console
from .options import COUNT, FILE, PATH, SOURCES, options, switch_off, working

RUNNER = (("runner", "local"), ("address", None), ("devices", None))  # options and their defaults


@click.command(epilog=SOURCES)
@click.argument("fakes")
@click.option("--real", metavar="REALS", help="Real pictures to compare with.")
@click.option(
    "--model",
    type=PATH,
    help="A model that `giqa fit` or `giqa train` made, instead of --real. With both, --real is where the report "
    "finds the nearest reals.",
)
@click.option(
    "-o",
    "--out",
    type=FILE,
    help="Write .csv, .jsonl or .parquet. Without it: a ranking in a terminal, CSV in a pipe.",
)
@options("report")
@click.option(
    "--worst",
    type=COUNT,
    metavar="N",
    help="Also write the N worst pictures side by side, next to -o NAME.csv: NAME-worst-N.png.",
)
@click.option("--best", type=COUNT, metavar="N", help="Likewise the N best: NAME-best-N.png.")
@click.option(
    "--class",
    "by",
    metavar="COLUMN",
    help="Compare each picture with the reals of its own class: a column of both tables, or 'folder'. --report then "
    "writes a page a class.",
)
@click.option(
    "--human",
    type=PATH,
    help="A human model that `giqa train human` made: adds p_real, the probability that a person calls a picture real. "
    "Its own network runs besides that of the scores.",
)
@click.option("--text", is_flag=True, help="Also judge how text in the pictures is drawn (docs/text.md).")
@click.option(
    "--text-side",
    type=click.IntRange(64),
    metavar="N",
    help="With --text: the longer side at which text is looked for; more finds smaller text. Default: 640.",
)
@click.option(
    "--expected",
    metavar="COLUMN",
    help="With --text: the column of FAKES with the text that was asked for; adds what is read, and its error rate.",
)
@click.option(
    "--maps/--no-maps",
    default=None,
    help="The report shows where its 24 worst pictures are unlike real ones; by default if NAME.maps is there.",
)
@options("extractor", "scorer", "preset", "match", "flip", "seed", "leave_out", "group", "workers", "no_store")
@options("limit", "shuffle", "runner", "address", "devices")
@click.option("--strict", is_flag=True, help="Exit with 1 when a picture could not be scored.")
@switch_off("--no-reals", "show_reals", "The report shows nothing of the reals.")
@options("no_thumbnails", "no_paths", "quiet")
def score(fakes: str, out: Path | None, report: Path | None, strict: bool, **asked: Any) -> None:
    """Score every picture of FAKES: one row each, in the order of the source.

    \b
    id            name of the picture in its source
    score         raw, higher = better
    z             0 = like a typical real, -3 = three robust standard deviations worse
    percentile    share of held-out reals that are no better
    z_low, z_high 95 % interval of z
    p_real        with --human: probability that a person calls it real; p_real_low, p_real_high
    p_preferred   likewise: that a person prefers it to the typical judged picture; p_preferred_low, ..._high
    rating        likewise: the rating expected of a person; rating_low, rating_high
    text_quality  with --text: 1 = text is drawn like real type; text_quality_low, ..._high, n_text, text_box
    text_error    with --expected: character error rate of what is read; text_read
    duplicate_of  the real that it repeats
    out_of_domain yes: it shows something that the reals do not, or is too damaged to tell; empty: no layer can decide
    error         why there is no score
    notes         what decoding did
    detail        below 0: softer than the reals; above: noisier or over-sharpened
    reason        what costs most, in a word; empty: nothing unusual

    A picture that cannot be read gets a row without a score and a warning. Exit status: 0 scored, 1 with --strict
    when some could not be, 2 nothing could be done.
    """
    failed, scored = run_score(fakes, out, report, **asked)
    if not scored:
        raise click.exceptions.Exit(2)
    if strict and failed:
        raise click.exceptions.Exit(1)


def run_score(
    fakes: Any, out: Path | None, report: Path | None, *, quiet: bool = False, ranked: bool = False, **asked: Any
) -> tuple[int, int]:
    """Score, write, show; how many pictures could not be read, among the reals too, and how many were scored.

    `asked`: what `giqa.score` takes, what the report shows, and which pictures are taken.
    """
    from .. import api
    from ..images import open_source
    from ..images.subset import some
    from ..model.table_files import check_ending
    from ..runners.runner import make_runner
    from ..runners.score import parts_of, remove_kept

    side, text = asked.pop("text_side", None), asked.get("text")
    if not text and (side or asked.get("expected")):
        raise BadSpec(f"--{'text-side' if side else 'expected'} belongs to --text; give that too.")
    asked["text"] = (side or True) if text else None
    if asked.get("real") is None and asked.get("model") is None:
        raise BadSpec("Score against what? Give --real REALS (a source of real pictures) or --model FILE.giqa.")
    if out:
        check_ending(out)
    if not report and not all(asked.get(f"show_{what}", True) for what in ("reals", "thumbnails", "paths")):
        raise BadSpec("--no-reals, --no-thumbnails and --no-paths change the report; give --report FILE too.")
    runner = make_runner(*(asked.pop(name, default) for name, default in RUNNER))
    limit, shuffle, by = (asked.pop(name, None) for name in ("limit", "shuffle", "by"))
    if by is not None and (asked.get("model") or asked.get("human")):
        raise BadSpec("--class fits the reals of each class: give --real, and neither --model nor --human.")
    shown = {end: n for end in ("worst", "best") if (n := asked.pop(end, None))}
    ends = {end: _sheet(out or report, f"{end}-{n}.png") for end, n in shown.items()}
    with working(quiet, out, report, *ends.values()) as progress:
        if out and parts_of(out).is_dir():
            console.say(f"goes on where {parts_of(out)} ends; delete that folder to begin anew", quiet)
        some_only = limit is not None or shuffle is not None
        pictures = some(open_source(fakes), limit, shuffle) if some_only else fakes
        how = {"report": report, "progress": progress, "runner": runner, **asked}
        classes = None if by is None else api.score_by_class(pictures, how.pop("real"), by, **how)
        scores = api.score(pictures, keep=out, **how) if classes is None else classes.scores
    if out:
        scores.write(out)
        remove_kept(out)
    for end, path in ends.items():
        if scores.headline().known:
            (scores.worst if end == "worst" else scores.best)(shown[end]).contact_sheet(path)
    if asked.get("match") and not quiet:
        console.say(f"match: {scores.made_by['match'] or 'nothing to do, size and coding are alike'}")
        if asked.get("human"):
            own = scores.made_by["human"]["match"] or "no match"
            console.say(f"For p_real the human model brings its own: {own}.")
    if ranked or (not out and sys.stdout.isatty()):
        console.ranking(scores)
    elif not out:
        sys.stdout.write(scores.csv())
    if not quiet:
        console.failures({i: reason for i, reason in zip(scores.id, scores.error, strict=True) if reason})
        console.summary(scores, classes)
    pages = [report] if report is None or classes is None else class_pages(report, classes)
    console.finish(quiet, out, *pages, *ends.values())
    if not ranked and not quiet:
        console.say(_next(fakes, out, pages[0], bool(ends)))
    whole = scores.summary()
    return whole["failed"] + (scores.made_by["reals_failed"] if asked.get("model") is None else 0), whole["scored"]


def _sheet(table: Path | None, name: str) -> Path:
    """Where a contact sheet goes: next to the table, or the page, and named after it; else here."""
    return Path(name) if table is None else table.with_name(f"{table.stem}-{name}")


def class_pages(report: Path, found: Any) -> list[Path]:
    """The pages that `api.score_by_class` wrote: of the classes that have scores."""
    from ..model.classes import class_files

    names = sorted({*found.classes, *found.left_out})
    return [page for page, name in zip(class_files(report, names), names, strict=True) if name in found.classes]


def _next(fakes: str, out: Path | None, report: Path | None, sheet: bool) -> str:
    """One plain next step."""
    if report:
        return f"Next: open {report} in a browser."
    if out:
        return f"Next: giqa pick {out} --images {fakes} --keep 10% -o best/"
    also = "with their nearest reals" if sheet else "or --worst 20 for the worst of them as one picture"
    return f"Next: add --report report.html to see the pictures, {also}."
