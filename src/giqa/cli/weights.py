"""`giqa weights`: pretrained networks on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from ..features import weights as files
from . import console
from .options import PATH, Group, options


@click.group(cls=Group)
def weights() -> None:
    """Pretrained networks: every file is checked by its SHA-256 digest before it is loaded."""


@weights.command("list")
def list_() -> None:
    """Known and imported weights, and whether they are here."""
    rows = [
        (e.name, "here" if e.present else "not here", console.size(e.bytes), e.sha256[:16], e.what)
        for e in files.listing()
    ]
    console.table(str(files.folder()), ("name", "", "size", "sha256", "what"), rows, right=(2,))


@weights.command("pull")
@click.argument("name")
@options("quiet")
def pull(name: str, quiet: bool) -> None:
    """Download weights; a download that broke off goes on where it stopped."""
    with console.progress(quiet, unit="bytes") as progress:
        path = files.pull(name, progress and (lambda done, total: progress(name, done, total)))
    console.say(f"{name} is in {path}")


@weights.command("verify")
@click.argument("name", required=False)
def verify(name: str | None) -> None:
    """Read the weights again and compare their digests."""
    checked = files.verify(name)
    for entry in checked:
        console.say(f"{entry.name}: good")
    if not checked:
        console.say("no weights are here; see `giqa weights list`")


@weights.command("import")
@click.argument("file", type=PATH)
@click.option("--name", help="Needed for weights that giqa does not know.")
def import_(file: Path, name: str | None) -> None:
    """Copy a weights file that you have into giqa's folder.

    A published file is recognised by its digest; any other gets a name of its own, and its own digest is recorded.
    """
    imported = files.import_file(file, name)
    console.say(f"{imported.name} is in {imported.path} (sha256 {imported.sha256})")
