"""`giqa info`: everything that a model file says about itself."""

from __future__ import annotations

from pathlib import Path

import click

from . import console
from .options import PATH, options


@click.command()
@click.argument("model", type=PATH)
@options("as_json")
def info(model: Path, as_json: bool) -> None:
    """Say everything that a model file says about itself."""
    import json

    from ..model.file import read_header
    from ..model.trust import human_part, learned
    from ..p_real.file import is_realism, read_realism_header

    header = read_realism_header(model) if is_realism(model) else read_header(model)
    if part := human_part(header["made_by"]):
        header = {"verdict": learned(part)[1]} | header
    if as_json:
        click.echo(json.dumps(header, indent=1))
        return
    made_by = header.pop("made_by")
    shown = header | {f"made_by.{name}": value for name, value in made_by.items()}
    rows = [*console.as_cells(shown), ("size", console.size(model.stat().st_size))]
    console.table(str(model), ("what", "value"), rows)
