"""The ground floor of shared mathematics: one definition of each estimate, interval and quantile.

It imports numpy and nothing heavier.
"""

from .bootstrap import RESAMPLES, TAILS, bootstrap, draws, from_draws, mean_over, resampled_means, widening
from .intervals import (
    LEVEL,
    ROOM,
    UNKNOWN,
    Estimate,
    difference,
    fisher,
    hull,
    mean_gap,
    mean_share,
    never,
    plain,
    student_mean,
    wilson,
)
from .quantiles import NORMAL, beta_interval, incomplete_beta, student
from .ranks import ranks, sigmoid, spearman

__all__ = [
    "LEVEL",
    "NORMAL",
    "RESAMPLES",
    "ROOM",
    "TAILS",
    "UNKNOWN",
    "Estimate",
    "beta_interval",
    "bootstrap",
    "difference",
    "draws",
    "fisher",
    "from_draws",
    "hull",
    "incomplete_beta",
    "mean_gap",
    "mean_over",
    "mean_share",
    "never",
    "plain",
    "ranks",
    "resampled_means",
    "sigmoid",
    "spearman",
    "student",
    "student_mean",
    "widening",
    "wilson",
]
