"""`giqa label stats`: what human judgements say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import BadSpec
from . import console
from .label import label
from .options import JSON, PATH, TABLE, options, switch_off, write_json

if TYPE_CHECKING:
    from ..votes.findings import Findings


@label.command()
@click.argument("judgements", type=PATH)
@click.option("-o", "--out", type=JSON, help="Write every figure as .json.")
@click.option(
    "--labels",
    type=TABLE,
    help="Write one row a picture (.csv or .parquet): votes, and the probability that a person calls it real.",
)
@options("report")
@click.option(
    "--images",
    "--pictures",
    "pictures",
    metavar="SOURCE",
    help="Where the judged pictures are, to be shown in the report.",
)
@switch_off("--no-paths", "show_paths", "The report names no picture.")
@click.option(
    "--gate", type=click.FloatRange(0, 1), help="Leave out raters whose share of right answers on controls is lower."
)
@click.option("--compare", "versus", nargs=2, metavar="A B", help="Two generators: which one fools people more?")
@click.option(
    "--interval",
    type=click.Choice(["student", "paper"]),
    default="student",
    help="Of the HYPE error rate: student holds for few evaluators; paper is the paper's percentile bootstrap, too "
    "narrow below about 20.",
)
@click.option("--resamples", type=click.IntRange(100), default=10_000, help="Resamples of each bootstrap.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed of each bootstrap.")
@options("quiet")
def stats(
    judgements: Path, out: Path | None, labels: Path | None, report: Path | None, quiet: bool, **how: Any
) -> None:
    """Say what human judgements say, with intervals.

    JUDGEMENTS is a .csv, .tsv or .parquet file, or a folder of them:

    \b
    votes     image,rater,said_real[,context,kind,generator,response_ms,exposure_ms,control,position]
    counts    image,n,n_real[,generator,kind,context]
    pairs     left,right,votes_left,votes_right  or  left,right,rater,chosen
    ratings   image,rater,rating
    sittings  rater,generator,fakes,wrong_fakes,reals,wrong_reals[,fake_seconds,real_seconds]

    A table with a column question has figures for each question.
    """
    from ..votes.findings import judge

    shown = {name: how.pop(name) for name in ("pictures", "show_paths")}
    if not report and (shown["pictures"] or not shown["show_paths"]):
        raise BadSpec("--images and --no-paths are about the report; give --report FILE too.")
    with console.plain_warnings(quiet):
        found = judge(judgements, **how)
    write_json(out, [one.plain() for one in found])
    if labels:
        _write_labels(labels, found)
    if report:
        from ..votes.page import write_people_report

        write_people_report(report, found, title=judgements.stem, **shown)
    for one in found:
        _show(one)
    console.finish(quiet, out, labels, report, then=console.see(report, "people.html"))


def _write_labels(path: Path, found: list[Findings]) -> None:
    import numpy as np

    from ..tables.write import write_table

    tables = [one.pictures for one in found if one.pictures is not None]
    if not tables:
        raise BadSpec("--labels needs votes or counts of votes on single pictures.")
    names = ("image", "kind", "generator", "n", "n_real", "p_real", "low", "high", "dawid_skene")
    write_table(path, {name: np.concatenate([getattr(table, name) for table in tables]) for name in names})


def _show(found: Findings) -> None:
    """Every table that there is, on stdout, and the answer in a sentence."""
    from ..votes.answer import answer

    about = f"{found.rows} rows of {found.kind}" + (f", {found.evaluators} raters" if found.evaluators else "")
    console.say(f"{found.name}: {about}" + (f", {found.gated_out} below the gate" if found.gated_out else ""))
    for caution in found.cautions():
        console.say(f"mind: {caution}")
    for title, columns, rows in _tables(found):
        if rows:
            console.table(title, columns, rows)
    console.say(answer(found))
    if found.comparison:
        one = found.comparison
        paired = "the same raters" if one.paired else "other raters"
        console.say(f"{one.first} - {one.second}: {one.difference} ({paired}); {one.verdict}")
    if found.spread:
        s = found.spread
        console.say(
            f"+-0.03 takes {s.evaluators(0.03)} raters with {s.answers:.0f} answers each; "
            f"to find a difference of 0.05 between two generators, {s.evaluators_to_tell(0.05)} for each"
        )


def _tables(found: Findings) -> list[tuple[str, tuple[str, ...], list[tuple[Any, ...]]]]:
    from ..votes.findings import K

    crossed = found.crossed
    strengths = found.strengths
    return [
        (
            "HYPE",
            ("generator", "error rate", "fakes for real", "reals for fake", "d'", "criterion", "seconds", "raters")
            + (("error rate, other pictures too",) if crossed else ()),
            [
                (h.generator, h.error, h.fake_error, h.real_error, h.d_prime, h.criterion, h.seconds, h.error.n)
                + ((crossed.get(h.generator, "–"),) if crossed else ())
                for h in found.hype
            ],
        ),
        (
            "Agreement",
            ("pictures", "n", "votes", "two agree", "alpha", "constant", "best possible", f"mean of {K}", "within"),
            [_agreed(g) for g in found.agreement],
        ),
        (
            "Gate",
            ("gate", "raters", "of them unchecked", "error rate"),
            [(g.gate, g.evaluators, g.without_controls, g.error) for g in found.gates],
        ),
        (
            "HYPE-time (ms)",
            ("generator", "modal exposure", "late exposure", "fitted threshold", "at the floor"),
            [
                (e.generator, f"{e.modal:.0f}", f"{e.late:.0f}", f"{e.threshold:.0f}", f"{e.at_floor:.2f}")
                for e in found.exposures
            ],
        ),
        ("Response times (s)", ("answers", "median"), [(t.what, t.seconds) for t in found.times]),
        (
            "Effects",
            ("effect", "value"),
            [(name, f"{value:.3f}") for name, value in found.effects.items()]
            + [(f"context {name} (logits)", f"{value:+.3f}") for name, value in found.contexts.items()],
        ),
        (
            "Strengths (Bradley-Terry)",
            ("picture", "strength", "low", "high", "votes"),
            [] if strengths is None else _ends(list(zip(*(c.tolist() for c in vars(strengths).values()), strict=True))),
        ),
    ]


def _ends(rows: list[tuple[Any, ...]], most: int = 10) -> list[tuple[Any, ...]]:
    """The strongest and the weakest as they are shown; all of them are in -o."""
    shown = [(name, f"{s:+.3f}", f"{low:+.3f}", f"{high:+.3f}", f"{n:g}") for name, s, low, high, n in rows]
    return shown if len(shown) <= 2 * most + 1 else [*shown[:most], ("...", "", "", "", ""), *shown[-most:]]


def _agreed(g: Any) -> tuple[Any, ...]:
    alpha, majority, within = (f"{number:.3f}" for number in (g.alpha, g.majority, g.within_generator))
    return g.what, g.pictures, g.votes, g.agreement, alpha, majority, g.ceiling, g.reliability, within
