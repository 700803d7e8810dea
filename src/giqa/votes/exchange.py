"""Judgements from and for other tools: crowd-kit, Label Studio, LGIQA, Mechanical Turk, Prolific.

Nothing that goes out names a person, and nothing that names one is kept of what comes in: the worker ids of a platform
are replaced by `anonymous` ones before anything else is done with them. What does not count (work that was rejected or
skipped, rows without a rater, empty answers) is left out, and a warning says how many of each.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadSpec, BadTable
from ..tables import cells
from ..tables.names import join_names
from ..tables.read import IMAGE, picture_column, read_table
from ..tables.write import write_table
from .aggregation import sum_pairs
from .answers import FAILED, Answers, failed_gate, known_of_pictures, on_one_question, want
from .answers import anonymous as anonymous
from .label_studio import read_label_studio as read_label_studio
from .label_studio import without_controls, without_ties
from .label_studio import write_label_studio as write_label_studio
from .labels import Pairs, Ratings, Votes
from .platforms import read_mturk as read_mturk
from .platforms import read_prolific as read_prolific
from .questions import read_filtered, read_judged_table
from .votes import CHOSEN, counting, read_labels

# --- crowd-kit


def write_crowd_kit(path: str | Path, votes: Votes | Ratings | Pairs) -> Path:
    """The table `task,worker,label` that crowd-kit aggregates.

    Parameters
    ----------
    path : path
        The file to write.
    votes : Votes, Ratings or Pairs
        The label is `real` or `fake`, or the rating. Of pairs, `worker,left,right,label`, and the label is the one that
        was chosen; ties have no place in it, and are left out with a warning.

    Returns
    -------
    Path
    """
    if isinstance(votes, Pairs):
        of = without_ties(votes, "crowd-kit")
        chosen = np.where(of.votes_left > of.votes_right, of.left, of.right)
        return write_table(path, {"worker": of.rater, "left": of.left, "right": of.right, "label": chosen})
    votes = without_controls(votes, "crowd-kit")
    label = np.where(votes.said_real, "real", "fake") if isinstance(votes, Votes) else votes.rating
    return write_table(path, {"task": votes.image, "worker": votes.rater, "label": label})


def read_crowd_kit(path: str | Path, key: bytes | None = None) -> Votes | Ratings | Pairs:
    """Judgements from crowd-kit's `task,worker,label`, or `worker,left,right,label`.

    Parameters
    ----------
    path : path
        The file. Workers (`performer` in old versions) become `anonymous` raters. Rows without a label or a worker do
        not count; a warning says how many.
    key : bytes or None
        See `anonymous`.

    Returns
    -------
    Votes, Ratings or Pairs
        Votes where labels are real and fake (or 1 and 0); ratings when they are other numbers.

    Raises
    ------
    BadTable
    """
    table = read_filtered(path)
    table = table.called(worker=table.find("worker", "performer"))
    sides = ("left", "right") if table.find("left") and table.find("right") else ("task",)
    *shown, worker, label = want(table, (*sides, "worker", "label"), "a crowd-kit table")
    named = dict(zip(sides if len(sides) > 1 else ("image",), shown, strict=True))
    on_one_question(table, shown=shown, rater=worker)
    answers, known = Answers(table.name, decimal_comma=table.decimal_comma), known_of_pictures(table, label, *shown)
    failed = failed_gate(table)
    for row, who in enumerate(table.columns[worker]):
        place = table.lines[row] if table.lines else row + 1
        if cells.nothing(who):
            answers.leave_out("without a worker", place)
        elif failed[row]:
            answers.leave_out(FAILED, place)
        else:
            names = {side: table.columns[column][row] for side, column in named.items()}
            more = {name: column[row] for name, column in known.items()}
            answers.add(place, **names, rater=cells.text(who), answer=table.columns[label][row], **more)
    return answers.judgements(key)


# --- LGIQA


def write_lgiqa(path: str | Path, pairs: Pairs) -> Path:
    """A row a pair, `left,right,votes_left,votes_right`: how many raters chose each; no rater is named."""
    return sum_pairs(pairs).write(path)


def read_lgiqa(path: str | Path, key: bytes | None = None) -> Pairs:
    """Pairs, counted (`left,right,votes_left,votes_right`) or a row a vote (`left,right,rater,chosen`), as counts."""
    table = counting(read_judged_table(path))
    names = [table.find(name) for name in CHOSEN]
    if not all(names):
        pairs = read_labels(path)
        if not isinstance(pairs, Pairs):
            raise BadTable(
                f"{path} holds no pairs: it needs left,right,votes_left,votes_right or left,right,rater,chosen."
            )
        return sum_pairs(pairs)
    answers = Answers(table.name)
    rows = zip(*(table.columns[name] for name in names if name), strict=True)
    for row, (left, right, rater, said) in enumerate(rows):
        place = table.lines[row] if table.lines else row + 1
        answers.add(place, left=left, right=right, rater=rater, answer=said)
    return sum_pairs(answers.judgements(key))


# --- what a platform does not know of the pictures

ABOUT = ("kind", "generator", "context", "control")
READ_AS = {"kind": cells.kind, "control": cells.perhaps}  # the others are labels


def with_about(votes: Votes | Ratings | Pairs, path: str | Path) -> Votes:
    """The votes with what a table with the column `image` says of their pictures: any of the columns `ABOUT`.

    Parameters
    ----------
    votes : Votes
        Of a platform that does not know these columns.
    path : path
        The table. Names are joined as everywhere (`giqa.tables.names.match_names`): of an address,
        `https://host/x/a.png`, its end is enough.

    Returns
    -------
    Votes

    Raises
    ------
    BadSpec
        For ratings and pairs.
    BadTable
        When a picture is missing, or is there twice with different cells.
    """
    if not isinstance(votes, Votes):
        raise BadSpec(f"Votes of real or fake take a table about pictures; these are {type(votes).__name__.lower()}.")
    table = read_table(path)
    image = picture_column(table, *IMAGE)
    if image is None:
        want(table, ("image",), "a table about pictures")
    known = {name: column for name in ABOUT if (column := table.find(name))}
    if not known:
        raise BadTable(f"{path} says nothing that is used; it needs image and one of {', '.join(ABOUT)}.")
    said: dict[str, list[Any]] = {n: table.parsed(c, READ_AS.get(n, cells.label)) for n, c in known.items()}
    row_of: dict[str, int] = {}
    for row, name in enumerate(table.parsed(image or "image", cells.name)):
        first = row_of.setdefault(name, row)
        if any(values[row] != values[first] for values in said.values()):
            raise BadTable(f"{table.place(row)}: {name!r} again, and otherwise than in {table.place(first)}.")
    place, lost = join_names(votes.pictures(), list(row_of), "the votes", str(path), need=False)
    if lost:
        raise BadTable(
            f"{path} lacks {len(lost)} pictures that were judged, such as {lost[0]!r}; its first is "
            f"{next(iter(row_of), 'none')!r}. A name should be the same, or one the end of the other."
        )
    rows = [list(row_of.values())[place[name]] for name in votes.image.tolist()]
    columns: dict[str, Any] = {name: np.array([values[row] for row in rows]) for name, values in said.items()}
    if "generator" in columns and "kind" not in columns:
        said_by = np.array([cells.kind_of_generator(name) for name in columns["generator"].tolist()])
        columns["kind"] = np.where(votes.kind != "", votes.kind, said_by)  # what the votes know stands
    return replace(votes, **columns)
