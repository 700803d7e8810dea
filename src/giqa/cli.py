"""The `giqa` command: the same words as the Python package. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from . import __version__

PRESETS = click.Choice(["paper", "released", "recommended"])
SOURCES = """A source of pictures is a folder, a zip, an .npz or .npy array, a list file, a pattern such as
'runs/**/*.png', or a table with a filter such as 'labels.csv[kind=real]'."""


class Group(click.Group):
    """Commands in the order of a first acquaintance; errors as one sentence, exit status 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        from .errors import GiqaError

        try:
            return super().invoke(ctx)
        except GiqaError as error:
            click.echo(f"giqa: {error}", err=True)
            ctx.exit(2)
        except BrokenPipeError:
            sys.stderr.close()
            ctx.exit(141)
        except OSError as error:
            click.echo(f"giqa: {error.strerror or error}: {error.filename or 'a file'}", err=True)
            ctx.exit(2)
        except KeyboardInterrupt:
            click.echo("giqa: interrupted; what was computed is kept, run the same command again to go on.", err=True)
            ctx.exit(130)


def options(*names: str) -> Callable:
    """The options that several commands share."""
    known = {
        "extractor": click.option(
            "--extractor",
            metavar="SPEC",
            help="How features are made, e.g. 'inception(layers=[\"Mixed_5d\"])'; see `giqa list`.",
        ),
        "scorer": click.option(
            "--scorer", metavar="SPEC", help="How features are scored, e.g. knn or 'knn(k=5)'; see `giqa list`."
        ),
        "preset": click.option(
            "--preset",
            type=PRESETS,
            help="The paper to the letter, its released scripts, or what measures best (default).",
        ),
        "match": click.option(
            "--match",
            is_flag=False,
            flag_value="auto",
            metavar="[SPEC]",
            help="Bring all pictures to one size and coding first: alone, chosen from both sets; or e.g. "
            "'match(size=64, coding=\"jpeg444\", quality=90)'.",
        ),
        "flip": click.option("--flip", is_flag=True, help="Mirrored copies of the reals join the reference."),
        "seed": click.option("--seed", type=int, default=0, show_default=True, help="For folds and starts."),
        "workers": click.option(
            "--workers",
            type=click.IntRange(1),
            help="Threads that decode; results do not depend on it. Default: all cores.",
        ),
        "no_store": click.option("--no-store", is_flag=True, help="Keep no features on disk."),
        "quiet": click.option("--quiet", "-q", is_flag=True, help="No progress and no warnings."),
    }

    def add(command: Callable) -> Callable:
        for name in reversed(names):
            command = known[name](command)
        return command

    return add


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

    Every score is read against held-out reals: z = 0 is like a typical real, z = -3 is three spreads worse.
    """


@main.command()
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("giqa-demo"),
    show_default=True,
    help="Folder to write.",
)
@options("quiet")
def demo(out: Path, quiet: bool) -> None:
    """Score toy pictures that giqa draws itself, and write a report.

    Makes 200 landscapes as reals and 60 more as fakes, most of them damaged; scores the fakes and writes scores.csv
    and report.html. Everything happens on this machine.
    """
    from . import console
    from .images.toy import write_toy

    if not quiet:
        console.say("Drawing 200 toy reals and 60 toy fakes ...")
    reals, fakes = write_toy(out)
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
    help="A model that `giqa fit` made, instead of --real. With both, the report shows nearest reals from --real.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write .csv, .jsonl or .parquet. Without it: a ranking in a terminal, CSV in a pipe.",
)
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write one self-contained HTML file.")
@options("extractor", "scorer", "preset", "match", "flip", "seed", "workers", "no_store")
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
    duplicate_of (the real it repeats), error (why there is no score), notes (what decoding did)

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
    from . import console, pipeline
    from .errors import BadSpec
    from .scores import check_ending

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
        scores = pipeline.score(
            fakes, real, model=model, store=not no_store, report=report, progress=progress, **options, **switches
        )
    if out:
        scores.write(out)
    if options.get("match") and not quiet:
        console.say(f"match: {scores.made_by['match'] or 'nothing to do, both sets are saved alike'}")
    show(scores, out, report, quiet, ranked)
    whole = scores.summary()
    return whole["failed"] + (scores.made_by["reals_failed"] if model is None else 0), whole["scored"]


def check_writable(path: Path) -> None:
    """Find out before the work, not after it, that a file cannot be written; its folder is made."""
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}."):
        pass


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
@options("flip", "seed", "workers", "no_store")
@click.option(
    "--keep-thumbnails",
    is_flag=True,
    help="Keep small pictures of the reals in the file, for reports without the reals.",
)
@options("quiet")
def fit(reals: str, out: Path, quiet: bool, no_store: bool, keep_thumbnails: bool, **fitting: Any) -> None:
    """Learn what real looks like from REALS, once, into one file.

    The file holds the scorer, the scores of held-out reals, and ids, features and 8x8-pixel signatures of the reals;
    no pictures unless --keep-thumbnails.
    """
    import dataclasses

    from . import console, gallery, pipeline
    from .errors import BadSpec

    if out.suffix.lower() != ".giqa":
        raise BadSpec(f"A model file is named NAME.giqa, got {out.name!r}.")
    check_writable(out)
    with console.plain_warnings(quiet), console.progress(quiet) as progress:
        model = pipeline.fit(reals, store=not no_store, progress=progress, **fitting)
        if keep_thumbnails:
            model = dataclasses.replace(model, thumbnails=gallery.keep_thumbnails(model, reals, fitting["workers"]))
    model.save(out)
    if not quiet:
        chosen = ", ".join(f"{name} {value}" for name, value in model.made_by["chosen"].items())
        name = model.made_by["scorer"].partition("(")[0]
        reals = f"{model.made_by['reals']} reals{' and their mirror images' if model.made_by['flip'] else ''}"
        console.say(f"wrote {out}: {reals}, {name} ({chosen}) on {model.extractor}")


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def info(model: Path, as_json: bool) -> None:
    """Say everything that a model file says of itself."""
    import json

    from . import console
    from .model import read_header

    header = read_header(model)
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

    Pictures saved differently (size, format, JPEG quality, resizing) score differently whatever they show. The
    remedy, `--match`, is spelled out. Exit status: 1 when something is bad, else 0.
    """
    from . import console
    from . import doctor as diagnosis
    from .images import open_source
    from .images.profile import profile

    found = diagnosis.environment(deep)
    if reals:
        sets = [profile(open_source(where)) for where in (reals, fakes) if where]
        found += diagnosis.sets(*sets, dimension=dimension, n_components=components)
    rows, said = [], set()
    for f in found:
        rows.append((f.level, f.topic, f.what + (f" -> {f.remedy}" if f.remedy and f.remedy not in said else "")))
        said.add(f.remedy)
    console.table("", ("", "topic", "finding"), rows)
    if any(f.level == "bad" for f in found):
        raise click.exceptions.Exit(1)


