"""`giqa label`: human judgements."""

from __future__ import annotations

import click

from .shared import Group


@click.group(cls=Group)
def label() -> None:
    """Human judgements: collect, export, and say what they mean."""
