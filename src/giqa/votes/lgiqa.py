"""Folders of judged pairs: LGIQA as it is handed out, three sets side by side, each with pictures and a table."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import BadSource, GiqaError
from ..tables.read import read_table
from ..tables.write import WRITTEN
from .votes import CHOSEN

PAIRS = ("left", "right", "votes_left", "votes_right")
TEXTS = (*WRITTEN, ".txt", ".json", ".pkl", ".mat", ".xlsx", ".npy")  # what may hold labels in another form


def pair_sets(folder: str | Path) -> dict[str, tuple[Path, Path]]:
    """Every table of pairs below a folder.

    Parameters
    ----------
    folder : path
        A table of pairs has the columns left,right,votes_left,votes_right or left,right,rater,chosen; pictures are
        looked for below the folder that it lies in.

    Returns
    -------
    dict
        The set's name -> (table, folder of its pictures). A set is called as that folder, without "LGIQA-", or as the
        table where a folder has several.

    Raises
    ------
    BadSource
        When there is none, naming the files that are there.
    """
    folder = Path(folder)
    tables = sorted(path for path in folder.rglob("*") if path.suffix.lower() in WRITTEN and path.is_file())
    found = [path for path in tables if _of_pairs(path)]
    if not found:
        others = sorted({p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.suffix.lower() in TEXTS})
        there = f"; there are {', '.join(others[:5])}" if others else ""
        raise BadSource(
            f"No table of pairs below {str(folder)!r}: looked for .csv, .tsv or .parquet with the columns "
            f"{','.join(PAIRS)} or {','.join(CHOSEN)}{there}. Write such a table, one row a pair."
        )
    alone = {path for path in found if sum(other.parent == path.parent for other in found) == 1}
    names = [_name(path.parent.name if path in alone else path.stem) for path in found]
    if len(set(names)) < len(names):
        names = [path.relative_to(folder).with_suffix("").as_posix() for path in found]
    return {name: (path, path.parent) for name, path in zip(names, found, strict=True)}


def _of_pairs(path: Path) -> bool:
    try:
        columns = set(read_table(path).columns)
    except GiqaError:  # some other file
        return False
    return set(PAIRS) <= columns or set(CHOSEN) <= columns


def _name(text: str) -> str:
    """
    >>> _name("LGIQA-cat"), _name("faces")
    ('cat', 'faces')
    """
    return re.sub(r"^lgiqa[-_ ]?", "", text, flags=re.IGNORECASE) or text
