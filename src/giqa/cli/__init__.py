"""The `giqa` command: one file a command, named as it. Nothing heavy is imported before a command runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

import click

from .. import __version__
from .options import Group

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True}

# in the order of `giqa --help`, each in the module of its name
ANALYSE = ["demo", "score", "fit", "serve", "info", "doctor", "plan", "list", "compare", "track", "diff", "statistics"]
LEARN = ["label", "evaluate", "bench", "suggest", "train", "pick", "explain", "cache", "weights"]
MODULES = {"list": "list_"}
PARTS = {"label": ("serve", "exchange", "stats"), "train": ("gan", "human")}  # modules that add commands to a group


class Commands(Mapping[str, click.Command]):
    """Name -> command, imported when it is asked for: `giqa score` starts without the others."""

    def __getitem__(self, name: str) -> click.Command:
        if name not in (*ANALYSE, *LEARN):
            raise KeyError(name)
        module = MODULES.get(name, name)
        command = vars(import_module(f".{module}", __name__))[module]
        for part in PARTS.get(name, ()):
            import_module(f".{name}_{part}", __name__)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter((*ANALYSE, *LEARN))

    def __len__(self) -> int:
        return len(ANALYSE) + len(LEARN)


@click.group(cls=Group, commands=Commands(), context_settings=SETTINGS)
@click.version_option(__version__, prog_name="giqa")
def main() -> None:
    """How good is this generated image?

    \b
    giqa demo                                    see it work on toy pictures
    giqa score fakes/ --real reals/              one score a picture, shown best to worst
    giqa score fakes/ --real reals/ -o scores.csv --report report.html
    giqa fit reals/ -o reals.giqa                learn what real looks like, once
    giqa score fakes/ --model reals.giqa         score without the reals
    giqa compare --real reals/ A=fakes_a/ B=fakes_b/    which generator is better, and in what

    Every score is compared with held-out reals: z = 0 is like a typical real, z = -3 is three robust standard
    deviations worse.
    """
