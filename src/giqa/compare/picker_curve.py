"""The picker's curve: FD, QS and DS against the share that is kept, next to truncation (GIQA, Table 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadShape, BadSpec
from ..metrics.blocks import as_pair
from ..metrics.frechet import Frechet
from ..metrics.jackknife import Jackknife, among, jackknifed
from ..metrics.quality import Diversity
from ..registry import as_seed, as_whole, checked
from ..stats import mean_z
from ..types import as_numbers
from .picker import pick

SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {"fd": Frechet(), "ds": Diversity()}
QS = "qs"
TRUNCATION = "truncation"  # a way that does not pick: each of its points is of other pictures


@dataclass(frozen=True, eq=False)
class Point:
    """Pictures that were kept in one way, and what the metrics say of them.

    Parameters
    ----------
    how : str
        The way.
    share : float
        Of all that was kept; of a truncated set, how far its latents were drawn to the middle.
    n : int
        How many were measured.
    values : mapping of str to Jackknife
        By metric.
    """

    how: str
    share: float
    n: int
    values: Mapping[str, Jackknife]


def picker_curve(
    real: Any,
    fake: Any,
    scores: Any,
    z: Any,
    *,
    how: str = "picker",
    shares: Sequence[float] = SHARES,
    sample: int | None = None,
    metrics: Mapping[str, Callable[[np.ndarray, np.ndarray], float]] | None = None,
    seed: int = 0,
) -> list[Point]:
    """A `Point` for each share: the best by `scores` are kept, and some of those measured against the reals.

    Parameters
    ----------
    real : array (n, d)
        Features of the reals.
    fake : array (m, d)
        Features of the pictures that are picked from.
    scores : array (m,)
        What picks; higher = better, NaN is never picked.
    z : array (m,)
        Its mean is QS. Take another scorer's, since by that which picks QS must rise.
    how : str
        What the way of picking is called.
    shares : sequence of float
        In (0, 1].
    sample : int or None
        How many are measured at every share, equally many since FD is biased by their number. None: as many as the
        smallest share keeps. They are drawn at random, one order for all shares, so that the sets overlap as far as
        they can.
    metrics : mapping of str to callable, or None
        Functions of (real, fake); None: FD and DS.
    seed : int
        Of that order, and of the groups.

    Returns
    -------
    list of Point

    Raises
    ------
    BadShape
        When scores, z and pictures are not equally many.
    BadSpec
        When fewer are kept than are to be measured.

    Notes
    -----
    Intervals: delete-a-group jackknife over reals and over fakes, which are picked anew each time; what QS owes to the
    reals that its scale is from is no part of it.

    References
    ----------
    Gu et al., "GIQA: Generated Image Quality Assessment", 2020, Table 3.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> real, fake = rng.normal(size=(200, 2)), rng.normal(size=(200, 2))
    >>> near = -(fake**2).sum(axis=1)
    >>> whole, half = picker_curve(real, fake, near, near, shares=(1., .5))
    >>> half.values["qs"].value > whole.values["qs"].value, half.values["ds"].value < whole.values["ds"].value, half.n
    (True, True, 100)
    """
    real, fake = as_pair(real, fake)
    scores, z = as_numbers(scores, "Scores").astype(float), as_numbers(z, "z").astype(float)
    if not len(fake) == len(scores) == len(z):
        raise BadShape(f"Each picture needs a score and a z: {len(fake)} pictures, {len(scores)}, {len(z)}.")
    shares, seed = as_numbers(shares, "Shares").tolist(), as_seed(seed)
    if metrics is not None and not isinstance(metrics, Mapping):
        raise BadSpec(f"metrics are functions of (real, fake) by name, got {metrics!r:.80}.")
    for metric in (metrics or {}).values():
        checked("metric", metric)
    fewest = min(len(pick(scores, keep=share)) for share in shares) if len(shares) else 0
    sample = fewest if sample is None else sample
    if not 1 <= as_whole(sample, "sample=", 0) <= fewest:
        raise BadSpec(f"The smallest share keeps {fewest} pictures; {sample} of them cannot be measured.")
    metrics, order = METRICS if metrics is None else metrics, np.random.default_rng(seed).permutation(len(fake))
    known: dict[bytes, list[Callable[[np.ndarray], float]]] = {}  # the metrics of all reals, and without each group
    points = []
    for share in shares:

        def values(reals: np.ndarray, fakes: np.ndarray, share: float = share) -> list[float]:
            rows = fakes[:, 0].astype(int)
            rows = drawn(scores, rows, share, round(sample * len(rows) / len(fake)), order)
            if (key := reals.tobytes()) not in known:
                known[key] = [among(metric, real[reals[:, 0].astype(int)], fake) for metric in metrics.values()]
            return [mean_z(z[rows]), *(metric(rows) for metric in known[key])]

        numbers = (np.arange(len(x), dtype=np.float64)[:, None] for x in (real, fake))
        estimates = jackknifed(values, *numbers, most=max(len(real), len(fake)), seed=seed)
        by_name = dict(zip((QS, *metrics), estimates, strict=True))
        by_name = {name: by_name[name] for name in sorted(by_name, key=lambda n: (n != "fd", n != QS))}
        points.append(Point(how, float(share), sample, by_name))
    return points


def drawn(scores: np.ndarray, rows: np.ndarray, share: float, sample: int, order: np.ndarray) -> np.ndarray:
    """Of `rows` the best share, and of those the `sample` that come first in `order`, a rank (m,) of each picture.

    >>> drawn(np.array([3., 1., 2., 4.]), np.array([0, 1, 2, 3]), 0.75, 2, np.array([3, 0, 1, 2])).tolist()
    [2, 3]
    """
    kept = rows[pick(scores[rows], keep=share)]
    return kept[np.argsort(order[kept])][:sample]


def truncated_curve(
    real: Any, sets: Mapping[float, tuple[Any, Any]], sample: int | None = None, **options: Any
) -> list[Point]:
    """A `Point` for each truncation; nothing is picked.

    Parameters
    ----------
    real : array (n, d)
        Features of the reals.
    sets : mapping of float to (array (m, d), array (m,))
        By truncation the pictures made with it, and their z.
    sample : int or None
        How many of every set are measured; None: as many as the smallest has.
    **options
        Of `picker_curve`.

    Returns
    -------
    list of Point
    """
    fewest = min((len(fake) for fake, _ in sets.values()), default=0)
    points = []
    for truncation, (fake, z) in sorted(sets.items(), reverse=True):
        every = np.zeros(len(fake))
        (point,) = picker_curve(real, fake, every, z, shares=(1.0,), sample=sample or fewest, **options)
        points.append(Point(TRUNCATION, float(truncation), point.n, point.values))
    return points


def latent_scores(latents: Any) -> np.ndarray:
    """How near each latent (m, d) is to the middle of them, (m,): minus its distance to the mean.

    >>> latent_scores(np.array([[0., 0.], [3., 4.], [-3., -4.]])).tolist()
    [-0.0, -5.0, -5.0]
    """
    latents = np.asarray(latents, float)
    if latents.ndim != 2 or not np.isfinite(latents).all():
        raise BadShape(f"Latents are finite numbers (n, d), a row a picture; got the shape {latents.shape}.")
    return -np.linalg.norm(latents - latents.mean(axis=0), axis=1)


def change(few: Point, whole: Point) -> dict[str, tuple[float, float, float]]:
    """By metric the difference `few` less `whole`, and its interval; those of all metrics hold together at 95 %.

    Pictures that are kept are among all, so both values are measured without the same groups of pictures (paired): what
    the pictures and the reals do to both cancels. It is narrower than the intervals of both values suggest.

    Parameters
    ----------
    few, whole : Point
        Of the same way.

    Returns
    -------
    dict of str to (difference, low, high)
        NaN ends where it is unknown.

    Examples
    --------
    >>> values = (Jackknife(v, np.zeros(10), np.tile([-0.1, 0.1], 5)) for v in (2.0, 3.0))
    >>> few, whole = (Point("picker", share, 60, {"qs": one}) for share, one in zip((0.5, 1.0), values))
    >>> change(few, whole)
    {'qs': (-1.0, -1.0, -1.0)}
    """
    gaps = {}
    for name in few.values:
        a, b = few.values[name], whole.values[name]
        gap = Jackknife(a.value - b.value)
        if len(a.real) == len(b.real) and len(a.fake) == len(b.fake):
            gap = Jackknife(gap.value, a.real - b.real, a.fake - b.fake, n=few.n)
        gaps[name] = (gap.value, *gap.interval(1 - 0.05 / len(few.values)))  # Bonferroni
    return gaps
