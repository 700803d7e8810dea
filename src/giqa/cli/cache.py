"""`giqa cache` and `giqa weights`: what is kept on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from .options import Group, options


@click.group(cls=Group)
def cache() -> None:
    """Features that are kept so that they are never computed twice."""


@cache.command("list")
def cache_list() -> None:
    """What is kept, and how large it is."""
    import json
    import time

    from ..features.store import stored
    from ..features.weights import home
    from . import console

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
    from ..features.store import prune
    from ..features.weights import home
    from . import console

    console.say(f"freed {console.size(prune(home() / 'features', console.parse_size(limit)))}")


@cache.command("clear")
def cache_clear() -> None:
    """Delete all kept features (weights stay)."""
    from ..features.store import prune
    from ..features.weights import home
    from . import console

    console.say(f"freed {console.size(prune(home() / 'features', 0))}")


@click.group(cls=Group)
def weights() -> None:
    """Pretrained networks: every file is checked by its SHA-256 digest before it is loaded."""


@weights.command("list")
def weights_list() -> None:
    """Known and imported weights, and whether they are here."""
    from ..features import weights as w
    from . import console

    rows = [
        (e.name, "here" if e.present else "not here", console.size(e.bytes), e.sha256[:16], e.what) for e in w.listing()
    ]
    console.table(str(w.folder()), ("name", "", "size", "sha256", "what"), rows, right=(2,))


@weights.command("pull")
@click.argument("name")
@options("quiet")
def weights_pull(name: str, quiet: bool) -> None:
    """Download weights; a download that broke off goes on where it stopped."""
    from ..features.weights import pull
    from . import console

    with console.progress(quiet, unit="bytes") as progress:
        path = pull(name, progress and (lambda done, total: progress(name, done, total)))
    console.say(f"{name} is in {path}")


@weights.command("verify")
@click.argument("name", required=False)
def weights_verify(name: str | None) -> None:
    """Read the weights again and compare their digests."""
    from ..features.weights import verify
    from . import console

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
    from ..features.weights import import_file
    from . import console

    found = import_file(file, name)
    console.say(f"{found.name} is in {found.path} (sha256 {found.sha256})")
