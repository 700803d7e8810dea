"""`giqa evaluate`: how well scores agree with people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import BadSpec
from . import console
from .options import JSON, PATH, options, working, write_json

if TYPE_CHECKING:
    from ..evaluate.votes import Evaluation


@click.command()
@click.argument("scores", type=PATH, required=False)
@click.option("--labels", type=PATH, help="Votes, counts, pairs or ratings.")
@click.option("--maps", type=PATH, help="Instead of SCORES: NAME.maps and --images, or a folder of .npy or grey .png.")
@click.option(
    "--human-maps", type=PATH, help="What people marked: grey masks or .npy, LabelMe, COCO (.json), RichHF-18K."
)
@click.option("--images", metavar="SOURCE", help="The pictures that maps are of.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.5,
    show_default=True,
    help="Share of its own maximum from which a map marks a place, for mIoU.",
)
@click.option(
    "--column",
    default="z",
    help="Which column of SCORES; higher = better. Several, with commas: a human model is fitted to them.",
)
@click.option("--probability", is_flag=True, help="The column is the probability that a person says real.")
@click.option("--learning-curve", is_flag=True, help="Also how good a model is that learned from fewer labels.")
@click.option(
    "--generators", metavar="TABLE", help="A table image,generator, for pictures whose generator the labels do not say."
)
@click.option(
    "--include-training",
    is_flag=True,
    help="Also test p_real of a human model on pictures that it learned from; the figures are then too good.",
)
@options("reals_too")
@click.option("-o", "--out", type=JSON, help="Write every figure as .json.")
@click.option("--resamples", type=click.IntRange(20), default=500, help="Resamples of the bootstrap.")
@options("quiet")
def evaluate(scores: Path | None, labels: Path | None, out: Path | None, quiet: bool, **how: Any) -> None:
    """Say how well SCORES agree with people, compared with a constant answer and with the best possible score.

    SCORES is a table with a column id (or image). A name in the labels is an id of the scores, or one is the end of
    the other. Intervals resample pictures, and raters where the votes name them. What is learned from votes (the
    calibration of a column, or a model of several) is tested on pictures that it has not seen.

    With --maps and --human-maps it says how well maps agree with what people marked in the same pictures, compared
    with chance, with the middle of the picture and, where --images are given, with its fine detail.
    """
    from ..evaluate.evaluate import evaluate as run
    from ..votes.votes import read_generators

    about = {name: how.pop(name) for name in ("maps", "human_maps", "images", "threshold")}
    if about["maps"] or about["human_maps"]:
        _maps(scores or labels, out, quiet, **about)
        return
    if not scores or not labels:
        raise BadSpec("Compare what? Give SCORES and --labels, or --maps and --human-maps.")
    generators = how.pop("generators")
    how["column"] = [name.strip() for name in how["column"].split(",")]
    with console.plain_warnings(quiet):
        known = read_generators(generators) if generators else None
        found = run(scores, labels, generator=known, **how)
    write_json(out, found.plain())
    _show(found)
    for text in against_people(found):
        console.warn(text, quiet)
    counts = f"{found.judgements} judgements of {found.pictures} pictures; {found.without_score} without a score"
    then = f"giqa bench {labels} --real REALS --scorers multilayer,knn says whether another score agrees better."
    console.finish(quiet, out, texts=[counts], then=then)


def _maps(
    other: Path | None, out: Path | None, quiet: bool, maps: Path | None, human_maps: Path | None, **how: Any
) -> None:
    from ..evaluate.maps import evaluate_maps

    if other or not maps or not human_maps:
        what = f"{other} is compared in another run" if other else "give both --maps and --human-maps"
        raise BadSpec(f"Maps are compared with human maps alone: {what}.")
    with working(quiet, out) as progress:
        found = evaluate_maps(maps, human_maps, progress=progress, **how)
    write_json(out, found.plain())
    measures = list(next(iter(found.figures.values())))
    rows = [(name, *(figures[m] for m in measures)) for name, figures in found.figures.items()]
    console.table("Agreement with what people marked", ("map", *measures), rows)
    counts = f"{found.marked} pictures with marks, {found.unmarked} without; {found.without_map} without a map"
    texts = [counts, "KLD is a distance: smaller is better."]
    if found.peaks.value == found.peaks.value:
        texts.append(f"The highest value of a marked picture's map is above that of an unmarked one's: {found.peaks}")
    console.finish(quiet, out, texts=texts)


def against_people(found: Evaluation) -> list[str]:
    """Sentences about figures whose whole interval is below chance: the score ranks the other way round than people."""
    chance = {"AUROC": 0.5, "pair accuracy": 0.5, "Spearman": 0.0}
    known = {name: found.figures[name] for name in chance if name in found.figures}
    return [
        f"{name} is {value}, below chance ({chance[name]:g}): people say the opposite of this score more often than not"
        for name, value in known.items()
        if value.high < chance[name]
    ]


def _show(found: Evaluation) -> None:
    console.table("Agreement with people", ("figure", "value"), list(found.figures.items()))
    if found.calibration:
        rows = [(f"{p:.3f}", share, n) for p, share, n in found.calibration]
        console.table("Calibration", ("predicted", "said real", "votes"), rows)
    if found.generators:
        columns = ("left out", "pictures", "votes", "said real", "accuracy", "constant", "Brier", "AUROC", "Spearman")
        rows = []
        for g in found.generators:
            figures = (g.accuracy, f"{g.constant.value:.3f}", f"{g.brier.value:.3f}", g.auroc, g.spearman)
            rows.append((g.name, g.pictures, g.votes, f"{g.share_real:.3f}", *figures))
        console.table("Each generator, learned from the others", columns, rows)
    if found.across:
        rows = [(name, value, f"{found.constant_across[name]:.3f}") for name, value in found.across.items()]
        console.table("Accuracy in and across generators", ("learned -> tested", "accuracy", "constant"), rows)
    if found.learning:
        columns = ("labelled pictures", "votes", "accuracy", "log loss")
        rows = [(step.pictures, step.votes, step.accuracy, step.log_loss) for step in found.learning]
        console.table("Learned from so many labels", columns, rows)
