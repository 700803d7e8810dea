"""Online hard example mining: low-quality pictures weigh more in the discriminator's loss (GIQA, section 4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import BadShape, BadSpec
from ..registry import check_arguments, is_number
from ..types import as_numbers


def ohem_weights(scores: Any, threshold: float = 0.2, weight: float = 2.0, mean_one: bool = False) -> Any:
    """Weight of each generated picture in the loss: `weight` where its score is below `threshold`, else 1.

    Parameters
    ----------
    scores : array or tensor (n,)
        A numpy array, or a PyTorch tensor on any device. A missing score (NaN) weighs 1.
    threshold : float
        The paper has 0.2, without saying on which scale; see the notes.
    weight : float
        The paper has 2.
    mean_one : bool
        Divide by the mean weight, so that the loss on fakes as a whole does not grow and only its distribution changes.

    Returns
    -------
    array or tensor (n,)
        Of the same kind as `scores`, since nothing but operators is used; no gradient flows through the weights.

    Raises
    ------
    BadSpec
        For a weight that is negative.

    Notes
    -----
    On the percentile of held-out reals almost all pictures of a weak generator lie below 0.2, so that all get one
    weight: `RunningQuantile` gives the threshold below which a fifth of the recent fakes lie.

    References
    ----------
    GIQA (Gu et al. 2020), section 4.2.

    Examples
    --------
    In a training loop::

        loss = (ohem_weights(quality(fakes), threshold) * F.softplus(discriminator(fakes))).mean()

    >>> ohem_weights(np.array([0.1, 0.2, 0.9])).tolist()
    [2.0, 1.0, 1.0]
    """
    if not is_number(weight) or weight < 0:
        raise BadSpec(f"ohem_weights(weight=...) is 0 or more, got {weight!r}; the paper has 2.")
    scores = scores if hasattr(scores, "mean") else as_numbers(scores, "Scores")
    weights = 1 + (weight - 1) * (scores < threshold)
    mean = weights.mean() if mean_one and len(weights) else 1
    return weights / mean if mean > 0 else weights  # all of weight 0 have no mean to divide by


class RunningQuantile:
    """The value below which a share `q` of the last `window` scores lie; the threshold for `ohem_weights`.

    A share of at most `q` of the known scores lies strictly below the threshold. `state` and `restore` are for
    checkpoints.

    Parameters
    ----------
    q : float
        The share, above 0 and below 1.
    window : int
        Scores that are remembered.
    fewest : int
        Until so many scores are known the threshold is -inf and no picture is weighted.

    Raises
    ------
    BadSpec
        When a parameter is out of its range.

    Examples
    --------
    >>> quantile = RunningQuantile(q=0.2, fewest=5)
    >>> quantile.update(np.array([5., 1., 2.])), quantile.update(np.array([4., 3.]))
    (-inf, 2.0)
    """

    def __init__(self, q: float = 0.2, window: int = 5000, fewest: int = 100):
        check_arguments(RunningQuantile, q=q, window=window, fewest=fewest)
        if not 0 < q < 1 or window < 1 or fewest < 1:
            raise BadSpec(
                f"RunningQuantile takes 0 < q < 1, window and fewest from 1; got q={q!r}, window={window!r}, "
                f"fewest={fewest!r}."
            )
        self.q, self.window, self.fewest = q, window, fewest
        self.recent = np.empty(0)

    def update(self, scores: Any) -> float:
        """Take in the scores of a batch, an array or tensor of any shape; the threshold with them. NaN is ignored."""
        new = (
            as_numbers(scores.tolist() if hasattr(scores, "tolist") else scores, "Scores", None)
            .astype(np.float64)
            .ravel()
        )
        self.recent = np.concatenate([self.recent, new[~np.isnan(new)]])[-self.window :]
        return self.threshold

    @property
    def threshold(self) -> float:
        """The score with a share `q` of the recent ones below it; -inf while there are too few."""
        n = len(self.recent)
        return float(np.sort(self.recent)[int(self.q * n)]) if n >= self.fewest else float("-inf")

    def state(self) -> dict[str, np.ndarray]:
        """What a checkpoint must keep."""
        return {"recent": self.recent.copy()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        if not isinstance(state, Mapping) or "recent" not in state:
            raise BadShape(
                f"The state of a RunningQuantile holds its recent scores, as state() gives them, got {state!r:.80}."
            )
        recent = as_numbers(state["recent"], "The scores of a RunningQuantile").astype(np.float64)
        self.recent = recent[-self.window :]
