"""The names of `giqa.stats` that people's figures are made with; they are defined there and nowhere else."""

from ..stats import (
    NORMAL,
    RESAMPLES,
    TAILS,
    UNKNOWN,
    Estimate,
    bootstrap,
    draws,
    mean_over,
    plain,
    resampled_means,
    wilson,
)

__all__ = [
    "NORMAL",
    "RESAMPLES",
    "TAILS",
    "UNKNOWN",
    "Estimate",
    "bootstrap",
    "draws",
    "mean_over",
    "plain",
    "resampled_means",
    "wilson",
]
