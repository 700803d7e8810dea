"""What a study is: its task and settings, its pictures and questions, and who is asked what."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import Any

from ..errors import BadSpec
from ..registry import check_arguments
from ..votes.gate import passes as passes  # the rule; this is where it was imported from before it had its own file
from .questions import Question, Questionnaire, parse

TASKS = {
    "hype": "real or fake, unlimited time (HYPE-infinity)",
    "hype-time": "real or fake after a short look that adapts to the rater (HYPE-time)",
    "pairs": "which of two pictures is better (LGIQA)",
    "rating": "1 (bad) to 5 (excellent)",
}
TITLES = {  # none of them says what the answer of another task would be about
    "hype": "Real or fake?",
    "hype-time": "Real or fake, at a glance?",
    "pairs": "Which picture is better?",
    "rating": "How good are these pictures?",
}
ANSWERS = {
    "hype": ("real", "fake"),
    "hype-time": ("real", "fake"),
    "pairs": ("left", "right"),
    "rating": ("1", "2", "3", "4", "5"),
}

# An answer, with its picture on the way. Real or fake: 80 % of 1,036 raters of Stein et al. 2023 needed 0.8 to 2.5 s,
# 1.3 in the median; a look adds its countdown. Pairs and ratings are a guess: no study at hand says it.
SECONDS = {"hype": (0.7, 2.6), "hype-time": (2.5, 5.0), "pairs": (1.5, 6.0), "rating": (1.5, 6.0)}


@dataclass(frozen=True)
class Settings:
    """What a study asks, of whom, how often; kept in the store and fixed once votes can come in.

    Parameters
    ----------
    task : str
        A row of `TASKS`.
    title, contact, completion : str
        What raters read: the heading ("": that of `TITLES`), whom to ask, and what to do at the end.
    context : str
        What the pictures were mixed with; a column of the votes.
    votes_each : int
        Votes wanted for a picture or pair.
    sitting : int
        Pictures or pairs that one rater is asked.
    controls : int
        Quality-control pictures mixed among them.
    tutorial : int
        Examples before them.
    gate : float
        The share of controls that must be answered right.
    break_every : int
        Answers between breaks.
    countdown : int
        Each of its three steps, in ms (`hype-time`).
    start, down, up, floor, top : int
        Of the staircase, in ms; see `giqa.votes.Staircase`.
    questions : mapping or None
        Questions of one's own, as `giqa.study.questions.read_questions` has them; None: that of the task.

    Raises
    ------
    BadSpec
        When a value is out of its range.

    Examples
    --------
    >>> Settings("hype", votes_each=3).sitting
    100
    """

    task: str
    title: str = ""
    contact: str = ""
    completion: str = ""
    context: str = ""
    votes_each: int = 5
    sitting: int = 100
    controls: int = 10
    tutorial: int = 4
    gate: float = 0.65
    break_every: int = 50
    countdown: int = 500
    start: int = 500
    down: int = 30
    up: int = 10
    floor: int = 100
    top: int = 1000
    questions: Mapping[str, Any] | None = None

    @cached_property
    def questionnaire(self) -> Questionnaire | None:
        """What `questions` mean; None: the question of the task."""
        return None if self.questions is None else parse(self.questions)

    @property
    def asked(self) -> tuple[Question | None, ...]:
        """The questions of an item; None: that of the task."""
        return (None,) if self.questionnaire is None else self.questionnaire.questions

    @property
    def minutes(self) -> tuple[int, int]:
        """About how many a rater needs, at least and at most: `SECONDS` an answer, examples and controls too.

        >>> Settings("hype").minutes, Settings("pairs", sitting=10, controls=2, tutorial=2).minutes
        ((1, 5), (1, 2))
        """
        answers = (self.sitting + self.controls + self.tutorial) * len(self.asked)
        least, most = (answers * seconds / 60 for seconds in SECONDS[self.task])
        least = max(1, round(least))
        return least, max(least + 1, math.ceil(most))

    def answers(self, question: str = "") -> tuple[str, ...]:
        """The answers to a question, as they are kept."""
        return self.questionnaire[question].answers if self.questionnaire and question else ANSWERS[self.task]

    @property
    def heading(self) -> str:
        """What raters read at the top: the title, or that of the task."""
        return self.title or TITLES[self.task]

    def __post_init__(self) -> None:
        check_arguments(Settings, **vars(self))
        if self.task not in TASKS:
            raise BadSpec(f"There is no task {self.task!r}; there are {', '.join(TASKS)}.")
        least = dict.fromkeys(("votes_each", "break_every", "down", "up", "floor"), 1)
        least |= dict.fromkeys(("sitting", "controls", "tutorial", "countdown"), 0)
        for name, value in asdict(self).items():
            if name in least and value < least[name]:
                raise BadSpec(f"{name}={value} should be {least[name]} or more.")
        if not 0 <= self.gate <= 1:
            raise BadSpec(f"gate={self.gate} is a share of right answers, from 0 to 1; the default is 0.65.")
        if not self.floor <= self.start <= self.top:
            raise BadSpec(f"start={self.start} should lie between floor={self.floor} and top={self.top} (ms).")
        if self.questionnaire and self.questionnaire.task != self.task:
            raise BadSpec(f"task={self.task!r}, and the questions are of the task {self.questionnaire.task!r}.")

    def to_json(self) -> str:
        """As the store keeps them; without questions of one's own as they always were."""
        return json.dumps({name: value for name, value in asdict(self).items() if name != "questions" or value})


