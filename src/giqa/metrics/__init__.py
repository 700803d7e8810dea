"""Metrics of two sets of features: one metric, one file."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    frechet="Moments frechet_distance frechet_infinity",
    kernel="kernel_distance cmmd",
    prdc="neighbourhoods realism_score nearest_others",
    quality="quality_score diversity_score",
    vendi="vendi_score",
    inception="inception_score",
    jackknife="Jackknife jackknifed",
    reference_statistics="statistics read_statistics",
)
