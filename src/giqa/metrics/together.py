"""Several metrics of the same two sets in one go: what they share, and what one set decides alone, is computed once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..errors import BadSpec
from ..registry import checked
from .blocks import as_pair, as_set
from .metric import Metric, one_by_one
from .neighbours import nearest_others
from .prdc import Balls, Neighbourhoods, OfNeighbours

LIGHT = 2**26  # bytes of a set and of two covariances: heavier reals are forgotten with the call that brought them


class Together(Metric):
    """Metrics as one that gives all their numbers, float64 (p,): what the reals alone decide on is computed once.

    Parameters
    ----------
    metrics : sequence of callable
        Each is called as (real, fake) and gives a float.
    known : dict or None, default None
        What was computed of reals, by metric and reals; give the same one to several, and they share it. Reals of 64 MB
        and more are not kept in it.

    Examples
    --------
    >>> from giqa.metrics.prdc import Precision, Recall
    >>> x = np.random.default_rng(0).normal(size=(50, 2))
    >>> of_reals = Together([Precision(k=3), Recall(k=3)]).against(x)
    >>> of_reals(x).tolist(), of_reals(x + 99).tolist()
    ([1.0, 1.0], [0.0, 0.0])
    """

    def __init__(self, metrics: Sequence[Any], known: dict[Any, Any] | None = None):
        if not isinstance(metrics, (list, tuple)):
            raise BadSpec(f"metrics are a list of objects that are called as (real, fake), got {metrics!r:.80}.")
        self.metrics, self.known = [checked("metric", each) for each in metrics], {} if known is None else known
        ks = [metric.k for metric in self.metrics if isinstance(metric, OfNeighbours) and not metric.any_k]
        self.one_k = ks[0] if ks else None
        self.last: tuple[np.ndarray, dict[Any, Any]] | None = None  # the latest fakes, and what they alone decide on

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        """The number of each metric, in their order."""
        return self.against(real)(fake)

    def against(self, real: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        real = as_set(real, "real")
        light = real.nbytes + 16 * real.shape[-1] ** 2 <= LIGHT
        known = self.known if light else {}
        key = hashlib.blake2b(np.ascontiguousarray(real), digest_size=16).digest() if light else b""
        return partial(self._of, real, known, (key, real.shape, real.dtype.str))

    def left_out(self, real: np.ndarray, fake: np.ndarray, kept: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
        able = [isinstance(m, Metric) and type(m).left_out is not Metric.left_out for m in self.metrics]
        others = Together([m for m, own in zip(self.metrics, able, strict=True) if not own], self.known)
        others.last = self.last
        found = [np.empty((len(rows), len(self.metrics))) for rows in kept]
        for side, values in enumerate(one_by_one(others.against, real, fake, kept)):
            found[side][:, ~np.array(able, bool)] = values
        for at in np.flatnonzero(able):
            for side, values in enumerate(self.metrics[at].left_out(real, fake, kept)):
                found[side][:, at] = values
        return found

    def _of(self, real: np.ndarray, known: dict[Any, Any], key: Any, fake: np.ndarray) -> np.ndarray:
        if self.last is None or self.last[0] is not fake:
            self.last = fake, {}
        of_fakes, found = self.last[1], []
        around: dict[int, Neighbourhoods] = {}
        for metric in self.metrics:
            if isinstance(metric, OfNeighbours):
                k = self.one_k if metric.any_k and self.one_k is not None else metric.k
                if k not in around:
                    around[k] = _neighbourhoods(real, fake, k, (known, key), of_fakes)
                found.append(metric.read(around[k]))
            elif isinstance(metric, Metric) and metric.of_fakes:
                if id(metric) not in of_fakes:
                    of_fakes[id(metric)] = float(metric(real, fake))
                found.append(of_fakes[id(metric)])
            else:
                own = id(metric), key
                if own not in known:
                    known[own] = metric, metric.against(real) if isinstance(metric, Metric) else partial(metric, real)
                found.append(float(known[own][1](fake)))
        return np.array(found)


def _neighbourhoods(
    real: np.ndarray, fake: np.ndarray, k: int, known: tuple[dict[Any, Any], Any], of_fakes: dict[Any, Any]
) -> Neighbourhoods:
    """`giqa.metrics.prdc.neighbourhoods`, bit for bit, from what is known of each set."""
    real, fake = as_pair(real, fake)
    balls, own = known[0], ("balls", k, known[1])
    if own not in balls:
        balls[own] = Balls(real, k)
    near = "near", k
    if near not in of_fakes:
        of_fakes[near] = nearest_others(fake, k)
    return balls[own].neighbourhoods(fake, of_fakes[near])


def evaluate(metrics: Sequence[Any], real: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """The number of each metric; neighbourhoods are computed once for all metrics that share k.

    Parameters
    ----------
    metrics : sequence of callable
        Each is called as (real, fake) and gives a float.
    real : ndarray of shape (n, d)
        Features of reals.
    fake : ndarray of shape (m, d)
        Features of fakes.

    Returns
    -------
    float64 ndarray of shape (p,)
        In the order of the metrics.

    Examples
    --------
    >>> from giqa.metrics.prdc import Precision, Recall
    >>> x = np.random.default_rng(0).normal(size=(50, 2))
    >>> evaluate([Precision(k=3), Recall(k=3)], x, x).tolist()
    [1.0, 1.0]
    """
    return Together(metrics)(real, fake)
