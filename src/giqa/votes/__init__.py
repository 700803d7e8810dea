"""Human judgements: read, exchanged with other tools, and what they say."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    {
        "Labels": "votes",
        "Votes": "votes",
        "Counts": "votes",
        "Sittings": "votes",
        "Pairs": "votes",
        "Ratings": "votes",
        "read_labels": "votes",
        "as_labels": "votes",
        "krippendorff_alpha": "agreement",
        "pairwise_agreement": "agreement",
        "reliability": "agreement",
        "majority": "aggregation",
        "dawid_skene": "aggregation",
        "bradley_terry": "aggregation",
        "Staircase": "staircase",
        "judge": "findings",
        "Findings": "findings",
    },
)
