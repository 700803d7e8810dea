"""Answers from other tools as judgements: which count, who gave them, and what is said of those that do not."""

from __future__ import annotations

import hashlib
import re
import secrets
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadTable
from ..tables import cells
from ..tables.cells import number
from ..tables.names import ADDRESS, looks_like_picture
from ..tables.table import Table
from .labels import Pairs, Ratings, Votes
from .other_tools import hint_of
from .votes import as_labels, side_of

NO_ANSWER = "without an answer"
SEVERAL = "with several choices selected"
REJECTED = "rejected"
FAILED = "of raters who did not pass"
GATED = ("passed", "attention_check", "attention_checks", "attention", "quality_check")
PASS, FAIL = ("pass", "passed", "ok"), ("fail", "failed")
READ_AS = {"said_real": cells.truth, "rating": cells.rating}
FAKE = {"fake", "fakes", "deepfake", "generated", "synthetic", "artificial", "ai", "aigc"}  # in a question
FAULTS = {"fake", "fakes", "fakeness", "artificial", "artifact", "artifacts", "artefact", "artefacts", "distortion"}
FAULTS |= {"distortions", "defect", "defects", "noise", "blur", "blurriness", "damage"}
REAL = {"real", "realness", "realistic", "natural", "authentic", "genuine", "human", "photo"}
PARTS = {"", "main", "control", "controls", "tutorial", "practice", "training", "quality control", "attention check"}
# what signs a link to S3, Google's or Azure's storage, or CloudFront; and all that comes with it
SIGNED = re.compile(r"(x-(amz|goog)-signature|signature|sig)=", re.IGNORECASE)
TOKEN = re.compile(r"token=", re.IGNORECASE)  # which may also be all that says which picture is meant
OF_SIGNATURE = re.compile(
    r"(x-(amz|goog)-[\w-]+|awsaccesskeyid|googleaccessid|signature|expires|policy|key-pair-id|sig"
    r"|s[vteripg]|srt|sip|spr|sks?\w*)=",
    re.IGNORECASE,
)
NUMBERED = re.compile(r"(q|question|trial|item)?[ _.-]?\d+", re.IGNORECASE)  # where a picture comes in turn
SHOWN = 3  # places of left out answers that are named


def anonymous(raters: Iterable[str], key: bytes | None = None) -> list[str]:
    """Random names for raters: the same person gets the same name; without `key` another one at each call.

    Parameters
    ----------
    raters : iterable of str
        Ids of a platform.
    key : bytes or None
        Of the keyed hash (BLAKE2b): without it the ids of a platform cannot be found in the names. Keep it only as
        long as more files of the same raters are to come.

    Returns
    -------
    list of str

    Examples
    --------
    >>> anonymous(["A1B2", "C3", "A1B2"], key=b"secret")
    ['rd8a5336840', 'r098d17e3fb', 'rd8a5336840']
    """
    key = key if key is not None else secrets.token_bytes(32)
    return [
        "r" + hashlib.blake2b(str(one).encode("utf-8", "surrogatepass"), key=key, digest_size=5).hexdigest()
        for one in raters
    ]


