"""`giqa info`: what a model file is, what it learned from, how good it is, and how it is used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import console
from .options import PATH, options

if TYPE_CHECKING:
    from ..model.made_by import MadeBy

ANSWERS = {
    "votes": "p_real: the probability that a person calls a picture real",
    "pairs": "p_preferred: the probability that a person prefers it to the typical judged picture",
    "ratings": "rating: the expected rating",
}


@click.command()
@click.argument("model", type=PATH)
@options("as_json")
def info(model: Path, as_json: bool) -> None:
    """Say what a model file is, what it learned from, how good it is; --json: everything that it holds."""
    import json

    from ..errors import BadModel
    from ..model.file import read_header
    from ..model.made_by import MadeBy
    from ..model.trust import human_part, learned
    from ..p_real.file import is_realism, read_realism_header

    header = read_realism_header(model) if is_realism(model) else read_header(model)
    part = human_part(header["made_by"])
    verdict = learned(part)[1] if part else ""
    if as_json:
        click.echo(json.dumps(({"verdict": verdict} if part else {}) | header, indent=1))
        return
    made = MadeBy.from_dict(header["made_by"])
    try:
        rows = _of_people(model, made, verdict) if part else _of_reals(model, made)
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # of a file that somebody made by hand
        why = f"{type(error).__name__}: {error}"
        raise BadModel(f"{model} says in other words than giqa how it was made ({why}); --json shows them.") from None
    rows += [("extractor", made.extractor or "none: it was fitted on features"), ("scorer", made.scorer)]
    rows += [("match", made.match or "nothing is done to pictures before"), ("file", _file(model, made))]
    console.table("", ("what", "value"), rows, fold=True)
    if part:
        from .train_human import show_learned

        show_learned(header["made_by"])
    console.say(f"Everything else that it holds: giqa info {model} --json")


def _file(model: Path, made: MadeBy) -> str:
    return f"{console.size(model.stat().st_size)}, made by giqa {made.giqa or 'of an unknown version'}"


def _of_people(model: Path, made: MadeBy, verdict: str) -> list[tuple[str, Any]]:
    """Of a human model."""
    kinds = tuple(made.judgements or ("votes",))
    counts = made.judgements or {"votes": made.votes}
    share = "" if made.share_real is None else f", {100 * made.share_real:.0f} % of the votes say real"
    by = f" by {made.raters} raters" if made.raters else ""
    said = " and ".join(f"{number} {kind}" for kind, number in counts.items())
    steps = made.steps or [0]
    levels = dict.fromkeys(ANSWERS, "") | {"ratings": f", from {steps[0]:g} to {steps[-1]:g}"}
    references = f"; {made.references} reals as references" if made.references else ""
    return [
        ("what it is", "a human model: it learned what people say of pictures"),
        ("learned from", f"{said}{by} on {made.labelled} pictures ({made.labels}){share}{references}"),
        ("how good", verdict),
        ("answers", "; ".join(f"{ANSWERS[kind]}{levels[kind]}, with its 95 % interval" for kind in kinds)),
        ("use", f"giqa score FAKES --real REALS --human {model} --report report.html"),
        ("or alone", f"giqa score FAKES --model {model} -o scores.csv"),
    ]


def _of_reals(model: Path, made: MadeBy) -> list[tuple[str, Any]]:
    """Of a model of reals; twins, strays and groups as far as `giqa fit` found them."""
    failed = f", {made.reals_failed} more could not be read" if made.reals_failed else ""
    found = [(name, _named(of)) for name, of in (("twins", made.twins), ("strays", made.strays)) if of]
    if made.groups:
        of = (f"{name}: {one['reals']}, median z {one['median_z']}" for name, one in made.groups["of"].items())
        found.append((f"groups by {made.groups['column']}", "; ".join(of)))
    return [
        ("what it is", "a model of real pictures: it says how far a picture is from them"),
        ("learned from", f"{made.reals} reals{failed}"),
        ("use", f"giqa score FAKES --model {model} -o scores.csv --report report.html"),
        *found,
    ]


def _named(of: Mapping[str, Any]) -> str:
    """How many reals of a kind there are, whether they were left out, and their names."""
    out = " left out" if of.get("left_out") else ""
    names = ", ".join(map(str, of.get("ids", ())))
    return f"{of.get('count', 0)}{out}{': ' if names else ''}{names}"
