"""What a report shows of scored pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadShape, BadSpec
from ..explain.worst_pictures import Explained
from ..model.headline import Headline

COLUMNS = ("score", "z", "percentile", "z_low", "z_high")
PEOPLE = ("p_real", "p_real_low", "p_real_high")  # where a human model was asked
DETAIL = "detail"  # where the model knows it of its reals
TEXT = ("text_quality", "text_quality_low", "text_quality_high", "n_text", "text_error")  # where text was looked for
FLAGS = ("duplicate_of", "out_of_domain", "error", "notes", "reason", "text_box", "text_read")
WORDS = ("out_of_domain", "reason", "text_box")  # of FLAGS: a few fixed words, or numbers


@dataclass(frozen=True)
class Neighbour:
    """A real picture near a scored one: its row in `Report.real_ids`, and how far away it is."""

    real: int
    distance: float


@dataclass(frozen=True)
class Unshown:
    """The pictures of the set that are not in the gallery, but count in the figures, the chart and the ranks.

    Parameters
    ----------
    score, z, percentile : float64 array (m,)
        NaN where failed.
    copies : int
        How many of them copy a real.
    foreign, unclear : int
        How many are out of domain, and of how many that cannot be said since they look damaged.
    shown_are : str
        Which are shown, in words.
    """

    score: np.ndarray
    z: np.ndarray
    percentile: np.ndarray
    copies: int = 0
    foreign: int = 0
    unclear: int = 0
    shown_are: str = ""

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """The numbers by name, as in `Report`."""
        return {"score": self.score, "z": self.z, "percentile": self.percentile}


@dataclass(frozen=True)
class Report:
    """What the report shows of n scored pictures; a sequence has an item a picture, or is empty.

    Parameters
    ----------
    title : str
        Of the page.
    ids : sequence of n str
        The pictures' names.
    columns : mapping of str to float64 array (n,)
        `score`, and of `COLUMNS`, `PEOPLE`, `DETAIL` and `TEXT` what is known; NaN where failed.
    n_real : int
        How many reals they are compared with.
    flags : mapping of str to sequence of str
        Of `FLAGS`: a text a picture, "" = none (`out_of_domain` is "yes" or "no", and says nothing where all are
        empty).
    held_out_z : float array (m,)
        z of the held-out reals.
    thumbnails : sequence of bytes or None
        What `giqa.images.thumbnail.thumbnail` makes.
    neighbours : sequence of sequences of Neighbour
        The nearest reals of each.
    real_ids : sequence of str
        Names of the reals that neighbours point to.
    real_thumbnails : mapping of int to bytes
        By their rows.
    made_by : mapping
        How the scores were made: anything that JSON can say.
    headline : Headline or None
        Of the whole set; None: that of the columns.
    mean_p_real : float or None
        Of the whole set; None: the mean of the column.
    rank_low, rank_high : int array (n,)
        Interval of the rank of each in the whole set, or empty.
    explained : mapping of int to Explained
        Maps by row.
    unshown : Unshown or None
        The pictures that count and are not shown.
    cautions : sequence of str
        Why p_real should not be believed; it is then next to each picture, and no headline.

    Examples
    --------
    >>> report = Report("fakes", ["a.png", "b.png"], {name: np.array([0.5, -3.0]) for name in COLUMNS}, n_real=100)
    >>> len(report.ids), report.flags
    (2, {})
    """

    title: str
    ids: Sequence[str]
    columns: Mapping[str, np.ndarray]
    n_real: int
    flags: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    held_out_z: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0))
    thumbnails: Sequence[bytes | None] = ()
    neighbours: Sequence[Sequence[Neighbour]] = ()
    real_ids: Sequence[str] = ()
    real_thumbnails: Mapping[int, bytes] = dataclasses.field(default_factory=dict)
    made_by: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    headline: Headline | None = None
    mean_p_real: float | None = None  # of the whole set, if more than the mean of the column is to be said
    rank_low: Sequence[int] | np.ndarray = ()
    rank_high: Sequence[int] | np.ndarray = ()
    explained: Mapping[int, Explained] = dataclasses.field(default_factory=dict)  # by row
    unshown: Unshown | None = None
    cautions: Sequence[str] = ()  # why p_real should not be believed; it is then next to each picture, and no headline


def check(report: Report) -> None:
    """Columns, flags and neighbours fit the ids.

    Raises
    ------
    BadSpec
        When it is no report.
    BadShape
        When they do not.
    """
    if not isinstance(report, Report):
        raise BadSpec(f"A giqa.report.Report is written, got {report!r:.80}.")
    n = len(report.ids)
    ranks = {"rank_low": report.rank_low, "rank_high": report.rank_high}
    pictures = {"thumbnails": report.thumbnails, "neighbours": report.neighbours}
    parts = {**report.columns, **report.flags, **ranks, **pictures}
    for name, values in parts.items():
        if len(values) != n and (len(values) or name in COLUMNS):
            raise BadShape(f"the report has {n} ids but {len(values)} {name}; give one for each picture")
    if "score" not in report.columns:
        raise BadShape(f"the report needs a column 'score', got {sorted(report.columns)}")
    if report.unshown and len(set(map(len, report.unshown.columns.values()))) > 1:
        raise BadShape("the columns of the pictures that are not shown differ in length")
    rows = {near.real for nearest in report.neighbours for near in nearest}
    if rows and not 0 <= min(rows) <= max(rows) < len(report.real_ids):
        raise BadShape(f"neighbours name real rows {min(rows)} to {max(rows)}, but there are {len(report.real_ids)}")
