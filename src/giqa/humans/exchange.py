"""Judgements from and for other tools: crowd-kit, Label Studio, LGIQA, Mechanical Turk, Prolific.

Nothing that goes out names a person, and nothing that names one is kept of what comes in: the worker ids of a platform
are replaced by `anonymous` ones before anything else is done with them.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadSpec, BadTable, MissingSource
from ..files import replace_file
from ..tables import Table, read_table, write_table
from . import cells
from .aggregation import sum_pairs

from .votes import Pairs, Ratings, Votes, as_labels, read_labels


def anonymous(people: Iterable[str], key: bytes | None = None) -> list[str]:
    """Random names for people: the same person gets the same name; without `key` another one at each call.

    A keyed hash (BLAKE2b): who knows the ids of a platform cannot find theirs in it without the key. Keep the key only
    as long as more files of the same people are to come.

    >>> anonymous(["A1B2", "C3", "A1B2"], key=b"secret")
    ['rd8a5336840', 'r098d17e3fb', 'rd8a5336840']
    """
    key = key if key is not None else secrets.token_bytes(32)
    return ["r" + hashlib.blake2b(str(one).encode(), key=key, digest_size=5).hexdigest() for one in people]


# --- crowd-kit


def write_crowd_kit(path: str | Path, votes: Votes | Ratings | Pairs) -> Path:
    """The table `task,worker,label` that crowd-kit aggregates; the label is `real` or `fake`, or the rating.

    Of pairs, `worker,left,right,label`, and the label is the one that was chosen; ties have no place in it.
    """
    if isinstance(votes, Pairs):
        _want_raters(votes, "crowd-kit")
        of = votes.rows(votes.votes_left != votes.votes_right)
        chosen = np.where(of.votes_left > of.votes_right, of.left, of.right)
        return write_table(path, {"worker": of.rater, "left": of.left, "right": of.right, "label": chosen})
    label = np.where(votes.said_real, "real", "fake") if isinstance(votes, Votes) else votes.rating
    return write_table(path, {"task": votes.image, "worker": votes.rater, "label": label})


def read_crowd_kit(path: str | Path, key: bytes | None = None) -> Votes | Ratings | Pairs:
    """Votes from `task,worker,label` with labels real and fake (or 1 and 0); ratings when they are other numbers.

    Pairs from `worker,left,right,label`. Workers become `anonymous` raters.
    """
    table = read_table(path)
    pairs = {"left", "right"} <= set(table.columns)
    _want(table, ("worker", "left", "right", "label") if pairs else ("task", "worker", "label"), "a crowd-kit table")
    raters = anonymous(table.parsed("worker", cells.name), key)
    if pairs:
        columns = {"left": table.columns["left"], "right": table.columns["right"], "chosen": table.columns["label"]}
    else:
        words = {cells.text(cell).lower() for cell in table.columns["label"]}
        name = "said_real" if words <= set(cells.YES + cells.NO) else "rating"
        columns = {"image": table.columns["task"], name: table.columns["label"]}
    return as_labels(Table(table.name, columns | {"rater": raters}, table.lines))


# --- LGIQA


def write_lgiqa(path: str | Path, pairs: Pairs) -> Path:
    """A row a pair, `left,right,votes_left,votes_right`: how many raters chose each; of nobody anything."""
    return sum_pairs(pairs).write(path)


def read_lgiqa(path: str | Path, key: bytes | None = None) -> Pairs:
    """Pairs, counted (`left,right,votes_left,votes_right`) or a row a vote (`left,right,rater,chosen`), as counts."""
    pairs = read_labels(path)
    if not isinstance(pairs, Pairs):
        raise BadTable(f"{path} holds no pairs: it needs left,right,votes_left,votes_right or left,right,rater,chosen.")
    return sum_pairs(pairs)


# --- Label Studio


def write_label_studio(path: str | Path, votes: Votes | Ratings | Pairs, url: Callable[[str], str] = str) -> Path:
    """Tasks with annotations as Label Studio's JSON; `url` says where it finds a picture of this name.

    The labelling interface has `<Image name="image" value="$image"/>` with `<Choices name="answer" toName="image">`
    (real, fake) or `<Rating name="answer" toName="image"/>`, or `<Pairwise name="answer" toName="left,right"/>`.
    """
    pairs = isinstance(votes, Pairs)
    if pairs:
        _want_raters(votes, "Label Studio")
    keys = list(zip(votes.left.tolist(), votes.right.tolist(), strict=True)) if pairs else votes.image.tolist()
    tasks: dict[Any, dict[str, Any]] = {}
    for row, key in enumerate(keys):
        data = {"left": url(key[0]), "right": url(key[1])} if pairs else {"image": url(key)}
        names = {"left": key[0], "right": key[1]} if pairs else {"image": key}
        task = tasks.setdefault(key, {"id": len(tasks) + 1, "data": data, "meta": names, "annotations": []})
        task["annotations"].append({"completed_by": str(votes.rater[row]), "result": [_result(votes, row)]})
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, json.dumps(list(tasks.values()), indent=1, ensure_ascii=False).encode())
    return path


def _want_raters(pairs: Pairs, whose: str) -> None:
    if np.any(pairs.rater == ""):
        raise BadSpec(f"{whose} wants a row a vote; these pairs are counted already and have no raters.")


def _result(votes: Votes | Ratings | Pairs, row: int) -> dict[str, Any]:
    if isinstance(votes, Votes):
        said = "real" if votes.said_real[row] else "fake"
        return {"type": "choices", "from_name": "answer", "to_name": "image", "value": {"choices": [said]}}
    if isinstance(votes, Ratings):
        value = {"rating": float(votes.rating[row])}
        return {"type": "rating", "from_name": "answer", "to_name": "image", "value": value}
    selected = "left" if votes.votes_left[row] > votes.votes_right[row] else "right"
    return {"type": "pairwise", "from_name": "answer", "to_name": "left,right", "value": {"selected": selected}}


def read_label_studio(path: str | Path, key: bytes | None = None) -> Votes | Ratings | Pairs:
    """The annotations of Label Studio's JSON export: choices real or fake, a rating, or a pairwise selection each.

    `completed_by` (a number, or a person with an address) becomes an `anonymous` rater. The picture's name is
    `meta.image` where `write_label_studio` left it, else `data.image`.
    """
    path = Path(path)
    try:
        tasks = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingSource(f"There is no file {path}.") from None
    except ValueError as error:
        raise BadTable(f"{path} is not JSON: {error}.") from None
    rows: list[dict[str, Any]] = []
    for number, task in enumerate(tasks if isinstance(tasks, list) else [], 1):
        try:
            rows += [_annotation(task, annotation) for annotation in task["annotations"] if annotation.get("result")]
        except (KeyError, TypeError, IndexError, AttributeError, StopIteration):
            raise BadTable(
                f"{path}, task {number} is not as Label Studio exports one: it needs data.image (or data.left and "
                "data.right) and annotations with choices real or fake, a rating, or a pairwise selection."
            ) from None
    if not rows or len({tuple(row) for row in rows}) > 1:
        raise BadTable(
            f"{path} holds {'annotations of several types' if rows else 'no annotations'}; one type, please."
        )
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    columns["rater"] = anonymous(columns["rater"], key)
    return as_labels(Table(str(path), columns))


def _annotation(task: Mapping[str, Any], annotation: Mapping[str, Any]) -> dict[str, Any]:
    names = {**task["data"], **(task.get("meta") or {})}
    known = ("choices", "rating", "pairwise")
    result = next(result for result in annotation["result"] if result["type"] in known)
    value = result["value"]
    rater = json.dumps(annotation.get("completed_by"), sort_keys=True)
    if result["type"] == "pairwise":
        return {"left": names["left"], "right": names["right"], "rater": rater, "chosen": value["selected"]}
    if result["type"] == "rating":
        return {"image": names["image"], "rater": rater, "rating": value["rating"]}
    return {"image": names["image"], "rater": rater, "said_real": value["choices"][0]}


# --- Mechanical Turk and Prolific


def read_mturk(
    path: str | Path, image: str = "image", answer: str = "answer", key: bytes | None = None
) -> Votes | Ratings:
    """Judgements from the batch result file of Mechanical Turk, rejected assignments left out.

    A HIT may show one picture (`Input.image`, `Answer.answer`) or many (`Input.image1`, `Answer.answer1`, ...); answers
    are real and fake or 1 and 0; where they are other numbers, these are ratings.
    """
    table = read_table(path)
    _want(table, ("WorkerId",), "a batch result file of Mechanical Turk")
    found = (re.fullmatch(rf"Input\.{re.escape(image)}_?(\d*)", name) for name in table.columns)
    numbers = [(match[0], match[0].removeprefix(f"Input.{image}")) for match in found if match]
    pairs = [(shown, f"Answer.{answer}{tail}") for shown, tail in numbers]
    lost = [said for _, said in pairs if said not in table.columns]
    if not pairs or lost:
        wanted = lost[0] if lost else f"Input.{image}"
        raise BadTable(f"{table.name} has no column {wanted!r}; it has {', '.join(table.columns)}. Name other ones.")
    rejected = [cells.text(cell).lower() == "rejected" for cell in table.columns.get("AssignmentStatus", ())]
    rows = [row for row in range(len(table)) if not (rejected and rejected[row])]
    picked = [(row, shown, said) for row in rows for shown, said in pairs if cells.text(table.columns[said][row])]
    return _judged(
        table, picked, anonymous((table.columns["WorkerId"][row] for row, _, _ in picked), key),
    )  # fmt: skip


PARTICIPANT = ("Participant id", "participant_id", "PROLIFIC_PID", "prolific_pid", "prolific_id")
PAID = ("APPROVED", "AWAITING REVIEW")


def read_prolific(
    path: str | Path,
    submissions: str | Path | None = None,
    image: str = "image",
    answer: str = "answer",
    key: bytes | None = None,
) -> Votes | Ratings:
    """Judgements from a result file with Prolific's participant ids, a row a judgement.

    `submissions` is Prolific's own export (Participant id, Status, ...): only approved and awaited submissions count;
    age, sex, country and all else in it is not even read.
    """
    table = read_table(path)
    person = _participant(table)
    _want(table, (image, answer), "a result file")
    people = [cells.text(cell) for cell in table.columns[person]]
    rows = range(len(table))
    if submissions is not None:
        export = read_table(submissions)
        _want(export, ("Status",), "Prolific's export of submissions")
        ids, status = export.columns[_participant(export)], export.columns["Status"]
        good = {cells.text(one) for one, word in zip(ids, status, strict=True) if cells.text(word).upper() in PAID}
        rows = [row for row in rows if people[row] in good]
    return _judged(table, [(row, image, answer) for row in rows], anonymous((people[row] for row in rows), key))


def _participant(table: Table) -> str:
    found = [name for name in PARTICIPANT if name in table.columns]
    if not found:
        raise BadTable(f"{table.name} has no column of participants; Prolific's is called {PARTICIPANT[0]!r}.")
    return found[0]


def _judged(table: Table, picked: Sequence[tuple[int, str, str]], raters: list[str]) -> Votes | Ratings:
    """(row, column of the picture, column of the answer) as votes or ratings, with places for errors."""
    answers = [cells.text(table.columns[said][row]) for row, _, said in picked]
    name = "said_real" if {word.lower() for word in answers} <= set(cells.YES + cells.NO) else "rating"
    columns = {"image": [table.columns[shown][row] for row, shown, _ in picked], "rater": raters, name: answers}
    lines = None if table.lines is None else [table.lines[row] for row, _, _ in picked]
    return as_labels(Table(table.name, columns, lines))


ABOUT = ("kind", "generator", "context", "control")


def with_about(votes: Votes | Ratings | Pairs, path: str | Path) -> Votes:
    """The votes with what a table with the column `image` says of their pictures: any of the columns `ABOUT`."""
    if not isinstance(votes, Votes):
        raise BadSpec(f"Votes of real or fake take a table about pictures; these are {type(votes).__name__.lower()}.")
    table = read_table(path)
    _want(table, ("image",), "a table about pictures")
    known = [name for name in ABOUT if name in table.columns]
    if not known:
        raise BadTable(f"{path} says nothing that is used; it needs image and one of {', '.join(ABOUT)}.")
    row_of = {name: row for row, name in enumerate(table.parsed("image", cells.name))}
    lost = sorted(set(votes.image.tolist()) - set(row_of))
    if lost:
        raise BadTable(f"{path} lacks {len(lost)} pictures that were judged, such as {lost[0]!r}; names must be equal.")
    rows = [row_of[name] for name in votes.image.tolist()]
    said = {"image": votes.image, "rater": votes.rater, "said_real": votes.said_real}
    return as_labels(Table(str(path), said | {name: [table.columns[name][row] for row in rows] for name in known}))


def _want(table: Table, names: Sequence[str], what: str) -> None:
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise BadTable(f"{table.name} is not {what}: there is no column {missing[0]!r}; {', '.join(table.columns)}.")


__all__ = [
    "anonymous",
    "read_crowd_kit",
    "read_label_studio",
    "read_labels",
    "read_lgiqa",
    "read_mturk",
    "read_prolific",
    "with_about",
    "write_crowd_kit",
    "write_label_studio",
    "write_lgiqa",
]
