"""What every metric of two sets says of itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np

QUALITY, DIVERSITY, BOTH, MEMORY = "quality", "diversity", "both", "memory"


class Metric:
    """One number for two sets of features: called as metric(real (n, d), fake (m, d)) -> float.

    `giqa.registry.complete` gives these defaults to the metrics of third parties, which inherit nothing.

    Subclasses are frozen dataclasses: their fields are parameters, what they say of themselves are class variables.

    ============= ============================================================================================
    says          meaning
    ============= ============================================================================================
    about         "quality", "diversity", "both" or "memory" (copies of reals)
    is_distance   lower = better; else higher = better
    ranks         more of it is better, or less of a distance; False: it says nothing about better or worse
    share_of      "real" or "fake": it is a share of these, 0 to 1; None: no share
    least         it is never below this, and neither is its interval
    by_size       it depends on the number of fakes, so that only equally many can be compared
    of_fakes      reals have no part in it
    ============= ============================================================================================

    Examples
    --------
    >>> class Shift(Metric):
    ...     is_distance = True
    ...     def __call__(self, real, fake):
    ...         return float(abs(real.mean() - fake.mean()))
    >>> Shift()(np.zeros((3, 2)), np.ones((3, 2))), Shift.about, Shift().trouble(3, 3, 2)
    (1.0, 'both', '')
    """

    about: ClassVar[str] = BOTH
    is_distance: ClassVar[bool] = False
    ranks: ClassVar[bool] = True
    share_of: ClassVar[str | None] = None
    least: ClassVar[float] = -math.inf
    by_size: ClassVar[bool] = True
    of_fakes: ClassVar[bool] = False

    def __call__(self, real: np.ndarray, fake: np.ndarray) -> float:
        """The number.

        Parameters
        ----------
        real : ndarray of shape (n, d)
            Features of reals.
        fake : ndarray of shape (m, d)
            Features of fakes.

        Returns
        -------
        float
            In the unit of the metric.
        """
        raise NotImplementedError(f"{type(self).__name__} needs __call__(real, fake)")

    def against(self, real: np.ndarray) -> Callable[[np.ndarray], float]:
        """The metric of these reals, to be called with several sets of fakes.

        Parameters
        ----------
        real : ndarray of shape (n, d)
            Features of reals.

        Returns
        -------
        callable
            Of fakes (m, d): the same number as that of both. What depends on the reals alone is computed once where the
            metric can.
        """
        return partial(self, real)

    def among(self, real: np.ndarray, fake: np.ndarray) -> Callable[[np.ndarray], float]:
        """The metric of these reals and of some of these fakes, to be called with several choices of them.

        Parameters
        ----------
        real : ndarray of shape (n, d)
            Features of reals.
        fake : ndarray of shape (m, d)
            Features of all fakes.

        Returns
        -------
        callable
            Of rows, int (k,): the number of both sets but for rounding. What does not depend on the choice is computed
            once where the metric can.
        """
        known = self.against(real)
        return lambda rows: known(fake[rows])

    def left_out(self, real: np.ndarray, fake: np.ndarray, kept: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
        """The metric without some reals, and without some fakes, as the jackknife asks for it.

        Parameters
        ----------
        real : ndarray of shape (n, d)
            Features of reals.
        fake : ndarray of shape (m, d)
            Features of fakes.
        kept : pair of lists of bool ndarray of shape (n,), and of shape (m,)
            The reals that stay, in turn, and the fakes that do. What one choice leaves out, no other does.

        Returns
        -------
        list of two float64 ndarrays of shape (choices,), or (choices, p) of p numbers
            The numbers of the reals that stay beside all fakes, and of all reals beside the fakes that stay; those of
            both sets but for rounding.
        """
        return one_by_one(self.against, real, fake, kept)

    def trouble(self, n: int, m: int, d: int) -> str:
        """Why the number should not be trusted, in words; empty where nothing is wrong.

        Parameters
        ----------
        n, m, d : int
            Numbers of reals, of fakes, and of columns.

        Returns
        -------
        str
            A reason, or "".
        """
        return ""


def one_by_one(
    against: Callable[[np.ndarray], Callable[[np.ndarray], Any]],
    real: np.ndarray,
    fake: np.ndarray,
    kept: Sequence[Sequence[np.ndarray]],
) -> list[np.ndarray]:
    """`Metric.left_out` of any metric: it is computed anew for each choice.

    Parameters
    ----------
    against : callable
        Takes reals and returns a callable of fakes.
    real, fake, kept
        As `Metric.left_out` takes them.
    """
    known = against(real)
    return [
        np.array([against(real[rows])(fake) for rows in kept[0]], float),
        np.array([known(fake[rows]) for rows in kept[1]], float),
    ]
