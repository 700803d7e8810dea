"""`giqa serve`: scores over HTTP."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from . import console
from .options import COUNT, PATH, PROXY, listen, options


@click.command()
@click.argument("models", nargs=-1, required=True, metavar="[NAME=]MODEL.giqa ...")
@click.option(
    "--human",
    type=PATH,
    help="A human model that `giqa train human` made: adds p_real, as in `giqa score`, to every model.",
)
@click.option("--text", is_flag=True, help="Adds text_quality and what belongs to it, as in `giqa score`.")
@click.option("--host", default="127.0.0.1", help="Address to listen on; 0.0.0.0: reached from other machines.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, help="Port; 0: any free one.")
@click.option("--processes", type=COUNT, default=1, help="Each holds all models; one that dies is replaced.")
@options("workers")
@click.option("--max-body", default="64MB", metavar="SIZE", help="Largest request.")
@click.option("--max-pictures", type=COUNT, default=64, help="Pictures of a request.")
@click.option("--max-pixels", type=COUNT, default=25_000_000, help="Pixels of a picture.")
@click.option("--queue", type=COUNT, default=256, help="Pictures that wait in a process before it answers 429.")
@click.option(
    "--rate",
    type=click.FloatRange(0),
    default=100.0,
    help="Requests a second from one address, in each process; 0: any number.",
)
@PROXY
@click.option("--dry-run", is_flag=True, help="Load the models, print what would be served, serve nothing.")
def serve(models: tuple[str, ...], host: str, port: int, human: Path | None, dry_run: bool, **asked: Any) -> None:
    """Score pictures that are sent over HTTP; the same numbers as `giqa score`.

    \b
    giqa fit reals/ -o reals.giqa
    giqa serve reals.giqa
    curl -F pictures=@a.png -F pictures=@b.png http://127.0.0.1:8000/v1/scores

    \b
    POST /v1/scores     a row for each picture: files in a form, or JSON with base64; ?model=NAME of several
    GET /v1/models      what is served
    GET /openapi.json   the description for programs
    GET /health/live, /health/ready, /metrics

    The service fetches no address, writes no picture to disk and keeps no features. It has no users and no TLS: leave
    it on 127.0.0.1, or put a reverse proxy in front. SIGTERM: what was accepted is answered, then it ends. Prints its
    address once it listens.
    """
    from ..serve.limits import Limits
    from ..serve.models import load_models
    from ..serve.serve import run

    sizes = {"body": console.parse_size(asked.pop("max_body"))}
    sizes |= {name: asked.pop(f"max_{name}") for name in ("pictures", "pixels")}
    limits = Limits(**sizes, queue=asked.pop("queue"), rate=asked.pop("rate"))
    text = asked.pop("text")
    loaded = load_models(models, human, text)
    for model in loaded.values():
        about = model.about()
        console.say(f"{model.name}: {about['scorer']}, {about['reals']} reals, digest {about['digest'][:12]}")
    if dry_run:
        return
    listening, place = listen(host, port)
    click.echo(f"http://{place}/v1/scores")
    load = partial(load_models, models, human, text) if asked["processes"] > 1 else lambda: loaded
    run(load, listening, limits=limits, **asked)
