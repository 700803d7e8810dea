"""`giqa label export` and `giqa label import`: votes as tables, and from and for other tools."""

from __future__ import annotations

import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import click

from ..errors import BadSpec, MissingSource
from . import console
from .label import NAME, STORE, label
from .options import FILE, PATH


@label.command()
@STORE
@NAME
@click.option(
    "-o",
    "--out",
    type=FILE,
    help="Write .csv, .tsv or .parquet (label-studio: .json); default: CSV to stdout.",
)
@click.option(
    "--question", metavar="NAME", help="Only the votes on this question of --questions; default: all of them."
)
@click.option("--everything", is_flag=True, help="Controls, and raters who failed the gate, too (column passed).")
@click.option(
    "--format",
    "form",
    type=click.Choice(["giqa", "crowd-kit", "label-studio", "lgiqa"]),
    default="giqa",
    help="Tool that reads the table; all but giqa need -o.",
)
def export(store: str, name: str | None, out: Path | None, question: str | None, everything: bool, form: str) -> None:
    """Write the votes of a study as a table, no personal data in it.

    One row for each valid vote:

    \b
    hype, hype-time: image, rater, said_real, context
    pairs:           left, right, rater, chosen
    rating:          image, rater, rating
    of one's own:    question, language
    and then:        kind, generator, part, passed, exposure_ms, shown_ms, response_ms, order

    \b
    --format crowd-kit     task, worker, label; of pairs worker, left, right, label
    --format label-studio  JSON of tasks with annotations
    --format lgiqa         left, right, votes_left, votes_right; of pairs only

    Beside the table lies its checksum (NAME.sha256), by which a damaged or edited table is known when it is read.

    In .csv and .tsv a text that begins with = + - @ has a ' before it, so that no spreadsheet runs it; giqa removes
    it again.
    """
    from ..files import write_sha256
    from ..tables.table import Table
    from ..tables.write import as_csv, write_table
    from ..votes.votes import as_labels

    check_format(form, out, everything)
    columns = exported(store, name, everything, question)
    asked = list(dict.fromkeys(columns.get("question", [])))
    if form != "giqa" and len(asked) > 1:
        raise BadSpec(
            f"--format {form} has no place for several questions; give --question, one of: {', '.join(asked)}."
        )
    if form != "giqa" and not columns["rater"]:
        raise BadSpec(f"The study in {store} has no votes yet that count; --everything shows those that do not.")
    if form != "giqa":
        with console.plain_warnings():
            write_as(form, out, as_labels(Table(f"the study in {store}", columns)))
    elif out is None:
        text = as_csv(columns)
        # by colour click means escapes: into a pipe it would take them out of names
        click.echo(console.inert(text) if sys.stdout.isatty() else text, nl=False, color=True)
    else:
        write_sha256(write_table(out, columns))
    if out is not None:
        votes, then = len(columns["rater"]), f"giqa label stats {out} --report people.html" if form == "giqa" else ""
        if not votes:
            kept = len(exported(store, name, True, question)["rater"])
            console.warn(f"no vote counts yet; {kept} are kept that do not: controls, and raters below the gate")
            then = f"giqa label export --store {store} --everything -o {out}" if kept else "send the link to raters."
        console.finish(False, texts=[f"wrote {out}: {votes} votes"], then=then)


def check_format(form: str, out: Path | None, everything: bool) -> None:
    if form == "giqa":
        return
    if out is None:
        raise BadSpec(f"--format {form} is written to a file; give -o FILE.")
    if everything:
        raise BadSpec(f"--everything needs the columns part and passed, which {form} does not have; leave one out.")
    if (out.suffix.lower() == ".json") != (form == "label-studio"):
        raise BadSpec(f"label-studio is written as .json and the others as tables, got --format {form} -o {out.name}.")


def exported(store: str, name: str | None, everything: bool, question: str | None = None) -> dict[str, list[Any]]:
    """The columns of the study of this name, or of the only one."""
    from ..study.progress import columns
    from ..study.store import open_store

    if "://" not in store and not Path(store).exists():
        raise MissingSource(f"There is no store {store}; give --store, the one that `giqa label serve` used.")
    with closing(open_store(store)) as kept:
        studies = {study.name: study for study in kept.studies()}
        if name is None and len(studies) == 1:
            name = next(iter(studies))
        if name not in studies:
            raise BadSpec(f"Which study? Give --name, one of: {', '.join(studies) or 'none is there'}.")
        named = [one.name for one in studies[name].settings.asked if one]
        if question is not None and question not in named:
            raise BadSpec(
                f"The study {name!r} has no question {question!r}; it has {', '.join(named) or 'one, its task'}."
            )
        return columns(kept, studies[name], everything, question)


