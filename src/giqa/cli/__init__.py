"""The `giqa` command: one file a command, named as it. Nothing heavy is imported before a command runs."""

from __future__ import annotations

from importlib import import_module

import click

from .. import __version__
from .options import Group

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True}


@click.group(cls=Group, context_settings=SETTINGS)
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


# in the order of `giqa --help`, each in the module of its name; then modules that add theirs to a group
ANALYSE = "demo score fit serve info doctor plan list_ compare track diff statistics"
LEARN = "label evaluate bench suggest train pick explain cache weights"
for name in f"{ANALYSE} {LEARN}".split():
    main.add_command(vars(import_module(f".{name}", __name__))[name])
for name in ("label_serve", "label_exchange", "label_stats", "train_gan", "train_human"):
    import_module(f".{name}", __name__)
