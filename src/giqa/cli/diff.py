"""`giqa diff`: what moved between two scorings of the same pictures."""

from __future__ import annotations

from pathlib import Path

import click

from . import console
from .options import PATH, options


@click.command()
@click.argument("before", type=PATH)
@click.argument("after", type=PATH)
@click.option("--most", default=10, type=click.IntRange(0), help="Pictures shown that moved farthest.")
@options("as_json")
def diff(before: Path, after: Path, most: int, as_json: bool) -> None:
    """Say what moved between two scorings, and whether they rank pictures alike.

    BEFORE and AFTER are tables of `giqa score -o`, joined on ids. On stdout the pictures that moved farthest.
    """
    import json

    from ..compare.diff import diff as run
    from ..model.table import read_scores

    with console.plain_warnings():
        found = run(read_scores(before), read_scores(after))
    mean, low, high = found.mean_change()
    rows = [
        {"id": found.ids[i], "before": found.before[i], "after": found.after[i], "change": found.change[i]}
        for i in found.moved(most)
    ]
    if as_json:
        numbers = {"mean_change": mean, "low": low, "high": high, "rank_agreement": found.rank_agreement}
        whole = {name: None if value != value else value for name, value in numbers.items()}
        whole |= {"in_both": len(found.ids), "only_before": found.only_before, "only_after": found.only_after}
        click.echo(json.dumps({**whole, "changed": found.changed, "moved": rows}, indent=1))
        return
    cells = [(r["id"], *(f"{r[k]:+.3f}" for k in ("before", "after", "change"))) for r in rows]
    console.table("", ("id", "z before", "z after", "change"), cells, right=(1, 2, 3))
    ends = f"{low:+.3f} to {high:+.3f}" if low == low else "no interval: one picture says nothing of others"
    rank = found.rank_agreement
    alike = f"{rank:.3f}" if rank == rank else "cannot be computed: it takes different z in both tables"
    many = f"{len(found.ids)} picture{'s' if len(found.ids) > 1 else ''}"
    console.say(f"{many} in both: mean change of z {mean:+.3f} ({ends}), rank agreement (Spearman) {alike}")
    for ids, side in ((found.only_before, before), (found.only_after, after)):
        if ids:
            console.say(f"{len(ids)} have a z only in {side}")
    for text in found.changed:
        console.say(f"scored otherwise: {text}")
