"""Label Studio: its JSON, JSON-MIN and CSV exports as judgements, and judgements as tasks with annotations."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadSpec, BadTable, MissingSource
from ..files import replace_file
from ..tables import cells
from ..tables.names import ADDRESS, looks_like_picture
from ..tables.read import read_table
from ..tables.table import Table
from ..tables.text import decoded
from .answers import NO_ANSWER, REJECTED, Answers, is_answer, known_of_pictures, questions
from .labels import Pairs, Ratings, Votes
from .votes import SIDES

# kind of answer -> where its value stands
VALUES = {"choices": "choices", "rating": "rating", "number": "number", "pairwise": "selected", "taxonomy": "taxonomy"}
FLAT = {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement", "project"}
ABOUT = ("control", "part", "kind", "generator")  # columns of ours that the data of a task may have
WANTED = "export the annotations as JSON"
NOBODY = "without an annotator"


# --- out


def write_label_studio(path: str | Path, votes: Votes | Ratings | Pairs, url: Callable[[str], str] = str) -> Path:
    """Tasks with annotations as Label Studio's JSON.

    Parameters
    ----------
    path : path
        The file to write.
    votes : Votes, Ratings or Pairs
        Of pairs ties are left out, with a warning: Label Studio has no such answer.
    url : callable
        Picture name -> where Label Studio finds it.

    Returns
    -------
    Path

    Notes
    -----
    The labelling interface has `<Image name="image" value="$image"/>` with `<Choices name="answer" toName="image">`
    (real, fake) or `<Rating name="answer" toName="image"/>`, or `<Pairwise name="answer" toName="left,right"/>`.
    """
    pairs = isinstance(votes, Pairs)
    if pairs:
        votes = without_ties(votes, "Label Studio")
    votes = without_controls(votes, "Label Studio")
    keys = list(zip(votes.left.tolist(), votes.right.tolist(), strict=True)) if pairs else votes.image.tolist()
    tasks: dict[Any, dict[str, Any]] = {}
    for row, key in enumerate(keys):
        data = {"left": url(key[0]), "right": url(key[1])} if pairs else {"image": url(key)}
        names = {"left": key[0], "right": key[1]} if pairs else {"image": key}
        task = tasks.setdefault(key, {"id": len(tasks) + 1, "data": data, "meta": names, "annotations": []})
        task["annotations"].append({"completed_by": str(votes.rater[row]), "result": [_result(votes, row)]})
    return replace_file(path, json.dumps(list(tasks.values()), indent=1, ensure_ascii=False).encode())


def without_ties(pairs: Pairs, whose: str) -> Pairs:
    """A row a vote, those that chose neither left out."""
    if np.any(pairs.rater == ""):
        raise BadSpec(f"{whose} wants a row a vote; these pairs are counted already and have no raters.")
    ties = int(np.sum(pairs.votes_left == pairs.votes_right))
    if ties:
        warnings.warn(f"{ties} of {len(pairs)} votes are ties, which {whose} does not have; left out", stacklevel=3)
    return pairs.rows(pairs.votes_left != pairs.votes_right)


def without_controls(votes: Votes | Ratings | Pairs, whose: str) -> Any:
    """Votes without quality control, which would come back as votes."""
    if not isinstance(votes, Votes) or not votes.control.any():
        return votes
    warnings.warn(
        f"{votes.control.sum()} of {len(votes)} votes are quality control, which {whose} does not have; left out",
        stacklevel=3,
    )
    return votes.rows(~votes.control)


def _result(votes: Votes | Ratings | Pairs, row: int) -> dict[str, Any]:
    if isinstance(votes, Votes):
        said = "real" if votes.said_real[row] else "fake"
        return {"type": "choices", "from_name": "answer", "to_name": "image", "value": {"choices": [said]}}
    if isinstance(votes, Ratings):
        value = {"rating": float(votes.rating[row])}
        return {"type": "rating", "from_name": "answer", "to_name": "image", "value": value}
    selected = "left" if votes.votes_left[row] > votes.votes_right[row] else "right"
    return {"type": "pairwise", "from_name": "answer", "to_name": "left,right", "value": {"selected": selected}}


# --- in


def read_label_studio(
    path: str | Path, image: str | None = None, answer: str | None = None, key: bytes | None = None
) -> Votes | Ratings | Pairs:
    """The annotations of Label Studio's JSON export (also JSON-MIN, CSV, TSV): real or fake, a rating, or a pair.

    Parameters
    ----------
    path : path
        The file. Skipped annotations, those without an answer or with several, ground truth, drafts, predictions, and
        what a reviewer rejected do not count; a warning says how many.
    image : str or None
        The name of the picture in a task's data, of pairs LEFT,RIGHT; None: what the control points to (`to_name`),
        else the only picture. A name in `meta`, where `write_label_studio` leaves it, goes first.
    answer : str or None
        Which question, by the name that its control has (`from_name`); needed where there are several.
    key : bytes or None
        Of `giqa.votes.answers.anonymous`, which `completed_by` goes through.

    Returns
    -------
    Votes, Ratings or Pairs

    Raises
    ------
    BadTable, MissingSource
    """
    path = Path(path)
    if path.suffix.lower() in (".csv", ".tsv"):
        table = read_table(path)
        rows = [dict(zip(table.columns, row, strict=True)) for row in zip(*table.columns.values(), strict=True)]
        answers = Answers(str(path), decimal_comma=table.decimal_comma)
        return _flat(answers, list(zip(table.lines or (), rows, strict=True)), image, answer, key)
    tasks = _tasks(path)
    if tasks and not any("data" in task for task in tasks) and any(FLAT & task.keys() - {"id"} for task in tasks):
        numbered = [(task.get("id", number), task) for number, task in enumerate(tasks, 1)]
        return _flat(Answers(str(path), "task"), numbered, image, answer, key)
    answers = Answers(str(path), "task")
    found: dict[str, list[tuple[Any, dict[str, Any]]]] = {}
    for number, task in enumerate(tasks, 1):
        try:
            for question, row in _annotated(answers, task.get("id", number), task, image):
                found.setdefault(question, []).append((task.get("id", number), row))
        except (KeyError, TypeError, IndexError, AttributeError):
            raise BadTable(
                f"{path}, task {task.get('id', number)} is not as Label Studio exports one: it needs data.image (or "
                "data.left and data.right) and annotations with choices real or fake, a rating, or a pairwise "
                f"selection; {WANTED}."
            ) from None
    return _chosen(answers, found, answer, key)


def _tasks(path: Path) -> list[dict[str, Any]]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise MissingSource(f"There is no file {path}.") from None
    text = decoded(content, str(path), other=False)
    try:
        tasks = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadTable(f"{path} is not JSON: {error}.") from None
    if isinstance(tasks, dict) and {"images", "categories"} <= tasks.keys():
        raise BadTable(f"{path} is a COCO export, which holds boxes and no answers; {WANTED}.")
    tasks = [tasks] if isinstance(tasks, dict) and "data" in tasks else tasks
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise BadTable(f"{path} is no list of tasks, which Label Studio's JSON export is; {WANTED}.")
    if not tasks:
        raise BadTable(f"{path} holds no annotations: the list of tasks is empty.")
    return tasks


def _chosen(
    answers: Answers, found: Mapping[str, Sequence[tuple[Any, dict[str, Any]]]], question: str | None, key: bytes | None
) -> Votes | Ratings | Pairs:
    """The answers to one question as judgements."""
    if question is None and len(found) > 1:
        raise questions(answers.name, {name: len(rows) for name, rows in found.items()})
    if question is not None and found and question not in found:
        raise BadTable(f"{answers.name} has no question {question!r}; there are {', '.join(map(repr, found))}.")
    rows = found.get(question, []) if question is not None else next(iter(found.values()), [])
    if any(row["rater"] is not None for _, row in rows):
        for place, row in rows:
            if row["rater"] is None:
                answers.leave_out(NOBODY, place)
        rows = [(place, row) for place, row in rows if row["rater"] is not None]
    elif rows:
        warnings.warn(f"{answers.name} names no annotator; all its answers are taken for one rater's", stacklevel=4)
    answers.question = question or next(iter(found), "")
    types = {row.pop("type", "") for _, row in rows}
    about = [row.pop("about") for _, row in rows]
    there = {name: [data[name] for data in about] for name in ABOUT if about and all(name in data for data in about)}
    known = known_of_pictures(Table(answers.name, there, unit=answers.unit))
    for at, (place, row) in enumerate(rows):
        answers.add(place, **row, **{name: column[at] for name, column in known.items()})
    return answers.judgements(key, ratings=bool(types) and types <= {"rating", "number"})


def _annotated(
    answers: Answers, place: Any, task: Mapping[str, Any], image: str | None
) -> Iterable[tuple[str, dict[str, Any]]]:
    """Question and answer of every annotation of a task that counts; `completions` are those of before version 1."""
    for kind, why in (("drafts", "drafted and not submitted"), ("predictions", "predicted by a model")):
        for _ in task.get(kind) or ():
            answers.leave_out(why, place)
    meta = task.get("meta") if isinstance(task.get("meta"), dict) else {}
    names = {**task["data"], **meta}
    found = []
    for annotation in task["annotations"] if "annotations" in task else task["completions"]:
        results = [result for result in annotation.get("result") or () if result.get("type") in VALUES]
        if any(result.get("type") == "ranker" for result in annotation.get("result") or ()):
            raise BadTable(f"{answers.name} holds rankings (Ranker), which are not read; ask for pairs (Pairwise).")
        why = _why_not(annotation, results)
        if why:
            answers.leave_out(why, place)
            continue
        by = annotation.get("completed_by")
        rater = None if by is None else json.dumps(by, sort_keys=True)
        for result in results:
            row = _named(result, names, image, answers.name, place)
            said = result["value"][VALUES[result["type"]]]
            said = [path[-1] for path in said] if result["type"] == "taxonomy" else said
            found.append(
                (_question(result), row | {"rater": rater, "answer": said, "type": result["type"], "about": names})
            )
    return found


def _why_not(annotation: Mapping[str, Any], results: Sequence[Any]) -> str:
    """Why an annotation does not count; nothing where it does."""
    reviews = annotation.get("reviews") or ()
    if annotation.get("was_cancelled") or annotation.get("skipped"):
        return "skipped"
    if annotation.get("ground_truth") or annotation.get("honeypot"):
        return "marked as ground truth"
    if reviews and reviews[-1].get("accepted") is False:
        return REJECTED
    return "" if results else NO_ANSWER


def _question(result: Mapping[str, Any]) -> str:
    """The name of the control; that of several pictures asked the same (answer1 of image1, ...) without its number."""
    name, to = str(result.get("from_name", "answer")), str(result.get("to_name", ""))
    number = re.search(r"_?\d+$", name)
    return name[: number.start()] if number and number.start() and to.endswith(number[0].lstrip("_")) else name


def _named(
    result: Mapping[str, Any], names: Mapping[str, Any], image: str | None, file: str, place: Any
) -> dict[str, str]:
    """The picture that an answer is about, or the two."""
    wanted = [name.strip() for name in (image or str(result.get("to_name", ""))).split(",")]
    if image is not None and (lost := [name for name in wanted if name not in names]):
        raise BadTable(f"{file}, task {place}: there is no {lost[0]!r} in the data; there is {', '.join(names)}.")
    pictures = [name for name, value in names.items() if _is_picture(value)]
    if result["type"] == "pairwise":
        pair = _pair(wanted, names, pictures)
        if pair is None:
            raise BadTable(
                f"{file}, task {place}: which picture is on the left? The data has {', '.join(names)}; say so with "
                "--image LEFT,RIGHT."
            )
        return {"left": _text(names[pair[0]]), "right": _text(names[pair[1]])}
    known = len(wanted) == 1 and wanted[0] in names
    name = wanted[0] if known else "image"
    if len(pictures) > 1 and (name not in names or (wanted[0] and not known)):
        raise BadTable(f"{file}, task {place}: which of {', '.join(pictures)} is the picture? Say --image NAME.")
    return {"image": _text(names[name if name in names else pictures[0]])}


def _pair(wanted: Sequence[str], names: Mapping[str, Any], pictures: Sequence[str]) -> tuple[str, str] | None:
    """The names of left and right: as the control has them, else left and right, else two with numbers."""
    for pair in (wanted, ["left", "right"]):
        if len(pair) == 2 and all(name in names for name in pair):
            return pair[0], pair[1]
    numbered = sorted(pictures)
    stems = {re.sub(r"[_-]?([12]|[ab]|left|right)$", "", name, flags=re.IGNORECASE) for name in numbered}
    return (numbered[0], numbered[1]) if len(numbered) == 2 and len(stems) == 1 else None


def _is_picture(value: Any) -> bool:
    return isinstance(value, str) and (looks_like_picture(value) or bool(ADDRESS.fullmatch(value)) or "?d=" in value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


# --- JSON-MIN and CSV: a flat row an annotation, without those that were skipped


def _flat(
    answers: Answers, rows: Sequence[tuple[Any, Mapping[str, Any]]], image: str | None, answer: str | None, key: Any
) -> Votes | Ratings | Pairs:
    names = [name for name in dict.fromkeys(name for _, row in rows for name in row) if name not in FLAT]
    of = {name: [_value(row.get(name)) for _, row in rows] for name in names}
    pictures = [n for n, values in of.items() if any(map(_is_picture, values)) and not any(map(_is_answer, values))]
    asked = [n for n, values in of.items() if n not in (*pictures, *ABOUT) and any(map(_is_answer, values))]
    if answer is not None and answer in names:
        asked = [answer]
    if not asked or not (pictures or image):
        lacks = "pictures" if asked else "answers (real or fake, a rating, left or right)"
        raise BadTable(f"{answers.name} has no {lacks}; it has {', '.join(names)}. {WANTED.capitalize()}.")
    found: dict[str, list[tuple[Any, dict[str, Any]]]] = {name: [] for name in asked}
    for name in asked:
        paired = any(cells.text(value).casefold() in ("left", "right") for value in of[name])
        for (place, row), said in zip(rows, of[name], strict=True):
            data = row if image else {column: row.get(column) for column in pictures}
            try:
                shown = _named({"type": "pairwise" if paired else "choices"}, data, image, answers.name, place)
            except (KeyError, TypeError, IndexError):
                raise BadTable(f"{answers.name}, {answers.unit} {place} names no picture; {WANTED}.") from None
            by = row.get("annotator")
            rater, kind = None if cells.nothing(by) else json.dumps(by), _wrapped(row.get(name))
            found[name].append((place, shown | {"rater": rater, "answer": said, "type": kind, "about": row}))
    return _chosen(answers, found, answer, key)


def _wrapped(value: Any) -> str:
    """What a wrapped answer says that it is: rating of [{"rating": 4}]."""
    return next((kind for kind, name in VALUES.items() if f'"{name}"' in json.dumps(value).replace("\\", "")), "")


def _value(value: Any) -> Any:
    """The answer in a cell, which may be wrapped: [{"rating": 4}], {"choices": ["Real"]}, or that as text."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return value
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        value = value[0]
    if isinstance(value, dict):
        value = next((value[name] for name in VALUES.values() if name in value), value)
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _is_answer(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_is_answer, value))
    return is_answer(value) or cells.text(value).casefold() in SIDES
