"""What every metric of two sets says of itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

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
