"""`giqa list`: extractors, scorers and metrics by name."""

from __future__ import annotations

import click

from .. import registry
from . import console


@click.command("list")
def list_() -> None:
    """List every extractor, scorer and metric by name."""
    rows = [
        (kind, name, registry.summary(where))
        for kind in registry.BUILTIN
        for name, where in sorted(registry.names(kind).items())
    ]
    console.table("", ("kind", "name", "what it is"), rows)
