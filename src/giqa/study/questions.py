"""Questions of one's own: what a file of questions says, read and checked."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BadSpec, MissingSource
from ..files import as_path
from .words import PHRASES

TASK_OF = {"pair": "pairs", "scale": "rating"}  # kind of question -> task whose pictures, answers and columns it has
ORDERS = ("fixed", "random")
SIDES = ("left", "right")
SCALE = ("bad", "poor", "fair", "good", "excellent")
POINTS = (2, 9)  # of a scale: each has a key
TEXTS = ("title", "consent", "help", "completion")
KEYS = ("kind", "order", "languages", *TEXTS, "words", "question")
QUESTION_KEYS = ("name", "text", "help", "answers", "control", "example")
CHECK_KEYS = ("left", "right", "image", "say", "answer")
Texts = Mapping[str, str]  # language -> text


@dataclass(frozen=True)
class Check:
    """A question with a right answer: an attention check among the others, or an example before them.

    Parameters
    ----------
    answers : tuple of str
        The right ones: left or right, or points of the scale.
    pictures : tuple of str
        Names; none: any that are at hand.
    say : mapping
        Language -> what is read instead of the question, such as "Attention check: choose Left"; empty: the question.
    """

    answers: tuple[str, ...]
    pictures: tuple[str, ...] = ()
    say: Texts | None = None


@dataclass(frozen=True)
class Question:
    """One question of a file.

    Parameters
    ----------
    name : str
        In tables and in the names of figures.
    text, help : mapping of str to str
        By language.
    labels : mapping of str to tuple of str
        By language, of each answer; of a pair () where nothing else than Left and Right is said.
    answers : tuple of str
        As they are kept: left and right, or 1 to the number of points.
    automatic : bool
        Whether the study's own controls (a real next to a shuffled one) count for it: where it has none of its own.
    controls, examples : tuple of Check
        Of its own.
    """

    name: str
    text: Texts
    help: Texts
    labels: Mapping[str, tuple[str, ...]]
    answers: tuple[str, ...]
    automatic: bool
    controls: tuple[Check, ...]
    examples: tuple[Check, ...]

    def truth(self, word: str) -> str:
        """What the store keeps as the right answer of a control made by the study: left, or the low or high points.

        >>> question = parse({"kind": "scale", "question": [{"name": "q", "text": "?"}]}).questions[0]
        >>> question.truth("low"), question.truth("high")
        ('1,2', '3,4,5')
        """
        if word in SIDES:
            return word
        low = [a for a in self.answers if 2 * int(a) < len(self.answers) + 1]
        return ",".join(low if word == "low" else self.answers[len(low) :])


@dataclass(frozen=True)
class Questionnaire:
    """Everything that a file of questions says; the first language is the one for who asks for none of them.

    Parameters
    ----------
    task : str
        "pairs" or "rating".
    order : str
        "fixed": as in the file; "random": each rater has an order of their own, the same throughout.
    languages : mapping of str to str
        Code -> its name.
    texts : mapping
        "title", "consent", "help" and "completion", each by language; empty where the file has none.
    words : mapping
        Language -> phrase of `giqa.study.words.PHRASES` -> its translation.
    questions : tuple of Question
        In the order of the file.
    """

    task: str
    order: str
    languages: Texts
    texts: Mapping[str, Texts]
    words: Mapping[str, Texts]
    questions: tuple[Question, ...]

    def __getitem__(self, name: str) -> Question:
        return next(question for question in self.questions if question.name == name)

    def missing(self) -> dict[str, int]:
        """Language other than English -> how many phrases raters read in English."""
        counts = {code: sum(phrase not in self.words.get(code, {}) for phrase in PHRASES) for code in self.languages}
        return {code: n for code, n in counts.items() if n and code.partition("-")[0].lower() != "en"}

    def language(self, asked: str) -> str:
        """The language for an Accept-Language header, or for a code.

        >>> both = parse({"kind": "pair", "languages": {"en": "English", "de": "Deutsch"},
        ...               "question": [{"name": "q", "text": {"en": "Which?", "de": "Welches?"}}]})
        >>> both.language("fr, de-AT;q=0.8, en;q=0.5"), both.language("fr")
        ('de', 'en')
        """
        wanted = []
        for part in asked.split(","):
            code, _, weight = part.partition(";")
            q = re.search(r"q\s*=\s*([01](?:\.\d{0,3})?)", weight)
            wanted.append((-float(q[1]) if q else -1.0, code.strip().lower()))
        by_code = {code.lower(): code for code in self.languages}
        for weight, code in sorted(wanted, key=lambda each: each[0]):
            found = by_code.get(code) or by_code.get(code.partition("-")[0])
            if found and weight:
                return found
        return next(iter(self.languages))


def read_questions(path: str | Path) -> dict[str, Any]:
    """The content of a file of questions, checked; `parse` says what it means.

    Parameters
    ----------
    path : path
        `.toml` or `.json`; the form is in docs/collecting.md.

    Returns
    -------
    dict

    Raises
    ------
    BadSpec
        With what is wrong in it.
    MissingSource

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "questions.toml"
    >>> _ = file.write_text('kind = "pair"\\n[[question]]\\nname = "clarity"\\ntext = "Which is clearer?"\\n')
    >>> read_questions(file)["question"][0]["name"]
    'clarity'
    """
    path = as_path(path)
    if path.suffix.lower() not in (".toml", ".json"):
        raise BadSpec(f"A file of questions is .toml or .json, got {path.name!r}; docs/collecting.md shows one.")
    if not path.is_file():
        raise MissingSource(f"There is no file of questions {path}.")
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadSpec(f"{path} is no {path.suffix[1:].upper()}: {error}.") from None
    try:
        parse(content)
    except BadSpec as error:
        raise BadSpec(f"{path}: {error}") from None
    return content


def parse(content: Any) -> Questionnaire:
    """What the content of a file of questions means.

    Parameters
    ----------
    content : mapping
        As `read_questions` gives it.

    Returns
    -------
    Questionnaire

    Raises
    ------
    BadSpec
        With what is wrong, and what there is.

    Examples
    --------
    >>> found = parse({"kind": "pair", "question": [{"name": "clarity", "text": "Which is clearer?"}]})
    >>> found.task, found.questions[0].answers, dict(found.questions[0].text)
    ('pairs', ('left', 'right'), {'en': 'Which is clearer?'})
    """
    _known(content, KEYS, "the file")
    kind, order = content.get("kind"), content.get("order", "fixed")
    _one_of(kind, TASK_OF, "kind")
    _one_of(order, ORDERS, "order")
    languages = _languages(content.get("languages", {"en": "English"}))
    texts = {name: _texts(content.get(name), languages, name) for name in TEXTS}
    words = _words(content.get("words", {}), languages)
    asked = content.get("question")
    if not isinstance(asked, list) or not asked:
        raise BadSpec("there is no question; write [[question]] with name and text.")
    questions = tuple(_question(each, kind, languages) for each in asked)
    names = [question.name for question in questions]
    if len(set(names)) < len(names):
        raise BadSpec(f"two questions have one name; they are called {', '.join(names)}.")
    return Questionnaire(TASK_OF[kind], order, languages, texts, words, questions)


def _question(given: Any, kind: str, languages: Texts) -> Question:
    name = given.get("name") if isinstance(given, Mapping) else None
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise BadSpec(f"a question has a name of letters, digits, _ and -, got {name!r}.")
    where = f"question {name!r}"
    _known(given, QUESTION_KEYS, where)
    text = _texts(given.get("text"), languages, f"{where}, text")
    if not text:
        raise BadSpec(f"{where} has no text.")
    labels = _labels(given.get("answers"), kind, languages, where)
    points = len(next(iter(labels.values()), SCALE))
    answers = SIDES if kind == "pair" else tuple(str(i + 1) for i in range(points))
    checks = [_checks(given.get(part, []), answers, languages, f"{where}, {part}") for part in ("control", "example")]
    extra = _texts(given.get("help"), languages, f"{where}, help")
    return Question(name, text, extra, labels, answers, "control" not in given, *checks)


def _checks(given: Any, answers: tuple[str, ...], languages: Texts, where: str) -> tuple[Check, ...]:
    if not isinstance(given, list):
        raise BadSpec(f"{where} is a list; write [[question.control]], or control = [] for none.")
    found = []
    for one in given:
        _known(one, CHECK_KEYS, where)
        right = one.get("answer")
        right = tuple(str(a) for a in (right if isinstance(right, list) else [right]))
        if not right or not set(right) <= set(answers):
            raise BadSpec(f"{where}: answer is one or more of {', '.join(answers)}; got {', '.join(right) or 'none'}.")
        names = ("left", "right") if answers == SIDES else ("image",)
        pictures = tuple(one[n] for n in names if n in one)
        say = _texts(one.get("say"), languages, f"{where}, say")
        if len(pictures) not in (0, len(names)) or set(one) & {"left", "right", "image"} - set(names):
            raise BadSpec(f"{where} names its pictures by {' and '.join(names)}; got {', '.join(one)}.")
        if not pictures and not say:
            raise BadSpec(f"{where} needs {' and '.join(names)}, or say with an instruction; got {', '.join(one)}.")
        found.append(Check(right, tuple(str(p) for p in pictures), say or None))
    return tuple(found)


def _labels(given: Any, kind: str, languages: Texts, where: str) -> dict[str, tuple[str, ...]]:
    """Language -> a label for each answer; {} where the file says nothing."""
    if given is None:
        return {}
    by_language = given if isinstance(given, Mapping) else dict.fromkeys(languages, given)
    if missing := [code for code in languages if code not in by_language]:
        raise BadSpec(f"{where}: answers has no {missing[0]!r}; each of {', '.join(languages)} needs its own.")
    if not isinstance(given, Mapping) and len(languages) > 1:
        raise BadSpec(f"{where}: answers in {len(languages)} languages are answers.{next(iter(languages))} = [...].")
    least, most = (2, 2) if kind == "pair" else POINTS
    for labels in by_language.values():
        if not isinstance(labels, list) or not least <= len(labels) <= most:
            raise BadSpec(f"{where}: answers is a list of {least if least == most else f'{least} to {most}'} texts.")
    if len({len(by_language[code]) for code in languages}) > 1:
        raise BadSpec(f"{where}: answers differ in number between languages.")
    return {code: tuple(str(label) for label in by_language[code]) for code in languages}


def _languages(given: Any) -> Texts:
    if not isinstance(given, Mapping) or not given:
        raise BadSpec('languages is a table such as {en = "English", de = "Deutsch"}; the first is the default.')
    for code in given:
        if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?", code):
            raise BadSpec(f"languages: {code!r} is no code such as en or pt-BR.")
    return {code: str(name) for code, name in given.items()}


def _words(given: Any, languages: Texts) -> dict[str, Texts]:
    _known(given, tuple(languages), "words")
    for code, words in given.items():
        _known(words, PHRASES, f"words.{code}")
    return {code: dict(words) for code, words in given.items()}


def _texts(given: Any, languages: Texts, where: str) -> Texts:
    """A text in each language; one text alone where there is one language; {} for none."""
    if given is None:
        return {}
    if isinstance(given, str) and len(languages) == 1:
        given = dict.fromkeys(languages, given)
    if isinstance(given, str):
        raise BadSpec(f"{where} is one text, and there are the languages {', '.join(languages)}; give each its own.")
    _known(given, tuple(languages), where)
    for code in languages:
        if not isinstance(given.get(code), str) or not given[code].strip():
            raise BadSpec(f"{where} has no text in {code!r}.")
    return dict(given)


def _known(given: Any, keys: Iterable[str], where: str) -> None:
    if not isinstance(given, Mapping):
        raise BadSpec(f"{where} should be a table, got {given!r}.")
    keys = tuple(keys)
    for key in given:
        if key not in keys:
            close = difflib.get_close_matches(key, keys, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(map(repr, keys[:12]))}."
            raise BadSpec(f"{where} has {key!r}, which means nothing; {hint}")


def _one_of(value: Any, choices: Iterable[str], what: str) -> None:
    if value not in tuple(choices):
        raise BadSpec(f"{what} is {' or '.join(choices)}; got {value!r}.")
