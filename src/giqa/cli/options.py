"""What the commands share: how errors end a command, and the options that several have."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

PRESETS = click.Choice(["paper", "released", "recommended"])


class Group(click.Group):
    """Commands in the order of a first acquaintance; errors as one sentence, exit status 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        from ..errors import GiqaError

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
        "leave_out": click.option(
            "--leave-out",
            metavar="WHAT",
            help="Fit without some reals: twins (keeps one of each that are nearly the same), strays (what shows "
            "something else than the other reals, or scores absurdly low), or 'twins,strays'.",
        ),
        "group": click.option(
            "--group",
            metavar="COLUMN",
            help="A column of the table of reals: warn when one of its groups scores low though real.",
        ),
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


def check_writable(path: Path) -> None:
    """Find out before the work, not after it, that a file cannot be written; its folder is made."""
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}."):
        pass
