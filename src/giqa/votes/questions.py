"""Tables of judgements that answer several questions: which rows are read, and that no two questions are mixed."""

from __future__ import annotations

import warnings
from pathlib import Path

from ..errors import BadTable
from ..files import as_path, differs_from_sha256
from ..images.table import rows_kept, split_spec
from ..tables.read import read_table
from ..tables.table import Table

QUESTION = "question"


def read_judged_table(path: str | Path) -> Table:
    """A table of judgements on one question: a file, or `votes.csv[question=clarity]` where it answers several.

    Parameters
    ----------
    path : path or str
        With a filter as that of a source of pictures: `column=value`, `column=a|b`, several with commas.

    Returns
    -------
    Table

    Raises
    ------
    BadTable
        When several questions are answered and none is chosen.
    BadSource
        For a filter that leaves nothing.
    MissingSource

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "votes.csv"
    >>> _ = file.write_text("image,rater,rating,question\\na,r,4,clarity\\na,r,1,emotion\\n")
    >>> read_judged_table(f"{file}[question=clarity]").columns["rating"]
    ['4']
    """
    table = read_filtered(path)
    names = questions(table)
    if len(names) > 1:
        one = f"'{str(path).partition('[')[0]}[question={names[0]}]'"
        raise BadTable(f"{path} answers {len(names)} questions ({', '.join(names[:6])}); choose one, such as {one}.")
    return table


def read_filtered(path: str | Path) -> Table:
    """A table, or those of its rows that a filter `[column=value]` after its name leaves."""
    where, filters = split_spec(str(path)) or (as_path(path), "")
    table = read_table(where)
    if differs_from_sha256(where):
        warnings.warn(
            f"{where} is not as giqa wrote it ({where.name}.sha256); it is read as it is now. If nobody edited it, "
            "it is damaged: export the votes again",
            stacklevel=4,
        )
    if not filters:
        return table
    texts = {name: ["" if cell is None else str(cell) for cell in column] for name, column in table.columns.items()}
    return table.rows(rows_kept(str(path), table.with_columns(texts), filters))


def questions(table: Table) -> list[str]:
    """The questions that a table answers, sorted; [] where it has no column `question`.

    >>> questions(Table("t", {"question": ["b", "a", "b", ""]})), questions(Table("t", {"image": ["a"]}))
    (['a', 'b'], [])
    """
    column = table.find(QUESTION)
    return [] if column is None else sorted({name for name in map(str, table.columns[column]) if name.strip()})


def by_question(table: Table) -> dict[str, Table]:
    """The rows of each question, by its name; the whole table under "" where there is one at most.

    >>> table = Table("t", {"image": ["a", "a"], "question": ["clarity", "emotion"]})
    >>> {name: len(rows) for name, rows in by_question(table).items()}
    {'clarity': 1, 'emotion': 1}
    """
    names = questions(table)
    if len(names) < 2:
        return {"": table}
    cells = [str(cell) for cell in table.columns[table.find(QUESTION)]]
    return {name: table.rows([row for row, cell in enumerate(cells) if cell == name]) for name in names}
