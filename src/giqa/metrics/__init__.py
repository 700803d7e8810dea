"""Metrics of two sets of features: one metric, one file."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    {
        "Moments": "frechet",
        "frechet_distance": "frechet",
        "frechet_infinity": "frechet",
        "kernel_distance": "kernel",
        "cmmd": "kernel",
        "neighbourhoods": "prdc",
        "realism_score": "prdc",
        "nearest_others": "prdc",
        "quality_score": "quality",
        "diversity_score": "quality",
        "vendi_score": "vendi",
        "inception_score": "inception",
        "Jackknife": "jackknife",
        "jackknifed": "jackknife",
        "statistics": "reference_statistics",
        "read_statistics": "reference_statistics",
    },
)
