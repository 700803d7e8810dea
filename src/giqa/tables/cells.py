"""What a cell of a table of labels may hold; ValueError where it does not, and the error continues "'maybe' is ..."."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

MOST = 1_000_000  # judgements of one row: statistics go through every number up to the largest
NOTHING = ("", "nan", "na", "n/a", "#n/a", "none", "null", "<na>")  # a missing value, of pandas, R, Excel, JSON

# what stands for reals where generators are named
REAL = re.compile(
    r"((\d+[ _-])?reals?([ _-]?(images?|photos?|photographs?|pictures?|data|set|samples?|faces?))?|ground[ _-]?truth|gt"
    r"|(natural|authentic|genuine)([ _-]?(images?|photos?|photographs?|pictures?))?|nature|photos|photographs)?"
)

# Excel writes TRUE and FALSE in the language of its user
YES = (
    "1",
    "true",
    "yes",
    "real",
    "r",
    "t",
    "y",
    "wahr",
    "vrai",
    "verdadero",
    "vero",
    "verdadeiro",
    "waar",
    "prawda",
    "sant",
    "tosi",
    "истина",
)
NO = (
    "0",
    "false",
    "no",
    "fake",
    "generated",
    "f",
    "n",
    "falsch",
    "faux",
    "falso",
    "onwaar",
    "fałsz",
    "falskt",
    "epätosi",
    "ложь",
)


def number(cell: Any) -> float:
    """A number, also infinite; ValueError for any other text, and for what only Python takes for one (1_0)."""
    try:
        if isinstance(cell, str) and "_" in cell:
            raise ValueError
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("no number") from None


def number_or_nothing(cell: Any) -> float:
    """A number; NaN where there is none."""
    return float("nan") if nothing(cell) else number(cell)


def nothing(cell: Any) -> bool:
    """Whether a cell holds no answer."""
    return text(cell).casefold() in NOTHING


def name(cell: Any) -> str:
    """A name that is there."""
    if not text(cell):
        raise ValueError("empty, and must not be")
    try:
        text(cell).encode()
    except UnicodeEncodeError:  # half of a pair of surrogates, as JSON can spell it
        raise ValueError("no text that can be written to a file") from None
    return text(cell)


def text(cell: Any) -> str:
    """Any text, also none: "" for None, and for NaN as Parquet has it."""
    return "" if cell is None or cell != cell else str(cell).strip()


def truth(cell: Any) -> bool:
    """1 or 0, true or false, yes or no, real or fake."""
    word = re.sub(r"^([01])[.,]0+$", r"\1", str(cell).strip().lower())  # 1.00 and 0,0
    if word not in YES + NO:
        raise ValueError("neither yes nor no; write 1 or 0, true or false, yes or no, real or fake")
    return word in YES


def is_truth(cell: Any) -> bool:
    """Whether `truth` reads a cell.

    >>> is_truth("1,0"), is_truth("Yes"), is_truth("2")
    (True, True, False)
    """
    with suppress(ValueError):
        return truth(cell) in (True, False)
    return False


def perhaps(cell: Any) -> bool:
    """As `truth`, and False where there is nothing."""
    return not nothing(cell) and truth(cell)


def not_main(cell: Any) -> bool:
    """Whether a cell of a column `part` names another part than the main one: quality control or tutorial."""
    return text(cell).lower() not in ("main", "")


def count(cell: Any) -> float:
    """How many judgements, or pictures: a number from 0 to `MOST`."""
    value = _not_below_0(cell)
    if value > MOST:
        raise ValueError(f"more than the {MOST:,} judgements of one row that are counted here; is it a count?")
    return value


def whole_count(cell: Any) -> float:
    """A `count` of single answers, where a tie is no half."""
    value = count(cell)
    if value % 1:
        raise ValueError("no whole number")
    return value


def _not_below_0(cell: Any) -> float:
    value = number(cell)
    if not 0 <= value < float("inf"):
        raise ValueError("not a number of 0 or more")
    return value


def measure(cell: Any) -> float:
    """A number of 0 or more, or nothing."""
    return float("nan") if nothing(cell) else _not_below_0(cell)


def rating(cell: Any) -> float:
    """Any number."""
    value = number(cell)
    if value - value != 0:
        raise ValueError("not a finite number")
    return value


def label(cell: Any) -> str:
    """Any text, also none: "" for what means a missing one, such as NA of R."""
    return "" if nothing(cell) else text(cell)


def kind_of_generator(name: str) -> str:
    """The kind of a picture whose generator is known: a real one has none, or "real" stands there.

    >>> [kind_of_generator(name) for name in ("", "Real", "real_photos", "real-esrgan", "stylegan")]
    ['real', 'real', 'real', 'generated', 'generated']
    """
    return "real" if REAL.fullmatch(name.strip().casefold()) else "generated"


def kind(cell: Any) -> str:
    """`real` or `generated` (also `fake`), or nothing."""
    word = label(cell).lower()
    if word not in ("real", "generated", "fake", ""):
        raise ValueError("no kind; a picture is real or generated")
    return "generated" if word == "fake" else word
