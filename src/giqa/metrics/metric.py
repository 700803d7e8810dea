"""What every metric of two sets says of itself; foreign metrics are completed here, once, at the door."""

from __future__ import annotations

from copy import copy
from types import MethodType
from typing import Any, ClassVar

import numpy as np

QUALITY, DIVERSITY, BOTH, MEMORY = "quality", "diversity", "both", "memory"


class Metric:
    """One number for two sets of features: called as metric(real (n, d), fake (m, d)) -> float.

    Subclasses are frozen dataclasses: their fields are parameters, what they say of themselves are class variables.

    ============= ============================================================================================
    says          meaning
    ============= ============================================================================================
    about         "quality", "diversity", "both" or "memory" (copies of reals)
    is_distance   lower = better; else higher = better
    ranks         more of it is better, or less of a distance; False: it says nothing about better or worse
    share_of      "real" or "fake": it is a share of these, 0 to 1; None: no share
    by_size       it depends on the number of fakes, so that only equally many can be compared
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


OFFERED = ("about", "is_distance", "ranks", "share_of", "by_size", "trouble")


def as_metric(metric: Any) -> Any:
    """A metric that says everything `Metric` does; the only place where foreign metrics are completed.

    Parameters
    ----------
    metric : callable
        A `Metric`, or any object that is called as (real, fake) and gives a float.

    Returns
    -------
    callable
        A `Metric` as it is; of anything else a copy with the defaults of what it lacks.

    Examples
    --------
    >>> class Shift:
    ...     def __call__(self, real, fake):
    ...         return float(abs(real.mean() - fake.mean()))
    >>> made = as_metric(Shift())
    >>> made.is_distance, made.by_size, made.trouble(10, 10, 4)
    (False, True, '')
    """
    if isinstance(metric, Metric):
        return metric
    made = copy(metric)  # its class, and so its name in files, stays
    for name in OFFERED:
        if not hasattr(made, name):
            value = getattr(Metric, name)
            object.__setattr__(made, name, MethodType(value, made) if callable(value) else value)  # also if frozen
    return made
