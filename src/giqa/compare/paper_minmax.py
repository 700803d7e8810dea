"""The scale of the GIQA paper's Table 2 and Fig. 4: raw scores between 0 and 1 within one comparison; not portable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

NOT_PORTABLE = (
    "paper_minmax: mean raw score, 0 for the worst and 1 for the best picture of this comparison. Not portable: one "
    "more picture or generator moves all of these numbers."
)


def paper_minmax(scores: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Raw scores by min and max over the pooled pictures of all generators.

    Gu et al. print QS between 0 and 1 (Table 2) and scores "normalized to [0, 1]" (Fig. 4) and do not say how; this is
    the plain reading. The mean of a generator's numbers is its QS (eq. 9) on that scale.

    Parameters
    ----------
    scores : mapping of str to float array (n,)
        Raw scores of each generator's pictures. What is not finite stays out of minimum and maximum.

    Returns
    -------
    dict of str to float64 array (n,)
        In [0, 1]; NaN where the score is not finite, and everywhere if all scores are equal.

    Notes
    -----
    These numbers belong to one comparison: another picture or generator in it moves all of them. `z` is what can be
    compared between runs.

    Examples
    --------
    >>> both = paper_minmax({"a": [-300.0, -100.0], "b": [0.0, 100.0]})
    >>> both["a"].tolist(), both["b"].tolist()
    ([0.0, 0.5], [0.75, 1.0])
    """
    arrays = {name: np.asarray(values, float) for name, values in scores.items()}
    known = np.concatenate([values[np.isfinite(values)] for values in arrays.values()] or [np.empty(0)])
    low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
    width = high - low if high > low else np.nan
    return {name: np.where(np.isfinite(values), (values - low) / width, np.nan) for name, values in arrays.items()}
