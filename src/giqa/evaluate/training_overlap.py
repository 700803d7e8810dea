"""Whether scores would be judged by votes that they were learned from: what a table of scores says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..model.columns import NUMBERS, PEOPLE
from ..model.table import Scores
from ..model.table_files import how_made
from ..model.trust import LEARNED_FROM, asked_about, human_part
from ..tables.names import match_names
from ..tables.read import read_table

UNKNOWN = (
    "how {} was made is not known well enough to check whether the human model learned from votes on these very "
    "pictures; if it did, the figures are too good"
)


def marks_of(scores: Any) -> tuple[list[str], list[str] | None, Mapping[str, Any]]:
    """Of a table of scores: ids, notes (None where there is no such column), and how it was made."""
    if isinstance(scores, Scores):
        return list(scores.id), list(scores.notes), scores.made_by
    if not isinstance(scores, str | Path):
        return [], None, {}
    table = read_table(scores)
    name, about = table.find("id", "image"), table.find("notes")
    notes = None if about is None else [str(text or "") for text in table.columns[about]]
    return [] if name is None else list(map(str, table.columns[name])), notes, how_made(scores, table)


def seen_in_training(
    judged: Iterable[str], columns: Sequence[str], ids: Sequence[str], notes: Sequence[str] | None, made_by: Mapping
) -> tuple[str, str]:
    """Why columns of scores cannot be judged on these pictures, and what cannot be checked about that; "" for neither.

    Parameters
    ----------
    judged : iterable of str
        Pictures as their labels call them.
    columns : sequence of str
        Columns of scores.
    ids, notes, made_by
        Of the table of scores; notes None: there is no such column.

    Returns
    -------
    tuple of str
    """
    learned_columns = [column for column in columns if of_people(column, made_by)]
    learned_from = asked_about(human_part(made_by)).learned_from
    if not learned_columns or (notes is not None and learned_from == 0):
        return "", ""
    marked = [name for name, note in zip(ids, notes or [""] * len(ids), strict=True) if LEARNED_FROM in str(note)]
    known = match_names(judged, ids)[0]
    seen = {ids[place] for place in known.values()} & set(marked)
    if seen or (notes is None and learned_from):
        return refusal(sorted(seen), len(known), learned_columns[0]), ""
    if learned_from is None:
        return "", UNKNOWN.format(learned_columns[0])
    return "", ""


def refusal(seen: Sequence[str], judged: int, column: str) -> str:
    """Why these pictures are no test of a human model, and what is one."""
    which = f"{len(seen)} of the {judged} judged pictures, such as {seen[0]!r}," if seen else "Some of the pictures"
    return (
        f"{which} are those that the human model learned from, so that {column} would be judged by votes that it has "
        "seen. What it does on held-out pictures `giqa train human` and `giqa info` say; or take votes on other "
        "pictures, or judge all the same with --include-training (include_training=True)."
    )


def of_people(column: str, made_by: Mapping[str, Any]) -> bool:
    """Whether a column of scores comes from a human model."""
    return column in PEOPLE or (column in NUMBERS and "human" not in made_by and human_part(made_by) is not None)
