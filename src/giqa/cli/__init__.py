"""The `giqa` command: one file a command, named as it. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import click

from .. import __version__
from . import (
    bench,
    cache,
    compare,
    demo,
    diff,
    doctor,
    evaluate,
    explain,
    fit,
    info,
    label,
    label_exchange,
    label_serve,
    label_stats,
    list_,
    pick,
    score,
    statistics,
    suggest,
    track,
    train,
    train_gan,
    train_human,
    weights,
)
from .options import Group


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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


GROUPS: dict[click.Group, tuple[click.Command, ...]] = {
    train.train: (train_gan.gan, train_human.human),
    label.label: (label_serve.serve, label_exchange.export, label_exchange.import_, label_stats.stats),
    main: (
        demo.demo,
        score.score,
        fit.fit,
        info.info,
        doctor.doctor,
        list_.list_,
        compare.compare,
        track.track,
        diff.diff,
        statistics.statistics,
        label.label,
        evaluate.evaluate,
        bench.bench,
        suggest.suggest,
        train.train,
        pick.pick,
        explain.explain,
        cache.cache,
        weights.weights,
    ),
}
for group, commands in GROUPS.items():
    for command in commands:
        group.add_command(command)