def write_as(form: str, out: Path, labels: Any) -> None:
    from ..votes import exchange
    from ..votes.labels import Pairs

    if form == "lgiqa" and not isinstance(labels, Pairs):
        raise BadSpec("--format lgiqa is of pairs, and this study has none; crowd-kit and label-studio take all tasks.")
    write = {
        "crowd-kit": exchange.write_crowd_kit,
        "label-studio": exchange.write_label_studio,
        "lgiqa": exchange.write_lgiqa,
    }[form]
    write(out, labels)


@label.command("import")
@click.argument("file", type=PATH)
@click.option("-o", "--out", required=True, type=FILE, help="Table to write.")
@click.option(
    "--format",
    "form",
    required=True,
    type=click.Choice(["crowd-kit", "label-studio", "mturk", "prolific", "lgiqa"]),
    help="Tool that wrote the file.",
)
@click.option(
    "--image",
    metavar="NAME",
    help="The column (label-studio: of a task's data, of pairs LEFT,RIGHT) that names the picture.  [default: image]",
)
@click.option(
    "--answer", metavar="NAME", help="The column (label-studio: the question) of the answer.  [default: answer]"
)
@click.option(
    "--submissions",
    type=PATH,
    metavar="CSV",
    help="prolific: its export of submissions; only approved and awaited ones count.",
)
@click.option(
    "--about",
    type=PATH,
    metavar="TABLE",
    help="Table image and kind, generator, context, control (any of them): what the file does not say about a picture.",
)
@click.option("--unanimous", is_flag=True, help="lgiqa: only pairs on which all raters agree.")
@click.option(
    "--key",
    type=FILE,
    metavar="FILE",
    help="A file with a secret, made if it is not there: with it, one worker is the same rater in every imported file. "
    "Delete it when all files are in.",
)
def import_(file: Path, out: Path, form: str, key: Path | None, **options: Any) -> None:
    """Turn another tool's result FILE into a table of votes.

    \b
    crowd-kit     task,worker,label  or of pairs  worker,left,right,label
    label-studio  its JSON, JSON-MIN or CSV export: choices real and fake, a rating, or a pairwise selection
    mturk         batch results: WorkerId, Input.image, Answer.answer; or many, image1, image2, ...
    prolific      a row an answer: PROLIFIC_PID (or Participant id), image, answer
    lgiqa         left,right,votes_left,votes_right  or  left,right,rater,chosen

    Answers are real and fake (or 1 and 0); where they are other numbers, they are ratings. What was skipped, rejected
    or returned, what has no answer or no rater, and what is there twice does not count; a line on stderr says how much.
    Ids of workers are replaced by random ones; age, sex, address and the like are not read. Error rates need
    to know which pictures are real: give --about.

    \b
    giqa label import Batch_1_batch_results.csv --format mturk --about pictures.csv -o votes.csv
    giqa label stats votes.csv
    """
    from ..votes.exchange import with_about

    check_options(form, options)
    with console.plain_warnings():
        labels = read_as(form, file, options, None if key is None else secret_in(key))
        if options["about"] is not None:
            labels = with_about(labels, options["about"])
    labels.write(out)
    people = len(set(labels.rater.tolist()) - {""})
    kind = type(labels).__name__.lower()
    about = f" of {people} raters, who have random ids" if people else ""
    then = f"giqa label stats {out} --report people.html"
    console.finish(False, texts=[f"wrote {out}: {len(labels)} {kind}{about}"], then=then)


NAMED = ("label-studio", "mturk", "prolific")
OF = {"image": NAMED, "answer": NAMED, "submissions": ("prolific",)}


def check_options(form: str, options: dict[str, Any]) -> None:
    for name, forms in (OF | {"unanimous": ("lgiqa",)}).items():
        if options[name] not in (None, False) and form not in forms:
            raise BadSpec(f"--{name} is for --format {' and '.join(forms)}, not for {form}.")


def read_as(form: str, file: Path, options: dict[str, Any], key: bytes | None) -> Any:
    from ..votes import exchange
    from ..votes.aggregation import unanimous

    given = {name: options[name] for name in OF if options[name] is not None}
    read = {
        "crowd-kit": exchange.read_crowd_kit,
        "label-studio": exchange.read_label_studio,
        "mturk": exchange.read_mturk,
        "prolific": exchange.read_prolific,
        "lgiqa": exchange.read_lgiqa,
    }[form]
    labels = read(file, key=key, **given)
    return unanimous(labels) if options["unanimous"] else labels


def secret_in(path: Path) -> bytes:
    """The key in a file that only its owner can read; made at the first time."""
    import os
    import secrets

    with suppress(FileExistsError), os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(32))
    if not path.is_file():
        raise BadSpec(f"{path} is no file; name one that is not there, and a key is made in it.")
    key = path.read_bytes() if path.stat().st_size <= 64 else b""
    if not 16 <= len(key) <= 64:
        raise BadSpec(
            f"{path} holds {path.stat().st_size} bytes and is no key; name a file that is not there, and it is made."
        )
    return key