@dataclass
class Answers:
    """Answers as they are read from one file, and those that are left out, by reason.

    Parameters
    ----------
    name : str
        The file.
    unit : str
        What the places count, such as line or task.
    decimal_comma : bool
        As in `Table`.
    question : str
        What was asked, as far as the file says it.
    rows, places, left_out
        What was added: the answers, where each stands, and reason -> places.
    """

    name: str
    unit: str = "line"
    decimal_comma: bool = False
    question: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    places: list[Any] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def add(self, place: Any, **row: Any) -> None:
        """An answer: image, rater and answer, or left, right, rater and answer."""
        selected = row["answer"] if isinstance(row["answer"], list) else [row["answer"]]
        if len(selected) > 1:
            self.leave_out(SEVERAL, place)
        elif not selected or cells.nothing(selected[0]):
            self.leave_out(NO_ANSWER, place)
        else:
            named = {name: unsigned(row[name]) for name in ("image", "left", "right") if isinstance(row.get(name), str)}
            self.rows.append(row | named | {"answer": selected[0]})
            self.places.append(place)

    def leave_out(self, reason: str, place: Any) -> None:
        """One answer that does not count, and why."""
        self.left_out.setdefault(reason, []).append(f"{self.unit} {place}")

    def judgements(self, key: bytes | None = None, ratings: bool = False) -> Votes | Ratings | Pairs:
        """Votes, ratings or pairs, with `anonymous` raters; a warning says what was left out, with a count a reason.

        Parameters
        ----------
        key : bytes or None
            See `anonymous`.
        ratings : bool
            They are known to be ratings, also where all are 1 or 0.

        Returns
        -------
        Votes, Ratings or Pairs

        Raises
        ------
        BadTable
            When no answer counts, or one cannot be read.
        """
        self._once()
        if not self.rows:
            raise BadTable(f"{self.name} holds no answer that counts{self._said()}.")
        if "image" in self.rows[0]:
            self._check_direction(ratings or kind_of([row["answer"] for row in self.rows]) == "rating")
        columns = {name: [row[name] for row in self.rows] for name in self.rows[0]}
        columns["rater"] = anonymous(columns["rater"], key)
        answers = columns.pop("answer")
        kind = "chosen" if "image" not in columns else "rating" if ratings else kind_of(answers)
        columns[kind] = answers
        table = Table(self.name, columns, self.places, decimal_comma=self.decimal_comma, unit=self.unit)
        self._check(table, kind)
        labels = as_labels(table)
        if self.left_out:
            warnings.warn(f"{self.name}: not counted{self._said()}", stacklevel=3)
        return labels

    def _check(self, table: Table, kind: str) -> None:
        """What is wrong, without the names of columns: those of the file itself are others."""
        for row, given in enumerate(self.rows):
            if lost := [name for name in ("image", "left", "right") if name in given and not cells.text(given[name])]:
                what = "name of the picture" if lost[0] == "image" else f"name of the picture on the {lost[0]}"
                raise BadTable(f"{table.place(row)}: the {what} is empty, and there is an answer.")
            answer = given["answer"]
            if kind == "chosen":
                if side_of(cells.text(answer), cells.text(given["left"]), cells.text(given["right"])) is None:
                    raise BadTable(
                        f"{table.place(row)}: the answer {answer!r} is neither left, right nor tie, nor one of the two."
                    )
                continue
            try:
                table.read(answer, READ_AS[kind])
            except ValueError as error:
                raise BadTable(f"{table.place(row)}: the answer {answer!r} is {error}.") from None

    def _check_direction(self, ratings: bool) -> None:
        """Yes to "is it fake?" is no vote for real; a high rating of "how fake?" is no good one."""
        words = {word.casefold() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", self.question)}
        given = {cells.text(row["answer"]).casefold() for row in self.rows}
        if words & REAL:
            return
        if ratings and words & FAULTS:
            warnings.warn(
                f"{self.name}: the question {self.question!r} asks for faults, and ratings are read as the higher, the "
                "better; turn them round if here it is the other way",
                stacklevel=4,
            )
        if not ratings and words & FAKE and not given <= {"real", "fake", "generated", "r", "f"}:
            raise BadTable(
                f"{self.name}: the question {self.question!r} asks for fakes, and is answered with "
                f"{', '.join(map(repr, sorted(given)[:4]))}; write real or fake instead, so that it is clear who said "
                "which."
            )

    def _once(self) -> None:
        """Leave out what is there again word for word; another answer to the same is for `as_labels` to refuse."""
        first: dict[tuple[str, ...], int] = {}
        for at, row in enumerate(self.rows):
            words = tuple(cells.text(row[name]) for name in sorted(row.keys() - {"answer"}))
            if first.setdefault((*words, cells.text(row["answer"]).casefold()), at) != at:
                self.leave_out("repeated, with the same rater, picture and answer", self.places[at])
        self.rows, self.places = ([column[at] for at in first.values()] for column in (self.rows, self.places))

    def _said(self) -> str:
        parts = []
        for reason, places in self.left_out.items():
            known = list(dict.fromkeys(places))
            more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
            parts.append(f"{len(places)} {reason} ({', '.join(known[:SHOWN])}{more})")
        return f": {', '.join(parts)}" if parts else ""


def unsigned(name: str) -> str:
    """An address without its signature: a link that is signed anew for each rater names one picture.

    >>> unsigned("https://host/a.png?X-Amz-Expires=60&X-Amz-Signature=ab"), unsigned("https://host/a.png?seed=3&sig=ab")
    ('https://host/a.png', 'https://host/a.png?seed=3')
    >>> unsigned("https://host/a.png?token=ab"), unsigned("https://host/view?token=ab")
    ('https://host/a.png', 'https://host/view?token=ab')
    """
    if "?" not in name or not ADDRESS.fullmatch(name.strip()):
        return name
    path, _, query = name.partition("?")
    parts = query.split("&")
    tokens = [part for part in parts if TOKEN.match(part) and looks_like_picture(path)]
    if not tokens and not any(map(SIGNED.match, parts)):
        return name
    kept = [part for part in parts if part not in tokens and not OF_SIGNATURE.match(part)]
    return "?".join(filter(None, (path, "&".join(kept))))


def kind_of(answers: Sequence[Any]) -> str:
    """The column for such answers: said_real of real and fake (or 1 and 0), else rating; most answers decide.

    >>> kind_of(["1", "0"]), kind_of(["real", "fake", "oops"]), kind_of(["1", "4", "5"])
    ('said_real', 'said_real', 'rating')
    """
    words = [cells.text(answer).casefold() for answer in answers]
    votes, numbers = sum(map(cells.is_truth, words)), sum(map(_is_number, words))
    return "rating" if numbers > votes else "said_real"


def is_answer(cell: Any) -> bool:
    """Whether a cell says yes or no in one of their words, or a number."""
    word = cells.text(cell).casefold()
    return cells.is_truth(word) or bool(re.fullmatch(r"[+-]?\d+([.,]\d+)?", word))


def known_of_pictures(table: Table, *asked: str) -> dict[str, list[Any]]:
    """What a table says of the picture of each row in columns of ours, but for those of the answers themselves.

    Attention checks (`control`, or a `part` such as tutorial) are no votes.
    """
    known: dict[str, list[Any]] = {}
    if (column := table.find("control")) and column not in asked:
        try:
            known["control"] = table.parsed(column, cells.perhaps)
        except BadTable as error:
            warnings.warn(f"{error} The column is not read: no answer counts as quality control.", stacklevel=3)
    elif (column := table.find("part")) and column not in asked:
        words = [cells.text(cell).casefold() for cell in table.columns[column]]
        if set(words) <= PARTS:
            known["control"] = [cells.not_main(word) for word in words]
    for name, parse in (("kind", cells.kind), ("generator", cells.label)):
        if (column := table.find(name)) and column not in asked:
            with suppress(BadTable):  # a column of something else
                known[name] = table.parsed(column, parse)
    return known


def failed_gate(table: Table) -> list[bool]:
    """Which rows a column says to be of a rater who failed: `passed`, or an attention check of pass and fail."""
    failed = [False] * len(table)
    for name in GATED:
        if (column := table.find(name)) is None:
            continue
        words = [cells.text(cell).casefold() for cell in table.columns[column]]
        yes_or_no = name == "passed" and all(cells.nothing(word) or cells.is_truth(word) for word in words)
        if yes_or_no:
            failed = [not cells.nothing(word) and not cells.truth(word) for word in words]
        elif {*words} <= {*PASS, *FAIL, *cells.NOTHING}:
            failed = [before or word in FAIL for before, word in zip(failed, words, strict=True)]
    return failed


def on_one_question(
    table: Table, column: str = "question", shown: Sequence[str] = (), rater: str | None = None
) -> Table:
    """The table, or `BadTable` where its answers are to several questions, which would be mixed in one column.

    A column that has another text for each picture numbers them, and asks nothing; nor do numbers that each rater has
    once, in an order of their own. `shown`: columns of pictures.
    """
    asked = table.find(column)
    if asked is None:
        return table
    texts = list(map(cells.text, table.columns[asked]))
    names = sorted(set(texts) - {""})
    pictures = list(zip(*(map(cells.text, table.columns[name]) for name in shown), strict=True)) or texts
    if len(names) < 2 or (len(set(zip(texts, pictures, strict=True))) == len(set(pictures)) == len(set(texts)) > 2):
        return table
    if rater is not None and all(map(NUMBERED.fullmatch, names)):
        raters = list(map(cells.text, table.columns[rater]))
        if all(len(set(zip(raters, each, strict=True))) == len(raters) for each in (texts, pictures)):
            return table
    raise BadTable(
        f"{table.name} has answers to several questions: the column {asked!r} has {', '.join(map(repr, names[:6]))}. "
        f"One at a time: '{table.name}[{asked}={names[0]}]'."
    )


def _is_number(word: str) -> bool:
    try:
        number(word.replace(",", "."))
    except ValueError:
        return False
    return True


def want(table: Table, names: Sequence[str], what: str) -> list[str]:
    """The table's own names of columns that it must have; `BadTable` says which is not there, and whose file it is."""
    missing = [name for name in names if table.find(name) is None]
    if missing:
        raise BadTable(
            f"{table.name} is not {what}: there is no column {missing[0]!r}; it has {', '.join(table.columns)}."
            f"{hint_of(table)}"
        )
    return [table.find(name) or name for name in names]


def questions(name: str, asked: Mapping[str, int]) -> BadTable:
    """The error for several questions that would be mixed in one column."""
    listed = ", ".join(f"{question!r} ({count} answers)" for question, count in asked.items())
    return BadTable(
        f"{name} has answers to several questions: {listed}. One at a time: choose it with --answer NAME (answer= in "
        "Python)."
    )
