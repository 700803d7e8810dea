"""From folders to a study that people can judge: `collect(fakes, real, task="hype", store="votes.db")`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadTable
from ..images import open_source
from ..images.decode import decode
from ..images.sets import name_and_place

if TYPE_CHECKING:
    from .setup import Given
    from .store import Store, Study


def collect(
    fakes: Any,
    real: Any = None,
    *,
    task: str,
    store: Store,
    name: str | None = None,
    easy: Any = None,
    pairs: str | Path | None = None,
    number: int | None = None,
    size: int | None = None,
    seed: int = 0,
    **settings: Any,
) -> Study:
    """A study of the pictures of `fakes` (a source, or several as `NAME=SOURCE`) and `real`, kept in `store`.

        from giqa.humans.store import open_store

        study = collect("fakes/", "reals/", task="hype", store=open_store("votes.db"), votes_each=5)
        print(study.token)  # of the link /s/TOKEN

    `name`: of the study, else the task; `easy`: a source of fakes that nobody should miss, for the quality control;
    `pairs`: a CSV with the columns left and right; `number`: of pairs to draw; `size`: pixels of the longer side;
    `settings`: those of `giqa.study.study.Settings`. Pictures are read here and never again: the store has them.
    Raises `BadSpec`, `BadSource`, `BadTable`, `BadImage`, `MissingExtra`.
    """
    from .setup import make_study
    from .study import Settings

    sources = [_named(each) for each in ([fakes] if isinstance(fakes, (str, Path)) else fakes)]
    given = [one for generator, where in sources for one in _given(where, generator)]
    reals = [] if real is None else _given(real, "")
    names = [one.name for one in given + reals]
    if len(set(names)) < len(names):  # as long as they differ, names are those of the score tables
        given, reals = ([_told_apart(one) for one in ones] for ones in (given, reals))
    settings = {"sitting": 0, "context": "+".join(generator for generator, _ in sources)} | settings
    return make_study(
        store,
        name or task,
        Settings(task=task, **settings),
        given,
        reals,
        easy=[] if easy is None else _given(easy, "easy"),
        pairs=None if pairs is None else _pairs(pairs),
        number=number,
        size=size,
        seed=seed,
    )


def _named(each: Any) -> tuple[str, Any]:
    """The generator's name and its source: "NAME=SOURCE", else the name of the folder."""
    name, where = name_and_place(str(each))
    if name:
        return name, where
    return Path(where).name.partition("[")[0] or "generated", each if isinstance(each, Path) else where


def _given(where: Any, generator: str) -> list[Given]:
    from .setup import Given

    source = open_source(where)

    def read(index: int) -> Any:
        return decode(source.raw(index)).pixels

    return [Given(id_, generator, partial(read, index)) for index, id_ in enumerate(source.ids)]


def _told_apart(one: Given) -> Given:
    return replace(one, name=f"{one.generator or 'real'}/{one.name}")


def _pairs(path: str | Path) -> list[tuple[str, str]]:
    from ..tables.cells import name
    from ..tables.read import read_table

    table = read_table(path)
    left, right = table.find("left"), table.find("right")
    if left is None or right is None:
        raise BadTable(f"{path} should have the columns left and right; it has {', '.join(table.columns)}.")
    return list(zip(table.parsed(left, name), table.parsed(right, name), strict=True))