@main.command("list")
def list_() -> None:
    """List every extractor and scorer by name."""
    from . import console, registry

    rows = []
    for kind in registry.BUILTIN:
        for name, where in sorted(registry.names(kind).items()):
            rows.append((kind, name, registry.summary(where)))
    console.table("", ("kind", "name", "what it is"), rows)


@main.group(cls=Group)
def cache() -> None:
    """Features that are kept so that they are never computed twice."""


@cache.command("list")
def cache_list() -> None:
    """What is kept, and how large it is."""
    import json
    import time

    from . import console
    from .features.store import stored
    from .features.weights import home

    kept = stored(home() / "features")
    rows = [
        (
            s.pictures,
            console.size(s.bytes),
            time.strftime("%Y-%m-%d", time.localtime(s.used)),
            s.identity.get("extractor", "?"),
            json.dumps({k: v for k, v in s.identity.items() if k not in ("extractor", "format", "decode")}),
        )
        for s in kept
    ]
    console.table(str(home() / "features"), ("pictures", "size", "used", "extractor", "how"), rows, right=(0, 1))
    console.say(f"{console.size(sum(s.bytes for s in kept))} in {home() / 'features'}")


@cache.command("prune")
@click.option(
    "--to",
    "limit",
    default="10GB",
    show_default=True,
    metavar="SIZE",
    help="Delete what was not used for longest until this much is left.",
)
def cache_prune(limit: str) -> None:
    """Delete the features that were not used for longest."""
    from . import console
    from .features.store import prune
    from .features.weights import home

    console.say(f"freed {console.size(prune(home() / 'features', console.parse_size(limit)))}")


@cache.command("clear")
def cache_clear() -> None:
    """Delete all kept features (weights stay)."""
    from . import console
    from .features.store import prune
    from .features.weights import home

    console.say(f"freed {console.size(prune(home() / 'features', 0))}")


@main.group(cls=Group)
def weights() -> None:
    """Pretrained networks: every file is checked by its SHA-256 digest before it is loaded."""


@weights.command("list")
def weights_list() -> None:
    """Known and imported weights, and whether they are here."""
    from . import console
    from .features import weights as w

    rows = [
        (e.name, "here" if e.present else "not here", console.size(e.bytes), e.sha256[:16], e.what) for e in w.listing()
    ]
    console.table(str(w.folder()), ("name", "", "size", "sha256", "what"), rows, right=(2,))


@weights.command("pull")
@click.argument("name")
@options("quiet")
def weights_pull(name: str, quiet: bool) -> None:
    """Download weights; a download that broke off goes on where it stopped."""
    from . import console
    from .features.weights import pull

    with console.progress(quiet, unit="bytes") as progress:
        path = pull(name, progress and (lambda done, total: progress(name, done, total)))
    console.say(f"{name} is in {path}")


@weights.command("verify")
@click.argument("name", required=False)
def weights_verify(name: str | None) -> None:
    """Read the weights again and compare their digests."""
    from . import console
    from .features.weights import verify

    checked = verify(name)
    for entry in checked:
        console.say(f"{entry.name}: good")
    if not checked:
        console.say("no weights are here; see `giqa weights list`")


@weights.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="Needed for weights that giqa does not know.")
def weights_import(file: Path, name: str | None) -> None:
    """Copy a weights file that you have into giqa's folder.

    A published file is recognised by its digest; any other gets a name of its own, and its own digest is recorded.
    """
    from . import console
    from .features.weights import import_file

    found = import_file(file, name)
    console.say(f"{found.name} is in {found.path} (sha256 {found.sha256})")


if __name__ == "__main__":
    main()
