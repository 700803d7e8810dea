"""The picker: the best share of the pictures, by score (GIQA, section 4.3)."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import BadSource, BadSpec
from ..registry import as_seed, as_whole, is_number
from ..tables.write import as_csv
from ..types import as_numbers

HOWS = ("copy", "hardlink", "symlink", "list")


def pick(
    scores: np.ndarray,
    keep: float | None = None,
    top: int | None = None,
    above: float | None = None,
    sample: int | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Rows of the best pictures, best first; given several limits, all must hold.

    Parameters
    ----------
    scores : float array (n,)
        Higher = better. Rows without one (NaN) are never picked and do not count; of equal scores the first is better.
    keep : float or None
        A share, in (0, 1]; of 4.5 pictures it keeps 5, of .2 at least 1.
    top : int or None
        So many.
    above : float or None
        Those with a score at least this.
    sample : int or None
        Of those kept, so many drawn at random without repetition, as the paper draws 5,000 for its Table 3. None: all.
    seed : int
        Of the draw.

    Returns
    -------
    int array (k,)

    Raises
    ------
    BadSpec
        For limits that mean nothing, or when fewer are kept than are to be drawn.

    References
    ----------
    Gu et al., "GIQA: Generated Image Quality Assessment", 2020, section 4.3.

    Examples
    --------
    >>> pick(np.array([3., 1., np.nan, 2., 4.]), keep=0.5).tolist()
    [4, 0]
    """
    if keep is None and top is None and above is None:
        raise BadSpec("Pick which? Give keep= (a share), top= (a number) or above= (a score).")
    if keep is not None and not (is_number(keep) and 0 < keep <= 1):
        raise BadSpec(f"keep= is a share above 0 and at most 1, such as 0.1 (--keep 10%), got {keep!r:.80}.")
    if above is not None and not isinstance(above, (int, float, np.number)):
        raise BadSpec(f"above= is a score, got {above!r:.80}.")
    top = None if top is None else as_whole(top, "top=")
    scores = as_numbers(scores, "Scores").astype(np.float64)
    scored = np.flatnonzero(~np.isnan(scores))
    rows = scored[np.argsort(-scores[scored], kind="stable")]
    if keep is not None:
        rows = rows[: max(1, int(np.floor(keep * len(scored) + 0.5)))]
    rows = rows[:top]
    if above is not None:
        rows = rows[scores[rows] >= above]
    if sample is None:
        return rows
    if not 1 <= as_whole(sample, "sample=", 0) <= len(rows):
        raise BadSpec(f"{len(rows)} pictures are kept; {sample} of them cannot be drawn. Keep more, or draw fewer.")
    return rows[np.sort(np.random.default_rng(as_seed(seed)).permutation(len(rows))[:sample])]


def write_picked(
    folder: str | Path,
    pictures: Mapping[str, Path | Callable[[], bytes]],
    columns: Mapping[str, Sequence[float]],
    how: str = "copy",
) -> Path:
    """Picked pictures in a new folder, and `folder/picked.csv` (image, and `columns`), in their order.

    Parameters
    ----------
    folder : path
        It appears whole, and one that holds anything is never touched.
    pictures : mapping of str to path or callable
        By name the file, or for one that lies in an archive a function that reads it; that is written out, whatever
        `how` says.
    columns : mapping of str to sequence
        Of the table, a value a picture.
    how : "copy", "hardlink", "symlink" or "list"
        The last writes the table alone, with the files' own paths.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    BadSource
        When the folder is not empty, or two pictures would have one name.
    BadSpec
    """
    folder = Path(folder)
    if how not in HOWS:
        raise BadSpec(f"Pictures are placed by {', '.join(HOWS)}; got {how!r}.")
    check_new(folder)
    partial = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
    partial.mkdir(parents=True)
    try:
        names = []
        for name, origin in pictures.items():
            if how == "list":
                names.append(str(origin.resolve()) if isinstance(origin, Path) else name)
            else:
                names.append(below(name))
                _place(origin, partial / names[-1], how)
        (partial / "picked.csv").write_text(as_csv({"image": names, **columns}), encoding="utf-8")
        if folder.is_dir():
            folder.rmdir()  # empty, as was seen above; else this fails and nothing is lost
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def check_new(folder: Path) -> None:
    """Raise `BadSource` where something is in the way of a new folder."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadSource(f"{folder} is there already and is never overwritten; give another folder, or move it away.")


def below(name: str) -> str:
    """A place below a folder: a table may name pictures elsewhere.

    >>> below("../runs/a.png"), below("C:/a.png"), below("/a/./b.png")
    ('up/runs/a.png', 'C/a.png', 'a/b.png')
    """
    parts = [part for part in name.replace(":", "").split("/") if part not in ("", ".")]
    return "/".join("up" if part == ".." else part for part in parts)


def _place(origin: Path | Callable[[], bytes], target: Path, how: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        raise BadSource(f"Two of the picked pictures would be called {target.name!r}; use how='list'.")
    if not isinstance(origin, Path):
        target.write_bytes(origin())
    elif how == "copy":
        shutil.copyfile(origin, target)
    elif how == "symlink":
        os.symlink(origin.resolve(), target)
    else:
        os.link(origin, target)
