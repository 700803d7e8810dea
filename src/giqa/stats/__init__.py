"""The ground floor of shared mathematics: one definition of each estimate, interval, quantile, rank and regression.

It imports numpy and nothing heavier.
"""

# fmt: off
from .bootstrap import RESAMPLES, TAILS, Range, bootstrap, draws, from_draws, mean_over, resampled_means, widening
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
from .judgements import JudgementFit, covariance, fit_judgements
from .likelihoods import PairLikelihood, RatingLikelihood, VoteLikelihood, log_levels
from .logistic import (
    CLIP,
    fit_logistic,
    log_likelihood,
    logistic_regression,
    logit,
    newton,
    platt_scaling,
    ridge,
    sigmoid,
)
from .quantiles import NORMAL, beta_interval, incomplete_beta, normal, student
from .ranks import auroc, mann_whitney, ranks, spearman
from .robust import MAD_TO_SIGMA, WORST, conformal_percentile, mean_z, robust_sd, robust_z, share_of_worst

__all__ = [  # noqa: RUF022 - file by file, as above
    "RESAMPLES", "TAILS", "Range", "bootstrap", "draws", "from_draws", "mean_over", "resampled_means", "widening",
    "balanced_accuracy", "bins_of", "calibration", "calibration_error",
    "LEVEL", "ROOM", "UNKNOWN", "Estimate", "difference", "fisher", "hull", "mean_gap", "mean_share", "never", "plain",
    "student_mean", "wilson",
    "jackknife", "jackknife_variance", "welch_interval",
    "JudgementFit", "covariance", "fit_judgements",
    "PairLikelihood", "RatingLikelihood", "VoteLikelihood", "log_levels",
    "CLIP", "fit_logistic", "log_likelihood", "logistic_regression", "logit", "newton", "platt_scaling", "ridge",
    "sigmoid",
    "NORMAL", "beta_interval", "incomplete_beta", "normal", "student",
    "auroc", "mann_whitney", "ranks", "spearman",
    "MAD_TO_SIGMA", "WORST", "conformal_percentile", "mean_z", "robust_sd", "robust_z", "share_of_worst",
]
