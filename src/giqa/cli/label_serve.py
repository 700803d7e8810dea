"""`giqa label serve`: people judge pictures in a browser."""

from __future__ import annotations

import os
import secrets
from contextlib import closing
from typing import Any

import click

from ..errors import BadSpec
from . import console
from .label import NAME, STORE, label
from .options import COUNT, PATH, PROXY, listen


@label.command()
@click.argument("fakes", nargs=-1)
@click.option("--real", metavar="REALS", help="Real pictures; half of what raters see in hype and hype-time.")
@click.option("--task", type=click.Choice(["hype", "hype-time", "pairs", "rating"]), help="What raters are asked.")
@click.option(
    "--questions",
    type=PATH,
    metavar="FILE",
    help="Questions of your own, .toml or .json, several about each pair or picture (docs/collecting.md).",
)
@STORE
@NAME
@click.option("--votes", "votes_each", type=COUNT, default=5, help="Votes for each picture.")
@click.option(
    "--sitting", type=click.IntRange(2), help="Questions for each rater; default: 100, or as many as there are."
)
@click.option("--controls", type=click.IntRange(0), default=10, help="Quality-control pictures.")
@click.option("--easy", metavar="SOURCE", help="Fakes that nobody should miss, for the controls; else shuffled reals.")
@click.option(
    "--gate", type=click.FloatRange(0, 1), default=0.65, help="Share of controls that a rater must get right."
)
@click.option("--tutorial", type=click.IntRange(0), default=4, help="Examples with feedback.")
@click.option("--break-every", type=COUNT, default=50, help="Answers between breaks.")
@click.option(
    "--pairs", metavar="CSV", help="For pairs: a table with columns left and right; default: drawn at random."
)
@click.option("--number", type=COUNT, help="For pairs: how many to draw; default: as many as fakes.")
@click.option(
    "--size", type=click.IntRange(16, 4096), help="Pixels of the longer side; default: the smallest's, at most 512."
)
@click.option(
    "--steps",
    metavar="DOWN,UP",
    help="For hype-time: ms less after a right answer, ms more after a wrong one. Default: 30,10 as in HYPE, which "
    "ends at the shortest exposure for every rater; 10,30 converges where 75 % of the answers are right.",
)
@click.option("--title", help="Heading of the study.")
@click.option("--contact", help="Whom raters can ask, on the consent page.")
@click.option("--completion", help="Shown at the end, such as a completion code.")
@click.option("--seed", type=click.IntRange(0), default=0, help="For what is held out, and for pairs.")
@click.option("--host", default="127.0.0.1", help="Address to listen on; 0.0.0.0: reached from other machines.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, help="Port; 0: any free one.")
@click.option("--https", is_flag=True, help="Served behind a proxy that speaks HTTPS: cookies are marked Secure.")
@PROXY
@click.option("--dry-run", is_flag=True, help="Make the study, print its link, serve nothing.")
def serve(fakes: tuple[str, ...], store: str, **options: Any) -> None:
    """Let people judge pictures in a browser.

    \b
    hype       real or fake, unlimited time (HYPE-infinity)
    hype-time  real or fake after a short look that adapts to the rater
    pairs      which of two is better
    rating     1 (bad) to 5 (excellent)

    With --questions FILE, instead of --task: your own wording, several questions about each pair or picture.

    FAKES: a source of pictures, or several as NAME=SOURCE. Votes are kept as they come in. Prints the link for raters
    and the admin page; its password comes from GIQA_ADMIN_PASSWORD, or is made and printed once. The study is made at
    the first start; run the command again, or `giqa label serve --store PATH` alone, to go on with what is there. It
    needs more than giqa itself: pip install '.[humans]'.
    """
    from ..study.app import leave_on_sigterm
    from ..study.store import open_store

    leave_on_sigterm()
    serving = {name: options.pop(name) for name in ("host", "port", "https", "proxy", "dry_run")}
    with closing(open_store(store)) as kept:
        if fakes:
            name = options.get("name") or options["task"] or _task_of(options["questions"])
            if name not in [study.name for study in kept.studies()]:
                make(kept, fakes, **options)
            else:
                console.say(f"the store has the study {name!r}; going on with it as it was made")
        if not kept.studies():
            raise BadSpec(f"The store {store} holds no study; give FAKES, --real REALS and --task.")
        run(kept, **serving)


def make(store: Any, fakes: tuple[str, ...], **options: Any) -> None:
    from ..study.collect import collect

    if options["task"] is None and options["questions"] is None:
        raise BadSpec("What should raters be asked? Give --task hype, hype-time, pairs or rating, or --questions FILE.")
    given = {name: value for name, value in options.items() if value is not None}
    if "steps" in given:
        given |= steps(given.pop("steps"), options["task"])
    study = collect(fakes, given.pop("real", None), store=store, **given)
    if options["task"] == "hype-time":
        warn_of_steps(study.settings)
    if study.settings.questionnaire:
        for code, number in study.settings.questionnaire.missing().items():
            console.say(f"words.{code} of the questions lacks {number} phrases: raters read those in English")


def _task_of(questions: Any) -> str:
    """The task of a file of questions, by which a study without a name is called; "" without one."""
    from ..study.questions import parse, read_questions

    return "" if questions is None else parse(read_questions(questions)).task


def steps(text: str, task: str) -> dict[str, int]:
    """`DOWN,UP` as settings of the study."""
    if task != "hype-time":
        raise BadSpec(f"--steps {text} is for --task hype-time; {task} has no timed look.")
    down, comma, up = text.partition(",")
    if not comma or not down.strip().isdecimal() or not up.strip().isdecimal():
        raise BadSpec(f"--steps takes DOWN,UP in whole ms, such as 10,30; got {text!r}.")
    return {"down": int(down), "up": int(up)}


def warn_of_steps(settings: Any) -> None:
    """Say so where guessing alone passes the staircase."""
    from ..votes.staircase import GUESS, Staircase

    s = settings
    rests = Staircase(s.start, s.down, s.up, s.floor, s.top).target
    says = f"steps -{s.down}/+{s.up} ms converge where {rests:.0%} of the answers are right"
    if rests <= GUESS:
        says += (
            f"; guessing gets {GUESS:.0%}, so every rater ends at {s.floor} ms whatever they see: take --steps 10,30 "
            "(75 %) to compare exposures, and a new --name or --store (docs/people.md)"
        )
    console.say(says)


def run(store: Any, host: str, port: int, https: bool, proxy: str | None, dry_run: bool) -> None:
    """Print the links and serve until interrupted."""
    from ..study import access
    from ..study.app import serve

    listening, place = listen(host, port)
    base = f"http{'s' if https else ''}://{place}"
    password = os.environ.get("GIQA_ADMIN_PASSWORD") or None
    if password is None and store.secret(access.SECRET) is None:
        password = secrets.token_urlsafe(12)
        console.say(f"admin password, shown once: {password}")
    if password is not None:
        access.set_password(store, password)
    for study in store.studies():
        click.echo(console.inert(f"link for raters, {study.name}: {base}/s/{study.token}"))
    click.echo(f"admin: {base}/admin")
    if dry_run:
        listening.close()
        return
    serve(store, listening, https, proxy)
