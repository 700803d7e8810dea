"""Human judgements: read, exchanged with other tools, and what they say."""

from .. import public

__getattr__, __dir__, __all__ = public(
    __name__,
    labels="Labels Votes Counts Sittings Pairs Ratings",
    votes="read_labels as_labels",
    agreement="krippendorff_alpha pairwise_agreement reliability",
    aggregation="majority dawid_skene bradley_terry",
    staircase="Staircase",
    findings="judge Findings",
)
