"""Whether a training has settled: how much a distance still changes along the line through its last quarter."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import BadShape
from ..types import as_numbers

QUARTER = 0.75
FEWEST = 3  # places in the last quarter that a line with an error needs


def change_over_last_quarter(steps: Any, values: Any) -> tuple[float, float]:
    """The relative change over the last quarter of a training, and its standard error.

    A line is fitted by least squares to the places from 3/4 of the last step on; its change from there to the last step
    is divided by the mean of these values. A single pair of places would say how noisy the metric is, a line says
    whether
    it still falls.

    Parameters
    ----------
    steps : array (n,)
        Of the training.
    values : array (n,)
        A distance or another metric at each.

    Returns
    -------
    tuple of float
        Change and standard error. A training has settled, as giqa uses the word, when the change is below 0.02 either
        way; an error of that size says that nothing is known.

    Raises
    ------
    BadShape
        With fewer than 3 places in the last quarter.

    Examples
    --------
    >>> change, error = change_over_last_quarter([0, 75, 80, 90, 100], [9., 4.0, 4.0, 4.0, 4.0])
    >>> round(abs(change), 9), round(error, 9)
    (0.0, 0.0)
    """
    steps, values = as_numbers(steps, "Steps").astype(float), as_numbers(values, "Values").astype(float)
    if len(steps) != len(values):
        raise BadShape(f"Each step needs a value: {len(steps)} steps, {len(values)} values.")
    late = steps >= QUARTER * steps.max() if len(steps) else np.zeros(0, bool)
    if late.sum() < FEWEST:
        raise BadShape(f"The last quarter has {int(late.sum())} places, a line needs {FEWEST}; measure more of them.")
    x, y = steps[late] - steps[late].mean(), values[late]
    slope = (x @ y) / (x @ x)
    rest = y - y.mean() - slope * x
    error = np.sqrt((rest @ rest) / (len(x) - 2) / (x @ x))
    scale = (1 - QUARTER) * steps.max() / y.mean()
    return float(slope * scale), float(error * abs(scale))
