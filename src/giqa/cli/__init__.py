"""The `giqa` command: the same words as the Python package. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from .. import __version__
from . import human, label_exchange, label_serve, label_stats  # noqa: F401  their commands join the group
from .bench import bench
from .cache import cache, weights
from .compare import compare, diff, track
from .evaluate import evaluate
from .explain import explain
from .label import label
from .options import Group, check_writable, options
from .pick import pick
from .statistics import statistics
from .suggest import suggest
from .train import demo_gan_command, train

SOURCES = """A source of pictures is a folder, a zip, an .npz or .npy array, a list file, a pattern such as
'runs/**/*.png', or a table with a filter such as 'labels.csv[kind=real]'."""


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="giqa")
def main() -> None:
    """How good is this generated image?

    \b
    giqa demo                                    see it work on toy pictures
    giqa score fakes/ --real reals/              one score a picture, shown best to worst
    giqa score fakes/ --real reals/ -o scores.csv --report report.html
    giqa fit reals/ -o reals.giqa                learn what real looks like, once
    giqa score fakes/ --model reals.giqa         score without the reals
    giqa compare --real reals/ A=fakes_a/ B=fakes_b/    which generator is better, and in what

    Every score is read against held-out reals: z = 0 is like a typical real, z = -3 is three spreads worse.
    """


@main.group(cls=Group, invoke_without_command=True)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("giqa-demo"),
    show_default=True,
    help="Folder to write.",
)
@options("quiet")
@click.pass_context
def demo(context: click.Context, out: Path, quiet: bool) -> None:
    """Score toy pictures that giqa draws itself, and write a report.

    Makes 200 landscapes as reals and 60 more as fakes, most of them damaged; scores the fakes and writes scores.csv
    and report.html. Everything happens on this machine.
    """
    if context.invoked_subcommand:
        return
    from ..images.toy import write_toy
    from . import console

    if not quiet:
        console.say("Drawing 200 toy reals and 60 toy fakes ...")
    reals, fakes = write_toy(out, seed=2)  # a drawing of which no real is a stray: a demo begins without a warning
    run_score(str(fakes), str(reals), None, out / "scores.csv", out / "report.html", quiet=quiet, ranked=True)
    if not quiet:
        console.say(f"Open {out / 'report.html'} in a browser.")
        console.say("Your turn: giqa score FAKES --real REALS --report report.html")


@main.command(epilog=SOURCES)
@click.argument("fakes")
@click.option("--real", metavar="REALS", help="Real pictures to compare with.")
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    help="A model that `giqa fit` or `giqa train` made, instead of --real. With both, --real is where the report "
    "finds the nearest reals.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write .csv, .jsonl or .parquet. Without it: a ranking in a terminal, CSV in a pipe.",
)
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write one self-contained HTML file.")
@click.option(
    "--human",
    type=click.Path(path_type=Path),
    help="What `giqa train human` learned: adds the probability that a person calls each picture real.",
)
@click.option(
    "--maps/--no-maps",
    default=None,
    help="The report shows where its 24 worst pictures are unlike real ones; by default if NAME.maps is there.",
)
@options("extractor", "scorer", "preset", "match", "flip", "seed", "leave_out", "group", "workers", "no_store")
@click.option("--strict", is_flag=True, help="Exit with 1 when a picture could not be scored.")
@click.option("--no-reals", is_flag=True, help="The report shows nothing of the reals.")
@click.option("--no-thumbnails", is_flag=True, help="The report holds no picture.")
@click.option("--no-paths", is_flag=True, help="The report holds numbers instead of file names.")
@options("quiet")
def score(
    fakes: str,
    real: str | None,
    model: Path | None,
    out: Path | None,
    report: Path | None,
    strict: bool,
    **options: Any,
) -> None:
    """Score every picture of FAKES: one row each, in the order of the source.

    \b
    columns: id, score (raw, higher = better), z (0 = like a typical real, -3 = three spreads worse),
    percentile (share of held-out reals that are no better), z_low and z_high (95 % interval of z),
    duplicate_of (the real it repeats), out_of_domain (yes: it shows something that the reals do not; empty:
    no layer can tell), error (why there is no score), notes (what decoding did); with --human, after z_high,
    p_real (probability that a person calls it real), p_real_low and p_real_high (its 95 % interval)

    A picture that cannot be read gets a row without a score and a warning. Exit status: 0 scored, 1 with --strict
    when some could not be, 2 nothing could be done.
    """
    failed, scored = run_score(fakes, real, model, out, report, **options)
    if not scored:
        raise click.exceptions.Exit(2)
    if strict and failed:
        raise click.exceptions.Exit(1)


def run_score(
    fakes: str,
    real: str | None,
    model: Path | None,
    out: Path | None,
    report: Path | None,
    *,
    quiet: bool = False,
    ranked: bool = False,
    no_store: bool = False,
    no_reals: bool = False,
    no_thumbnails: bool = False,
    no_paths: bool = False,
    **options: Any,
) -> tuple[int, int]:
    """Score, write, show; how many pictures could not be read, among the reals too, and how many were scored."""
    from .. import api
    from ..errors import BadSpec
    from ..model.table import check_ending
    from . import console

    if real is None and model is None:
        raise BadSpec("Score against what? Give --real REALS (a source of real pictures) or --model FILE.giqa.")
    if out:
        check_ending(out)
    for path in filter(None, (out, report)):
        check_writable(path)
    if not report and (no_reals or no_thumbnails or no_paths):
        raise BadSpec("--no-reals, --no-thumbnails and --no-paths change the report; give --report FILE too.")
    switches = {"show_reals": not no_reals, "show_thumbnails": not no_thumbnails, "show_paths": not no_paths}
    with console.plain_warnings(quiet), console.progress(quiet) as progress:
        scores = api.score(
            fakes, real, model=model, store=not no_store, report=report, progress=progress, **options, **switches
        )
    if out:
        scores.write(out)
    if options.get("match") and not quiet:
        console.say(f"match: {scores.made_by['match'] or 'nothing to do, size and coding are alike'}")
        if options.get("human"):
            told = scores.made_by["human"]["match"] or "no match"
            console.say(f"For p_real the human model brings its own: {told}.")
    show(scores, out, report, quiet, ranked)
    whole = scores.summary()
    return whole["failed"] + (scores.made_by["reals_failed"] if model is None else 0), whole["scored"]


def show(scores: Any, out: Path | None, report: Path | None, quiet: bool, ranked: bool) -> None:
    """A ranking for a person, CSV for a pipe; what was written and what went wrong to stderr."""
    from . import console

    if ranked or (not out and sys.stdout.isatty()):
        console.ranking(scores)
    elif not out:
        sys.stdout.write(scores.csv())
    if not quiet:
        console.failures({i: reason for i, reason in zip(scores.id, scores.error, strict=True) if reason})
        console.summary(scores)
        for path in filter(None, (out, report)):
            console.say(f"wrote {path}")


@main.command(epilog=SOURCES)
@click.argument("reals")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The model file, NAME.giqa."
)
@options("extractor", "scorer", "preset")
@click.option(
    "--match",
    metavar="SPEC",
    help="Bring pictures to one size and coding first, e.g. 'match(size=64)'; `giqa doctor` proposes one.",
)
@options("flip", "seed", "leave_out", "group", "workers", "no_store")
@click.option(
    "--keep-thumbnails",
    is_flag=True,
    help="Keep small pictures of the reals in the file, for reports without the reals.",
)
@options("quiet")
def fit(reals: str, out: Path, quiet: bool, no_store: bool, keep_thumbnails: bool, **fitting: Any) -> None:
    """Learn what real looks like from REALS, once, into one file.

    The file holds the scorer, the scores of held-out reals, and ids, features and 8x8-pixel signatures of the reals;
    no pictures unless --keep-thumbnails. Warnings name reals that are there twice (twins) and reals unlike the
    others (strays), which --leave-out leaves out.
    """
    import dataclasses

    from .. import api
    from ..errors import BadSpec
    from ..report import gallery
    from . import console

    if out.suffix.lower() != ".giqa":
        raise BadSpec(f"A model file is named NAME.giqa, got {out.name!r}.")
    check_writable(out)
    with console.plain_warnings(quiet), console.progress(quiet) as progress:
        model = api.fit(reals, store=not no_store, progress=progress, **fitting)
        if keep_thumbnails:
            model = dataclasses.replace(model, thumbnails=gallery.keep_thumbnails(model, reals, fitting["workers"]))
    model.save(out)
    if not quiet:
        chosen = ", ".join(f"{name} {value}" for name, value in model.made_by["chosen"].items())
        name = model.made_by["scorer"].partition("(")[0]
        reals = f"{model.made_by['reals']} reals{' and their mirror images' if model.made_by['flip'] else ''}"
        counts = {what: model.made_by[what] for what in ("twins", "strays")}
        counts = {what: found["count"] for what, found in counts.items() if found["left_out"] and found["count"]}
        left = [f"{n} {what[:-1] if n == 1 else what}" for what, n in counts.items()]
        reals += f" ({' and '.join(left)} left out)" if left else ""
        console.say(f"wrote {out}: {reals}, {name} ({chosen}) on {model.extractor}")


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def info(model: Path, as_json: bool) -> None:
    """Say everything that a model file says of itself."""
    import json

    from ..model.model import read_header
    from ..model.trust import human_part, learned
    from ..p_real.model import is_realism, read_realism_header
    from . import console

    header = read_realism_header(model) if is_realism(model) else read_header(model)
    if part := human_part(header["made_by"]):
        header = {"verdict": learned(part)[1]} | header
    if as_json:
        click.echo(json.dumps(header, indent=1))
        return
    shown = {k: v for k, v in header.items() if k != "made_by"} | {
        f"made_by.{k}": v for k, v in header["made_by"].items()
    }
    rows = [(k, json.dumps(v) if isinstance(v, (dict, list)) else v) for k, v in shown.items()]
    console.table(str(model), ("what", "value"), [*rows, ("size", console.size(model.stat().st_size))])


@main.command(epilog=SOURCES)
@click.argument("reals", required=False)
@click.argument("fakes", required=False)
@click.option("--dimension", type=click.IntRange(1), help="Features a picture, to judge whether the reals are enough.")
@click.option("--components", type=click.IntRange(1), help="Components of the mixture, likewise.")
@click.option("--deep", is_flag=True, help="Also import what is installed.")
def doctor(reals: str | None, fakes: str | None, dimension: int | None, components: int | None, deep: bool) -> None:
    """Say what is installed, and whether REALS and FAKES can be compared.

    Pictures saved differently (size, format, JPEG quality, resizing, colour profile) score differently whatever they
    show. The remedy, `--match` or a conversion to sRGB, is spelled out. Exit status: 1 when something is bad, else 0.
    """
    from ..images import open_source
    from ..images.profile import profile
    from . import console
    from . import doctor_checks as diagnosis

    found = diagnosis.environment(deep)
    if reals:
        with console.plain_warnings():
            sets = [profile(open_source(where)) for where in (reals, fakes) if where]
        trouble = [f for f in found if f.level in ("warn", "bad")]  # what is well installed is not the question here
        found = diagnosis.sets(*sets, dimension=dimension, n_components=components) + trouble
    rows, said = [], set()
    for f in found:
        rows.append((f.level, f.topic, f.what + (f" -> {f.remedy}" if f.remedy and f.remedy not in said else "")))
        said.add(f.remedy)
    console.table("", ("", "topic", "finding"), rows)
    if any(f.level == "bad" for f in found):
        raise click.exceptions.Exit(1)


@main.command("list")
def list_() -> None:
    """List every extractor, scorer and metric by name."""
    from .. import registry
    from . import console

    rows = []
    for kind in registry.BUILTIN:
        for name, where in sorted(registry.names(kind).items()):
            rows.append((kind, name, registry.summary(where)))
    console.table("", ("kind", "name", "what it is"), rows)


demo.add_command(demo_gan_command)
for command in (
    compare,
    track,
    diff,
    statistics,
    label,
    evaluate,
    bench,
    suggest,
    train,
    pick,
    explain,
    cache,
    weights,
):
    main.add_command(command)
