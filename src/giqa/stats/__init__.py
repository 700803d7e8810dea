"""The ground floor of shared mathematics: one definition of each estimate, interval, quantile, rank and regression.

It imports numpy and nothing heavier.
"""

from .bootstrap import RESAMPLES, TAILS, bootstrap, draws, from_draws, mean_over, resampled_means, widening
from .calibration import balanced_accuracy, bins_of, calibration, calibration_error
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
from .jackknife import jackknife, jackknife_variance, welch_interval
from .logistic import (
    CLIP,
    fit_logistic,
    log_likelihood,
    logistic_regression,
    logit,
    platt_scaling,
    ridge,
    sigmoid,
)
from .quantiles import NORMAL, beta_interval, incomplete_beta, normal, student
from .ranks import auroc, mann_whitney, ranks, spearman
from .robust import MAD_TO_SIGMA, conformal_percentile, robust_sd, robust_z

__all__ = [
    "CLIP",
    "LEVEL",
    "MAD_TO_SIGMA",
    "NORMAL",
    "RESAMPLES",
    "ROOM",
    "TAILS",
    "UNKNOWN",
    "Estimate",
    "auroc",
    "balanced_accuracy",
    "beta_interval",
    "bins_of",
    "bootstrap",
    "calibration",
    "calibration_error",
    "conformal_percentile",
    "difference",
    "draws",
    "fisher",
    "fit_logistic",
    "from_draws",
    "hull",
    "incomplete_beta",
    "jackknife",
    "jackknife_variance",
    "log_likelihood",
    "logistic_regression",
    "logit",
    "mann_whitney",
    "mean_gap",
    "mean_over",
    "mean_share",
    "never",
    "normal",
    "plain",
    "platt_scaling",
    "ranks",
    "resampled_means",
    "ridge",
    "robust_sd",
    "robust_z",
    "sigmoid",
    "spearman",
    "student",
    "student_mean",
    "welch_interval",
    "widening",
    "wilson",
]
