"""Mechanical Turk and Prolific: their result files as judgements."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import BadTable
from ..tables import cells
from ..tables.names import ADDRESS, looks_like_picture
from ..tables.read import IMAGE, picture_column, read_table
from ..tables.table import Table
from .answers import (
    FAILED,
    REJECTED,
    Answers,
    failed_gate,
    is_answer,
    known_of_pictures,
    on_one_question,
    questions,
    want,
)
from .labels import Ratings, Votes
from .other_tools import hint_of
from .questions import read_filtered

COUNTED = ("approved", "submitted", "")  # of a batch whose work is still to be looked at
PREVIEW = "ASSIGNMENT_ID_NOT_AVAILABLE"
NUMBERED = re.compile(r"(.*?)(?:[_ ]?0*(\d+))?", re.DOTALL)


def read_mturk(
    path: str | Path, image: str | None = None, answer: str | None = None, key: bytes | None = None
) -> Votes | Ratings:
    """Judgements from the batch result file of Mechanical Turk.

    Parameters
    ----------
    path : path
        The file. A HIT may show one picture (`Input.image`, `Answer.answer`) or many (`Input.image1`,
        `Answer.answer_1`, ...). Check boxes and radio buttons (`Answer.answer.real`, `Answer.real.on`, true or false)
        and `Answer.taskAnswers`
        are read too. Rejected assignments, previews and rows without a worker do not count; a warning says how many.
    image, answer : str or None
        Other columns; None: a column that alone holds pictures, or answers, is taken.
    key : bytes or None
        See `giqa.votes.answers.anonymous`.

    Returns
    -------
    Votes or Ratings
        Answers are real and fake or 1 and 0; where they are other numbers, these are ratings.

    Raises
    ------
    BadTable
    """
    table = read_filtered(path)
    worker = want(table, ("WorkerId",), "a batch result file of Mechanical Turk")[0]
    table = _with_choices(_with_task_answers(table))
    shown = _columns(table, "Input.", image or "image", image is None, _is_picture)
    said = _columns(table, "Answer.", answer or "answer", answer is None, _is_answer)
    pairs = _paired(table, shown, said, image or "image", answer or "answer")
    answers = Answers(table.name, decimal_comma=table.decimal_comma)
    answers.question = " ".join(column.removeprefix("Answer.") for _, column in pairs[:1])
    on_one_question(table, "Input.question", [pairs[0][0]])
    known_of = _known_of_inputs(table) if len(pairs) == 1 else {}
    for row in range(len(table)):
        place = table.lines[row] if table.lines else row + 1
        if why := _why_not(table, row, worker):
            answers.leave_out(why, place)
            continue
        for picture, column in pairs:
            name, what = table.columns[picture][row], table.columns[column][row]
            if cells.text(name) or (what and cells.text(what)):  # a HIT may show fewer pictures than the widest
                if not cells.text(name):
                    raise BadTable(f"{table.place(row, picture)}: empty, and there is an answer in {column!r}.")
                more = {known: column[row] for known, column in known_of.items()}
                answers.add(place, image=name, rater=cells.text(table.columns[worker][row]), answer=what, **more)
    return answers.judgements(key)


def _known_of_inputs(table: Table) -> dict[str, list[Any]]:
    """What `Input.control`, `Input.kind` and `Input.generator` say of the picture of each row."""
    inputs = {name: cells for name, cells in table.columns.items() if name.startswith("Input.")}
    return known_of_pictures(table.with_columns({name.removeprefix("Input."): inputs[name] for name in inputs}))


def _why_not(table: Table, row: int, worker: str) -> str:
    """Why an assignment does not count; nothing where it does."""

    def cell(name: str) -> str:
        column = table.find(name)
        return "" if column is None else cells.text(table.columns[column][row])

    status = cell("AssignmentStatus").casefold()
    if cell("AssignmentId") == PREVIEW:
        return "of a preview"
    if cells.nothing(table.columns[worker][row]):
        return "without a worker's id"
    if status == "rejected" or cell("Reject"):
        return REJECTED
    return "" if status in COUNTED else f"with the status {status}"


def _with_task_answers(table: Table) -> Table:
    """`Answer.taskAnswers`, [{"answer": {"real": true, "fake": false}}], as columns of their own."""
    column = table.find("Answer.taskAnswers")
    if column is None:
        return table
    flat = []
    for row, cell in enumerate(table.columns[column]):
        try:
            parsed = json.loads(cells.text(cell) or "[]")
            parts = parsed if isinstance(parsed, list) else [parsed]
            flat.append({name: value for part in parts for name, value in _leaves(part).items()})
        except (ValueError, AttributeError, RecursionError):
            raise BadTable(f"{table.place(row, column)}: this is not JSON, or not as Turk writes it.") from None
    names = dict.fromkeys(name for row in flat for name in row)
    more = {f"Answer.{name}": [row.get(name, "") for row in flat] for name in names}
    return table.with_columns({n: c for n, c in table.columns.items() if n != column} | more)


def _leaves(part: Mapping[str, Any], before: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in part.items():
        found |= _leaves(value, f"{before}{name}.") if isinstance(value, dict) else {before + name: str(value)}
    return found


def _with_choices(table: Table) -> Table:
    """Columns of true and false, one a choice (`Answer.answer.real`, `Answer.real.on`), as one of what was chosen."""
    groups: dict[str, dict[str, str]] = {}
    for column, values in table.columns.items():
        if not column.startswith("Answer.") or not {cells.text(v).casefold() for v in values} <= {"true", "false", ""}:
            continue
        stem, _, option = column.removeprefix("Answer.").removesuffix(".on").rpartition(".")
        groups.setdefault(stem or "answer", {})[column] = option
    columns = dict(table.columns)
    for stem, options in groups.items():
        alone = next(iter(options.values())).casefold() if len(options) == 1 else ""
        if (alone and alone not in ("real", "fake")) or f"Answer.{stem}" in table.columns:
            continue
        chosen: list[Any] = []
        for row in range(len(table)):
            ticked = [cells.text(table.columns[column][row]).casefold() for column in options]
            picked = [option for option, word in zip(options.values(), ticked, strict=True) if word == "true"]
            if alone and not picked and "false" in ticked:
                picked = ["fake" if alone == "real" else "real"]
            chosen.append(picked)
        columns = {name: cell for name, cell in columns.items() if name not in options}
        columns[f"Answer.{stem}"] = chosen
    return table.with_columns(columns)


def _columns(table: Table, prefix: str, name: str, default: bool, fits: Any) -> dict[str, str]:
    """Number -> column, of those that begin with Input. or Answer. and are called `name`, or `name` and a number."""
    of = [column for column in table.columns if column.startswith(prefix)]
    exact = [column for column in of if column.removeprefix(prefix).casefold() == name.casefold()]
    stem, number = ({c: NUMBERED.fullmatch(c.removeprefix(prefix))[at] or "" for c in of} for at in (1, 2))
    found = {number[column]: column for column in of if stem[column].casefold() == name.casefold()}
    if exact and (number[exact[0]] or len(found) < 2):
        return {number[exact[0]]: exact[0]}
    if found or not default:
        return found
    stems: dict[str, dict[str, str]] = {}
    for column in of:
        values = [value for value in table.columns[column] if value and not cells.nothing(value)]
        if values and all(map(fits, values)):
            stems.setdefault(stem[column], {})[number[column]] = column
    if len(stems) > 1 and prefix == "Answer.":
        raise questions(table.name, {stem: len(table) * len(columns) for stem, columns in stems.items()})
    return next(iter(stems.values())) if len(stems) == 1 else {}


def _is_picture(value: Any) -> bool:
    return looks_like_picture(str(value)) or bool(ADDRESS.fullmatch(str(value)))


def _is_answer(value: Any) -> bool:
    return all(map(is_answer, value if isinstance(value, list) else [value]))


def _paired(
    table: Table, shown: Mapping[str, str], said: Mapping[str, str], image: str, answer: str
) -> list[tuple[str, str]]:
    """Columns of picture and answer, by their numbers: image_1 and Choice1 are numbered alike."""
    if len(shown) == len(said) == 1:
        return [(next(iter(shown.values())), next(iter(said.values())))]
    lost = [f"Answer.{answer}{number}" for number in shown if number not in said]
    if not shown or lost:
        raise BadTable(
            f"{table.name} has no column {lost[0] if lost else f'Input.{image}'!r}; it has {', '.join(table.columns)}. "
            "Name other ones with --image and --answer."
        )
    more = [column for number, column in said.items() if number not in shown]
    if more:
        raise BadTable(f"{table.name} has answers to pictures that it does not name, in {more[0]!r}; choose columns.")
    return [(column, said[number]) for number, column in shown.items()]


# --- Prolific

PARTICIPANT = (
    *("Participant id", "PROLIFIC_PID", "prolific_id", "prolific_participant_id", "participant"),
    *("prolificPid", "prolificId", "prolific"),
)
PAID = ("APPROVED", "AWAITING REVIEW")
STATUSES = {"", *PAID, "RETURNED", "TIMED OUT", "REJECTED", "ACTIVE", "RESERVED", "PARTIALLY APPROVED", "SCREENED OUT"}
ANSWER = ("answer", "response", "label", "said_real", "rating", "choice")


def read_prolific(
    path: str | Path,
    submissions: str | Path | None = None,
    image: str | None = None,
    answer: str | None = None,
    key: bytes | None = None,
) -> Votes | Ratings:
    """Judgements from a result file with Prolific's participant ids, a row a judgement.

    Parameters
    ----------
    path : path
        The file. A column Status in it counts as one in `submissions`. Rows without an id, as previews leave them, do
        not count; a warning says how many.
    submissions : path or None
        Prolific's own export (Participant id, Status, ...): only approved and awaited submissions count; age, sex,
        country and all else in it is not even read.
    image, answer : str or None
        The columns; None: those with a usual name.
    key : bytes or None
        See `giqa.votes.answers.anonymous`.

    Returns
    -------
    Votes or Ratings

    Raises
    ------
    BadTable
    """
    table = read_filtered(path)
    person = _participant(table)
    shown = want(table, (image,), "a result file")[0] if image else picture_column(table, *IMAGE)
    said = _answer_column(table, answer)
    if shown is None or said is None:
        lacks = "image" if shown is None else "answer"
        raise BadTable(
            f"{table.name} is not a result file with a row an answer: there is no column {lacks!r}; it has "
            f"{', '.join(table.columns)}. Name another one with --{lacks}.{hint_of(table)}"
        )
    if said != table.find("question"):  # where the answers stand there
        on_one_question(table, shown=[shown], rater=person)
    submitted = None if submissions is None else _statuses(submissions)
    own = table.find("Status", "submission_status")
    status = [_status(cell) for cell in table.columns[own]] if own else [""] * len(table)
    if not set(status) <= STATUSES:
        status = [""] * len(table)  # of something else
    answers = Answers(table.name, decimal_comma=table.decimal_comma, question=said)
    known_of, failed = known_of_pictures(table, said, shown), failed_gate(table)
    for row in range(len(table)):
        place, who = table.lines[row] if table.lines else row + 1, cells.text(table.columns[person][row])
        known = {status[row]} if submitted is None else submitted.get(who, {"not among the submissions"})
        if is_no_id(who):
            answers.leave_out("without a participant's id", place)
        elif not known & {*PAID, ""} or status[row] not in (*PAID, ""):
            answers.leave_out((sorted(known - {*PAID, ""}) or [status[row]])[0].lower(), place)
        elif failed[row]:
            answers.leave_out(FAILED, place)
        else:
            more = {name: column[row] for name, column in known_of.items()}
            answers.add(place, image=table.columns[shown][row], rater=who, answer=table.columns[said][row], **more)
    return answers.judgements(key)


def is_no_id(who: str) -> bool:
    """Whether an id is none: empty, or the placeholder that Prolific or a survey fills in, but not in a preview.

    >>> [is_no_id(who) for who in ("", "{{%PROLIFIC_PID%}}", "${e://Field/PROLIFIC_PID}", "[prolific_id]")]
    [True, True, True, True]
    >>> is_no_id("5f3c"), is_no_id("prolific-5f3c")
    (False, False)
    """
    word = who.casefold()
    unfilled = who.startswith(("{", "${", "[")) or "%prolific_pid%" in word
    return cells.nothing(who) or unfilled or word in ("undefined", "prolific_pid", "prolific_id")


def _answer_column(table: Table, answer: str | None) -> str | None:
    if answer:
        return want(table, (answer,), "a result file")[0]
    there: Sequence[str] = [column for column in (table.find(name) for name in ANSWER) if column]
    if len(there) > 1 and table.find("answer") is None:
        raise questions(table.name, {column: len(table) for column in there})
    return next(iter(there), None)


def _statuses(submissions: str | Path) -> dict[str, set[str]]:
    """Participant -> the statuses of what they submitted."""
    export = read_table(submissions)
    status = want(export, ("Status",), "Prolific's export of submissions")[0]
    found: dict[str, set[str]] = {}
    for who, word in zip(export.columns[_participant(export)], export.columns[status], strict=True):
        found.setdefault(cells.text(who), set()).add(_status(word))
    return found


def _status(cell: Any) -> str:
    return re.sub(r"[\s_-]+", " ", cells.text(cell).upper())


def _participant(table: Table) -> str:
    found = table.find(*PARTICIPANT)
    if found is None:
        raise BadTable(
            f"{table.name} has no column of participants; Prolific's is called {PARTICIPANT[0]!r}.{hint_of(table)}"
        )
    return found
