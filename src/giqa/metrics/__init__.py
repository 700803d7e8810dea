"""Metrics of two sets of features: one metric, one file."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    metric="Metric",
    frechet="Frechet FrechetInfinity frechet_distance frechet_infinity",
    kernel="CMMD Kernel cmmd kernel_distance",
    prdc="Authenticity Coverage Density Precision Recall neighbourhoods",
    together="Together evaluate",
    realism="realism_score",
    neighbours="nearest_others",
    quality="LOG_DENSITY Diversity diversity_score quality_score",
    vendi="Vendi vendi_score",
    moments="Moments",
    inception="InceptionScore inception_score",
    jackknife="Jackknife jackknifed",
    reference_statistics="read_statistics statistics",
    statistics_difference="difference",
)
