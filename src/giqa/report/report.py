"""One self-contained HTML file: how the pictures compare with real ones, best to worst, and how that was measured."""

from __future__ import annotations

import os
from pathlib import Path

from ..files import replace_file
from .page import html_of
from .privacy import cleared
from .result import Report, check


def write_report(
    path: str | os.PathLike[str],
    report: Report,
    *,
    show_reals: bool = True,
    show_thumbnails: bool = True,
    show_paths: bool = True,
) -> Path:
    """Write a report as one HTML file that opens offline, atomically.

    Parameters
    ----------
    path : path
        Its folder is made where it is not there.
    report : Report
    show_reals : bool
        False keeps every id, picture and distance of a real out of the file.
    show_thumbnails : bool
        False keeps every picture out of it.
    show_paths : bool
        False keeps every id (its row number stands instead) and every path out of it.

    Returns
    -------
    Path

    Raises
    ------
    BadShape
        When columns, flags or neighbours do not fit the ids.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from giqa.report.result import COLUMNS
    >>> report = Report("fakes", ["a.png", "b.png"], {name: np.array([0.5, -3.0]) for name in COLUMNS}, n_real=100)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     "a.png" in write_report(f"{folder}/report.html", report, show_paths=False).read_text()
    False
    """
    check(report)
    report = cleared(report, show_reals, show_thumbnails, show_paths)
    return replace_file(path, html_of(report))