@lru_cache(maxsize=64)
def settings_of(text: str) -> Settings:
    """Settings from what `Settings.to_json` wrote.

    >>> settings_of(Settings("hype", votes_each=3).to_json()).votes_each
    3
    """
    return Settings(**json.loads(text))


@dataclass(frozen=True)
class Shown:
    """A picture of a study in the form that raters see; `kind` is real or generated."""

    name: str
    kind: str
    generator: str
    png: bytes


@dataclass(frozen=True)
class Item:
    """A question: one picture, or a pair, by position.

    Parameters
    ----------
    part : str
        tutorial (answered at once with the truth), control (decides on the gate) or main.
    left, right : int, int or None
        Positions of the pictures; None: no pair.
    truth : str
        The right answer where there is one; several are separated by commas.
    question : str
        Name of the question; "": that of the task.
    unit : int or None
        Items with one number have the same pictures and are asked one after the other; None: by itself.
    say : str
        JSON, language -> what is read instead of the question; "": the question.
    """

    part: str
    left: int
    right: int | None = None
    truth: str = ""
    question: str = ""
    unit: int | None = None
    say: str = ""


@dataclass(frozen=True)
class Open:
    """An item that may be asked: its pictures, its side of the 50/50 mix (or ""), and how many votes it has or will."""

    id: int
    pictures: tuple[int, ...]
    side: str
    votes: int


def is_right(task: str, truth: str, answer: str) -> bool:
    """Whether an answer is the right one; a rating is right on its side of the scale: 1-2 is low, 3-5 high.

    Of questions of one's own the truth lists the answers that are right.

    >>> is_right("hype", "fake", "fake"), is_right("rating", "low", "3"), is_right("rating", "high", "3")
    (True, False, True)
    >>> is_right("rating", "4,5", "4"), is_right("rating", "4,5", "3")
    (True, False)
    """
    if truth in ("low", "high"):
        return truth == ("low" if answer in "12" else "high")
    return answer in truth.split(",")


def flipped_answer(answer: str, flipped: bool) -> str:
    """The answer to a pair as the study names its sides, when they were shown the other way round.

    >>> flipped_answer("left", True), flipped_answer("left", False), flipped_answer("fake", True)
    ('right', 'left', 'fake')
    """
    return {"left": "right", "right": "left"}.get(answer, answer) if flipped else answer


def flipped_truth(truth: str, flipped: bool) -> str:
    """`flipped_answer` of each right answer."""
    return ",".join(flipped_answer(each, flipped) for each in truth.split(","))


def choose(items: Sequence[Open], settings: Settings, rng: random.Random) -> list[Open]:
    """What the next rater is asked: the items with the fewest votes first, ties at random, no picture twice.

    Nothing that has its `votes_each` is asked again, except that in real-or-fake tasks the 50/50 mix is kept: as many
    reals as fakes, though reals have their votes already.

    Parameters
    ----------
    items : sequence of Open
        All of the study.
    settings : Settings
        Of the study.
    rng : random.Random
        For ties.

    Returns
    -------
    list of Open
        Empty when the study has all its votes.
    """
    drawn = sorted(items, key=lambda item: (item.votes, rng.random()))
    if settings.task.startswith("hype"):
        half = max(1, settings.sitting // 2)
        fakes = [item for item in drawn if item.side == "fake" and item.votes < settings.votes_each][:half]
        reals = [item for item in drawn if item.side == "real"][: len(fakes)]
        return fakes[: len(reals)] + reals
    chosen: list[Open] = []
    seen: set[int] = set()
    for item in drawn:
        if len(chosen) == settings.sitting or item.votes >= settings.votes_each:
            break
        if seen.isdisjoint(item.pictures):
            chosen.append(item)
            seen.update(item.pictures)
    return chosen


def in_order(tutorial: Sequence[int], controls: Sequence[int], main: Sequence[int], rng: random.Random) -> list[int]:
    """The tutorial first, then controls and main in random order, each sixth as rich in controls as the next."""
    rest = list(main)
    rng.shuffle(rest)
    hidden = list(controls)
    rng.shuffle(hidden)
    order: list[int] = []
    every = (len(rest) + len(hidden)) / max(1, len(hidden))
    places = {int(i * every + rng.random() * every) for i in range(len(hidden))}
    for place in range(len(rest) + len(hidden)):
        order.append(hidden.pop() if (place in places and hidden) or not rest else rest.pop())
    start = list(tutorial)
    rng.shuffle(start)
    return start + order
