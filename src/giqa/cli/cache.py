"""`giqa cache`: the features that are kept on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from . import console
from .options import Group


@click.group(cls=Group)
def cache() -> None:
    """Features that are kept so that they are never computed twice."""


def folder() -> Path:
    from ..files import home

    return home() / "features"


def downloads() -> Path:
    from ..images.sources import fetch

    return fetch.folder()


@cache.command("list")
def list_() -> None:
    """What is kept, and how large it is."""
    import json
    import time

    from ..features.store import stored

    kept = stored(folder())
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
    console.table(str(folder()), ("pictures", "size", "used", "extractor", "how"), rows, right=(0, 1))
    console.say(f"{console.size(sum(s.bytes for s in kept))} in {folder()}")
    if fetched := sum(path.stat().st_size for path in downloads().rglob("*") if path.is_file()):
        console.say(f"{console.size(fetched)} of pictures from other machines in {downloads()}")


@cache.command("prune")
@click.option(
    "--to",
    "limit",
    default="10GB",
    metavar="SIZE",
    help="Delete features, those not used for longest first, until this much is left.",
)
def prune(limit: str) -> None:
    """Delete the features that were not used for longest."""
    delete_to(console.parse_size(limit))


@cache.command("clear")
def clear() -> None:
    """Delete all kept features, and copies of pictures from other machines (weights stay)."""
    import shutil

    shutil.rmtree(downloads(), ignore_errors=True)
    delete_to(0)


def delete_to(size: int) -> None:
    from ..features.store import prune

    console.say(f"freed {console.size(prune(folder(), size))}")
