"""From folders to a study that raters can judge: `collect(fakes, real, task="hype", store="votes.db")`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ..errors import BadSpec, BadTable
from ..images import open_source
from ..images.decode import decode
from ..images.sets import name_and_place
from ..tables import cells
from ..tables.read import read_table
from .questions import parse, read_questions
from .setup import Given, Wanted, make_study
from .store import Store, Study
from .study import Settings


def collect(
    fakes: Any, real: Any = None, *, store: Store, task: str | None = None, name: str | None = None, **options: Any
) -> Study:
    """A study of generated pictures and reals, kept in a store.

    Parameters
    ----------
    fakes : path, source or several
        Generated pictures; several as `NAME=SOURCE`, where the name is the generator's, else that of the folder.
    real : path, source or None
        Reals.
    store : Store
        See `giqa.study.open_store`.
    task : str or None
        A row of `giqa.study.study.TASKS`: "hype", "hype-time", "pairs" or "rating"; None: that of the `questions`.
    name : str or None
        Of the study; None: the task.
    **options
        `easy`: a source of fakes that no rater should miss, for the quality control. `pairs`: a CSV with the columns
        left and right. `questions`: a file of questions of one's own, or what `giqa.study.questions.read_questions`
        made of one. `number`, `size` and `seed` of `giqa.study.make_study`. Else those of `giqa.study.Settings`.

    Returns
    -------
    Study
        `token` is that of the link /s/TOKEN. Pictures are read here and never again: the store has them.

    Raises
    ------
    BadSpec, BadSource, BadTable, BadImage, MissingExtra

    Examples
    --------
    >>> import tempfile
    >>> from giqa.images.toy import write_toy
    >>> from giqa.study import open_store
    >>> folder = Path(tempfile.mkdtemp())
    >>> reals, fakes = write_toy(folder, n_real=8, n_fake=8, size=32)
    >>> store = open_store(folder / "votes.db")
    >>> study = collect(fakes, reals, task="hype", store=store, votes_each=3, controls=2, tutorial=0)
    >>> study.name, study.settings.votes_each
    ('hype', 3)
    >>> store.close()
    """
    questions = options.pop("questions", None)
    if questions is not None:
        options["questions"] = questions if isinstance(questions, Mapping) else read_questions(questions)
        task = task or parse(options["questions"]).task
    if task is None:
        raise BadSpec("What should raters be asked? Give a task (hype, hype-time, pairs, rating) or questions.")
    sources = [_named(each) for each in ([fakes] if isinstance(fakes, (str, Path)) else fakes)]
    given = [picture for generator, where in sources for picture in _given(where, generator)]
    reals = [] if real is None else _given(real, "")
    names = [picture.name for picture in given + reals]
    if len(set(names)) < len(names):  # as long as they differ, names are those of the score tables
        given, reals = (
            [replace(picture, name=f"{picture.generator or 'real'}/{picture.name}") for picture in pictures]
            for pictures in (given, reals)
        )
    easy, pairs = options.pop("easy", None), options.pop("pairs", None)
    wanted = {field.name: options.pop(field.name) for field in fields(Wanted) if field.name in options}
    wanted |= {"easy": () if easy is None else _given(easy, "easy"), "pairs": pairs and _pairs(pairs)}
    options = {"sitting": 0, "context": "+".join(generator for generator, _ in sources)} | options
    return make_study(store, name or task, Settings(task=task, **options), given, reals, **wanted)


def _named(each: Any) -> tuple[str, Any]:
    """The generator's name and its source: "NAME=SOURCE", else the name of the folder."""
    name, where = name_and_place(str(each))
    if name:
        return name, where
    return Path(where).name.partition("[")[0] or "generated", each if isinstance(each, Path) else where


def _given(where: Any, generator: str) -> list[Given]:
    source = open_source(where)
    return [Given(name, generator, lambda i=i: decode(source.raw(i)).pixels) for i, name in enumerate(source.ids)]


def _pairs(path: str | Path) -> list[tuple[str, str]]:
    table = read_table(path)
    left, right = table.find("left"), table.find("right")
    if left is None or right is None:
        raise BadTable(f"{path} should have the columns left and right; it has {', '.join(table.columns)}.")
    return list(zip(table.parsed(left, cells.name), table.parsed(right, cells.name), strict=True))
