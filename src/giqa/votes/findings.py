"""What human judgements say: every table of statistics that the votes at hand allow, and the report that shows them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadSpec
from ..stats import RESAMPLES, Estimate, beta_interval, plain
from . import agreement as a
from . import curves
from .aggregation import Strengths, bradley_terry, dawid_skene, groups_of
from .crossed_error import crossed_error
from .gate import control_accuracy, passed, without_controls
from .gate_table import Gate, gate_table
from .hype import Comparison, Hype, compare, hype
from .labels import Counts, Pairs, Ratings, Sittings, Votes
from .layer6 import read_people
from .mixed_model import PeopleModel
from .power import Spread, spread
from .sittings import error_rates, sittings

K = 5  # raters whose mean the reliability is of
FEW = 5  # evaluators, below which `cautions` says so
FIT = 10  # pictures that the beta distribution of a group is fitted to
MODEL_CELLS = 40_000_000  # pictures x evaluators up to which the model of both is fitted: 640 MB


@dataclass(frozen=True)
class Options:
    """What `judge` is asked for; see there."""

    gate: float | None = None
    versus: tuple[str, str] | None = None
    resamples: int = RESAMPLES
    seed: int = 0
    interval: str = "student"

    @property
    def interval_by(self) -> dict[str, Any]:
        """What the functions of `giqa.votes.hype` take."""
        return {"resamples": self.resamples, "seed": self.seed, "interval": self.interval}


@dataclass(frozen=True)
class Agreement:
    """How far raters agree on pictures of one kind; the names are those of `giqa.votes.agreement`.

    Parameters
    ----------
    what : str
        The kind: generated, real or unknown kind.
    pictures, votes : int
        How many.
    agreement, ceiling, reliability : Estimate
        `pairwise_agreement`, `best_accuracy` and `reliability`.
    alpha, within_generator : float
        `krippendorff_alpha` and `within_generator_reliability`.
    majority : float
        The accuracy of always saying what most votes say; a useful predictor lies between it and `ceiling`.
    """

    what: str
    pictures: int
    votes: int
    agreement: Estimate
    alpha: float
    majority: float
    ceiling: Estimate
    reliability: Estimate
    within_generator: float


@dataclass(frozen=True, eq=False)
class Pictures:
    """One row a picture: what its votes say of it, shrunk towards the others where they are few."""

    image: np.ndarray
    kind: np.ndarray
    generator: np.ndarray
    n: np.ndarray
    n_real: np.ndarray
    p_real: np.ndarray
    low: np.ndarray
    high: np.ndarray
    dawid_skene: np.ndarray  # NaN where the votes have no raters


@dataclass(frozen=True, eq=False)
class Findings:
    """All that one table of judgements says; what it cannot say is empty or None.

    Parameters
    ----------
    name : str
        Of the table.
    kind : str
        "votes", "counts", "sittings", "pairs" or "ratings".
    rows, evaluators : int
        How many; evaluators are those who count.
    hype : tuple of Hype
        Error rates of each generator, the highest first.
    crossed : mapping
        Generator -> error rate with an interval over evaluators and pictures.
    comparison : Comparison or None
        Of the two generators that were asked for.
    spread : Spread or None
        What decides how many evaluators it takes.
    agreement : tuple of Agreement
        Of generated pictures and of reals, each by themselves.
    gates : tuple of Gate
        How the error rate moves with the gate.
    gated_out : int
        Evaluators below the gate.
    without_controls : int or None
        Raters who count and were asked no quality control; None: no rater was asked any.
    times : tuple of Times
        Response times.
    exposures : tuple of Exposures
        HYPE-time of each generator.
    psychometric, learning : tuple of Point
        Right answers by exposure, and errors by trial.
    effects, contexts : mapping
        What decides an answer, by name.
    pictures : Pictures or None
        One row a picture.
    strengths : Strengths or None
        Of pairs.
    groups : int
        Of pictures in pairs, between which there is no vote; 1 where all can be compared, directly or by way of others.

    Examples
    --------
    >>> from giqa.tables.table import Table
    >>> from giqa.votes import as_labels
    >>> table = Table("ratings", {"image": ["a", "a", "b", "b"], "rater": [*"rsrs"], "rating": [4, 5, 1, 2]})
    >>> findings(as_labels(table)).effects["mean"]
    3.0
    """

    name: str
    kind: str
    rows: int
    evaluators: int
    hype: tuple[Hype, ...] = ()
    crossed: Mapping[str, Estimate] = dataclasses.field(default_factory=dict)
    comparison: Comparison | None = None
    spread: Spread | None = None
    agreement: tuple[Agreement, ...] = ()
    gates: tuple[Gate, ...] = ()
    gated_out: int = 0
    without_controls: int | None = None
    times: tuple[curves.Times, ...] = ()
    exposures: tuple[curves.Exposures, ...] = ()
    psychometric: tuple[curves.Point, ...] = ()
    learning: tuple[curves.Point, ...] = ()
    effects: Mapping[str, float] = dataclasses.field(default_factory=dict)
    contexts: Mapping[str, float] = dataclasses.field(default_factory=dict)
    pictures: Pictures | None = None
    strengths: Strengths | None = None
    groups: int = 0

    def __repr__(self) -> str:
        """What it is of, the error rate of each generator, how far raters agree, and the cautions, one a line."""
        who = f" by {self.evaluators} evaluators" if self.evaluators else ""
        rates = (f"{row.generator or 'generated'}: error rate {row.error}" for row in self.hype)
        agree = (f"{row.what}, {row.pictures} pictures: raters agree {row.agreement}" for row in self.agreement)
        return "\n".join(
            [f"<giqa.votes.Findings of {self.name}: {self.rows} {self.kind}{who}>", *rates, *agree, *self.cautions()]
        )

    def cautions(self) -> tuple[str, ...]:
        """What a reader of the figures must know, in words: evaluators who are too few, or were never checked."""
        said = []
        if self.without_controls:
            said.append(f"asked no quality control, so that they pass every gate: {self.without_controls} raters")
        few = [(row.generator or "generated", row.error.n) for row in self.hype if 0 < row.error.n < FEW]
        alone = [name for name, n in few if n == 1]
        if alone:
            said.append(f"no interval of {', '.join(alone)}: fewer than 2 raters; one says nothing of others")
        wide = [f"{name} ({n})" for name, n in few if n > 1]
        if wide:
            said.append(f"few raters of {', '.join(wide)}: the intervals hold, but are wide; ask {FEW} or more")
        if self.groups > 1:
            said.append(
                f"pictures fall into {self.groups} groups between which nobody compared: strengths compare within a "
                "group only"
            )
        return tuple(said)

    def plain(self) -> dict[str, Any]:
        """Everything but the rows of pictures, for JSON."""
        said = {name: value for name, value in vars(self).items() if name != "pictures"}
        return plain(said | {"cautions": self.cautions()})


def judge(
    where: str | Path,
    *,
    gate: float | None = None,
    versus: tuple[str, str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    interval: str = "student",
) -> list[Findings]:
    """The statistics of a table of judgements, or of every table in a folder; see docs/people.md for what each means.

    Parameters
    ----------
    where : path
        A file, or a folder of tables.
    gate : float or None
        Evaluators with less than this share of right answers on quality-control pictures do not count (the rule is
        `giqa.votes.gate.passes`); None: all count.
    versus : tuple of two str, or None
        Two generators to compare.
    resamples, seed : int
        Of the bootstrap.
    interval : "student" or "paper"
        Of HYPE; see `giqa.votes.hype.hype`.

    Returns
    -------
    list of Findings
        One for each table.

    Raises
    ------
    BadSpec
        When a gate or a comparison is asked of a table that cannot have it.
    BadTable, BadShape, MissingSource

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "votes.csv"
    >>> _ = file.write_text("image,n,n_real,kind\\na,4,1,generated\\nb,4,3,generated\\n")
    >>> [(table.kind, table.rows, table.agreement[0].votes) for table in judge(file)]
    [('counts', 2, 8)]
    """
    if versus is not None and not (isinstance(versus, (list, tuple)) and len(versus) == 2):
        raise BadSpec(f"versus are the names of two generators, got {versus!r:.80}.")
    options = {"gate": gate, "versus": versus, "resamples": resamples, "seed": seed, "interval": interval}
    return [findings(labels, name, **options) for name, labels in read_people(where).items()]


def findings(labels: Votes | Counts | Sittings | Pairs | Ratings, name: str = "", **options: Any) -> Findings:
    """The statistics of one table of judgements.

    Parameters
    ----------
    labels : Votes, Counts, Sittings, Pairs or Ratings
        The judgements.
    name : str
        Of the table.
    **options
        `gate`, `versus`, `resamples`, `seed` and `interval` as in `judge`.

    Returns
    -------
    Findings

    Raises
    ------
    BadSpec
        As `judge`.
    BadShape

    Examples
    --------
    >>> pairs = Pairs(*map(np.array, (["a"], ["b"], [3.0], [1.0], [""])))
    >>> findings(pairs).strengths.name.tolist()
    ['a', 'b']
    """
    options = Options(**options)
    if options.gate is not None and not isinstance(labels, Votes):
        raise BadSpec("A gate needs single votes (image,rater,said_real) with a column 'control'.")
    if isinstance(labels, Votes):
        return _of_votes(labels, name, options)
    if isinstance(labels, Sittings):
        return Findings(name, "sittings", len(labels), len(np.unique(labels.rater)), **_of_sittings(labels, options))
    if isinstance(labels, Counts):
        return Findings(name, "counts", len(labels), 0, agreement=_agreement(labels), pictures=_counted(labels))
    if isinstance(labels, Ratings):
        return _of_ratings(labels, name)
    raters = len(np.unique(labels.rater[labels.rater != ""]))
    return Findings(name, "pairs", len(labels), raters, strengths=bradley_terry(labels), groups=groups_of(labels))


def _of_sittings(sat: Sittings, options: Options) -> dict[str, Any]:
    rated = sat.generator[~np.isnan(error_rates(sat))]  # by who saw fakes and reals
    enough = any(np.sum(rated == generator) > 1 for generator in np.unique(rated))
    return {
        "hype": tuple(hype(sat, **options.interval_by)),
        "comparison": compare(sat, *options.versus, **options.interval_by) if options.versus else None,
        "spread": spread(sat) if enough else None,
    }


def _of_votes(votes: Votes, name: str, options: Options) -> Findings:
    gates = gate_table(votes, **options.interval_by)
    rows, raters, asked = len(votes), len(np.unique(votes.rater)), bool(control_accuracy(votes))
    if options.gate is not None:
        if not asked:
            raise BadSpec("A gate needs quality-control votes: a column 'control' with 1 in their rows.")
        votes = votes.rows(passed(votes, options.gate))
        if not len(votes):
            raise BadSpec(
                f"No rater passes a gate of {options.gate}: all answered less than that share of controls right."
            )
    left = len(np.unique(votes.rater))
    tables: dict[str, Any] = {}
    answered = curves.known(votes)
    if np.any(answered.kind == "generated"):
        tables = _of_sittings(sittings(votes), options)
        names = [row.generator for row in tables["hype"] if row.error.n]
        tables["crossed"] = {name: crossed_error(votes, name, options.resamples, options.seed) for name in names}
        tables |= {"psychometric": tuple(curves.psychometric_curve(votes))}
        tables |= {"learning": tuple(curves.learning_curve(votes)), "times": tuple(curves.response_times(votes))}
        tables |= {"exposures": tuple(curves.hype_time(votes))}
    counts = votes.counts()
    pictures, effects, contexts = _modelled(votes, counts)
    tables |= {"agreement": _agreement(counts), "pictures": pictures, "effects": effects, "contexts": contexts}
    about = {"gated_out": raters - left, "without_controls": without_controls(votes) if asked else None}
    return Findings(name, "votes", rows, left, gates=tuple(gates), **about, **tables)


def _of_ratings(ratings: Ratings, name: str) -> Findings:
    values, place = np.unique(ratings.rating, return_inverse=True)
    images, item = np.unique(ratings.image, return_inverse=True)
    table = np.zeros((len(images), len(values)))
    np.add.at(table, (item, place), 1)
    mean = np.bincount(item, ratings.rating) / np.bincount(item)
    effects = {"mean": float(mean.mean()), "alpha (interval)": a.krippendorff_alpha(table, values, "interval")}
    effects["alpha (ordinal)"] = a.krippendorff_alpha(table, values, "ordinal")
    if table.sum(axis=1).max() > 1 and len(images) > 1:
        effects[f"reliability of {K}"] = a.rating_reliability(item, ratings.rating, K)
    return Findings(name, "ratings", len(ratings), len(np.unique(ratings.rater)), effects=effects)


def _agreement(counts: Counts) -> tuple[Agreement, ...]:
    """Of generated pictures and of reals, each by themselves: together raters would agree on which is which."""
    found = []
    for kind, what in (("generated", "generated"), ("real", "real"), ("", "unknown kind")):
        of = counts.rows((counts.kind == kind) & (counts.n > 0))
        if not len(of) or of.n.max() < 2 or np.any(of.n % 1):
            continue
        n, real = of.n, of.n_real
        share = real.sum() / n.sum()
        group = of.generator if kind == "generated" else of.context
        found.append(
            Agreement(
                what,
                len(of),
                int(n.sum()),
                a.with_interval(a.pairwise_agreement, n, real),
                a.krippendorff_alpha(np.c_[real, n - real]),
                float(max(share, 1 - share)),
                a.with_interval(a.best_accuracy, n, real),
                a.with_interval(a.reliability, n, real),
                a.within_generator_reliability(n, real, group),
            )
        )
    return tuple(found)


def _counted(counts: Counts) -> Pictures:
    """Each picture's share, shrunk by the beta distribution of its generator's pictures where that can be fitted.

    Elsewhere, and where all votes of few pictures are alike, by a flat one: two votes for real are not certainty. That
    the beta is fitted too is not in the interval: with 60 pictures of 6 votes it holds 0.93 of the pictures' shares.
    """
    p, low, high = np.full((3, len(counts)), np.nan)
    groups = np.unique(np.rec.fromarrays([counts.kind, counts.generator]), return_inverse=True)[1]
    for group in np.unique(groups):
        of = groups == group
        n, real = counts.n[of], counts.n_real[of]
        fits = n.max() > 1 and not np.any(n % 1) and len(n) >= FIT and 0 < real.sum() < n.sum()
        alpha, beta = a.fit_beta(n, real) if fits else (1.0, 1.0)
        p[of] = (alpha + real) / (alpha + beta + n)
        low[of], high[of] = np.transpose([beta_interval(alpha + r, beta + m - r) for m, r in zip(n, real, strict=True)])
    nothing = np.full(len(p), np.nan)
    return Pictures(counts.image, counts.kind, counts.generator, counts.n, counts.n_real, p, low, high, nothing)


def _modelled(votes: Votes, counts: Counts) -> tuple[Pictures, dict[str, float], dict[str, float]]:
    """Each picture by the picture-evaluator-context model, and what that says of evaluators and contexts."""
    asked = votes.rows(~votes.control)
    counted = _counted(counts)
    cells = len(np.unique(asked.image)) * len(np.unique(asked.rater))
    if len(np.unique(asked.said_real)) < 2 or cells > MODEL_CELLS:
        return counted, {}, {}
    model = PeopleModel().fit(asked)
    row = np.searchsorted(model.images_, counts.image)
    p, low, high = (column[row] for column in model.p_real())
    labels = dawid_skene(asked)
    counted = dataclasses.replace(counted, p_real=p, low=low, high=high, dawid_skene=labels.p_real[row])
    effects = {f"{what} (sd in logits)": sd for what, sd in model.sd_.items()}
    contexts = dict(zip(model.contexts_.tolist(), model.context_.tolist(), strict=True))
    if len(contexts) < 2:
        effects.pop("context (sd in logits)")
    return counted, effects, contexts if len(contexts) > 1 else {}
